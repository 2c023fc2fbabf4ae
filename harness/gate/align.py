"""Which samples of two runs answer the same question, and whether the runs may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from harness.errors import Incomparable, UsageError
from harness.gate.policy import DEFAULT, Policy
from harness.gate.records import Place, RunScores
from harness.records import Cell, ScoreColumns
from harness.stats.clusters import FloatArray

Array = np.ndarray[Any, Any]

SHORT = 8
"""Hex digits of a hash that a message shows."""
SHOWN = 10
"""Differences that a refusal names."""


class Difference(NamedTuple):
    """One thing in which two runs asked differently."""

    task: str
    what: str
    baseline: str
    candidate: str

    def __str__(self) -> str:
        """The task, what differs, and both values."""
        return f"{self.task}: {self.what} differs ({self.baseline} → {self.candidate})"


@dataclass(frozen=True, slots=True)
class Pairs:
    """One task, arm and variant: the scores of both runs, row by row about the same sample.

    Scores are turned so that more is better. Rows where either run failed are left out.
    """

    place: Place
    metric: str
    higher_is_better: bool
    candidate: FloatArray
    baseline: FloatArray
    cluster: Array
    sample_id: Array
    epoch: Array
    unparsed_candidate: FloatArray
    unparsed_baseline: FloatArray
    unpaired: int
    """Rows of both runs left out."""
    reference: Reference | None = None
    """The baseline's other items, where the candidate ran a part of them."""

    @property
    def differences(self) -> FloatArray:
        """Candidate - baseline."""
        return self.candidate - self.baseline


@dataclass(frozen=True, slots=True)
class Reference:
    """What the baseline scored on items that the candidate did not run."""

    scores: FloatArray
    cluster: Array


class Aligned(NamedTuple):
    """Two runs, sample by sample."""

    pairs: tuple[Pairs, ...]
    notes: tuple[str, ...]
    missing: tuple[tuple[Place, str], ...]
    """What the baseline has and the candidate should have, and why there is nothing to compare."""


def differences(
    candidate: RunScores, baseline: RunScores, policy: Policy = DEFAULT
) -> list[Difference]:
    """Return in what the two runs asked differently, for the gated tasks that both have."""
    found: list[Difference] = []
    for task in sorted(filter(policy.gates, set(candidate.hashes) & set(baseline.hashes))):
        found += hash_differences(task, baseline.hashes[task], candidate.hashes[task])
    for variant in policy.variants:
        old, new = baseline.perturbations.get(variant), candidate.perturbations.get(variant)
        if None not in (old, new) and old != new:
            found.append(Difference("all tasks", f"perturbation {variant}", f"v{old}", f"v{new}"))
    if found and candidate.data_seed != baseline.data_seed:
        found = [
            item._replace(
                baseline=f"--data-seed {baseline.data_seed}",
                candidate=f"--data-seed {candidate.data_seed}",
            )
            if item.what == "data"
            else item
            for item in found
        ]
    return found


def hash_differences(
    task: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Difference]:
    """Yield what differs between two records of a task's hashes.

    Within an arm the first of prompt, extractor, judge and the like is named; the hash of the
    whole definition only where nothing nearer explains it.
    """
    for what in ("version", "data"):
        if before.get(what) != now.get(what):
            yield Difference(task, what, _short(before.get(what)), _short(now.get(what)))
    arms_before, arms_now = before.get("arms") or {}, now.get("arms") or {}
    for arm in sorted(set(arms_before) & set(arms_now)):
        old, new = arms_before[arm], arms_now[arm]
        named = [n for n in sorted(set(old) | set(new)) if n != "task" and old.get(n) != new.get(n)]
        if not named and old.get("task") != new.get("task"):
            named = ["task"]
        for name in named:
            what = "definition" if name == "task" else name
            place = what if arm == "default" else f"{what} of arm {arm}"
            yield Difference(task, place, _short(old.get(name)), _short(new.get(name)))


def _short(value: object) -> str:
    return "none" if value is None else str(value)[:SHORT]


def refuse_unless_equal(found: Sequence[Difference], *, allow_changed: bool) -> tuple[str, ...]:
    """Return notes on what differs; raises Incomparable unless `allow_changed`."""
    if not found:
        return ()
    if allow_changed:
        return tuple(f"compared although {item}" for item in found)
    listed = "; ".join(str(item) for item in found[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise Incomparable(
        f"the runs did not ask the same: {listed}{more}. Bless a new baseline, or compare the "
        "common samples with --allow-changed"
    )


def align(
    candidate: RunScores, baseline: RunScores, policy: Policy, *, allow_changed: bool = False
) -> Aligned:
    """Pair the samples of two runs by (task, sample_id, arm, variant, epoch).

    Raises Incomparable where hashes differ and `allow_changed` is false, or nothing is common.
    """
    changed = differences(candidate, baseline, policy)
    notes = list(refuse_unless_equal(changed, allow_changed=allow_changed))
    pairs: list[Pairs] = []
    missing: list[tuple[Place, str]] = []
    then, now = _places(baseline.columns), _places(candidate.columns)
    for place in then:
        if not policy.gates(place.task) or place.variant not in policy.variants:
            continue
        for wanted in policy.metrics_of(place.task):
            metric = _gated(baseline.cells, place, wanted)
            if isinstance(metric, str):
                missing.append((place, metric))
            elif place not in now:
                missing.append((place, "not in the candidate"))
            else:
                found = _pair(candidate, baseline, place, metric)
                if isinstance(found, Pairs):
                    pairs.append(found)
                else:
                    missing.append((place, found))
    new = [
        place
        for place in now
        if place not in then and place.variant in policy.variants and policy.gates(place.task)
    ]
    notes += [f"{place.label}: no baseline, not gated" for place in new]
    if not pairs and not any(place in now for place, _ in missing):
        raise Incomparable("the runs have no task in common")
    return Aligned(tuple(pairs), tuple(notes), tuple(missing))


def _places(columns: ScoreColumns) -> dict[Place, None]:
    rows = zip(columns.task, columns.arm, columns.variant, strict=True)
    return {Place(*row): None for row in dict.fromkeys(rows)}


def _gated(cells: Sequence[Cell], place: Place, wanted: str | None) -> Cell | str:
    """Return the cell of the metric that is gated, or why there is none."""
    own = [
        cell
        for cell in cells
        if (cell.task, cell.arm, cell.variant, cell.slice)
        == (place.task, place.arm, place.variant, None)
    ]
    if wanted is not None:
        named = next((cell for cell in own if cell.metric == wanted), None)
        if named is None:
            known = ", ".join(cell.metric for cell in own)
            raise UsageError(f"{place.label} has no metric '{wanted}'; it has: {known}")
        own = [named]
    if not own:
        return "the baseline has no result"
    if own[0].higher_is_better is None:
        return f"{own[0].metric} has no better direction"
    if own[0].value is None and own[0].reason:
        return f"the baseline has no {own[0].metric}: {own[0].reason}"
    return own[0]


def keys_of(columns: ScoreColumns, rows: Array) -> list[tuple[str, int]]:
    """Return what names each row within its task, arm and variant."""
    return [*zip(columns.sample_id[rows], map(int, columns.epoch[rows]), strict=True)]


def rows_of(columns: ScoreColumns, place: Place) -> Array:
    """Return which rows belong to a task, arm and variant."""
    return np.flatnonzero(
        (columns.task == place.task)
        & (columns.arm == place.arm)
        & (columns.variant == place.variant)
    )


def _pair(candidate: RunScores, baseline: RunScores, place: Place, cell: Cell) -> Pairs | str:
    now, then = candidate.columns, baseline.columns
    metric = cell.metric
    if metric not in now.values or metric not in then.values:
        return f"{metric} has no score per sample"
    rows_then = rows_of(then, place)
    where = dict(zip(keys_of(then, rows_then), rows_then, strict=True))
    rows_now = rows_of(now, place)
    both = [
        (row, where[key])
        for key, row in zip(keys_of(now, rows_now), rows_now, strict=True)
        if key in where
    ]
    if not both:
        return "no sample in common"
    mine, theirs = (np.array(column, dtype=np.int64) for column in zip(*both, strict=True))
    sign = 1.0 if cell.higher_is_better else -1.0
    a, b = sign * now.values[metric][mine], sign * then.values[metric][theirs]
    good = _scored(now, mine) & _scored(then, theirs) & ~np.isnan(a) & ~np.isnan(b)
    if not good.any():
        return "no sample that both runs scored"
    if not _is_mean(then.values[metric], rows_then, cell):
        return f"{metric} is no mean of its samples' scores"
    kept = mine[good]
    return Pairs(
        place=place,
        metric=metric,
        higher_is_better=bool(cell.higher_is_better),
        candidate=a[good],
        baseline=b[good],
        cluster=clusters_of(now, kept),
        sample_id=now.sample_id[kept],
        epoch=now.epoch[kept],
        unparsed_candidate=(now.status[kept] == "unparsed").astype(float),
        unparsed_baseline=(then.status[theirs[good]] == "unparsed").astype(float),
        unpaired=int((~good).sum()),
        reference=_reference(then, rows_then, theirs, sign * then.values[metric]),
    )


def _scored(columns: ScoreColumns, rows: Array) -> Array:
    status = columns.status[rows]
    return np.asarray((status != "error") & (status != "unjudged"))


def clusters_of(columns: ScoreColumns, rows: Array) -> Array:
    """Return the cluster names of rows; a sample without one stands alone."""
    names = columns.cluster[rows]
    return np.asarray(np.where(names == "", columns.sample_id[rows], names).astype(str))


def _is_mean(values: Array, rows: Array, cell: Cell) -> bool:
    """Whether the cell is the mean of the rows' values, as a paired test needs."""
    known = values[rows][~np.isnan(values[rows])]
    if cell.value is None or not len(known):
        return False
    return bool(np.isclose(float(known.mean()), cell.value, rtol=1e-9, atol=1e-9))


def _reference(columns: ScoreColumns, rows: Array, used: Array, values: Array) -> Reference | None:
    """Return the items of the baseline outside the clusters that the candidate touched."""
    touched = set(clusters_of(columns, used))
    names = clusters_of(columns, rows)
    rest = np.array([name not in touched for name in names], dtype=bool)
    rest &= ~np.isnan(values[rows])
    if not rest.any():
        return None
    return Reference(values[rows][rest], names[rest])
