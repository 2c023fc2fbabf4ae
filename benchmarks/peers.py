"""The harness beside lm-evaluation-harness and Inspect AI: the same 5,000 samples, whole processes.

`python -m benchmarks.peers [repeats]` prints tables and writes results/peers.md: at no latency, and
at 50 ms. Set HARNESS_LMEVAL and HARNESS_INSPECT to the Pythons that have lm-eval and inspect-ai;
a peer without one is left out. The bare loop of `bare_loop.py` is the floor.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.hot_path import CONNECTIONS, SAMPLES, TASK
from benchmarks.process import BENCH, Cost, measure, medians, server

PORT = 8933
DATA = f"arith_{SAMPLES}.jsonl"
LATENCIES_MS = (0, 50)
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "OPENAI_API_KEY": "none",
    "INSPECT_TELEMETRY": "",
}
LMEVAL_TASK = """\
task: bench_arith
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{data}"}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 32, do_sample: false, temperature: 0.0}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 1.0}}
"""
INSPECT_TASK = """\
from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate

@task
def bench_arith():
    fields = FieldSpec(input="question", target="answer", id="id")
    return Task(dataset=json_dataset("{data}", fields), solver=generate(), scorer=exact())
"""


class Seen(NamedTuple):
    """What one process cost, and what the server saw of it."""

    cost: Cost
    requests: int
    span_s: float
    score: str


def commands(folder: Path, url: str) -> dict[str, list[str]]:
    """Return each contestant's command; writes the files that it reads."""
    (folder / "hot_path.yaml").write_text(TASK)
    found = {
        "bare aiohttp loop": [
            sys.executable, str(Path(__file__).parent / "bare_loop.py"), url, DATA,
            str(CONNECTIONS),
        ],
        "harness": [
            sys.executable, "-m", "harness", "run", "hot_path.yaml", "--model", "openai/mock",
            "--base-url", url, "--connections", str(CONNECTIONS),
        ],
    }  # fmt: skip
    if python := os.environ.get("HARNESS_LMEVAL"):
        (folder / "lmeval").mkdir()
        task = LMEVAL_TASK.format(data=folder / DATA)
        (folder / "lmeval" / "bench_arith.yaml").write_text(task)
        settings = (
            f"model=mock,base_url={url}/chat/completions,num_concurrent={CONNECTIONS},"
            "tokenizer_backend=none,max_retries=3"
        )
        found["lm-eval"] = [
            str(Path(python).parent / "lm_eval"), "run", "--model", "local-chat-completions",
            "--model_args", settings, "--tasks", "bench_arith", "--apply_chat_template",
            "--include_path", str(folder / "lmeval"), "--output_path", str(folder / "results"),
            "--log_samples",
        ]  # fmt: skip
    if python := os.environ.get("HARNESS_INSPECT"):
        (folder / "inspect_task.py").write_text(INSPECT_TASK.format(data=folder / DATA))
        found["Inspect"] = [
            str(Path(python).parent / "inspect"), "eval", "inspect_task.py@bench_arith",
            "--model", "openai-api/mock/mock", "--max-connections", str(CONNECTIONS),
            "--max-tokens", "32", "--temperature", "0", "--log-dir", str(folder / "results"),
            "--display", "plain",
        ]  # fmt: skip
    return found


def once(command: list[str], folder: Path, url: str) -> Seen:
    """Run one contestant from nothing; raises where the server did not see every sample."""
    shutil.rmtree(folder / "results", ignore_errors=True)
    (folder / "output.log").unlink(missing_ok=True)
    _ask(url, "reset")
    cost = measure(command, folder)
    stats = json.loads(_ask(url, "stats"))
    if stats["requests"] < SAMPLES:
        raise SystemExit(f"{command[0]} sent {stats['requests']} requests, not {SAMPLES}")
    text = (folder / "output.log").read_text(errors="replace")
    right = re.findall(r"(?<![\d.])0?\.82\d*", text)
    return Seen(cost, stats["requests"], stats["last"] - stats["first"], right[0] if right else "?")


def _ask(url: str, what: str) -> str:
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/{what}") as answer:
        text: str = answer.read().decode()
    return text


def main(repeats: int = 3) -> None:
    """Measure, print and write."""
    os.environ.update(OFFLINE)
    lines = ["# Beside other harnesses", ""]
    for latency in LATENCIES_MS:
        options = ("--latency-ms", str(latency))
        with tempfile.TemporaryDirectory() as name, server(PORT, *options) as url:
            folder = Path(name)
            os.environ |= {
                "MOCK_BASE_URL": url, "MOCK_API_KEY": "none",
                "HF_HOME": f"{name}/hf", "XDG_DATA_HOME": f"{name}/share",
                "XDG_CACHE_HOME": f"{name}/cache", "XDG_RUNTIME_DIR": f"{name}/run",
            }  # fmt: skip
            (folder / "run").mkdir()
            make = [sys.executable, str(BENCH / "make_data.py"), name]
            subprocess.run(make, check=True, capture_output=True)
            found: dict[str, list[Seen]] = {}
            for _ in range(repeats):  # in turn, so that a drift of the machine meets all
                for label, command in commands_once(folder, url).items():
                    found.setdefault(label, []).append(once(command, folder, url))
        lines += table(found, latency, repeats)
    text = "\n".join(lines)
    print(text)
    (Path(__file__).parent / "results" / "peers.md").write_text(text + "\n", encoding="utf-8")


def commands_once(folder: Path, url: str) -> dict[str, list[str]]:
    """Return the commands, with their files written anew."""
    shutil.rmtree(folder / "lmeval", ignore_errors=True)
    return commands(folder, url)


def table(found: Mapping[str, list[Seen]], latency: int, repeats: int) -> list[str]:
    """Return the figures of one latency as Markdown."""
    middle = {label: medians([seen.cost for seen in some]) for label, some in found.items()}
    span = {label: sorted(s.span_s for s in some)[len(some) // 2] for label, some in found.items()}
    ours = middle["harness"]
    lines = [
        (
            f"{SAMPLES:,} samples of one short answer, {CONNECTIONS} connections, server latency "
            f"{latency} ms; whole processes, medians of {repeats}. *Asking* is the time from the "
            "first request to the last answer, as the server saw it."
        ),
        "",
        (
            "| | CPU s | wall s | samples a second | CPU, times ours | wall, times ours "
            "| asking s | a second while asking | peak MiB | score |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {cost.cpu_s:.2f} | {cost.wall_s:.2f} | {SAMPLES / cost.wall_s:,.0f} | "
        f"{cost.cpu_s / ours.cpu_s:.2f} | {cost.wall_s / ours.wall_s:.2f} | {span[label]:.2f} | "
        f"{SAMPLES / span[label]:,.0f} | {cost.peak_mib:.0f} | {found[label][0].score} |"
        for label, cost in middle.items()
    ]
    return [*lines, ""]


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
