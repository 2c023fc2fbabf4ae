"""harness label: draw a random subset of a run for people to label."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import out_option


@click.command("label")
@click.argument("run", default="@latest")
@click.option("--n", "count", type=click.IntRange(min=1), default=200, help="Samples (200).")
@click.option("--seed", type=int, default=0, help="Which subset (0).")
@click.option("-o", "page", metavar="FILE", help="The page (default: label.html in the run).")
@out_option
def command(run: str, count: int, seed: int, page: str | None, out: str | None) -> None:
    """Write one HTML page on which to label a random subset of RUN's answers.

    It opens from disk, works by keyboard, and shows neither model nor judge. Export the labels
    there, then: harness judge correct RUN --labels labels.jsonl
    """
    from harness.correcting import draw, finished, offers_of, run_mark
    from harness.judge.label_page import label_page
    from harness.store.manifest import find_run

    path = finished(find_run(run, Path(out or "results")))
    rows = draw(path, count, seed)
    scales = offers_of(path)
    items = [
        {
            "key": row.key,
            "question": row.shown["input"],
            "reference": "\n".join(row.shown["target"] or ()),
            "answer": row.shown["answer"] or row.shown["output"] or "",
            "scale": row.place[0],
        }
        for row in rows
    ]
    target = Path(page) if page else path / "label.html"
    target.write_text(label_page(run_mark(path), items, scales), encoding="utf-8")
    click.echo(f"{len(items)} answers to label, drawn at random")
    click.echo(str(target))
