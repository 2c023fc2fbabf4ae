"""Scores of runs made by hand, without a run directory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.gate.records import RunScores
from harness.records import Cell, ScoreColumns


def cell(task: str = "t", metric: str = "exact_match", value: float | None = 0.5, **more) -> Cell:
    """Return a cell of a whole task."""
    settings = {
        "group": "accuracy", "arm": "default", "variant": "original", "slice": None, "n": 1,
        "stderr": None, "low": None, "high": None, "bound_low": None, "bound_high": None,
        "confidence": 0.95, "method": "wilson", "errors": 0, "unparsed": 0, "unjudged": 0,
        "estimate": "raw", "observed": False, "reason": None, "higher_is_better": True,
        **more,
    }  # fmt: skip
    return Cell(task=task, metric=metric, value=value, **settings)


def run_of(scores: dict[str, Sequence[float]], **more) -> RunScores:
    """Return a run: task → scores of samples s0, s1, … (NaN: that sample failed).

    Keywords: `metric`, `better`, `clusters` (task → names), `status` (task → words), `hashes`,
    `ids` (task → sample ids), and any field of RunScores.
    """
    metric, better = more.pop("metric", "exact_match"), more.pop("better", True)
    clusters, status = more.pop("clusters", {}), more.pop("status", {})
    ids, hashes = more.pop("ids", {}), more.pop("hashes", {})
    columns: dict[str, list] = {name: [] for name in ("task", "id", "cluster", "status", "value")}
    cells = []
    for task, values in scores.items():
        names = ids.get(task, [f"s{i}" for i in range(len(values))])
        columns["task"] += [task] * len(values)
        columns["id"] += names
        columns["cluster"] += list(clusters.get(task, names))
        words = ["error" if np.isnan(value) else "ok" for value in values]
        columns["status"] += list(status.get(task, words))
        columns["value"] += list(values)
        known = [value for value in values if not np.isnan(value)]
        mean = float(np.mean(known)) if known else None
        cells.append(cell(task, metric, mean, n=len(known), higher_is_better=better))
    n = len(columns["task"])
    usual = {
        task: {"version": 1, "data": "d" * 32, "arms": {"default": {
            "task": "a" * 32, "prompt": "b" * 32, "extractor": "c" * 32}}}
        for task in scores
    }  # fmt: skip
    settings = {
        "name": "run", "model": "scripted/made", "hashes": {**usual, **hashes},
        "calls": n, "cost_usd": 0.0, **more,
    }  # fmt: skip
    return RunScores(
        columns=ScoreColumns(
            task=np.array(columns["task"], dtype=object),
            arm=np.array(["default"] * n, dtype=object),
            variant=np.array(["original"] * n, dtype=object),
            sample_id=np.array(columns["id"], dtype=object),
            epoch=np.zeros(n, dtype=np.int64),
            cluster=np.array(columns["cluster"], dtype=object),
            status=np.array(columns["status"], dtype=object),
            changed=np.ones(n, dtype=bool),
            confidence=np.full(n, np.nan),
            values={metric: np.array(columns["value"], dtype=float)},
            slices={},
        ),
        cells=tuple(settings.pop("cells", cells)),
        **settings,
    )


def flipped(n: int, *, right: int, lost: int, gained: int) -> tuple[list[float], list[float]]:
    """Return baseline and candidate 0/1 scores with so many flips."""
    before = [1.0] * right + [0.0] * (n - right)
    now = list(before)
    now[:lost] = [0.0] * lost
    now[right : right + gained] = [1.0] * gained
    return before, now
