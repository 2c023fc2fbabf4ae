"""Evidence that may be looked at after every item: e-processes for the mean of bounded values.

An e-process starts at 1 and, while its null hypothesis holds, exceeds 1/alpha at any time with
chance at most alpha (Ville 1939). So a run may stop as soon as it does. Here the evidence is the
wealth of a bettor: the mean over a grid of fixed stakes λ of Π(1 ± λ·x) (Waudby-Smith & Ramdas
2024, JRSS B 86:1). Values come in any order that does not depend on them, such as a shuffled plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import FloatArray, finite_values

Side = Literal["above", "below"]
"""What is to be shown of the mean: that it lies above the null value, or below it."""

STAKES: FloatArray = np.arange(1, 21) / 21.0
"""λ_j = j/21: a grid costs little against the best stake, which nobody knows beforehand."""

_STEPS = 30
"""Halvings of [-1, 1]: ends of a confidence sequence are exact to about 2e-9."""


def gains(
    values: npt.ArrayLike, null: float, side: Side, sizes: npt.ArrayLike | float = 1.0
) -> FloatArray:
    """Return what one unit of stake wins on each value, at least -1 and on average ≤ 0 under null.

    Values in [-1, 1], or sums over clusters of `sizes` rows as shares of the largest cluster
    (then |value| ≤ size ≤ 1). Null "mean ≤ m": (x - m·s)/(1 + m). Null "mean ≥ m":
    (m·s - x)/(1 - m).
    """
    array, size = np.asarray(values, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    if not -1 < null < 1:
        raise ValueError(f"the null value must lie between -1 and 1, got {null}")
    if (np.abs(array) > size + 1e-12).any() or (size > 1).any() or (size <= 0).any():
        raise ValueError("values must lie in -size…size, and sizes in 0…1")
    if side == "above":
        return np.asarray((array - null * size) / (1 + null))
    return np.asarray((null * size - array) / (1 - null))


def log_evidence(won: npt.ArrayLike) -> FloatArray:
    """Return log E after each value along the last axis, from the `gains` of its values.

    log of mean_j Π_{i≤t}(1 + λ_j·gain_i); a matrix holds one sequence in each row.
    """
    array = np.asarray(won, dtype=np.float64)
    total = np.full(array.shape, -np.inf)
    for stake in STAKES:
        total = np.logaddexp(total, np.cumsum(np.log1p(stake * np.maximum(array, -1.0)), axis=-1))
    return np.asarray(total - math.log(len(STAKES)))


class Evidence:
    """An e-process fed value by value; the same numbers as `log_evidence`."""

    def __init__(self, null: float, side: Side) -> None:
        self._null, self._side = null, side
        self._logs: FloatArray = np.zeros(len(STAKES))
        self.highest = 0.0
        """The largest log E so far; the anytime-valid p-value is exp of its negative."""

    def add(self, value: float, size: float = 1.0) -> float:
        """Take one value (or one cluster's share, see `gains`) and return `highest`."""
        won = float(gains(value, self._null, self._side, size))
        self._logs = self._logs + np.log1p(STAKES * max(won, -1.0))
        top = float(self._logs.max())
        now = top + math.log(float(np.exp(self._logs - top).mean()))
        self.highest = max(self.highest, now)
        return self.highest

    @property
    def p_value(self) -> float:
        """Return 1 / max E, at most 1: valid whenever it is looked at."""
        return math.exp(-self.highest)


def confidence_sequence(
    values: npt.ArrayLike, alpha: float = 0.05, sizes: npt.ArrayLike | float = 1.0
) -> tuple[float, float]:
    """Return low and high that hold the mean at all times at once with chance ≥ 1 - alpha.

    The null values that the e-processes of both sides, at alpha/2 each, have not rejected so far.
    """
    array = finite_values(values)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    if len(array) == 0:
        return -1.0, 1.0
    bar = math.log(2 / alpha)

    def rejected(null: float, side: Side) -> bool:
        return bool(log_evidence(gains(array, null, side, sizes)).max() >= bar)

    return _edge(lambda m: rejected(m, "above"), -1.0), _edge(lambda m: rejected(m, "below"), 1.0)


def _edge(rejected: Callable[[float], bool], outer: float) -> float:
    """Return where rejection ends, coming from `outer`; the evidence is monotone in the null."""
    out, inside = outer, -outer
    for _ in range(_STEPS):
        middle = (out + inside) / 2
        if rejected(middle):
            out = middle
        else:
            inside = middle
    return out
