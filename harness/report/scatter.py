"""Score against what it takes: size, money, tokens, time. One point a model, named beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from harness.report.charts import (
    CHARACTER,
    HEIGHT,
    INK,
    ROOM,
    RULE,
    Palette,
    altair,
    colours,
    data_of,
    drawing,
    own_name,
    shapes,
)
from harness.report.numbers import number
from harness.report.say import Said, say
from harness.stats.rise import Point as Sized
from harness.stats.rise import Rise, continuations

WIDTH = ROOM
REACH = 0.08
"""Empty axis on either side of the points, as a share of their range."""
WIDE = 8.0
"""Above this ratio of the largest to the smallest an axis is logarithmic."""
Z = 1.96
LONG = 20
"""Characters of a name beside a point."""
TALL, DOT = 13, 5
"""Pixels: height of a label, half the width of a point."""
SPOTS: Mapping[str, tuple[str, int, int]] = {
    "right": ("left", 8, 0),
    "left": ("right", -8, 0),
    "above": ("center", 0, -12),
    "below": ("center", 0, 13),
    "up-right": ("left", 4, -12),
    "up-left": ("right", -4, -12),
    "down-right": ("left", 4, 13),
    "down-left": ("right", -4, 13),
}
"""Where a name may stand: its alignment, and its place from the point in pixels."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One model: what it takes and what it scores."""

    model: str
    x: float
    score: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """What stands below a chart."""

    title: Said
    log: bool = False
    low: float = 0.0
    high: float = 1.0

    def at(self, value: float) -> float:
        """Return a position in 0…1."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return (value - low) / (high - low)

    @property
    def ticks(self) -> list[float] | None:
        """Return powers of ten, between them 2 and 5 where these are few; None: as it comes."""
        if not self.log:
            return None
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5)):
            found = [step * 10.0**power for power in powers for step in steps]
            inside = [tick for tick in found if self.low <= tick <= self.high]
            if len(inside) > 2:  # noqa: PLR2004 - three marks make a scale
                break
        return inside


def scaled(title: Said, values: Sequence[float], *, log: bool | None = None) -> Axis:
    """Return an axis with room on both sides; `log` None: where the values span a wide ratio.

    >>> axis = scaled(Said("x", "x"), [1.0, 2.0])
    >>> axis.log, axis.low, axis.high
    (False, 0.0, 2.16)
    """
    low, high = min(values), max(values)
    if log is None:
        log = low > 0 and high / low > WIDE
    if not log:
        top = high if high > 0 else 1.0
        return Axis(title, log=False, low=min(low, 0.0), high=top * (1 + REACH))
    room = (high / low) ** REACH if high > low else 3.0
    return Axis(title, log=True, low=low / room, high=high * room)


def scatter(
    dots: Sequence[Dot],
    axis: Axis,
    up: Said,
    palette: Palette,
    *,
    better: bool = True,
    rises: Sequence[Rise] = (),
) -> Markup:
    """Return score against cost with intervals and the efficient frontier.

    Nothing where all cost the same: one point, or one column of points, compares nothing.

    `better`: whether more is better. `rises` are continuations to be drawn: a dashed line to where
    the smaller models point, and the prediction interval there.
    """
    if len({dot.x for dot in dots}) < 2:  # noqa: PLR2004 - as said
        return Markup("")
    alt = altair()
    ends = [end for dot in dots for end in (dot.score, dot.low, dot.high) if end is not None]
    y = Axis(up, low=min(0.0, *ends), high=max(1.0, *ends))
    across = alt.Scale(type="log" if axis.log else "linear", domain=[axis.low, axis.high],
                       nice=False)  # fmt: skip
    ticks = alt.Axis(values=axis.ticks, tickCount=4, grid=False, labelExpr=SHORT,
                     labelOverlap=True) if axis.ticks else alt.Axis(
                     tickCount=4, grid=False, labelExpr=SHORT)  # fmt: skip
    x_of = alt.X("x:Q", title=axis.title.en, scale=across, axis=ticks)
    y_of = alt.Y("score:Q", title=up.en, scale=alt.Scale(domain=[y.low, y.high], nice=False))
    rows = [_row(dot) for dot in dots]
    models = [dot.model for dot in dots]
    base = alt.Chart(data_of(rows)).encode(x=x_of, y=y_of, color=colours(models, palette))
    best = efficient(rows, better=better)
    layers = [
        alt.Chart(data_of(best))
        .mark_line(interpolate="step-after", color=RULE, strokeWidth=1.5, strokeDash=[4, 3])
        .encode(x=x_of, y=y_of),
        *_foretold(rises, x_of, y_of),
        base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(shape=shapes(models, palette)),
        *_names(dots, best, axis, y),
    ]
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return drawing(chart, _described(dots, axis.title, up, best), axis.title, up)


SHORT = (
    "abs(datum.value) >= 1000 ? replace(format(datum.value, '~s'), 'G', 'B')"
    " : format(datum.value, '~g')"
)
"""59k, 1.5M, 8B: as sizes of models are written."""


def _row(dot: Dot) -> dict[str, Any]:
    return {
        "model": dot.model,
        "x": dot.x,
        "score": dot.score,
        "low": dot.score if dot.low is None else dot.low,
        "high": dot.score if dot.high is None else dot.high,
    }


def _foretold(rises: Sequence[Rise], x_of: Any, y_of: Any) -> list[Any]:
    """Return the straight continuation of the smaller models, and how exact it is."""
    alt = altair()
    layers = []
    for rise in rises:
        line = [
            {"x": rise.start[0], "score": rise.start[1]},
            {"x": rise.size, "score": rise.expected},
        ]
        ends = [{"x": rise.size, "score": rise.low, "top": rise.high}]
        layers += [
            alt.Chart(data_of(line))
            .mark_line(color=INK, strokeWidth=1, strokeDash=[2, 3], clip=True)
            .encode(x=x_of, y=y_of),
            alt.Chart(data_of(ends))
            .mark_rule(color=INK, strokeWidth=5, opacity=0.2, clip=True)
            .encode(x=x_of, y=y_of, y2="top:Q"),
        ]
    return layers


def efficient(
    points: Sequence[Mapping[str, Any]], *, better: bool = True
) -> list[Mapping[str, Any]]:
    """Return the points that no other beats in both x and score, by rising x.

    >>> rows = [{"x": 2, "score": 0.5}, {"x": 1, "score": 0.4}, {"x": 3, "score": 0.5}]
    >>> [row["x"] for row in efficient(rows)]
    [1, 2]
    """
    sign = 1 if better else -1
    best = -math.inf
    kept = []
    for point in sorted(points, key=lambda point: (point["x"], -sign * point["score"])):
        if sign * point["score"] > best:
            best = sign * point["score"]
            kept.append(point)
    return kept


# ---- names beside the points ----------------------------------------------------------------


def placed(
    points: Sequence[tuple[float, float]], names: Sequence[str], barred: Sequence[Box] = ()
) -> list[str | None]:
    """Return a spot for each name such that none covers another, a point, or leaves the plot.

    `barred` is drawn upon already, by lines.

    None: there is no room; the keys beside the names in the tables tell it by colour and shape.

    >>> placed([(50, 50), (52, 50)], ["a", "b"])
    ['right', 'left']
    """
    dots = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in points]
    taken: list[Box] = []
    spots: list[str | None] = []
    for i, (name, (x, y)) in enumerate(zip(names, points, strict=True)):
        others = [dot for j, dot in enumerate(dots) if j != i]
        free = None
        for spot in SPOTS:
            box = _box(spot, x, y, CHARACTER * len(name))
            inside = box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT
            if inside and not any(_meet(box, other) for other in (*taken, *others, *barred)):
                taken.append(box)
                free = spot
                break
        spots.append(free)
    return spots


def _box(spot: str, x: float, y: float, width: float) -> Box:
    align, dx, dy = SPOTS[spot]
    left = {"left": x + dx, "right": x + dx - width, "center": x + dx - width / 2}[align]
    return left, y + dy - TALL / 2, left + width, y + dy + TALL / 2


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _names(
    dots: Sequence[Dot], best: Sequence[Mapping[str, Any]], axis: Axis, y: Axis
) -> list[Any]:
    alt = altair()
    names = [own_name(dot.model, LONG) for dot in dots]

    def at(x: float, score: float) -> tuple[float, float]:
        return WIDTH * axis.at(x), HEIGHT * (1 - y.at(score))

    steps = [at(point["x"], point["score"]) for point in best]
    spots = placed([at(dot.x, dot.score) for dot in dots], names, stairs(steps))
    layers = []
    for spot, (align, dx, dy) in SPOTS.items():
        rows = [
            {"x": dot.x, "score": dot.score, "name": name}
            for dot, name, own in zip(dots, names, spots, strict=True)
            if own == spot
        ]
        if rows:
            layers.append(
                alt.Chart(data_of(rows))
                .mark_text(align=align, dx=dx, dy=dy, baseline="middle", color=INK)
                .encode(x="x:Q", y="score:Q", text="name:N")
            )
    return layers


def stairs(points: Sequence[tuple[float, float]]) -> list[Box]:
    """Return what a line of steps covers: across at a point's height, then up to the next."""
    found: list[Box] = []
    for (x, y), (across, up) in pairwise(points):
        found.append((x, y - 1, across, y + 1))
        found.append((across - 1, min(y, up), across + 1, max(y, up)))
    return found


def _described(
    dots: Sequence[Dot], across: Said, up: Said, best: Sequence[Mapping[str, Any]]
) -> Said:
    told = "; ".join(
        f"{dot.model}: {number(dot.x) if dot.x > 1 else f'{dot.x:.3g}'}, {number(dot.score)}"
        for dot in dots
    )
    line = ", ".join(row["model"] for row in best)
    return say("chart.scatter", across=across, up=up, points=told, line=line)


# ---- what the board and the task page ask for ---------------------------------------------------


def cost_chart(points: Sequence[Mapping[str, Any]], title: Said, palette: Palette) -> Markup:
    """Return mean score against cost; a point has `model`, `cost` and `score`."""
    dots = [Dot(point["model"], point["cost"], point["score"]) for point in points]
    axis = scaled(title, [dot.x for dot in dots]) if dots else Axis(title)
    return scatter(dots, axis, say("chart.score"), palette)


def size_chart(
    dots: Sequence[Dot], title: Said, up: Said, palette: Palette, *, better: bool
) -> tuple[Markup, list[tuple[Dot, Rise]]]:
    """Return score against size, and the models whose score rises suddenly.

    Where less is better nothing is said of rises.
    """
    if len({dot.x for dot in dots}) < 2:  # noqa: PLR2004 - as above
        return Markup(""), []
    axis = scaled(title, [dot.x for dot in dots], log=True)
    found: list[Rise] = []
    if better and all(dot.low is not None and dot.high is not None for dot in dots):
        found = [rise for rise in continuations([_sized(dot) for dot in dots]) if rise.sudden]
    drawn = scatter(dots, axis, up, palette, better=better, rises=found)
    return drawn, [(dots[rise.place], rise) for rise in found]


def _sized(dot: Dot) -> Sized:
    low = dot.score if dot.low is None else dot.low
    high = dot.score if dot.high is None else dot.high
    return Sized(dot.x, dot.score, low, (high - low) / (2 * Z))
