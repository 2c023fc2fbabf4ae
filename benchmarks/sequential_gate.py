"""What stopping early saves and costs, by simulation; `naive_gates.py` shows what peeking costs.

Run `python -m benchmarks.sequential_gate [--repeats R]`; the kept result is
`results/sequential_gate.md`. Items are independent; on a discordant item the candidate gains or
loses a point. Standard error of a rate at R repeats: √(p(1-p)/R), 0.5 points at 5 % and R = 2,000.
"""

from __future__ import annotations

import argparse
import math
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binom

from harness import pipeline
from harness.gate.policy import Policy
from harness.gate.records import WORDS
from harness.gating import Sequential, gate_sequentially
from harness.records import Execution, ModelSpec, RunSpec
from harness.stats.eprocess import gains, log_evidence
from harness.stats.paired import Discordance, tango
from harness.stats.sequential import group_sequential_bounds, obrien_fleming_spending

ALPHA = 0.05
SEED = 20_260_103
LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)
BATCH = 250
"""Repeats simulated at once; bounds memory."""


class Case(NamedTuple):
    """One row of a table."""

    n: int
    discordance: float
    drop: float
    margin: float


class Outcome(NamedTuple):
    """What a gate said in each repeat."""

    regressed: np.ndarray
    passed: np.ndarray
    items: np.ndarray


def differences(rng: np.random.Generator, case: Case, repeats: int) -> np.ndarray:
    """Return repeats × n differences of -1, 0 and 1."""
    losses = (case.discordance + case.drop) / 2
    gained = case.discordance - losses
    draw = rng.random((repeats, case.n))
    return (draw < gained).astype(np.float64) - (draw > 1 - losses)


def first_crossing(path: np.ndarray, bar: float) -> np.ndarray:
    """Return the item (from 1) at which each row first reaches the bar; n + 1 for never."""
    above = path >= bar
    return np.where(above.any(axis=1), above.argmax(axis=1) + 1, path.shape[1] + 1)


def fixed(change: np.ndarray, margin: float, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return regressed and passed of the fixed-n tests: exact McNemar, and Tango's low end."""
    gained, lost = (change > 0).sum(axis=1), (change < 0).sum(axis=1)
    regressed = binom.cdf(gained, gained + lost, 0.5) <= alpha
    lows: dict[tuple[int, int], bool] = {}
    for pair in {*zip(gained.tolist(), lost.tolist(), strict=True)}:
        found = tango(Discordance(*pair, change.shape[1]), 1 - 2 * alpha)
        lows[pair] = found.low is not None and found.low > -margin
    passed = [lows[pair] for pair in zip(gained.tolist(), lost.tolist(), strict=True)]
    return regressed, np.array(passed)


def fixed_gate(change: np.ndarray, margin: float) -> Outcome:
    """All items, each test at alpha; a certain drop within the margin passes."""
    regressed, passed = fixed(change, margin, ALPHA)
    return Outcome(regressed & ~passed, passed, np.full(len(change), change.shape[1]))


def hybrid_gate(change: np.ndarray, margin: float) -> Outcome:
    """E-processes at alpha/2 at every item, the fixed-n tests at alpha/2 at the end.

    As `harness.gate.sequential`, item by item; here for many repeats at once.
    """
    n, bar = change.shape[1], math.log(2 / ALPHA)
    worse = first_crossing(log_evidence(gains(change, 0.0, "below")), bar)
    fine = first_crossing(log_evidence(gains(change, -margin, "above")), bar)
    stop = np.minimum(worse, fine)
    open_ = stop > n
    regressed_end, passed_end = fixed(change, margin, ALPHA / 2)
    regressed = np.where(open_, regressed_end, worse < fine)
    passed = np.where(open_, passed_end & ~regressed_end, fine <= worse)
    return Outcome(regressed.astype(bool), passed.astype(bool), np.minimum(stop, n))


def pure_gate(change: np.ndarray, margin: float) -> Outcome:
    """E-processes alone, at alpha each."""
    n, bar = change.shape[1], math.log(1 / ALPHA)
    worse = first_crossing(log_evidence(gains(change, 0.0, "below")), bar)
    fine = first_crossing(log_evidence(gains(change, -margin, "above")), bar)
    stop = np.minimum(worse, fine)
    return Outcome((worse < fine), (fine <= worse) & (stop <= n), np.minimum(stop, n))


def obrien_fleming_gate(change: np.ndarray, margin: float) -> Outcome:
    """Five looks, z tests of both questions; no variance is taken for less than 1/look."""
    n = change.shape[1]
    bounds = group_sequential_bounds(LOOKS, obrien_fleming_spending(ALPHA))
    regressed = np.zeros(len(change), dtype=bool)
    passed, items = regressed.copy(), np.full(len(change), n)
    for share, bound in zip(LOOKS, bounds, strict=True):
        seen = round(share * n)
        mean = change[:, :seen].mean(axis=1)
        spread = np.maximum(change[:, :seen].var(axis=1, ddof=1), 1 / seen)
        z = mean / np.sqrt(spread / seen)
        shifted = (mean + margin) / np.sqrt(spread / seen)
        going = ~(regressed | passed)
        passed |= going & (shifted >= bound)
        regressed |= going & ~passed & (z <= -bound)
        items = np.where(going, seen, items)
    return Outcome(regressed, passed, items)


GATES = {
    "hybrid": hybrid_gate,
    "fixed n": fixed_gate,
    "e-process alone": pure_gate,
    "OBF, 5 looks": obrien_fleming_gate,
}


def simulate(case: Case, repeats: int, gates: Sequence[str] = tuple(GATES)) -> dict[str, Outcome]:
    """Return what each gate said in every repeat, all on the same data."""
    rng = np.random.default_rng([SEED, *(round(1000 * value) for value in case)])
    parts: dict[str, list[Outcome]] = {name: [] for name in gates}
    for begin in range(0, repeats, BATCH):
        change = differences(rng, case, min(BATCH, repeats - begin))
        for name in gates:
            parts[name].append(GATES[name](change, case.margin))
    return {
        name: Outcome(*(np.concatenate(column) for column in zip(*found, strict=True)))
        for name, found in parts.items()
    }


def alone(case: Case, repeats: int) -> float:
    """Return how often the exact test of all items says "worse" at alpha."""
    losses = (case.discordance + case.drop) / 2
    rng = np.random.default_rng([SEED, 1])
    counts = rng.multinomial(case.n, [losses, case.discordance - losses, 1 - case.discordance],
                             size=20 * repeats)  # fmt: skip
    gained, lost = counts[:, 1], counts[:, 0]
    return float((binom.cdf(gained, gained + lost, 0.5) <= ALPHA).mean())


def cases(margin: float) -> Iterator[Case]:
    """Yield the rows of the main table."""
    for n in (200, 400, 1000):
        for drop in (0.0, 0.05, 0.1):
            for discordance in (0.0, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25):
                if discordance >= drop:
                    yield Case(n, discordance, drop, margin)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown section with one table."""
    lines = [f"## {title}", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def percent(values: np.ndarray | float) -> str:
    """Return a mean as per cent."""
    return f"{100 * float(np.mean(values)):.1f}"


def gate_table(margin: float, repeats: int) -> str:
    """The hybrid beside the fixed-n gate."""
    rows = []
    for case in cases(margin):
        found = simulate(case, repeats, ("hybrid", "fixed n"))
        hybrid, whole = found["hybrid"], found["fixed n"]
        rows.append(
            [
                f"{case.n:,}",
                f"{100 * case.drop:.0f}",
                f"{100 * case.discordance:.0f} %",
                percent(hybrid.regressed),
                percent(hybrid.passed),
                percent(~hybrid.regressed & ~hybrid.passed),
                f"{hybrid.items.mean():,.0f}",
                f"**{percent(hybrid.items / case.n)}**",
                percent(alone(case, repeats)),
                percent(whole.passed),
            ]
        )
    header = ("N", "drop, points", "discordance", "regressed %", "passed %", "open %")
    more = ("mean items", "of N %", "fixed n: McNemar ≤ α %", "fixed n: passed %")
    title = f"Sequential gate against all items (margin {100 * margin:.0f} points)"
    return table(title, (*header, *more), rows)


def peers_table(repeats: int) -> str:
    """Mean items of the e-process and of O'Brien-Fleming, N = 1,000."""
    rows = []
    for margin in (0.05, 0.03):
        for discordance, drop in ((0.0, 0.0), (0.02, 0.0), (0.05, 0.0), (0.1, 0.0), (0.2, 0.0),
                                  (0.15, 0.03), (0.15, 0.05), (0.1, 2 * margin)):  # fmt: skip
            found = simulate(Case(1000, discordance, drop, margin), repeats)
            row = [f"{100 * margin:.0f}", f"{100 * discordance:.0f} %", f"-{100 * drop:.0f}"]
            for name in ("e-process alone", "hybrid", "OBF, 5 looks", "fixed n"):
                one = found[name]
                decided = percent(one.regressed | one.passed)
                row.append(f"{one.items.mean():,.0f} ({decided} %)")
            rows.append(row)
    header = (
        "margin",
        "discordance",
        "truth",
        "e-process at α",
        "hybrid",
        "OBF, 5 looks",
        "fixed n",
    )
    return table("Mean items, and how often a verdict came (N = 1,000)", header, rows)


def embedded_table() -> str:
    """The gate itself, item by item, on models that ship with the harness."""
    rows = []
    with tempfile.TemporaryDirectory() as out:
        execution = Execution(out=out)
        plan = RunSpec(tasks=("arithmetic/addition",), model=ModelSpec("embedded", "mini"))
        baseline = pipeline.run(plan, execution).directory
        for name in ("mini", "micro", "nano"):
            asked = Sequential(
                model=ModelSpec("embedded", name),
                baseline=baseline,
                policy=Policy(margin=0.05),
                execution=Execution(out=out, fresh=True),
            )
            task = gate_sequentially(asked).report.tasks[0]
            change = f"{100 * (task.difference or 0):+.1f} (+{task.gained} -{task.lost})"
            rows.append([f"embedded/{name}", WORDS[task.verdict], task.reason, task.n, change])
    header = ("candidate", "verdict", "settled", "pairs, with those in flight", "Δ points")
    return table("Against embedded/mini on arithmetic/addition, margin 5 points", header, rows)


READING = """\
The gate is `harness gate --sequential`: two e-processes at α/2 look at every item, and the tests of
all items (exact McNemar, Tango's interval) decide at the other α/2 where those have not.

- An unchanged model (drop 0) is called regressed in fewer than 5 % of runs, in every row.
- A model as bad as the margin (drop 5) passes in fewer than 5 % of runs, in every row.
- At N = 1,000 and discordance up to 10 % at most 36 % of the items are used. For N = 200, for
  discordance from 20 % on, or for margins of 3 points and less, little is saved and power is lost:
  run all items there. O'Brien-Fleming looks keep more power near the margin, save less elsewhere.
"""


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    started = time.perf_counter()
    parts = [gate_table(0.05, repeats), peers_table(repeats)]
    parts.append(embedded_table())
    print("# The sequential gate, simulated\n")
    print(READING)
    print(f"{repeats:,} repeats, one-sided α = {ALPHA}, seed {SEED}; Python ", end="")
    print(f"{platform.python_version()}, {time.perf_counter() - started:.0f} s.\n")
    print("\n".join(parts))


if __name__ == "__main__":
    main()
