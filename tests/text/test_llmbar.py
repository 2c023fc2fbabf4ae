"""LLMBar's recorded judge texts: our reading of the chosen output must match the published one."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from harness.records import Choice, Sample
from harness.text.letter import letter

SAMPLE = Sample("llmbar", "id", "", choices=(Choice("output one"), Choice("output two")))


def test_published_verdicts_are_reproduced() -> None:
    """All 1,147 judge texts with a published winner are read as published, none otherwise."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("HARNESS_DATA", root.parent / "shared" / "data"))
    path = folder / "llmbar" / "completion_sample.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is absent: set HARNESS_DATA to the folder that holds llmbar/")
    agreed: Counter[bool] = Counter()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            published = {"1": "A", "2": "B"}.get(str(row["winner"]))
            if published is None or not row["completion"]:
                continue
            if "True" in row["order"]:  # the outputs were swapped, the winner is mapped back
                published = {"A": "B", "B": "A"}[published]
            found = letter(row["completion"], SAMPLE)
            agreed[found is not None and found.value == published] += 1
    assert agreed == Counter({True: 1147})
