"""How well the adaptive frontier search agrees with the full grid, as a Markdown table.

Run `python benchmarks/frontier.py [--repeats R]`; the kept result is `results/frontier.md`. A
simulated model is right with probability ceiling / (1 + exp(steepness x (level - place))), its
place drawn evenly from 0 to one and a half levels beyond the last. Search and grid see the same
answers, so a model of shallow slope, whose own grid is a matter of luck near the edge, counts too.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

from harness.stats.frontier import Answer, Found, FrontierSearch, Level, grid_frontier


class Agreement(NamedTuple):
    """What a number of simulated models gave."""

    same: float
    beyond_one: float
    """Share of models whose level was off by more than one."""
    worst: int
    mean_share: float
    """Of all items, what was asked."""
    largest_share: float
    sure: float


def drive(search: FrontierSearch, outcomes: list[np.ndarray]) -> Found:
    """Answer a search from fixed outcomes until it is over."""
    history: list[Answer] = []
    used = [0] * len(outcomes)
    while not isinstance(step := search(history), Found):
        at = step.level - 1
        taken = outcomes[at][used[at] : used[at] + step.items]
        history.extend(Answer(step.level, bool(right)) for right in taken)
        used[at] += step.items
    return step


def agreement(
    search: FrontierSearch, slope: tuple[float, float], repeats: int, seed: int
) -> Agreement:
    """Simulate `repeats` models of one (steepness, ceiling)."""
    rng, (steepness, ceiling) = np.random.default_rng(seed), slope
    numbers = np.arange(1, len(search.levels) + 1)
    total = sum(level.items for level in search.levels)
    off, shares, sure = [], [], []
    for _ in range(repeats):
        place = rng.uniform(0, len(numbers) + 1.5)
        rates = ceiling / (1 + np.exp(steepness * (numbers - place)))
        outcomes = [
            rng.random(level.items) < rate for level, rate in zip(search.levels, rates, strict=True)
        ]
        found = drive(search, outcomes)
        grid = grid_frontier([int(one.sum()) for one in outcomes], search.levels)
        off.append(abs(found.frontier - grid))
        shares.append(found.asked / total)
        sure.append(found.sure)
    return Agreement(
        float(np.mean(np.equal(off, 0))),
        float(np.mean(np.greater(off, 1))),
        max(off),
        float(np.mean(shares)),
        max(shares),
        float(np.mean(sure)),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    print(f"# Adaptive frontier search against the full grid, {repeats} models a row\n")
    print(f"`python benchmarks/frontier.py --repeats {repeats}`\n")
    head = "levels | items | steepness | ceiling | same level | off by > 1 | worst | asked, mean"
    print(f"| {head} | asked, largest | sure |")
    print("|" + "---|" * 10)
    for count, items in ((12, 100), (12, 200), (8, 100), (6, 100)):
        search = FrontierSearch((Level(items),) * count)
        for steepness in (0.7, 1.0, 1.5, 2.5, 6.0):
            for ceiling in (1.0, 0.99):
                got = agreement(search, (steepness, ceiling), repeats, seed=1)
                print(
                    f"| {count} | {items} | {steepness} | {ceiling} | {got.same:.1%} | "
                    f"{got.beyond_one:.2%} | {got.worst} | {got.mean_share:.1%} | "
                    f"{got.largest_share:.1%} | {got.sure:.1%} |"
                )


if __name__ == "__main__":
    main()
