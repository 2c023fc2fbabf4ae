"""Any backend as an OpenAI-compatible server on this machine.

Serves `/v1/chat/completions`, `/v1/completions` (also with echo and log-probabilities, so that
text can be scored), `/v1/models` and `/health`. Requests that come together go to the backend
together, up to its `max_batch`. Web pages are refused: a request with an `Origin` header, or, on
loopback, with a foreign `Host`, does not come from a client that was pointed here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web
from msgspec import structs

from harness.backend import serve_wire as wire
from harness.backend.tokens import ScoresTokens, TokenScore, byte_tokens
from harness.billing import schema_refused
from harness.errors import AuthenticationFailed, BackendError, ModelNotFound, UsageError
from harness.identity import request_hasher
from harness.protocols import Backend
from harness.records import Failure, Reply, Request, Response

GATHER_S = 0.002
"""How long the first request of a batch waits for others."""
MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request's body that are read at most."""
SHUTDOWN_S = 5.0
"""How long requests in hand may take once the server is told to stop."""
TEXT_BATCH = 64

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def serve(
    backend: Backend,
    *,
    host: str = "127.0.0.1",
    port: int,
    ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve `backend` until SIGTERM, `stop` or the task's cancellation; the backend stays open.

    `port` 0 takes any free one. `ready` is called with the base URL once requests are taken.
    Requests in hand are finished. Raises `UsageError` where the port cannot be had.
    """
    stop = stop or asyncio.Event()
    runner = web.AppRunner(make_app(backend, host), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise UsageError(f"cannot serve on {host}:{port}: {error.strerror}") from error
        if ready is not None:
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{runner.addresses[0][1]}/v1")
        with _on_terminate(stop.set):
            await stop.wait()
    finally:
        await runner.cleanup()


@contextmanager
def _on_terminate(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` at SIGTERM, in place of dying; only the main thread can be asked to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, act)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def make_app(backend: Backend, host: str = "127.0.0.1") -> web.Application:
    """Return the application that serves `backend` on `host`."""
    server = Server(backend)
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_guard(host)])
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_post("/v1/completions", server.completions)
    app.router.add_get("/v1/models", server.models)
    app.router.add_get("/health", server.health)
    return app


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _guard(host: str) -> Any:
    """Return the middleware that refuses web pages and turns errors into OpenAI's."""
    local = _is_local(host)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if "Origin" in request.headers or (local and not _is_local(_host_of(request))):
            return _error(403, "requests from web pages are refused", "forbidden")
        try:
            return await handler(request)
        except wire.BadRequest as error:
            return _error(400, str(error), "bad_request")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _error(400, f"the body cannot be read: {error}", "bad_request")
        except web.HTTPException as error:
            return _error(error.status, error.reason, None)
        except BackendError as error:
            return _error(_status_of(error), str(error), "backend")

    return guard


def _host_of(request: web.Request) -> str:
    host = request.headers.get("Host", "")
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _status_of(error: BackendError) -> int:
    if isinstance(error, AuthenticationFailed):
        return 401
    return 404 if isinstance(error, ModelNotFound) else 503


def _error(status: int, message: str, code: str | None) -> web.Response:
    kind = "invalid_request_error" if status < 500 else "server_error"  # noqa: PLR2004
    return _json(wire.error_body(message, kind, code), status)


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


class Server:
    """Handlers of one backend.

    State: the requests that wait for a batch, a count for ids, and how often each request that is
    to be drawn at random came, so that a second draw is another one.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._answers: Gatherer[Request, Reply] = Gatherer(backend.answer, backend.max_batch)
        scores = backend.score_tokens if isinstance(backend, ScoresTokens) else self._rolled
        self._scores: Gatherer[str, list[TokenScore] | Failure] = Gatherer(
            scores, min(backend.max_batch, TEXT_BATCH)
        )
        self._ids = itertools.count(1)
        self._draws: Counter[str] = Counter()
        self._key = request_hasher({})

    async def health(self, _: web.Request) -> web.Response:
        """Say that the server is there."""
        return _json(b'{"status":"ok"}')

    async def models(self, _: web.Request) -> web.Response:
        """List the one model."""
        model = {"id": self._name, "object": "model", "created": 0, "owned_by": "harness"}
        return _json(msgspec.json.encode({"object": "list", "data": [model]}))

    async def chat(self, http: web.Request) -> web.Response:
        """Answer a chat."""
        asked = wire.read_chat(await http.read())
        self._check_model(asked.model)
        reply = await self._ask(asked.request())
        if isinstance(reply, Failure):
            return _failed(reply)
        usage = wire.usage_of(reply.prompt_tokens, reply.completion_tokens)
        return self._body("chat.completion", [wire.chat_choice(reply)], usage)

    async def completions(self, http: web.Request) -> web.Response:
        """Continue or score one prompt or several."""
        asked = wire.read_text(await http.read())
        self._check_model(asked.model)
        prompts = asked.prompts()
        done = await asyncio.gather(
            *(self._completion(asked, i, prompt) for i, prompt in enumerate(prompts))
        )
        failed = next((reply for reply in done if isinstance(reply, Failure)), None)
        if failed is not None:
            return _failed(failed)
        parts = [part for part in done if not isinstance(part, Failure)]
        counts = [wire.usage_of(*part[1:]) for part in parts]
        known = [count for count in counts if count is not None]
        usage = None
        if len(known) == len(counts):
            usage = {name: sum(count[name] for count in known) for name in known[0]}
        return self._body("text_completion", [part[0] for part in parts], usage)

    async def _completion(
        self, asked: wire.AskedText, index: int, prompt: str
    ) -> tuple[dict[str, Any], int | None, int | None] | Failure:
        """Return a choice with the tokens of prompt and completion."""
        request = asked.request(prompt)
        reply = None if request is None else await self._ask(request)
        if isinstance(reply, Failure):
            return reply
        text = "" if reply is None else reply.text
        counts = (0, 0) if reply is None else (reply.prompt_tokens, reply.completion_tokens)
        if not asked.echo:
            found = wire.generated_logprobs(reply, len(prompt)) if reply is not None else None
            return wire.text_choice(index, text, reply, found), *counts
        text, found = prompt + text, None
        if asked.logprobs is not None:
            tokens = await self._scores.submit(text)
            if isinstance(tokens, Failure):
                return tokens
            found = wire.echoed_logprobs(tokens)
            if reply is None:
                counts = (len(found["tokens"]), 0)
        return wire.text_choice(index, text, reply, found), *counts

    async def _ask(self, request: Request) -> Reply:
        if request.generation.temperature > 0 and request.generation.seed is None:
            key = self._key(request)
            self._draws[key] += 1
            request = structs.replace(request, repeat=self._draws[key] - 1)
        reply = await self._answers.submit(request)
        if isinstance(reply, Response) and schema_refused(reply):  # a client that asks for one
            return Failure("unsupported", "the server behind takes no schema")  # is told so
        return reply

    async def _rolled(self, texts: Sequence[str]) -> list[list[TokenScore] | Failure]:
        """Score texts on a backend whose tokens are bytes, by rolling log-likelihood."""
        context = self._backend.info.context
        pieces = [byte_tokens(text) for text in texts]
        fits = [context is None or len(piece) < context for piece in pieces]
        requests = [
            Request(kind="rolling", prompt=text, logprobs=True)
            for text, fit in zip(texts, fits, strict=True)
            if text and fit
        ]
        replies = iter(await self._backend.answer(requests) if requests else ())
        scored: list[list[TokenScore] | Failure] = []
        for piece, fit in zip(pieces, fits, strict=True):
            if not fit:
                # a rolling text would be cut into windows, which no prompt ever is
                scored.append(Failure("too_long", f"the model's context is {context} tokens"))
            else:
                scored.append(_as_bytes(piece, next(replies)) if piece else [])
        return scored

    @property
    def _name(self) -> str:
        info = self._backend.info
        return info.served_name or info.name.partition("/")[2] or info.name

    def _check_model(self, model: str | None) -> None:
        if model not in {None, self._name, self._backend.info.name}:
            raise ModelNotFound(f"no model '{model}' here; this server has '{self._name}'")

    def _body(
        self, kind: str, choices: list[dict[str, Any]], usage: dict[str, int] | None
    ) -> web.Response:
        body = {
            "id": f"{'chatcmpl' if kind.startswith('chat') else 'cmpl'}-{next(self._ids)}",
            "object": kind,
            "created": int(time.time()),
            "model": self._name,
            "choices": choices,
            "usage": usage,
        }
        return _json(msgspec.json.encode(body))


def _as_bytes(pieces: list[tuple[str, int]], reply: Reply) -> list[TokenScore] | Failure:
    if isinstance(reply, Failure):
        return reply
    values = reply.token_logprobs
    if values is None or len(values) != len(pieces):
        return Failure("unsupported", "this backend does not tell where its tokens start")
    return [TokenScore(*piece, value) for piece, value in zip(pieces, values, strict=True)]


def _failed(failure: Failure) -> web.Response:
    response = _json(wire.failure_body(failure), wire.STATUS[failure.kind])
    if failure.retry_after is not None:
        response.headers["Retry-After"] = f"{failure.retry_after:g}"
    return response


class Gatherer(Generic[Asked, Answer]):
    """Gathers what comes within `GATHER_S` into one call of `answer`, up to `size` at a time.

    With a size of 1 each goes out at once. State: what waits, and the task that sends it.
    """

    def __init__(
        self, answer: Callable[[Sequence[Asked]], Awaitable[list[Answer]]], size: int
    ) -> None:
        self._answer, self._size = answer, size
        self._waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, asked: Asked) -> Answer:
        """Return the answer to one; raises what the backend raises."""
        if self._size == 1:
            return (await self._answer((asked,)))[0]
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if len(self._waiting) >= self._size:
            self._full.set()
        if self._task is None:
            self._task = asyncio.create_task(self._send_all())
        return await future

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < self._size:
                    self._full.clear()
                    with suppress(TimeoutError):  # after that the batch goes out as it is
                        await asyncio.wait_for(self._full.wait(), GATHER_S)
                count = min(self._size, len(self._waiting))
                await self._send([self._waiting.popleft() for _ in range(count)])
        finally:
            self._task = None

    async def _send(self, batch: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._answer([asked for asked, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to all who wait, who raise it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
