"""What the JSON files of a run directory must look like for anything to be read from them.

Only what is read somewhere is asked for; a file may hold more. A file of another program, an
edited or a half-written one, then gives one error that names file and key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from harness.errors import InvalidFile
from harness.records import Cell, ModelInfo, RunSpec

Json = dict[str, Any]


class _Arms(Struct, frozen=True):
    arms: dict[str, dict[str, Any]] | None = None
    path: str | None = None


class _Model(Struct, frozen=True):
    name: str | None = None
    arguments_hash: str | None = None
    weights_hash: str | None = None
    served_name: str | None = None
    parameters: int | None = None
    licence: str | None = None
    date: str | None = None
    context: int | None = None


class _Usage(Struct, frozen=True):
    requests: int | None = None
    cached: int | None = None
    retries: int | None = None
    prompt_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    failures: dict[str, int] | None = None


class _Seeds(Struct, frozen=True):
    seed: int | None = None
    data_seed: int | None = None


class _Environment(Struct, frozen=True):
    python: str | None = None
    platform: str | None = None
    packages: dict[str, Any] | None = None


class _Backend(Struct, frozen=True):
    identity: Json | None = None
    capabilities: list[str] | None = None


class _Reliability(Struct, frozen=True):
    task: str
    arm: str
    variant: str
    n: int
    asked: int
    missing: int


class _Judge(Struct, frozen=True):
    hash: str | None = None
    mode: str | None = None
    metric: str | None = None
    tasks: list[str] | None = None
    signs: list[str] | None = None
    models: dict[str, _Model] | None = None
    judged: int | None = None
    missing: int | None = None
    missing_share: float | None = None
    unreliable: bool | None = None
    judges_itself: bool | None = None
    effective_judges: float | None = None
    without_schema: int | None = None
    usage: _Usage | None = None
    missing_reasons: dict[str, int] | None = None
    scores: list[_Reliability] | None = None
    scale: Json | None = None


class _Run(Struct, frozen=True):
    status: str
    model: _Model
    tasks: dict[str, _Arms]
    name: str | None = None
    reason: str | None = None
    planned: int | None = None
    scored: int | None = None
    spec_hash: str | None = None
    backend: _Backend | None = None
    seeds: _Seeds | None = None
    usage: _Usage | None = None
    evidence: str | None = None
    judges: dict[str, _Judge] | None = None
    harness: str | None = None
    git_commit: str | None = None
    started_at: str | None = None
    wall_s: float | None = None
    environment: _Environment | None = None


class _Spec(Struct, frozen=True):
    spec: RunSpec
    tasks: dict[str, _Arms]
    perturbations: dict[str, int] | None = None
    backend: Json | None = None


class _PlannedArm(Struct, frozen=True):
    prompt: str


class _Planned(Struct, frozen=True):
    arms: dict[str, _PlannedArm]
    path: str | None


class _Plans(Struct, frozen=True):
    tasks: dict[str, _Planned]


class _Recorded(Struct, frozen=True):
    capabilities: list[str]
    identity: Json


class _Recording(Struct, frozen=True):
    backend: _Recorded
    model: ModelInfo


class _Scores(Struct, frozen=True):
    cells: list[Cell]


class _Plan(Struct, frozen=True):
    keys: list[str]


class _Estimate(Struct, frozen=True):
    effective_n: float | None = None


class _Correction(Struct, frozen=True):
    task: str
    arm: str
    variant: str
    labels: int
    corrected: dict[str, _Estimate]
    warnings: list[str] = []


class _Difference(Struct, frozen=True):
    task: str
    arm: str
    variant: str
    against: str
    labels: int
    n: int
    raw: float | None
    value: float | None
    low: float | None
    high: float | None
    effective_n: float | None = None


class _Label(Struct, frozen=True):
    key: str
    label: Annotated[float, Meta(ge=0, le=1)]


class _Corrections(Struct, frozen=True):
    corrections: list[_Correction] = []
    differences: list[_Difference] = []


SHAPES: Mapping[str, type[Struct]] = {
    "run.json": _Run,
    "spec.json": _Spec,
    "scores.json": _Scores,
    "label-plan.json": _Plan,
    "corrections.json": _Corrections,
}


def check_plan(path: Path, value: Any) -> None:
    """Raise InvalidFile where spec.json does not say what was asked: rescoring needs it."""
    _check(path, value, _Plans)


def check_recording(path: Path, value: Any) -> None:
    """Raise InvalidFile where run.json does not say whose answers it has: replaying needs it."""
    _check(path, value, _Recording)


def check_shape(path: Path, value: Any) -> None:
    """Raise InvalidFile where a run's file is not as everything that reads it takes it to be."""
    shape = SHAPES.get(path.name)
    if shape is not None:
        _check(path, value, shape)


def _check(path: Path, value: Any, shape: type[Struct]) -> None:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise _explained(error, path) from error


def read_labels(path: Path) -> dict[str, float]:
    """Return the labels that `harness judge correct` kept in a run, 0 to 1, by sample key.

    Empty where there are none; raises InvalidFile with the line that does not fit.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidFile(f"cannot be read: {error}", path=path) from error
    found = {}
    for number, line in enumerate(lines, 1):
        try:
            one = msgspec.json.decode(line, type=_Label)
        except msgspec.ValidationError as error:
            raise _explained(error, path, number) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidFile(f"not JSON: {error}", path=path, line=number) from error
        found[one.key] = one.label
    return found


def _explained(error: Exception, path: Path, line: int | None = None) -> InvalidFile:
    problem, _, at = str(error).partition(" - at `$")
    key = at.rstrip("`").lstrip(".") or None
    return InvalidFile(f"does not fit: {problem}", path=path, line=line, key=key)
