"""How much of a reference text an answer repeats: BLEU, chrF and ROUGE-L, per sample.

The best of several references counts, and the value of a set is the mean over its samples.
Corpus BLEU, which pools n-grams before dividing, is another number. BLEU and chrF come from
sacrebleu (Post 2018), an extra package; ROUGE-L is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from harness.errors import UsageError
from harness.records import Outcome, Score
from harness.score.metric import MeanMetric
from harness.text.tokens import overlap_tokens

LONGEST = 2000
"""Tokens of a text that ROUGE-L looks at: its cost grows with the product of both lengths."""
Similarity = Callable[[str, str, str], float]
"""(answer, reference, language) to a number in 0…1."""


def common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the length of the longest common subsequence (Hunt & Szymanski 1977 give the table).

    >>> common_subsequence("police killed the gunman".split(), "police kill the gunman".split())
    3
    """
    row = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for j, other in enumerate(right, 1):
            kept = row[j]
            row[j] = before + 1 if one == other else max(kept, row[j - 1])
            before = kept
    return row[-1]


def rouge_l(answer: str, reference: str, language: str = "en") -> float:
    """Return the F1 of the longest common subsequence of words (ROUGE-L, Lin 2004, with β = 1).

    2·LCS / (m + n); Chinese characters count as words. Words are normalised as for F1, without
    stemming; 0 where either text has none.

    >>> rouge_l("police killed gunman", "police kill gunman")
    0.6666666666666666
    """
    said = overlap_tokens(answer, language)[:LONGEST]
    wanted = overlap_tokens(reference, language)[:LONGEST]
    if not said or not wanted:
        return 0.0
    return 2 * common_subsequence(said, wanted) / (len(said) + len(wanted))


def _sacrebleu() -> Any:
    try:
        return import_module("sacrebleu")
    except ModuleNotFoundError as error:
        raise UsageError(
            "sentence_bleu and chrf need the package 'sacrebleu'; pip install 'harness[text]'"
        ) from error


def sentence_bleu(answer: str, reference: str, language: str = "en") -> float:
    """Return sacrebleu's sentence BLEU over 100 (exponential smoothing, effective order).

    Chinese is split into characters (`tokenize="zh"`), other languages by the mteval rules (13a).
    """
    tokenize = "zh" if language.startswith("zh") else "13a"
    found = _sacrebleu().sentence_bleu(answer, [reference], tokenize=tokenize)
    return min(float(found.score) / 100, 1.0)  # 100.00000000000004 for equal texts


def chrf(answer: str, reference: str, language: str = "en") -> float:
    """Return sacrebleu's sentence chrF2 over 100 (Popović 2015): character 1- to 6-grams, β = 2."""
    del language
    return min(float(_sacrebleu().sentence_chrf(answer, [reference]).score) / 100, 1.0)


def _best(similarity: Similarity) -> Callable[[Outcome, Score], float | None]:
    def value(outcome: Outcome, score: Score) -> float | None:
        if score.answer is None:
            return 0.0
        answer, sample = score.answer, outcome.sample
        return max((similarity(answer, t, sample.language) for t in sample.target), default=0.0)

    return value


ROUGE_L = MeanMetric("rouge_l", "accuracy", _best(rouge_l), interval="mean")
SENTENCE_BLEU = MeanMetric("sentence_bleu", "accuracy", _best(sentence_bleu), interval="mean")
CHRF = MeanMetric("chrf", "accuracy", _best(chrf), interval="mean")
