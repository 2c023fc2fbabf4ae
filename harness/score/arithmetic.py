"""How far a numeric answer is off, and what its mistake looks like.

The classes themselves stand in `error_classes`; this module reads them off a scored sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from harness.records import Outcome, Score
from harness.score.error_classes import (
    CLASSES,
    Question,
    as_value,
    canonical_sign,
    classify,
    common_scale,
    null_rates,
)
from harness.score.metric import MeanMetric
from harness.stats.intervals import wilson
from harness.text.abstention import abstention
from harness.text.number_formats import FORMATS
from harness.text.numerals import canonical, find_numbers

__all__ = [
    "CLASSES",
    "Question",
    "chance_of_classes",
    "classify",
    "error_profile",
    "explain",
    "null_rates",
]

WORST_RELATIVE_ERROR = 10.0
UNREAD = ("truncated", "refusal", "no-number")
"""What `explain` says of an answer that holds no number, the first that fits."""
DECIMAL = 10


def explain(outcome: Outcome, score: Score) -> str | None:
    """Return the error class of a scored sample; None where it is right or has no class.

    A sample with options, or without a number as its target (sorting, hexadecimal), has no class,
    unless nothing was read from its answer. Operands are the row's fields `a`, `b` and
    `operator`; in another base than ten they are passed over.
    """
    if outcome.transcript is None:
        return None
    if score.status == "unparsed":
        return _unread(outcome)
    targets = outcome.sample.target
    if outcome.sample.choices or not targets or score.answer is None:
        return None
    # right to the letter is cheaper to see than to read as a number
    if score.answer.strip() == targets[0].strip() or as_value(targets[0]) is None:
        return None
    found = classify(targets[0], _answer(score), *_operands(outcome))
    if found == "format-only" and score.answer.strip() in {target.strip() for target in targets}:
        return None
    return None if found == "correct" else found


def _operands(outcome: Outcome) -> tuple[object, object, object]:
    return _of_fields(outcome.sample.fields)


def _of_fields(fields: Mapping[str, object]) -> tuple[object, object, object]:
    operator = canonical_sign(fields.get("operator"))
    if operator is None or fields.get("base", DECIMAL) != DECIMAL:
        return None, None, None
    return fields.get("a"), fields.get("b"), operator


def _unread(outcome: Outcome) -> str:
    assert outcome.transcript is not None
    last = outcome.transcript.responses[-1:]
    if last and last[0].finish_reason == "length":
        return UNREAD[0]
    if last and abstention(last[0].text, outcome.sample) is not None:
        return UNREAD[1]
    return UNREAD[2]


def _answer(score: Score) -> str | None:
    """Return the answer as written where it is a number, else the number read from it."""
    if as_value(score.answer) is not None:
        return score.answer
    value = read_value(score)
    return None if value is None else canonical(value)


class ClassShare(NamedTuple):
    """How often one class of mistake came, and how often chance would bring it."""

    name: str
    times: int
    share: float
    """Of all wrong answers."""
    low: float
    high: float
    """Wilson's interval of `share`."""
    expected: float | None
    """The share of a guesser who knows sign and length; None of a class without a number."""


def chance_of_classes(
    wrong: Iterable[tuple[str, Mapping[str, object]]], *, draws: int = 30
) -> dict[str, tuple[float, float, float]]:
    """Return each class's expected share of a guesser's wrong answers to some wrong samples.

    wrong: the target and the row's fields of each, as a table of samples has them; those without
    a number as target are passed over. Returned: (share, low, high), Wilson's interval over all
    draws, for the share is found by drawing. `null_rates` says who the guesser is. Empty where no
    target is a number.
    """
    questions = [
        Question(target, *_of_fields(fields))
        for target, fields in wrong
        if as_value(target) is not None
    ]
    found = null_rates(questions, draws=draws)
    if not found:
        return {}
    size = draws * len(questions)
    shares = {}
    for name in CLASSES:
        share = found.get(name, 0.0)
        interval = wilson(share * size, size)
        shares[name] = (share, interval.low or 0.0, interval.high or 0.0)
    return shares


def error_profile(
    found: Iterable[str | None], questions: Iterable[Question], *, seed: int = 0
) -> list[ClassShare]:
    """Return the classes of a task's wrong answers, the commonest first.

    found: what `explain` said of each sample, None where it was right; questions: those of the
    wrong samples, from which the chance of each class is found. `format-only` counts as right.
    """
    counts = Counter(name for name in found if name is not None and name != "format-only")
    wrong = sum(counts.values())
    chance = null_rates(questions, seed=seed)
    profile = []
    for name, count in counts.most_common():
        interval = wilson(count, wrong)
        assert interval.low is not None
        assert interval.high is not None
        expected = None if name in UNREAD else chance.get(name, 0.0)
        profile.append(
            ClassShare(name, count, count / wrong, interval.low, interval.high, expected)
        )
    return profile


# ---- metrics ----------------------------------------------------------------------------------


def read_value(score: Score) -> Fraction | None:
    """Return the number that was answered: the extractor's, else the only one in the answer."""
    if score.answer is None:
        return None
    if score.extraction is not None and score.extraction.value is not None:
        value = as_value(score.extraction.value)
        if value is not None:
            return value
    value = as_value(score.answer)
    if value is not None:
        return value
    values = {item.value for item in find_numbers(score.answer)}
    return values.pop() if len(values) == 1 else None


def _value_match(outcome: Outcome, score: Score) -> float | None:
    value = read_value(score)
    return float(value is not None and any(value == as_value(t) for t in outcome.sample.target))


def _sequence_match(outcome: Outcome, score: Score) -> float | None:
    """Whether the last k numbers of the answer are the k numbers of a target, in order."""
    if score.answer is None:
        return 0.0
    found = [item.value for item in find_numbers(score.answer)]
    for target in outcome.sample.target:
        wanted = [item.value for item in find_numbers(target)]
        if wanted and found[-len(wanted) :] == wanted:
            return 1.0
    return 0.0


def _format_followed(outcome: Outcome, score: Score) -> float | None:
    """Whether the answer is written as the row's field `asked` names; None without the field."""
    name = outcome.sample.fields.get("asked")
    if not isinstance(name, str) or name not in FORMATS:
        return None
    if score.answer is None:
        return 0.0
    written = score.answer
    if score.extraction is not None and score.extraction.end > score.extraction.start:
        # the answer has its width folded; the output has not
        written = score.output[score.extraction.start : score.extraction.end]
    return float(FORMATS[name].fits(written))


Pair = tuple[Fraction, Fraction]


def _of_pair(
    value: Callable[[Fraction, Fraction], float | None], unread: float | None
) -> Callable[[Outcome, Score], float | None]:
    """Return a sample's value from (truth, answer); `unread` where no number was answered."""

    def measured(outcome: Outcome, score: Score) -> float | None:
        targets = outcome.sample.target
        truth = as_value(targets[0]) if targets else None
        if truth is None:
            return None
        answer = read_value(score)
        return unread if answer is None else value(truth, answer)

    return measured


def digit_match(truth: Fraction, answer: Fraction) -> float | None:
    """Return the share of digits that are right, aligned at the decimal point.

    Right digits over the positions of the longer number (NUPA: Yang et al. 2024,
    arXiv:2411.03766). The sign does not count. None for what is no finite decimal.

    >>> digit_match(Fraction(1234), Fraction(34)), digit_match(Fraction(5, 2), Fraction(2))
    (0.5, 0.5)
    """
    if common_scale(truth, answer) is None:
        return None
    true, said = (canonical(abs(value)).partition(".") for value in (truth, answer))
    right = sum(x == y for x, y in zip(reversed(true[0]), reversed(said[0]), strict=False))
    right += sum(x == y for x, y in zip(true[2], said[2], strict=False))
    return right / (max(len(true[0]), len(said[0])) + max(len(true[2]), len(said[2])))


def length_difference(truth: Fraction, answer: Fraction) -> float | None:
    """Return how many digits the answer has too many or too few (NUPA, as `digit_match`).

    >>> length_difference(Fraction(1234), Fraction(34)), length_difference(Fraction(5), Fraction(7))
    (2.0, 0.0)
    """
    if common_scale(truth, answer) is None:
        return None
    true, said = (canonical(abs(value)).partition(".") for value in (truth, answer))
    return float(abs(len(true[0]) - len(said[0])) + abs(len(true[2]) - len(said[2])))


def relative_error(truth: Fraction, answer: Fraction) -> float:
    """Return min(10, |ŷ-y| / max(|y|, 1)).

    >>> relative_error(Fraction(8), Fraction(10)), relative_error(Fraction(0), Fraction(99))
    (0.25, 10.0)
    """
    return min(WORST_RELATIVE_ERROR, float(abs(answer - truth) / max(abs(truth), Fraction(1))))


def within_1_percent(truth: Fraction, answer: Fraction) -> float:
    """Return whether |ŷ-y| is at most a hundredth of |y|; for y = 0 only 0 will do.

    >>> within_1_percent(Fraction(200), Fraction(202)), within_1_percent(Fraction(0), Fraction(1))
    (1.0, 0.0)
    """
    return float(100 * abs(answer - truth) <= abs(truth))


def _congruent(modulus: int) -> Callable[[Fraction, Fraction], float | None]:
    """Whether ŷ ≡ y: a carry or a misplaced digit keeps some residues and breaks others."""

    def value(truth: Fraction, answer: Fraction) -> float | None:
        if truth.denominator != 1:
            return None
        return float((answer - truth) % modulus == 0)

    return value


VALUE_MATCH = MeanMetric("value_match", "accuracy", _value_match)
SEQUENCE_MATCH = MeanMetric("sequence_match", "accuracy", _sequence_match)
FORMAT_FOLLOWED = MeanMetric("format_followed", "accuracy", _format_followed)
DIGIT_MATCH = MeanMetric("digit_match", "accuracy", _of_pair(digit_match, 0.0), interval="mean")
RELATIVE_ERROR = MeanMetric(
    "relative_error",
    "accuracy",
    _of_pair(relative_error, WORST_RELATIVE_ERROR),
    higher_is_better=False,
    interval="mean",
)
WITHIN_1_PERCENT = MeanMetric("within_1_percent", "accuracy", _of_pair(within_1_percent, 0.0))
LENGTH_DIFFERENCE = MeanMetric(
    "length_difference",
    "accuracy",
    _of_pair(length_difference, None),
    higher_is_better=False,
    interval="mean",
)
CONGRUENT_9 = MeanMetric("congruent_9", "accuracy", _of_pair(_congruent(9), 0.0))
CONGRUENT_10 = MeanMetric("congruent_10", "accuracy", _of_pair(_congruent(10), 0.0))
CONGRUENT_11 = MeanMetric("congruent_11", "accuracy", _of_pair(_congruent(11), 0.0))
