"""What a baseline's known scores add where only a part of the items is run: by simulation.

Run `python -m benchmarks.control_variates [--repeats R]`; the kept result is
`results/control_variates.md`. The estimate is that of `harness gate` on a run with `--limit`
(`harness.stats.control_variate`).
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.sequential_gate import table
from harness import pipeline
from harness.gating import load_scores
from harness.records import Execution, ModelSpec, RunSpec
from harness.stats.control_variate import subset_mean
from harness.stats.intervals import t_interval

SEED = 20_260_105
TASKS = ("arithmetic/addition", "arithmetic/subtraction", "arithmetic/multiplication")


class Told(NamedTuple):
    """What many random parts of one set of items gave, in points."""

    bias: float
    bias_error: float
    """Standard error of the bias."""
    error: float
    """Mean absolute error."""
    plain_error: float
    """Mean absolute error of the mean of the part alone."""
    covered: float
    """Share of 95 % intervals that hold the mean of all items."""
    plain_covered: float
    width: float
    plain_width: float
    gain: float
    """Variance of the plain mean over that of the estimate: as if so many times more were run."""
    claimed: float
    """What the estimate itself says of that, in the median."""


def many(scores: np.ndarray, control: np.ndarray, n: int, repeats: int) -> Told:
    """Draw parts of n items and estimate the mean of all from each."""
    rng = np.random.default_rng([SEED, n, len(scores)])
    truth, rows = float(scores.mean()), []
    for _ in range(repeats):
        order = rng.permutation(len(scores))
        part, rest = order[:n], order[n:]
        found = subset_mean(scores[part], control[part], control[rest])
        assert found is not None
        plain = t_interval(scores[part])
        ends = (plain.low or 0.0, plain.high or 0.0)
        rows.append(
            (
                found.value - truth, found.plain - truth, found.low <= truth <= found.high,
                ends[0] <= truth <= ends[1], found.high - found.low, ends[1] - ends[0], found.gain,
            )
        )  # fmt: skip
    off, plain_off, held, plain_held, width, plain_width, claimed = np.array(rows, dtype=float).T
    return Told(
        bias=100 * off.mean(),
        bias_error=100 * off.std(ddof=1) / np.sqrt(repeats),
        error=100 * np.abs(off).mean(),
        plain_error=100 * np.abs(plain_off).mean(),
        covered=held.mean(),
        plain_covered=plain_held.mean(),
        width=100 * width.mean(),
        plain_width=100 * plain_width.mean(),
        gain=plain_off.var() / off.var() if off.var() else float("inf"),
        claimed=float(np.median(claimed)),
    )


def correlated(total: int, share: float, base: float, agreement: float) -> tuple[Any, Any]:
    """Return 0/1 scores of two models: agreement 0 independent, 1 as alike as their means allow."""
    rng = np.random.default_rng([SEED, total, round(100 * agreement)])
    common, own = rng.random(total), rng.random((2, total))
    mixed = rng.random(total) < agreement
    now = np.where(mixed, common, own[0]) < share
    then = np.where(mixed, common, own[1]) < base
    return now.astype(float), then.astype(float)


HEADER = (
    "items", "part", "correlation", "bias, points", "mean error", "mean error, plain",
    "95 % covers", "covers, plain", "width", "width, plain", "gain", "gain it claims",
)  # fmt: skip


def row(name: str, scores: np.ndarray, control: np.ndarray, n: int, repeats: int) -> list[str]:
    """Return one line of a table."""
    told = many(scores, control, n, repeats)
    return [
        name, f"{n:,} of {len(scores):,}", f"{np.corrcoef(scores, control)[0, 1]:.2f}",
        f"{told.bias:+.2f} ± {told.bias_error:.2f}", f"{told.error:.2f}",
        f"{told.plain_error:.2f}", f"{told.covered:.3f}", f"{told.plain_covered:.3f}",
        f"{told.width:.1f}", f"{told.plain_width:.1f}", f"**{told.gain:.2f}**",
        f"{told.claimed:.2f}",
    ]  # fmt: skip


def simulated(repeats: int) -> str:
    """Scores made with a known agreement."""
    rows = []
    for agreement in (0.0, 0.5, 0.7, 0.9):
        now, then = correlated(1136, 0.72, 0.75, agreement)
        rows += [row("made", now, then, n, repeats) for n in (50, 100, 400)]
    return table("Made scores: a candidate of 72 %, a baseline of 75 %", HEADER, rows)


def embedded(repeats: int) -> str:
    """Parts of the items that two embedded models answered in whole."""
    rows = []
    with tempfile.TemporaryDirectory() as out:
        found = {}
        for name in ("mini", "micro"):
            spec = RunSpec(tasks=TASKS, model=ModelSpec("embedded", name))
            found[name] = load_scores(pipeline.run(spec, Execution(out=out)).directory).columns
        for task in TASKS:
            sides = []
            for columns in found.values():
                here = columns.task == task
                order = np.argsort(columns.sample_id[here].astype(str))
                sides.append(columns.values["exact_match"][here][order])
            then, now = sides
            rows += [row(task, now, then, n, repeats) for n in (50, 100, 200)]
    return table("embedded/micro on a part, embedded/mini on all items", HEADER, rows)


READING = """\
Each line draws many random parts of the items and estimates the mean of all: plainly, and with the
scores that a baseline has on every item (`harness gate` on a run with `--limit`).

- The bias is 0 within its error, whatever the correlation: exactly so by construction.
- The gain is about 1/(1-ρ²): 1 and no loss worth the name where the scores have nothing in common.
- The intervals hold what they say; they also know that the items are a part of a known whole.
"""


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    started = time.perf_counter()
    parts = [simulated(repeats), embedded(repeats)]
    print("# Control variates, simulated\n")
    print(READING)
    print(f"{repeats:,} repeats, seed {SEED}; Python {platform.python_version()}, ", end="")
    print(f"{time.perf_counter() - started:.0f} s.\n")
    print("\n".join(parts))


if __name__ == "__main__":
    main()
