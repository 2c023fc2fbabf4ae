"""What a run's page shows above its samples: how it was made, and its scores."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.records import Cell, to_json
from harness.report.mark import Mark, link, mark
from harness.report.model import RunData
from harness.report.say import NOTHING, Said, say
from harness.report.survey import RunSurvey, primaries

Json = Mapping[str, Any]


@dataclass(slots=True)
class RunPage:
    """Everything above the samples of a run."""

    run: RunData
    href: str
    command: str
    story: Said = NOTHING
    settings: list[tuple[str, str]] = field(default_factory=list)
    hashes: list[tuple[str, str]] = field(default_factory=list)
    cells: list[tuple[Cell, Mark]] = field(default_factory=list)


def run_page(run: RunData, survey: RunSurvey) -> RunPage:
    """Return a run's page."""
    main = [cell for cell in run.cells if cell.slice is None]
    main.sort(key=lambda cell: not (cell.errors or cell.unjudged))
    return RunPage(
        run=run,
        href=link("run", run=run.name),
        command=rerun(run.spec),
        story=_story(run, survey),
        settings=settings(run),
        hashes=_hashes(run),
        cells=[(cell, mark(msgspec.structs.asdict(cell), None, _href(run, cell))) for cell in main],
    )


def _href(run: RunData, cell: Cell) -> str:
    plain = cell.variant not in ("worst", "mean_drop")
    return link("run", run=run.name, task=cell.task, variant=cell.variant if plain else None)


def _story(run: RunData, survey: RunSurvey) -> Said:
    status = survey.statuses
    primary = primaries(run)
    firsts = [
        cell
        for cell in run.cells
        if cell.slice is None
        and cell.metric == primary[cell.task]
        and cell.variant not in ("worst", "mean_drop")
        and cell.higher_is_better
    ]
    right = sum(round((cell.value or 0) * cell.n) for cell in firsts)
    n = sum(cell.n for cell in firsts)
    unparsed = status.get("unparsed", 0)
    manifest = run.manifest
    said = say(
        "story.run",
        scored=f"{survey.rows:,}",
        right=f"{right:,}",
        wrong=f"{max(n - right - unparsed, 0):,}",
        unparsed=f"{unparsed:,}",
        errors=f"{status.get('error', 0) + status.get('unjudged', 0):,}",
    )
    if manifest.get("status") == "partial":
        said += say(
            "story.partial",
            scored=f"{manifest.get('scored', survey.rows):,}",
            planned=f"{manifest.get('planned', survey.rows):,}",
            reason=manifest.get("reason") or "?",
        )
    if str(manifest.get("evidence", "")).startswith("replayed"):
        said += say("story.replayed")
    return said


def settings(run: RunData) -> list[tuple[str, str]]:
    """Return the run's circumstances as name and value."""
    manifest = run.manifest
    model, seeds = manifest.get("model") or {}, manifest.get("seeds") or {}
    usage, place = manifest.get("usage") or {}, manifest.get("environment") or {}
    packages = ", ".join(f"{k} {v}" for k, v in (place.get("packages") or {}).items())
    found = [
        ("model", model.get("name", run.model)),
        ("served as", model.get("served_name")),
        ("parameters", _count(model.get("parameters"))),
        ("licence", model.get("licence")),
        ("model date", model.get("date")),
        ("status", manifest.get("status")),
        ("samples", _count(manifest.get("scored"))),
        ("seed", seeds.get("seed")),
        ("data seed", seeds.get("data_seed")),
        ("started", manifest.get("started_at")),
        ("took", _seconds(manifest.get("wall_s"))),
        ("requests", _count(usage.get("requests"))),
        ("replayed", _count(usage.get("cached"))),
        ("tokens", _tokens(usage)),
        ("cost", _money(usage.get("cost_usd"))),
        ("evidence", manifest.get("evidence")),
        ("harness", manifest.get("harness")),
        ("commit", manifest.get("git_commit")),
        ("Python", place.get("python")),
        ("platform", place.get("platform")),
        ("packages", packages),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "")]


def _hashes(run: RunData) -> list[tuple[str, str]]:
    model = run.manifest.get("model") or {}
    found = [
        ("spec", run.manifest.get("spec_hash")),
        ("model arguments", model.get("arguments_hash")),
        ("model weights", model.get("weights_hash")),
    ]
    for task, hashes in (run.manifest.get("tasks") or {}).items():
        found += [(f"{task} {name}", value) for name, value in _flat(hashes)]
    return [(name, str(value)) for name, value in found if value]


def _flat(hashes: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested hashes as dotted names."""
    if not isinstance(hashes, Mapping):
        return [(prefix, hashes)]
    return [
        item
        for name, value in hashes.items()
        for item in _flat(value, f"{prefix}.{name}" if prefix else str(name))
    ]


def _count(value: Any) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None


def _seconds(value: Any) -> str | None:
    return f"{value:,.1f} s" if isinstance(value, int | float) else None


def _tokens(usage: Json) -> str | None:
    sent, came = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return None if sent is None or came is None else f"{sent:,} in, {came:,} out"


def _money(value: Any) -> str | None:
    return f"${value:,.4f}" if isinstance(value, int | float) else None


def rerun(spec: Json) -> str:
    """Return the command line that makes a run again, quoted for a shell."""
    inner = spec.get("spec") or {}
    return " ".join(["harness", "run", *map(shlex.quote, inner.get("tasks", ())), *options(inner)])


def options(inner: Json) -> list[str]:
    """Return the options of `harness run` that a spec stands for."""
    model = inner.get("model") or {}
    words = ["--model", f"{model.get('provider', '')}/{model.get('name', '')}"]
    for name, value in (model.get("arguments") or {}).items():
        words += ["-M", f"{name}={_value(value)}"]
    for name, flag in (("base_url", "--base-url"), ("api_key_env", "--api-key-env")):
        if model.get(name):
            words += [flag, model[name]]
    for name, flag in _FLAGS.items():
        if inner.get(name) not in (None, 0, (), [], {}) and (name, inner[name]) != ("epochs", 1):
            words += [flag, _value(inner[name])]
    for arm in inner.get("arms", ()):
        words += ["--arm", arm]
    if inner.get("perturb"):
        words += ["--perturb", ",".join(inner["perturb"])]
    for group, flag in (("generation", "-G"), ("data", "-D")):
        for name, value in (inner.get(group) or {}).items():
            words += [flag, f"{name}={_value(value)}"]
    words += ["--trust"] * bool(inner.get("trust"))
    return [shlex.quote(str(word)) for word in words]


_FLAGS = {
    "limit": "--limit",
    "seed": "--seed",
    "data_seed": "--data-seed",
    "epochs": "--epochs",
    "shots": "--shots",
    "system": "--system",
}


def _value(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def sample_options(spec: Json) -> str:
    """Return the options that rerun one sample of a run; the limit does not apply to it."""
    inner = {**(spec.get("spec") or {})}
    inner.pop("limit", None)
    return " ".join(options(inner))
