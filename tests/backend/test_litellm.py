"""The litellm backend: what goes in, what comes out, what each of its errors means."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest
from canned import DROP, chat, http, serving

from harness.errors import AuthenticationFailed, ModelNotFound, UsageError
from harness.records import (
    Failure,
    Generation,
    Message,
    ModelSpec,
    Request,
    Response,
    Tool,
)

HELLO = Request(messages=(Message("user", "hello"),))
KEY = "key-not-to-be-seen"


class FakeLitellm(ModuleType):
    """Stands in for the package: answers, or raises, and remembers what it was called with."""

    def __init__(self) -> None:
        super().__init__("litellm")
        self.seen: list[dict] = []
        self.raises: Exception | None = None
        self.body = {
            "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 4, "completion_tokens": 1},
            "model": "served",
        }

    async def acompletion(self, **given):
        self.seen.append(given)
        if self.raises:
            raise self.raises
        return SimpleNamespace(model_dump=lambda: self.body)


@pytest.fixture
def fake(monkeypatch):
    """The fake package in the place of the real one, which need not be installed."""
    package = FakeLitellm()
    monkeypatch.setitem(sys.modules, "litellm", package)
    monkeypatch.delitem(sys.modules, "harness.backend.litellm", raising=False)
    yield package
    sys.modules.pop("harness.backend.litellm", None)


def opened(**spec):
    """Open the backend by way of whatever package stands there."""
    module = importlib.import_module("harness.backend.litellm")
    return module.open_litellm(ModelSpec("litellm", "groq/m", **spec))


def ask(request=HELLO, **spec):
    """Return the reply to one request."""
    return asyncio.run(opened(**spec).answer([request]))[0]


def test_a_request_goes_out_as_keywords_and_comes_back_as_a_response(fake, monkeypatch):
    """Retries are off, since the harness has its own; the key is handed over, never shown."""
    monkeypatch.setenv("L_KEY", KEY)
    request = Request(
        messages=HELLO.messages,
        generation=Generation(max_tokens=5, top_p=0.5, stop=("x",), seed=1, extra={"user": "u"}),
        tools=(Tool("f", "d", {"type": "object"}),),
        schema={"type": "object"},
    )
    backend = opened(
        api_key_env="L_KEY", arguments={"api_version": "1"}, base_url="http://127.0.0.1:1"
    )
    (reply,) = asyncio.run(backend.answer([request]))
    (seen,) = fake.seen
    assert (seen["model"], seen["num_retries"], seen["api_key"]) == ("groq/m", 0, KEY)
    assert (seen["api_base"], seen["api_version"], seen["user"]) == ("http://127.0.0.1:1", "1", "u")
    assert seen["messages"][0] == {"role": "user", "content": "hello"}
    assert (seen["stop"], seen["seed"], seen["top_p"]) == (["x"], 1, 0.5)
    assert isinstance(reply, Response)
    assert (reply.text, reply.prompt_tokens, reply.served_model) == ("hi", 4, "served")
    assert KEY not in f"{vars(backend)} {backend.identity()}"


@pytest.mark.parametrize(
    ("name", "status", "kind", "retryable"),
    [
        ("RateLimitError", 429, "rate_limit", True),
        ("Timeout", 408, "timeout", True),
        ("InternalServerError", 500, "server", True),
        ("ServiceUnavailableError", 503, "server", True),
        ("APIConnectionError", 500, "connection", True),
        ("BadRequestError", 400, "refused", False),
        ("ContextWindowExceededError", 400, "too_long", False),
        ("ContentPolicyViolationError", 400, "content_filter", False),
        ("KeyError", None, "internal", False),
    ],
)
def test_each_error_is_a_failure_of_its_kind(fake, name, status, kind, retryable):
    """Litellm's exceptions are told by name and status."""
    fake.raises = type(name, (Exception,), {"status_code": status})("no luck")
    reply = ask()
    assert (reply.kind, reply.retryable) == (kind, retryable)
    assert "no luck" in reply.message


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationFailed), (404, ModelNotFound)])
def test_a_wrong_key_or_model_stops_the_run(fake, status, error):
    """They would come for every request."""
    fake.raises = type("Refused", (Exception,), {"status_code": status})("no")
    with pytest.raises(error, match="litellm/groq/m"):
        ask()


@pytest.mark.parametrize("body", [{"choices": []}, {"choices": "x"}])
def test_an_odd_answer_is_malformed(fake, body):
    """A body of another shape is no answer."""
    fake.body = body
    assert ask().kind == "malformed"


@pytest.mark.parametrize(
    "request_",
    [
        Request(kind="rolling", prompt="a"),
        Request(messages=HELLO.messages, logprobs=True),
        Request(),
        Request(prompt="a", generation=Generation(extra={"stream": True})),
    ],
)
def test_what_is_not_offered_is_unsupported(fake, request_):
    """Litellm is not asked."""
    assert ask(request_).kind == "unsupported"
    assert fake.seen == []


def test_arguments_that_the_harness_keeps_to_itself_are_refused(fake):
    """A key never comes by -M, and a named variable must be set."""
    with pytest.raises(UsageError, match="api_key"):
        opened(arguments={"api_key": "x"})
    with pytest.raises(AuthenticationFailed, match="NOT_SET"):
        opened(api_key_env="NOT_SET")


def test_counts_of_zero_are_unknown(fake):
    """Litellm writes 0 where a server tells no usage; a prompt has at least one token."""
    fake.body = {**fake.body, "usage": {"prompt_tokens": 0, "completion_tokens": 0}}
    reply = ask()
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("hi", None, None)


def test_what_a_server_asks_to_wait_is_passed_on(fake):
    """The headers that the error came with are read; its name stands in the message once."""
    told = {"status_code": 429, "litellm_response_headers": {"Retry-After": "7"}}
    fake.raises = type("RateLimitError", (Exception,), told)("litellm.RateLimitError: slow")
    reply = ask()
    assert reply.retry_after == 7
    assert reply.message == "litellm.RateLimitError: slow"


def test_no_header_is_shown(fake):
    """Neither the backend's own attributes nor its identity hold one."""
    backend = opened(headers={"X-Team": KEY})
    assert KEY not in f"{vars(backend)!r} {backend.identity()!r} {backend!r}"
    assert isinstance(asyncio.run(backend.answer([HELLO]))[0], Response)
    assert fake.seen[0]["extra_headers"] == {"X-Team": KEY}


def test_litellm_is_kept_quiet(fake):
    """It neither fetches prices as it is imported nor prints to the user's output."""
    opened()
    assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert (fake.suppress_debug_info, fake.telemetry) == (True, False)


# ---- the package itself, where it is installed -------------------------------------------------

REAL = pytest.mark.filterwarnings("ignore")  # what litellm warns of is not ours


def really(*replies: bytes, **spec):
    """Return the reply of litellm's OpenAI client to what a server answers, and what was sent."""
    pytest.importorskip("litellm", reason="litellm is not installed (extra litellm)")

    async def once():
        async with serving(*replies) as server:
            module = importlib.import_module("harness.backend.litellm")
            at = {"base_url": server.url, "api_key_env": "L_KEY", **spec}
            backend = module.open_litellm(ModelSpec("litellm", "openai/m", **at))
            try:
                (reply,) = await backend.answer([HELLO])
            finally:
                await sys.modules["litellm"].close_litellm_async_clients()
            return reply, server.seen

    return asyncio.run(once())


@pytest.fixture
def key(monkeypatch):
    """A key in the environment."""
    monkeypatch.setenv("L_KEY", KEY)


@REAL
def test_the_real_package_answers(key):
    """Text, reasoning and usage come through; key and headers are sent."""
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    message = {"role": "assistant", "content": "4", "reasoning_content": "hm"}
    reply, seen = really(chat(message, usage=usage), headers={"X-Team": "t"})
    assert isinstance(reply, Response)
    assert (reply.text, reply.reasoning, reply.reasoning_tokens) == ("4", "hm", 1)
    assert seen[0].path == "/v1/chat/completions"
    assert (seen[0].headers["authorization"], seen[0].headers["x-team"]) == (f"Bearer {KEY}", "t")


@REAL
@pytest.mark.parametrize(
    ("raw", "kind", "retryable"),
    [
        (http(429, {"error": {"message": "slow"}}, "Retry-After: 7"), "rate_limit", True),
        (http(500, "{}"), "server", True),
        (http(503, "<html>bad gateway</html>"), "server", True),
        (http(400, {"error": {"message": "no such field"}}), "refused", False),
        (
            http(
                400,
                {
                    "error": {
                        "message": "This model's maximum context length is 9 tokens",
                        "code": "context_length_exceeded",
                    }
                },
            ),
            "too_long",
            False,
        ),
        (http(200, "<html>log in</html>"), "server", True),
        (http(200, b'{"choices": [{"message": {"content": "\xff"}}]}'), "server", True),
        (chat({"role": "assistant", "content": None}), "malformed", True),
        (DROP, "server", True),
    ],
)
def test_the_real_package_s_errors_are_failures_of_their_kind(raw, kind, retryable, key):
    """One attempt each: litellm's own retries are off."""
    reply, seen = really(raw)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.retryable) == (kind, retryable)
    assert reply.retry_after == (7 if kind == "rate_limit" else None)
    assert len(seen) == 1


@REAL
@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationFailed), (404, ModelNotFound)])
def test_the_real_package_tells_a_refused_key_and_an_unknown_model(status, error, key):
    """They stop the run, and the key is not repeated."""
    with pytest.raises(error) as caught:
        really(http(status, {"error": {"message": f"no {KEY}"}}))
    assert KEY not in str(caught.value)
