"""Ranks over shared items, self-reported rows, and how steady a ranking is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats
from test_board import cell, entry, places

from harness import pipeline
from harness.board.items import Items, drawn_means, items_of
from harness.board.publish import board_csv, board_markdown
from harness.board.ranks import Table, rank_bands, steadiness
from harness.board.reported import read_reported
from harness.board.table import make_board
from harness.cli.board import command, write_board
from harness.cli.board_check import check
from harness.cli.board_folder import look
from harness.errors import InvalidFile, UsageError
from harness.identity import child_rng
from harness.records import Execution, ModelSpec, RunSpec, ScoreColumns


def columns(values, clusters=None, task="a/x") -> ScoreColumns:
    """Make the scores of one run, one sample a row."""
    size = len(values)

    def words(text) -> np.ndarray:
        return np.array(text if isinstance(text, list) else [text] * size, dtype=object)

    return ScoreColumns(
        task=words(task),
        arm=words("default"),
        variant=words("original"),
        sample_id=words([f"s{place}" for place in range(size)]),
        epoch=np.zeros(size, dtype=int),
        changed=np.ones(size, dtype=bool),
        cluster=words(clusters or ""),
        status=words("ok"),
        confidence=np.full(size, np.nan),
        values={"exact_match": np.array(values, dtype=float)},
        slices={},
    )


def measured(model: str, values, **more):
    """Make a run with its items at hand."""
    mean = float(np.mean(values))
    half = 1.96 * float(np.std(values)) / len(values) ** 0.5
    own = cell("a/x", mean, half, n=len(values))
    return entry(model, model, own, columns=lambda: columns(values, **more))


def test_models_that_share_items_are_told_apart_where_intervals_are_not():
    """One model loses only where the other does too: the pairs decide, the intervals alone do not.

    0.60 and 0.50 of 100 items each overlap; ten losses and no gain are McNemar p = 0.002.
    """
    better = [1.0] * 60 + [0.0] * 40
    worse = [1.0] * 50 + [0.0] * 50
    paired = make_board("b", [measured("p/a", better), measured("p/b", worse)], {}).views[0]
    assert paired.paired
    assert [(row.rank_best, row.rank_worst) for row in paired.rows] == [(1, 1), (2, 2)]
    assert paired.duel.undecided == 0
    assert not paired.rows[1].cells[0].best
    alone = [
        msgspec.structs.replace(measured(model, values), columns=None)
        for model, values in (("p/a", better), ("p/b", worse))
    ]
    view = make_board("b", alone, {}).views[0]
    assert not view.paired
    assert [(row.rank_best, row.rank_worst) for row in view.rows] == [(1, 2), (1, 2)]


def test_clusters_are_drawn_whole():
    """Ten clusters of ten equal samples say as much as ten samples do."""
    values = [1.0] * 50 + [0.0] * 50
    names = [f"c{place // 10}" for place in range(100)]
    single = items_of(columns(values), cell("a/x", 0.5))
    whole = items_of(columns(values, names), cell("a/x", 0.5))
    rng = child_rng(1, "test")
    narrow, wide = (drawn_means([items], 4000, rng).std() for items in (single, whole))
    assert narrow == pytest.approx(0.05, rel=0.1)
    assert wide == pytest.approx(0.05 * 10**0.5, rel=0.1)


def test_drawn_means_agree_with_scipys_paired_bootstrap():
    """The spread of a difference of means is that of scipy's paired bootstrap."""
    rng = np.random.default_rng(7)
    one = (rng.random(80) < 0.6).astype(float)
    other = np.where(rng.random(80) < 0.8, one, 1 - one)
    items = [
        items_of(columns(values), cell("a/x", float(values.mean()))) for values in (one, other)
    ]
    drawn = drawn_means(items, 5000, child_rng(1, "test"))
    known = stats.bootstrap(
        (one, other),
        lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        n_resamples=5000,
        rng=np.random.default_rng(1),
        method="percentile",
    )
    assert (drawn[:, 0] - drawn[:, 1]).std() == pytest.approx(known.standard_error, rel=0.05)


def test_items_only_where_the_cell_is_their_mean():
    """Other kinds of numbers, and metrics without a column, are ranked by their intervals."""
    assert items_of(columns([1.0, 0.0]), cell("a/x", 0.7)) is None
    assert items_of(columns([1.0, 0.0]), cell("a/x", 0.5, metric="f1")) is None
    assert items_of(columns([1.0]), cell("a/x", None)) is None
    assert np.isnan(drawn_means([None], 10, child_rng(1))).all()


def test_a_model_with_a_part_of_the_items_is_drawn_from_its_own():
    """Where a draw holds none of a model's items its whole mean stands in."""
    small = Items(np.array(["s1"]), np.array([1.0]), np.array([1.0]))
    large = Items(np.array([f"s{i}" for i in range(9)]), np.zeros(9), np.ones(9))
    drawn = drawn_means([small, None, large], 200, child_rng(1))
    assert (drawn[:, 0] == 1).all()
    assert (drawn[:, 2] == 0).all()


def test_rank_bands_hold_the_true_ranks():
    """In 200 boards of five equal models the bands leave out a true rank in about 5 %, as meant.

    Equal models share all ranks: a band that is not the whole range is a miss.
    """
    misses = 0
    rng = np.random.default_rng(3)
    for _ in range(200):
        rates = rng.normal(0, 1, 5)
        drawn = rates + rng.normal(0, 1, (400, 5))
        best, worst = rank_bands(rates[None, :], drawn[None, :, :])
        misses += int((best[0], worst[0]) != (1, 5))
    assert misses <= 20


def test_rank_bands_without_spread_follow_the_values():
    """Numbers that do not move rank as they stand; equal ones share their ranks."""
    rates = np.array([0.9, 0.5, 0.5])
    best, worst = rank_bands(rates[None, :], np.tile(rates, (1, 10, 1)))
    assert best.tolist() == [1, 2, 2]
    assert worst.tolist() == [1, 3, 3]


def test_rank_bands_rest_on_shared_columns():
    """Who met easy rivals is not above who was not there; without a shared column nobody is."""
    nan = float("nan")
    wins = np.array([[1.0, 0.5, 0.0, nan], [nan, 1.0, 0.5, 0.0], [nan, 0.9, 0.8, 0.7]])
    best, worst = rank_bands(wins, np.repeat(wins[:, None, :], 10, axis=1))
    assert (best.tolist(), worst.tolist()) == ([1, 2, 3, 3], [2, 2, 3, 4])
    apart = np.array([[1.0, nan], [nan, 0.0]])
    best, worst = rank_bands(apart, np.repeat(apart[:, None, :], 10, axis=1))
    assert (best.tolist(), worst.tolist()) == ([1, 1], [2, 2])


def test_rank_bands_of_a_table_without_gaps_are_those_of_the_mean_rates():
    """With nothing missing the shared columns are all columns."""
    rng = np.random.default_rng(5)
    drawn = rng.normal(np.arange(6)[None, None, :] / 3, 1, (4, 500, 6))
    wins = drawn.mean(axis=1)
    whole = rank_bands(wins.mean(axis=0)[None, :], drawn.mean(axis=0)[None, :, :])
    assert [part.tolist() for part in rank_bands(wins, drawn)] == [p.tolist() for p in whole]


def test_who_ran_few_of_the_tasks_is_not_ranked():
    """The best at the only task it ran has its mean win rate, and stands below those ranked."""
    few = entry("p/few", "1", cell("t0", value=0.99))
    entries = [few]
    for place, model in enumerate(("p/a", "p/b", "p/c")):
        cells = [cell(f"t{task}", value=0.8 - 0.2 * place) for task in range(5)]
        entries.append(entry(model, str(place + 2), *cells))
    board = make_board("b", entries, {})
    view = board.views[0]
    assert [row.model for row in view.rows] == ["p/a", "p/b", "p/c", "p/few"]
    assert "for models with half of the compared tasks" in board_markdown(board)
    last = view.rows[-1]
    assert last.mean_win_rate == 1.0
    assert (last.rank_best, last.rank_worst, last.steady_best) == (None, None, None)
    assert all(row.rank_best is not None for row in view.rows[:3])
    assert (view.duel.leader, view.duel.runner_up) == ("p/a", "p/b")
    assert all(one.leader == "p/a" for one in view.without)


def test_a_task_that_nobody_else_ran_takes_no_rank_away():
    """What only one model ran compares nothing, and does not count as lacking in the others."""
    alone = [cell(f"own{task}", value=0.9) for task in range(9)]
    entries = [
        entry("p/a", "1", cell("t", value=0.9), *alone),
        entry("p/b", "2", cell("t", value=0.2)),
    ]
    rows = make_board("b", entries, {}).views[0].rows
    assert [(row.rank_best, row.rank_worst) for row in rows] == [(1, 1), (2, 2)]


def test_leaving_out_a_task_moves_places():
    """A lead that rests on one task is lost without it; Borda counts models beaten."""
    entries = [
        entry("p/a", "1", cell("a/x", 0.9), cell("a/y", 0.6), cell("a/z", 0.5)),
        entry("p/b", "2", cell("a/x", 0.5), cell("a/y", 0.5), cell("a/z", 0.9)),
    ]
    view = make_board("b", entries, {}).views[0]
    assert [row.borda for row in view.rows] == [2, 1]
    assert [(one.task, one.leader, one.moved) for one in view.without] == [
        ("a/x", "p/a", 1),
        ("a/y", "p/a", 1),
        ("a/z", "p/a", 0),
    ]
    # without a/x both have beaten the other once: they share the first place
    assert [(row.steady_best, row.steady_worst) for row in view.rows] == [(1, 1), (1, 2)]
    text = board_markdown(make_board("b", entries, {}))
    assert "without a/x: 1 of 2 places change" in text
    assert "| 2 | 3/3 |" in text


def test_one_task_or_one_model_has_no_stability():
    """With one task nothing can be left out, with one model nothing can move."""
    values = np.array([[0.5], [0.6]])
    assert steadiness(Table(values, values, values, (True,))) is None
    values = np.array([[0.5, 0.6]])
    assert steadiness(Table(values, values, values, (True, True))) is None
    text = board_markdown(make_board("b", [entry("p/a", "1", cell())], {}))
    assert "places change" not in text


def test_a_wide_table_becomes_self_reported_rows():
    """Models down, tasks across; an empty field is a task not run; a long table says n too."""
    path = Path("told.csv")
    first, second = read_reported("\ufeffmodel,a/x,a/y\nacme/A,0.5,\nacme/B,0.25,1\n", path)
    assert [(c.task, c.value) for c in first.cells] == [("a/x", 0.5)]
    assert [(c.task, c.value) for c in second.cells] == [("a/x", 0.25), ("a/y", 1.0)]
    assert first.evidence == "self-reported"
    text = "model,task,metric,value,n,low,high\nm,a/x,f1,0.5,100,0.4,0.6\nm,a/y,,,,,\n"
    (long,) = read_reported(text, path)
    assert [(c.metric, c.n, c.low, c.high) for c in long.cells] == [("f1", 100, 0.4, 0.6)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'model'"),
        ("modle,a\nx,1\n", "did you mean"),
        ("model,a,a\nx,1,1\n", "a head stands twice"),
        ("model,a\nx,74.3\n", "divide by 100"),
        ("model,a\nx,many\n", r"told.csv:2: a: no score; allowed: a share from 0 to 1; got: many"),
        ("model,a\nx,nan\n", "no score"),
        ("model,a\n,0.5\n", "no model"),
        ("model,a\nx,0.5,0.6\n", "more fields than heads"),
        ("model,a\nx,0.5\nx,0.6\n", "a second score"),
        ("model,a\n", "no row"),
        ('model,a\nx,"0.5\n', "not CSV"),
        ("model,task,value\nx,,0.5\n", "no task"),
        ("model,task,value,n\nx,t,0.5,-3\n", "no number of samples"),
        ("model," + ",".join(f"t{i}" for i in range(3000)) + "\nx\n", "more than 2000 columns"),
    ],
)
def test_wrong_tables_are_named(text, said):
    """Each mistake of a table is said with its line and column."""
    with pytest.raises(InvalidFile, match=said):
        read_reported(text, Path("told.csv"))


def test_self_reported_rows_stand_beside_measured_ones_unranked():
    """A reported number is shown, marked, and out of the ranking where others were measured."""
    reported = read_reported("model,a/x\nacme/A,0.99\nacme/B,0.98\n", Path("told.csv"))
    board = make_board("b", [entry("p/a", "1", cell("a/x", 0.5)), *reported], {})
    (told,) = places(board, "acme/A")
    assert (told.value, told.differs) == (0.99, True)
    assert board.views[0].rows[0].model == "p/a" or board.views[0].rows[0].mean is None
    assert {facts.model: facts.evidence for facts in board.models} == {
        "p/a": "",
        "acme/A": "self-reported",
        "acme/B": "self-reported",
    }
    assert "acme/A (self-reported)" in board_markdown(board)
    assert ",self-reported,,,,\n" in board_csv(board)
    alone = make_board("b", reported, {}).views[0]
    assert [row.mean_win_rate for row in alone.rows] == [1, 0]


@pytest.fixture
def root(addition, tmp_path) -> Path:
    """A folder with one run of our own, a submission of two revisions, and a table."""
    folder = tmp_path / "board"
    for name, where in (
        ("oracle", folder),
        ("wrong", folder / "acme__sums" / "v1"),
        ("random", folder / "acme__sums" / "v2"),
    ):
        spec = RunSpec(tasks=(str(addition),), model=ModelSpec("scripted", name))
        done = pipeline.run(spec, Execution(out=str(tmp_path / "runs")))
        target = where / done.directory.name if name != "random" else where
        shutil.copytree(done.directory, target)
    (folder / "told.csv").write_text("model,sums\nother/told,0.5\n")
    (folder / "acme__sums" / "v3").mkdir()
    (folder / "acme__sums" / "v3" / "scores.csv").write_text("model,sums\nanything,0.75\n")
    return folder


def test_submissions_stand_in_the_row_that_their_folder_names(root, tmp_path):
    """<org>__<model>/<revision>/ is one row a revision, whether a run, runs, or a table."""
    index = write_board(root, tmp_path / "out")
    data = json.loads((tmp_path / "out" / "board.json").read_text())
    found = {model["model"]: model["evidence"] for model in data["models"]}
    assert found == {
        "scripted/oracle": "",
        "acme/sums@v1": "",
        "acme/sums@v2": "",
        "acme/sums@v3": "self-reported",
        "other/told": "self-reported",
    }
    page = index.read_text()
    assert "acme/sums@v2" in page
    assert "self-reported" in page


def test_a_checked_board_says_what_stands_behind_each_row(root, tmp_path):
    """--check marks the rows; our own board.csv is no row of the next one."""
    arguments = [str(root), "-o", str(root), "--check", "--json"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    evidence = {m["model"]: m["evidence"] for m in json.loads(done.output)["models"]}
    assert evidence["scripted/oracle"] == evidence["acme/sums@v2"] == "verified"
    assert (root / "board.csv").exists()
    assert [row.evidence for row in check(look(root)).rows].count("self-reported") == 2


def test_a_csv_alone_makes_a_board(tmp_path):
    """A table of scores by itself is a board of self-reported rows."""
    table = tmp_path / "told.csv"
    table.write_text("model,a/x,a/y\nacme/A,0.9,0.8\nacme/B,0.5,0.6\n")
    index = write_board(table, tmp_path / "out")
    data = json.loads((tmp_path / "out" / "board.json").read_text())
    assert [row["rank_best"] for row in data["views"][0]["rows"]] == [1, 2]
    assert "acme/A" in index.read_text()


def test_wrong_folders_and_tables_are_named(root, tmp_path):
    """An empty folder, none at all, a table of two models in one submission, bytes."""
    (tmp_path / "empty").mkdir()
    for path, said in (
        (tmp_path / "empty", "no finished run"),
        (tmp_path / "no", "no such folder"),
    ):
        with pytest.raises(UsageError, match=said):
            look(path)
    (root / "acme__sums" / "v3" / "scores.csv").write_text("model,sums\na,0.5\nb,0.5\n")
    with pytest.raises(InvalidFile, match="scores of 2 models in the submission of one"):
        write_board(root, tmp_path / "out")
    (root / "told.csv").write_bytes(b"\xff\xfe\x00")
    findings = check(look(root)).findings
    assert [(item.kind, item.severity) for item in findings] == [("unreadable", "error")] * 2
