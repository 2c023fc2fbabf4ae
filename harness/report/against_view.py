"""A task's score against what it takes: size, money or tokens, time; and by number of examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import Palette, Series, curves, metric_name, own_name
from harness.report.mark import EMPTY
from harness.report.model import ReportData, RunData
from harness.report.numbers import number
from harness.report.say import NOTHING, Said, say
from harness.report.scatter import Dot, scaled, scatter, size_chart
from harness.report.slice_view import Contender
from harness.report.survey import RunSurvey
from harness.stats.rise import Rise

Json = Mapping[str, Any]
Shots = Mapping[tuple[str, str, str], tuple[int, str]]
"""(run, task, arm) → number of solved examples, and a hash of all else that was asked.

Two entries of one hash differ in their examples alone.
"""


@dataclass(frozen=True, slots=True)
class Against:
    """Charts of score against what it takes; empty where fewer than two models know it."""

    size: Markup = EMPTY
    rise: Said = NOTHING
    """Which models rise above a straight continuation of the smaller ones."""
    cost: Markup = EMPTY
    latency: Markup = EMPTY
    shots: Markup = EMPTY

    def __bool__(self) -> bool:
        """Return whether anything is drawn."""
        return bool(self.size or self.cost or self.latency)


def against(
    data: ReportData,
    contenders: Sequence[Contender],
    surveys: Mapping[str, RunSurvey],
    palette: Palette,
) -> Against:
    """Return the charts of one task."""
    first = contenders[0].cells[0]
    up, better = metric_name(first.metric), first.higher_is_better
    runs = {run.name: run for run in data.runs}
    shots = shots_chart(data, contenders, palette)
    if better is None:
        return Against(shots=shots)

    def drawn(title: Said, value: Callable[[Contender], float | None]) -> Markup:
        dots = _dots(contenders, value)
        if not dots:
            return EMPTY
        axis = scaled(title, [dot.x for dot in dots])
        return scatter(dots, axis, up, palette, better=better)

    sizes = _dots(contenders, lambda c: _size(runs[c.run]))
    size, rises = size_chart(sizes, say("chart.size"), up, palette, better=better)
    money = drawn(say("chart.money"), lambda c: _money(surveys.get(c.run), c.cells[0].task))
    return Against(
        size=size,
        rise=_risen(rises),
        cost=money or drawn(say("chart.tokens"), _tokens),
        latency=drawn(say("chart.latency"), _latency),
        shots=shots,
    )


def _dots(contenders: Sequence[Contender], value: Callable[[Contender], float | None]) -> list[Dot]:
    found = [(c, value(c)) for c in contenders]
    return [
        Dot(c.model, x, c.place["value"], c.place.get("low"), c.place.get("high"))
        for c, x in found
        if x is not None and x > 0
    ]


def _size(run: RunData) -> float | None:
    size = (run.manifest.get("model") or {}).get("parameters")
    return float(size) if isinstance(size, int | float) else None


def _money(survey: RunSurvey | None, task: str) -> float | None:
    """Return US dollars a sample, or None where a price is not known."""
    tally = survey.costs.get(task) if survey is not None else None
    if tally is None or tally.money is None or not tally.samples:
        return None
    return tally.money / tally.samples


def _plain(contender: Contender, metric: str) -> float | None:
    arm = contender.cells[0].arm
    for cell in contender.cells:
        place = (cell.metric, cell.arm, cell.variant, cell.slice)
        if place == (metric, arm, "original", None):
            return cell.value
    return None


def _tokens(contender: Contender) -> float | None:
    """Return tokens a sample, sent and generated; ranked options generate none."""
    sent = _plain(contender, "prompt_tokens")
    return None if sent is None else sent + (_plain(contender, "completion_tokens") or 0.0)


def _latency(contender: Contender) -> float | None:
    found = _plain(contender, "latency_p50")
    return _plain(contender, "latency_s") if found is None else found


def _risen(found: Sequence[tuple[Dot, Rise]]) -> Said:
    """Say which models rise above what the smaller ones foretell."""
    told = NOTHING
    for dot, rise in found:
        told += say(
            "task.rise",
            model=own_name(dot.model, 40),
            value=number(dot.score),
            expected=number(rise.expected),
            high=number(rise.high),
        )
    return told


# ---- by number of examples ----------------------------------------------------------------------


def shots_chart(data: ReportData, contenders: Sequence[Contender], palette: Palette) -> Markup:
    """Return the score by number of solved examples, where runs or tasks differ in these alone."""
    shots: Shots = data.extra.get("shots") or {}
    task = contenders[0].cells[0].task
    wanted = {likeness for (_, own, _), (_, likeness) in shots.items() if own == task}
    found: dict[str, dict[str, dict[int, Cell]]] = {}
    labels: dict[str, str] = {}
    for run in data.runs:
        name = str((run.manifest.get("model") or {}).get("name") or run.model)
        for cell in _primary(run):
            count, likeness = shots.get((run.name, cell.task, cell.arm), (0, ""))
            if likeness not in wanted or cell.value is None:
                continue
            labels.setdefault(name, run.model)
            cells = found.setdefault(name, {}).setdefault(likeness, {})
            if count not in cells or cells[count].n < cell.n:
                cells[count] = cell
    series = []
    for name, by_likeness in found.items():
        cells = max(by_likeness.values(), key=len)  # where a model was asked in several ways
        if len(cells) > 1:
            series.append(Series(name, [(float(n), cell) for n, cell in sorted(cells.items())]))
    own = {one.model: palette.get(labels[one.model], 0) for one in series}
    metric = metric_name(contenders[0].cells[0].metric)
    return curves(say("chart.shots"), metric, series, own) if series else EMPTY


def _primary(run: RunData) -> list[Cell]:
    first: dict[str, str] = {}
    return [
        cell
        for cell in run.cells
        if cell.metric == first.setdefault(cell.task, cell.metric)
        and cell.variant == "original"
        and cell.slice is None
    ]
