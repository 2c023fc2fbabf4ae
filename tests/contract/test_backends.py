"""What every backend keeps to, built in or plugged in."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

import msgspec
import pytest
import tinygguf
import tinyllama
from canned import http, serving
from responses_server import responding
from toy import Toy

from harness.backend.anthropic import open_anthropic
from harness.backend.command import open_command
from harness.backend.openai import open_openai
from harness.backend.python import open_python
from harness.backend.replay import open_replay
from harness.backend.scripted import open_scripted
from harness.backend.serve import serve
from harness.errors import HarnessError
from harness.identity import request_hasher
from harness.protocols import Backend
from harness.records import (
    Capability,
    Choice,
    Failure,
    Message,
    ModelSpec,
    Request,
    Response,
    Sample,
    Tool,
)

SECRET = "sk-not-to-be-seen"
CAPABILITIES = {"generate", "chat", "loglikelihood", "logprobs", "tools", "schema"}

SAMPLES = {
    str(i): Sample(
        "t", str(i), f"What is {i} + 1?", (str(i + 1),), tuple(map(Choice, "012345")), gold=i
    )
    for i in range(5)
}


def chat(i: int) -> Request:
    """Return a chat request about sample `i`."""
    return Request(messages=(Message("user", SAMPLES[str(i)].input),), sample_id=str(i))


def score(i: int) -> Request:
    """Return a log-likelihood request about sample `i`."""
    prompt = SAMPLES[str(i)].input
    return Request(kind="loglikelihood", prompt=prompt, continuation=f" {i}", sample_id=str(i))


ROLLING = Request(kind="rolling", prompt="some text", sample_id="0")

NEEDS: dict[Capability, Request] = {
    "generate": Request(prompt="go on", sample_id="0"),
    "chat": chat(0),
    "loglikelihood": score(0),
    "logprobs": msgspec.structs.replace(chat(0), logprobs=True),
    "tools": msgspec.structs.replace(chat(0), tools=(Tool("f", "d", {"type": "object"}),)),
    "schema": msgspec.structs.replace(chat(0), schema={"type": "object"}),
}
"""A request that needs each capability."""


def closing(make: Callable[[], Backend]) -> Callable[[], AbstractAsyncContextManager[Backend]]:
    """Return a function that opens a backend for a block and closes it after."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Backend]:
        backend = make()
        try:
            yield backend
        finally:
            await backend.close()

    return opened


def scripted(name: str, **arguments) -> Callable[[], AbstractAsyncContextManager[Backend]]:
    """Open `scripted/<name>` on the samples above."""
    return closing(lambda: open_scripted(name, arguments, SAMPLES.__getitem__))


def application(messages: list[dict[str, str]]) -> str:
    """Answer as a user's application would."""
    return f"You said: {messages[-1]['content']}"


@asynccontextmanager
async def served_toy() -> AsyncIterator[str]:
    """Serve a toy as `harness serve` does; yields the base URL."""
    stop = asyncio.Event()
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(Toy(), port=0, ready=url.set_result, stop=stop))
    try:
        yield await url
    finally:
        stop.set()
        await server


def at(url: str, provider: str, name: str, **arguments) -> ModelSpec:
    """Return a model on a server, with a key and a header that nobody may see."""
    secret = {"api_key_env": "CONTRACT_KEY", "headers": {"X-Key": SECRET}}
    return ModelSpec(provider, name, arguments, base_url=url, **secret)


@asynccontextmanager
async def openai_on_toy(**arguments) -> AsyncIterator[Backend]:
    """Open the openai backend on a served toy."""
    async with served_toy() as url:
        backend = open_openai(at(url, "openai", "toy", **arguments), timeout_s=10, connections=4)
        try:
            yield backend
        finally:
            await backend.close()


@asynccontextmanager
async def openai_responses() -> AsyncIterator[Backend]:
    """Open the Responses API on a toy behind a server that is strict about it."""
    async with responding(Toy()) as url:
        spec = at(url, "openai", "toy", api="responses", loglikelihood=False)
        backend = open_openai(spec, timeout_s=10, connections=4)
        try:
            yield backend
        finally:
            await backend.close()


@asynccontextmanager
async def quiet() -> AsyncIterator[None]:
    """Let a package that is not ours warn of itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@asynccontextmanager
async def litellm_on_toy() -> AsyncIterator[Backend]:
    """Open litellm's own OpenAI client on a served toy."""
    async with served_toy() as url, quiet():
        from harness.backend.litellm import open_litellm

        backend = open_litellm(at(url, "litellm", "openai/toy"))
        try:
            yield backend
        finally:
            await backend.close()


def llamacpp() -> Backend:
    """Open llama.cpp on a tiny random Llama."""
    from harness.backend.llamacpp import open_llamacpp

    return open_llamacpp(ModelSpec("llamacpp", str(tinygguf.file())))


def replay() -> Backend:
    """Open a replay of what the toy answered to all that is asked here."""
    toy = Toy()
    key = request_hasher(toy.identity())
    asked = [*(chat(i) for i in range(5)), *(score(i) for i in range(5)), ROLLING, *NEEDS.values()]
    replies = asyncio.new_event_loop()
    try:
        recorded = dict(
            zip(map(key, asked), replies.run_until_complete(toy.answer(asked)), strict=True)
        )
    finally:
        replies.close()
    kept = {k: r for k, r in recorded.items() if isinstance(r, Response)}
    return open_replay(
        kept.get, identity=toy.identity(), info=toy.info, capabilities=toy.capabilities
    )


def embedded(**arguments) -> Backend:
    """Open the smallest embedded model, or skip where it is not there (yet)."""
    opened = pytest.importorskip("harness.backend.embedded.backend")
    if "nano" not in opened.model_names():
        pytest.skip("the weights of embedded/nano are not here")
    backend: Backend = opened.open_embedded(ModelSpec("embedded", "nano", arguments))
    return backend


def hf(**arguments) -> Backend:
    """Open a tiny transformers model, or skip without torch."""
    folder = tinyllama.folder()
    from harness.backend.hf.backend import open_hf

    return open_hf(ModelSpec("hf", str(folder), arguments))


PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    said = asked["prompt"] + "".join(m["content"] for m in asked["messages"])
    score = {"loglikelihood": -1.0, "tokens": 1, "greedy": False} if asked["continuation"] else {}
    print(json.dumps({"id": asked["id"], "text": f"You said: {said[-99:]}", **score}), flush=True)
"""


def command() -> Backend:
    """Open a program that says what it heard."""
    arguments = {"args": shlex.join(["-c", PROGRAM])}
    return open_command(ModelSpec("command", sys.executable, arguments))


@asynccontextmanager
async def anthropic() -> AsyncIterator[Backend]:
    """Open the Messages API on a server that always says the same."""
    body = {"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}
    async with serving(http(200, body)) as server:
        url = server.url.removesuffix("/v1")
        spec = ModelSpec("anthropic", "m", base_url=url, api_key_env="CONTRACT_KEY")
        backend = open_anthropic(spec, timeout_s=10, connections=4)
        try:
            yield backend
        finally:
            await backend.close()


RECORDED = replay()

BACKENDS = {
    "oracle": scripted("oracle"),
    "wrong": scripted("wrong"),
    "random": scripted("random"),
    "constant": scripted("constant", text="4"),
    "python": closing(lambda: open_python(f"{__name__}:application", {})),
    "replay": closing(lambda: RECORDED),
    "openai": openai_on_toy,
    "openai-completions": lambda: openai_on_toy(api="completions"),
    "openai-responses": openai_responses,
    "embedded": closing(embedded),
    "embedded-completions": closing(lambda: embedded(api="completions")),
    "anthropic": anthropic,
    "command": closing(command),
    "hf": closing(hf),
    "hf-completions": closing(lambda: hf(api="completions")),
    "litellm": litellm_on_toy,
    "llamacpp": closing(llamacpp),
}
PACKAGES = {"litellm": "litellm", "llamacpp": "llama_cpp"}
"""What a backend needs that may not be installed, where nothing else skips for it."""


@pytest.fixture(params=BACKENDS)
def using(request, monkeypatch):
    """Return a function that runs `use(backend)` on an open backend and returns what it does."""
    if package := PACKAGES.get(request.param):
        pytest.importorskip(package, reason=f"{package} is not installed (extra {request.param})")
    monkeypatch.setenv("CONTRACT_KEY", SECRET)
    opened = BACKENDS[request.param]

    def run(use):
        async def main():
            async with opened() as backend:
                return await use(backend)

        return asyncio.run(main())

    return run


def asked(backend: Backend) -> list[Request]:
    """Return requests that differ, of a kind that the backend declares."""
    if "chat" in backend.capabilities:
        return [chat(i) for i in range(5)]
    return [score(i) for i in range(5)]


class Content(NamedTuple):
    """What of a reply does not hang on the clock.

    Equal by the last bit, but for hf: there the size of a batch decides how a matrix product is
    cut up, and with it the last digits.
    """

    words: tuple
    numbers: tuple[float, ...]
    exact: bool = True

    def __eq__(self, other):
        close = 0 if self.exact else 1e-4
        return self.words == other.words and self.numbers == pytest.approx(other.numbers, abs=close)

    def __hash__(self):
        return hash(self.words)


def content(reply: Response | Failure, backend: Backend | None = None) -> Content:
    """Return what of a reply does not hang on the clock."""
    assert isinstance(reply, Response), reply
    numbers = () if reply.loglikelihood is None else (reply.loglikelihood,)
    exact = backend is None or not backend.info.name.startswith("hf/")
    words = (reply.text, reply.greedy, reply.tokens)
    return Content(words, (*numbers, *(reply.token_logprobs or ())), exact)


async def in_batches(backend: Backend, requests: list[Request]) -> list[Response | Failure]:
    """Ask in batches of the size that the backend allows."""
    replies = []
    for start in range(0, len(requests), backend.max_batch):
        replies += await backend.answer(requests[start : start + backend.max_batch])
    return replies


def test_order_is_kept_and_the_same_request_has_the_same_answer(using):
    """Asked backwards, each request has the answer that it had before."""

    async def use(backend):
        requests = asked(backend)
        forth = await in_batches(backend, requests)
        back = await in_batches(backend, requests[::-1])
        assert [content(r, backend) for r in forth] == [content(r, backend) for r in back[::-1]]
        return forth

    assert len(using(use)) == 5


def test_a_batch_answers_as_single_requests_do(using):
    """The size of a batch changes no answer, to the last bit."""

    async def use(backend):
        assert backend.max_batch >= 1
        requests = asked(backend)
        together = await in_batches(backend, requests)
        alone = [(await backend.answer([request]))[0] for request in requests]
        assert [content(r, backend) for r in together] == [content(r, backend) for r in alone]
        assert await backend.answer([]) == []

    using(use)


def test_requests_at_the_same_time_are_answered_each(using):
    """Concurrent calls do not mix up their answers."""

    async def use(backend):
        requests = asked(backend)
        one_by_one = [(await backend.answer([request]))[0] for request in requests]
        at_once = await asyncio.gather(*(backend.answer([request]) for request in requests))
        assert [content(r, backend) for r in one_by_one] == [
            content(r, backend) for (r,) in at_once
        ]

    using(use)


@pytest.mark.parametrize("capability", sorted(CAPABILITIES))
def test_what_is_declared_is_answered_and_what_is_not_is_unsupported(using, capability):
    """A capability is a promise; its absence is a failure of kind unsupported, not a guess."""

    async def use(backend):
        assert backend.capabilities <= CAPABILITIES
        request = NEEDS[capability]
        if capability in backend.capabilities and capability in {"tools", "schema"}:
            return  # whether a model uses them is not the backend's to promise
        if capability not in {"generate", "loglikelihood"} and "chat" not in backend.capabilities:
            return  # a chat would be refused for being one
        (reply,) = await backend.answer([request])
        if capability in backend.capabilities:
            assert isinstance(reply, Response), reply
            if capability == "logprobs":
                assert reply.token_logprobs is not None
        else:
            assert isinstance(reply, Failure)
            assert (reply.kind, reply.retryable) == ("unsupported", False)

    using(use)


def test_log_likelihoods_are_sums_over_tokens_of_natural_logarithms(using):
    """Value, number of tokens and greediness come together, for continuation and whole text."""

    async def use(backend):
        if "loglikelihood" not in backend.capabilities:
            return
        wanted = msgspec.structs.replace(ROLLING, logprobs=True)
        if backend is RECORDED:
            wanted = ROLLING
        for request in (score(0), wanted):
            (reply,) = await backend.answer([request])
            assert isinstance(reply, Response), reply
            assert reply.loglikelihood is not None
            assert reply.loglikelihood <= 0
            assert reply.tokens is not None
            assert reply.tokens > 0
            if request.logprobs:
                assert len(reply.token_logprobs) == reply.tokens
                assert sum(reply.token_logprobs) == pytest.approx(reply.loglikelihood)

    using(use)


BAD = [
    Request(),
    Request(kind="rolling"),
    Request(kind="loglikelihood", prompt="a"),
    Request(kind="loglikelihood", messages=(Message("user", "a"),), continuation="b"),
    Request(messages=(Message("tool", "4", tool_call_id="x"),)),
    Request(messages=(Message("user", ""),)),
    Request(prompt="\x00"),
    Request(prompt="word " * 100_000),
    Request(kind="loglikelihood", prompt="word " * 100_000, continuation="x"),
]


@pytest.mark.parametrize("bad", range(len(BAD)))
def test_a_bad_request_is_a_failure_or_an_answer_but_never_an_exception(using, bad):
    """One odd request among others leaves the others' answers alone."""

    async def use(backend):
        good = asked(backend)[0]
        (before,) = await backend.answer([good])
        batch = [BAD[bad], good][: max(1, min(2, backend.max_batch))]
        replies = await backend.answer(batch)
        (after,) = await backend.answer([good])
        assert isinstance(replies[0], Response | Failure)
        between = replies[-1] if batch[1:] else after
        first, *others = (content(reply, backend) for reply in (before, after, between))
        assert all(first == other for other in others)

    using(use)


def test_identity_is_json_stays_the_same_and_holds_no_secret(using):
    """Keys are made of it, so it neither moves by use nor lets a secret out."""

    async def use(backend):
        before = msgspec.json.encode(backend.identity(), order="deterministic")
        await backend.answer(asked(backend)[:1])
        after = msgspec.json.encode(backend.identity(), order="deterministic")
        assert before == after
        assert b"provider" in before
        shown = f"{before!r} {backend.identity()!r} {backend.info!r} {backend!r} {vars(backend)!r}"
        assert SECRET not in shown
        return re.sub(rb"127.0.0.1:\d+", b"", before)

    assert using(use) == using(use)


def test_info_names_the_model(using):
    """run.json gets the name as the user gave it, and a hash of the arguments."""

    async def use(backend):
        provider, _, name = backend.info.name.partition("/")
        assert provider
        assert name
        assert backend.info.arguments_hash
        assert isinstance(backend, Backend)

    using(use)


def test_closing_twice_is_fine(using):
    """The second call does nothing, also where nothing was ever asked."""

    async def use(backend):
        await backend.close()
        await backend.close()

    using(use)


def test_errors_of_a_whole_backend_are_the_harness_own():
    """What `answer` may raise prints as one message."""
    with pytest.raises(HarnessError):
        open_openai(
            ModelSpec("openai", "m", {"no": 1}, base_url="http://127.0.0.1:1"),
            timeout_s=1,
            connections=1,
        )
