"""The bootstrap: agreement with scipy, whole clusters, and defined degenerate cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats import bootstrap
from harness.stats.bootstrap import bca, bca_mean
from harness.stats.intervals import EMPTY, cluster_t, t_interval


def rng():
    """A fresh generator of one seed."""
    return np.random.default_rng(12)


def mean(x, axis=-1):
    """A statistic that takes matrices."""
    return np.mean(x, axis=axis)


def slow_mean(x):
    """The same, one vector at a time."""
    return float(np.mean(x))


VALUES = np.random.default_rng(3).exponential(size=40)


def test_bca_equals_scipy():
    """The same generator gives scipy's own BCa interval and standard error."""
    theirs = stats.bootstrap((VALUES,), np.mean, n_resamples=999, rng=rng(), method="BCa")
    for ours in (
        bca(mean, [VALUES], rng(), n_resamples=999),
        bca(slow_mean, [VALUES], rng(), n_resamples=999),
        bca_mean(VALUES, rng(), n_resamples=999),
    ):
        assert ours[2:4] == pytest.approx(tuple(theirs.confidence_interval))
        assert ours.stderr == pytest.approx(theirs.standard_error)
        assert (ours.value, ours.method) == (pytest.approx(VALUES.mean()), "bca")


def test_columns_are_resampled_together():
    """A statistic of two equal columns' difference never varies, as rows stay aligned."""
    found = bca(lambda x, y: float((x - y).sum()), [VALUES, VALUES], rng(), n_resamples=99)
    assert found == (0.0, 0.0, 0.0, 0.0, "percentile")


@pytest.mark.parametrize("labels", [np.arange(40) // 4, np.sort(np.resize(np.arange(23), 40))])
def test_whole_clusters_are_drawn(labels):
    """Vector, matrix and mean-only paths agree exactly, for equal and for ragged clusters."""
    ours = [
        bca(mean, [VALUES], rng(), clusters=labels, n_resamples=299),
        bca(slow_mean, [VALUES], rng(), clusters=labels, n_resamples=299),
        bca_mean(VALUES, rng(), clusters=labels, n_resamples=299),
    ]
    for found in ours:
        assert found[:4] == pytest.approx(ours[0][:4])
        assert found.method == "cluster-bootstrap"


def test_cluster_error_is_that_of_the_closed_form():
    """With 200 clusters the bootstrap's standard error is √V to within 5%."""
    draw = np.random.default_rng(4)
    labels = np.repeat(np.arange(200), 3)
    values = draw.normal(size=600) + draw.normal(size=200)[labels]
    found = bca_mean(values, rng(), clusters=labels, n_resamples=4000)
    assert found.stderr == pytest.approx(cluster_t(values, labels).stderr, rel=0.05)
    assert found.stderr > 1.3 * t_interval(values).stderr


def test_clusters_of_one_row_change_nothing():
    """A cluster per row gives the unclustered interval."""
    own = np.arange(40)
    assert bca_mean(VALUES, rng(), clusters=own, n_resamples=99) == bca_mean(
        VALUES, rng(), n_resamples=99
    )
    assert bca(mean, [VALUES], rng(), clusters=own, n_resamples=99) == bca(
        mean, [VALUES], rng(), n_resamples=99
    )


def test_memory_is_bounded_without_changing_the_result(monkeypatch):
    """Drawing in small chunks gives the very same numbers."""
    whole = bca_mean(VALUES, rng(), n_resamples=500)
    monkeypatch.setattr(bootstrap, "CHUNK_VALUES", 1)
    assert bca_mean(VALUES, rng(), n_resamples=500) == whole


def test_constant_data_fall_back_to_percentile():
    """Where BCa does not exist the percentile interval stands in and is named."""
    assert bca_mean([2.0] * 5, rng(), n_resamples=99) == (2.0, 0.0, 2.0, 2.0, "percentile")
    labels = [0, 0, 1, 1]
    found = bca_mean([2.0] * 4, rng(), clusters=labels, n_resamples=99)
    assert found.method == "cluster-percentile"


def test_many_units_fall_back_to_percentile(monkeypatch):
    """Above the jackknife's limit the percentile interval is given."""
    monkeypatch.setattr(bootstrap, "MAX_BCA_UNITS", 10)
    found = bca_mean(VALUES, rng(), n_resamples=499)
    assert found.method == "percentile"
    assert found.low < found.value < found.high


def test_too_few_units_have_no_ends():
    """No row, one row and one cluster are told apart from certainty."""
    assert bca(mean, [[]], rng()) == bca_mean([], rng()) == EMPTY
    assert bca_mean([1.0], rng()) == (1.0, None, None, None, "none")
    assert bca_mean([1.0, 3.0], rng(), clusters=[5, 5]) == (2.0, None, None, None, "none")


def only_large(x):
    """Undefined unless the sample holds its largest value."""
    return None if x.max() < VALUES.max() else float(x.mean())


def test_undefined_resamples_are_left_out():
    """A statistic that fails on a third of the resamples still gets a percentile interval."""
    found = bca(only_large, [VALUES], rng(), n_resamples=499)
    assert found.method == "percentile"
    assert found.low < found.high


def test_statistic_undefined_on_most_resamples_has_no_ends():
    """Where the statistic hardly ever exists no interval is made up."""
    everything = tuple(np.sort(VALUES))
    found = bca(
        lambda x: 1.0 if tuple(np.sort(x)) == everything else None, [VALUES], rng(), n_resamples=99
    )
    assert found == (1.0, None, None, None, "none")
    assert bca(lambda _: None, [VALUES], rng(), n_resamples=99) == (None,) * 4 + ("none",)


@pytest.mark.parametrize("columns", [[], [[1, 2], [1]], [[[1, 2]]]])
def test_columns_must_be_aligned_vectors(columns):
    """Anything but vectors of one length raises ValueError."""
    with pytest.raises(ValueError, match="columns must be vectors of one length"):
        bca(slow_mean, columns, rng())


def test_confidence_must_be_a_share():
    """95 for 0.95 raises ValueError."""
    with pytest.raises(ValueError, match="confidence must be between 0 and 1, got 95"):
        bca_mean([1, 2], rng(), confidence=95)
