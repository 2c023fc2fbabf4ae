"""One reading of the samples: everything that pages show of them beside the samples themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.report.blocks import Packer, mistake, turns
from harness.report.copies import Copies, Drop
from harness.report.cost_tally import CostTally
from harness.report.judge_tally import JudgeTallies, JudgeTally, Place, label_key
from harness.report.model import RunData

CHANGED_KEPT = 2
"""Perturbed inputs shown for each variant of a task."""
ACROSS = ("worst", "mean_drop")
"""Variants that stand for all copies of a group."""
WRONG_KEPT = 40
"""Wrong samples from which the chance of each class of mistake is found: rows come at random."""


@dataclass(slots=True)
class TaskSurvey:
    """What the samples of one task in one run say."""

    example: dict[str, Any] | None = None
    """A row's turns as sent, its target."""
    changed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By variant: inputs with the spans that were changed."""
    pairs: dict[str, list[float]] = field(default_factory=dict)
    """By epoch and cluster: the primary scores of its unperturbed samples."""
    mistakes: Counter[str] = field(default_factory=Counter)
    """By class: unperturbed samples that were wrong in this way."""
    wrong: list[tuple[str, str]] = field(default_factory=list)
    """(target, fields as JSON) of the first of those samples."""
    drops: list[Drop] = field(default_factory=list)
    """What each perturbation costs, in pairs."""
    sure: list[tuple[float, float]] = field(default_factory=list)
    """(confidence, primary score) of the unperturbed samples."""

    @property
    def both_one_none(self) -> tuple[int, int, int] | None:
        """How many pairs have both twins right, one, none; None where samples are not pairs."""
        pairs = [scores for scores in self.pairs.values() if len(scores) == 2]  # noqa: PLR2004
        if not pairs or len(pairs) < len(self.pairs) / 2:
            return None
        right = [sum(score >= 1 for score in scores) for scores in pairs]
        return right.count(2), right.count(1), right.count(0)


@dataclass(slots=True)
class RunSurvey:
    """What the samples of one run say, and the samples packed."""

    rows: int = 0
    tasks: dict[str, TaskSurvey] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    """How many samples are right, part, wrong, ok (no share of right), unparsed, failed."""
    judges: dict[Place, JudgeTally] = field(default_factory=dict)
    """By judge, task, arm and variant."""
    costs: dict[str, CostTally] = field(default_factory=dict)
    """By task."""
    packed: int = 0
    """Samples that the page holds."""
    index: str = ""
    blocks: list[str] = field(default_factory=list)


def primaries(run: RunData) -> dict[str, str]:
    """Return each task's primary metric: that of its first cell."""
    found: dict[str, str] = {}
    for cell in run.cells:
        found.setdefault(cell.task, cell.metric)
    return found


def survey(run: RunData, tasks: list[str], most: int | None = None) -> RunSurvey:
    """Read a run's samples once. `tasks` gives the positions that the index uses.

    All samples are counted; of each task and copy at most `most` are packed.
    """
    found = RunSurvey()
    primary = primaries(run)
    packer = Packer(tasks, primary, most)
    judges = JudgeTallies(run)
    arms = {cell.task: cell.arm for cell in reversed(run.cells)}
    copies = {cell.task: Copies() for cell in run.cells if cell.variant != "original"}
    for row in run.samples():
        if run.labels:
            row["label"] = run.labels.get(label_key(row))
        packer.add(row)
        metric = primary.get(row["task"], "")
        score = dict(row["scores"] or ()).get(metric)
        found.rows += 1
        found.statuses[row["status"]] = found.statuses.get(row["status"], 0) + 1
        found.kinds[kind_of(row["status"], score)] += 1
        if row["task"] not in found.costs:
            found.costs[row["task"]] = CostTally()
        found.costs[row["task"]].see(row, score)
        judges.see(row)
        if row["task"] in copies:
            copies[row["task"]].see(row, score)
        task = found.tasks.setdefault(row["task"], TaskSurvey())
        if row["arm"] == arms.get(row["task"], row["arm"]):
            _look(task, row, score)
    found.judges = judges.places
    for name, both in copies.items():
        if name in found.tasks:
            found.tasks[name].drops = both.drops(arms[name])
    found.packed = found.rows - packer.left
    found.index = packer.close()
    found.blocks = packer.blocks
    return found


def kind_of(status: str, score: float | None) -> str:
    """Return what became of a sample, by the rule of the page's script (`kindOf` in data.js).

    >>> kind_of("ok", 1.0), kind_of("ok", 0.5), kind_of("ok", 0.0), kind_of("ok", 3.2)
    ('right', 'part', 'wrong', 'ok')
    """
    if status != "ok":
        return "failed" if status in ("error", "unjudged") else status
    if score is None or not 0 <= score <= 1:
        return "ok"
    return "right" if score >= 1 else "part" if score >= HALF else "wrong"


HALF = 0.5
"""From here on an answer that is not right is partly right."""


def _look(task: TaskSurvey, row: Mapping[str, Any], score: float | None) -> None:
    """Take one row of the task's first arm, and its primary score."""
    if row["variant"] != "original":
        kept = task.changed.setdefault(row["variant"], [])
        if row["spans"] and len(kept) < CHANGED_KEPT:
            kept.append({"input": row["input"], "spans": row["spans"]})
        return
    if task.example is None and row["transcript"]:
        sent, _ = turns(row)
        task.example = {"sent": sent, "target": row["target"], "choices": _options(row)}
    if score is None:
        return
    if score < 1 and mistake(row):
        task.mistakes[mistake(row)] += 1
        if len(task.wrong) < WRONG_KEPT and row["target"]:
            task.wrong.append((row["target"][0], row.get("fields") or "{}"))
    if row["cluster"]:
        task.pairs.setdefault(f"{row['epoch']} {row['cluster']}", []).append(score)
    if row["confidence"] is not None:
        task.sure.append((row["confidence"], score))


def _options(row: Mapping[str, Any]) -> list[str]:
    if row["choices"]:
        return [choice["text"] for choice in row["choices"]]
    return []
