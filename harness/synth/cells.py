"""Balanced cells: as many different items in each, or all there are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from harness.identity import CounterRandom

PATIENCE = 60
"""A cell is taken for exhausted after so many draws in a row, for each item found, were old ones.

Of k equally likely items one stays unseen through 60·k draws with a chance below 10^-26; an item
ten times as rare as the others with one of 0.3 %.
"""
LEAST_PATIENCE = 1000

Row = dict[str, Any]
Draw = Callable[[CounterRandom], Row | None]
"""Draws one row, or None where what was drawn makes no item."""


def balanced(
    rng: CounterRandom, draw: Draw, per_cell: int, *, key: Callable[[Row], Hashable]
) -> Iterator[Row]:
    """Yield `per_cell` rows of different `key`.

    A cell that has fewer comes whole, and each of its rows then says `whole: True`.
    """
    rows: dict[Hashable, Row] = {}
    missed = 0
    while len(rows) < per_cell and missed < max(LEAST_PATIENCE, PATIENCE * len(rows)):
        row = draw(rng)
        if row is None or key(row) in rows:
            missed += 1
            continue
        rows[key(row)], missed = row, 0
    whole = len(rows) < per_cell
    for row in rows.values():
        yield {**row, "whole": True} if whole else row


def by_fields(*names: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return the key made of some fields."""
    return lambda row: tuple(row[name] for name in names)


def number_of(rng: CounterRandom, digits: int) -> int:
    """Draw a number of exactly `digits` digits (1 to 19), not zero."""
    return rng.between(10 ** (digits - 1), 10**digits - 1)


def spelled(value: int) -> str:
    """Write an operand within an expression: negative ones in brackets.

    >>> spelled(-3), spelled(3)
    ('(-3)', '3')
    """
    return f"({value})" if value < 0 else str(value)
