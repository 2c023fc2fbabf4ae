"""Run directories with a judge made by hand, labelled and corrected by the real commands' code."""

from __future__ import annotations

import json
from pathlib import Path

from made_runs import Recipe, make_run

from harness.store.reading import read_rows

JUDGE = {
    "hash": "0123456789abcdef0123",
    "mode": "reference",
    "metric": "judged",
    "tasks": ["free/short"],
    "signs": ["correct"],
    "models": {"correct": {"name": "p/judge"}},
    "judged": 0,
    "missing": 0,
    "judges_itself": False,
    "usage": {"prompt_tokens": 4000, "completion_tokens": 500, "cached": 7, "cost_usd": 0.0123},
}
"""As run.json has it."""


def judged_run(root: Path, model: str = "p/one", *, labels: int = 0, **changes: object) -> Path:
    """Write a judged run; with labels of `labels` samples, it is corrected too."""
    judge = {**JUDGE, **changes}
    tasks = ("free/short", "qa/en")
    recipe = Recipe(model, 0.7, tasks=tasks, per_cell=20, judges={"correct": judge})
    run = make_run(root, recipe)
    if labels:
        label(run, labels)
    return run


def label(run: Path, count: int) -> None:
    """Have `count` samples labelled by one who knows the truth, and the scores corrected."""
    from harness.correcting import correct, draw

    truth = {}
    for row in read_rows(run):
        if row["task"] == "free/short":
            truth[row["sample_id"]] = json.loads(row["fields"])["truth"]
    rows = [
        {"key": one.key, "label": truth[one.item[1]]}
        for one in draw(run, count)
        if one.item[1] in truth
    ]
    file = run.parent / f"{run.name}.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    correct(run, file)
