"""Spaces, punctuation, invisible characters, width."""

from __future__ import annotations

import re

import pytest

from harness.identity import CounterRandom
from harness.perturb.marks import FullWidth, HalfWidth, Punctuation, Spaces, ZeroWidth
from harness.records import Sample


def sample(text: str, language: str = "en", **more: object) -> Sample:
    """A question."""
    return Sample("t", "1", text, language=language, **more)  # type: ignore[arg-type]


def test_spaces_are_one_to_three() -> None:
    """Runs of spaces change length only; line starts and line ends stay."""
    text = "a b  c\n  d e \n"
    for seed in range(20):
        after = Spaces()(sample(text), CounterRandom(seed)).input
        assert re.fullmatch(r"a {1,3}b {1,3}c\n  d {1,3}e \n", after)


def test_spaces_between_scripts() -> None:
    """In Chinese, spaces come where Chinese meets Latin letters or digits, and nowhere else."""
    after = Spaces(rate=1.0)(sample("用iPhone拍了12张，真好", "zh"), CounterRandom(0)).input
    assert after == "用 iPhone 拍了 12 张，真好"
    assert Spaces(rate=1.0)(sample("用iPhone"), CounterRandom(0)).input == "用iPhone"
    assert Spaces(rate=0.0)(sample("用iPhone", "zh"), CounterRandom(0)).input == "用iPhone"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("Who?", {"Who", "Who??"}),
        ("谁？\n答案：", {"谁\n答案：", "谁？？\n答案："}),
        ("Wait...", {"Wait..."}),
        ("?", {"?"}),
        ("It is _.", {"It is _."}),
        ("no end", {"no end"}),
    ],
)
def test_final_mark(text: str, allowed: set[str]) -> None:
    """The mark that ends the question is dropped or doubled; an ellipsis or a blank stays."""
    after = {Punctuation()(sample(text), CounterRandom(seed)).input for seed in range(20)}
    assert after == allowed


def test_commas_swap_but_not_in_numbers() -> None:
    """Commas change width; the comma in 1,250 is part of the number."""
    after = Punctuation(rate=1.0)(sample("a, b，1,250, x"), CounterRandom(0)).input
    assert after == "a， b,1,250， x"
    same = Punctuation(rate=0.0)(sample("a, b"), CounterRandom(0))
    assert same.spans == ()


def test_invisible_characters_keep_off_digits() -> None:
    """They stand between letters only, and taking them out gives the old text."""
    after = ZeroWidth(rate=1.0)(sample("ab12c 中文 नमस्ते"), CounterRandom(0)).input
    assert re.sub("[\u200b\u200d]", "", after) == "ab12c 中文 नमस्ते"
    assert re.findall(r"(.)[\u200b\u200d](.)", after) == [("a", "b"), ("中", "文")]


def test_width_both_ways() -> None:
    """Full-width and back is the same; a protected number keeps its form."""
    one = sample("价格12元,用VISA付?", "zh", protected=((2, 4),))
    full = FullWidth()(one, CounterRandom(0))
    assert full.input == "价格12元，用ＶＩＳＡ付？"
    assert HalfWidth()(full, CounterRandom(0)).input == one.input
    assert FullWidth()(sample("abc"), CounterRandom(0)).input == "abc"
    assert HalfWidth()(sample("ａ"), CounterRandom(0)).input == "ａ"
