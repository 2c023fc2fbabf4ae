"""Whether models are right as often as they are sure: a curve each, and the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import (
    RULE,
    Palette,
    altair,
    colour,
    data_of,
    series_key,
    shape,
    specified,
    svg_of,
)
from harness.report.mark import Mark
from harness.report.say import NOTHING, Said, say
from harness.report.slice_view import Contender, cell_mark
from harness.stats.calibration import reliability

Z = 1.96
CURVES = 8
"""Models whose curves are drawn, the best first: more are a pattern, not a picture. The table has
all of them."""
SIDE = 116
"""Pixels of a panel's plot: two panels stand side by side on a phone."""
NUMBERS = (
    "ece",
    "ece_null",
    "adaptive_ece",
    "brier",
    "selective_accuracy_90",
    "confidence_auroc",
)
"""What stands in the table, where it was measured."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One model's reliability curve."""

    model: str
    key: Markup
    drawn: Markup
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything on the page about confidence."""

    panels: tuple[Panel, ...] = ()
    metrics: tuple[str, ...] = ()
    rows: tuple[tuple[str, Markup, tuple[Mark | None, ...]], ...] = ()


def calibration_view(contenders: Sequence[Contender], palette: Palette) -> Calibration:
    """Return a panel for each model that states confidences, and a table of the measures."""
    panels: list[Panel] = []
    for one in contenders:
        if len(panels) == CURVES:
            break
        drawn = reliability_chart(one.model, one.survey.sure, palette[one.model])
        if drawn:
            key = series_key(palette[one.model])
            panels.append(Panel(one.model, key, drawn, len(one.survey.sure)))
    cells = {one.model: _cells(one) for one in contenders}
    present = [name for name in NUMBERS if any(name in found for found in cells.values())]
    rows = []
    for one in contenders:
        found = cells[one.model]
        if not found:
            continue
        marks = [cell_mark(found[name], None) if name in found else None for name in present]
        rows.append((one.model, series_key(palette[one.model]), tuple(marks)))
    return Calibration(tuple(panels), tuple(present), tuple(rows))


def _cells(contender: Contender) -> dict[str, Cell]:
    arm = contender.cells[0].arm
    return {
        cell.metric: cell
        for cell in contender.cells
        if cell.metric in NUMBERS
        and (cell.arm, cell.variant, cell.slice) == (arm, "original", None)
    }


def reliability_chart(model: str, sure: Sequence[tuple[float, float]], place: int) -> Markup:
    """Return how often a model's answers are right at each confidence; nothing without any.

    `sure` has (confidence, score) of each sample; `place` is the model's colour. Upright bars say
    where 95 % of the points of an honest model with these counts would fall: the normal
    approximation of the binomial around the confidence.
    """
    rows = bins(sure)
    if not rows:
        return Markup("")
    spec = _panel(place)
    filled = {**spec, "datasets": {ROWS: rows}}
    return svg_of(filled, _described(model, rows), say("chart.sure"), say("chart.right"))


ROWS = "rows"


@cache
def _panel(place: int) -> dict[str, Any]:
    """Return a curve without its points: the same for every model of one colour."""
    alt = altair()
    unit = alt.Scale(domain=[0, 1])
    ticks = alt.Axis(values=[0, 0.5, 1], format=".1~f")
    paint = colour(place)
    base = alt.Chart(alt.NamedData(name=ROWS)).encode(
        x=alt.X("confidence:Q", title=say("chart.sure").en, scale=unit, axis=ticks)
    )
    share = alt.Y("accuracy:Q", title=say("chart.right").en, scale=unit, axis=ticks)
    diagonal = (
        alt.Chart(data_of([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
        .mark_line(strokeDash=[4, 4], color=RULE, strokeWidth=1)
        .encode(x="x:Q", y="y:Q")
    )
    honest = base.mark_rule(strokeWidth=6, opacity=0.22, color=paint).encode(y="low:Q", y2="high:Q")
    points = base.mark_point(filled=True, opacity=1, color=paint, shape=shape(place)).encode(
        y=share, size=alt.Size("n:Q", legend=None, scale=alt.Scale(range=[16, 130]))
    )
    curve = base.mark_line(strokeWidth=1.5, color=paint).encode(y=share)
    chart = alt.layer(diagonal, honest, curve, points)
    return specified(chart.properties(width=SIDE, height=SIDE))


def _described(model: str, rows: Sequence[Mapping[str, Any]]) -> Said:
    told = NOTHING
    for row in rows:
        told += say(
            "chart.sure_part",
            sure=f"{row['confidence']:.2f}",
            right=f"{row['accuracy']:.2f}",
            n=row["n"],
        )
    return say("chart.calibration", model=model) + told


def bins(sure: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Return the bins of a reliability curve, each with what an honest model would show."""
    inside = [(one, score) for one, score in sure if 0 <= one <= 1 and score in (0.0, 1.0)]
    rows = []
    for one in reliability([sure for sure, _ in inside], [score for _, score in inside]):
        half = Z * math.sqrt(one.confidence * (1 - one.confidence) / one.n)
        rows.append(
            {
                "confidence": one.confidence,
                "accuracy": one.accuracy,
                "n": one.n,
                "low": max(one.confidence - half, 0.0),
                "high": min(one.confidence + half, 1.0),
            }
        )
    return rows
