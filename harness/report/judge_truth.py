"""A judge held against people's labels: agreement, and scores with its errors taken out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from harness.report.judge_chart import ESTIMATES, Estimates, estimates_chart
from harness.report.judge_lines import VerdictLine, by_task
from harness.report.numbers import number, span
from harness.report.say import Said, say
from harness.stats.agreement import cohen_kappa, rates
from harness.stats.intervals import Interval

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CorrectedLine:
    """One system's estimates on one task."""

    task: str
    name: str
    estimates: tuple[Estimate, ...]
    """In the order of ESTIMATES."""
    labels: int
    warnings: tuple[str, ...] = ()


MOST_TASKS, MOST_SYSTEMS = 6, 12
"""Charts of one judge, and systems in one chart."""
CAUTIONS = (
    (re.compile(r"\d+ labels: below (?P<least>\d+) "), "few"),
    (re.compile(r"(?P<lost>\d+) labelled samples have no verdict"), "lost"),
    (re.compile("no `harness label` plan"), "unplanned"),
    (re.compile("some labels were not drawn"), "undrawn"),
    (re.compile("drawn samples were passed over"), "passed"),
)
"""What `harness judge correct` warns of, and the text of the page for it."""


def cautions(lines: Iterable[CorrectedLine]) -> list[Said]:
    """Return the warnings of some corrections in both languages, each once."""
    found: dict[str, Said] = {}
    lost = 0
    for text in (text for line in lines for text in line.warnings):
        kind, given = next(
            ((name, hit.groupdict()) for rule, name in CAUTIONS if (hit := rule.match(text))),
            (text, {}),
        )
        lost += int(given.get("lost") or 0)
        given = given | {"lost": f"{lost:,}"}
        known_one = kind != text
        found[kind] = say(f"judge.caution.{kind}", **given) if known_one else Said(text, text)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate of a score, as text."""

    value: str = ""
    span: str = ""
    worth: str = ""
    """Effective sample size, in labels."""
    reason: str = ""
    """Why there is no value."""


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """Two systems under one judge: the paired difference, raw and corrected."""

    task: str
    names: tuple[str, str]
    """The system, and the one that it is compared with."""
    raw: Estimate
    corrected: Estimate
    labels: int
    n: int


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """A judge against people's labels on one task of one run."""

    name: str
    task: str
    labels: int
    counts: tuple[int, int, int, int] | None = None
    """Right called right, wrong called right, right called wrong, wrong called wrong."""
    accuracy: str = ""
    sensitivity: str = ""
    specificity: str = ""
    kappa: str = ""
    bias: str = ""
    """Mean of score minus label, where they are not all 0 or 1."""
    checked: int = 0
    """Labels on what a program decided."""
    overruled: int = 0
    """How many of those the program decided otherwise."""


def charts(lines: Sequence[VerdictLine]) -> tuple[list[tuple[str, Markup]], int]:
    """Return a chart for every task on which some system's score was corrected.

    Of many tasks and systems those whose scores moved most are drawn; the second value says how
    many systems the table alone has.
    """
    moved = {task: moves for task, found in by_task(lines).items() if (moves := _moved(found))}
    tasks = sorted(moved, key=lambda task: -max(shift for shift, _ in moved[task]))[:MOST_TASKS]
    drawn, left = [], sum(map(len, moved.values()))
    for task, moves in moved.items():
        if task not in tasks:
            continue
        least = sorted((shift for shift, _ in moves), reverse=True)[:MOST_SYSTEMS][-1]
        systems = [line for shift, line in moves if shift >= least][:MOST_SYSTEMS]
        left -= len(systems)
        drawn.append((task, estimates_chart(task, [Estimates(s.name, s.cells) for s in systems])))
    return drawn, left


def _moved(lines: Sequence[VerdictLine]) -> list[tuple[float, VerdictLine]]:
    """Return the corrected systems of a task, each with how far PPI++ moved its score."""
    return [(abs(shift), line) for line in lines if (shift := line.shift) is not None]


def corrected(lines: Sequence[VerdictLine]) -> list[CorrectedLine]:
    """Return the systems whose scores were corrected, or were to be."""
    return [_corrected(line) for line in lines if len(line.cells) > 1]


def _corrected(line: VerdictLine) -> CorrectedLine:
    raw = next(iter(line.cells.values()))
    kept = _kept(line.run.corrections.get("corrections") or (), (raw.task, raw.arm, raw.variant))
    made = kept.get("corrected") or {}
    own = len(line.tally.labelled) + len(line.tally.checked)
    return CorrectedLine(
        task=line.task,
        name=line.name,
        estimates=tuple(_estimate(line, name, made.get(name) or {}) for name in ESTIMATES),
        labels=int(kept.get("labels") or own),
        warnings=tuple(map(str, kept.get("warnings") or ())),
    )


def _estimate(line: VerdictLine, name: str, made: Json) -> Estimate:
    cell = line.cells.get(name)
    if cell is None:
        return Estimate()
    if cell.value is None:
        return Estimate(reason=cell.reason or "")
    size = made.get("effective_n")
    place = {"value": cell.value, "low": cell.low, "high": cell.high}
    return Estimate(
        value=number(cell.value, cell.low, cell.high),
        span=span(place),
        worth="" if size is None else f"{size:,.0f}",
    )


def _kept(corrections: Sequence[Json], place: tuple[str, str, str]) -> Json:
    names = ("task", "arm", "variant")
    fits = (one for one in corrections if tuple(one.get(name) for name in names) == place)
    return next(fits, {})


def differences(lines: Sequence[VerdictLine], models: Mapping[str, str]) -> list[DifferenceLine]:
    """Return the corrected differences that runs keep; `models` names the systems by run."""
    found: dict[tuple[str, int], DifferenceLine] = {}
    for line in lines:
        for at, one in enumerate(line.run.corrections.get("differences") or ()):
            if one["task"] != line.task or (line.run.name, at) in found:
                continue
            against = models.get(one["against"], one["against"])
            size = one.get("effective_n")
            found[line.run.name, at] = DifferenceLine(
                task=line.task,
                names=(line.model, against),
                raw=_signed(one["raw"], one.get("raw_low"), one.get("raw_high")),
                corrected=replace(
                    _signed(one["value"], one["low"], one["high"]),
                    worth="" if size is None else f"{size:,.0f}",
                ),
                labels=one["labels"],
                n=one["n"],
            )
    return list(found.values())


def _signed(value: float | None, low: float | None, high: float | None) -> Estimate:
    sign = "+" if value is not None and value > 0 else ""
    return Estimate(
        value=sign + number(value, low, high), span=span({"value": value, "low": low, "high": high})
    )


def agreement(line: VerdictLine) -> AgreementLine | None:
    """Return how a judge's scores agree with people's labels; None where there are no labels."""
    pairs, checked = line.tally.labelled, line.tally.checked
    if not pairs and not checked:
        return None
    plain = AgreementLine(
        name=line.name,
        task=line.task,
        labels=len(pairs),
        checked=len(checked),
        overruled=sum(label != score for label, score in checked),
    )
    truth, said = [label for label, _ in pairs], [score for _, score in pairs]
    if not pairs:
        return plain
    if not {*truth, *said} <= {0.0, 1.0}:
        bias = sum(score - label for label, score in pairs) / len(pairs)
        return replace(plain, bias=number(bias))
    found = Counter(pairs)
    rate = rates(truth, said)
    return replace(
        plain,
        counts=(found[1.0, 1.0], found[0.0, 1.0], found[1.0, 0.0], found[0.0, 0.0]),
        accuracy=told(rate.accuracy),
        sensitivity=told(rate.sensitivity),
        specificity=told(rate.specificity),
        kappa=number(cohen_kappa(truth, said, 2)),
    )


def told(share: Interval) -> str:
    """Write a share with its interval.

    >>> from harness.stats.intervals import wilson
    >>> told(wilson(9, 10)).split()[0]
    '0.90'
    """
    if share.value is None:
        return number(None)
    ends = {"value": share.value, "low": share.low, "high": share.high}
    return f"{number(share.value)} ({span(ends)})"
