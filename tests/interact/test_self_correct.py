"""Doubting an answer: the same words for everyone, whatever was said."""

from __future__ import annotations

import pytest

from harness.errors import UnknownName
from harness.interact.ask import Asker
from harness.interact.self_correct import CHALLENGES, self_correct
from harness.records import Response, Sample

SUM = Sample("t", "s", "What is 2 + 2?", target=("4",))
CHINESE = Sample("t", "s", "2 + 2 等于多少？", target=("4",), language="zh")


def held(sample, *answers, **arguments):
    """Drive the conversation; return the requests and the transcript."""
    conversation = self_correct(sample, Asker(chat=True), **arguments)
    asked = [next(conversation)]
    try:
        for answer in answers:
            asked.append(conversation.send(Response(text=answer)))
    except StopIteration as stop:
        return asked, stop.value
    raise AssertionError("the conversation wants more")


def test_the_second_request_shows_the_first_answer_and_doubts_it():
    """Question, the model's own answer, and the challenge."""
    asked, transcript = held(SUM, "5", "4")
    assert [message.content for message in asked[1].messages] == [
        "What is 2 + 2?",
        "5",
        "That is wrong. Answer the question again, in the same form.",
    ]
    assert [response.text for response in transcript.responses] == ["5", "4"]
    assert transcript.facts == {"challenge": "wrong", "extract": ["text"]}


@pytest.mark.parametrize("answer", ["4", "5", ""])
@pytest.mark.parametrize("sample", [SUM, CHINESE])
@pytest.mark.parametrize("challenge", CHALLENGES)
def test_right_and_wrong_answers_hear_the_same(sample, challenge, answer):
    """The challenge depends on the language alone, never on the answer."""
    asked, transcript = held(sample, answer, "4", challenge=challenge, extract=("number",))
    assert asked[1].messages[-1].content == CHALLENGES[challenge][sample.language]
    assert transcript.facts == {"challenge": challenge, "extract": ["number"]}


def test_an_unknown_challenge_is_named():
    """The error says what is allowed."""
    with pytest.raises(UnknownName, match=r"did you mean .wrong.*check, wrong"):
        held(SUM, challenge="wrogn")
