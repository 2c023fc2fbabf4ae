"""The sentence that every page starts with: computed from the cells, never canned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from harness.records import Cell
from harness.report.numbers import number
from harness.report.say import NOTHING, Said, known, say
from harness.stats.frontier import DEFAULT, Mastery, mastery

LEAST = DEFAULT.least
"""With fewer samples a level no skill can be said to hold."""
TINY = 1e-9
"""Two rates that differ by less are equal."""
NAMED = 4
"""Models that a sentence names; of more it says how many."""
PRACTICAL = 10_000
"""More samples than this nobody adds to a task."""
Row = Mapping[str, Any]


def board_story(view: Mapping[str, Any] | None, cells: Mapping[str, Sequence[Cell]]) -> Said:
    """Return who is ahead, whether that is real, and where the leader breaks.

    `view` is a view of board.json; `cells` holds each model's cells.
    """
    ranked = [row for row in view["rows"] if row["mean"] is not None] if view else []
    if not view or not ranked:
        return _strongest(view["rows"] if view else ())
    leader = ranked[0]
    if leader["mean_win_rate"] is not None and leader["rank_best"] is None:
        return say("story.unranked")
    if leader["mean_win_rate"] is None:
        mean = number(leader["mean"])
        return say("story.alone", model=_short(leader["model"]), mean=mean) + _frontier(
            cells.get(leader["model"], ())
        )
    some = len(view.get("columns", ())) > leader.get("tasks", 0)
    lead = _lead(leader, ranked)
    if some:
        lead += say("story.covers", have=leader["tasks"], all=len(view["columns"]))
    return lead + _frontier(cells.get(leader["model"], ())) + _duel(view["duel"])


def measure_story(view: Mapping[str, Any]) -> Said:
    """Return who leads by one measure, and whether that is real; nothing where nobody compares."""
    ranked = [row for row in view["rows"] if row["rank_best"] is not None]
    if len(ranked) < 2:  # noqa: PLR2004
        return NOTHING
    by = say("story.by", measure=known(f"measure.{view['measure']}", view["measure"]))
    return by + _lead(ranked[0], ranked) + _duel(view["duel"])


def _strongest(rows: Sequence[Row]) -> Said:
    """Return who wins the pairwise judgements, where nothing else was measured."""
    played = [row for row in rows if row.get("strength")]
    if not played:
        return say("story.no_numbers")
    best, *rest = sorted(played, key=lambda row: -row["strength"]["value"])
    words = {"model": _short(best["model"]), "count": len(played)}
    if not rest or best["strength"]["rank_worst"] == 1:
        return say("story.strongest", **words)
    rivals = [row for row in rest if row["strength"]["rank_best"] == 1] or rest[:1]
    return say("story.strong", **words, others=several([_short(row["model"]) for row in rivals]))


def _lead(leader: Row, ranked: Sequence[Row]) -> Said:
    rates = {
        "model": _short(leader["model"]),
        "rate": number(leader["mean_win_rate"]),
        "low": number(leader["mean_win_rate_low"]),
        "high": number(leader["mean_win_rate_high"]),
    }
    level = [_short(row["model"]) for row in ranked if _level(row, leader)]
    if len(level) > 1:
        return say("story.level", **rates, models=several(level))
    rivals = [row["model"] for row in ranked[1:] if (row["rank_best"] or 99) <= 1]
    if not rivals and leader["rank_worst"] == 1:
        return say("story.leads", **rates)
    others = [_short(name) for name in rivals or [ranked[1]["model"]]]
    return say("story.shares", **rates, others=several(others))


def _level(row: Row, leader: Row) -> bool:
    """Return whether a ranked model has the leader's rate to the last digit."""
    rate = row["mean_win_rate"]
    return row["rank_best"] == 1 and rate is not None and abs(rate - leader["mean_win_rate"]) < TINY


def several(names: Sequence[str]) -> Said:
    """Write names as a list; of many only the first, and how many more there are."""
    if len(names) <= NAMED:
        return listed(names)
    more = say("story.others", count=len(names) - NAMED + 1)
    first = names[: NAMED - 1]
    return Said(
        ", ".join(first) + say("and").en + more.en, "、".join(first) + say("and").zh + more.zh
    )


def _duel(duel: Row | None) -> Said:
    if not duel:
        return NOTHING
    counts = {
        "all": duel["differences"],
        "some": duel["undecided"],
        "other": _short(duel["runner_up"]),
    }
    alone = duel["differences"] == 1
    if not duel["undecided"]:
        return say("story.decided_one" if alone else "story.decided", **counts)
    more = say("story.too_small_one", **counts) if alone else say("story.too_small")
    if duel["more_samples"] and duel["more_samples"] <= PRACTICAL:
        key = "story.more_one" if alone else "story.more"
        more = say(key, **counts, more=f"{_round(duel['more_samples']):,}")
    return more if alone else say("story.undecided", **counts) + more


def _round(count: int) -> int:
    """Round up to two digits: a plan is no measurement.

    >>> _round(7), _round(312), _round(1234)
    (7, 320, 1300)
    """
    step: int = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // step) * step


def _frontier(cells: Sequence[Cell]) -> Said:
    """Return where the first task with a numeric slice stops holding, by the frontier's rule.

    `harness.stats.frontier` has the rule, which `harness frontier` uses too.
    """
    small = NOTHING
    for (task, name), ladder in ladders(cells).items():
        words = {
            "task": known(f"task.{task}", task.rsplit("/", 1)[-1].replace("-", " ")),
            "unit": known(f"unit.{name}", name),
            "one": known(f"unit_one.{name}", name),
        }
        found = mastery([(cell.low, cell.high) for _, cell in ladder])
        if found.frontier:
            return _held(words, [step for step, _ in ladder], found)
        if not small.en and max(cell.n for _, cell in ladder) < LEAST:
            small = say("story.few", least=LEAST, **words)
    return small


def _held(words: Mapping[str, Said], steps: Sequence[float], found: Mastery) -> Said:
    held = {**words, "held": f"{steps[found.frontier - 1]:g}"}
    if held["held"] == "1":
        held["unit"] = words["one"]
    said = say("story.holds_only", **held)
    if found.gone is not None:
        said = say("story.holds", **held, gone=f"{steps[found.gone - 1]:g}")
    if found.gaps:
        doubtful = listed([f"{steps[gap - 1]:g}" for gap in found.gaps])
        said += say("story.gaps", levels=doubtful, unit=words["unit"])
    return said


def ladders(cells: Sequence[Cell]) -> dict[tuple[str, str], list[tuple[float, Cell]]]:
    """Return, for each task and slice with three or more numeric values, the cell of each step.

    Of the task's first arm alone.
    """
    found: dict[tuple[str, str], list[tuple[float, Cell]]] = {}
    arms: dict[str, str] = {}
    for cell in cells:
        if cell.arm != arms.setdefault(cell.task, cell.arm):
            continue
        if cell.slice and "&" not in cell.slice and cell.value is not None:
            name, _, text = cell.slice.partition("=")
            if text.isdigit() and cell.higher_is_better:
                found.setdefault((cell.task, name), []).append((float(text), cell))
    return {
        key: sorted(steps, key=itemgetter(0))
        for key, steps in found.items()
        if len(steps) > 2  # noqa: PLR2004 - two steps are no ladder
    }


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
        said += say("story.task_ties", others=several(ties))
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
