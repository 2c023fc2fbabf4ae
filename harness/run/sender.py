"""One request to one lasting answer: store first, then the model, with retries.

Identical requests in flight are sent once. Batching backends get full batches: requests wait
until a batch is full or the event loop has nothing else ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from harness.errors import BackendError, CacheMiss
from harness.identity import CounterRandom, request_hasher
from harness.protocols import Backend, ResponseStore
from harness.records import Failure, Reply, Request, Response
from harness.run.adaptive import AdaptiveLimit
from harness.run.policy import RetryPolicy

PUSH_BACK = (429, 503)
"""HTTP statuses by which a server says that it has too much to do."""
SETTLE_TURNS = 4
"""Turns of the event loop that a batch waits for more requests before it goes out."""


@dataclass(frozen=True, slots=True)
class SendRules:
    """How requests are sent."""

    connections: int | Literal["auto"]
    """Requests in flight at most; auto: found out while running."""
    retry: RetryPolicy
    require_cache: bool = False
    fresh: bool = False
    """Ask again even where an answer is stored; the new answer replaces it."""


class Sender:
    """Answers requests; holds the requests in flight while a run lasts."""

    def __init__(self, backend: Backend, store: ResponseStore | None, rules: SendRules) -> None:
        self._backend = backend
        self._store = None if getattr(backend, "bypass_store", False) else store
        self._rules = rules
        self._key = request_hasher(backend.identity())
        self._in_flight: dict[str, asyncio.Future[Reply]] = {}
        self._slots = Slots(rules.connections)
        self._batches = Batcher(backend) if backend.max_batch > 1 else None
        self._resume_at = 0.0
        self._asked: set[str] = set()

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
        if not self._rules.fresh or key in self._asked:
            stored = await self._store.get(key)
            if stored is not None:
                return stored
        if self._rules.require_cache:
            raise CacheMiss(
                f"--require-cache: no stored answer for a request of sample "
                f"{request.sample_id or '?'} (key {key})"
            )
        return await self._ask(request, key, self._store)

    async def _ask(self, request: Request, key: str, store: ResponseStore) -> Reply:
        """Ask the model, keep the answer, and give it to whoever else waits for the same."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = future
        try:
            reply = await self._attempts(request, key)
            if isinstance(reply, Response):
                await store.put(key, reply)
                if self._rules.fresh:
                    self._asked.add(key)
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
        attempt = 1
        while True:
            reply = await self._once(request)
            if isinstance(reply, Response):
                return msgspec.structs.replace(reply, attempts=attempt, request_key=key)
            if reply.fatal:
                raise BackendError(reply.message)
            draw = CounterRandom(attempt, key).random()
            delay = self._rules.retry.delay(reply, attempt, draw)
            if delay is None:
                return msgspec.structs.replace(reply, attempts=attempt)
            if reply.retry_after is not None:
                self._resume_at = max(self._resume_at, loop.time() + reply.retry_after)
            await asyncio.sleep(delay)
            attempt += 1

    async def _once(self, request: Request) -> Reply:
        if self._batches is not None:
            return await self._batches.answer(request)
        await self._slots.take()
        pushed_back = False
        try:
            pause = self._resume_at - asyncio.get_running_loop().time()
            if pause > 0:  # the server asked everybody to wait, not this request alone
                await asyncio.sleep(pause)
            reply = (await self._backend.answer((request,)))[0]
            pushed_back = isinstance(reply, Failure) and reply.status in PUSH_BACK
            return reply
        finally:
            self._slots.give(pushed_back=pushed_back)


class Slots:
    """Lets so many requests out at once: a fixed number, or one that adapts to the server."""

    def __init__(self, connections: int | Literal["auto"]) -> None:
        self._adaptive = AdaptiveLimit() if connections == "auto" else None
        self._fixed = 0 if connections == "auto" else connections
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """How many may be out now."""
        return self._adaptive.limit if self._adaptive else self._fixed

    async def take(self) -> None:
        """Return once there is room."""
        while self._taken >= self.limit:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            try:
                await future
            except asyncio.CancelledError:
                self._wake()  # the room that this one was given is another's
                raise
        self._taken += 1
        if self._adaptive:
            self._adaptive.sent(self._taken, asyncio.get_running_loop().time())

    def give(self, *, pushed_back: bool) -> None:
        """Give the room back, and say whether the server pushed back."""
        self._taken -= 1
        if self._adaptive:
            now = asyncio.get_running_loop().time()
            self._adaptive.answered(now, pushed_back=pushed_back)
        self._wake()

    def _wake(self) -> None:
        room = self.limit - self._taken
        while self._waiting and room > 0:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                room -= 1


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


def _settle(future: asyncio.Future[Reply], settle: Callable[..., None], value: object) -> None:
    if not future.done():  # a waiter that was cancelled wants no reply
        settle(value)


def _as_cached(reply: Reply) -> Reply:
    """Mark an answer that another sample paid for."""
    if isinstance(reply, Failure):
        return reply
    return msgspec.structs.replace(reply, cached=True)
