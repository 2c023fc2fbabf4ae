"""Requests and tokens a minute, with a clock of our own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.records import Failure, Generation, ModelInfo, ModelSpec, Request, Response
from harness.run.rate import BURST_S, MINUTE_S, UNLIMITED, Bucket, Pace, Terms, terms_of
from harness.run.traffic import Traffic

ASKED = Request(prompt="x" * 400, generation=Generation(max_tokens=1000))
"""About 100 tokens, and an answer of up to 1,000."""


class Clock:
    """Time that passes only when told to."""

    now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def depart(bucket: Bucket, clock: Clock, units: float = 1) -> float:
    """Wait as a polite client would, take, and return the time of departure."""
    while (wait := bucket.wait(clock.now)) > 0:
        clock.sleep(wait)
    bucket.take(units, clock.now)
    return clock.now


@given(
    per_minute=st.integers(1, 600),
    idle=st.lists(st.floats(0, 90), min_size=1, max_size=60),
    late=st.floats(0, 3),
)
def test_no_minute_holds_more_requests_than_allowed(per_minute, idle, late):
    """Whatever the pauses between them, any 60 s hold at most `per_minute` departures."""
    bucket, clock = Bucket(per_minute), Clock()
    left = []
    for pause in idle * (1 + per_minute // 10):
        clock.sleep(pause if len(left) % 7 == 0 else late * (len(left) % 3 == 0))
        left.append(depart(bucket, clock))
    for i, first in enumerate(left):
        within = [when for when in left[i:] if when < first + MINUTE_S - 1e-6]
        assert len(within) <= per_minute


def test_a_busy_client_gets_nearly_all_that_is_allowed():
    """The burst that may be caught up with costs the pace one part in 61."""
    bucket, clock = Bucket(600), Clock()
    left = [depart(bucket, clock) for _ in range(6000)]
    assert 6000 / (left[-1] - left[0]) == pytest.approx(10, rel=0.02)


def test_what_was_idle_is_caught_up_with_for_a_second_only():
    """After a long pause one second's worth leaves at once, and the pace holds again."""
    bucket, clock = Bucket(6000), Clock()
    depart(bucket, clock)
    clock.sleep(1000)
    began = clock.now
    burst = sum(depart(bucket, clock) < began + 1e-9 for _ in range(500))
    assert burst == pytest.approx(BURST_S * 6000 / 61, abs=2)


def test_tokens_are_guessed_and_set_right_by_the_answer():
    """A prompt is guessed from its characters, an answer at the most; then answers teach."""
    pace, clock = Pace(Terms(tpm=6100)), Clock()
    taken = pace.take(ASKED, clock.now)
    assert taken == 1100
    assert pace.wait(clock.now) == pytest.approx(1100 / 100 - BURST_S)
    pace.settle(taken, Response(prompt_tokens=120, completion_tokens=80))
    assert pace.wait(clock.now) == pytest.approx(200 / 100 - BURST_S)
    assert pace.take(ASKED, clock.now) == pytest.approx(100 + 80)


def test_a_failed_request_gives_its_tokens_back():
    """What was not answered used no tokens; an answer that counts none leaves the guess."""
    pace, clock = Pace(Terms(tpm=6000)), Clock()
    pace.settle(pace.take(ASKED, clock.now), Failure("server", "500", retryable=True))
    assert pace.wait(clock.now) == 0
    pace.settle(pace.take(ASKED, clock.now), Response(text="4"))
    assert pace.wait(clock.now) > 10


def test_scoring_a_text_takes_the_tokens_of_the_text_alone():
    """A log-likelihood has no answer to wait for."""
    request = Request(kind="loglikelihood", prompt="x" * 40, continuation="y" * 40)
    assert Pace(Terms(tpm=60)).take(request, 0.0) == 20


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 400)), min_size=1, max_size=80))
def test_tokens_a_minute_hold_on_the_long_run(answers):
    """However wrong the guesses, what has been used never outruns the time that has passed."""
    pace, clock = Pace(Terms(tpm=600)), Clock()
    began, used, most = clock.now, 0, 0
    for prompt, completion in answers:
        while (wait := pace.wait(clock.now)) > 0:
            clock.sleep(wait)
        allowed = (clock.now - began + BURST_S) * 600 / 61
        assert used <= allowed + most + 1e-6
        taken = pace.take(ASKED, clock.now)
        pace.settle(taken, Response(prompt_tokens=prompt, completion_tokens=completion))
        used, most = used + prompt + completion, max(most, prompt + completion)


def test_without_limits_nothing_waits():
    """No -M rpm and no -M tpm: the pace is free and takes nothing."""
    pace = Pace(UNLIMITED)
    assert pace.free
    assert (pace.wait(0.0), pace.take(ASKED, 0.0)) == (0.0, 0.0)
    pace.settle(0.0, Response())


def test_terms_are_read_from_the_arguments():
    """-M rpm, tpm and deadline; what is no amount above 0 is refused by name."""
    model = ModelSpec("openai", "m", {"rpm": 60, "tpm": 1e5, "deadline": 30, "api": "chat"})
    assert terms_of(model) == Terms(60, 1e5, 30)
    assert terms_of(ModelSpec("openai", "m")) == UNLIMITED
    for value in (0, -1, "fast", True, float("inf")):
        with pytest.raises(UsageError, match="-M rpm"):
            terms_of(ModelSpec("openai", "m", {"rpm": value}))


def test_the_stricter_of_two_terms_holds():
    """A model that is asked and that judges has one allowance: the lower of each."""
    assert Terms(60, None, 9).strictest(Terms(90, 5, None)) == Terms(60, 5, 9)


class Named:
    """As much of a backend as traffic looks at."""

    def __init__(self, name: str, base_url: str | None) -> None:
        self.info = ModelInfo(name)
        self._identity = {"model": name, **({"base_url": base_url} if base_url else {})}

    def identity(self):
        return self._identity


def test_models_on_one_server_share_its_slots_and_not_their_pace():
    """Slots and pauses are the server's; requests a minute are a model's."""
    traffic = Traffic(4)
    one = traffic.lane(Named("openai/a", "http://x/v1"), Terms(rpm=60))
    two = traffic.lane(Named("openai/b", "http://x/v1"), UNLIMITED)
    same = traffic.lane(Named("openai/a", "http://x/v1"), Terms(rpm=90, tpm=5))
    here = traffic.lane(Named("python/f", None), UNLIMITED)
    assert one.server is two.server
    assert one is same
    assert one.terms == Terms(rpm=60, tpm=5)
    assert two.pace.free
    assert here.server is not one.server


def test_departures_keep_the_pace_in_the_order_they_came():
    """Ten requests at 6,000 a minute leave in order, a hundredth of a second apart."""

    async def go():
        lane = Traffic(10).lane(Named("openai/a", "http://x/v1"), Terms(rpm=6000))
        loop, left = asyncio.get_running_loop(), []
        for _ in range(99):
            lane.pace.take(ASKED, loop.time())

        async def one(i):
            await lane.depart(ASKED)
            left.append((i, loop.time()))

        await asyncio.gather(*(one(i) for i in range(10)))
        return left

    left = asyncio.run(go())
    assert [i for i, _ in left] == list(range(10))
    assert left[-1][1] - left[0][1] >= 9 * 0.0101 - 0.005
