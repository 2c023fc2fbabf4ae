"""Perturbations of order: the same options, the same solved examples, in another sequence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

from msgspec.structs import replace

from harness.identity import CounterRandom
from harness.perturb.edit import Edit, rewritten, unchanged
from harness.records import Sample
from harness.text.options import index, letter

T = TypeVar("T")

LABEL = re.compile(r"[(（\[【]?([A-Za-z甲乙丙丁戊己庚辛壬癸①-⑩])[)）\]】.．:：、]?")
"""How an option is named where not by its text."""

LISTED = r"(?:^|(?<=\s)|(?<=[;；,，]))[(（\[【]?(?:[A-Za-z甲乙丙丁戊己庚辛壬癸①-⑩]|\d{1,2})"
LISTED += r"[)）\]】.．:：、]\s*"
"""The label before an option that is listed in the input, as the head of a pattern."""

BOUND = re.compile(
    r"\b(?:above|below|preceding|following|all of (?:these|them)|none of (?:these|them)|both|neither"
    r"|[a-d] (?:and|or|&) [a-d])\b|以上|上述|以下|前者|后者|都对|都不对|都错|[A-D][和与及或、][A-D]",
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
        texts = [choice.text for choice in sample.choices]
        if len(texts) < 2 or any(BOUND.search(text) for text in texts):  # noqa: PLR2004 - a pair
            return unchanged(sample, self.name)
        order = reordered(len(texts), rng)
        edits = _listed(sample.input, texts, order)
        moved = None if edits is None else rewritten(sample, self.name, edits)
        if moved is None or len(moved.spans) != sum(
            sample.input[e.start : e.end] != e.new for e in edits or []
        ):
            return unchanged(sample, self.name)
        where = {old: new for new, old in enumerate(order)}
        return replace(
            moved,
            choices=tuple(sample.choices[old] for old in order),
            gold=None if sample.gold is None else where.get(sample.gold, sample.gold),
            target=tuple(_relabelled(one, texts, where) for one in sample.target),
            oracle=_relabelled(sample.oracle, texts, where),
            wrong=_relabelled(sample.wrong, texts, where),
        )


def _listed(text: str, options: Sequence[str], order: Sequence[int]) -> list[Edit] | None:
    """Return the edits that reorder a list of options in `text`.

    No edits where the options are not listed; None where some are, but not each just once and
    one after the other.
    """
    found: list[tuple[int, int]] = []
    for option in options:
        if not option.strip():
            return None
        pattern = re.compile(
            LISTED + f"({re.escape(option.strip())})" + r"(?=\s|\Z|[.,;；，。])", re.MULTILINE
        )
        found += [match.span(1) for match in pattern.finditer(text)]
    if not found:
        return []
    if len(found) != len(options) or any(
        a[1] > b[0] for a, b in zip(found, found[1:], strict=False)
    ):
        return None
    return [
        Edit(*place, options[old].strip()) for place, old in zip(found, order, strict=True)
    ]


def _relabelled(text: str | None, options: Sequence[str], where: dict[int, int]) -> str | None:
    """Return the label that an option has after the move, where `text` is a label."""
    label = None if text is None or text in options else LABEL.fullmatch(text.strip())
    if text is None or label is None:
        return text
    old = index(label[1])
    if old not in where:
        return text
    new = _same_kind(label[1], where[old])
    return text.replace(label[1], new, 1)


def _same_kind(label: str, new: int) -> str:
    for kinds in ("甲乙丙丁戊己庚辛壬癸", "①②③④⑤⑥⑦⑧⑨⑩"):
        if label in kinds:
            return kinds[new]
    return letter(new).lower() if label.islower() else letter(new)


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
        return replace(
            unchanged(sample, self.name), shots=tuple(sample.shots[i] for i in order)
        )
