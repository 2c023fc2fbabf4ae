"""The Responses API: what is sent, and how its answers are read."""

from __future__ import annotations

import asyncio

import pytest
from canned import ask, ask_seen, backend_at, http
from responses_server import responding
from toy import Toy

from harness.billing import cached_prompt_tokens, schema_refused
from harness.records import Failure, Generation, Message, Request, Response, Tool, ToolCall

HELLO = Request(messages=(Message("user", "hello"),))
API = {"api": "responses"}


def item(text: str = "hi", **more) -> dict:
    """Return a message of the model."""
    said = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "role": "assistant", "content": [said], **more}


def thought(*summary: str, content: list[str] | None = None) -> dict:
    """Return a reasoning item."""
    made = [{"type": "summary_text", "text": text} for text in summary]
    open_ = None if content is None else [{"type": "reasoning_text", "text": t} for t in content]
    return {"type": "reasoning", "id": "rs", "summary": made, "content": open_}


def body(*output: dict, status: str = "completed", **more) -> bytes:
    """Return a response as bytes."""
    return http(200, {"status": status, "output": list(output), "model": "served", **more})


def sent(request: Request = HELLO, **arguments) -> dict:
    """Return the JSON that a request becomes."""
    return ask_seen(body(item()), request=request, arguments={**API, **arguments})[1][0].body


def reply_to(raw: bytes, request: Request = HELLO, **arguments) -> Response | Failure:
    """Return what a body means."""
    return ask(raw, request=request, arguments={**API, **arguments})


def test_a_chat_becomes_instructions_and_input():
    """The first system message instructs; nothing is kept at the server."""
    messages = (
        Message("system", "Be brief."),
        Message("user", "2 + 2?"),
        Message("assistant", "4", reasoning="hm"),
        Message("system", "Now in words."),
        Message("user", "Again."),
    )
    reply, seen = ask_seen(body(item()), request=Request(messages=messages), arguments=API)
    assert isinstance(reply, Response)
    assert seen[0].path == "/v1/responses"
    assert seen[0].body == {
        "model": "m",
        "store": False,
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "2 + 2?"},
            {"role": "assistant", "content": "4"},
            {"role": "system", "content": "Now in words."},
            {"role": "user", "content": "Again."},
        ],
        "max_output_tokens": 256,
        "temperature": 0.0,
    }


def test_settings_of_generation_have_their_fields():
    """Temperature, top_p and extra ones are sent; a stop text has no field."""
    generation = Generation(
        max_tokens=99, temperature=0.5, top_p=0.9, stop=("a",), extra={"truncation": "auto"}
    )
    found = sent(Request(messages=HELLO.messages, generation=generation, logprobs=True))
    assert found["max_output_tokens"] == 99
    assert (found["temperature"], found["top_p"], found["truncation"]) == (0.5, 0.9, "auto")
    assert found["include"] == ["message.output_text.logprobs"]
    assert "stop" not in found


def test_effort_and_summary_of_reasoning_stand_together():
    """A reasoning model is asked without what it refuses."""
    found = sent(reasoning="true", reasoning_effort="low", reasoning_summary="auto")
    assert found["reasoning"] == {"effort": "low", "summary": "auto"}
    assert not {"temperature", "top_p"} & found.keys()
    assert found["max_output_tokens"] == 256 + 8192


def test_the_least_limit_of_tokens_is_the_api_s():
    """A lower one would be refused; the answer may be a little longer than asked."""
    assert (
        sent(Request(messages=HELLO.messages, generation=Generation(1)))["max_output_tokens"] == 16
    )


def test_tools_and_a_schema_are_spelt_as_the_api_does():
    """A tool is flat; a schema is the format of the text."""
    tool = Tool("add", "Adds.", {"type": "object"})
    found = sent(Request(messages=HELLO.messages, tools=(tool,), schema={"type": "object"}))
    assert found["tools"] == [
        {
            "type": "function",
            "name": "add",
            "description": "Adds.",
            "parameters": {"type": "object"},
            "strict": False,
        }
    ]
    assert found["text"]["format"] == {
        "type": "json_schema",
        "name": "answer",
        "schema": {"type": "object"},
        "strict": True,
    }


def test_earlier_calls_and_their_results_are_items():
    """A turn that only called is no message; what a tool gave names its call."""
    messages = (
        Message("user", "2 + 2?"),
        Message("assistant", "", tool_calls=(ToolCall("c1", "add", '{"a": 2}'),)),
        Message("tool", "4", tool_call_id="c1"),
        Message("assistant", "So:", tool_calls=(ToolCall("c2", "say", "{}"),)),
    )
    assert sent(Request(messages=messages))["input"] == [
        {"role": "user", "content": "2 + 2?"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 2}'},
        {"type": "function_call_output", "call_id": "c1", "output": "4"},
        {"role": "assistant", "content": "So:"},
        {"type": "function_call", "call_id": "c2", "name": "say", "arguments": "{}"},
    ]


def test_an_answer_is_read_with_its_reasoning_and_what_it_used():
    """Texts are joined; the summary of the reasoning is kept, its tokens are counted."""
    usage = {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 7},
    }
    reply = reply_to(body(thought("One.", "Two."), item("4"), item("!"), usage=usage))
    assert isinstance(reply, Response)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("4!", "One.\n\nTwo.", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens, reply.reasoning_tokens) == (5, 9, 7)
    assert cached_prompt_tokens(reply) == 4
    assert (reply.served_model, reply.latency_s > 0) == ("served", True)


def test_reasoning_that_is_open_is_kept_rather_than_its_summary():
    """Open models tell what they thought; tags in the text are reasoning too."""
    reply = reply_to(body(thought("short", content=["long", "and longer"]), item("4")))
    assert reply.reasoning == "long\n\nand longer"
    reply = reply_to(body(item("<think>2 and 2</think> 4")))
    assert (reply.text, reply.reasoning) == ("4", "2 and 2")


def test_asides_are_no_answer_where_there_is_one():
    """What a model says while it works does not stand before its answer."""
    aside, final = item("I add.", phase="commentary"), item("4", phase="final_answer")
    assert reply_to(body(aside, final)).text == "4"
    assert reply_to(body(aside)).text == "I add."


def test_calls_are_read_with_their_ids():
    """The id that the result must name is the call's, not the item's."""
    call = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "{}"}
    reply = reply_to(body(thought(), call, {**call, "call_id": None, "arguments": {"a": 1}}))
    assert reply.tool_calls == (ToolCall("c1", "f", "{}"), ToolCall("fc", "f", '{"a":1}'))
    assert (reply.text, reply.finish_reason) == ("", "tool_calls")


def test_a_refusal_is_an_answer_that_is_named():
    """It can be told from an answer of the same words."""
    refused = {"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}
    reply = reply_to(body(refused))
    assert (reply.text, reply.finish_reason) == ("I will not.", "refusal")


@pytest.mark.parametrize(
    ("raw", "text", "reason"),
    [
        (body(item("so f"), status="incomplete"), "so f", "length"),
        (
            body(
                thought("long"),
                status="incomplete",
                incomplete_details={"reason": "max_output_tokens"},
            ),
            "",
            "length",
        ),
        (
            body(item("no"), status="incomplete", incomplete_details={"reason": "content_filter"}),
            "no",
            "content_filter",
        ),
        (body(item(""), status="completed"), "", "stop"),
        (body(status="incomplete"), "", "length"),
        (http(200, {"output": [item("x")]}), "x", "stop"),
    ],
)
def test_how_a_response_ended_is_told(raw, text, reason):
    """A response cut off by the limit of tokens is an answer of length, even without text."""
    reply = reply_to(raw)
    assert isinstance(reply, Response)
    assert (reply.text, reply.finish_reason) == (text, reason)


@pytest.mark.parametrize(
    ("raw", "kind", "retryable"),
    [
        (
            body(status="incomplete", incomplete_details={"reason": "content_filter"}),
            "content_filter",
            False,
        ),
        (body(status="failed", error={"code": "server_error", "message": "x"}), "server", True),
        (body(status="failed", error={"code": "rate_limit_exceeded"}), "rate_limit", True),
        (body(status="failed", error={"code": "invalid_prompt"}), "refused", False),
        (body(status="failed", error={"code": "bio_policy"}), "content_filter", False),
        (body(status="failed", error=None), "server", True),
        (body(status="cancelled"), "server", True),
        (body(status="queued"), "malformed", True),
        (body(status="completed"), "malformed", True),
        (http(200, {"status": "completed"}), "malformed", True),
        (http(200, {"output": "x"}), "malformed", True),
        (http(200, {"error": {"message": "broke", "code": 502}}), "server", True),
        (http(200, "<html>"), "malformed", True),
        (http(200, b"\xff"), "malformed", True),
        (http(200, b'{"output":' + b"[" * 200_000), "malformed", True),
        (http(429, "slow"), "rate_limit", True),
        (
            http(400, {"error": {"message": "x", "code": "context_length_exceeded"}}),
            "too_long",
            False,
        ),
    ],
)
def test_each_fault_is_a_failure_of_its_kind(raw, kind, retryable):
    """A response that the server gave up on is no answer."""
    failure = reply_to(raw)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retryable) == (kind, retryable)


def test_an_answer_ends_before_the_stop_text():
    """The API knows none, so the text and its log-probabilities are cut here."""
    tokens = [("4", -0.5), ("\n", -0.25), ("Q", -0.125)]
    said = item("4\nQ")
    said["content"][0]["logprobs"] = [{"token": t, "logprob": value} for t, value in tokens]
    request = Request(
        messages=HELLO.messages, generation=Generation(stop=("Q", "\n")), logprobs=True
    )
    reply = reply_to(body(said, status="incomplete"), request)
    assert (reply.text, reply.finish_reason, reply.token_logprobs) == ("4", "stop", (-0.5,))
    whole = reply_to(body(said), Request(messages=HELLO.messages, logprobs=True))
    assert whole.token_logprobs == (-0.5, -0.25, -0.125)


def test_missing_log_probabilities_are_said():
    """An answer without what was asked for is malformed, and asking again would not help."""
    failure = reply_to(body(item()), Request(messages=HELLO.messages, logprobs=True))
    assert (failure.kind, failure.retryable) == ("malformed", False)


def test_a_seed_is_refused_rather_than_dropped():
    """The API has no field for it; -M omit=seed says that it may be left out."""
    request = Request(messages=HELLO.messages, generation=Generation(seed=1))
    failure = reply_to(body(item()), request)
    assert failure.kind == "unsupported"
    assert "-M omit=seed" in failure.message
    assert "seed" not in sent(request, omit="seed")


def test_fields_that_would_change_the_kind_of_the_answer_are_refused():
    """A response in the background, or one that hangs on an earlier one, is another thing."""
    for name in ("background", "previous_response_id", "conversation", "input"):
        generation = Generation(extra={name: "x"})
        reply = reply_to(body(item()), Request(messages=HELLO.messages, generation=generation))
        assert reply.kind == "unsupported"


def test_a_strict_server_takes_all_that_is_sent():
    """Chats of several turns, tools, schemas and log-probabilities are in the API's own words."""
    tool = Tool("add", "Adds.", {"type": "object"})
    messages = (
        Message("system", "s"),
        Message("user", "u"),
        Message("assistant", "", tool_calls=(ToolCall("c", "add", "{}"),)),
        Message("tool", "4", tool_call_id="c"),
    )
    plain = (Request(messages=messages), Request(messages=messages, logprobs=True))
    unheard = (Request(messages=messages, tools=(tool,)), Request(messages=messages, schema={}))
    toy = Toy()

    async def main():
        async with responding(toy) as url:
            backend = backend_at(url, arguments=API)
            replies = await backend.answer([*plain, *unheard])
            await backend.close()
            return replies

    first, second, refused, unheld = asyncio.run(main())
    assert isinstance(first, Response)
    assert len(second.token_logprobs) == second.completion_tokens
    assert "no tools, no schema" in refused.message, "the toy's own words"
    assert schema_refused(unheld)
    assert [one.schema for one in toy.asked[-2:]] == [{}, None]


def test_a_prompt_is_not_for_the_responses_api():
    """Plain text is continued by completions, as beside the chat API."""
    done = http(200, {"choices": [{"text": " time"}]})
    reply, seen = ask_seen(done, request=Request(prompt="once upon a"), arguments=API)
    assert (reply.text, seen[0].path) == (" time", "/v1/completions")
