"""Memory, disk and speed at scale: 200,000 samples beside 2,000, and a warm rerun of 100,000.

`python -m benchmarks.scale [repeats]` prints the tables and writes results/scale.md. Whole
processes, against the measuring server without latency and against the scripted model.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.process import Cost, circumstances, measure, medians, server

FEW, MANY, WARM, CONNECTIONS, PORT = 2_000, 200_000, 100_000, 64, 8932
TASK = """\
task: scale{size}
data: {{file: rows_{size}.jsonl}}
prompt: "{{{{ question }}}}"
target: "{{{{ answer }}}}"
generation: {{max_tokens: 32, temperature: 0}}
extract: [text]
metrics: [exact_match]
"""
TEXTS = ("input", "target", "output", "answer", "fields", "transcript.list.element.content")
"""Columns of the table that hold text of the task or of the model."""


def main(repeats: int = 3) -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as name, server(PORT) as url:
        folder = Path(name)
        for size in (FEW, WARM, MANY):
            rows(folder / f"rows_{size}.jsonl", size)
            (folder / f"scale{size}.yaml").write_text(TASK.format(size=size))
        text = "\n\n".join([*memory(folder, url), *warm(folder, url, repeats)])
    text += f"\n\n{circumstances()}"
    print(text)
    target = Path(__file__).parent / "results" / "scale.md"
    target.write_text(f"# Scale\n\n{text}\n", encoding="utf-8")


def rows(path: Path, size: int) -> None:
    """Write so many different sums."""
    draw, seen = random.Random(1), set()
    while len(seen) < size:
        digits = draw.randint(2, 7)
        a, b = (draw.randint(10 ** (digits - 1), 10**digits - 1) for _ in range(2))
        seen.add((a, b))
    lines = (
        json.dumps({"id": f"q{i}", "question": f"What is {a} + {b}?", "answer": str(a + b)})
        for i, (a, b) in enumerate(sorted(seen))
    )
    path.write_text("\n".join(lines) + "\n")


def command(size: int, *model: str) -> list[str]:
    """Return the run of a size."""
    return [
        sys.executable, "-m", "harness", "run", f"scale{size}.yaml", *model,
        "--connections", str(CONNECTIONS),
    ]  # fmt: skip


def memory(folder: Path, url: str) -> Iterator[str]:
    """Yield what runs of two sizes take, and the disk of the larger."""
    asked = ("--model", "openai/mock", "--base-url", url)
    names = (f"{FEW:,}: MiB", f"{MANY:,}: MiB", "more", "CPU ms a sample")
    lines = [
        f"Peak memory of the whole process, {FEW:,} and {MANY:,} samples (aim: 150 MiB more):",
        "",
        "| | " + " | ".join(names) + " |",
        "|---|---|---|---|---|",
    ]
    for label, model in {
        "scripted/oracle": ("--model", "scripted/oracle"),
        "a server, asked": asked,
        "a server, every answer stored": asked,
    }.items():
        small, large = (measure(command(size, *model), folder) for size in (FEW, MANY))
        each = 1000 * (large.cpu_s - small.cpu_s) / (MANY - FEW)
        lines.append(
            f"| {label} | {small.peak_mib:.0f} | {large.peak_mib:.0f} | "
            f"{large.peak_mib - small.peak_mib:+.0f} | {each:.3f} |"
        )
    yield "\n".join(lines)
    run = max((folder / "results").glob("2*"), key=lambda path: path.stat().st_mtime)
    size = sum(path.stat().st_size for path in run.iterdir())
    store = (folder / "results" / "responses.sqlite").stat().st_size
    yield (
        f"Run directory of {MANY:,} samples: {size / MANY:.0f} bytes a sample, of which "
        f"{text_bytes(run) / MANY:.0f} are the columns of text, compressed (aim: at most 400 "
        f"beside the text). Response store: {store / (MANY + FEW):.0f} bytes an answer."
    )
    shutil.rmtree(folder / "results")


def text_bytes(run: Path) -> int:
    """Return how many bytes of a table its columns of text take."""
    import pyarrow.parquet as pq

    found = pq.ParquetFile(run / "samples.parquet").metadata
    return sum(
        found.row_group(g).column(c).total_compressed_size
        for g in range(found.num_row_groups)
        for c in range(found.num_columns)
        if found.row_group(g).column(c).path_in_schema.startswith(TEXTS)
    )


def warm(folder: Path, url: str, repeats: int) -> Iterator[str]:
    """Yield how fast a run is of which every answer is stored."""
    line = command(WARM, "--model", "openai/mock", "--base-url", url)
    cold = measure(line, folder)
    found = medians([measure(line, folder) for _ in range(repeats)])
    yield (
        f"Warm rerun of {WARM:,} samples, whole process, medians of {repeats} runs "
        "(aim: at least 10,000 samples a second):"
    )
    yield "\n".join(
        [
            "| | CPU s | wall s | samples a second (wall) | samples a CPU second |",
            "|---|---|---|---|---|",
            _row("asked once", cold),
            _row("again, every answer stored", found),
        ]
    )


def _row(label: str, cost: Cost) -> str:
    return (
        f"| {label} | {cost.cpu_s:.1f} | {cost.wall_s:.1f} | {WARM / cost.wall_s:,.0f} | "
        f"{WARM / cost.cpu_s:,.0f} |"
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
