"""The whole story of a run, in one file. Read it first, top to bottom.

    task (rows, rendering) → perturb → interact ⇄ backend (through run) → score → store → summary

Stages know the core only; this module hands each what it needs of another. One sample's way:
`prepare` reads its row and compiles its task; `Prepared.samples` renders it, and perturbs copies;
`converse` opens its conversation; the executor drives that against the backend, by way of the
response store; `finished` scores the outcome and writes its row; `conclude` makes cells of rows.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from harness import provenance
from harness.errors import ExitCode, UnknownName, UsageError, worst_exit
from harness.identity import CounterRandom, content_key
from harness.interact.ask import Asker, sample_tag
from harness.perturb.edit import speaks
from harness.plugins import BUILTIN, Kind, load
from harness.protocols import (
    Backend,
    Conversation,
    Extractor,
    Interaction,
    Metric,
    Perturbation,
)
from harness.records import (
    Cell,
    Execution,
    ModelSpec,
    Outcome,
    RunSpec,
    Sample,
    Score,
)
from harness.run.local import Limits, LocalExecutor
from harness.run.plan import plan_rows
from harness.run.policy import Budget, FailureWatch, Price, RetryPolicy, Usage
from harness.run.sender import Sender, SendRules
from harness.score.scorer import Scorer
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SCORES, RunDirectory, open_directory
from harness.store.responses import SqliteResponses
from harness.store.table import SampleWriter
from harness.summary import Place, Reading, blank, summarise
from harness.task.catalogue import Catalogue, Selected
from harness.task.effective import RenderOverrides, effective, hashes
from harness.task.render import Renderer
from harness.task.rows import RowSet, read_rows
from harness.task.spec import Named, TaskSpec, named
from harness.text.extract import extractor

STORE = "responses.sqlite"
ALWAYS_MEASURED = ("ece", "brier", "prompt_tokens", "completion_tokens", "latency_s")
"""Metrics that are added to every task's own; blank where they do not apply."""


class Observer(Protocol):
    """Sees a run go by; the command line draws a progress display from it."""

    def started(self, directory: Path, planned: int) -> None:
        """Called once, before the first request."""
        ...

    def finished(self, failed: bool, usage: Usage) -> None:
        """Called for every sample."""
        ...


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left behind."""

    directory: Path
    cells: list[Cell]
    exit_code: ExitCode
    status: Literal["complete", "partial"]
    reason: str | None
    usage: Usage
    planned: int


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
    order: tuple[int, ...]
    hashes: Mapping[str, Any]

    @property
    def reading(self) -> Reading:
        """How this task's samples are summarised."""
        groups = {p.name: p.group for p in self.perturbations}
        return Reading(self.task.task, self.metrics, slices_of(self.task), groups)

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
            yield _replace(perturbation(original, rng), variant=perturbation.name)


_replace = msgspec.structs.replace


# ---- a run, in order ------------------------------------------------------------------------


def run(spec: RunSpec, execution: Execution, observer: Observer | None = None) -> RunResult:
    """Carry out a run and return what it left behind.

    Raises HarnessError where nothing can be measured at all; a failed request is a record.
    """
    root = Path(execution.out)
    live: dict[str, Sample] = {}
    backend = open_backend(spec.model, execution, live)
    tasks, skipped = prepare(Catalogue().resolve(spec.tasks), spec, backend)
    planned = sum(task.size(spec.epochs) for task in tasks)
    with (
        SqliteResponses(root / STORE) as store,
        open_directory(root, spec.model.label, _content(spec, tasks), fresh=execution.fresh) as at,
    ):
        journey = _Journey(spec, execution, at, backend, store, live)
        if observer:
            observer.started(at.path, planned)
        journey.go(tasks, observer)
        return journey.conclude(tasks, skipped, planned)


def open_backend(model: ModelSpec, execution: Execution, live: Mapping[str, Sample]) -> Backend:
    """Open the backend that a model spec names."""
    opener = load("backend", model.provider)
    if model.provider == "scripted":
        backend: Backend = opener(model.name, model.arguments, live.__getitem__)
    elif model.provider == "openai":
        backend = opener(
            model, timeout_s=execution.timeout_s, connections=connections_of(execution)
        )
    elif model.provider == "python":
        backend = opener(
            model.name, model.arguments, connections=connections_of(execution)
        )
    else:
        backend = opener(model)
    return backend


def connections_of(execution: Execution) -> int:
    """Return how many requests may be in flight."""
    return 64 if execution.connections == "auto" else execution.connections


def prepare(
    selected: Sequence[Selected], spec: RunSpec, backend: Backend
) -> tuple[list[Prepared], list[tuple[TaskSpec, str]]]:
    """Return the tasks made ready, and those the backend cannot do, with the reason.

    A task named outright that the backend cannot do is an error; one that came by a pattern is
    skipped.
    """
    ready: list[Prepared] = []
    skipped: list[tuple[TaskSpec, str]] = []
    for item in selected:
        task = item.load()
        lacking = _lacking(task, backend)
        if lacking and item.outright:
            raise UsageError(f"{task.task}: {spec.model.label} {lacking}")
        if lacking:
            skipped.append((task, lacking))
        else:
            ready.append(_prepare(task, spec))
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


def _prepare(task: TaskSpec, spec: RunSpec) -> Prepared:
    rows = read_rows(
        task,
        generator=lambda name: load("generator", name)(),
        overrides=spec.data,
        data_seed=spec.data_seed,
    )
    metrics = metrics_of(task)
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
        order=tuple(_order(task, rows, arms[0], spec)),
        hashes={**task_hashes(task, names, overrides_of(spec)), "data": rows.data_hash},
    )


def task_hashes(
    task: TaskSpec, arms: Sequence[str], overrides: RenderOverrides
) -> dict[str, Any]:
    """Return the hashes that must agree for two runs of a task to be comparable, by arm."""
    return {
        "version": task.version,
        "path": None if task.origin.path.startswith("tasks") else task.origin.path,
        "arms": {arm: hashes(task, arm, overrides) for arm in arms},
    }


def overrides_of(spec: RunSpec) -> RenderOverrides:
    """Return what the command line says over every task."""
    return RenderOverrides(shots=spec.shots, system=spec.system, generation=spec.generation)


def _order(task: TaskSpec, rows: RowSet, arm: Arm, spec: RunSpec) -> list[int]:
    clusters = [arm.renderer.cluster(row) for row in range(len(rows.rows))]
    order = plan_rows(clusters, spec.seed, spec.limit)
    if not spec.sample_ids:
        return order
    wanted = set(spec.sample_ids)
    found = [row for row in order if rows.ids[row] in wanted]
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
        renderer=Renderer(task, rows, name, overrides_of(spec)),
        interaction=_with(interaction, arguments),
        scorer=scorer(own, metrics),
    )


def metrics_of(task: TaskSpec) -> tuple[Metric, ...]:
    """Return the task's own metrics, the primary one first, then those measured always."""
    own = [named(item).name for item in task.metrics]
    return tuple(load("metric", name) for name in dict.fromkeys((*own, *ALWAYS_MEASURED)))


def scorer(task: TaskSpec, metrics: tuple[Metric, ...]) -> Scorer:
    """Return what scores the samples of a task (as one arm has it)."""
    default: dict[str, tuple[str, ...]] = {"choose": ("letter",), "generate": ("text",)}
    chain = task.extract or default.get(task.method, ())
    return Scorer(task.method, tuple(extractor_of(item) for item in chain), metrics)


def extractor_of(item: str | Named) -> Extractor:
    """Return the extractor that a task names: one of ours, or a plug-in's."""
    part = named(item)
    if part.name in BUILTIN["extractor"]:
        return extractor({part.name: part.args} if part.args else part.name)
    found: Extractor = load("extractor", part.name)
    return found(**part.args) if part.args else found  # type: ignore[call-arg, return-value]


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
    return lambda sample, ask: interaction(sample, ask, **arguments)  # type: ignore[call-arg]


def _content(spec: RunSpec, tasks: Sequence[Prepared]) -> dict[str, Any]:
    """Return what spec.json holds: all that decides what is measured, and no secret."""
    bare = _replace(spec, model=_replace(spec.model, headers={}))
    return {
        "spec": msgspec.to_builtins(bare),
        "tasks": {task.task.task: dict(task.hashes) for task in tasks},
        "perturbations": {
            f"{p.name}": p.version for task in tasks for p in task.perturbations
        },
    }


# ---- the journey of the samples -------------------------------------------------------------


@dataclass
class _Journey:
    """One run under way: what is open while samples travel."""

    spec: RunSpec
    execution: Execution
    directory: RunDirectory
    backend: Backend
    store: SqliteResponses
    live: dict[str, Sample]
    executor: LocalExecutor | None = None
    started: float = 0.0

    def go(self, tasks: Sequence[Prepared], observer: Observer | None) -> None:
        """Put every sample of the plan to the model, score it and write it."""
        self.started = time.time()
        writer = SampleWriter(self.directory.samples, self._cost)
        scorers = {(t.task.task, arm.name): arm.scorer for t in tasks for arm in t.arms}

        def finished(outcome: Outcome) -> None:
            sample = outcome.sample
            score: Score = scorers[sample.task, sample.arm](outcome)
            writer.add(outcome, score)
            self.live.pop(sample_tag(sample), None)
            if observer and self.executor:
                observer.finished(score.status == "error", self.executor.usage)

        try:
            asyncio.run(self._drive(tasks, finished))
        except BaseException:
            writer.abandon()
            raise
        writer.close()

    def _converse(self, tasks: Sequence[Prepared]) -> Iterator[tuple[Sample, Conversation]]:
        scripted = self.spec.model.provider == "scripted"
        for task in tasks:
            ask = Asker(
                chat="chat" in self.backend.capabilities,
                logprobs="logprobs" in self.backend.capabilities and _wants_logprobs(task.task),
                tagged=scripted,
            )
            for arm, sample in task.samples(self.spec):
                if scripted:
                    self.live[sample_tag(sample)] = sample
                yield sample, arm.interaction(sample, ask)

    async def _drive(
        self, tasks: Sequence[Prepared], finished: Callable[[Outcome], None]
    ) -> None:
        limits = Limits(
            Budget(self.execution.max_cost, self.execution.max_tokens_total),
            self._price(),
            FailureWatch(),
        )
        connections = connections_of(self.execution)
        rules = SendRules(
            connections=connections,
            retry=RetryPolicy(max_attempts=self.execution.max_attempts),
            require_cache=self.execution.require_cache,
            fresh=self.execution.fresh,
        )
        sender = Sender(self.backend, self.store, rules)
        workers = max(connections, 4 * self.backend.max_batch if self.backend.max_batch > 1 else 1)
        self.executor = LocalExecutor(sender, workers, limits)
        _interruptible(self.executor)
        try:
            await self.executor.run(self._converse(tasks), finished)
        finally:
            await self.backend.close()

    def _price(self) -> Price | None:
        price = self.spec.model.arguments
        if self.spec.model.provider in ("embedded", "scripted", "python", "replay"):
            return Price(0.0, 0.0)
        if self.execution.max_cost is not None and "price_in" not in price:
            raise UsageError(
                f"--max-cost: the price of {self.spec.model.label} is not known; "
                "use --max-tokens-total"
            )
        return None

    def _cost(self, outcome: Outcome) -> float | None:
        price = self._price()
        if price is None:
            return None
        return sum(price.cost(exchange.response) for exchange in outcome.exchanges)

    def conclude(
        self,
        tasks: Sequence[Prepared],
        skipped: Sequence[tuple[TaskSpec, str]],
        planned: int,
    ) -> RunResult:
        """Make cells of the rows, and write scores.json and, last, run.json."""
        assert self.executor is not None
        columns = read_columns(self.directory.samples)
        cells = summarise(columns, [task.reading for task in tasks])
        for task, reason in skipped:
            metric = metrics_of(task)[0]
            cells.append(blank(Place(task.task, "default", "original"), metric, reason))
        self.directory.write(SCORES, {"cells": cells})
        done = len(columns.task)
        stopped = self.executor.stopped
        status: Literal["complete", "partial"] = "complete" if done == planned else "partial"
        record = {
            "name": self.directory.path.name,
            "status": status,
            "reason": stopped,
            "planned": planned,
            "scored": done,
            "spec_hash": content_key(_content(self.spec, tasks)),
            "tasks": {task.task.task: task.hashes for task in tasks},
            "model": self.backend.info,
            "seeds": {"seed": self.spec.seed, "data_seed": self.spec.data_seed},
            "usage": msgspec.to_builtins(self.executor.usage),
            "evidence": "new" if self.executor.usage.requests else "replayed, not new evidence",
            **provenance.record(self.started),
        }
        self.directory.write(RUN, record)
        return RunResult(
            directory=self.directory.path,
            cells=cells,
            exit_code=self._exit_code(columns.status, stopped),
            status=status,
            reason=stopped,
            usage=self.executor.usage,
            planned=planned,
        )

    def _exit_code(self, status: Any, stopped: str | None) -> ExitCode:
        codes = [ExitCode.OK]
        failed = float((status == "error").mean()) if len(status) else 0.0
        if failed > self.execution.max_failures or (stopped or "").startswith("failing"):
            codes.append(ExitCode.INFRASTRUCTURE)
        if (stopped or "").startswith("budget"):
            codes.append(ExitCode.BUDGET)
        if stopped == "interrupted":
            codes.append(ExitCode.INTERRUPTED)
        return worst_exit(codes)


def _wants_logprobs(task: TaskSpec) -> bool:
    """Only a task that names a calibration metric pays for log-probabilities of its text."""
    own = (load("metric", named(item).name) for item in task.metrics)
    return task.method == "generate" and any(metric.group == "calibration" for metric in own)


def _interruptible(executor: LocalExecutor) -> None:
    """Ctrl-C once: finish what is in flight. Twice: stop now; what is stored stays stored."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def pressed() -> None:
        if executor.stopped is None:
            executor.stop("interrupted")
        elif main is not None:
            main.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pressed)
