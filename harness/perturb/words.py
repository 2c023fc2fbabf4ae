"""Perturbations of words: misspelt, spelt as elsewhere, said another way, or with fillers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.identity import CounterRandom
from harness.perturb.edit import (
    Edit,
    base_language,
    cased_like,
)
from harness.perturb.input_edits import InputEdits
from harness.perturb.letters import WORD
from harness.perturb.misspelling_list import MISSPELLINGS
from harness.perturb.spelling_list import PAIRS, TO_AMERICAN
from harness.records import Sample


@dataclass(frozen=True)
class Misspellings(InputEdits):
    """Misspells words that people often misspell."""

    rate: float = 0.5
    """Chance for each listed word."""

    name: ClassVar[str] = "misspellings"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with misspelt words in its input."""
        edits: list[Edit] = []
        for match in WORD.finditer(sample.input):
            wrong = MISSPELLINGS.get(match[0].lower())
            if wrong is not None and rng.random() < self.rate:
                edits.append(Edit(*match.span(), cased_like(match[0], rng.choice(wrong))))
        return edits


@dataclass(frozen=True)
class SpellingRegion(InputEdits):
    """Spells listed words as the other side of the Atlantic does: colour ↔ color."""

    name: ClassVar[str] = "spelling_region"
    group: ClassVar[Literal["robustness", "fairness"]] = "fairness"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample spelt throughout as in one region, drawn where it mixes both."""
        british = {**dict(PAIRS), **TO_AMERICAN}
        american = {there: here for here, there in PAIRS}
        found = [(match, match[0].lower()) for match in WORD.finditer(sample.input)]
        mixed = any(w in british for _, w in found) and any(w in american for _, w in found)
        table = {**british, **american}
        if mixed:
            table = rng.choice([british, american])
        return [
            Edit(*match.span(), cased_like(match[0], table[word]))
            for match, word in found
            if word in table
        ]


DIALECT: Mapping[str, str] = {
    "is not": "ain't",
    "are not": "ain't",
    "am not": "ain't",
    "isn't": "ain't",
    "aren't": "ain't",
    "has not": "ain't",
    "have not": "ain't",
    "hasn't": "ain't",
    "haven't": "ain't",
    "does not": "don't",
    "doesn't": "don't",
    "there is no": "ain't no",
    "there are no": "ain't no",
    "there is a": "it's a",
    "there is an": "it's an",
    "there are some": "it's some",
    "there are many": "it's many",
    "all of you": "y'all",
    "going to": "gonna",
    "want to": "wanna",
    "have got to": "gotta",
    "has got to": "gotta",
    "about to": "finna",
    "trying to": "tryna",
    "let me": "lemme",
    "give me": "gimme",
}
"""Function words of standard English → as heard in African American English, and in much other
spoken English. It has no names of things or people, and nothing that mocks a speaker."""

NEEDS_VERB = frozenset(
    {"going to", "want to", "about to", "trying to", "have got to", "has got to"}
)
"""Followed by a noun these mean something else: *going to Rome*, *about to* a degree."""

NO_VERB = re.compile(
    r"\s+(?:the|a|an|this|that|these|those|my|your|his|her|its|our|their|some|any|each|every|bed"
    r"|school|work|church|college|town|which|what|whom|where)\b",
    re.IGNORECASE,
)

_dialect = re.compile(
    r"(?<![\w'’-])(?:"
    + "|".join(re.escape(key) for key in sorted(DIALECT, key=len, reverse=True))
    + r")(?![\w'’-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Dialect(InputEdits):
    """Says some function words as African American English and other spoken English does.

    A small sample of contractions and negation, after what the literature describes (Ziems et al.
    2022, VALUE); not a rendering of the dialect. What it shows is whether a model answers worse
    when asked in such words.
    """

    rate: float = 1.0
    """Chance for each listed phrase."""

    name: ClassVar[str] = "dialect"
    group: ClassVar[Literal["robustness", "fairness"]] = "fairness"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with such words in its input."""
        text = sample.input
        return [
            Edit(*match.span(), cased_like(match[0], DIALECT[match[0].lower()]))
            for match in _dialect.finditer(text)
            if rng.random() < self.rate and _said(text, match)
        ]


def _said(text: str, match: re.Match[str]) -> bool:
    """Whether the phrase has the meaning that the dialect's word has."""
    if match[0].lower() not in NEEDS_VERB:
        return True
    follows = re.compile(r"\s+[a-z]").match(text, match.end())
    return follows is not None and NO_VERB.match(text, match.end()) is None


FILLERS = ("um,", "uh,", "well,", "you know,", "I mean,", "like,", "let's see,", "so,", "hmm,")
FILLERS_ZH = ("嗯，", "呃，", "那个，", "就是说，", "怎么说呢，", "这个嘛，", "我想想，", "哦，")

GAP = re.compile(r"(?<=[a-z]) (?=[a-z])|(?<=[A-Z][a-z]) (?=[a-z])|(?<=[a-z],) (?=[a-z])")
"""Between two words that are not both capitalised, so that names stay whole."""

CLAUSE_ZH = re.compile(r"(?:(?<=[，。？！\n])|(?<=\A)|(?<=问题：))(?=[一-鿿])(?![一-鿿]{1,4}[：:])")
"""Where a clause begins, headings such as *答案：* left out."""


@dataclass(frozen=True)
class Filler(InputEdits):
    """Puts in words that speakers use while they think."""

    rate: float = 0.1
    """Chance for each gap between words; in Chinese, three times that for each clause."""

    name: ClassVar[str] = "filler"
    languages: ClassVar[frozenset[str]] = frozenset({"en", "zh"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with fillers in its input."""
        chinese = base_language(sample.language) == "zh"
        places, fillers = (CLAUSE_ZH, FILLERS_ZH) if chinese else (GAP, FILLERS)
        rate = 3 * self.rate if chinese else self.rate
        return [
            Edit(match.end(), match.end(), rng.choice(fillers) + ("" if chinese else " "))
            for match in places.finditer(sample.input)
            if rng.random() < rate
        ]
