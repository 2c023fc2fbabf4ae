"""Coverage of the intervals in `harness.stats`, as a Markdown table.

Run `python benchmarks/coverage.py [--repeats R]`; the kept result is `results/coverage.md`.
Coverage is the share of simulated data sets whose 95% interval holds the true mean. Its standard
error at R repeats is √(.95 x .05 / R).
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import binom

from harness.stats.bootstrap import bca, bca_mean
from harness.stats.intervals import (
    UNIT,
    Interval,
    cluster_score,
    cluster_t,
    t_interval,
    wilson,
    wilson_clustered,
)
from harness.stats.paired import paired_difference

Draw = Callable[[np.random.Generator, int], np.ndarray]


def holds(interval: Interval, truth: float) -> bool:
    """Return whether the interval covers; one without ends stands for its value alone."""
    if interval.low is None or interval.high is None:
        return interval.value == truth
    return interval.low - 1e-12 <= truth <= interval.high + 1e-12


def width(interval: Interval) -> float:
    """Return high - low, 0 where there is none."""
    return 0.0 if interval.low is None or interval.high is None else interval.high - interval.low


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown section with one table."""
    lines = [f"## {title}", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def proportions(rng: np.random.Generator) -> str:
    """Exact coverage over p: every count of successes is weighted by its probability."""
    shares = np.linspace(0.02, 0.98, 97)
    rows = []
    for n in (20, 50, 100, 300):
        weights = binom.pmf(np.arange(n + 1)[:, None], n, shares[None, :])
        cells = []
        for method in ("wilson", "t", "bca"):
            covered = np.array(
                [
                    [holds(one, p) for p in shares]
                    for one in (_of_count(method, k, n, rng) for k in range(n + 1))
                ]
            )
            coverage = (weights * covered).sum(axis=0)
            cells.append(f"{coverage.mean():.3f} ({coverage.min():.2f})")
        rows.append([n, *cells])
    title = "0/1 scores: exact coverage, mean (worst) over p in [.02, .98]"
    return table(title, ["n", "wilson", "t", "bca"], rows)


def _of_count(method: str, successes: int, n: int, rng: np.random.Generator) -> Interval:
    values = np.repeat([1.0, 0.0], [successes, n - successes])
    if method == "wilson":
        return wilson(successes, n)
    return t_interval(values) if method == "t" else bca_mean(values, rng, n_resamples=1999)


SHARED_SUCCESS = 0.7


def mostly(
    share: float, end: float, low: float, high: float
) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return a drawer of `end` with chance `share`, else uniform between low and high."""
    return lambda rng, n: np.where(rng.random(n) < share, end, rng.uniform(low, high, n))


SHAPES: dict[str, tuple[Draw, float]] = {
    "U-shaped beta(.3,.3)": (lambda rng, n: rng.beta(0.3, 0.3, n), 0.5),
    "70% ones, else 0…1": (mostly(0.7, 1, 0, 1), 0.85),
    "80% zeros, else 0…1": (mostly(0.8, 0, 0, 1), 0.1),
    "0, ½, 1 at 5, 10, 85%": (lambda rng, n: rng.choice([0, 0.5, 1], n, p=[0.05, 0.1, 0.85]), 0.9),
    "2% zeros, else ¾…1": (mostly(0.02, 0, 0.75, 1), 0.98 * 0.875),
}


def fractions(rng: np.random.Generator, repeats: int) -> str:
    """Coverage on scores between 0 and 1 that are not all 0 or 1."""
    rows = []
    for n in (10, 20, 30, 50, 100):
        for name, (draw, truth) in SHAPES.items():
            methods: list[Callable[[np.ndarray], Interval]] = [
                lambda x: cluster_score(x, np.arange(len(x)), bounds=UNIT),
                t_interval,
                lambda x: bca_mean(x, rng, n_resamples=999),
            ]
            found = _measure(methods, partial(draw, rng, n), truth, repeats)
            rows.append([n, name, *found])
    title = "Scores within 0…1: coverage / mean width"
    return table(title, ["n", "scores", "score (bounds known)", "t", "bca"], rows)


def skewed(rng: np.random.Generator, repeats: int) -> str:
    """Coverage on unbounded, skewed values such as token counts."""
    rows = []
    for n in (10, 20, 30, 50, 100):
        methods: list[Callable[[np.ndarray], Interval]] = [
            t_interval,
            lambda x: bca_mean(x, rng, n_resamples=999),
        ]
        draw = partial(rng.lognormal, 0, 1, n)
        rows.append([n, *_measure(methods, draw, float(np.exp(0.5)), repeats)])
    return table("Log-normal values: coverage / mean width", ["n", "t", "bca"], rows)


def _measure(
    methods: Sequence[Callable[[Any], Interval]],
    draw: Callable[[], Any],
    truth: float,
    repeats: int,
) -> list[str]:
    covered, widths = np.zeros(len(methods)), np.zeros(len(methods))
    for _ in range(repeats):
        data = draw()
        for j, method in enumerate(methods):
            found = method(data)
            covered[j] += holds(found, truth)
            widths[j] += width(found)
    return [f"{c:.3f} / {w:.3f}" for c, w in zip(covered / repeats, widths / repeats, strict=True)]


def clustered_draw(
    rng: np.random.Generator, sizes: np.ndarray, share: float, icc: float, *, binary: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Draw (values, clusters): each cluster's chance is beta with mean `share` and this ICC."""
    strength = (1 - icc) / icc
    chances = rng.beta(share * strength, (1 - share) * strength, len(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    right = rng.random(len(labels)) < chances[labels]
    credit = 1.0 if binary else rng.uniform(0, 1, len(labels))
    return right * credit, labels


def clusters(rng: np.random.Generator, repeats: int, *, binary: bool) -> str:
    """Coverage where rows share clusters of equal or very unequal sizes."""
    rows = []
    for count in (5, 10, 20, 40, 100):
        for kind, pattern in (("2", [2]), ("5", [5]), ("1…12", [1, 1, 2, 4, 12])):
            sizes = np.resize(pattern, count)
            for share, icc in ((0.5, 0.1), (0.5, 0.5), (0.9, 0.1), (0.9, 0.5)):
                methods: list[Callable[[Any], Interval]] = [
                    (lambda d: wilson_clustered(*d)) if binary else (lambda d: cluster_score(*d)),
                    lambda d: cluster_t(*d),
                    lambda d: bca_mean(d[0], rng, clusters=d[1], n_resamples=599),
                    (lambda d: wilson(d[0].sum(), len(d[0])))
                    if binary
                    else (lambda d: t_interval(d[0])),
                ]
                truth = share if binary else share / 2

                draw = partial(clustered_draw, rng, sizes, share, icc, binary=binary)
                rows.append([count, kind, share, icc, *_measure(methods, draw, truth, repeats)])
    first = "cluster-wilson" if binary else "cluster-score"
    what = "0/1 scores" if binary else "Scores within 0…1"
    plain = "wilson, clusters ignored" if binary else "t, clusters ignored"
    header = ["clusters", "rows each", "p", "ICC", first, "cluster-t", "cluster-bootstrap", plain]
    return table(f"{what} in clusters: coverage / mean width", header, rows)


def paired_draw(
    rng: np.random.Generator, n: int, wins: float, losses: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw two systems' 0/1 scores; where they agree, 70% are right."""
    kind = rng.choice(["win", "loss", "same"], n, p=[wins, losses, 1 - wins - losses])
    both = (kind == "same") & (rng.random(n) < SHARED_SUCCESS)
    return both | (kind == "win"), both | (kind == "loss")


def pairs(rng: np.random.Generator, repeats: int) -> str:
    """Coverage of the difference of two systems' 0/1 scores on the same items."""
    rows = []
    for n in (20, 50, 100, 300):
        for discordance, effect in ((0.05, 0.0), (0.1, 0.05), (0.2, 0.0), (0.3, 0.2)):
            wins, losses = (discordance + effect) / 2, (discordance - effect) / 2

            draw = partial(paired_draw, rng, n, wins, losses)
            methods: list[Callable[[Any], Interval]] = [
                lambda d: paired_difference(*d),
                lambda d: t_interval(d[0].astype(float) - d[1]),
                lambda d: bca_mean(d[0].astype(float) - d[1], rng, n_resamples=599),
            ]
            rows.append([n, discordance, effect, *_measure(methods, draw, effect, repeats)])
    header = ["n", "discordance", "effect", "tango", "t", "bca"]
    return table("Paired 0/1 scores: coverage / mean width", header, rows)


def speed(rng: np.random.Generator) -> str:
    """Seconds for 10,000 resamples of 10,000 rows."""
    values = rng.random(10_000)
    labels = np.arange(10_000) // 4

    def ratio(x: np.ndarray, y: np.ndarray, axis: int = -1) -> Any:
        return x.mean(axis=axis) / y.mean(axis=axis)

    cases: dict[str, Callable[[], Interval]] = {
        "bca_mean": lambda: bca_mean(values, rng, n_resamples=10_000),
        "bca_mean, 2,500 clusters": lambda: bca_mean(
            values, rng, clusters=labels, n_resamples=10_000
        ),
        "bca, ratio of two columns": lambda: bca(
            ratio, (values, 1 + values), rng, n_resamples=10_000
        ),
        "bca, ratio, 2,500 clusters": lambda: bca(
            ratio, (values, 1 + values), rng, clusters=labels, n_resamples=10_000
        ),
    }
    rows = []
    for name, call in cases.items():
        start = time.perf_counter()
        call()
        rows.append([name, f"{time.perf_counter() - start:.2f}"])
    where = f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    return table(f"Seconds for 10,000 resamples of 10,000 rows ({where})", ["call", "s"], rows)


READING = """The first interval column of each table is what `mean_interval` and
`paired_difference` choose; the others are what they were chosen over. What it does not cure:

- Scores near an end with rare far outliers (2% zeros, else ¾…1): a set that happens to hold no
  outlier cannot know of them, so every method covers less than 95%, here down to 87%.
- A share of 0.9 with strong dependence and few or very unequal clusters: down to 88%.
- Log-normal values: 83% at n = 10, 92% at n = 100, by t and by BCa alike.
"""


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    print("# Coverage of 95% intervals\n")
    print(f"`python benchmarks/coverage.py --repeats {args.repeats} --seed {args.seed}`\n")
    print(READING)
    print(proportions(rng))
    print(fractions(rng, args.repeats))
    print(skewed(rng, args.repeats))
    print(clusters(rng, args.repeats, binary=True))
    print(clusters(rng, args.repeats, binary=False))
    print(pairs(rng, args.repeats))
    print(speed(rng))


if __name__ == "__main__":
    main()
