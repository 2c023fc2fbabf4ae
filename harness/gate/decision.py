"""The whole gate: two runs and a policy in, a report and an exit code out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from harness.errors import ExitCode, suggestion, worst_exit
from harness.gate.align import Aligned, Pairs, align
from harness.gate.checks import checks
from harness.gate.policy import Policy
from harness.gate.records import Check, Flip, GateReport, Place, RunScores, TaskVerdict
from harness.gate.verdicts import judge

FLIPS = 50
"""Flipped samples that a report holds."""

SampleKey = tuple[Place, str, int]


class SampleText(NamedTuple):
    """What a flipped sample looked like."""

    input: str
    target: tuple[str, ...]
    got: str


class Gated(NamedTuple):
    """The report, and the aligned scores it came from."""

    report: GateReport
    aligned: Aligned


def gate(
    candidate: RunScores, baseline: RunScores, policy: Policy, *, allow_changed: bool = False
) -> Gated:
    """Decide on a candidate; raises Incomparable where the runs did not ask the same."""
    aligned = align(candidate, baseline, policy, allow_changed=allow_changed)
    verdicts = judge(aligned.pairs, policy)
    held = checks(candidate, baseline, aligned.pairs, policy)
    report = report_of(Sides(candidate, baseline), aligned, verdicts, held, policy)
    return Gated(report, aligned)


class Sides(NamedTuple):
    """The two runs."""

    candidate: RunScores
    baseline: RunScores


def report_of(
    sides: Sides,
    aligned: Aligned,
    verdicts: Sequence[TaskVerdict],
    held: Sequence[Check],
    policy: Policy,
) -> GateReport:
    """Put a report together from its parts."""
    candidate, baseline = sides
    absent = [
        TaskVerdict(place, "", "inconclusive", policy.margin_of(place.task), 0, reason=reason)
        for place, reason in aligned.missing
    ]
    tasks = (*verdicts, *absent)
    code = exit_code(tasks, held, policy)
    notes = aligned.notes
    notes = (*notes, *_idle(policy, candidate, baseline))
    if not candidate.complete:
        notes = (*notes, "the candidate's run is partial: the pairs are those it finished")
    return GateReport(
        verdict=overall(tasks, held),
        exit_code=int(code),
        candidate=candidate.name,
        candidate_model=candidate.model,
        baseline=baseline.name,
        baseline_model=baseline.model,
        policy=policy.policy,
        alpha=policy.alpha,
        tasks=tasks,
        checks=tuple(held),
        flips=tuple(flips(aligned.pairs, FLIPS)),
        notes=notes,
        calls=candidate.calls,
        replayed=candidate.replayed,
        judge_calls=candidate.judge_calls,
        cost_usd=candidate.cost_usd,
    )


def _idle(policy: Policy, candidate: RunScores, baseline: RunScores) -> Iterator[str]:
    """Yield a note for what a policy says to no effect: misspelt, or not in these runs."""
    known = {*candidate.hashes, *baseline.hashes}
    for name in policy.idle(known):
        yield f"policy: '{name}' fits no task of these runs{suggestion(name, known)}"
    ran = {str(name) for name in baseline.columns.variant}
    for name in policy.variants:
        if name not in ran:
            yield f"policy: variant '{name}' is not in the baseline{suggestion(name, ran)}"


def exit_code(tasks: Sequence[TaskVerdict], held: Sequence[Check], policy: Policy) -> ExitCode:
    """Return the contract's code; inconclusive ends in 3, or 0 where the policy only warns."""
    by_verdict = {
        "passed": ExitCode.OK,
        "regressed": ExitCode.REGRESSED,
        "failed": ExitCode.INFRASTRUCTURE,
        "inconclusive": ExitCode.INCONCLUSIVE if policy.inconclusive == "fail" else ExitCode.OK,
    }
    return worst_exit([by_verdict[overall(tasks, held)]])


def overall(
    tasks: Iterable[TaskVerdict], held: Iterable[Check]
) -> Literal["passed", "regressed", "inconclusive", "failed"]:
    """Return the one word: errors above their limit first, then a loss, then an open question."""
    held, verdicts = list(held), [task.verdict for task in tasks]
    missed = [check for check in held if check.verdict == "missed"]
    if any(check.instrument for check in missed):
        return "failed"
    if missed or "regressed" in verdicts:
        return "regressed"
    if "inconclusive" in verdicts or any(check.verdict == "inconclusive" for check in held):
        return "inconclusive"
    return "passed"


def first_metrics(pairs: Iterable[Pairs]) -> dict[Place, Pairs]:
    """Return the first gated metric of each place."""
    found: dict[Place, Pairs] = {}
    for item in pairs:
        found.setdefault(item.place, item)
    return found


def flips(pairs: Sequence[Pairs], count: int) -> list[Flip]:
    """Return samples that score differently now: losses first, the largest of each first.

    Of a task that is gated by several metrics the first alone is told.
    """
    found: list[Flip] = []
    for item in first_metrics(pairs).values():
        change = item.differences
        sign = 1.0 if item.higher_is_better else -1.0
        order = np.argsort(-np.abs(change), kind="stable")
        for losing in (True, False):
            rows = [row for row in order if (change[row] < 0 if losing else change[row] > 0)]
            found += [
                Flip(
                    place=item.place,
                    sample_id=str(item.sample_id[row]),
                    epoch=int(item.epoch[row]),
                    before=sign * float(item.baseline[row]) + 0.0,
                    now=sign * float(item.candidate[row]) + 0.0,
                    lost=losing,
                )
                for row in rows[:count]
            ]
    found.sort(key=lambda flip: not flip.lost)
    return found[:count]


def with_texts(
    report: GateReport,
    now: Callable[[SampleKey], SampleText | None],
    before: Callable[[SampleKey], SampleText | None],
) -> GateReport:
    """Return the report with what its flipped samples asked and got."""
    told = []
    for flip in report.flips:
        key = (flip.place, flip.sample_id, flip.epoch)
        mine, theirs = now(key), before(key)
        told.append(
            msgspec.structs.replace(
                flip,
                input=mine.input if mine else "",
                target=mine.target if mine else (),
                got=mine.got if mine else "",
                was=theirs.got if theirs else "",
            )
        )
    return msgspec.structs.replace(report, flips=tuple(told))
