"""Perturbations around the question: politeness, a sentence beside the point, a stray order."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.identity import CounterRandom
from harness.perturb.context_list import (
    IRRELEVANT,
    ORDERS,
    PREFIXES,
    SUFFIXES,
)
from harness.perturb.edit import (
    Edit,
    answer_texts,
    base_language,
    occurrences,
    rewritten,
    speaks,
    unchanged,
)
from harness.perturb.marks import CJK
from harness.records import Sample

SPOKEN = frozenset({"en", "zh"})

LABELLED = re.compile(
    r"[ \t]*(?:question|q|problem|query|task|user|问题|问|题目|题)\s?[:：][ \t]*", re.IGNORECASE
)
"""A heading at the head of a line."""

OPTION_LINE = re.compile(r"\s*[(（\[]?(?:[A-Za-z甲乙丙丁①-⑩]|\d{1,2})[)）\].．、]")


def question_start(text: str) -> int:
    r"""Return where the line that asks begins, after its heading; the text's start if none asks.

    A whole line, since a sentence's start is hard to tell ("Mr. Li asked: …?"); never the line of
    an option.

    >>> question_start("A passage. Is it long?\nQuestion: Who is it?")
    33
    """
    position = asks = 0
    for line in text.split("\n"):
        if ("?" in line or "？" in line) and not OPTION_LINE.match(line):
            heading = LABELLED.match(line)
            asks = position + (heading.end() if heading else 0)
        position += len(line) + 1
    return asks


def _before_question(sample: Sample, sentence: str, name: str) -> Sample:
    """Insert a sentence before the question, or at the start where that place is protected."""
    gap = "" if base_language(sample.language) == "zh" else " "
    at = question_start(sample.input)
    if any(start < at < end for start, end in sample.protected):
        at = 0
    return rewritten(sample, name, [Edit(at, at, sentence + gap)])


@dataclass(frozen=True)
class Wording:
    """Puts polite words around the input.

    The words after it are left out where the model is to continue the input: where it ends in a
    colon, or the answer is scored as its continuation.
    """

    name: ClassVar[str] = "wording"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["template"]] = "template"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = SPOKEN

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample, asked politely."""
        if not speaks(self.languages, sample.language):
            return unchanged(sample, self.name)
        language = base_language(sample.language)
        prefix, suffix = rng.choice(PREFIXES[language]), rng.choice(SUFFIXES[language])
        text = sample.input
        if not text.strip():
            return unchanged(sample, self.name)
        edits = [Edit(0, 0, prefix + "\n")]
        ends = text.rstrip().endswith((".", "?", "!", "。", "？", "！"))
        if ends and sample.method in ("generate", "choose"):
            edits.append(Edit(len(text), len(text), "\n" + suffix))
        return rewritten(sample, self.name, edits)


def _content(text: str) -> set[str]:
    """Return what a text is about, roughly: Latin words of four letters on, pairs of characters."""
    latin = {word.lower() for word in re.findall("[A-Za-z]{4,}", text)}
    pairs = {a + b for run in re.findall(f"[{CJK}]+", text) for a, b in itertools.pairwise(run)}
    return latin | pairs


def unrelated(sentences: Sequence[str], sample: Sample) -> list[str]:
    """Return the sentences that share no content word with the sample, nor hold an answer."""
    about = _content(" ".join([sample.input, *answer_texts(sample)]))
    answers = answer_texts(sample)
    return [one for one in sentences if not _content(one) & about and not occurrences(one, answers)]


@dataclass(frozen=True)
class IrrelevantSentence:
    """Puts a true sentence that has nothing to do with it before the question.

    The sentences hold no numbers; one that shares a content word with the sample is not used.
    """

    name: ClassVar[str] = "irrelevant_sentence"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = SPOKEN

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample with one more sentence in its input."""
        if not speaks(self.languages, sample.language) or not sample.input.strip():
            return unchanged(sample, self.name)
        fitting = unrelated(IRRELEVANT[base_language(sample.language)], sample)
        if not fitting:
            return unchanged(sample, self.name)
        return _before_question(sample, rng.choice(fitting), self.name)


@dataclass(frozen=True)
class Injection:
    """Puts an order that nobody gave before the question, as text from elsewhere may hold one.

    The right answer stays what it was: who obeys the order is wrong.
    """

    name: ClassVar[str] = "injection"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = SPOKEN

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample with a stray order in its input."""
        if not speaks(self.languages, sample.language) or not sample.input.strip():
            return unchanged(sample, self.name)
        answers = answer_texts(sample)
        orders = ORDERS[base_language(sample.language)]
        fitting = [order for order in orders if not occurrences(order, answers)]
        if not fitting:
            return unchanged(sample, self.name)
        return _before_question(sample, rng.choice(fitting), self.name)
