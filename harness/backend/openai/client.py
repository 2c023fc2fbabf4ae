"""The backend that talks HTTP to an OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from msgspec import Struct, structs
from yarl import URL

from harness.backend.openai import bodies, echo, faults, responses, wire
from harness.backend.openai.batch import OpenAIBatches
from harness.backend.openai.settings import (
    Settings,
    is_loopback,
    read_headers,
    read_key,
    read_settings,
)
from harness.billing import without_schema
from harness.errors import ModelNotFound
from harness.identity import content_key
from harness.records import Failure, ModelInfo, ModelSpec, Reply, Request, Response

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a body that are read at most."""
KEEPALIVE_S = 60.0
MODELS_TIMEOUT_S = 10.0
CHATS = {"responses": "responses", "chat": "chat/completions", "completions": "chat/completions"}
"""Where chats go."""


def open_openai(spec: ModelSpec, *, timeout_s: float, connections: int) -> OpenAIBackend:
    """Return the backend of `spec`; nothing is sent yet.

    `timeout_s` is for one attempt of one request; `connections` is how many are open at most.
    Raises `UsageError` for arguments or a base URL that cannot be, `AuthenticationFailed` where
    the default server is asked without a key.
    """
    settings = read_settings(spec, os.environ)
    key = read_key(spec, settings.base_url, os.environ)
    headers = read_headers(spec, key)
    transport = Transport(settings.base_url, headers, timeout_s, connections)
    return OpenAIBackend(spec, settings, transport)


NO_UTF8 = Failure("unsupported", "the request holds text that UTF-8 cannot carry")


class Call(Struct, frozen=True):
    """One HTTP request, and how its answer is read."""

    url: URL
    body: bytes
    read: Callable[[bytes, float], Reply]


class Answer(Struct, frozen=True):
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    latency_s: float


class Transport:
    """One session of HTTP; opened by the first request, within the loop that runs then."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], timeout_s: float, connections: int
    ) -> None:
        self.base_url = base_url
        self.timeout_s = timeout_s
        self._headers = dict(headers)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        secrets = [v.removeprefix("Bearer ") for v in headers.values()]
        plain = {"application/json"}
        self.redact = faults.redactor([value for value in secrets if value not in plain])

    def _open(self) -> aiohttp.ClientSession:
        # The proxy is looked up once: aiohttp's trust_env asks a thread for it, and ~/.netrc for
        # a password, on every request.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections, ttl_dns_cache=None, keepalive_timeout=KEEPALIVE_S
            ),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            proxy=proxy_for(self.base_url),
        )
        return self._session

    async def post(self, url: URL, body: bytes) -> Answer | Failure:
        """Send one body; a transport error is a `Failure`."""
        session = self._session or self._open()
        started = time.perf_counter()
        try:
            async with session.post(url, data=body, allow_redirects=False) as response:
                raw = await _read_bounded(response)
                status, headers = response.status, response.headers
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return faults.transport_failure(error, self.timeout_s, self.redact)
        if raw is None:
            return wire.malformed(f"the body is larger than {MAX_BODY} bytes", retryable=False)
        return Answer(status, headers, raw, time.perf_counter() - started)

    async def models(self, base_url: str | None = None) -> list[str]:
        """Return the models that the server lists, here or at `base_url`; empty where none are."""
        session = self._session or self._open()
        timeout = aiohttp.ClientTimeout(total=min(self.timeout_s, MODELS_TIMEOUT_S))
        try:
            async with session.get(
                URL(f"{base_url or self.base_url}/models"), allow_redirects=False, timeout=timeout
            ) as response:
                raw = await _read_bounded(response)
            listed = msgspec.json.decode(raw or b"{}", type=_Models).data
        except (TimeoutError, aiohttp.ClientError, OSError, *wire.UNREADABLE):
            return []
        return [model.id for model in listed]

    def batches(
        self,
        call: Callable[[Request], tuple[str, bytes] | Failure],
        read: Callable[[Request, int, bytes], Reply],
    ) -> OpenAIBatches:
        """Return the batch jobs of the same server, with the same key and headers."""
        return OpenAIBatches(self.base_url, self._headers, self.timeout_s, call, read)

    async def close(self) -> None:
        """Close the session; closing twice is fine."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # lets the closed sockets leave the loop


class _Model(Struct):
    id: str


class _Models(Struct):
    data: list[_Model] = []


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body, or None where it is larger than `MAX_BODY`."""
    content = response.content
    first = await content.readany()
    if content.at_eof():
        return first
    chunks, size = [first], len(first)
    while chunk := await content.readany():
        size += len(chunk)
        if size > MAX_BODY:
            response.close()
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def proxy_for(base_url: str) -> str | None:
    """Return the proxy that the environment names for this server; none for this machine."""
    url = URL(base_url)
    if is_loopback(base_url) or proxy_bypass(url.host or ""):
        return None
    return getproxies().get(url.scheme)


class OpenAIBackend:
    """A model behind an OpenAI-compatible server. One attempt a request; no retry.

    Two things are learned by use: whether the server takes `max_tokens: 0` when it scores text, or
    needs a 1; and whether it takes a schema.
    """

    max_batch = 1

    def __init__(self, spec: ModelSpec, settings: Settings, transport: Transport) -> None:
        self.capabilities = settings.capabilities
        self.info = ModelInfo(
            name=spec.label,
            arguments_hash=content_key(settings.arguments),
            served_name=settings.model,
        )
        self._settings = settings
        self._transport = transport
        self._chat_url = URL(f"{settings.base_url}/{CHATS[settings.api]}")
        self._text_url = URL(f"{settings.base_url}/completions")
        self._score_tokens = 0
        self._takes_schema = True
        self.thinking = settings.thinking
        """Tokens that a request may use beside its limit."""

    def identity(self) -> Mapping[str, Any]:
        """Return provider, address, model and arguments; never a key or a header."""
        settings = self._settings
        return {
            "provider": "openai",
            "base_url": settings.base_url,
            "model": settings.model,
            "arguments": {"api": settings.api, **settings.arguments},
        }

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order.

        Raises `AuthenticationFailed` and `ModelNotFound`: no request would be answered then.
        """
        return [await self._answer_one(request) for request in requests]

    def batches(self) -> OpenAIBatches:
        """Return the server's batch jobs, for the requests of this model."""
        batches = self._transport.batches(self._batch_call, self._batch_reply)
        batches.thinking = self.thinking
        return batches

    async def close(self) -> None:
        """Close all connections; closing twice is fine."""
        await self._transport.close()

    async def _answer_one(self, request: Request) -> Reply:
        if refused := self._unsupported(request):
            return Failure("unsupported", refused)
        try:
            if request.kind != "generate":
                return await self._score(request)
            if request.schema is not None:
                return await self._send_with_schema(request)
            return await self._send(self._call(request))
        except UnicodeEncodeError:
            return NO_UTF8

    async def _send_with_schema(self, request: Request) -> Reply:
        """Send a request with its schema; to a server that takes none, without.

        The words of such a request say what form the answer is to have, so nothing else stands in
        the place of the schema: `json_object` is refused by as many servers. That a server takes
        none is believed once it has answered without, since a refusal may only quote the request.
        """
        if self._takes_schema:
            call = self._call(request)
            answer = await self._transport.post(call.url, call.body)
            reply = await self._reply(call, answer)
            if isinstance(reply, Response) or isinstance(answer, Failure):
                return reply
            if not faults.refuses_schema(reply, answer.raw):
                return reply
        reply = await self._send(self._call(structs.replace(request, schema=None)))
        if isinstance(reply, Failure):
            return reply
        self._takes_schema = False
        return without_schema(reply)

    def _batch_call(self, request: Request) -> tuple[str, bytes] | Failure:
        """Return the path, below the base URL, and the body of a request."""
        call = self._any_call(request)
        if isinstance(call, Failure):
            return call
        return str(call.url).removeprefix(self._settings.base_url), call.body

    def _batch_reply(self, request: Request, status: int, raw: bytes) -> Reply:
        """Return the reply that a batch holds for a request; it took no time that could be told."""
        call = self._any_call(request)
        if isinstance(call, Failure):
            return call
        answer = Answer(status, {}, raw, 0.0)
        if status == 404:  # noqa: PLR2004 - HTTP's own number
            detail = faults.said_by(404, raw, self._transport.redact)
            raise ModelNotFound(faults.not_found(self._settings.model, str(call.url), [], detail))
        if status != 200:  # noqa: PLR2004
            return faults.http_failure(status, {}, raw, self._transport.redact)
        return self._read(call, answer)

    def _any_call(self, request: Request) -> Call | Failure:
        if refused := self._unsupported(request):
            return Failure("unsupported", refused)
        try:
            if request.kind == "generate":
                return self._call(request)
            scored = echo.to_score(request, self._settings.prefix)
            return scored if isinstance(scored, Failure) else self._score_call(request, scored)
        except UnicodeEncodeError:
            return NO_UTF8

    def _call(self, request: Request) -> Call:
        settings = self._settings
        cut = settings.cuts
        if not request.messages:
            return Call(
                self._text_url,
                bodies.completion_body(request, settings),
                lambda raw, latency: wire.read_completion(raw, request, latency, cut=cut),
            )
        if settings.api == "responses":
            return Call(
                self._chat_url,
                responses.response_body(request, settings),
                lambda raw, latency: responses.read_response(raw, request, latency),
            )
        return Call(
            self._chat_url,
            bodies.chat_body(request, settings),
            lambda raw, latency: wire.read_chat(raw, request, latency, cut=cut),
        )

    async def _score(self, request: Request) -> Reply:
        scored = echo.to_score(request, self._settings.prefix)
        if isinstance(scored, Failure):
            return scored
        while True:
            tokens = self._score_tokens
            reply = await self._send(self._score_call(request, scored))
            refuses_none = isinstance(reply, Failure) and (
                reply.kind == "refused" and "max_tokens" in reply.message
            )
            if tokens or not refuses_none:
                return reply
            self._score_tokens = 1

    def _score_call(self, request: Request, scored: echo.Scored) -> Call:
        settings = self._settings
        if settings.scoring == "prompt_logprobs":
            return Call(
                self._text_url,
                bodies.prompt_logprobs_body(scored.text, settings),
                lambda raw, latency: echo.read_prompt_logprobs(raw, request, scored, latency),
            )
        return Call(
            self._text_url,
            bodies.echo_body(scored.text, settings, self._score_tokens),
            lambda raw, latency: echo.read_echo(raw, request, scored, latency),
        )

    async def _send(self, call: Call) -> Reply:
        return await self._reply(call, await self._transport.post(call.url, call.body))

    async def _reply(self, call: Call, answer: Answer | Failure) -> Reply:
        if isinstance(answer, Failure):
            return answer
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            return await self._explain(call, answer)
        return self._read(call, answer)

    def _read(self, call: Call, answer: Answer) -> Reply:
        try:
            reply = call.read(answer.raw, answer.latency_s)
        except wire.UNREADABLE as error:
            return faults.unreadable(answer.raw, error, self._transport.redact)
        if isinstance(reply, Failure) and reply.kind == "malformed":
            return self._look_for_error(answer, reply)
        return reply

    def _look_for_error(self, answer: Answer, reply: Failure) -> Failure:
        """Some gateways answer 200 with an error in place of the choices."""
        error = faults.error_of(answer.raw)
        if not error.message or b'"error"' not in answer.raw:
            return reply
        status = int(error.code) if error.code.isdecimal() and len(error.code) == 3 else 500  # noqa: PLR2004
        return faults.http_failure(status, answer.headers, answer.raw, self._transport.redact)

    async def _explain(self, call: Call, answer: Answer) -> Failure:
        if answer.status != 404:  # noqa: PLR2004
            return faults.http_failure(
                answer.status, answer.headers, answer.raw, self._transport.redact
            )
        detail = faults.said_by(404, answer.raw, self._transport.redact)
        known = await self._transport.models()
        if self._settings.model in known or faults.speaks_of_endpoint(faults.error_of(answer.raw)):
            return Failure(
                "unsupported",
                f"{call.url} does not serve '{self._settings.model}'; {detail}",
                fatal=True,
                status=404,
            )
        if not known and not faults.error_of(answer.raw).message:
            base = f"{self._settings.base_url}/v1"
            better = base if await self._transport.models(base) else None
            raise ModelNotFound(faults.wrong_address(str(call.url), better, detail))
        raise ModelNotFound(faults.not_found(self._settings.model, str(call.url), known, detail))

    def _unsupported(self, request: Request) -> str | None:
        """Return why this request cannot be put to this model, or None."""
        capabilities = self.capabilities
        if request.kind != "generate":
            if "loglikelihood" in capabilities:
                return None
            return "this model does not score text (-M loglikelihood=true says that it does)"
        chat = bool(request.messages)
        taken = bodies.RESERVED & request.generation.extra.keys()
        reasons = {
            "with -M api=completions a request is a prompt, not a chat": (
                chat and "chat" not in capabilities
            ),
            "the request holds neither messages nor a prompt": not chat and not request.prompt,
            "tools need a chat": bool(request.tools) and not chat,
            "a schema needs a chat": request.schema is not None and not chat,
            f"extra settings (-G) may not set {', '.join(sorted(taken))}": bool(taken),
        }
        if chat and self._settings.api == "responses":
            reasons |= responses.unsupported(request, self._settings)
        return next((reason for reason, applies in reasons.items() if applies), None)
