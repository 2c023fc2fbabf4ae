"""Many systems over many columns: mean win rate, Borda points, sets of possible ranks.

A table has one row per system and one column per task or metric; NaN is a missing value.
`directions` has one entry per column: True where higher is better, False where lower is, None
where neither is, and such a column is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import FloatArray, IntArray, finite_values

MIN_SYSTEMS = 2
"""A column with fewer values compares nothing and is left out."""


def win_rates(values: npt.ArrayLike, directions: Sequence[bool | None]) -> FloatArray:
    """Return each system's share of wins per column; NaN where missing or left out.

    w = (#strictly worse + ½·#other ties) / (N-1) over the N systems that have a value.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(directions):  # noqa: PLR2004 - a table
        raise ValueError(
            f"values must have {len(directions)} columns as directions has, got shape {table.shape}"
        )
    if np.isinf(table).any():
        raise ValueError("values must be finite or NaN, got an infinite one")
    rates = np.full(table.shape, np.nan)
    for column, higher in enumerate(directions):
        present = np.flatnonzero(~np.isnan(table[:, column]))
        if higher is None or len(present) < MIN_SYSTEMS:
            continue
        scores = table[present, column] if higher else -table[present, column]
        ordered = np.sort(scores)
        worse = np.searchsorted(ordered, scores, side="left")
        ties = np.searchsorted(ordered, scores, side="right") - worse - 1
        rates[present, column] = (worse + ties / 2) / (len(present) - 1)
    return rates


def mean_win_rate(values: npt.ArrayLike, directions: Sequence[bool | None]) -> FloatArray:
    """Return HELM's mean win rate of each system (Liang et al. 2022, arXiv:2211.09110).

    The mean of `win_rates` over the columns that a system has; a missing column is no penalty.
    NaN for a system with none. It depends on which systems are compared: show mean scores too.

    >>> mean_win_rate([[0.9, 10.0], [0.8, 20.0], [0.8, float("nan")]], [True, False]).tolist()
    [1.0, 0.125, 0.25]
    """
    rates = win_rates(values, directions)
    counts = (~np.isnan(rates)).sum(axis=1)
    return np.where(counts > 0, np.nansum(rates, axis=1) / np.maximum(counts, 1), np.nan)


def borda(values: npt.ArrayLike, directions: Sequence[bool | None]) -> FloatArray:
    """Return each system's Borda points: systems beaten plus half of those tied, over all columns.

    A missing value earns nothing, so that only tables without gaps rank fairly.

    >>> borda([[0.9, 10.0], [0.8, 20.0], [0.8, 10.0]], [True, False]).tolist()
    [3.5, 0.5, 2.0]
    """
    rates = win_rates(values, directions)
    systems = (~np.isnan(rates)).sum(axis=0)
    points: FloatArray = np.nansum(rates * np.maximum(systems - 1, 0), axis=1)
    return points


def rank_sets(lows: npt.ArrayLike, highs: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    """Return the best and worst rank (1 is top, higher is better) that intervals allow.

    best = 1 + #{j: low_j > high_i}, worst = K - #{j: high_j < low_i} (Mogstad, Romano, Shaikh &
    Wilhelm 2024, Rev. Econ. Stud. 91:476). Holds for all systems at once only where the intervals
    do so too.

    >>> [ranks.tolist() for ranks in rank_sets([0.8, 0.5, 0.4], [0.9, 0.7, 0.6])]
    [[1, 2, 2], [1, 3, 3]]
    """
    low, high = finite_values(lows, "lows"), finite_values(highs, "highs")
    if len(low) != len(high) or (low > high).any():
        raise ValueError("lows and highs must be aligned, each low at most its high")
    best = 1 + (low[None, :] > high[:, None]).sum(axis=1)
    worst = len(low) - (high[None, :] < low[:, None]).sum(axis=1)
    return best.astype(np.int64), worst.astype(np.int64)
