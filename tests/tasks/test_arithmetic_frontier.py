"""The frontier of the embedded models: the search names what the full grid names."""

from __future__ import annotations

from collections import defaultdict

import pytest

from harness.pipeline import run
from harness.records import Execution, ModelSpec, RunSpec
from harness.stats.frontier import Answer, Found, FrontierSearch, Level, grid_frontier
from harness.store.columns import read_columns

WHOLE = {"arithmetic/addition": {"1"}, "arithmetic/subtraction": {"1"}}
"""Cells that hold every item there is."""


def outcomes_of(columns, task):
    """Right or wrong of every sample of a task, by digits, in the order of the run."""
    found = defaultdict(list)
    rows = zip(columns.task, columns.slices["digits"], columns.values["exact_match"], strict=True)
    for name, digits, value in rows:
        if name == task:
            found[digits].append(bool(value))
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def search_for(search, outcomes):
    """Drive the search over recorded outcomes."""
    cells, history = list(outcomes.values()), []
    while not isinstance(step := search(history), Found):
        seen = sum(answer.level == step.level for answer in history)
        taken = cells[step.level - 1][seen : seen + step.items]
        history += [Answer(step.level, right) for right in taken]
    return step


@pytest.mark.parametrize("model", ["nano", "micro", "mini"])
def test_search_and_grid_agree_on_embedded_models(tmp_path, model):
    """For both operations the adaptive search finds the grid's level with at most 30 % of it."""
    spec = RunSpec(tuple(WHOLE), ModelSpec("embedded", model))
    result = run(spec, Execution(out=str(tmp_path)))
    columns = read_columns(result.directory / "samples.parquet")
    for task, whole in WHOLE.items():
        outcomes = outcomes_of(columns, task)
        levels = tuple(Level(len(items), name in whole) for name, items in outcomes.items())
        found = search_for(FrontierSearch(levels), outcomes)
        assert found.frontier == grid_frontier([sum(items) for items in outcomes.values()], levels)
        assert found.asked <= 0.3 * sum(map(len, outcomes.values()))
