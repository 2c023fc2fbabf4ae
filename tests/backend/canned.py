"""A server on loopback that answers with canned bytes, in order; the last one repeats."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.backend.openai import OpenAIBackend, open_openai
from harness.records import Message, ModelSpec, Reply, Request

DROP = b"drop"
"""Close the connection without a byte."""
HANG = b"hang"
"""Never answer."""

HELLO = Request(messages=(Message("user", "hello"),))


@dataclass
class Seen:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict


@dataclass
class Canned:
    """A running server."""

    url: str
    replies: list[bytes]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0


def http(status: int, body: bytes | str | dict, *headers: str, length: int | None = None) -> bytes:
    """Return an HTTP response as bytes; `length` may lie about the body's."""
    if isinstance(body, dict):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {length or len(raw)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def chat(message: dict | None = None, finish: str | None = "stop", **more) -> bytes:
    """Return a chat completion as bytes."""
    message = {"role": "assistant", "content": "hi"} if message is None else message
    choice = {"index": 0, "message": message, "finish_reason": finish}
    choice.update(more.pop("choice", {}))
    return http(200, {"choices": [choice], "model": "served", **more})


def echoed(text: str, logprobs: dict | None, **more) -> bytes:
    """Return an echoing completion as bytes."""
    return http(200, {"choices": [{"text": text, "logprobs": logprobs}], "model": "served", **more})


@asynccontextmanager
async def serving(*replies: bytes) -> AsyncIterator[Canned]:
    """Serve `replies` for as long as the block runs."""
    canned = Canned("", list(replies))
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        canned.connections += 1
        while head := await _head(reader):
            first, *lines = head.decode().split("\r\n")
            method, path, _ = first.split(" ", 2)
            headers = dict(line.split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(headers.get("Content-Length", 0)))
            canned.seen.append(Seen(method, path, headers, json.loads(body or b"{}")))
            reply = canned.replies.pop(0) if len(canned.replies) > 1 else canned.replies[0]
            if reply == HANG:
                continue
            if reply == DROP:
                break
            writer.write(reply)
            await writer.drain()
            if b"\r\nX-Close:" in reply:
                break
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    canned.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield canned
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def backend_at(url: str, timeout_s: float = 5.0, **spec) -> OpenAIBackend:
    """Return the backend of model `m` at `url`."""
    model = ModelSpec("openai", spec.pop("name", "m"), base_url=url, **spec)
    return open_openai(model, timeout_s=timeout_s, connections=4)


def ask(*replies: bytes, request: Request = HELLO, timeout_s: float = 5.0, **spec) -> Reply:
    """Return the reply to one request where the server answers with `replies`."""
    return ask_seen(*replies, request=request, timeout_s=timeout_s, **spec)[0]


def ask_seen(
    *replies: bytes, request: Request = HELLO, timeout_s: float = 5.0, **spec
) -> tuple[Reply, list[Seen]]:
    """As `ask`, with what the server saw."""

    async def once() -> tuple[Reply, list[Seen]]:
        async with serving(*replies) as server:
            backend = backend_at(server.url, timeout_s, **spec)
            try:
                (reply,) = await backend.answer([request])
            finally:
                await backend.close()
            return reply, server.seen

    return asyncio.run(once())
