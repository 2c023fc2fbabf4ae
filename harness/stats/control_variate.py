"""The mean over all items when only some were run, with the help of another system's scores.

The other system (a baseline) has scores on all items. Where its scores go with those of the
system under test, knowing on which items the subset is easier than the whole removes that part of
the chance (control variates; in online experiments "CUPED": Deng, Xu, Kohavi & Walker 2013).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import FloatArray, finite_values
from harness.stats.intervals import t_quantile

FOLDS = 10
MIN_UNITS = 3
"""Fewer units leave no degree of freedom for a slope and a spread."""


class SubsetEstimate(NamedTuple):
    """A mean over all N items, estimated from n of them."""

    value: float
    stderr: float
    low: float
    high: float
    plain: float
    """The mean over the n items alone."""
    plain_stderr: float
    gain: float
    """How many times more items the plain mean would need for the same variance."""
    n: int
    total: int
    """N."""


class Units(NamedTuple):
    """Items, or whole clusters of them, in random order."""

    sums: FloatArray
    """Sum of the score over each unit that was run."""
    controls: FloatArray
    """Matrix, units run × controls: sum of the baseline's score, and what else is known of all."""
    others: FloatArray
    """The same controls for the units that were not run."""
    sizes: FloatArray
    """Items in each unit that was run."""
    rest: float
    """Items in all units that were not run."""


def subset_mean(
    scores: npt.ArrayLike,
    control: npt.ArrayLike,
    control_rest: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> SubsetEstimate | None:
    """Estimate the mean of all items: `scores` and `control` of those run, in random order.

    `control_rest` has the control of the items not run. None for fewer than three items.
    Exactly unbiased over random subsets, whatever the slope: the items are cut into folds, and
    the slope b that serves a fold comes from the others, so that
    T_k = Σ_{not k} s + (N - n_{-k})·[s̄_k - b_{-k}·(x̄_k - x̄_{U∖S_{-k}})]
    has the right mean for every k; the estimate is the mean of the T_k, over N (cross-fitting as
    in Wager, Du, Taylor & Tibshirani 2016, PNAS 113:12673, here for a finite set).
    Variance: (1 - n/N)·Var(s - b·x)/n, with Var at least range(s)²/n: items that all agree with
    the control may hide one in n that does not. `gain` is Var(s)/Var(s - b·x), with residuals
    from slopes of other folds, so that it is not flattered by fitting.
    """
    run, known = finite_values(scores, "scores"), finite_values(control, "control")
    rest = finite_values(control_rest, "control_rest")
    units = Units(run, known[:, None], rest[:, None], np.ones(len(run)), float(len(rest)))
    return subset_mean_of_units(units, confidence=confidence)


def subset_mean_of_units(units: Units, *, confidence: float = 0.95) -> SubsetEstimate | None:
    """As `subset_mean`, where whole clusters are drawn: unbiased for sums, divided by known N."""
    count = len(units.sums)
    if len(units.controls) != count or len(units.sizes) != count:
        raise ValueError(f"controls and sizes must be aligned with {count} sums")
    if count < MIN_UNITS:
        return None
    items = float(units.sizes.sum()) + units.rest
    all_units = count + len(units.others)
    centre = np.concatenate([units.controls, units.others]).mean(axis=0)
    folds = np.arange(count) % min(FOLDS, count)
    totals, residuals = [], np.empty(count)
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        slope = _slope(units.controls[~inside], units.sums[~inside])
        remaining = np.concatenate([units.controls[inside], units.others]).mean(axis=0)
        shift = float((units.controls[inside].mean(axis=0) - remaining) @ slope)
        mean = float(units.sums[inside].mean()) - shift
        totals.append(float(units.sums[~inside].sum()) + (all_units - (~inside).sum()) * mean)
        residuals[inside] = units.sums[inside] - (units.controls[inside] - centre) @ slope
    scale = all_units / items
    left = 1 - count / all_units
    plain_variance = float(units.sums.var(ddof=1))
    variance = max(float(residuals.var(ddof=1)), float(np.ptp(units.sums)) ** 2 / count)
    stderr = scale * float(np.sqrt(left * variance / count))
    value = float(np.mean(totals)) / items
    half = t_quantile(confidence, count - 2) * stderr
    return SubsetEstimate(
        value=value,
        stderr=stderr,
        low=value - half,
        high=value + half,
        plain=float(units.sums.sum() / units.sizes.sum()),
        plain_stderr=scale * float(np.sqrt(left * plain_variance / count)),
        gain=plain_variance / variance if variance > 0 else 1.0,
        n=round(float(units.sizes.sum())),
        total=round(items),
    )


def _slope(controls: FloatArray, sums: FloatArray) -> FloatArray:
    """Return least-squares slopes; 0 where a control does not vary."""
    centred = controls - controls.mean(axis=0)
    found = np.linalg.lstsq(centred, sums - sums.mean(), rcond=None)[0]
    return np.asarray(found, dtype=np.float64)
