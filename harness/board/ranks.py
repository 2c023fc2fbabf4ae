"""Ranks of a table of intervals: what the numbers allow, not only how they fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from harness.identity import child_rng
from harness.records import Cell
from harness.stats.power import STANDARD
from harness.stats.ranking import mean_win_rate

DRAWS = 2000
SEED = 20_260_102
"""A board made twice from the same runs is the same board."""
CONFIDENCE = 0.95
Z = 1.959964
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Models by columns: values and the ends of their intervals; NaN where there is none."""

    values: Array
    lows: Array
    highs: Array
    directions: tuple[bool | None, ...]
    draws: tuple[Array, ...] = ()
    """By column: values over items drawn anew, draws x models, NaN where a model has no items.
    Empty where nothing is known of items."""

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

    Values are drawn anew and the win rates computed again; the middle 95 % of the draws is the
    interval. Where the items are at hand, one draw of them serves all models (`items.drawn_means`);
    elsewhere a value is drawn from its own interval, a two-piece normal, as if models shared
    nothing, which is on the wide side.
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
        best[known], worst[known] = rank_bands(rates[known], drawn[:, known])
    return Standing(rates, lows, highs, best, worst)


def rank_bands(rates: Array, drawn: Array) -> tuple[Array, Array]:
    """Return the best and the worst rank of each model that draws of all rates allow.

    A model stands surely above another where their difference is above c standard errors; c is
    the 95 % quantile, over the draws, of the largest studentised deviation among a model's
    differences (Mogstad, Romano, Shaikh & Wilhelm 2024, Rev. Econ. Stud. 91:476, marginal sets).
    """
    models = len(rates)
    best, worst = np.ones(models, np.int64), np.full(models, models, np.int64)
    for model in range(models):
        gaps = rates - rates[model]
        spread = drawn - drawn[:, [model]]
        error = spread.std(axis=0)
        moving = error > 0
        limit = 0.0
        if moving.any():
            off = np.abs(spread[:, moving] - spread[:, moving].mean(axis=0)) / error[moving]
            limit = float(np.quantile(off.max(axis=1), CONFIDENCE))
        best[model] += int((gaps > limit * error).sum())
        worst[model] -= int((gaps < -limit * error).sum())
    return best, worst


class Steadiness(NamedTuple):
    """Places as each column in turn is left out."""

    best: Array
    worst: Array
    leaders: tuple[int, ...]
    moved: tuple[int, ...]


def steadiness(table: Table) -> Steadiness | None:
    """Return how places by mean win rate change without any one column.

    None where fewer than two columns rank anything.
    """
    ranked = [c for c, higher in enumerate(table.directions) if higher is not None]
    if len(ranked) < 2 or len(table.values) < 2:  # noqa: PLR2004
        return None
    whole = _ranks_without(table, None)
    each = [_ranks_without(table, column) for column in range(len(table.directions))]
    known = ~np.isnan(whole)
    stack = np.stack([whole, *each])
    best = np.nanmin(np.where(np.isnan(stack), np.inf, stack), axis=0)
    worst = np.nanmax(np.where(np.isnan(stack), -np.inf, stack), axis=0)
    leaders = tuple(int(np.argmin(np.where(np.isnan(ranks), np.inf, ranks))) for ranks in each)
    moved = tuple(int((ranks[known] != whole[known]).sum()) for ranks in each)
    return Steadiness(best, worst, leaders, moved)


def _ranks_without(table: Table, column: int | None) -> Array:
    """Return places by mean win rate, ties at the better one; NaN where a model has no rate."""
    kept = [c for c in range(len(table.directions)) if c != column]
    rates = mean_win_rate(table.values[:, kept], [table.directions[c] for c in kept])
    ranks = np.full(len(rates), np.nan)
    known = ~np.isnan(rates)
    ranks[known] = rankdata(-np.round(rates[known], 12), method="min")
    return ranks


def _drawn_rates(table: Table) -> Array:
    below, above = table.deviations
    rng = child_rng(SEED, "board", table.values.shape[0], table.values.shape[1])
    models = table.values.shape[0]
    draws = len(table.draws[0]) if table.draws else DRAWS
    total, count = np.zeros((draws, models)), np.zeros(models)
    for column, higher in enumerate(table.directions):
        here = np.flatnonzero(~np.isnan(table.values[:, column]))
        if higher is None or len(here) < 2:  # noqa: PLR2004 - one model beats nobody
            continue
        noise = rng.standard_normal((draws, len(here)))
        spread = np.where(noise < 0, below[here, column], above[here, column])
        scores = table.values[here, column] + noise * np.nan_to_num(spread)
        if table.draws:
            own = table.draws[column][:, here]
            scores = np.where(np.isnan(own), scores, own)
        ranks = rankdata(scores if higher else -scores, axis=1)
        total[:, here] += (ranks - 1) / (len(here) - 1)
        count[here] += 1
    return total / np.maximum(count, 1)


def best_and_ties(table: Table, column: int) -> Array:
    """Return which models are best in a column or cannot be told from the best.

    Two values are told apart where the interval of their difference leaves out 0: over draws of
    the items that both share, or else from the two intervals (MOVER: Zou & Donner 2008, Stat. Med.
    27:1693), as for unpaired samples.
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
    if table.draws:
        spread = float(np.std(table.draws[column][:, top] - table.draws[column][:, other]))
        half = half if math.isnan(spread) else Z * spread
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
