"""The litellm backend: what goes in, what comes out, what each of its errors means."""

from __future__ import annotations

import asyncio
import importlib
import sys
from types import ModuleType, SimpleNamespace

import pytest

from harness.errors import AuthenticationFailed, ModelNotFound, UsageError
from harness.records import Generation, Message, ModelSpec, Request, Response, Tool

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


def test_the_real_package_answers():
    """With litellm installed, its own mock answers through the backend."""
    pytest.importorskip("litellm", reason="litellm is not installed (extra litellm)")
    reply = ask(arguments={"mock_response": "mocked"})
    assert isinstance(reply, Response)
    assert reply.text == "mocked"
