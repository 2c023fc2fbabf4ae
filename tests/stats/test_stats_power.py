"""Power: the published numbers, inverses, and a simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower

from harness.stats.power import (
    Error,
    PairedVariance,
    detectable_effect,
    mcnemar_detectable_effect,
    mcnemar_samples_needed,
    samples_needed,
    unpaired_samples_needed,
)

effects = st.floats(0.005, 0.3)
errors = st.builds(Error, st.floats(0.001, 0.2), st.floats(0.5, 0.99), st.booleans())


def test_published_number():
    """ω² = 1/9 and a difference of 3 points need 969 items (Miller 2024)."""
    assert samples_needed(0.03, PairedVariance(1 / 9)) == 969


@pytest.mark.parametrize(
    ("discordance", "effect", "n"),
    [(0.05, 0.01, 3917), (0.05, 0.05, 150), (0.1, 0.03, 865), (0.2, 0.1, 150), (0.2, 0.02, 3917)],
)
def test_mcnemar_table(discordance, effect, n):
    """The table for two 0/1 systems at 80% power and 5% two-sided."""
    assert mcnemar_samples_needed(effect, discordance) == n
    assert mcnemar_samples_needed(-effect, discordance) == n


@settings(deadline=None)
@given(effects, st.floats(0.01, 1), errors)
def test_detectable_effect_inverts_samples_needed(effect, between, error):
    """The n items just see the effect that n was computed for, and n - 1 do not."""
    variance = PairedVariance(between)
    n = samples_needed(effect, variance, error)
    assert detectable_effect(n, variance, error) <= effect * (1 + 1e-9)
    assert n == 1 or detectable_effect(n - 1, variance, error) > effect * (1 - 1e-9)


@settings(deadline=None)
@given(effects, st.floats(0, 0.7), errors)
def test_mcnemar_forms_are_inverse(effect, more, error):
    """The same for discordant pairs."""
    n = mcnemar_samples_needed(effect, effect + more, error)
    found = mcnemar_detectable_effect(n, effect + more, error)
    assert found is None or found <= effect * (1 + 1e-9)


def test_too_few_items_see_no_discordance():
    """Five items cannot show a difference when only 1% of items differ."""
    assert mcnemar_detectable_effect(5, 0.01) is None


def test_repeats_cut_the_noise():
    """Drawing each answer K times divides the drawing noise by K and leaves ω²."""
    assert PairedVariance(0.1, 0.2, 0.4, 2, 4).total == pytest.approx(0.1 + 0.1 + 0.1)


def test_a_one_sided_gate_needs_fewer():
    """z_{1-alpha} replaces z_{1-alpha/2}."""
    z = stats.norm.ppf(0.95) + stats.norm.ppf(0.8)
    assert Error(two_sided=False).factor == pytest.approx(z**2)
    assert samples_needed(0.03, PairedVariance(1 / 9), Error(two_sided=False)) < 969


def test_unpaired_needs_more():
    """Two separate sets at p = ¾ need 3271 items each for 3 points."""
    assert unpaired_samples_needed(0.03, 0.75) == 3271


@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize(("effect", "discordance"), [(0.03, 0.1), (0.05, 0.2), (0.1, 0.25)])
def test_counts_equal_statsmodels(effect, discordance, two_sided):
    """A paired difference of 0/1 scores is a one-sample z test of effect δ/√(π_d-δ²)."""
    solve = NormalIndPower().solve_power
    size = effect / math.sqrt(discordance - effect**2)
    side = "two-sided" if two_sided else "larger"
    known = solve(size, alpha=0.05, power=0.8, ratio=0, alternative=side)
    found = mcnemar_samples_needed(effect, discordance, Error(0.05, 0.8, two_sided=two_sided))
    assert found == math.ceil(known - 1e-6)


def test_planned_power_is_met():
    """McNemar's z test on the planned number of items rejects in 80% of 2,000 runs, ±4 errors."""
    n = mcnemar_samples_needed(0.05, 0.2)
    counts = np.random.default_rng(2).multinomial(n, [0.125, 0.075, 0.8], size=2000)
    z = (counts[:, 0] - counts[:, 1]) / np.sqrt(counts[:, 0] + counts[:, 1])
    power = (np.abs(z) > stats.norm.ppf(0.975)).mean()
    assert power == pytest.approx(0.8, abs=4 * np.sqrt(0.8 * 0.2 / 2000))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Error(alpha=0), "alpha must be between 0 and 1, got 0"),
        (lambda: Error(power=80), "power must be between 0 and 1, got 80"),
        (lambda: samples_needed(0, PairedVariance(1)), "effect must be a number other than 0"),
        (lambda: mcnemar_samples_needed(0.3, 0.2), "discordance must be from"),
        (lambda: mcnemar_detectable_effect(9, 0), "discordance must be above 0"),
        (lambda: detectable_effect(0, PairedVariance(1)), "n must be at least 1, got 0"),
        (lambda: unpaired_samples_needed(0.1, 1), "share must be between 0 and 1, got 1"),
    ],
)
def test_wrong_input_is_named(call, message):
    """What cannot be meant raises ValueError and says what came."""
    with pytest.raises(ValueError, match=message):
        call()
