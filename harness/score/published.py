r"""The scoring rules of published definitions, where they differ from our own.

Each follows a task of lm-evaluation-harness 0.4.13 (`exact_match` with its options, api/metrics.py;
`acc` and `perplexity` of output type `loglikelihood`). Unlike there, white space at both ends of
an answer is left out of account.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.records import Extraction, Outcome, Score
from harness.score.metric import MeanMetric, WholeSetMetric
from harness.text.extract import same_answer
from harness.text.normalise import mask_reasoning, strip_reasoning
from harness.text.number import number

if TYPE_CHECKING:
    import numpy as np

Clean = Callable[[str], str]

_punctuation = str.maketrans("", "", string.punctuation)
_article = re.compile(r"\b(?:The |the |An |A |a |an )")
_hashes = re.compile(r"#### (-?[0-9.,]+)")
_figures = re.compile(r"-?[$0-9.,]{2,}|-?[0-9]+")


def plain(text: str) -> str:
    """Return `text` in lower case without ASCII punctuation (task `triviaqa`).

    >>> plain("The U.S.A.")
    'the usa'
    """
    return text.lower().translate(_punctuation).strip()


def plain_without_articles(text: str) -> str:
    """Return `text` as `plain`, articles that a space follows left out first (task `nq_open`).

    >>> plain_without_articles("The Moon")
    'moon'
    """
    return plain(_article.sub("", text))


def figure(text: str) -> str:
    """Return the figure of a GSM8K answer: after the last "#### ", bare of `,`, `$` and a last `.`.

    >>> figure("6 * 7 = 42" + chr(10) + "#### $1,042.")
    '1042'
    """
    bare = text.replace(",", "").replace("$", "")
    return bare.rpartition("#### ")[2].strip().removesuffix(".").lower()


def bare_line(text: str) -> str:
    r"""Return `text` without a last full stop, commas, line ends, backslashes and double quotes.

    In lower case (tasks `bbh_zeroshot_*`).

    >>> bare_line('"Yes".')
    'yes'
    """
    bare = text.strip().removesuffix(".")
    return re.sub(r'[,\n\\"]', "", bare).strip().lower()


def _answer(clean: Clean) -> Callable[[Outcome, Score], float | None]:
    """Compare what was extracted with each accepted answer, both cleaned."""

    def same(outcome: Outcome, score: Score) -> float | None:
        if score.answer is None:
            return 0.0
        said = clean(score.answer)
        return float(any(said == clean(target) for target in outcome.sample.target))

    return same


def _whole(outcome: Outcome, score: Score) -> float | None:
    """Compare the whole reply, whatever was extracted from it."""
    said = bare_line(strip_reasoning(score.output))
    return float(any(said == bare_line(target) for target in outcome.sample.target))


def _gsm8k(pattern: re.Pattern[str], which: int) -> Callable[[Outcome, Score], float | None]:
    """Compare match number `which` of `pattern` in the reply with the reference solution."""

    def same(outcome: Outcome, score: Score) -> float | None:
        found = [match[match.lastindex or 0] for match in
                 pattern.finditer(mask_reasoning(score.output))]  # fmt: skip
        if not found:
            return 0.0
        said = figure(found[which])
        return float(any(said == figure(target) for target in outcome.sample.target))

    return same


def _final_number(outcome: Outcome, score: Score) -> float | None:
    """Compare by value the number read from the reply with that of the reference solution."""
    if score.answer is None or score.extraction is None:
        return 0.0
    golds = [number(target, outcome.sample) for target in outcome.sample.target]
    return float(any(_same(score.extraction, gold) for gold in golds))


def _same(found: Extraction, gold: Extraction | None) -> bool:
    return gold is not None and same_answer(found, gold.answer)


def _greedy(outcome: Outcome, _: Score) -> float | None:
    if outcome.transcript is None or not outcome.transcript.choices:
        return None
    greedy = outcome.transcript.choices[0].greedy
    return None if greedy is None else float(greedy)


def _loglikelihood(outcome: Outcome, _: Score) -> float | None:
    if outcome.transcript is None or not outcome.transcript.choices:
        return None
    return outcome.transcript.choices[0].loglikelihood


def perplexity(loglikelihoods: np.ndarray) -> float | None:
    """Return exp(-mean ℓ) of whole targets, not of tokens; None of nothing."""
    return math.exp(-float(loglikelihoods.mean())) if len(loglikelihoods) else None


PLAIN_MATCH = MeanMetric("plain_match", "accuracy", _answer(plain))
PLAIN_MATCH_NO_ARTICLES = MeanMetric(
    "plain_match_no_articles", "accuracy", _answer(plain_without_articles)
)
FINAL_NUMBER = MeanMetric("final_number", "accuracy", _final_number)
GSM8K_STRICT = MeanMetric("gsm8k_strict", "accuracy", _gsm8k(_hashes, 0))
GSM8K_FLEXIBLE = MeanMetric("gsm8k_flexible", "accuracy", _gsm8k(_figures, -1))
BBH_FLEXIBLE = MeanMetric("bbh_flexible", "accuracy", _answer(bare_line))
BBH_STRICT = MeanMetric("bbh_strict", "accuracy", _whole)
GREEDY_MATCH = MeanMetric("greedy_match", "accuracy", _greedy)
PERPLEXITY = WholeSetMetric(
    "perplexity",
    "accuracy",
    _loglikelihood,
    lambda loglikelihoods, _: perplexity(loglikelihoods),
    higher_is_better=False,
)
