"""The hf backend beside lm-evaluation-harness on one tiny model: scores and seconds.

Five-shot, four options, log-likelihoods and greedy generation on the CPU, on one thread and on
two. Set HARNESS_TINY to the folder of the model (make_tiny_llama.py of the measuring tools) and
HARNESS_LMEVAL to the Python that has lm-eval; without the latter only ours is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ITEMS = int(os.environ.get("HARNESS_HF_ITEMS", "2000"))
REPEATS = int(os.environ.get("HARNESS_HF_REPEATS", "3"))
THEIRS = """
import json, sys, time
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
model = HFLM(pretrained=sys.argv[1], dtype="float32", device="cpu", batch_size=64)
out = {}
for kind, rows in json.load(open(sys.argv[2])).items():
    asked = [Instance(kind, {}, tuple(r), 0, metadata=("t", 0, 1)) for r in rows]
    wall, cpu = time.perf_counter(), time.process_time()
    found = getattr(model, kind)(asked, disable_tqdm=True)
    out[kind] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
                 "found": [list(f) if isinstance(f, tuple) else f for f in found]}
json.dump(out, open(sys.argv[3], "w"))
"""


def asked() -> dict[str, list[Any]]:
    """Return what both are asked, as lm-eval's arguments."""
    questions = [(7 * i % 997, 31 * i % 991) for i in range(ITEMS + 5)]

    def block(a: int, b: int) -> str:
        return f"Question: What is {a} + {b}?\nAnswer:"

    shots = "".join(f"{block(a, b)} {a + b}\n\n" for a, b in questions[-5:])
    rows = [
        (shots + block(a, b), f" {a + b + off}")
        for a, b in questions[:-5]
        for off in (0, 1, 10, -3)
    ]
    settings = {"until": ["\n"], "max_gen_toks": 32, "do_sample": False, "temperature": 0.0}
    texts = [(context, settings) for context, _ in rows[::16]]
    return {"loglikelihood": rows, "generate_until": texts}


def ours(folder: str, rows: dict[str, list[Any]]) -> dict[str, Any]:
    """Return what our backend answers, and how long it takes."""
    from harness.backend.hf.backend import open_hf
    from harness.records import Generation, ModelSpec, Request

    backend = open_hf(ModelSpec("hf", folder, {"dtype": "float32"}))
    settings = Generation(max_tokens=32, stop=("\n",))
    made = {
        "loglikelihood": lambda c, t: Request(kind="loglikelihood", prompt=c, continuation=t),
        "generate_until": lambda c, _: Request(prompt=c, generation=settings),
    }

    async def answer() -> dict[str, Any]:
        await backend.answer([])  # the weights
        out: dict[str, Any] = {}
        for kind, some in rows.items():
            requests = [made[kind](*row) for row in some]
            wall, cpu = time.perf_counter(), time.process_time()
            found: list[Any] = []
            for start in range(0, len(requests), backend.max_batch):
                found += await backend.answer(requests[start : start + backend.max_batch])
            out[kind] = {
                "wall": time.perf_counter() - wall,
                "cpu": time.process_time() - cpu,
                "found": [(r.loglikelihood, r.greedy) if not r.text else r.text for r in found],
            }
        await backend.close()
        return out

    return asyncio.run(answer())


def theirs(folder: str, rows: dict[str, list[Any]], threads: int) -> dict[str, Any] | None:
    """Return what lm-eval answers, or None where there is none."""
    python = os.environ.get("HARNESS_LMEVAL")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as place:
        script, given, result = (Path(place) / n for n in ("theirs.py", "asked.json", "out.json"))
        script.write_text(THEIRS)
        given.write_text(json.dumps(rows))
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        command = [python, str(script), folder, str(given), str(result)]
        subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(result.read_text())
        return found


def main() -> None:
    """Measure on one thread and on two, print, and write results/hf_speed.md."""
    folder = os.environ.get("HARNESS_TINY")
    if not folder:
        print("hf_speed: set HARNESS_TINY to a model's folder", file=sys.stderr)
        return
    import torch

    rows = asked()
    lines = [
        "# transformers models beside lm-evaluation-harness",
        "",
        (
            f"{ITEMS:,} five-shot questions of four options, and one greedy answer for each "
            f"fourth; a model of two million parameters on the CPU; {REPEATS} rounds in turn, "
            "medians."
        ),
        "",
        (
            "| kind | threads | requests | ours, CPU s | theirs | ratio | ours, wall s | theirs "
            "| ratio | answers |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for threads in (1, 2):
        torch.set_num_threads(threads)
        rounds = [(ours(folder, rows), theirs(folder, rows, threads)) for _ in range(REPEATS)]
        lines += [_line(kind, threads, rounds) for kind in rows]
    text = "\n".join(lines)
    print(text)
    (Path(__file__).parent / "results" / "hf_speed.md").write_text(text + "\n", encoding="utf-8")


def _line(kind: str, threads: int, rounds: list[tuple[Any, Any]]) -> str:
    """Return one row of the table."""
    cells = [kind, str(threads), f"{len(rounds[0][0][kind]['found']):,}"]
    for unit in ("cpu", "wall"):
        mine = median(own[kind][unit] for own, _ in rounds)
        cells.append(f"{mine:.2f}")
        if rounds[0][1]:
            other = median(peer[kind][unit] for _, peer in rounds)
            cells += [f"{other:.2f}", f"{other / mine:.1f}"]
        else:
            cells += ["", ""]
    return f"| {' | '.join([*cells, _same(kind, *rounds[0])])} |"


def _same(kind: str, mine: Any, other: Any) -> str:
    """Say how far the answers differ."""
    if not other:
        return ""
    pairs = list(zip(mine[kind]["found"], other[kind]["found"], strict=True))
    if kind != "loglikelihood":
        return f"{sum(a != b for a, b in pairs)} texts differ"
    worst = max(abs(a[0] - b[0]) for a, b in pairs)
    return f"largest difference {worst:.1e}, {sum(a[1] != b[1] for a, b in pairs)} greedy flags"


if __name__ == "__main__":
    main()
