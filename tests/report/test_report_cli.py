"""harness report and harness board on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from made_runs import Recipe, make_run

from harness.cli.board import command as board
from harness.cli.report import command as report
from harness.errors import UnknownName


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with one run in results/."""
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "results", Recipe(per_cell=1, tasks=("qa/en",)))
    return tmp_path


def test_report_without_arguments_shows_the_latest_run(folder):
    """The latest run goes to reports/<its name>, and the path is all that is printed."""
    done = CliRunner().invoke(report, [], catch_exceptions=False)
    (index,) = folder.glob("reports/*/index.html")
    assert done.output.strip() == str(index.relative_to(folder))
    assert index.parent.name.endswith("embedded-mini-be9d30")


def test_report_goes_where_it_is_told(folder):
    """-o names the folder; a run is named by the start of its name."""
    done = CliRunner().invoke(report, ["2026", "-o", "pages"], catch_exceptions=False)
    assert done.output.strip() == "pages/index.html"
    assert (folder / "pages" / "index.html").is_file()


def test_unknown_run_is_named(folder):
    """A run that is not there is an error that lists those that are."""
    with pytest.raises(UnknownName, match="embedded-mini"):
        CliRunner().invoke(report, ["nothing"], catch_exceptions=False)


def test_board_goes_where_it_is_told(folder):
    """Board writes its pages and three files for programs."""
    done = CliRunner().invoke(board, ["results", "-o", "board"], catch_exceptions=False)
    assert done.output.strip() == "board/index.html"
    names = sorted(path.name for path in (folder / "board").iterdir())
    assert names == ["board.csv", "board.json", "board.md", "index.html"]
