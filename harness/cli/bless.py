"""harness bless: make a run the recorded baseline."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, out_option


@click.command("bless")
@click.argument("run", default="@latest")
@click.option("--partial", is_flag=True, help="Bless a run that stopped early.")
@out_option
@json_option
def command(run: str, partial: bool, out: str | None, as_json: bool) -> None:
    """Copy RUN, in a small form, into <root>/reference: what @baseline means from now on.

    The copy holds scores, no questions; commit it. It takes the place of a blessed run of the
    same model and tasks.
    """
    import json

    from harness.baseline import bless
    from harness.store.manifest import find_run

    root = Path(out or "results")
    target = bless(find_run(run, root), root, partial=partial)
    size = sum(path.stat().st_size for path in target.iterdir())
    if as_json:
        click.echo(json.dumps({"baseline": str(target), "bytes": size}))
        return
    click.echo(f"{target}\n{size / 1000:,.0f} kB; commit it, and gate against @baseline")
