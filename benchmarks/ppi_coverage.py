"""Coverage of corrected scores over the whole range of p: benchmarks/results/ppi_coverage.md.

    python -m benchmarks.ppi_coverage [--quick]

For each number of labels and each judge: mean and least coverage over p in .02 … .98 at nominal
95 %, the mean width, and the width of Wilson's interval on the labels alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from harness.stats.intervals import wilson
from harness.stats.ppi import Corrected, Judgements, ppi_mean, rogan_gladen

SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
JUDGES = ((0.7, 0.85), (0.9, 0.9), (0.99, 0.97))
"""Sensitivity and specificity."""
LABELS = (50, 100, 200, 400)
UNLABELLED = 2000
RESULTS = Path(__file__).parent / "results" / "ppi_coverage.md"
PAIRED = 0.05
"""True difference of the two systems in the paired simulation."""


def drawn(n: int, p: float, judge: tuple[float, float], rng: np.random.Generator) -> Judgements:
    """Return n labelled and `UNLABELLED` other rows of a judge with known errors."""
    total = n + UNLABELLED
    truth = (rng.random(total) < p).astype(float)
    right = rng.random(total) < np.where(truth == 1, *judge)
    said = np.where(right, truth, 1 - truth)
    return Judgements(truth[:n], said[:n], said[n:])


def difference(
    n: int, p: float, judge: tuple[float, float], rng: np.random.Generator
) -> Judgements:
    """Return paired differences of two systems that share their items."""
    total = n + UNLABELLED
    hard = rng.random(total)
    sides = []
    for share in (p, max(p - PAIRED, 0.0)):
        truth = (hard * 0.5 + rng.random(total) * 0.5 < _cut(share)).astype(float)
        right = rng.random(total) < np.where(truth == 1, *judge)
        sides.append((truth, np.where(right, truth, 1 - truth)))
    gap, said = sides[0][0] - sides[1][0], sides[0][1] - sides[1][1]
    return Judgements(gap[:n], said[:n], said[n:])


def _cut(share: float) -> float:
    """Return the quantile of the mean of two uniforms (a triangle)."""
    return float((share / 2) ** 0.5 if share <= 0.5 else 1 - ((1 - share) / 2) ** 0.5)  # noqa: PLR2004


def table(resamples: int) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| labels | judge (sens, spec) | interval | mean coverage | least | width | labels alone |",
        "|---|---|---|---|---|---|---|",
    ]
    for n in LABELS:
        for judge in JUDGES:
            rng = np.random.default_rng([n, int(100 * judge[0])])
            hits: dict[str, list[float]] = {}
            widths: dict[str, list[float]] = {}
            alone: list[float] = []
            for p in SHARES:
                for name, cover, width in _at(n, p, judge, resamples, rng):
                    hits.setdefault(name, []).append(cover)
                    widths.setdefault(name, []).append(width)
                exact = wilson(round(n * p), n)
                alone.append((exact.high or 1) - (exact.low or 0))
            lines += [
                f"| {n} | {judge[0]}, {judge[1]} | {name} | {np.mean(hits[name]):.3f} "
                f"| {min(hits[name]):.3f} | {np.mean(widths[name]):.3f} | {np.mean(alone):.3f} |"
                for name in hits
            ]
    return lines


def _at(
    n: int, p: float, judge: tuple[float, float], resamples: int, rng: np.random.Generator
) -> list[tuple[str, float, float]]:
    spans: dict[str, list[tuple[float, float]]] = {}
    for _ in range(resamples):
        data = drawn(n, p, judge, rng)
        _keep(spans, "PPI++", ppi_mean(data), p)
        _keep(spans, "PPI (λ=1)", ppi_mean(data, weight=1.0), p)
        _keep(spans, "Rogan-Gladen", rogan_gladen(data), p)
        gap = ppi_mean(difference(n, p, judge, rng), bounds=None)
        _keep(spans, "PPI++ of paired differences", gap, min(PAIRED, p))
    return [
        (name, float(np.mean([a for a, _ in both])), float(np.mean([b for _, b in both])))
        for name, both in spans.items()
    ]


def _keep(
    spans: dict[str, list[tuple[float, float]]], name: str, one: Corrected, centre: float
) -> None:
    if one.low is not None and one.high is not None:
        held = float(one.low <= centre <= one.high)
        spans.setdefault(name, []).append((held, one.high - one.low))


def main() -> int:
    """Write the table, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few resamples; nothing is written")
    quick = parser.parse_args().quick
    lines = table(40 if quick else 500)
    print("\n".join(lines))
    if not quick:
        head = ["# Coverage of corrected scores", "", *__doc__.strip().splitlines()[4:], ""]
        RESULTS.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
