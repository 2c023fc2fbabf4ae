"""Two systems on the same items: the difference, its interval, and tests that there is none.

The rows of the two arrays are aligned by the caller: `a[i]` and `b[i]` answer the same item.
Differences are a - b.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq

from harness.stats.clusters import Clusters, FloatArray, Labels, finite_values
from harness.stats.intervals import (
    EMPTY,
    Bounds,
    Interval,
    cluster_score,
    cluster_t,
    is_binary,
    normal_quantile,
)

Alternative = Literal["two-sided", "greater", "less"]
"""What would speak against "no difference": any, a above b, or a below b."""

CHUNK_VALUES = 2_000_000
"""Random signs drawn at once; bounds memory."""


class Discordance(NamedTuple):
    """Items on which two systems' 0/1 scores differ, of n."""

    wins: int
    """a right, b wrong."""
    losses: int
    """a wrong, b right."""
    n: int


def discordance(a: npt.ArrayLike, b: npt.ArrayLike) -> Discordance:
    """Count the discordant pairs; raises ValueError unless all values are 0 or 1."""
    first, second = _pair(a, b)
    if not (is_binary(first) and is_binary(second)):
        raise ValueError("discordance is counted on values 0 and 1 only")
    difference = first - second
    return Discordance(int((difference > 0).sum()), int((difference < 0).sum()), len(difference))


def paired_difference(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    clusters: Labels | None = None,
    confidence: float = 0.95,
    bounds: Bounds | None = None,
) -> Interval:
    """Interval for the mean of a - b over the same items.

    0/1 scores without shared clusters: Tango's score interval. Else Student's t over items or
    clusters (Miller 2024, arXiv:2411.00640). With `bounds` lo…hi of a score, an interval beyond
    ±(hi-lo) is cut off there, and where all differences are equal `cluster_score`'s rule gives
    the ends that t cannot.
    """
    first, second = _pair(a, b)
    difference = first - second
    rows = len(difference)
    labels = np.arange(rows) if clusters is None else clusters
    shared = Clusters.of(labels, rows).repeated
    binary = is_binary(first) and is_binary(second)
    if binary and not shared:
        return tango(discordance(first, second), confidence)
    found = cluster_t(difference, labels, confidence)
    reach = 1.0 if binary else None if bounds is None else bounds[1] - bounds[0]
    if reach is None or found.value is None:
        return found
    if found.low is None or found.high is None:
        return cluster_score(difference, labels, confidence, (-reach, reach))
    return found._replace(low=max(found.low, -reach), high=min(found.high, reach))


def tango(counts: Discordance, confidence: float = 0.95) -> Interval:
    """Score interval for a difference of paired proportions (Tango 1998, Stat. Medicine 17:891).

    The ends are the Δ at which (b-c-nΔ) / √(n(2q̃+Δ(1-Δ))) = ±z, where b and c are wins and
    losses and q̃ is the likeliest chance of a loss given Δ. Never without width: with no
    discordant pair it is ±z²/(n+z²). `stderr` is the sample's.
    """
    z = normal_quantile(confidence)
    wins, losses, n = counts
    if n == 0:
        return EMPTY
    value = (wins - losses) / n
    stderr = None
    if n > 1:
        stderr = float(np.sqrt(max(0.0, ((wins + losses) / n - value**2) / (n - 1))))

    low, high = _tango_ends(counts, value, z)
    return Interval(value, stderr, low, high, "tango")


def _tango_ends(counts: Discordance, value: float, z: float) -> tuple[float, float]:
    wins, losses, n = counts
    # with no spread at `value` that is a root too; the other ones are then in closed form
    if wins == losses == 0:
        reach = z * z / (n + z * z)
        return -reach, reach
    if n in (wins, losses):
        reach = (n - z * z) / (n + z * z)
        return (reach, 1.0) if wins else (-1.0, -reach)

    def beyond(effect: float) -> float:
        spread = n * (2 * _likeliest_losses(counts, effect) + effect * (1 - effect))
        return float((wins - losses - n * effect) ** 2 - z * z * spread)

    return float(brentq(beyond, -1.0, value)), float(brentq(beyond, value, 1.0))


def _likeliest_losses(counts: Discordance, effect: float) -> float:
    """Return the maximum-likelihood chance of a loss where wins exceed losses by `effect`."""
    wins, losses, n = counts
    linear = -wins - losses + (2 * n - wins + losses) * effect
    constant = -losses * effect * (1 - effect)
    root = np.sqrt(max(0.0, linear**2 - 8 * n * constant))
    return float(max(0.0, -effect, (root - linear) / (4 * n)))


def mcnemar(counts: Discordance, *, mid: bool = False) -> float:
    """Exact two-sided p of McNemar's test: Binomial(wins + losses, ½) on the discordant pairs.

    `mid` counts half the probability of the observed table (mid-p: Fagerland, Lydersen & Laake
    2013, BMC Med. Res. Methodol. 13:91), which is less conservative. 1 where nothing differs.
    """
    total, fewer = counts.wins + counts.losses, min(counts.wins, counts.losses)
    if total == 0:
        return 1.0
    exact = float(stats.binomtest(fewer, total, 0.5).pvalue)
    if not mid:
        return exact
    if counts.wins == counts.losses:
        return 1.0 - float(stats.binom.pmf(fewer, total, 0.5))
    return exact - float(stats.binom.pmf(fewer, total, 0.5))


def sign_flip(
    differences: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: Labels | None = None,
    n_resamples: int = 9999,
    alternative: Alternative = "two-sided",
) -> float:
    """Return p of the sign-flip permutation test: are differences symmetric about 0?

    p = (1 + #{flipped mean at least as extreme}) / (1 + n_resamples) (Phipson & Smyth 2010,
    SAGMB 9:39), exact over all 2^k flips where those are no more than `n_resamples`. Whole
    clusters are flipped together. Two-sided p is twice the smaller one-sided p, at most 1.
    """
    array = finite_values(differences, "differences")
    labels = np.arange(len(array)) if clusters is None else clusters
    sums = Clusters.of(labels, len(array)).sums(array)
    sums = sums[sums != 0]  # flipping a zero changes nothing
    if len(sums) == 0:
        return 1.0
    if len(sums) == 1:
        return _single_flip(float(sums[0]), alternative)
    if 2 ** len(sums) <= n_resamples:
        result = stats.permutation_test(
            (sums,),
            np.sum,
            permutation_type="samples",
            vectorized=True,
            n_resamples=n_resamples,
            alternative=alternative,
        )
        return float(result.pvalue)
    return _flipped(sums, rng, n_resamples, alternative)


def _flipped(
    sums: FloatArray, rng: np.random.Generator, n_resamples: int, alternative: Alternative
) -> float:
    """Return p from random flips: a bit for each unit and flip, and one product of matrices.

    Ten times as fast as `scipy.stats.permutation_test`, and the same test: a flip counts as at
    least as extreme within rounding, and the data themselves are one of the flips.
    """
    observed = float(sums.sum())
    slack = 1e-12 * float(np.abs(sums).sum())
    above = below = 0
    width = -(-len(sums) // 8)
    batch = max(1, CHUNK_VALUES // len(sums))
    for begin in range(0, n_resamples, batch):
        count = min(batch, n_resamples - begin)
        packed = np.frombuffer(rng.bytes(count * width), dtype=np.uint8).reshape(count, width)
        bits = np.unpackbits(packed, axis=1, count=len(sums))
        drawn = observed - 2 * (bits.astype(np.float64) @ sums)
        above += int((drawn >= observed - slack).sum())
        below += int((drawn <= observed + slack).sum())
    greater, less = ((1 + n) / (1 + n_resamples) for n in (above, below))
    if alternative == "two-sided":
        return min(1.0, 2 * min(greater, less))
    return greater if alternative == "greater" else less


def _single_flip(total: float, alternative: Alternative) -> float:
    """Return the exact p for one unit, which scipy refuses."""
    if alternative == "two-sided":
        return 1.0
    return 0.5 if (total > 0) == (alternative == "greater") else 1.0


def _pair(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    first, second = finite_values(a, "a"), finite_values(b, "b")
    if len(first) != len(second):
        raise ValueError(f"a and b must be aligned, got {len(first)} and {len(second)} values")
    return first, second
