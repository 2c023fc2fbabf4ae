"""What the harness costs over a bare loop: 5,000 short samples against a server of no latency.

`python -m benchmarks.hot_path [repeats]` prints a table and writes results/hot_path.md. Whole
processes, in turn, on the same machine; quote ratios, for wall time is noisy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.process import BENCH, Cost, measure, medians, server

SAMPLES, CONNECTIONS, PORT = 5000, 64, 8931
TASK = f"""\
task: hot_path
data: {{file: arith_{SAMPLES}.jsonl}}
prompt: "{{{{ question }}}}"
target: "{{{{ answer }}}}"
generation: {{max_tokens: 32, temperature: 0}}
extract: [text]
metrics: [exact_match]
"""


def main(repeats: int = 5) -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as name, server(PORT) as url:
        folder = Path(name)
        subprocess.run(
            [sys.executable, str(BENCH / "make_data.py"), name], check=True, capture_output=True
        )
        (folder / "hot_path.yaml").write_text(TASK)
        bare = [
            sys.executable, str(Path(__file__).parent / "bare_loop.py"), url,
            f"arith_{SAMPLES}.jsonl", str(CONNECTIONS),
        ]  # fmt: skip
        ours = [
            sys.executable, "-m", "harness", "run", "hot_path.yaml", "--model", "openai/mock",
            "--base-url", url, "--connections", str(CONNECTIONS),
        ]  # fmt: skip
        costs: dict[str, list[Cost]] = {"bare aiohttp loop": [], "harness run": [], "again": []}
        for _ in range(repeats + 1):
            shutil.rmtree(folder / "results", ignore_errors=True)
            for label, command in zip(costs, (bare, ours, ours), strict=True):
                costs[label].append(measure(command, folder))
    found = {label: medians(some[1:]) for label, some in costs.items()}  # the first warms up
    text = "\n".join(table(found, repeats))
    print(text)
    target = Path(__file__).parent / "results" / "hot_path.md"
    target.write_text(f"# Hot path\n\n{text}\n", encoding="utf-8")


def table(found: dict[str, Cost], repeats: int) -> list[str]:
    """Return the figures as Markdown."""
    floor = found["bare aiohttp loop"]
    lines = [
        (
            f"{SAMPLES:,} samples, {CONNECTIONS} connections, latency 0; medians of {repeats} runs "
            "of whole processes. *again* is the same command with every answer stored."
        ),
        "",
        "| | CPU s | CPU ms a sample | times the bare loop | samples a second | peak MiB |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {cost.cpu_s:.2f} | {1000 * cost.cpu_s / SAMPLES:.2f} | "
        f"{cost.cpu_s / floor.cpu_s:.1f} | {SAMPLES / cost.wall_s:,.0f} | {cost.peak_mib:.0f} |"
        for label, cost in found.items()
    ]
    return lines


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
