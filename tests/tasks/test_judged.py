"""The tasks that need a judge: enough rows, of the length and form that they promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.judge.spec import find_judge

TASKS = Path(__file__).parent.parent.parent / "tasks"
ROWS = sorted((TASKS / "judged" / "rows").glob("*.jsonl"))
LEAST = 12


def rows(name: str) -> list[dict]:
    """Return the rows of one file."""
    text = (TASKS / "judged" / "rows" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_every_task_has_a_dozen_rows_and_no_row_twice(path):
    """Every language and direction; nothing is empty."""
    found = rows(path.name)
    assert len(found) >= LEAST
    first = [next(value for key, value in row.items() if key != "idiom") for row in found]
    assert len(set(first)) == len(found)
    assert all(value for row in found for value in row.values())


def test_each_language_has_as_many_rows():
    """English and Chinese are asked alike."""
    for kind in ("summary", "explanation"):
        assert len(rows(f"{kind}-en.jsonl")) == len(rows(f"{kind}-zh.jsonl"))
    for kind in ("idioms", "sentences"):
        assert len(rows(f"{kind}-en-zh.jsonl")) == len(rows(f"{kind}-zh-en.jsonl"))


@pytest.mark.parametrize(("name", "least", "most"), [("en", 80, 150), ("zh", 140, 260)])
def test_what_is_summarised_is_long_enough_to_lose_something(name, least, most):
    """80 to 150 words, or as much in characters, with three or four facts to keep."""
    for row in rows(f"summary-{name}.jsonl"):
        text = row["text"]
        length = len(text.split()) if name == "en" else len(text)
        assert least <= length <= most, text[:40]
        facts = row["facts"].replace("；", ";").split(";")
        assert 2 <= len(facts) <= 5, text[:40]
        assert len(row["facts"]) < 0.75 * len(text), text[:40]


def test_an_idiom_stands_in_its_sentence():
    """A Chinese idiom as it is; an English one by the first letters of one of its words."""
    for row in rows("idioms-zh-en.jsonl"):
        assert row["idiom"] in row["source"], row["idiom"]
    for row in rows("idioms-en-zh.jsonl"):
        words = {word[:3] for word in row["idiom"].casefold().split() if len(word) > 2}
        assert any(word in row["source"].casefold() for word in words - {"the"}), row["idiom"]


def test_scripted_answers_need_no_judge(harness):
    """The accepted answer is right without asking, an empty one wrong: programs go first."""
    judges = [f"--judge={name}=scripted/perfect"
              for name in ("translation", "explanation", "summary")]  # fmt: skip
    done = harness("run", "judged/*", "--model", "scripted/oracle", "--json", *judges)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    scores = {cell["task"]: cell["value"] for cell in found["cells"] if cell["metric"] == "judged"}
    assert len(scores) == 8
    assert set(scores.values()) == {1.0}
    assert {judge["usage"]["requests"] for judge in found["judges"].values()} == {0}


def test_every_judge_that_the_tasks_name_ships():
    """And each fills the metric that its task reports."""
    for path in (TASKS / "judged").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        name = next(line[7:] for line in text.splitlines() if line.startswith("judge: "))
        assert find_judge(name, [TASKS / "judges"]).metric == "judged"
