"""Perturbations of letters: typing slips, case, and letters that only look alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.identity import CounterRandom
from harness.perturb.edit import (
    Edit,
    Stretch,
    answer_stretches,
    answer_texts,
    cased_like,
    words,
)
from harness.perturb.input_edits import InputEdits
from harness.records import Sample

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
"""Letter keys of a QWERTY keyboard; each row lies half a key to the right of the one above."""


def _neighbours() -> dict[str, str]:
    """Return the letters next to each letter: left, right, and the two keys above and below."""
    near: dict[str, str] = {}
    for r, row in enumerate(ROWS):
        above = ROWS[r - 1] if r > 0 else ""
        below = ROWS[r + 1] if r + 1 < len(ROWS) else ""
        for k, key in enumerate(row):
            beside = row[max(k - 1, 0) : k] + row[k + 1 : k + 2]
            near[key] = beside + above[k : k + 2] + below[max(k - 1, 0) : k + 1]
    return near


NEIGHBOURS = _neighbours()

WORD = re.compile(r"(?<![\w\\@/#'’.])[A-Za-z]{3,}(?![\w@/'’])(?!\.\w)")
"""A plain word. Not: parts of numbers with units, identifiers, commands, addresses, contractions.

A contraction is left out because a slip there may hide a negation.
"""

MEANING = words(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million billion trillion dozen half third quarter twice thrice double triple
    first second not never none nor without except least most more less fewer cannot
    """
)
"""Words whose loss would change an answer: numbers, negations, comparisons."""


def plain_words(text: str) -> Iterator[re.Match[str]]:
    """Yield the words that a slip may befall: not short, not in capitals, not in `MEANING`."""
    for match in WORD.finditer(text):
        if not match[0].isupper() and match[0].lower() not in MEANING:
            yield match


@dataclass(frozen=True)
class Typos(InputEdits):
    """Hits the key beside the right one: at most once in a word, never in a digit.

    No slip makes a word that the sample already holds (cat → car, where a car is an option).
    """

    rate: float = 0.1
    """Chance for each letter; the first letter that is hit is the only one."""

    name: ClassVar[str] = "typos"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with slips in its input."""
        texts = (sample.input, *answer_texts(sample))
        held = {word.lower() for text in texts for word in re.findall("[A-Za-z]+", text)}
        edits: list[Edit] = []
        for match in plain_words(sample.input):
            hit = self._slip(match, rng)
            if hit is not None and self._result(match, hit).lower() not in held:
                edits.append(hit)
        return edits

    def _slip(self, match: re.Match[str], rng: CounterRandom) -> Edit | None:
        for offset, letter in enumerate(match[0]):
            if rng.random() < self.rate:
                new = cased_like(letter, rng.choice(NEIGHBOURS[letter.lower()]))
                at = match.start() + offset
                return Edit(at, at + 1, new)
        return None

    @staticmethod
    def _result(match: re.Match[str], edit: Edit) -> str:
        at = edit.start - match.start()
        return match[0][:at] + edit.new + match[0][at + 1 :]


def open_stretches(text: str, closed: list[Stretch]) -> Iterator[Stretch]:
    """Yield what lies between the `closed` stretches."""
    position = 0
    for start, end in sorted(closed):
        if start > position:
            yield position, min(start, len(text))
        position = max(position, end)
    if position < len(text):
        yield position, len(text)


def _recased(sample: Sample, *, upper: bool) -> list[Edit]:
    edits: list[Edit] = []
    for start, end in open_stretches(sample.input, [*sample.protected, *answer_stretches(sample)]):
        for match in re.compile(r"\S+").finditer(sample.input, start, end):
            new = match[0].upper() if upper else match[0].lower()
            edits.append(Edit(*match.span(), new))
    return edits


@dataclass(frozen=True)
class Lowercase(InputEdits):
    """Writes the input in small letters."""

    name: ClassVar[str] = "lowercase"

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:  # noqa: ARG002 - no chance in it
        """Return the sample with its input in small letters."""
        return _recased(sample, upper=False)


@dataclass(frozen=True)
class Uppercase(InputEdits):
    """Writes the input in capitals."""

    name: ClassVar[str] = "uppercase"

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:  # noqa: ARG002 - as above
        """Return the sample with its input in capitals."""
        return _recased(sample, upper=True)


LOOKALIKES = dict(zip("aceijopsxyABEHIKMNOPTXYZ", "асеіјорѕхуΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))
"""Latin letters and letters of Cyrillic (small) and Greek (capital) that are drawn alike."""


@dataclass(frozen=True)
class Homoglyphs(InputEdits):
    """Puts Cyrillic and Greek letters where Latin ones that look the same stood."""

    rate: float = 0.05
    """Chance for each letter that has a lookalike, in words of three letters or more."""

    name: ClassVar[str] = "homoglyphs"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with lookalike letters in its input."""
        edits: list[Edit] = []
        for match in plain_words(sample.input):
            for at, letter in enumerate(match[0], match.start()):
                if letter in LOOKALIKES and rng.random() < self.rate:
                    edits.append(Edit(at, at + 1, LOOKALIKES[letter]))
        return edits
