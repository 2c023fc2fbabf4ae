"""What a run's samples say, for `harness board check`: turns, questions, answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np

from harness.board.check import Answers, Finding, Kind
from harness.cli.board_folder import Found
from harness.errors import HarnessError
from harness.identity import canonical_json, content_key
from harness.plugins import load
from harness.prepare import overrides_of
from harness.records import Cell, RunSpec, ScoreColumns
from harness.store.reading import read_rows
from harness.task.catalogue import Catalogue
from harness.task.render import Renderer
from harness.task.rows import read_rows as task_rows
from harness.task.spec import TaskSpec, data_kind

FEWEST_SHOWN = 5
"""Samples that a finding names."""
_ANSWERS = (
    "task", "sample_id", "epoch", "arm", "variant", "status", "output", "choices", "scores",
)  # fmt: skip
_QUESTIONS = (
    "task", "sample_id", "arm", "variant", "input", "target", "gold", "cluster", "slices",
)  # fmt: skip
_SUMMED = ("prompt_tokens", "completion_tokens", "latency_s")
_TURNS = ("sample_id", "output", "choices", "error", "transcript", *_SUMMED)


@dataclass(slots=True)
class Run:
    """A run under check."""

    place: Found
    findings: list[Finding] = field(default_factory=list)
    model: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    columns: ScoreColumns | None = None
    blessed: bool = False
    """A recorded baseline: it keeps scores, and no questions and transcripts."""

    def find(self, kind: Kind, problem: str) -> None:
        """Note what breaks the board."""
        self.findings.append(Finding(self.place.name, kind, problem))

    def remark(self, kind: Kind, problem: str) -> None:
        """Note what keeps the run from being verified."""
        self.findings.append(Finding(self.place.name, kind, problem, "note"))

    def broken(self) -> bool:
        """Whether anything found so far is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def turns(run: Run) -> None:
    """Check that outputs, tokens and seconds are those of the recorded conversations."""
    wrong: dict[str, list[str]] = {}
    for row in read_rows(run.place.path, _TURNS):
        for name in _unlike(row):
            wrong.setdefault(name, []).append(row["sample_id"])
    for name, samples in wrong.items():
        shown = ", ".join(samples[:FEWEST_SHOWN])
        run.find("scores", f"{name} of {len(samples)} samples is not their transcript's: {shown}")


def _unlike(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the columns of a row that its transcript does not give."""
    said = [turn for turn in row["transcript"] or () if turn["request_key"] is not None]
    if not said:
        return
    if not row["choices"] and row["error"] is None and row["output"] != said[-1]["content"]:
        yield "output"
    for name in _SUMMED:
        known = [turn[name] for turn in said if turn[name] is not None]
        total = sum(known) if known else None
        if (total is None) != (row[name] is None) or not np.isclose(total or 0, row[name] or 0):
            yield name


def by_own_files(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec whose tasks are looked up by name where the harness knows the name.

    So no run brings the task file along by which it is checked.
    """
    known = set(Catalogue().names())
    tasks = {
        name: {**hashes, "path": None if name in known else hashes.get("path")}
        for name, hashes in spec["tasks"].items()
    }
    return {**spec, "tasks": tasks}


def data(run: Run, name: str, hashes: Mapping[str, Any]) -> None:
    """Compare the questions and targets of the table with the task's own."""
    spec = msgspec.convert(run.spec["spec"], RunSpec)
    try:
        (selected,) = Catalogue().resolve([hashes["path"] or name])
        task = selected.load()
        if data_kind(task.data) == "hub":
            run.remark("data", f"{name}: public data are not fetched for a check")
            return
        rows = task_rows(
            task,
            generator=lambda maker: load("generator", maker)(),
            overrides=spec.data,
            data_seed=spec.data_seed,
        )
        if rows.data_hash != hashes["data"]:
            run.remark("data", f"{name}: the data here are others ({rows.data_hash[:8]})")
            return
        wrong = list(
            _strangers(run, task, {a: _asked(task, rows, a, spec) for a in hashes["arms"]})
        )
    except HarnessError as error:
        run.remark("data", f"{name}: {error}")
        return
    if wrong:
        shown = ", ".join(wrong[:FEWEST_SHOWN])
        run.find("data", f"{name}: {len(wrong)} samples are not the task's own: {shown}")


class Question(NamedTuple):
    """What a task's own rows say of a sample."""

    input: str
    target: tuple[str, ...]
    gold: int | None
    cluster: str
    slices: dict[str, str]


Asked = dict[str, Question]
"""By sample."""


def _asked(task: TaskSpec, rows: Any, arm: str, spec: RunSpec) -> Asked:
    renderer = Renderer(task, rows, arm, overrides_of(spec))
    samples = (renderer.sample(index) for index in range(len(renderer)))
    return {
        one.sample_id: Question(one.input, tuple(one.target), one.gold, one.cluster, one.slices)
        for one in samples
    }


def _strangers(run: Run, task: TaskSpec, asked: Mapping[str, Asked]) -> Iterator[str]:
    """Yield the samples whose question or target is not the task's."""
    for row in read_rows(run.place.path, _QUESTIONS):
        if row["task"] != task.task:
            continue
        own = asked[row["arm"]].get(row["sample_id"]) if row["arm"] in asked else None
        if own is None or not _same(own, row):
            yield row["sample_id"]


def _same(own: Question, row: Mapping[str, Any]) -> bool:
    if row["variant"] == "original" and own.input != row["input"]:
        return False
    stored = (tuple(row["target"] or ()), row["gold"], row["cluster"], dict(row["slices"] or ()))
    return stored == (own.target, own.gold, own.cluster, own.slices)


def answers_of(run: Run) -> list[Answers]:
    """Return what the run's model said to each task, as far as a copy would show."""
    first: dict[str, str] = {}
    for cell in run.cells:
        first.setdefault(cell.task, cell.metric)
    found: dict[str, Answers] = {}
    for row in read_rows(run.place.path, _ANSWERS):
        if row["variant"] != "original" or row["status"] in ("error", "unjudged"):
            continue
        score = dict(row["scores"] or ()).get(first.get(row["task"], ""))
        one = found.setdefault(row["task"], Answers(run.place.name, run.model, row["task"]))
        key = f"{row['arm']} {row['sample_id']} {row['epoch']}"
        one.add(key, _digest(row), wrong=score is not None and score < 1)
    return list(found.values())


def _digest(row: Mapping[str, Any]) -> str:
    """Return a short name of an answer: its text, and the log-likelihoods of its options."""
    likely = [choice["loglikelihood"] for choice in row["choices"] or ()]
    finite = [value if np.isfinite(value) else str(value) for value in likely]
    return content_key(canonical_json([row["output"], finite]).decode())[:16]
