"""A chat server in a thread of the test, whose every answer is the test's own doing.

It speaks raw HTTP, so that it can answer what no framework lets through, and can die and come back
on its port.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from server import answer, draw

__all__ = ["DROP", "Asked", "OddServer", "answer", "chat", "draw", "http", "right"]

DROP = b""
"""Close the connection without a byte."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    number: int
    """From 1, of all requests."""
    times: int
    """From 1, of those with this prompt."""
    prompt: str


Behave = Callable[[Asked], Awaitable[bytes]]


def http(body: bytes | str | dict, status: int = 200, kind: str = "application/json") -> bytes:
    """Return an HTTP response."""
    if isinstance(body, dict):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def chat(text: str) -> bytes:
    """Return a chat completion."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 10, "completion_tokens": max(1, len(text) // 4)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return http({"model": "odd", "choices": [choice], "usage": usage})


def right(asked: Asked) -> bytes:
    """Return what tests/server.py would answer."""
    return chat(answer(asked.prompt))


class OddServer:
    """Use as a context manager; `url` is its base URL."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> OddServer:
        self._thread.start()
        self._call(self.live())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self.die())
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)  # type: ignore[arg-type]

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def live(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def die(self) -> None:
        """Listen no more, and drop every connection."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                await self._one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        prompt = json.loads(await reader.readexactly(length))["messages"][-1]["content"]
        self.asked[prompt] += 1
        asked = Asked(self.asked.total(), self.asked[prompt], prompt)
        reply = await self.behave(asked)
        if reply == DROP:
            raise ConnectionResetError
        if reply.startswith(b"HTTP/1.1 200") and b'"usage"' in reply:
            self.answered[prompt] += 1
        writer.write(reply)
        await writer.drain()
