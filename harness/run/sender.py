"""One request to one lasting answer: store first, then the model, with retries.

Identical requests in flight are sent once. Batching backends get full batches: requests wait
until a batch is full or the event loop has nothing else ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from harness.errors import BackendError, CacheMiss
from harness.identity import CounterRandom, request_hasher
from harness.protocols import Backend, ResponseStore
from harness.records import Failure, Reply, Request, Response
from harness.run.policy import RetryPolicy
from harness.run.rate import UNLIMITED, Terms
from harness.run.traffic import Traffic

T = TypeVar("T")
PUSH_BACK = (429, 503)
"""HTTP statuses by which a server says that it has too much to do."""
SETTLE_TURNS = 4
"""Turns of the event loop that a batch waits for more requests before it goes out."""


@dataclass(frozen=True, slots=True)
class SendRules:
    """How requests are sent."""

    traffic: Traffic
    """Shared by all senders of a run."""
    retry: RetryPolicy
    terms: Terms = UNLIMITED
    """Of the model that is asked."""
    require_cache: bool = False


class Sender:
    """Answers requests; holds the requests in flight while a run lasts."""

    def __init__(self, backend: Backend, store: ResponseStore | None, rules: SendRules) -> None:
        self._backend = backend
        self._store = None if getattr(backend, "bypass_store", False) else store
        self._rules = rules
        self._key = request_hasher(backend.identity())
        self._in_flight: dict[str, asyncio.Future[Reply]] = {}
        terms = UNLIMITED if getattr(backend, "at_hand", False) else rules.terms
        self._lane = rules.traffic.lane(backend, terms)
        self._batches = Batcher(backend) if backend.max_batch > 1 else None

    async def send(self, request: Request) -> Reply:
        """Return the response, from the store where it is there, or the failure given up on.

        Raises BackendError where the model cannot be used at all.
        """
        key = self._key(request)
        if self._store is None:
            return await self._attempts(request, key)
        twin = self._in_flight.get(key)
        if twin is not None:
            return _as_cached(await asyncio.shield(twin))
        stored = await self._store.get(key)
        if stored is not None:
            return stored
        if self._rules.require_cache:
            raise CacheMiss(f"--require-cache: no stored answer for a request (key {key})")
        return await self._ask(request, key, self._store)

    async def _ask(self, request: Request, key: str, store: ResponseStore) -> Reply:
        """Ask the model, keep the answer, and give it to whoever else waits for the same."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = future
        try:
            reply = await self._attempts(request, key)
            if isinstance(reply, Response):
                await store.put(key, reply)
            future.set_result(reply)
        except BaseException as error:
            if isinstance(error, Exception):
                future.set_exception(error)
                future.exception()  # retrieved here: a twin may not be there to do so
            else:
                future.cancel()
            raise
        else:
            return reply
        finally:
            del self._in_flight[key]

    async def _attempts(self, request: Request, key: str) -> Reply:
        loop = asyncio.get_running_loop()
        left = self._rules.terms.deadline_s or float("inf")
        attempt = 1
        while True:
            reply, took = await self._once(request, left)
            if isinstance(reply, Response):
                return msgspec.structs.replace(reply, attempts=attempt, request_key=key)
            if reply.fatal:
                raise BackendError(reply.message)
            draw = CounterRandom(attempt, key).random()
            delay = self._rules.retry.delay(reply, attempt, draw)
            if delay is None or took + delay >= left:
                return msgspec.structs.replace(reply, attempts=attempt)
            if reply.retry_after is not None:
                self._lane.server.pause_until(loop.time() + reply.retry_after)
            await asyncio.sleep(delay)
            left -= took + delay
            attempt += 1

    async def _once(self, request: Request, left: float) -> tuple[Reply, float]:
        """Return the reply to one attempt and the seconds it took; queues do not count."""
        if self._batches is not None:
            return await _timed(self._batches.answer(request), left)
        server = self._lane.server
        await server.slots.take()
        pushed_back = False
        try:
            taken = await self._lane.depart(request)
            departure = server.left()
            replies, took = await _timed(self._backend.answer((request,)), left)
            reply = replies if isinstance(replies, Failure) else replies[0]
            self._lane.arrived(taken, reply)
            pushed_back = isinstance(reply, Failure) and reply.status in PUSH_BACK
            departure.refused = pushed_back
            return reply, took
        finally:
            lately_all = pushed_back and server.refuses_all
            server.slots.give(pushed_back=pushed_back, lately_all=lately_all)


class Batcher:
    """Gathers single requests into batches of at most `backend.max_batch`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._waiting: deque[tuple[Request, asyncio.Future[Reply]]] = deque()
        self._pump: asyncio.Task[None] | None = None

    async def answer(self, request: Request) -> Reply:
        """Return the reply to one request, computed in whatever batch comes."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._pump is None:
            self._pump = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                for _ in range(SETTLE_TURNS):
                    if len(self._waiting) >= self._backend.max_batch:
                        break
                    await asyncio.sleep(0)
                size = min(self._backend.max_batch, len(self._waiting))
                batch = [self._waiting.popleft() for _ in range(size)]
                await self._answer_batch(batch)
        finally:
            self._pump = None

    async def _answer_batch(self, batch: list[tuple[Request, asyncio.Future[Reply]]]) -> None:
        try:
            replies = await self._backend.answer([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to every waiter, which raises it
            for _, future in batch:
                _settle(future, future.set_exception, error)
            return
        for (_, future), reply in zip(batch, replies, strict=True):
            _settle(future, future.set_result, reply)


async def _timed(answer: Awaitable[T], left: float) -> tuple[T | Failure, float]:
    """Await an answer for at most the seconds `left`; return it and the seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    if left == float("inf"):
        return await answer, loop.time() - began
    try:
        async with asyncio.timeout(left):
            return await answer, loop.time() - began
    except TimeoutError:
        return Failure("timeout", "no answer within the deadline of all attempts"), left


def _settle(future: asyncio.Future[Reply], settle: Callable[..., None], value: object) -> None:
    if not future.done():  # a waiter that was cancelled wants no reply
        settle(value)


def _as_cached(reply: Reply) -> Reply:
    """Mark an answer that another sample paid for."""
    if isinstance(reply, Failure):
        return reply
    return msgspec.structs.replace(reply, cached=True)
