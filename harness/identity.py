"""Identity is content: keys by blake2b of canonical JSON, and random choices from counters.

Choices and shuffles come from blake2b, not from a library's generator, so that no upgrade moves
an item. `child_rng` hands out a numpy generator only where bulk numbers are wanted and ids do not
depend on them (bootstrap).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from harness.records import Request

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

KEY_BYTES = 16
"""128 bits: the chance that any two of 10^9 keys collide is below 10^-20."""

_canonical = msgspec.json.Encoder(order="deterministic")


def canonical_json(value: object) -> bytes:
    """Encode as JSON with sorted keys and no spaces: equal content, equal bytes."""
    return _canonical.encode(value)


def content_key(value: object) -> str:
    """Return the hex key of any JSON-like value.

    >>> content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    True
    """
    return hashlib.blake2b(canonical_json(value), digest_size=KEY_BYTES).hexdigest()


def bytes_key(data: bytes) -> str:
    """Return the hex key of raw bytes."""
    return hashlib.blake2b(data, digest_size=KEY_BYTES).hexdigest()


def sample_key(row: Mapping[str, Any]) -> str:
    """Return a row's id: 16 hex digits over its data fields only."""
    return content_key(row)[:16]


def request_hasher(model: Mapping[str, Any]) -> Callable[[Request], str]:
    """Return the function from request to content key for one model.

    The key covers all that can change the answer: `model` (provider, address, name, arguments or
    weights), the whole request and the repeat number; not `sample_id` and `turn`.
    """
    base = hashlib.blake2b(digest_size=KEY_BYTES)
    base.update(canonical_json(model))
    encode = _canonical.encode

    def key(request: Request) -> str:
        digest = base.copy()
        content = (
            request.kind,
            request.messages,
            request.prompt,
            request.continuation,
            request.generation,
            request.logprobs,
            request.tools,
            request.schema,
            request.repeat,
        )
        try:
            digest.update(encode(content))
        except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold
            plain = msgspec.to_builtins(content)
            digest.update(json.dumps(plain, sort_keys=True, ensure_ascii=True).encode())
        return digest.hexdigest()

    return key


class CounterRandom:
    """A random stream from (seed, keys), the same on every platform and version.

    Each draw hashes a counter; streams with different keys are independent.
    """

    __slots__ = ("_base", "_count")

    def __init__(self, seed: int, *keys: object) -> None:
        self._base = hashlib.blake2b(canonical_json([seed, *keys]), digest_size=32).digest()
        self._count = 0

    def bits(self) -> int:
        """Return 64 random bits as an integer."""
        block = hashlib.blake2b(
            self._count.to_bytes(8, "big"), key=self._base, digest_size=8
        ).digest()
        self._count += 1
        return int.from_bytes(block, "big")

    def random(self) -> float:
        """Return a number in [0, 1)."""
        return (self.bits() >> 11) / (1 << 53)

    def below(self, limit: int) -> int:
        """Return an integer in [0, limit), unbiased (by rejection). `limit` is at most 2**64."""
        if limit <= 0:
            raise ValueError(f"limit must be positive, got {limit}")
        bound = (1 << 64) - (1 << 64) % limit
        while True:
            value = self.bits()
            if value < bound:
                return value % limit

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high], both included."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[T]) -> T:
        """Return one of `items`."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return `items` in random order (Fisher-Yates)."""
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` different positions of `items`, in random order."""
        if count > len(items):
            raise ValueError(f"cannot draw {count} of {len(items)}")
        return self.shuffled(items)[:count]


def permutation(seed: int, keys: Sequence[str]) -> list[int]:
    """Return positions of `keys` in a random order that depends on (seed, each key) alone.

    Adding an item leaves the order of the others unchanged.
    """
    salt = hashlib.blake2b(canonical_json(seed), digest_size=16).digest()

    def rank(position: int) -> bytes:
        return hashlib.blake2b(keys[position].encode(), key=salt, digest_size=16).digest()

    return sorted(range(len(keys)), key=rank)


def child_rng(seed: int, *keys: object) -> np.random.Generator:
    """Return a numpy generator for (seed, keys), for bulk draws that no id depends on."""
    import numpy as np  # noqa: PLC0415 - keeps `harness --help` free of numpy

    digest = hashlib.blake2b(canonical_json([seed, *keys]), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def unique_ids(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield an id for each row; exact duplicates get a counter (`…-2`, `…-3`)."""
    seen: dict[str, int] = {}
    for row in rows:
        key = sample_key(row)
        seen[key] = count = seen.get(key, 0) + 1
        yield key if count == 1 else f"{key}-{count}"
