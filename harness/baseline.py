"""Recording a run as the baseline: a copy small enough to be committed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import InvalidFile, StoreError, UsageError
from harness.gating import read_cells
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, read_json, runs, write_json
from harness.store.opening import opened
from harness.store.table import SCHEMA
from harness.task.catalogue import default_roots

REFERENCE = "reference"
KEPT = frozenset(
    {
        "task", "sample_id", "arm", "variant", "epoch", "cluster", "status", "scores",
        "completion_tokens", "latency_s", "cost_usd", "cached",
    }
)  # fmt: skip
"""What the gate compares. Questions and answers stay behind, but for a short answer."""
GATED = frozenset({"accuracy", "robustness", "fairness", "bias", "toxicity"})
"""Groups of metrics whose scores are kept sample by sample."""
ANSWER = 80
"""Characters of an answer that are kept, to show what a flipped sample was."""


def bless(run: Path, root: Path, *, partial: bool = False) -> Path:
    """Copy a run into `root`/reference in its small form and return the copy's directory.

    It takes the place of blessed runs of the same model and tasks. Raises UsageError for a run
    that is not whole, unless `partial`.
    """
    if not (run / RUN).exists():
        raise InvalidFile("the run was interrupted; run it again first", path=run / RUN)
    record = read_json(run / RUN)
    if record.get("status") != "complete" and not partial:
        raise UsageError(
            f"{run.name} is partial ({record.get('reason')}): a baseline of it would gate a part "
            "only; bless it with --partial if that is meant"
        )
    target = root / REFERENCE / run.name
    if target.resolve() == run.resolve():
        raise UsageError(f"{run.name} is the recorded baseline already")
    superseded = [path for path in runs(root / REFERENCE) if _same(path, record)]
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_json(target / SPEC, _portable(read_json(run / SPEC)))
        cells = [cell for cell in read_cells(run) if cell.slice is None]
        write_json(target / SCORES, {"cells": cells})
        _shrink(run / SAMPLES, target / SAMPLES, {c.metric for c in cells if c.group in GATED})
        # last: its existence means that the copy is whole
        write_json(target / RUN, _portable(record))
        for path in superseded:
            if path != target:
                shutil.rmtree(path)
    except OSError as error:
        raise StoreError(f"{target}: the baseline cannot be written: {error}") from error
    return target


def _same(path: Path, record: dict[str, Any]) -> bool:
    if not (path / RUN).exists():
        return False
    other = read_json(path / RUN)
    return _what(other) == _what(record)


def _what(record: dict[str, Any]) -> tuple[Any, frozenset[str]]:
    return (record.get("model") or {}).get("name"), frozenset(record.get("tasks") or ())


def _portable(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose task files are named as another checkout finds them.

    Relative to this folder, or by the task's name alone where it is one of the harness's own.
    """
    tasks = {}
    for name, hashes in (record.get("tasks") or {}).items():
        path = hashes.get("path")
        if path is not None and Path(path).is_absolute():
            inside = Path(path).is_relative_to(Path.cwd())
            own = any(Path(path).is_relative_to(root.resolve()) for root in default_roots())
            path = str(Path(path).relative_to(Path.cwd())) if inside else None if own else path
        tasks[name] = {**hashes, "path": path} if "path" in hashes else hashes
    return {**record, "tasks": tasks}


def _shrink(source: Path, target: Path, metrics: set[str]) -> None:
    columns = [*KEPT, "answer", "output"]
    with opened(source, columns) as samples:
        table = samples.read(columns=columns)
    answers = [
        None if text is None else text[:ANSWER]
        for text in (
            answer if answer is not None else output
            for answer, output in zip(
                table["answer"].to_pylist(), table["output"].to_pylist(), strict=True
            )
        )
    ]
    scores = [
        [(name, value) for name, value in row or () if name in metrics]
        for row in table["scores"].to_pylist()
    ]
    made = {"answer": answers, "scores": scores}
    arrays = [
        pa.array(made[kind.name], kind.type)
        if kind.name in made
        else table[kind.name].combine_chunks()
        if kind.name in KEPT
        else pa.nulls(len(table), kind.type)
        for kind in SCHEMA
    ]
    small = pa.Table.from_arrays(arrays, schema=SCHEMA)
    order = small.column("task").to_pylist(), small.column("sample_id").to_pylist()
    rows = sorted(range(len(small)), key=lambda row: (order[0][row], order[1][row]))
    pq.write_table(small.take(rows), target, compression="zstd", compression_level=19)
