"""The Messages API against a local server: bodies, answers, refusals."""

from __future__ import annotations

import asyncio

import pytest
from canned import HANG, http, serving

from harness.backend.anthropic import open_anthropic, read_settings
from harness.errors import AuthenticationFailed, ModelNotFound, UsageError
from harness.records import (
    Failure,
    Generation,
    Message,
    ModelSpec,
    Request,
    Response,
    Tool,
    ToolCall,
)

HELLO = Request(messages=(Message("user", "hello"),))
KEY = "key-not-to-be-seen"


def message(*content, reason="end_turn", **more):
    """Return an answered message as bytes."""
    usage = {"input_tokens": 10, "output_tokens": 3, "cache_read_input_tokens": 5}
    body = {"type": "message", "content": list(content), "stop_reason": reason, "usage": usage}
    return http(200, {**body, "model": "served", **more})


def text(said):
    """Return a block of text."""
    return {"type": "text", "text": said}


def ask(*replies, request=HELLO, timeout_s=5.0, **arguments):
    """Return the reply to one request, and what the server saw of it."""

    async def once():
        async with serving(*replies) as server:
            url = server.url.removesuffix("/v1")
            spec = ModelSpec("anthropic", "m", arguments, base_url=url, api_key_env="A_KEY")
            backend = open_anthropic(spec, timeout_s=timeout_s, connections=2)
            try:
                (reply,) = await backend.answer([request])
            finally:
                await backend.close()
            return reply, server.seen[0] if server.seen else None

    return asyncio.run(once())


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("A_KEY", KEY)


def test_a_chat_goes_out_as_the_api_wants_it_and_comes_back():
    """System text stands apart, the key is a header, tokens count those from the cache."""
    request = Request(
        messages=(Message("system", "Be brief."), *HELLO.messages),
        generation=Generation(max_tokens=7, temperature=0.5, top_p=0.9, stop=("\n", "END")),
    )
    reply, seen = ask(message(text("hi"), text(" there\nmore")), request=request)
    assert seen.path == "/v1/messages"
    assert seen.headers["x-api-key"] == KEY
    assert seen.headers["anthropic-version"]
    assert seen.body == {
        "model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["END"],
    }  # fmt: skip
    assert (reply.text, reply.finish_reason) == ("hi there", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (15, 3)
    assert reply.served_model == "served"


def test_tools_go_out_and_their_calls_come_back():
    """Calls become blocks, results become the user's turn, arguments stay JSON text."""
    calls = (ToolCall("1", "f", '{"a": 1}'), ToolCall("2", "f", "?"))
    request = Request(
        messages=(
            Message("user", "add"),
            Message("assistant", "", tool_calls=calls),
            Message("tool", "2", tool_call_id="1"),
            Message("tool", "3", tool_call_id="2"),
        ),
        tools=(Tool("f", "adds", {"type": "object"}),),
    )  # fmt: skip
    call = {"type": "tool_use", "id": "9", "name": "f", "input": {"a": 2}}
    reply, seen = ask(message(call, reason="tool_use"), request=request)
    assert seen.body["tools"] == [
        {"name": "f", "description": "adds", "input_schema": {"type": "object"}}
    ]
    _, assistant, results = seen.body["messages"]
    assert [block["input"] for block in assistant["content"]] == [{"a": 1}, {"unreadable": "?"}]
    assert results["role"] == "user"
    assert [block["tool_use_id"] for block in results["content"]] == ["1", "2"]
    assert reply.tool_calls == (ToolCall("9", "f", '{"a":2}'),)
    assert reply.finish_reason == "tool_calls"


def test_thinking_is_kept_apart_and_paid_for_in_tokens():
    """The budget is added to max_tokens and the temperature is left out."""
    reply, seen = ask(
        message({"type": "thinking", "thinking": "hm"}, text("4"), reason="max_tokens"),
        thinking=1024,
    )
    assert seen.body["max_tokens"] == 256 + 1024
    assert "temperature" not in seen.body
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("4", "hm", "length")


def test_fields_that_a_model_refuses_can_be_omitted():
    """-M omit names them."""
    _, seen = ask(message(text("x")), omit="temperature, top_p")
    assert "temperature" not in seen.body


@pytest.mark.parametrize(
    ("answer", "kind", "retryable"),
    [
        (http(429, {"error": {"type": "rate_limit_error", "message": "slow"}}), "rate_limit", True),
        (http(529, {"error": {"type": "overloaded_error", "message": "busy"}}), "server", True),
        (http(400, {"error": {"type": "invalid", "message": "no"}}), "refused", False),
        (http(200, "<html>"), "malformed", True),
        (http(200, {"type": "message"}), "malformed", True),
        (http(200, {"content": "text"}), "malformed", True),
        (HANG, "timeout", True),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_a_failure_of_its_kind(answer, kind, retryable):
    """Status and body decide whether asking again is worth it."""
    reply, _ = ask(answer, timeout_s=0.3 if answer == HANG else 5.0)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.retryable) == (kind, retryable)


def test_a_wrong_key_or_model_stops_the_run():
    """401 and 404 would come for every request; no message holds the key."""
    with pytest.raises(AuthenticationFailed) as refused:
        ask(http(401, {"error": {"type": "authentication_error", "message": f"bad {KEY}"}}))
    assert KEY not in str(refused.value)
    with pytest.raises(ModelNotFound, match="no model 'm'"):
        ask(http(404, {"error": {"type": "not_found_error", "message": "model: m"}}))


@pytest.mark.parametrize(
    "request_",
    [
        Request(kind="loglikelihood", prompt="a", continuation="b"),
        Request(messages=HELLO.messages, logprobs=True),
        Request(messages=HELLO.messages, schema={}),
        Request(),
        Request(prompt="a", generation=Generation(extra={"model": "other"})),
        Request(prompt="\ud800"),
    ],
)
def test_what_the_api_cannot_do_is_unsupported(request_):
    """Nothing is sent for it."""
    reply, seen = ask(message(text("x")), request=request_)
    assert reply.kind == "unsupported"
    assert seen is None


def test_a_prompt_is_one_user_turn():
    """Plain text reaches the model, too."""
    reply, seen = ask(message(text("x")), request=Request(prompt="go on"))
    assert isinstance(reply, Response)
    assert seen.body["messages"] == [{"role": "user", "content": "go on"}]


def test_settings_name_what_is_wrong(monkeypatch):
    """Unknown arguments, a bad budget, a missing key."""
    with pytest.raises(UsageError, match="did you mean 'thinking'"):
        read_settings(ModelSpec("anthropic", "m", {"thinkin": 1}), {})
    with pytest.raises(UsageError, match="thinking"):
        read_settings(ModelSpec("anthropic", "m", {"thinking": "long"}), {})
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    with pytest.raises(AuthenticationFailed, match="ANTHROPIC_API_KEY"):
        open_anthropic(ModelSpec("anthropic", "m"), timeout_s=1, connections=1)
    with pytest.raises(AuthenticationFailed, match="NOT_SET"):
        open_anthropic(
            ModelSpec("anthropic", "m", api_key_env="NOT_SET"), timeout_s=1, connections=1
        )
