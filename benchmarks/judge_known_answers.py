"""Known answers on recorded verdicts and human labels: LLMBar and EVOUNA, from local copies.

    python -m benchmarks.judge_known_answers --data FOLDER [--write]

FOLDER holds `llmbar/verdicts.csv.gz` and `qa_eval_evouna/NQ.json.gz`. For LLMBar: accuracy and
consistency of recorded judges. For EVOUNA-NQ, with a judge that looks for an accepted answer as a
substring: coverage and width of the naive, the human and the corrected intervals over random
subsets of the labels, in the textbook form (normal quantiles) and in ours; and what happens where
one system's sensitivity and specificity are carried to another.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import string
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from harness.judge.forms import PUBLIC
from harness.stats.agreement import swap_agreement
from harness.stats.intervals import Interval, normal_quantile, wilson
from harness.stats.ppi import Corrected, Judgements, ppi_mean, rogan_gladen

LLMBAR = ("Natural", "Adversarial/Neighbor", "Adversarial/GPTInst", "Adversarial/GPTOut",
          "Adversarial/Manual")  # fmt: skip
SHOWN = ("GPT-4/Vanilla", "GPT-4/CoT", "ChatGPT/Vanilla", "ChatGPT-0301/Vanilla", "Falcon/CoT")
SYSTEMS = ("fid", "gpt35", "chatgpt", "gpt4", "newbing")
RESAMPLES = 800
LABELS = (50, 100, 200)
RESULTS = Path(__file__).parent / "results" / "judge_known_answers.md"
KNOWN = {
    100: {"naive": (0.00, 0.035), "human Wilson": (0.94, 0.158), "PPI textbook": (0.92, 0.150),
          "PPI++ textbook": (0.91, 0.121), "Rogan-Gladen textbook": (0.94, 0.211)},
    200: {"naive": (0.00, 0.035), "human Wilson": (0.97, 0.112), "PPI textbook": (0.96, 0.111),
          "PPI++ textbook": (0.96, 0.087), "Rogan-Gladen textbook": (0.95, 0.148)},
}  # fmt: skip
"""Coverage and width that were found before on the same labels, with other random subsets."""
SLACK = (0.04, 0.004)
"""Of coverage (over three standard errors of a difference of two runs of 800) and of width."""


def llmbar(folder: Path) -> dict[str, dict[str, float]]:
    """Return accuracy (mean of both orders), consistency and first-slot share by evaluator."""
    rows: dict[str, list[tuple[float, float, bool]]] = {}
    with gzip.open(folder / "verdicts.csv.gz", "rt", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["subset"] in LLMBAR:
                one, two = (_share(row[f"winner_order{k}"], row["label"]) for k in (1, 2))
                first = row["label"] == "1"
                rows.setdefault(row["evaluator"], []).append((one, two, first))
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
        for made in PUBLIC["evouna"].read(row, system):
            truth.append(made["label"] == "correct")
            told = _bare(made["answer"] or "")
            judged.append(any(_bare(ref) in told for ref in made["reference"] if _bare(ref)))
    return np.array(truth, float), np.array(judged, float)


def _bare(text: str) -> str:
    """Return a text in lower case without articles, with a space for every mark.

    SQuAD's own normalisation takes marks out without a space, which joins "Jack-Knife" into one
    word: with it the judge's share is .617 in place of .622.
    """
    low = "".join(" " if char in string.punctuation else char for char in text.lower())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", low).split())


def spans(data: Judgements) -> Iterator[tuple[str, float, float]]:
    """Yield the name and the ends of each interval for one random subset of labels."""
    truth, judged, rest = (np.asarray(values) for values in data[:3])
    everyone = np.concatenate([judged, rest])
    plain, tuned, inverted = ppi_mean(data, weight=1.0), ppi_mean(data), rogan_gladen(data)
    naive, human = wilson(everyone.sum(), len(everyone)), wilson(truth.sum(), len(truth))
    ours: dict[str, Interval | Corrected] = {
        "naive": naive, "human Wilson": human, "PPI": plain, "PPI++": tuned,
        "Rogan-Gladen": inverted,
    }  # fmt: skip
    yield from ((name, one.low or 0.0, one.high or 1.0) for name, one in ours.items())
    for name, found in (("PPI textbook", plain), ("PPI++ textbook", tuned)):
        yield name, *_symmetric(found)
    yield "Rogan-Gladen textbook", *_unshifted(truth, judged, everyone)


def _symmetric(found: Corrected) -> tuple[float, float]:
    half = normal_quantile(0.95) * (found.stderr or 0.0)
    return (found.value or 0.0) - half, (found.value or 0.0) + half


def _unshifted(truth: np.ndarray, judged: np.ndarray, everyone: np.ndarray) -> tuple[float, float]:
    """Return the adjusted interval of Lee et al. 2025 without its small-sample shift."""
    z = normal_quantile(0.95)
    positives, negatives, n = (truth == 1).sum(), (truth == 0).sum(), len(everyone)
    p = (everyone.sum() + z**2 / 2) / (n + z**2)
    q1 = (judged[truth == 1].sum() + 1) / (positives + 2)
    q0 = ((1 - judged)[truth == 0].sum() + 1) / (negatives + 2)
    value = (p + q0 - 1) / (q0 + q1 - 1)
    variance = (
        p * (1 - p) / (n + z**2)
        + (1 - value) ** 2 * q0 * (1 - q0) / (negatives + 2)
        + value**2 * q1 * (1 - q1) / (positives + 2)
    ) / (q0 + q1 - 1) ** 2
    return value - z * variance**0.5, value + z * variance**0.5


def intervals(truth: np.ndarray, judged: np.ndarray, n: int) -> dict[str, tuple[float, float]]:
    """Return coverage and mean width of each interval over random subsets of n labels."""
    rng = np.random.default_rng(0)
    centre = float(truth.mean())
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(RESAMPLES):
        order = rng.permutation(len(truth))
        a, b = order[:n], order[n:]
        for name, low, high in spans(Judgements(truth[a], judged[a], judged[b])):
            found.setdefault(name, []).append((float(low <= centre <= high), high - low))
    return {name: tuple(np.mean(values, axis=0)) for name, values in found.items()}


def rates(truth: np.ndarray, judged: np.ndarray) -> tuple[float, float]:
    """Return sensitivity and specificity over all labels."""
    return float(judged[truth == 1].mean()), float(1 - judged[truth == 0].mean())


def carried(sides: Mapping[str, tuple[np.ndarray, np.ndarray]], source: str) -> dict[str, float]:
    """Return the bias of each other system's score, corrected by the rates of `source`."""
    sensitivity, specificity = rates(*sides[source])
    return {
        name: float((judged.mean() + specificity - 1) / (sensitivity + specificity - 1))
        - float(truth.mean())
        for name, (truth, judged) in sides.items()
        if name != source
    }


def report(folder: Path) -> tuple[list[str], list[str]]:
    """Return the lines of the report, and what of it misses the known answers."""
    wrong: list[str] = []
    found = llmbar(folder / "llmbar")
    lines = ["## LLMBar, 419 pairs, recorded verdicts", "",
             "| evaluator | n | accuracy, mean of both orders | consistency | first slot |",
             "|---|---|---|---|---|"]  # fmt: skip
    for name in sorted(found):
        if name in SHOWN or name.startswith("GPT-4/"):
            one = found[name]
            lines.append(f"| {name} | {one['n']} | {one['accuracy']:.1%} | "
                         f"{one['consistency']:.1%} | {one['first_slot']:.1%} |")  # fmt: skip
    vanilla = found["GPT-4/Vanilla"]
    for key, known in (("accuracy", 84.5), ("consistency", 92.8)):
        if round(100 * vanilla[key], 1) != known:
            wrong.append(f"LLMBar GPT-4/Vanilla {key}: {vanilla[key]:.3f}, known {known}")
    sides = {name: evouna(folder / "qa_eval_evouna", name) for name in SYSTEMS}
    return [*lines, "", *_evouna_lines(sides, wrong)], wrong


def _evouna_lines(
    sides: Mapping[str, tuple[np.ndarray, np.ndarray]], wrong: list[str]
) -> Iterator[str]:
    truth, judged = sides["gpt4"]
    if (round(truth.mean(), 3), round(judged.mean(), 3)) != (0.788, 0.622):
        wrong.append(f"EVOUNA shares {truth.mean():.3f}, {judged.mean():.3f}, known .788, .622")
    yield f"## EVOUNA-NQ, answers of GPT-4: {len(truth):,} labels, {RESAMPLES} resamples"
    yield ""
    yield f"People call {truth.mean():.3f} right, the judge {judged.mean():.3f}. *Before*: what was"
    yield "found earlier on the same labels with other subsets, by normal quantiles and without a"
    yield "shift (*textbook*). A coverage of 800 resamples has a standard error of .008 to .010."
    yield ""
    yield "| labels | interval | coverage | width | before |"
    yield "|---|---|---|---|---|"
    for n in LABELS:
        for name, (coverage, width) in intervals(truth, judged, n).items():
            known = KNOWN.get(n, {}).get(name)
            before = f"{known[0]:.2f} / {known[1]:.3f}" if known else ""
            yield f"| {n} | {name} | {coverage:.3f} | {width:.3f} | {before} |"
            if known and (abs(coverage - known[0]) > SLACK[0] or abs(width - known[1]) > SLACK[1]):
                wrong.append(f"EVOUNA n={n} {name}: {coverage:.3f} / {width:.3f}, known {known}")
            if n == LABELS[-1] and name == "PPI++" and coverage < 0.93:  # noqa: PLR2004
                wrong.append(f"PPI++ covers {coverage:.3f} at {n} labels")
    yield ""
    yield "| system | people | judge | sensitivity | specificity | bias by the rates of fid |"
    yield "|---|---|---|---|---|---|"
    biases = carried(sides, "fid")
    for name, side in sides.items():
        sensitivity, specificity = rates(*side)
        bias = f"{biases[name]:+.3f}" if name in biases else ""
        yield (f"| {name} | {side[0].mean():.3f} | {side[1].mean():.3f} | {sensitivity:.3f} "
               f"| {specificity:.3f} | {bias} |")  # fmt: skip


def main() -> int:
    """Print both tables; 0 where the known answers are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="keep the tables in results/")
    options = parser.parse_args()
    lines, wrong = report(options.data)
    print("\n".join(lines))
    print("\n".join(wrong) or "known answers met")
    if options.write:
        head = ["# Known answers on recorded verdicts", "",
                "`python -m benchmarks.judge_known_answers --data FOLDER --write`; FOLDER holds",
                "local copies of LLMBar's verdicts and of EVOUNA.", ""]  # fmt: skip
        RESULTS.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
