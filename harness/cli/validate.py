"""harness validate: check task files."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import ExitCode


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(files: tuple[str, ...]) -> int:
    """Check task files: keys, types, templates, and that their first rows render."""
    from harness.plugins import load
    from harness.task.validate import validate

    bad = 0
    for name in files:
        problems = validate(Path(name), generator=lambda maker: load("generator", maker)())
        for problem in problems:
            click.echo(f"error: {problem}", err=True)
        bad += bool(problems)
        if not problems:
            click.echo(f"{name}: ok")
    return int(ExitCode.USAGE if bad else ExitCode.OK)
