"""E-processes, group-sequential bounds and control variates."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.control_variate import Units, subset_mean, subset_mean_of_units
from harness.stats.eprocess import Evidence, confidence_sequence, gains, log_evidence
from harness.stats.sequential import (
    group_sequential_bounds,
    obrien_fleming_spending,
    pocock_spending,
)

BAR = math.log(20)
DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=40)


def drawn(seed: int, repeats: int, n: int, gained: float, lost: float) -> np.ndarray:
    """Return differences: 1 with chance `gained`, -1 with chance `lost`."""
    draw = np.random.default_rng(seed).random((repeats, n))
    return (draw < gained).astype(float) - (draw > 1 - lost)


@given(DIFFERENCES, st.floats(-0.9, 0.9), st.sampled_from(["above", "below"]))
def test_evidence_item_by_item_equals_the_whole(values, null, side):
    """Feeding values one by one gives the running maximum of the vectorised path."""
    path = log_evidence(gains(values, null, side))
    evidence = Evidence(null, side)
    seen = [evidence.add(value) for value in values]
    assert seen == pytest.approx(np.maximum(np.maximum.accumulate(path), 0.0).tolist(), abs=1e-9)
    assert evidence.p_value == pytest.approx(math.exp(-seen[-1]))


def test_evidence_is_the_mean_wealth_of_the_stakes():
    """Two gains of 1 multiply each stake's wealth by (1 + λ)²; E is their mean."""
    stakes = np.arange(1, 21) / 21
    assert log_evidence(np.ones(2))[-1] == pytest.approx(math.log(np.mean((1 + stakes) ** 2)))


def test_no_discordance_settles_within_the_known_number():
    """With margin 5 points and no change, "not worse" is shown after 90 items at α = 0.05."""
    path = log_evidence(gains(np.zeros(200), -0.05, "above"))
    assert int((path >= BAR).argmax()) + 1 == 90


@pytest.mark.parametrize(("gained", "lost"), [(0.05, 0.05), (0.01, 0.01), (0.125, 0.125)])
def test_false_alarms_stay_below_alpha_however_often_one_looks(gained, lost):
    """Ville's bound: an unchanged model crosses 1/α at any time with chance at most α."""
    change = drawn(1, 400, 500, gained, lost)
    alarms = (log_evidence(gains(change, 0.0, "below")) >= BAR).any(axis=1)
    assert alarms.mean() <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)


def test_a_bad_drop_is_seen_early():
    """Ten points lost at 10 % discordance cross the bar after some 70 items on average."""
    path = log_evidence(gains(drawn(2, 300, 400, 0.0, 0.10), 0.0, "below"))
    assert 60 <= (path >= BAR).argmax(axis=1).mean() <= 80


@pytest.mark.parametrize("truth", [-0.3, 0.0, 0.4])
def test_confidence_sequence_holds_at_all_times(truth):
    """The sequence holds the mean at every look of nearly every run, and narrows."""
    rng = np.random.default_rng(3)
    values = (rng.random((60, 200)) < (1 + truth) / 2) * 2.0 - 1.0
    missed = 0
    for run in values:
        ends = [confidence_sequence(run[:n], 0.1) for n in (20, 200)]
        missed += any(not low <= truth <= high for low, high in ends)
    assert missed / len(values) <= 0.1 + 2 * math.sqrt(0.1 * 0.9 / len(values))
    assert ends[-1][1] - ends[-1][0] < ends[0][1] - ends[0][0]


def test_confidence_sequence_of_nothing_is_everything():
    """Without data the mean may be anywhere in -1…1."""
    assert confidence_sequence([]) == (-1.0, 1.0)


@given(DIFFERENCES)
def test_confidence_sequence_agrees_with_the_tests(values):
    """0 is outside the sequence exactly where the e-process against 0 has crossed its bar."""
    low, high = confidence_sequence(values, 0.1)
    evidence = [log_evidence(gains(values, 0.0, side)).max() for side in ("above", "below")]
    assert (low > 1e-8) == (evidence[0] >= BAR + 1e-9) or abs(evidence[0] - BAR) < 1e-6
    assert (high < -1e-8) == (evidence[1] >= BAR + 1e-9) or abs(evidence[1] - BAR) < 1e-6


def test_clusters_bet_with_their_share():
    """A cluster of half the largest size is half a bet on the same null."""
    whole = gains([0.5], -0.1, "above", [1.0])
    half = gains([0.25], -0.1, "above", [0.5])
    assert half == pytest.approx(whole / 2)


@pytest.mark.parametrize(
    ("values", "null", "sizes"),
    [([2.0], 0.0, 1.0), ([0.5], 0.0, 0.25), ([0.0], 1.0, 1.0), ([0.0], 0.0, 0.0)],
)
def test_values_out_of_range_are_refused(values, null, sizes):
    """A bet on an unbounded value could lose more than everything."""
    with pytest.raises(ValueError, match=r"must lie"):
        gains(values, null, "above", sizes)


def test_confidence_sequence_checks_alpha():
    """Alpha is a probability."""
    with pytest.raises(ValueError, match="alpha"):
        confidence_sequence([0.0], 1.5)


def test_obrien_fleming_bounds_are_the_published_ones():
    """Five looks at one-sided 0.05 (Lan & DeMets spending): 4.23, 2.89, 2.30, 1.96, 1.74."""
    shares = [0.2, 0.4, 0.6, 0.8, 1.0]
    found = group_sequential_bounds(shares, obrien_fleming_spending(0.05))
    assert found == pytest.approx([4.229, 2.888, 2.298, 1.962, 1.740], abs=2e-3)
    pocock = group_sequential_bounds(shares, pocock_spending(0.05))
    assert pocock == pytest.approx([2.176, 2.144, 2.113, 2.090, 2.071], abs=2e-3)


def test_one_look_is_the_ordinary_test():
    """With a single look at the end the bound is z at 1 - alpha."""
    found = group_sequential_bounds([1.0], obrien_fleming_spending(0.05))
    assert found == pytest.approx([1.6449], abs=1e-3)


def test_bounds_spend_alpha_and_no_more():
    """Simulated looks at those bounds raise a false alarm in 5 % of runs."""
    shares = [0.25, 0.5, 0.75, 1.0]
    bounds = group_sequential_bounds(shares, pocock_spending(0.05))
    steps = np.random.default_rng(4).standard_normal((40_000, 4)).cumsum(axis=1) / 2
    z = steps / np.sqrt(shares)
    assert (z >= bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.004)


@pytest.mark.parametrize("shares", [[], [0.5, 0.5], [0.9, 0.2], [0.0, 1.0], [0.5, 1.2]])
def test_shares_must_rise(shares):
    """Looks come in order."""
    with pytest.raises(ValueError, match="shares must rise"):
        group_sequential_bounds(shares, pocock_spending(0.05))


def test_control_variate_is_exactly_unbiased():
    """Over all ordered subsets of a small set, the mean estimate is the true mean."""
    rng = np.random.default_rng(5)
    scores, control = rng.random(6), rng.random(6)
    found = [
        subset_mean(scores[list(p[:4])], control[list(p[:4])], control[list(p[4:])])
        for p in itertools.permutations(range(6))
    ]
    assert np.mean([one.value for one in found]) == pytest.approx(scores.mean(), abs=1e-12)


def test_control_variate_gains_what_correlation_promises():
    """Its variance is about 1 - ρ² of the plain mean's, its interval covers, its gain says so."""
    rng = np.random.default_rng(6)
    hidden = rng.random(1000)
    scores = (rng.random(1000) < 0.1 + 0.8 * (hidden > 0.4)).astype(float)
    control = (hidden > 0.4).astype(float)
    found = []
    for _ in range(500):
        order = rng.permutation(1000)
        run, rest = order[:100], order[100:]
        found.append(subset_mean(scores[run], control[run], control[rest]))
    errors = np.array([(one.value, one.plain) for one in found]) - scores.mean()
    promised = 1 / (1 - np.corrcoef(scores, control)[0, 1] ** 2)
    variances = errors.var(axis=0)
    assert variances[1] / variances[0] == pytest.approx(promised, rel=0.2)
    assert np.mean([one.gain for one in found]) == pytest.approx(promised, rel=0.15)
    covered = np.mean([one.low <= scores.mean() <= one.high for one in found])
    assert covered >= 0.92


def test_control_variate_over_clusters_divides_by_the_known_number():
    """Clusters of unequal sizes: unbiased over all ordered draws of four of six clusters."""
    rng = np.random.default_rng(7)
    sizes = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 2.0])
    sums, control = rng.random(6) * sizes, rng.random(6) * sizes
    values = []
    for p in itertools.permutations(range(6)):
        run, rest = list(p[:4]), list(p[4:])
        units = Units(
            sums[run],
            np.stack([control[run], sizes[run]], axis=1),
            np.stack([control[rest], sizes[rest]], axis=1),
            sizes[run],
            float(sizes[rest].sum()),
        )
        values.append(subset_mean_of_units(units).value)
    assert np.mean(values) == pytest.approx(sums.sum() / sizes.sum(), abs=1e-12)


def test_perfect_agreement_is_not_certainty():
    """Where every item run equals its control, one in n may still differ: the width is not 0."""
    control = np.array([0.0, 1.0] * 20)
    found = subset_mean(control, control, [1.0] * 60)
    assert found.value == pytest.approx(0.8)
    assert found.high - found.low > 0.01
    assert 1 < found.gain < 40


def test_too_few_items_have_no_estimate():
    """Two items leave nothing to fit a slope on; misaligned columns are refused."""
    assert subset_mean([1.0, 0.0], [1.0, 0.0], [1.0]) is None
    with pytest.raises(ValueError, match="aligned"):
        subset_mean([1.0, 0.0, 1.0], [1.0, 0.0], [1.0])
