"""What a board's numbers cannot be, and what two models' answers cannot share: pure checks.

Who calls them reads the runs. An `error` breaks the board; a `note` only keeps a row from counting
as verified.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, NamedTuple

from msgspec import Struct

from harness.records import Cell

Evidence = Literal["self-reported", "recomputed", "verified"]
"""What stands behind a row: somebody's word; its cells made again from the stored scores of the
samples; those scores made again from the stored answers too, with today's definitions and data."""
Kind = Literal[
    "missing", "unreadable", "hash", "count", "impossible", "cells", "scores", "data", "duplicate"
]
Measures = Mapping[str, Literal["proportion", "share", "other"]]
"""Metric → what its values can be: k of n, any share in 0…1, or any number."""

TOLERANCE = 1e-6
"""Relative difference of a number made again that is rounding."""
FEWEST_WRONG = 10
"""Two models that answer alike throughout are suspect from so many wrong answers on."""
FEWEST_KINDS = 5
"""… of so many kinds: where every wrong answer is the same letter, chance may make them agree."""
NEARLY = 0.9
"""Share of one model's mistakes that another makes in the same words, to be told."""
COUNTS = ("n", "errors", "unparsed", "unjudged")
NUMBERS = ("value", "low", "high")


class Finding(Struct, frozen=True):
    """One thing that is not as it should be."""

    run: str
    kind: Kind
    problem: str
    severity: Literal["error", "note"] = "error"

    def __str__(self) -> str:
        """The whole finding in one line."""
        return f"{self.severity}: {self.run}: {self.kind}: {self.problem}"


class Checked(Struct, frozen=True):
    """One row of the board, checked."""

    run: str
    model: str
    evidence: Evidence
    cells: int
    samples: int


class Report(Struct, frozen=True):
    """A checked board."""

    rows: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def name_of(cell: Cell) -> str:
    """Return what tells a cell from the others of its run.

    An arm, variant or estimate stands in it only where it is not the usual one.
    """
    parts = [cell.task, cell.metric] + [cell.estimate] * (cell.estimate != "raw")
    parts += [cell.arm] * (cell.arm != "default") + [cell.variant] * (cell.variant != "original")
    return " ".join([*parts, *([cell.slice] if cell.slice else [])])


def impossible(run: str, cells: Sequence[Cell], measures: Measures) -> Iterator[Finding]:
    """Yield a finding for each number that no samples could have given."""
    seen: set[str] = set()
    for cell in cells:
        name = name_of(cell)
        if name in seen:
            yield Finding(run, "impossible", f"{name}: stands twice")
        seen.add(name)
        for problem in _problems(cell, measures.get(cell.metric, "other")):
            yield Finding(run, "impossible", f"{name}: {problem}")


def _problems(cell: Cell, measure: str) -> Iterator[str]:
    numbers = {name: getattr(cell, name) for name in (*NUMBERS, "bound_low", "bound_high")}
    strange = [name for name, number in numbers.items() if not math.isfinite(number or 0.0)]
    strange += [name for name in COUNTS if getattr(cell, name) < 0]
    yield from (f"{name} is {getattr(cell, name)}" for name in strange)
    for low, high in (("low", "high"), ("bound_low", "bound_high")):
        if _above(numbers[low], numbers[high]):
            yield f"{low} {numbers[low]} is above {high} {numbers[high]}"
    if cell.value is not None and not cell.n and cell.method != "none":  # "none": only reported
        yield f"value {cell.value} of no sample"
    # a metric of another group may have no value for some of the samples that are counted here
    if cell.group == "accuracy" and cell.unparsed > cell.n + cell.unjudged:
        yield f"{cell.unparsed} unparsed of {cell.n}"
    if not 0 < cell.confidence < 1:
        yield f"confidence {cell.confidence}"
    if cell.value is not None and math.isfinite(cell.value) and measure != "other":
        yield from _share_problems(cell, cell.value, measure)


def _above(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low > high + TOLERANCE


def _share_problems(cell: Cell, value: float, measure: str) -> Iterator[str]:
    least = -1.0 if cell.variant == "mean_drop" else 0.0
    if not least <= value <= 1:
        yield f"value {value} outside {least:g} to 1"
        return
    if measure != "proportion" or cell.variant == "mean_drop" or not cell.n:
        return
    # the GRIM test (Brown & Heathers 2017, Soc. Psychol. Pers. Sci. 8:363)
    right = value * cell.n
    if cell.estimate == "raw" and abs(right - round(right)) > TOLERANCE * max(cell.n, 1):
        yield f"value {value} is no whole number of {cell.n} samples"


def unequal(run: str, stored: Sequence[Cell], again: Sequence[Cell]) -> Iterator[Finding]:
    """Yield a finding for each cell that its samples do not give.

    Cells without a value and without samples say only why there is no number, and are passed over.
    """
    made = {name_of(cell): cell for cell in again}
    for cell in stored:
        name = name_of(cell)
        other = made.pop(name, None)
        if other is None:
            if cell.value is not None:
                yield Finding(run, "cells", f"{name}: {cell.value} comes from no sample")
        else:
            yield from (Finding(run, "cells", f"{name}: {text}") for text in _differs(cell, other))
    for name, cell in made.items():
        if cell.value is not None:
            yield Finding(run, "cells", f"{name}: {cell.value} from the samples, but not stored")


def _differs(stored: Cell, again: Cell) -> Iterator[str]:
    for name in (*NUMBERS, *COUNTS):
        then, now = getattr(stored, name), getattr(again, name)
        if then is None or now is None:
            same = then is now
        else:
            same = math.isclose(then, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        if not same:
            yield f"{name} {then} stored, {now} from the samples"


@dataclass(slots=True)
class Answers:
    """What one model answered to one task, sample by sample."""

    run: str
    model: str
    task: str
    given: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Sample → what it said, and whether that was wrong."""

    def add(self, sample: str, said: str, *, wrong: bool) -> None:
        """Take one answer."""
        self.given[sample] = (said, wrong)


def duplicated(answers: Iterable[Answers]) -> Iterator[Finding]:
    """Yield a finding for two models that made the same mistakes in the same words.

    Right answers may agree; many different wrong ones that all agree were copied (an error). Where
    nearly all agree one may be a slight change of the other, or a copy that hides it (a note).
    """
    by_task: dict[str, list[Answers]] = {}
    for one in answers:
        by_task.setdefault(one.task, []).append(one)
    for task, all_of in by_task.items():
        for one, other in combinations(all_of, 2):
            if one.model != other.model and (found := _copied(one, other)):
                yield _duplicate(task, one, other, found)


class _Copied(NamedTuple):
    wrong: int
    """Mistakes of the one."""
    alike: int
    """Those that the other made in the same words."""
    whole: bool
    """Whether all answers are the same, right ones too."""


def _duplicate(task: str, one: Answers, other: Answers, found: _Copied) -> Finding:
    who = f"{task}: {one.model} and {other.model} (run {other.run})"
    if found.whole:
        text = f"{who} gave the same answers, {found.wrong} wrong ones among them"
        return Finding(one.run, "duplicate", text)
    text = f"{who} made {found.alike} of {found.wrong} mistakes in the same words"
    return Finding(one.run, "duplicate", text, "note")


def _copied(one: Answers, other: Answers) -> _Copied | None:
    """Return how alike two models' mistakes are; None where that is no sign of copying."""
    shared = one.given.keys() & other.given.keys()
    wrong = [sample for sample in shared if one.given[sample][1]]
    alike = [s for s in wrong if one.given[s][0] == other.given[s][0]]
    if len(alike) < FEWEST_WRONG or len({one.given[s][0] for s in alike}) < FEWEST_KINDS:
        return None
    if all(one.given[sample][0] == other.given[sample][0] for sample in shared):
        return _Copied(len(wrong), len(alike), whole=True)
    if len(alike) < NEARLY * len(wrong):
        return None
    return _Copied(len(wrong), len(alike), whole=False)
