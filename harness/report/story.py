"""The sentence that every page starts with: computed from the cells, never canned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import Cell
from harness.report.numbers import number
from harness.report.say import NOTHING, Said, known, say

HOLDS, GONE = 0.9, 0.1
"""A skill holds while the score stays at least at HOLDS, and is gone where it falls below GONE."""
PRACTICAL = 10_000
"""More samples than this nobody adds to a task."""
Row = Mapping[str, Any]


def board_story(view: Mapping[str, Any] | None, cells: Mapping[str, Sequence[Cell]]) -> Said:
    """Return who is ahead, whether that is real, and where the leader breaks.

    `view` is a view of board.json; `cells` holds each model's cells.
    """
    ranked = [row for row in view["rows"] if row["mean"] is not None] if view else []
    if not view or not ranked:
        return say("story.no_numbers")
    leader = ranked[0]
    if leader["mean_win_rate"] is None:
        mean = number(leader["mean"])
        return say("story.alone", model=_short(leader["model"]), mean=mean) + _frontier(
            cells.get(leader["model"], ())
        )
    return _lead(leader, ranked) + _frontier(cells.get(leader["model"], ())) + _duel(view["duel"])


def measure_story(view: Mapping[str, Any]) -> Said:
    """Return who leads by one measure, and whether that is real; nothing where nobody compares."""
    ranked = [row for row in view["rows"] if row["mean_win_rate"] is not None]
    if len(ranked) < 2:  # noqa: PLR2004
        return NOTHING
    by = say("story.by", measure=known(f"measure.{view['measure']}", view["measure"]))
    return by + _lead(ranked[0], ranked) + _duel(view["duel"])


def _lead(leader: Row, ranked: Sequence[Row]) -> Said:
    rates = {
        "model": _short(leader["model"]),
        "rate": number(leader["mean_win_rate"]),
        "low": number(leader["mean_win_rate_low"]),
        "high": number(leader["mean_win_rate_high"]),
    }
    rivals = [row["model"] for row in ranked[1:] if (row["rank_best"] or 99) <= 1]
    if not rivals and leader["rank_worst"] == 1:
        return say("story.leads", **rates)
    others = rivals or [ranked[1]["model"]]
    return say("story.shares", **rates, others=listed([_short(name) for name in others]))


def _duel(duel: Row | None) -> Said:
    if not duel:
        return NOTHING
    counts = {
        "all": duel["differences"],
        "some": duel["undecided"],
        "other": _short(duel["runner_up"]),
    }
    if not duel["undecided"]:
        return say("story.decided", **counts)
    more = say("story.too_small")
    if duel["more_samples"] and duel["more_samples"] <= PRACTICAL:
        more = say("story.more", more=f"{_round(duel['more_samples']):,}")
    return say("story.undecided", **counts) + more


def _round(count: int) -> int:
    """Round up to two digits: a plan is no measurement.

    >>> _round(7), _round(312), _round(1234)
    (7, 320, 1300)
    """
    step: int = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // step) * step


def _frontier(cells: Sequence[Cell]) -> Said:
    """Return where the first task with a numeric slice stops holding."""
    for (task, name), ladder in ladders(cells).items():
        held = 0.0
        for step, value in ladder:
            if value < HOLDS:
                break
            held = step
        gone = next((step for step, value in ladder if value < GONE and step > held), None)
        if not held:
            continue
        words = {
            "task": known(f"task.{task}", task.rsplit("/", 1)[-1].replace("-", " ")),
            "held": f"{held:g}",
            "unit": known(f"unit.{name}", name),
        }
        if gone is None:
            return say("story.holds_only", **words)
        return say("story.holds", **words, gone=f"{gone:g}")
    return NOTHING


def ladders(cells: Sequence[Cell]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Return, for each task and slice with three or more numeric values, value by step."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for cell in cells:
        if cell.slice and "&" not in cell.slice and cell.value is not None:
            name, _, text = cell.slice.partition("=")
            if text.isdigit() and cell.higher_is_better:
                found.setdefault((cell.task, name), []).append((float(text), cell.value))
    return {key: sorted(steps) for key, steps in found.items() if len(steps) > 2}  # noqa: PLR2004


def task_story(places: Sequence[tuple[str, Row]], chance: float | None) -> Said:
    """Return the best model on a task, what cannot be told from it, and what guessing scores."""
    measured = [(model, place) for model, place in places if place.get("value") is not None]
    if not measured:
        return say("story.no_numbers")
    best = [(model, place) for model, place in measured if place.get("best")] or measured
    better = max(best, key=lambda pair: pair[1]["value"])
    model, place = better
    words = {
        "model": _short(model),
        "value": number(place["value"], place.get("low"), place.get("high")),
        "low": number(place.get("low")),
        "high": number(place.get("high")),
        "n": f"{place.get('n', 0):,}",
    }
    said = say("story.task" if len(measured) > 1 else "story.task_alone", **words)
    ties = [_short(name) for name, _ in best if name != model]
    if ties and len(measured) > 1:
        said += say("story.task_ties", others=listed(ties))
    if chance is not None:
        said += say("story.chance", chance=number(chance))
    return said


def listed(names: Sequence[str]) -> Said:
    """Write names as a list in both languages.

    >>> listed(["a", "b", "c"]).en
    'a, b and c'
    """
    if len(names) < 2:  # noqa: PLR2004
        text = "".join(names)
        return Said(text, text)
    joint = say("and")
    return Said(
        ", ".join(names[:-1]) + joint.en + names[-1],
        "、".join(names[:-1]) + joint.zh + names[-1],
    )


def _short(model: str) -> str:
    """Return a model's own name, without its provider.

    >>> _short("embedded/mini"), _short("hf/org/name")
    ('mini', 'org/name')
    """
    return model.split("/", 1)[-1] or model
