"""The frontier: the largest difficulty that a model still masters.

Levels 1…K are ordered by difficulty, each with a cell of items. A level holds where the lower end
of the 95 % interval of its rate is at least the threshold (0.9), and is gone where the upper end
is at most one minus it (0.1); between the two nothing is claimed. The frontier is the largest
level that holds, 0 for none; levels below it that do not are its `gaps`. `Rule` has this rule for
everybody: `harness frontier`, the adaptive search, and what the report says and draws.

`mastery` takes intervals, as cells have them. `grid_frontier` takes the outcomes of all items of
cells whose items stand alone, by Wilson's interval; a cell that holds all items there are has no
sampling error and is judged by its rate. `FrontierSearch` names the same level from a part
of them: a pure decider from what was answered so far to what is asked next. It brackets the
frontier by bisection with loose verdicts and then makes the levels at the edge sure. A verdict is
the probability that the whole cell would pass, given its answers so far (predictive probability
monitoring: Dmitrienko & Wang 2006, Statistics in Medicine 25:2178; Saville et al. 2014, Clinical
Trials 11:485). It predicts the grid's own verdict, and is certain once the cell cannot be
turned any more (curtailment), so hopeless levels cost a handful of items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, gammaln

from harness.stats.intervals import normal_quantile, wilson

UNKNOWN = 0.5
"""Chance of passing of a level that was not asked."""
ROUNDING = 1e-12
"""Allowance for a rate that equals the threshold."""


class Level(NamedTuple):
    """One level of difficulty: how many items its cell has."""

    items: int
    whole: bool = False
    """Whether these are all items that exist."""


class Rule(NamedTuple):
    """When a level counts as mastered."""

    threshold: float = 0.9
    confidence: float = 0.95
    """Of the two-sided interval whose lower end counts."""

    def passes(self, right: int, level: Level) -> bool:
        """Return whether `right` answers of all items of a level pass it."""
        if not level.items:
            return False
        if level.whole:
            return self.holds(right / level.items)
        return self.holds(wilson(right, level.items, self.confidence).low)

    def holds(self, low: float | None) -> bool:
        """Return whether a rate whose interval begins at `low` is surely mastered."""
        return low is not None and low >= self.threshold - ROUNDING

    def breaks(self, high: float | None) -> bool:
        """Return whether a rate whose interval ends at `high` is surely not mastered."""
        return high is not None and high < self.threshold - ROUNDING

    def gone(self, high: float | None) -> bool:
        """Return whether a rate whose interval ends at `high` is surely at most 1 - threshold."""
        return high is not None and high <= 1 - self.threshold + ROUNDING

    @property
    def least(self) -> int:
        """Return how many items a level needs for it to hold where all are right.

        n / (n + z²) ≥ t, so n ≥ z²·t / (1 - t): 35 for 0.9 and 95 %.
        """
        z = normal_quantile(self.confidence)
        return ceil(z * z * self.threshold / (1 - self.threshold) - ROUNDING)

    def allowed(self, level: Level) -> int:
        """Return how many wrong answers a level may have; -1 where even none fails it."""
        return _allowed(self, level)


@lru_cache(maxsize=1024)
def _allowed(rule: Rule, level: Level) -> int:
    """Bisect: fewer wrong answers never fail what more pass."""
    low, high = -1, level.items
    while low < high:
        middle = (low + high + 1) // 2
        if rule.passes(level.items - middle, level):
            low = middle
        else:
            high = middle - 1
    return low


DEFAULT = Rule()


class Mastery(NamedTuple):
    """Up to which level a model holds, by the intervals of all levels."""

    frontier: int
    """The largest level that holds, 1…K; 0 for none."""
    gaps: tuple[int, ...]
    """Levels below it that do not surely hold."""
    gone: int | None
    """The first level beyond it that is surely gone."""


def mastery(ends: Sequence[tuple[float | None, float | None]], rule: Rule = DEFAULT) -> Mastery:
    """Return up to which level a model holds; `ends` are (low, high) of each, easiest first.

    >>> mastery([(0.96, 1.0), (0.88, 0.97), (0.95, 1.0), (0.2, 0.4), (0.0, 0.05)])
    Mastery(frontier=3, gaps=(2,), gone=5)
    """
    held = [number for number, (low, _) in enumerate(ends, 1) if rule.holds(low)]
    top = max(held, default=0)
    lost = (number for number, (_, high) in enumerate(ends, 1) if rule.gone(high))
    return Mastery(
        frontier=top,
        gaps=tuple(number for number in range(1, top) if number not in held),
        gone=next((number for number in lost if number > top), None),
    )


def grid_frontier(right: Sequence[int], levels: Sequence[Level], rule: Rule = DEFAULT) -> int:
    """Return the frontier from the number of right answers of every level, easiest first.

    >>> grid_frontier([100, 98, 91, 99, 20], [Level(100)] * 5)
    4
    """
    return max(_passed(right, levels, rule), default=0)


def gaps(right: Sequence[int], levels: Sequence[Level], rule: Rule = DEFAULT) -> list[int]:
    """Return the levels below the frontier that are not passed.

    >>> gaps([100, 98, 91, 99, 20], [Level(100)] * 5)
    [3]
    """
    passed = _passed(right, levels, rule)
    return [level for level in range(1, max(passed, default=0)) if level not in passed]


def _passed(right: Sequence[int], levels: Sequence[Level], rule: Rule) -> list[int]:
    if len(right) != len(levels):
        raise ValueError(f"{len(levels)} levels need as many counts, got {len(right)}")
    numbered = enumerate(zip(right, levels, strict=True), start=1)
    return [number for number, (count, level) in numbered if rule.passes(count, level)]


# ---- the adaptive search ----------------------------------------------------------------------


class Answer(NamedTuple):
    """One item answered."""

    level: int
    """1…K."""
    right: bool


class Ask(NamedTuple):
    """Ask the next `items` of a level, in the order of its cell."""

    level: int
    items: int


class Found(NamedTuple):
    """The search is over."""

    frontier: int
    sure: bool
    """False where the budget ended it before the levels at the edge were sure."""
    asked: int


@dataclass(frozen=True, slots=True)
class FrontierSearch:
    """Implements (history) → Ask | Found. Holds settings only; the same history, the same step."""

    levels: tuple[Level, ...]
    rule: Rule = DEFAULT
    share: float = 0.3
    """Of all items, what may be asked at most."""
    loose: float = 0.2
    """Chance of a wrong verdict that is accepted while bracketing."""
    strict: float = 0.001
    """The same at the edge."""
    reach: int = 3
    """Levels beyond the frontier that must fail for sure."""
    batch: int = 4
    """Items asked at once."""
    prior: tuple[float, float] = (0.5, 0.5)
    """Beta prior of a level's error rate; Jeffreys': models mostly master a level or fail it."""

    @property
    def budget(self) -> int:
        """Return how many items may be asked."""
        return int(self.share * sum(level.items for level in self.levels) + ROUNDING)

    def __call__(self, history: Sequence[Answer]) -> Ask | Found:
        """Return what to ask next, or the frontier."""
        tally, top = self._tally(history), len(self.levels) + 1
        chances = [self._chance(level, tally) for level in range(top)]
        good = max((i for i in range(1, top) if chances[i] >= 1 - self.loose), default=0)
        fail = min((i for i in range(good + 1, top) if chances[i] <= self.loose), default=top)
        level = self._between(good, fail) if fail - good > 1 else self._doubt(good, chances)
        if level is None:
            return Found(good, sure=True, asked=len(history))
        left = min(self.batch, self.budget - len(history), self._open(level, tally))
        if left <= 0:
            return Found(_median(chances, good, fail), sure=False, asked=len(history))
        return Ask(level, left)

    def _tally(self, history: Sequence[Answer]) -> list[tuple[int, int]]:
        """Return (asked, wrong) of every level; index 0 stays empty."""
        asked, wrong = [0] * (len(self.levels) + 1), [0] * (len(self.levels) + 1)
        for level, right in history:
            if not 1 <= level <= len(self.levels):
                raise ValueError(f"levels are 1 to {len(self.levels)}, got {level}")
            asked[level] += 1
            wrong[level] += not right
        for number, level_ in enumerate(self.levels, start=1):
            if asked[number] > level_.items:
                raise ValueError(f"level {number} has {level_.items} items, got {asked[number]}")
        return list(zip(asked, wrong, strict=True))

    def _open(self, level: int, tally: Sequence[tuple[int, int]]) -> int:
        return self.levels[level - 1].items - tally[level][0]

    def _chance(self, level: int, tally: Sequence[tuple[int, int]]) -> float:
        """Return the probability that the whole cell would pass; 1/2 where nothing was asked."""
        if not tally[level][0]:
            return UNKNOWN
        cell, (asked, wrong) = self.levels[level - 1], tally[level]
        allowed = self.rule.allowed(cell)
        return predictive(cell.items - asked, allowed - wrong, (asked, wrong), self.prior)

    def _between(self, good: int, fail: int) -> int:
        """Return the level to try: above the middle, for a failing level costs little."""
        return min(good + max(1, round(0.6 * (fail - good))), fail - 1)

    def _doubt(self, good: int, chances: Sequence[float]) -> int | None:
        """Return a level at the edge that is not sure; None where all are.

        Levels further beyond count too: on a shallow cliff one may pass where the first fails.
        """
        edge = range(max(good, 1), min(good + self.reach, len(self.levels)) + 1)
        return next((i for i in edge if self.strict < chances[i] < 1 - self.strict), None)


def _median(chances: Sequence[float], good: int, fail: int) -> int:
    """Return the median of the largest level passed, each level passing with its chance.

    Levels that were not asked pass up to `good`, fail from `fail` on, and between the two the
    less likely the nearer they are to `fail`.
    """
    none_above = 1.0
    for level in range(len(chances) - 1, 0, -1):
        chance = chances[level]
        if chance == UNKNOWN:
            chance = min(max((fail - level) / (fail - good), 0.0), 1.0)
        none_above *= 1 - chance
        if none_above <= 0.5:  # noqa: PLR2004 - the median
            return level
    return 0


@lru_cache(maxsize=65536)
def predictive(left: int, allowed: int, seen: tuple[int, int], prior: tuple[float, float]) -> float:
    """Return the probability of at most `allowed` wrong answers among the `left` ones to come.

    `seen` is (asked, wrong). The number wrong is beta-binomial: the error rate has the Beta
    posterior of what was seen. Certain, 0 or 1, where nothing to come can turn it.

    >>> predictive(10, -1, (0, 0), (1, 1)), predictive(3, 3, (0, 0), (1, 1))
    (0.0, 1.0)
    >>> round(predictive(1, 0, (8, 0), (1, 1)), 9)
    0.9
    """
    if allowed < 0:
        return 0.0
    if left <= allowed:
        return 1.0
    asked, wrong = seen
    a, b = prior[0] + wrong, prior[1] + asked - wrong
    k = np.arange(allowed + 1)
    choose = gammaln(left + 1) - gammaln(k + 1) - gammaln(left - k + 1)
    mass = np.exp(choose + betaln(k + a, left - k + b) - betaln(a, b))
    return float(min(mass.sum(), 1.0))
