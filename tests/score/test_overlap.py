"""BLEU, chrF and ROUGE-L: textbook numbers."""

from __future__ import annotations

import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.records import Outcome, Response, Sample, Transcript
from harness.records import Score as Scored
from harness.score import overlap

words = st.lists(st.sampled_from("abc"), max_size=6)


def longest(left: list[str], right: list[str]) -> int:
    """Return the longest common subsequence by trying all of them."""
    return max(
        size
        for size in range(len(left) + 1)
        for picked in itertools.combinations(left, size)
        if any(picked == other for other in itertools.combinations(right, size))
    )


@given(words, words)
def test_the_table_finds_the_longest_common_subsequence(left, right):
    """As trying every subsequence does, in either order."""
    assert overlap.common_subsequence(left, right) == longest(left, right)
    assert overlap.common_subsequence(right, left) == longest(left, right)


@pytest.mark.parametrize(
    ("answer", "reference", "language", "value"),
    [
        # Lin (2004), section 3.1: "police" and "gunman" of three words each
        ("police kill gunman", "police killed gunman", "en", 2 / 3),
        ("gunman kill police", "police killed gunman", "en", 1 / 3),
        ("The cat sat.", "cat sat", "en", 1.0),
        ("", "cat", "en", 0.0),
        ("今天很冷", "今天不冷", "zh", 3 / 4),
    ],
)
def test_rouge_l_by_hand(answer, reference, language, value):
    """2·LCS / (m + n), over words or Chinese characters."""
    assert overlap.rouge_l(answer, reference, language) == pytest.approx(value)


def test_the_best_reference_counts_and_no_answer_scores_zero():
    """As with the other measures of correctness."""
    sample = Sample("t", "s", "q", target=("a dog ran", "the cat sat"))
    outcome = Outcome(sample, (), Transcript((Response(text="cat sat"),)))
    said = Scored("ok", {}, output="cat sat", answer="cat sat")
    assert overlap.ROUGE_L.score(outcome, said) == 1.0
    assert overlap.ROUGE_L.score(outcome, Scored("unparsed", {})) == 0.0


def test_sacrebleu_gives_bleu_and_chrf():
    """Equal texts score 1; BLEU of 6 words with one wrong is (5/6·3/5·2/4·1/3)^¼."""
    pytest.importorskip("sacrebleu")
    said, wanted = "the cat sat on a mat", "the cat sat on the mat"
    assert overlap.sentence_bleu(said, wanted) == pytest.approx((5 / 6 * 3 / 5 * 2 / 4 / 3) ** 0.25)
    assert overlap.sentence_bleu("我今天很高兴", "我今天很高兴", "zh") == pytest.approx(1.0)
    assert overlap.chrf(said, said) == 1.0
    assert 0 < overlap.chrf(said, wanted) < 1


@pytest.mark.parametrize("measure", [overlap.sentence_bleu, overlap.chrf])
def test_without_sacrebleu_it_says_what_to_install(measure, monkeypatch):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(UsageError, match=r"harness\[text\]"):
        measure("a", "b")
