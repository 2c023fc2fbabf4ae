"""Politeness, sentences beside the point, stray orders."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.identity import CounterRandom
from harness.perturb.context import (
    Injection,
    IrrelevantSentence,
    Wording,
    question_start,
    unrelated,
)
from harness.perturb.context_list import IRRELEVANT, ORDERS, PREFIXES, SUFFIXES
from harness.records import Choice, Sample

NUMBER_EN = re.compile(
    r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|hundred|half|once|twice)\b",
    re.IGNORECASE,
)
NUMBER_ZH = re.compile("[0-9零〇一二两三四五六七八九十百千万亿半]")


def test_sentences_hold_no_numbers() -> None:
    """At least thirty sentences a language, all different, without a number in any."""
    for language, number in (("en", NUMBER_EN), ("zh", NUMBER_ZH)):
        texts = IRRELEVANT[language]
        assert len(set(texts)) == len(texts) >= 30
        for text in (*texts, *ORDERS[language], *PREFIXES[language], *SUFFIXES[language]):
            assert number.search(text) is None, text


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("What is 3 + 4?", 0),
        ("Question: What?", 10),
        ("Is it?\nYes.\nQ: Who?\nAnswer:", 15),
        ("题。\n问题：谁？", 6),
        ("Who?\nA. you?\nB. me?", 0),
        ("No question.", 0),
        ("", 0),
    ],
)
def test_question_start(text: str, at: int) -> None:
    """The line that asks is found, after its heading; an option's line does not ask."""
    assert question_start(text) == at


@pytest.mark.parametrize("perturb", [IrrelevantSentence(), Injection()])
def test_inserted_before_the_question(perturb: Any) -> None:
    """The rest of the input stays as it was."""
    sample = Sample("t", "1", "Read.\nQuestion: Who?\nAnswer:")
    after = perturb(sample, CounterRandom(0))
    assert len(after.spans) == 1
    assert after.input.startswith("Read.\nQuestion: ")
    assert after.input.endswith(" Who?\nAnswer:")


def test_protected_place() -> None:
    """Where the place before the question is protected, the sentence goes to the front."""
    sample = Sample("t", "1", "Read.\nWho?", protected=((2, 8),))
    after = Injection()(sample, CounterRandom(0))
    assert after.input.endswith("Read.\nWho?")


@pytest.mark.parametrize("perturb", [IrrelevantSentence(), Injection()])
def test_nothing_fits(perturb: Any) -> None:
    """No sentence is used that shares a content word with the sample, or holds an answer."""
    answers = [*IRRELEVANT["en"], "word", "say", "banana", "answer", "umbrella", "joke", "OK"]
    sample = Sample("t", "1", "Who?", choices=tuple(Choice(text) for text in answers))
    assert perturb(sample, CounterRandom(0)).spans == ()
    blank = Sample("t", "1", " ")
    assert perturb(blank, CounterRandom(0)).input == " "


def test_unrelated() -> None:
    """Sentences about the sample's own matter are left out, in both languages."""
    asked = Sample("t", "1", "Which animal makes honey?", target=("bee",))
    assert all("oney" not in text for text in unrelated(IRRELEVANT["en"], asked))
    asked = Sample("t", "1", "蜂蜜甜吗？", language="zh")
    assert len(unrelated(IRRELEVANT["zh"], asked)) == len(IRRELEVANT["zh"]) - 1


def test_wording_around_the_input() -> None:
    """Polite words stand around a question."""
    after = Wording()(Sample("t", "1", "Who?"), CounterRandom(0))
    before, _, rest = after.input.partition("\nWho?\n")
    assert before in PREFIXES["en"]
    assert rest in SUFFIXES["en"]


@pytest.mark.parametrize(
    "sample",
    [
        Sample("t", "1", "Who?\nAnswer:"),
        Sample("t", "1", "The end is near.", method="rank"),
        Sample("t", "1", "The end is near.", method="perplexity"),
    ],
)
def test_nothing_follows_what_is_continued(sample: Sample) -> None:
    """Where the model is to go on with the input, nothing is set after it."""
    after = Wording()(sample, CounterRandom(0))
    assert after.input.endswith("\n" + sample.input)
    assert len(after.spans) == 1


def test_wording_of_nothing() -> None:
    """A blank input stays blank."""
    assert Wording()(Sample("t", "1", ""), CounterRandom(0)).input == ""
