"""How long the small things take: help, a list, an import; and resampling 10,000 by 10,000.

`python -m benchmarks.start [repeats]` prints a table and writes results/start.md. CPU seconds of
whole processes; the two tests run in this one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.process import circumstances, measure, medians

ITEMS = RESAMPLES = 10_000
COMMANDS = {
    "`python -c pass`": (["-c", "pass"], None),
    "`import harness`": (["-c", "import harness"], 0.1),
    "`harness --help`": (["-m", "harness", "--help"], 0.15),
    "`harness run --help`": (["-m", "harness", "run", "--help"], None),
    "`harness ls tasks`": (["-m", "harness", "ls", "tasks"], 0.4),
    "`harness ls models`": (["-m", "harness", "ls", "models"], None),
}
"""Words after `python`, and the CPU seconds that are the aim."""


def main(repeats: int = 7) -> None:
    """Measure, print and write."""
    lines = ["| | CPU s | aim | peak MiB |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        for label, (words, aim) in COMMANDS.items():
            costs = [measure([sys.executable, *words], Path(name)) for _ in range(repeats + 1)]
            cost = medians(costs[1:])  # the first one writes byte code
            wanted = "" if aim is None else f"< {aim:g}"
            lines.append(f"| {label} | {cost.cpu_s:.2f} | {wanted} | {cost.peak_mib:.0f} |")
    for label, work in resampling().items():
        seconds = median(timed(work) for _ in range(3))
        lines.append(f"| {label} | {seconds:.2f} | < 2 | |")
    text = (
        f"Medians of {repeats} runs; resampling: {RESAMPLES:,} resamples of {ITEMS:,} items.\n\n"
        + "\n".join(lines)
    )
    text += f"\n\n{circumstances()}"
    print(text)
    target = Path(__file__).parent / "results" / "start.md"
    target.write_text(f"# Start\n\n{text}\n", encoding="utf-8")


def resampling() -> dict[str, Callable[[], object]]:
    """Return the tests that are timed, on scores of the usual kinds.

    Imports are late: the peak of a child is never below that of the process it came from.
    """
    import numpy as np

    from harness.stats.bootstrap import bca
    from harness.stats.paired import sign_flip

    rng = np.random.default_rng(0)
    values, right = rng.random(ITEMS), rng.binomial(1, 0.7, ITEMS).astype(float)
    differences = rng.choice([-1.0, 0.0, 1.0], ITEMS, p=[0.1, 0.75, 0.15])
    clusters = np.arange(ITEMS) // 2

    def mean(column: Any, axis: int = -1) -> Any:
        return np.asarray(column.mean(axis=axis))

    return {
        "bootstrap (BCa), 0/1 scores": lambda: bca(mean, (right,), rng, n_resamples=RESAMPLES),
        "bootstrap (BCa), other scores": lambda: bca(mean, (values,), rng, n_resamples=RESAMPLES),
        "bootstrap (BCa), clusters of two": lambda: bca(
            mean, (right,), rng, clusters=clusters, n_resamples=RESAMPLES
        ),
        "permutation, 0/1 scores": lambda: sign_flip(differences, rng, n_resamples=RESAMPLES),
        "permutation, other scores": lambda: sign_flip(values - 0.5, rng, n_resamples=RESAMPLES),
    }


def timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds that a call takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
