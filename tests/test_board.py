"""The board: which cells count, who leads, what cannot be told apart."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.board.publish import board_csv, board_json, board_markdown
from harness.board.ranks import Table, best_and_ties, duel, spread, standing
from harness.board.records import Entry, TaskFacts
from harness.board.table import make_board
from harness.records import Cell


def cell(task="a/x", value=0.5, half=0.05, **more) -> Cell:
    """Make a cell; `half` is half the width of its interval."""
    fields = {
        "task": task,
        "metric": "exact_match",
        "group": "accuracy",
        "arm": "default",
        "variant": "original",
        "slice": None,
        "n": 100,
        "value": value,
        "stderr": half / 1.96,
        "low": None if value is None else value - half,
        "high": None if value is None else value + half,
        "bound_low": value,
        "bound_high": value,
        "confidence": 0.95,
        "method": "wilson",
        "errors": 0,
        "unparsed": 0,
        "unjudged": 0,
        "estimate": "raw",
        "observed": False,
        "reason": None,
        "higher_is_better": True,
    }
    return Cell(**{**fields, **more})


def entry(model: str, run: str, *cells: Cell, **more) -> Entry:
    """Make a run of some cells."""
    return Entry(run=run, model=model, cells=cells, **more)


def places(board, model, view=0):
    """Return the numbers of one model's row."""
    return next(row for row in board.views[view].rows if row.model == model).cells


def test_clear_differences_give_clear_ranks():
    """Models far apart get one rank each, a win rate of 1 and of 0, and a decided duel."""
    board = make_board(
        "b", [entry("p/a", "1", cell(value=0.9)), entry("p/b", "2", cell(value=0.2))], {}
    )
    first, second = board.views[0].rows
    assert (first.model, first.rank_best, first.rank_worst, first.mean_win_rate) == ("p/a", 1, 1, 1)
    assert (second.rank_best, second.rank_worst, second.mean_win_rate) == (2, 2, 0)
    assert board.views[0].duel.undecided == 0
    assert [place.best for place in (first.cells[0], second.cells[0])] == [True, False]


def test_close_models_share_their_ranks():
    """Two models whose intervals overlap much share both ranks, both are bold, n is named."""
    entries = [entry("p/a", "1", cell(value=0.52)), entry("p/b", "2", cell(value=0.50))]
    view = make_board("b", entries, {}).views[0]
    assert [(row.rank_best, row.rank_worst) for row in view.rows] == [(1, 2), (1, 2)]
    assert all(row.cells[0].best for row in view.rows)
    assert view.duel.undecided == 1
    assert view.duel.more_samples > 1000


def test_latest_complete_run_counts():
    """Of two complete runs of a model the later counts, and a partial one does not replace it."""
    entries = [
        entry("p/a", "2", cell(value=0.6)),
        entry("p/a", "1", cell(value=0.5)),
        entry("p/a", "3", cell(value=0.9), complete=False),
    ]
    board = make_board("b", entries, {})
    assert places(board, "p/a")[0].value == 0.6
    assert board.models[0].runs == ("2",)


def test_partial_run_counts_where_nothing_else_is_there():
    """A partial run is shown, and says so, where a model has no complete one."""
    board = make_board("b", [entry("p/a", "1", cell(), complete=False)], {})
    assert places(board, "p/a")[0].reason == "partial run"


def test_later_run_of_other_tasks_does_not_hide_earlier_ones():
    """A model's row joins its runs task by task."""
    entries = [entry("p/a", "1", cell("a/x")), entry("p/a", "2", cell("a/y", 0.7))]
    board = make_board("b", entries, {"a/x": TaskFacts("a/x", "X")})
    assert [place.run for place in places(board, "p/a")] == ["1", "2"]
    assert board.tasks[0].title == "X"


def test_skipped_task_does_not_hide_an_earlier_number():
    """A later run that could not do a task leaves the earlier number standing."""
    skipped = cell(value=None, n=0, reason="gives no log-likelihoods")
    entries = [entry("p/a", "1", cell(value=0.4)), entry("p/a", "2", skipped)]
    assert places(make_board("b", entries, {}), "p/a")[0].value == 0.4


def test_missing_cells_say_why():
    """A task that was not run, and one that could not be, are blank with their reasons."""
    entries = [
        entry("p/a", "1", cell("a/x"), cell("a/y")),
        entry("p/b", "2", cell("a/x", None, n=0, reason="gives no log-likelihoods")),
    ]
    board = make_board("b", entries, {})
    assert [place.reason for place in places(board, "p/b")] == [
        "gives no log-likelihoods",
        "not run",
    ]


def test_another_prompt_is_shown_but_not_ranked():
    """A number whose hashes differ from the others' is marked and leaves the ranking."""
    entries = [
        entry("p/a", "1", cell(value=0.5), hashes={"a/x": {"data": "1"}}),
        entry("p/b", "2", cell(value=0.6), hashes={"a/x": {"data": "1"}}),
        entry("p/c", "3", cell(value=0.99), hashes={"a/x": {"data": "2"}}),
    ]
    board = make_board("b", entries, {})
    (odd,) = places(board, "p/c")
    row = next(row for row in board.views[0].rows if row.model == "p/c")
    assert (odd.differs, odd.value, odd.best, row.mean_win_rate) == (True, 0.99, False, None)
    assert board.views[0].rows[0].model == "p/b"


def test_every_group_gets_its_view():
    """Calibration, robustness, fairness and efficiency stand beside accuracy, each its own way."""
    cells = [
        cell(),
        cell(metric="ece", group="calibration", value=0.1, higher_is_better=False),
        cell(variant="worst", group="robustness", value=0.3),
        cell(variant="mean_drop", group="robustness", value=0.1, higher_is_better=False),
        cell(variant="worst", group="fairness", value=0.4),
        cell(metric="latency_s", group="efficiency", value=0.2, higher_is_better=False),
        cell(metric="prompt_tokens", group="efficiency", value=20, higher_is_better=False),
        cell(metric="completion_tokens", group="efficiency", value=9, higher_is_better=False),
        cell(slice="digits=1", value=0.9),
    ]
    board = make_board("b", [entry("p/a", "1", *cells)], {})
    assert [(view.group, view.measure) for view in board.views] == [
        ("accuracy", "score"),
        ("calibration", "ece"),
        ("robustness", "worst"),
        ("robustness", "mean_drop"),
        ("fairness", "worst"),
        ("efficiency", "completion_tokens"),
        ("efficiency", "latency_s"),
        ("efficiency", "prompt_tokens"),
    ]


def test_lower_is_better_turns_the_ranking_round():
    """Where lower is better, the lowest model leads."""
    low = cell(metric="ece", group="calibration", value=0.05, half=0.01, higher_is_better=False)
    high = cell(metric="ece", group="calibration", value=0.4, half=0.01, higher_is_better=False)
    entries = [entry("p/a", "1", cell(), high), entry("p/b", "2", cell(), low)]
    view = make_board("b", entries, {}).views[1]
    assert view.rows[0].model == "p/b"
    assert [row.cells[0].best for row in view.rows] == [True, False]


def test_mean_needs_one_direction():
    """A mean over columns that point both ways would mean nothing and is left out."""
    entries = [entry("p/a", "1", cell("a/x"), cell("a/y", higher_is_better=False))]
    (row,) = make_board("b", entries, {}).views[0].rows
    assert row.mean is None


def test_mean_interval_shrinks_with_tasks():
    """The interval of a mean over four equal tasks is half as wide as that of one."""
    cells = [cell(f"a/{i}", 0.5, 0.1) for i in range(4)]
    (row,) = make_board("b", [entry("p/a", "1", *cells)], {}).views[0].rows
    assert row.mean == pytest.approx(0.5)
    assert row.mean_high - row.mean == pytest.approx(0.05)


def test_one_model_has_no_rank():
    """A single model beats nobody: no rank, no win rate, no duel."""
    view = make_board("b", [entry("p/a", "1", cell())], {}).views[0]
    assert (view.rows[0].rank_best, view.rows[0].mean_win_rate, view.duel) == (None, None, None)


def test_no_entries_no_views():
    """A board of nothing is empty, not an error."""
    assert make_board("b", [], {}).views == ()


def test_board_is_the_same_each_time():
    """The intervals of the win rates are simulated from a fixed seed."""
    entries = [entry("p/a", "1", cell(value=0.52)), entry("p/b", "2", cell(value=0.5))]
    assert board_json(make_board("b", entries, {})) == board_json(make_board("b", entries, {}))


def test_neutral_column_marks_nobody():
    """Where neither direction is better, nothing is best and the column is not ranked."""
    table = Table(
        np.array([[1.0], [2.0]]), np.array([[0.9], [1.9]]), np.array([[1.1], [2.1]]), (None,)
    )
    assert not best_and_ties(table, 0).any()
    assert np.isnan(standing(table).rates).all()


def test_duel_of_equal_values_asks_for_no_number_of_samples():
    """No number of samples settles a difference of nothing."""
    table = Table(np.array([[0.5], [0.5]]), np.array([[0.4]] * 2), np.array([[0.6]] * 2), (True,))
    assert duel(table, 0, 1, [100]) == (1, 1, None)


def test_spread_without_interval_has_no_width():
    """A value without an interval is a point; no value is NaN."""
    assert spread(cell(value=0.5, low=None, high=None)) == (0.5, 0.5, 0.5)
    assert all(math.isnan(part) for part in spread(cell(value=None)))


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3)), min_size=2, max_size=6
    )
)
def test_ranks_hold_their_own_order(numbers):
    """Ranks lie in 1…K, best is at most worst, and win rates lie in their own intervals."""
    values = np.array([[value] for value, _, _ in numbers])
    lows = values - np.array([[low] for _, low, _ in numbers])
    highs = values + np.array([[high] for _, _, high in numbers])
    found = standing(Table(values, lows, highs, (True,)))
    assert (found.best >= 1).all()
    assert (found.worst <= len(numbers)).all()
    assert (found.best <= found.worst).all()
    assert (found.lows <= found.rates).all()
    assert (found.rates <= found.highs).all()


def test_json_csv_and_markdown_say_the_same():
    """All three files hold every number; hostile names break neither table nor spreadsheet."""
    entries = [
        entry("=cmd|evil", "1", cell("a/x", 0.25), cell("a/y", None, n=0, reason="no | pipes")),
        entry("p/b", "2", cell("a/x", 0.75, low=None, high=None)),
    ]
    board = make_board("b | c", entries, {}, [{"run": "9", "reason": "interrupted"}])
    data = json.loads(board_json(board))
    assert data["format"] == 1
    assert data["views"][0]["rows"][0]["cells"][0]["value"] == 0.75
    rows = list(csv.DictReader(io.StringIO(board_csv(board))))
    assert {row["model"] for row in rows} == {"'=cmd|evil", "p/b"}
    assert [float(row["value"]) for row in rows if row["task"] == "a/x"] == [0.75, 0.25]
    text = board_markdown(board)
    assert "=cmd\\|evil" in text
    assert "no \\| pipes" in text
    assert "**0.75**" in text
    assert "- 9: interrupted" in text
