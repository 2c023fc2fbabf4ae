"""harness run: put tasks to a model and score the answers."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, model_options, out_option
from harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from harness.known_models import Known
    from harness.pipeline import RunResult
    from harness.records import Execution, RunSpec

RARELY = (50_000, 20, 100)
"""When the collector of cycles runs: samples leave none behind, and looking costs a tenth."""


@click.command("run")
@click.argument("tasks", nargs=-1, metavar="TASK...")
@model_options
@click.option("--limit", type=click.IntRange(min=1), help="Samples per task, drawn by --seed.")
@click.option("--seed", type=int, help="Orders and samples; never changes items (default: 0).")
@click.option("--data-seed", type=int, help="Fresh items for generated tasks.")
@click.option("--sample", "sample_ids", multiple=True, metavar="ID", help="Only this sample.")
@click.option("--epochs", type=click.IntRange(min=1), help="Repeats of every sample.")
@click.option("--shots", type=click.IntRange(min=0), help="Solved examples before each question.")
@click.option("--arm", "arms", multiple=True, metavar="NAME", help="Only this arm.")
@click.option("--perturb", multiple=True, metavar="NAME,...", help="Perturbed copies as well.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="NAME=SPEC",
    help="Who judges what no program can (NAME: a judge or a seat of a panel).",
)
@click.option("-G", "generation", multiple=True, metavar="K=V", help="Generation setting.")
@click.option("-D", "data", multiple=True, metavar="K=V", help="Data setting: -D file=PATH.")
@click.option("--system", metavar="TEXT", help="System prompt.")
@out_option
@click.option("--connections", metavar="N|auto", help="Requests in flight (default: 16).")
@click.option("--timeout", "timeout_s", type=float, help="Seconds for one attempt.")
@click.option("--max-attempts", type=click.IntRange(min=1), help="Attempts for one request.")
@click.option("--max-failures", metavar="X", help="Share of failed samples allowed (0.05).")
@click.option("--max-cost", type=float, metavar="USD", help="Stop once this is spent.")
@click.option("--max-tokens-total", type=int, metavar="N", help="Stop once these are used.")
@click.option("--trust", is_flag=True, default=None, help="Allow task files to run code.")
@click.option("--fresh", is_flag=True, default=None, help="Ask again what is stored.")
@click.option("--require-cache", is_flag=True, default=None, help="Fail rather than ask.")
@click.option("--batch", is_flag=True, default=None, help="Ask by batch jobs: slower, cheaper.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked; ask nothing.")
@json_option
def command(**flags: Any) -> int:
    r"""Put tasks to a model and score the answers.

    TASK is a name (arithmetic/addition), a glob ('arithmetic/*'), a tag (tag:core), a task
    file, or a run file (first key `run:`).

    \b
    harness run arithmetic/addition --model embedded/mini --limit 200
    harness run qa/en --model openai/NAME --base-url http://127.0.0.1:8000/v1
    """
    from harness import pipeline
    from harness.cli.progress import LiveProgress
    from harness.config import build_known

    as_json, dry = flags.pop("as_json"), flags.pop("dry_run")
    spec, execution = settings(flags)
    known = build_known(flags)
    if dry:
        return _dry_run(spec, execution, known, as_json=as_json)
    gc.set_threshold(*RARELY)
    with LiveProgress(enabled=sys.stderr.isatty()) as progress:
        result = pipeline.run(spec, execution, progress, known=known)
    report(result, as_json=as_json)
    return int(result.exit_code)


def settings(flags: dict[str, Any]) -> tuple[RunSpec, Execution]:
    """Return what the flags, over a run file where one is named, ask for."""
    from harness.config import build

    given = {name: value for name, value in flags.items() if value not in (None, ())}
    if not given.get("tasks"):
        raise UsageError("no task named; `harness ls tasks` lists them, or use tag:core")
    return build(given)


def report(result: RunResult, *, as_json: bool) -> None:
    """Print what a run found."""
    from harness import provenance
    from harness.cli.failures import failure_lines
    from harness.cli.judge_lines import doubtful, judge_lines
    from harness.cli.printable import printable
    from harness.cli.progress import spent
    from harness.cli.tables import console, headline, results_table
    from harness.records import to_json
    from harness.store.manifest import SAMPLES

    failed = sum(result.usage.failures.values())
    judges = _judges(result)
    if as_json:
        click.echo(
            to_json(
                {
                    "run": str(result.directory),
                    "status": result.status,
                    "reason": result.reason,
                    "exit_code": int(result.exit_code),
                    "cells": result.cells,
                    "judges": judges,
                }
            ).decode()
        )
        return
    console().print(results_table(headline(result.cells), "", doubtful(judges)))
    if result.status == "partial":
        click.echo(
            f"partial: {printable(result.reason or '')}; the same command goes on from the "
            "stored answers"
        )
    if failed:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in result.usage.failures.items())
        limit = " (above --max-failures)" if result.exit_code == ExitCode.INFRASTRUCTURE else ""
        click.echo(f"failed requests: {kinds}{limit}; harness show {result.directory} --failures")
        for line in failure_lines(result.directory / SAMPLES):
            click.echo(line)
    usage = result.usage
    if usage.cached and not usage.requests:
        click.echo("0 calls, replayed from the store: not new evidence")
    elif usage.cached:
        click.echo(f"evidence: {provenance.evidence(usage.requests, usage.cached)}")
    for line in judge_lines(judges):
        click.echo(line)
    click.echo(f"{spent(result.usage, failed)}", err=True)
    click.echo(f"{result.directory}")


def _judges(result: RunResult) -> dict[str, Any]:
    from harness.store.manifest import RUN, read_json

    judges: dict[str, Any] = read_json(result.directory / RUN).get("judges", {})
    return judges


def _dry_run(spec: RunSpec, execution: Execution, known: dict[str, Known], *, as_json: bool) -> int:
    from harness.cli.dry_run import lines
    from harness.preview import preview
    from harness.records import to_json

    found = preview(spec, execution, known)
    if as_json:
        click.echo(to_json(found).decode())
    else:
        click.echo("\n".join(lines(found)))
        click.echo("nothing was sent")
    return 0
