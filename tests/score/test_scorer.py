"""Outcomes to scores: statuses, values, and what each metric says."""

from __future__ import annotations

import math

import pytest

from harness.plugins import load
from harness.prepare import scorer
from harness.records import (
    Choice,
    ChoiceScore,
    Exchange,
    Failure,
    Outcome,
    Request,
    Response,
    Sample,
    Transcript,
)
from harness.score.accuracy import bag_f1
from harness.task.spec import Data, TaskSpec


def score(
    text: str | None, target=("42",), *, metrics=("exact_match",), extract=("text",), **sample
):
    """Score one generated text."""
    method = sample.pop("method", "generate")
    task = TaskSpec(task="t", data=Data(file="x"), method=method, extract=extract)
    one = Sample("t", "s", "q", target=tuple(target), method=method, **sample)
    loaded = tuple(load("metric", name) for name in metrics)
    if text is None:
        outcome = Outcome(one, (), failure=Failure(kind="timeout", message="slow"))
    else:
        response = Response(text=text, prompt_tokens=3, completion_tokens=2, latency_s=0.5)
        outcome = Outcome(one, (Exchange(Request(), response),), Transcript((response,)))
    return scorer(task, loaded)(outcome)


def ranked(loglikelihoods, gold=0, texts=None, metrics=("accuracy",), tokens=None):
    """Score options by their log-likelihoods."""
    texts = texts or [f"option {i}" for i in range(len(loglikelihoods))]
    tokens = tokens or [1] * len(texts)
    choices = tuple(
        ChoiceScore(t, ll, None, n, None)
        for t, ll, n in zip(texts, loglikelihoods, tokens, strict=True)
    )
    sample = Sample(
        "t", "s", "q", method="rank", choices=tuple(Choice(t) for t in texts), gold=gold
    )
    task = TaskSpec(task="t", data=Data(file="x"), method="rank")
    outcome = Outcome(sample, (), Transcript((), choices))
    return scorer(task, tuple(load("metric", name) for name in metrics))(outcome)


@pytest.mark.parametrize(
    ("text", "extract", "value"),
    [
        ("42", ("text",), 1.0),
        (" 42\n", ("text",), 1.0),
        ("43", ("text",), 0.0),
        ("The answer is 42.", ("number",), 1.0),
        ("42.0", ("number",), 1.0),
        ("四十二", ("number",), 1.0),
        ("forty-two", ("number",), 1.0),
        ("142", ("number",), 0.0),
    ],
)
def test_exact_match_compares_what_was_read(text, extract, value):
    """A number is compared by value, a text as it stands."""
    assert score(text, extract=extract).values == {"exact_match": value}


def test_any_accepted_answer_counts():
    """The best of several accepted answers is the score."""
    assert score("colour", target=("color", "colour")).values["exact_match"] == 1.0


def test_a_text_without_an_answer_is_unparsed_and_scores_zero():
    """Unparsed is the model's doing: it stays in n with 0."""
    found = score("I like trains", extract=("number",))
    assert found.status == "unparsed"
    assert found.values == {"exact_match": 0.0}


@pytest.mark.parametrize("text", ["", "  \n", "<think>so 42", "<think>42</think> "])
def test_nothing_but_thinking_is_unparsed(text):
    """An empty answer, or one cut short while thinking, is no answer."""
    assert score(text, extract=("number",)).status == "unparsed"


def test_a_failed_request_has_no_values():
    """An error is the instrument's: it is never a wrong answer."""
    found = score(None)
    assert found.status == "error"
    assert found.values == {}


def test_quasi_exact_match_forgives_case_articles_and_punctuation():
    """As HELM: lower case, no punctuation, no articles, single spaces."""
    found = score("The  Eiffel Tower!", ("eiffel tower",), metrics=("quasi_exact_match",))
    assert found.values["quasi_exact_match"] == 1.0


def test_prefix_match_looks_at_the_start():
    """The text may go on after the answer."""
    found = score("42 is the answer", metrics=("prefix_match", "exact_match"))
    assert found.values == {"prefix_match": 1.0, "exact_match": 0.0}


def test_f1_counts_words_as_often_as_they_stand():
    """SQuAD's bags: 'a b b' against 'b b c' shares two of three each way."""
    assert bag_f1(["a", "b", "b"], ["b", "b", "c"]) == pytest.approx(2 / 3)
    assert bag_f1([], []) == 1.0
    assert bag_f1(["a"], []) == 0.0
    assert bag_f1(["a"], ["b"]) == 0.0
    assert score("red car", ("blue car",), metrics=("f1",)).values["f1"] == 0.5


def test_choose_reads_the_letter():
    """The option named in the text is held against the right one."""
    choices = (Choice("red"), Choice("blue"))
    for text, value in (("B", 1.0), ("The answer is A.", 0.0), ("no idea", 0.0)):
        found = score(
            text, ("blue",), metrics=("accuracy",), extract=(), method="choose",
            choices=choices, gold=1,
        )  # fmt: skip
        assert found.values["accuracy"] == value


def test_rank_takes_the_likeliest_option_and_its_share_as_confidence():
    """Confidence is the softmax share of the option chosen."""
    found = ranked([-1.0, -2.0], gold=0)
    assert found.answer == "option 0"
    assert found.values == {"accuracy": 1.0}
    assert found.confidence == pytest.approx(1 / (1 + math.exp(-1)))


def test_rank_normalises_as_named():
    """By sum, per character, per byte and per token can each choose otherwise."""
    names = ("accuracy", "accuracy_per_character", "accuracy_per_byte", "accuracy_per_token")
    found = ranked([-4.0, -5.0], gold=1, texts=["ab", "字字字"], tokens=[4, 1], metrics=names)
    # sums -4 > -5; per character -2 < -5/3; per byte -2 < -5/9; per token -1 > -5
    assert found.values == dict(zip(names, (0.0, 1.0, 1.0, 0.0), strict=True))


def test_bits_per_byte_is_minus_log2_over_bytes():
    """A text of 2 bytes at log-likelihood -2 ln 2 costs 1 bit a byte."""
    choice = ChoiceScore("ab", -2 * math.log(2), None, 2, None)
    task = TaskSpec(task="t", data=Data(file="x"), method="perplexity")
    outcome = Outcome(Sample("t", "s", "", method="perplexity"), (), Transcript((), (choice,)))
    found = scorer(task, (load("metric", "bits_per_byte"),))(outcome)
    assert found.values["bits_per_byte"] == pytest.approx(1.0)


def test_efficiency_counts_tokens_and_time_of_new_answers_only():
    """Latency of a replay, or of a batch job's answer, is none: it says nothing of speed."""
    found = score("42", metrics=("exact_match", "prompt_tokens", "completion_tokens", "latency_s"))
    assert found.values == {
        "exact_match": 1.0, "prompt_tokens": 3.0, "completion_tokens": 2.0, "latency_s": 0.5
    }  # fmt: skip
    for response in (Response(text="42", cached=True, latency_s=0.5), Response(text="by batch")):
        outcome = Outcome(
            Sample("t", "s", "q"), (Exchange(Request(), response),), Transcript((response,))
        )
        assert load("metric", "latency_s").score(outcome, found) is None
