"""Tool loops and the calculator: pure generators, driven by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.interact.ask import Asker
from harness.interact.calculator import CALCULATOR, LINES, TOOL, calculator
from harness.interact.tool_loop import MAX_CALLS, before_result, line_calls, tool_loop
from harness.records import Generation, Message, Response, Sample, ToolCall

SAMPLE = Sample(
    "t", "s", "What is 12 * 34?", target=("408",), system="Be brief.",
    generation=Generation(max_tokens=99, stop=("###",)),
)  # fmt: skip
ASK = Asker(chat=True)


def call(expression, *, name="calculator", id_="c1", raw=None):
    """A response that calls the calculator."""
    arguments = json.dumps({"expression": expression}) if raw is None else raw
    return Response(tool_calls=(ToolCall(id_, name, arguments),), finish_reason="tool_calls")


def drive(conversation, *replies):
    """Send replies until the conversation ends; return the requests and the transcript."""
    asked = [next(conversation)]
    try:
        for reply in replies:
            asked.append(conversation.send(reply))
    except StopIteration as stop:
        return asked, stop.value
    raise AssertionError("the conversation wants more")


def tool_text(request):
    """The contents of the tool messages of a request."""
    return [message.content for message in request.messages if message.role == "tool"]


# ---- function calling -------------------------------------------------------------------------


def test_a_call_is_worked_out_and_its_result_sent_back():
    """The call goes back as the model's turn, its result as a tool turn with the call's id."""
    asked, transcript = drive(
        calculator(SAMPLE, ASK, protocol="tools"), call("12*34"), Response(text="408")
    )
    assert [request.tools for request in asked] == [(TOOL,), (TOOL,)]
    assert asked[0].messages[0] == Message("system", "Be brief.")
    said, result = asked[1].messages[-2:]
    assert said.tool_calls[0].id == "c1"
    assert result == Message("tool", "408", tool_call_id="c1")
    assert transcript.responses[-1].text == "408"
    assert transcript.facts == {
        "turns": 2, "tool_calls": 1, "tool_errors": 0, "answered": True,
    }  # fmt: skip


def test_an_answer_at_once_ends_it():
    """A model that calls nothing is asked once."""
    asked, transcript = drive(calculator(SAMPLE, ASK, protocol="tools"), Response(text="408"))
    assert len(asked) == 1
    assert transcript.facts["tool_calls"] == 0


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (call("1/0"), "error: division by zero"),
        (call("import os"), "error: cannot read 'import os'"),
        (call(None), "error: 'expression' must be text"),
        (call(True), "error: 'expression' must be text"),
        (call(7), "7"),
        (call("", raw="{broken"), "error: the arguments are no JSON"),
        (call("", raw="[" * 100_000), "error: the arguments are no JSON"),
        (call("", raw="[1]"), "error: the arguments must be a JSON object"),
        (call("", raw=""), "error: 'expression' must be text"),
        (call("1", name="shell"), "error: there is no tool 'shell'; known: calculator"),
    ],
)
def test_what_goes_wrong_is_said_to_the_model(reply, said):
    """A bad call brings a message instead of a result, and the conversation goes on."""
    asked, transcript = drive(
        calculator(SAMPLE, ASK, protocol="tools"), reply, Response(text="408")
    )
    assert tool_text(asked[1])[0].startswith(said)
    assert transcript.facts["tool_errors"] == int(said.startswith("error"))


def test_every_call_of_a_turn_has_a_result():
    """Calls beyond the limit of a turn get an error, so that none is left without a result."""
    calls = tuple(ToolCall(str(i), "calculator", '{"expression": "1"}') for i in range(20))
    asked, transcript = drive(
        tool_loop(SAMPLE, ASK, (CALCULATOR,)), Response(tool_calls=calls), Response(text="1")
    )
    results = tool_text(asked[1])
    assert (len(results), results.count("1")) == (20, MAX_CALLS)
    assert transcript.facts["tool_calls"] == MAX_CALLS


def test_turns_are_bounded():
    """After the last turn the model is told to answer; another call ends it unanswered."""
    conversation = calculator(SAMPLE, ASK, protocol="tools", max_turns=2)
    asked, transcript = drive(conversation, call("1"), call("2"), call("3"))
    assert asked[2].messages[-1].role == "user"
    assert "no more" in asked[2].messages[-1].content
    assert transcript.facts["answered"] is False
    assert len(asked) == 3


# ---- plain text -------------------------------------------------------------------------------


def test_a_line_is_worked_out_and_its_result_sent_back():
    """The protocol is explained, a CALC line brings a RESULT line, an answer ends it."""
    asked, transcript = drive(
        calculator(SAMPLE, ASK), Response(text="CALC: 12*34"), Response(text="It is 408.")
    )
    assert asked[0].tools == ()
    assert asked[0].messages[0].content.startswith("Be brief.\nYou have a calculator.")
    assert asked[0].generation.stop == ("###", "\nRESULT:")
    assert [m.content for m in asked[1].messages[-2:]] == ["CALC: 12*34", "RESULT: 408"]
    assert transcript.facts == {
        "turns": 2, "tool_calls": 1, "tool_errors": 0, "answered": True,
    }  # fmt: skip


def test_the_protocol_is_explained_in_the_language_of_the_task():
    """A Chinese task without a system text is told of the calculator in Chinese."""
    sample = Sample("t", "s", "12 * 34 = ?", language="zh")
    asked, _ = drive(calculator(sample, ASK), Response(text="408"))
    assert asked[0].messages[0].content.startswith("你可以使用计算器")


def test_a_model_without_chat_gets_one_text():
    """The same loop serves models that continue text."""
    asked, _ = drive(
        calculator(SAMPLE, Asker(chat=False)), Response(text="CALC: 1+1"), Response(text="2")
    )
    assert asked[1].prompt.endswith("What is 12 * 34? CALC: 1+1\n\nRESULT: 2")


def test_several_lines_and_errors():
    """Each line has its result, in order; nonsense brings an error."""
    text = "First:\nCALC: 2^10\nthen\nCALC: two plus two"
    asked, transcript = drive(calculator(SAMPLE, ASK), Response(text=text), Response(text="x"))
    assert asked[1].messages[-1].content == (
        "RESULT: 1024\nRESULT: error: cannot read 'two plus two'"
    )
    assert transcript.facts["tool_errors"] == 1


def test_results_that_the_model_made_up_are_cut_off():
    """What a model writes after its call as if it were the result does not count as said."""
    made_up = "CALC: 12*34\nRESULT: 400\nThe answer is 400."
    asked, _ = drive(calculator(SAMPLE, ASK), Response(text=made_up), Response(text="408"))
    assert [m.content for m in asked[1].messages[-2:]] == ["CALC: 12*34", "RESULT: 408"]


def test_lines_are_bounded_too():
    """After the last turn the model is told to answer; another call ends it unanswered."""
    reply = Response(text="CALC: 1")
    asked, transcript = drive(calculator(SAMPLE, ASK, max_turns=1), reply, reply)
    assert asked[1].messages[-1].content.startswith("RESULT: 1\nThe calculator can be used no")
    assert transcript.facts == {
        "turns": 2, "tool_calls": 1, "tool_errors": 0, "answered": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("CALC: 1 + 1", ["1 + 1"]),
        ("calc: 1+1 =", ["1+1"]),
        ("**CALC:** `3*4`", ["3*4"]),
        ("- CALC：２×３", ["2×3"]),
        ("> CALC : 1\r\nCALC: 2", ["1", "2"]),
        ("CALC:", []),
        ("Use CALC: 1", []),
        ("CALCULATE: 1", []),
        ("<think>\nCALC: 1\n</think>\n7", []),
        ("", []),
    ],
)
def test_lines_that_call(text, calls):
    """Marks around a line do not matter; a call within a sentence or in reasoning is none."""
    assert line_calls(text, LINES) == calls


def test_a_result_without_a_call_is_not_cut():
    """Only a result that follows a call is made up; another is part of an answer."""
    assert before_result("RESULT: 5", LINES) == "RESULT: 5"


@given(st.text(alphabet="CALRESUT:=*0 \n<think>/", max_size=200))
def test_any_text_is_read(text):
    """No text makes the reading of lines fail, and what is cut off is an end."""
    assert text.startswith(before_result(text, LINES))
    assert all(line_calls(text, LINES))


# ---- which protocol ---------------------------------------------------------------------------


def test_auto_takes_function_calling_where_the_model_has_it():
    """`ask.tools` decides; without it the protocol is plain text."""
    assert next(calculator(SAMPLE, Asker(chat=True, tools=True))).tools == (TOOL,)
    assert next(calculator(SAMPLE, ASK)).tools == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"protocol": "shout"}, "auto, tools, text; got: shout"), ({"max_turns": 0}, "1 to 100")],
)
def test_wrong_arguments_are_named(wrong, said):
    """Another protocol, and no turns, are refused."""
    with pytest.raises(UsageError, match=said):
        calculator(SAMPLE, ASK, **wrong)
