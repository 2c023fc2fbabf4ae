"""Scores a stored run again: today's extractors and metrics over yesterday's answers.

Beside `pipeline.py` this is the other composition of stages; it needs no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from harness.correcting import corrected_again
from harness.errors import Incomparable, InvalidFile
from harness.judge.metric import BESIDE, NAME
from harness.judged import told
from harness.prepare import (
    metrics_of,
    overrides_of,
    perturbation_groups,
    scorer,
    slices_of,
    task_hashes,
)
from harness.records import Cell, Outcome, RunSpec, Score
from harness.score.scorer import Scorer
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, read_json, write_json
from harness.store.rewrite import Filled, rewrite_scores
from harness.store.shapes import check_plan
from harness.summary import Reading, summarise
from harness.task.catalogue import Catalogue
from harness.task.effective import effective
from harness.task.spec import TaskSpec

JUDGES_FILL = (NAME, *BESIDE)


@dataclass(frozen=True, slots=True)
class Rescored:
    """What changed."""

    rows: int
    changed: int
    cells: list[Cell]


def rescore(run: Path) -> Rescored:
    """Score the run at `run` with the tasks as they are now, and write its cells anew.

    Raises Incomparable where a task's prompt is no longer the one that was asked.
    """
    spec = read_json(run / SPEC)
    check_plan(run / SPEC, spec)
    if not (run / RUN).exists():
        raise InvalidFile("the run was interrupted; run it again first", path=run / RUN)
    record = read_json(run / RUN)
    tasks = {name: _same_task(name, spec) for name in spec["tasks"]}
    metrics = {
        name: metrics_of(
            task,
            judged=_judge_hash(spec, name) is not None,
            beside=_beside(record.get("judges") or {}, name),
        )
        for name, task in tasks.items()
    }
    scorers: dict[tuple[str, str], Scorer] = {}

    def score(outcome: Outcome) -> Score:
        key = (outcome.sample.task, outcome.sample.arm)
        if key not in scorers:
            scorers[key] = scorer(effective(tasks[key[0]], key[1]), metrics[key[0]])
        return scorers[key](outcome)

    methods = {name: (task.method, task.language) for name, task in tasks.items()}
    judged = {
        name: Filled({one.name for one in own} & set(JUDGES_FILL), own[0].name == NAME)
        for name, own in metrics.items()
    }
    written = rewrite_scores(run / SAMPLES, methods, score, judged)
    columns = read_columns(run / SAMPLES)
    readings = []
    for name, task in tasks.items():
        asked = set(columns.variant[columns.task == name]) - {"original"}
        groups = perturbation_groups(asked)
        readings.append(Reading(name, metrics[name], slices_of(task), groups))
    cells, judges = told(run, summarise(columns, readings), record.get("judges") or {})
    cells += _blanks(run, {cell.task for cell in cells})
    write_json(run / SCORES, {"cells": cells})
    cells += corrected_again(run)
    if judges:
        record["judges"] = judges
    record["rescored_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    for name, task in tasks.items():
        record["tasks"].setdefault(name, {}).update(_hashes_now(task, name, spec))
    write_json(run / RUN, record)
    return Rescored(written.rows, written.changed, cells)


def _blanks(run: Path, scored: set[str]) -> list[Cell]:
    """Return the cells of tasks that were skipped or not reached: they stay as they were."""
    before = msgspec.convert(read_json(run / SCORES)["cells"], list[Cell])
    return [cell for cell in before if cell.task not in scored]


def _same_task(name: str, spec: Mapping[str, Any]) -> TaskSpec:
    """Return the task as it is now, if it still asks what was asked."""
    (selected,) = Catalogue().resolve([spec["tasks"][name]["path"] or name])
    task = selected.load()
    now = _hashes_now(task, name, spec)["arms"]
    for arm, then in spec["tasks"][name]["arms"].items():
        if then["prompt"] != now[arm]["prompt"]:
            raise Incomparable(
                f"{name}: its prompt has changed since (then {then['prompt'][:8]}, now "
                f"{now[arm]['prompt'][:8]}); its answers were given to other questions: "
                "run it again"
            )
    return task


def _hashes_now(task: TaskSpec, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    asked = msgspec.convert(spec["spec"], RunSpec)
    arms = list(spec["tasks"][name]["arms"])
    return task_hashes(task, arms, overrides_of(asked), _judge_hash(spec, name))


def _beside(judges: Mapping[str, Any], task: str) -> tuple[str, ...]:
    """Return the metrics that judges beside the task's own filled."""
    found = (judge.get("metric") for judge in judges.values() if task in judge.get("tasks", ()))
    return tuple(metric for metric in found if metric in BESIDE)


def _judge_hash(spec: Mapping[str, Any], name: str) -> str | None:
    """Return the hash of the judge whose verdicts the run holds: they stand as they are."""
    arms = spec["tasks"][name]["arms"].values()
    return next((arm["judge"] for arm in arms if "judge" in arm), None)
