"""Scores by a fallible judge, corrected by a random labelled subset.

`ppi_mean`: prediction-powered inference (Angelopoulos et al. 2023, Science 382:669) with the
power-tuned weight of PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453). Unbiased
whatever the judge does; a good judge only makes it narrower. `rogan_gladen`: the prevalence
corrected by sensitivity and specificity (Rogan & Gladen 1978, Am. J. Epidemiology 107:71), with
the interval of Lee et al. 2025 ("How to correctly report LLM-as-a-judge evaluations"), whose
small-sample shift is that of Lang & Reiczigel 2014, Prev. Vet. Med. 113:13.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import Clusters, FloatArray, Labels, finite_values
from harness.stats.intervals import Bounds, normal_quantile, score_bounds, t_quantile

FEW_LABELS = 200
"""Below so many labels PPI++ covers less than it says; reports warn."""


_WORSE = 0.9
"""Effective labels per label below which a judge is taken to add noise."""


class Corrected(NamedTuple):
    """An estimate made of few labels and many verdicts."""

    value: float | None
    stderr: float | None
    low: float | None
    high: float | None
    method: str
    """ppi, ppi++, human, rogan-gladen."""
    weight: float | None
    """λ: how far the judge is trusted; 0 is human labels alone, 1 plain PPI."""
    effective_n: float | None
    """Labels that would give the same variance without a judge."""
    reason: str | None = None
    """Why there is no value."""


class Judgements(NamedTuple):
    """Human labels and verdicts of the labelled rows, and verdicts of the others."""

    truth: npt.ArrayLike
    judged: npt.ArrayLike
    unlabelled: npt.ArrayLike
    clusters: Labels | None = None
    """Of the labelled rows; absent: each stands alone."""
    unlabelled_clusters: Labels | None = None


def ppi_mean(
    data: Judgements,
    *,
    weight: float | None = None,
    confidence: float = 0.95,
    bounds: Bounds | None = (0.0, 1.0),
) -> Corrected:
    """Return θ̂ = λ·f̄_N + mean(Y - λf), with λ* = Cov(Y,f) / ((1+n/N)·Var f) clipped to 0…1.

    Var θ̂ = λ²·Var(f)/N + Var(Y - λf)/n, each over clusters where there are any. `weight` fixes
    λ (1: PPI, 0: labels alone). The labels must be a random subset. `bounds` are the ends of the
    score: the interval is then a score interval of the effective sample size, which stays within
    them; None (differences): Student's t with n-1 degrees of freedom, the variance enlarged by
    r²/2n², r the largest difference seen. Differences are mostly 0, so that few labels hold few
    of the others; `benchmarks/results/judge_coverage.md` shows what the term cures.
    """
    y, f, g = (finite_values(values) for values in data[:3])
    if len(y) != len(f):
        raise ValueError(f"labels and verdicts must pair up, got {len(y)} and {len(f)}")
    if len(y) < 2:  # noqa: PLR2004 - a variance needs two
        return _nothing("ppi++", "fewer than two labels")
    lam = _tuned(y, f, g) if weight is None else weight
    lam = lam if len(g) else 0.0
    method = "ppi++" if weight is None else {0.0: "human", 1.0: "ppi"}.get(weight, "ppi")
    residual = y - lam * f
    value = float(residual.mean() + (lam * g.mean() if lam else 0.0))
    own = _variance(residual, data.clusters, spent=1 if weight is None and lam else 0)
    other = lam**2 * _variance(g, data.unlabelled_clusters) if lam else 0.0
    variance = own + other
    alone = _variance(y, data.clusters)
    effective = len(y) * alone / variance if variance and alone else None
    if bounds is None:
        half = t_quantile(confidence, len(y) - 1) * (variance + _unseen(y, f, g)) ** 0.5
        low, high = value - half, value + half
    else:
        low, high = _within(_Spread(value, own, other, len(y), confidence), bounds)
        value = min(max(value, bounds[0]), bounds[1])
    return Corrected(value, variance**0.5, low, high, method, lam, effective)


def _unseen(*columns: FloatArray) -> float:
    """Return what half a row more of the largest difference would add to the variance."""
    reach = max(float(np.abs(column).max()) for column in columns if len(column))
    return reach**2 / (2 * len(columns[0]) ** 2)


def _tuned(y: FloatArray, f: FloatArray, g: FloatArray) -> float:
    """Return λ*: the weight of least variance, with Var f from all verdicts."""
    spread = float(np.concatenate([f, g]).var())
    if not spread or not len(g):
        return 0.0
    covariance = float(((y - y.mean()) * (f - f.mean())).mean())
    return min(max(covariance / ((1 + len(y) / len(g)) * spread), 0.0), 1.0)


def _variance(values: FloatArray, labels: Labels | None, spent: int = 0) -> float:
    """Return the variance of a mean; `spent` degrees of freedom went into a weight."""
    if len(values) < 2:  # noqa: PLR2004 - a variance needs two
        return 0.0
    groups = Clusters.of(np.arange(len(values)) if labels is None else labels, len(values))
    if groups.count < 2:  # noqa: PLR2004
        return 0.0
    variance = groups.mean_variance(values)
    free = groups.count - 1
    return variance * free / max(free - spent, 1)


class _Spread(NamedTuple):
    """What an interval is made from."""

    value: float
    own: float
    """Variance that comes of the labelled rows."""
    other: float
    """Variance that comes of the verdicts on the others."""
    labels: int
    confidence: float


def _within(spread: _Spread, bounds: Bounds) -> tuple[float, float]:
    """Return an interval within the bounds: score, or t where the judge made things worse.

    The score interval is that of the effective sample size, and is skewed as the score's own
    noise is. Where that size is below the number of labels (a weight that was not tuned), the
    judge's symmetric errors rule the noise, and Student's t about the estimate covers better.
    The variance of the labelled part is floored at what one more differing row among the labels
    would give: residuals that all agree have shown no more than that.
    """
    width = bounds[1] - bounds[0]
    n = spread.labels
    least = width**2 * (1 / (n + 2)) * (1 - 1 / (n + 2)) / n
    variance = max(spread.own, least) + spread.other
    value = min(max(spread.value, bounds[0]), bounds[1])
    share = (value - bounds[0]) / width
    centre = min(max(share, 1 / (n + 2)), (n + 1) / (n + 2))
    effective = centre * (1 - centre) * width**2 / variance
    quantile = t_quantile(spread.confidence, n - 1)
    if effective < _WORSE * n:
        half = quantile * variance**0.5
        low, high = min(spread.value, value) - half, max(spread.value, value) + half
        return max(low, bounds[0]), min(high, bounds[1])
    low, high = score_bounds(share, effective, quantile)
    return min(bounds[0] + width * low, value), max(bounds[0] + width * high, value)


def rogan_gladen(data: Judgements, *, confidence: float = 0.95) -> Corrected:
    """Return θ̂ = (p̂ + q̂₀ - 1) / (q̂₀ + q̂₁ - 1) of 0/1 labels and verdicts.

    p̂ is the share that the judge calls right among all rows, q̂₁ its sensitivity and q̂₀ its
    specificity on the labelled rows, both calibrated on the system at hand. Without a value
    where q̂₀ + q̂₁ ≤ 1 (the judge tells nothing) or one class has no label.
    """
    y, f, g = (finite_values(values) for values in data[:3])
    if not np.isin(np.concatenate([y, f, g]), (0.0, 1.0)).all():
        raise ValueError("Rogan-Gladen needs labels and verdicts of 0 or 1")
    positives, negatives = int((y == 1).sum()), int((y == 0).sum())
    if not positives or not negatives:
        return _nothing("rogan-gladen", "the labels hold one class only")
    sensitivity = float(f[y == 1].mean())
    specificity = float(1 - f[y == 0].mean())
    if sensitivity + specificity <= 1:
        return _nothing("rogan-gladen", "the judge is no better than chance on the labels")
    everyone = np.concatenate([f, g])
    share, n = float(everyone.mean()), len(everyone)
    value = (share + specificity - 1) / (sensitivity + specificity - 1)
    z = normal_quantile(confidence)
    p = (n * share + z**2 / 2) / (n + z**2)
    q1 = (positives * sensitivity + 1) / (positives + 2)
    q0 = (negatives * specificity + 1) / (negatives + 2)
    youden = q0 + q1 - 1
    if youden <= 0:
        return _nothing("rogan-gladen", "too few labels to tell the judge from chance")
    centre = min(max((p + q0 - 1) / youden, 0.0), 1.0)
    v1 = q1 * (1 - q1) / (positives + 2)
    v0 = q0 * (1 - q0) / (negatives + 2)
    shift = 2 * z**2 * (centre * v1 - (1 - centre) * v0)
    variance = (p * (1 - p) / (n + z**2) + (1 - centre) ** 2 * v0 + centre**2 * v1) / youden**2
    stderr = variance**0.5
    low, high = (_unit(centre + shift - z * stderr), _unit(centre + shift + z * stderr))
    alone = float(y.var(ddof=1)) / len(y)
    effective = len(y) * alone / variance if variance else None
    value = _unit(value)
    return Corrected(
        value, stderr, min(low, value), max(high, value), "rogan-gladen", None, effective
    )


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _nothing(method: str, reason: str) -> Corrected:
    return Corrected(None, None, None, None, method, None, None, reason)
