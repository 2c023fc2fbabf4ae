"""Confidence intervals for a mean, in closed form.

Which one, and why (`benchmarks/coverage.py` prints the coverage that decides it, and
`benchmarks/results/coverage.md` keeps it). 0/1 scores get Wilson's interval at any n: Student's t
covers 33% instead of 95% at worst for n = 20 and has no width at 0/n and n/n. Other scores of
known range get the same interval with a dispersion from the data, which covered at least as well
as t on every shape tried and better than the BCa bootstrap below n = 30. Values of unknown range
get Student's t: on log-normal ones BCa covers no better at any n tried, and t needs no random
numbers. Over clusters cluster-wilson and cluster-score cover best below 40 of them, where
cluster-t and the cluster bootstrap can fall to near 50%; from 40 on the bootstrap does as well.
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
    """wilson, score, t, bca, percentile, tango; over clusters cluster-wilson, cluster-score,
    cluster-t, cluster-bootstrap, cluster-percentile; or none."""


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

    (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n). Neither count need be whole. `stderr` is
    the sample's, √(p(1-p)/(n-1)).

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


def wilson_clustered(values: npt.ArrayLike, clusters: Labels, confidence: float = 0.95) -> Interval:
    """Wilson's interval for 0/1 values whose rows share clusters.

    n is replaced by the effective sample size n/deff x (t_{n-1}/t_{C-1})², at most n (Korn &
    Graubard 1998, Survey Methodology 24:193; Wilson's form of it: Dean & Pagano 2015, J. Survey
    Statistics and Methodology 3:484). deff comes from `Clusters.jackknife_variance`, which keeps
    its coverage where sizes differ; `stderr` is √V of `Clusters.mean_variance`. Where all cluster
    means are equal, `cluster_score`'s rule holds. One cluster leaves no degree of freedom: the
    interval is 0…1.
    """
    array = _zeros_and_ones(values)
    groups = Clusters.of(clusters, len(array))
    z = normal_quantile(confidence)
    if len(array) == 0:
        return EMPTY
    if not groups.repeated:
        return wilson(float(array.sum()), len(array), confidence)
    share = float(array.mean())
    variance = groups.mean_variance(array) if groups.count > 1 else 0.0
    if not variance:
        return _constant(share, groups, z, UNIT)
    few = t_quantile(confidence, len(array) - 1) / t_quantile(confidence, groups.count - 1)
    n_effective = _effective_size(array, groups.jackknife_variance(array)) * few**2
    low, high = score_bounds(share, min(n_effective, float(len(array))), z)
    return Interval(share, float(np.sqrt(variance)), low, high, "cluster-wilson")


def cluster_score(
    values: npt.ArrayLike,
    clusters: Labels,
    confidence: float = 0.95,
    bounds: Bounds = UNIT,
) -> Interval:
    """Score interval for the mean of values within `bounds`, such as F1 or partial credit.

    Wilson's interval where the variance is not m(1-m) but φ·m(1-m), with the dispersion φ from
    the data (quasi-likelihood: Wedderburn 1974, Biometrika 61:439; McCullagh & Nelder 1989,
    chapter 9) and so Student's quantile with C-1 degrees of freedom. Unlike t it is skewed away
    from the ends, as the truth is, and stays within the bounds. Variance and `stderr` are as in
    `wilson_clustered`.

    Where all cluster means equal one v there is no spread to measure. The share of clusters that
    differ from v is then at most q = z²/(C+z²) (Wilson for 0 of C), so the mean lies in
    v-q(v-a) … v+q(b-v): Wilson's interval where v is an end of a…b. One cluster of many rows:
    the whole range.
    """
    array = finite_values(values)
    groups = Clusters.of(clusters, len(array))
    _check_bounds(array, bounds)
    z = normal_quantile(confidence)
    if len(array) == 0:
        return EMPTY
    value, width = _mean(array), bounds[1] - bounds[0]
    variance = groups.mean_variance(array) if groups.count > 1 else 0.0
    if not variance:
        return _constant(value, groups, z, bounds)
    share = (array - bounds[0]) / width
    quantile = t_quantile(confidence, groups.count - 1)
    n_effective = _effective_size(share, groups.jackknife_variance(share))
    low, high = score_bounds(float(share.mean()), n_effective, quantile)
    low, high = min(bounds[0] + width * low, value), max(bounds[0] + width * high, value)
    method = "cluster-score" if groups.repeated else "score"
    return Interval(value, float(np.sqrt(variance)), low, high, method)


def t_interval(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """Student's t interval for the mean of independent rows: s̄ ± t_{n-1}·√(Σ(s-s̄)²/(n(n-1))).

    Equal values have no spread to measure, and one row has none: low and high are None.
    """
    array = finite_values(values)
    return cluster_t(array, np.arange(len(array)), confidence)


def cluster_t(values: npt.ArrayLike, clusters: Labels, confidence: float = 0.95) -> Interval:
    """Interval for the mean where rows share clusters: s̄ ± t_{C-1}·√V (V: `mean_variance`).

    Miller 2024 (arXiv:2411.00640) has the normal quantile; t with C-1 degrees of freedom is the
    usual correction for few clusters (Cameron & Miller 2015, J. Human Resources 50:317). Where
    all cluster means agree, and for one cluster, low and high are None. With one row per cluster
    it is `t_interval`.
    """
    array = finite_values(values)
    groups = Clusters.of(clusters, len(array))
    quantile = t_quantile(confidence, max(groups.count - 1, 1))
    if len(array) == 0:
        return EMPTY
    value = _mean(array)
    if groups.count == 1:
        return Interval(value, None, None, None, "none")
    stderr = float(np.sqrt(groups.mean_variance(array)))
    if not stderr:
        return Interval(value, stderr, None, None, "none")
    half = quantile * stderr
    return Interval(
        value, stderr, value - half, value + half, "cluster-t" if groups.repeated else "t"
    )


def _mean(array: FloatArray) -> float:
    """Return the mean, exact for equal values."""
    return float(array[0] if np.ptp(array) == 0 else array.mean())


def _effective_size(share: FloatArray, variance: float) -> float:
    """Return the number of independent 0/1 rows whose mean would have `variance`."""
    mean = float(share.mean())
    return mean * (1 - mean) / variance * len(share) / (len(share) - 1)


def _constant(value: float, groups: Clusters, z: float, bounds: Bounds) -> Interval:
    """Return the interval where all cluster means are equal (the rule of `cluster_score`)."""
    method = "cluster-wilson" if groups.repeated else "wilson"
    if groups.count == 1:
        if groups.repeated:
            return Interval(value, None, bounds[0], bounds[1], method)
        stderr = None
    else:
        stderr = 0.0
    _, differing = score_bounds(0.0, groups.effective_count, z)
    low = value - differing * (value - bounds[0])
    return Interval(value, stderr, low, value + differing * (bounds[1] - value), method)


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

    0/1 values: Wilson; values within known `bounds`, such as (0, 1): the score interval; others:
    Student's t; each over clusters where any has more than one row. `binary` None: found from
    the values; True: other values raise ValueError; False: never treated as a proportion.
    """
    array = finite_values(values)
    labels = np.arange(len(array)) if clusters is None else clusters
    if is_binary(array) if binary is None else binary:
        return wilson_clustered(array, labels, confidence)
    if bounds is not None:
        return cluster_score(array, labels, confidence, bounds)
    return cluster_t(array, labels, confidence)
