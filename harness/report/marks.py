"""Small marks inside tables: whiskers as inline SVG, tints as classes. No style attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

TINTS = 8
"""Steps of the one-hue scale; the style sheet has t0 … t7."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a column's whiskers are drawn on."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return a position in 0…100."""
        width = self.high - self.low
        if width <= 0:
            return 50.0
        return round(100 * min(max((value - self.low) / width, 0.0), 1.0), 1)


def scale_of(cells: Iterable[Mapping[str, Any]]) -> Scale:
    """Return 0…1 where all fits in it, else the range of all intervals with 0 in it."""
    ends = [
        end
        for cell in cells
        for end in (cell.get("value"), cell.get("low"), cell.get("high"))
        if end is not None
    ]
    if not ends:
        return Scale(0.0, 1.0)
    low, high = min(ends), max(ends)
    if low >= 0 and high <= 1:
        return Scale(0.0, 1.0)
    return Scale(min(low, 0.0), max(high, 0.0))


def whisker(cell: Mapping[str, Any], scale: Scale) -> Markup:
    """Return a thin line from low to high with a tick at the value; the text says the same."""
    value, low, high = cell.get("value"), cell.get("low"), cell.get("high")
    if value is None:
        return Markup("")
    x = scale.at(value)
    line = ""
    if low is not None and high is not None:
        left, right = scale.at(low), scale.at(high)
        line = f'<path class="wl" d="M{left:g} 4H{right:g}M{left:g} 2V6M{right:g} 2V6"/>'
    return Markup(  # noqa: S704 - numbers only
        '<svg class="wh" viewBox="-1 0 102 8" preserveAspectRatio="none" aria-hidden="true">'
        f'{line}<path class="wv" d="M{x:g} 0V8"/></svg>'
    )


def tint(value: float | None, low: float, high: float, *, better: bool | None) -> str:
    """Return the class of a cell's tint: deeper is better within low…high; '' for none.

    >>> tint(1.0, 0.0, 1.0, better=True), tint(1.0, 0.0, 1.0, better=False)
    ('t7', 't0')
    >>> tint(None, 0, 1, better=True), tint(0.5, 0, 1, better=None)
    ('', '')
    """
    if value is None or better is None or high <= low:
        return ""
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return f"t{round((share if better else 1 - share) * (TINTS - 1))}"


def dumbbell(before: float, after: float, ends: tuple[float, float] | None = None) -> Markup:
    """Return a line from one share to another: open ring before, filled dot after.

    `ends` are those of the interval of the second, seen from the first: a thin line with ticks.
    """
    a, b = _across(before), _across(after)
    line = ""
    if ends is not None:
        left, right = (_across(min(max(end, 0.0), 1.0)) for end in ends)
        line = f'<path class="wl" d="M{left:g} 8H{right:g}M{left:g} 5V11M{right:g} 5V11"/>'
    return Markup(  # noqa: S704 - numbers only
        '<svg class="db" viewBox="-8 0 216 16" aria-hidden="true">'
        '<path class="wb" d="M0 8H200M0 5V11M100 6V10M200 5V11"/>'
        f'<path class="dl" d="M{a:g} 8H{b:g}"/>{line}'
        f'<circle class="da" cx="{a:g}" cy="8" r="4.5"/>'
        f'<circle class="dz" cx="{b:g}" cy="8" r="3.5"/>'
        "</svg>"
    )


def _across(share: float) -> float:
    return round(2 * 100 * share, 1)


def share_bar(share: float, ends: tuple[float, float], expected: float | None) -> Markup:
    """Return a bar of a share with its interval, and a tick where chance alone would be."""
    low, high = (round(100 * end, 1) for end in ends)
    tick = ""
    if expected is not None:
        x = round(100 * expected, 1)
        tick = f'<path class="sx" d="M{x:g} 0V14"/>'
    return Markup(  # noqa: S704 - numbers only
        '<svg class="ms" viewBox="-1 0 102 14" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="void" x="0" y="2" width="100" height="10"/>'
        f'<rect class="pb" x="0" y="2" width="{100 * share:g}" height="10"/>'
        f'<path class="sl" d="M{low:g} 7H{high:g}M{low:g} 4V10M{high:g} 4V10"/>{tick}</svg>'
    )


def bar(parts: Iterable[tuple[str, int]]) -> Markup:
    """Return one bar split by counts: (class, count) from left to right."""
    listed = list(parts)
    total = sum(count for _, count in listed) or 1
    at, drawn = 0.0, []
    for name, count in listed:
        width = 100 * count / total
        drawn.append(f'<rect class="{name}" x="{at:g}" y="0" width="{width:g}" height="12"/>')
        at += width
    return Markup(  # noqa: S704 - numbers and our own class names only
        '<svg class="sb" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(drawn)
        + "</svg>"
    )
