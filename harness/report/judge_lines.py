"""One judge on one task of one run: its verdicts, its score, and how far that can be relied on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from harness.records import Cell
from harness.report.judge_tally import JUDGED, JudgeTally
from harness.report.mark import Frame, Mark, link, mark
from harness.report.marks import Scale
from harness.report.model import RunData
from harness.report.numbers import number
from harness.report.survey import RunSurvey, primaries

UNRELIABLE = 0.02
"""Share of missing verdicts above which a judged score is not to be relied on."""
NO_MARK = Mark("", "")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One judge on one task, arm and variant of one run."""

    model: str
    run: RunData
    task: str
    where: str
    """Arm and variant where they are not the usual ones."""
    tally: JudgeTally
    cells: Mapping[str, Cell]
    """The judged cell by estimate; empty where the run has none."""
    itself: bool = False
    """The model judged its own answers."""
    first: bool = True
    """The judged score is the task's first: a sample without a verdict then has no score at all."""

    @property
    def name(self) -> str:
        """The system: its model, and what is unusual about how it was asked."""
        return f"{self.model} · {self.where}" if self.where else self.model

    @property
    def score(self) -> Mark:
        """The raw score."""
        return self.mark("raw")

    @property
    def href(self) -> str:
        """Where its samples are."""
        return link("run", run=self.run.name, task=self.task)

    @property
    def failed(self) -> str | None:
        """Where its samples without a verdict are; None where they keep the scores of programs."""
        if not self.first:
            return None
        return link("run", run=self.run.name, task=self.task, show="failed")

    @property
    def share(self) -> float:
        """Share of the asked-for verdicts that are missing."""
        return self.tally.missing / self.tally.asked if self.tally.asked else 0.0

    @property
    def unreliable(self) -> bool:
        """Whether too many verdicts are missing."""
        return self.share > UNRELIABLE

    @property
    def bounds(self) -> str:
        """The score if everything missing were 0, and if it were 1."""
        cell = self.cells.get("raw")
        if cell is None or cell.bound_low is None or cell.bound_high is None:
            return ""
        if not cell.errors + cell.unjudged:
            return ""
        return f"{number(cell.bound_low)} … {number(cell.bound_high)}"

    @property
    def shift(self) -> float | None:
        """How far PPI++ moved the score; None where it was not corrected."""
        raw, true = self.cells.get("raw"), self.cells.get("ppi++")
        if raw is None or true is None or raw.value is None or true.value is None:
            return None
        return true.value - raw.value

    def mark(self, estimate: str) -> Mark:
        """Return how one estimate of the score is shown."""
        cell = self.cells.get(estimate)
        if cell is None:
            return NO_MARK
        return mark(msgspec.structs.asdict(cell), Frame(Scale(0.0, 1.0), better=None), self.href)


def lines_of(name: str, run: RunData, judge: Json, survey: RunSurvey) -> list[VerdictLine]:
    """Return the lines of one judge in one run, by task."""
    found = []
    primary = primaries(run)
    metric = str(judge.get("metric") or JUDGED)
    recorded = {(one["task"], one["arm"], one["variant"]): one for one in judge.get("scores") or ()}
    for (who, task, arm, variant), counted in survey.judges.items():
        if who != name or not (counted.asked or counted.decided):
            continue
        tally = _told(counted, recorded.get((task, arm, variant)))
        place = (task, arm, variant, metric, None)
        own = [cell for cell in run.cells if _place(cell) == place]
        cells: dict[str, Cell] = {cell.estimate: cell for cell in reversed(own)}
        usual = ((arm, "default"), (variant, "original"))
        where = " · ".join(part for part, common in usual if part != common)
        itself = judge.get("judges_itself") is True
        first = primary.get(task) == metric
        found.append(VerdictLine(run.model, run, task, where, tally, cells, itself, first))
    return sorted(found, key=lambda line: (line.task, line.where))


def _told(tally: JudgeTally, recorded: Json | None) -> JudgeTally:
    """Return a tally; that of a copy that keeps no verdicts is made of the run's record."""
    if tally.asked or not recorded or not recorded["asked"]:
        return tally
    given = recorded["asked"] - recorded["missing"]
    decided = max(recorded["n"] - given, 0)
    return replace(tally, given=given, missing=recorded["missing"], decided=decided)


def _place(cell: Cell) -> tuple[str, str, str, str, str | None]:
    return (cell.task, cell.arm, cell.variant, cell.metric, cell.slice)


def by_task(lines: Sequence[VerdictLine]) -> dict[str, list[VerdictLine]]:
    """Return lines by task, in order."""
    found: dict[str, list[VerdictLine]] = {}
    for line in lines:
        found.setdefault(line.task, []).append(line)
    return found
