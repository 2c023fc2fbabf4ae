"""A task made ready to be asked: its rows read, its templates compiled, its plug-ins loaded.

Together with `pipeline.py`, which carries the run, this is where stages meet.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.errors import InvalidFile, UnknownName, UsageError
from harness.identity import CounterRandom
from harness.interact.ask import Asker
from harness.judge.metric import NAME as JUDGED
from harness.judging import NOBODY, Judges, assign
from harness.perturb.edit import speaks
from harness.plugins import BUILTIN, Kind, load
from harness.protocols import Backend, Extractor, Interaction, Metric, Perturbation
from harness.records import RunSpec, Sample
from harness.run.plan import plan_rows
from harness.score.arithmetic import explain
from harness.score.scorer import Scorer
from harness.summary import PRIMARY, Reading
from harness.task.catalogue import Selected, default_roots
from harness.task.effective import RenderOverrides, effective, hashes
from harness.task.render import Renderer
from harness.task.rows import RowSet, read_rows
from harness.task.spec import Named, TaskSpec, named
from harness.text.confidence import stated_confidence
from harness.text.extract import extractor

CALIBRATION = (
    "ece", "ece_null", "adaptive_ece", "brier", "log_score", "selective_accuracy_90",
    "selective_area", "confidence_auroc",
)  # fmt: skip
"""Added where the primary metric says right or wrong; blank where no confidence is stated."""
TEXTS = (
    "women_share", "gender_representation", "gender_by_profession", "gender_by_adjective",
    "origin_representation", "toxicity_lexicon",
)  # fmt: skip
"""Added to every task's own metrics; blank where no text is written, or none of their words."""
EFFICIENCY = (
    "prompt_tokens", "completion_tokens", "reasoning_tokens", "output_characters", "refused",
    "truncated", "latency_s", "latency_p50", "latency_p95", "tokens_per_second",
)  # fmt: skip
"""Added to every task's own metrics."""
PER_RIGHT_ANSWER = ("tokens_per_correct",)
"""Added where the primary metric says right or wrong."""

TRIED_OUT = 100
"""Samples of a task that are rendered before the first request goes out."""

_replace = msgspec.structs.replace


def _asked(sample: Sample) -> tuple[object, ...]:
    """Return what of a sample reaches the model."""
    return (sample.input, sample.choices, sample.shots, sample.messages, sample.system)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way in which a task's samples are put to the model."""

    name: str
    renderer: Renderer
    interaction: Interaction
    scorer: Scorer


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task, ready to be asked: its rows read, its templates compiled, its plug-ins loaded."""

    task: TaskSpec
    rows: RowSet
    arms: tuple[Arm, ...]
    perturbations: tuple[Perturbation, ...]
    metrics: tuple[Metric, ...]
    order: Sequence[int]
    """Numbers of rows, as they are asked."""
    hashes: Mapping[str, Any]
    judges: Judges = NOBODY

    @property
    def reading(self) -> Reading:
        """How this task's samples are summarised."""
        groups = {p.name: p.group for p in self.perturbations}
        return Reading(self.task.task, self.metrics, slices_of(self.task), groups)

    def try_out(self, spec: RunSpec) -> None:
        """Render the first samples; raises InvalidFile before anything is asked or paid for."""
        for _ in islice(self.samples(spec), TRIED_OUT):
            pass

    def size(self, epochs: int) -> int:
        """Return the number of samples × arms × variants × epochs."""
        return len(self.order) * len(self.arms) * (1 + len(self.perturbations)) * epochs

    def samples(self, spec: RunSpec) -> Iterator[tuple[Arm, Sample]]:
        """Render every sample of the plan, then its perturbed copies."""
        for row in self.order:
            for arm in self.arms:
                original = arm.renderer.sample(row)
                for sample in self._variants(original, spec.seed):
                    for epoch in range(spec.epochs):
                        yield arm, _replace(sample, epoch=epoch) if epoch else sample

    def _variants(self, original: Sample, seed: int) -> Iterator[Sample]:
        yield original
        for perturbation in self.perturbations:
            rng = CounterRandom(
                seed, "perturb", perturbation.name, perturbation.version, original.sample_id
            )
            copy = perturbation(original, rng)
            changed = _asked(copy) != _asked(original)
            yield _replace(copy, variant=perturbation.name, changed=changed)


def prepare(
    selected: Sequence[Selected], spec: RunSpec, backend: Backend
) -> tuple[list[Prepared], list[tuple[TaskSpec, str]]]:
    """Return the tasks made ready, and those the backend cannot do, with the reason.

    A task named outright that the backend cannot do is an error; one that came by a pattern is
    skipped.
    """
    ready: list[Prepared] = []
    skipped: list[tuple[TaskSpec, str]] = []
    loaded = [(item, item.load()) for item in selected]
    judges = assign([task for _, task in loaded], spec.judges)
    for item, task in loaded:
        mine = judges.get(task.task, NOBODY)
        unable = _lacking(task, backend)
        if unable and item.outright:
            raise UsageError(f"{task.task}: {spec.model.label} {unable}")
        if mine.lacking and item.outright:
            raise UsageError(f"{task.task} {mine.lacking}")
        lacking = unable or mine.lacking
        if lacking:
            skipped.append((task, lacking))
        else:
            ready.append(_prepare(task, spec, mine))
    if not ready:
        reasons = "; ".join(f"{task.task}: {reason}" for task, reason in skipped)
        raise UsageError(f"{spec.model.label} can run none of these tasks: {reasons}")
    return ready, skipped


def _lacking(task: TaskSpec, backend: Backend) -> str | None:
    """Return what the backend lacks for a task, and what would work; None where it can."""
    if task.method in ("rank", "perplexity") and "loglikelihood" not in backend.capabilities:
        twin = f"; {task.task}-choose asks the same of a chat model" * (task.method == "rank")
        return f"gives no log-likelihoods, which method {task.method} needs{twin}"
    if task.method in ("generate", "choose") and "generate" not in backend.capabilities:
        return f"writes no text, which method {task.method} needs"
    return None


def asker(task: TaskSpec, backend: Backend, *, tagged: bool = False) -> Asker:
    """Return what turns a task's samples into requests for a model.

    `tagged`: with the sample's name, for backends that look it up.
    """
    return Asker(
        chat="chat" in backend.capabilities,
        logprobs="logprobs" in backend.capabilities and _wants_logprobs(task),
        tools="tools" in backend.capabilities,
        tagged=tagged,
    )


def _wants_logprobs(task: TaskSpec) -> bool:
    """Only a task that names a calibration metric pays for log-probabilities of its text.

    None where the model states its confidence in words.
    """
    own = {named(item).name for item in task.metrics}
    stated = "stated_confidence" in own
    return task.method == "generate" and not stated and bool(own & set(CALIBRATION))


def _prepare(task: TaskSpec, spec: RunSpec, judges: Judges) -> Prepared:
    rows = read_rows(
        task,
        generator=lambda name: load("generator", name)(),
        overrides=spec.data,
        data_seed=spec.data_seed,
    )
    main = judges.main
    beside = tuple(one.judge.metric for one in judges.beside)
    metrics = metrics_of(task, judged=main is not None, beside=beside)
    names = [name for name in task.arm_names if name in spec.arms or not spec.arms]
    if not names:
        raise UnknownName(f"arm of {task.task}", ", ".join(spec.arms), task.arm_names)
    arms = tuple(_arm(task, rows, name, spec, metrics) for name in names)
    perturbations = [plugged("perturbation", item) for item in (*task.perturb, *spec.perturb)]
    fitting = {p.name: p for p in perturbations if speaks(p.languages, task.language)}
    return Prepared(
        task=task,
        rows=rows,
        arms=arms,
        perturbations=tuple(fitting.values()),
        metrics=metrics,
        order=array("Q", _order(task, rows, arms[0], spec)),
        hashes={
            **task_hashes(task, names, overrides_of(spec), main.hash if main else None),
            "data": rows.data_hash,
        },
        judges=judges,
    )


def task_hashes(
    task: TaskSpec, arms: Sequence[str], overrides: RenderOverrides, judge: str | None = None
) -> dict[str, Any]:
    """Return the hashes that must agree for two runs of a task to be comparable, by arm."""
    judged = {"judge": judge} if judge else {}
    return {
        "version": task.version,
        "path": _own_path(task),
        "arms": {arm: {**hashes(task, arm, overrides), **judged} for arm in arms},
    }


def _own_path(task: TaskSpec) -> str | None:
    """Return the path of a user's own task file; None for one that ships, found by its name."""
    path = Path(task.origin.path).resolve()
    shipped = any(path.is_relative_to(root.resolve()) for root in default_roots())
    return None if shipped else str(path)


def overrides_of(spec: RunSpec) -> RenderOverrides:
    """Return what the command line says over every task."""
    return RenderOverrides(shots=spec.shots, system=spec.system, generation=spec.generation)


def _order(task: TaskSpec, rows: RowSet, arm: Arm, spec: RunSpec) -> list[int]:
    clusters = [arm.renderer.cluster(row) for row in range(len(rows.rows))]
    if not spec.sample_ids:
        return plan_rows(clusters, spec.seed, spec.limit)
    found = [
        row
        for row in plan_rows(clusters, spec.seed)
        if rows.ids[row].startswith(tuple(spec.sample_ids))
    ]
    if not found:
        raise UsageError(f"{task.task} has no sample {', '.join(spec.sample_ids)}")
    return found


def _arm(
    task: TaskSpec, rows: RowSet, name: str, spec: RunSpec, metrics: tuple[Metric, ...]
) -> Arm:
    own = effective(task, name)
    arguments = named(own.interaction).args if own.interaction is not None else {}
    interaction: Interaction = load("interaction", own.interaction_name)
    return Arm(
        name=name,
        renderer=Renderer(
            task, rows, name, overrides_of(spec), protect=bool(task.perturb or spec.perturb)
        ),
        interaction=_with(interaction, arguments),
        scorer=scorer(own, metrics),
    )


def metrics_of(
    task: TaskSpec, *, judged: bool = False, beside: Sequence[str] = ()
) -> tuple[Metric, ...]:
    """Return the task's own metrics, the primary one first, then those measured always.

    `judged`: with the metric that a judge fills, where the task does not name it. `beside`: and
    those of judges that judge something else.
    """
    own = [_metric(task, item, f"metrics[{i}]") for i, item in enumerate(task.metrics)]
    shares = bool(own) and own[0].interval == "proportion"
    always: tuple[str, ...] = TEXTS + EFFICIENCY
    if shares:
        always = CALIBRATION + always + PER_RIGHT_ANSWER
    if judged and all(metric.name != JUDGED for metric in own):
        own.append(load("metric", JUDGED))
    found = {metric.name: metric for metric in own}
    for name in (*always, *beside):
        if name not in found:
            found[name] = load("metric", name)
    for metric in [*found.values()]:
        _with_columns(metric, found)
    return tuple(found.values())


def _with_columns(metric: Metric, found: dict[str, Metric]) -> None:
    """Add the metrics whose columns a metric of a whole set reads, and those that these read."""
    source = getattr(metric, "source", None)
    for name in (source, *getattr(metric, "needs", ())):
        if name is not None and name != PRIMARY and name not in found:
            found[name] = load("metric", name)
            _with_columns(found[name], found)


def _metric(task: TaskSpec, item: str | Named, key: str) -> Metric:
    part = named(item)
    if part.args:
        place = task.origin.place(key)
        raise InvalidFile("metrics take no arguments", **place, got=str(part.args))
    metric: Metric = load("metric", part.name)
    return metric


def scorer(task: TaskSpec, metrics: tuple[Metric, ...]) -> Scorer:
    """Return what scores the samples of a task (as one arm has it)."""
    default: dict[str, tuple[str, ...]] = {"choose": ("letter",), "generate": ("text",)}
    chain = task.extract or default.get(task.method, ())
    extractors = tuple(extractor_of(item) for item in chain)
    stored = tuple(one for one in metrics if getattr(one, "value", one) is not None)
    states = any(metric.name == "stated_confidence" for metric in metrics)
    return Scorer(
        method=task.method,
        extractors=extractors,
        metrics=stored,
        explain=explain if "arithmetic" in task.tags else None,
        stated=stated_confidence if states else None,
    )


def extractor_of(item: str | Named) -> Extractor:
    """Return the extractor that a task names: one of ours, or a plug-in's."""
    part = named(item)
    if part.name in BUILTIN["extractor"]:
        return extractor({part.name: part.args} if part.args else part.name)
    found = load("extractor", part.name)
    plugged_in: Extractor = found(**part.args) if part.args else found
    return plugged_in


def slices_of(task: TaskSpec) -> tuple[tuple[str, ...], ...]:
    """Return the task's slices; a single field is a cross of one."""
    return tuple((item,) if isinstance(item, str) else tuple(item) for item in task.slices)


def perturbation_groups(names: Iterable[str]) -> dict[str, Literal["robustness", "fairness"]]:
    """Return which HELM group each perturbation speaks for."""
    return {name: load("perturbation", name)().group for name in names}


def plugged(kind: Kind, item: str | Named) -> Any:
    """Return a plug-in made with the arguments that the task gives it."""
    part = named(item)
    return load(kind, part.name)(**part.args)


def _with(interaction: Interaction, arguments: Mapping[str, Any]) -> Interaction:
    if not arguments:
        return interaction
    return lambda sample, ask: interaction(sample, ask, **arguments)
