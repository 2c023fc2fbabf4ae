"""Known answers on recorded verdicts and human labels: LLMBar and EVOUNA, from local copies.

    python -m benchmarks.judge_known_answers --data FOLDER

FOLDER holds `llmbar/verdicts.csv.gz` and `qa_eval_evouna/NQ.json.gz`. For LLMBar it prints the
accuracy and consistency of recorded judges; for EVOUNA the coverage and width of the naive, the
human and the corrected intervals over random subsets of the labels.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.judge.labels import FORMS
from harness.stats.agreement import swap_agreement
from harness.stats.intervals import wilson
from harness.stats.ppi import Judgements, ppi_mean, rogan_gladen

LLMBAR = ("Natural", "Adversarial/Neighbor", "Adversarial/GPTInst", "Adversarial/GPTOut",
          "Adversarial/Manual")  # fmt: skip
SHOWN = ("GPT-4/Vanilla", "GPT-4/CoT", "ChatGPT/Vanilla", "ChatGPT-0301/Vanilla", "Falcon/CoT")
RESAMPLES = 800


def llmbar(folder: Path) -> dict[str, dict[str, float]]:
    """Return accuracy (mean of both orders), consistency and first-slot share by evaluator."""
    rows: dict[str, list[tuple[float, float]]] = {}
    with gzip.open(folder / "verdicts.csv.gz", "rt", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["subset"] in LLMBAR:
                pair = tuple(_share(row[f"winner_order{k}"], row["label"]) for k in (1, 2))
                first = row["label"] == "1"
                rows.setdefault(row["evaluator"], []).append((*pair, first))
    found = {}
    for name, values in rows.items():
        right = np.array([value[:2] for value in values])
        is_first = np.array([value[2] for value in values])
        won = np.where(is_first[:, None], right, 1 - right)  # the share that output_1 won
        swap = swap_agreement(won[:, 0], won[:, 1])
        found[name] = {
            "n": len(values),
            "accuracy": float(right.mean()),
            "consistency": float(swap.consistency.value or 0),
            "first_slot": float(swap.first_slot.value or 0),
        }
    return found


def _share(winner: str, label: str) -> float:
    """Return 1 for the right winner, 0 for the wrong one, a half for neither."""
    return {True: 1.0, False: 0.0}[winner == label] if winner in ("1", "2") else 0.5


def evouna(folder: Path, system: str = "gpt4") -> tuple[np.ndarray, np.ndarray]:
    """Return human labels and verdicts of a judge that looks for the answer as a substring."""
    with gzip.open(folder / "NQ.json.gz", "rt", encoding="utf-8") as handle:
        rows = json.load(handle)
    truth, judged = [], []
    for row in rows:
        for made in FORMS["evouna"](row, system):
            truth.append(made["label"] == "correct")
            told = _bare(made["answer"])
            judged.append(any(_bare(ref) in told for ref in made["reference"] if _bare(ref)))
    return np.array(truth, float), np.array(judged, float)


def _bare(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no articles."""
    low = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", low).split())


def intervals(truth: np.ndarray, judged: np.ndarray, n: int) -> Iterator[dict[str, Any]]:
    """Yield the coverage and mean width of each interval over random labelled subsets."""
    rng = np.random.default_rng(0)
    centre = float(truth.mean())
    spans: dict[str, list[tuple[float, float]]] = {}
    for _ in range(RESAMPLES):
        order = rng.permutation(len(truth))
        a, b = order[:n], order[n:]
        data = Judgements(truth[a], judged[a], judged[b])
        naive, human = wilson(judged.sum(), len(judged)), wilson(truth[a].sum(), n)
        plain, tuned = ppi_mean(data, weight=1.0), ppi_mean(data)
        for name, one in (("naive", naive), ("human Wilson", human), ("PPI", plain),
                          ("PPI++", tuned), ("Rogan-Gladen", rogan_gladen(data))):  # fmt: skip
            spans.setdefault(name, []).append((one.low or 0.0, one.high or 1.0))
    for name, values in spans.items():
        low, high = np.array(values).T
        yield {
            "interval": name,
            "labels": n,
            "coverage": round(float(((low <= centre) & (centre <= high)).mean()), 3),
            "width": round(float((high - low).mean()), 3),
        }


def main() -> int:
    """Print both tables; 0 where the known answers are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    met = True
    found = llmbar(folder / "llmbar")
    print("LLMBar, 419 pairs: accuracy (mean of both orders), consistency, first slot")
    for name in sorted(found):
        if name in SHOWN or name.startswith("GPT-4/"):
            one = found[name]
            print(f"  {name:28} n={one['n']:4} {one['accuracy']:.1%}  {one['consistency']:.1%}"
                  f"  {one['first_slot']:.1%}")  # fmt: skip
    vanilla = found["GPT-4/Vanilla"]
    met &= round(100 * vanilla["accuracy"], 1) == 84.5  # noqa: PLR2004 - the published figures
    met &= round(100 * vanilla["consistency"], 1) == 92.8  # noqa: PLR2004
    truth, judged = evouna(folder / "qa_eval_evouna")
    print(f"EVOUNA-NQ, GPT-4: {len(truth)} labels, human {truth.mean():.3f}, "
          f"judge {judged.mean():.3f}")  # fmt: skip
    for n in (100, 200):
        for row in intervals(truth, judged, n):
            print(f"  n={n} {row['interval']:14} coverage {row['coverage']:.3f}"
                  f"  width {row['width']:.3f}")  # fmt: skip
            if n == 200 and row["interval"] == "PPI++":  # noqa: PLR2004
                met &= row["coverage"] >= 0.93  # noqa: PLR2004
    print("known answers met" if met else "known answers NOT met")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
