"""The demo's part on judges: one that lets wrong answers pass, and its scores set right by labels.

An embedded model is no judge, and the demo asks no server. So the judge is scripted to be lenient,
and the labels are the exact answers of sums: what the corrected scores should be is known.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.pipeline import Observer

TASK, EXACT = "arithmetic/addition", "exact_match"
JUDGE = ("correct", "scripted", "lenient")
MODELS = ("micro", "mini")
SAMPLES, LABELS = 320, 200
FOLDER = "judged"
"""Beside the demo's other runs and pages: a judged run of a task is not the task's own."""


def judged_example(
    results: Path, pages: Path, limit: int | None, observer: Observer | None = None
) -> Path:
    """Judge sums, label a random part of them exactly, correct; return the report's index.html."""
    from harness import pipeline
    from harness.cli.report import write_report
    from harness.records import Execution, ModelSpec, RunSpec

    judge, provider, name = JUDGE
    samples = min(limit or SAMPLES, SAMPLES)
    runs = []
    for model in MODELS:
        spec = RunSpec(
            tasks=(TASK,),
            model=ModelSpec("embedded", model),
            limit=samples,
            judges={judge: ModelSpec(provider, name)},
        )
        done = pipeline.run(spec, Execution(out=str(results / FOLDER)), observer)
        label_exactly(done.directory, samples * LABELS // SAMPLES)
        runs.append(done.directory)
    return write_report(runs, pages / FOLDER)


def label_exactly(run: Path, count: int) -> None:
    """Label a random part of a run by whether its answers are exact, and correct its scores."""
    from harness.correcting import correct, draw, key_of
    from harness.records import to_json
    from harness.store.reading import read_rows

    columns = ("task", "sample_id", "arm", "variant", "epoch")
    exact = {
        key_of([row[name] for name in columns]): dict(row["scores"] or ()).get(EXACT)
        for row in read_rows(run, [*columns, "scores"])
    }
    rows = [{"key": one.key, "label": exact[one.key]} for one in draw(run, count)]
    labels = run / "exact.jsonl"
    labels.write_bytes(b"\n".join(to_json(row) for row in rows) + b"\n")
    correct(run, labels)
