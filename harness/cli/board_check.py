"""harness board check: every number made again from the samples, without a model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from harness.board.check import (
    Answers,
    Checked,
    Evidence,
    Finding,
    Kind,
    Measures,
    Report,
    duplicated,
    impossible,
    unequal,
)
from harness.cli.board_folder import Folder, Found, reported
from harness.cli.report import read_cells
from harness.errors import HarnessError, InvalidFile
from harness.identity import canonical_json, content_key
from harness.plugins import load
from harness.prepare import overrides_of, perturbation_groups
from harness.records import Cell, RunSpec, ScoreColumns
from harness.rescore import rescore
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, read_json
from harness.store.reading import read_rows
from harness.summary import Reading, summarise
from harness.task.catalogue import Catalogue
from harness.task.render import Renderer
from harness.task.rows import read_rows as task_rows
from harness.task.spec import TaskSpec, data_kind

FILES = (SPEC, SAMPLES, SCORES, RUN)
FEWEST_SHOWN = 5
"""Samples that a finding names."""
_ANSWERS = (
    "task", "sample_id", "epoch", "arm", "variant", "status", "output", "choices", "scores",
)  # fmt: skip
_QUESTIONS = ("task", "sample_id", "arm", "variant", "input", "target", "gold")


@dataclass(slots=True)
class _Run:
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


def check(folder: Folder) -> Report:
    """Check all runs and tables of a board's folder."""
    rows: list[Checked] = []
    findings: list[Finding] = []
    answers: list[Answers] = []
    for place in folder.runs:
        run = _Run(place)
        evidence = _check_run(run)
        findings += run.findings
        samples = 0 if run.columns is None else len(run.columns.task)
        rows.append(Checked(place.name, run.model, evidence, len(run.cells), samples))
        if samples:
            answers += _answers(run)
    try:
        for entry in reported(folder):
            findings += impossible(entry.run, entry.cells, {})
            rows.append(Checked(entry.run, entry.model, "self-reported", len(entry.cells), 0))
    except InvalidFile as error:
        findings.append(Finding(Path(error.path or "").name, "unreadable", str(error)))
    findings += duplicated(answers)
    return Report(tuple(rows), tuple(findings))


def _check_run(run: _Run) -> Evidence:
    measures: Measures = {}
    try:
        if not _read(run):
            return "self-reported"
        measures = _measures(run)
        run.findings += impossible(run.place.name, run.cells, measures)
        _hashes(run)
        _counts(run)
    except (HarnessError, msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        # what strangers wrote may be wrong in any way; each is one finding
        run.find("unreadable", _said(error))
        return "self-reported"
    if not run.broken():
        _recompute(run, measures)
    return "self-reported" if run.broken() else _verify(run)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


def _read(run: _Run) -> bool:
    """Read the files of a run; False where one is missing."""
    at = run.place.path
    missing = [name for name in FILES if not (at / name).is_file()]
    for name in missing:
        run.find("missing", f"no {name}" + " (interrupted)" * (name == RUN))
    if missing:
        return False
    run.spec, run.record = read_json(at / SPEC), read_json(at / RUN)
    msgspec.convert(run.spec["spec"], RunSpec)
    run.model = run.place.model or str((run.record.get("model") or {}).get("name") or "unknown")
    run.cells = read_cells(at / SCORES)
    run.columns = read_columns(at / SAMPLES)
    run.blessed = all(row["input"] is None for row in read_rows(at, ["input"]))
    return True


def _measures(run: _Run) -> Measures:
    """Return what values each metric can have; a metric not at hand is noted."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(cell.metric for cell in run.cells):
        try:
            metric = load("metric", name)
        except HarnessError as error:
            run.remark("cells", _said(error))
            continue
        share = metric.group == "accuracy" and metric.higher_is_better is True
        kind = {"proportion": "proportion", "mean": "share" if share else "other"}
        found[name] = kind.get(metric.interval, "other")
    return found


def _hashes(run: _Run) -> None:
    stored, own = run.record.get("spec_hash"), content_key(run.spec)
    if stored != own and not run.blessed:  # blessing makes paths relative
        run.find("hash", f"spec.json has hash {own[:12]}, run.json says {str(stored)[:12]}")
    tasks = run.record.get("tasks") or {}
    for name, hashes in run.spec["tasks"].items():
        then = tasks.get(name) or {}
        differing = {key for key in ("version", "data") if hashes.get(key) != then.get(key)}
        differing |= {
            f"prompt of {arm}"
            for arm, each in (hashes.get("arms") or {}).items()
            if each.get("prompt") != ((then.get("arms") or {}).get(arm) or {}).get("prompt")
        }
        for what in sorted(differing):
            run.find("hash", f"{name}: {what} differs between spec.json and run.json")
    for name in dict.fromkeys(cell.task for cell in run.cells if cell.n):
        if name not in run.spec["tasks"]:
            run.find("hash", f"{name}: scores of a task that the run was not asked for")


def _counts(run: _Run) -> None:
    """Check n + errors + unjudged = planned, for the run and for its cells."""
    columns, record = run.columns, run.record
    assert columns is not None, "it was read"
    rows = len(columns.task)
    if record.get("scored") != rows:
        run.find("count", f"run.json says {record.get('scored')} samples, the table has {rows}")
    if record.get("status") == "complete" and record.get("planned") != rows:
        run.find("count", f"{record.get('planned')} planned and complete, the table has {rows}")
    keys = zip(
        columns.task, columns.sample_id, columns.arm, columns.variant, columns.epoch, strict=True
    )
    twice = rows - len(set(keys))
    if twice:
        run.find("count", f"{twice} samples stand twice in the table")
    for cell in run.cells:
        if cell.slice is None and cell.variant not in ("worst", "mean_drop") and cell.n:
            here = (columns.task == cell.task) & (columns.arm == cell.arm)
            size = int((here & (columns.variant == cell.variant)).sum())
            if cell.n + cell.errors + cell.unjudged > size:
                total = f"n {cell.n} + errors {cell.errors} + unjudged {cell.unjudged}"
                run.find("count", f"{cell.task} {cell.metric}: {total}, but {size} samples")


def _recompute(run: _Run, measures: Measures) -> None:
    """Make the cells again from the stored scores of the samples."""
    assert run.columns is not None, "it was read"
    usual = [cell for cell in run.cells if cell.metric in measures]
    if run.blessed:
        usual = [cell for cell in usual if cell.metric in run.columns.values]
    try:
        groups = perturbation_groups(run.spec.get("perturbations") or {})
        again = summarise(run.columns, [_reading(usual, task, groups) for task in _tasks(usual)])
    except (HarnessError, ValueError) as error:
        run.find("cells", f"cannot be made again: {_said(error)}")
        return
    run.findings += unequal(run.place.name, usual, again)


def _tasks(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.task for cell in cells))


def _reading(cells: Sequence[Cell], task: str, groups: Mapping[str, Any]) -> Reading:
    """Return how a task was summarised, as its cells tell it: metrics and slices in their order."""
    own = [cell for cell in cells if cell.task == task]
    slices = dict.fromkeys(
        tuple(part.partition("=")[0] for part in cell.slice.split("&"))
        for cell in own
        if cell.slice
    )
    metrics = dict.fromkeys(cell.metric for cell in own)
    return Reading(task, tuple(load("metric", name) for name in metrics), tuple(slices), groups)


def _verify(run: _Run) -> Evidence:
    """Score the stored answers again, on a copy, and ask the tasks for their data."""
    if run.blessed:
        run.remark("scores", "a recorded baseline keeps no questions; check the run itself")
        return "recomputed"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in FILES:
            shutil.copyfile(run.place.path / name, copy / name)
        try:
            done = rescore(copy)
            now = read_json(copy / RUN)["tasks"]
        except HarnessError as error:
            run.remark("scores", f"not scored again: {error}")
            return "recomputed"
    then = run.record.get("tasks") or {}
    changed = [name for name in run.spec["tasks"] if now[name]["arms"] != then[name]["arms"]]
    if changed:
        text = f"{', '.join(changed)}: the definition has changed since; harness rescore renews it"
        run.remark("scores", text)
        return "recomputed"
    if done.changed:
        text = f"{done.changed} of {done.rows} samples score otherwise from their stored answers"
        run.find("scores", text)
        return "self-reported"
    before = len(run.findings)
    for name in run.spec["tasks"]:
        _data(run, name)
    if run.broken():
        return "self-reported"
    return "verified" if len(run.findings) == before else "recomputed"


def _data(run: _Run, name: str) -> None:
    """Compare the questions and targets of the table with the task's own."""
    spec = msgspec.convert(run.spec["spec"], RunSpec)
    hashes = run.spec["tasks"][name]
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


Asked = dict[str, tuple[str, tuple[str, ...], int | None]]
"""Sample → what it asks, its targets, the index of the right option."""


def _asked(task: TaskSpec, rows: Any, arm: str, spec: RunSpec) -> Asked:
    renderer = Renderer(task, rows, arm, overrides_of(spec))
    samples = (renderer.sample(index) for index in range(len(renderer)))
    return {one.sample_id: (one.input, tuple(one.target), one.gold) for one in samples}


def _strangers(run: _Run, task: TaskSpec, asked: Mapping[str, Asked]) -> Iterator[str]:
    """Yield the samples whose question or target is not the task's."""
    for row in read_rows(run.place.path, _QUESTIONS):
        if row["task"] != task.task:
            continue
        own = asked[row["arm"]].get(row["sample_id"]) if row["arm"] in asked else None
        same = own is not None and own[1] == tuple(row["target"] or ()) and own[2] == row["gold"]
        if row["variant"] == "original" and own is not None:
            same = same and own[0] == row["input"]
        if not same:
            yield row["sample_id"]


def _answers(run: _Run) -> list[Answers]:
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
