"""The whole story of a run, in one file. Read it first, top to bottom.

    task (rows, rendering) → perturb → interact ⇄ backend (through run) → score → judge ⇄ its own
    backend → store → summary

Stages know the core only; this module hands each what it needs of another. One sample's way:
`prepare` reads its row and compiles its task; `Prepared.samples` renders it, and perturbs copies;
`converse` opens its conversation; the executor drives that against the backend, by way of the
response store; `finished` scores the outcome and writes its row; `conclude` makes cells of rows.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from harness import provenance
from harness.errors import ExitCode, UsageError, worst_exit
from harness.identity import content_key
from harness.interact.ask import Asker, sample_tag
from harness.judging import Bench, Crew
from harness.known_models import Known, known_models, price_of, without_price
from harness.plugins import load
from harness.prepare import CALIBRATION, Prepared, metrics_of, prepare
from harness.protocols import (
    Backend,
    Conversation,
)
from harness.records import (
    Cell,
    Execution,
    ModelInfo,
    ModelSpec,
    Outcome,
    RunSpec,
    Sample,
    Score,
)
from harness.run.adaptive import MOST
from harness.run.local import Limits, LocalExecutor
from harness.run.policy import Budget, FailureWatch, Price, RetryPolicy, Usage
from harness.run.sender import Sender, SendRules
from harness.store.columns import read_columns
from harness.store.manifest import (
    RUN,
    SCORES,
    RunDirectory,
    find_run,
    open_directory,
    read_json,
)
from harness.store.recorded import recorded_responses
from harness.store.responses import SqliteResponses
from harness.store.table import SampleWriter
from harness.summary import Place, blank, summarise
from harness.task.catalogue import Catalogue
from harness.task.spec import TaskSpec, named

STORE = "responses.sqlite"
FREE = ("embedded", "scripted", "python", "replay", "hf", "llamacpp")
"""Backends that pay nobody for an answer."""
COMPUTED_HERE = ("embedded", "scripted", "python", "replay")
"""Providers that answer in this process."""


class Observer(Protocol):
    """Sees a run go by; the command line draws a progress display from it."""

    def started(self, directory: Path, planned: int) -> None:
        """Called once, before the first request."""
        ...

    def finished(self, failed: bool, usage: Usage) -> None:
        """Called for every sample."""
        ...

    def stopping(self) -> None:
        """Called when the user interrupts: what is in flight is still finished."""
        ...


class Decider(Protocol):
    """Ends a task before its plan does; the sequential gate is one. Pure, driven from here."""

    def saw(self, sample: Sample, score: Score) -> None:
        """Called for every scored sample, in the order of the plan."""
        ...

    def settled(self, task: str) -> bool:
        """Whether no further sample of a task is wanted."""
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


_replace = msgspec.structs.replace


# ---- a run, in order ------------------------------------------------------------------------


def run(
    spec: RunSpec,
    execution: Execution,
    observer: Observer | None = None,
    decider: Decider | None = None,
) -> RunResult:
    """Carry out a run and return what it left behind.

    With a `decider`, a task ends as soon as it is settled; what was started is finished. Raises
    HarnessError where nothing can be measured at all; a failed request is a record.
    """
    if execution.executor != "local":
        raise UsageError(f"--executor: allowed: local; got: {execution.executor}")
    root = Path(execution.out)
    live: dict[str, Sample] = {}
    backend = open_backend(spec.model, execution, live)
    tasks, skipped = prepare(Catalogue().resolve(spec.tasks), spec, backend)
    planned = sum(task.size(spec.epochs) for task in tasks)
    for task in tasks:
        task.try_out(spec)
    content = _content(spec, tasks, backend)
    with (
        SqliteResponses(root / STORE) as store,
        open_directory(root, spec.model.label, content, fresh=execution.fresh) as at,
    ):
        journey = _Journey(spec, execution, at, backend, store, live, decider)
        try:
            if observer:
                observer.started(at.path, planned)
            journey.go(tasks, observer)
        except BaseException:
            if not journey.scored:
                at.discard()  # nothing was measured: leave no empty run behind
            raise
        return journey.conclude(tasks, skipped, planned)


def open_backend(model: ModelSpec, execution: Execution, live: Mapping[str, Sample]) -> Backend:
    """Open the backend that a model spec names."""
    if model.base_url and model.provider in COMPUTED_HERE:
        raise UsageError(f"--base-url: {model.label} has no server; allowed with openai/NAME")
    opener = load("backend", model.provider)
    model = without_price(model)
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
    return {
        "lookup": recorded_responses(path).get,
        "identity": record["backend"]["identity"],
        "info": msgspec.convert(record["model"], ModelInfo),
        "capabilities": frozenset(record["backend"]["capabilities"]),
    }


def connections_of(execution: Execution) -> int:
    """Return how many requests may be in flight at the most."""
    return MOST if execution.connections == "auto" else execution.connections


def _content(spec: RunSpec, tasks: Sequence[Prepared], backend: Backend) -> dict[str, Any]:
    """Return what spec.json holds: all that decides what is measured, and no secret."""
    bare = _replace(spec, model=_replace(spec.model, headers={}))
    return {
        "spec": msgspec.to_builtins(bare),
        "backend": backend.identity(),
        "tasks": {task.task.task: dict(task.hashes) for task in tasks},
        "perturbations": {p.name: p.version for task in tasks for p in task.perturbations},
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
    decider: Decider | None = None
    executor: LocalExecutor | None = None
    bench: Bench | None = None
    observer: Observer | None = None
    scored: int = 0
    started: float = 0.0
    known: dict[str, Known] = field(default_factory=known_models)

    def go(self, tasks: Sequence[Prepared], observer: Observer | None) -> None:
        """Put every sample of the plan to the model, score it and write it."""
        self.started, self.observer = time.time(), observer
        scorers = {(t.task.task, arm.name): arm.scorer for t in tasks for arm in t.arms}
        self.bench = Bench(
            {task.task.task: task.judge for task in tasks if task.judge is not None},
            scorers,
            Crew(lambda model: open_backend(model, self.execution, {}), self.store, self._rules()),
            self.spec.model,
        )
        writer = SampleWriter(self.directory.samples, self._cost)

        def finished(outcome: Outcome) -> None:
            sample = outcome.sample
            assert self.bench is not None
            self.scored += 1
            score: Score = self.bench.score(outcome)
            writer.add(outcome, score)
            if self.decider:
                self.decider.saw(sample, score)
            self.live.pop(sample_tag(sample), None)
            if observer and self.executor:
                observer.finished(score.status == "error", self.executor.usage)

        try:
            asyncio.run(self._drive(tasks, finished))
        except asyncio.CancelledError:  # the second Ctrl-C
            writer.abandon()
            raise KeyboardInterrupt from None
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
                tools="tools" in self.backend.capabilities,
                tagged=scripted,
            )
            for arm, sample in task.samples(self.spec):
                if self.decider and self.decider.settled(task.task.task):
                    break
                if scripted:
                    self.live[sample_tag(sample)] = sample
                yield sample, arm.interaction(sample, ask)

    async def _drive(self, tasks: Sequence[Prepared], finished: Callable[[Outcome], None]) -> None:
        limits = Limits(
            Budget(self.execution.max_cost, self.execution.max_tokens_total),
            self._price(),
            FailureWatch(),
        )
        assert self.bench is not None
        connections = connections_of(self.execution)
        sender = Sender(self.backend, self.store, self._rules())
        workers = max(connections, 4 * self.backend.max_batch if self.backend.max_batch > 1 else 1)
        if self.decider:  # what is in flight when a task is settled was asked for nothing
            workers = connections
        limits.also_spent = self.bench.crew.spent
        self.executor = LocalExecutor(sender, workers, limits, self.bench.settle)
        _interruptible(self.executor, self.observer)
        try:
            await self.executor.run(self._converse(tasks), finished)
        finally:
            await self.backend.close()
            await self.bench.crew.close()

    def _rules(self) -> SendRules:
        return SendRules(
            connections=self.execution.connections,
            retry=RetryPolicy(max_attempts=self.execution.max_attempts),
            require_cache=self.execution.require_cache,
            fresh=self.execution.fresh,
        )

    def _price(self) -> Price | None:
        model = self.spec.model
        price = price_of(model, self.known, self.backend.identity().get("base_url"))
        if price is not None:
            return Price(price.prompt, price.out)
        if model.provider in FREE:
            return Price(0.0, 0.0)
        if self.execution.max_cost is not None:
            raise UsageError(
                f"--max-cost: the price of {self.spec.model.label} is not known; "
                "give -M price_in=… -M price_out=… (dollars per million tokens), or use "
                "--max-tokens-total"
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
        reached = set(columns.task)
        for ready in tasks:
            if ready.task.task not in reached:
                place = Place(ready.task.task, ready.arms[0].name, "original")
                reason = f"not reached: {self.executor.stopped or 'settled before'}"
                cells.append(blank(place, ready.metrics[0], reason))
        self.directory.write(SCORES, {"cells": cells})
        done = len(columns.task)
        stopped = self.executor.stopped
        if stopped is None and self.decider and done < planned:
            stopped = "settled: the sequential gate needed no more"
        status: Literal["complete", "partial"] = "complete" if done == planned else "partial"
        record = {
            "name": self.directory.path.name,
            "status": status,
            "reason": stopped,
            "planned": planned,
            "scored": done,
            "spec_hash": content_key(_content(self.spec, tasks, self.backend)),
            "tasks": {task.task.task: task.hashes for task in tasks},
            "model": self.backend.info,
            "backend": {
                "identity": self.backend.identity(),
                "capabilities": sorted(self.backend.capabilities),
            },
            "seeds": {"seed": self.spec.seed, "data_seed": self.spec.data_seed},
            "usage": msgspec.to_builtins(self.executor.usage),
            "evidence": "new" if self.executor.usage.requests else "replayed, not new evidence",
            **(self.bench.record() if self.bench else {}),
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
    """Only a task that names a calibration metric pays for log-probabilities of its text.

    None where the model states its confidence in words.
    """
    own = {named(item).name for item in task.metrics}
    stated = "stated_confidence" in own
    return task.method == "generate" and not stated and bool(own & set(CALIBRATION))


def _interruptible(executor: LocalExecutor, observer: Observer | None) -> None:
    """Ctrl-C once: finish what is in flight. Twice: stop now; what is stored stays stored."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def pressed() -> None:
        if executor.stopped is None:
            executor.stop("interrupted")
            if observer:
                observer.stopping()
        elif main is not None:
            main.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pressed)
