"""Where a model's mastery ends: from a recorded run, or by a search that asks as little as it can.

The search is a pure decider (`stats.frontier.FrontierSearch`); this module drives it, as
`pipeline.py` drives a run: the same tasks, the same store, no run directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import BackendError, InvalidFile, UsageError
from harness.interact.ask import Asker, sample_tag
from harness.opening import connections_of, open_backend
from harness.pipeline import STORE
from harness.prepare import Arm, Prepared, prepare
from harness.records import Execution, Outcome, RunSpec, Sample
from harness.run.local import LocalExecutor
from harness.run.policy import RetryPolicy
from harness.run.rate import terms_of
from harness.run.sender import Sender, SendRules
from harness.run.traffic import Traffic
from harness.stats.frontier import Answer, Found, FrontierSearch, Level, mastery
from harness.stats.intervals import UNIT, mean_interval
from harness.stats.logistic import Effect, factor_effects
from harness.store.columns import read_columns
from harness.store.manifest import SAMPLES, SCORES, read_json
from harness.store.responses import SqliteResponses
from harness.task.catalogue import Catalogue


class Frontier(msgspec.Struct, frozen=True):
    """The largest level of one task that is mastered, and what was asked to find it."""

    task: str
    by: str
    frontier: str | None
    """The level's name, such as "3" digits; None where not even the first is mastered."""
    sure: bool
    asked: int
    items: int
    """What the full grid has."""
    levels: dict[str, tuple[int, int]]
    """By level: right, and asked."""
    gaps: tuple[str, ...] = ()
    """Levels below the frontier that do not surely hold."""
    effects: tuple[Effect, ...] = ()
    """From a recorded run: what each slice does to the odds, the weightiest first."""


def of_run(run: Path, by: str) -> list[Frontier]:
    """Return the frontier of every task of a run that has the slice `by`, from all its items.

    Of the primary metric under the task's first arm, by the intervals that the run's cells have.
    Raises InvalidFile where no task has it.
    """
    columns = read_columns(run / SAMPLES)
    cells = read_json(run / SCORES)["cells"]
    primary = {cell["task"]: (cell["metric"], cell["arm"]) for cell in reversed(cells)}
    found = []
    for task in dict.fromkeys(columns.task):
        metric, arm = primary.get(task, ("", ""))
        values = columns.values.get(metric)
        if values is None or by not in columns.slices:
            continue
        here = (columns.task == task) & (columns.variant == "original") & (values == values)  # noqa: PLR0124 - not NaN
        here &= columns.arm == arm
        here &= columns.slices[by] != ""
        if here.any():
            factors = {name: column[here] for name, column in columns.slices.items()}
            found.append(_recorded(task, by, factors, (values[here], columns.cluster[here])))
    if not found:
        raise InvalidFile("no task has this slice", path=run, key=by)
    return found


def _recorded(task: str, by: str, factors: dict[str, Any], scored: tuple[Any, Any]) -> Frontier:
    """Return what the intervals of the levels say: those of the run's own cells."""
    values, cluster = scored
    names = sorted(set(factors[by]), key=_natural)
    places = [factors[by] == name for name in names]
    cells = [values[place] for place in places]
    right = [int((cell == 1.0).sum()) for cell in cells]
    intervals = [
        mean_interval(values[place], cluster[place], bounds=UNIT if _shares(values) else None)
        for place in places
    ]
    found = mastery([(interval.low, interval.high) for interval in intervals])
    numbers = {
        name: [float(v) if _is_number(v) else v for v in column]
        for name, column in factors.items()
        if "" not in set(column)
    }
    effects = factor_effects(numbers, values) if set(values) == {0.0, 1.0} else []
    return Frontier(
        task=task,
        by=by,
        frontier=names[found.frontier - 1] if found.frontier else None,
        sure=True,
        asked=len(values),
        items=len(values),
        levels={n: (r, len(c)) for n, r, c in zip(names, right, cells, strict=True)},
        gaps=tuple(names[gap - 1] for gap in found.gaps),
        effects=tuple(effects),
    )


def _shares(values: Any) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def search(spec: RunSpec, execution: Execution, by: str) -> list[Frontier]:
    """Find the frontier of each task by asking at most 30 % of its items.

    Raises UsageError where a task's rows have no field `by`, BackendError where a request fails:
    a failure is no wrong answer, and the search cannot go on without one.
    """
    live: dict[str, Sample] = {}
    backend = open_backend(spec.model, execution, live)
    tasks, _ = prepare(Catalogue().resolve(spec.tasks), spec, backend)
    rules = SendRules(
        Traffic(connections_of(execution)),
        RetryPolicy(execution.max_attempts),
        terms_of(spec.model),
    )

    async def go() -> list[Frontier]:
        with SqliteResponses(Path(execution.out) / STORE) as store:
            sender = Sender(backend, store, rules)
            ask = Asker(chat="chat" in backend.capabilities, tagged=True)
            try:
                return [await _searched(task, by, _Asking(sender, ask, live)) for task in tasks]
            finally:
                await backend.close()

    return asyncio.run(go())


class _Asking:
    """Puts samples to the model and says which were right."""

    def __init__(self, sender: Sender, ask: Asker, live: dict[str, Sample]) -> None:
        self.sender, self.ask, self.live = sender, ask, live

    async def right(self, arm: Arm, samples: Sequence[Sample]) -> list[bool]:
        """Return whether each sample's answer is right, in order."""
        outcomes: list[Outcome] = []
        self.live.update({sample_tag(sample): sample for sample in samples})
        conversations = [(sample, arm.interaction(sample, self.ask)) for sample in samples]
        await LocalExecutor(self.sender, len(samples)).run(conversations, outcomes.append)
        for outcome in outcomes:
            if outcome.failure is not None:
                raise BackendError(f"{outcome.failure.kind}: {outcome.failure.message}")
        return [next(iter(arm.scorer(one).values.values()), 0.0) >= 1.0 for one in outcomes]


async def _searched(task: Prepared, by: str, asking: _Asking) -> Frontier:
    cells = _cells(task, by)
    names, arm = list(cells), task.arms[0]
    per_cell = task.task.data.args.get("per_cell")
    levels = tuple(
        Level(len(rows), whole=isinstance(per_cell, int) and len(rows) < per_cell)
        for rows in cells.values()
    )
    decide, history = FrontierSearch(levels), list[Answer]()
    while not isinstance(step := decide(history), Found):
        rows = cells[names[step.level - 1]]
        seen = sum(answer.level == step.level for answer in history)
        samples = [arm.renderer.sample(row) for row in rows[seen : seen + step.items]]
        history += [Answer(step.level, right) for right in await asking.right(arm, samples)]
    return Frontier(
        task=task.task.task,
        by=by,
        frontier=names[step.frontier - 1] if step.frontier else None,
        sure=step.sure,
        asked=step.asked,
        items=sum(level.items for level in levels),
        levels={
            name: (
                sum(answer.right for answer in history if answer.level == number),
                sum(answer.level == number for answer in history),
            )
            for number, name in enumerate(names, 1)
        },
    )


def _cells(task: Prepared, by: str) -> dict[str, list[int]]:
    """Return the rows of each level in the order of the plan, the easiest level first."""
    cells: dict[str, list[int]] = {}
    for row in task.order:
        if by not in task.rows.rows[row]:
            raise UsageError(f"{task.task.task}: its rows have no field '{by}' to order levels by")
        cells.setdefault(str(task.rows.rows[row][by]), []).append(row)
    return {name: cells[name] for name in sorted(cells, key=_natural)}


def _natural(name: str) -> tuple[int, float, str]:
    return (0, float(name), "") if _is_number(name) else (1, 0.0, name)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()
