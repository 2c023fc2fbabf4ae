"""Opens the backend that a model spec names, with what it needs of the run.

Beside `pipeline.py` a composition: backends know no run directory, runs know no provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.known_models import for_backend
from harness.plugins import load
from harness.protocols import Backend
from harness.records import Execution, ModelInfo, ModelSpec, Sample
from harness.run.adaptive import MOST
from harness.store.manifest import RUN, find_run, read_json
from harness.store.recorded import recorded_responses
from harness.store.shapes import check_recording

COMPUTED_HERE = ("embedded", "scripted", "python", "replay")
"""Providers that answer in this process."""


def open_backend(model: ModelSpec, execution: Execution, live: Mapping[str, Sample]) -> Backend:
    """Open the backend that a model spec names."""
    if model.base_url and model.provider in COMPUTED_HERE:
        raise UsageError(f"--base-url: {model.label} has no server; allowed with openai/NAME")
    opener = load("backend", model.provider)
    model = for_backend(model)
    connections = connections_of(execution)
    match model.provider:
        case "scripted":
            backend = opener(model.name, model.arguments, live.__getitem__)
        case "openai" | "anthropic":
            backend = opener(model, timeout_s=execution.timeout_s, connections=connections)
        case "python":
            backend = opener(model.name, model.arguments, connections=connections)
        case "replay":
            backend = opener(**_recording(find_run(model.name, Path(execution.out))))
        case _:
            backend = opener(model)
    opened: Backend = backend
    return opened


def _recording(path: Path) -> dict[str, Any]:
    """Return what `replay` needs of a recorded run: its answers, and whose they were."""
    record = read_json(path / RUN)
    check_recording(path / RUN, record)
    return {
        "lookup": recorded_responses(path).get,
        "identity": record["backend"]["identity"],
        "info": msgspec.convert(record["model"], ModelInfo),
        "capabilities": frozenset(record["backend"]["capabilities"]),
    }


def connections_of(execution: Execution) -> int:
    """Return how many requests may be in flight at the most."""
    return MOST if execution.connections == "auto" else execution.connections
