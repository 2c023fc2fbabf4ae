"""No training text holds an item of the core arithmetic tasks (cells of two digits and more)."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import pytest
import yaml

from harness.synth.arithmetic import Arithmetic

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = 50_000
SIGNS = {
    "+": ("+", "plus", "加"),
    "-": ("-", "minus", "减"),
    "*": ("*", "×", "times", "乘以"),
    "/": ("/", "÷", "divided by", "除以"),
}
SIGN_OF = {written: sign for sign, forms in SIGNS.items() for written in forms}
EXPRESSION = re.compile(
    r"(\d+)\s*(" + "|".join(map(re.escape, SIGN_OF)) + r")\s*(?=(\d+))", re.IGNORECASE
)


@pytest.fixture
def training(monkeypatch):
    """Make the top-level folder `training`, which is not installed, importable."""
    monkeypatch.syspath_prepend(str(ROOT))
    pytest.importorskip("training", reason="the sources of the training are not here")
    from training import corpus, document, holdout

    return corpus, document, holdout


def core_items():
    """The held-out items as triples, made here from the task files, in both operand orders."""
    items = set()
    for path in (ROOT / "tasks" / "arithmetic").glob("*.yaml"):
        task = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "core" not in task["tags"]:
            continue
        data = task["data"]
        for row in Arithmetic()(data["args"], data["seed"]):
            if row["digits"] >= 2:
                items.add((row["a"], row["operator"], row["b"]))
                items.add((row["b"], row["operator"], row["a"]))
    return items


def expressions(text):
    """Every 'number sign number' in a text, however it is spaced or named, as triples."""
    return {
        (int(a), SIGN_OF[" ".join(sign.lower().split())], int(b))
        for a, sign, b in EXPRESSION.findall(text)
    }


def found(training, excluded):
    """The core items that occur in the first documents of a corpus, and all its expressions."""
    corpus, document, _ = training
    seen = set()
    for made in islice(corpus.documents(0, excluded), DOCUMENTS):
        seen |= expressions(document.plain(made))
    return seen & core_items(), seen


def test_scan_reads_every_way_of_writing():
    """The scan finds an expression however the corpus writes it, chained ones too."""
    text = "12+34=46 WHAT IS 5  Plus 6? 7 乘以 8 是多少？ 99 divided by 9; 1 - 2 - 3"
    assert expressions(text) == {
        (12, "+", 34), (5, "+", 6), (7, "*", 8), (99, "/", 9), (1, "-", 2), (2, "-", 3)
    }  # fmt: skip


def test_held_out_keys_are_the_core_items(training):
    """The generator's filter holds exactly the core tasks' items, in both orders."""
    _, _, holdout = training
    assert holdout.held_out() == {holdout.item_key(*item) for item in core_items()}


def test_corpus_holds_no_core_item(training):
    """In 50,000 documents no held-out item is written in any format."""
    _, _, holdout = training
    leaked, seen = found(training, holdout.held_out())
    assert leaked == set()
    assert len(seen) > 10_000


def test_without_the_filter_core_items_come(training):
    """With the filter off the same scan finds held-out items: the check above can fail."""
    leaked, _ = found(training, frozenset())
    assert len(leaked) > 100
