"""What a task's page shows: its question, one sample, the picture that fits it, all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import msgspec
from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import Series, lines, reliability_chart
from harness.report.mark import EMPTY, Frame, Mark, link, mark
from harness.report.marks import bar, dumbbell, scale_of
from harness.report.model import ReportData, TaskText
from harness.report.say import NOTHING, Said
from harness.report.story import task_story
from harness.report.survey import RunSurvey, TaskSurvey

ACROSS = ("worst", "mean_drop")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """A model on one task: the run that counts, its cells of this task, its samples' survey."""

    model: str
    run: str
    place: Json
    cells: tuple[Cell, ...]
    survey: TaskSurvey


@dataclass(slots=True)
class TaskPage:
    """Everything on a task's page."""

    text: TaskText
    href: str
    story: Said = NOTHING
    metric: str = ""
    example: dict[str, Any] | None = None
    results: list[tuple[str, Mark]] = field(default_factory=list)
    slices: list[SliceTable] = field(default_factory=list)
    heats: list[Heat] = field(default_factory=list)
    families: list[Heat] = field(default_factory=list)
    variants: list[VariantLine] = field(default_factory=list)
    changed: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    pairs: list[PairLine] = field(default_factory=list)
    calibration: Markup = EMPTY
    numbers: list[NumberLine] = field(default_factory=list)


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


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One model under one perturbation."""

    model: str
    variant: str
    drawn: Markup
    before: Mark
    after: Mark


@dataclass(frozen=True, slots=True)
class PairLine:
    """How many pairs a model got whole, half, not at all."""

    model: str
    counts: tuple[int, int, int]
    drawn: Markup

    @property
    def total(self) -> int:
        """Number of pairs."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class NumberLine:
    """One cell in the table of all numbers."""

    model: str
    cell: Cell
    mark: Mark


def task_page(data: ReportData, task: str, surveys: Mapping[str, RunSurvey]) -> TaskPage:
    """Return a task's page."""
    text = data.tasks.get(task, TaskText(task))
    page = TaskPage(text, link("task", task=task))
    view = next((v for v in data.board["views"] if v["group"] == "accuracy"), None)
    places = _places(view, task)
    page.story = task_story(list(places.items()), text.chance)
    contenders = _contenders(data, task, places, surveys)
    frame = Frame(scale_of(places.values()), better=None)
    page.results = [
        (model, mark(place, frame, _evidence(data, place, task)))
        for model, place in places.items()
    ]
    if not contenders:
        return page
    page.metric = contenders[0].cells[0].metric
    page.example = next((c.survey.example for c in contenders if c.survey.example), None)
    page.slices, page.heats = _slices(contenders)
    page.families = _families(data, task, contenders)
    page.variants = [line for c in contenders for line in _variants(c)]
    page.changed = _changed(contenders)
    page.pairs = _pairs(contenders)
    page.calibration = reliability_chart({c.model: c.survey.sure for c in contenders})
    page.numbers = [
        NumberLine(c.model, cell, _cell_mark(cell, link("run", run=c.run, task=task)))
        for c in contenders
        for cell in c.cells
        if cell.slice is None
    ]
    return page


def _places(view: Json | None, task: str) -> dict[str, Json]:
    if view is None:
        return {}
    tasks = [column["task"] for column in view["columns"]]
    if task not in tasks:
        return {}
    return {row["model"]: row["cells"][tasks.index(task)] for row in view["rows"]}


def _evidence(data: ReportData, place: Json, task: str) -> str | None:
    run = place.get("run")
    return link("run", run=run, task=task, variant="original") if run and data.samples else None


def _contenders(
    data: ReportData,
    task: str,
    places: Mapping[str, Json],
    surveys: Mapping[str, RunSurvey],
) -> list[Contender]:
    runs = {run.name: run for run in data.runs}
    found = []
    for model, place in places.items():
        run = runs.get(place.get("run") or "")
        if run is None or place.get("value") is None:
            continue
        survey = surveys.get(run.name)
        task_survey = survey.tasks.get(task) if survey else None
        cells = tuple(cell for cell in run.cells if cell.task == task)
        found.append(Contender(model, run.name, place, cells, task_survey or TaskSurvey()))
    return found


def _cell_mark(cell: Cell, href: str | None, frame: Frame | None = None) -> Mark:
    return mark(msgspec.structs.asdict(cell), frame or Frame(scale_of([]), better=None), href)


# ---- slices ---------------------------------------------------------------------------------


def parts(name: str) -> dict[str, str]:
    """Return the fields of a slice's name.

    >>> parts("carries=2&digits=3")
    {'carries': '2', 'digits': '3'}
    """
    return dict(part.partition("=")[::2] for part in name.split("&"))


def _slices(contenders: Sequence[Contender]) -> tuple[list[SliceTable], list[Heat]]:
    keys: dict[tuple[str, ...], None] = {}
    for contender in contenders:
        for cell in contender.cells:
            if cell.slice:
                keys.setdefault(tuple(parts(cell.slice)))
    tables = [_slice_table(key[0], contenders) for key in keys if len(key) == 1]
    tables = [table for table in tables if len(table.rows) > 1]
    heats = [
        _heat(key[0], key[1], contender)
        for key in keys
        if len(key) == 2  # noqa: PLR2004 - a cross of two is a table
        for contender in contenders
    ]
    return tables, [heat for heat in heats if heat.rows]


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


def _slice_table(name: str, contenders: Sequence[Contender]) -> SliceTable:
    by_model = {c.model: _sliced(c, (name,)) for c in contenders}
    values = sorted({key[0] for cells in by_model.values() for key in cells}, key=natural)
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
    return SliceTable(name, _chart(name, by_model), tuple(by_model), tuple(rows))


def _range(cells: Sequence[Json]) -> tuple[float, float]:
    values = [cell["value"] for cell in cells if cell["value"] is not None]
    if not values:
        return 0.0, 1.0
    return min(0.0, *values), max(1.0, *values)


def _sample_mark(cell: Cell, contender: Contender, frame: Frame) -> Mark:
    href = link(
        "run", run=contender.run, task=cell.task, variant="original", slice=cell.slice
    )
    return _cell_mark(cell, href, frame)


def _chart(name: str, by_model: Mapping[str, Mapping[tuple[str, ...], Cell]]) -> Markup:
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
    return lines(name, series)


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


def _families(data: ReportData, task: str, contenders: Sequence[Contender]) -> list[Heat]:
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


# ---- variants, pairs ------------------------------------------------------------------------


def _variants(contender: Contender) -> list[VariantLine]:
    first = contender.cells[0]
    original = first.value
    out = []
    for cell in contender.cells:
        if cell.metric != first.metric or cell.slice or cell.arm != first.arm:
            continue
        if cell.variant in ("original", *ACROSS) or cell.value is None or original is None:
            continue
        href = link("run", run=contender.run, task=cell.task, variant=cell.variant)
        drawn = Markup("")
        if 0 <= original <= 1 and 0 <= cell.value <= 1:
            drawn = dumbbell(original, cell.value)
        before, after = _cell_mark(first, None), _cell_mark(cell, href)
        out.append(VariantLine(contender.model, cell.variant, drawn, before, after))
    return out


def _changed(contenders: Sequence[Contender]) -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for contender in contenders:
        for variant, examples in contender.survey.changed.items():
            if examples:
                found.setdefault(variant, [pieces(example) for example in examples])
    return list(found.items())


def pieces(example: Json) -> dict[str, Any]:
    """Return a perturbed input cut at its spans: (text, what stood there or None)."""
    text, at, cut = example["input"], 0, []
    for span in sorted(example["spans"], key=lambda item: item["start"]):
        if span["start"] < at:
            continue
        cut.append((text[at : span["start"]], None))
        cut.append((text[span["start"] : span["end"]], span["original"]))
        at = span["end"]
    cut.append((text[at:], None))
    return {"pieces": [piece for piece in cut if piece[0] or piece[1] is not None]}


def _pairs(contenders: Sequence[Contender]) -> list[PairLine]:
    out = []
    for contender in contenders:
        counts = contender.survey.both_one_none
        if counts is not None:
            drawn = bar(zip(("pb", "po", "pn"), counts, strict=True))
            out.append(PairLine(contender.model, counts, drawn))
    return out
