"""Which stretches of an input no perturbation may touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.task.protect import protected_spans


@pytest.mark.parametrize(
    ("text", "row", "answers", "expected"),
    [
        ("What is 12 + -3.5?", {}, (), ["12", "-3.5"]),
        ("In 1,234,567 of 3.", {}, (), ["1,234,567", "3"]),
        ("Paris or Parisian paris?", {}, ("Paris",), ["Paris", "paris"]),
        ("中国的首都是北京吗", {}, ("北京",), ["北京"]),
        ("the carrots, the stew", {"c": ["the carrots", 3, ""]}, (), ["the carrots"]),
        ("a x b", {"n": "7", "s": "a x"}, (), []),
        ("value 7e5 is 7e5", {"n": "1", "f": True}, (), ["7", "5", "7", "5"]),
        ("ab", {}, ("a", "b", ""), []),
        ("a b", {}, ("a b", "b"), ["a b"]),
        ("İx yes", {}, ("yes",), ["yes"]),
        ("x" * 300, {"l": ["x" * 300]}, ("x" * 300,), []),
        ("total 1.0 now", {"v": 1.0}, (), ["1.0"]),
    ],
)
def test_protected(text, row, answers, expected):
    """Numerals, numbers of the row, answers and listed texts are protected as whole words."""
    assert [text[a:b] for a, b in protected_spans(text, row, answers)] == expected


@given(st.text(max_size=60), st.lists(st.text(max_size=5), max_size=4))
def test_spans_are_sorted_and_apart(text, answers):
    """Stretches are in order, do not touch, and lie within the text."""
    last = -1
    for start, end in protected_spans(text, {"l": answers}, answers):
        assert last < start < end <= len(text)
        last = end
