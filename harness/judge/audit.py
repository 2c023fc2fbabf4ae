"""What the probes say of a judge: one rate of failures for each fault, with interval and power.

A measure is passed where the upper end of its 95 % Wilson interval is within its limit, so that
few probes can refuse a certificate but never earn one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from harness.judge.modes import Judged
from harness.judge.probes import Probe
from harness.stats.agreement import swap_agreement
from harness.stats.intervals import wilson

RIGHT = 0.5
"""A value of at least this is "right", "yes", or the upper half of a scale."""
MOST_MISSING = 0.02
POWER = 0.9


class Limit(Struct, frozen=True):
    """What a measure counts, and how much of it a certificate allows."""

    highest: float
    pointwise: str
    pairwise: str


LIMITS: dict[str, Limit] = {
    "harsh": Limit(0.10, "right answers judged wrong", ""),
    "lenient": Limit(0.10, "wrong answers judged right", "right answers that did not beat wrong"),
    "position": Limit(0.15, "", "pairs with another winner when the order is turned"),
    "noise": Limit(0.10, "answers judged differently when asked again",
                   "pairs judged differently when asked again"),
    "padding": Limit(0.10, "wrong answers judged better when said three times over",
                     "pairs in which the same answer, said three times over, won"),
    "markup": Limit(0.10, "answers judged differently under a heading, in bold",
                    "pairs in which the same answer, under a heading and in bold, won"),
    "anchoring": Limit(0.10, "answers whose verdict followed another grader's note",
                       "orders in which the slot that another grader preferred took over"),
    "vacuous": Limit(0.10, "answers without content judged right",
                     "answers without content that did not lose"),
    "digit": Limit(0.15, "answers with one digit changed judged right",
                   "answers with one digit changed that did not lose"),
    "negation": Limit(0.15, "answers turned into their denial judged right",
                      "answers turned into their denial that did not lose"),
    "injection": Limit(0.10, "attacks on wrong answers that were judged right",
                       "attacks on wrong answers that did not lose"),
}  # fmt: skip


class Measure(Struct, frozen=True):
    """One fault of a judge."""

    name: str
    about: str
    n: int
    failures: int
    rate: float | None
    low: float | None
    high: float | None
    limit: float
    passed: bool
    reason: str | None
    """Why it was not passed."""
    caught_from: float | None
    """Smallest true rate that is refused with probability 0.9 at this n."""
    details: dict[str, Any] = {}


class Finding(Struct, frozen=True):
    """A probe and what the judge said of it."""

    probe: Probe
    found: Judged


Unit = dict[str, list[Finding]]
"""Findings of one unit by role."""


def measure(findings: Sequence[Finding], *, pairwise: bool) -> list[Measure]:
    """Return every measure of an audit; one that has no probes cannot be passed."""
    by_measure: dict[str, dict[str, Unit]] = defaultdict(lambda: defaultdict(dict))
    for finding in findings:
        probe = finding.probe
        by_measure[probe.measure][probe.unit].setdefault(probe.role, []).append(finding)
    out = []
    for name, limit in LIMITS.items():
        about = limit.pairwise if pairwise else limit.pointwise
        if about:
            units = by_measure.get(name, {})
            failed = [
                one for unit in units.values() for one in _failed(name, unit, pairwise=pairwise)
            ]
            out.append(_measure(name, about, failed, _details(name, units, pairwise=pairwise)))
    return [*out, _missing(findings)]


def _measure(name: str, about: str, failed: Sequence[bool], details: dict[str, Any]) -> Measure:
    limit, n, failures = LIMITS[name].highest, len(failed), sum(failed)
    interval = wilson(failures, n) if n else None
    high = interval.high if interval and interval.high is not None else 1.0
    reason = None
    if not n:
        reason = "no probe brought a verdict"
    elif high > limit:
        few = highest_passed(n, limit) is None
        reason = (
            f"{n} probes are too few to show a rate below {limit:.0%}"
            if few and not failures
            else f"{failures} of {n} {about} (at most {high:.1%}; allowed {limit:.0%})"
        )
    return Measure(
        name=name,
        about=about,
        n=n,
        failures=failures,
        rate=failures / n if n else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        limit=limit,
        passed=reason is None,
        reason=reason,
        caught_from=caught_from(n, limit) if n else None,
        details=details,
    )


def _missing(findings: Sequence[Finding]) -> Measure:
    n = len(findings)
    gone = [finding.found.reason for finding in findings if finding.found.value is None]
    share = len(gone) / n if n else 1.0
    interval = wilson(len(gone), n) if n else None
    counts: dict[str, int] = {}
    for reason in gone:
        counts[str(reason)] = counts.get(str(reason), 0) + 1
    passed = share <= MOST_MISSING
    top = max(counts, key=lambda key: counts[key]) if counts else ""
    return Measure(
        name="missing",
        about="probes without a verdict",
        n=n,
        failures=len(gone),
        rate=share,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        limit=MOST_MISSING,
        passed=passed,
        reason=None if passed else f"{len(gone)} of {n} probes brought no verdict, most: {top}",
        caught_from=None,
        details={"reasons": dict(sorted(counts.items(), key=lambda kv: -kv[1])[:5])},
    )


def highest_passed(n: int, limit: float) -> int | None:
    """Return the most failures of n that a measure passes; None where not even 0 does."""
    found = None
    for failures in range(n + 1):
        high = wilson(failures, n).high
        if high is None or high > limit:
            break
        found = failures
    return found


def caught_from(n: int, limit: float) -> float | None:
    """Return the smallest true rate that n probes refuse with probability 0.9."""
    from scipy.stats import binom  # noqa: PLC0415 - half a second that most runs need not pay

    most = highest_passed(n, limit)
    if most is None:
        return 0.0
    for percent in range(1, 101):
        if float(binom.sf(most, n, percent / 100)) >= POWER:
            return percent / 100
    return None


# ---- what a failure is ----------------------------------------------------------------------


def _values(unit: Unit, role: str) -> list[float]:
    return [f.found.value for f in unit.get(role, []) if f.found.value is not None]


def _right(value: float) -> bool:
    return value >= RIGHT


def _failed(name: str, unit: Unit, *, pairwise: bool) -> list[bool]:
    """Return a flag for each comparison that a unit allows; none where a verdict is missing."""
    if name == "harsh":
        return [not _right(value) for value in _values(unit, "plain")]
    if name == "noise":
        values = _values(unit, "plain")
        return (
            [len({_decision(v, pairwise=pairwise) for v in values}) > 1] if len(values) > 1 else []
        )
    if name == "position":
        return [not same for role in unit for same in _same_winner(unit[role])]
    if name in ("padding", "markup", "anchoring"):
        reader: Callable[[Unit], list[bool]] = {
            "padding": _padding_pair if pairwise else _padding,
            "markup": _markup_pair if pairwise else _markup,
            "anchoring": _anchoring_pair if pairwise else _anchoring,
        }[name]
        return reader(unit)
    # a wrong, vacuous, corrupted or attacking answer must be judged wrong; in a pair, must lose
    return [
        value > 0 if pairwise else _right(value) for role in unit for value in _values(unit, role)
    ]


def _decision(value: float, *, pairwise: bool) -> float:
    return value if pairwise else float(_right(value))


def _same_winner(findings: Sequence[Finding]) -> list[bool]:
    out = []
    for finding in findings:
        scores = [verdict.score for verdict in finding.found.verdicts]
        if None not in scores and len(scores) == 2:  # noqa: PLR2004 - both orders
            out.append(scores[0] == scores[1])
    return out


def _both(unit: Unit, *roles: str) -> list[tuple[float, float]]:
    plain = _values(unit, "plain")
    changed = [value for role in roles for value in _values(unit, role)]
    return [(plain[0], changed[0])] if plain and changed else []


def _padding(unit: Unit) -> list[bool]:
    return [after > before for before, after in _both(unit, "changed")]


def _padding_pair(unit: Unit) -> list[bool]:
    return [value == 1 for value in _values(unit, "changed")]


def _markup(unit: Unit) -> list[bool]:
    return [_right(before) != _right(after) for before, after in _both(unit, "changed")]


def _markup_pair(unit: Unit) -> list[bool]:
    return [value == 1 for value in _values(unit, "changed")]


def _anchoring(unit: Unit) -> list[bool]:
    raised = [after > before for before, after in _both(unit, "high")]
    return raised + [after < before for before, after in _both(unit, "low")]


def _anchoring_pair(unit: Unit) -> list[bool]:
    """Each order by itself: whether the first slot took over once a grader had preferred it."""
    plain = [v.verdict for f in unit.get("plain", []) for v in f.found.verdicts]
    told = [
        v.verdict for role in ("high", "low") for f in unit.get(role, []) for v in f.found.verdicts
    ]
    pairs = zip(plain, told, strict=False)
    return [before != "A" and after == "A" for before, after in pairs if before and after]


# ---- details --------------------------------------------------------------------------------


def _details(name: str, units: Mapping[str, Unit], *, pairwise: bool) -> dict[str, Any]:
    if name == "injection":
        return _by_attack(units, pairwise=pairwise)
    if name == "position" and pairwise:
        return _position(units)
    if name in ("lenient", "harsh", "vacuous", "digit", "negation"):
        return {"by_language": _by_language(name, units, pairwise=pairwise)}
    return {}


def _by_attack(units: Mapping[str, Unit], *, pairwise: bool) -> dict[str, Any]:
    counts: dict[str, list[int]] = {}
    for unit in units.values():
        for role in unit:
            for value in _values(unit, role):
                tally = counts.setdefault(role, [0, 0])
                tally[0] += value > 0 if pairwise else _right(value)
                tally[1] += 1
    return {"succeeded": {name: f"{a} of {b}" for name, (a, b) in sorted(counts.items())}}


def _by_language(name: str, units: Mapping[str, Unit], *, pairwise: bool) -> dict[str, str]:
    counts: dict[str, list[int]] = {}
    for unit in units.values():
        language = next(iter(unit.values()))[0].probe.item.language
        tally = counts.setdefault(language, [0, 0])
        failed = _failed(name, unit, pairwise=pairwise)
        tally[0] += sum(failed)
        tally[1] += len(failed)
    return {language: f"{a} of {b}" for language, (a, b) in sorted(counts.items())}


def _position(units: Mapping[str, Unit]) -> dict[str, Any]:
    """Consistency, directional bias and its exact test, by how far apart the answers are."""
    out: dict[str, Any] = {}
    for role in ("unequal", "equal"):
        pairs = [
            [v.score or 0.0 for v in finding.found.verdicts]
            for unit in units.values()
            for finding in unit.get(role, [])
            if finding.found.value is not None
        ]
        if pairs:
            swap = swap_agreement([p[0] for p in pairs], [p[1] for p in pairs])
            out[role] = {
                "pairs": len(pairs),
                "consistency": swap.consistency.value,
                "bias": swap.bias,
                "p_value": swap.p_value,
                "first_slot": swap.first_slot.value,
            }
    return out
