"""harness show: a run's results, its failures, or one sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli.options import json_option, out_option
from harness.errors import UnknownName

FAILURES_SHOWN = 20


@click.command("show")
@click.argument("run", default="@latest")
@click.option("--failures", is_flag=True, help="Samples that failed, then those that are wrong.")
@click.option("--sample", "sample_id", metavar="ID", help="One sample: sent, came, read, wanted.")
@click.option("-n", "count", default=FAILURES_SHOWN, show_default=True, help="At most so many.")
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

    from harness.cli.tables import console, headline, results_table
    from harness.records import Cell, to_json
    from harness.store.manifest import RUN, SCORES, read_json

    run: dict[str, Any] = {"status": "interrupted", "model": {}}
    if (path / RUN).exists():
        run = read_json(path / RUN)
    cells = msgspec.convert(read_json(path / SCORES)["cells"], list[Cell])
    if as_json:
        click.echo(to_json({"run": run, "cells": cells}).decode())
        return
    title = f"{run['model'].get('name', '')} · {path.name} · {run['status']}"
    console().print(results_table(headline(cells), title))


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
        wanted = " | ".join(row["target"])
        click.echo(f"{mark} {row['sample_id']}  {_short(row['input'])}  {_short(got)} ← {wanted}")
    click.echo(f"{min(count, len(rows))} of {len(rows)} failed or wrong")


def _right(row: dict[str, Any]) -> bool:
    scores = dict(row["scores"] or ())
    return not scores or next(iter(scores.values())) >= 1.0


def _short(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


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
    place = " · ".join(
        [row["task"], row["sample_id"], row["arm"], row["variant"], f"epoch {row['epoch']}"]
    )
    slices = ", ".join(f"{name}={value}" for name, value in row["slices"] or ())
    click.echo(click.style(place, bold=True) + (f"  ({slices})" if slices else ""))
    for turn in row["transcript"] or ():
        click.echo(f"  {turn['role']:>9}  {turn['content']!r}")
    for choice in row["choices"] or ():
        click.echo(f"  {choice['loglikelihood']:>9.3f}  {choice['text']!r}")
    click.echo(f"    read as  {row['answer']!r}  {row['extraction'] or ''}")
    click.echo(f"     wanted  {' | '.join(row['target'])!r}")
    click.echo(f"     status  {row['status']}  {dict(row['scores'] or ())}")
    if row["error"]:
        click.echo(f"      error  {row['error']}")
    click.echo(
        f"   finished  {row['finish_reason']}; {row['prompt_tokens']} + "
        f"{row['completion_tokens']} tokens; {1000 * (row['latency_s'] or 0):.0f} ms"
        f"{'; replayed' if row['cached'] else ''}\n"
    )
