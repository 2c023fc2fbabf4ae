"""harness demo: the main job on embedded models; no key, no network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option, out_option

if TYPE_CHECKING:
    from rich.table import Table

    from harness.pipeline import RunResult

MODELS = ("nano", "micro", "mini")
TASKS = ("tag:core",)
PERTURBATIONS = ("typos", "lowercase", "spaces")


@click.command("demo")
@out_option
@click.option("--limit", type=click.IntRange(min=1), help="Samples per task (default: all).")
@click.option("--reports", default="reports/demo", show_default=True, help="Where pages go.")
@json_option
def command(out: str | None, limit: int | None, reports: str, as_json: bool) -> int:
    """Run three embedded models over the core tasks; write results, a report and a board."""
    from harness import pipeline
    from harness.cli.demo_judged import judged_example
    from harness.cli.progress import LiveProgress
    from harness.cli.report import write_report
    from harness.errors import worst_exit
    from harness.records import Execution, ModelSpec, RunSpec, to_json

    root = Path(out or "results")
    results: list[RunResult] = []
    for name in MODELS:
        model = ModelSpec("embedded", name)
        spec = RunSpec(tasks=TASKS, model=model, limit=limit, perturb=PERTURBATIONS)
        execution = Execution(out=str(root))
        with LiveProgress(enabled=sys.stderr.isatty()) as progress:
            results.append(pipeline.run(spec, execution, progress))
    page = write_report([result.directory for result in results], Path(reports))
    with LiveProgress(enabled=sys.stderr.isatty()) as progress:
        judged = judged_example(root, Path(reports), limit, progress)
    if as_json:
        runs = [str(result.directory) for result in results]
        told = {"runs": runs, "report": str(page), "judged": str(judged)}
        click.echo(to_json(told).decode())
    else:
        _show(results, page)
        click.echo(f"judged: {judged}   (a lenient judge on sums, and its scores corrected)")
    return int(worst_exit(result.exit_code for result in results))


def _show(results: list[RunResult], page: Path) -> None:
    from harness.cli.tables import console

    console().print(_table(results))
    for name, result in zip(MODELS, results, strict=True):
        click.echo(f"embedded/{name}: {result.directory}")
    click.echo(f"board:  {page.parent / 'board.md'} (also .csv and .json)")
    click.echo(f"report: {page}   (open it in a browser; it starts with the board)")


def _table(results: list[RunResult]) -> Table:
    """Return tasks × models: the primary metric with its interval and n."""
    from rich.box import SIMPLE
    from rich.table import Table

    from harness.cli.tables import number

    table = Table(box=SIMPLE, title="value [95 % interval]", title_justify="left")
    table.add_column("task")
    table.add_column("metric")
    table.add_column("n", justify="right")
    for name in MODELS:
        table.add_column(f"embedded/{name}", justify="right", no_wrap=True)
    cells = [
        {(c.task, c.arm): c for c in reversed(result.cells) if _is_primary(c)} for result in results
    ]
    for place in reversed(cells[0]):
        row = [found[place] for found in cells if place in found]
        values = [f"{number(c.value)} [{number(c.low)} {number(c.high)}]" for c in row]
        table.add_row(place[0], row[0].metric, f"{row[0].n:,}", *values)
    return table


def _is_primary(cell: object) -> bool:
    from harness.records import Cell

    assert isinstance(cell, Cell)
    return cell.slice is None and cell.variant == "original" and cell.group == "accuracy"
