"""Confidence intervals for a mean, in closed form.

Which one, and why (`benchmarks/results/coverage.md` holds the coverage that decides it):
0/1 scores get Wilson's interval at any n, because Student's t covers 33% instead of 95% at worst
for n = 20 and has no width at 0/n and n/n; other scores get Student's t, with the number of
clusters in place of n where rows are not independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from harness.stats.clusters import Clusters, FloatArray, Labels, finite_values

Bounds = tuple[float, float]
"""Smallest and largest value that a score can take."""

UNIT: Bounds = (0.0, 1.0)


class Interval(NamedTuple):
    """A number, how exact it is, and how that was found.

    `value` is None where there are no data; `stderr`, `low` and `high` are None where the data
    cannot tell (one row, one cluster, constant values of unknown range).
    """

    value: float | None
    stderr: float | None
    low: float | None
    high: float | None
    method: str
    """wilson, cluster-wilson, t, cluster-t, bca, cluster-bootstrap, percentile,
    cluster-percentile, tango, cluster-tango, or none."""


EMPTY = Interval(None, None, None, None, "none")


def normal_quantile(confidence: float) -> float:
    """Return z with P(|Z| ≤ z) = `confidence`; raises ValueError outside (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    return float(ndtri(0.5 + confidence / 2))


def t_quantile(confidence: float, freedom: float) -> float:
    """Return t with P(|T| ≤ t) = `confidence` for `freedom` degrees of freedom."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    return float(stdtrit(freedom, 0.5 + confidence / 2))


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion (Wilson 1927; Brown, Cai & DasGupta 2001).

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). Neither count need be whole. `stderr` is
    the sample's, √(p(1−p)/(n−1)).

    >>> [round(x, 4) for x in wilson(8, 10)[2:4]]
    [0.4902, 0.9433]
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be between 0 and n = {n}, got {successes}")
    if n == 0:
        return EMPTY
    share = successes / n
    stderr = float(np.sqrt(share * (1 - share) / (n - 1))) if n > 1 else None
    low, high = score_bounds(share, n, normal_quantile(confidence))
    return Interval(share, stderr, low, high, "wilson")


def score_bounds(share: float, n: float, z: float) -> tuple[float, float]:
    """Return the two ends of Wilson's interval for a real-valued n > 0 and quantile z."""
    centre = share + z * z / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    shrink = 1 + z * z / n
    # min and max take away rounding error only: in exact numbers 0 ≤ low ≤ share ≤ high ≤ 1
    low = min(max((centre - half) / shrink, 0.0), share)
    high = max(min((centre + half) / shrink, 1.0), share)
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)


def wilson_clustered(
    values: npt.ArrayLike, clusters: Labels, confidence: float = 0.95
) -> Interval:
    """Wilson's interval for 0/1 values whose rows share clusters.

    n is replaced by the effective sample size n/deff × (t_{n−1}/t_{C−1})², at most n (Korn &
    Graubard 1998, Survey Methodology 24:193; Wilson's form of it: Dean & Pagano 2015, J. Survey
    Statistics and Methodology 3:484). Where all values are equal the data say nothing of their
    dependence, so the worst is assumed: a cluster counts as one row. One cluster leaves no degree
    of freedom: the interval is 0…1.
    """
    array = _zeros_and_ones(values)
    groups = Clusters.of(clusters, len(array))
    if len(array) == 0:
        return EMPTY
    if not groups.repeated:
        return wilson(float(array.sum()), len(array), confidence)
    share = float(array.mean())
    z = normal_quantile(confidence)
    if groups.count == 1:
        return Interval(share, None, 0.0, 1.0, "cluster-wilson")
    variance = groups.mean_variance(array)
    n_effective = _effective_size(array, groups, variance, confidence)
    low, high = score_bounds(share, n_effective, z)
    return Interval(share, float(np.sqrt(variance)), low, high, "cluster-wilson")


def _effective_size(
    array: FloatArray, groups: Clusters, variance: float, confidence: float
) -> float:
    n = len(array)
    few = t_quantile(confidence, n - 1) / t_quantile(confidence, groups.count - 1)
    if np.ptp(array) == 0:
        return groups.effective_count * few**2
    independent = float(array.var(ddof=1)) / n
    # deff below 1/few² would claim more rows than there are
    deff = max(variance / independent, few**2)
    return n / deff * few**2


def t_interval(
    values: npt.ArrayLike, confidence: float = 0.95, bounds: Bounds | None = None
) -> Interval:
    """Student's t interval for the mean of independent rows: s̄ ± t_{n−1}·√(Σ(s−s̄)²/(n(n−1))).

    `bounds` clips it. Equal values have no spread to measure. With `bounds` a…b the share of
    rows that differ from the constant v is at most q = z²/(n+z²) (Wilson for 0 of n), so the mean
    lies in v−q(v−a) … v+q(b−v): Wilson's interval where v is an end. Without bounds low and high
    are None.
    """
    array = finite_values(values)
    if len(array) == 0:
        return EMPTY
    return cluster_t(array, np.arange(len(array)), confidence, bounds)


def cluster_t(
    values: npt.ArrayLike,
    clusters: Labels,
    confidence: float = 0.95,
    bounds: Bounds | None = None,
) -> Interval:
    """Interval for the mean where rows share clusters: s̄ ± t_{C−1}·√V (V: `mean_variance`).

    Miller 2024 (arXiv:2411.00640) has the normal quantile; t with C−1 degrees of freedom is the
    usual correction for few clusters (Cameron & Miller 2015, J. Human Resources 50:317). Where
    all cluster means agree, `t_interval`'s rule for equal values holds with clusters for rows.
    With one row per cluster it is `t_interval`.
    """
    array = finite_values(values)
    groups = Clusters.of(clusters, len(array))
    if bounds is not None:
        _check_bounds(array, bounds)
    if len(array) == 0:
        return EMPTY
    value = float(array[0] if np.ptp(array) == 0 else array.mean())
    method = "cluster-t" if groups.repeated else "t"
    variance = groups.mean_variance(array) if groups.count > 1 else None
    if not variance:
        stderr = None if variance is None else 0.0
        if bounds is None or (groups.count == 1 and groups.repeated):
            return Interval(value, stderr, None, None, "none")
        low, high = _constant_bounds(value, groups.effective_count, confidence, bounds)
        return Interval(value, stderr, low, high, "cluster-wilson" if groups.repeated else "wilson")
    stderr = float(np.sqrt(variance))
    half = t_quantile(confidence, groups.count - 1) * stderr
    low, high = value - half, value + half
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(value, stderr, low, high, method)


def _constant_bounds(
    value: float, n: float, confidence: float, bounds: Bounds
) -> tuple[float, float]:
    _, differing = score_bounds(0.0, n, normal_quantile(confidence))
    return value - differing * (value - bounds[0]), value + differing * (bounds[1] - value)


def _check_bounds(array: FloatArray, bounds: Bounds) -> None:
    outside = array[(array < bounds[0]) | (array > bounds[1])]
    if len(outside):
        raise ValueError(f"values must lie in {bounds[0]}…{bounds[1]}, got {outside[0]}")


def _zeros_and_ones(values: npt.ArrayLike) -> FloatArray:
    array = finite_values(values)
    if not is_binary(array):
        other = array[(array != 0) & (array != 1)][0]
        raise ValueError(f"values must be 0 or 1, got {other}")
    return array


def is_binary(values: FloatArray) -> bool:
    """Return whether all values are 0 or 1."""
    return bool(((values == 0) | (values == 1)).all())


def mean_interval(
    values: npt.ArrayLike,
    clusters: Labels | None = None,
    *,
    confidence: float = 0.95,
    binary: bool | None = None,
    bounds: Bounds | None = None,
) -> Interval:
    """Interval for a mean by the method that covers best: the one entry for tables of results.

    `binary` None: found from the values; True: other values raise ValueError; False: never
    treated as a proportion. `bounds` is the range of a score where it has one, such as (0, 1).
    """
    array = finite_values(values)
    labels = np.arange(len(array)) if clusters is None else clusters
    if is_binary(array) if binary is None else binary:
        return wilson_clustered(array, labels, confidence)
    return cluster_t(array, labels, confidence, bounds)
