"""Many items put before judges: at once, within a budget, counted beforehand.

Beside `judging.py` a composition; `auditing.py` and `calibrating.py` stand on it. What is asked is
stored as ever, so the same command goes on where it was stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from msgspec import Struct

from harness.errors import HarnessError
from harness.identity import content_key
from harness.judge.item import Item
from harness.judge.modes import Judged, Seat, judge
from harness.judge.spec import JudgeSpec
from harness.judging import Assigned, Crew
from harness.protocols import Backend
from harness.records import Request
from harness.run.policy import Budget, FailureWatch, Usage
from harness.run.rate import CHARACTERS_PER_TOKEN

AT_ONCE = 64
"""Items under way at most, where nothing else is said."""
BATCHES_AHEAD = 2
MUTE = 200
"""So many items in a row without a verdict, and a judge is not asked any further."""
UNREACHED = {"rate_limit", "server", "timeout", "connection", "malformed", "internal"}
"""Kinds of failed requests that say nothing of the judge."""
MOST_FAILED = 0.05
"""Share of unreached items above which what was found is of no use."""
Progress = Callable[[int, int], None]


class Case(Struct, frozen=True):
    """An item before a judge."""

    judge: JudgeSpec
    item: Item
    repeat: int = 0


@dataclass
class Hearing:
    """Puts cases before one judge's models until they are done or a limit is met."""

    assigned: Assigned
    crew: Crew
    budget: Budget = field(default_factory=Budget)
    progress: Progress | None = None
    at_once: int = AT_ONCE
    stopped: str | None = None
    """Why it ended early: 'budget: …', 'failing: …' or 'mute: …'."""
    _watch: FailureWatch = field(default_factory=FailureWatch)
    _last: str = ""
    """Why the last request failed that did."""
    _mute: FailureWatch = field(default_factory=lambda: FailureWatch(MUTE))

    async def hear(self, cases: Sequence[Case]) -> list[Judged | None]:
        """Return what was judged of each case; None for one that was not reached.

        Raises what makes all of it impossible (BackendError, StoreError, CacheMiss).
        """
        plan = iter(enumerate(cases))
        out: list[Judged | None] = [None] * len(cases)
        done = 0

        async def work() -> None:
            nonlocal done
            for number, case in plan:
                if self.over():
                    return
                out[number] = await self.one(case)
                done += 1
                if self.progress:
                    self.progress(done, len(cases))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.at_once, len(cases))):
                    group.create_task(work())
        except* HarnessError as errors:
            raise _first(errors) from None
        if self.stopped is None and self._watch.share() > MOST_FAILED:
            watch = self._watch
            self.stopped = f"failing: {watch.failed} of {watch.finished} items failed; {self._last}"
        return out

    async def one(self, case: Case) -> Judged:
        """Return what was judged of one case."""
        found = await self.crew.judge(seated(self.assigned, case.judge), case.item, case.repeat)
        none = found.value is None
        unreached = none and _failed(found)
        self._last = str(found.reason) if unreached else self._last
        self._watch.saw(failed=unreached)
        self._mute.saw(failed=none)
        if self.stopped is None:
            if self._watch.hopeless:
                streak = self._watch.streak_limit
                self.stopped = f"failing: {streak} items in a row failed; {self._last}"
            elif self._mute.hopeless:
                told = f"{MUTE} items in a row brought no verdict; the last: {found.reason}"
                self.stopped = f"mute: {told}"
        return found

    def spent(self) -> Usage:
        """Return what was sent and spent; what was only replayed cost nothing."""
        usage = self.crew.spent()
        if not usage.requests:
            usage.cost_usd = 0.0
        return usage

    def samples_levels(self) -> bool:
        """Return whether levels are drawn by sampling, for want of log-likelihoods."""
        seats = [one for one in self.assigned.seats if one[1].mode == "expected"]
        name = self.assigned.judge.name
        backends = (self.crew.executor(model, name)[0] for _, _, model in seats)
        return any("loglikelihood" not in backend.capabilities for backend in backends)

    def over(self) -> bool:
        """Return whether nothing more may be asked."""
        if self.stopped is None:
            met = self.budget.reached(self.crew.spent())
            self.stopped = None if met is None else f"budget: {met}"
        return self.stopped is not None


def _first(errors: BaseExceptionGroup[HarnessError]) -> HarnessError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return cast("HarnessError", error)


def _failed(found: Judged) -> bool:
    """Return whether no judge could be reached; one whose model has no room for it was."""
    said = (v.reply is not None or v.valid_mass is not None for v in found.verdicts)
    kinds = {str(v.reason).partition(":")[0] for v in found.verdicts}
    return not any(said) and kinds <= UNREACHED


def seated(assigned: Assigned, spec: JudgeSpec) -> Assigned:
    """Return a judge's models before another form of the same judge."""
    if spec is assigned.judge:
        return assigned
    members = dict(spec.members)
    seats = tuple((seat, members.get(seat, spec), model) for seat, _, model in assigned.seats)
    return Assigned(spec, seats)


def width(backends: Iterable[Backend], connections: int) -> int:
    """Return how many items keep the backends busy."""
    sizes = [one.max_batch for one in backends]
    return max(connections, *(BATCHES_AHEAD * size for size in sizes if size > 1), 1)


# ---- beforehand -----------------------------------------------------------------------------


class Estimate(Struct, frozen=True):
    """What would be asked, before anything is."""

    judge: str
    items: int
    requests: int
    """Different ones; a reply that cannot be read costs one more."""
    prompt_tokens: int
    """Estimated from characters."""
    completion_tokens: int
    """The most that the generation settings allow."""
    cost_usd: float | None
    """At most, with the prices that are known; None: not known."""


def estimate(assigned: Assigned, crew: Crew, cases: Sequence[Case], extra: int = 0) -> Estimate:
    """Return what cases would ask; nothing is sent. `extra`: short requests beside them."""
    tokens: dict[str, tuple[int, int]] = {}
    cost: float | None = 0.0
    for seat, spec, model in assigned.seats:
        backend, _ = crew.executor(model)
        sitting = Seat(model.label, backend.capabilities, name=seat)
        fresh: list[tuple[int, int]] = []
        for case in cases:
            members = dict(case.judge.members)
            member = members.get(seat, case.judge if not members else spec)
            for request in _asked(member, case, sitting):
                key = content_key([model.label, _content(request)])
                if key not in tokens:
                    tokens[key] = (_size(request), _most(request))
                    fresh.append(tokens[key])
        price = crew.price(model, backend)
        if price is None or cost is None:
            cost = None
            continue
        cost += sum(a * price.prompt + b * price.completion for a, b in fresh) / 1e6
    return Estimate(
        judge=assigned.judge.name,
        items=len(cases),
        requests=len(tokens) + extra,
        prompt_tokens=sum(size for size, _ in tokens.values()),
        completion_tokens=sum(most for _, most in tokens.values()),
        cost_usd=cost,
    )


def _asked(spec: JudgeSpec, case: Case, seat: Seat) -> tuple[Request, ...]:
    sitting = Seat(seat.model, seat.capabilities, case.repeat, name=seat.name)
    talk = judge(spec, case.item, sitting)
    asked = next(talk)
    talk.close()
    return (asked,) if isinstance(asked, Request) else asked


def _content(request: Request) -> list[object]:
    return [request.kind, request.messages, request.prompt, request.continuation, request.repeat]


def _size(request: Request) -> int:
    chat = sum(len(message.content) for message in request.messages)
    return round((chat + len(request.prompt) + len(request.continuation)) / CHARACTERS_PER_TOKEN)


def _most(request: Request) -> int:
    return request.generation.max_tokens if request.kind == "generate" else 0
