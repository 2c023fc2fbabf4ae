"""Keeps rows apart: none may share most of its tokens with another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, pairwise
from typing import TypeVar

from harness.errors import InvalidFile
from harness.text.tokens import overlap_tokens

T = TypeVar("T")

CLOSEST = 0.8
"""Two rows share at most so much of their tokens (Jaccard index)."""


def bag(text: str, language: str) -> frozenset[str]:
    """Return what texts are compared by: words, or in Chinese pairs of characters.

    >>> sorted(bag("The red, red car.", "en")), sorted(bag("看见了", "zh"))
    (['car', 'red'], ['看见', '见了'])
    """
    found = overlap_tokens(text, language)
    if not language.startswith("zh"):
        return frozenset(found)
    return frozenset(map("".join, pairwise(found))) or frozenset(found)


def overlap(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the share of all their tokens that two bags have in common (Jaccard index)."""
    return len(left & right) / len(left | right) if left or right else 1.0


class Apart:
    """Remembers the texts taken so far; `take` refuses one that is too near any of them."""

    def __init__(self, language: str = "en") -> None:
        self._language = language
        self._bags: list[frozenset[str]] = []

    def take(self, text: str) -> bool:
        """Return whether `text` stands apart from all texts taken before, and take it if so."""
        return self.take_bag(bag(text, self._language))

    def take_bag(self, tokens: frozenset[str]) -> bool:
        """Do as `take`, for tokens that the caller has made."""
        if any(overlap(tokens, other) > CLOSEST for other in self._bags):
            return False
        self._bags.append(tokens)
        return True


def enough(drawn: Iterable[T], taken: Callable[[T], bool], count: int) -> list[T]:
    """Return the first `count` of `drawn` that are taken.

    Raises `InvalidFile` where there are fewer: more was asked for than can stand apart.
    """
    kept = [*islice((item for item in drawn if taken(item)), count)]
    if len(kept) < count:
        raise InvalidFile(
            "so many rows do not stand apart from each other",
            key="per_cell",
            allowed=f"at most {len(kept)}",
            got=str(count),
        )
    return kept
