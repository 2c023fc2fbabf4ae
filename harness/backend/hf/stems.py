"""Which prompts begin alike for so long that their beginning is worth computing once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

SHORTEST = 32
"""Tokens below which a shared beginning is not worth a pass of its own."""
FEWEST = 8
"""Prompts below which it is not."""


class Family(NamedTuple):
    """Prompts that share their first `stem` tokens; `stem` 0: nothing worth sharing."""

    stem: int
    members: list[int]


def shared(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two prompts have in common at their beginning.

    >>> shared([1, 2, 3], [1, 2, 4, 5])
    2
    """
    most = min(len(left), len(right))
    if left[:most] == right[:most]:
        return most
    low, high = 0, most  # the first `low` are equal, the first `high` are not
    while high - low > 1:
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


def families(prompts: Sequence[tuple[int, ...]]) -> list[Family]:
    """Return prompts by the beginnings they share; the last family holds those that share none.

    Sorted, prompts that begin alike stand together. A stretch of them is one family where its
    common beginning saves at least as many tokens as those of its parts would.
    """
    order = sorted(range(len(prompts)), key=lambda i: prompts[i])
    common = [0, *(shared(prompts[a], prompts[b]) for a, b in pairwise(order))]
    found: list[Family] = []
    alone: list[int] = []
    stretches = [(0, len(order))]
    while stretches:
        low, high = stretches.pop()
        if high - low < FEWEST:
            alone += order[low:high]
            continue
        stem = min(common[low + 1 : high])
        cuts = [low, *(i for i in range(low + 1, high) if common[i] == stem), high]
        parts = list(pairwise(cuts))
        saved = sum(_saving(common, *part) for part in parts)
        if stem >= SHORTEST and stem * (high - low - 1) >= saved:
            members = order[low:high]
            # the last token of a prompt is never shared: its logits are wanted
            longest = min(stem, min(len(prompts[i]) for i in members) - 1)
            found.append(Family(longest, members))
        else:
            stretches += parts
    return [*found, Family(0, alone)]


def _saving(common: list[int], low: int, high: int) -> int:
    if high - low < FEWEST:
        return 0
    stem = min(common[low + 1 : high])
    return stem * (high - low - 1) if stem >= SHORTEST else 0
