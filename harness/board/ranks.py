"""Ranks of a table of intervals: what the numbers allow, not only how they fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from harness.identity import child_rng
from harness.records import Cell
from harness.stats.power import STANDARD
from harness.stats.ranking import mean_win_rate, rank_sets

DRAWS = 2000
SEED = 20_260_102
"""A board made twice from the same runs is the same board."""
Z = 1.959964
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Models by columns: values and the ends of their intervals; NaN where there is none."""

    values: Array
    lows: Array
    highs: Array
    directions: tuple[bool | None, ...]

    @property
    def deviations(self) -> tuple[Array, Array]:
        """Standard deviations below and above each value, read off its 95 % interval."""
        return (self.values - self.lows) / Z, (self.highs - self.values) / Z


@dataclass(frozen=True, slots=True)
class Standing:
    """Mean win rate, its interval, and the ranks that the intervals allow."""

    rates: Array
    lows: Array
    highs: Array
    best: Array
    worst: Array


def standing(table: Table) -> Standing:
    """Return HELM's mean win rates with 95 % intervals and sets of ranks.

    Each value is drawn anew from its interval (a two-piece normal, models and tasks independent)
    and the win rates are computed again; the middle 95 % of the draws is the interval. Models that
    share their samples are more alike than this supposes, so the intervals are on the wide side.
    """
    rates = mean_win_rate(table.values, table.directions)
    drawn = _drawn_rates(table)
    lows, highs = np.full(len(rates), np.nan), np.full(len(rates), np.nan)
    best, worst = np.zeros(len(rates), np.int64), np.zeros(len(rates), np.int64)
    known = np.flatnonzero(~np.isnan(rates))
    if len(known):
        low, high = np.quantile(drawn[:, known], [0.025, 0.975], axis=0)
        lows[known] = np.minimum(low, rates[known])
        highs[known] = np.maximum(high, rates[known])
        best[known], worst[known] = rank_sets(lows[known], highs[known])
    return Standing(rates, lows, highs, best, worst)


def _drawn_rates(table: Table) -> Array:
    below, above = table.deviations
    rng = child_rng(SEED, "board", table.values.shape[0], table.values.shape[1])
    models = table.values.shape[0]
    total, count = np.zeros((DRAWS, models)), np.zeros(models)
    for column, higher in enumerate(table.directions):
        here = np.flatnonzero(~np.isnan(table.values[:, column]))
        if higher is None or len(here) < 2:  # noqa: PLR2004 - one model beats nobody
            continue
        noise = rng.standard_normal((DRAWS, len(here)))
        spread = np.where(noise < 0, below[here, column], above[here, column])
        scores = table.values[here, column] + noise * np.nan_to_num(spread)
        ranks = rankdata(scores if higher else -scores, axis=1)
        total[:, here] += (ranks - 1) / (len(here) - 1)
        count[here] += 1
    return total / np.maximum(count, 1)


def best_and_ties(table: Table, column: int) -> Array:
    """Return which models are best in a column or cannot be told from the best.

    Two values are told apart where the interval of their difference leaves out 0. It is made from
    the two intervals (MOVER: Zou & Donner 2008, Stat. Med. 27:1693), as for unpaired samples.
    """
    values = table.values[:, column]
    higher = table.directions[column]
    marked = np.zeros(len(values), dtype=bool)
    known = np.flatnonzero(~np.isnan(values))
    if higher is None or not len(known):
        return marked
    top = known[np.argmax(values[known] if higher else -values[known])]
    for model in known:
        marked[model] = _slack(table, column, int(top), int(model)) >= 0
    return marked


def _slack(table: Table, column: int, top: int, other: int) -> float:
    """Return the half width of the difference's interval less the difference itself."""
    values, lows, highs = (part[:, column] for part in (table.values, table.lows, table.highs))
    if values[top] >= values[other]:
        parts = (values[top] - lows[top], highs[other] - values[other])
    else:
        parts = (highs[top] - values[top], values[other] - lows[other])
    half = math.hypot(*(0.0 if math.isnan(part) else part for part in parts))
    return half - abs(float(values[top] - values[other]))


def duel(
    table: Table, leader: int, runner_up: int, n: Sequence[int]
) -> tuple[int, int, int | None]:
    """Return how many differences there are, how many are undecided, and the samples lacking.

    `n` holds the leader's samples of each column. A difference d whose interval is ±h needs about
    n (h/d)² (z_{a/2}+z_b)²/z_{a/2}² samples to be seen with power 0.8; the median over the
    undecided is what settles half of them. None where no number of samples would.
    """
    shared = [
        column
        for column, higher in enumerate(table.directions)
        if higher is not None and not np.isnan(table.values[[leader, runner_up], column]).any()
    ]
    lacking = []
    for column in shared:
        slack = _slack(table, column, leader, runner_up)
        if slack < 0:
            continue
        gap = abs(float(table.values[leader, column] - table.values[runner_up, column]))
        needed = math.inf
        if gap:
            needed = n[column] * ((slack + gap) / gap) ** 2 * STANDARD.factor / Z**2
        lacking.append(max(needed - n[column], 0.0))
    middle = float(np.median(lacking)) if lacking else 0.0
    more = None if not lacking or math.isinf(middle) else max(1, math.ceil(middle))
    return len(shared), len(lacking), more


def spread(cell: Cell) -> tuple[float, float, float]:
    """Return value, low and high as floats; an interval that is missing has no width."""
    if cell.value is None:
        return math.nan, math.nan, math.nan
    low = cell.value if cell.low is None else cell.low
    high = cell.value if cell.high is None else cell.high
    return cell.value, min(low, cell.value), max(high, cell.value)
