"""Adjusted p-values for many tests: Holm for a family of gates, Benjamini-Hochberg for slices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from harness.stats.clusters import FloatArray, finite_values


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """Return p-values adjusted by Holm's step-down method (Holm 1979, Scand. J. Stat. 6:65).

    Rejecting those ≤ alpha keeps the chance of any false rejection ≤ alpha, however the tests
    depend on each other.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = _probabilities(p_values)
    order = np.argsort(raw, kind="stable")
    stepped = raw[order] * np.arange(len(raw), 0, -1)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike) -> FloatArray:
    """Return p-values adjusted by Benjamini & Hochberg 1995 (JRSS B 57:289).

    Rejecting those ≤ q keeps the expected share of false rejections ≤ q for independent tests.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    raw = _probabilities(p_values)
    if len(raw) == 0:
        return raw
    return np.asarray(stats.false_discovery_control(raw, method="bh"), dtype=np.float64)


def _probabilities(p_values: npt.ArrayLike) -> FloatArray:
    raw = finite_values(p_values, "p_values")
    if ((raw < 0) | (raw > 1)).any():
        raise ValueError(f"p_values must lie in 0…1, got {raw[(raw < 0) | (raw > 1)][0]}")
    return raw
