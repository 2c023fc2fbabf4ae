"""A backend over HTTP answers as it does directly."""

from __future__ import annotations

import asyncio
import json
import signal
import threading

import aiohttp
import pytest
from canned import backend_at
from msgspec import structs
from toy import Plain, Toy, token_scores

from harness.backend.serve import serve
from harness.backend.serve_wire import echoed_logprobs, generated_logprobs, names_of
from harness.backend.tokens import TokenScore
from harness.errors import AuthenticationFailed, BackendError, ModelNotFound, UsageError
from harness.records import (
    Failure,
    Generation,
    Message,
    ModelSpec,
    Request,
    Response,
    ToolCall,
)

TEXTS = ["2 + 2 = 4", "Zwölf Boxkämpfer", "二加二得四", "a", " leading", "tab\tend\n", "🙂 emoji"]


async def served(backend, use):
    """Return what `use(url)` returns while `backend` is served."""
    stop = asyncio.Event()
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(backend, port=0, ready=url.set_result, stop=stop))
    try:
        await asyncio.wait((server, url), return_when=asyncio.FIRST_COMPLETED)
        return await use(url.result()) if url.done() else None
    finally:
        stop.set()
        await server


def through_http(backend, requests, **arguments) -> list:
    """Return the replies to `requests`, sent at once by the openai backend."""

    async def use(url):
        client = backend_at(url, name="toy", arguments=arguments)
        try:
            replies = await asyncio.gather(*(client.answer([request]) for request in requests))
        finally:
            await client.close()
        return [reply for (reply,) in replies]

    return asyncio.run(served(backend, use))


def directly(backend, requests) -> list:
    """Return the replies to `requests` without a server."""
    return asyncio.run(backend.answer(requests))


def post(backend, path, body, headers=None) -> tuple[int, dict, dict]:
    """Return status, body and headers of one HTTP request."""

    async def use(url):
        async with aiohttp.ClientSession() as session:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            method = "POST" if body is not None else "GET"
            root = url.removesuffix("/v1")
            async with session.request(method, root + path, data=data, headers=headers) as answer:
                return answer.status, await answer.json(), dict(answer.headers)

    return asyncio.run(served(backend, use))


def test_a_served_chat_equals_a_direct_one():
    """Text, log-probabilities and usage are the same, message by message and setting by setting."""
    chat = (Message("system", "Be brief."), Message("user", "2 + 2?"))
    requests = [
        Request(messages=chat),
        Request(messages=chat, logprobs=True),
        Request(messages=chat, generation=Generation(9, 0.5, 0.9, ("\n", "."), 7)),
        Request(messages=chat[1:], generation=Generation(max_tokens=1)),
    ]
    for there, here in zip(through_http(Toy(), requests), directly(Toy(), requests), strict=True):
        assert isinstance(there, Response)
        assert (there.text, there.token_logprobs) == (here.text, here.token_logprobs)
        assert there.completion_tokens == here.completion_tokens
        assert there.served_model == "toy"


def test_a_served_completion_equals_a_direct_one():
    """The same without a chat."""
    requests = [Request(prompt="once"), Request(prompt="once", logprobs=True)]
    for there, here in zip(through_http(Toy(), requests), directly(Toy(), requests), strict=True):
        assert (there.text, there.token_logprobs) == (here.text, here.token_logprobs)


@pytest.mark.parametrize("backend", [Toy, Plain])
def test_served_log_likelihoods_equal_direct_ones_to_the_last_bit(backend):
    """Sum, number of tokens and greediness of each continuation are the same floats."""
    asked = [
        Request(kind="loglikelihood", prompt=text[:cut].rstrip(), continuation=text[cut:])
        for text in TEXTS
        for cut in range(len(text))
        if text[:cut] == text[:cut].rstrip()
    ]
    asked += [Request(kind="rolling", prompt=text, logprobs=True) for text in TEXTS]
    there, here = through_http(backend(), asked), directly(backend(), asked)
    for served_, direct in zip(there, here, strict=True):
        assert served_.loglikelihood == direct.loglikelihood
        assert (served_.tokens, served_.token_logprobs) == (direct.tokens, direct.token_logprobs)
        assert served_.greedy == (direct.greedy if backend is Toy else None)


def test_requests_that_come_together_go_to_the_backend_together():
    """Nothing waits alone: batches are filled up to max_batch, and never beyond."""
    toy = Toy()
    requests = [Request(messages=(Message("user", str(i)),)) for i in range(32)]
    replies = through_http(toy, requests)
    assert [r.text for r in replies] == [r.text for r in directly(Toy(), requests)]
    assert max(toy.batches) <= toy.max_batch
    assert len(toy.batches) < 32


def test_a_backend_of_single_requests_gets_them_at_once():
    """With max_batch 1 nothing is gathered."""
    toy = Toy()
    toy.max_batch = 1
    through_http(toy, [Request(prompt="a"), Request(prompt="b")])
    assert toy.batches == [1, 1]


def test_echo_lists_every_token_of_the_text():
    """The first entry is the start of the text, without a log-probability, as in OpenAI's API."""
    body = {"prompt": "aé", "echo": True, "logprobs": 1, "max_tokens": 0}
    status, answer, _ = post(Toy(), "/v1/completions", body)
    (choice,) = answer["choices"]
    found = choice["logprobs"]
    values = [score.logprob for score in token_scores("aé")]
    assert (status, choice["text"], choice["finish_reason"]) == (200, "aé", "length")
    assert found["tokens"] == ["", "a", "bytes:\\xc3", "bytes:\\xa9"]
    assert found["token_logprobs"] == [None, *values]
    assert found["text_offset"] == [0, 0, 1, 1]
    assert found["top_logprobs"][0] is None
    assert all(
        token in top
        for token, top in zip(found["tokens"][1:], found["top_logprobs"][1:], strict=True)
    )
    assert answer["usage"] == {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}


def test_echo_with_generation_lists_both():
    """What is generated follows the prompt in text and tokens."""
    body = {"prompt": "a", "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0}
    _, answer, _ = post(Toy(), "/v1/completions", body)
    (choice,) = answer["choices"]
    assert choice["text"].startswith("aé")
    assert "".join(choice["logprobs"]["tokens"][-3:]) == choice["text"][-3:]


def test_echo_without_log_probabilities_is_text_alone():
    """No list of tokens is made that nobody asked for."""
    _, answer, _ = post(Toy(), "/v1/completions", {"prompt": "ab", "echo": True, "max_tokens": 0})
    assert (answer["choices"][0]["text"], answer["choices"][0]["logprobs"]) == ("ab", None)


def test_several_prompts_are_several_choices():
    """A list of prompts is answered in order."""
    body = {"prompt": ["a", "b", ""], "echo": True, "logprobs": 1, "max_tokens": 0}
    for backend in (Toy, Plain):
        _, answer, _ = post(backend(), "/v1/completions", body)
        assert [(c["index"], c["text"]) for c in answer["choices"]] == [(0, "a"), (1, "b"), (2, "")]


def test_a_request_to_be_drawn_at_random_is_another_draw_each_time():
    """Without a seed equal requests get repeat numbers; with one, or at temperature 0, none."""
    toy = Toy()
    warm = Request(prompt="a", generation=Generation(temperature=1.0))
    fixed = Request(prompt="a", generation=Generation(temperature=1.0, seed=3))
    through_http(toy, [warm, warm, fixed, fixed, Request(prompt="a"), Request(prompt="a")])
    assert sorted(request.repeat for request in toy.asked) == [0, 0, 0, 0, 0, 1]


def test_a_text_beyond_the_context_is_too_long():
    """What a backend would cut into windows is refused when it comes as a prompt."""
    small = Plain()
    small.info = structs.replace(small.info, context=4)
    asked = [Request(kind="loglikelihood", prompt="a", continuation=text) for text in ("bc", "bcd")]
    fits, long = through_http(small, asked)
    assert fits.tokens == 2
    assert (long.kind, long.retryable) == ("too_long", False)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        ({"messages": []}, "must not be empty"),
        ({"messages": [{"role": "god", "content": "x"}]}, "god"),
        ({"messages": [{"role": "user", "content": "x"}], "n": 2}, "n other than 1"),
        ({"messages": [{"role": "user", "content": "x"}], "stream": True}, "stream"),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}, "negative"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "type"),
    ],
)
def test_a_bad_chat_is_refused_with_a_reason(body, says):
    """A 400 says what is wrong, in OpenAI's error object."""
    status, answer, _ = post(Toy(), "/v1/chat/completions", body)
    assert status == 400
    assert says in answer["error"]["message"]


@pytest.mark.parametrize("prompt", [[], [1, 2], None, 3])
def test_a_prompt_that_is_no_text_is_refused(prompt):
    """Tokens by number are not served, since no client knows them."""
    assert post(Toy(), "/v1/completions", {"prompt": prompt})[0] == 400


def test_failures_keep_their_kind_on_the_way():
    """A client sees the kind of failure that the backend had, and how long to wait."""
    long, busy = through_http(Toy(), [Request(prompt="too long"), Request(prompt="busy")])
    assert (long.kind, long.status) == ("too_long", 400)
    assert (busy.kind, busy.retry_after, busy.retryable) == ("rate_limit", 2.5, True)
    scored = Request(kind="loglikelihood", prompt="a", continuation="b")
    toy = Plain()
    toy._one = lambda request: Response(loglikelihood=-1.0)
    (reply,) = through_http(toy, [scored])
    assert isinstance(reply, Failure)
    assert "where its tokens start" in reply.message


def broken(error: Exception) -> Toy:
    """Return a backend of which `error` makes no use possible."""

    class Broken(Toy):
        async def answer(self, requests):
            raise error

    return Broken()


def test_a_backend_that_is_of_no_use_says_so():
    """Errors of the whole backend become statuses that a client understands."""
    with pytest.raises(AuthenticationFailed):
        through_http(broken(AuthenticationFailed("no key")), [Request(prompt="a")])
    (gone,) = through_http(broken(ModelNotFound("gone")), [Request(prompt="a")])
    assert (gone.kind, gone.status, gone.fatal) == ("unsupported", 404, True)
    (dead,) = through_http(broken(BackendError("dead")), [Request(prompt="a")])
    assert (dead.kind, dead.status) == ("server", 503)


def test_another_model_is_not_there():
    """A request for a model of another name is refused, with the name of the one served."""
    body = {"model": "gpt", "messages": [{"role": "user", "content": "x"}]}
    status, answer, _ = post(Toy(), "/v1/chat/completions", body)
    assert status == 404
    assert "'toy'" in answer["error"]["message"]


def test_models_and_health_are_told():
    """The one model is listed; health is a plain yes; other paths are not found."""
    assert [m["id"] for m in post(Toy(), "/v1/models", None)[1]["data"]] == ["toy"]
    assert post(Toy(), "/health", None)[1] == {"status": "ok"}
    assert post(Toy(), "/v1/nothing", None)[0] == 404


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.test"}, {"Host": "evil.test"}])
def test_web_pages_are_refused(headers):
    """Neither a page's script nor a rebound name reaches the model."""
    status, answer, _ = post(Toy(), "/health", None, headers)
    assert (status, answer["error"]["code"]) == (403, "forbidden")


def test_a_port_that_is_taken_is_named():
    """A second server on one port is a usage error."""

    async def use(url):
        port = int(url.rsplit(":", 1)[1].removesuffix("/v1"))
        with pytest.raises(UsageError, match=f"cannot serve on 127.0.0.1:{port}"):
            await serve(Toy(), port=port)

    asyncio.run(served(Toy(), use))


def test_requests_in_hand_are_finished_when_the_server_stops():
    """Stopping waits for the answer that is under way."""
    begun, go, stop = asyncio.Event, asyncio.Event, asyncio.Event

    async def main():
        started, proceed, end = begun(), go(), stop()

        class Slow(Toy):
            async def answer(self, requests):
                started.set()
                await proceed.wait()
                return await super().answer(requests)

        url = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(serve(Slow(), port=0, ready=url.set_result, stop=end))
        client = backend_at(await url, name="toy")
        asked = asyncio.create_task(client.answer([Request(prompt="a")]))
        await started.wait()
        end.set()
        proceed.set()
        (reply,) = await asked
        await client.close()
        await server
        return reply

    assert isinstance(asyncio.run(main()), Response)


def test_sigterm_ends_the_server_in_order():
    """A terminated server finishes what is in hand and returns; the signal is then free again."""

    async def main():
        url = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(serve(Toy(), port=0, ready=url.set_result))
        await url
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await server

    asyncio.run(main())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_server_in_another_thread_leaves_signals_alone():
    """Only the main thread can handle signals, so elsewhere `stop` is the way."""

    def run():
        async def use(url):
            return url

        seen.append(asyncio.run(served(Toy(), use)))

    seen: list[str] = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen[0].startswith("http://127.0.0.1:")


def test_embedded_scores_through_http_equal_direct_ones_to_the_last_bit():
    """Every continuation's log-likelihood and every chat's answer is the same, sample by sample."""
    backend_module = pytest.importorskip("harness.backend.embedded.backend")
    if "nano" not in backend_module.model_names():
        pytest.skip("the weights of embedded/nano are not here")
    asked = [
        Request(kind="loglikelihood", prompt=f"{a} + {b} =", continuation=f" {a + b + off}")
        for a, b in ((2, 2), (17, 5), (640, 255), (7000, 38))
        for off in (-1, 0, 1)
    ]
    asked += [Request(kind="loglikelihood", continuation=text) for text in TEXTS]
    asked += [Request(kind="rolling", prompt=text, logprobs=True) for text in TEXTS]
    asked += [
        Request(messages=(Message("user", f"What is {n} + {n}?"),), logprobs=True,
                generation=Generation(max_tokens=8))
        for n in (3, 45, 678)
    ]  # fmt: skip
    backend = backend_module.open_embedded(ModelSpec("embedded", "nano"))

    async def use(url):
        client = backend_at(url, name="nano")
        try:
            there = await asyncio.gather(*(client.answer([request]) for request in asked))
        finally:
            await client.close()
        return [reply for (reply,) in there], await backend.answer(asked)

    there, here = asyncio.run(served(backend, use))
    asyncio.run(backend.close())
    for one, other in zip(there, here, strict=True):
        assert isinstance(one, Response), one
        assert (one.text, one.loglikelihood, one.tokens) == (
            other.text,
            other.loglikelihood,
            other.tokens,
        )
        assert one.greedy in {None, other.greedy}


def test_reasoning_tool_calls_and_tokens_come_back():
    """What a model says besides text arrives; tokens that are no bytes have no names."""

    class Rich(Toy):
        def _one(self, request):
            calls = (ToolCall("1", "f", "{}"),)
            return Response("hi!", "hm", calls, "tool_calls", token_logprobs=(-1.0, -2.0))

    chat, text = through_http(
        Rich(),
        [
            Request(messages=(Message("user", "?"),), logprobs=True),
            Request(prompt="p", logprobs=True),
        ],
    )
    assert (chat.text, chat.reasoning, chat.finish_reason) == ("hi!", "hm", "tool_calls")
    assert chat.tool_calls == (ToolCall("1", "f", "{}"),)
    assert chat.token_logprobs == text.token_logprobs == (-1.0, -2.0)
    assert chat.prompt_tokens is None
    assert names_of("hi!", 2) == ["hi!", ""]
    assert names_of("", 0) == []
    assert generated_logprobs(Response("hi!", token_logprobs=(-1.0, -2.0)), 4)["text_offset"] == [
        4,
        7,
    ]


def test_a_first_token_without_a_probability_stands_for_itself():
    """A backend without BOS needs no token before its first."""
    found = echoed_logprobs([TokenScore("a", 0, None), TokenScore("b", 1, -1.0)])
    assert found["tokens"] == ["a", "b"]
    assert found["top_logprobs"] is None


def test_a_failure_in_one_of_several_prompts_fails_them_all():
    """No half an answer is sent."""
    status, answer, _ = post(Toy(), "/v1/completions", {"prompt": ["a", "too long"]})
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")


def test_any_name_of_this_machine_is_its_own():
    """The name localhost and IPv6's loopback are fine as Host."""
    for host in ("localhost:1", "[::1]:80", "127.0.0.2"):
        assert post(Toy(), "/health", None, {"Host": host})[0] == 200


def test_tools_and_schemas_reach_the_backend():
    """What a chat may hold besides text arrives as it was meant."""
    toy = Toy()
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = {
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "4", "tool_call_id": "1"},
        ],
        "tools": [{"type": "function", "function": function}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
    }
    status, answer, _ = post(toy, "/v1/chat/completions", body)
    assert (status, answer["error"]["code"]) == (400, "unsupported")
    (asked,) = toy.asked
    assert asked.messages[0] == Message("system", "a")
    assert asked.messages[1].tool_calls[0].name == "f"
    assert asked.messages[2].tool_call_id == "1"
    assert (asked.tools[0].name, asked.schema) == ("f", {"type": "object"})
