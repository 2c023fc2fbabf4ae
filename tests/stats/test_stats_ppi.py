"""Corrected scores: known answers by hand, limits, and coverage over the whole range of p."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.intervals import wilson
from harness.stats.ppi import Judgements, ppi_mean, rogan_gladen

TRUTH = np.array([1, 1, 1, 0, 0, 1, 0, 1, 1, 0], dtype=float)
JUDGED = np.array([1, 1, 0, 0, 1, 1, 0, 1, 1, 0], dtype=float)
REST = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0], dtype=float)
DATA = Judgements(TRUTH, JUDGED, REST)
binary = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60)


def simulated(n, total, p, sensitivity, specificity, rng):
    """Return n labelled of `total` rows of a judge with known errors."""
    truth = (rng.random(total) < p).astype(float)
    right = rng.random(total) < np.where(truth == 1, sensitivity, specificity)
    judged = np.where(right, truth, 1 - truth)
    return Judgements(truth[:n], judged[:n], judged[n:])


def test_plain_ppi_is_the_judge_plus_its_mean_error():
    """λ = 1: f̄ over the rest plus mean(Y - f), with the sum of both variances."""
    found = ppi_mean(DATA, weight=1.0)
    error = TRUTH - JUDGED
    assert found.value == pytest.approx(REST.mean() + error.mean())
    expected = REST.var(ddof=1) / 20 + error.var(ddof=1) / 10
    assert found.stderr == pytest.approx(expected**0.5)
    assert found.method == "ppi"


def test_the_tuned_weight_is_the_formulas():
    """λ* = Cov(Y,f) / ((1 + n/N)·Var f)."""
    found = ppi_mean(DATA)
    covariance = np.cov(TRUTH, JUDGED, ddof=0)[0, 1]
    expected = covariance / ((1 + 10 / 20) * np.concatenate([JUDGED, REST]).var())
    assert found.weight == pytest.approx(expected)
    assert 0 < found.weight < 1
    assert found.method == "ppi++"


def test_a_weight_of_zero_is_the_labels_alone():
    """λ = 0 ignores the judge: the mean of the labels, with about Wilson's interval."""
    found = ppi_mean(DATA, weight=0.0)
    exact = wilson(6, 10)
    assert found.value == pytest.approx(0.6)
    assert found.effective_n == pytest.approx(10)
    assert found.method == "human"
    assert found.low == pytest.approx(exact.low, abs=0.06)
    assert found.high == pytest.approx(exact.high, abs=0.06)


def test_a_useless_judge_gets_no_weight():
    """A judge that says the same of everything, or the opposite, adds nothing."""
    for judged in (np.ones(10), 1 - TRUTH):
        found = ppi_mean(Judgements(TRUTH, judged, np.ones(50)))
        assert found.weight == 0
        assert found.value == pytest.approx(0.6)


def test_a_good_judge_is_worth_labels():
    """ρ = .9 and many verdicts: each label counts for several."""
    rng = np.random.default_rng(0)
    found = ppi_mean(simulated(200, 4000, 0.7, 0.97, 0.95, rng))
    assert found.effective_n > 500
    assert found.high - found.low < 0.08


def test_without_other_verdicts_only_labels_are_left():
    """No unlabelled row: the weight is 0."""
    found = ppi_mean(Judgements(TRUTH, JUDGED, []))
    assert found.weight == 0
    assert found.value == pytest.approx(0.6)


def test_one_label_is_too_few():
    """A variance needs two labels; the reason says so."""
    found = ppi_mean(Judgements([1], [1], REST))
    assert found.value is None
    assert found.reason == "fewer than two labels"


def test_labels_and_verdicts_must_pair_up():
    """A label without a verdict is an error."""
    with pytest.raises(ValueError, match="pair up"):
        ppi_mean(Judgements([1, 0], [1], REST))


@given(binary, st.lists(st.booleans(), max_size=60))
def test_the_interval_holds_the_value_within_zero_and_one(pairs, rest):
    """Whatever the data: 0 ≤ low ≤ value ≤ high ≤ 1, and never without width."""
    truth, judged = (np.array([pair[i] for pair in pairs], dtype=float) for i in (0, 1))
    for weight in (None, 0.0, 1.0):
        found = ppi_mean(Judgements(truth, judged, np.array(rest, dtype=float)), weight=weight)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.high > found.low


def test_clusters_widen_the_interval():
    """Ten copies of ten labels are ten labels, not a hundred."""
    truth, judged = np.repeat(TRUTH, 10), np.repeat(JUDGED, 10)
    alone = ppi_mean(Judgements(truth, judged, REST))
    grouped = ppi_mean(Judgements(truth, judged, REST, np.repeat(np.arange(10), 10)))
    assert grouped.stderr > 1.5 * alone.stderr


def test_differences_of_two_systems_have_an_unbounded_interval():
    """Paired differences lie in -1…1 and get Student's t around the estimate."""
    found = ppi_mean(
        Judgements(TRUTH - TRUTH[::-1], JUDGED - JUDGED[::-1], REST - REST[::-1]), bounds=None
    )
    assert found.low < found.value < found.high
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_rogan_gladen_inverts_the_judges_errors():
    """θ̂ = (p̂ + q̂₀ - 1)/(q̂₀ + q̂₁ - 1) on counts made to fit."""
    truth = np.repeat([1.0, 0.0], 100)
    judged = np.concatenate([np.repeat([1.0, 0.0], [90, 10]), np.repeat([1.0, 0.0], [20, 80])])
    rest = np.repeat([1.0, 0.0], [620, 380])  # as 60 % right would give: .6·.9 + .4·.2
    found = rogan_gladen(Judgements(truth, judged, rest))
    share = (110 + 620) / 1200
    assert found.value == pytest.approx((share + 0.8 - 1) / 0.7)
    assert found.low < found.value < found.high


def test_rogan_gladens_interval_is_the_papers():
    """Every step of the formula, written out once more."""
    z = 1.959963984540054
    n, p = 30, (JUDGED.sum() + REST.sum()) / 30
    q1, q0 = 5 / 6, 3 / 4
    pt = (n * p + z**2 / 2) / (n + z**2)
    q1t, q0t = (6 * q1 + 1) / 8, (4 * q0 + 1) / 6
    theta = min(max((pt + q0t - 1) / (q0t + q1t - 1), 0), 1)
    v1, v0 = q1t * (1 - q1t) / 8, q0t * (1 - q0t) / 6
    shift = 2 * z**2 * (theta * v1 - (1 - theta) * v0)
    se = (pt * (1 - pt) / (n + z**2) + (1 - theta) ** 2 * v0 + theta**2 * v1) ** 0.5
    se /= q0t + q1t - 1
    found = rogan_gladen(DATA)
    assert found.stderr == pytest.approx(se)
    assert found.low == pytest.approx(max(theta + shift - z * se, 0))
    assert found.high == pytest.approx(min(theta + shift + z * se, 1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (Judgements([1, 1], [1, 0], REST), "one class only"),
        (Judgements([1, 0], [0, 1], REST), "no better than chance"),
        (Judgements([1, 0, 0], [1, 1, 1], REST), "no better than chance"),
    ],
)
def test_rogan_gladen_says_why_it_has_no_value(data, reason):
    """One class of labels, or a judge like chance, cannot be inverted."""
    found = rogan_gladen(data)
    assert found.value is None
    assert reason in found.reason


def test_rogan_gladen_is_for_yes_and_no():
    """Levels and shares are not prevalences."""
    with pytest.raises(ValueError, match="0 or 1"):
        rogan_gladen(Judgements([1, 0.5], [1, 0], REST))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ppi++", "rogan-gladen"])
def test_coverage_at_200_labels(method):
    """Mean coverage over p in .02…98 at nominal 95 % is at least 93 %, for a judge of .9/.85."""
    rng = np.random.default_rng(7)
    hits = []
    for p in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98):
        for _ in range(150):
            data = simulated(200, 2000, p, 0.9, 0.85, rng)
            found = ppi_mean(data) if method == "ppi++" else rogan_gladen(data)
            if found.value is not None:
                hits.append(found.low <= p <= found.high)
    assert len(hits) > 800
    assert np.mean(hits) >= 0.93


def test_a_difference_that_few_labels_show_is_not_taken_for_certain():
    """A hundred pairs without a difference leave room for half a row of the largest one."""
    rng = np.random.default_rng(5)
    gaps = rng.choice([0.0, 1.0], 2000, p=[0.97, 0.03])
    found = ppi_mean(Judgements([0.0] * 100, [0.0] * 100, gaps), bounds=None)
    assert found.low == pytest.approx(found.value - 1.9842 * (0.5 / 100**2) ** 0.5, abs=1e-5)
    assert found.high > 0.01
