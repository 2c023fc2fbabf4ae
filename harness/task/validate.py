"""Checks a task file without asking a model; finds all problems, not the first alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, InvalidFile, UsageError
from harness.task.catalogue import default_roots, home
from harness.task.effective import RenderOverrides
from harness.task.load import load_task
from harness.task.render import Renderer
from harness.task.rows import Maker, RowSet, read_rows
from harness.task.spec import TaskSpec

ROWS = 20
"""Rows rendered under each arm; every row is read."""


def validate(
    path: Path,
    *,
    generator: Maker,
    overrides: Mapping[str, Any] | None = None,
) -> list[HarnessError]:
    """Return what is wrong with a task file; empty where nothing is.

    A file that cannot be loaded gives one problem; a task that loads gives one for each arm and
    row that fails, each place in a file once.
    """
    try:
        task = load_task(path, home(path, default_roots()))
    except InvalidFile as error:
        return [error]
    try:
        rowset = read_rows(task, generator=generator, overrides=overrides)
    except UsageError as error:
        return [error]
    problems: dict[tuple[object, ...], HarnessError] = {}
    for arm in task.arm_names:
        for problem in _render(task, rowset, arm):
            place: tuple[object, ...] = (str(problem),)
            if isinstance(problem, InvalidFile):
                place = (str(problem.path), problem.line, problem.key)
            problems.setdefault(place, problem)
    return list(problems.values())


def _render(task: TaskSpec, rowset: RowSet, arm: str) -> list[HarnessError]:
    try:
        renderer = Renderer(task, rowset, arm, RenderOverrides())
    except UsageError as error:
        return [error]
    problems: list[HarnessError] = []
    for index in range(min(ROWS, len(renderer))):
        try:
            renderer.sample(index)
        except UsageError as error:
            problems.append(error)
    return problems
