"""How much passes through a model at a time; halved where memory runs out. Knows no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from harness.records import Failure

T = TypeVar("T")
R = TypeVar("R")

FIRST = 8192
"""Tokens of the first batch where the size is automatic."""
MOST = 262_144
STEADY = 8
"""Batches without trouble after which an automatic size doubles again."""


class Limit:
    """Tokens that a batch may hold. State: shrinks by trouble; an automatic one grows again."""

    def __init__(self, rows: int | None, *, grows: bool) -> None:
        self.rows = rows
        self.tokens = FIRST
        self._grows, self._calm, self._ceiling = grows, 0, MOST

    def count(self, length: int) -> int:
        """Return how many rows of `length` tokens go together."""
        if self.rows is not None:
            return self.rows
        return max(1, self.tokens // max(length, 1))

    def halve(self, rows: int, length: int) -> None:
        """Remember that `rows` of `length` were too many."""
        if self.rows is not None:
            self.rows = max(1, rows // 2)
        self._ceiling = max(1, rows * length // 2)
        self.tokens, self._calm = min(self.tokens, self._ceiling), 0

    def calm(self) -> None:
        """Count a batch without trouble."""
        self._calm += 1
        if self._grows and self._calm >= STEADY:
            self.tokens, self._calm = min(self.tokens * 2, self._ceiling), 0


class Batches(Generic[T, R]):
    """Runs a function over items, longest first, in batches that fit.

    `out_of_memory` says which errors mean that a batch was too large.
    """

    def __init__(
        self,
        limit: Limit,
        out_of_memory: Callable[[RuntimeError], bool],
        free: Callable[[], None],
    ) -> None:
        self._limit, self._out_of_memory, self._free = limit, out_of_memory, free

    def run(
        self,
        items: Sequence[T],
        length: Callable[[T], int],
        work: Callable[[list[T]], list[R]],
    ) -> Iterator[tuple[T, R | Failure]]:
        """Yield each item with its result; one too large by itself is a `Failure`."""
        rest = sorted(items, key=length, reverse=True)
        while rest:
            longest = length(rest[0])
            batch = rest[: self._limit.count(longest)]
            try:
                results = work(batch)
            except RuntimeError as error:
                if not self._out_of_memory(error):
                    raise
                failed = len(batch) == 1
            else:
                self._limit.calm()
                yield from zip(batch, results, strict=True)
                rest = rest[len(batch) :]
                continue
            self._free()  # outside the handler: the error's frames hold the tensors
            if failed:
                said = f"out of memory with a single sequence of {longest:,} tokens"
                yield batch[0], Failure("internal", said)
                rest = rest[1:]
            else:
                self._limit.halve(len(batch), longest)
