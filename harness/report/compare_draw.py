"""Differences drawn on one axis, as inline SVG: margin, zero, interval, and the verdict's shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

Json = Mapping[str, Any]
WIDTH, MIDDLE = 240.0, 11.0
SHAPES = {"improved": "▲", "not_worse": "●", "regressed": "▼", "inconclusive": "◇"}


class Reach(NamedTuple):
    """The common axis: how far it goes to either side of zero, and the margin drawn on it."""

    far: float
    margin: float


def is_share(row: Json) -> bool:
    """Whether both scores lie in 0…1, so that points and the margin have a meaning."""
    return bool(0 <= row["reference"] <= 1 and 0 <= row["other"] <= 1)


def signed(value: float, *, share: bool) -> str:
    """Write a difference with its sign: in points where scores are shares.

    >>> signed(0.034, share=True), signed(-3.25, share=False) == "\N{MINUS SIGN}3.25"
    ('+3.4', True)
    """
    text = f"{100 * value:+.1f}" if share else f"{value:+.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def axis_reach(rows: Iterable[Json], margin: float = 0.02) -> float:
    """Return how far the common axis goes to either side of zero: a round share.

    >>> axis_reach([]), axis_reach([{"low": -0.13, "high": 0.02, "difference": -0.05,
    ...     "reference": 0.5, "other": 0.45}])
    (0.05, 0.2)
    """
    ends = [
        abs(row[name])
        for row in rows
        if is_share(row)
        for name in ("low", "high", "difference")
        if row[name] is not None
    ]
    far = max([min(2 * margin, 1.0), *ends])
    return next(
        step for step in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, math.inf) if far <= step + 1e-9
    )


def _at(value: float, reach: float) -> float:
    return round(WIDTH / 2 + (WIDTH / 2 - 10) * min(max(value / reach, -1.0), 1.0), 1)


def axis(reach: float) -> Markup:
    """Return the head of the drawn column: the ends of the axis and zero, in points."""
    marks = "".join(
        f'<text x="{_at(value, reach):g}" y="12" text-anchor="{anchor}">{text}</text>'
        for value, anchor, text in (
            (-reach, "start", signed(-reach, share=True).removesuffix(".0")),
            (0.0, "middle", "0"),
            (reach, "end", signed(reach, share=True).removesuffix(".0")),
        )
    )
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="cx" viewBox="0 0 {WIDTH:g} 16" aria-hidden="true">{marks}</svg>'
    )


def drawn(row: Json, kind: str, scale: Reach) -> Markup:
    """Return the margin as a band, zero as a line, the interval, and the verdict's shape."""
    reach = scale.far
    left, right = _at(-scale.margin, reach), _at(scale.margin, reach)
    zero, x = _at(0.0, reach), _at(row["difference"], reach)
    parts = [
        f'<rect class="cm" x="{left:g}" y="0" width="{right - left:g}" height="22"/>',
        f'<path class="cz" d="M{zero:g} 0V22"/>',
    ]
    if row["low"] is not None and row["high"] is not None:
        low, high = _at(row["low"], reach), _at(row["high"], reach)
        parts.append(
            f'<path class="ci2" d="M{low:g} {MIDDLE:g}H{high:g}M{low:g} 7V15M{high:g} 7V15"/>'
        )
    shapes = {
        "improved": f"M{x:g} 5L{x + 6:g} 16H{x - 6:g}Z",
        "regressed": f"M{x:g} 17L{x + 6:g} 6H{x - 6:g}Z",
        "inconclusive": f"M{x:g} 5L{x + 6:g} 11L{x:g} 17L{x - 6:g} 11Z",
        "not_worse": f"M{x - 5:g} 11a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
    }
    parts.append(f'<path class="cs {kind}" d="{shapes[kind]}"/>')
    return Markup(  # noqa: S704 - numbers and our own class names only
        f'<svg class="cx" viewBox="0 0 {WIDTH:g} 22" aria-hidden="true">{"".join(parts)}</svg>'
    )
