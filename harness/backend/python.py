"""A user's own function as a model: messages in, text out.

`python/package.module:function` is called with a list of `{"role": …, "content": …}` and returns
the answer as text. An async function is awaited; any other runs in a worker thread, so several
may run at once. The hash of its module's file is part of the identity: edit it, and it is asked
again.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import UnknownName, UsageError, suggestion
from harness.identity import bytes_key, content_key
from harness.records import Capability, Failure, ModelInfo, Reply, Request, Response

MESSAGE_LIMIT = 300
"""Characters of an exception's text that are kept."""


def open_python(name: str, arguments: Mapping[str, Any], *, connections: int = 16) -> PythonBackend:
    """Return the backend that calls `package.module:function`, `connections` times at once.

    The module is imported now, with the working directory on the path while it loads. Raises
    `UsageError` that names what is wrong with the name, the module or the function.
    """
    if arguments:
        raise UnknownName(f"argument (-M) of python/{name}:", next(iter(arguments)), ())
    path, colon, attribute = name.partition(":")
    parts = path.split(".")
    if not colon or not attribute or not all(part.isidentifier() for part in parts):
        raise UsageError(f"python/{name}: expected python/package.module:function")
    module = _import(name, path)
    function = _function(name, module, attribute)
    return PythonBackend(name, function, _source_hash(name, module), connections)


def _import(name: str, path: str) -> ModuleType:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name or path
        if path == missing or path.startswith(f"{missing}."):
            raise UsageError(
                f"python/{name}: no module '{missing}' in the working directory or the environment"
            ) from None
        raise UsageError(f"python/{name}: {path} needs '{missing}', not installed") from error
    except Exception as error:  # a user's module can fail in any way when it loads
        raise UsageError(f"python/{name}: importing {path} failed: {describe(error)}") from error
    finally:
        if here in sys.path:  # the module may have edited the path itself
            sys.path.remove(here)


def _function(name: str, module: ModuleType, attribute: str) -> Callable[..., Any]:
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [other for other in dir(found) if not other.startswith("_")]
            raise UsageError(
                f"python/{name}: {module.__name__} has no '{part}'{suggestion(part, public)}"
            )
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"python/{name}: '{attribute}' is {type(found).__name__}, no function")
    function: Callable[..., Any] = found
    return function


def _source_hash(name: str, module: ModuleType) -> str:
    source = getattr(module, "__file__", None)
    if source is None:
        raise UsageError(f"python/{name}: {module.__name__} has no source file to identify it by")
    return bytes_key(Path(source).read_bytes())


def describe(error: BaseException) -> str:
    """Return an exception on one line, with the place: `ValueError: no rows at app.py:12`."""
    text = " ".join(str(error).split())
    text = "".join(ch for ch in text if ch.isprintable())[:MESSAGE_LIMIT]
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith("<")]
    place = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{place}"


class PythonBackend:
    """Calls a user's function for each request."""

    capabilities: frozenset[Capability] = frozenset({"generate", "chat"})
    max_batch = 1

    def __init__(
        self, name: str, function: Callable[..., Any], source_hash: str, connections: int
    ) -> None:
        self.info = ModelInfo(
            name=f"python/{name}",
            arguments_hash=content_key({}),
            weights_hash=source_hash,
            served_name=name,
        )
        self._name, self._function, self._source_hash = name, function, source_hash
        # asyncio's own pool has a few threads more than the machine has cores: too few for I/O
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="python-backend")
        call = getattr(function, "__call__", None)  # noqa: B004 - an object's own method
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)

    def identity(self) -> Mapping[str, Any]:
        """Return the function's name and the hash of its module's file."""
        return {"provider": "python", "model": self._name, "source": self._source_hash}

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Call the function for each request, in order."""
        return [await self._answer_one(request) for request in requests]

    async def close(self) -> None:
        """Let the threads go; calls still running are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _answer_one(self, request: Request) -> Reply:
        if refused := _unsupported(request):
            return Failure("unsupported", refused)
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        if not messages:
            messages = [{"role": "user", "content": request.prompt}]
        started = time.perf_counter()
        try:
            if self._is_async:
                text = await self._function(messages)
            else:
                loop = asyncio.get_running_loop()
                text = await loop.run_in_executor(self._threads, self._function, messages)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may end anyhow
            return Failure("internal", describe(error))
        if not isinstance(text, str):
            return Failure(
                "internal", f"{self._name} returned {type(text).__name__}; expected text (str)"
            )
        return Response(text=text, served_model=self._name, latency_s=time.perf_counter() - started)


def _unsupported(request: Request) -> str | None:
    if request.kind != "generate":
        return "a function returns text, no log-likelihoods"
    if request.logprobs:
        return "a function returns text, no log-probabilities"
    if request.tools:
        return "a function is offered no tools: it has its own"
    if request.schema is not None:
        return "a function fits no schema"
    if not request.messages and not request.prompt:
        return "the request holds neither messages nor a prompt"
    return None
