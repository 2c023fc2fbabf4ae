"""The frontier by grid and by search: rules, known steps, and simulated models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from harness.stats.frontier import (
    DEFAULT,
    Answer,
    Ask,
    Found,
    FrontierSearch,
    Level,
    Rule,
    gaps,
    grid_frontier,
    mastery,
    predictive,
)
from harness.stats.intervals import wilson

TWELVE = (Level(100),) * 12


def cliff(rng, levels, steepness, ceiling=1.0):
    """Outcomes of every item of a model whose rate falls logistically with the level."""
    place = rng.uniform(0, len(levels) + 1.5)
    numbers = np.arange(1, len(levels) + 1)
    rates = ceiling / (1 + np.exp(steepness * (numbers - place)))
    return [rng.random(level.items) < rate for level, rate in zip(levels, rates, strict=True)]


def drive(search, outcomes):
    """Answer the search from fixed outcomes until it is over."""
    history, used = [], [0] * len(outcomes)
    while True:
        step = search(history)
        if isinstance(step, Found):
            assert step.asked == len(history)
            return step
        at = step.level - 1
        found = outcomes[at][used[at] : used[at] + step.items]
        assert len(found) == step.items > 0
        history += [Answer(step.level, bool(right)) for right in found]
        used[at] += step.items


def full(outcomes, levels):
    """The frontier by the full grid."""
    return grid_frontier([int(one.sum()) for one in outcomes], levels)


# ---- the rule and the grid --------------------------------------------------------------------


def test_a_level_needs_35_items():
    """34 of 34 have a lower end below 0.9, 35 of 35 have not: n / (n + z²)."""
    assert DEFAULT.least == 35
    assert not DEFAULT.passes(34, Level(34))
    assert DEFAULT.passes(35, Level(35))


@given(st.floats(0.5, 0.99), st.floats(0.5, 0.999))
def test_the_least_size_is_the_least(threshold, confidence):
    """With so many items all right a level holds, with one fewer it does not."""
    rule = Rule(threshold, confidence)
    assert rule.passes(rule.least, Level(rule.least))
    assert not rule.passes(rule.least - 1, Level(rule.least - 1))


def test_holding_breaking_and_being_gone_are_told_by_the_ends():
    """An interval that reaches the threshold from below says neither; none says nothing."""
    assert (DEFAULT.holds(0.9), DEFAULT.holds(0.89), DEFAULT.holds(None)) == (True, False, False)
    assert (DEFAULT.breaks(0.89), DEFAULT.breaks(0.9), DEFAULT.breaks(None)) == (True, False, False)
    assert (DEFAULT.gone(0.1), DEFAULT.gone(0.11), DEFAULT.gone(None)) == (True, False, False)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_intervals_and_counts_name_one_frontier(right):
    """What the report says of cells is what the grid says of their counts."""
    levels = [Level(60)] * len(right)
    ends = [wilson(count, 60)[2:4] for count in right]
    found = mastery(ends)
    assert found.frontier == grid_frontier(right, levels)
    assert list(found.gaps) == gaps(right, levels)
    assert found.gone is None or right[found.gone - 1] <= 6


def test_a_sampled_level_is_judged_by_its_lower_bound():
    """96 of 100 has a lower bound above 0.9, 95 of 100 has not."""
    assert DEFAULT.passes(96, Level(100))
    assert not DEFAULT.passes(95, Level(100))
    assert wilson(96, 100).low >= 0.9 > wilson(95, 100).low
    assert DEFAULT.allowed(Level(100)) == 4


def test_a_whole_level_is_judged_by_its_rate():
    """A cell that holds all items there are has no sampling error: 50 of 55 is enough."""
    assert DEFAULT.passes(50, Level(55, whole=True))
    assert not DEFAULT.passes(50, Level(55))
    assert DEFAULT.passes(9, Level(10, whole=True))
    assert not DEFAULT.passes(8, Level(10, whole=True))


def test_a_level_can_be_too_small_to_pass():
    """Up to 34 items even a perfect score leaves the bound below 0.9; of 0 items too."""
    assert DEFAULT.allowed(Level(34)) == -1
    assert DEFAULT.allowed(Level(35)) == 0
    assert DEFAULT.allowed(Level(0)) == -1


@given(st.integers(1, 400), st.booleans(), st.floats(0.5, 0.99))
def test_allowed_is_where_passing_ends(items, whole, threshold):
    """`allowed` wrong answers pass and one more does not."""
    rule, level = Rule(threshold), Level(items, whole)
    allowed = rule.allowed(level)
    assert allowed < 0 or rule.passes(items - allowed, level)
    assert allowed == items or not rule.passes(items - allowed - 1, level)


def test_the_grid_takes_the_largest_level_passed():
    """Levels below it that are not passed are gaps; none passed is 0."""
    assert grid_frontier([100, 99, 97, 80, 10], [Level(100)] * 5) == 3
    assert grid_frontier([100, 90, 97, 80, 10], [Level(100)] * 5) == 3
    assert gaps([100, 90, 97, 80, 10], [Level(100)] * 5) == [2]
    assert grid_frontier([50, 40], [Level(100)] * 2) == 0
    assert gaps([50, 40], [Level(100)] * 2) == []
    with pytest.raises(ValueError, match="2 levels need as many counts, got 1"):
        grid_frontier([50], [Level(100)] * 2)


# ---- predictive probability -------------------------------------------------------------------


@given(st.integers(1, 120), st.integers(0, 20), st.integers(0, 60), st.integers(0, 60))
def test_predictive_equals_scipy(left, allowed, right, wrong):
    """The chance of at most so many wrong answers to come is scipy's beta-binomial."""
    ours = predictive(left, allowed, (right + wrong, wrong), (0.5, 0.5))
    theirs = betabinom.cdf(allowed, left, 0.5 + wrong, 0.5 + right)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_what_cannot_turn_is_certain():
    """Too many wrong answers are certain failure, too few items left certain success."""
    assert predictive(90, -1, (10, 5), (0.5, 0.5)) == 0
    assert predictive(4, 4, (96, 0), (0.5, 0.5)) == 1


# ---- the search -------------------------------------------------------------------------------


def test_the_search_is_a_pure_decider():
    """The same history brings the same step; nothing is kept between calls."""
    search = FrontierSearch(TWELVE)
    first = search([])
    assert first == Ask(8, 4)
    search([Answer(8, False)] * 4)
    assert search([]) == first


def test_five_wrong_answers_send_it_down():
    """A level that cannot pass any more is left, and a lower one is tried."""
    step = FrontierSearch(TWELVE)([Answer(8, False)] * 4)
    assert isinstance(step, Ask)
    assert step.level < 8


@pytest.mark.parametrize(("rate", "frontier"), [(1.0, 12), (0.0, 0)])
def test_perfect_and_hopeless_models(rate, frontier):
    """A model that is always right masters all levels, one that never is none; both are sure."""
    found = drive(FrontierSearch(TWELVE), [np.full(100, rate == 1)] * 12)
    assert found[:2] == (frontier, True)
    assert found.asked <= 160


@pytest.mark.parametrize("edge", range(13))
def test_a_step_is_found_exactly(edge):
    """A model that is perfect up to a level and lost beyond is placed exactly, for every level."""
    outcomes = [np.full(100, level <= edge) for level in range(1, 13)]
    found = drive(FrontierSearch(TWELVE), outcomes)
    assert found[:2] == (edge, True)
    assert found.asked <= 0.2 * 1200


@pytest.mark.parametrize("steepness", [1.0, 1.5, 2.5, 6.0])
def test_simulated_models_of_twelve_levels(steepness):
    """Of 300 models 95 % get the grid's level, none is off by two, all take at most 30 %."""
    rng, search = np.random.default_rng(5), FrontierSearch(TWELVE)
    differences = []
    for _ in range(300):
        outcomes = cliff(rng, TWELVE, steepness)
        found = drive(search, outcomes)
        assert found.asked <= 0.3 * 1200
        differences.append(abs(found.frontier - full(outcomes, TWELVE)))
    assert np.mean(np.equal(differences, 0)) >= 0.95
    assert max(differences) <= 1


def test_simulated_models_with_lapses_and_a_small_whole_cell():
    """The same holds for models that err in 1 of 200 anyway, where the first cell has 55 items."""
    levels = (Level(55, whole=True), *TWELVE[1:])
    rng, search = np.random.default_rng(6), FrontierSearch(levels)
    differences = []
    for steepness in np.resize([1.5, 3.0, 8.0], 300):
        outcomes = cliff(rng, levels, steepness, ceiling=0.995)
        found = drive(search, outcomes)
        assert found.asked <= search.budget
        differences.append(abs(found.frontier - full(outcomes, levels)))
    assert np.mean(np.equal(differences, 0)) >= 0.95
    assert max(differences) <= 1


def test_a_spent_budget_is_said():
    """Where the budget ends the search the answer is the likeliest level, and not sure."""
    found = drive(FrontierSearch(TWELVE, share=0.03), cliff(np.random.default_rng(0), TWELVE, 1))
    assert not found.sure
    assert found.asked <= 36
    nothing = drive(FrontierSearch(TWELVE, share=0.0), [np.ones(100)] * 12)
    assert (0 < nothing.frontier < 12, nothing.sure, nothing.asked) == (True, False, 0)


def test_a_spent_budget_can_end_at_nothing():
    """One wrong answer of four leaves little hope for the only level."""
    answers = np.array([False, True, True, True, *[True] * 96])
    assert drive(FrontierSearch((Level(100),), share=0.04), [answers]) == Found(0, False, 4)


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 60))
def test_any_task_comes_to_an_end(seed, count, items):
    """Whatever the answers, the search ends within its budget and names a level there is."""
    rng = np.random.default_rng(seed)
    levels = tuple(Level(items, bool(rng.integers(2))) for _ in range(count))
    outcomes = [rng.random(items) < rng.random() for _ in range(count)]
    found = drive(FrontierSearch(levels, share=1.0), outcomes)
    assert 0 <= found.frontier <= count


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ([Answer(3, True)], "levels are 1 to 2, got 3"),
        ([Answer(1, True)] * 6, "level 1 has 5 items, got 6"),
    ],
)
def test_an_impossible_history_is_refused(history, said):
    """Answers to a level that does not exist, or to more items than there are, are a mistake."""
    with pytest.raises(ValueError, match=said):
        FrontierSearch((Level(5), Level(5)))(history)
