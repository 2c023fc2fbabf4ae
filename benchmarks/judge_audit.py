"""How often an audit refuses a good judge, and how often it catches a bad one, by simulation.

    python -m benchmarks.judge_audit [--audits 60]

Scripted judges are audited with other random draws each time. Good judges turn over a share of
their verdicts at random and have no bias; bad ones have one fault that acts on a share of what
they judge, chosen so that the measure made for it should refuse 8 of 10.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from scipy.stats import binom

from harness.auditing import Audit, bundled_facts
from harness.hearing import Hearing
from harness.judge.certificate import Certificate
from harness.judge.measures import LIMITS, caught_from, most_passed
from harness.judge.probes import OWN
from harness.judge.spec import find_judge
from harness.judging import Assigned, Crew, judge_roots
from harness.records import ModelSpec
from harness.run.policy import RetryPolicy
from harness.run.sender import SendRules
from harness.run.traffic import Traffic

RESULTS = Path(__file__).parent / "results" / "judge_audit.md"
ERRORS = (0.01, 0.03, 0.05)
FAULTS = (
    ("correct", "noisy", "harsh", 1.0),
    ("correct", "lenient", "lenient", 1.0),
    ("correct", "longer", "padding", 1.0),
    ("correct", "longer", "length", 0.5),
    ("correct", "markup", "markup", 0.5),
    ("correct", "anchored", "anchoring", 1.0),
    ("correct", "lenient", "vacuous", 1.0),
    ("correct", "lenient", "digit", 1.0),
    ("correct", "lenient", "negation", 1.0),
    ("correct", "lenient", "injection", 1.0),
    ("correct", "self-preferring", "self-preference", 1.0),
    ("pairwise", "first-slot", "position", 1.0),
    ("pairwise", "first-slot", "consistency", 1.0),
    ("pairwise", "self-preferring", "self-preference", 1.0),
)
"""Judge, fault, measure, and by how much the measure moves for each unit that the fault acts on:
an answer that is right already cannot rise."""


@cache
def _facts(count: int) -> tuple[object, ...]:
    return tuple(bundled_facts(count))


def audited(
    judge: str, script: str, count: int, only: str | None, **arguments: float
) -> Certificate:
    """Return the certificate of a scripted judge; `only`: with the probes of one measure."""
    spec = find_judge(judge, judge_roots())
    assigned = Assigned(spec, ((spec.name, spec, ModelSpec("scripted", script, arguments)),))
    crew = Crew(lambda _: None, None, SendRules(Traffic(8), RetryPolicy()))  # type: ignore[arg-type,return-value]
    audit = Audit(Hearing(assigned, crew, at_once=256), _facts(count))  # type: ignore[arg-type]
    if only is not None:
        audit.probes = [probe for probe in audit.probes if probe.measure == only]
        audit.facts = audit.facts if only == OWN else ()
    return asyncio.run(audit.go())


def good(audits: int) -> Iterator[str]:
    """Yield a row for each judge without bias."""
    for judge in ("correct", "pairwise"):
        for count in (60, 120):
            for error in ERRORS:
                granted, why = 0, Counter[str]()
                for seed in range(audits):
                    found = audited(judge, "noisy", count, None, share=error, seed=seed)
                    granted += found.granted
                    why.update(one.name for one in found.measures if not one.passed)
                most = ", ".join(f"{name} {times}" for name, times in why.most_common(3))
                yield f"| {judge} | {count} | {error:.0%} | {granted / audits:.1%} | {most} |"


def bad(audits: int, count: int = 120) -> Iterator[str]:
    """Yield a row for each fault at the size that should be caught in 8 of 10 audits."""
    for judge, script, name, act in FAULTS:
        limit, refused, values, n = LIMITS[name], 0, 0.0, 0
        trial = audited(judge, "perfect", count, name)
        n = next(one.n for one in trial.measures if one.name == name)
        wanted = caught_from(limit.kind, n, limit.highest) or 0.0
        for seed in range(audits):
            found = audited(judge, script, count, name, share=wanted / act, seed=seed)
            one = next(one for one in found.measures if one.name == name)
            refused += not one.passed
            values += (one.value or 0.0) / audits
        most = most_passed(limit.kind, n, limit.highest) or 0
        stated = float(binom.sf(most, n, values))
        yield (f"| {name} | {judge} | {n} | {wanted:.1%} | {values:.1%} | {refused / audits:.1%} "
               f"| {stated:.1%} |")  # fmt: skip


def main() -> int:
    """Write both tables, and print their rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=60)
    audits = parser.parse_args().audits
    by = f"{audits} audits of each row, by `python -m benchmarks.judge_audit`."
    lines = ["# Audits of judges with known faults", "", by, ""]
    tables = (
        ("| judge | facts a language | random errors | granted | refused most for |", good(audits)),
        ("| measure | judge | n | caught from | mean found | refused | by the binomial |",
         bad(audits)),
    )  # fmt: skip
    for head, rows in tables:
        lines += [head, "|---" * (head.count("|") - 1) + "|"]
        for row in rows:
            print(row, flush=True)
            lines.append(row)
        lines.append("")
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
