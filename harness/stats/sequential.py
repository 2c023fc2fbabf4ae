"""Looks at a fixed plan of times: the z bounds of group-sequential tests.

The bounds come from a spending function (Lan & DeMets 1983, Biometrika 70:659) by Armitage,
McPherson & Rowe's recursion (1969, JRSS A 132:235): the density of the score process among runs
not yet stopped is carried from look to look on a grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from harness.stats.clusters import FloatArray

Spending = Callable[[float], float]
"""Share of the items → alpha spent by then."""

_POINTS = 1001
_REACH = 8.0
"""Standard deviations beyond which a density is taken for 0."""


def obrien_fleming_spending(alpha: float) -> Spending:
    """Return α(t) = 2 - 2Φ(z_{α/2}/√t): next to nothing early, nearly all of it at the end."""
    quantile = float(ndtri(1 - alpha / 2))
    return lambda share: float(2 - 2 * ndtr(quantile / math.sqrt(share)))


def pocock_spending(alpha: float) -> Spending:
    """Return α(t) = α·ln(1 + (e-1)t): about the same at every look."""
    return lambda share: alpha * math.log1p((math.e - 1) * share)


def group_sequential_bounds(shares: Sequence[float], spending: Spending) -> list[float]:
    """Return the one-sided z bound of each look; `shares` rise to at most 1.

    >>> spend = obrien_fleming_spending(0.05)
    >>> [round(z, 2) for z in group_sequential_bounds([0.2, 0.4, 0.6, 0.8, 1.0], spend)]
    [4.23, 2.89, 2.3, 1.96, 1.74]
    """
    if not shares or sorted(set(shares)) != list(shares) or not 0 < shares[0] <= shares[-1] <= 1:
        raise ValueError(f"shares must rise within 0…1, got {list(shares)}")
    bounds: list[float] = []
    before = spent = 0.0
    grid: FloatArray = np.zeros(1)
    density: FloatArray = np.ones(1)
    for share in shares:
        wanted = spending(share) - spent
        step, scale = math.sqrt(share - before), math.sqrt(share)
        z = _bound(grid, density, step, scale, wanted)
        bounds.append(z)
        grid, density = _carry(grid, density, step, z * scale)
        spent, before = spending(share), share
    return bounds


def _bound(
    grid: FloatArray, density: FloatArray, step: float, scale: float, wanted: float
) -> float:
    """Return z at which the runs still going cross with chance `wanted`."""

    def excess(z: float) -> float:
        return float((density * ndtr((grid - z * scale) / step)).sum()) - wanted

    return float(brentq(excess, -_REACH, _REACH * 2))


def _carry(
    grid: FloatArray, density: FloatArray, step: float, bound: float
) -> tuple[FloatArray, FloatArray]:
    """Return the next grid, and how likely each of its points is without a stop."""
    following = np.linspace(float(grid.min()) - _REACH * step, bound, _POINTS)
    width = following[1] - following[0]
    weights = np.full(_POINTS, width)
    weights[[0, -1]] /= 2
    kernel = np.exp(-(((following[:, None] - grid) / step) ** 2) / 2)
    spread = kernel @ density / (step * math.sqrt(2 * math.pi))
    return following, np.asarray(spread * weights)
