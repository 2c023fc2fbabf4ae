"""harness board: rank the models of a folder of runs, or check that its numbers hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.board.check import Report
    from harness.cli.board_folder import Folder
    from harness.report.model import RunData

CHECK = "check"
ERRORS_SHOWN = 10


class _Board(click.Group):
    """`harness board DIR` ranks; `harness board check DIR` checks."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read a first word that is no verb as the folder."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["rank", *args]
        return super().parse_args(ctx, args)


@click.group("board", cls=_Board, subcommand_metavar="[check] DIR [OPTIONS]")
def command() -> None:
    """Rank the models of all runs under DIR, or `check` that its numbers hold.

    DIR holds run directories, submissions (<org>__<model>/<revision>/), arenas of `harness judge
    arena`, and CSV files: of scores, which become self-reported rows, or of games between models.
    It may be such a CSV file. `harness board rank --help` lists the options of ranking.
    """


@command.command("rank", hidden=True)
@click.argument("root", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "target", metavar="DIR", help="Where it goes (default: reports/<name of DIR>).")
@click.option("--check", "checked", is_flag=True, help="Check first, and mark each row by it.")
@json_option
def rank(root: Path, target: str | None, checked: bool, as_json: bool) -> None:
    """Rank the models of all runs under DIR: pages, board.json, board.csv and board.md.

    Of a model's runs of a task, the latest complete one counts.
    """
    where = Path(target) if target else Path("reports") / (root.resolve().stem or "board")
    index = write_board(root, where, checked=checked)
    click.echo((where / "board.json").read_text(encoding="utf-8") if as_json else str(index))


@command.command(CHECK)
@click.argument("root", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def check_folder(root: Path, as_json: bool) -> int:
    """Make every number of the board again from its samples, without a model.

    A row is self-reported, recomputed (its cells follow from the stored scores) or verified (the
    scores follow from the stored answers and the task's own data). Exit code 2 for a broken board.
    """
    from harness.cli.board_check import check
    from harness.cli.board_folder import look
    from harness.errors import ExitCode
    from harness.records import to_json

    report = check(look(root))
    if as_json:
        click.echo(to_json({"broken": report.broken, **_parts(report)}).decode())
    else:
        _show(report)
    return ExitCode.USAGE if report.broken else ExitCode.OK


def _parts(report: Report) -> dict[str, object]:
    return {"rows": report.rows, "findings": report.findings}


def _show(report: Report) -> None:
    for finding in report.findings:
        click.echo(str(finding))
    for row in report.rows:
        counts = f"{row.cells:,} cells, {row.samples:,} samples"
        click.echo(f"{row.evidence}: {row.run}: {row.model or 'unknown'} ({counts})")


def write_board(root: Path, out: Path, *, checked: bool = False) -> Path:
    """Write the board of all runs under `root` to `out` and return the path of index.html.

    Raises UsageError where `root` holds no finished run, or is broken and `checked`; StoreError
    where `out` cannot be written.
    """
    import msgspec

    from harness.board.table import make_board
    from harness.cli.board_folder import contents, look
    from harness.cli.report import entries, facts, publish, report_data, task_texts
    from harness.errors import UsageError
    from harness.records import to_json
    from harness.report.pages import write_pages
    from harness.store.manifest import RUN

    folder = look(root)
    evidence = _evidence(folder) if checked else {}
    finished = [one for one in folder.runs if (one.path / RUN).exists()]
    if not finished and not folder.outside:
        raise UsageError(f"{root}: no finished run in this folder")
    left_out = [
        {"run": one.name, "reason": "interrupted: no run.json"}
        for one in folder.runs
        if one not in finished
    ]
    loaded = _load(folder._replace(runs=finished), evidence)
    texts = task_texts(loaded)
    told = contents(folder.outside)
    rows = [*entries(loaded), *told.entries]
    board = make_board(out.name or "board", rows, facts(texts), left_out, told.games)
    used = {run for model in board.models for run in model.runs}
    kept = [run for run in loaded if run.name in used]
    line = f"harness board {root.resolve().name} -o {out.name}" + " --check" * checked
    data = report_data(out.name, kept, texts, msgspec.json.decode(to_json(board)), line)
    index = write_pages(data, out)
    publish(board, out)
    return index


def _load(folder: Folder, evidence: Mapping[str, str]) -> list[RunData]:
    """Read the runs; a submission stands in the row that its folder names."""
    from dataclasses import replace

    from harness.cli.report import load_runs

    loaded = load_runs([one.path for one in folder.runs], merge=True)
    return [
        replace(
            run,
            name=one.name,
            model=one.model or run.model,
            evidence=evidence.get(one.name, ""),
        )
        for run, one in zip(loaded, folder.runs, strict=True)
    ]


def _evidence(folder: Folder) -> dict[str, str]:
    """Check all and return what stands behind each run; raises UsageError for a broken board."""
    from harness.cli.board_check import check
    from harness.errors import UsageError

    report = check(folder)
    if report.broken:
        errors = [str(finding) for finding in report.findings if finding.severity == "error"]
        listed = "; ".join(errors[:ERRORS_SHOWN])
        more = " …" if len(errors) > ERRORS_SHOWN else ""
        raise UsageError(f"the board is broken ({len(errors)} errors): {listed}{more}")
    return {row.run: row.evidence for row in report.rows}
