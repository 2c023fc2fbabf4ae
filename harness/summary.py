"""Scores to cells: every number with its n, interval and failure counts.

`n + errors + unjudged` is the number planned. Errors and unjudged samples are the instrument's
doing: they leave n, and `bound_low`/`bound_high` say what the value were if all of them had
scored 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from harness.identity import child_rng
from harness.protocols import ItemMetric, Metric
from harness.records import Cell, Group, ScoreColumns
from harness.stats.bootstrap import bca
from harness.stats.intervals import EMPTY, Interval, mean_interval

CONFIDENCE = 0.95
RESAMPLES = 1999
BOOTSTRAP_SEED = 20_260_101
"""Intervals by resampling are the same each time they are made."""

PRIMARY = "primary"
"""How a metric that reads other columns names that of the task's first metric."""

SliceKey = tuple[str, ...]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the samples of one task are summarised."""

    task: str
    metrics: tuple[Metric, ...]
    """The first is primary."""
    slices: tuple[SliceKey, ...] = ()
    variants: Mapping[str, Literal["robustness", "fairness"]] | None = None
    """The perturbations run, and which group each speaks for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which cell: everything that names it but the metric."""

    task: str
    arm: str
    variant: str
    slice: str | None = None


def summarise(columns: ScoreColumns, readings: Sequence[Reading]) -> list[Cell]:
    """Return all cells of a run, task by task in the order of `readings`."""
    return [cell for reading in readings for cell in _task_cells(columns, reading)]


def blank(place: Place, metric: Metric, reason: str) -> Cell:
    """Return a cell that says why it holds no number."""
    return _cell(place, metric, EMPTY, _Counts(0, 0, 0, 0), reason=reason)


def _task_cells(columns: ScoreColumns, reading: Reading) -> Iterator[Cell]:
    mine = np.flatnonzero(columns.task == reading.task)
    arms = dict.fromkeys(columns.arm[mine])
    for arm in arms:
        rows = mine[columns.arm[mine] == arm]
        idle = set()
        for variant in dict.fromkeys(columns.variant[rows]):
            here = rows[columns.variant[rows] == variant]
            place = Place(reading.task, arm, variant)
            if columns.changed[here].any() or variant == "original":
                yield from _variant_cells(columns, reading, place, here)
            elif reading.metrics:
                idle.add(variant)
                yield blank(place, reading.metrics[0], "changes nothing in these samples")
        kept = np.array([variant not in idle for variant in columns.variant[rows]], dtype=bool)
        yield from _across_variants(columns, reading, arm, rows[kept])


def _variant_cells(
    columns: ScoreColumns, reading: Reading, place: Place, rows: Array
) -> Iterator[Cell]:
    for metric in reading.metrics:
        if isinstance(metric, ItemMetric):
            yield from _item_cell(columns, metric, reading.metrics[0], place, rows)
        else:
            yield from _metric_cell(columns, metric, reading.metrics[0], place, rows)
    if place.variant != "original" or not reading.metrics:
        return
    for name, members in _sliced(columns, reading.slices, rows):
        part = replace(place, slice=name)
        yield from _metric_cell(columns, reading.metrics[0], reading.metrics[0], part, members)


def _sliced(
    columns: ScoreColumns, slices: Sequence[SliceKey], rows: Array
) -> Iterator[tuple[str, Array]]:
    """Yield the name and the rows of each subgroup, such as "carries=2&digits=3"."""
    for key in slices:
        names = sorted(name for name in key if name in columns.slices)
        if len(names) != len(key):
            continue
        labels = [columns.slices[name][rows] for name in names]
        groups: dict[tuple[str, ...], list[int]] = {}
        for position, values in enumerate(zip(*labels, strict=True)):
            if all(values):
                groups.setdefault(values, []).append(position)
        for values in sorted(groups, key=_natural):
            pairs = zip(names, values, strict=True)
            yield "&".join(f"{name}={value}" for name, value in pairs), rows[groups[values]]


def _natural(values: tuple[str, ...]) -> list[tuple[int, float, str]]:
    """Order numbers as numbers and the rest as text."""
    return [
        (0, float(value), "") if value.lstrip("-").isdigit() else (1, 0.0, value)
        for value in values
    ]


@dataclass(frozen=True, slots=True)
class _Counts:
    n: int
    errors: int
    unparsed: int
    unjudged: int


def _counts(status: Array, n: int) -> _Counts:
    return _Counts(
        n,
        int((status == "error").sum()),
        int((status == "unparsed").sum()),
        int((status == "unjudged").sum()),
    )


def _metric_cell(
    columns: ScoreColumns, metric: Metric, primary: Metric, place: Place, rows: Array
) -> Iterator[Cell]:
    values = _values(columns, metric)[rows]
    status, cluster = columns.status[rows], columns.cluster[rows]
    confidence = columns.confidence[rows]
    if metric.unit == "cluster":
        values, status, cluster = _by_cluster(values, status, cluster, columns.epoch[rows])
        confidence = np.full(len(values), np.nan)
    data = {"value": values, "confidence": confidence}
    for name in getattr(metric, "needs", ()):
        data[name] = _column(columns, primary.name if name == PRIMARY else name)[rows]
    lacking = np.any([np.isnan(data[name]) for name in data if name != "confidence"], axis=0)
    counted = ~lacking & (status != "error") & (status != "unjudged")
    failed = (status == "error") | (status == "unjudged")
    if not counted.any() and not (failed.all() and metric.group == "accuracy"):
        return  # the metric does not apply here: blank, never a copy of another
    counts = _counts(status, int(counted.sum()))
    kept = {name: column[counted] for name, column in data.items()}
    interval = _interval(metric, kept, cluster[counted])
    reason = None if counts.n else _why_none(counts)
    if counts.n and interval.value is None:
        reason = getattr(metric, "missing", None)
        if reason is None and hasattr(metric, "missing"):
            return  # blank, as above
    yield _cell(place, metric, interval, counts, reason=reason)


def _why_none(counts: _Counts) -> str:
    if not counts.unjudged:
        return "every sample failed"
    if not counts.errors:
        return "the judge gave no verdict"
    return "every sample failed or got no verdict"


def _item_cell(
    columns: ScoreColumns, metric: ItemMetric, primary: Metric, place: Place, rows: Array
) -> Iterator[Cell]:
    """Yield the cell of a metric over items, each of several samples (epochs); n counts items."""
    values, right = _values(columns, metric)[rows], _values(columns, primary)[rows]
    usable = ~np.isnan(values) & ~np.isnan(right)
    names = columns.sample_id[rows][usable]
    items = metric.per_item(names.tolist(), values[usable], right[usable])
    if not len(items["value"]):
        if usable.any():
            reason = "each sample was asked once; --epochs asks again"
            yield _cell(place, metric, EMPTY, _Counts(0, 0, 0, 0), reason=reason)
        return
    cluster_of = dict(zip(columns.sample_id[rows], columns.cluster[rows], strict=True))
    cluster = np.array([cluster_of[name] for name in items["item"]], dtype=object)

    def statistic(item: Array, value: Array, confidence: Array) -> float:
        found = metric.combine({"item": item, "value": value, "confidence": confidence})
        return float("nan") if found is None else found

    aligned = (items["item"], items["value"], items["confidence"])
    if metric.combine(items) is None:
        reason = "all items right, or all wrong"
        yield _cell(place, metric, EMPTY, _Counts(len(cluster), 0, 0, 0), reason=reason)
        return
    rng = child_rng(BOOTSTRAP_SEED, metric.name)
    found = bca(
        statistic, aligned, rng, clusters=cluster, confidence=CONFIDENCE, n_resamples=RESAMPLES
    )
    yield _cell(place, metric, found, _Counts(len(cluster), 0, 0, 0))


def _values(columns: ScoreColumns, metric: Metric) -> Array:
    """Return the column that a metric reads: its own, or that of its `source`."""
    return _column(columns, getattr(metric, "source", None) or metric.name)


def _column(columns: ScoreColumns, name: str) -> Array:
    """Return the column of this name; all missing where no sample has a value."""
    found = columns.values.get(name)
    return np.full(len(columns.task), np.nan) if found is None else np.asarray(found)


def _by_cluster(
    values: Array, status: Array, cluster: Array, epoch: Array
) -> tuple[Array, Array, Array]:
    """One row a cluster and epoch: 1 if all its samples scored 1; failed if any of them failed."""
    keys = [f"{name}\x1f{number}" for name, number in zip(cluster, epoch, strict=True)]
    names, first, member = np.unique(np.array(keys), return_index=True, return_inverse=True)
    worst = np.ones(len(names))
    np.minimum.at(worst, member, np.where(np.isnan(values), 1.0, values))
    joint = np.full(len(names), "ok", dtype=object)
    for state in ("unparsed", "unjudged", "error"):
        joint[member[status == state]] = state
    return worst, joint, cluster[first]


def _interval(metric: Metric, data: Mapping[str, Array], cluster: Array) -> Interval:
    values = data["value"]
    if not len(values):
        return EMPTY
    if metric.interval in ("proportion", "mean"):
        share = metric.interval == "proportion" or _is_share(metric)
        return _mean(values, cluster, bounds=(0.0, 1.0) if share else None)
    value = metric.combine(data)
    if value is not None and getattr(metric, "terms", None) is not None:
        return _from_terms(metric, value, data, cluster)
    if value is None or metric.interval == "none":
        return Interval(value, None, None, None, "none")
    many: Any = getattr(metric, "many", None)

    def statistic(*sampled: Array) -> float:
        found = metric.combine(dict(zip(data, sampled, strict=True)))
        return float("nan") if found is None else found

    def of_rows(*sampled: Array, axis: int = -1) -> Array:
        del axis  # always the last: bca asks for no other
        return np.asarray(many(dict(zip(data, sampled, strict=True))))

    found = bca(
        statistic if many is None else of_rows,
        tuple(data.values()),
        child_rng(BOOTSTRAP_SEED, metric.name),
        clusters=cluster,
        confidence=CONFIDENCE,
        n_resamples=RESAMPLES,
    )
    if found.low == found.high:  # every resample gave one value: there is no spread to report
        return found._replace(low=None, high=None)
    return found


def _from_terms(metric: Any, value: float, data: Mapping[str, Array], cluster: Array) -> Interval:
    """Return the interval of a statistic from the terms whose mean it is, cut to its range."""
    terms = np.asarray(metric.terms(data))
    low, high = metric.bounds or (-np.inf, np.inf)
    inside = np.isfinite([low, high]).all() and low <= terms.min() and terms.max() <= high
    found = _mean(terms, cluster, bounds=metric.bounds if inside else None)
    if found.low is not None and found.high is not None:
        # the mean of the terms is the value but for rounding
        low, high = max(found.low, low), min(found.high, high)
        found = found._replace(low=min(low, value), high=max(high, value))
    return found._replace(value=value)


def _mean(values: Array, cluster: Array, *, bounds: tuple[float, float] | None) -> Interval:
    groups = cluster if len(set(cluster)) < len(cluster) else None
    binary = None if bounds == (0.0, 1.0) else False
    return mean_interval(values, groups, confidence=CONFIDENCE, binary=binary, bounds=bounds)


def _is_share(metric: Metric) -> bool:
    """Whether a mean metric lies in [0, 1]: the correctness scores do, and what says so."""
    if getattr(metric, "share", False):
        return True
    return metric.group == "accuracy" and metric.higher_is_better is True


def _across_variants(
    columns: ScoreColumns, reading: Reading, arm: str, rows: Array
) -> Iterator[Cell]:
    """Worst case and mean drop over the perturbed copies, by group, with paired intervals."""
    if not reading.metrics or not reading.variants:
        return
    primary = reading.metrics[0]
    if primary.unit != "sample":
        return
    by_group: dict[Literal["robustness", "fairness"], list[str]] = {}
    for variant, group in reading.variants.items():
        by_group.setdefault(group, []).append(variant)
    grid = _grid(columns, primary, rows)
    for group, variants in by_group.items():
        present = [variant for variant in variants if variant in grid.scores]
        if present:
            yield from _group_cells(grid, primary, group, present, Place(reading.task, arm, ""))


@dataclass(frozen=True, slots=True)
class _Grid:
    """The primary score of every sample under every variant, aligned; NaN where it failed."""

    scores: dict[str, Array]
    failed: Array
    unjudged: Array
    cluster: Array


def _grid(columns: ScoreColumns, metric: Metric, rows: Array) -> _Grid:
    identity = [*zip(columns.sample_id[rows], columns.epoch[rows], strict=True)]
    index = {key: position for position, key in enumerate(dict.fromkeys(identity))}
    where = np.array([index[key] for key in identity], dtype=np.int64)
    scores = {
        variant: np.full(len(index), np.nan) for variant in dict.fromkeys(columns.variant[rows])
    }
    failed = np.zeros(len(index), dtype=bool)
    unjudged = np.zeros(len(index), dtype=bool)
    cluster = np.empty(len(index), dtype=object)
    cluster[where] = columns.cluster[rows]
    for variant, column in scores.items():
        here = columns.variant[rows] == variant
        column[where[here]] = _values(columns, metric)[rows[here]]
    failed[where[columns.status[rows] == "error"]] = True
    unjudged[where[columns.status[rows] == "unjudged"]] = True
    return _Grid(scores, failed, unjudged & ~failed, cluster)


def _group_cells(
    grid: _Grid, metric: Metric, group: Group, variants: Sequence[str], place: Place
) -> Iterator[Cell]:
    original = grid.scores["original"]
    copies = np.stack([grid.scores[variant] for variant in variants])
    pick = np.minimum if metric.higher_is_better is not False else np.maximum
    worst = pick(original, pick.reduce(copies, axis=0))
    drop = original - copies.mean(axis=0)
    usable = ~np.isnan(worst) & ~grid.failed & ~grid.unjudged
    counts = _Counts(int(usable.sum()), int(grid.failed.sum()), 0, int(grid.unjudged.sum()))
    for name, values, bounds in (("worst", worst, (0.0, 1.0)), ("mean_drop", drop, (-1.0, 1.0))):
        span = bounds if _is_share(metric) else None
        interval = _mean(values[usable], grid.cluster[usable], bounds=span)
        cell = _cell(replace(place, variant=name), metric, interval, counts)
        better = metric.higher_is_better
        if name == "mean_drop":
            better = None if better is None else not better
        yield _regroup(cell, group, better, bounded=name == "worst")


def _regroup(cell: Cell, group: Group, better: bool | None, *, bounded: bool) -> Cell:
    values = {name: getattr(cell, name) for name in cell.__struct_fields__}
    values |= {"group": group, "higher_is_better": better}
    if not bounded:
        values |= {"bound_low": None, "bound_high": None}
    return Cell(**values)


def _cell(
    place: Place,
    metric: Metric,
    interval: Interval,
    counts: _Counts,
    *,
    reason: str | None = None,
) -> Cell:
    low, high = _bounds(metric, interval.value, counts)
    return Cell(
        task=place.task,
        metric=metric.name,
        group=metric.group,
        arm=place.arm,
        variant=place.variant,
        slice=place.slice,
        n=counts.n,
        value=interval.value,
        stderr=interval.stderr,
        low=interval.low,
        high=interval.high,
        bound_low=low,
        bound_high=high,
        confidence=CONFIDENCE,
        method=interval.method,
        errors=counts.errors,
        unparsed=counts.unparsed,
        unjudged=counts.unjudged,
        estimate="raw",
        observed=metric.observed,
        reason=reason,
        higher_is_better=metric.higher_is_better,
    )


def _bounds(metric: Metric, value: float | None, counts: _Counts) -> tuple[Any, Any]:
    """Return the value if all missing samples had scored 0, and 1; None where that has no sense."""
    missing = counts.errors + counts.unjudged
    if metric.group != "accuracy" or metric.observed or metric.higher_is_better is not True:
        return None, None
    total = counts.n + missing
    if not total:
        return None, None
    known = (value or 0.0) * counts.n
    return known / total, (known + missing) / total
