"""harness compare: runs side by side, with paired differences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option, out_option
from harness.errors import StoreError

if TYPE_CHECKING:
    from rich.table import Table

    from harness.compare import Comparison

FLIPS_SHOWN = 5


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="A B [C...]")
@click.option("--metric", metavar="NAME", help="In place of each task's first metric.")
@click.option("--confidence", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999))
@click.option("--allow-changed", is_flag=True, help="Compare runs that asked differently.")
@click.option("--markdown", metavar="FILE", help="Write Markdown.")
@click.option("--html", metavar="DIR", help="Write the comparison as a page, with its runs.")
@out_option
@json_option
def command(  # noqa: PLR0913, PLR0917 - the verb's flags
    runs: tuple[str, ...],
    metric: str | None,
    confidence: float,
    allow_changed: bool,
    markdown: str | None,
    html: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Compare B, C, ... with A: differences of the same samples, intervals, flipped samples."""
    from harness.compare import as_markdown, compare
    from harness.gating import find_baseline
    from harness.records import to_json

    paths = [find_baseline(run, Path(out or "results")) for run in runs]
    found = compare(paths, metric=metric, confidence=confidence, allow_changed=allow_changed)
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


def _show(found: Comparison) -> None:
    from harness.cli.tables import console

    console().print(_table(found))
    for run, flips in found.flips.items():
        for flip in flips[:FLIPS_SHOWN]:
            asked = " ".join(flip.input.split())[:60]
            sign = "▼" if flip.lost else "▲"
            click.echo(f"{sign} {flip.sample_id}  {asked}  {flip.was!r} → {flip.got!r}  ({run})")
    for note in found.notes:
        click.echo(f"note: {note}")


def _table(found: Comparison) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    from harness.gate.say import interval, plain, signed

    title = f"A: {found.reference_model} ({found.reference})"
    if len(found.others) == 1:
        title += f"\nB: {found.others[0][1]} ({found.others[0][0]})"
    table = Table(box=SIMPLE, title=title, title_justify="left", title_style="bold")
    models = dict(found.others)
    several = len(found.others) > 1
    for name in ("", *(["model"] if several else []), "task", "metric"):
        table.add_column(name)
    confidence = max((row.confidence for row in found.rows), default=0.95)
    names = ("A", "value" if several else "B")
    percent = f"{100 * confidence:.0f} % interval"
    for name in (*names, "Δ points", percent, "p (Holm)", "+/-", "n", "sees"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.rows:
        mark = "≈" if not row.differs else "▲" if row.difference > 0 else "▼"
        first = (mark, *([models[row.run]] if several else []), row.place.label, row.metric)
        table.add_row(
            *first,
            plain(row.reference),
            plain(row.other),
            signed(row.difference),
            interval(row.low, row.high),
            f"{row.p_value:.2g}",
            f"+{row.gained} -{row.lost}",
            f"{row.n:,}",
            f"{100 * row.detectable:.1f}",
        )
    return table
