"""What the judges' page shows: who judged what, how often in vain, and how far to believe it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness.report.judge_chart import estimate_keys
from harness.report.judge_lines import UNRELIABLE, VerdictLine, by_task, lines_of
from harness.report.judge_tally import JUDGED, Pointed, judges_of, spent, usages
from harness.report.judge_truth import (
    AgreementLine,
    CorrectedLine,
    DifferenceLine,
    agreement,
    cautions,
    charts,
    corrected,
    differences,
)
from harness.report.model import ReportData, RunData
from harness.report.numbers import dollars, number
from harness.report.say import NOTHING, Said, known, say
from harness.report.story import several
from harness.report.survey import RunSurvey
from harness.stats.intervals import wilson

SHOWN = 40
"""Samples listed one by one, of each kind."""
HASH = 12
"""Digits of a hash that are shown; the run's page has all."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeatLine:
    """One seat of a panel over all its tasks."""

    seat: str
    model: str
    given: int
    missing: int
    agreed: str
    """Share of its verdicts that are the panel's."""
    counts: tuple[int, ...]
    """By verdict, in the order of the judge's `offered`."""


@dataclass(slots=True)
class JudgePart:
    """Everything about one judge."""

    name: str
    mode: str
    metric: str
    hash: str
    about: str = ""
    """What the judge's file says of itself, where it is at hand."""
    models: list[tuple[str, str]] = field(default_factory=list)
    """Seat and model; the seat of a judge that sits alone is its own name."""
    facts: list[tuple[Said, Said | str]] = field(default_factory=list)
    warnings: list[Said] = field(default_factory=list)
    lines: list[VerdictLine] = field(default_factory=list)
    reasons: list[tuple[str, int]] = field(default_factory=list)
    charts: list[tuple[str, Markup]] = field(default_factory=list)
    """Raw beside corrected, by task."""
    undrawn: int = 0
    """Corrected systems that stand in the table alone."""
    corrected: list[CorrectedLine] = field(default_factory=list)
    differences: list[DifferenceLine] = field(default_factory=list)
    agreement: list[AgreementLine] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    """Verdicts that were given, the most frequent first."""
    seats: list[SeatLine] = field(default_factory=list)
    checks: list[tuple[str, tuple[int, ...], int]] = field(default_factory=list)
    """Checks of a list, or orders of a pair: counts by verdict, and missing ones."""
    disputed: list[tuple[VerdictLine, Pointed]] = field(default_factory=list)
    disputes: int = 0
    unheard: list[tuple[VerdictLine, Pointed]] = field(default_factory=list)

    @property
    def given(self) -> int:
        """Verdicts, over all runs."""
        return sum(line.tally.given for line in self.lines)

    @property
    def missing(self) -> int:
        """Verdicts that are missing, over all runs."""
        return sum(line.tally.missing for line in self.lines)

    @property
    def decided(self) -> int:
        """Samples that a program decided."""
        return sum(line.tally.decided for line in self.lines)

    @property
    def cautions(self) -> list[Said]:
        """What `harness judge correct` warned of."""
        return cautions(self.corrected)

    @property
    def title(self) -> str:
        """The judge and who sits in it."""
        return ", ".join(dict.fromkeys(model for _, model in self.models))


@dataclass(slots=True)
class JudgePage:
    """The page of all judges of a report."""

    story: Said = NOTHING
    parts: list[JudgePart] = field(default_factory=list)
    keys: list[tuple[Markup, Said]] = field(default_factory=estimate_keys)
    """How raw and corrected scores are drawn."""


def judge_page(data: ReportData, surveys: Mapping[str, RunSurvey]) -> JudgePage | None:
    """Return the page, or None where nothing was judged.

    Judges of one name whose files or models differ between runs are parts of their own.
    """
    groups: dict[tuple[str, str], list[tuple[RunData, Json]]] = {}
    for run in data.runs:
        if run.name not in surveys:
            continue
        told = judges_of(run)
        found = [*told, *(place[0] for place in surveys[run.name].judges)]
        for name in dict.fromkeys(found):
            judge = told.get(name, {})
            groups.setdefault((name, str(judge.get("hash") or "")), []).append((run, judge))
    parts = [_part(name, runs, surveys) for (name, _), runs in groups.items()]
    models = {run.name: run.model for run in data.runs}
    for part in parts:
        part.about = data.extra.get("judges", {}).get(part.name, "")
        if part.metric == JUDGED:
            part.differences = differences(part.lines, models)
    parts = [part for part in parts if part.lines or part.warnings]
    return JudgePage(_story(parts), parts) if parts else None


def _part(
    name: str, runs: Sequence[tuple[RunData, Json]], surveys: Mapping[str, RunSurvey]
) -> JudgePart:
    first = runs[0][1]
    part = JudgePart(
        name=name,
        mode=str(first.get("mode") or ""),
        metric=str(first.get("metric") or JUDGED),
        hash=str(first.get("hash") or ""),
    )
    judges = [judge for _, judge in runs]
    for run, judge in runs:
        part.lines += lines_of(name, run, judge, surveys[run.name])
    part.lines.sort(key=lambda line: line.task)
    part.models = _models(part, first)
    kept = _summed(line.tally.reasons for line in part.lines)
    told = _summed(Counter(judge.get("missing_reasons") or {}) for judge in judges)
    part.reasons = (kept or told).most_common()
    part.offered = [verdict for verdict, _ in _verdicts(part.lines).most_common()]
    if part.metric == JUDGED:
        part.charts, part.undrawn = charts(part.lines)
        part.corrected = corrected(part.lines)
        part.agreement = [one for line in part.lines if (one := agreement(line))]
    part.seats = _seats(part) if len(part.models) > 1 else []
    part.checks = _checks(part)
    part.facts = _facts(part, judges)
    part.warnings = _warnings(part, judges)
    part.disputes = sum(line.tally.disputes for line in part.lines)
    part.disputed = _spread([(line, line.tally.disputed) for line in part.lines])
    part.unheard = _spread([(line, line.tally.unheard) for line in part.lines])
    return part


def _models(part: JudgePart, judge: Json) -> list[tuple[str, str]]:
    """Return who sits in a judge: by the run's record, else by the verdicts."""
    recorded = judge.get("models") or {}
    if recorded:
        return [
            (str(seat), str((info or {}).get("name") or "?")) for seat, info in recorded.items()
        ]
    seats = {seat: one.model for line in part.lines for seat, one in line.tally.seats.items()}
    return sorted(seats.items())


def _summed(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counters:
        total.update(one)
    return total


def _verdicts(lines: Sequence[VerdictLine]) -> Counter[str]:
    return _summed(seat.verdicts for line in lines for seat in line.tally.seats.values())


def _spread(
    found: Sequence[tuple[VerdictLine, list[Pointed]]],
) -> list[tuple[VerdictLine, Pointed]]:
    """Return some samples of every line, so that no task and no model is left out."""
    each = max(SHOWN // max(sum(bool(points) for _, points in found), 1), 3)
    return [(line, point) for line, points in found for point in points[:each]]


def _seats(part: JudgePart) -> list[SeatLine]:
    lines = []
    for seat, model in part.models:
        tallies = [line.tally.seats[seat] for line in part.lines if seat in line.tally.seats]
        counts = _summed(one.verdicts for one in tallies)
        compared, agreed = sum(t.compared for t in tallies), sum(t.agreed for t in tallies)
        lines.append(
            SeatLine(
                seat=seat,
                model=model,
                given=sum(counts.values()),
                missing=sum(one.missing for one in tallies),
                agreed=f"{agreed / compared:.0%}" if compared else number(None),
                counts=tuple(counts[verdict] for verdict in part.offered),
            )
        )
    return lines


def _checks(part: JudgePart) -> list[tuple[str, tuple[int, ...], int]]:
    names = dict.fromkeys(name for line in part.lines for name in line.tally.parts)
    found = []
    for name in names:
        counts = _summed(line.tally.parts.get(name, Counter()) for line in part.lines)
        found.append((name, tuple(counts[verdict] for verdict in part.offered), counts[""]))
    return found


# ---- facts ----------------------------------------------------------------------------------


def _facts(part: JudgePart, judges: Sequence[Json]) -> list[tuple[Said, Said | str]]:
    masses = [mass for line in part.lines for mass in line.tally.masses]
    facts: list[tuple[Said, Said | str]] = [
        (say("judge.mode"), known(f"judge.mode.{part.mode}", part.mode)),
        (say("metric"), part.metric if part.metric != JUDGED else ""),
        (say("judge.hash"), part.hash[:HASH]),
        (say("judge.verdicts"), f"{part.given:,}"),
        (say("judge.missing"), f"{part.missing:,}"),
        (say("judge.tokens"), _tokens(judges)),
        (say("judge.cost"), _cost(part, judges)),
    ]
    if masses:
        facts.append((say("judge.mass"), number(sum(masses) / len(masses))))
    if part.mode == "pairwise" and part.given:
        same = sum(line.tally.consistent for line in part.lines)
        facts.append((say("judge.consistent"), f"{same / part.given:.0%}"))
    if part.mode == "panel":
        worth = [float(one) for judge in judges if (one := judge.get("effective_judges"))]
        text = f"{sum(worth) / len(worth):.2f}" if worth else say("unknown")
        facts.append((say("judge.effective"), text))
    return [(name, value) for name, value in facts if value not in ("", NOTHING)]


def _tokens(judges: Sequence[Json]) -> Said | str:
    found = usages(judges)
    if not found:
        return ""
    sent, came, stored = (
        f"{sum(usage.get(name) or 0 for usage in found):,}"
        for name in ("prompt_tokens", "completion_tokens", "cached")
    )
    return say("judge.tokens_text", sent=sent, came=came, stored=stored)


def _cost(part: JudgePart, judges: Sequence[Json]) -> Said | str:
    """Return what a judge cost; unknown where any of it is not known."""
    cost = spent(judges, [line.tally for line in part.lines])
    return say("unknown") if cost is None else dollars(cost)


def _warnings(part: JudgePart, judges: Sequence[Json]) -> list[Said]:
    found = []
    if any(line.unreliable for line in part.lines):
        limit, names = f"{100 * UNRELIABLE:.0f}", several(_unreliable(part))
        found.append(say("judge.unreliable", limit=limit, names=names))
    selves = dict.fromkeys(line.model for line in part.lines if line.itself)
    if selves:
        found.append(say("judge.itself", names=several(list(selves))))
    given = sum(int(judge.get("judged") or 0) for judge in judges)
    if given and not any(line.tally.seats for line in part.lines):
        found.append(say("judge.not_kept", count=f"{given:,}"))
    return found


def _unreliable(part: JudgePart) -> list[str]:
    """Return the tasks with too many missing verdicts; with the systems, where not all are so."""
    names = []
    for task, lines in by_task(part.lines).items():
        bad = [line.name for line in lines if line.unreliable]
        if bad:
            names.append(task if len(bad) == len(lines) else f"{task} ({', '.join(bad)})")
    return names


# ---- the sentence ---------------------------------------------------------------------------


def _story(parts: Sequence[JudgePart]) -> Said:
    given, missing = (sum(getattr(part, name) for part in parts) for name in ("given", "missing"))
    counts = {
        "given": f"{given:,}",
        "asked": f"{given + missing:,}",
        "decided": f"{sum(part.decided for part in parts):,}",
    }
    if len(parts) == 1:
        who = {"judge": parts[0].name, "model": parts[0].title}
        said = say("judge.story_one", **who, **counts)
    else:
        said = say("judge.story_many", count=len(parts), **counts)
    bad = dict.fromkeys(line.task for part in parts for line in part.lines if line.unreliable)
    if missing:
        share = f"{100 * missing / (given + missing):.1f}"
        said += say("judge.story_missing", share=share)
    if bad:
        said += say("judge.story_bad", names=several(list(bad)))
    if any(line.itself for part in parts for line in part.lines):
        said += say("judge.story_itself")
    return said + _against(parts)


def _against(parts: Sequence[JudgePart]) -> Said:
    """Return how judges fare against people, and what that does to a score."""
    lines = [line for part in parts for line in part.lines]
    if not any(line.tally.labelled or line.tally.checked for line in lines):
        return say("judge.story_unlabelled")
    graded = [line.tally.labelled for line in lines if _binary(line.tally.labelled)]
    pairs = [pair for own in graded for pair in own]
    said = NOTHING
    if pairs:
        found = wilson(sum(label == score for label, score in pairs), len(pairs))
        said = say(
            "judge.story_agrees",
            labels=f"{len(pairs):,}",
            value=number(found.value),
            low=number(found.low),
            high=number(found.high),
        )
    moved = [line for line in lines if line.shift is not None]
    if moved:
        line = max(moved, key=lambda one: abs(one.shift or 0.0))
        raw, true = line.cells["raw"], line.cells["ppi++"]
        said += say(
            "judge.story_corrected",
            model=line.name,
            task=line.task,
            raw=number(raw.value),
            value=number(true.value),
            low=number(true.low),
            high=number(true.high),
        )
    return said


def _binary(pairs: Sequence[tuple[float, float]]) -> bool:
    return all(value in (0, 1) for pair in pairs for value in pair)
