"""Print the accuracy of embedded models on the core tasks arithmetic/*, by digits, as a table.

python -m training.measure nano micro mini
"""

# ruff: noqa: T201 - a script prints what it found
from __future__ import annotations

import sys
import time
from collections import defaultdict
from typing import Any

from scipy.stats import binomtest

from harness.backend.embedded.backend import MAX_BATCH, EmbeddedBackend, open_embedded
from harness.records import Generation, Message, ModelSpec, Request, Response
from harness.synth.arithmetic import Arithmetic
from training.holdout import held_out_tasks

CELLS = range(1, 7)


def hits(backend: EmbeddedBackend, rows: list[dict[str, Any]]) -> list[bool]:
    """Return for each row whether the model's whole answer is right."""
    generation = Generation(max_tokens=16, stop=("\n",))
    requests = [
        Request(
            messages=(Message("user", f"What is {row['a']} {row['operator']} {row['b']}?"),),
            generation=generation,
        )
        for row in rows
    ]
    replies = [
        reply
        for start in range(0, len(requests), MAX_BATCH)
        for reply in backend.compute(requests[start : start + MAX_BATCH])
    ]
    return [
        isinstance(reply, Response) and reply.text.strip() == row["answer"]
        for reply, row in zip(replies, rows, strict=True)
    ]


def line(name: str, task: str, rows: list[dict[str, Any]], found: list[bool]) -> str:
    """Return one line of the table: the share by digits, and over all with its interval."""
    cells: dict[int, list[bool]] = defaultdict(list)
    for row, hit in zip(rows, found, strict=True):
        cells[row["digits"]].append(hit)
    shares = [f"{sum(cells[d]) / len(cells[d]):.2f}" if d in cells else "" for d in CELLS]
    ends = binomtest(sum(found), len(found)).proportion_ci(method="wilson")
    whole = f"{sum(found) / len(found):.3f} ({ends.low:.3f} … {ends.high:.3f}), n = {len(found)}"
    return f"| {task} | {name} | {' | '.join(shares)} | {whole} |"


def main() -> None:
    """Measure the models named on the command line."""
    backends = {name: open_embedded(ModelSpec("embedded", name)) for name in sys.argv[1:]}
    taken, total = dict.fromkeys(backends, 0.0), 0
    print(f"| task | model | {' | '.join(map(str, CELLS))} | all |")
    print("|---" * (3 + len(CELLS)) + "|")
    for task in held_out_tasks():
        data = task["data"]
        rows = list(Arithmetic()(data["args"], data["seed"]))
        total += len(rows)
        for name, backend in backends.items():
            began = time.process_time()
            found = hits(backend, rows)
            taken[name] += time.process_time() - began
            print(line(name, task["task"], rows, found))
    for name, seconds in taken.items():
        print(f"{name}: {total} samples, {seconds:.1f} s of processor time")


if __name__ == "__main__":
    main()
