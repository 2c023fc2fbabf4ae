"""What is sent to a server, and how its answers are read."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from canned import HELLO, ask, ask_seen, backend_at, chat, http, serving

from harness.backend.openai import client
from harness.records import (
    Failure,
    Generation,
    Message,
    Request,
    Response,
    Tool,
    ToolCall,
)


def sent(request: Request, **spec) -> dict:
    """Return the JSON that a request becomes."""
    return ask_seen(chat(), request=request, **spec)[1][0].body


def test_a_chat_is_sent_with_the_fields_that_are_set_and_no_others():
    """The body holds model, messages, length and temperature; nothing of the harness's own."""
    request = Request(messages=HELLO.messages, sample_id="s", turn=2, repeat=3)
    assert sent(request) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 256,
        "temperature": 0.0,
    }


def test_all_generation_settings_are_sent():
    """Each setting has its field, and extra ones are merged."""
    generation = Generation(
        max_tokens=9, temperature=0.5, top_p=0.9, stop=("a",), seed=4, extra={"top_k": 5}
    )
    body = sent(Request(messages=HELLO.messages, generation=generation, logprobs=True))
    wanted = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "stop": ["a"], "seed": 4}
    assert wanted.items() <= body.items()
    assert (body["top_k"], body["logprobs"]) == (5, True)


def test_omitted_fields_and_the_name_of_the_token_limit_follow_the_arguments():
    """-M omit and -M max_tokens_field change the body."""
    arguments = {"omit": "temperature, seed", "max_tokens_field": "max_completion_tokens"}
    request = Request(messages=HELLO.messages, generation=Generation(seed=1))
    body = sent(request, arguments=arguments)
    assert body["max_completion_tokens"] == 256
    assert not {"temperature", "seed", "max_tokens"} & body.keys()


def test_tools_and_a_schema_are_spelt_as_the_api_does():
    """A tool is a function with parameters; a schema is a response format."""
    tool = Tool("add", "Adds.", {"type": "object"})
    body = sent(Request(messages=HELLO.messages, tools=(tool,), schema={"type": "object"}))
    function = {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_earlier_tool_calls_are_sent_and_reasoning_is_not():
    """What the model thought stays here; what it called goes back."""
    messages = (
        Message("assistant", "", reasoning="hm", tool_calls=(ToolCall("1", "add", "{}"),)),
        Message("tool", "4", tool_call_id="1"),
    )
    first, second = sent(Request(messages=messages))["messages"]
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    assert first == {"role": "assistant", "content": "", "tool_calls": [call]}
    assert second == {"role": "tool", "content": "4", "tool_call_id": "1"}


def test_an_answer_is_read_with_all_that_the_server_says_of_it():
    """Text, reasoning, usage, model, fingerprint and latency stand in the response."""
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 7.0,
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    message = {"content": "4", "reasoning_content": "2 and 2"}
    reply = ask(chat(message, "length", usage=usage, system_fingerprint="fp"))
    assert isinstance(reply, Response)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("4", "2 and 2", "length")
    assert (reply.prompt_tokens, reply.completion_tokens, reply.reasoning_tokens) == (5, 7, 3)
    assert (reply.served_model, reply.fingerprint) == ("served", "fp")
    assert reply.latency_s > 0


@pytest.mark.parametrize("count", [-1, 1e300, 99999999999999999999999])
def test_a_count_of_tokens_beyond_belief_is_dropped(count):
    """A server's wild number does not reach the store; the answer counts all the same."""
    reply = ask(chat(usage={"prompt_tokens": count}))
    assert (reply.text, reply.prompt_tokens) == ("hi", None)


@pytest.mark.parametrize(
    ("message", "finish", "text"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "stop", "ab"),
        ({"content": None, "refusal": "I will not."}, "stop", "I will not."),
        ({"content": None, "reasoning": "so long"}, "stop", ""),
        ({"content": None}, "length", ""),
        ({"content": ""}, "stop", ""),
        ({"content": "x"}, None, "x"),
    ],
)
def test_odd_but_honest_answers_are_answers(message, finish, text):
    """Parts are joined; a refusal and a thought cut short are the model's own doing."""
    reply = ask(chat(message, finish))
    assert isinstance(reply, Response)
    assert reply.text == text


def test_a_refusal_is_named_as_the_reason_of_the_end():
    """A structured refusal can be told from an answer of the same words."""
    assert ask(chat({"content": None, "refusal": "No."})).finish_reason == "refusal"


@pytest.mark.parametrize(
    ("arguments", "text"), [('{"a": 1}', '{"a": 1}'), ({"a": 1}, '{"a":1}'), (None, "")]
)
def test_tool_calls_are_read_with_their_arguments_as_text(arguments, text):
    """A null content beside tool calls is no fault; arguments stay as the model wrote them."""
    call = {"function": {"name": "add", "arguments": arguments}}
    reply = ask(chat({"content": None, "tool_calls": [call]}, "tool_calls"))
    assert reply.tool_calls == (ToolCall("call_0", "add", text),)
    assert (reply.text, reply.finish_reason) == ("", "tool_calls")


WITH_LOGPROBS = Request(messages=HELLO.messages, logprobs=True)


def test_log_probabilities_of_generated_tokens_are_read():
    """A chat's are listed by token, a completion's in one list."""
    content = [{"token": "h", "logprob": -0.5}, {"token": "i", "logprob": -0.25}]
    reply = ask(chat(choice={"logprobs": {"content": content}}), request=WITH_LOGPROBS)
    assert reply.token_logprobs == (-0.5, -0.25)
    body = {"choices": [{"text": "hi", "logprobs": {"token_logprobs": [-0.5, -0.25]}}]}
    reply = ask(http(200, body), request=Request(prompt="p", logprobs=True))
    assert reply.token_logprobs == (-0.5, -0.25)


@pytest.mark.parametrize("value", ["NaN", "null", "1e999", "0.5", '"-1"'])
def test_a_log_probability_that_is_none_is_a_fault(value):
    """NaN, null, infinity, positive numbers and text are no log-probabilities."""
    body = (
        '{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"logprob": %s}]}}]}'
    )
    failure = ask(http(200, body % value), request=WITH_LOGPROBS)
    assert (failure.kind, failure.fatal) == ("malformed", False)


def test_missing_log_probabilities_are_a_fault():
    """An answer without the numbers that were asked for is not taken."""
    assert ask(chat(), request=WITH_LOGPROBS).kind == "malformed"
    reply = http(200, {"choices": [{"text": "x"}]})
    assert ask(reply, request=Request(prompt="p", logprobs=True)).kind == "malformed"


def test_a_prompt_goes_to_completions():
    """Plain text is continued, not chatted with."""
    body = {"choices": [{"text": " a time", "finish_reason": None}], "usage": {"prompt_tokens": 2}}
    request = Request(prompt="once upon", logprobs=False)
    reply, seen = ask_seen(http(200, body), request=request, arguments={"api": "completions"})
    assert (seen[0].path, seen[0].body["prompt"]) == ("/v1/completions", "once upon")
    assert (reply.text, reply.finish_reason, reply.prompt_tokens) == (" a time", "stop", 2)


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        (HELLO, {"api": "completions"}),
        (Request(), {}),
        (Request(prompt="p", tools=(Tool("t", "", {}),)), {}),
        (Request(prompt="p", schema={}), {}),
        (Request(kind="loglikelihood", prompt="p", continuation="c"), {"loglikelihood": False}),
        (Request(messages=HELLO.messages, generation=Generation(extra={"n": 2})), {}),
        (Request(messages=(Message("user", "\ud800"),)), {}),
        (Request(kind="loglikelihood", messages=HELLO.messages, continuation="c"), {}),
        (Request(kind="loglikelihood", prompt="p"), {}),
        (Request(kind="rolling"), {}),
    ],
)
def test_what_the_model_cannot_do_is_said_without_asking(request_, arguments):
    """An unsupported request is a failure, and nothing is sent."""
    reply, seen = ask_seen(chat(), request=request_, arguments=arguments)
    assert isinstance(reply, Failure)
    assert (reply.kind, seen) == ("unsupported", [])


def test_deep_nesting_is_a_fault():
    """A body that nests without end is malformed, not a crash."""
    failure = ask(http(200, b'{"x":' + b"[" * 200_000))
    assert failure.kind == "malformed"
    assert ask(http(500, b"[" * 200_000)).kind == "server"


def test_key_and_headers_are_sent_and_shown_nowhere(monkeypatch):
    """The key goes into one header; repr, identity and info hold neither it nor a header."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")
    _, seen = ask_seen(chat(), headers={"X-Team": "t-hidden"})
    assert seen[0].headers["Authorization"] == "Bearer sk-hidden"
    assert seen[0].headers["X-Team"] == "t-hidden"
    backend = backend_at("http://127.0.0.1:1/v1", headers={"X-Team": "t-hidden"})
    shown = f"{backend!r} {backend.identity()} {backend.info} {vars(backend)!r}"
    assert "hidden" not in shown


def test_connections_are_kept_and_shared():
    """Requests in turn go over one connection, and closing twice is fine."""

    async def three() -> int:
        async with serving(chat()) as server:
            backend = backend_at(server.url)
            replies = await backend.answer([HELLO, HELLO, HELLO])
            await backend.close()
            await backend.close()
            assert all(isinstance(reply, Response) for reply in replies)
            return server.connections

    assert asyncio.run(three()) == 1


def test_a_proxy_is_taken_from_the_environment_but_not_for_this_machine(monkeypatch):
    """Servers elsewhere go through the proxy, those on loopback and in NO_PROXY do not."""
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "inside.test")
    assert client.proxy_for("https://api.example/v1") == "http://proxy.test:3128"
    assert client.proxy_for("http://localhost:8000/v1") is None
    assert client.proxy_for("https://inside.test/v1") is None


def mock_server() -> Path | None:
    """Return the script of the bench's server, where it is there."""
    root = Path(__file__).resolve().parents[2]
    bench = Path(os.environ.get("HARNESS_BENCH", root.parent / "shared" / "bench"))
    script = bench / "mock_openai.py"
    return script if script.exists() else None


@pytest.mark.skipif(mock_server() is None, reason="the bench's mock_openai.py is not here")
def test_the_bench_server_is_understood_with_and_without_faults():
    """Chats, completions and log-likelihoods work; each injected fault is a retryable failure."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = mock_server()
    command = [sys.executable, str(script), "--port", str(port), "--err-digit", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it says when it listens
        try:
            asyncio.run(_bench(f"http://127.0.0.1:{port}"))
        finally:
            process.terminate()


async def _bench(root: str) -> None:
    backend = backend_at(f"{root}/v1", name="mock")
    chat_ = Request(messages=(Message("user", "What is 12 + 30?"),), logprobs=True)
    right = Request(kind="loglikelihood", prompt="What is 12 + 30?", continuation=" 42")
    wrong = Request(kind="loglikelihood", prompt="What is 12 + 30?", continuation=" 43")
    text = Request(kind="rolling", prompt="What is 12 + 30? 42")
    said, best, worse, whole = await backend.answer([chat_, right, wrong, text])
    assert said.text == "42"
    assert (best.loglikelihood, best.greedy, best.tokens) == (-0.01, True, 1)
    assert worse.loglikelihood < best.loglikelihood
    assert whole.tokens == len(["is", "12", "+", "30", "?", "42"])
    for fault, kind in (
        ("f429", "rate_limit"),
        ("f500", "server"),
        ("fdrop", "connection"),
        ("fjson", "malformed"),
    ):
        await asyncio.to_thread(_configure, root, f"{fault}=1")
        (failure,) = await backend.answer([chat_])
        assert (failure.kind, failure.retryable) == (kind, True)
        await asyncio.to_thread(_configure, root, f"{fault}=0")
    await backend.close()


def _configure(root: str, setting: str) -> None:
    with urllib.request.urlopen(f"{root}/config?{setting}") as answer:
        json.load(answer)


# ---- reasoning, stop texts, long answers -------------------------------------------------------


def test_a_reasoning_model_is_asked_on_its_terms():
    """Another name for the limit, with room to think; no temperature, top_p or stop; the effort."""
    arguments = {"reasoning": True, "reasoning_effort": "low", "thinking": 1000}
    generation = Generation(max_tokens=16, top_p=0.5, stop=("\n",), seed=3)
    found = sent(Request(messages=HELLO.messages, generation=generation), arguments=arguments)
    assert found == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 1016,
        "seed": 3,
        "reasoning_effort": "low",
    }


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ("<think>\n2 and 2\n</think>\n\n4", "4", "2 and 2"),
        ("2 and 2</think>4", "4", "2 and 2"),
        ("<think>without end", "", "without end"),
        ("<thinking>a</thinking>b<thinking>c</thinking>", "b", "a\nc"),
        ("I think 4", "I think 4", None),
    ],
)
def test_thinking_that_the_server_left_in_the_text_is_taken_out_and_kept(content, text, thought):
    """It is no answer, and it is not lost."""
    reply = ask(chat({"content": content}))
    assert (reply.text, reply.reasoning) == (text, thought)


def test_reasoning_that_the_server_took_out_leaves_tags_in_the_text_alone():
    """A server that parses reasoning says what is the answer."""
    message = {"content": "the tag <think> opens", "reasoning_content": "hm"}
    assert ask(chat(message)).text == "the tag <think> opens"


def test_an_answer_ends_before_a_stop_text_that_was_not_sent():
    """With -M omit=stop the text and its log-probabilities are cut here, in a chat and a text."""
    generation = Generation(stop=("\n", "Q:"))
    asked = Request(messages=HELLO.messages, generation=generation, logprobs=True)
    content = [{"token": t, "logprob": -0.5} for t in ("4", " ", "\n", "Q:")]
    raw = chat({"content": "4 \nQ:"}, "length", choice={"logprobs": {"content": content}})
    reply, seen = ask_seen(raw, request=asked, arguments={"omit": "stop"})
    assert "stop" not in seen[0].body
    assert (reply.text, reply.finish_reason, reply.token_logprobs) == ("4 ", "stop", (-0.5, -0.5))
    assert ask(raw, request=asked).text == "4 \nQ:", "a server that was told is believed"

    logprobs = {"tokens": ["a", "Q:"], "token_logprobs": [-1.0, -2.0]}
    done = http(200, {"choices": [{"text": "aQ:", "logprobs": logprobs}]})
    text = Request(prompt="p", generation=generation, logprobs=True)
    reply = ask(done, request=text, arguments={"omit": "stop"})
    assert (reply.text, reply.token_logprobs) == ("a", (-1.0,))
    plain = Request(prompt="p", generation=generation)
    assert ask(http(200, {"choices": [{"text": "b"}]}), request=plain).text == "b"


def test_an_answer_of_ten_thousand_tokens_is_read_whole():
    """Text, log-probabilities of every token, and counts."""
    content = [{"token": " word", "logprob": -0.25}] * 10_000
    usage = {"prompt_tokens": 1, "completion_tokens": 10_000}
    raw = chat(
        {"content": " word" * 10_000}, "length", choice={"logprobs": {"content": content}},
        usage=usage,
    )  # fmt: skip
    reply = ask(raw, request=WITH_LOGPROBS)
    assert (len(reply.text), reply.completion_tokens) == (50_000, 10_000)
    assert reply.token_logprobs == (-0.25,) * 10_000


def test_structured_output_comes_back_as_it_was_written():
    """An answer to a schema is text; a refusal in its place is named."""
    asked = Request(messages=HELLO.messages, schema={"type": "object"})
    assert ask(chat({"content": '{"a": 1}'}), request=asked).text == '{"a": 1}'
    refused = ask(chat({"content": None, "refusal": "No."}), request=asked)
    assert (refused.text, refused.finish_reason) == ("No.", "refusal")


def test_room_to_think_is_told_to_whoever_estimates():
    """A preview and the ceiling of a batch count it beside a task's own limit."""
    backend = backend_at("http://127.0.0.1:1/v1", arguments={"thinking": 1000})
    assert (backend.thinking, backend.batches().thinking) == (1000, 1000)
    assert backend_at("http://127.0.0.1:1/v1").thinking == 0
