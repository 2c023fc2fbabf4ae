"""Perturbations of what stands between words: spaces, punctuation, invisible characters, width."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from harness.identity import CounterRandom
from harness.perturb.edit import (
    Edit,
    base_language,
)
from harness.perturb.input_edits import InputEdits
from harness.records import Sample

CJK = "㐀-䶿一-鿿"
"""Chinese characters, for use inside a regular expression's []."""

SPACES = re.compile(r"(?<=\S) +(?=\S)")
"""A run of spaces inside a line; indentation and line ends carry meaning in code and lists."""

SCRIPT_EDGE = re.compile(f"(?<=[{CJK}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[{CJK}])")


@dataclass(frozen=True)
class Spaces(InputEdits):
    """Makes each run of spaces one to `longest` long.

    In Chinese, which writes none, it also sets spaces where Chinese meets Latin letters or digits.
    """

    longest: int = 3
    rate: float = 0.5
    """Chinese: chance for each such edge."""

    name: ClassVar[str] = "spaces"

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with other spaces in its input."""
        edits = [
            Edit(*match.span(), " " * rng.between(1, self.longest))
            for match in SPACES.finditer(sample.input)
        ]
        if base_language(sample.language) == "zh":
            edits += [
                Edit(match.start(), match.start(), " ")
                for match in SCRIPT_EDGE.finditer(sample.input)
                if rng.random() < self.rate
            ]
        return edits


FINAL = re.compile(r"[.?!。？！](?=[ \t]*$)", re.MULTILINE)
"""A mark that ends a line; the last of them ends the question, also where *Answer:* follows."""

COMMA = re.compile(r"(?<!\d),(?!\d)|(?<=\d),(?=\s)|，")
"""A comma that is no part of a number."""

SWAPPED = {",": "，", "，": ","}


@dataclass(frozen=True)
class Punctuation(InputEdits):
    """Drops or doubles the mark that ends the question, and swaps half- and full-width commas."""

    rate: float = 0.5
    """Chance for each comma."""

    name: ClassVar[str] = "punctuation"

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with other punctuation in its input."""
        text = sample.input
        edits = [
            Edit(*match.span(), SWAPPED[match[0]])
            for match in COMMA.finditer(text)
            if rng.random() < self.rate
        ]
        *_, final = [None, *FINAL.finditer(text)]
        if final is not None:
            before = text[: final.start()].strip()
            drop = rng.below(2) == 0
            if before and before[-1] not in ".?!。？！…_":  # an ellipsis or a blank stays
                edits.append(Edit(*final.span(), "" if drop else final[0] * 2))
        return edits


INVISIBLE = ("\u200b", "\u200d")
"""Zero width space and zero width joiner."""

INSIDE = re.compile(f"(?<=[A-Za-z])(?=[A-Za-z])|(?<=[{CJK}])(?=[{CJK}])")
"""Between two letters. Scripts that join their letters are left out: there a joiner is seen."""


@dataclass(frozen=True)
class ZeroWidth(InputEdits):
    """Sets characters that cannot be seen between letters; never beside a digit."""

    rate: float = 0.05
    """Chance for each place between two letters."""

    name: ClassVar[str] = "zero_width"

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with invisible characters in its input."""
        return [
            Edit(match.start(), match.start(), rng.choice(INVISIBLE))
            for match in INSIDE.finditer(sample.input)
            if rng.random() < self.rate
        ]


def _rewidth(sample: Sample, pattern: re.Pattern[str], shift: int) -> list[Edit]:
    """Move each character of the runs that `pattern` finds by `shift` code points."""
    return [
        Edit(at, at + 1, chr(ord(character) + shift))
        for match in pattern.finditer(sample.input)
        for at, character in enumerate(match[0], match.start())
    ]


@dataclass(frozen=True)
class FullWidth(InputEdits):
    """Writes ASCII letters, digits and marks full-width, as Chinese input methods may."""

    name: ClassVar[str] = "full_width"
    languages: ClassVar[frozenset[str]] = frozenset({"zh"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:  # noqa: ARG002 - no chance in it
        """Return the sample with full-width characters in its input."""
        return _rewidth(sample, re.compile("[!-~]+"), 0xFEE0)


@dataclass(frozen=True)
class HalfWidth(InputEdits):
    """Writes full-width letters, digits and marks (U+FF01 to U+FF5E) as ASCII."""

    name: ClassVar[str] = "half_width"
    languages: ClassVar[frozenset[str]] = frozenset({"zh"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:  # noqa: ARG002 - as above
        """Return the sample with half-width characters in its input."""
        return _rewidth(sample, re.compile("[！-～]+"), -0xFEE0)
