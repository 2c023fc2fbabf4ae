"""Win rates and ranks: worked tables and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.stats.ranking import borda, mean_win_rate, rank_sets, win_rates

NAN = float("nan")
TABLE = [
    # accuracy, error, seconds, alone
    [0.9, 0.2, 3.0, 0.5],
    [0.8, 0.1, NAN, NAN],
    [0.8, 0.3, 1.0, NAN],
    [0.7, NAN, 3.0, NAN],
]
DIRECTIONS = [True, False, False, True]

tables = arrays(float, (5, 4), elements=st.sampled_from([NAN, 0.0, 0.25, 0.5, 1.0]))


def test_win_rates_by_hand():
    """Ties count half, lower wins where lower is better, and a column of one value says nothing."""
    expected = [
        [1, 1 / 2, 1 / 4, NAN],
        [1 / 2, 1, NAN, NAN],
        [1 / 2, 0, 1, NAN],
        [0, NAN, 1 / 4, NAN],
    ]
    assert win_rates(TABLE, DIRECTIONS) == pytest.approx(np.array(expected), nan_ok=True)


def test_mean_win_rate_by_hand():
    """A system's mean is over the columns it has: a missing one is no penalty."""
    assert mean_win_rate(TABLE, DIRECTIONS) == pytest.approx([7 / 12, 3 / 4, 1 / 2, 1 / 8])


def test_best_on_a_single_column_is_1():
    """A system with one value, the best, has win rate 1, and one with none has NaN."""
    found = mean_win_rate([[0.9, NAN], [0.5, 1], [0.4, 0], [NAN, NAN]], [True, True])
    assert found[:3] == pytest.approx([1, 3 / 4, 0])
    assert np.isnan(found[3])


def test_columns_without_direction_are_left_out():
    """Where neither way is better nothing is compared."""
    assert np.isnan(mean_win_rate([[1.0], [2.0]], [None])).all()
    assert borda([[1.0], [2.0]], [None]).tolist() == [0, 0]


def test_borda_by_hand():
    """Points are systems beaten plus half of those tied; a missing value earns none."""
    assert borda(TABLE, DIRECTIONS) == pytest.approx([3 + 1 + 0.5, 1.5 + 2, 1.5 + 0 + 2, 0 + 0.5])


@settings(deadline=None)
@given(tables)
def test_every_column_averages_to_one_half(table):
    """Each comparison hands out exactly one win, so a compared column's mean rate is ½."""
    rates = win_rates(table, [True, False, True, False])
    for column in rates.T:
        present = column[~np.isnan(column)]
        assert len(present) == 0 or present.mean() == pytest.approx(0.5)


@settings(deadline=None)
@given(tables)
def test_negated_scores_with_opposite_direction_rank_alike(table):
    """Turning a metric round with its direction changes nothing; the order of columns neither."""
    ways = [True, False, True, False]
    found = mean_win_rate(table, ways)
    turned = mean_win_rate(-table[:, ::-1], [not way for way in ways[::-1]])
    assert turned == pytest.approx(found, nan_ok=True)


@settings(deadline=None)
@given(tables)
def test_a_monotone_change_of_scale_changes_nothing(table):
    """Only the order within a column counts."""
    ways = [True] * 4
    assert mean_win_rate(np.exp(table), ways) == pytest.approx(
        mean_win_rate(table, ways), nan_ok=True
    )


def test_wrong_tables_are_named():
    """A direction too few, or an infinite score, raises ValueError."""
    with pytest.raises(ValueError, match="must have 1 columns"):
        win_rates([[1, 2]], [True])
    with pytest.raises(ValueError, match="must be finite or NaN"):
        win_rates([[np.inf]], [True])


def test_rank_sets_by_hand():
    """Overlapping intervals share ranks; a separated one does not."""
    best, worst = rank_sets([0.8, 0.5, 0.4, 0.1], [0.9, 0.7, 0.6, 0.2])
    assert best.tolist() == [1, 2, 2, 4]
    assert worst.tolist() == [1, 3, 3, 4]
    with pytest.raises(ValueError, match="each low at most its high"):
        rank_sets([1], [0])
    with pytest.raises(ValueError, match="aligned"):
        rank_sets([1], [2, 3])
