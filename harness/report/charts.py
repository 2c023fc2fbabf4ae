"""Real charts, by Altair, as inline SVG whose colours are classes of the style sheet."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from harness.records import Cell
from harness.report.numbers import number
from harness.report.say import Said, say
from harness.stats.calibration import reliability

COLOURS = 8
"""Series that have a colour of their own: s0 … s7."""
DIRECT = 4
"""Up to so many series carry their names at their ends; more get a legend."""
Z = 1.96
WIDTH, HEIGHT = 460, 220
LABEL_GAP = 0.07
"""Least distance between two names at the ends of lines, in units of the axis."""
_HEX = {f"#a0000{index}": f"s{index}" for index in range(COLOURS)}
_INK, _RULE = "#a00010", "#a00011"
_HEX |= {_INK: "ink", _RULE: "rule"}


Palette = Mapping[str, int]
"""Model → number of its colour: the same on every page of a report."""


@dataclass(frozen=True, slots=True)
class Series:
    """One model's points, in rising order."""

    model: str
    points: Sequence[tuple[float, Cell]]


def colour(position: int) -> str:
    """Return the placeholder that `themed` turns into a class."""
    return f"#a0000{position % COLOURS}"


def lines(name: str, series: Sequence[Series], palette: Palette) -> Markup:
    """Return the primary metric by a numeric slice: a line and a band for each model."""
    if not series:
        return Markup("")
    alt = _altair()
    rows: list[dict[str, Any]] = [
        {
            "x": x,
            "value": cell.value,
            "low": cell.value if cell.low is None else cell.low,
            "high": cell.value if cell.high is None else cell.high,
            "model": one.model,
        }
        for one in series
        for x, cell in one.points
    ]
    metric = series[0].points[0][1].metric
    xs = sorted({row["x"] for row in rows})
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("x:Q", title=name, axis=alt.Axis(values=xs, format="d", grid=False)),
        color=_colours(alt, [one.model for one in series], palette),
    )
    top = max(1.0, *(row["high"] for row in rows))
    y = alt.Y("value:Q", title=metric.replace("_", " "), scale=alt.Scale(domain=[0, top]))
    layers = [
        base.mark_area(opacity=0.16).encode(y="low:Q", y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_point(filled=True, size=28, opacity=1).encode(y="value:Q"),
    ]
    if len(series) <= DIRECT:
        layers.append(_end_labels(alt, series, top))
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return drawing(chart, _described(f"{metric} by {name}", series))


def _altair() -> Any:
    import altair as alt  # noqa: PLC0415 - a second to import, and only pages need it

    return alt


def _colours(alt: Any, models: Sequence[str], palette: Palette, direct: int = DIRECT) -> Any:
    """Return the colour of each model; a legend only where there are more than `direct`."""
    legend = None
    if len(models) > direct:
        legend = alt.Legend(
            title=None, orient="bottom", columns=2, columnPadding=16, symbolOpacity=1
        )
    scale = alt.Scale(domain=list(models), range=[colour(palette[model]) for model in models])
    return alt.Color("model:N", scale=scale, legend=legend)


def _end_labels(alt: Any, series: Sequence[Series], top: float) -> Any:
    ends: list[dict[str, Any]] = []
    for one in series:
        x, cell = one.points[-1]
        ends.append({"x": x, "y": float(cell.value or 0), "model": one.model.split("/", 1)[-1]})
    for end, y in zip(ends, spaced([end["y"] for end in ends], top), strict=True):
        end["y"] = y
    return (
        alt.Chart(alt.Data(values=ends))
        .mark_text(align="left", dx=8, color=_INK)
        .encode(x="x:Q", y="y:Q", text="model:N")
    )


def spaced(values: Sequence[float], top: float) -> list[float]:
    """Return positions near `values`, in the same order, far enough apart to read.

    >>> [round(y, 2) for y in spaced([0.0, 0.01, 0.9], 1.0)]
    [0.0, 0.07, 0.9]
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    out = [float(value) for value in values]
    at = -1.0
    for i in order:
        out[i] = at = max(values[i], at + LABEL_GAP * top)
    return out


def _described(title: str, series: Sequence[Series]) -> str:
    parts = []
    for one in series:
        steps = ", ".join(f"{x:g}: {number(cell.value)}" for x, cell in one.points)
        parts.append(f"{one.model}: {steps}")
    return f"{title}. " + "; ".join(parts)


def reliability_chart(
    sure: Mapping[str, Sequence[tuple[float, float]]], palette: Palette
) -> Markup:
    """Return how often answers are right at each confidence, for models that state one.

    Upright bars say where 95 % of the points of an honest model with these counts would fall:
    the normal approximation of the binomial around the confidence.
    """
    rows = [row for model, pairs in sure.items() for row in _bins(model, pairs)]
    if not rows:
        return Markup("")
    alt = _altair()
    sure_title, right = say("chart.sure"), say("chart.right")
    models = list(dict.fromkeys(row["model"] for row in rows))
    unit = alt.Scale(domain=[0, 1])
    ticks = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f")
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("confidence:Q", title=sure_title.en, scale=unit, axis=ticks),
        color=_colours(alt, models, palette, direct=1),
    )
    share = alt.Y("accuracy:Q", title=right.en, scale=unit, axis=ticks)
    diagonal = (
        alt.Chart(alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
        .mark_line(strokeDash=[4, 4], color=_RULE, strokeWidth=1)
        .encode(x="x:Q", y="y:Q")
    )
    honest = base.mark_rule(strokeWidth=5, opacity=0.22).encode(y="low:Q", y2="high:Q")
    points = base.mark_point(filled=True, opacity=0.9).encode(
        y=share, size=alt.Size("n:Q", legend=None, scale=alt.Scale(range=[20, 240]))
    )
    curve = base.mark_line(strokeWidth=1.5).encode(y=share)
    chart = alt.layer(diagonal, honest, curve, points).properties(width=300, height=260)
    words = "; ".join(
        f"{row['model']}: confidence {row['confidence']:.2f}, right {row['accuracy']:.2f}, "
        f"n {row['n']}"
        for row in rows
    )
    return drawing(chart, f"Calibration. {words}", sure_title, right)


def _bins(model: str, pairs: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    inside = [(sure, score) for sure, score in pairs if 0 <= sure <= 1 and score in (0.0, 1.0)]
    rows = []
    for one in reliability([sure for sure, _ in inside], [score for _, score in inside]):
        half = Z * math.sqrt(one.confidence * (1 - one.confidence) / one.n)
        rows.append(
            {
                "model": model,
                "confidence": one.confidence,
                "accuracy": one.accuracy,
                "n": one.n,
                "low": max(one.confidence - half, 0.0),
                "high": min(one.confidence + half, 1.0),
            }
        )
    return rows


def cost_chart(points: Sequence[Mapping[str, Any]], title: Said, palette: Palette) -> Markup:
    """Return score against cost, one point a model, the efficient frontier as a line.

    A point has `model`, `cost` and `score`; on the frontier nothing is both cheaper and better.
    """
    if len(points) < 2:  # noqa: PLR2004 - one point compares nothing
        return Markup("")
    alt = _altair()
    score = say("chart.score")
    rows = [{**point, "name": point["model"].split("/", 1)[-1]} for point in points]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("cost:Q", title=title.en, scale=alt.Scale(zero=True, nice=True)),
        y=alt.Y("score:Q", title=score.en, scale=alt.Scale(domain=[0, 1])),
    )
    line = alt.Chart(alt.Data(values=efficient(rows))).mark_line(
        interpolate="step-after", color=_RULE, strokeWidth=1.5, strokeDash=[4, 3]
    )
    models = [point["model"] for point in points]
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(
        color=_colours(alt, models, palette, direct=len(models))
    )
    names = base.mark_text(align="left", dx=9, color=_INK).encode(text="name:N")
    chart = alt.layer(line.encode(x="cost:Q", y="score:Q"), dots, names)
    words = "; ".join(f"{p['model']}: {p['cost']:.4g}, score {p['score']:.2f}" for p in points)
    return drawing(
        chart.properties(width=WIDTH, height=HEIGHT), f"{title.en}: {words}", title, score
    )


def efficient(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the points that no other beats in both cost and score, by rising cost.

    >>> rows = [{"cost": 2, "score": 0.5}, {"cost": 1, "score": 0.4}, {"cost": 3, "score": 0.5}]
    >>> [row["cost"] for row in efficient(rows)]
    [1, 2]
    """
    best = -math.inf
    kept = []
    for point in sorted(points, key=lambda point: (point["cost"], -point["score"])):
        if point["score"] > best:
            best = point["score"]
            kept.append(point)
    return kept


def drawing(chart: Any, words: str, *titles: Said) -> Markup:
    """Return an Altair chart as SVG, with `words` in its place for those who cannot see it.

    `titles` are the texts in it that have two languages; it is drawn with the English ones.
    """
    import vl_convert  # noqa: PLC0415

    quiet = chart.configure(
        background="transparent",
        font="system-ui, sans-serif",
    )
    quiet = quiet.configure_view(strokeWidth=0).configure_axis(
        labelColor=_INK,
        titleColor=_INK,
        tickColor=_RULE,
        domainColor=_RULE,
        gridColor=_RULE,
        gridOpacity=0.35,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
    )
    quiet = quiet.configure_legend(labelColor=_INK, labelFontSize=12, labelLimit=260)
    quiet = quiet.configure_text(fontSize=12)
    return themed(vl_convert.vegalite_to_svg(quiet.to_dict()), words, *titles)


def themed(svg: str, words: str, *titles: Said) -> Markup:
    """Return SVG with colours turned into classes, scalable, and labelled.

    `f-…` fills and `k-…` strokes; the style sheet says what each class looks like in either theme.
    """
    for code, name in _HEX.items():
        svg = svg.replace(f'fill="{code}"', f'class="f-{name}"')
        svg = svg.replace(f'stroke="{code}"', f'class="k-{name}"')
    svg = re.sub(r'class="(\S+)"([^>]*) class="(\S+)"', r'class="\1 \3"\2', svg)
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    svg = svg.replace(' class="marks"', "", 1)
    for title in titles:
        svg = _in_both(svg, title)
    head = f'<svg class="chart" role="img" aria-label="{escape(words)}" '
    return Markup(svg.replace("<svg ", head, 1))  # noqa: S704 - drawn by vl-convert, text escaped


def _in_both(svg: str, title: Said) -> str:
    """Return SVG in which a text element stands once in each language."""
    english, chinese = str(escape(title.en)), str(escape(title.zh))

    def twice(found: re.Match[str]) -> str:
        attributes = found[1].replace(' class="', ' class="{} ')
        one = f"<text{attributes}>".replace("{}", "en") + english + "</text>"
        return one + f"<text{attributes}>".replace("{}", "zh") + chinese + "</text>"

    return re.sub(rf"<text([^>]*)>{re.escape(english)}</text>", twice, svg)
