"""harness rescore: score a stored run again, without asking the model."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, out_option


@click.command("rescore")
@click.argument("run", default="@latest")
@out_option
@json_option
def command(run: str, out: str | None, as_json: bool) -> None:
    """Apply today's extractors and metrics of RUN's tasks to its stored answers.

    The table of samples, scores.json and run.json of RUN are rewritten.
    """
    from harness.cli.tables import console, headline, results_table
    from harness.records import to_json
    from harness.rescore import rescore
    from harness.store.manifest import find_run

    path = find_run(run, Path(out or "results"))
    result = rescore(path)
    if as_json:
        click.echo(
            to_json({"run": str(path), "changed": result.changed, "cells": result.cells}).decode()
        )
        return
    console().print(results_table(headline(result.cells), ""))
    click.echo(f"{result.changed:,} of {result.rows:,} samples score differently now")
