"""Scores item by item, drawn anew: one draw of items serves all models, since they share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.records import Cell, ScoreColumns

Array = np.ndarray[Any, Any]
CHUNK = 1_000_000
"""Items drawn at once: bounds memory to some tens of megabytes."""


class Items(NamedTuple):
    """One model's scores of one task, by cluster of items that depend on each other."""

    clusters: Array
    """Names, sorted, each once."""
    sums: Array
    counts: Array


def items_of(columns: ScoreColumns, cell: Cell) -> Items | None:
    """Return the items that a cell is the mean of; None where it is no mean of sample scores."""
    values = columns.values.get(cell.metric)
    if values is None or cell.value is None:
        return None
    chosen = (
        (columns.task == cell.task)
        & (columns.arm == cell.arm)
        & (columns.variant == cell.variant)
        & (columns.status != "error")
        & (columns.status != "unjudged")
        & ~np.isnan(values)
    )
    known = values[chosen]
    if not len(known) or not np.isclose(known.mean(), cell.value, rtol=1e-9, atol=1e-9):
        return None
    names = columns.cluster[chosen]
    names = np.where(names == "", columns.sample_id[chosen], names).astype(str)
    clusters, codes = np.unique(names, return_inverse=True)
    return Items(clusters, np.bincount(codes, weights=known), np.bincount(codes).astype(float))


def drawn_means(models: Sequence[Items | None], draws: int, rng: np.random.Generator) -> Array:
    """Return means over items drawn with replacement: draws x models, NaN where there are none.

    Clusters are drawn, from all that any model has; each draw is the same for every model, so
    that what two models have in common cancels in their difference (the paired bootstrap; Efron &
    Tibshirani 1993, ch. 8).
    """
    known = [place for place, items in enumerate(models) if items is not None]
    out = np.full((draws, len(models)), np.nan)
    present = [items for items in models if items is not None]
    if not present:
        return out
    union = np.unique(np.concatenate([items.clusters for items in present]))
    sums, counts = (np.zeros((len(union), len(present))) for _ in range(2))
    for column, items in enumerate(present):
        rows = np.searchsorted(union, items.clusters)
        sums[rows, column], counts[rows, column] = items.sums, items.counts
    whole = sums.sum(axis=0) / counts.sum(axis=0)
    step = max(1, CHUNK // len(union))
    for start in range(0, draws, step):
        here = min(step, draws - start)
        times = _times(rng.integers(len(union), size=(here, len(union))), len(union))
        total, number = times @ sums, times @ counts
        means = np.divide(total, number, out=np.tile(whole, (here, 1)), where=number > 0)
        out[start : start + here, known] = means
    return out


def _times(picked: Array, count: int) -> Array:
    """Return how often each cluster was picked in each draw."""
    draws = len(picked)
    flat = (picked + np.arange(draws)[:, None] * count).ravel()
    return np.bincount(flat, minlength=draws * count).reshape(draws, count).astype(float)
