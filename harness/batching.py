"""A plan's requests answered by batch jobs, before the run reads the answers: `--batch`.

The plan is swept: every conversation is driven as far as stored and collected answers carry it, and
the requests that have no answer yet become the lines of batch jobs. When these have ended the plan
is swept again (second turns, and what failed in passing), until nothing is left to ask. Then the
run goes its usual way, with `Collected` in the place of the backend: each answer is taken from the
ledger, read as one that came directly, and committed to the response store under the same key.

Nothing is submitted twice: a part's tag is written down before its job is created and is in the
job's metadata, so that a process that was killed in between is survived by a job that can be found.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from harness.batch_jobs import JobRunner, LeftRunning, Pace
from harness.errors import BackendError, UsageError
from harness.identity import content_key, request_hasher
from harness.protocols import Backend, Conversation, ResponseStore
from harness.records import Execution, Failure, Reply, Request, Response
from harness.run.policy import Price
from harness.store.batches import BatchLedger, Draft
from harness.store.manifest import slug
from harness.store.responses import SqliteResponses

if TYPE_CHECKING:
    from harness.backend.openai.batch import OpenAIBatches

FOLDER = "batches"
"""Below the results root."""
MOST_REQUESTS = 50_000
MOST_BYTES = 190_000_000
"""OpenAI takes 50,000 requests and 200 MB a file."""
BYTES_PER_TOKEN = 3.0
"""For the estimate that --max-cost is held against; English has about 4, Chinese about 3."""
TURN = 256
"""Conversations between two looks at whether the user has had enough."""

_replace = msgspec.structs.replace


@dataclass(slots=True)
class Estimate:
    """What is about to be submitted, at most."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class BatchRules:
    """How a plan's requests are put into batch jobs."""

    max_attempts: int = 5
    """Jobs that one request may be in."""
    fresh: bool = False
    """Ask again what is stored."""
    tell: Callable[[str], None] = lambda _: None
    """Takes a line about how far it is."""
    check: Callable[[Estimate], None] = lambda _: None
    """Raises where what is about to be submitted may cost too much."""
    pace: Pace = field(default_factory=Pace)


def jobs_of(backend: Backend) -> OpenAIBatches:
    """Return a backend's batch jobs; raises `UsageError` where it has none."""
    make = getattr(backend, "batches", None)
    if make is None:
        raise UsageError(f"--batch: {backend.info.name} has no batch jobs; allowed: openai/NAME")
    jobs: OpenAIBatches = make()
    return jobs


class Plan(Protocol):
    """The run under way, as far as batch jobs need it."""

    backend: Backend
    store: SqliteResponses
    observer: Any

    def price(self) -> Price | None:
        """Return what the model's tokens cost; None where that is not known."""
        ...


@contextmanager
def answered(
    run: Plan, execution: Execution, conversations: Callable[[], Iterable[Conversation]]
) -> Iterator[Backend]:
    """Yield the backend that a run is to ask; with --batch, once batch jobs have answered it all.

    `conversations` opens those of the plan, anew each time.
    """
    if not execution.batch or execution.require_cache:
        yield run.backend
        return
    price = run.price()
    rules = BatchRules(
        max_attempts=execution.max_attempts,
        fresh=execution.fresh,
        tell=getattr(run.observer, "told", lambda _: None),
        check=ceiling(execution, price.cost if price else None),
    )
    with batched(run.backend, run.store, Path(execution.out), conversations, rules) as collected:
        yield collected


@contextmanager
def batched(
    backend: Backend,
    store: ResponseStore,
    root: Path,
    plan: Callable[[], Iterable[Conversation]],
    rules: BatchRules,
) -> Iterator[Collected]:
    """Have all requests of `plan()` answered, and yield a backend that hands the answers out.

    `plan` returns the conversations anew each time. After the block the answers handed out are
    dropped: they are in the store. Raises LeftRunning where the user interrupts.
    """
    identity = content_key(backend.identity())[:8]
    with BatchLedger(root / FOLDER / f"{slug(backend.info.name)}-{identity}") as ledger:
        batching = Batching(backend, jobs_of(backend), store, ledger, rules)
        asyncio.run(batching.fill(plan))
        collected = Collected(backend, batching)
        yield collected
        ledger.forget(collected.handed)


def ceiling(
    execution: Execution, cost: Callable[[Response], float] | None
) -> Callable[[Estimate], None]:
    """Return a check that what is about to be submitted stays within the limits of a run.

    A batch is paid for as a whole, so the limits are held against the most that it may use. Raises
    `UsageError`: nothing has been submitted then. `cost` is None where no price is known.
    """

    def check(estimate: Estimate) -> None:
        tokens = estimate.prompt_tokens + estimate.completion_tokens
        used = Response(
            prompt_tokens=estimate.prompt_tokens, completion_tokens=estimate.completion_tokens
        )
        dollars = cost(used) if cost is not None else 0.0
        over = [
            f"--max-tokens-total: up to about {tokens:,} tokens, allowed {most:,}"
            for most in (execution.max_tokens_total,)
            if most is not None and tokens > most
        ] + [
            f"--max-cost: up to about ${dollars:.2f}, allowed ${limit:.2f}"
            for limit in (execution.max_cost,)
            if limit is not None and dollars > limit
        ]
        if over:
            raise UsageError(
                f"{over[0]}: the batch of {estimate.requests:,} requests may use that much, and "
                "is not submitted; raise the limit, or take fewer samples (--limit) or shorter "
                "answers (-G max_tokens=…)"
            )

    return check


class Batching:
    """Sweeps a plan and has what it lacks answered. State: what this process has seen."""

    def __init__(
        self,
        backend: Backend,
        jobs: OpenAIBatches,
        store: ResponseStore,
        ledger: BatchLedger,
        rules: BatchRules,
    ) -> None:
        self._jobs, self._store, self._ledger, self._rules = jobs, store, ledger, rules
        self.key = request_hasher(backend.identity())
        self._wanted: set[str] = set()
        self._needed: set[str] = set()
        self._drafts: dict[str, list[Draft]] = {}
        self._estimate = Estimate()
        self._runner = JobRunner(jobs, ledger, rules.tell, rules.max_attempts, rules.pace)

    async def fill(self, plan: Callable[[], Iterable[Conversation]]) -> None:
        """Return once every request of the plan is answered, or given up."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            while await self._sweep(plan()):
                await self._runner.run(self._needed)
        except asyncio.CancelledError:
            raise LeftRunning(self._ledger.parts()) from None
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            await self._jobs.close()

    # ---- one sweep over the plan --------------------------------------------------------

    async def _sweep(self, conversations: Iterable[Conversation]) -> bool:
        """Write the requests that have no answer into parts; False where there are none."""
        self._wanted, self._needed, self._drafts = set(), set(), {}
        try:
            for i, conversation in enumerate(conversations):
                await self._advance(conversation)
                if i % TURN == 0:
                    await asyncio.sleep(0)
            drafts = [draft for some in self._drafts.values() for draft in some]
            if drafts:
                self._rules.check(self._estimate)
        except BaseException:
            for draft in (draft for some in self._drafts.values() for draft in some):
                draft.drop()
            raise
        self._needed |= {part.id for part in self._ledger.take(drafts)}
        return bool(self._needed)

    async def _advance(self, conversation: Conversation) -> None:
        """Drive one conversation as far as the answers go."""
        try:
            asked = next(conversation)
            while True:
                requests = (asked,) if isinstance(asked, Request) else asked
                replies = [await self._answered(request) for request in requests]
                if not all(isinstance(reply, Response) for reply in replies):
                    conversation.close()
                    return
                answers: Any = tuple(replies)
                asked = conversation.send(answers[0] if isinstance(asked, Request) else answers)
        except StopIteration:
            return

    async def _answered(self, request: Request) -> Reply | None:
        """Return the reply to a request; None where it has been put down to be asked."""
        key = self.key(request)
        if key in self._wanted:
            return None
        if not self._rules.fresh and (stored := await self._store.get(key)) is not None:
            return stored
        reply = self.collected(key, request)
        if reply is not None:
            return reply
        line = self._jobs.line(key, request)
        if isinstance(line, Failure):
            return line
        self._wanted.add(key)
        part = self._ledger.part_of(key)
        if part is not None:
            self._needed.add(part)
        else:
            self._put(key, request, *line)
        return None

    def collected(self, key: str, request: Request) -> Reply | None:
        """Return what batch jobs made of a request; None where it is to be asked (again).

        A failure that an earlier process met is none: a rerun asks again.
        """
        line, tries = self._ledger.answer(key)
        if line is None:
            if tries < self._rules.max_attempts:
                return None
            return Failure("timeout", f"{tries} batches ended without an answer", attempts=tries)
        try:
            reply = self._jobs.read(line, request)
        except BackendError:
            if tries:
                raise
            return None
        if isinstance(reply, Response):
            return _replace(reply, request_key=key)
        if not tries or (reply.retryable and tries < self._rules.max_attempts):
            return None
        if reply.fatal:
            raise BackendError(reply.message)
        return _replace(reply, retryable=False, attempts=tries)

    def refusal(self, key: str, request: Request) -> Failure | None:
        """Return why a request can be in no batch, or None."""
        line = self._jobs.line(key, request)
        return line if isinstance(line, Failure) else None

    def _put(self, key: str, request: Request, endpoint: str, line: bytes) -> None:
        drafts = self._drafts.setdefault(endpoint, [])
        last = drafts[-1] if drafts else None
        full = last is None or len(last.keys) >= MOST_REQUESTS
        if last is None or full or last.size + len(line) > MOST_BYTES:
            last = self._ledger.draft(endpoint)
            drafts.append(last)
        last.add(key, line)
        self._estimate.requests += 1
        self._estimate.prompt_tokens += round(len(line) / BYTES_PER_TOKEN)
        if request.kind == "generate":
            most = request.generation.max_tokens + self._jobs.thinking
            self._estimate.completion_tokens += most


class Collected:
    """A backend that hands out what batch jobs answered. State: which answers it has handed out."""

    max_batch = 1
    at_hand = True
    """No server is asked, so no rate needs to be kept."""

    def __init__(self, backend: Backend, batching: Batching) -> None:
        self._backend, self._batching = backend, batching
        self.capabilities, self.info = backend.capabilities, backend.info
        self.handed: set[str] = set()

    def identity(self) -> Any:
        """Return the model's own: how it was asked changes no answer."""
        return self._backend.identity()

    async def answer(self, requests: Iterable[Request]) -> list[Reply]:
        """Return the answer to each request, in order."""
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Reply:
        key = self._batching.key(request)
        reply = self._batching.collected(key, request)
        if reply is None:
            refused = self._batching.refusal(key, request)
            return refused or Failure("internal", "no batch job was asked this request")
        self.handed.add(key)
        return reply

    async def close(self) -> None:
        """Close the backend."""
        await self._backend.close()
