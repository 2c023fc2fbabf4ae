"""Coverage of the other intervals that judged scores use: benchmarks/results/judge_coverage.md.

    python -m benchmarks.judge_coverage [--quick]

Graded scores (five levels), corrected and raw; 0/1 scores in clusters; the difference of two
systems on levels; sensitivity and specificity (Wilson); Cohen's kappa (BCa bootstrap);
Bradley-Terry strengths (clustered sandwich). Mean and least coverage at nominal 95 % over p in
.02 … .98; `ppi_coverage.md` holds PPI++ and Rogan-Gladen on 0/1 scores, `coverage.md`
the raw scores. The standard error of a coverage at one p is .01.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.stats.agreement import agreement_interval, cohen_kappa, rates
from harness.stats.bradley_terry import Games, fit
from harness.stats.intervals import mean_interval
from harness.stats.ppi import Judgements, ppi_mean, rogan_gladen

SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
LABELS = (50, 100, 200, 400)
UNLABELLED = 2000
LEVELS = 4
"""Steps of a scale of five levels."""
CLUSTER = 4
ICC = 0.3
ENOUGH = 0.93
"""Mean coverage that is wanted from 100 labels on, of PPI++ from 200."""
RESULTS = Path(__file__).parent / "results" / "judge_coverage.md"

Rng = np.random.Generator


class Span(NamedTuple):
    """An interval and what it should hold."""

    low: float | None
    high: float | None
    truth: float

    @property
    def held(self) -> bool | None:
        """Whether it holds; None where there is no interval."""
        if self.low is None or self.high is None:
            return None
        return self.low - 1e-12 <= self.truth <= self.high + 1e-12


def levels(n: int, p: float, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Return true levels of mean p, 0 to 1, and a judge one level off on four of ten."""
    truth = rng.binomial(LEVELS, p, n)
    off = rng.choice([-1, 0, 1], n, p=[0.2, 0.6, 0.2])
    return truth / LEVELS, np.clip(truth + off, 0, LEVELS) / LEVELS


def graded(n: int, p: float, rng: Rng) -> Iterator[tuple[str, Span]]:
    """PPI++ and the mean of people's labels alone, on five levels."""
    truth, said = levels(n + UNLABELLED, p, rng)
    found = ppi_mean(Judgements(truth[:n], said[:n], said[n:]))
    yield "PPI++, five levels", Span(found.low, found.high, p)
    alone = mean_interval(truth[:n], bounds=(0.0, 1.0))
    yield "mean of five levels (score)", Span(alone.low, alone.high, p)


def pairs_of_levels(n: int, p: float, rng: Rng) -> Iterator[tuple[str, Span]]:
    """PPI++ on the paired difference of two systems on five levels."""
    one, judged_one = levels(n + UNLABELLED, p, rng)
    lower = max(p - 0.05, 0.01)
    worse = rng.random(n + UNLABELLED) < 1 - lower / p
    two = np.where(worse, np.floor(one * LEVELS * rng.random(n + UNLABELLED)) / LEVELS, one)
    truth = float(p * (lower / p) + (1 - lower / p) * _mean_floor(p))
    judged_two = np.clip(two * LEVELS + rng.choice([-1, 0, 1], len(two), p=[0.2, 0.6, 0.2]),
                         0, LEVELS) / LEVELS  # fmt: skip
    gap, said = one - two, judged_one - judged_two
    found = ppi_mean(Judgements(gap[:n], said[:n], said[n:]), bounds=None)
    yield "PPI++ of paired differences, five levels", Span(found.low, found.high, p - truth)


def _mean_floor(p: float) -> float:
    """Return E floor(K·U)/4 of a binomial K and a uniform U: E (K-1)/2 for K ≥ 1, over 4."""
    return float((LEVELS * p - 1 + (1 - p) ** LEVELS) / 2 / LEVELS)


def clustered(n: int, p: float, rng: Rng) -> Iterator[tuple[str, Span]]:
    """0/1 scores whose clusters of four share their difficulty; the labels are random rows."""
    count = (n + UNLABELLED) // CLUSTER
    weight = 1 / ICC - 1
    chance = np.repeat(rng.beta(p * weight, (1 - p) * weight, count), CLUSTER)
    names = np.repeat(np.arange(count), CLUSTER)
    truth = (rng.random(len(chance)) < chance).astype(float)
    right = rng.random(len(chance)) < np.where(truth == 1, 0.85, 0.9)
    said = np.where(right, truth, 1 - truth)
    order = rng.permutation(len(chance))
    a, b = order[:n], order[n:]
    data = Judgements(truth[a], said[a], said[b], names[a], names[b])
    found = ppi_mean(data)
    yield "PPI++, clusters of four", Span(found.low, found.high, p)
    found = rogan_gladen(data)
    yield "Rogan-Gladen, clusters of four", Span(found.low, found.high, p)
    raw = mean_interval(said, names, bounds=(0.0, 1.0))
    yield (
        "mean verdict, clusters of four (score)",
        Span(raw.low, raw.high, p * 0.85 + (1 - p) * 0.1),
    )


def error_rates(n: int, p: float, rng: Rng) -> Iterator[tuple[str, Span]]:
    """Sensitivity and specificity of a judge on n labels, of which a share p is right."""
    truth = (rng.random(n) < p).astype(int)
    said = np.where(rng.random(n) < np.where(truth == 1, 0.85, 0.9), truth, 1 - truth)
    found = rates(truth, said)
    yield "sensitivity (Wilson)", Span(found.sensitivity.low, found.sensitivity.high, 0.85)
    yield "specificity (Wilson)", Span(found.specificity.low, found.specificity.high, 0.9)


def kappas(n: int, p: float, rng: Rng) -> Iterator[tuple[str, Span]]:
    """Cohen's κ of a judge and a person on 0/1 labels, of which a share p is right."""
    truth = (rng.random(n) < p).astype(int)
    said = np.where(rng.random(n) < np.where(truth == 1, 0.85, 0.9), truth, 1 - truth)
    found = agreement_interval(lambda a, b: cohen_kappa(a, b, 2), truth, said, rng, n_resamples=499)
    yield "κ (BCa)", Span(found.low, found.high, _true_kappa(p))


def _true_kappa(p: float) -> float:
    agreed = 0.85 * p + 0.9 * (1 - p)
    said = 0.85 * p + 0.1 * (1 - p)
    chance = p * said + (1 - p) * (1 - said)
    return (agreed - chance) / (1 - chance)


def strengths(n: int, p: float, rng: Rng) -> Iterator[tuple[str, Span]]:
    """Four players in an arena of n samples; p is how often the best beats the worst."""
    edge = float(np.log(max(p, 1 - p) / min(p, 1 - p)))
    theta = np.array([1.5, 0.5, -0.5, -1.5]) / 3 * edge
    players = [(i, j) for i in range(4) for j in range(i)]
    first, second = (np.tile(side, n) for side in zip(*players, strict=True))
    samples = np.repeat(np.arange(n), len(players))
    half = (theta[first] - theta[second]) / 2
    win, lose, tie = np.exp(half), np.exp(-half), 0.5
    draw = rng.random(len(half)) * (win + lose + tie)
    outcome = np.where(draw < win, 1.0, np.where(draw < win + lose, 0.0, 0.5))
    low, high = fit(Games(first, second, outcome, clusters=samples), 4).intervals()
    yield "Bradley-Terry strength, samples", Span(float(low[0]), float(high[0]), float(theta[0]))


KINDS: tuple[tuple[Callable[[int, float, Rng], Iterator[tuple[str, Span]]], float], ...] = (
    (graded, 1), (pairs_of_levels, 1), (clustered, 1), (error_rates, 1), (kappas, 0.4),
    (strengths, 0.4),
)  # fmt: skip
"""What is simulated, and the share of the resamples that it gets."""


def table(resamples: int) -> list[str]:
    """Return the lines of the table."""
    lines = ["| interval | labels | mean coverage | least | at p |", "|---|---|---|---|---|"]
    for kind, share in KINDS:
        found: dict[tuple[str, int], dict[float, float]] = {}
        for n in LABELS:
            for p in SHARES:
                rng = np.random.default_rng([n, int(1000 * p), len(kind.__name__)])
                hits: dict[str, list[bool]] = {}
                for _ in range(max(int(resamples * share), 1)):
                    for name, span in kind(n, p, rng):
                        if span.held is not None:
                            hits.setdefault(name, []).append(span.held)
                for name, held in hits.items():
                    found.setdefault((name, n), {})[p] = float(np.mean(held))
        for (name, n), by_p in sorted(found.items()):
            worst = min(by_p, key=by_p.__getitem__)
            mean = float(np.mean(list(by_p.values())))
            lines.append(f"| {name} | {n} | {mean:.3f} | {by_p[worst]:.3f} | {worst} |")
    return lines


def main() -> int:
    """Write the table, and print it; 1 where a mean is below .93 that must not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few resamples; nothing is written")
    quick = parser.parse_args().quick
    lines = table(20 if quick else 500)
    print("\n".join(lines))
    if not quick:
        head = ["# Coverage of the other intervals of judged scores", "",
                *__doc__.strip().splitlines()[4:], ""]  # fmt: skip
        RESULTS.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in lines[2:]]
    low = [cell for cell in cells if int(cell[1]) >= _least(cell[0]) and float(cell[2]) < ENOUGH]
    print("\n".join(f"covers too little: {', '.join(cell)}" for cell in low))
    return int(bool(low))


def _least(name: str) -> int:
    """Return from how many labels on an interval must cover enough."""
    return 200 if "PPI" in name else 100


if __name__ == "__main__":
    sys.exit(main())
