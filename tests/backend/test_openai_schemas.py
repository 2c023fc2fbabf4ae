"""Servers that take no JSON schema: asked without, found out once, and told of."""

from __future__ import annotations

import asyncio

import pytest
from canned import HELLO, ask_seen, backend_at, chat, http, serving
from msgspec.structs import replace
from test_serve import through_http
from toy import Plain, Toy

from harness.billing import schema_refused, without_schema
from harness.records import Failure, Message, Reply, Request, Response
from harness.store.responses import SqliteResponses

ASKED = Request(messages=HELLO.messages, schema={"type": "object"})
REFUSALS = {
    "vLLM": http(
        400,
        {
            "object": "error",
            "message": "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), "
            "'msg': \"Input should be 'text' or 'json_object'\"}]",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    "validator": http(422, {"detail": [{"loc": ["body", "response_format"], "msg": "extra"}]}),
    "llama.cpp": http(
        500, {"error": {"code": 500, "message": "response_format type must be one of text"}}
    ),
    "param": http(400, {"error": {"message": "unknown field", "param": "response_format"}}),
    "proxy": http(200, {"error": {"code": 400, "message": "no structured outputs here"}}),
    "guided": http(400, {"error": {"message": "guided decoding is switched off"}}),
}
SAID = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hi"}],
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_server_that_refuses_schemas_is_asked_without(refusal):
    """The same chat goes out once more, and the answer says that no schema held it."""
    reply, seen = ask_seen(refusal, chat(), request=ASKED)
    assert reply.text == "hi"
    assert schema_refused(reply)
    first, second = (one.body for one in seen)
    assert first.pop("response_format")["type"] == "json_schema"
    assert first == second


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"message": "Unsupported parameter: 'text.format'", "param": "text.format"}},
        {"error": {"message": "Unknown parameter: 'text'.", "param": "text"}},
        {"detail": [{"loc": ["body", "text", "format"], "msg": "extra fields"}]},
    ],
)
def test_so_is_a_server_of_the_responses_api(refusal):
    """There the schema is the format of `text`."""
    answer = http(200, {"status": "completed", "output": [SAID], "model": "served"})
    reply, seen = ask_seen(
        http(400, refusal), answer, request=ASKED, arguments={"api": "responses"}
    )
    assert (reply.text, schema_refused(reply)) == ("hi", True)
    assert ["text" in one.body for one in seen] == [True, False]


def test_it_is_found_out_once():
    """Later requests go out without a schema at once, and say so too."""

    async def go() -> None:
        async with serving(REFUSALS["vLLM"], chat()) as server:
            backend = backend_at(server.url)
            replies = [(await backend.answer([ASKED]))[0] for _ in range(3)]
            await backend.close()
            assert all(isinstance(one, Response) and schema_refused(one) for one in replies)
            assert ["response_format" in one.body for one in server.seen] == [
                True, False, False, False,
            ]  # fmt: skip

    asyncio.run(go())


def test_requests_at_once_all_get_their_answer(start_server):
    """Those that left before it was known are asked again, each for itself; no other is."""
    server = start_server(faults="schema=1", latency_ms=5)

    async def go() -> list[Reply]:
        backend = backend_at(server.url)  # four connections
        try:
            chats = [replace(ASKED, messages=(Message("user", str(i)),)) for i in range(40)]
            pool = asyncio.Semaphore(4)

            async def one(request: Request) -> Reply:
                async with pool:
                    return (await backend.answer([request]))[0]

            return await asyncio.gather(*map(one, chats))
        finally:
            await backend.close()

    assert all(schema_refused(one) for one in asyncio.run(go()))
    found = server.stats()["by_status"]
    assert found["200"] == 40
    assert 1 <= found["schema"] <= 8


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "temperature must be 1", "refused"),
        (429, "too many requests with response_format", "rate_limit"),
        (400, "prompt is too long: response_format", "too_long"),
        (503, "busy", "server"),
    ],
)
def test_another_refusal_stays_what_it_is(status, message, kind):
    """It is one request, and its message is told."""
    reply, seen = ask_seen(http(status, {"error": {"message": message}}), request=ASKED)
    assert isinstance(reply, Failure)
    assert (reply.kind, len(seen)) == (kind, 1)
    assert message in reply.message


def test_a_refusal_that_only_quotes_the_request_is_told_and_not_believed():
    """The second request fails likewise; the next one is sent with its schema again."""

    async def go() -> None:
        detail = {"detail": [{"msg": "bad role", "input": {"response_format": {}}}]}
        quoting = http(422, detail)
        async with serving(quoting, quoting, chat()) as server:
            backend = backend_at(server.url)
            (first,) = await backend.answer([ASKED])
            (second,) = await backend.answer([ASKED])
            await backend.close()
            assert isinstance(first, Failure)
            assert "bad role" in first.message
            assert not schema_refused(second)
            assert ["response_format" in one.body for one in server.seen] == [True, False, True]

    asyncio.run(go())


def test_a_request_without_a_schema_is_never_asked_twice():
    """Whatever the refusal speaks of."""
    reply, seen = ask_seen(REFUSALS["vLLM"], request=HELLO)
    assert (reply.kind, len(seen)) == ("refused", 1)


class Passing(Toy):
    """Answers; the server behind it takes no schema."""

    async def answer(self, requests):
        """Return what was answered without the schema."""
        bare = [replace(request, schema=None) for request in requests]
        replies = await super().answer(bare)
        told = zip(requests, replies, strict=True)
        return [reply if one.schema is None else without_schema(reply) for one, reply in told]


@pytest.mark.parametrize("backend", [Plain(), Passing()])
def test_our_own_server_refuses_schemas_in_words_that_are_understood(backend):
    """Where its model takes none, and where the server behind it takes none."""
    (reply,) = through_http(backend, [ASKED])
    assert schema_refused(reply)
    assert backend.asked[-1].schema is None


def test_it_is_kept_with_the_answer(tmp_path):
    """A replayed answer says so too, under the key of the request with its schema."""

    async def go() -> Response | None:
        with SqliteResponses(tmp_path / "responses.sqlite") as store:
            await store.put("ab" * 16, without_schema(Response(text="hi")))
            return await store.get("ab" * 16)

    found = asyncio.run(go())
    assert found is not None
    assert schema_refused(found)
    assert (found.text, found.cached) == ("hi", True)
