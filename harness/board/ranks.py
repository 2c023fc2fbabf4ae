"""Ranks of a table of intervals: what the numbers allow, not only how they fall."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from harness.identity import child_rng
from harness.records import Cell
from harness.stats.power import STANDARD
from harness.stats.ranking import mean_win_rate, win_rates

LEAST_COVERAGE = 0.5
"""Of the columns that compare: with fewer a model is not ranked."""
TINY = 1e-6
"""Differences up to here come from the arithmetic, of single precision; real ones are larger."""
DRAWS = 2000
MOST_DRAWN = 20_000_000
"""Numbers that the draws of a table may hold: larger boards get fewer draws."""
FEWEST_DRAWS = 200
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


def ranked(table: Table) -> Array:
    """Return which models have enough columns to be ranked.

    At least half of those that compare at all: two models have them, and one way is better. HELM's
    mean win rate asks for no coverage, so that whoever wins the only task it ran stands on top.
    """
    present = ~np.isnan(table.values)
    pointed = np.array([higher is not None for higher in table.directions], dtype=bool)
    compared = pointed & (present.sum(axis=0) > 1)
    if not compared.any():
        return np.zeros(len(present), dtype=bool)
    return np.asarray(present[:, compared].mean(axis=1) >= LEAST_COVERAGE)


def standing(table: Table) -> Standing:
    """Return HELM's mean win rates with 95 % intervals, and sets of ranks for the `ranked`.

    Values are drawn anew and the win rates computed again; the middle 95 % of the draws is the
    interval. Where the items are at hand, one draw of them serves all models (`items.drawn_means`);
    elsewhere a value is drawn from its own interval, a two-piece normal, as if models shared
    nothing, which is on the wide side. Ranks rest on the columns that two models share.
    """
    rates = mean_win_rate(table.values, table.directions)
    drawn = _drawn_wins(table)
    means = _means(drawn)
    lows, highs = np.full(len(rates), np.nan), np.full(len(rates), np.nan)
    best, worst = np.zeros(len(rates), np.int64), np.zeros(len(rates), np.int64)
    known = np.flatnonzero(~np.isnan(rates))
    if len(known):
        low, high = np.quantile(means[:, known], [0.025, 0.975], axis=0)
        lows[known] = np.minimum(low, rates[known])
        highs[known] = np.maximum(high, rates[known])
    kept = np.flatnonzero(ranked(table))
    if len(kept):
        wins = win_rates(table.values, table.directions).T[:, kept]
        best[kept], worst[kept] = rank_bands(wins, drawn[:, :, kept])
    return Standing(rates, lows, highs, best, worst)


def rank_bands(wins: Array, drawn: Array) -> tuple[Array, Array]:
    """Return the best and the worst rank of each model that draws of all win rates allow.

    `wins` is columns x models, `drawn` columns x draws x models; NaN where a model has no value.
    Two models differ by the mean, over the columns that both have, of their win rates' difference.
    One stands surely above the other where that is above c standard errors; c is the 95 % quantile,
    over the draws, of the largest studentised deviation among a model's differences (Mogstad,
    Romano, Shaikh & Wilhelm 2024, Rev. Econ. Stud. 91:476, marginal sets). Models that share no
    column stand neither above nor below each other.
    """
    models = wins.shape[1]
    best, worst = np.ones(models, np.int64), np.full(models, models, np.int64)
    for model, (gaps, spread) in enumerate(_differences(wins, drawn)):
        error = spread.std(axis=0)
        moving = error > TINY
        limit = 0.0
        if moving.any():
            off = np.abs(spread[:, moving] - spread[:, moving].mean(axis=0)) / error[moving]
            limit = float(np.quantile(off.max(axis=1), CONFIDENCE))
        best[model] += int((gaps > limit * error + TINY).sum())
        worst[model] -= int((gaps < -limit * error - TINY).sum())
    return best, worst


def _differences(wins: Array, drawn: Array) -> Iterator[tuple[Array, Array]]:
    """Yield each model's differences to all models over shared columns, and those of the draws."""
    has = (~np.isnan(wins)).astype(np.float32)
    if not has[has.any(axis=1)].all():
        filled, spreads = np.nan_to_num(wins), np.nan_to_num(drawn)
        for model in range(wins.shape[1]):
            shared = has * has[:, [model]]
            weight = 1 / np.maximum(shared.sum(axis=0), 1)
            others = np.tensordot(has[:, model], spreads, axes=1)  # draws x models
            own = spreads[:, :, model].T @ shared
            gaps = ((filled - filled[:, [model]]) * shared).sum(axis=0)
            yield gaps * weight, (others - own) * weight
        return
    rates, means = np.nanmean(wins[has.any(axis=1)], axis=0), _means(drawn)
    for model in range(wins.shape[1]):
        yield rates - rates[model], means - means[:, [model]]


class Steadiness(NamedTuple):
    """Places as each column in turn is left out."""

    best: Array
    worst: Array
    leaders: tuple[int, ...]
    moved: tuple[int, ...]


def steadiness(table: Table) -> Steadiness | None:
    """Return how places by mean win rate change without any one column, among the `ranked`.

    None where fewer than two columns rank anything.
    """
    pointed = [c for c, higher in enumerate(table.directions) if higher is not None]
    if len(pointed) < 2 or len(table.values) < 2:  # noqa: PLR2004
        return None
    among = ranked(table)
    whole = _ranks_without(table, None, among)
    each = [_ranks_without(table, column, among) for column in range(len(table.directions))]
    known = ~np.isnan(whole)
    stack = np.stack([whole, *each])
    best = np.nanmin(np.where(np.isnan(stack), np.inf, stack), axis=0)
    worst = np.nanmax(np.where(np.isnan(stack), -np.inf, stack), axis=0)
    leaders = tuple(int(np.argmin(np.where(np.isnan(ranks), np.inf, ranks))) for ranks in each)
    moved = tuple(int((ranks[known] != whole[known]).sum()) for ranks in each)
    return Steadiness(best, worst, leaders, moved)


def _ranks_without(table: Table, column: int | None, among: Array) -> Array:
    """Return places by mean win rate, ties at the better one; NaN where a model has none."""
    kept = [c for c in range(len(table.directions)) if c != column]
    rates = mean_win_rate(table.values[:, kept], [table.directions[c] for c in kept])
    ranks = np.full(len(rates), np.nan)
    known = ~np.isnan(rates) & among
    ranks[known] = rankdata(-np.round(rates[known], 12), method="min")
    return ranks


def _drawn_wins(table: Table) -> Array:
    """Return win rates over values drawn anew: columns x draws x models, NaN where there are none.

    Only columns that compare are among them.
    """
    below, above = table.deviations
    models, columns = table.values.shape
    rng = child_rng(SEED, "board", models, columns)
    draws = len(table.draws[0]) if table.draws else draws_for(models, columns)
    found = np.full((columns, draws, models), np.nan, dtype=np.float32)
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
        found[column][:, here] = (ranks - 1) / (len(here) - 1)
    return found


def _means(drawn: Array) -> Array:
    """Return mean win rates, draws x models; 0 for a model without any."""
    count = (~np.isnan(drawn[:, :1])).sum(axis=(0, 1))
    total = np.nansum(drawn, axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(count, 1))


def draws_for(models: int, columns: int) -> int:
    """Return how many draws a table's memory allows."""
    return min(DRAWS, max(FEWEST_DRAWS, MOST_DRAWN // max(1, models * columns)))


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
