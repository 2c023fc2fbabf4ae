"""harness board: rank the models of a folder of runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("board")
@click.argument("root", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "target", metavar="DIR", help="Where it goes (default: reports/<name of DIR>).")
def command(root: Path, target: str | None) -> None:
    """Rank the models of all runs under DIR: pages, board.json, board.csv and board.md.

    Of a model's runs of a task, the latest complete one counts.
    """
    where = Path(target) if target else Path("reports") / (root.resolve().name or "board")
    click.echo(str(write_board(root, where)))


def write_board(root: Path, out: Path) -> Path:
    """Write the board of all runs under `root` to `out` and return the path of index.html.

    Raises UsageError where `root` holds no finished run, StoreError where `out` cannot be written.
    """
    import msgspec

    from harness.board.table import make_board
    from harness.cli.report import entries, facts, load_runs, publish, report_data, task_texts
    from harness.errors import UsageError
    from harness.records import to_json
    from harness.report.pages import write_pages
    from harness.store.manifest import RUN, runs

    known = runs(root)
    finished = [path for path in known if (path / RUN).exists()]
    if not finished:
        raise UsageError(f"{root}: no finished run in this folder")
    left_out = [
        {"run": path.name, "reason": "interrupted: no run.json"}
        for path in known
        if path not in finished
    ]
    loaded = load_runs(finished, merge=True)
    texts = task_texts(loaded)
    board = make_board(out.name or "board", entries(loaded), facts(texts), left_out)
    used = {run for model in board.models for run in model.runs}
    kept = [run for run in loaded if run.name in used]
    line = f"harness board {root.resolve().name} -o {out.name}"
    data = report_data(out.name, kept, texts, msgspec.json.decode(to_json(board)), line)
    index = write_pages(data, out)
    publish(board, out)
    return index
