"""harness flaky: which samples pass at times?"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, out_option

STRIP = 40
"""Results of one sample that a line shows, the latest."""


@click.command("flaky")
@click.argument("runs", nargs=-1, metavar="[RUN...]")
@click.option("--threshold", default=1.0, show_default=True, help="Score that is a pass.")
@click.option("-n", "count", default=20, show_default=True, help="At most so many samples.")
@out_option
@json_option
def command(
    runs: tuple[str, ...], threshold: float, count: int, out: str | None, as_json: bool
) -> None:
    """Show samples that one model got right at times, from RUN... or all stored runs.

    Answers replayed from the store are left out: they say nothing new. Repeat a run with
    --epochs or --fresh to learn more.
    """
    from harness.cli.printable import for_log
    from harness.flakiness import flakiness
    from harness.gating import find_baseline
    from harness.records import to_json
    from harness.store import manifest

    root = Path(out or "results")
    paths = [find_baseline(run, root) for run in runs] or manifest.runs(root)
    found = flakiness(paths, threshold=threshold)
    if as_json:
        click.echo(to_json(found).decode())
        return
    for item in found.flaky[:count]:
        strip = "".join("█" if passed else "░" for passed in item.results[-STRIP:])
        asked = for_log(item.input, 50)
        place = for_log(f"{item.model}  {item.place.label}  {item.sample_id}")
        click.echo(f"{strip}  {100 * item.rate:3.0f} %  {place}  {asked}")
    click.echo(
        f"{len(found.flaky):,} of {found.samples:,} samples with two answers or more are flaky "
        f"({found.runs} runs; {found.replayed:,} replayed answers left out)"
    )
