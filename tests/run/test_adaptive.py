"""The number of connections is found while running."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import pytest

from harness.identity import CounterRandom
from harness.run.adaptive import MOST, START, AdaptiveLimit

BOTH = pytest.mark.parametrize(
    "start", [AdaptiveLimit, lambda: AdaptiveLimit.at_most(64)], ids=["auto", "64"]
)


@dataclass
class Server:
    """Answers after `latency` (plus up to `jitter` of it), `capacity` a second at most.

    It refuses what would be more than `refuse_above` at once, and `at_random` a share of all;
    who is refused comes back after `retry_after`. `workers` ask, each one request at a time.
    Where `pauses`, everybody is held back for as long, in their slots, once the last few that left
    were all refused: as `traffic` does.
    """

    latency: float
    capacity: float = 1e9
    refuse_above: int = 10**9
    retry_after: float = 0.0
    jitter: float = 0.0
    at_random: float = 0.0
    workers: int = MOST
    pauses: bool = False
    paused: float = 0.0
    """Seconds for which everybody was held back."""

    def serve(self, limit: AdaptiveLimit, work: int) -> tuple[list[int], int, float]:
        """Serve `work` requests; return the limit after each answer, refusals and seconds."""
        random = CounterRandom(1, "latency")
        now = free_at = resume_at = 0.0
        in_flight = served = refused = number = 0
        left: list[int] = []
        turned_away: set[int] = set()
        waiting = self.workers
        history: list[int] = []
        events: list[tuple[float, int, str]] = []
        while work > 0:
            while in_flight < limit.limit and waiting:
                in_flight, number, waiting = in_flight + 1, number + 1, waiting - 1
                limit.sent(in_flight, now)
                heapq.heappush(events, (max(now, resume_at), number, "leaves"))
            now, place, what = heapq.heappop(events)
            if what == "back":
                waiting += 1
                continue
            if what == "leaves":
                if now < resume_at:
                    heapq.heappush(events, (resume_at, place, what))
                    continue
                left.append(place)
                if served >= self.refuse_above or random.random() < self.at_random:
                    heapq.heappush(events, (now + 0.001, place, "refused"))
                else:
                    served += 1
                    free_at = max(free_at, now) + 1 / self.capacity
                    done = now + self.latency * (1 + self.jitter * random.random())
                    heapq.heappush(events, (max(free_at, done), place, "served"))
                continue
            in_flight -= 1
            if what == "refused":
                refused += 1
                turned_away.add(place)
                back = now + self.retry_after + 0.5 * random.random()
                heapq.heappush(events, (back, place, "back"))
            else:
                served, work, waiting = served - 1, work - 1, waiting + 1
            last = left[-limit.in_a_row :]
            lately_all = what == "refused" and turned_away.issuperset(last)
            limit.answered(now, pushed_back=what == "refused", lately_all=lately_all)
            if self.pauses and lately_all:
                self.paused += now + self.retry_after - max(now, resume_at)
                resume_at = now + self.retry_after
            history.append(limit.limit)
        return history, refused, now


def simulate(limit: AdaptiveLimit, *, work: int, **server: float) -> list[int]:
    """Return the limit after each answer of a server."""
    return Server(**server).serve(limit, work)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(("latency", "capacity"), [(0.05, 1000), (0.5, 100), (0.02, 4000)])
def test_it_grows_to_what_the_server_can_use(latency, capacity):
    """The limit reaches what latency × capacity asks for, and not many times that."""
    needed = latency * capacity
    history = simulate(AdaptiveLimit(), latency=latency, capacity=capacity, work=20_000)
    assert needed * 0.7 <= history[-1] <= needed * 3


def test_it_stops_at_the_bound():
    """A server without end is not flooded."""
    history = simulate(AdaptiveLimit(), latency=1.0, capacity=1e9, work=20_000)
    assert max(history) == MOST


def test_it_does_not_grow_where_it_buys_nothing():
    """A server that answers one at a time is not sent hundreds."""
    history = simulate(AdaptiveLimit(), latency=0.0, capacity=50, work=5_000)
    assert max(history) <= 4 * START
    assert history[-1] <= 1.2 * START  # the doubling that bought nothing was taken back


@pytest.mark.parametrize("retry_after", [0.0, 1.0])
@pytest.mark.parametrize("most", [20, 200])
def test_it_settles_at_a_hard_capacity_and_seldom_tries_more(most, retry_after):
    """A server that takes so many at once is kept busy, and refuses one request in 100."""
    server = Server(0.05, refuse_above=most, retry_after=retry_after, jitter=0.5)
    work = 500 * most
    history, refused, seconds = server.serve(AdaptiveLimit(), work)
    late = history[len(history) // 2 :]
    assert 0.9 * most <= sum(late) / len(late) <= 1.05 * most
    assert refused <= work / 100 + 2 * most
    assert seconds <= 1.1 * work * 0.05 * 1.25 / most + 2


@pytest.mark.parametrize("retry_after", [0.5, 2.0])
@BOTH
def test_pauses_for_everybody_are_few(start, retry_after):
    """64 ask where 60 are taken: few of a round are refused, and yet each time everybody waits.

    The time is that of the whole, pauses included: a limit that left those few refused stood
    still for four times as long as it asked.
    """
    server = Server(0.05, refuse_above=60, retry_after=retry_after, jitter=0.5, pauses=True)
    work = 30_000
    history, _, seconds = server.serve(start(), work)
    late = history[len(history) // 2 :]
    assert 0.9 * 60 <= sum(late) / len(late) <= 60
    assert 0 < server.paused <= 10 * retry_after
    assert seconds <= 1.1 * work * 0.05 * 1.25 / 60 + server.paused


@BOTH
def test_refusals_at_random_make_nobody_else_wait(start):
    """They come back sooner than answers, but were not sent one after the other."""
    server = Server(0.05, capacity=1280, at_random=0.05, retry_after=1.0, pauses=True)
    history, _, seconds = server.serve(start(), 20_000)
    late = history[len(history) // 2 :]
    assert sum(late) / len(late) >= 55
    assert server.paused <= 2.0
    assert seconds <= 1.1 * 20_000 / 1280 + 3


def test_refusals_of_all_that_left_count_where_they_come_again():
    """Once they are left to chance; twice within two rounds the limit falls."""
    limit = AdaptiveLimit.at_most(40)
    for gap in (200, 100):
        limit.answered(0.0, pushed_back=True, lately_all=True)
        assert limit.limit == 40
        for _ in range(gap):
            limit.answered(0.0, pushed_back=False)
    limit.answered(0.0, pushed_back=True, lately_all=True)
    assert limit.limit == 30


@pytest.mark.parametrize(("share", "in_a_row"), [(0.06, 3), (0.2, 6), (0.3, 7)])
def test_the_moodier_a_server_the_more_in_a_row_are_chance(share, in_a_row):
    """The share to the power of that number is below 1 in 4,000, and with one less it is not."""
    assert AdaptiveLimit(_noise=share).in_a_row == in_a_row
    assert share**in_a_row < 1 / 4_000 <= share ** (in_a_row - 1)


@BOTH
def test_refusals_at_random_do_not_slow_it_down(start):
    """One in twenty refused whatever the load: the limit stays what the server can use."""
    server = Server(0.05, capacity=1280, at_random=0.05, retry_after=0.1)
    history, _, seconds = server.serve(start(), 20_000)
    late = history[len(history) // 2 :]
    assert sum(late) / len(late) >= 55
    assert seconds <= 1.1 * 20_000 / 1280 + 1


@BOTH
def test_many_refusals_of_single_requests_are_found_to_be_random(start):
    """One in five, also of requests that are alone: load is no reason, and it rises again."""
    server = Server(0.05, capacity=1280, at_random=0.2, retry_after=0.1)
    history, _, _ = server.serve(start(), 40_000)
    late = history[-10_000:]
    assert sum(late) / len(late) >= 50


def test_a_ceiling_that_is_gone_is_found_to_be_gone():
    """A server that was busy for a while is used fully once it has room again."""
    limit = AdaptiveLimit()
    Server(0.05, refuse_above=10).serve(limit, 2_000)
    assert limit.limit <= 12
    Server(0.05, refuse_above=100).serve(limit, 40_000)
    assert limit.limit >= 70


def test_one_slow_round_does_not_end_the_slow_start():
    """A doubling that seems to buy nothing is measured again before it is taken back."""
    limit, now = AdaptiveLimit(), 0.0
    for seconds in (0.05, 0.05, 0.3, 0.05, 0.05, 0.05):  # the third round meets a hiccup
        for i in range(2 * limit.limit):
            limit.sent(limit.limit, now)
            now += seconds if i % limit.limit == 0 else 0.0
            limit.answered(now, pushed_back=False)
    assert limit.limit >= 16 * START


def rounds(limit: AdaptiveLimit, count: int, rate: float) -> list[int]:
    """Answer full rounds at so many answers a second; return the limit after each."""
    found, now = [], 0.0
    for _ in range(count):
        before = limit.limit
        for _ in range(2 * before):
            limit.sent(before, now)
            now += 1 / rate
            limit.answered(now, pushed_back=False)
        found.append(limit.limit)
    return found


def test_a_doubling_that_buys_nothing_is_taken_back():
    """It is measured twice, and then the limit is what it was."""
    assert rounds(AdaptiveLimit(), 3, rate=100.0) == [2 * START, 2 * START, START]


def test_on_its_way_back_the_limit_does_not_have_to_gain():
    """Below the ceiling it rises again, though more at once may buy nothing."""
    limit = AdaptiveLimit.at_most(40)
    for _ in range(13):
        limit.answered(0.0, pushed_back=True)
    assert limit.limit == 30
    way = rounds(limit, 60, rate=100.0)
    assert way == sorted(way)
    assert way[-1] == 40


def test_one_burst_of_refusals_counts_once():
    """Fifty refusals of one burst lower the limit by a quarter, not to one."""
    limit = AdaptiveLimit(limit=100)
    for _ in range(50):
        limit.answered(1.0, pushed_back=True)
    assert limit.limit == 75


def test_rounds_without_enough_work_say_nothing():
    """A run that never fills its connections keeps its limit."""
    limit, seen = AdaptiveLimit(), set()
    for i in range(1000):
        limit.sent(1, float(i))
        limit.answered(i + 0.5, pushed_back=False)
        seen.add(limit.limit)
    assert seen == {START}


def test_the_limit_never_falls_below_one():
    """A server that refuses everything is still asked, one at a time."""
    limit = AdaptiveLimit(limit=2)
    for i in range(20):
        limit.sent(1, float(i))
        limit.answered(float(i), pushed_back=True)
        for _ in range(4):
            limit.answered(float(i), pushed_back=False)
    assert limit.limit >= 1


def test_a_fixed_number_stays_as_long_as_the_server_takes_it():
    """--connections 64 holds 64, whether they buy throughput or not."""
    history = simulate(AdaptiveLimit.at_most(64), work=5_000, latency=0.05, capacity=100)
    assert set(history) == {64}


def test_a_fixed_number_yields_to_a_server_that_refuses_and_comes_back():
    """Push-back lowers it too: 20 at once are kept busy, not 64 refused; then it is 64 again."""
    limit = AdaptiveLimit.at_most(64)
    history, refused, _ = Server(0.05, refuse_above=20, workers=64).serve(limit, 5_000)
    assert 17 <= sum(history[2_000:]) / len(history[2_000:]) <= 21
    assert refused < 300
    Server(0.05).serve(limit, 200_000)
    assert limit.limit == 64
