"""A judge put to labelled items, and what came of it. Beside `judging.py` a composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from harness.errors import InvalidFile, UsageError
from harness.hearing import Case, Estimate, Hearing, estimate
from harness.identity import permutation
from harness.judge.calibrate import Calibration, calibration
from harness.judge.item import Item
from harness.judge.labels import OWN, Labelled, read_labels
from harness.judge.scale import scale_of, value_of
from harness.judge.scripted import by_reference
from harness.judge.spec import JudgeSpec
from harness.judging import Assigned, judge_roots

SHIPPED = "bundled"


def bundled_labels(assigned: Assigned) -> list[Labelled]:
    """Return the labelled items that ship for graded short answers, both languages.

    Raises UsageError for a judge on another scale.
    """
    found: list[Labelled] = []
    try:
        for root in judge_roots():
            for path in sorted((root / "labelled").glob("*.jsonl")):
                found += read_labels(path, assigned.judge)
    except InvalidFile:
        found = []
    if not found:
        wanted = scale_of(assigned.judge).labels
        raise UsageError(
            f"judge {assigned.judge.name}: the labels that ship are grades of short answers; "
            f"give --labels FILE with labels on this judge's scale: {wanted}"
        )
    return found


def labels_from(assigned: Assigned, source: str, form: str, system: str = "") -> list[Labelled]:
    """Return the labels of a file; `bundled` names those that ship."""
    if source == SHIPPED:
        if form != OWN or system:
            raise UsageError("--form and --system describe a file: name it with --labels FILE")
        return bundled_labels(assigned)
    return read_labels(Path(source), assigned.judge, form, system)


@dataclass
class Calibrating:
    """One calibration: labels, or some of them drawn at random, before one judge."""

    hearing: Hearing
    labelled: Sequence[Labelled]
    limit: int | None = None

    def __post_init__(self) -> None:
        """Draw the labels, and tell scripted judges what the answers are worth."""
        order = permutation(0, [one.item.key for one in self.labelled])
        self.drawn = [self.labelled[k] for k in sorted(order[: self.limit])]
        self.worths = {
            one.item.key: _worths(self.hearing.assigned.judge, one) for one in self.drawn
        }
        self.hearing.crew.truth = self._truth

    def _truth(self, item: Item, answer: str) -> float:
        known = self.worths.get(item.key.split("#")[0], {})
        return known.get(answer, by_reference(item, answer))

    def _cases(self) -> list[Case]:
        return [Case(self.hearing.assigned.judge, one.item) for one in self.drawn]

    def estimate(self) -> Estimate:
        """Return what would be asked; nothing is sent."""
        return estimate(self.hearing.assigned, self.hearing.crew, self._cases())

    async def go(self) -> Calibration:
        """Judge the labelled items and return the agreement, over those that were reached."""
        found = await self.hearing.hear(self._cases())
        reached = [(a, b) for a, b in zip(self.drawn, found, strict=True) if b is not None]
        labels, judged = [a for a, _ in reached], [b for _, b in reached]
        spec = self.hearing.assigned.judge
        made = calibration(spec, labels, judged)
        if not self.hearing.samples_levels():
            return made
        told = f"no log-likelihoods: each level is the mean of {spec.file.samples} sampled replies"
        return replace(made, warnings=(*made.warnings, told))


def _worths(spec: JudgeSpec, one: Labelled) -> dict[str, float]:
    """Return what an item's answers are worth by its label."""
    value = value_of(spec, one.label)
    scale = scale_of(spec)
    if one.item.other is not None:
        return {one.item.answer: value, one.item.other: 1 - value}
    worst = [name for name in scale.verdicts if value_of(spec, name) == 0]
    if scale.kind == "grades" and len(worst) > 1 and one.label == worst[-1]:
        value = -1.0
    return {one.item.answer: value}
