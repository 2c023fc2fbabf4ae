"""The number of connections is found while running."""

from __future__ import annotations

import heapq

import pytest

from harness.run.adaptive import MOST, START, AdaptiveLimit


def simulate(
    limit: AdaptiveLimit, *, latency: float, capacity: float, refuse_above: int = 10**9, work: int
) -> list[int]:
    """Serve `work` requests; return the limit after each answer.

    The server answers after `latency`, at most `capacity` answers a second, and refuses a request
    that would be one more than `refuse_above` at once.
    """
    now, free_at, in_flight, history = 0.0, 0.0, 0, []
    events: list[tuple[float, bool]] = []
    while work > 0:
        while in_flight < limit.limit:
            in_flight += 1
            limit.sent(in_flight, now)
            if in_flight > refuse_above:
                heapq.heappush(events, (now + 0.001, True))
            else:
                free_at = max(free_at, now) + 1 / capacity
                heapq.heappush(events, (max(free_at, now + latency), False))
        now, refused = heapq.heappop(events)
        in_flight -= 1
        limit.answered(now, pushed_back=refused)
        work -= not refused
        history.append(limit.limit)
    return history


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
    assert history[-1] <= 2 * START


def test_it_backs_off_where_it_is_refused():
    """A server that takes 20 at once sees few refusals in the long run."""
    limit = AdaptiveLimit()
    history = simulate(limit, latency=0.05, capacity=1e6, refuse_above=20, work=20_000)
    assert 10 <= history[-1] <= 24
    refusals = simulate(limit, latency=0.05, capacity=1e6, refuse_above=20, work=5_000)
    assert len(refusals) - 5_000 < 0.05 * 5_000


def test_one_burst_of_refusals_counts_once():
    """Fifty refusals of one burst lower the limit by a quarter, not to one."""
    limit = AdaptiveLimit(limit=100)
    for _ in range(50):
        limit.answered(1.0, pushed_back=True)
    assert limit.limit == 75


def test_rounds_without_enough_work_say_nothing():
    """A run that never fills its connections keeps its limit."""
    limit = AdaptiveLimit()
    for i in range(1000):
        limit.sent(1, float(i))
        limit.answered(i + 0.5, pushed_back=False)
    assert limit.limit == START


def test_the_limit_never_falls_below_one():
    """A server that refuses everything is still asked, one at a time."""
    limit = AdaptiveLimit(limit=2)
    for i in range(20):
        limit.sent(1, float(i))
        limit.answered(float(i), pushed_back=True)
        for _ in range(4):
            limit.answered(float(i), pushed_back=False)
    assert limit.limit >= 1
