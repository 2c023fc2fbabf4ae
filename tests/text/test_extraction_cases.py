"""Hand-written texts in both languages, and what must be read out of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.records import Choice, Sample
from harness.text.extract import extractor
from harness.text.numerals import canonical, parse_number

CASES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
PLAIN = ("text", "first_line", "last_line", "boxed", "announced")
"""Kinds of which the answer itself is checked; of the others, the canonical value."""


def load() -> list[Any]:
    """Return every line of every table as a parameter."""
    rows = []
    for path in CASES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            rows.append(pytest.param(json.loads(line), id=f"{path.stem}-{number}"))
    return rows


ROWS = load()


def test_there_are_hundreds_of_cases() -> None:
    """The table holds at least 300 cases, in each language more than 100."""
    texts = [row.values[0]["text"] for row in ROWS]
    chinese = [text for text in texts if any("\u4e00" <= char <= "\u9fff" for char in text)]
    assert len(texts) >= 300
    assert len(chinese) > 100
    assert len(texts) - len(chinese) > 100


@pytest.mark.parametrize("case", ROWS)
def test_case(case: dict[str, Any]) -> None:
    """The extractor finds what a careful reader finds, and its span lies in the text."""
    text, kind, expect = case["text"], case["kind"], case["expect"]
    if kind == "numeral":
        value = parse_number(text)
        assert (None if value is None else canonical(value)) == expect
        return
    choices = tuple(Choice(choice) for choice in case.get("choices", ()))
    found = extractor(kind)(text, Sample("task", "id", "", choices=choices))
    if found is None:
        assert expect is None
        return
    assert (found.answer if kind in PLAIN else found.value) == expect, found
    assert found.rule.partition(":")[0] == kind
    assert 0 <= found.start < found.end <= len(text)
