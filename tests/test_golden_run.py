"""A run directory holds, to the letter, what it held when the golden copy was made.

`HARNESS_UPDATE_GOLDEN=1 pytest tests/test_golden_run.py` writes the copy anew; read the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.pipeline import run
from harness.records import Execution, ModelSpec, RunSpec
from harness.store.reading import read_rows

GOLDEN = Path(__file__).parent / "golden" / "run"
SPEC = RunSpec(
    tasks=("arithmetic/addition", "winograd/en", "qa/zh"),
    model=ModelSpec("scripted", "random"),
    limit=4,
    perturb=("typos", "lowercase"),
)
PASSING = ("harness", "started_at", "finished_at", "wall_s", "git_commit", "environment", "name")
"""Keys of run.json that differ from run to run."""


def steady(value: Any) -> Any:
    """Return a JSON value without what depends on the clock, floats to ten digits."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, list):
        return [steady(item) for item in value]
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key != "latency_s"}
    return value


def rows(directory: Path) -> list[dict[str, Any]]:
    """Return the table of samples as JSON would hold it, without latencies."""
    plain = json.loads(json.dumps(list(read_rows(directory))))
    for row in plain:
        row["scores"] = [pair for pair in row["scores"] or () if pair[0] != "latency_s"]
    return steady(plain)


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> dict[str, Any]:
    """What the files of the run say."""
    directory = run(SPEC, Execution(out=str(tmp_path_factory.mktemp("golden")))).directory
    record = json.loads((directory / "run.json").read_bytes())
    cells = json.loads((directory / "scores.json").read_bytes())["cells"]
    return {
        "files": sorted(path.name for path in directory.iterdir()),
        "spec": json.loads((directory / "spec.json").read_bytes()),
        "run": {key: value for key, value in record.items() if key not in PASSING},
        "run_keys": sorted(record),
        "cells": steady([cell for cell in cells if not cell["observed"]]),
        "samples": rows(directory),
    }


@pytest.mark.parametrize("part", ["files", "spec", "run", "run_keys", "cells", "samples"])
def test_a_run_directory_is_as_it_was(contents, part):
    """Files, settings, hashes, cells and rows: a change here is a change for everyone's results."""
    path = GOLDEN / f"{part}.json"
    text = json.dumps(contents[part], indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("HARNESS_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text)
