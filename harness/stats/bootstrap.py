"""Bootstrap intervals for any statistic, over rows or over whole clusters.

`scipy.stats.bootstrap` does the resampling. What it draws here are the numbers of the units
(rows, or clusters), so that one path serves several aligned columns and clusters alike; its
jackknife then leaves out one unit at a time, as BCa over clusters requires.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import Clusters, FloatArray, IntArray, Labels, finite_values
from harness.stats.intervals import EMPTY, Interval, normal_quantile

Statistic = Callable[..., Any]
"""Columns in, number out; None or NaN where it is undefined. With a parameter `axis` it takes
matrices (resamples x rows) and returns a vector, which is much faster."""

CHUNK_VALUES = 2_000_000
"""Numbers drawn at once: bounds memory to some tens of megabytes whatever n is."""

MAX_BCA_UNITS = 20_000
"""The jackknife costs units² steps. Beyond this the percentile interval is given: BCa's two
corrections shrink as 1/√units and are far below the resampling noise."""

MIN_DEFINED = 0.5
"""Share of resamples on which the statistic must exist for an interval to be given."""


def bca(
    statistic: Statistic,
    columns: Sequence[npt.ArrayLike],
    rng: np.random.Generator,
    *,
    clusters: Labels | None = None,
    confidence: float = 0.95,
    n_resamples: int = 9999,
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval (Efron 1987, JASA 82:171).

    `columns` are aligned vectors of n rows, resampled together; with `clusters`, whole clusters
    are drawn. Where BCa is undefined (constant data, a statistic at the end of its resamples)
    the percentile interval stands in and `method` says so. Fewer than two units, or a statistic
    undefined on most resamples: low and high are None.
    """
    normal_quantile(confidence)
    arrays = _aligned(columns)
    rows = len(arrays[0])
    groups = None if clusters is None else Clusters.of(clusters, rows)
    if rows == 0:
        return EMPTY
    if groups is None or not groups.repeated:
        plan = _Plan(rows, rows, False, confidence, n_resamples)
        return _resample(_by_unit(statistic, arrays, None), rng, plan)
    width = groups.count * int(groups.sizes.max())
    plan = _Plan(groups.count, width, True, confidence, n_resamples)
    return _resample(_by_unit(statistic, arrays, groups), rng, plan)


def bca_mean(
    values: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: Labels | None = None,
    confidence: float = 0.95,
    n_resamples: int = 9999,
) -> Interval:
    """As `bca` for the mean, fast for clusters of any sizes: a resample needs only their sums."""
    normal_quantile(confidence)
    array = finite_values(values)
    groups = Clusters.of(np.arange(len(array)) if clusters is None else clusters, len(array))
    if len(array) == 0:
        return EMPTY
    sums, sizes = groups.sums(array), groups.sizes

    def mean_of(units: IntArray, axis: int = -1) -> Any:
        return sums[units].sum(axis=axis) / sizes[units].sum(axis=axis)

    plan = _Plan(groups.count, groups.count, groups.repeated, confidence, n_resamples)
    return _resample(mean_of, rng, plan)


def _aligned(columns: Sequence[npt.ArrayLike]) -> list[npt.NDArray[Any]]:
    arrays = [np.asarray(column) for column in columns]
    shapes = [array.shape for array in arrays]
    if not arrays or any(len(shape) != 1 or shape != shapes[0] for shape in shapes):
        raise ValueError(f"columns must be vectors of one length, got shapes {shapes}")
    return arrays


def _row_picker(groups: Clusters | None) -> Callable[[IntArray], IntArray]:
    """Return the function from unit numbers to row numbers."""
    if groups is None:
        return lambda units: units
    members = groups.members()
    if groups.equal:
        table = np.stack(members)
        return lambda units: table[units].reshape(*units.shape[:-1], -1)
    return lambda units: np.concatenate([members[unit] for unit in units])


def _by_unit(
    statistic: Statistic, arrays: list[npt.NDArray[Any]], groups: Clusters | None
) -> Statistic:
    """Return the statistic as a function of unit numbers; keeps `axis` where that is possible."""
    rows = _row_picker(groups)

    def one(units: IntArray) -> float:
        picked = rows(units)
        found = statistic(*(array[picked] for array in arrays))
        return float("nan") if found is None else float(found)

    def many(units: IntArray, axis: int = -1) -> Any:
        picked = rows(units)
        return statistic(*(array[picked] for array in arrays), axis=axis)

    return many if _takes_axis(statistic) and (groups is None or groups.equal) else one


@dataclass(frozen=True)
class _Plan:
    units: int
    width: int
    """Numbers that one resample holds."""
    grouped: bool
    confidence: float
    n_resamples: int

    @property
    def method(self) -> str:
        return "BCa" if self.units <= MAX_BCA_UNITS else "percentile"


def _resample(on_units: Statistic, rng: np.random.Generator, plan: _Plan) -> Interval:
    from scipy import stats  # noqa: PLC0415 - half a second that most runs need not pay

    everything = np.arange(plan.units)
    value = _number(on_units(everything))
    if plan.units < 2 or value is None:  # noqa: PLR2004 - one unit cannot vary
        return Interval(value, None, None, None, "none")
    with warnings.catch_warnings():
        # scipy warns where BCa does not exist; `method` says it instead
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        result = stats.bootstrap(
            (everything,),
            on_units,
            n_resamples=plan.n_resamples,
            batch=max(1, CHUNK_VALUES // plan.width),
            vectorized=_takes_axis(on_units),
            confidence_level=plan.confidence,
            method=plan.method,
            rng=rng,
        )
    drawn: FloatArray = np.asarray(result.bootstrap_distribution, dtype=np.float64)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < max(2, MIN_DEFINED * plan.n_resamples):
        return Interval(value, None, None, None, "none")
    stderr = float(drawn.std(ddof=1))
    low, high = map(float, result.confidence_interval)
    if plan.method == "BCa" and np.isfinite([low, high]).all():
        return Interval(value, stderr, low, high, "cluster-bootstrap" if plan.grouped else "bca")
    tail = (1 - plan.confidence) / 2
    low, high = map(float, np.quantile(drawn, [tail, 1 - tail]))
    method = "cluster-percentile" if plan.grouped else "percentile"
    return Interval(value, stderr, low, high, method)


def _takes_axis(statistic: Statistic) -> bool:
    return "axis" in inspect.signature(statistic).parameters


def _number(found: Any) -> float | None:
    return None if found is None or not np.isfinite(found) else float(found)
