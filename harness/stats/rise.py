"""Does a score rise suddenly with size, or as the smaller models lead one to expect?

A straight line is fitted to the scores of the smaller models over the logarithm of their size. A
model rises suddenly where the lower end of its own interval lies above the prediction interval of
that line (Draper & Smith 1998, "Applied Regression Analysis", section 1.4):

    ŷ ± t_{m-2} · s · √(1 + 1/m + (x - x̄)²/Σ(x_i - x̄)²)

s² is the scatter of the m smaller models about the line, and at least what their sampling errors
alone would bring: models of one score are not thereby exact. The level is shared out over all
models that are tried (Bonferroni). It asks for three smaller models of different size, and with no
more than these it is blunt on purpose: t with one degree of freedom is 12.7.

A rise says nothing of its cause. Models of different makers differ in more than size, and a score
that is all or nothing may jump where what is measured grows evenly (Schaeffer, Miranda & Koyejo
2023, arXiv:2304.15004).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.stats.intervals import t_quantile

SMALLER = 3
"""Sizes below a model's that a line needs: two define it, and one says how well it fits."""

FloatArray = npt.NDArray[np.float64]


class Point(NamedTuple):
    """One model: its size, its score, and how exact that is."""

    size: float
    """Above 0; parameters, or anything else that is compared by ratios."""
    score: float
    low: float
    """Ends of the interval of the score."""
    stderr: float


class Rise(NamedTuple):
    """What a straight continuation of the smaller models would have at a model's size."""

    place: int
    """Position of the model among the points given."""
    size: float
    expected: float
    low: float
    high: float
    """Prediction interval, at a level shared by all models that were tried."""
    start: tuple[float, float]
    """Where the line begins: the smallest size, and the line's score there."""
    sudden: bool


def continuations(points: Sequence[Point], confidence: float = 0.95) -> list[Rise]:
    """Return, by rising size, each model with three smaller sizes beside what they foretell.

    Raises ValueError for a size that is not above 0.
    """
    if any(point.size <= 0 for point in points):
        raise ValueError("sizes must be above 0: they are compared by ratios")
    tried = [
        index
        for index, point in enumerate(points)
        if len({other.size for other in points if other.size < point.size}) >= SMALLER
    ]
    level = 1 - (1 - confidence) / max(len(tried), 1)
    tried.sort(key=lambda index: points[index].size)
    return [_continued(points, index, level) for index in tried]


def _continued(points: Sequence[Point], index: int, level: float) -> Rise:
    here = points[index]
    smaller = [point for point in points if point.size < here.size]
    x = np.log10([point.size for point in smaller])
    y = np.array([point.score for point in smaller])
    slope, start = _line(x, y)
    at = float(np.log10(here.size))
    expected = start + slope * at
    count, spread = len(x), float(((x - x.mean()) ** 2).sum())
    scatter = float(((y - start - slope * x) ** 2).sum()) / (count - 2)
    sampled = float(np.mean([point.stderr**2 for point in smaller]))
    variance = max(scatter, sampled) * (1 + 1 / count + (at - float(x.mean())) ** 2 / spread)
    half = t_quantile(level, count - 2) * float(np.sqrt(variance))
    low, high = expected - half, expected + half
    first = float(x.min())
    origin = (float(10**first), start + slope * first)
    sudden = here.low > high
    return Rise(index, here.size, expected, low, high, origin, sudden)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line."""
    centre = x - x.mean()
    slope = float((centre * y).sum() / (centre**2).sum())
    return slope, float(y.mean() - slope * x.mean())
