"""harness compare: runs side by side, with paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option, out_option
from harness.errors import StoreError

if TYPE_CHECKING:
    from rich.table import Table

    from harness.compare import Comparison, Row

FLIPS_SHOWN = 5
NEEDS_SHOWN = 10
"""Inconclusive rows of which it is said how many samples would tell."""


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="A B [C...]")
@click.option("--metric", metavar="NAME", help="In place of each task's first metric.")
@click.option("--margin", default=0.02, show_default=True, help="A smaller loss is not worse.")
@click.option("--confidence", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999))
@click.option("--allow-changed", is_flag=True, help="Compare runs that asked differently.")
@click.option("--markdown", metavar="FILE", help="Write Markdown.")
@click.option("--html", metavar="DIR", help="Write the comparison as a page, with its runs.")
@out_option
@json_option
def command(  # noqa: PLR0913, PLR0917 - the verb's flags
    runs: tuple[str, ...],
    metric: str | None,
    margin: float,
    confidence: float,
    allow_changed: bool,
    markdown: str | None,
    html: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Compare B, C, ... with A: differences of the same samples, intervals, flipped samples.

    Tests are two-sided, corrected over all tasks and runs (Holm).
    """
    from harness.compare import Asked, as_markdown, compare
    from harness.gating import find_baseline
    from harness.records import to_json

    paths = [find_baseline(run, Path(out or "results")) for run in runs]
    found = compare(paths, Asked(metric, confidence, margin, allow_changed))
    if markdown:
        try:
            Path(markdown).write_text(as_markdown(found), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{markdown}: cannot be written: {error}") from error
    if html:
        from harness.cli.compare_page import write_compare

        click.echo(str(write_compare(found, paths, Path(html))), err=True)
    if as_json:
        click.echo(to_json(found).decode())
        return
    _show(found)


def letters(found: Comparison) -> dict[str, str]:
    """Return the letter of each run but the first, which is A; numbers where they run out."""
    names = [*ascii_uppercase[1:], *(f"#{n}" for n in range(27, len(found.others) + 2))]
    return {run: names[place] for place, (run, _) in enumerate(found.others)}


def _show(found: Comparison) -> None:
    from harness.cli.printable import for_log
    from harness.cli.tables import console
    from harness.gate.records import MARKS, WORDS

    called = letters(found)
    console().print(_table(found, called))
    marks = (f"{MARKS[word]} {WORDS[word]}" for word in WORDS)
    click.echo(f"{' · '.join(marks)} (margin {100 * found.margin:g} points)")
    _show_needs(found, called)
    for run, flips in found.flips.items():
        for flip in flips[:FLIPS_SHOWN]:
            asked, was, got = (for_log(text, 60) for text in (flip.input, flip.was, flip.got))
            sign = "▼" if flip.lost else "▲"
            click.echo(f"{called[run]} {sign} {flip.sample_id}  {asked}  '{was}' → '{got}'")
    for note in found.notes:
        click.echo(for_log(f"note: {note}"))


def _show_needs(found: Comparison, called: Mapping[str, str]) -> None:
    from harness.cli.printable import for_log

    unsure = [row for row in found.rows if row.verdict == "inconclusive"]
    for row in unsure[:NEEDS_SHOWN]:
        more = "no n would decide" if row.needed is None else f"needs n ≈ {row.needed:,}"
        click.echo(f"{called[row.run]} ? {for_log(row.place.label)}: {more}")
    if len(unsure) > NEEDS_SHOWN:
        click.echo(f"and {len(unsure) - NEEDS_SHOWN} more inconclusive; --json has all")


def _table(found: Comparison, called: Mapping[str, str]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    from harness.cli.printable import for_log

    named = [("A", found.reference_model, found.reference)]
    named += [(called[run], model, run) for run, model in found.others]
    title = "\n".join(f"{letter}: {for_log(model)} ({run})" for letter, model, run in named)
    table = Table(
        box=SIMPLE, title=title, title_justify="left", title_style="bold", padding=(0, 1, 0, 0)
    )
    several = len(found.others) > 1
    for name in ("", *(["run"] if several else []), "task", "metric"):
        table.add_column(name, overflow="fold")
    percent = f"{100 * found.confidence:g} % interval"
    names = ("A", "value" if several else "B", "Δ points", percent, "p (Holm)", "+/-", "n", "sees")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.rows:
        table.add_row(*_cells(row, called[row.run] if several else None))
    return table


def _cells(row: Row, letter: str | None) -> tuple[str, ...]:
    from harness.cli.printable import for_log
    from harness.gate.records import MARKS
    from harness.gate.say import interval, plain, signed

    return (
        MARKS[row.verdict],
        *([letter] if letter else []),
        for_log(row.place.label),
        for_log(row.metric),
        plain(row.reference),
        plain(row.other),
        signed(row.difference),
        interval(row.low, row.high),
        f"{row.p_value:.2g}",
        f"+{row.gained} -{row.lost}",
        f"{row.n:,}",
        f"{100 * row.detectable:.1f}",
    )
