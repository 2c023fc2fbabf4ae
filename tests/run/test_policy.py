"""When to ask again, when to wait, when to stop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.billing import billed
from harness.records import Failure, Response
from harness.run.policy import Budget, FailureWatch, Price, RetryPolicy, Usage

RETRYABLE = Failure(kind="server", message="500", retryable=True)


def test_a_failure_that_will_not_pass_is_given_up_at_once():
    """What cannot be helped by asking again is not asked again."""
    policy = RetryPolicy()
    assert policy.delay(Failure(kind="too_long", message="x"), 1, 0.5) is None


def test_attempts_are_bounded():
    """After the last attempt there is no further wait."""
    policy = RetryPolicy(max_attempts=3)
    assert policy.delay(RETRYABLE, 2, 0.5) is not None
    assert policy.delay(RETRYABLE, 3, 0.5) is None


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_backoff_lies_between_nothing_and_the_cap(attempt, draw):
    """Full jitter: a wait is drawn from nothing to a bound that doubles up to the cap."""
    policy = RetryPolicy(max_attempts=50, base_s=0.5, cap_s=30)
    delay = policy.delay(RETRYABLE, attempt, draw)
    assert delay is not None
    assert 0 <= delay <= min(30, 0.5 * 2 ** (attempt - 1))


def test_retry_after_is_a_lower_bound():
    """A server that names a pause is given it."""
    asked = Failure(kind="rate_limit", message="429", retryable=True, retry_after=7.0)
    delay = RetryPolicy().delay(asked, 1, 0.0)
    assert delay == 7.0


def test_an_endless_retry_after_is_a_failure():
    """A pause of an hour is not waited for."""
    asked = Failure(kind="rate_limit", message="429", retryable=True, retry_after=3600.0)
    assert RetryPolicy().delay(asked, 1, 0.0) is None


def test_a_streak_of_failures_is_hopeless_and_one_success_ends_it():
    """Only failures in a row count."""
    watch = FailureWatch(streak_limit=3)
    for failed in (True, True, False, True, True):
        watch.saw(failed=failed)
    assert not watch.hopeless
    watch.saw(failed=True)
    assert watch.hopeless
    assert watch.share() == pytest.approx(5 / 6)


def test_no_samples_no_share():
    """Nothing finished is no failure."""
    assert FailureWatch().share() == 0.0


def test_usage_counts_new_and_replayed_requests_apart():
    """A replayed response is counted, and costs nothing."""
    usage = Usage()
    response = Response(prompt_tokens=10, completion_tokens=5, attempts=3)
    usage.add(response, Price(1.0, 2.0))
    usage.add(Response(prompt_tokens=10, completion_tokens=5, cached=True), Price(1.0, 2.0))
    assert (usage.requests, usage.cached, usage.retries) == (1, 1, 2)
    assert usage.cost_usd == pytest.approx((10 + 10) / 1e6)


@pytest.mark.parametrize(
    ("price", "dollars"),
    [(Price(10.0, 20.0, 1.0), 1000 - 720 + 100), (Price(10.0, 20.0), 1000 + 100)],
)
def test_cached_input_has_its_own_price_where_one_is_known(price, dollars):
    """80 of 100 tokens of a prompt from the provider's cache; without a price for it, the full."""
    response = billed(Response(prompt_tokens=100, completion_tokens=5), 80)
    assert price.cost(response) == pytest.approx(dollars / 1e6)
    usage = Usage()
    usage.add(response, price)
    assert (usage.prompt_tokens, usage.cached_prompt_tokens) == (100, 80)


def test_more_cached_tokens_than_tokens_cost_no_less_than_nothing():
    """A server that miscounts makes no prompt free of more than itself."""
    response = billed(Response(prompt_tokens=10), 50)
    assert Price(10.0, 20.0, 1.0).cost(response) == pytest.approx(10 / 1e6)


def test_an_unknown_price_is_not_zero():
    """Cost stays None where no price is known."""
    usage = Usage()
    usage.add(Response(prompt_tokens=10), None)
    assert usage.cost_usd is None


def test_failures_are_counted_by_kind():
    """Requests given up are counted, and their retries too."""
    usage = Usage()
    usage.fail(Failure(kind="timeout", message="", attempts=5))
    assert usage.failures == {"timeout": 1}
    assert usage.retries == 4


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (Budget(), None),
        (Budget(max_tokens=15), "15 tokens used of 15"),
        (Budget(max_tokens=16), None),
        (Budget(max_cost=1.0), "$1.5000 spent of $1.00"),
        (Budget(max_cost=2.0), None),
    ],
)
def test_a_budget_says_which_limit_was_met(budget, expected):
    """Tokens and dollars are limits of the whole run."""
    usage = Usage(prompt_tokens=10, completion_tokens=5, cost_usd=1.5)
    assert budget.reached(usage) == expected
