"""What a task's page shows: its question, one sample, the picture that fits it, all numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness.records import Cell
from harness.report.board_view import colours
from harness.report.charts import reliability_chart
from harness.report.mark import EMPTY, Frame, Mark, link, mark
from harness.report.marks import bar, dumbbell, scale_of
from harness.report.model import ReportData, TaskText
from harness.report.say import NOTHING, Said
from harness.report.slice_view import (
    Contender,
    Heat,
    SliceTable,
    arm_table,
    cell_mark,
    family_heats,
    slice_tables,
)
from harness.report.story import task_story
from harness.report.survey import RunSurvey, TaskSurvey

ACROSS = ("worst", "mean_drop")
Json = Mapping[str, Any]


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
    arms: SliceTable | None = None
    heats: list[Heat] = field(default_factory=list)
    families: list[Heat] = field(default_factory=list)
    variants: list[VariantLine] = field(default_factory=list)
    drops: list[NumberLine] = field(default_factory=list)
    """Mean drop over the perturbed copies, with its paired interval."""
    changed: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    pairs: list[SplitLine] = field(default_factory=list)
    grades: list[SplitLine] = field(default_factory=list)
    """Correct, not attempted, incorrect; the most incorrect model first."""
    mistakes: list[MistakeLine] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    calibration: Markup = EMPTY
    numbers: list[NumberLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One model under one perturbation."""

    model: str
    variant: str
    drawn: Markup
    before: Mark
    after: Mark


@dataclass(frozen=True, slots=True)
class SplitLine:
    """A model's samples, or pairs, split in three."""

    model: str
    counts: tuple[int, int, int]
    drawn: Markup

    @property
    def total(self) -> int:
        """Number of samples or pairs."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class MistakeLine:
    """One class of mistakes: each model's count, and its share of that model's mistakes."""

    name: str
    cells: tuple[tuple[int, str, Markup], ...]


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
        (model, mark(place, frame, _evidence(data, place, task))) for model, place in places.items()
    ]
    if not contenders:
        return page
    palette = colours(data.board)
    page.metric = contenders[0].cells[0].metric
    page.example = next((c.survey.example for c in contenders if c.survey.example), None)
    page.slices, page.heats = slice_tables(contenders, palette)
    page.arms = arm_table(contenders, palette)
    page.families = family_heats(data, task, contenders)
    page.variants = [line for c in contenders for line in _variants(c)]
    page.drops = [
        NumberLine(c.model, cell, cell_mark(cell, None))
        for c in contenders
        for cell in c.cells
        if cell.variant == "mean_drop" and cell.value is not None
    ]
    page.changed = _changed(contenders)
    page.pairs = _pairs(contenders)
    page.grades = _grades(contenders)
    page.models = [c.model for c in contenders]
    page.mistakes = _mistakes(contenders)
    page.calibration = reliability_chart({c.model: c.survey.sure for c in contenders}, palette)
    page.numbers = [
        NumberLine(c.model, cell, cell_mark(cell, link("run", run=c.run, task=task)))
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
        before, after = cell_mark(first, None), cell_mark(cell, href)
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


def _pairs(contenders: Sequence[Contender]) -> list[SplitLine]:
    out = []
    for contender in contenders:
        counts = contender.survey.both_one_none
        if counts is not None:
            drawn = bar(zip(("pb", "po", "pn"), counts, strict=True))
            out.append(SplitLine(contender.model, counts, drawn))
    return out


def _grades(contenders: Sequence[Contender]) -> list[SplitLine]:
    out = []
    for contender in contenders:
        first = contender.cells[0]
        values = {
            cell.metric: cell
            for cell in contender.cells
            if (cell.arm, cell.variant, cell.slice) == (first.arm, "original", None)
        }
        right, wrong = values.get("correct"), values.get("incorrect")
        if right is None or wrong is None or right.value is None or wrong.value is None:
            continue
        counts = round(right.value * right.n), round(wrong.value * wrong.n)
        split = (counts[0], max(right.n - sum(counts), 0), counts[1])
        drawn = bar(zip(("gc", "gn", "gi"), split, strict=True))
        out.append(SplitLine(contender.model, split, drawn))
    return sorted(out, key=lambda line: -line.counts[2] / max(line.total, 1))


def _mistakes(contenders: Sequence[Contender]) -> list[MistakeLine]:
    found = [contender.survey.mistakes for contender in contenders]
    names = Counter[str]()
    for one in found:
        names.update(one)
    lines = []
    for name, _ in names.most_common():
        cells = []
        for one in found:
            total = sum(one.values())
            share = one[name] / total if total else 0.0
            drawn = bar([("pb", one[name]), ("void", total - one[name])]) if total else EMPTY
            cells.append((one[name], f"{share:.0%}", drawn))
        lines.append(MistakeLine(name, tuple(cells)))
    return lines
