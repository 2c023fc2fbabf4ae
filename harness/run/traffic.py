"""Who may send now: slots of a server, its pauses, and the pace of a model on it.

All senders of a run share one `Traffic`, so that a judge on the same server as the model under
test counts against the same limits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from harness.identity import content_key
from harness.protocols import Backend
from harness.records import Reply, Request
from harness.run.adaptive import AdaptiveLimit
from harness.run.rate import Pace, Terms

LOOK_AGAIN_S = 1.0
"""A wait for the pace is looked at again so often: an answer may have set a guess right."""


class Slots:
    """Lets so many requests out at once: as many as the server takes, or at most a fixed number."""

    def __init__(self, connections: int | Literal["auto"]) -> None:
        auto = connections == "auto"
        self._adaptive = AdaptiveLimit() if auto else AdaptiveLimit.at_most(int(connections))
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """How many may be out now."""
        return self._adaptive.limit

    @property
    def in_a_row(self) -> int:
        """Refusals without an answer in between, from which on they are meant for everybody."""
        return self._adaptive.in_a_row

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
        self._adaptive.sent(self._taken, asyncio.get_running_loop().time())

    def give(self, *, pushed_back: bool, lately_all: bool = False) -> None:
        """Give the room back, and say whether the server pushed back, and to all of late."""
        self._taken -= 1
        now = asyncio.get_running_loop().time()
        self._adaptive.answered(now, pushed_back=pushed_back, lately_all=lately_all)
        self._wake()

    def _wake(self) -> None:
        room = self.limit - self._taken
        while self._waiting and room > 0:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                room -= 1


@dataclass(slots=True)
class Departure:
    """A request that has left for a server."""

    refused: bool = False
    """By push-back; False while it is under way."""


@dataclass
class Server:
    """One server: its slots, and until when it asked everybody to wait (time of the loop)."""

    slots: Slots
    resume_at: float = 0.0
    _lately: deque[Departure] = field(default_factory=deque)
    """The last requests that left, in this order. Refusals come sooner than answers, so in the
    order in which they come back some would always be in a row."""

    def left(self) -> Departure:
        """Take note of a request that leaves; whoever sent it says there if it was refused."""
        departure = Departure()
        self._lately.append(departure)
        while len(self._lately) > self.slots.in_a_row:
            self._lately.popleft()
        return departure

    @property
    def refuses_all(self) -> bool:
        """Whether each of the last few requests that left was refused."""
        return len(self._lately) >= self.slots.in_a_row and all(one.refused for one in self._lately)

    def pause_until(self, when: float) -> None:
        """Hold everybody back until then, where the server refuses one after the other.

        Where it answers others meanwhile, it asked one request to wait and not all.
        """
        if self.refuses_all:
            self.resume_at = max(self.resume_at, when)

    async def pause(self) -> None:
        """Return once the pause that the server asked for is over."""
        loop = asyncio.get_running_loop()
        while (left := self.resume_at - loop.time()) > 0:  # noqa: ASYNC110 - it may grow meanwhile
            await asyncio.sleep(left)


@dataclass
class Lane:
    """One model on one server."""

    server: Server
    terms: Terms
    pace: Pace = field(init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Start with full buckets."""
        self.pace = Pace(self.terms)

    def tighten(self, terms: Terms) -> None:
        """Keep the stricter of two terms: one model asked for two purposes has one allowance."""
        strictest = self.terms.strictest(terms)
        if strictest != self.terms:
            self.terms, self.pace = strictest, Pace(strictest)

    async def depart(self, request: Request) -> float:
        """Return, once the request may leave, the tokens taken for it: first come, first served."""
        await self.server.pause()
        if self.pace.free:
            return 0.0
        loop = asyncio.get_running_loop()
        async with self._turn:
            while (wait := self.pace.wait(loop.time())) > 0:  # noqa: ASYNC110 - only time tells
                await asyncio.sleep(min(wait, LOOK_AGAIN_S))
            return self.pace.take(request, loop.time())

    def arrived(self, taken: float, reply: Reply) -> None:
        """Take note of the answer."""
        self.pace.settle(taken, reply)


@dataclass
class Traffic:
    """The servers and models of one run; made by the run, shared by its senders."""

    connections: int | Literal["auto"]
    _servers: dict[str, Server] = field(default_factory=dict)
    _lanes: dict[str, Lane] = field(default_factory=dict)

    def lane(self, backend: Backend, terms: Terms) -> Lane:
        """Return the lane of a model; senders of one model on one server share it.

        Models in one process (no `base_url`) share nothing with each other.
        """
        identity = dict(backend.identity())
        address = str(identity.get("base_url") or content_key(identity))
        server = self._servers.setdefault(address, Server(Slots(self.connections)))
        model = content_key([address, identity.get("model"), backend.info.name])
        lane = self._lanes.setdefault(model, Lane(server, terms))
        lane.tighten(terms)
        return lane
