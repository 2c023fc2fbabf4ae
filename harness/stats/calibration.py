"""Whether confidences are honest: ECE, proper scores, and what selective answering would gain.

`confidences` are the chances, 0…1, that a model gave to its own answers; `correct` says 0 or 1
whether each was right. None is returned where a number does not exist.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import FloatArray, IntArray, finite_values
from harness.stats.intervals import is_binary

Binning = Literal["width", "mass"]
"""Bins of equal width over 0…1, or of equal numbers of samples."""

BINS = 10
CLIP = 1e-6
"""Confidences are kept this far from 0 and 1 in logarithms: one sure and wrong answer costs
13.8 nats, not infinity."""
CHUNK_VALUES = 2_000_000


class Bin(NamedTuple):
    """One bar of a reliability diagram: confidences in (low, high]."""

    low: float
    high: float
    n: int
    confidence: float
    """Mean confidence."""
    accuracy: float


class NullError(NamedTuple):
    """The ECE that a perfectly calibrated model with these confidences would show."""

    mean: float
    high: float
    """95th percentile: an ECE above it speaks against calibration."""


def _columns(confidences: npt.ArrayLike, correct: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    sure, right = finite_values(confidences, "confidences"), finite_values(correct, "correct")
    if len(sure) != len(right):
        raise ValueError(
            f"confidences and correct must be aligned, got {len(sure)} and {len(right)} values"
        )
    if ((sure < 0) | (sure > 1)).any():
        raise ValueError(f"confidences must lie in 0…1, got {sure[(sure < 0) | (sure > 1)][0]}")
    if not is_binary(right):
        raise ValueError("correct must be 0 or 1")
    return sure, right


def _edges(sure: FloatArray, bins: int, binning: Binning) -> FloatArray:
    """Return inner and outer edges, rising; equal confidences never fall on two sides of one."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    if binning == "width":
        return np.linspace(0.0, 1.0, bins + 1)
    ordered = np.sort(sure)
    last = np.round(np.arange(1, bins) * len(ordered) / bins).astype(np.int64) - 1
    inner = np.unique(ordered[np.maximum(last, 0)])
    return np.concatenate([[0.0], inner[inner < 1], [1.0]])


def _bin_numbers(sure: FloatArray, edges: FloatArray) -> IntArray:
    return np.searchsorted(edges[1:-1], sure, side="left").astype(np.int64)


def reliability(
    confidences: npt.ArrayLike,
    correct: npt.ArrayLike,
    *,
    bins: int = BINS,
    binning: Binning = "width",
) -> list[Bin]:
    """Return the bins that hold samples, in rising order. The first one includes 0."""
    sure, right = _columns(confidences, correct)
    if len(sure) == 0:
        return []
    edges = _edges(sure, bins, binning)
    number = _bin_numbers(sure, edges)
    counts = np.bincount(number, minlength=len(edges) - 1)
    sums = np.bincount(number, weights=sure, minlength=len(counts))
    hits = np.bincount(number, weights=right, minlength=len(counts))
    return [
        Bin(
            float(edges[b]),
            float(edges[b + 1]),
            int(counts[b]),
            float(sums[b] / counts[b]),
            float(hits[b] / counts[b]),
        )
        for b in np.flatnonzero(counts)
    ]


def expected_calibration_error(
    confidences: npt.ArrayLike,
    correct: npt.ArrayLike,
    *,
    bins: int = BINS,
    binning: Binning = "width",
) -> float | None:
    """Return ECE = Σ_b (n_b/n)·|accuracy_b - confidence_b| (Naeini, Cooper & Hauskrecht 2015).

    Equal-width bins are (k/B, (k+1)/B] as in Guo et al. 2017 (arXiv:1706.04599); equal-mass bins
    never part equal confidences. It is biased upwards: show `null_calibration_error` beside it.
    """
    found = reliability(confidences, correct, bins=bins, binning=binning)
    total = sum(one.n for one in found)
    if total == 0:
        return None
    return sum(one.n * abs(one.accuracy - one.confidence) for one in found) / total


def null_calibration_error(
    confidences: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    bins: int = BINS,
    binning: Binning = "width",
    n_simulations: int = 1000,
) -> NullError | None:
    """Return the ECE of a model that is right exactly as often as it says, by simulation.

    Each simulation draws every answer as right with its own confidence (the consistency
    resampling of Bröcker & Smith 2007, Weather and Forecasting 22:651).
    """
    sure, _ = _columns(confidences, np.zeros(np.shape(confidences)))
    if len(sure) == 0:
        return None
    edges = _edges(sure, bins, binning)
    order = np.argsort(_bin_numbers(sure, edges), kind="stable")
    sure, number = sure[order], _bin_numbers(sure, edges)[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    expected = np.add.reduceat(sure, starts)
    errors = []
    step = max(1, CHUNK_VALUES // len(sure))
    for begin in range(0, n_simulations, step):
        rows = min(step, n_simulations - begin)
        hits = (rng.random((rows, len(sure))) < sure).astype(np.float64)
        gaps = np.abs(np.add.reduceat(hits, starts, axis=1) - expected)
        errors.append(gaps.sum(axis=1) / len(sure))
    drawn = np.concatenate(errors)
    return NullError(float(drawn.mean()), float(np.quantile(drawn, 0.95)))


def brier(confidences: npt.ArrayLike, correct: npt.ArrayLike) -> float | None:
    """Return the mean of (confidence - correct)² (Brier 1950); 0 is best, 0.25 is a coin's."""
    sure, right = _columns(confidences, correct)
    return float(((sure - right) ** 2).mean()) if len(sure) else None


def log_score(
    confidences: npt.ArrayLike, correct: npt.ArrayLike, *, clip: float = CLIP
) -> float | None:
    """Return the mean negative log-likelihood, in nats (Good 1952); 0 is best, 0.693 a coin's."""
    sure, right = _columns(confidences, correct)
    if not len(sure):
        return None
    kept = np.clip(sure, clip, 1 - clip)
    return float(-np.log(np.where(right == 1, kept, 1 - kept)).mean())


def auroc(confidences: npt.ArrayLike, correct: npt.ArrayLike) -> float | None:
    """Return the chance that a right answer is surer than a wrong one, ties counting half.

    The Mann-Whitney U over its maximum (Hanley & McNeil 1982, Radiology 143:29). None where all
    answers are right, or all wrong.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - half a second that ECE need not pay

    sure, right = _columns(confidences, correct)
    hits = int(right.sum())
    misses = len(right) - hits
    if hits == 0 or misses == 0:
        return None
    ranks = rankdata(sure)
    return float((ranks[right == 1].sum() - hits * (hits + 1) / 2) / (hits * misses))


def accuracy_by_coverage(confidences: npt.ArrayLike, correct: npt.ArrayLike) -> FloatArray:
    """Return the accuracy on the k surest answers, for k = 1 … n.

    Where the k-th cuts through equal confidences it is the expectation over which are taken, so
    that the order of the rows does not matter.
    """
    sure, right = _columns(confidences, correct)
    _, group, sizes = np.unique(-sure, return_inverse=True, return_counts=True)
    share = np.bincount(group, weights=right, minlength=len(sizes)) / np.maximum(sizes, 1)
    hits = np.cumsum(np.repeat(share, sizes))
    found: FloatArray = np.minimum(hits / np.arange(1, len(sure) + 1), 1.0)
    return found


def selective_accuracy(
    confidences: npt.ArrayLike, correct: npt.ArrayLike, coverage: float
) -> float | None:
    """Return the accuracy on the surest ⌈coverage·n⌉ answers; `coverage` in (0, 1]."""
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be above 0 and at most 1, got {coverage}")
    curve = accuracy_by_coverage(confidences, correct)
    if len(curve) == 0:
        return None
    # the small step back keeps 0.1 x 30 = 3.0000000000000004 at 3
    kept = int(np.ceil(coverage * len(curve) - 1e-9))
    return float(curve[max(kept, 1) - 1])


def selective_area(confidences: npt.ArrayLike, correct: npt.ArrayLike) -> float | None:
    """Return the mean of `accuracy_by_coverage` over k: 1 - AURC (Geifman & El-Yaniv 2017)."""
    curve = accuracy_by_coverage(confidences, correct)
    return float(curve.mean()) if len(curve) else None


def coverage_at_risk(
    confidences: npt.ArrayLike, correct: npt.ArrayLike, risk: float
) -> float | None:
    """Return the largest share of answers, surest first, with an error rate of at most `risk`."""
    if not 0 <= risk <= 1:
        raise ValueError(f"risk must lie in 0…1, got {risk}")
    curve = accuracy_by_coverage(confidences, correct)
    if len(curve) == 0:
        return None
    safe = np.flatnonzero(1 - curve <= risk + 1e-12)
    return float((safe[-1] + 1) / len(curve)) if len(safe) else 0.0
