"""What became of a task's answers: pairs, grades, and what the wrong ones look like."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import Palette, series_key
from harness.report.mark import EMPTY, Frame, Mark
from harness.report.marks import bar, scale_of, share_bar
from harness.report.numbers import percent
from harness.report.say import NOTHING, Said, known, say
from harness.report.slice_view import Contender, cell_mark
from harness.stats.intervals import wilson

Guess = Mapping[str, tuple[float, float, float]]
"""Each class's share among a guesser's wrong answers, with the ends of its interval."""
Chance = Callable[[Iterable[tuple[str, Mapping[str, object]]]], Guess]
"""From (target, fields) of wrong samples to what a guesser would show on them."""
SELDOM = 0.005
"""A guesser's share below this is not drawn where the model has none either."""
PENALISED = ("penalised_50", "penalised_75", "penalised_90")
RIGHT = "format-only"
"""Class of a right answer that is written otherwise: no mistake."""
UNREAD = ("truncated", "refusal", "no-number")
"""Classes that a guesser of numbers never shows."""


@dataclass(frozen=True, slots=True)
class SplitLine:
    """A model's samples, or pairs, split in three."""

    model: str
    key: Markup
    counts: tuple[int, int, int]
    drawn: Markup
    marks: tuple[Mark | None, ...] = ()
    """Scores that belong beside the split: pair accuracy, or the penalised scores."""

    @property
    def total(self) -> int:
        """Number of samples or pairs."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Split:
    """One line a model, and the names of the scores beside it."""

    lines: tuple[SplitLine, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MistakeCell:
    """How often one model made one class of mistake."""

    count: int
    share: str
    drawn: Markup = EMPTY
    expected: str = ""
    """A guesser's share; empty where there is none."""
    verdict: Said = NOTHING
    """More often or less often than a guesser, where the interval leaves no doubt."""
    sign: str = ""


@dataclass(frozen=True, slots=True)
class MistakeLine:
    """One class of mistakes: a cell for each model."""

    name: Said
    about: Said
    cells: tuple[MistakeCell, ...]


@dataclass(frozen=True, slots=True)
class Mistakes:
    """All classes of mistakes of those models that made any."""

    models: tuple[tuple[str, Markup, int], ...] = ()
    """Name, key, and how many wrong answers have a class."""
    lines: tuple[MistakeLine, ...] = ()
    guessed: bool = False
    """Whether the shares of a guesser are known."""


def _whole(contender: Contender) -> dict[str, Cell]:
    """Return a contender's cells of all unperturbed samples under its first arm, by metric."""
    first = contender.cells[0]
    return {
        cell.metric: cell
        for cell in contender.cells
        if (cell.arm, cell.variant, cell.slice) == (first.arm, "original", None)
    }


def _marks(
    contenders: Sequence[Contender], metrics: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, tuple[Mark | None, ...]]]:
    """Return those of some metrics that any model has, and each model's marks of them."""
    cells = {c.model: _whole(c) for c in contenders}
    present = tuple(
        name
        for name in metrics
        if any(name in found and found[name].value is not None for found in cells.values())
    )
    frames = {
        name: Frame(
            scale_of(
                {"value": one.value, "low": one.low, "high": one.high}
                for found in cells.values()
                if (one := found.get(name)) is not None
            ),
            better=None,
        )
        for name in present
    }
    marks = {
        model: tuple(
            cell_mark(found[name], None, frames[name]) if name in found else None
            for name in present
        )
        for model, found in cells.items()
    }
    return present, marks


def pairs(contenders: Sequence[Contender], palette: Palette) -> Split:
    """Return how many pairs of twins each model has both right, one right, none right."""
    present, marks = _marks(contenders, ("pair_accuracy",))
    lines = []
    for contender in contenders:
        counts = contender.survey.both_one_none
        if counts is not None:
            drawn = bar(zip(("pb", "po", "pn"), counts, strict=True))
            key = series_key(palette[contender.model])
            lines.append(SplitLine(contender.model, key, counts, drawn, marks[contender.model]))
    return Split(tuple(lines), present)


def grades(contenders: Sequence[Contender], palette: Palette) -> Split:
    """Return correct, not attempted, incorrect, with the penalised scores; the worst first."""
    present, marks = _marks(contenders, PENALISED)
    lines = []
    for contender in contenders:
        values = _whole(contender)
        right, wrong = values.get("correct"), values.get("incorrect")
        if right is None or wrong is None or right.value is None or wrong.value is None:
            continue
        counts = round(right.value * right.n), round(wrong.value * wrong.n)
        split = (counts[0], max(right.n - sum(counts), 0), counts[1])
        drawn = bar(zip(("gc", "gn", "gi"), split, strict=True))
        key = series_key(palette[contender.model])
        lines.append(SplitLine(contender.model, key, split, drawn, marks[contender.model]))
    lines.sort(key=lambda line: -line.counts[2] / max(line.total, 1))
    return Split(tuple(lines), present)


def mistakes(
    contenders: Sequence[Contender], palette: Palette, chance: Chance | None = None
) -> Mistakes:
    """Return each class's share of each model's mistakes, beside that of a guesser."""
    made = [(c, _classes(c.survey.mistakes)) for c in contenders]
    made = [(c, found) for c, found in made if found]
    expected = {
        c.model: chance(_questions(c.survey.wrong)) if chance is not None else {} for c, _ in made
    }
    names = Counter[str]()
    for _, found in made:
        names.update(found)
    lines = [
        MistakeLine(
            known(f"mistake.{name}", name),
            known(f"mistake.about.{name}", ""),
            tuple(_mistake(name, found, expected[c.model]) for c, found in made),
        )
        for name, _ in names.most_common()
    ]
    models = tuple((c.model, series_key(palette[c.model]), found.total()) for c, found in made)
    guessed = any(cell.expected for line in lines for cell in line.cells)
    return Mistakes(models, tuple(lines), guessed)


def _classes(found: Counter[str]) -> Counter[str]:
    return Counter({name: count for name, count in found.items() if name != RIGHT})


def _questions(wrong: Iterable[tuple[str, str]]) -> list[tuple[str, Mapping[str, object]]]:
    return [(target, json.loads(fields)) for target, fields in wrong]


def _mistake(name: str, found: Counter[str], expected: Guess) -> MistakeCell:
    total, count = found.total(), found[name]
    interval = wilson(count, total)
    low, high = interval.low or 0.0, interval.high or 0.0
    guess = expected.get(name) if name not in UNREAD else None
    if not count and (guess is None or guess[0] < SELDOM):
        return MistakeCell(0, "")
    share = percent(count / total)
    if guess is None:
        return MistakeCell(count, share, share_bar(count / total, (low, high), None))
    verdict, sign = NOTHING, ""
    if low > guess[2]:
        verdict, sign = say("task.more_than_guess"), "▲"
    elif high < guess[1]:
        verdict, sign = say("task.less_than_guess"), "▼"
    drawn = share_bar(count / total, (low, high), guess[0])
    return MistakeCell(count, share, drawn, percent(guess[0]), verdict, sign)
