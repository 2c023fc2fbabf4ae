"""The local executor: one asyncio loop, bounded memory, outcomes in the order of the plan.

A fixed number of workers each drive one conversation at a time, so that at most that many samples
are live. Outcomes are handed over in plan order: what is handed over is always an unbroken
prefix of the plan, whatever stops the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from harness.errors import HarnessError
from harness.protocols import Conversation
from harness.records import Exchange, Failure, Outcome, Request, Response, Sample, Transcript
from harness.run.policy import Budget, FailureWatch, Price, Usage
from harness.run.sender import Sender

REORDER_WINDOW = 4096
"""Samples that may be finished ahead of the slowest one before the others wait for it."""

BREATH = 64
"""Samples between two turns of the event loop, at most: Ctrl-C is seen there."""

StopReason = str


@dataclass(slots=True)
class Limits:
    """What ends a run before its plan does."""

    budget: Budget = field(default_factory=Budget)
    price: Price | None = None
    watch: FailureWatch = field(default_factory=FailureWatch)
    also_spent: Callable[[], Usage] | None = None
    """What is spent beside the executor's own usage, and counts against the budget: judges."""


class LocalExecutor:
    """Implements protocols.Executor on one event loop.

    After `run`, `usage` says what was spent and `stopped` why the run ended early, if it did:
    'interrupted', 'budget: …' or 'failing: …'.
    """

    def __init__(
        self,
        sender: Sender,
        workers: int,
        limits: Limits | None = None,
        settle: Callable[[Outcome], Awaitable[None]] | None = None,
        ahead: int | None = None,
    ) -> None:
        """`settle` is awaited for each outcome before it is handed over: a judge's turn.

        `ahead`: samples that may be finished before one that is still out, such as one that a
        failing server has to be asked again and again for. Where outcomes decide how far the plan
        goes, fewer than `ahead + workers` samples are then asked beyond the one that decides.
        """
        self._settle = settle
        self._sender = sender
        self._workers = workers
        self._ahead = max(REORDER_WINDOW, 4 * workers) if ahead is None else ahead
        self._limits = limits or Limits()
        self.usage = Usage()
        self.stopped: StopReason | None = None
        self.live = 0

    def stop(self, reason: StopReason) -> None:
        """Start no more samples; those in flight are finished."""
        if self.stopped is None:
            self.stopped = reason

    async def run(
        self,
        conversations: Iterable[tuple[Sample, Conversation]],
        finished: Callable[[Outcome], None],
    ) -> None:
        """Drive all conversations and call `finished(outcome)` for each, in the order given.

        Raises what makes the whole run impossible (BackendError, StoreError, CacheMiss); what
        was handed over before stays valid.
        """
        plan = enumerate(conversations)
        window = _Reorder(finished, self._ahead)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._work(plan, window))
        except* HarnessError as errors:
            raise _first(errors) from None

    async def _work(
        self, plan: Iterator[tuple[int, tuple[Sample, Conversation]]], window: _Reorder
    ) -> None:
        while True:
            await window.room()
            item = next(plan, None) if self.stopped is None else None
            if item is None:
                return
            index, (sample, conversation) = item
            self.live += 1
            try:
                outcome = await self.converse(sample, conversation)
                if self._settle is not None:
                    await self._settle(outcome)
            finally:
                self.live -= 1
            self._check(outcome)
            window.put(index, outcome)
            if index % BREATH == 0:  # where every answer is stored nothing else lets the loop run
                await asyncio.sleep(0)

    async def converse(self, sample: Sample, conversation: Conversation) -> Outcome:
        """Drive one conversation to its end."""
        exchanges: list[Exchange] = []
        try:
            asked = next(conversation)
            while True:
                replies = await self._answer(asked)
                for request, reply in zip(_as_tuple(asked), replies, strict=True):
                    if isinstance(reply, Failure):
                        conversation.close()
                        return Outcome(sample, tuple(exchanges), failure=reply)
                    exchanges.append(Exchange(request, reply))
                answers = cast("tuple[Response, ...]", replies)
                asked = conversation.send(answers[0] if isinstance(asked, Request) else answers)
        except StopIteration as stop:
            return Outcome(sample, tuple(exchanges), transcript=cast("Transcript", stop.value))

    async def _answer(self, asked: Request | tuple[Request, ...]) -> tuple[Response | Failure, ...]:
        if isinstance(asked, Request):
            replies: tuple[Response | Failure, ...] = (await self._sender.send(asked),)
        else:
            replies = tuple(await asyncio.gather(*(self._sender.send(one) for one in asked)))
        for reply in replies:
            if isinstance(reply, Response):
                self.usage.add(reply, self._limits.price)
            else:
                self.usage.fail(reply)
        return replies

    def _check(self, outcome: Outcome) -> None:
        watch = self._limits.watch
        watch.saw(failed=outcome.failure is not None)
        if watch.hopeless and outcome.failure is not None:
            self.stop(
                f"failing: {watch.streak_limit} samples in a row failed; "
                f"the last with {outcome.failure.kind}: {outcome.failure.message}"
            )
        if self._limits.budget.endless:
            return
        others = self._limits.also_spent() if self._limits.also_spent else None
        met = self._limits.budget.reached(self.usage.with_tokens_of(others))
        if met is not None:
            self.stop(f"budget: {met}")


class _Reorder:
    """Hands outcomes over in order; makes workers wait while too many are held back."""

    def __init__(self, emit: Callable[[Outcome], None], size: int) -> None:
        self._emit, self._size = emit, size
        self._held: dict[int, Outcome] = {}
        self._next = 0
        self._moved = asyncio.Event()

    async def room(self) -> None:
        """Return once a further sample may start."""
        while len(self._held) >= self._size:
            self._moved.clear()
            await self._moved.wait()

    def put(self, index: int, outcome: Outcome) -> None:
        """Take one outcome and hand over all that are now in turn."""
        self._held[index] = outcome
        while (ready := self._held.pop(self._next, None)) is not None:
            self._next += 1
            self._emit(ready)
        self._moved.set()


def _as_tuple(asked: Request | tuple[Request, ...]) -> tuple[Request, ...]:
    return (asked,) if isinstance(asked, Request) else asked


def _first(errors: BaseExceptionGroup[HarnessError]) -> HarnessError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return cast("HarnessError", error)
