"""A task's numbers by subgroup: ladders with the frontier drawn, tables of words, heat maps.

Up to where a skill holds is said by `harness.stats.frontier`, here as on the command line: a solid
line stands behind the last cell that surely holds, a broken one before the first that surely does
not. What lies between them is not certain either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import Palette, Series, lines, metric_name, series_key, slice_name
from harness.report.mark import EMPTY, Frame, Mark, link, mark
from harness.report.marks import scale_of
from harness.report.model import ReportData
from harness.report.say import NOTHING, Said, known, say
from harness.report.survey import TaskSurvey
from harness.stats.frontier import DEFAULT, mastery

Json = Mapping[str, Any]
Ends = tuple[float | None, float | None]
SHOWN = 4
"""Heat maps that stand open; those of further models are folded."""
_NO_CELL = Mark("", "")


@dataclass(frozen=True, slots=True)
class Contender:
    """A model on one task: the run that counts, its cells of this task, its samples' survey."""

    model: str
    run: str
    place: Json
    cells: tuple[Cell, ...]
    survey: TaskSurvey
    several: bool = False
    """Whether there is more than one arm, so that a way to samples must say which."""


@dataclass(frozen=True, slots=True)
class LadderRow:
    """One model over the steps of a slice."""

    model: str
    key: Markup
    marks: tuple[Mark, ...]
    holds: Said
    """Up to which step it surely holds."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The primary metric by a slice of numbers: a line and a row for each model."""

    title: Said
    name: Said
    chart: Markup
    steps: tuple[str, ...]
    rows: tuple[LadderRow, ...]


@dataclass(frozen=True, slots=True)
class WordTable:
    """The primary metric by a slice of words, or by arm: rows are values, columns models."""

    title: Said
    name: Said
    models: tuple[tuple[str, Markup], ...]
    rows: tuple[tuple[str, tuple[Mark, ...]], ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """A table of tinted numbers for one model."""

    model: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Mark | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class HeatGroup:
    """One heat map a model, of the same two things."""

    title: Said
    rows_name: Said
    columns_name: Said
    heats: tuple[Heat, ...]

    @property
    def open(self) -> tuple[Heat, ...]:
        """Return those that are shown at once."""
        return self.heats[:SHOWN]

    @property
    def folded(self) -> tuple[Heat, ...]:
        """Return the others."""
        return self.heats[SHOWN:]


@dataclass(slots=True)
class Slices:
    """All subgroups of a task."""

    ladders: list[Ladder]
    words: list[WordTable]
    heats: list[HeatGroup]

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self.ladders or self.words or self.heats)


def cell_mark(cell: Cell, href: str | None, frame: Frame | None = None) -> Mark:
    """Return how a cell is shown; without a frame, as text alone."""
    return mark(msgspec.structs.asdict(cell), frame, href)


def parts(name: str) -> dict[str, str]:
    """Return the fields of a slice's name.

    >>> parts("carries=2&digits=3")
    {'carries': '2', 'digits': '3'}
    """
    return dict(part.partition("=")[::2] for part in name.split("&"))


def natural(value: str) -> tuple[int, float, str]:
    """Order numbers as numbers and the rest as text."""
    try:
        return 0, float(value), ""
    except ValueError:
        return 1, 0.0, value


def numeric(values: Iterable[str]) -> bool:
    """Return whether all values are numbers, and so steps."""
    return all(natural(value)[0] == 0 for value in values)


def slices(contenders: Sequence[Contender], palette: Palette) -> Slices:
    """Return a ladder or a table for each plain slice, and heat maps for each cross of two."""
    keys: dict[tuple[str, ...], None] = {}
    for contender in contenders:
        for cell in contender.cells:
            if cell.slice:
                keys.setdefault(tuple(parts(cell.slice)))
    found = Slices([], [], [])
    for key in keys:
        if len(key) == 1:
            _add_plain(found, key[0], contenders, palette)
        elif len(key) == 2:  # noqa: PLR2004 - a cross of two is a table
            found.heats.append(_cross((key[0], key[1]), contenders))
    return found


def _cross(key: tuple[str, str], contenders: Sequence[Contender]) -> HeatGroup:
    """Return the heat maps of two slices; the one that rises in numbers goes across."""
    cells = {c.model: _sliced(c, key) for c in contenders}
    first, second = (
        numeric(fields[side] for found in cells.values() for fields in found) for side in (0, 1)
    )
    if first and not second:
        key = key[1], key[0]
        cells = {
            model: {(b, a): cell for (a, b), cell in found.items()}
            for model, found in cells.items()
        }
    heats = [_heat(cells[c.model], c) for c in contenders]
    metric = metric_name(contenders[0].cells[0].metric)
    names = {"rows": slice_name(key[0]), "columns": slice_name(key[1])}
    title = say("task.heat", metric=metric, **names)
    shown = tuple(heat for heat in heats if heat.rows)
    return HeatGroup(title, names["rows"], names["columns"], shown)


def _add_plain(found: Slices, name: str, contenders: Sequence[Contender], palette: Palette) -> None:
    by_model = {c.model: _sliced(c, (name,)) for c in contenders}
    values = {key[0] for cells in by_model.values() for key in cells}
    if len(values) < 2:  # noqa: PLR2004 - one part is the whole
        return
    metric = metric_name(contenders[0].cells[0].metric)
    title = say("task.by", metric=metric, slice=slice_name(name))
    if numeric(values):
        found.ladders.append(_ladder(name, title, contenders, palette))
        return
    # words have no order: the worst come first
    order = sorted(sorted(values), key=lambda value: _mean(by_model, value))
    found.words.append(_table(title, slice_name(name), order, contenders, (by_model, palette)))


def arm_table(contenders: Sequence[Contender], palette: Palette) -> WordTable | None:
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
    title = say("task.by", metric=metric_name(contenders[0].cells[0].metric), slice=say("arm"))
    return _table(title, say("arm"), list(arms), contenders, (by_model, palette))


def _sliced(contender: Contender, names: tuple[str, ...]) -> dict[tuple[str, ...], Cell]:
    arm = contender.cells[0].arm
    found = {}
    for cell in contender.cells:
        if cell.slice and cell.arm == arm:
            fields = parts(cell.slice)
            if tuple(fields) == names:
                found[tuple(fields.values())] = cell
    return found


# ---- steps --------------------------------------------------------------------------------------


def _ladder(name: str, title: Said, contenders: Sequence[Contender], palette: Palette) -> Ladder:
    by_model = {c.model: _sliced(c, (name,)) for c in contenders}
    steps = sorted({key[0] for cells in by_model.values() for key in cells}, key=natural)
    frame = _frame([cell for cells in by_model.values() for cell in cells.values()], contenders)
    rows = []
    for c in contenders:
        cells = [by_model[c.model].get((step,)) for step in steps]
        marks = [_flat(cell, c, frame) if cell else _NO_CELL for cell in cells]
        marked = frontier(marks, cells)
        key = series_key(palette[c.model])
        rows.append(LadderRow(c.model, key, marked, holds_to(steps, cells)))
    drawn = [
        Series(model, [(float(step), cell) for step in steps if (cell := _known(cells, step))])
        for model, cells in by_model.items()
    ]
    drawn = [one for one in drawn if len(one.points) > 2]  # noqa: PLR2004 - two points: no line
    chart = lines(name, drawn, palette)
    return Ladder(title, slice_name(name), chart, tuple(steps), tuple(rows))


def _known(cells: Mapping[tuple[str, ...], Cell], step: str) -> Cell | None:
    cell = cells.get((step,))
    return cell if cell is not None and cell.value is not None else None


def holds_to(steps: Sequence[str], cells: Sequence[Cell | None]) -> Said:
    """Return up to which step a model holds: surely, and at the most.

    "2" where the step after surely breaks, "2-4" where 3 and 4 are not certain either way, "≤ 4"
    where not even the first is; what it needs where it has fewer samples than any step can do with.
    """
    present = [
        (step, cell)
        for step, cell in zip(steps, cells, strict=True)
        if cell is not None and cell.value is not None
    ]
    if not present or not all(cell.higher_is_better for _, cell in present):
        return NOTHING
    top, fall = _lines([cell for _, cell in present])
    most = len(present) if fall is None else fall
    if most == 0:
        return say("task.holds_none")
    last = present[most - 1][0]
    if not top:
        if max(cell.n for _, cell in present) < DEFAULT.least:
            return say("task.too_few", least=DEFAULT.least)
        return Said(f"≤ {last}", f"≤ {last}")
    first = present[top - 1][0]
    text = first if most == top else f"{first}\N{EN DASH}{last}"
    return Said(text, text)


def _lines(cells: Sequence[Cell | None]) -> tuple[int, int | None]:
    """Return how many steps there are up to the last that holds, and up to the first that breaks.

    The second is counted from the frontier on; None where nothing beyond it surely breaks.
    """
    usable = [cell if cell is not None and cell.higher_is_better else None for cell in cells]
    ends: list[Ends] = [(cell.low, cell.high) if cell else (None, None) for cell in usable]
    top = mastery(ends).frontier
    return top, next((i for i in range(top, len(ends)) if DEFAULT.breaks(ends[i][1])), None)


def frontier(marks: Sequence[Mark], cells: Sequence[Cell | None]) -> tuple[Mark, ...]:
    """Draw the frontier of a row: behind the last cell that holds, before those that do not.

    The first line is solid (`edge`); the second is broken (`fall`) and stands before the first
    cell beyond it that surely does not hold.
    """
    out = list(marks)
    top, fall = _lines(cells)
    if 0 < top < len(out):
        out[top - 1] = replace(out[top - 1], classes=out[top - 1].classes + " edge")
    if fall is not None and fall > top:
        out[fall] = replace(out[fall], classes=out[fall].classes + " fall")
    return tuple(out)


# ---- tables -------------------------------------------------------------------------------------


def _mean(by_model: Mapping[str, Mapping[tuple[str, ...], Cell]], value: str) -> float:
    found = [cells[value,].value for cells in by_model.values() if (value,) in cells]
    known_ones = [one for one in found if one is not None]
    return sum(known_ones) / len(known_ones) if known_ones else 0.0


def _table(
    title: Said,
    name: Said,
    values: Sequence[str],
    contenders: Sequence[Contender],
    looks: tuple[Mapping[str, Mapping[tuple[str, ...], Cell]], Palette],
) -> WordTable:
    by_model, palette = looks
    frame = _frame([cell for cells in by_model.values() for cell in cells.values()], contenders)
    rows = []
    for value in values:
        cells = [(by_model[c.model].get((value,)), c) for c in contenders]
        marks = [_sample_mark(cell, c, frame) if cell else _NO_CELL for cell, c in cells]
        rows.append((value, tuple(marks)))
    models = tuple((c.model, series_key(palette[c.model])) for c in contenders)
    return WordTable(title, name, models, tuple(rows))


def _frame(cells: Sequence[Cell], contenders: Sequence[Contender]) -> Frame:
    everything = [msgspec.structs.asdict(cell) for cell in cells]
    better = contenders[0].cells[0].higher_is_better
    return Frame(scale_of(everything), *_range(everything), better)


def _range(cells: Sequence[Json]) -> tuple[float, float]:
    values = [cell["value"] for cell in cells if cell["value"] is not None]
    if not values:
        return 0.0, 1.0
    return min(0.0, *values), max(1.0, *values)


def _sample_mark(cell: Cell, contender: Contender, frame: Frame) -> Mark:
    arm = cell.arm if contender.several else None
    places = {"task": cell.task, "arm": arm, "variant": "original", "slice": cell.slice}
    href = link("run", run=contender.run, **places)
    return cell_mark(cell, href, frame)


def _flat(cell: Cell, contender: Contender, frame: Frame) -> Mark:
    """Return a mark without its whisker: a map has no room for it, and the tooltip says it."""
    return replace(_sample_mark(cell, contender, frame), drawn=EMPTY)


# ---- heat maps ----------------------------------------------------------------------------------


def _heat(cells: Mapping[tuple[str, ...], Cell], contender: Contender) -> Heat:
    columns = sorted({key[1] for key in cells}, key=natural)
    rows = sorted({key[0] for key in cells}, key=natural)
    frame = Frame(scale_of([]), 0.0, 1.0, contender.cells[0].higher_is_better)
    steps = numeric(columns)
    table = []
    for row in rows:
        found = [cells.get((row, column)) for column in columns]
        table.append((row, _row(found, contender, frame, steps=steps)))
    return Heat(contender.model, tuple(columns), tuple(table))


def _row(
    cells: Sequence[Cell | None], contender: Contender, frame: Frame, *, steps: bool
) -> tuple[Mark | None, ...]:
    marks = [_flat(cell, contender, frame) if cell else _NO_CELL for cell in cells]
    drawn = frontier(marks, cells) if steps else tuple(marks)
    return tuple(one if cell else None for one, cell in zip(drawn, cells, strict=True))


def family_heats(data: ReportData, task: str, contenders: Sequence[Contender]) -> list[HeatGroup]:
    """Return tasks of the family by each numeric slice of this task that another one has too."""
    family = task.split("/", 1)[0] + "/"
    runs = {run.name: run for run in data.runs}
    groups = []
    for name in _numeric_slices(contenders):
        heats = [_of_family(runs[c.run].cells, family, name, c) for c in contenders]
        shown = tuple(heat for heat in heats if len(heat.rows) > 1)
        if shown:
            said = known(f"family.{family[:-1]}", family[:-1])
            title = say("task.family", family=said, slice=slice_name(name))
            groups.append(HeatGroup(title, say("task"), slice_name(name), shown))
    return groups


def _numeric_slices(contenders: Sequence[Contender]) -> list[str]:
    values: dict[str, list[str]] = {}
    for contender in contenders:
        for cell in contender.cells:
            if cell.slice and "&" not in cell.slice:
                for name, value in parts(cell.slice).items():
                    values.setdefault(name, []).append(value)
    return [name for name, found in values.items() if numeric(found)]


def _of_family(cells: Sequence[Cell], family: str, name: str, contender: Contender) -> Heat:
    rows: dict[str, dict[str, Cell]] = {}
    arms: dict[str, str] = {}
    start, several = name + "=", False
    for cell in cells:
        if not cell.task.startswith(family):
            continue
        first = cell.arm == arms.setdefault(cell.task, cell.arm)
        several |= not first
        if first and cell.slice and cell.slice.startswith(start) and "&" not in cell.slice:
            rows.setdefault(cell.task, {})[cell.slice.removeprefix(start)] = cell
    contender = replace(contender, several=several)
    columns = sorted({value for row in rows.values() for value in row}, key=natural)
    steps = numeric(columns)
    table = []
    for member, row in rows.items():
        found = [row.get(column) for column in columns]
        frame = Frame(scale_of([]), 0.0, 1.0, better=True)
        table.append((member.removeprefix(family), _row(found, contender, frame, steps=steps)))
    return Heat(contender.model, tuple(columns), tuple(table))
