"""Closed-form intervals: known answers from scipy and statsmodels, properties, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import binom

from harness.stats.clusters import Clusters, design_effect
from harness.stats.intervals import (
    EMPTY,
    UNIT,
    cluster_score,
    cluster_t,
    mean_interval,
    t_interval,
    wilson,
    wilson_clustered,
)

units = st.floats(0, 1, allow_nan=False).map(lambda x: round(x, 6))
bits = st.integers(0, 1)


@st.composite
def clustered(draw, scores=units):
    """Values with cluster labels."""
    values = draw(st.lists(scores, min_size=1, max_size=40))
    labels = draw(st.lists(st.integers(0, 8), min_size=len(values), max_size=len(values)))
    return np.array(values, dtype=float), np.array(labels)


def test_wilson_equals_scipy():
    """Wilson's bounds are those of scipy's binomtest for every count of 1, 7 and 40."""
    for n in (1, 7, 40):
        for k in range(n + 1):
            ours = wilson(k, n, 0.9)
            theirs = stats.binomtest(k, n).proportion_ci(0.9, method="wilson")
            assert ours[2:4] == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_equals_statsmodels():
    """Wilson's bounds are those of statsmodels' proportion_confint."""
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for k, n in ((0, 10), (3, 10), (10, 10), (777, 1000)):
        theirs = proportion.proportion_confint(k, n, alpha=0.05, method="wilson")
        assert wilson(k, n)[2:4] == pytest.approx(theirs, abs=1e-12)


def test_wilson_coverage_is_nominal():
    """Exact coverage averaged over p in .02 … .98 is within one point of 95% for n = 20 and 100."""
    shares = np.linspace(0.02, 0.98, 97)
    for n in (20, 100):
        intervals = [wilson(k, n) for k in range(n + 1)]
        held = np.array([(i.low <= shares) & (shares <= i.high) for i in intervals])
        weights = binom.pmf(np.arange(n + 1)[:, None], n, shares)
        assert (weights * held).sum(axis=0).mean() == pytest.approx(0.95, abs=0.01)


def test_t_equals_scipy():
    """The t interval and its standard error are scipy's."""
    values = np.random.default_rng(0).normal(size=17)
    ours = t_interval(values, 0.99)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.99)
    assert ours[2:4] == pytest.approx((theirs.low, theirs.high))
    assert ours.stderr == pytest.approx(stats.sem(values))
    assert ours.method == "t"


def test_cluster_variance_equals_statsmodels():
    """√V is the cluster-robust error of a constant-only OLS, small-sample factor included."""
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(1)
    labels = np.resize([0, 1, 1, 2, 2, 2, 3, 4, 5, 5], 60)
    values = rng.normal(size=60) + labels
    fit = api.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": labels})
    # statsmodels multiplies by C/(C-1) x (n-1)/(n-k), and k = 1 makes the latter 1
    assert cluster_t(values, labels).stderr == pytest.approx(float(fit.bse[0]))


def test_cluster_t_worked_by_hand():
    """Two clusters (1, 0) and (1, 1): deviations sum to -½ and ½, so V = .5/16 x 2 = 1/16."""
    found = cluster_t([1, 0, 1, 1], ["a", "a", "b", "b"])
    assert found.value == 0.75
    assert found.stderr == pytest.approx(0.25)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 1) * 0.25)
    assert found.method == "cluster-t"


@settings(deadline=None)
@given(clustered())
def test_clusters_of_one_row_change_nothing(data):
    """With a cluster per row every method gives its unclustered interval."""
    values, _ = data
    own = np.arange(len(values))
    assert cluster_t(values, own) == t_interval(values)
    assert mean_interval(values, own, bounds=UNIT) == mean_interval(values, bounds=UNIT)
    right = (values > 0.5).astype(float)
    assert wilson_clustered(right, own) == wilson(right.sum(), len(right))


@settings(deadline=None)
@given(clustered(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_bounded_intervals_hold_the_value_and_stay_inside(data, confidence):
    """0 ≤ low ≤ value ≤ high ≤ 1 for scores within 0…1, clustered or not."""
    values, labels = data
    for found in (
        cluster_score(values, labels, confidence),
        wilson_clustered(values.round(), labels, confidence),
        mean_interval(values, confidence=confidence, bounds=UNIT),
    ):
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1


@settings(deadline=None)
@given(clustered(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(data, random):
    """Shuffling rows with their labels, and renaming the labels, moves no end."""
    values, labels = data
    order = list(range(len(values)))
    random.shuffle(order)
    renamed = np.array([f"name-{9 - label}" for label in labels])
    for method in (cluster_t, cluster_score):
        before, after = method(values, labels), method(values[order], renamed[order])
        assert before.method == after.method
        for x, y in zip(before[:4], after[:4], strict=True):
            assert (x is None) == (y is None)
            assert x is None or x == pytest.approx(y, abs=1e-9)


@settings(deadline=None)
@given(clustered(bits))
def test_right_and_wrong_are_symmetric(data):
    """Exchanging 0 and 1 mirrors the interval."""
    values, labels = data
    found, mirrored = wilson_clustered(values, labels), wilson_clustered(1 - values, labels)
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    assert found.high == pytest.approx(1 - mirrored.low, abs=1e-9)


@settings(deadline=None)
@given(clustered())
def test_a_higher_confidence_is_wider(data):
    """The 99% interval holds the 90% interval."""
    values, labels = data
    narrow, wide = cluster_score(values, labels, 0.9), cluster_score(values, labels, 0.99)
    assert wide.low <= narrow.low + 1e-12
    assert wide.high >= narrow.high - 1e-12


@settings(deadline=None)
@given(clustered())
def test_bounds_only_rescale(data):
    """Scores in percent give the interval of the same scores in 0…1, times 100."""
    values, labels = data
    plain, percent = (
        cluster_score(values, labels),
        cluster_score(values * 100, labels, bounds=(0, 100)),
    )
    assert np.array(percent[2:4]) == pytest.approx(100 * np.array(plain[2:4]), abs=1e-6)


def test_wilson_with_full_dependence_counts_clusters():
    """Rows that repeat their cluster's answer weigh as one row of few clusters."""
    answers = np.array([1, 1, 1, 0, 1, 0, 1, 1, 0, 1])
    repeated, labels = np.repeat(answers, 5), np.repeat(np.arange(10), 5)
    found, single = wilson_clustered(repeated, labels), wilson(7, 10)
    assert found.stderr == pytest.approx(single.stderr)
    assert found.low < single.low
    assert found.high > single.high
    assert design_effect(repeated, labels) == pytest.approx(5, rel=0.1)


def test_effective_size_never_exceeds_n():
    """Rows that cancel out within clusters claim no more than n independent rows."""
    values, labels = [1, 0, 1, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3]
    assert wilson_clustered(values, labels)[2:4] == pytest.approx(wilson(5, 8)[2:4])


def test_all_right_counts_each_cluster_once():
    """With nothing wrong dependence cannot be seen, so 10 clusters of 5 bound as 10 rows."""
    found = wilson_clustered(np.ones(50), np.repeat(np.arange(10), 5))
    assert found.low == pytest.approx(wilson(10, 10).low)
    assert found[:2] == (1.0, 0.0)
    assert found[3:] == (1.0, "cluster-wilson")


def test_equal_cluster_means_are_bounded_like_equal_values():
    """Pairs of one right and one wrong give ½ with the bound of as many equal rows, not width 0."""
    values, labels = [1, 0] * 6, np.repeat(np.arange(6), 2)
    found = wilson_clustered(values, labels)
    assert found == cluster_score(values, labels)
    assert (found.value, found.stderr) == (0.5, 0.0)
    assert found.high - found.low == pytest.approx(wilson(0, 6).high)


def test_constant_scores_have_wilsons_bound():
    """Equal scores v of known range lie in v(1-q) … v(1-q)+q, q being Wilson's end for 0 of n."""
    q = wilson(0, 8).high
    found = mean_interval([0.25] * 8, bounds=UNIT)
    assert found[:2] == (0.25, 0.0)
    assert found[2:4] == pytest.approx((0.25 * (1 - q), 0.25 * (1 - q) + q))
    assert found.method == "wilson"


def test_constant_scores_of_unknown_range_have_no_ends():
    """Where the range is unknown equal values say nothing about their spread."""
    assert mean_interval([7.0, 7.0, 7.0]) == (7.0, 0.0, None, None, "none")
    assert mean_interval([0.1] * 3).value == 0.1


@pytest.mark.parametrize("kind", [{}, {"bounds": UNIT}, {"binary": True}, {"binary": False}])
def test_no_rows_give_no_value(kind):
    """An empty column has no value, no ends and the method none."""
    assert mean_interval([], **kind) == EMPTY
    assert mean_interval([], [], **kind) == EMPTY
    assert t_interval([]) == wilson(0, 0) == cluster_score([], []) == EMPTY


def test_one_row():
    """One row has a value and no standard error; ends only where the range is known."""
    assert t_interval([3.0]) == (3.0, None, None, None, "none")
    assert mean_interval([1]) == wilson(1, 1)
    assert wilson(1, 1).stderr is None
    found = mean_interval([0.5], bounds=UNIT)
    assert found.stderr is None
    assert 0 < found.low < 0.5 < found.high < 1


def test_one_cluster_tells_nothing():
    """Rows of a single cluster leave no degree of freedom: the whole range, or no ends."""
    labels = ["a", "a", "a"]
    assert wilson_clustered([1, 0, 1], labels)[1:4] == (None, 0.0, 1.0)
    assert cluster_score([0.2, 0.4, 0.3], labels)[1:4] == (None, 0.0, 1.0)
    assert cluster_t([0.2, 0.4, 0.3], labels)[1:] == (None, None, None, "none")


def test_the_one_entry_picks_the_method():
    """0/1 scores get Wilson, a known range the score interval, others t; each over clusters."""
    labels = [0, 0, 1, 1]
    assert mean_interval([0, 1, 1, 1]).method == "wilson"
    assert mean_interval([0, 1, 1, 1], labels).method == "cluster-wilson"
    assert mean_interval([0, 1, 1, 1], binary=False).method == "t"
    assert mean_interval([0, 0.5, 1, 1], bounds=UNIT).method == "score"
    assert mean_interval([0, 0.5, 1, 1], labels, bounds=UNIT).method == "cluster-score"
    assert mean_interval([0, 5, 1, 1], labels).method == "cluster-t"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([0, 0.5], binary=True), "must be 0 or 1, got 0.5"),
        (lambda: mean_interval([0, 2], bounds=UNIT), "must lie in 0.0…1.0, got 2.0"),
        (lambda: mean_interval([0, float("nan")]), "must be finite, got nan"),
        (lambda: mean_interval([[0, 1]]), "one-dimensional"),
        (lambda: mean_interval([0, 1], ["a"]), "clusters must name each of 2 rows"),
        (lambda: mean_interval([0, 1], confidence=1), "confidence must be between 0 and 1, got 1"),
        (lambda: t_interval([0, 1], confidence=95), "confidence must be between 0 and 1, got 95"),
        (lambda: wilson(3, 2), "successes must be between 0 and n = 2, got 3"),
    ],
)
def test_wrong_input_is_named(call, message):
    """What cannot be meant raises ValueError and says what came."""
    with pytest.raises(ValueError, match=message):
        call()


def test_design_effect():
    """1 for independent rows, None where it is undefined."""
    assert design_effect([0, 1, 1, 0], [0, 1, 2, 3]) == pytest.approx(1)
    assert design_effect([1, 1], [0, 1]) is None
    assert design_effect([0, 1], [0, 0]) is None


def test_jackknife_variance_leaves_out_clusters():
    """It is the jackknife over clusters done the long way, and V for equal sizes."""
    values = np.array([0.0, 1, 1, 0.5, 0, 0.25, 1])
    groups = Clusters.of([0, 0, 0, 1, 1, 2, 3], 7)
    left = np.array([values[groups.codes != c].mean() for c in range(4)])
    slow = 3 / 4 * ((left - values.mean()) ** 2).sum()
    assert groups.jackknife_variance(values) == pytest.approx(slow)
    even = Clusters.of([0, 0, 1, 1, 2, 2], 6)
    assert even.jackknife_variance(values[:6]) == pytest.approx(even.mean_variance(values[:6]))


def draw_clustered(rng, clusters, size, share, icc):
    """0/1 rows whose clusters' chances are beta with this mean and intraclass correlation."""
    strength = (1 - icc) / icc
    chances = rng.beta(share * strength, (1 - share) * strength, clusters)
    labels = np.repeat(np.arange(clusters), size)
    return (rng.random(len(labels)) < chances[labels]).astype(float), labels


@pytest.mark.parametrize(
    ("clusters", "share", "coverage"), [(10, 0.5, 0.96), (20, 0.9, 0.92), (40, 0.9, 0.94)]
)
def test_clustered_coverage(clusters, share, coverage):
    """Over 400 data sets of ICC ½ cluster-wilson covers as over 18,000, within 4 binomial errors.

    The shortfall at a share of 0.9 is real: few clusters hold all that went wrong.
    """
    rng = np.random.default_rng(7)
    held = plain = 0
    for _ in range(400):
        values, labels = draw_clustered(rng, clusters, 5, share, 0.5)
        found, ignored = wilson_clustered(values, labels), wilson(values.sum(), len(values))
        held += found.low <= share <= found.high
        plain += ignored.low <= share <= ignored.high
    assert held / 400 == pytest.approx(coverage, abs=4 * np.sqrt(coverage * (1 - coverage) / 400))
    assert plain / 400 < 0.9


def test_fractional_coverage_beats_t():
    """On 400 sets of 10 scores, mostly zeros, the score interval covers more than t and ≥ 86%."""
    rng = np.random.default_rng(8)
    held = student = 0
    for _ in range(400):
        values = np.where(rng.random(10) < 0.8, 0, rng.random(10))
        found, t = cluster_score(values, np.arange(10)), t_interval(values)
        held += found.low <= 0.1 <= found.high
        student += t.low is not None and t.low <= 0.1 <= t.high
    assert held > student
    assert held / 400 >= 0.86
