"""Agreement: known answers, edge cases, and what must hold for any ratings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.agreement import (
    agreement_interval,
    cohen_kappa,
    confusion,
    human_ceiling,
    kendall_tau,
    krippendorff_alpha,
    mean_correlation,
    pearson,
    rates,
    spearman,
    swap_agreement,
)

RATINGS = np.array(
    [
        [0, 1, 2, 2, 1, 0, 1, 2, np.nan, 0],
        [0, 1, 2, 1, 1, 0, 1, 2, 2, np.nan],
        [0, 2, 2, 2, 1, 1, 1, 2, 2, 0],
    ]
)
FIRST, SECOND = RATINGS[0][[0, 1, 2, 3, 4, 5, 6, 7]], RATINGS[2][[0, 1, 2, 3, 4, 5, 6, 7]]
two = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)


def test_confusion_counts_truth_by_verdict():
    """Rows are the truth, columns what was said."""
    assert confusion([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], 2).tolist() == [[1, 1], [1, 2]]


@pytest.mark.parametrize("bad", [[0, 2], [-1, 0], [0.5, 1]])
def test_labels_outside_the_scale_are_refused(bad):
    """A label that does not exist is an error, not a new column."""
    with pytest.raises(ValueError, match="labels must be integers"):
        confusion(bad, [0, 1], 2)


def test_ratings_must_pair_up():
    """Vectors of different length are an error."""
    with pytest.raises(ValueError, match="pair up"):
        confusion([0, 1], [0], 2)


def test_rates_are_sensitivity_and_specificity():
    """8 of 10 positives found, 9 of 10 negatives left."""
    truth = [1] * 10 + [0] * 10
    said = [1] * 8 + [0] * 2 + [0] * 9 + [1]
    found = rates(truth, said)
    assert found.sensitivity.value == 0.8
    assert found.specificity.value == 0.9
    assert found.accuracy.value == 0.85
    assert found.specificity.method == "wilson"


def test_rates_of_one_class_say_that_there_is_no_other():
    """Without negatives there is no specificity."""
    assert rates([1, 1], [1, 0]).specificity.value is None


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_equals_scikit_learns(weights):
    """Unweighted, linear and quadratic kappa are those of sklearn.metrics."""
    metrics = pytest.importorskip("sklearn.metrics")
    expected = metrics.cohen_kappa_score(
        FIRST, SECOND, weights=None if weights == "none" else weights
    )
    assert cohen_kappa(FIRST, SECOND, 3, weights) == pytest.approx(expected, abs=1e-12)


def test_kappa_equals_statsmodels():
    """And that of statsmodels' inter-rater module."""
    rater = pytest.importorskip("statsmodels.stats.inter_rater")
    table = confusion(FIRST, SECOND, 3)
    expected = rater.cohens_kappa(table).kappa
    assert cohen_kappa(FIRST, SECOND, 3) == pytest.approx(expected, abs=1e-12)


@given(two)
def test_kappa_is_one_for_equal_raters_and_at_most_one(pairs):
    """Full agreement is 1; nothing is more."""
    a, b = ([pair[i] for pair in pairs] for i in (0, 1))
    found = cohen_kappa(a, b, 4)
    assert found is None or found <= 1 + 1e-12
    same = cohen_kappa(a, a, 4)
    assert same is None or same == pytest.approx(1)


def test_kappa_without_chance_disagreement_is_undefined():
    """Two raters who only ever say one word have no kappa."""
    assert cohen_kappa([0, 0], [0, 0], 2) is None
    assert cohen_kappa([], [], 2) is None


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("nominal", 0.6848249027237354),
        ("ordinal", 0.8242797118847539),
        ("interval", 0.8340163934426229),
    ],
)
def test_alpha_equals_evalicas(level, expected):
    """Three raters with two gaps: the values that evalica 0.4.2 gives for the same ratings."""
    assert krippendorff_alpha(RATINGS, level) == pytest.approx(expected, abs=1e-12)


def test_alpha_of_a_textbook_example():
    """Binary ratings of two raters over ten items: Krippendorff's own worked example."""
    a = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    b = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha([a, b]) == pytest.approx(0.095, abs=5e-4)


def test_alpha_needs_pairs_and_variation():
    """One rating an item, or one value everywhere, leaves alpha undefined."""
    assert krippendorff_alpha([[1, np.nan], [np.nan, 2]]) is None
    assert krippendorff_alpha([[1, 1], [1, 1]]) is None
    with pytest.raises(ValueError, match="raters x items"):
        krippendorff_alpha([1, 2])


@given(two)
def test_alpha_does_not_depend_on_the_order_of_raters(pairs):
    """Raters have no rank."""
    matrix = np.array(pairs, dtype=float).T
    for level in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(matrix, level) == krippendorff_alpha(matrix[::-1], level)


@given(two)
def test_rank_correlations_equal_scipys(pairs):
    """Spearman and Kendall are scipy's; constant data has none."""
    from scipy import stats

    a, b = (np.array([pair[i] for pair in pairs], dtype=float) for i in (0, 1))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert spearman(a, b) is None
        assert kendall_tau(a, b) is None
    else:
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
        assert kendall_tau(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)


def test_correlation_of_a_panel_skips_missing_votes():
    """Each pair of judges is correlated over what both judged."""
    assert mean_correlation([[1, 0, 1, None], [1, 0, 1, 0]]) == pytest.approx(1)
    assert mean_correlation([[1, 1], [0, 1]]) is None
    assert pearson([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_the_human_ceiling_is_leave_one_out_agreement():
    """Three raters, one of whom differs once in two items."""
    assert human_ceiling([[0, 1], [0, 1], [0, 0]]) == pytest.approx((3 + 0.5 + 0.5 + 0) / 6)
    assert human_ceiling([[0, 1]]) is None


def test_an_interval_holds_its_value():
    """The bootstrap interval of kappa stands around kappa."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 200)
    said = np.where(rng.random(200) < 0.85, truth, 1 - truth)
    found = agreement_interval(lambda a, b: cohen_kappa(a, b, 2), truth, said, rng)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.3


def test_swapped_orders_tell_bias_from_noise():
    """Six pairs won by the first slot both times, two by the second, two decided."""
    first = [1] * 6 + [0] * 2 + [1, 0]
    second = [0] * 6 + [1] * 2 + [1, 0]
    found = swap_agreement(first, second)
    assert found.consistency.value == 0.2
    assert found.bias == pytest.approx(0.4)
    assert found.p_value == pytest.approx(0.289, abs=1e-3)
    assert found.first_slot.value == pytest.approx(0.7)


def test_a_judge_that_follows_the_answer_has_no_bias():
    """The same winner in both orders: consistency 1, bias 0, first slot half the time."""
    found = swap_agreement([1, 0, 0.5], [1, 0, 0.5])
    assert (found.consistency.value, found.bias, found.p_value) == (1, 0, 1.0)
    assert swap_agreement([], []).bias is None
