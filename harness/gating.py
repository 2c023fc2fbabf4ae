"""Run directories to the gate: reads what `harness.gate` decides on, and drives a gate that stops.

Beside `pipeline.py`, `rescore.py` and `preview.py` this is a composition of stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from harness import pipeline
from harness.errors import InvalidFile, UsageError
from harness.gate.align import Aligned, align, differences, refuse_unless_equal
from harness.gate.checks import checks
from harness.gate.decision import (
    Gated,
    SampleKey,
    SampleText,
    Sides,
    first_metrics,
    gate,
    report_of,
    with_texts,
)
from harness.gate.junit import Case
from harness.gate.policy import Policy
from harness.gate.records import GateReport, Place, RunScores
from harness.gate.sequential import Known, Seen, Watch, conclude, watches
from harness.records import Cell, Execution, ModelSpec, RunSpec, Sample, Score
from harness.run.policy import Usage
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, find_run, read_json, runs
from harness.store.reading import read_rows

_NUMBERS = ("cost_usd", "latency_s", "completion_tokens")
_TEXTS = (
    "task", "arm", "variant", "sample_id", "epoch", "input", "target", "output", "answer",
    "status", "error",
)  # fmt: skip


# ---- reading runs ---------------------------------------------------------------------------


def load_scores(run: Path) -> RunScores:
    """Read a finished run; InvalidFile where it is none."""
    if not (run / RUN).exists():
        raise InvalidFile("the run was interrupted; run it again first", path=run / RUN)
    record, spec = read_json(run / RUN), read_json(run / SPEC)
    usage = record.get("usage") or {}
    judging = [judge.get("usage") or {} for judge in (record.get("judges") or {}).values()]
    return RunScores(
        name=run.name,
        model=str((record.get("model") or {}).get("name") or "unknown"),
        columns=read_columns(run / SAMPLES),
        cells=read_cells(run),
        hashes=dict(record.get("tasks") or {}),
        data_seed=(record.get("seeds") or {}).get("data_seed"),
        perturbations=dict(spec.get("perturbations") or {}),
        spending=_spending(run),
        calls=_requests(usage),
        replayed=int(usage.get("cached") or 0),
        judge_calls=sum(map(_requests, judging)),
        cost_usd=_cost([usage, *judging]),
        complete=record.get("status") == "complete",
    )


def _requests(usage: Mapping[str, Any]) -> int:
    return int(usage.get("requests") or 0)


def _cost(usages: Iterable[Mapping[str, Any]]) -> float | None:
    """Return what all together cost; None where a price is unknown. Replays cost nothing."""
    costs = [
        0.0 if usage.get("cost_usd") is None and not _requests(usage) else usage.get("cost_usd")
        for usage in usages
    ]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def read_cells(run: Path) -> tuple[Cell, ...]:
    """Read scores.json; InvalidFile where it does not fit."""
    try:
        return msgspec.convert(read_json(run / SCORES)["cells"], tuple[Cell, ...])
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise InvalidFile(f"not the scores of a run: {error}", path=run / SCORES) from error


def _spending(run: Path) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {name: [] for name in (*_NUMBERS, "cached")}
    for row in read_rows(run, list(columns)):
        for name, values in columns.items():
            values.append(row[name])
    out: dict[str, Any] = {
        name: np.array([np.nan if value is None else value for value in columns[name]], dtype=float)
        for name in _NUMBERS
    }
    out["cached"] = np.array([bool(value) for value in columns["cached"]], dtype=bool)
    return out


def find_baseline(name: str, root: Path, model: str | None = None) -> Path:
    """Return the run that a baseline's name means.

    `@baseline` is the blessed run of `model` where there is one, otherwise the last blessed.
    Other names are looked for among the blessed runs too.
    """
    blessed = runs(root / "reference")
    if name == "@baseline":
        same = [path for path in blessed if model is not None and model_of(path) == model]
        return same[-1] if same else find_run(name, root)
    chosen = [path for path in blessed if path.name.startswith(name)]
    return chosen[0] if len(chosen) == 1 else find_run(name, root)


def model_of(run: Path) -> str | None:
    """Return the name of a run's model; None where the run is not finished."""
    if not (run / RUN).exists():
        return None
    name = (read_json(run / RUN).get("model") or {}).get("name")
    return None if name is None else str(name)


# ---- two runs -------------------------------------------------------------------------------


def gate_runs(
    candidate: Path, baseline: Path, policy: Policy, *, allow_changed: bool = False
) -> Gated:
    """Gate one run against another; raises Incomparable where they did not ask the same."""
    now, then = load_scores(candidate), load_scores(baseline)
    found = gate(now, then, policy, allow_changed=allow_changed)
    return found._replace(report=told(found.report, candidate, baseline))


def told(report: GateReport, candidate: Path, baseline: Path) -> GateReport:
    """Return the report with the texts of its flipped samples."""
    wanted = {(flip.place, flip.sample_id, flip.epoch) for flip in report.flips}
    return with_texts(report, texts(candidate, wanted).get, texts(baseline, wanted).get)


def texts(run: Path, wanted: set[SampleKey]) -> dict[SampleKey, SampleText]:
    """Return what some samples of a run asked and got."""
    found: dict[SampleKey, SampleText] = {}
    for row in read_rows(run, _TEXTS) if wanted else ():
        key = (Place(row["task"], row["arm"], row["variant"]), row["sample_id"], row["epoch"])
        if key in wanted:
            found[key] = SampleText(row["input"] or "", tuple(row["target"] or ()), _got(row))
    return found


def _got(row: Mapping[str, Any]) -> str:
    return str(row["error"] or row["answer"] or row["output"] or "")


def junit_cases(candidate: Path, aligned: Aligned) -> Iterator[Case]:
    """Yield every gated sample of the candidate, its repeats together."""
    # of several gated metrics a case tells the first
    first = first_metrics(aligned.pairs)
    scores = {place: _by_sample(item) for place, item in first.items()}
    signs = {place: 1.0 if item.higher_is_better else -1.0 for place, item in first.items()}
    gathered: dict[tuple[Place, str], list[dict[str, Any]]] = {}
    for row in read_rows(candidate, _TEXTS):
        place = Place(row["task"], row["arm"], row["variant"])
        if place in scores:
            gathered.setdefault((place, row["sample_id"]), []).append(row)
    for (place, sample_id), rows in gathered.items():
        pairs = [scores[place].get((sample_id, row["epoch"])) for row in rows]
        known = [pair for pair in pairs if pair is not None]
        yield Case(
            place=place,
            sample_id=sample_id,
            now=tuple(None if pair is None else signs[place] * pair[0] for pair in pairs),
            before=tuple(None if pair is None else signs[place] * pair[1] for pair in pairs),
            status=tuple(row["status"] for row in rows),
            lost=sum(pair[0] for pair in known) < sum(pair[1] for pair in known),
            input=rows[0]["input"] or "",
            target=tuple(rows[0]["target"] or ()),
            got=_got(rows[0]),
        )


def _by_sample(pairs: Any) -> dict[tuple[str, int], tuple[float, float]]:
    keys = zip(map(str, pairs.sample_id), map(int, pairs.epoch), strict=True)
    values = zip(map(float, pairs.candidate), map(float, pairs.baseline), strict=True)
    return dict(zip(keys, values, strict=True))


def task_files(tasks: Iterable[str], run: Path) -> dict[str, str]:
    """Return where tasks' files are, as seen from this folder; those not in it are left out."""
    recorded = read_json(run / RUN).get("tasks") or {}
    found = {}
    for task in tasks:
        path = Path((recorded.get(task) or {}).get("path") or f"tasks/{task}.yaml")
        if path.is_absolute() and path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        if not path.is_absolute() and path.is_file():
            found[task] = path.as_posix()
    return found


# ---- while it runs --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sequential:
    """What a gate that stops early is asked."""

    model: ModelSpec
    baseline: Path
    policy: Policy
    execution: Execution
    allow_changed: bool = False
    limit: int | None = None
    seed: int | None = None
    """Order of the samples; None: the baseline's."""


@dataclass
class SequentialDecider:
    """Implements pipeline.Decider, and pipeline.Observer to refuse before the first request."""

    baseline: RunScores
    policy: Policy
    watched: dict[Place, Watch]
    allow_changed: bool = False
    inner: pipeline.Observer | None = None
    notes: tuple[str, ...] = ()
    _tasks: dict[str, list[Watch]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, watch in self.watched.items():
            self._tasks.setdefault(place.task, []).append(watch)

    def started(self, directory: Path, planned: int) -> None:
        """Raise Incomparable where the plan asks other things than the baseline did."""
        asked = read_json(directory / SPEC)
        plan = msgspec.structs.replace(
            self.baseline,
            hashes=asked["tasks"],
            data_seed=(asked.get("spec") or {}).get("data_seed"),
        )
        found = differences(plan, self.baseline, self.policy)
        self.notes = refuse_unless_equal(found, allow_changed=self.allow_changed)
        if self.inner:
            self.inner.started(directory, planned)

    def stopping(self) -> None:
        """Pass on."""
        if self.inner:
            self.inner.stopping()

    def finished(self, failed: bool, usage: Usage) -> None:
        """Pass on."""
        if self.inner:
            self.inner.finished(failed, usage)

    def saw(self, sample: Sample, score: Score) -> None:
        """Take one scored sample."""
        watch = self.watched.get(Place(sample.task, sample.arm, sample.variant))
        if watch is not None:
            failed = score.status in ("error", "unjudged")
            watch.saw(
                Seen(
                    sample.sample_id,
                    sample.epoch,
                    sample.cluster or sample.sample_id,
                    None if failed else score.values.get(watch.metric),
                    score.status == "unparsed",
                )
            )

    def settled(self, task: str) -> bool:
        """Whether every question about a task is settled."""
        own = self._tasks.get(task)
        return bool(own) and all(watch.trial.settled for watch in own or ())


class SequentialResult(NamedTuple):
    """What a gate that stops early found, and the run it made."""

    report: GateReport
    aligned: Aligned
    result: pipeline.RunResult


def gate_sequentially(
    asked: Sequential, observer: pipeline.Observer | None = None
) -> SequentialResult:
    """Run the baseline's plan with another model, and stop each task once it is settled.

    Raises Incomparable before the first request where the tasks have changed, UsageError where a
    score is not within 0…1.
    """
    baseline = load_scores(asked.baseline)
    decider = decider_for(baseline, asked.policy)
    decider.allow_changed, decider.inner = asked.allow_changed, observer
    spec = plan_of(asked, decider)
    result = pipeline.run(spec, asked.execution, decider, decider)
    candidate = load_scores(result.directory)
    policy = asked.policy
    aligned = align(candidate, baseline, policy, allow_changed=True)
    ended = result.reason is None or result.reason.startswith("settled")
    verdicts = [conclude(watch, finished=ended) for watch in decider.watched.values() if watch.rows]
    held = checks(candidate, baseline, aligned.pairs, policy)
    whole = msgspec.structs.replace(candidate, complete=ended)
    report = report_of(
        Sides(whole, baseline), aligned._replace(notes=decider.notes), verdicts, held, policy
    )
    report = msgspec.structs.replace(report, sequential=True)
    return SequentialResult(told(report, result.directory, asked.baseline), aligned, result)


def decider_for(baseline: RunScores, policy: Policy) -> SequentialDecider:
    """Return what watches every task of a baseline that the policy gates."""
    # a baseline aligned with itself is a plan: which places, which metric, which scores
    plan = align(baseline, baseline, policy)
    if len({item.place for item in plan.pairs}) < len(plan.pairs):
        raise UsageError("--sequential settles one metric of a task; the policy gates several")
    known = {
        item.place: {
            key: Known(score[1], bool(unparsed))
            for (key, score), unparsed in zip(
                _by_sample(item).items(), item.unparsed_baseline, strict=True
            )
        }
        for item in plan.pairs
    }
    largest = {
        item.place: int(np.unique(item.cluster, return_counts=True)[1].max()) for item in plan.pairs
    }
    places = [(item.place, item.metric, item.higher_is_better) for item in plan.pairs]
    return SequentialDecider(baseline, policy, watches(places, known, largest, policy))


def plan_of(asked: Sequential, decider: SequentialDecider) -> RunSpec:
    """Return the baseline's plan for another model, with the tasks that are watched."""
    recorded = read_json(asked.baseline / SPEC)
    spec = msgspec.convert(recorded["spec"], RunSpec)
    tasks = dict.fromkeys(place.task for place in decider.watched)
    named = [(recorded["tasks"].get(task) or {}).get("path") or task for task in tasks]
    if not named:
        raise UsageError(f"{asked.baseline.name} has no task that can be gated")
    return msgspec.structs.replace(
        spec,
        tasks=tuple(named),
        model=asked.model,
        limit=asked.limit if asked.limit is not None else spec.limit,
        seed=spec.seed if asked.seed is None else asked.seed,
    )
