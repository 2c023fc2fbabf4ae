"""Which cells count, and how they are laid out: models by tasks, one view for each measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.board.items import Items, drawn_means, items_of
from harness.board.ranks import (
    SEED,
    Table,
    best_and_ties,
    draws_for,
    spread,
    standing,
    steadiness,
)
from harness.board.records import (
    Board,
    Column,
    Entry,
    Game,
    ModelFacts,
    Place,
    Row,
    Strength,
    TaskFacts,
    View,
)
from harness.board.rows import (
    Extra,
    make_duel,
    make_row,
    number_or_none,
    places_of,
    points_of,
    without,
)
from harness.board.strength import strengths, with_strengths
from harness.identity import child_rng, content_key
from harness.records import Cell

GROUPS = (
    "accuracy",
    "calibration",
    "robustness",
    "fairness",
    "bias",
    "toxicity",
    "efficiency",
)
"""HELM's seven, in HELM's order."""
MAIN = ("accuracy", "score")
"""Group and measure of the view that ranks by each task's primary metric."""
FIRST = ("ece", "brier", "completion_tokens", "latency_s", "prompt_tokens")
"""Measures that lead their group, in this order; others follow as they come."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A cell, and the run that it was measured in."""

    cell: Cell
    entry: Entry


Counted = dict[tuple[str, str], _Found]
"""(model, task) → the run whose numbers count, with its primary cell."""
ItemsOf = Mapping[tuple[str, str], Items | None]
"""(model, task) → the items that the primary cell is the mean of, where they are at hand."""
EVIDENCE = ("self-reported", "recomputed", "verified")
"""What stands behind a row, the least first; unchecked rows say nothing."""


def make_board(
    name: str,
    entries: Sequence[Entry],
    tasks: Mapping[str, TaskFacts],
    left_out: Sequence[dict[str, str]] = (),
    games: Sequence[Game] = (),
) -> Board:
    """Return the board of some runs. Of a model's runs of a task, the latest complete one counts.

    Partial runs count only where nothing else is there, and say so. `games`, pairwise judgements,
    give the models that played a Bradley-Terry strength in the first view.
    """
    ordered = sorted(entries, key=lambda entry: (entry.complete, entry.run))
    models = list(dict.fromkeys(entry.model for entry in sorted(entries, key=lambda e: e.run)))
    counted: Counted = {}
    for entry in ordered:
        for cell in _firsts(entry.cells):
            held = counted.get((entry.model, cell.task))
            if held is None or cell.value is not None or held.cell.value is None:
                counted[entry.model, cell.task] = _Found(cell, entry)
    names = list(dict.fromkeys(cell.task for entry in entries for cell in entry.cells))
    used = {
        model: tuple(sorted({f.entry.run for (m, _), f in counted.items() if m == model}))
        for model in models
    }
    facts = {entry.model: entry.facts for entry in entries}
    behind = {
        model: _evidence(
            [f.entry for (m, _), f in counted.items() if m == model]
            or [entry for entry in entries if entry.model == model]
        )
        for model in models
    }
    rated, arena = strengths(games, models, {e.run: e.model for e in entries if e.columns})
    return Board(
        name=name,
        models=tuple(
            ModelFacts(model, used[model], facts[model], behind[model]) for model in models
        ),
        tasks=tuple(tasks.get(task, TaskFacts(task)) for task in names),
        views=tuple(_views(models, names, counted, rated)),
        left_out=tuple(left_out),
        arena=arena,
    )


def _evidence(entries: Iterable[Entry]) -> str:
    """Return the least of what stands behind some runs."""
    found = [entry.evidence for entry in entries]
    if not all(found):
        return "self-reported" if "self-reported" in found else ""
    return min(found, key=EVIDENCE.index, default="")


def _items(counted: Counted) -> ItemsOf:
    """Read the scores of each run once and keep the items of the primary cells."""
    found: dict[tuple[str, str], Items | None] = {}
    by_run: dict[int, list[tuple[tuple[str, str], _Found]]] = {}
    for key, one in counted.items():
        by_run.setdefault(id(one.entry), []).append((key, one))
    for group in by_run.values():
        reader = group[0][1].entry.columns
        if reader is not None:
            columns = reader()
            found |= {key: items_of(columns, one.cell) for key, one in group}
    return found


def _firsts(cells: Iterable[Cell]) -> list[Cell]:
    """Return each task's primary cell: its first metric, first arm, unperturbed, unsliced."""
    found: dict[str, Cell] = {}
    for cell in cells:
        if cell.slice is None and cell.variant == "original":
            found.setdefault(cell.task, cell)
    return list(found.values())


Picker = Callable[[Cell, Cell], bool]
"""(cell, its task's primary cell) → whether the cell belongs to a view."""


def _views(
    models: Sequence[str], tasks: Sequence[str], counted: Counted, rated: Mapping[str, Strength]
) -> Iterable[View]:
    items = _items(counted) if len(models) > 1 else {}  # one model beats nobody
    for group in GROUPS:
        for measure, picks in _measures(group, counted).items():
            grid = _picked(models, tasks, counted, picks)
            # items hold the primary scores; other measures are ranked by their intervals
            view = _view(group, measure, models, grid, items if measure == "score" else {})
            if (group, measure) == MAIN and rated:
                yield with_strengths(view, rated)
            elif view.columns:
                yield view


def _measures(group: str, counted: Counted) -> dict[str, Picker]:
    """Return the measures of a group that some run has, the main one first."""
    if group == "accuracy":
        return {MAIN[1]: lambda cell, first: cell is first}
    if group in ("robustness", "fairness"):
        return {measure: _across(group, measure) for measure in ("worst", "mean_drop")}
    metrics = dict.fromkeys(
        cell.metric
        for found in counted.values()
        for cell in found.entry.cells
        if cell.group == group and cell.variant == "original"
    )
    ordered = sorted(metrics, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return {metric: _plain(group, metric) for metric in ordered}


def _across(group: str, measure: str) -> Picker:
    def picks(cell: Cell, first: Cell) -> bool:
        return (cell.group, cell.variant, cell.metric) == (group, measure, first.metric)

    return picks


def _plain(group: str, metric: str) -> Picker:
    def picks(cell: Cell, first: Cell) -> bool:
        return (cell.group, cell.metric, cell.variant) == (group, metric, first.variant)

    return picks


Grid = dict[str, dict[str, _Found | str]]
"""task → model → the cell, or the reason why there is none."""


def _picked(models: Sequence[str], tasks: Sequence[str], counted: Counted, picks: Picker) -> Grid:
    grid: Grid = {}
    for task in tasks:
        row: dict[str, _Found | str] = {}
        for model in models:
            found = counted.get((model, task))
            row[model] = "not run" if found is None else _one(found, picks)
        if any(isinstance(place, _Found) for place in row.values()):
            grid[task] = row
    return grid


def _one(found: _Found, picks: Picker) -> _Found | str:
    first = found.cell
    if first.value is None and first.reason:
        return first.reason if not picks(first, first) else found
    for cell in found.entry.cells:
        if (
            cell.task == first.task
            and cell.slice is None
            and cell.arm == first.arm
            and picks(cell, first)
        ):
            return _Found(cell, found.entry)
    return "not measured in this run"


def _view(group: str, measure: str, models: Sequence[str], grid: Grid, items: ItemsOf) -> View:
    columns = tuple(_column(row) for row in grid.values())
    common = [_common_hash(task, row) for task, row in grid.items()]
    differs = [
        {model for model, f in row.items() if isinstance(f, _Found) and _hash(f) != usual}
        for row, usual in zip(grid.values(), common, strict=True)
    ]
    table = _table(models, grid, differs, columns, items)
    best = [best_and_ties(table, column) for column in range(len(columns))]
    ranks, points, steady = standing(table), points_of(table), steadiness(table)
    rows = []
    for position, model in enumerate(models):
        cells = [
            _place(found[model], bool(best[c][position]), model in differs[c])
            for c, found in enumerate(grid.values())
        ]
        extra = Extra(number_or_none(points[position]), *places_of(steady, position))
        rows.append(make_row(position, model, tuple(cells), table, ranks, extra))
    order = sorted(range(len(rows)), key=lambda i: _place_of(rows[i]))
    counts = [
        max((f.cell.n for f in row.values() if isinstance(f, _Found)), default=0)
        for row in grid.values()
    ]
    return View(
        group=group,
        measure=measure,
        columns=columns,
        rows=tuple(rows[i] for i in order),
        duel=make_duel(table, [i for i in order if rows[i].rank_best is not None], models, counts),
        without=without(steady, columns, models),
        paired=any(not np.isnan(drawn).all() for drawn in table.draws),
    )


def _place_of(row: Row) -> tuple[bool, float, str]:
    """Return what rows stand in order of: whoever is ranked first, then by mean win rate."""
    rate = -1.0 if row.mean_win_rate is None else row.mean_win_rate
    return row.rank_best is None, -rate, row.model


def _column(row: Mapping[str, _Found | str]) -> Column:
    cell = _measured(row)[0].cell
    return Column(cell.task, cell.metric, cell.arm, cell.variant, cell.higher_is_better)


def _hash(found: _Found) -> str:
    return content_key([found.cell.metric, found.cell.arm, found.entry.hashes.get(found.cell.task)])


def _common_hash(task: str, row: Mapping[str, _Found | str]) -> str:
    """Return what most models measured; the first such where several are as common."""
    del task
    return Counter(map(_hash, _measured(row))).most_common(1)[0][0]


def _measured(row: Mapping[str, _Found | str]) -> list[_Found]:
    """Return the numbers that say what a column measures: reported ones only if there is no other.

    So a self-reported number stands beside measured ones, and is not ranked among them.
    """
    found = [place for place in row.values() if isinstance(place, _Found)]
    ours = [place for place in found if place.entry.evidence != "self-reported"]
    return ours or found


def _table(
    models: Sequence[str],
    grid: Grid,
    differs: Sequence[set[str]],
    columns: Sequence[Column],
    items: ItemsOf,
) -> Table:
    parts = np.full((3, len(models), len(columns)), np.nan)
    for c, row in enumerate(grid.values()):
        for m, model in enumerate(models):
            found = row[model]
            if isinstance(found, _Found) and model not in differs[c]:
                parts[:, m, c] = spread(found.cell)
    directions = tuple(column.higher_is_better for column in columns)
    if not any(items.values()):
        return Table(parts[0], parts[1], parts[2], directions)
    draws = draws_for(len(models), len(columns))
    drawn = tuple(
        drawn_means(
            [None if model in odd else items.get((model, column.task)) for model in models],
            draws,
            child_rng(SEED, "items", column.task),
        )
        for column, odd in zip(columns, differs, strict=True)
    )
    return Table(parts[0], parts[1], parts[2], directions, drawn)


def _place(found: _Found | str, best: bool, differs: bool) -> Place:
    if isinstance(found, str):
        return Place(reason=found)
    cell, entry = found.cell, found.entry
    reason = cell.reason
    if not entry.complete and reason is None:
        reason = "partial run"
    return Place(
        run=entry.run,
        value=cell.value,
        low=cell.low,
        high=cell.high,
        n=cell.n,
        errors=cell.errors,
        unparsed=cell.unparsed,
        unjudged=cell.unjudged,
        bound_low=cell.bound_low,
        bound_high=cell.bound_high,
        method=cell.method,
        confidence=cell.confidence,
        observed=cell.observed,
        reason=reason,
        best=best,
        differs=differs,
    )
