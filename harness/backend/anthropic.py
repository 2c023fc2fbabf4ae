"""Anthropic's Messages API, spoken natively over the HTTP transport of the openai backend.

Formats: Anthropic's API reference, "Messages" (version 2023-06-01). There are no log-probabilities.
A prompt without messages is sent as one user turn.

Arguments (-M): `omit`, fields never sent, with commas between (temperature, top_p, …); `thinking`,
tokens that the model may think for before it answers; they are added to max_tokens.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from yarl import URL

from harness.backend.openai import faults, wire
from harness.backend.openai.client import Answer, Transport
from harness.backend.openai.settings import read_base_url, read_headers
from harness.billing import billed
from harness.errors import AuthenticationFailed, ModelNotFound, UnknownName, UsageError
from harness.identity import content_key
from harness.records import (
    Capability,
    Failure,
    Message,
    ModelInfo,
    ModelSpec,
    Reply,
    Request,
    Response,
    ToolCall,
)

DEFAULT_BASE_URL = "https://api.anthropic.com"
URL_VARIABLE, KEY_VARIABLE = "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"
VERSION = "2023-06-01"
ARGUMENTS = ("omit", "thinking")
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
}
RESERVED = frozenset({"model", "messages", "system", "stream", "max_tokens"})


class Block(Struct):
    """A piece of an answer; which fields it has hangs on its type."""

    type: str
    text: str = ""
    thinking: str = ""
    id: str = ""
    name: str = ""
    input: Any = None


class Usage(Struct):
    """Tokens of one request; input from the provider's cache is counted apart."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation_input_tokens: float | None = None


class Body(Struct):
    """An answered message."""

    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None


_decode = msgspec.json.Decoder(Body).decode
_encode = msgspec.json.Encoder().encode


class Settings(Struct, frozen=True):
    """One model on one server; holds no secret."""

    base_url: str
    model: str
    omit: frozenset[str] = frozenset()
    thinking: int = 0


def open_anthropic(spec: ModelSpec, *, timeout_s: float, connections: int) -> AnthropicBackend:
    """Return the backend of `spec`; nothing is sent yet.

    Raises `UsageError` for arguments or a base URL that cannot be, `AuthenticationFailed` where
    the default server is asked without a key.
    """
    settings = read_settings(spec, os.environ)
    headers = {
        **read_headers(spec, None),
        "anthropic-version": VERSION,
        **_key_header(spec, settings.base_url, os.environ),
    }
    transport = Transport(settings.base_url, headers, timeout_s, connections)
    return AnthropicBackend(spec, settings, transport)


def read_settings(spec: ModelSpec, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `spec`; raises `UsageError` that names the argument at fault."""
    for name in spec.arguments:
        if name not in ARGUMENTS:
            raise UnknownName(f"argument (-M) of {spec.label}:", name, ARGUMENTS)
    url = spec.base_url or environ.get(URL_VARIABLE) or DEFAULT_BASE_URL
    base = read_base_url(msgspec.structs.replace(spec, base_url=url), {}).removesuffix("/v1")
    omit = str(spec.arguments.get("omit", ""))
    thinking = spec.arguments.get("thinking", 0)
    if isinstance(thinking, bool) or not isinstance(thinking, int) or thinking < 0:
        raise UsageError(f"-M thinking: a number of tokens, got {thinking!r}")
    names = frozenset(name.strip() for name in omit.split(",") if name.strip())
    return Settings(base, spec.name, names, thinking)


def _key_header(spec: ModelSpec, base_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    variable = spec.api_key_env or KEY_VARIABLE
    key = environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise AuthenticationFailed(
            f"the key in {variable} holds characters that no HTTP header can carry"
        )
    if key:
        return {"x-api-key": key}
    if spec.api_key_env:
        raise AuthenticationFailed(f"--api-key-env names {variable}, which is not set")
    own = {name.lower() for name in spec.headers} & {"x-api-key", "authorization"}
    if urlsplit(base_url).hostname == urlsplit(DEFAULT_BASE_URL).hostname and not own:
        raise AuthenticationFailed(
            f"{spec.label} needs a key: set {KEY_VARIABLE}, or name another variable with "
            "--api-key-env"
        )
    return {}


class AnthropicBackend:
    """A model behind the Messages API. One attempt a request; no retry."""

    max_batch = 1
    capabilities: frozenset[Capability] = frozenset({"generate", "chat", "tools"})

    def __init__(self, spec: ModelSpec, settings: Settings, transport: Transport) -> None:
        self.info = ModelInfo(
            name=spec.label,
            arguments_hash=content_key(spec.arguments),
            served_name=settings.model,
        )
        self._settings, self._transport = settings, transport
        self.thinking = settings.thinking
        """Tokens that a request may use beside its limit."""
        self._url = URL(f"{settings.base_url}/v1/messages")

    def identity(self) -> Mapping[str, Any]:
        """Return provider, address, model and arguments; never a key or a header."""
        return {
            "provider": "anthropic",
            "base_url": self._settings.base_url,
            "model": self._settings.model,
            "omit": sorted(self._settings.omit),
            "thinking": self._settings.thinking,
        }

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order.

        Raises `AuthenticationFailed` and `ModelNotFound`: no request would be answered then.
        """
        return [await self._answer_one(request) for request in requests]

    async def close(self) -> None:
        """Close all connections; closing twice is fine."""
        await self._transport.close()

    async def _answer_one(self, request: Request) -> Reply:
        if refused := unsupported(request):
            return Failure("unsupported", refused)
        try:
            body = _encode(message_body(request, self._settings))
        except UnicodeEncodeError:
            return Failure("unsupported", "the request holds text that UTF-8 cannot carry")
        answer = await self._transport.post(self._url, body)
        if isinstance(answer, Failure):
            return answer
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            return self._explain(answer)
        try:
            return read_message(answer.raw, request, answer.latency_s)
        except wire.UNREADABLE as error:
            return faults.unreadable(answer.raw, error, self._transport.redact)

    def _explain(self, answer: Answer) -> Failure:
        redact = self._transport.redact
        if answer.status == 404:  # noqa: PLR2004
            said = faults.snippet(answer.raw, redact)
            raise ModelNotFound(f"no model '{self._settings.model}' at {self._url}: {said}")
        return faults.http_failure(answer.status, answer.headers, answer.raw, redact)


def unsupported(request: Request) -> str | None:
    """Return why the API cannot answer a request, or None."""
    taken = RESERVED & request.generation.extra.keys()
    reasons = {
        "the Messages API scores no text": request.kind != "generate",
        "the Messages API returns no log-probabilities": request.logprobs,
        "the Messages API is offered no schema": request.schema is not None,
        "the request holds neither messages nor a prompt": not request.messages
        and not request.prompt,
        f"extra settings (-G) may not set {', '.join(sorted(taken))}": bool(taken),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def message_body(request: Request, settings: Settings) -> dict[str, Any]:
    """Return what is sent for a request."""
    generation = request.generation
    messages = request.messages or (Message("user", request.prompt),)
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": wire_messages([m for m in messages if m.role != "system"]),
        "max_tokens": generation.max_tokens + settings.thinking,
        "temperature": generation.temperature,
    }
    if system:
        body["system"] = system
    if generation.top_p is not None:
        body["top_p"] = generation.top_p
    if stops := [stop for stop in generation.stop if stop.strip()]:
        body["stop_sequences"] = stops  # the API refuses blank ones; `_cut` sees to them
    if settings.thinking:
        body["thinking"] = {"type": "enabled", "budget_tokens": settings.thinking}
        del body["temperature"]  # thinking allows no other than the default
    if request.tools:
        body["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": t.parameters}
            for t in request.tools
        ]
    body.update(generation.extra)
    return {name: value for name, value in body.items() if name not in settings.omit}


def wire_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return turns as the API spells them; results of tools are the user's, in one turn."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            result = {
                "type": "tool_result",
                "tool_use_id": message.tool_call_id or "",
                "content": message.content,
            }
            if turns and turns[-1]["role"] == "user" and isinstance(turns[-1]["content"], list):
                turns[-1]["content"].append(result)
            else:
                turns.append({"role": "user", "content": [result]})
        elif message.tool_calls:
            said = [{"type": "text", "text": message.content}] if message.content else []
            calls = [
                {"type": "tool_use", "id": c.id, "name": c.name, "input": _arguments(c.arguments)}
                for c in message.tool_calls
            ]
            turns.append({"role": "assistant", "content": [*said, *calls]})
        else:
            turns.append({"role": message.role, "content": message.content})
    return turns


def _arguments(text: str) -> Any:
    """Return a call's arguments as an object; what the model garbled is sent as it was, in one."""
    try:
        found = msgspec.json.decode(text)
    except wire.UNREADABLE:
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"value": found}


def read_message(raw: bytes, request: Request, latency_s: float) -> Reply:
    """Return the reply that a body holds. Raises one of `wire.UNREADABLE`."""
    body = _decode(raw)
    if body.content is None:
        return wire.malformed("the body holds no content")
    text = "".join(block.text for block in body.content if block.type == "text")
    thought = "".join(block.thinking for block in body.content if block.type == "thinking")
    calls = [block for block in body.content if block.type == "tool_use"]
    reason = body.stop_reason or "stop"
    cut = _cut(text, request.generation.stop)
    usage = body.usage or Usage()
    read = (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    known = [count for count in map(wire.count, read) if count is not None]
    response = Response(
        text=cut,
        reasoning=thought or None,
        tool_calls=tuple(
            ToolCall(b.id, b.name, _encode({} if b.input is None else b.input).decode())
            for b in calls
        ),
        finish_reason="stop" if cut != text else REASONS.get(reason, reason[:40]),
        served_model=body.model,
        prompt_tokens=sum(known) if known else None,
        completion_tokens=wire.count(usage.output_tokens),
        latency_s=latency_s,
    )
    return billed(response, wire.count(usage.cache_read_input_tokens))


def _cut(text: str, stops: Sequence[str]) -> str:
    """Return what stands before the first blank stop text, which the API does not take."""
    places = [at for stop in stops if stop and not stop.strip() and (at := text.find(stop)) >= 0]
    return text[: min(places)] if places else text
