"""Scripted models bound every task: the oracle is right, the wrong one wrong, chance is chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pipeline import run
from harness.plugins import load
from harness.records import Cell, Execution, ModelSpec, RunSpec
from harness.task.catalogue import Catalogue
from harness.task.spec import TaskSpec, named

OWN = {
    item.name: task
    for item, task in Catalogue().load_all()
    if not item.name.startswith("public/") and task.judge is None
}
"""Every task whose rows ship with the harness and which a program can score."""
ROWS = 30
RANDOM_ROWS = 240


def is_share(task: TaskSpec) -> bool:
    """Whether the primary metric is right or wrong."""
    return load("metric", named(task.metrics[0]).name).interval == "proportion"


def primary(task: TaskSpec, model: str, out: Path, limit: int) -> list[Cell]:
    """Return the primary cells of a scripted run, one for each arm."""
    spec = RunSpec(tasks=(task.task,), model=ModelSpec("scripted", model), limit=limit)
    result = run(spec, Execution(out=str(out)))
    name = named(task.metrics[0]).name
    found = [
        cell
        for cell in result.cells
        if cell.metric == name and cell.slice is None and cell.variant == "original"
    ]
    assert len(found) == len(task.arm_names)
    return found


SHARES = sorted(name for name, task in OWN.items() if is_share(task))


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize(("model", "value"), [("oracle", 1.0), ("wrong", 0.0)])
def test_the_oracle_scores_one_and_the_wrong_model_zero(name, model, value, tmp_path):
    """On every task with a 0/1 primary metric, under every arm, with no failure."""
    for cell in primary(OWN[name], model, tmp_path, ROWS):
        assert (cell.value, cell.errors) == (value, 0), cell.arm


@pytest.mark.parametrize(
    "name", sorted(n for n, t in OWN.items() if isinstance(t.chance, float | int))
)
def test_guessing_scores_chance(name, tmp_path):
    """Where a task says what guessing scores, a random model's interval holds it."""
    task = OWN[name]
    for cell in primary(task, "random", tmp_path, RANDOM_ROWS):
        assert cell.low is not None
        assert cell.high is not None
        # one interval in twenty misses; a wider one keeps the suite's verdict steady
        spare = (cell.high - cell.low) / 2
        assert cell.low - spare <= float(task.chance or 0) <= cell.high + spare


def test_there_are_tasks_to_check():
    """The families are all there."""
    families = {name.split("/")[0] for name in OWN}
    assert {"arithmetic", "winograd", "qa", "hallucination", "interaction"} <= families
    assert len(SHARES) > 50
