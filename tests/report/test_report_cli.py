"""harness report and harness board on the command line."""

from __future__ import annotations

import base64
import gzip
import html
import json
import shlex
from collections import Counter

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


def test_a_report_can_leave_samples_out(tmp_path, monkeypatch):
    """--samples keeps the first of each task and copy, the same in every run; numbers stay."""
    monkeypatch.chdir(tmp_path)
    for model in ("embedded/mini", "embedded/nano"):
        make_run(tmp_path / "results", Recipe(model, per_cell=5, tasks=("qa/en",)))
    runs = sorted(str(path) for path in (tmp_path / "results").iterdir())
    indexes = {}
    for name, more in {"all": (), "some": ("--samples", "3"), "none": ("--samples", "0")}.items():
        CliRunner().invoke(report, [*runs, "-o", name, *more], catch_exceptions=False)
        indexes[name] = [index_of(tmp_path / name / "index.html", run) for run in (0, 1)]
    boards = {(tmp_path / name / "board.md").read_text().split("\n", 1)[1] for name in indexes}
    assert len(boards) == 1
    whole, some = indexes["all"][0], indexes["some"][0]
    kinds = Counter(zip(whole["columns"]["v"], whole["columns"]["a"], strict=True))
    assert min(kinds.values()) > 3
    assert len(some["columns"]["id"]) == 3 * len(kinds)
    assert some["left"] == len(whole["columns"]["id"]) - 3 * len(kinds)
    assert some["columns"]["id"] == indexes["some"][1]["columns"]["id"]
    assert set(some["columns"]["id"]) < set(whole["columns"]["id"])
    assert indexes["none"][0]["columns"]["id"] == []
    assert "left" not in whole
    assert "--samples 3" in (tmp_path / "some" / "index.html").read_text()


def index_of(page, run):
    """Return the index of a run's samples that a page holds."""
    text = page.read_text().split(f'id="chunk-r{run}-index"')[1].split(">", 1)[1].split("<")[0]
    return json.loads(gzip.decompress(base64.b64decode(text)))


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


def test_the_page_says_how_to_make_it_again(folder):
    """The command is quoted for a shell and keeps the folder; an absolute path is only named."""
    shown = []
    for target in ("my pages/a $b", str(folder / "there")):
        done = CliRunner().invoke(report, ["2026", "-o", target], catch_exceptions=False)
        text = (folder / done.output.strip()).read_text(encoding="utf-8")
        command = html.unescape(text.split("<code>harness report ")[1].split("</code>")[0])
        shown.append(shlex.split(command)[1:])
        assert str(folder) not in text
    assert shown == [["-o", "my pages/a $b"], ["-o", "there"]]
