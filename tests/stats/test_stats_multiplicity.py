"""Adjusted p-values against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.multiplicity import benjamini_hochberg, holm

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_adjusted_p_equal_statsmodels():
    """Holm and Benjamini-Hochberg are those of statsmodels, ties, zeros and ones included."""
    module = pytest.importorskip("statsmodels.stats.multitest")
    mixed = np.random.default_rng(0).random(15) ** 3
    # few vectors: statsmodels collects garbage at every call, which is slow
    for p_values in ([0.2], [0.01, 0.01, 0.02, 0.5, 0.0, 1.0], mixed, mixed.round(1)):
        for ours, name in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
            assert ours(p_values) == pytest.approx(module.multipletests(p_values, method=name)[1])


@settings(deadline=None)
@given(p_lists)
def test_adjusted_p_never_shrink(p_values):
    """Raw ≤ Benjamini-Hochberg ≤ Holm ≤ 1, each in the order of the raw ones."""
    raw = np.array(p_values)
    low, high = benjamini_hochberg(raw), holm(raw)
    assert (raw <= low + 1e-12).all()
    assert (low <= high + 1e-12).all()
    assert (high <= 1).all()
    order = np.argsort(raw, kind="stable")
    assert (np.diff(high[order]) >= 0).all()


def test_no_tests():
    """An empty family stays empty."""
    assert holm([]).tolist() == benjamini_hochberg([]).tolist() == []


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_p_values_must_be_probabilities(adjust):
    """A p above 1 or NaN raises ValueError."""
    with pytest.raises(ValueError, match=r"must lie in 0…1, got 1\.5"):
        adjust([0.5, 1.5])
    with pytest.raises(ValueError, match="must be finite"):
        adjust([float("nan")])
