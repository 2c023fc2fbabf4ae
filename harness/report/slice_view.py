"""A task's numbers by subgroup: tables, lines, heat maps with the frontier drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import msgspec
from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import Palette, Series, lines
from harness.report.mark import Frame, Mark, link, mark
from harness.report.marks import scale_of
from harness.report.model import ReportData
from harness.report.survey import TaskSurvey

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """A model on one task: the run that counts, its cells of this task, its samples' survey."""

    model: str
    run: str
    place: Json
    cells: tuple[Cell, ...]
    survey: TaskSurvey


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The primary metric by one slice: rows are values, columns models."""

    name: str
    chart: Markup
    models: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Mark, ...]], ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """A table of tinted numbers for one model, with the frontier drawn."""

    model: str
    rows_name: str
    columns_name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Mark | None, ...]], ...]


def cell_mark(cell: Cell, href: str | None, frame: Frame | None = None) -> Mark:
    """Return how a cell is shown; without a frame it gets no tint."""
    """Return how a cell is shown; without a frame, as text alone."""
    return mark(msgspec.structs.asdict(cell), frame, href)


def parts(name: str) -> dict[str, str]:
    """Return the fields of a slice's name.

    >>> parts("carries=2&digits=3")
    {'carries': '2', 'digits': '3'}
    """
    return dict(part.partition("=")[::2] for part in name.split("&"))


def slice_tables(
    contenders: Sequence[Contender], palette: Palette
) -> tuple[list[SliceTable], list[Heat]]:
    """Return a table for each plain slice, and a heat map a model for each cross of two."""
    """Return a table for each plain slice, and a heat map a model for each cross of two."""
    keys: dict[tuple[str, ...], None] = {}
    for contender in contenders:
        for cell in contender.cells:
            if cell.slice:
                keys.setdefault(tuple(parts(cell.slice)))
    tables = [_slice_table(key[0], contenders, palette) for key in keys if len(key) == 1]
    tables = [table for table in tables if len(table.rows) > 1]
    heats = [
        _heat(key[0], key[1], contender)
        for key in keys
        if len(key) == 2  # noqa: PLR2004 - a cross of two is a table
        for contender in contenders
    ]
    return tables, [heat for heat in heats if heat.rows]


def arm_table(contenders: Sequence[Contender], palette: Palette) -> SliceTable | None:
    """Return the primary metric by arm, such as shots or wording; None where there is one arm."""
    by_model: dict[str, dict[tuple[str, ...], Cell]] = {}
    for c in contenders:
        first = c.cells[0]
        by_model[c.model] = {
            (cell.arm,): cell
            for cell in c.cells
            if cell.metric == first.metric and cell.variant == "original" and not cell.slice
        }
    arms = dict.fromkeys(key[0] for cells in by_model.values() for key in cells)
    if len(arms) < 2:  # noqa: PLR2004 - one arm is the result itself
        return None
    chart = _chart("arm", by_model, palette)
    return _table("arm", list(arms), by_model, contenders, chart)


def _sliced(contender: Contender, names: tuple[str, ...]) -> dict[tuple[str, ...], Cell]:
    arm = contender.cells[0].arm
    found = {}
    for cell in contender.cells:
        if cell.slice and cell.arm == arm:
            fields = parts(cell.slice)
            if tuple(fields) == names:
                found[tuple(fields.values())] = cell
    return found


def natural(value: str) -> tuple[int, float, str]:
    """Order numbers as numbers and the rest as text."""
    try:
        return 0, float(value), ""
    except ValueError:
        return 1, 0.0, value


def _slice_table(name: str, contenders: Sequence[Contender], palette: Palette) -> SliceTable:
    by_model = {c.model: _sliced(c, (name,)) for c in contenders}
    names = {key[0] for cells in by_model.values() for key in cells}
    values = sorted(names, key=natural)
    if any(natural(value)[0] for value in values):  # words have no order: the worst come first
        values.sort(key=lambda value: _mean(by_model, value))
    chart = _chart(name, by_model, palette)
    return _table(name, values, by_model, contenders, chart)


def _mean(by_model: Mapping[str, Mapping[tuple[str, ...], Cell]], value: str) -> float:
    found = [cells[value,].value for cells in by_model.values() if (value,) in cells]
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if known else 0.0


def _table(
    name: str,
    values: Sequence[str],
    by_model: Mapping[str, Mapping[tuple[str, ...], Cell]],
    contenders: Sequence[Contender],
    chart: Markup,
) -> SliceTable:
    everything = [msgspec.structs.asdict(x) for cells in by_model.values() for x in cells.values()]
    better = contenders[0].cells[0].higher_is_better
    frame = Frame(scale_of(everything), *_range(everything), better)
    rows = []
    for value in values:
        marks = []
        for c in contenders:
            cell = by_model[c.model].get((value,))
            blank = Mark("", "")
            marks.append(_sample_mark(cell, c, frame) if cell else blank)
        rows.append((value, tuple(marks)))
    return SliceTable(name, chart, tuple(by_model), tuple(rows))


def _range(cells: Sequence[Json]) -> tuple[float, float]:
    values = [cell["value"] for cell in cells if cell["value"] is not None]
    if not values:
        return 0.0, 1.0
    return min(0.0, *values), max(1.0, *values)


def _sample_mark(cell: Cell, contender: Contender, frame: Frame) -> Mark:
    href = link("run", run=contender.run, task=cell.task, variant="original", slice=cell.slice)
    return cell_mark(cell, href, frame)


def _chart(
    name: str, by_model: Mapping[str, Mapping[tuple[str, ...], Cell]], palette: Palette
) -> Markup:
    series = []
    for model, cells in by_model.items():
        points = [
            (float(key[0]), cell)
            for key, cell in cells.items()
            if natural(key[0])[0] == 0 and cell.value is not None
        ]
        if len(points) != len(cells) or len(points) < 3:  # noqa: PLR2004 - two points: no line
            return Markup("")
        series.append(Series(model, sorted(points, key=lambda point: point[0])))
    return lines(name, series, palette)


def _heat(rows_name: str, columns_name: str, contender: Contender) -> Heat:
    cells = _sliced(contender, (rows_name, columns_name))
    columns = sorted({key[1] for key in cells}, key=natural)
    rows = sorted({key[0] for key in cells}, key=natural)
    frame = Frame(scale_of([]), 0.0, 1.0, contender.cells[0].higher_is_better)
    table = []
    for row in rows:
        found = [cells.get((row, column)) for column in columns]
        marks = [_sample_mark(cell, contender, frame) if cell else None for cell in found]
        table.append((row, frontier(marks, found)))
    return Heat(contender.model, rows_name, columns_name, tuple(columns), tuple(table))


FRONTIER = 0.5
"""What a heat map's line parts."""


def frontier(marks: Sequence[Mark | None], cells: Sequence[Cell | None]) -> tuple[Mark | None, ...]:
    """Mark where a row falls from at least FRONTIER to below: the left cell gets a line."""
    values = [cell.value if cell else None for cell in cells]
    out = list(marks)
    for i, (here, after) in enumerate(pairwise(values)):
        one = out[i]
        if one and here is not None and after is not None and here >= FRONTIER > after:
            out[i] = replace(one, classes=one.classes + " edge")
    return tuple(out)


def family_heats(data: ReportData, task: str, contenders: Sequence[Contender]) -> list[Heat]:
    """Return one table a model: tasks of the family by a numeric slice that they share."""
    family = task.split("/", 1)[0] + "/"
    tables = []
    for contender in contenders:
        run = next(run for run in data.runs if run.name == contender.run)
        rows: dict[str, dict[str, Cell]] = {}
        name = ""
        for cell in run.cells:
            if not cell.task.startswith(family) or not cell.slice or "&" in cell.slice:
                continue
            slice_name, value = next(iter(parts(cell.slice).items()))
            if natural(value)[0] == 0 and name in ("", slice_name):
                name = slice_name
                rows.setdefault(cell.task, {})[value] = cell
        if len(rows) < 2:  # noqa: PLR2004 - a family has members
            continue
        columns = sorted({value for row in rows.values() for value in row}, key=natural)
        frame = Frame(scale_of([]), 0.0, 1.0, better=True)
        table = []
        for member, row in rows.items():
            found = [row.get(column) for column in columns]
            marks = [_sample_mark(cell, contender, frame) if cell else None for cell in found]
            table.append((member.removeprefix(family), frontier(marks, found)))
        tables.append(Heat(contender.model, family[:-1], name, tuple(columns), tuple(table)))
    return tables
