"""Interactions are pure generators: tested with no server and no mock."""

from __future__ import annotations

import pytest

from harness.interact.ask import Asker, asked_text, flatten, sample_tag
from harness.interact.choices import choices
from harness.interact.rolling import rolling
from harness.interact.single import single
from harness.records import Choice, Generation, Message, Response, Sample, Shot

SAMPLE = Sample(
    "t", "s", "What is 1 + 1?", target=("2",), system="Be brief.",
    shots=(Shot("What is 2 + 2?", "4"),), generation=Generation(max_tokens=5), epoch=3,
)  # fmt: skip
CHOOSE = Sample(
    "t", "s", "Which?", method="choose", choices=(Choice("red"), Choice("blue")), gold=1,
    shots=(Shot("Which first?", "green", ("grey", "green")),),
)  # fmt: skip


def finish(conversation, *replies):
    """Drive a conversation with the given replies; return what was asked and the transcript."""
    asked = [next(conversation)]
    try:
        for reply in replies:
            asked.append(conversation.send(reply))
    except StopIteration as stop:
        return asked, stop.value
    raise AssertionError("the conversation wants more")


def test_a_chat_model_gets_turns():
    """System, solved examples as turns, and the question last."""
    request = Asker(chat=True)(SAMPLE)
    assert [(m.role, m.content) for m in request.messages] == [
        ("system", "Be brief."),
        ("user", "What is 2 + 2?"),
        ("assistant", "4"),
        ("user", "What is 1 + 1?"),
    ]
    assert (request.prompt, request.repeat, request.generation.max_tokens) == ("", 3, 5)
    assert request.sample_id == ""


def test_a_text_model_gets_the_flattened_chat():
    """System and a blank line; each example, a space, its answer and a blank line; the question."""
    request = Asker(chat=False)(SAMPLE)
    assert request.messages == ()
    assert request.prompt == "Be brief.\n\nWhat is 2 + 2? 4\n\nWhat is 1 + 1?"


@pytest.mark.parametrize(
    ("question", "text"), [("问？", "问？答\n\n"), ("Q:\n", "Q:\na\n\n"), ("Q:", "Q: a\n\n")]
)
def test_no_space_after_whitespace_or_chinese(question, text):
    """The answer follows without a space where the script has none."""
    answer = text.removeprefix(question).strip()
    turns = [Message("user", question), Message("assistant", answer)]
    assert flatten(turns) == text


def test_choose_shows_letters_in_question_and_examples():
    """Options stand below the question, and examples answer by letter."""
    assert asked_text(CHOOSE) == "Which?\nA. red\nB. blue"
    request = Asker(chat=True)(CHOOSE)
    assert [m.content for m in request.messages] == [
        "Which first?\nA. grey\nB. green", "B", "Which?\nA. red\nB. blue"
    ]  # fmt: skip


def test_what_was_said_follows():
    """A response is the model's turn, a text the user's; the turn is counted."""
    request = Asker(chat=True, tagged=True)(SAMPLE, [Response(text="3"), "Check it again."])
    assert [(m.role, m.content) for m in request.messages[-2:]] == [
        ("assistant", "3"), ("user", "Check it again.")
    ]  # fmt: skip
    assert request.turn == 1
    assert request.sample_id == sample_tag(SAMPLE)
    tool = Message("tool", "42", tool_call_id="x")
    assert Asker(chat=True)(SAMPLE, [tool]).messages[-1] is tool


def test_a_task_of_turns_keeps_them():
    """Turns that the task gives come before the last question."""
    sample = Sample("t", "s", "and now?", messages=(
        Message("user", "first"), Message("assistant", "ok"), Message("user", "and now?"),
    ))  # fmt: skip
    assert [m.content for m in Asker(chat=True)(sample).messages] == ["first", "ok", "and now?"]


def test_single_asks_once():
    """One question, one answer."""
    asked, transcript = finish(single(SAMPLE, Asker(chat=True)), Response(text="2"))
    assert len(asked) == 1
    assert transcript.responses[0].text == "2"


def test_choices_asks_for_all_options_at_once():
    """Each option's log-likelihood is asked after its own context, all in one turn."""
    sample = Sample(
        "t", "s", "shown", method="rank",
        choices=(Choice(" fell", context="The vase"), Choice(" rose")), gold=0,
    )  # fmt: skip
    replies = (Response(loglikelihood=-1.0, tokens=1, greedy=True), Response(loglikelihood=-2.0))
    asked, transcript = finish(choices(sample, Asker(chat=True)), replies)
    assert [(r.kind, r.prompt, r.continuation) for r in asked[0]] == [
        ("loglikelihood", "The vase", " fell"), ("loglikelihood", "shown", " rose")
    ]  # fmt: skip
    assert [c.loglikelihood for c in transcript.choices] == [-1.0, -2.0]
    assert transcript.choices[0].greedy is True


def test_choices_can_ask_for_the_options_alone():
    """PMI normalisation needs each option's log-likelihood after nothing."""
    sample = Sample("t", "s", "q", choices=(Choice("a"), Choice("b")), gold=0)
    replies = tuple(Response(loglikelihood=float(-i)) for i in range(4))
    asked, transcript = finish(choices(sample, Asker(chat=True), unconditional=True), replies)
    assert [r.prompt for r in asked[0]] == ["q", "q", "", ""]
    assert [c.unconditional for c in transcript.choices] == [-2.0, -3.0]


def test_context_of_an_option_comes_after_examples():
    """With solved examples, the option's context stands where the question would."""
    sample = Sample("t", "s", "q", shots=(Shot("p", "r"),), choices=(Choice("x", context="c"),))
    request = Asker(chat=True).continuation(sample, "x", "c")
    assert request.prompt == "p r\n\nc"


def test_white_space_before_the_text_is_scored_with_it():
    """The boundary lies before the white space, as tokenizers have it."""
    request = Asker(chat=True).continuation(SAMPLE, "fell", "The vase \n")
    assert request.prompt.endswith("The vase")
    assert request.continuation == " \nfell"


def test_rolling_asks_for_the_text_itself():
    """Perplexity: the target after the input, kept as the only choice."""
    sample = Sample("t", "s", "Once", target=(" upon",), method="perplexity")
    asked, transcript = finish(rolling(sample, Asker(chat=True)), Response(loglikelihood=-3.0))
    assert (asked[0].prompt, asked[0].continuation) == ("Once", " upon")
    assert transcript.choices[0].loglikelihood == -3.0


def test_a_text_after_nothing_is_rolled():
    """Without an input the whole text is asked for, which models read in windows."""
    sample = Sample("t", "s", "", target=("Once upon",), method="perplexity")
    asked, _ = finish(rolling(sample, Asker(chat=True)), Response(loglikelihood=-3.0))
    assert (asked[0].kind, asked[0].prompt, asked[0].continuation) == ("rolling", "Once upon", "")
