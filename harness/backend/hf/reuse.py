"""Keys and values of a prompt's beginning, computed once and kept for the next batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from msgspec import Struct
from transformers import DynamicCache

from harness.backend.hf.network import Network
from harness.backend.hf.stems import families, shared

NEAR = 0.75
"""A held beginning serves in place of a longer one where it is at least this part of it."""


class Stem(Struct, frozen=True):
    """A beginning, and what each layer keeps of it, (1, heads, tokens, size)."""

    ids: tuple[int, ...] = ()
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()

    def cache(self, rows: int) -> DynamicCache | None:
        """Return a cache of `rows` sequences that all begin so; None for no beginning."""
        if not self.ids:
            return None
        cache = DynamicCache()
        for index, (keys, values) in enumerate(self.layers):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), index)
        return cache


NO_STEM = Stem()


class Stems:
    """Finds shared beginnings and computes them. State: holds the last one."""

    def __init__(self, network: Network) -> None:
        self._network, self._held = network, NO_STEM

    def grouped(self, prompts: Sequence[tuple[int, ...]]) -> Iterator[tuple[Stem, list[int]]]:
        """Yield each shared beginning with the places of the prompts that have it."""
        held = self._held
        for stem, members in families(prompts):
            if stem:
                yield self._stem(prompts[members[0]][:stem]), members
                continue
            known = [i for i in members if held.ids and _begins(prompts[i], held.ids)]
            for some, own in ((known, held), (sorted({*members} - {*known}), NO_STEM)):
                if some:
                    yield own, some

    def _stem(self, ids: tuple[int, ...]) -> Stem:
        held = self._held
        if len(held.ids) >= NEAR * len(ids) and shared(held.ids, ids) == len(held.ids):
            return held
        self._held = NO_STEM  # let go of before the new one takes memory
        _, cache = self._network(self._network.tensor([list(ids)]), 1, use_cache=True)
        self._held = Stem(ids, layers_of(cache))
        return self._held


def layers_of(cache: Any) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
    """Return keys and values of each layer; raises AttributeError for caches of another kind."""
    if hasattr(cache, "layers"):
        return tuple((layer.keys, layer.values) for layer in cache.layers)
    return tuple(zip(cache.key_cache, cache.value_cache, strict=True))


def _begins(prompt: tuple[int, ...], ids: tuple[int, ...]) -> bool:
    return len(prompt) > len(ids) and prompt[: len(ids)] == ids
