"""What judges said of a run's samples, counted as the samples are read.

A run's record names its judges and their seats; a sample's verdicts name the seat that gave them.
What the record lacks (an older run, a foreign one) is taken from the verdicts themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.identity import content_key
from harness.report.blocks import short
from harness.report.mark import link
from harness.report.model import RunData

JUDGED = "judged"
"""The metric that a judge fills unless its record names another."""
PANEL = "panel"
"""The verdict of a panel as a whole stands under this name, after those of its seats."""
KEPT = 40
"""Samples listed one by one for each judge, task and way to be missed."""
DIFFERS = 0.5
"""A judge's score that is this far from a person's label is a disagreement."""
Row = Mapping[str, Any]
Place = tuple[str, str, str, str]
"""Judge, task, arm, variant."""
_KEY = ("task", "sample_id", "arm", "variant", "epoch")


@dataclass(frozen=True, slots=True)
class Pointed:
    """One sample to look at: where it is, what it asked and got, and why it is shown."""

    href: str
    text: str
    got: str
    said: str | None
    """The judge's verdict, or why there is none; None where a program decided."""
    label: float | None = None
    judged: float | None = None


@dataclass(slots=True)
class SeatTally:
    """One seat of a panel, or the one judge that there is."""

    model: str = ""
    verdicts: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    agreed: int = 0
    """Verdicts equal to the panel's."""
    compared: int = 0
    """Verdicts where the panel has one too."""


@dataclass(slots=True)
class JudgeTally:
    """What one judge made of one task, arm and variant."""

    decided: int = 0
    """Samples that a program decided, so that the judge was not asked."""
    given: int = 0
    missing: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why verdicts are missing."""
    seats: dict[str, SeatTally] = field(default_factory=dict)
    parts: dict[str, Counter[str]] = field(default_factory=dict)
    """Verdicts by check of a checklist, or by order of a pair."""
    consistent: int = 0
    """Pairs whose winner won in both orders, or tied in both."""
    masses: list[float] = field(default_factory=list)
    """Share of the probability that fell on a level."""
    cost: float = 0.0
    unpriced: int = 0
    """Verdicts whose cost is not known."""
    labelled: list[tuple[float, float]] = field(default_factory=list)
    """(label, score) of the judge's verdicts that people labelled."""
    checked: list[tuple[float, float]] = field(default_factory=list)
    """(label, score) of what a program decided and people labelled."""
    disputed: list[Pointed] = field(default_factory=list)
    disputes: int = 0
    unheard: list[Pointed] = field(default_factory=list)
    """The first samples whose verdict is missing."""

    @property
    def asked(self) -> int:
        """Number of samples put to the judge."""
        return self.given + self.missing


@dataclass(frozen=True, slots=True)
class _Known:
    """A judge as the run's record has it."""

    name: str
    panel: bool
    metric: str = JUDGED
    signs: frozenset[str] = frozenset()
    """Names that its verdicts may be signed with."""
    tasks: frozenset[str] | None = None
    """None: the record does not say."""
    hash: str = ""


class JudgeTallies:
    """Counts the verdicts of one run."""

    def __init__(self, run: RunData) -> None:
        self._run = run
        self._judges = [_known(name, judge) for name, judge in judges_of(run).items()]
        self._owner: dict[str, list[_Known]] = {}
        for judge in self._judges:
            for sign in judge.signs:
                self._owner.setdefault(sign, []).append(judge)
        self._main: dict[tuple[str, str], _Known | None] = {}
        self.places: dict[Place, JudgeTally] = {}

    def see(self, row: Row) -> None:
        """Count one sample."""
        verdicts = row["verdicts"]
        if verdicts:
            for judge, said in self._by_judge(row, verdicts):
                self._count(self._place(judge, row), judge, row, said)
        if self._judges and row["status"] != "error":
            main = self._main_of(row)
            if main is None or main.metric not in dict(row["scores"] or ()):
                return
            if not main.signs.intersection(str(verdict["judge"]) for verdict in verdicts or ()):
                self._decided(self._place(main, row), main, row)

    def _decided(self, tally: JudgeTally, judge: _Known, row: Row) -> None:
        """Count a sample that a program decided: no verdict, but a score that people may doubt."""
        tally.decided += 1
        if self._run.labels:
            self._compare(tally, row, dict(row["scores"])[judge.metric], None)

    def _place(self, judge: _Known, row: Row) -> JudgeTally:
        place = (judge.name, row["task"], row["arm"], row["variant"])
        return self.places.setdefault(place, JudgeTally())

    def _main_of(self, row: Row) -> _Known | None:
        """Return the judge that decides a task's answers: by its tasks, or the arm's record."""
        key = (row["task"], row["arm"])
        if key not in self._main:
            deciding = [judge for judge in self._judges if judge.metric == JUDGED]
            task = (self._run.manifest.get("tasks") or {}).get(row["task"]) or {}
            own = ((task.get("arms") or {}).get(row["arm"]) or {}).get("judge")
            found = [judge for judge in deciding if judge.tasks and row["task"] in judge.tasks]
            found = found or [judge for judge in deciding if own and judge.hash == own]
            if not found and own is None and len(deciding) == 1 and deciding[0].tasks is None:
                found = deciding
            self._main[key] = found[0] if found else None
        return self._main[key]

    def _by_judge(self, row: Row, verdicts: Sequence[Row]) -> Iterator[tuple[_Known, list[Row]]]:
        """Yield each judge of a sample with its verdicts; a panel's last one is its own."""
        found: dict[str, tuple[_Known, list[Row]]] = {}
        for verdict in verdicts:
            judge = self._judge_of(row, str(verdict["judge"]))
            found.setdefault(judge.name, (judge, []))[1].append(verdict)
        yield from found.values()

    def _judge_of(self, row: Row, sign: str) -> _Known:
        owners = self._owner.get(sign)
        if not owners:  # the record does not know it
            owners = self._owner[sign] = [_Known(sign, panel=sign == PANEL)]
        if len(owners) > 1:
            main = self._main_of(row)
            return main if main is not None and main in owners else owners[0]
        return owners[0]

    def _count(self, tally: JudgeTally, judge: _Known, row: Row, said: Sequence[Row]) -> None:
        closing = [v for v in said if judge.panel and v["judge"] == PANEL]
        votes = [v for v in said if v["judge"] != PANEL] if closing else said
        deciding = closing or [v for v in votes if v["verdict"] is None] or votes[-1:]
        final = deciding[-1]["verdict"]
        reason = deciding[0]["reason"] if final is None else None
        tally.given += final is not None
        tally.missing += final is None
        self._votes(tally, votes, final if closing else None)
        for verdict in said:
            if verdict["valid_mass"] is not None:
                tally.masses.append(verdict["valid_mass"])
        if len(votes) > 1 and not judge.panel and final is not None:
            tally.consistent += len({verdict["score"] for verdict in votes}) == 1
        score = dict(row["scores"] or ()).get(judge.metric)
        if final is None:
            tally.reasons[reason or "?"] += 1
            if len(tally.unheard) < KEPT:
                tally.unheard.append(self._point(row, reason or "?"))
        elif score is not None and self._run.labels and judge.metric == JUDGED:
            self._compare(tally, row, score, str(final))

    @staticmethod
    def _votes(tally: JudgeTally, votes: Sequence[Row], panel: str | None) -> None:
        for vote in votes:
            seat = tally.seats.setdefault(str(vote["judge"]), SeatTally())
            seat.model = str(vote["model"] or "")
            verdict = vote["verdict"]
            if verdict is None:
                seat.missing += 1
            else:
                seat.verdicts[verdict] += 1
                seat.compared += panel is not None
                seat.agreed += panel is not None and verdict == panel
            if vote["order"] is not None:
                tally.parts.setdefault(vote["order"], Counter())[verdict or ""] += 1
            if vote["cost_usd"] is None:
                tally.unpriced += 1
            else:
                tally.cost += vote["cost_usd"]

    def _compare(self, tally: JudgeTally, row: Row, score: float, said: str | None) -> None:
        """Hold a score against a person's label; `said` is None where no judge was asked."""
        label = self._run.labels.get(label_key(row))
        if label is None:
            return
        (tally.labelled if said is not None else tally.checked).append((label, score))
        if abs(label - score) >= DIFFERS:
            tally.disputes += 1
            if len(tally.disputed) < KEPT:
                tally.disputed.append(self._point(row, said, label, score))

    def _point(
        self, row: Row, said: str | None, label: float | None = None, judged: float | None = None
    ) -> Pointed:
        href = sample_link(self._run.name, row)
        got = short(row["answer"] or row["output"])
        return Pointed(href, short(row["input"]), got, said, label, judged)


def judges_of(run: RunData) -> dict[str, Mapping[str, Any]]:
    """Return what a run's record says of its judges, by name."""
    found = run.manifest.get("judges")
    if not isinstance(found, Mapping):
        return {}
    return {str(name): judge for name, judge in found.items() if isinstance(judge, Mapping)}


def usages(judges: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what judges took, as run.json tells it."""
    return [judge["usage"] for judge in judges if isinstance(judge.get("usage"), Mapping)]


def spent(judges: Iterable[Mapping[str, Any]], tallies: Iterable[JudgeTally]) -> float | None:
    """Return what judges cost in US dollars; None where any of it is not known.

    The run's record goes first; without a cost there, that of every verdict.
    """
    told = [usage.get("cost_usd") for usage in usages(judges)]
    costs = [cost for cost in told if isinstance(cost, int | float)]
    if told and len(costs) == len(told):
        return float(sum(costs))
    asked = [one for one in tallies if one.asked]
    if not asked or any(one.unpriced for one in asked):
        return None
    return sum(one.cost for one in asked)


def _known(name: str, judge: Mapping[str, Any]) -> _Known:
    panel = judge.get("mode") == "panel"
    signs = judge.get("signs") or (name, *(judge.get("models") or ()), *((PANEL,) * panel))
    tasks = judge.get("tasks")
    return _Known(
        name=name,
        panel=panel,
        metric=str(judge.get("metric") or JUDGED),
        signs=frozenset(map(str, signs)),
        tasks=None if tasks is None else frozenset(map(str, tasks)),
        hash=str(judge.get("hash") or ""),
    )


def label_key(row: Row) -> str:
    """Return the name of a sample in labels.jsonl: it shows neither model nor score."""
    return content_key([row[name] for name in _KEY])[:16]


def sample_link(run: str, row: Row) -> str:
    """Return the address of one sample within the report."""
    return link(
        "run",
        run=run,
        task=row["task"],
        s=row["sample_id"],
        sv=None if row["variant"] == "original" else row["variant"],
        sa=None if row["arm"] == "default" else row["arm"],
        se=str(row["epoch"]) if row["epoch"] else None,
        st=row["task"],
    )
