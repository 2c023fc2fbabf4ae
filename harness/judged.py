"""The judges of a run at its samples: what they settle, and how far to believe it.

Beside `judging.py` a composition. `Bench` has every sample judged as it comes in; `told` reads
back from the table of samples what verdicts are missing, and completes the cells.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from harness.identity import content_key
from harness.interact.ask import sample_tag
from harness.judge.item import Item
from harness.judge.metric import NAME, UNRELIABLE, undecided, with_beside, with_verdict
from harness.judge.modes import Judged
from harness.judge.offer import offer
from harness.judge.panel import effective_judges
from harness.judge.spec import JudgeSpec
from harness.judging import Assigned, Crew, Judges
from harness.plugins import load
from harness.protocols import Metric
from harness.records import Cell, ModelSpec, Outcome, Score
from harness.score.scorer import Scorer
from harness.score.written import written
from harness.store.reading import read_rows
from harness.summary import Place, blank

REASONS, REASON = 5, 200
"""Reasons for missing verdicts that are kept for each judge, and characters of one."""


@dataclass
class Bench:
    """Has the samples of a run judged as they come in."""

    judges: Mapping[str, Judges]
    """By task."""
    scorers: Mapping[tuple[str, str], Scorer]
    crew: Crew
    model: ModelSpec
    """Under test."""
    _scores: dict[str, Score] = field(default_factory=dict)
    _tally: dict[str, list[int]] = field(default_factory=dict)
    _votes: dict[str, list[list[float | None]]] = field(default_factory=dict)
    _reasons: dict[str, Counter[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open every judge's model, so that a misspelt one is told before anything is asked."""
        for _, assigned in self._assigned():
            for _, _, model in assigned.seats:
                self.crew.executor(model, assigned.judge.name)

    def _assigned(self) -> Iterator[tuple[str, Assigned]]:
        for task, judges in self.judges.items():
            for assigned in (judges.main, *judges.beside):
                if assigned is not None:
                    yield task, assigned

    async def settle(self, outcome: Outcome) -> None:
        """Score one sample, asking the judge where a program cannot tell, and those beside it."""
        sample = outcome.sample
        judges = self.judges.get(sample.task)
        if judges is None:
            return
        scorer = self.scorers[sample.task, sample.arm]
        primary = scorer.metrics[0].name == NAME
        score = scorer(outcome)
        main = judges.main if undecided(score) else None
        beside = judges.beside if written(outcome, score) else ()
        asked = ([main] if main else []) + [*beside]
        found = await asyncio.gather(
            *(self.crew.judge(one, item_of(outcome, score, one.judge)) for one in asked)
        )
        for assigned, one in zip(asked, found, strict=True):
            self._count(assigned, one)
            score = (
                with_verdict(score, one, primary=primary)
                if assigned is main
                else with_beside(score, assigned.judge.metric, one)
            )
        self._scores[sample_tag(sample)] = score

    def score(self, outcome: Outcome) -> Score:
        """Return the score of a settled sample."""
        sample = outcome.sample
        settled = self._scores.pop(sample_tag(sample), None) if self._scores else None
        return settled or self.scorers[sample.task, sample.arm](outcome)

    def _count(self, assigned: Assigned, found: Judged) -> None:
        name = assigned.judge.name
        tally = self._tally.setdefault(name, [0, 0])
        tally[found.value is None] += 1
        if found.value is None:
            reason = str(found.reason)[:REASON]
            self._reasons.setdefault(name, Counter())[reason] += 1
        if assigned.judge.members:
            seats = [seat for seat, _, _ in assigned.seats]
            votes = self._votes.setdefault(name, [[] for _ in seats])
            given = {verdict.judge: verdict.score for verdict in found.verdicts}
            for column, seat in zip(votes, seats, strict=True):
                column.append(given.get(seat))

    def record(self) -> dict[str, dict[str, Any]]:
        """Return what run.json says of each judge; empty where there are none."""
        out: dict[str, dict[str, Any]] = {}
        for task, assigned in self._assigned():
            name = assigned.judge.name
            if name in out:
                out[name]["tasks"].append(task)
                continue
            given, missing = self._tally.get(name, [0, 0])
            share = missing / (given + missing) if given + missing else 0.0
            out[name] = {
                "hash": assigned.hash,
                "mode": assigned.judge.mode,
                "metric": assigned.judge.metric,
                "tasks": [task],
                "signs": list(assigned.names),
                "models": {seat: self._info(model, name) for seat, _, model in assigned.seats},
                "judged": given,
                "missing": missing,
                "missing_share": share,
                "missing_reasons": dict(self._reasons.get(name, Counter()).most_common(REASONS)),
                "unreliable": share > UNRELIABLE,
                "scale": msgspec.to_builtins(offer(assigned.judge)),
                "judges_itself": any(_same(self.model, m) for _, _, m in assigned.seats),
                "usage": msgspec.to_builtins(self.crew.spent(name)),
            }
            if self.crew.without_schema[name]:
                out[name]["without_schema"] = self.crew.without_schema[name]
            if name in self._votes:
                out[name]["effective_judges"] = effective_judges(self._votes[name])
        return out

    def _info(self, model: ModelSpec, judge: str) -> Any:
        return msgspec.to_builtins(self.crew.executor(model, judge)[0].info)


def _same(one: ModelSpec, other: ModelSpec) -> bool:
    addresses = {(model.base_url or "").rstrip("/") for model in (one, other)}
    return one.label == other.label and len(addresses) == 1


def item_of(outcome: Outcome, score: Score, spec: JudgeSpec) -> Item:
    """Return what a judge is shown of a sample: only the extracted answer of what was said.

    A pairwise judge compares it with the first accepted answer. A judge of another metric is
    shown the whole text without its reasoning, and no accepted answer.
    """
    sample = outcome.sample
    whole = spec.metric != NAME
    paired = spec.mode == "pairwise" and bool(sample.target)
    return Item(
        question=sample.input,
        answer=(written(outcome, score) if whole else score.answer) or "",
        reference=() if whole else sample.target,
        other=sample.target[0] if paired else None,
        context=str(sample.fields.get("context", "")),
        language=sample.language,
        key=content_key(sample_tag(sample)),
    )


# ---- what is missing ------------------------------------------------------------------------


class Reliability(msgspec.Struct, frozen=True):
    """How far missing verdicts leave one judged score open: `judges.<name>.scores` of run.json."""

    task: str
    arm: str
    variant: str
    metric: str
    n: int
    asked: int
    """Samples that were put to the judge; a program decided the others."""
    missing: int
    """Of those, the samples that it gave no verdict on."""
    missing_share: float
    coverage: float
    """n of the samples planned."""
    value: float | None
    bound_low: float | None
    """The score if all that is missing were 0: Σs / (n + missing)."""
    bound_high: float | None
    """The score if all that is missing were 1."""
    unreliable: bool
    """More than 2 % of what was asked is missing."""


_Key = tuple[str, str, str, str]
"""Judge, task, arm, variant."""


def told(
    run: Path, cells: Sequence[Cell], judges: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Cell], dict[str, Any]]:
    """Return the cells with the verdicts that judges left out, and the judges with their `scores`.

    Both are read from the table of samples, so that a rescored run tells the same.
    """
    counts = _counted(run, judges) if judges else {}
    made = list(cells)
    out = {name: {**judge, "scores": []} for name, judge in judges.items()}
    for (name, *place), (asked, missing) in counts.items():
        metric: Metric = load("metric", judges[name].get("metric", NAME))
        task, arm, variant = place
        here = [
            position
            for position, cell in enumerate(made)
            if (cell.task, cell.arm, cell.variant, cell.metric, cell.slice, cell.estimate)
            == (task, arm, variant, metric.name, None, "raw")
        ]
        if not here:
            reason = "the judge gave no verdict"
            made.append(blank(Place(task, arm, variant), metric, reason))
            here = [len(made) - 1]
        made[here[0]] = _completed(made[here[0]], missing)
        out[name]["scores"].append(_reliability(made[here[0]], asked, missing))
    return made, out


def _counted(run: Path, judges: Mapping[str, Mapping[str, Any]]) -> dict[_Key, tuple[int, int]]:
    """Return how many samples each judge was asked, and how many verdicts are missing."""
    counts: dict[_Key, list[int]] = {}
    columns = ["task", "arm", "variant", "status", "scores", "verdicts.list.element.judge"]
    for row in read_rows(run, columns):
        signed = {verdict["judge"] for verdict in row["verdicts"] or ()}
        scores = dict(row["scores"] or ())
        for name, judge in judges.items():
            if row["task"] not in judge.get("tasks", (row["task"],)) or row["status"] == "error":
                continue
            mine = bool(signed.intersection(judge.get("signs") or (name, *judge["models"])))
            metric = judge.get("metric", NAME)
            lost = row["status"] == "unjudged" and metric == NAME and "tasks" in judge
            if not (mine or lost):
                continue
            tally = counts.setdefault((name, row["task"], row["arm"], row["variant"]), [0, 0])
            tally[0] += 1
            tally[1] += metric not in scores
    return {key: (asked, missing) for key, (asked, missing) in counts.items()}


def _completed(cell: Cell, missing: int) -> Cell:
    """Return a judged cell with the verdicts that are missing, as unjudged, and its bounds.

    Where another metric comes first, or the judge's is beside it, their samples are no unjudged
    ones.
    """
    failed = cell.errors + missing
    planned = cell.n + failed
    known = (cell.value or 0.0) * cell.n
    low, high = (known / planned, (known + failed) / planned) if planned else (None, None)
    return _replace(cell, unjudged=missing, bound_low=low, bound_high=high)


def _reliability(cell: Cell, asked: int, missing: int) -> Reliability:
    planned = cell.n + cell.errors + cell.unjudged
    return Reliability(
        task=cell.task,
        arm=cell.arm,
        variant=cell.variant,
        metric=cell.metric,
        n=cell.n,
        asked=asked,
        missing=missing,
        missing_share=missing / asked if asked else 0.0,
        coverage=cell.n / planned if planned else 0.0,
        value=cell.value,
        bound_low=cell.bound_low,
        bound_high=cell.bound_high,
        unreliable=missing > UNRELIABLE * asked,
    )


def _replace(cell: Cell, **changes: Any) -> Cell:
    return msgspec.structs.replace(cell, **changes)
