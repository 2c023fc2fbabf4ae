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
from harness.batching import answered
from harness.errors import ExitCode, UsageError, worst_exit
from harness.identity import content_key
from harness.interact.ask import sample_tag
from harness.judged import Bench, told
from harness.judging import NOBODY, Crew
from harness.known_models import Known, for_backend, known_models
from harness.opening import connections_of, open_backend
from harness.prepare import Prepared, asker, metrics_of, prepare
from harness.pricing import model_record, must_be_known, price_for
from harness.protocols import (
    Backend,
    Conversation,
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
from harness.run.policy import Budget, FailureWatch, Price, RetryPolicy, Usage
from harness.run.rate import UNLIMITED, terms_of
from harness.run.sender import Sender, SendRules
from harness.run.traffic import Traffic
from harness.store.columns import read_columns
from harness.store.manifest import (
    RUN,
    SCORES,
    RunDirectory,
    open_directory,
)
from harness.store.responses import SqliteResponses
from harness.store.table import SampleWriter
from harness.summary import Place, blank, summarise
from harness.task.catalogue import Catalogue
from harness.task.spec import TaskSpec

STORE = "responses.sqlite"


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
    known: Mapping[str, Known] | None = None,
) -> RunResult:
    """Carry out a run and return what it left behind.

    With a `decider`, a task ends as soon as it is settled; what was started is finished. `known`
    tells prices and facts of models; without it, models.yaml does. Raises HarnessError where
    nothing can be measured at all; a failed request is a record.
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
    found = known_models() if known is None else known
    if execution.max_cost is not None:
        must_be_known(price_for(spec.model, backend, found), spec.model, judge=False)
    with (
        SqliteResponses(root / STORE) as store,
        open_directory(root, spec.model.label, content, fresh=execution.fresh) as at,
    ):
        journey = _Journey(
            spec, execution, at, backend, store, live, found, decider, observer=observer
        )
        try:
            if observer:
                observer.started(at.path, planned)
            with answered(journey, execution, lambda: journey.asked(tasks)) as journey.backend:
                journey.go(tasks, observer)
        except BaseException:
            if not journey.asked_anything:
                at.discard()  # nothing was measured: leave no empty run behind
            raise
        return journey.conclude(tasks, skipped, planned)


def _content(spec: RunSpec, tasks: Sequence[Prepared], backend: Backend) -> dict[str, Any]:
    """Return what spec.json holds: all that decides what is measured, and no secret."""
    bare = _replace(spec, model=_replace(for_backend(spec.model), headers={}))
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
    known: Mapping[str, Known]
    decider: Decider | None = None
    executor: LocalExecutor | None = None
    bench: Bench | None = None
    observer: Observer | None = None
    scored: int = 0
    started: float = field(default_factory=time.time)
    """When, for people; how long is told by a clock that nobody sets."""
    began: float = field(default_factory=time.monotonic)
    traffic: Traffic = field(init=False)
    _price: Price | None = field(init=False)

    def __post_init__(self) -> None:
        """Make what all senders of the run share."""
        self.traffic = Traffic(self.execution.connections)
        self._price = self._price_of(self.spec.model, self.backend)

    @property
    def asked_anything(self) -> bool:
        """Whether there is something to go on from."""
        return bool(self.scored or (self.executor and self.executor.usage.requests))

    def asked(self, tasks: Sequence[Prepared]) -> Iterator[Conversation]:
        """Open every conversation of the plan, anew each time."""
        return (conversation for _, conversation in self._converse(tasks))

    def go(self, tasks: Sequence[Prepared], observer: Observer | None) -> None:
        """Put every sample of the plan to the model, score it and write it."""
        self.observer = observer
        self.store.begin(self.directory.path.name, fresh=self.execution.fresh)
        scorers = {(t.task.task, arm.name): arm.scorer for t in tasks for arm in t.arms}
        self.bench = Bench(
            {task.task.task: task.judges for task in tasks if task.judges != NOBODY},
            scorers,
            Crew(
                lambda model: open_backend(model, self.execution, {}),
                self.store,
                self._rules(),
                price=self._price_of,
            ),
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
            if self.live:
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
            ask = asker(task.task, self.backend, tagged=scripted)
            for arm, sample in task.samples(self.spec):
                if self.decider and self.decider.settled(task.task.task):
                    break
                if scripted:
                    self.live[sample_tag(sample)] = sample
                yield sample, arm.interaction(sample, ask)

    async def _drive(self, tasks: Sequence[Prepared], finished: Callable[[Outcome], None]) -> None:
        limits = Limits(
            Budget(self.execution.max_cost, self.execution.max_tokens_total),
            self.price(),
            FailureWatch(),
        )
        assert self.bench is not None
        connections = connections_of(self.execution)
        sender = Sender(self.backend, self.store, self._rules())
        workers = max(connections, 4 * self.backend.max_batch if self.backend.max_batch > 1 else 1)
        ahead = None
        if self.decider:  # what is asked or finished when a task is settled was asked for nothing
            workers = ahead = connections
        limits.also_spent = self.bench.crew.spent
        self.executor = LocalExecutor(sender, workers, limits, self.bench.settle, ahead)
        _interruptible(self.executor, self.observer)
        try:
            await self.executor.run(self._converse(tasks), finished)
        finally:
            await self.backend.close()
            await self.bench.crew.close()

    def _rules(self) -> SendRules:
        return SendRules(
            traffic=self.traffic,
            # batch jobs are not asked request by request
            terms=UNLIMITED if self.execution.batch else terms_of(self.spec.model),
            retry=RetryPolicy(max_attempts=self.execution.max_attempts),
            require_cache=self.execution.require_cache,
        )

    def price(self) -> Price | None:
        """Return what the model's tokens cost; None where that is not known."""
        return self._price

    def _price_of(self, model: ModelSpec, backend: Backend) -> Price | None:
        batch = self.execution.batch and model is self.spec.model
        price = price_for(model, backend, self.known, batch=batch)
        if self.execution.max_cost is not None:
            must_be_known(price, model, judge=model is not self.spec.model)
        return price

    def _cost(self, outcome: Outcome) -> float | None:
        if self._price is None:
            return None
        return sum(self._price.cost(exchange.response) for exchange in outcome.exchanges)

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
        assert self.bench is not None
        cells, judges = told(self.directory.path, cells, self.bench.record())
        self.directory.write(SCORES, {"cells": cells})
        done, usage = len(columns.task), self.executor.usage
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
            "model": model_record(self.spec.model, self.backend, self.known),
            "backend": {
                "identity": self.backend.identity(),
                "capabilities": sorted(self.backend.capabilities),
            },
            "seeds": {"seed": self.spec.seed, "data_seed": self.spec.data_seed},
            "usage": msgspec.to_builtins(usage),
            "evidence": provenance.evidence(usage.requests, usage.cached),
            **({"judges": judges} if judges else {}),
            **provenance.record(self.started, time.monotonic() - self.began),
        }
        self.directory.write(RUN, record)
        return RunResult(
            directory=self.directory.path,
            cells=cells,
            exit_code=self._exit_code(columns.status, stopped),
            status=status,
            reason=stopped,
            usage=usage,
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
