"""Numbers as people read them: two places, three where the interval is that narrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NARROW = 0.02
"""An interval narrower than this gets a third decimal."""


def places(value: float, low: float | None = None, high: float | None = None) -> int:
    """Return how many decimals a value deserves.

    >>> places(0.5, 0.4, 0.6), places(0.5, 0.495, 0.505), places(123.4), places(12.3)
    (2, 3, 0, 1)
    """
    size = abs(value)
    if size >= 100:  # noqa: PLR2004 - as in any printed table: about three digits that matter
        return 0
    if size >= 10:  # noqa: PLR2004
        return 1
    if low is not None and high is not None and 0 < high - low < NARROW:
        return 3
    return 2


def number(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write a value; an en dash for none.

    >>> number(0.744), number(1234.5), number(None) == "\N{EN DASH}", number(-0.001)
    ('0.74', '1,234', True, '0.00')
    """
    if value is None:
        return "\N{EN DASH}"
    text = f"{value:,.{places(value, low, high)}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "\N{MINUS SIGN}")


def span(cell: Mapping[str, Any]) -> str:
    """Write an interval, or nothing where there is none.

    >>> span({"value": 0.5, "low": 0.4, "high": 0.6}) == "0.40\N{EN DASH}0.60"
    True
    """
    value, low, high = cell.get("value"), cell.get("low"), cell.get("high")
    if value is None or low is None or high is None:
        return ""
    digits = places(value, low, high)
    dash = "\N{EN DASH}" if low >= 0 else " to "
    return f"{low:,.{digits}f}{dash}{high:,.{digits}f}".replace("-", "\N{MINUS SIGN}")
