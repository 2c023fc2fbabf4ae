"""How far raters agree: with a truth, with each other, and beyond chance.

Labels are integers 0 … k-1; a missing rating is NaN. Point estimates here; intervals by
`stats.bootstrap.bca` over items (`agreement_interval`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.stats.bootstrap import bca
from harness.stats.clusters import FloatArray, Labels
from harness.stats.intervals import Interval, wilson

IntMatrix = npt.NDArray[np.int64]
Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]
Agreement = Callable[[Any, Any], float | None]


class Rates(NamedTuple):
    """How a 0/1 judge errs against 0/1 labels; Wilson intervals."""

    accuracy: Interval
    sensitivity: Interval
    """Share of true positives that it calls positive."""
    specificity: Interval
    """Share of true negatives that it calls negative."""


def confusion(truth: npt.ArrayLike, said: npt.ArrayLike, count: int) -> IntMatrix:
    """Return the `count` x `count` table of counts: rows truth, columns said."""
    rows, columns = _labels(truth, count), _labels(said, count)
    if len(rows) != len(columns):
        raise ValueError(f"ratings must pair up, got {len(rows)} and {len(columns)}")
    flat = np.bincount(rows * count + columns, minlength=count * count)
    return flat.reshape(count, count).astype(np.int64)


def _labels(values: npt.ArrayLike, count: int) -> IntMatrix:
    array = np.asarray(values)
    out = array.astype(np.int64)
    if array.ndim != 1 or (out != array).any() or ((out < 0) | (out >= count)).any():
        raise ValueError(f"labels must be integers from 0 to {count - 1}")
    return out


def rates(truth: npt.ArrayLike, said: npt.ArrayLike, confidence: float = 0.95) -> Rates:
    """Return accuracy, sensitivity and specificity of 0/1 verdicts with Wilson intervals."""
    table = confusion(truth, said, 2)
    (tn, fp), (fn, tp) = table.tolist()

    def share(hits: int, n: int) -> Interval:
        return wilson(hits, n, confidence) if n else Interval(None, None, None, None, "none")

    return Rates(
        accuracy=share(tn + tp, tn + fp + fn + tp),
        sensitivity=share(tp, tp + fn),
        specificity=share(tn, tn + fp),
    )


def cohen_kappa(
    first: npt.ArrayLike, second: npt.ArrayLike, count: int, weights: Weights = "none"
) -> float | None:
    """Return κ = 1 - Σwo/Σwe, o the observed and e the chance table (Cohen 1960, 1968).

    w is 1 off the diagonal, |i-j| (linear) or (i-j)² (quadratic). None where both raters use one
    and the same label only, which leaves no chance disagreement.
    """
    table = confusion(first, second, count).astype(np.float64)
    total = table.sum()
    if not total:
        return None
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    gap = np.abs(np.subtract.outer(np.arange(count), np.arange(count))).astype(np.float64)
    weight = {"none": (gap > 0).astype(np.float64), "linear": gap, "quadratic": gap**2}[weights]
    by_chance = float((weight * expected).sum())
    return None if by_chance == 0 else 1 - float((weight * table).sum()) / by_chance


def krippendorff_alpha(ratings: npt.ArrayLike, level: Level = "nominal") -> float | None:
    """Return α = 1 - D_o/D_e of ratings (raters x items, NaN for missing).

    Items with fewer than two ratings count for nothing. Metric differences: nominal [c≠k],
    interval (c-k)², ordinal (Σ_{g=c}^{k} n_g - (n_c+n_k)/2)² (Krippendorff 2011, "Computing
    Krippendorff's alpha-reliability"). None where nothing varies or nothing pairs.
    """
    matrix = np.asarray(ratings, dtype=np.float64)
    if matrix.ndim != 2:  # noqa: PLR2004 - raters by items
        raise ValueError(f"ratings must be raters x items, got shape {matrix.shape}")
    values = np.unique(matrix[~np.isnan(matrix)])
    counts = np.stack([(matrix == value).sum(axis=0) for value in values] or [np.zeros(0)])
    counts = counts[:, counts.sum(axis=0) > 1].astype(np.float64)
    if counts.size == 0:
        return None
    sizes = counts.sum(axis=0)
    coincidence = (counts / (sizes - 1)) @ counts.T - np.diag((counts / (sizes - 1)).sum(axis=1))
    marginal = coincidence.sum(axis=1)
    total = marginal.sum()
    gaps = _differences(values, marginal, level)
    expected = float((np.outer(marginal, marginal) * gaps).sum() / (total - 1))
    return None if expected == 0 else 1 - float((coincidence * gaps).sum()) / expected


def _differences(values: FloatArray, marginal: FloatArray, level: Level) -> FloatArray:
    if level == "nominal":
        return np.asarray(values[:, None] != values[None, :], dtype=np.float64)
    if level == "interval":
        return np.asarray((values[:, None] - values[None, :]) ** 2)
    # ranks: the number of ratings at or below the middle of each value's block
    middle = np.cumsum(marginal) - marginal / 2
    return np.asarray((middle[:, None] - middle[None, :]) ** 2)


def spearman(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Return Spearman's rank correlation with mid-ranks; None for constant data."""
    from scipy.stats import rankdata  # noqa: PLC0415 - half a second that most runs need not pay

    return pearson(rankdata(np.asarray(first)), rankdata(np.asarray(second)))


def kendall_tau(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Return Kendall's τ_b, which corrects for ties; None for constant data."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - as above

    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:  # noqa: PLR2004 - a pair
        return None
    return float(kendalltau(a, b).statistic)


def pearson(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Return the product-moment correlation; None for constant data or fewer than two rows."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:  # noqa: PLR2004 - a pair
        return None
    x, y = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else None


def mean_correlation(scores: Sequence[Sequence[float | None]]) -> float | None:
    """Return the mean Pearson correlation of all pairs of rows, over items that both have."""
    rows = np.array(
        [[np.nan if value is None else value for value in row] for row in scores], dtype=np.float64
    )
    found = []
    for i in range(len(rows)):
        for j in range(i):
            both = ~np.isnan(rows[i]) & ~np.isnan(rows[j])
            pair = pearson(rows[i][both], rows[j][both])
            if pair is not None:
                found.append(pair)
    return float(np.mean(found)) if found else None


def fisher_exact(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the two-sided p of Fisher's exact test that two groups share one rate.

    Each group is (with, without). Sums the chances of all tables with these margins that are no
    likelier than the one seen (Fisher 1922, J. R. Stat. Soc. 85:87).
    """
    from scipy.stats import fisher_exact as test  # noqa: PLC0415 - as above

    return float(test([first, second]).pvalue)


def human_ceiling(ratings: npt.ArrayLike) -> float | None:
    """Return how often a rater agrees with the most frequent label of the others.

    Raters x items, NaN for missing; where the others tie, agreement with either counts by its
    share. This is the leave-one-out agreement of AlpacaEval: no judge need do better.
    """
    agreed, counted = leave_one_out(ratings)
    return float(agreed.sum() / counted.sum()) if counted.sum() else None


def leave_one_out(
    ratings: npt.ArrayLike, instead: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return by item how many left-out raters agree with the others, and how many there were.

    With `instead` (an item's label by somebody else, NaN for missing) that one is compared with
    the others in each rater's place.
    """
    matrix = np.asarray(ratings, dtype=np.float64)
    other = None if instead is None else np.asarray(instead, dtype=np.float64)
    agreed, counted = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    for place, item in enumerate(matrix.T):
        given = item[~np.isnan(item)]
        for held in range(len(given)):
            rest = np.delete(given, held)
            label = given[held] if other is None else other[place]
            if not len(rest) or np.isnan(label):
                continue
            names, counts = np.unique(rest, return_counts=True)
            modes = names[counts == counts.max()]
            agreed[place] += float(label in modes) / len(modes)
            counted[place] += 1
    return agreed, counted


def agreement_interval(
    statistic: Agreement,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: Labels | None = None,
    n_resamples: int = 1999,
) -> Interval:
    """Return a statistic of two raters with its BCa bootstrap interval over items."""
    a, b = np.asarray(first), np.asarray(second)

    def of(x: Any, y: Any) -> float:
        found = statistic(x, y)
        return float("nan") if found is None else found

    return bca(of, (a, b), rng, clusters=clusters, n_resamples=n_resamples)


class Swap(NamedTuple):
    """What the two orders of pairwise verdicts say of a judge."""

    consistency: Interval
    """Share of pairs with the same winner in both orders."""
    bias: float | None
    """(#first slot in both orders - #second slot in both) / n."""
    p_value: float | None
    """Exact binomial test of first against second among the pairs decided by slot."""
    first_slot: Interval
    """Share of all verdicts that went to the answer shown first."""


def swap_agreement(first_order: npt.ArrayLike, second_order: npt.ArrayLike) -> Swap:
    """Return position consistency and bias of pairwise verdicts.

    Each vector holds the share of a win that goes to the same answer (1, 0.5 or 0): in
    `first_order` it stood in the first slot, in `second_order` in the second.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 - as above

    a, b = np.asarray(first_order, dtype=np.float64), np.asarray(second_order, dtype=np.float64)
    n = len(a)
    if not n:
        none = Interval(None, None, None, None, "none")
        return Swap(none, None, None, none)
    first, second = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    p_value = binomtest(first, first + second).pvalue if first + second else 1.0
    slots = np.concatenate([a, 1 - b])
    return Swap(
        consistency=wilson(int((a == b).sum()), n),
        bias=(first - second) / n,
        p_value=float(p_value),
        first_slot=wilson(float((slots == 1).sum()), 2 * n),
    )
