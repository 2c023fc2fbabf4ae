"""What litellm reaches: `litellm/PROVIDER/NAME`, keys and addresses as litellm wants them.

Thin on purpose: the request in OpenAI's shape goes to `litellm.acompletion`, and its answer is read
as the openai backend reads a server's. Retries are the harness's own, so litellm's are off.

Arguments (-M) are handed to litellm as they are, such as `api_version=…`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from harness.backend.openai import bodies, wire
from harness.backend.openai.faults import one_line, redactor, retry_after
from harness.errors import AuthenticationFailed, ModelNotFound, UsageError
from harness.identity import content_key
from harness.records import Capability, Failure, ModelInfo, ModelSpec, Reply, Request

# Without this litellm fetches a list of prices from the net as it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm

litellm.suppress_debug_info = True  # it prints to stdout, which is the user's
litellm.telemetry = False

OWN = frozenset({"model", "messages", "stream", "num_retries", "api_key"})
"""What -M and -G may not set: the harness decides on these."""


def open_litellm(spec: ModelSpec) -> LitellmBackend:
    """Return the backend of `spec`; nothing is sent yet.

    Raises `UsageError` for arguments that the harness keeps to itself, `AuthenticationFailed`
    where --api-key-env names a variable that is not set.
    """
    for name in spec.arguments:
        if name in OWN:
            raise UsageError(f"-M {name}: not for litellm; keys come by --api-key-env")
    key = os.environ.get(spec.api_key_env or "", "").strip()
    if spec.api_key_env and not key:
        raise AuthenticationFailed(f"--api-key-env names {spec.api_key_env}, which is not set")
    return LitellmBackend(spec, key)


Kind = Literal[
    "too_long", "content_filter", "timeout", "connection", "rate_limit", "server", "refused",
    "internal",
]  # fmt: skip
NAMED: dict[str, Kind] = {
    "ContextWindowExceededError": "too_long",
    "ContentPolicyViolationError": "content_filter",
    "Timeout": "timeout",
    "APIConnectionError": "connection",
}
WORTH_AGAIN = frozenset({"timeout", "connection", "rate_limit", "server"})


class LitellmBackend:
    """A model behind litellm. One attempt a request."""

    max_batch = 1
    capabilities: frozenset[Capability] = frozenset({"generate", "chat", "tools", "schema"})

    def __init__(self, spec: ModelSpec, key: str) -> None:
        self.info = ModelInfo(
            name=spec.label, arguments_hash=content_key(spec.arguments), served_name=spec.name
        )
        self._spec = replace(spec, headers={})
        self._redact = redactor([key, *spec.headers.values()])
        self._secrets = _Secrets(key, spec.headers)

    def identity(self) -> Mapping[str, Any]:
        """Return provider, address, model and arguments; never a key or a header."""
        return {
            "provider": "litellm",
            "base_url": self._spec.base_url,
            "model": self._spec.name,
            "arguments": self._spec.arguments,
        }

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order.

        Raises `AuthenticationFailed` and `ModelNotFound`: no request would be answered then.
        """
        return [await self._answer_one(request) for request in requests]

    async def close(self) -> None:
        """Hold nothing: litellm keeps its own connections."""

    async def _answer_one(self, request: Request) -> Reply:
        if refused := unsupported(request):
            return Failure("unsupported", refused)
        sent = {**self._spec.arguments, **call_arguments(request), "model": self._spec.name}
        if self._spec.base_url:
            sent["api_base"] = self._spec.base_url
        started = time.perf_counter()
        try:
            found = await litellm.acompletion(**sent, **self._secrets.arguments())
        except Exception as error:  # noqa: BLE001 - providers' clients raise what they like
            return self._failure(error)
        raw = msgspec.json.encode(_without_made_up_usage(found.model_dump()), enc_hook=str)
        try:
            return wire.read_chat(raw, request, time.perf_counter() - started)
        except wire.UNREADABLE as error:
            return wire.malformed(f"litellm's answer cannot be read: {one_line(str(error))}")

    def _failure(self, error: Exception) -> Failure:
        """Return the failure that litellm's exception means; its names are OpenAI's."""
        name, text = type(error).__name__, str(error)
        said = one_line(self._redact(text if name in text else f"{name}: {text}"))
        status = getattr(error, "status_code", None)
        status = status if isinstance(status, int) else None
        if status in {401, 403}:
            raise AuthenticationFailed(f"{self.info.name}: {said}") from None
        if status == 404:  # noqa: PLR2004 - HTTP's own number
            raise ModelNotFound(f"{self.info.name}: {said}") from None
        kind = failure_kind(name, status)
        again = kind in WORTH_AGAIN
        return Failure(kind, said, retryable=again, status=status, retry_after=asked_wait(error))


def asked_wait(error: Exception) -> float | None:
    """Return the seconds that a server asked to wait, where litellm passes its headers on."""
    headers = getattr(error, "litellm_response_headers", None)
    return retry_after(headers, datetime.now(UTC)) if headers else None


def failure_kind(name: str, status: int | None) -> Kind:
    """Return which kind of failure an exception of litellm's means, by its name and status."""
    if name in NAMED:
        return NAMED[name]
    if status is None:
        return "internal"
    by_status: dict[int, Kind] = {429: "rate_limit", 408: "timeout"}
    return by_status.get(status, "refused" if 400 <= status < 500 else "server")  # noqa: PLR2004


def _without_made_up_usage(body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the counts of 0 that litellm writes where a server is silent."""
    usage = body.get("usage")
    if isinstance(usage, dict) and not usage.get("prompt_tokens"):
        return {**body, "usage": None}
    return body


class _Secrets:
    """Key and headers, kept out of `vars()` and of every message."""

    __slots__ = ("_headers", "_key")

    def __init__(self, key: str, headers: Mapping[str, str]) -> None:
        self._key, self._headers = key, dict(headers)

    def arguments(self) -> dict[str, Any]:
        """Return what litellm is to be called with."""
        given: dict[str, Any] = {"num_retries": 0}
        if self._key:
            given["api_key"] = self._key
        if self._headers:
            given["extra_headers"] = self._headers
        return given


def unsupported(request: Request) -> str | None:
    """Return why litellm is not asked, or None."""
    taken = OWN & request.generation.extra.keys()
    reasons = {
        "litellm scores no text": request.kind != "generate",
        "log-probabilities by way of litellm are not offered": request.logprobs,
        "the request holds neither messages nor a prompt": not request.messages
        and not request.prompt,
        f"extra settings (-G) may not set {', '.join(sorted(taken))}": bool(taken),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def call_arguments(request: Request) -> dict[str, Any]:
    """Return the request as litellm's keywords; a prompt is one user turn."""
    generation = request.generation
    turns = msgspec.to_builtins(bodies.wire_messages(request.messages))
    sent: dict[str, Any] = {
        "messages": turns or [{"role": "user", "content": request.prompt}],
        "max_tokens": generation.max_tokens,
        "temperature": generation.temperature,
    }
    if generation.top_p is not None:
        sent["top_p"] = generation.top_p
    if generation.stop:
        sent["stop"] = list(generation.stop)
    if generation.seed is not None:
        sent["seed"] = generation.seed
    if request.tools:
        sent["tools"] = [
            {"type": "function", "function": msgspec.to_builtins(tool)} for tool in request.tools
        ]
    if request.schema is not None:
        sent["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.schema, "strict": True},
        }
    return {**sent, **generation.extra}
