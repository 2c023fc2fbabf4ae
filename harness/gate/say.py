"""Verdicts in words and numbers, the same in every output."""

from __future__ import annotations

from harness.gate.records import REPLAYED, Check, GateReport, TaskVerdict

_OVERALL = {
    "passed": "passed: nothing got worse beyond its margin",
    "regressed": "regressed",
    "missed": "not passed: a limit was missed",
    "inconclusive": "inconclusive",
    "failed": "without a verdict: too many samples failed",
}


def signed(value: float | None, places: int = 1) -> str:
    """Write a difference in points (hundredths), with its sign.

    >>> signed(-0.034), signed(None)
    ('-3.4', '–')
    """
    return "–" if value is None else f"{100 * value:+.{places}f}"


def plain(value: float | None) -> str:
    """Write a score.

    >>> plain(0.7912), plain(None)
    ('0.791', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3f}"  # noqa: PLR2004


def interval(low: float | None, high: float | None) -> str:
    """Write an interval of a difference, in points."""
    return "–" if low is None or high is None else f"{signed(low)} … {signed(high)}"


def headline(report: GateReport) -> str:
    """Say the whole gate in one line."""
    counts = {
        name: sum(task.verdict == name for task in report.tasks)
        for name in ("regressed", "inconclusive", "improved", "not_worse")
    }
    parts = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    missed = sum(check.verdict == "missed" for check in report.checks)
    if missed:
        parts.append(f"{missed} limit{'s' * (missed > 1)} missed")
    alone = report.verdict == "regressed" and not counts["regressed"]
    said = _OVERALL["missed" if alone else report.verdict]
    return f"Gate {said} ({', '.join(parts) or 'nothing gated'})"


def detail(task: TaskVerdict) -> str:
    """Say what a verdict rests on, or what it lacks."""
    if task.n == 0 or task.detectable is None:
        return remarks(task)
    sees = f"sees a loss of {100 * task.detectable:.1f} or more"
    return "; ".join(part for part in (sees, remarks(task)) if part)


def remarks(task: TaskVerdict) -> str:
    """Say what a line of figures does not tell; often nothing."""
    if task.n == 0:
        return task.reason or "nothing to compare"
    parts = []
    if task.verdict == "inconclusive":
        parts.append(
            f"needs n ≈ {task.needed:,}" if task.needed is not None else "no n would decide"
        )
    if task.unpaired:
        parts.append(f"{task.unpaired} unpaired")
    if task.whole is not None:
        whole, percent = task.whole, f"{100 * task.confidence:.0f} %"
        parts.append(
            f"over all {whole.total:,} items {plain(whole.value)} [{plain(whole.low)} … "
            f"{plain(whole.high)}] ({percent}) against {plain(whole.baseline)}, as if "
            f"{whole.gain:.1f} times as many had been run"
        )
    if task.reason:
        parts.append(task.reason)
    return "; ".join(parts)


def verdict_sentence(task: TaskVerdict) -> str:
    """Say one task's verdict with its figures."""
    if task.n == 0:
        return f"{task.place.label}: inconclusive: {detail(task)}"
    p_value = "" if task.p_regressed is None else f", p = {task.p_regressed:.2g}"
    return (
        f"{task.place.label}: {task.verdict.replace('_', ' ')}: {task.metric} "
        f"{plain(task.baseline)} → {plain(task.candidate)}, {signed(task.difference)} points "
        f"[{interval(task.low, task.high)}], margin {100 * task.margin:g}, n = {task.n:,}"
        f"{p_value} ({task.test}); {detail(task)}"
    )


def check_sentence(check: Check) -> str:
    """Say one floor or limit with its figures."""
    if check.value is None:
        return f"{check.name}: {check.verdict}: {check.reason or 'no value'}"
    bounds = ""
    if check.low is not None and check.high is not None:
        bounds = f" [{plain(check.low)} … {plain(check.high)}]"
    count = "" if check.n is None else f", n = {check.n:,}"
    needed = "" if check.needed is None else f"; needs n ≈ {check.needed:,}"
    return (
        f"{check.name}: {check.verdict}: {plain(check.value)}{bounds}, limit {check.limit:g}"
        f"{count}{needed}"
    )


def spent(report: GateReport) -> str:
    """Say what the candidate's answers cost, and whether any of them is new."""
    cost = "cost unknown" if report.cost_usd is None else f"${report.cost_usd:.4f}"
    judged = f"{report.judge_calls:,} calls of judges"
    if report.replay_only:
        return f"{REPLAYED}; {judged}, {cost}" if report.judge_calls else REPLAYED
    replayed = f", {report.replayed:,} replayed" if report.replayed else ""
    more = f", {judged}" if report.judge_calls else ""
    return f"{report.calls:,} calls{replayed}{more}, {cost}"
