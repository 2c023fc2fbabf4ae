"""harness show: a run's results, its failures, or one sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli.options import json_option, out_option
from harness.cli.printable import printable
from harness.errors import InvalidFile, UnknownName

FAILURES_SHOWN = 20
WIDEST = 4000
"""Characters of one field that are printed at most."""


@click.command("show")
@click.argument("run", default="@latest")
@click.option("--failures", is_flag=True, help="Samples that failed, then those that are wrong.")
@click.option("--sample", "sample_id", metavar="ID", help="One sample: sent, came, read, wanted.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    default=FAILURES_SHOWN,
    show_default=True,
    help="At most so many.",
)
@out_option
@json_option
def command(
    run: str, failures: bool, sample_id: str | None, count: int, out: str | None, as_json: bool
) -> None:
    """Show RUN: a directory, the start of its name, @latest or @baseline."""
    from harness.store.manifest import find_run

    path = find_run(run, Path(out or "results"))
    if sample_id:
        _sample(path, sample_id, as_json=as_json)
    elif failures:
        _failures(path, count, as_json=as_json)
    else:
        _results(path, as_json=as_json)


def _results(path: Path, *, as_json: bool) -> None:
    import msgspec

    from harness.cli.judge_lines import doubtful, judge_lines
    from harness.cli.tables import console, headline, results_table
    from harness.records import Cell, to_json
    from harness.store.manifest import RUN, SCORES, read_json

    if not (path / RUN).exists():
        raise InvalidFile("interrupted; the same command goes on where it was", path=path)
    run = read_json(path / RUN)
    cells = msgspec.convert(read_json(path / SCORES)["cells"], list[Cell])
    if as_json:
        click.echo(to_json({"run": run, "cells": cells}).decode())
        return
    title = f"{run['model'].get('name', '')} · {path.name} · {run['status']}"
    judges = run.get("judges") or {}
    console().print(results_table(headline(cells), title, doubtful(judges)))
    for line in judge_lines(judges):
        click.echo(line)
    if run["status"] == "partial":
        click.echo(f"partial: {printable(str(run.get('reason')))}")
    click.echo(f"evidence: {printable(str(run.get('evidence', 'unknown')))}")


def _failures(path: Path, count: int, *, as_json: bool) -> None:
    from harness.records import to_json
    from harness.store.reading import read_rows

    rows = [row for row in read_rows(path) if row["status"] != "ok" or not _right(row)]
    rows.sort(key=lambda row: ("error", "unjudged", "unparsed", "ok").index(row["status"]))
    if as_json:
        click.echo(to_json(rows[:count]).decode())
        return
    for row in rows[:count]:
        mark = {"error": "⚠", "unjudged": "⚠", "unparsed": "?"}.get(row["status"], "✗")
        got = row["error"] or repr(row["answer"] or row["output"] or "")
        wanted = _short(" | ".join(row["target"] or ()))
        click.echo(
            f"{mark} {row['sample_id']}  {_short(row['input'] or '')}  {_short(got)} ← {wanted}"
        )
    click.echo(f"{min(count, len(rows))} of {len(rows)} failed or wrong")


def _right(row: dict[str, Any]) -> bool:
    scores = dict(row["scores"] or ())
    return not scores or next(iter(scores.values())) >= 1.0


def _short(text: str, width: int = 60) -> str:
    return printable(" ".join(text.split()), width)


def _sample(path: Path, sample_id: str, *, as_json: bool) -> None:
    from harness.records import to_json
    from harness.store.reading import read_rows

    rows = [row for row in read_rows(path) if row["sample_id"].startswith(sample_id)]
    if not rows:
        known = [row["sample_id"] for row in read_rows(path)]
        raise UnknownName("sample", sample_id, known)
    if as_json:
        click.echo(to_json(rows).decode())
        return
    for row in rows:
        _print_sample(row)


def _print_sample(row: dict[str, Any]) -> None:
    from harness.cli.judge_lines import verdict_lines

    place = " · ".join(
        [row["task"], row["sample_id"], row["arm"], row["variant"], f"epoch {row['epoch']}"]
    )
    slices = ", ".join(f"{name}={value}" for name, value in row["slices"] or ())
    click.echo(click.style(printable(place), bold=True) + printable(f"  {slices}", WIDEST))
    for turn in row["transcript"] or ():
        click.echo(f"  {turn['role']:>9}  {printable(turn['content'], WIDEST)}")
    for choice in row["choices"] or ():
        click.echo(f"  {choice['loglikelihood']:>9.3f}  {printable(choice['text'], WIDEST)}")
    read = f"{row['answer']}  {row['extraction'] or ''}"
    click.echo(f"    read as  {printable(read, WIDEST)}")
    click.echo(f"     wanted  {printable(' | '.join(row['target'] or ()), WIDEST)}")
    click.echo(f"     status  {row['status']}  {dict(row['scores'] or ())}")
    for line in verdict_lines(row["verdicts"] or ()):
        click.echo(f"      judge  {line}")
    if row["error"]:
        click.echo(f"      error  {printable(row['error'], WIDEST)}")
    finish = printable(row["finish_reason"] or "–", 60)
    click.echo(
        f"   finished  {finish}; {row['prompt_tokens']} + "
        f"{row['completion_tokens']} tokens; {1000 * (row['latency_s'] or 0):.0f} ms"
        f"{'; replayed' if row['cached'] else ''}\n"
    )
