"""The corpus: an endless, seeded stream of documents, most of them arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from harness.identity import CounterRandom
from training import arithmetic, language
from training.document import Document

T = TypeVar("T")

ARITHMETIC_SHARE = 85
"""Per cent of the documents."""


def bag(kinds: Sequence[tuple[int, T]]) -> list[T]:
    """Return each item as often as its share says."""
    return [item for share, item in kinds for _ in range(share)]


def documents(
    seed: int, excluded: frozenset[str], language_share: int = 100 - ARITHMETIC_SHARE
) -> Iterator[Document]:
    """Yield documents for ever; no arithmetic item in them has a key in `excluded`."""
    rng = CounterRandom(seed, "corpus")
    problems = arithmetic.Problems(rng, excluded)
    sums, words = bag(arithmetic.KINDS), bag(language.KINDS)
    while True:
        if rng.below(100) < language_share:
            yield rng.choice(words)(rng)
        else:
            yield rng.choice(sums)(problems)
