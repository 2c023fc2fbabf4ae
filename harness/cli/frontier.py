"""harness frontier: up to which level does a model master a task?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, model_options, out_option

if TYPE_CHECKING:
    from harness.frontiers import Frontier

EFFECTS_SHOWN = 4


@click.command("frontier")
@click.argument("names", nargs=-1, metavar="RUN | TASK...")
@model_options
@click.option("--by", default="digits", show_default=True, help="The field that orders the levels.")
@out_option
@json_option
def command(names: tuple[str, ...], by: str, as_json: bool, **flags: Any) -> None:
    """Say the largest level that holds: whose 95 % interval lies at or above 0.9.

    Of a RUN (default @latest), from all its items, with what each factor does to the odds. With
    --model, of TASK..., by a search that asks at most 30 % of the items.
    """
    from harness.config import build
    from harness.frontiers import of_run, search
    from harness.records import to_json
    from harness.store.manifest import find_run

    if flags["model"]:
        given = {key: value for key, value in flags.items() if value not in (None, ())}
        found = search(*build({**given, "tasks": names}), by)
    else:
        run = names[0] if names else "@latest"
        found = of_run(find_run(run, Path(flags["out"] or "results")), by)
    if as_json:
        click.echo(to_json(found).decode())
        return
    for one in found:
        click.echo("\n".join(_lines(one)))


def _lines(one: Frontier) -> list[str]:
    from harness.cli.printable import printable

    ends = "none" if one.frontier is None else f"{one.by} = {one.frontier}"
    doubt = "" if one.sure else " (the budget ended the search before it was sure)"
    if one.gaps:
        doubt += f" (not certain at {printable(', '.join(one.gaps))})"
    head = f"{printable(one.task)}: frontier {printable(ends)}{doubt}"
    lines = [f"{head}; {one.asked} of {one.items} items asked"]
    for name, (right, asked) in one.levels.items():
        if asked:
            lines.append(f"  {printable(name):>6}  {right:>4} of {asked}")
    for effect in one.effects[:EFFECTS_SHOWN]:
        share = f"{effect.share:.0%} of the log-likelihood ratio, p {effect.p_value:.2g}"
        lines.append(f"  factor {printable(effect.name)}: {share}")
    return lines
