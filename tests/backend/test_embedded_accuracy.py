"""The embedded models show what a demo needs: three sizes told apart, and where addition stops."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from scipy.stats import binomtest

from harness.backend.embedded.backend import open_embedded
from harness.records import Generation, Message, ModelSpec, Request
from harness.synth.arithmetic import Arithmetic

ADDITION = Path(__file__).parent.parent.parent / "tasks" / "arithmetic" / "addition.yaml"


@pytest.fixture(scope="module")
def hits():
    """For each model and number of digits, whether each addition was answered exactly."""
    data = yaml.safe_load(ADDITION.read_text(encoding="utf-8"))["data"]
    rows = list(Arithmetic()(data["args"], data["seed"]))
    requests = [
        Request(
            messages=(Message("user", f"What is {row['a']} + {row['b']}?"),),
            generation=Generation(max_tokens=16, stop=("\n",)),
        )
        for row in rows
    ]
    found = {}
    for name in ("nano", "micro", "mini"):
        cells = found[name] = defaultdict(list)
        replies = open_embedded(ModelSpec("embedded", name)).compute(requests)
        for row, reply in zip(rows, replies, strict=True):
            cells[row["digits"]].append(reply.text == row["answer"])
    return found


def interval(cells):
    """The 95% Wilson interval of the accuracy over all digits."""
    flat = [hit for cell in cells.values() for hit in cell]
    return binomtest(sum(flat), len(flat)).proportion_ci(method="wilson")


def test_sizes_are_told_apart(hits):
    """The 95% intervals of nano, micro and mini on addition do not touch, in this order."""
    nano, micro, mini = (interval(hits[name]) for name in ("nano", "micro", "mini"))
    assert nano.high < micro.low
    assert micro.high < mini.low


def test_mini_breaks_as_digits_grow(hits):
    """For mini one and two digits are near certain, five and six are beyond it."""
    share = {digits: sum(cell) / len(cell) for digits, cell in hits["mini"].items()}
    assert share[1] >= 0.97
    assert share[2] >= 0.9
    assert share[5] <= 0.05
    assert share[6] <= 0.05
