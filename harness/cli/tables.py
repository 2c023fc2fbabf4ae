"""Tables and numbers on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from harness.cli.printable import printable
from harness.records import Cell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console(*, stderr: bool = False) -> Console:
    """Return a console that respects NO_COLOR and keeps tables whole when piped."""
    import sys

    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=None if terminal else 120, highlight=False, markup=False)


def number(value: float | None, places: int = 3) -> str:
    """Write a value to a fixed number of places; a dash for none.

    >>> number(0.12345), number(None), number(12345.6)
    ('0.123', '–', '12,345.6')
    """
    if value is None:
        return "–"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.{places}f}"  # noqa: PLR2004


def interval(cell: Cell) -> str:
    """Write the interval of a cell."""
    if cell.low is None or cell.high is None:
        return "–"
    return f"{number(cell.low)} … {number(cell.high)}"


def headline(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells for a results table: whole tasks, and each variant's primary metric."""
    primary: dict[str, str] = {}
    for cell in cells:
        primary.setdefault(cell.task, cell.metric)
    return [
        cell
        for cell in cells
        if cell.slice is None
        and (
            (cell.variant == "original" and (cell.group == "accuracy" or cell.metric in SHOWN))
            or (cell.variant != "original" and cell.metric == primary[cell.task])
        )
    ]


def results_table(
    cells: Sequence[Cell], title: str, doubtful: Collection[tuple[str, str, str, str]] = ()
) -> Table:
    """Return a table of cells with n, interval and failure counts; empty columns are left out.

    `doubtful` names cells by task, arm, variant and metric whose value a "?" marks.
    """
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, title=Text(title), title_justify="left", title_style="bold")
    rows = [
        _row(cell, doubtful=(cell.task, cell.arm, cell.variant, cell.metric) in doubtful)
        for cell in cells
    ]
    for name in ("task", "arm", "variant", "metric", "value", "95 % interval", "n", *COUNTED):
        values = {row[name] for row in rows}
        if (name in ("arm", "variant") and len(values) < 2) or (name in COUNTED and values <= {""}):  # noqa: PLR2004
            continue
        numeric = name in ("value", "95 % interval", "n", *COUNTED)
        table.add_column(
            name, justify="right" if numeric else "left", no_wrap=name != "task", overflow="fold"
        )
    names = [str(column.header) for column in table.columns]
    before = ""
    for row in rows:
        shown = {**row, "task": row["task"] if row["task"] != before else ""}
        before = row["task"]
        table.add_row(*(Text(shown[name]) for name in names))
    return table


SHOWN = ("ece", "brier", "toxicity")
"""Metrics beside those of accuracy that stand in a results table; `show --json` has all."""
COUNTED = ("unparsed", "unjudged", "errors")
"""Columns that are shown where they count something."""


def _row(cell: Cell, *, doubtful: bool = False) -> dict[str, str]:
    arrow = {True: " ▲", False: " ▼", None: ""}[cell.higher_is_better]
    reason = printable(cell.reason or "–", 40)
    estimate = "" if cell.estimate == "raw" else f" ({cell.estimate})"
    return {
        "task": printable(cell.task),
        "arm": printable(cell.arm),
        "variant": printable(cell.variant),
        "metric": printable(cell.metric) + estimate + arrow,
        "value": ("? " if doubtful and cell.value is not None else "") + number(cell.value),
        "95 % interval": interval(cell) if cell.value is not None else reason,
        "n": f"{cell.n:,}",
        "unparsed": str(cell.unparsed or ""),
        "unjudged": str(cell.unjudged or ""),
        "errors": str(cell.errors or ""),
    }
