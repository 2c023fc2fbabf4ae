"""Calibration: hand-worked tables, scikit-learn where it is there, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats import calibration
from harness.stats.calibration import (
    accuracy_by_coverage,
    auroc,
    brier,
    coverage_at_risk,
    expected_calibration_error,
    log_score,
    null_calibration_error,
    reliability,
    selective_accuracy,
    selective_area,
)

SURE = [0.95, 0.95, 0.85, 0.15, 0.55, 0.55]
RIGHT = [1, 0, 1, 0, 1, 1]


@st.composite
def answers(draw):
    """Confidences, often tied, with right or wrong."""
    sure = draw(st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=1, max_size=40))
    right = draw(st.lists(st.integers(0, 1), min_size=len(sure), max_size=len(sure)))
    return np.array(sure), np.array(right, dtype=float)


def test_ece_by_hand():
    """Gaps .45, .15, .15, .45 in bins of 2, 1, 1, 2 of 6: ECE = 2.1/6."""
    assert expected_calibration_error(SURE, RIGHT) == pytest.approx(2.1 / 6)
    bins = reliability(SURE, RIGHT)
    assert [b.n for b in bins] == [1, 2, 1, 2]
    assert bins[-1][2:] == pytest.approx((2, 0.95, 0.5))


def test_equal_mass_ece_by_hand():
    """Two halves (.15 .55 .55 | .85 .95 .95): gaps |2/3-1.25/3| and |2/3-2.75/3| average to ¼."""
    found = expected_calibration_error(SURE, RIGHT, bins=2, binning="mass")
    assert found == pytest.approx((0.75 / 3 + 0.75 / 3) / 2)


def test_bin_edges_belong_to_the_lower_bin():
    """Bins are open below and closed above, and the first holds 0."""
    bins = reliability([0.0, 0.1, 0.100001, 1.0], [0, 0, 0, 1])
    assert [b.low for b in bins] == pytest.approx([0, 0.1, 0.9])
    assert [b.n for b in bins] == [2, 1, 1]


def test_equal_confidences_share_a_bin():
    """Equal-mass bins never part ties, so one confidence throughout is one bin."""
    bins = reliability([0.7] * 25, [1] * 10 + [0] * 15, binning="mass")
    assert [b.n for b in bins] == [25]
    assert [b.n for b in reliability([0, 0, 1, 1], [0, 1, 0, 1], bins=2, binning="mass")] == [2, 2]
    assert [b.n for b in reliability([1, 1], [0, 1], binning="mass")] == [2]


def test_bins_equal_scikit_learn():
    """Bin means and accuracies are those of scikit-learn's calibration_curve."""
    module = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(0)
    sure = np.concatenate([rng.random(200), [0, 0.1, 0.5, 1]])
    right = (rng.random(204) < sure).astype(int)
    accuracy, confidence = module.calibration_curve(right, sure, n_bins=10)
    bins = reliability(sure, right)
    assert [b.accuracy for b in bins] == pytest.approx(accuracy)
    assert [b.confidence for b in bins] == pytest.approx(confidence)


@settings(deadline=None)
@given(answers())
def test_scores_equal_scikit_learn(data):
    """Brier, log score and AUROC are scikit-learn's."""
    metrics = pytest.importorskip("sklearn.metrics")
    sure, right = data
    assert brier(sure, right) == pytest.approx(np.mean((sure - right) ** 2))
    clipped = np.clip(sure, 1e-6, 1 - 1e-6)
    theirs = metrics.log_loss(right, clipped, labels=[0, 1])
    assert log_score(sure, right) == pytest.approx(float(theirs))
    if 0 < right.sum() < len(right):
        assert brier(sure, right) == pytest.approx(float(metrics.brier_score_loss(right, sure)))
        assert auroc(sure, right) == pytest.approx(float(metrics.roc_auc_score(right, sure)))
    else:
        assert auroc(sure, right) is None


@settings(deadline=None)
@given(answers(), st.randoms(use_true_random=False))
def test_everything_is_in_range_and_ignores_order(data, random):
    """All measures lie in 0…1 (log score ≥ 0) and do not move when rows are shuffled."""
    sure, right = data
    order = list(range(len(sure)))
    random.shuffle(order)
    measures = [
        expected_calibration_error,
        lambda c, r: expected_calibration_error(c, r, binning="mass"),
        brier,
        selective_area,
        lambda c, r: selective_accuracy(c, r, 0.3),
        lambda c, r: coverage_at_risk(c, r, 0.2),
    ]
    for measure in measures:
        found = measure(sure, right)
        assert 0 <= found <= 1 + 1e-12
        assert measure(sure[order], right[order]) == pytest.approx(found, abs=1e-9)
    assert log_score(sure, right) >= 0


def test_log_score_is_finite():
    """A sure and wrong answer costs -ln(1e-6), not infinity."""
    assert log_score([1.0], [0]) == pytest.approx(-np.log(1e-6))
    assert log_score([0.5, 0.5], [0, 1]) == pytest.approx(np.log(2))


def test_accuracy_by_coverage_by_hand():
    """Surest first: two at .95 with one right count ½ each, then right, right, right, wrong."""
    curve = accuracy_by_coverage(SURE, RIGHT)
    assert curve == pytest.approx([1 / 2, 1 / 2, 2 / 3, 3 / 4, 4 / 5, 4 / 6])
    assert selective_accuracy(SURE, RIGHT, 0.5) == pytest.approx(2 / 3)
    assert selective_accuracy(SURE, RIGHT, 0.51) == pytest.approx(3 / 4)
    assert selective_accuracy(SURE, RIGHT, 0.001) == pytest.approx(1 / 2)
    assert selective_area(SURE, RIGHT) == pytest.approx(curve.mean())


def test_coverage_is_not_rounded_up_by_floating_point():
    """A tenth of 30 answers is 3, though 0.1 x 30 exceeds it in floating point."""
    right = [1, 1, 1, 0] + [0] * 26
    assert selective_accuracy(np.linspace(1, 0, 30), right, 0.1) == 1


def test_coverage_at_risk_by_hand():
    """With ¼ risk allowed 5 of 6 may be answered; with none, none."""
    assert coverage_at_risk(SURE, RIGHT, 0.25) == pytest.approx(5 / 6)
    assert coverage_at_risk(SURE, RIGHT, 0) == 0
    assert coverage_at_risk([0.9, 0.8], [1, 1], 0) == 1


def test_null_ece_of_uniform_confidences():
    """It is near Σ_b √(2/π)·√(Σ p(1-p))/n, each bin's gap being about normal."""
    sure = np.linspace(0.0005, 0.9995, 1000)
    found = null_calibration_error(sure, np.random.default_rng(1), n_simulations=400)
    spread = (sure * (1 - sure)).reshape(10, 100).sum(axis=1)
    assert found.mean == pytest.approx(np.sqrt(2 / np.pi * spread).sum() / 1000, rel=0.03)
    assert found.high > found.mean


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_null_ece_is_the_mean_of_simulated_ece(binning):
    """The fast simulation equals computing the ECE draw by draw."""
    sure = np.random.default_rng(0).beta(5, 2, 60)
    draws = np.random.default_rng(1).random((200, 60))
    order = np.argsort(
        calibration._bin_numbers(sure, calibration._edges(sure, 10, binning)), kind="stable"
    )
    slow = [
        expected_calibration_error(sure[order], row < sure[order], binning=binning) for row in draws
    ]
    fast = null_calibration_error(
        sure, np.random.default_rng(1), binning=binning, n_simulations=200
    )
    assert fast.mean == pytest.approx(np.mean(slow))
    assert fast.high == pytest.approx(np.quantile(slow, 0.95))


def test_null_ece_in_chunks(monkeypatch):
    """Bounding memory does not change the numbers."""
    sure = np.linspace(0, 1, 50)
    whole = null_calibration_error(sure, np.random.default_rng(1), n_simulations=30)
    monkeypatch.setattr(calibration, "CHUNK_VALUES", 50)
    chunked = null_calibration_error(sure, np.random.default_rng(1), n_simulations=30)
    assert chunked == pytest.approx(whole)


def test_nothing_to_measure():
    """Without answers every measure is None, and there is no bin."""
    for measure in (expected_calibration_error, brier, log_score, auroc, selective_area):
        assert measure([], []) is None
    assert reliability([], []) == []
    assert selective_accuracy([], [], 0.5) is None
    assert coverage_at_risk([], [], 0.5) is None
    assert null_calibration_error([], np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: brier([1.2], [1]), "confidences must lie in 0…1, got 1.2"),
        (lambda: brier([0.2], [0.5]), "correct must be 0 or 1"),
        (lambda: brier([0.2], [0, 1]), "aligned, got 1 and 2 values"),
        (lambda: reliability([0.2], [1], bins=0), "bins must be at least 1, got 0"),
        (lambda: selective_accuracy([0.2], [1], 0), "coverage must be above 0"),
        (lambda: coverage_at_risk([0.2], [1], 2), "risk must lie in 0…1, got 2"),
    ],
)
def test_wrong_input_is_named(call, message):
    """What cannot be meant raises ValueError and says what came."""
    with pytest.raises(ValueError, match=message):
        call()
