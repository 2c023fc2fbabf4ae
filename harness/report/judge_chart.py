"""Raw beside corrected: a dot and an interval for each estimate of a judged score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import (
    CHARACTER,
    NAME_CHARS,
    altair,
    colour,
    data_of,
    drawing,
    own_name,
    series_key,
    shape,
)
from harness.report.numbers import number
from harness.report.say import Said, say

ESTIMATES = ("raw", "ppi++", "rogan-gladen")
"""In the order in which they are drawn, listed and coloured."""
WHOLE, ROW = 344, 42
"""Pixels: of the chart with its names, and of one system's three estimates."""


def estimate_keys() -> list[tuple[Markup, Said]]:
    """Return how each estimate is drawn, and its name: the legend of the charts."""
    return [(series_key(place), say(f"judge.{name}")) for place, name in enumerate(ESTIMATES)]


@dataclass(frozen=True, slots=True)
class Estimates:
    """One system's score on one task, by estimate."""

    name: str
    cells: Mapping[str, Cell]


def estimates_chart(task: str, systems: Sequence[Estimates]) -> Markup:
    """Return the estimates of some systems on a common axis; nothing where none was corrected."""
    rows = [row for system in systems for row in _rows(system)]
    if not any(row["estimate"] != "raw" for row in rows):
        return Markup("")
    alt = altair()
    title = say("judge.axis")
    low = min(0.0, *(row["low"] for row in rows))
    high = max(1.0, *(row["high"] for row in rows))
    names = list(dict.fromkeys(row["name"] for row in rows))
    room = round(CHARACTER * max(map(len, names))) + 16
    base = alt.Chart(data_of(rows)).encode(
        y=alt.Y(
            "name:N",
            sort=names,
            title=None,
            axis=alt.Axis(domain=False, ticks=False, labelPadding=8, grid=False),
        ),
        yOffset=alt.YOffset("place:O", sort=[0, 1, 2], scale=alt.Scale(paddingOuter=0.35)),
    )
    shades = alt.Scale(domain=ESTIMATES, range=[colour(i) for i in range(len(ESTIMATES))])
    shapes = alt.Scale(domain=ESTIMATES, range=[shape(i) for i in range(len(ESTIMATES))])
    paint = alt.Color("estimate:N", scale=shades, legend=None)
    scale = alt.Scale(domain=[low, high], nice=False)
    axis = alt.X("low:Q", title=title.en, scale=scale, axis=alt.Axis(tickCount=5))
    lines = base.mark_rule(strokeWidth=1.5).encode(x=axis, x2="high:Q", color=paint)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="value:Q", color=paint, shape=alt.Shape("estimate:N", scale=shapes, legend=None)
    )
    chart = alt.layer(lines, dots).properties(width=WHOLE - room, height=ROW * len(names))
    return drawing(chart, _described(task, systems), title)


def _rows(system: Estimates) -> list[dict[str, Any]]:
    return [
        {
            "name": own_name(system.name, NAME_CHARS + 4),
            "place": place,
            "estimate": estimate,
            "value": cell.value,
            "low": cell.value if cell.low is None else cell.low,
            "high": cell.value if cell.high is None else cell.high,
        }
        for place, estimate in enumerate(ESTIMATES)
        if (cell := system.cells.get(estimate)) is not None and cell.value is not None
    ]


def _described(task: str, systems: Sequence[Estimates]) -> Said:
    """Return what the chart shows, in words."""
    told = Said("", "")
    for system in systems:
        for estimate in ESTIMATES:
            cell = system.cells.get(estimate)
            if cell is None or cell.value is None:
                continue
            values = {name: number(getattr(cell, name)) for name in ("value", "low", "high")}
            told += say(
                "judge.chart_part", name=system.name, estimate=say(f"judge.{estimate}"), **values
            )
    return say("judge.chart_alt", task=task) + told
