"""GSM8K's graded solutions of four models: our reading must reproduce every published flag."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.records import Sample
from harness.text.extract import same_answer
from harness.text.number import number

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
SAMPLE = Sample("gsm8k", "id", "")


def data() -> Path:
    """Return where the public sets lie: beside the repository, or where HARNESS_DATA says."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("HARNESS_DATA", root.parent / "shared" / "data")) / "gsm8k"


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of one file; skip where it is absent."""
    path = data() / name
    if not path.exists():
        pytest.skip(f"{name} is absent: set HARNESS_DATA to the folder that holds gsm8k/")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_every_published_flag_is_reproduced() -> None:
    """All 4 x 1,319 correctness flags and all four accuracies come out as published."""
    right: Counter[str] = Counter()
    agreed = 0
    graded = rows("example_model_solutions.jsonl.gz")
    for row in graded:
        gold = number(row["ground_truth"], SAMPLE)
        assert gold is not None
        for model in MODELS:
            found = number(row[model]["solution"], SAMPLE)
            correct = found is not None and same_answer(found, gold.answer)
            agreed += correct == row[model]["is_correct"]
            right[model] += correct
    assert agreed == 5276
    shares = [round(100 * right[model] / len(graded), 2) for model in MODELS]
    assert shares == [21.68, 39.04, 34.72, 56.25]


def test_gold_answers_stand_after_the_hashes() -> None:
    """All 1,319 reference answers are read at their marker, whatever numbers go before."""
    for row in rows("test.jsonl.gz"):
        found = number(row["answer"], SAMPLE)
        assert found is not None
        assert found.rule == "number:hashes"
        assert found.answer == row["answer"].rpartition("####")[2].strip()
