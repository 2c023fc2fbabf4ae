"""Whether an answer is right.

Correctness metrics of one sample lie in [0, 1]; where several answers are accepted, the best
counts. An answer in canonical form (a number, an option) is compared in that form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from harness.records import ChoiceScore, Outcome, Score
from harness.score.metric import AllOfCluster, MeanMetric
from harness.text.normalise import quasi_exact
from harness.text.numerals import equal_numbers
from harness.text.options import letter
from harness.text.tokens import overlap_tokens


def _best(outcome: Outcome, compare: Callable[[str], float]) -> float:
    targets = outcome.sample.target
    if len(targets) == 1:  # most samples: every one is scored here
        return compare(targets[0])
    return max((compare(target) for target in targets), default=0.0)


def _exact(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    answer, value = score.answer, score.extraction.value if score.extraction else None

    def same(target: str) -> float:
        if answer.strip() == target.strip():
            return 1.0
        # by the form it was found in: "50%" answers both 50 and 0.5
        return float(value is not None and equal_numbers(answer, target))

    return _best(outcome, same)


def _quasi_exact(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    language = outcome.sample.language
    answer = score.answer
    return _best(outcome, lambda target: float(quasi_exact(answer, target, language)))


def _prefix(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    answer = score.answer.strip()
    return _best(outcome, lambda target: float(answer.startswith(target.strip())))


def _f1(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    language = outcome.sample.language
    answer = overlap_tokens(score.answer, language)
    return _best(outcome, lambda target: bag_f1(answer, overlap_tokens(target, language)))


def bag_f1(answer: Sequence[str], target: Sequence[str]) -> float:
    """Return the F1 of two bags of words (SQuAD, Rajpurkar et al. 2016; HELM uses sets).

    >>> bag_f1(["a", "b"], ["b", "c"])
    0.5
    """
    if not answer or not target:
        return float(list(answer) == list(target))
    shared = sum((Counter(answer) & Counter(target)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(answer), shared / len(target)
    return 2 * precision * recall / (precision + recall)


def best_choice(choices: Sequence[ChoiceScore], weight: Callable[[ChoiceScore], float]) -> int:
    """Return the position of the option of greatest weight; the first among equals."""
    weights = [weight(choice) for choice in choices]
    return weights.index(max(weights))


def by_sum(choice: ChoiceScore) -> float:
    """Total log-likelihood (lm-evaluation-harness `acc`)."""
    return choice.loglikelihood


def by_character(choice: ChoiceScore) -> float:
    """Log-likelihood per character (lm-evaluation-harness `acc_norm`: len(choice), api/task.py)."""
    return choice.loglikelihood / max(len(choice.text), 1)


def by_byte(choice: ChoiceScore) -> float:
    """Log-likelihood per UTF-8 byte (lm-evaluation-harness `acc_bytes`)."""
    return choice.loglikelihood / max(len(choice.text.encode()), 1)


def by_token(choice: ChoiceScore) -> float:
    """Log-likelihood per token (HELM multiple_choice_separate_original)."""
    return choice.loglikelihood / max(choice.tokens or 0, 1)


def _ranked(weight: Callable[[ChoiceScore], float]) -> Callable[[Outcome, Score], float | None]:
    def correct(outcome: Outcome, score: Score) -> float | None:
        transcript = outcome.transcript
        if transcript is None or not transcript.choices:
            return _chosen(outcome, score)
        return float(best_choice(transcript.choices, weight) == outcome.sample.gold)

    return correct


def _chosen(outcome: Outcome, score: Score) -> float | None:
    """Whether the option named in the text is the right one."""
    sample = outcome.sample
    if not sample.choices:
        return _exact(outcome, score)
    if score.extraction is None or score.extraction.value is None:
        return 0.0
    gold = None if sample.gold is None else letter(sample.gold)
    return float(score.extraction.value == gold)


EXACT_MATCH = MeanMetric("exact_match", "accuracy", _exact)
QUASI_EXACT_MATCH = MeanMetric("quasi_exact_match", "accuracy", _quasi_exact)
PREFIX_MATCH = MeanMetric("prefix_match", "accuracy", _prefix)
F1 = MeanMetric("f1", "accuracy", _f1, interval="mean")
ACCURACY = MeanMetric("accuracy", "accuracy", _ranked(by_sum))
ACCURACY_PER_CHARACTER = MeanMetric("accuracy_per_character", "accuracy", _ranked(by_character))
ACCURACY_PER_BYTE = MeanMetric("accuracy_per_byte", "accuracy", _ranked(by_byte))
ACCURACY_PER_TOKEN = MeanMetric("accuracy_per_token", "accuracy", _ranked(by_token))
PAIR_ACCURACY = AllOfCluster("pair_accuracy", "accuracy", _ranked(by_sum))
