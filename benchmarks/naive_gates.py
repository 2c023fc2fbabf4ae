"""What gates say of an unchanged model that look at a drop alone, or look too often: by simulation.

Run `python -m benchmarks.naive_gates [--repeats R]`; the kept result is `results/naive_gates.md`.
Standard error of a rate at R repeats: √(p(1-p)/R), 0.7 points at 50 % and R = 5,000.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np
from scipy.stats import binom

from benchmarks.sequential_gate import BATCH, fixed, percent, table

ALPHA, Z = 0.05, 1.644854
SEED = 20_260_104
STOCHASTIC, RIGHT = 0.25, 0.665
"""Shares of items that are answered by chance, each with a chance of its own drawn from 0…1, and
that are always right. The accuracy is 79 %, and 8.3 % of the items differ between two runs."""
LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)
FROM = 30
"""Items before the first of many looks: fewer have no spread to speak of."""


def changes(rng: np.random.Generator, n: int, repeats: int, drop: float = 0.0) -> np.ndarray:
    """Return repeats × n differences of two runs of one model, or of a model that lost `drop`."""
    kind, chance = rng.random((repeats, n)), rng.random((repeats, n))
    stochastic = kind < STOCHASTIC
    right = ~stochastic & (kind < STOCHASTIC + RIGHT)
    before = np.where(stochastic, rng.random((repeats, n)) < chance, right)
    now = np.where(stochastic, rng.random((repeats, n)) < chance, right)
    now &= ~(right & (rng.random((repeats, n)) < drop / RIGHT))
    return now.astype(np.float64) - before


def point_gates(repeats: int) -> str:
    """False alarms by the size of a drop, and of the exact test; the test's power."""
    rows = []
    for n in (50, 200, 500, 1000):
        rng = np.random.default_rng([SEED, n])
        found: list[list[np.ndarray]] = [[] for _ in range(4)]
        for begin in range(0, repeats, BATCH):
            size = min(BATCH, repeats - begin)
            same, worse = changes(rng, n, size), changes(rng, n, size, 0.05)
            drop = same.mean(axis=1)
            parts = (drop < 0, drop < -0.02 - 1e-9, alarm(same), alarm(worse))
            for column, part in zip(found, parts, strict=True):
                column.append(part)
        rows.append([f"{n:,}", *(percent(np.concatenate(column)) for column in found)])
    header = ("n", "any drop %", "more than 2 points %", "exact one-sided McNemar .05 %",
              "its power at -5 points %")  # fmt: skip
    return table("False alarms of an unchanged model", header, rows)


def alarm(change: np.ndarray) -> np.ndarray:
    """Return where the exact one-sided test says "worse"."""
    gained, lost = (change > 0).sum(axis=1), (change < 0).sum(axis=1)
    return np.asarray(binom.cdf(gained, gained + lost, 0.5) <= ALPHA)


def peeking(repeats: int) -> str:
    """False alarms of a z test at .05 that is looked at more than once."""
    rows = []
    for n in (200, 500, 1000):
        rng = np.random.default_rng([SEED, 1, n])
        once, five, every = [], [], []
        for begin in range(0, repeats, BATCH):
            z = scores(changes(rng, n, min(BATCH, repeats - begin)))
            looks = [round(share * n) - 1 for share in LOOKS]
            once.append(z[:, -1] <= -Z)
            five.append((z[:, looks] <= -Z).any(axis=1))
            every.append((z[:, FROM - 1 :] <= -Z).any(axis=1))
        rows.append([f"{n:,}", *(percent(np.concatenate(x)) for x in (once, five, every))])
    header = ("n", "one look %", "five looks %", f"after every item from {FROM} on %")
    return table("False alarms of a test that is looked at too often", header, rows)


def scores(change: np.ndarray) -> np.ndarray:
    """Return the paired z after each item; 0 while nothing differs."""
    count = np.arange(1, change.shape[1] + 1)
    total, squares = change.cumsum(axis=1), (change**2).cumsum(axis=1)
    variance = (squares - total**2 / count) / np.maximum(count - 1, 1)
    return np.where(variance > 0, total / np.sqrt(np.maximum(variance, 1e-12) * count), 0.0)


def gated(repeats: int) -> str:
    """The gate of the harness on the same models: margin 2 points."""
    rows = []
    for n in (50, 200, 500, 1000):
        rng = np.random.default_rng([SEED, 2, n])
        same, worse = changes(rng, n, repeats // 5), changes(rng, n, repeats // 5, 0.05)
        cells = []
        for change in (same, worse):
            regressed, passed = fixed(change, 0.02, ALPHA)
            said = (regressed & ~passed, passed, ~regressed & ~passed)
            cells += [percent(column) for column in said]
        rows.append([f"{n:,}", *cells])
    header = ("n", "unchanged: regressed %", "not worse %", "inconclusive %",
              "5 points lost: regressed %", "not worse %", "inconclusive %")  # fmt: skip
    return table("What `harness gate` says of the same models (margin 2 points)", header, rows)


READING = """\
A model of 79 % accuracy, a quarter of whose items are answered by chance: two runs of it differ on
8.3 % of the items.

- "The score dropped" is true of an unchanged model in 40 to 48 % of runs, whatever n.
- "It dropped by more than two points" depends on n alone: 22 % of runs at 50 samples, 13 % at 200.
- A test at 5 % that is looked at five times is wrong in 12 to 14 % of runs, after every item in 21
  to 31 %.
- The gate says "inconclusive" where the samples do not tell.
"""


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5000)
    repeats = parser.parse_args().repeats
    started = time.perf_counter()
    parts = [point_gates(repeats), peeking(repeats), gated(repeats)]
    print("# Naive gates, simulated\n")
    print(READING)
    print(f"{repeats:,} repeats (a fifth for the last table), seed {SEED}; Python ", end="")
    print(f"{platform.python_version()}, {time.perf_counter() - started:.0f} s.\n")
    print("\n".join(parts))


if __name__ == "__main__":
    main()
