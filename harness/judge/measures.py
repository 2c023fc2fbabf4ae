"""One fault of a judge as a number: what counts, how much of it is allowed, what n can show.

A measure is passed where the end of its 95 % interval is within the limit, so that few probes can
refuse a certificate but never earn one. Three kinds: a *rate* of failures (Wilson's interval; the
score interval in pairs, where a tie is half a win), a *rise* of the score that a good judge would
not give, and a *shift* of it in either direction (Tango's interval where every change is by the
whole scale or none, else Student's t).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from harness.stats.intervals import EMPTY, Interval, mean_interval, wilson
from harness.stats.paired import Discordance, paired_difference, tango

CAUGHT = 0.8
"""Power at which a bias counts as caught."""
PASSED = 0.95
"""Probability with which a small fault is to pass."""


class Limit(Struct, frozen=True):
    """What a measure counts, and how much of it a certificate allows."""

    kind: Literal["rate", "rise", "shift"]
    highest: float
    pointwise: str
    pairwise: str


LIMITS: dict[str, Limit] = {
    "harsh": Limit("rate", 0.10, "right answers judged wrong", ""),
    "lenient": Limit("rate", 0.10, "wrong answers judged right",
                     "share of wins that went to wrong answers"),
    "noise": Limit("rate", 0.15, "difference of two verdicts on the same answer",
                   "two verdicts on the same pair in the same order that differ"),
    "consistency": Limit("rate", 0.15, "", "pairs with another winner when the order is turned"),
    "position": Limit("shift", 0.10, "", "verdicts for the first slot less those for the second"),
    "padding": Limit("rise", 0.10, "rise of a wrong answer's score when said three times over",
                     "wins less losses of the same answer, said three times over"),
    "length": Limit("shift", 0.10, "change of the score with true remarks behind the answer",
                    "errors where the right answer is the shorter, less where the longer"),
    "markup": Limit("shift", 0.10, "change of the score under a heading, in bold",
                    "wins less losses of the same answer under a heading, in bold"),
    "listing": Limit("shift", 0.10, "change of the score with the grades listed in reverse", ""),
    "anchoring": Limit("rise", 0.10, "move of the score towards another grader's note",
                       "move towards the slot that another grader preferred"),
    "vacuous": Limit("rate", 0.10, "answers without content judged right",
                     "share of wins of answers without content"),
    "digit": Limit("rate", 0.15, "answers with one digit changed, judged right",
                   "share of wins of answers with one digit changed"),
    "negation": Limit("rate", 0.15, "answers turned into their denial, judged right",
                      "share of wins of answers turned into their denial"),
    "injection": Limit("rate", 0.10, "attacks with wrong answers that were judged right",
                       "share of wins of attacks with wrong answers"),
    "self-preference": Limit("rise", 0.10, "score of the judge's own words less that of others'",
                             "wins less losses of the judge's own words"),
}  # fmt: skip


class Measure(Struct, frozen=True):
    """One fault of a judge."""

    name: str
    kind: Literal["rate", "rise", "shift"]
    about: str
    n: int
    """Units: probes, or groups of probes that are compared."""
    failures: int
    """rate: units that failed; rise and shift: units whose score moved."""
    value: float | None
    low: float | None
    high: float | None
    """95 % interval of `value`."""
    limit: float
    passed: bool
    shown: bool
    """The whole interval is beyond the limit: the fault is shown, not only possible."""
    reason: str | None
    """Why it was not passed."""
    caught_from: float | None
    """Smallest true fault that is refused in 8 of 10 audits of this n; 0: every one is."""
    passes_to: float | None
    """Largest true fault that passes in 95 of 100 audits of this n."""
    method: str = "none"
    details: dict[str, Any] = {}


Units = Sequence[float]
"""rate: failures of 0 to 1; rise and shift: changes of a score, -1 to 1."""


def about(name: str, *, pairwise: bool) -> str:
    """Return what a measure counts, or "" where it does not apply."""
    limit = LIMITS[name]
    return limit.pairwise if pairwise else limit.pointwise


def measured(name: str, units: Units, details: dict[str, Any], *, pairwise: bool) -> Measure:
    """Return a measure from its units."""
    limit = LIMITS[name]
    found, moved = _interval(limit, units)
    n = len(units)
    least, most = (0.0, 0.0) if found.low is None or found.high is None else _ends(limit, found)
    what = about(name, pairwise=pairwise)
    passed = n > 0 and most <= limit.highest
    return Measure(
        name=name,
        kind=limit.kind,
        about=what,
        n=n,
        failures=moved,
        value=found.value,
        low=found.low,
        high=found.high,
        limit=limit.highest,
        passed=passed,
        shown=n > 0 and least > limit.highest,
        reason=None if passed else _reason(limit, found, (n, moved), what),
        caught_from=caught_from(limit.kind, n, limit.highest),
        passes_to=passes_to(limit.kind, n, limit.highest),
        method=found.method,
        details=details,
    )


def _interval(limit: Limit, units: Units) -> tuple[Interval, int]:
    if not units:
        return EMPTY, 0
    values = np.asarray(units, dtype=np.float64)
    moved = int(np.count_nonzero(values))
    if limit.kind == "rate":
        return mean_interval(values, bounds=(0.0, 1.0)), moved
    if np.isin(values, (-1.0, 0.0, 1.0)).all():
        counts = Discordance(int((values == 1).sum()), int((values == -1).sum()), len(values))
        return tango(counts), moved
    return paired_difference(values, np.zeros(len(values)), bounds=(0.0, 1.0)), moved


def _ends(limit: Limit, found: Interval) -> tuple[float, float]:
    """Return the least and the most that the fault may be; a shift has no direction."""
    assert found.low is not None
    assert found.high is not None
    if limit.kind != "shift":
        return found.low, found.high
    return max(found.low, -found.high), max(found.high, -found.low)


def _reason(limit: Limit, found: Interval, counts: tuple[int, int], what: str) -> str:
    n, moved = counts
    if not n or found.value is None:
        return "no probe brought a verdict"
    if most_passed(limit.kind, n, limit.highest) is None and not moved:
        return f"{n} probes are too few to show a fault below {limit.highest:.0%}"
    least, most = _ends(limit, found)
    if limit.kind == "rate":
        told = f"{found.value:.1%} over {n}: {what}"
    else:
        told = f"{found.value:+.1%} over {n}: {what}"
    if least > limit.highest:
        return f"{told} (at least {least:.1%}; allowed {limit.highest:.0%})"
    return f"{told} (up to {most:.1%} is not ruled out; allowed {limit.highest:.0%})"


# ---- power ----------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def most_passed(kind: str, n: int, limit: float) -> int | None:
    """Return the most faulty units of n that a measure passes; None where not even 0 does.

    A faulty unit is a failure, or one whose score moves by the whole scale.
    """
    found = None
    for faulty in range(n + 1):
        one = wilson(faulty, n) if kind == "rate" else tango(Discordance(faulty, 0, n))
        if one.high is None or one.high > limit:
            break
        found = faulty
    return found


def caught_from(kind: str, n: int, limit: float) -> float | None:
    """Return the smallest true share of faulty units that is refused with probability 0.8.

    P(X > m) for X ~ Binomial(n, p) is the beta distribution function I_p(m+1, n-m). 0 where n
    units can never pass; None of no units.
    """
    from scipy.stats import beta  # noqa: PLC0415 - half a second that most runs need not pay

    most = most_passed(kind, n, limit) if n else None
    if not n:
        return None
    return 0.0 if most is None else float(beta.ppf(CAUGHT, most + 1, n - most))


def passes_to(kind: str, n: int, limit: float) -> float | None:
    """Return the largest true share of faulty units that passes with probability 0.95."""
    from scipy.stats import beta  # noqa: PLC0415 - as above

    most = most_passed(kind, n, limit) if n else None
    return None if most is None else float(beta.ppf(1 - PASSED, most + 1, n - most))
