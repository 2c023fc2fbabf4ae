"""Perturbations of order: the same options, the same solved examples, in another sequence."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from msgspec.structs import replace

from harness.identity import CounterRandom
from harness.perturb.edit import Edit, rewritten, unchanged
from harness.records import Sample
from harness.text.options import CIRCLED, LETTERS, STEMS, index

LABEL = re.compile(r"[(（\[【]?([A-Za-z甲乙丙丁戊己庚辛壬癸①-⑩])[)）\]】.．:：、]?")
"""How an option is named where not by its text."""

HEAD = r"[(（\[【]?(?:[A-Za-z甲乙丙丁戊己庚辛壬癸①-⑩]|\d{1,2})[)）\]】.．:：、]\s*"
"""The label before an option that is listed in a text."""

MENTION = re.compile(r"(?<![A-Za-z])[A-H](?![A-Za-z])|[甲乙丙丁①-⑩]")
"""What may be the name of an option inside a longer text."""

BOUND = re.compile(
    r"\b(?:above|below|preceding|following|(?:all|none) of (?:these|them)|both|neither"
    r"|[a-d] (?:and|or|&) [a-d])\b"
    r"|以上|上述|以下|前者|后者|都对|都不对|都错|[A-D][和与及或、][A-D]",
    re.IGNORECASE,
)
"""Options that speak of others by their place; moving them would change what is right."""


def reordered(count: int, rng: CounterRandom) -> list[int]:
    """Return an order of `count` >= 2 positions that is not the old one, each equally likely."""
    old = list(range(count))
    while True:
        new = rng.shuffled(old)
        if new != old:
            return new


@dataclass(frozen=True)
class OptionOrder:
    """Lists the options in another order; the gold index goes with its option.

    Where the input itself lists the options under letters or numbers, their texts are moved there
    too and the labels stay. A target that names the gold option by its letter follows it. Left
    alone: options that speak of others ("all of the above"), and lists that cannot be told apart.
    """

    name: ClassVar[str] = "option_order"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["choices"]] = "choices"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample with its options in another order."""
        texts = [choice.text.strip() for choice in sample.choices]
        if not _movable(sample, texts):
            return unchanged(sample, self.name)
        listed = _listing(sample.input, texts)
        if listed is None:
            return unchanged(sample, self.name)
        order = reordered(len(texts), rng)
        edits = [
            Edit(*place, texts[old])
            for place, old in zip(listed, order, strict=False)
            if sample.input[slice(*place)] != texts[old]
        ]
        moved = rewritten(sample, self.name, edits)
        if len(moved.spans) != len(edits):  # a protected option: all or none
            return unchanged(sample, self.name)
        where = {old: new for new, old in enumerate(order)}
        gold = sample.gold
        return replace(
            moved,
            choices=tuple(moved.choices[old] for old in order),
            gold=None if gold is None else where.get(gold, gold),
            target=tuple(_relabelled(one, texts, where) for one in sample.target),
            oracle=sample.oracle and _relabelled(sample.oracle, texts, where),
            wrong=sample.wrong and _relabelled(sample.wrong, texts, where),
        )


def _movable(sample: Sample, options: Sequence[str]) -> bool:
    """Whether options can change places without a change of the answer."""
    if not 1 < len(options) <= len(STEMS) or any(BOUND.search(text) for text in options):
        return False
    said = [sample.system or "", *(m.content for m in sample.messages if m.content != sample.input)]
    if any(_listing(text, options) != [] for text in said):
        return False
    answers = [*sample.target, sample.oracle or "", sample.wrong or ""]
    return all(
        text.strip() in options or LABEL.fullmatch(text.strip()) or not MENTION.search(text)
        for text in answers
    )


def _listing(text: str, options: Sequence[str]) -> list[tuple[int, int]] | None:
    """Return where `text` lists each of `options` behind a label, in order.

    Empty where it lists none; None where some are listed, but not each just once and one after
    the other, or where an option is blank.
    """
    found: list[tuple[int, int]] = []
    for option in options:
        if not option:
            return None
        start = r"(?:^|(?<=[\s;；,，?？:：。]))"
        end = rf"(?=[.。?？]?\s*$|[;；,，.。]?\s*{HEAD})"
        pattern = re.compile(f"{start}{HEAD}({re.escape(option)}){end}", re.MULTILINE)
        found += [match.span(1) for match in pattern.finditer(text)]
    apart = all(a[1] <= b[0] for a, b in itertools.pairwise(found))
    return found if apart and len(found) in (0, len(options)) else None


def _relabelled(text: str, options: Sequence[str], where: dict[int, int]) -> str:
    """Return the label that an option has after the move, where `text` is a label."""
    label = None if text.strip() in options else LABEL.fullmatch(text.strip())
    if label is None or index(label[1]) not in where:
        return text
    return text.replace(label[1], _same_kind(label[1], where[index(label[1])]), 1)


def _same_kind(label: str, new: int) -> str:
    """Return the label of option `new` in the series that `label` belongs to."""
    series = next(s for s in (LETTERS, LETTERS.lower(), STEMS, CIRCLED) if label in s)
    return series[new]


@dataclass(frozen=True)
class ShotOrder:
    """Gives the few-shot examples in another order."""

    name: ClassVar[str] = "shot_order"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["shots"]] = "shots"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample with its examples in another order."""
        if len(sample.shots) < 2:  # noqa: PLR2004 - one example has one order
            return unchanged(sample, self.name)
        order = reordered(len(sample.shots), rng)
        return replace(unchanged(sample, self.name), shots=tuple(sample.shots[i] for i in order))
