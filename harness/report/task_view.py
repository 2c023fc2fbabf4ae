"""What a task's page shows: its question, one sample, the pictures that fit it, all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness.records import Cell
from harness.report.against_view import Against, against
from harness.report.answer_view import Mistakes, Split, grades, mistakes, pairs
from harness.report.board_view import colours
from harness.report.calibration_view import Calibration, calibration_view
from harness.report.charts import Palette, metric_name, series_key
from harness.report.mark import Frame, Mark, link, mark
from harness.report.marks import scale_of
from harness.report.model import ReportData, TaskText
from harness.report.say import NOTHING, Said, known, say
from harness.report.slice_view import (
    Contender,
    HeatGroup,
    Slices,
    WordTable,
    arm_table,
    cell_mark,
    family_heats,
    slices,
)
from harness.report.story import task_story
from harness.report.survey import RunSurvey, TaskSurvey
from harness.report.variant_view import AcrossLine, Variant, across, variants

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One model's primary score."""

    model: str
    key: Markup
    mark: Mark


@dataclass(frozen=True, slots=True)
class NumberLine:
    """One cell in the table of all numbers."""

    model: str
    cell: Cell
    mark: Mark


@dataclass(slots=True)
class TaskPage:
    """Everything on a task's page."""

    text: TaskText
    href: str
    story: Said = NOTHING
    metric: Said = NOTHING
    about_metric: Said = NOTHING
    """What the primary metric is, its direction, and what guessing scores."""
    example: dict[str, Any] | None = None
    results: list[ResultLine] = field(default_factory=list)
    slices: Slices = field(default_factory=lambda: Slices([], [], []))
    arms: WordTable | None = None
    families: list[HeatGroup] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    across: list[AcrossLine] = field(default_factory=list)
    pairs: Split = field(default_factory=Split)
    grades: Split = field(default_factory=Split)
    mistakes: Mistakes = field(default_factory=Mistakes)
    calibration: Calibration = field(default_factory=Calibration)
    against: Against = field(default_factory=Against)
    numbers: list[NumberLine] = field(default_factory=list)


def task_page(data: ReportData, task: str, surveys: Mapping[str, RunSurvey]) -> TaskPage:
    """Return a task's page."""
    text = data.tasks.get(task, TaskText(task))
    page = TaskPage(text, link("task", task=task))
    view = next((v for v in data.board["views"] if v["group"] == "accuracy"), None)
    places = _places(view, task)
    palette = colours(data.board)
    page.story = task_story(list(places.items()), text.chance)
    frame = Frame(scale_of(places.values()), better=None)
    page.results = [
        ResultLine(model, series_key(palette[model]), mark(place, frame, _seen(data, place, task)))
        for model, place in places.items()
    ]
    contenders = _contenders(data, task, places, surveys)
    if contenders:
        _measured(page, contenders, palette, data)
        page.against = against(data, contenders, surveys, palette)
    return page


def _measured(
    page: TaskPage, contenders: Sequence[Contender], palette: Palette, data: ReportData
) -> None:
    """Fill in what the models' cells and samples say."""
    first = contenders[0].cells[0]
    page.metric, page.about_metric = metric_name(first.metric), _about(first, page.text.chance)
    page.example = next((c.survey.example for c in contenders if c.survey.example), None)
    page.slices = slices(contenders, palette)
    page.arms = arm_table(contenders, palette)
    page.families = family_heats(data, page.text.task, contenders)
    page.variants = variants(contenders, palette)
    page.across = across(contenders, palette)
    page.pairs = pairs(contenders, palette)
    page.grades = grades(contenders, palette)
    page.mistakes = mistakes(contenders, palette, data.extra.get("chance"))
    page.calibration = calibration_view(contenders, palette)
    page.numbers = [
        NumberLine(c.model, cell, cell_mark(cell, _samples(c, cell)))
        for c in contenders
        for cell in c.cells
        if cell.slice is None
    ]


def _samples(contender: Contender, cell: Cell) -> str:
    """Return the address of a cell's samples."""
    arm = cell.arm if contender.several else None
    return link("run", run=contender.run, task=cell.task, arm=arm)


def _about(cell: Cell, chance: float | None) -> Said:
    """Return what the primary metric is, which way is better, and what guessing scores."""
    told = known(f"metric.about.{cell.metric}", "")
    if cell.higher_is_better is not None:
        told += say("task.higher" if cell.higher_is_better else "task.lower")
    if chance is not None:
        told += say("task.chance", chance=f"{chance:g}")
    return told


def _places(view: Json | None, task: str) -> dict[str, Json]:
    if view is None:
        return {}
    tasks = [column["task"] for column in view["columns"]]
    if task not in tasks:
        return {}
    return {row["model"]: row["cells"][tasks.index(task)] for row in view["rows"]}


def _seen(data: ReportData, place: Json, task: str) -> str | None:
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
        several = len({cell.arm for cell in cells}) > 1
        task_survey = task_survey or TaskSurvey()
        found.append(Contender(model, run.name, place, cells, task_survey, several=several))
    return found
