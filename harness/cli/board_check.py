"""harness board check: every number made again from the samples, without a model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.board.check import (
    Answers,
    Checked,
    Evidence,
    Finding,
    Measures,
    Report,
    duplicated,
    impossible,
    unequal,
)
from harness.cli.board_folder import Folder, contents
from harness.cli.board_samples import Run, answers_of, by_own_files, data, turns
from harness.cli.report import read_cells
from harness.errors import HarnessError, InvalidFile
from harness.identity import content_key
from harness.judged import told
from harness.plugins import load
from harness.prepare import perturbation_groups
from harness.records import Cell, RunSpec
from harness.rescore import rescore
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, read_json, write_json
from harness.store.reading import read_rows
from harness.summary import Reading, summarise

FILES = (SPEC, SAMPLES, SCORES, RUN)


def check(folder: Folder) -> Report:
    """Check all runs and tables of a board's folder."""
    rows: list[Checked] = []
    findings: list[Finding] = []
    answers: list[Answers] = []
    for place in folder.runs:
        run = Run(place)
        evidence = _check_run(run)
        findings += run.findings
        samples = 0 if run.columns is None else len(run.columns.task)
        rows.append(Checked(place.name, run.model, evidence, len(run.cells), samples))
        if samples:
            answers += answers_of(run)
    for one in folder.outside:
        try:
            told = contents([one])
        except InvalidFile as error:
            findings.append(Finding(one.path.name, "unreadable", str(error)))
            continue
        for entry in told.entries:
            findings += impossible(entry.run, entry.cells, {})
            rows.append(Checked(entry.run, entry.model, "self-reported", len(entry.cells), 0))
    findings += duplicated(answers)
    return Report(tuple(rows), tuple(findings))


def _check_run(run: Run) -> Evidence:
    measures: Measures = {}
    try:
        if not _read(run):
            return "self-reported"
        measures = _measures(run)
        run.findings += impossible(run.place.name, run.cells, measures)
        _hashes(run)
        _counts(run)
        if not run.blessed:
            turns(run)
    except (HarnessError, msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        # what strangers wrote may be wrong in any way; each is one finding
        run.find("unreadable", _said(error))
        return "self-reported"
    if not run.broken():
        _recompute(run, measures)
    return "self-reported" if run.broken() else _verify(run)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


def _read(run: Run) -> bool:
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


def _measures(run: Run) -> Measures:
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


def _hashes(run: Run) -> None:
    asked = msgspec.convert(run.spec["spec"], RunSpec).model
    named = (run.record.get("model") or {}).get("name")
    # a replay bears the name of the model whose answers it repeats
    if asked.provider != "replay" and named != asked.label:
        run.find("hash", f"spec.json asked {asked.label}, run.json names {named}")
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


def _counts(run: Run) -> None:
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


def _recompute(run: Run, measures: Measures) -> None:
    """Make the cells again from the stored scores of the samples."""
    assert run.columns is not None, "it was read"
    usual = _usual(run, measures)
    judges = run.record.get("judges") or {}
    try:
        groups = perturbation_groups(run.spec.get("perturbations") or {})
        again = summarise(run.columns, [_reading(usual, task, groups) for task in _tasks(usual)])
        if judges and not run.blessed:
            again, _ = told(run.place.path, again, judges)
    except (HarnessError, ValueError) as error:
        run.find("cells", f"cannot be made again: {_said(error)}")
        return
    run.findings += unequal(run.place.name, usual, again)


def _usual(run: Run, measures: Measures) -> list[Cell]:
    """Return the cells that samples give: no corrected ones, which labels gave besides.

    A recorded baseline leaves verdicts behind, and with them what is missing of them.
    """
    assert run.columns is not None, "it was read"
    usual = [cell for cell in run.cells if cell.metric in measures and cell.estimate == "raw"]
    if not run.blessed:
        return usual
    scores = [one for judge in (run.record.get("judges") or {}).values()
              for one in judge.get("scores", ()) if one["missing"]]  # fmt: skip
    holed = {(one["task"], one["arm"], one["variant"], one["metric"]) for one in scores}
    return [
        cell
        for cell in usual
        if cell.metric in run.columns.values
        and (cell.task, cell.arm, cell.variant, cell.metric) not in holed
    ]


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


def _verify(run: Run) -> Evidence:
    """Score the stored answers again, on a copy, and ask the tasks for their data."""
    if run.blessed:
        run.remark("scores", "a recorded baseline keeps no questions; check the run itself")
        return "recomputed"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in FILES:
            shutil.copyfile(run.place.path / name, copy / name)
        write_json(copy / SPEC, by_own_files(run.spec))
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
    for name, hashes in by_own_files(run.spec)["tasks"].items():
        data(run, name, hashes)
    if run.broken():
        return "self-reported"
    return "verified" if len(run.findings) == before else "recomputed"
