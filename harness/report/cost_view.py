"""What the cost page shows: requests, tokens, money and time by model and task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from harness.report.board_view import colours
from harness.report.charts import Palette, series_key
from harness.report.cost_tally import CostTally, percentile, together
from harness.report.judge_tally import judges_of, spent, usages
from harness.report.mark import EMPTY, link
from harness.report.model import ReportData, RunData
from harness.report.numbers import dollars, number, seconds
from harness.report.say import NOTHING, Said, say
from harness.report.scatter import Dot, efficient, scaled, scatter
from harness.report.story import several
from harness.report.survey import RunSurvey, primaries

SHARES = (0.5, 0.9, 0.99)
"""Percentiles of latency."""
PER = 1000
"""Samples that a cost is told for."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CostLine:
    """What one run, one task of it, or all of them together took."""

    name: str
    href: str | None
    tally: CostTally
    money: float | None
    """US dollars at list price; None: not known."""
    today: bool = False
    """The price is today's: the run itself did not know it."""
    speed: str = ""
    """Requests that the model answered per second of the run."""
    judges: JudgesCost | None = None

    @property
    def each(self) -> float | None:
        """US dollars of one sample."""
        return None if self.money is None else self.money / self.tally.samples

    @property
    def cost(self) -> Said | str:
        """The cost, in words where it is not known."""
        return _told(self.money)

    @property
    def per_samples(self) -> Said | str:
        """The cost of a thousand samples."""
        return _told(None if self.each is None else PER * self.each)

    @property
    def requests(self) -> str:
        """Requests to the model; unknown where the table keeps no transcript."""
        return "" if self.tally.untold else f"{self.tally.new:,}"

    @property
    def replayed(self) -> str:
        """Requests answered from the store."""
        return "" if self.tally.untold else f"{self.tally.replayed:,}"

    @property
    def per_right(self) -> str:
        """Generated tokens for each right answer."""
        value = self.tally.per_right
        return number(value)

    @property
    def latency(self) -> tuple[str, ...]:
        """Seconds at each of SHARES; en dashes where nothing was asked anew."""
        ordered = sorted(self.tally.seconds)
        return tuple(seconds(percentile(ordered, share)) for share in SHARES)


@dataclass(frozen=True, slots=True)
class JudgesCost:
    """What the judges of a run took, apart from the model under test."""

    tokens: str
    cost: Said | str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns a table of costs has, beside those that every one has."""

    replayed: bool
    thought: bool
    stored: bool
    """Tokens that the provider read from its own cache."""
    judged: bool
    speed: bool


def _told(money: float | None) -> Said | str:
    return say("unknown") if money is None else dollars(money)


@dataclass(frozen=True, slots=True)
class RunCost:
    """A run's tasks, one by one."""

    line: CostLine
    tasks: tuple[CostLine, ...]
    key: Markup = EMPTY
    """How its point in the chart looks."""


@dataclass(slots=True)
class CostPage:
    """The page of what the runs of a report took."""

    story: Said = NOTHING
    charts: list[tuple[Said, Markup]] = field(default_factory=list)
    """Score against money, tokens and time, each where it is known for all runs."""
    runs: list[RunCost] = field(default_factory=list)
    total: CostLine | None = None

    @property
    def columns(self) -> Columns:
        """What the tables show: a column that would be empty throughout is left out."""
        lines = [one.line for one in self.runs]
        return Columns(
            replayed=any(line.tally.replayed for line in lines),
            thought=any(line.tally.thought for line in lines),
            stored=any(line.tally.stored for line in lines),
            judged=any(line.judges for line in lines),
            speed=any(line.speed for line in lines),
        )

    @property
    def whole(self) -> CostLine:
        """All runs together, or the one that there is."""
        return self.total or self.runs[0].line


def cost_page(data: ReportData, surveys: Mapping[str, RunSurvey]) -> CostPage | None:
    """Return the page, or None where the samples are not at hand."""
    runs = [run for run in data.runs if run.name in surveys and surveys[run.name].rows]
    if not runs:
        return None
    palette = colours(data.board)
    page = CostPage()
    page.runs = [_run(run, surveys[run.name], palette) for run in runs]
    if len(runs) > 1:
        page.total = _total(page.runs)
    found = _against(runs, surveys)
    page.story = _story(page) + (_frontier(found[0][1]) if found else NOTHING)
    for title, dots in found:
        axis = scaled(title, [dot.x for dot in dots])
        page.charts.append((title, scatter(dots, axis, say("chart.score"), palette)))
    return page


# ---- lines ----------------------------------------------------------------------------------


def _run(run: RunData, survey: RunSurvey, palette: Palette) -> RunCost:
    tasks = tuple(
        _line(task, link("run", run=run.name, task=task), tally, run)
        for task, tally in survey.costs.items()
    )
    whole = _line(run.model, link("run", run=run.name), together([*survey.costs.values()]), run)
    line = replace(whole, speed=_speed(run), judges=_judges(run, survey))
    return RunCost(line, tasks, series_key(palette[run.model]) if run.model in palette else EMPTY)


def _line(name: str, href: str | None, tally: CostTally, run: RunData) -> CostLine:
    money, price = tally.money, run.price
    if money is not None or price is None or tally.sent is None or tally.samples == tally.failed:
        return CostLine(name, href, tally, money)
    money = (tally.sent * price[0] + (tally.came or 0) * price[1]) / 1e6
    return CostLine(name, href, tally, money, today=True)


def _speed(run: RunData) -> str:
    """Return the requests that the model answered per second of the run, as it was timed."""
    usage, wall = run.manifest.get("usage") or {}, run.manifest.get("wall_s")
    asked = usage.get("requests")
    return number(asked / wall) if asked and wall else ""


def _judges(run: RunData, survey: RunSurvey) -> JudgesCost | None:
    judges = [*judges_of(run).values()]
    if not judges:
        return None
    tokens = sum(
        usage.get(name) or 0
        for usage in usages(judges)
        for name in ("prompt_tokens", "completion_tokens")
    )
    return JudgesCost(f"{tokens:,}", _told(spent(judges, survey.judges.values())))


def _total(runs: Sequence[RunCost]) -> CostLine:
    """Return all runs together; where the cost of one is not known, that of all is not."""
    money = [one.line.money for one in runs]
    known = [one for one in money if one is not None]
    whole = sum(known) if len(known) == len(money) else None
    today = any(one.line.today for one in runs)
    return CostLine("", None, together([one.line.tally for one in runs]), whole, today=today)


# ---- score against cost ---------------------------------------------------------------------


def _against(
    runs: Sequence[RunData], surveys: Mapping[str, RunSurvey]
) -> list[tuple[Said, list[Dot]]]:
    """Return score against each kind of cost over the tasks that all runs have, money first.

    A kind is left out where it is not known for every run, or is the same for all.
    """
    scores = {run.name: _scores(run) for run in runs}
    shared = sorted(
        set.intersection(
            *(scores[run.name].keys() & surveys[run.name].costs.keys() for run in runs)
        )
    )
    inside = all(0 <= one[task] <= 1 for one in scores.values() for task in shared)
    if len(runs) < 2 or not shared or not inside:  # noqa: PLR2004 - one point compares nothing
        return []
    found = []
    for name, each in KINDS.items():
        dots = []
        for run in runs:
            lines = [_line(task, None, surveys[run.name].costs[task], run) for task in shared]
            costs = [cost for line in lines if (cost := each(line)) is not None]
            score = sum(scores[run.name][task] for task in shared) / len(shared)
            if len(costs) == len(lines):
                dots.append(Dot(run.model, sum(costs) / len(costs), score))
        if len(dots) == len(runs) and len({dot.x for dot in dots}) > 1:
            found.append((say(f"cost.axis_{name}", count=len(shared)), dots))
    return found


def _money(line: CostLine) -> float | None:
    return None if line.each is None else PER * line.each


def _tokens(line: CostLine) -> float | None:
    tally = line.tally
    return None if tally.sent is None else (tally.sent + (tally.came or 0)) / tally.samples


def _time(line: CostLine) -> float | None:
    return percentile(sorted(line.tally.seconds), 0.5)


KINDS = {"money": _money, "tokens": _tokens, "time": _time}
"""What a sample costs, by kind; None: not known."""


def _scores(run: RunData) -> dict[str, float]:
    """Return the primary score of each task: its first cell, where higher is better."""
    primary = primaries(run)
    found: dict[str, float] = {}
    for cell in run.cells:
        plain = cell.slice is None and cell.variant == "original" and cell.estimate == "raw"
        first = plain and cell.metric == primary[cell.task] and cell.higher_is_better
        if first and cell.value is not None:
            found.setdefault(cell.task, cell.value)
    return found


def _frontier(dots: Sequence[Dot]) -> Said:
    """Return which models nothing beats in both score and cost."""
    best = efficient([{"x": dot.x, "score": dot.score, "model": dot.model} for dot in dots])
    names = [str(point["model"]) for point in best]
    rest = [dot.model for dot in dots if dot.model not in names]
    if not rest:
        return say("cost.story_all")
    said = say("cost.story_frontier", names=several(names))
    return said + say("cost.story_beaten", names=several(rest))


def _story(page: CostPage) -> Said:
    whole = page.whole
    tally = whole.tally
    said = say(
        "cost.story",
        samples=f"{tally.samples:,}",
        sent="?" if tally.sent is None else f"{tally.sent:,}",
        came="?" if tally.came is None else f"{tally.came:,}",
        cost=whole.cost,
    )
    if tally.replayed:
        asked = tally.new + tally.replayed
        said += say("cost.story_replayed", replayed=f"{tally.replayed:,}", all=f"{asked:,}")
    return said
