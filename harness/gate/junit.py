"""The gate as JUnit XML: the task is the class, the sample is the name, whatever the order.

A sample fails where it lost its score *and* its task regressed or missed a floor: a flip within
the noise is told in the output of a passing case, since red for noise teaches people to look away.
Scores and repeats stand in a case's `system-out`: the schema by which Jenkins' xUnit plugin takes
or refuses a file (junit-10.xsd) knows no properties of a case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from harness.gate.records import Check, GateReport, Place, TaskVerdict
from harness.gate.say import check_sentence, headline, verdict_sentence

TAIL = 400
"""Characters from the end of a prompt."""
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(Struct, frozen=True):
    """A sample with its repeats, as both runs scored it (None: not scored)."""

    place: Place
    sample_id: str
    now: tuple[float | None, ...]
    before: tuple[float | None, ...]
    status: tuple[str, ...] = ()
    lost: bool = False
    """Worse than the baseline, over the repeats."""
    input: str = ""
    target: tuple[str, ...] = ()
    got: str = ""


def junit(report: GateReport, cases: Iterable[Case]) -> str:
    """Return the whole document."""
    grouped: dict[str, list[Case]] = {}
    for case in cases:
        grouped.setdefault(case.place.task, []).append(case)
    by_task: dict[str, list[TaskVerdict]] = {}
    for verdict in report.tasks:
        by_task.setdefault(verdict.place.task, []).append(verdict)
    names = dict.fromkeys([*by_task, *grouped])
    suites = [_suite(name, by_task.get(name, []), grouped.get(name, []), report) for name in names]
    if report.checks:
        lines = [_check_case(check) for check in report.checks]
        suites.append(_wrap("limits", lines))
    return _document(headline(report), "".join(suites))


def broken_junit(reason: str) -> str:
    """Return the document of a gate that could not be made: one case, with the reason."""
    inner = f"<error message={_attribute(reason)} type={_attribute('gate')}/>"
    return _document("Gate without a verdict", _wrap("gate", [_case("gate", "gate", inner)]))


def _document(name: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites name={_attribute(name)}>\n{body}</testsuites>\n"
    )


def _suite(
    task: str, verdicts: Sequence[TaskVerdict], cases: Sequence[Case], report: GateReport
) -> str:
    red = {verdict.place for verdict in verdicts if verdict.verdict == "regressed"}
    floored = any(
        check.verdict == "missed" and not check.instrument and check.name.startswith(f"{task} ")
        for check in report.checks
    )
    lines = [_verdict_case(verdict) for verdict in verdicts]
    lines += [_sample_case(case, red=floored or case.place in red) for case in cases]
    return _wrap(task, lines)


def _wrap(name: str, lines: Sequence[str]) -> str:
    def holding(mark: str) -> int:
        return sum(f"<{mark} " in line for line in lines)

    return (
        f"<testsuite name={_attribute(name)} tests={quoteattr(str(len(lines)))} "
        f'failures="{holding("failure")}" errors="{holding("error")}" '
        f'skipped="{holding("skipped")}">\n' + "".join(lines) + "</testsuite>\n"
    )


def _name(place: Place, name: str) -> str:
    label = place.label.removeprefix(place.task)
    return f"{name}{label}"


def _verdict_case(verdict: TaskVerdict) -> str:
    inner = ""
    message = verdict_sentence(verdict)
    if verdict.verdict == "regressed":
        inner = f"<failure message={_attribute(message)} type={_attribute('regressed')}/>"
    elif verdict.verdict == "inconclusive":
        inner = f"<skipped message={_attribute(message)}/>"
    else:
        inner = f"<system-out>{_text(message)}</system-out>"
    return _case(verdict.place.task, _name(verdict.place, "gate"), inner)


def _check_case(check: Check) -> str:
    message = check_sentence(check)
    inner = f"<system-out>{_text(message)}</system-out>"
    if check.verdict == "missed":
        inner = f"<failure message={_attribute(message)} type={_attribute('missed')}/>"
    elif check.verdict in ("inconclusive", "unknown"):
        inner = f"<skipped message={_attribute(message)}/>"
    return _case("limits", check.name, inner)


def _sample_case(case: Case, *, red: bool) -> str:
    inner, lines = "", list(_repeats(case))
    if case.lost and red:
        inner = f"<failure message={_attribute('lost')} type={_attribute('lost')}>"
        inner += f"{_text(_told(case))}</failure>"
    elif case.lost:
        lines += ["flipped within the noise", _told(case)]
    elif case.status and set(case.status) <= {"error", "unjudged"}:
        inner = f"<skipped message={_attribute(', '.join(sorted(set(case.status))))}/>"
    inner += "<system-out>" + _text("\n".join(lines)) + "</system-out>"
    return _case(case.place.task, _name(case.place, case.sample_id), inner)


def _told(case: Case) -> str:
    tail = case.input if len(case.input) <= TAIL else f"…{case.input[-TAIL:]}"
    return f"expected: {' | '.join(case.target)}\ngot: {case.got}\nprompt: {tail}"


def _repeats(case: Case) -> Iterator[str]:
    """Say how each repeat scored, then and now."""
    for name, values in (("score", case.now), ("baseline", case.before)):
        shown = " ".join("-" if value is None else f"{value:g}" for value in values)
        yield f"{name}: {shown}"
    if case.status:
        yield f"status: {' '.join(case.status)}"


def _case(class_name: str, name: str, inner: str) -> str:
    return (
        f"<testcase classname={_attribute(class_name)} name={_attribute(name)}>{inner}</testcase>\n"
    )


def _legal(text: str) -> str:
    """Replace what XML 1.0 cannot hold, even escaped."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _text(text: str) -> str:
    return escape(_legal(text))
