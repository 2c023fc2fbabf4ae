"""What a run's page shows above its samples: how it was made, and its scores."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.records import Cell, to_json
from harness.report.judge_tally import judges_of
from harness.report.mark import Mark, link, mark
from harness.report.model import RunData
from harness.report.say import NOTHING, Said, say
from harness.report.survey import RunSurvey

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
    made_by: list[tuple[str, str]] = field(default_factory=list)
    """What decides whether a run made again is the same."""
    judged: bool = False
    """Whether the judges' page has something of this run."""


def run_page(run: RunData, survey: RunSurvey) -> RunPage:
    """Return a run's page."""
    main = [cell for cell in run.cells if cell.slice is None]
    main.sort(key=_trouble)
    ways = {(cell.task, cell.arm) for cell in run.cells}
    several = {task for task, count in Counter(task for task, _ in ways).items() if count > 1}
    return RunPage(
        run=run,
        href=link("run", run=run.name),
        command=rerun(run.spec),
        story=_story(run, survey),
        settings=settings(run),
        made_by=_made_by(run),
        judged=bool(survey.judges or judges_of(run)),
        hashes=_hashes(run),
        cells=[(cell, _mark(run, cell, several)) for cell in main],
    )


def _trouble(cell: Cell) -> int:
    """Return what cells are sorted by: those without a value, then those with failures."""
    if cell.value is None and cell.estimate == "raw":
        return 0
    return 1 if cell.errors or cell.unjudged else 2


def _mark(run: RunData, cell: Cell, several: AbstractSet[str]) -> Mark:
    """Return a cell's number, which leads to its samples; `several` are tasks with many arms."""
    variant = None if cell.variant in ("worst", "mean_drop") else cell.variant
    arm = cell.arm if cell.task in several else None
    href = link("run", run=run.name, task=cell.task, arm=arm, variant=variant)
    return mark(msgspec.structs.asdict(cell), None, href)


def _story(run: RunData, survey: RunSurvey) -> Said:
    kinds = survey.kinds
    said = say("story.run", scored=f"{survey.rows:,}")
    counts = [(name, kinds[name]) for name in ("right", "part", "wrong", "ok", "unparsed")]
    counts += [("error", survey.statuses.get("error", 0))]
    counts += [("unjudged", survey.statuses.get("unjudged", 0))]
    shown = [say(f"story.run.{name}", count=f"{count:,}") for name, count in counts if count]
    if shown:
        said += Said(
            ", ".join(one.en for one in shown) + ".", "，".join(o.zh for o in shown) + "。"
        )
    manifest = run.manifest
    if manifest.get("status") == "partial":
        said += say(
            "story.partial",
            scored=f"{manifest.get('scored') or survey.rows:,}",
            planned=f"{manifest.get('planned') or survey.rows:,}",
            reason=manifest.get("reason") or "?",
        )
    if str(manifest.get("evidence") or "").startswith("replayed"):
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
        *((f"judge {name}", _sitting(judge)) for name, judge in judges_of(run).items()),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "")]


def _made_by(run: RunData) -> list[tuple[str, str]]:
    told, model = dict(settings(run)), run.manifest.get("model") or {}
    names = ("status", "seed", "data seed", "started", "harness", "commit", "Python", "platform")
    hashes = {
        "spec": run.manifest.get("spec_hash"),
        "model weights": model.get("weights_hash"),
    }
    served = model.get("served_name")
    if served and not run.model.endswith(f"/{served}"):
        hashes["served as"] = served
    found = [(name, told[name]) for name in names if name in told]
    return found + [(name, str(value)) for name, value in hashes.items() if value]


def _sitting(judge: Json) -> str:
    """Return who sits in a judge, and how many verdicts it gave."""
    models = judge.get("models") or {}
    names = ", ".join(dict.fromkeys(str((one or {}).get("name")) for one in models.values()))
    given, missing = judge.get("judged") or 0, judge.get("missing") or 0
    return f"{names}: {given:,} verdicts, {missing:,} missing"


def _hashes(run: RunData) -> list[tuple[str, str]]:
    model = run.manifest.get("model") or {}
    found = [
        ("spec", run.manifest.get("spec_hash")),
        ("model arguments", model.get("arguments_hash")),
        ("model weights", model.get("weights_hash")),
    ]
    found += [(f"judge {name}", judge.get("hash")) for name, judge in judges_of(run).items()]
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
        if inner.get(name) is not None and (name, inner[name]) not in _USUAL:
            words += [flag, _value(inner[name])]
    words += _several(inner)
    words += ["--trust"] * bool(inner.get("trust"))
    return [shlex.quote(str(word)) for word in words]


def _several(inner: Json) -> list[str]:
    """Return the options that may be given more than once."""
    words: list[str] = []
    for name, flag in (("sample_ids", "--sample"), ("arms", "--arm")):
        for value in inner.get(name) or ():
            words += [flag, value]
    if inner.get("perturb"):
        words += ["--perturb", ",".join(inner["perturb"])]
    for name, judge in (inner.get("judges") or {}).items():
        words += ["--judge", f"{name}={_judge(judge)}"]
    for group, flag in (("generation", "-G"), ("data", "-D")):
        for name, value in (inner.get(group) or {}).items():
            words += [flag, f"{name}={_value(value)}"]
    return words


_FLAGS = {
    "limit": "--limit",
    "seed": "--seed",
    "data_seed": "--data-seed",
    "epochs": "--epochs",
    "shots": "--shots",
    "system": "--system",
}


_USUAL = (("seed", 0), ("epochs", 1))


def _judge(model: Json) -> str:
    """Return a judge's model as --judge takes it: its own address stands behind its name."""
    address = f"@{model['base_url']}" if model.get("base_url") else ""
    return f"{model.get('provider', '')}/{model.get('name', '')}{address}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def sample_options(spec: Json) -> str:
    """Return the options that rerun one sample of a run; no limit and no list applies to it."""
    inner = {**(spec.get("spec") or {}), "limit": None, "sample_ids": ()}
    return " ".join(options(inner))
