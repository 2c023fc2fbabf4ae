"""The executor: every conversation is driven to one outcome, in the order of the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.errors import BackendError, CacheMiss, StoreError
from harness.records import (
    Failure,
    ModelInfo,
    Outcome,
    Reply,
    Request,
    Response,
    Sample,
    Transcript,
)
from harness.run.local import Limits, LocalExecutor
from harness.run.policy import Budget, FailureWatch, RetryPolicy
from harness.run.rate import Terms
from harness.run.sender import Sender, SendRules
from harness.run.traffic import Server, Slots, Traffic

NO_WAIT = RetryPolicy(base_s=0.0)


class FakeBackend:
    """Answers by a function of the prompt and the attempt; remembers what was asked."""

    capabilities = frozenset({"generate"})
    info = ModelInfo("fake/fake")

    def __init__(self, reply: Callable[[str, int], Reply], max_batch: int = 1) -> None:
        self.reply, self.max_batch = reply, max_batch
        self.asked: list[str] = []
        self.batches: list[int] = []
        self.gate: asyncio.Event | None = None

    def identity(self) -> dict[str, Any]:
        return {"fake": 1}

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        self.batches.append(len(requests))
        if self.gate is not None:
            await self.gate.wait()
        replies = []
        for request in requests:
            self.asked.append(request.prompt)
            replies.append(self.reply(request.prompt, self.asked.count(request.prompt)))
        return replies

    async def close(self) -> None:
        pass


class MemoryStore:
    """A response store in memory."""

    def __init__(self) -> None:
        self.held: dict[str, Response] = {}

    async def get(self, key: str) -> Response | None:
        found = self.held.get(key)
        return None if found is None else Response(text=found.text, cached=True)

    async def put(self, key: str, response: Response) -> None:
        self.held[key] = response


def echo(prompt: str, _: int) -> Reply:
    return Response(text=prompt.upper(), prompt_tokens=1, completion_tokens=1)


def conversation(prompt: str):
    first = yield Request(prompt=prompt)
    return Transcript((first,))


def plan(prompts: Sequence[str]):
    return [(Sample("t", p, p), conversation(p)) for p in prompts]


def drive(
    backend: FakeBackend,
    conversations: Any,
    *,
    store: Any = None,
    workers: int = 4,
    limits: Limits | None = None,
    **rules: Any,
) -> tuple[list[Outcome], LocalExecutor]:
    outcomes: list[Outcome] = []
    traffic = Traffic(rules.pop("connections", workers))
    settings = SendRules(**{"traffic": traffic, "retry": NO_WAIT, **rules})
    executor = LocalExecutor(Sender(backend, store or MemoryStore(), settings), workers, limits)
    asyncio.run(executor.run(conversations, outcomes.append))
    return outcomes, executor


def test_outcomes_come_in_the_order_of_the_plan():
    """However requests overtake each other, outcomes are handed over in order."""
    prompts = [f"p{i}" for i in range(50)]
    outcomes, executor = drive(FakeBackend(echo), plan(prompts))
    assert [o.sample.sample_id for o in outcomes] == prompts
    assert [o.transcript.responses[0].text for o in outcomes] == [p.upper() for p in prompts]
    assert executor.usage.requests == 50
    assert executor.stopped is None


def test_what_can_be_retried_is_retried_and_counted():
    """A passing fault costs a retry, not the sample."""

    def flaky(prompt: str, attempt: int) -> Reply:
        if attempt < 3:
            return Failure(kind="server", message="500", retryable=True)
        return echo(prompt, attempt)

    outcomes, executor = drive(FakeBackend(flaky), plan(["a"]))
    assert outcomes[0].transcript.responses[0].attempts == 3
    assert executor.usage.retries == 2


def test_a_request_given_up_is_a_record_and_the_run_goes_on():
    """One sample's failure leaves the others alone."""

    def bad(prompt: str, attempt: int) -> Reply:
        if prompt == "b":
            return Failure(kind="server", message="500", retryable=True)
        return echo(prompt, attempt)

    outcomes, executor = drive(FakeBackend(bad), plan(["a", "b", "c"]), workers=1)
    assert [o.failure is None for o in outcomes] == [True, False, True]
    assert outcomes[1].failure.attempts == NO_WAIT.max_attempts
    assert executor.usage.failures == {"server": 1}


def test_a_failure_is_never_replayed_as_an_answer():
    """A rerun sends a failed request again, and only that one."""
    store = MemoryStore()
    broken = Failure(kind="server", message="500")
    drive(FakeBackend(lambda p, n: broken if p == "b" else echo(p, n)), plan("abc"), store=store)
    again = FakeBackend(echo)
    outcomes, executor = drive(again, plan("abc"), store=store)
    assert again.asked == ["b"]
    assert all(o.failure is None for o in outcomes)
    assert executor.usage.cached == 2


def test_identical_requests_in_flight_are_sent_once():
    """Ten samples that ask the same cost one request."""
    backend = FakeBackend(echo)
    outcomes, executor = drive(backend, plan(["same"] * 10), workers=10)
    assert backend.asked == ["same"]
    assert len(outcomes) == 10
    assert executor.usage.requests == 1


def test_require_cache_fails_rather_than_asks():
    """Without a stored answer the run ends before anything is sent."""
    backend = FakeBackend(echo)
    with pytest.raises(CacheMiss):
        drive(backend, plan(["a"]), require_cache=True)
    assert backend.asked == []


def test_a_fatal_failure_ends_the_run_with_its_message():
    """A wrong key will fail every request: the run stops at the first."""
    fatal = Failure(kind="refused", message="401 wrong key", fatal=True)
    backend = FakeBackend(lambda p, n: fatal)
    with pytest.raises(BackendError, match="401 wrong key"):
        drive(backend, plan("abcdefgh"), workers=2)
    assert len(backend.asked) <= 2


def test_a_server_that_always_fails_stops_the_run_early():
    """After a streak of failures no more samples are started."""
    broken = Failure(kind="connection", message="refused")
    backend = FakeBackend(lambda p, n: broken)
    limits = Limits(watch=FailureWatch(streak_limit=5))
    outcomes, executor = drive(
        backend, plan([f"p{i}" for i in range(100)]), workers=1, limits=limits
    )
    assert len(outcomes) == 5
    assert executor.stopped.startswith("failing: 5 samples in a row failed")


def test_a_budget_ends_the_run_with_an_unbroken_prefix():
    """Once the tokens are used, started samples are finished and no more are started."""
    limits = Limits(budget=Budget(max_tokens=10))
    prompts = [f"p{i}" for i in range(100)]
    outcomes, executor = drive(FakeBackend(echo), plan(prompts), workers=4, limits=limits)
    assert executor.stopped.startswith("budget: ")
    assert [o.sample.sample_id for o in outcomes] == prompts[: len(outcomes)]
    assert 5 <= len(outcomes) <= 5 + 4


@pytest.mark.parametrize(("ahead", "most"), [(1, 4), (4, 7), (None, 50)])
def test_few_samples_are_asked_while_an_earlier_one_is_out(ahead, most):
    """Beyond the one that is waited for: fewer than `ahead` and the workers together."""

    class Held(FakeBackend):
        """Answers the first sample last."""

        async def answer(self, requests: Sequence[Request]) -> list[Reply]:
            if requests[0].prompt == "s0":
                await go.wait()
            return await super().answer(requests)

    go, beyond = asyncio.Event(), []
    backend, outcomes = Held(echo), []
    sender = Sender(backend, MemoryStore(), SendRules(Traffic(4), NO_WAIT))
    executor = LocalExecutor(sender, 4, ahead=ahead)

    async def release() -> None:
        for _ in range(1000):  # turns of the loop: all that can go on has gone on
            await asyncio.sleep(0)
        beyond.append(len(backend.asked))
        go.set()

    async def both() -> None:
        prompts = [f"s{i}" for i in range(51)]
        await asyncio.gather(executor.run(plan(prompts), outcomes.append), release())

    asyncio.run(both())
    assert 1 <= beyond[0] <= most
    assert (ahead is not None) or beyond[0] == most
    assert [one.sample.sample_id for one in outcomes] == [f"s{i}" for i in range(51)]


def test_stop_finishes_the_conversations_in_flight():
    """A conversation that has begun is finished, all its turns."""
    backend = FakeBackend(echo)

    def two_turns(name: str):
        first = yield Request(prompt=name)
        executor.stop("interrupted")
        second = yield Request(prompt=name + first.text)
        return Transcript((first, second))

    outcomes: list[Outcome] = []
    sender = Sender(backend, MemoryStore(), SendRules(Traffic(1), NO_WAIT))
    executor = LocalExecutor(sender, 1)
    samples = [(Sample("t", n, n), two_turns(n)) for n in "abc"]
    asyncio.run(executor.run(samples, outcomes.append))
    assert [len(o.exchanges) for o in outcomes] == [2]


def test_requests_of_one_turn_go_out_together_and_come_back_in_order():
    """A tuple of requests is answered by a tuple of responses in the same order."""

    def both():
        left, right = yield (Request(prompt="l"), Request(prompt="r"))
        return Transcript((left, right))

    outcomes, _ = drive(FakeBackend(echo), [(Sample("t", "s", "s"), both())])
    assert [r.text for r in outcomes[0].transcript.responses] == ["L", "R"]


def test_batches_are_full_while_there_is_work():
    """A batching backend is given batches of its size, not single requests."""
    backend = FakeBackend(echo, max_batch=8)
    drive(backend, plan([f"p{i}" for i in range(64)]), workers=32)
    assert max(backend.batches) == 8
    assert len(backend.batches) <= 12


def test_an_exception_of_a_batch_reaches_the_caller():
    """What makes a model unusable ends the run, not hangs it."""

    class Broken(FakeBackend):
        async def answer(self, requests):
            raise BackendError("the model is gone")

    with pytest.raises(BackendError, match="the model is gone"):
        drive(Broken(echo, max_batch=4), plan("abc"))


def test_a_store_that_cannot_write_ends_the_run():
    """An answer that cannot be kept does not count."""

    class Full(MemoryStore):
        async def put(self, key, response):
            raise StoreError("disk full")

    with pytest.raises(StoreError, match="disk full"):
        drive(FakeBackend(echo), plan("abc"), store=Full())


def refused(seconds: float) -> Failure:
    return Failure("rate_limit", "429", retryable=True, status=429, retry_after=seconds)


def test_a_pause_is_for_everybody_where_one_after_the_other_is_refused():
    """Three refusals in a row with a Retry-After: nothing leaves before the pause is over."""
    left: list[float] = []

    def limited(prompt: str, attempt: int) -> Reply:
        left.append(asyncio.get_running_loop().time())
        return refused(0.05) if len(left) <= 3 else echo(prompt, attempt)

    outcomes, _ = drive(FakeBackend(limited), plan([f"p{i}" for i in range(9)]), workers=3)
    assert all(o.failure is None for o in outcomes)
    assert all(when - left[2] >= 0.045 for when in left[3:])


def test_a_pause_is_for_one_where_others_are_answered_meanwhile():
    """One refusal among answers holds back the request that was refused, and no other."""
    done: list[str] = []

    def limited(prompt: str, attempt: int) -> Reply:
        if prompt == "p0" and attempt == 1:
            return refused(0.05)
        done.append(prompt)
        return echo(prompt, attempt)

    drive(FakeBackend(limited), plan([f"p{i}" for i in range(20)]), workers=2)
    assert done[-1] == "p0"


def test_a_pause_looks_at_who_left_one_after_the_other():
    """Three refusals of eight come first, before any answer: no pause; of the last three: one."""
    server = Server(Slots(8))
    left = [server.left() for _ in range(8)]
    for i in (1, 3, 5):
        left[i].refused = True
    server.pause_until(9.0)
    assert server.resume_at == 0.0
    for one in left[5:]:
        one.refused = True
    server.pause_until(9.0)
    assert server.resume_at == 9.0
    server.left()
    assert not server.refuses_all


def test_no_more_samples_than_workers_are_live():
    """Memory is bounded: a sample is made when a worker takes it."""
    live = 0
    most = 0

    def counted():
        nonlocal live, most
        for i in range(200):
            live += 1
            most = max(most, live)
            yield Sample("t", str(i), str(i)), conversation(str(i))

    def finished(_: Outcome) -> None:
        nonlocal live
        live -= 1

    sender = Sender(FakeBackend(echo), MemoryStore(), SendRules(Traffic(4), NO_WAIT))
    asyncio.run(LocalExecutor(sender, 4).run(counted(), finished))
    assert live == 0
    assert most <= 4 + 1


def test_auto_finds_the_connections_and_answers_all():
    """With `auto` every sample is answered, though the server refuses above eight at once."""
    in_flight = 0

    class Busy(FakeBackend):
        async def answer(self, requests):
            nonlocal in_flight
            in_flight += 1
            try:
                if in_flight > 8:
                    return [Failure(kind="rate_limit", message="429", retryable=True, status=429)]
                await asyncio.sleep(0.001)
                return await super().answer(requests)
            finally:
                in_flight -= 1

    prompts = [f"p{i}" for i in range(400)]
    patient = RetryPolicy(max_attempts=50, base_s=0.001)
    outcomes, _ = drive(Busy(echo), plan(prompts), workers=64, connections="auto", retry=patient)
    assert all(o.failure is None for o in outcomes)
    assert len(outcomes) == 400


def test_the_deadline_of_all_attempts_ends_a_request():
    """A server that never answers costs the deadline, not attempts × timeout."""
    backend = FakeBackend(echo)
    backend.gate = asyncio.Event()  # never set
    outcomes, _ = drive(backend, plan(["a"]), terms=Terms(deadline_s=0.02))
    assert outcomes[0].failure.kind == "timeout"
    assert "deadline" in outcomes[0].failure.message
    assert outcomes[0].failure.attempts == 1


def test_no_retry_begins_that_the_deadline_would_cut():
    """A wait that would outlast the deadline is not waited for."""
    slow = Failure(kind="rate_limit", message="429", retryable=True, retry_after=60.0)
    backend = FakeBackend(lambda p, n: slow)
    outcomes, _ = drive(backend, plan(["a"]), terms=Terms(deadline_s=30))
    assert (outcomes[0].failure.kind, outcomes[0].failure.attempts) == ("rate_limit", 1)
    assert backend.asked == ["a"]


def test_a_batch_has_its_deadline_too():
    """Waiting for a batch counts as the attempt that it is."""
    backend = FakeBackend(echo, max_batch=4)
    backend.gate = asyncio.Event()
    outcomes, _ = drive(backend, plan("ab"), terms=Terms(deadline_s=0.02))
    assert [o.failure.kind for o in outcomes] == ["timeout", "timeout"]


def test_requests_a_minute_hold_in_the_executor():
    """With -M rpm departures are spaced, whatever the connections."""
    left: list[float] = []

    def timed(prompt: str, attempt: int) -> Reply:
        left.append(asyncio.get_running_loop().time())
        return echo(prompt, attempt)

    outcomes, _ = drive(
        FakeBackend(timed), plan([f"p{i}" for i in range(120)]), workers=50, terms=Terms(rpm=6000)
    )
    assert len(outcomes) == 120
    assert left[-1] - left[0] >= (120 - 100) * 0.0101  # about a second's worth leaves at once


def test_a_run_of_stored_answers_can_be_stopped():
    """Where nothing is sent the loop still turns, so that Ctrl-C is seen."""
    prompts = [f"p{i}" for i in range(5000)]
    store = MemoryStore()
    drive(FakeBackend(echo), plan(prompts), store=store)
    sender = Sender(FakeBackend(echo), store, SendRules(Traffic(4), NO_WAIT))
    executor = LocalExecutor(sender, 4)
    outcomes: list[Outcome] = []

    async def go() -> None:
        asyncio.get_running_loop().call_soon(executor.stop, "interrupted")
        await executor.run(plan(prompts), outcomes.append)

    asyncio.run(go())
    assert len(outcomes) < 500
