"""Calibration of a set: every metric worked by hand, by scikit-learn or by the bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from harness.plugins import load
from harness.prepare import CALIBRATION
from harness.records import ScoreColumns
from harness.score import calibration
from harness.stats.calibration import expected_calibration_error
from harness.summary import Reading, summarise

pairs = st.lists(
    st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.sampled_from([0.0, 1.0])),
    min_size=1,
    max_size=40,
)


def table(rows) -> dict[str, np.ndarray]:
    """Return (confidence, correct) rows as columns."""
    sure, right = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return {"confidence": sure, "value": right}


def value(name: str, rows) -> float | None:
    """Return a metric over (confidence, correct) rows."""
    return load("metric", name).combine(table(rows))


HAND = [(0.95, 1.0), (0.85, 1.0), (0.85, 0.0), (0.55, 0.0)]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        # bins (0.9, 1]: .05; (0.8, 0.9]: |.5 - .85| twice; (0.5, 0.6]: .55
        ("ece", (0.05 + 2 * 0.35 + 0.55) / 4),
        ("brier", (0.05**2 + 0.15**2 + 0.85**2 + 0.55**2) / 4),
        ("log_score", -(math.log(0.95) + math.log(0.85) + math.log(0.15) + math.log(0.45)) / 4),
        ("selective_accuracy_90", 0.5),
        # 1, then an expected 1.5 of 2 (a tie), 2 of 3, 2 of 4
        ("selective_area", (1 + 0.75 + 2 / 3 + 0.5) / 4),
        # pairs right-wrong: .95 beats both, .85 ties one and beats one
        ("confidence_auroc", 3.5 / 4),
    ],
)
def test_by_hand(name, wanted):
    """Four answers worked out with pen and paper."""
    assert value(name, HAND) == pytest.approx(wanted)


@given(pairs)
def test_scikit_learn_agrees(rows):
    """Brier score, log loss and AUROC are scikit-learn's."""
    data = table(rows)
    sure, right = data["confidence"], data["value"]
    assert value("brier", rows) == pytest.approx(brier_score_loss(right, sure, pos_label=1))
    clipped = np.clip(sure, 1e-6, 1 - 1e-6)
    assert value("log_score", rows) == pytest.approx(log_loss(right, clipped, labels=[0, 1]))
    if 0 < right.sum() < len(right):
        assert value("confidence_auroc", rows) == pytest.approx(roc_auc_score(right, sure))
    else:
        assert value("confidence_auroc", rows) is None


@given(pairs)
def test_the_matrix_form_is_the_same_ece(rows):
    """What the bootstrap computes for many resamples at once is the ECE of each."""
    data = table(rows)
    stacked = {name: np.stack([column, column[::-1]]) for name, column in data.items()}
    many = calibration.ECE.many(stacked)
    one = expected_calibration_error(data["confidence"], data["value"])
    assert many.tolist() == pytest.approx([one, one], abs=1e-12)
    assert calibration.ECE.many(data).tolist() == pytest.approx(one, abs=1e-12)


@given(pairs)
@settings(max_examples=50)
def test_the_terms_average_to_the_metric(rows):
    """Closed-form intervals are built on terms whose mean is the number shown."""
    for name in ("brier", "log_score", "selective_accuracy_90", "confidence_auroc"):
        metric = load("metric", name)
        found = metric.combine(table(rows))
        if found is not None:
            assert metric.terms(table(rows)).mean() == pytest.approx(found, abs=1e-9)


def drawn(seed: int, n: int = 400) -> dict[str, np.ndarray]:
    """Return a model somewhat too sure of itself."""
    rng = np.random.default_rng(seed)
    sure = 0.5 + 0.5 * rng.random(n)
    return {"confidence": sure, "value": (rng.random(n) < sure - 0.1).astype(float)}


@pytest.mark.parametrize(
    "name", ["brier", "log_score", "selective_accuracy_90", "confidence_auroc"]
)
def test_closed_form_errors_are_those_of_the_bootstrap(name):
    """The standard error from the terms agrees with resampling to within a tenth."""
    metric, data, rng = load("metric", name), drawn(3), np.random.default_rng(4)
    terms = metric.terms(data)
    resampled = []
    for _ in range(600):
        rows = rng.integers(0, len(terms), len(terms))
        resampled.append(metric.combine({key: column[rows] for key, column in data.items()}))
    closed = terms.std(ddof=1) / math.sqrt(len(terms))
    assert closed == pytest.approx(np.std(resampled), rel=0.12)


def test_the_null_value_is_what_honesty_would_show():
    """A calibrated model's ECE lies near its null; one that is too sure lies above."""
    rng = np.random.default_rng(5)
    sure = rng.random(2000)
    honest = {"confidence": sure, "value": (rng.random(2000) < sure).astype(float)}
    vain = {"confidence": sure, "value": (rng.random(2000) < sure / 2).astype(float)}
    null = calibration.ECE_NULL.combine(honest)
    assert null == calibration.ECE_NULL.combine(vain)
    assert calibration.ECE.combine(honest) < 2 * null < calibration.ECE.combine(vain)


def cells(rows, cluster=None):
    """Summarise (confidence, correct) rows of one task with every calibration metric."""
    data, n = table(rows), len(rows)
    ids = np.array([str(i) for i in range(n)], dtype=object)
    word = {name: np.array([name] * n, dtype=object) for name in ("t", "default", "original", "ok")}
    more = {"changed": np.ones(n, bool)} if "changed" in ScoreColumns.__struct_fields__ else {}
    scores = ScoreColumns(
        task=word["t"], arm=word["default"], variant=word["original"], sample_id=ids,
        epoch=np.zeros(n, int), cluster=ids if cluster is None else np.array(cluster, dtype=object),
        status=word["ok"], confidence=data["confidence"],
        values={"exact_match": data["value"], "ece": data["value"]}, slices={}, **more,
    )  # fmt: skip
    metrics = tuple(load("metric", name) for name in ("exact_match", *CALIBRATION))
    return {cell.metric: cell for cell in summarise(scores, [Reading("t", metrics)])}


def test_every_metric_reads_the_one_stored_column():
    """Eight cells from the column of `ece`; intervals where a formula is known."""
    data = drawn(6, 200)
    found = cells(list(zip(data["confidence"], data["value"], strict=True)))
    assert set(found) == {"exact_match", *CALIBRATION}
    assert {name for name, cell in found.items() if cell.low is None} == {
        "ece_null", "adaptive_ece", "selective_area",
    }  # fmt: skip
    assert all(cell.n == 200 for cell in found.values())
    for name in ("brier", "log_score", "confidence_auroc", "selective_accuracy_90"):
        assert found[name].low < found[name].value < found[name].high
    assert found["confidence_auroc"].high <= 1


def test_clusters_widen_a_closed_form_interval():
    """Answers that come in fours of a kind say less than as many independent ones."""
    data = drawn(7, 50)
    rows = [*zip(data["confidence"], data["value"], strict=True)] * 4
    alone = cells(rows)["confidence_auroc"]
    grouped = cells(rows, [str(i % 50) for i in range(200)])["confidence_auroc"]
    assert grouped.value == alone.value
    assert grouped.method == "cluster-t"
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_all_right_gives_a_reason_for_the_missing_auroc():
    """Without a wrong answer nothing can be told apart, and the cell says so."""
    found = cells([(0.5, 1.0), (0.75, 1.0), (0.7, 1.0)])["confidence_auroc"]
    assert (found.value, found.reason) == (None, "all answers right, or all wrong")


def test_adaptive_bins_hold_one_answer_each_where_there_are_ten():
    """Ten different confidences in ten bins: the mean of |correct - confidence|."""
    rows = [(k / 10 + 0.05, float(k % 2)) for k in range(10)]
    wanted = sum(abs(right - sure) for sure, right in rows) / 10
    assert value("adaptive_ece", rows) == pytest.approx(wanted)


def test_a_log_score_interval_stays_above_zero():
    """One sure and wrong answer among right ones: the t interval would reach below 0."""
    found = cells([(0.99, 1.0)] * 8 + [(0.99, 0.0)])["log_score"]
    assert found.low == 0.0
    assert found.low < found.value < found.high
