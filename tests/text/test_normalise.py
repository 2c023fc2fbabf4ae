"""Normalising: which differences between two answers count, and which do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text import options
from harness.text.normalise import (
    fold_width,
    mask_reasoning,
    normalise,
    quasi_exact,
    strip_reasoning,
)
from harness.text.tokens import overlap_tokens, tokens


def test_only_full_width_ascii_is_folded() -> None:
    """U+FF01 to U+FF5E and U+3000 are folded; ①, ², ㎏, Ⅻ and half-width kana are not."""
    folded = fold_width("".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000")
    assert folded == "".join(map(chr, range(0x21, 0x7F))) + " "
    assert fold_width("①²㎏Ⅻｱ￥。、") == "①²㎏Ⅻｱ￥。、"


@given(st.text())
def test_folding_keeps_length_and_is_idempotent(text: str) -> None:
    """Positions in the folded text are positions in the original."""
    folded = fold_width(text)
    assert len(folded) == len(text)
    assert fold_width(folded) == folded


TAGS = st.lists(st.sampled_from(["<think>", "</think>", "<THINKING>", "</thinking>", "x", "\n"]))


@given(TAGS.map("".join))
def test_masking_keeps_length_and_removes_all_reasoning(text: str) -> None:
    """Masked and stripped reasoning leave the same words, and no tag."""
    masked = mask_reasoning(text)
    assert len(masked) == len(text)
    assert "think" not in masked.lower()
    assert "".join(masked.split()) == "".join(strip_reasoning(text).split())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>a</think>b", "b"),
        ("<think>a", ""),
        ("a</think>b", "b"),
        ("<thinking>a</thinking> b", "b"),
        ("x<think>a</think>y<think>b</think>z", "xyz"),
        ("<think>a<think>b</think>c</think>d", "d"),
        ("a</think>b</think>c", "c"),
        ("<think></think>", ""),
        ("<Think>a</THINK>b", "b"),
        ("no tags", "no tags"),
    ],
)
def test_reasoning_is_stripped(text: str, left: str) -> None:
    """Closed, nested, unclosed and unopened reasoning is left out."""
    assert strip_reasoning(text) == left


@pytest.mark.parametrize(
    ("answer", "target", "language", "same"),
    [
        ("The Beatles!", "beatles", "en", True),
        ("an  apple", "Apple.", "en", True),
        ("New York", "new-york", "en", False),
        ("1.5", "15", "en", False),
        ("-5", "5", "en", False),
        ("1,000", "1000", "en", True),
        ("the", "a", "en", False),
        ("The", "the ", "en", True),
        ("!", "?", "en", False),
        ("５", "5", "en", True),
        ("《红楼梦》。", "红楼梦", "zh", True),
        ("「北京」！", " 北 京 ", "zh", True),
        ("是的，没错？", "是的没错", "zh-Hans", True),
        ("Ｂ：对", "B对", "zh", True),
        ("北京", "上海", "zh", False),
        ("New York 市", "new york市", "zh", True),
        ("3.5万", "35万", "zh", False),
        ("the 北京", "北京", "zh", False),
    ],
)
def test_quasi_exact(answer: str, target: str, language: str, *, same: bool) -> None:
    """Case, punctuation, articles, width and space do not count; digits and signs do."""
    assert quasi_exact(answer, target, language) is same


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    """The normal form of Chinese text is its own normal form."""
    once = normalise(text, "zh")
    assert normalise(once, "zh") == once


def test_tokens_are_words_and_ideographs() -> None:
    """English goes by word, Chinese by character, mixed text by both."""
    assert tokens("I don't pay 3.5 dollars.") == ["i", "don't", "pay", "3.5", "dollars"]
    assert tokens("我爱Python３，真的") == ["我", "爱", "python3", "真", "的"]
    assert tokens("") == []
    assert overlap_tokens("The cat, the hat") == ["cat", "hat"]
    assert overlap_tokens("《红楼梦》", "zh") == ["红", "楼", "梦"]


def test_options_are_lettered() -> None:
    """A block lists options from A, and names lead back to their index."""
    assert options.options_block(["x", "y"]) == "A. x\nB. y"
    assert options.options_block([]) == ""
    assert [options.index(name) for name in ("A", "b", "丙", "④")] == [0, 1, 2, 3]
    assert [options.index(options.letter(i)) for i in range(26)] == list(range(26))


def test_letters_end_at_z() -> None:
    """An index without a letter, and a name without an option, are refused."""
    for index in (-1, 26):
        with pytest.raises(ValueError, match="from 0 to 25"):
            options.letter(index)
    for name in ("", "AB", "?"):
        with pytest.raises(ValueError, match="no option"):
            options.index(name)
