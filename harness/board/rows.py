"""One row of a board: its ranks, its means, and how steady they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.board.ranks import Standing, Steadiness, Table, duel
from harness.board.records import Column, Duel, Place, Row, Without
from harness.stats.ranking import borda


class Extra(NamedTuple):
    """Beside the mean win rate: other ways to rank."""

    borda: float | None
    steady_best: int | None
    steady_worst: int | None


def points_of(table: Table) -> np.ndarray[Any, Any]:
    """Return Borda points; NaN for a model that is in no comparison."""
    points = borda(table.values, table.directions)
    ranked = [c for c, higher in enumerate(table.directions) if higher is not None]
    compared = [c for c in ranked if (~np.isnan(table.values[:, c])).sum() > 1]
    absent = np.isnan(table.values[:, compared]).all(axis=1) if compared else True
    return np.where(absent, np.nan, points)


def places_of(steady: Steadiness | None, position: int) -> tuple[int | None, int | None]:
    """Return the best and the worst place of a model as each task in turn is left out."""
    if steady is None or not math.isfinite(steady.best[position]):
        return None, None
    return int(steady.best[position]), int(steady.worst[position])


def without(
    steady: Steadiness | None, columns: Sequence[Column], models: Sequence[str]
) -> tuple[Without, ...]:
    """Return what the ranking becomes without each column."""
    if steady is None:
        return ()
    parts = zip(columns, steady.leaders, steady.moved, strict=True)
    return tuple(Without(column.task, models[leader], moved) for column, leader, moved in parts)


def make_row(
    position: int,
    model: str,
    cells: tuple[Place, ...],
    table: Table,
    ranks: Standing,
    extra: Extra,
) -> Row:
    """Return the row of the model at `position`."""
    mean, low, high = _mean(table, position)
    ranked = bool(ranks.best[position])
    return Row(
        model=model,
        rank_best=int(ranks.best[position]) if ranked else None,
        rank_worst=int(ranks.worst[position]) if ranked else None,
        mean_win_rate=number_or_none(ranks.rates[position]),
        mean_win_rate_low=number_or_none(ranks.lows[position]),
        mean_win_rate_high=number_or_none(ranks.highs[position]),
        mean=mean,
        mean_low=low,
        mean_high=high,
        tasks=sum(cell.value is not None for cell in cells),
        errors=sum(cell.errors + cell.unjudged for cell in cells),
        unparsed=sum(cell.unparsed for cell in cells),
        cells=cells,
        borda=extra.borda,
        steady_best=extra.steady_best,
        steady_worst=extra.steady_worst,
    )


def number_or_none(value: float) -> float | None:
    """Return a number; None for NaN."""
    return None if math.isnan(value) else float(value)


def _mean(table: Table, position: int) -> tuple[float | None, float | None, float | None]:
    """Return the unweighted mean over a model's columns, where all columns point one way."""
    if len(set(table.directions)) != 1:
        return None, None, None
    here = ~np.isnan(table.values[position])
    count = int(here.sum())
    if not count:
        return None, None, None
    value = float(table.values[position, here].mean())
    below = math.sqrt(float(((table.values - table.lows)[position, here] ** 2).sum())) / count
    above = math.sqrt(float(((table.highs - table.values)[position, here] ** 2).sum())) / count
    return value, value - below, value + above


def make_duel(
    table: Table, order: Sequence[int], models: Sequence[str], counts: Sequence[int]
) -> Duel | None:
    """Return the leader against the runner-up; None where nobody compares.

    `order` holds the positions of the ranked, the first one first.
    """
    if len(order) < 2:  # noqa: PLR2004 - a duel takes two
        return None
    first, second = order[:2]
    differences, undecided, more = duel(table, first, second, counts)
    if not differences:
        return None
    return Duel(models[first], models[second], differences, undecided, more)
