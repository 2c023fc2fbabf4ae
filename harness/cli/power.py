"""harness power: how many samples does it take to see an effect?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option, out_option

if TYPE_CHECKING:
    from rich.table import Table

    from harness.planning import Need


@click.command("power")
@click.argument("run", default="@latest")
@click.option(
    "--effect", type=float, required=True, metavar="X", help="Difference: 0.03 is 3 points."
)
@click.option("--against", metavar="RUN", help="A second run, to measure how alike answers are.")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0.0001, 0.5))
@click.option("--power", default=0.8, show_default=True, type=click.FloatRange(0.5, 0.999))
@click.option("--one-sided", is_flag=True, help="As a gate asks: worse, or not?")
@out_option
@json_option
def command(  # noqa: PLR0913, PLR0917 - the verb's flags
    run: str,
    effect: float,
    against: str | None,
    alpha: float,
    power: float,
    one_sided: bool,
    out: str | None,
    as_json: bool,
) -> None:
    """Say how many samples of each task of RUN, a pilot, show a paired difference of --effect."""
    from harness.cli.tables import console
    from harness.gating import find_baseline
    from harness.planning import needs
    from harness.records import to_json
    from harness.stats.power import Error

    root = Path(out or "results")
    other = find_baseline(against, root) if against else None
    error = Error(alpha, power, two_sided=not one_sided)
    found = needs(find_baseline(run, root), effect, against=other, error=error)
    if as_json:
        click.echo(to_json(found).decode())
        return
    console().print(_table(found, effect))
    if other is None:
        click.echo(
            "assumed: scores of the two models go together with correlation 0.5; "
            "--against RUN measures it"
        )


def _table(found: list[Need], effect: float) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE)
    for name in ("task", "metric"):
        table.add_column(name)
    headings = ("value", "n here", "sees, points", f"n for {100 * effect:g} points")
    for name in headings:
        table.add_column(name, justify="right", no_wrap=True)
    for need in found:
        figures = (f"{need.value:.3f}", f"{need.n:,}", f"{100 * need.detectable:.1f}")
        table.add_row(need.place.label, need.metric, *figures, f"{need.needed:,}")
    return table
