"""Any program as a model: one JSON object a line in, one a line out.

`command/PROGRAM`, with `-M args="…"` split as a shell would, starts the program once and keeps it
running. It gets `{"id": 1, "kind": "generate", "messages": […], "prompt": "…", "continuation": "",
"generation": {…}}` and answers `{"id": 1, "text": "…"}`, or `{"id": 1, "loglikelihood": -1.5,
"tokens": 2, "greedy": true}`, or `{"id": 1, "error": "…", "retryable": true}`; in any order. What
it writes to stderr is shown where it fails. No shell is involved.

Arguments (-M): `args`; `timeout` (120), seconds for one answer; `loglikelihood` (false), whether
the program answers such requests; `version` (""), to be raised when the program changes: it is part
of every key, as is the hash of the program's file.
"""

from __future__ import annotations

import asyncio
import math
import os
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.errors import ModelNotFound, UnknownName, UsageError
from harness.identity import bytes_key, content_key
from harness.records import Capability, Failure, ModelInfo, ModelSpec, Reply, Request, Response

ARGUMENTS = ("args", "timeout", "loglikelihood", "version")
LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of one line that are read at most."""
STDERR_KEPT = 2000
SOURCE_LIMIT = 64 * 1024 * 1024
"""Larger programs are known by name and size alone."""
GRACE_S = 2.0
"""Seconds that a program has to end once its input is closed."""


class Answer(Struct):
    """One line from the program."""

    id: int
    text: str | None = None
    reasoning: str | None = None
    finish_reason: str = "stop"
    loglikelihood: float | None = None
    tokens: int | None = None
    greedy: bool | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    error: str | None = None
    retryable: bool = False


_decode = msgspec.json.Decoder(Answer).decode


def open_command(spec: ModelSpec) -> CommandBackend:
    """Return the backend that talks to a program; it starts with the first request.

    Raises `UsageError` for arguments that cannot be, `ModelNotFound` where there is no program.
    """
    for name in spec.arguments:
        if name not in ARGUMENTS:
            raise UnknownName(f"argument (-M) of {spec.label}:", name, ARGUMENTS)
    program = shutil.which(spec.name)
    if program is None:
        raise ModelNotFound(f"{spec.label}: no program '{spec.name}' that can be run")
    timeout = spec.arguments.get("timeout", 120)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise UsageError(f"-M timeout: seconds above 0, got {timeout!r}")
    try:
        words = shlex.split(str(spec.arguments.get("args", "")))
    except ValueError as error:
        raise UsageError(f"-M args: {error}") from error
    return CommandBackend(spec, Program((program, *words), float(timeout)))


class Program:
    """A running program and the answers that are waited for; started again after it ended."""

    def __init__(self, command: tuple[str, ...], timeout_s: float) -> None:
        self.command, self.timeout_s = command, timeout_s
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[Answer | Failure]] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._stderr = ""
        self._count = 0
        self._starting = asyncio.Lock()

    async def ask(self, body: dict[str, Any]) -> Answer | Failure:
        """Send one line and return the answer to it."""
        try:
            process = await self._started()
        except OSError as error:
            said = f"{self.command[0]} cannot be started: {error.strerror or error}"
            return Failure("connection", said, fatal=True)
        self._count += 1
        number = self._count
        future: asyncio.Future[Answer | Failure] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode({"id": number, **body}) + b"\n")
            await process.stdin.drain()
            return await asyncio.wait_for(future, self.timeout_s)
        except TimeoutError:
            said = f"no answer within {self.timeout_s:g} s"
            return Failure("timeout", said, retryable=True)
        except (BrokenPipeError, ConnectionResetError):
            return await future  # the reader sees the end, and says what stderr held
        finally:
            self._waiting.pop(number, None)

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            process = self._process
            if process is not None and process.returncode is None and not self._readers[0].done():
                return process
            await self.close()
            self._stderr = ""
            self._process = process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
            )
            self._readers = [
                asyncio.create_task(self._read(process)),
                asyncio.create_task(self._read_stderr(process)),
            ]
            return process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        problem = ""
        while not problem:
            try:
                line = await process.stdout.readline()
            except ValueError:
                problem = f"a line is longer than {LINE_LIMIT:,} bytes"
                break
            if not line:
                break
            try:
                answer = _decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                shown = line[:120].decode("utf-8", "replace").strip()
                problem = f"a line is no answer ({error}): {shown}"
                break
            future = self._waiting.pop(answer.id, None)
            if future is not None and not future.done():  # else: it came after its time
                future.set_result(answer)
        await self._ended(process, problem)

    async def _ended(self, process: asyncio.subprocess.Process, problem: str) -> None:
        """Fail what is still waited for; after nonsense nothing that follows can be believed."""
        if problem and process.returncode is None:
            process.kill()
        code = await process.wait()
        await asyncio.wait(self._readers[1:])
        said = problem or f"the program ended with {code}"
        tail = " ".join(self._stderr.split())[-300:]
        failure = Failure(
            "malformed" if problem else "connection",
            f"{said}{': ' if tail else ''}{tail}",
            retryable=True,
        )
        for future in self._waiting.values():
            if not future.done():
                future.set_result(failure)

    async def _read_stderr(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while block := await process.stderr.read(65536):
            text = block.decode("utf-8", "replace")
            self._stderr = (self._stderr + text)[-STDERR_KEPT:]

    async def close(self) -> None:
        """Close the program's input, and end it where it does not end by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        await asyncio.wait(self._readers)


class CommandBackend:
    """A model behind a program's stdin and stdout."""

    max_batch = 1

    def __init__(self, spec: ModelSpec, program: Program) -> None:
        scores = str(spec.arguments.get("loglikelihood", False)).lower() == "true"
        offered: set[Capability] = {"generate", "chat"}
        self.capabilities = frozenset(offered | {"loglikelihood"} if scores else offered)
        self.info = ModelInfo(
            name=spec.label,
            arguments_hash=content_key(spec.arguments),
            weights_hash=source_hash(program.command),
            served_name=spec.name,
        )
        self._spec, self._program = spec, program

    def identity(self) -> Mapping[str, Any]:
        """Return the command, its version, and the hash of the files that it names."""
        return {
            "provider": "command",
            "model": self._spec.name,
            "args": str(self._spec.arguments.get("args", "")),
            "version": str(self._spec.arguments.get("version", "")),
            "source": self.info.weights_hash,
        }

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Put each request to the program, in order."""
        return [await self._answer_one(request) for request in requests]

    async def close(self) -> None:
        """End the program; closing twice is fine."""
        await self._program.close()

    async def _answer_one(self, request: Request) -> Reply:
        if refused := self._unsupported(request):
            return Failure("unsupported", refused)
        started = time.perf_counter()
        try:
            answer = await self._program.ask(_body(request))
        except UnicodeEncodeError:
            return Failure("unsupported", "the request holds text that UTF-8 cannot carry")
        if isinstance(answer, Failure):
            return answer
        return _reply(answer, request, time.perf_counter() - started)

    def _unsupported(self, request: Request) -> str | None:
        if request.kind != "generate" and "loglikelihood" not in self.capabilities:
            return "the program scores no text (-M loglikelihood=true says that it does)"
        reasons = {
            "a program returns no log-probabilities of tokens": (
                request.logprobs and request.kind == "generate"
            ),
            "a program is offered no tools": bool(request.tools),
            "a program fits no schema": request.schema is not None,
            "the request holds neither messages nor a prompt": (
                request.kind == "generate" and not request.messages and not request.prompt
            ),
        }
        return next((reason for reason, applies in reasons.items() if applies), None)


def _body(request: Request) -> dict[str, Any]:
    return {
        "kind": request.kind,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "prompt": request.prompt,
        "continuation": request.continuation,
        "generation": msgspec.structs.asdict(request.generation),
        "repeat": request.repeat,
    }


def _reply(answer: Answer, request: Request, latency_s: float) -> Reply:
    if answer.error is not None:
        said = " ".join(answer.error.split())[:300]
        return Failure("server", said, retryable=answer.retryable)
    if request.kind == "generate" and answer.text is None:
        return Failure("malformed", "the answer holds no text")
    value = answer.loglikelihood
    if request.kind != "generate" and (value is None or not math.isfinite(value) or value > 0):
        return Failure("malformed", f"the answer's loglikelihood is {value}")
    return Response(
        text=answer.text or "",
        reasoning=answer.reasoning,
        finish_reason=answer.finish_reason,
        loglikelihood=value if request.kind != "generate" else None,
        greedy=answer.greedy,
        tokens=answer.tokens,
        served_model=answer.model,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        latency_s=latency_s,
    )


def source_hash(command: Sequence[str]) -> str:
    """Return a hash of the files among the words of a command: the program and its script."""
    parts = []
    for word in command:
        path = Path(word)
        if os.path.isfile(word):  # noqa: PTH113 - a word too long for a path is no error here
            size = path.stat().st_size
            parts.append(bytes_key(path.read_bytes()) if size <= SOURCE_LIMIT else str(size))
    return content_key(parts)
