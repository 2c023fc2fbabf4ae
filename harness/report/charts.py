"""Real charts, by Altair, as inline SVG whose colours are classes of the style sheet.

All are at most 352 pixels wide, so that they stand side by side on a desk and fit a phone as they
are. A model has its colour, shape and dash on every page; `series_key` draws them beside its name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from harness.records import Cell
from harness.report.blocks import short
from harness.report.numbers import number
from harness.report.say import Said, known, say

COLOURS = 8
"""Series that have a colour of their own: s0 … s7."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DASHES = ([1, 0], [6, 3], [2, 2])
SOLID = 5
"""The first colours differ enough for every eye; series beyond them get dashes as well."""
DIRECT = 4
"""Up to so many series carry their names at their ends, and a band around their lines."""
ROOM = 302
"""Pixels for a plot and what stands to its right; axes on the left take the rest of 352."""
HEIGHT = 190
CHARACTER = 6.8
"""Pixels of a character of a label, on average."""
NAME_CHARS = 14
LABEL_GAP = 0.08
"""Least distance between two names at the ends of lines, in units of the axis."""
TICK_GAP = 0.095
"""Least distance between two labelled values below lines, as a share of the axis."""
INK, RULE = "#a00010", "#a00011"
"""Placeholders that `themed` turns into classes."""
_HEX = {f"#a0000{index}": f"s{index}" for index in range(COLOURS)}
_HEX |= {INK: "ink", RULE: "rule"}


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


def shape(position: int) -> str:
    """Return the shape of a series' points; with the colour it tells 24 series apart."""
    return SHAPES[position % len(SHAPES)]


def dash(position: int) -> list[int]:
    """Return the dashes of a series' line.

    >>> dash(0), dash(5), dash(13)
    ([1, 0], [6, 3], [2, 2])
    """
    return DASHES[min((position + COLOURS - SOLID) // COLOURS, len(DASHES) - 1)]


_MARKS = {
    "circle": '<circle{} cx="12" cy="6" r="3.2"/>',
    "square": '<path{} d="M9 3h6v6H9z"/>',
    "triangle-up": '<path{} d="M12 2l4 7H8z"/>',
    "diamond": '<path{} d="M12 1.5L16 6l-4 4.500L8 6z"/>',
    "cross": '<path{} d="M11 2h2v3h3v2h-3v3h-2V7H8V5h3z"/>',
    "triangle-down": '<path{} d="M12 10L8 3h8z"/>',
}


def series_key(position: int) -> Markup:
    """Return the line and the point of a series, to stand beside its name."""
    name = f"s{position % COLOURS}"
    drawn = _MARKS[shape(position)].format(f' class="f-{name}"')
    dashes = dash(position)
    cut = "" if not dashes[1] else f' stroke-dasharray="{dashes[0]} {dashes[1]}"'
    return Markup(  # noqa: S704 - our own names and numbers
        '<svg class="sk" viewBox="0 0 24 12" aria-hidden="true">'
        f'<path class="k-{name}" stroke-width="1.5"{cut} d="M0 6H24"/>{drawn}</svg>'
    )


def metric_name(metric: str) -> Said:
    """Return how a metric is called in running text."""
    return known(f"metric.{metric}", metric.replace("_", " "))


def slice_name(name: str) -> Said:
    """Return how a slice is called on an axis or above a column."""
    return known(f"slice.{name}", name.replace("_", " "))


def own_name(model: str, limit: int = NAME_CHARS) -> str:
    """Return a model's name without its provider, cut to fit a label."""
    return short(model.rsplit("/", 1)[-1] or model, limit)


def lines(name: str, series: Sequence[Series], palette: Palette) -> Markup:
    """Return the primary metric by a numeric slice: a line for each model, with bands if few."""
    if not series:
        return Markup("")
    metric = metric_name(series[0].points[0][1].metric)
    return curves(slice_name(name), metric, series, palette)


def curves(across: Said, up: Said, series: Sequence[Series], palette: Palette) -> Markup:
    """Return cells by a number as lines: `across` and `up` are the titles of the axes."""
    alt = altair()
    rows = [_point(x, cell, one.model) for one in series for x, cell in one.points]
    xs = sorted({row["x"] for row in rows})
    steep = xs[-1] > 8 * max(xs[0], 1)  # 0, 1, 2, 4, 8, 16: doublings deserve equal steps
    scale = alt.Scale(type="symlog" if steep else "linear", nice=False, zero=False)
    axis = alt.Axis(values=marked(xs, steep=steep), format="~g", grid=False)
    base = alt.Chart(data_of(rows)).encode(
        x=alt.X("x:Q", title=across.en, scale=scale, axis=axis),
        color=colours([one.model for one in series], palette),
    )
    low, top = min(0.0, *(row["low"] for row in rows)), max(1.0, *(row["high"] for row in rows))
    y = alt.Y("value:Q", title=up.en, scale=alt.Scale(domain=[low, top]))
    models = [one.model for one in series]
    few = len(series) <= DIRECT
    layers = [base.mark_area(opacity=0.16).encode(y="low:Q", y2="high:Q")] if few else []
    layers += [
        base.mark_line(strokeWidth=2 if few else 1.5).encode(
            y=y, strokeDash=_scaled(alt.StrokeDash, models, [dash(palette[m]) for m in models])
        ),
        base.mark_point(filled=True, size=34, opacity=1).encode(
            y="value:Q", shape=shapes(models, palette)
        ),
    ]
    room = ROOM - 10
    if few:
        layers.append(_end_labels(series, (low, top)))
        room = ROOM - round(CHARACTER * max(len(own_name(one)) for one in models)) - 8
    chart = alt.layer(*layers).properties(width=room, height=HEIGHT)
    return drawing(chart, _described(say("chart.by", metric=up, slice=across), series), across, up)


def marked(xs: Sequence[float], *, steep: bool = False) -> list[float]:
    """Return those of the rising `xs` whose labels have room on the axis, the first always.

    >>> marked([1, 2, 3]), len(marked(list(range(40))))
    ([1, 2, 3], 10)
    """
    at = [math.log1p(max(x, 0.0)) if steep else x for x in xs]
    gap = TICK_GAP * (at[-1] - at[0])
    kept = [0]
    for i in range(1, len(xs)):
        if at[i] - at[kept[-1]] >= gap:
            kept.append(i)
    return [xs[i] for i in kept]


def _point(x: float, cell: Cell, model: str) -> dict[str, Any]:
    return {
        "x": x,
        "value": cell.value,
        "low": cell.value if cell.low is None else cell.low,
        "high": cell.value if cell.high is None else cell.high,
        "model": model,
    }


def altair() -> Any:
    """Return the library."""
    import altair as alt  # noqa: PLC0415 - a second to import, and only pages need it

    return alt


def data_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as the data of a chart: a tuple, for Altair copies lists with every layer."""
    return altair().Data(values=tuple(rows))


def _scaled(channel: Any, models: Sequence[str], values: Sequence[Any]) -> Any:
    scale = altair().Scale(domain=list(models), range=list(values))
    return channel("model:N", scale=scale, legend=None)


def colours(models: Sequence[str], palette: Palette) -> Any:
    """Return the colour of each model; the keys beside the names serve as legend."""
    return _scaled(altair().Color, models, [colour(palette[model]) for model in models])


def shapes(models: Sequence[str], palette: Palette) -> Any:
    """Return the shape of each model's points."""
    return _scaled(altair().Shape, models, [shape(palette[model]) for model in models])


def _end_labels(series: Sequence[Series], axis: tuple[float, float]) -> Any:
    alt = altair()
    ends: list[dict[str, Any]] = []
    for one in series:
        x, cell = one.points[-1]
        ends.append({"x": x, "y": float(cell.value or 0), "model": own_name(one.model)})
    for end, y in zip(ends, spaced([end["y"] for end in ends], *axis), strict=True):
        end["y"] = y
    return (
        alt.Chart(data_of(ends))
        .mark_text(align="left", dx=8, color=INK)
        .encode(x="x:Q", y="y:Q", text="model:N")
    )


def spaced(values: Sequence[float], low: float, top: float) -> list[float]:
    """Return positions near `values`, in the same order, far enough apart to read.

    Those that would stand above the axis push the others down.

    >>> [round(y, 2) for y in spaced([0.0, 0.01, 0.9], 0.0, 1.0)]
    [0.0, 0.08, 0.9]
    >>> [round(y, 2) for y in spaced([1.0, 1.0], 0.0, 1.0)]
    [0.92, 1.0]
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    gap, out = LABEL_GAP * (top - low), [float(value) for value in values]
    at = low - gap
    for i in order:
        out[i] = at = max(values[i], at + gap)
    at = top + gap
    for i in reversed(order):
        out[i] = at = min(out[i], at - gap)
    return out


def _described(title: Said, series: Sequence[Series]) -> Said:
    told = []
    for one in series:
        steps = ", ".join(f"{x:g}: {number(cell.value)}" for x, cell in one.points)
        told.append(f"{one.model}: {steps}")
    return title + Said("; ".join(told), "；".join(told))


CONFIG = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"strokeWidth": 0},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "tickColor": RULE,
        "domainColor": RULE,
        "gridColor": RULE,
        "gridOpacity": 0.35,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "labelLimit": 260},
    "text": {"fontSize": 12},
}
"""What all charts share; set on the finished specification, for Altair copies a chart whole with
every setting."""


def drawing(chart: Any, words: Said | str, *titles: Said) -> Markup:
    """Return an Altair chart as SVG, with `words` in its place for those who cannot see it.

    `titles` are the texts in it that have two languages; it is drawn with the English ones.
    """
    return svg_of(specified(chart), words, *titles)


def specified(chart: Any) -> dict[str, Any]:
    """Return an Altair chart as Vega-Lite in the style of the pages."""
    spec: dict[str, Any] = chart.to_dict(validate=False)
    spec["config"] = {**spec.get("config", {}), **CONFIG}
    return spec


def svg_of(spec: dict[str, Any], words: Said | str, *titles: Said) -> Markup:
    """Return a Vega-Lite specification as SVG, as `drawing` does with a chart."""
    import vl_convert  # noqa: PLC0415

    return themed(vl_convert.vegalite_to_svg(spec), words, *titles)


def themed(svg: str, words: Said | str, *titles: Said) -> Markup:
    """Return SVG with colours turned into classes, scalable, and labelled in both languages.

    `f-…` fills and `k-…` strokes; the style sheet says what each class looks like in either theme.
    The script shows the label of the language that is on (`data-label-…`); without it, English.
    """
    for code, name in _HEX.items():
        svg = svg.replace(f'fill="{code}"', f'class="f-{name}"')
        svg = svg.replace(f'stroke="{code}"', f'class="k-{name}"')
    svg = re.sub(r'class="(\S+)"([^>]*) class="(\S+)"', r'class="\1 \3"\2', svg)
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    svg = svg.replace(' class="marks"', "", 1)
    for title in titles:
        svg = _in_both(svg, title)
    english, chinese = words if isinstance(words, Said) else (words, "")
    label = f'aria-label="{escape(english)}"'
    if chinese:
        label += f' data-label-en="{escape(english)}" data-label-zh="{escape(chinese)}"'
    head = f'<svg class="chart" role="img" {label} '
    return Markup(svg.replace("<svg ", head, 1))  # noqa: S704 - drawn by vl-convert, text escaped


def _in_both(svg: str, title: Said) -> str:
    """Return SVG in which a text element stands once in each language."""
    english, chinese = str(escape(title.en)), str(escape(title.zh))
    if english == chinese:
        return svg

    def twice(found: re.Match[str]) -> str:
        attributes = found[1].replace(' class="', ' class="{} ')
        one = f"<text{attributes}>".replace("{}", "en") + english + "</text>"
        return one + f"<text{attributes}>".replace("{}", "zh") + chinese + "</text>"

    return re.sub(rf"<text([^>]*)>{re.escape(english)}</text>", twice, svg)
