"""Print the accuracy of embedded models on the tasks arithmetic/*, by digits.

python -m training.measure mini nano
"""

# ruff: noqa: T201 - a script prints what it found
from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path

import yaml

from harness.backend.embedded.backend import MAX_BATCH, EmbeddedBackend, open_embedded
from harness.records import Generation, Message, ModelSpec, Request, Response
from harness.synth.arithmetic import Arithmetic

TASKS = Path(__file__).parent.parent / "tasks" / "arithmetic"


def hits(backend: EmbeddedBackend, rows: list[dict[str, object]]) -> list[bool]:
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


def main() -> None:
    """Measure the models named on the command line."""
    for name in sys.argv[1:]:
        backend = open_embedded(ModelSpec("embedded", name))
        began, total = time.process_time(), 0
        for path in sorted(TASKS.glob("*.yaml")):
            data = yaml.safe_load(path.read_text(encoding="utf-8"))["data"]
            rows = list(Arithmetic()(data["args"], data["seed"]))
            cells = defaultdict(list)
            for row, hit in zip(rows, hits(backend, rows), strict=True):
                cells[row["digits"]].append(hit)
            total += len(rows)
            parts = [f"{d}: {sum(c) / len(c):.2f} (n={len(c)})" for d, c in cells.items()]
            mean = sum(map(sum, cells.values())) / len(rows)
            print(f"{name:6} {path.stem:15} {mean:.3f} (n={len(rows)})  " + "  ".join(parts))
        taken = time.process_time() - began
        print(f"{name:6} {total} samples, {taken:.1f} s of processor time")


if __name__ == "__main__":
    main()
