"""Floors and limits: what must hold whatever the baseline scored.

A floor is met where its metric's one-sided confidence bound keeps it, missed where the other
bound does not reach it, and inconclusive between: the mean alone decides nothing. Shares of
unread answers are missed where that is certain. Errors, cost, tokens and time are counted, not
sampled, so that their figures themselves are held against the limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from harness.errors import UsageError
from harness.gate.align import Pairs, clusters_of
from harness.gate.policy import PRIMARY, Floor, Policy, parse_floor
from harness.gate.records import Check, Met, RunScores
from harness.records import Cell
from harness.stats.intervals import Interval, mean_interval
from harness.stats.paired import paired_difference
from harness.stats.power import Error

Array = np.ndarray[Any, Any]


def checks(
    candidate: RunScores, baseline: RunScores | None, pairs: Sequence[Pairs], policy: Policy
) -> list[Check]:
    """Return how a run stands to the floors and limits of a policy."""
    return [
        *floors(candidate, policy),
        *_errors(candidate, policy),
        *_unparsed(candidate, pairs, policy),
        *_spending(candidate, baseline, policy),
    ]


# ---- floors ---------------------------------------------------------------------------------


def floors(run: RunScores, policy: Policy) -> Iterator[Check]:
    """Hold the run's metrics against the floors; UsageError where one speaks of nothing."""
    for text in policy.floors:
        floor = parse_floor(text)
        cells = list(_meant(floor, run.cells, policy.variants))
        if not cells:
            raise UsageError(f"floor '{text}' fits no task and metric of {run.name}")
        for cell in cells:
            if policy.gates(cell.task):
                yield _floor(run, floor, cell, policy.alpha)


def _meant(floor: Floor, cells: Sequence[Cell], variants: Sequence[str]) -> Iterator[Cell]:
    """Yield the cells of whole tasks that a floor speaks of; `primary` is the first of each."""
    seen: set[tuple[str, str, str]] = set()
    for cell in cells:
        place = (cell.task, cell.arm, cell.variant)
        if cell.slice is not None or cell.variant not in variants:
            continue
        first = place not in seen
        seen.add(place)
        wanted = first if floor.metric == PRIMARY else cell.metric == floor.metric
        if wanted and fnmatchcase(cell.task, floor.task):
            yield cell


def _floor(run: RunScores, floor: Floor, cell: Cell, alpha: float) -> Check:
    name = f"{cell.task} {cell.metric} {'≥' if floor.at_least else '≤'} {floor.limit:g}"
    if cell.arm != "default":
        name = f"{name} [{cell.arm}]"
    found = _bounds(run, cell, alpha)
    if found.value is None:
        return Check(name, "inconclusive", None, floor.limit, reason=cell.reason or "no value")
    low, high = found.low, found.high
    met, missed = low is not None and low >= floor.limit, high is not None and high < floor.limit
    if not floor.at_least:
        met, missed = (
            high is not None and high <= floor.limit,
            low is not None and low > floor.limit,
        )
    verdict: Met = "met" if met else "missed" if missed else "inconclusive"
    return Check(
        name=name,
        verdict=verdict,
        value=found.value,
        limit=floor.limit,
        low=low,
        high=high,
        n=cell.n,
        needed=_needed(found, floor.limit, cell.n, alpha) if verdict == "inconclusive" else None,
    )


def _bounds(run: RunScores, cell: Cell, alpha: float) -> Interval:
    """Return the cell's interval at 1 - 2·alpha, or its own where it is no mean of samples."""
    columns = run.columns
    rows = np.flatnonzero(
        (columns.task == cell.task)
        & (columns.arm == cell.arm)
        & (columns.variant == cell.variant)
        & (columns.status != "error")
        & (columns.status != "unjudged")
    )
    values = columns.values.get(cell.metric, np.full(len(columns.task), np.nan))[rows]
    rows, values = rows[~np.isnan(values)], values[~np.isnan(values)]
    own = Interval(cell.value, cell.stderr, cell.low, cell.high, cell.method)
    if not len(values) or cell.value is None or not np.isclose(values.mean(), cell.value):
        return own
    share = cell.group == "accuracy" and cell.higher_is_better is True
    return mean_interval(
        values,
        clusters_of(columns, rows),
        confidence=1 - 2 * alpha,
        bounds=(0.0, 1.0) if share else None,
    )


def _needed(found: Interval, limit: float, n: int, alpha: float) -> int | None:
    """Return the samples that would decide, if the value seen is the true one."""
    if found.value is None or not found.stderr or found.value == limit:
        return None
    factor = Error(alpha, 0.8, two_sided=False).factor
    return max(math.ceil(factor * n * (found.stderr / (found.value - limit)) ** 2), n + 1)


# ---- errors and unread answers --------------------------------------------------------------


def _errors(run: RunScores, policy: Policy) -> Iterator[Check]:
    limit = policy.limits.errors
    if limit is None:
        return
    for task, rows in _by_task(run, policy):
        failed = np.isin(run.columns.status[rows], ("error", "unjudged"))
        share = float(failed.mean())
        if share > 0:
            verdict: Met = "missed" if share > limit else "met"
            yield Check(f"{task} errors", verdict, share, limit, n=len(rows), instrument=True)


def _unparsed(run: RunScores, pairs: Sequence[Pairs], policy: Policy) -> Iterator[Check]:
    confidence = 1 - 2 * policy.alpha
    limit, rise = policy.limits.unparsed, policy.limits.unparsed_rise
    for task, rows in _by_task(run, policy) if limit is not None else ():
        rows = rows[~np.isin(run.columns.status[rows], ("error", "unjudged"))]  # noqa: PLW2901
        unread = (run.columns.status[rows] == "unparsed").astype(float)
        if limit is not None and unread.any():
            clusters = clusters_of(run.columns, rows)
            found = mean_interval(unread, clusters, confidence=confidence)
            yield _certain(f"{task} unparsed", found, limit, len(rows))
    for item in pairs if rise is not None else ():
        if rise is None or not (item.unparsed_candidate - item.unparsed_baseline).any():
            continue
        found = paired_difference(
            item.unparsed_candidate,
            item.unparsed_baseline,
            clusters=item.cluster,
            confidence=confidence,
        )
        count = len(item.unparsed_candidate)
        yield _certain(f"{item.place.label} unparsed, rise", found, rise, count)


def _certain(name: str, found: Interval, limit: float, n: int) -> Check:
    missed = found.low is not None and found.low > limit
    return Check(name, "missed" if missed else "met", found.value, limit, found.low, found.high, n)


def _by_task(run: RunScores, policy: Policy) -> Iterator[tuple[str, Array]]:
    for task in dict.fromkeys(run.columns.task):
        if policy.gates(task):
            yield task, np.flatnonzero(run.columns.task == task)


# ---- cost, tokens, time ---------------------------------------------------------------------


def _spending(candidate: RunScores, baseline: RunScores | None, policy: Policy) -> Iterator[Check]:
    limits = policy.limits
    if limits.cost_usd is not None:
        yield _counted("cost, $", candidate.cost_usd, limits.cost_usd, "the price is not known")
    if limits.latency_s is not None:
        value = _typical(candidate, "latency_s", policy)
        yield _counted("latency, s", value, limits.latency_s, "all answers are replayed")
    ratios = {
        "cost_usd": ("cost, ratio", limits.cost_ratio, "the price is not known"),
        "latency_s": ("latency, ratio", limits.latency_ratio, "answers are replayed"),
        "completion_tokens": ("tokens, ratio", limits.tokens_ratio, "tokens are not known"),
    }
    for column, (name, limit, unknown) in ratios.items():
        if limit is not None:
            now = _typical(candidate, column, policy)
            then = None if baseline is None else _typical(baseline, column, policy)
            value, why = _ratio(now, then)
            yield _counted(name, value, limit, why or unknown)


def _ratio(now: float | None, then: float | None) -> tuple[float | None, str]:
    """Return now over then, or why there is none; nothing over nothing has not risen."""
    if now is None or then is None:
        return None, ""
    if not then:
        return (None, "the baseline's is 0") if now else (1.0, "")
    return now / then, ""


def _counted(name: str, value: float | None, limit: float, unknown: str) -> Check:
    if value is None:
        return Check(name, "unknown", None, limit, reason=unknown)
    return Check(name, "missed" if value > limit else "met", value, limit)


def _typical(run: RunScores, column: str, policy: Policy) -> float | None:
    """Return the mean per sample, of seconds the median over answers that were not replayed."""
    values = np.asarray(run.spending.get(column, np.full(len(run.columns.task), np.nan)))
    gated = np.array([policy.gates(task) for task in run.columns.task], dtype=bool)
    usable = gated & ~np.isnan(values)
    if column == "latency_s":
        usable &= ~np.asarray(run.spending.get("cached", np.zeros(len(values), dtype=bool)))
    if not usable.any():
        return None
    return float(np.median(values[usable]) if column == "latency_s" else values[usable].mean())
