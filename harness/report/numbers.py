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
    return _written(value, places(value, low, high))


def _written(value: float, digits: int) -> str:
    """Write a number with so many decimals; what rounds to nothing has no sign."""
    text = f"{value:,.{digits}f}"
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
    dash = "\N{EN DASH}" if low >= 0 else "\N{HORIZONTAL ELLIPSIS}"  # a dash would read as a minus
    return _written(low, digits) + dash + _written(high, digits)


def dollars(amount: float) -> str:
    """Write an amount of US dollars with the digits that matter; only nothing is zero.

    >>> dollars(0.0), dollars(1234.5), dollars(0.1459), dollars(0.0004)
    ('$0', '$1,234.50', '$0.146', '$0.0004')
    """
    if amount == 0:
        return "$0"
    if amount >= 1:
        return f"${amount:,.2f}"
    zeros = len(decimals := f"{amount:.15f}"[2:]) - len(decimals.lstrip("0"))
    return f"${amount:.{zeros + 3}f}".rstrip("0")


def seconds(value: float | None) -> str:
    """Write seconds with the digits that matter; an en dash for none.

    >>> seconds(0.04123), seconds(1.5), seconds(75.25), seconds(None) == "\N{EN DASH}"
    ('0.041', '1.50', '75.2', True)
    """
    if value is None:
        return "\N{EN DASH}"
    places = 3 if value < 1 else 2 if value < 10 else 1  # noqa: PLR2004
    return f"{value:,.{places}f}"


def percent(share: float) -> str:
    """Write a share in whole percent; what is above nothing never reads 0 %.

    >>> percent(0.0), percent(0.001), percent(0.126), percent(1.0)
    ('0%', '<1%', '13%', '100%')
    """
    if 0 < share < 0.005:  # noqa: PLR2004 - would be rounded to nothing
        return "<1%"
    return f"{share:.0%}"
