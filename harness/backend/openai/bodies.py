"""Requests to JSON bodies of chats and completions; knows no HTTP.

Formats: OpenAI's API reference, "Chat Completions" and "Completions (legacy)".
"""

from __future__ import annotations

from typing import Any

import msgspec

from harness.backend.openai.settings import Settings
from harness.records import Message, Request

RESERVED = frozenset(
    {
        "model", "messages", "prompt", "stream", "n", "echo", "best_of",
        "input", "background", "conversation", "previous_response_id",
    }
)  # fmt: skip
"""Fields that `extra` may not set: with them the reply would be of another shape."""

_encode = msgspec.json.Encoder().encode


def chat_body(request: Request, settings: Settings) -> bytes:
    """Return the body of a chat completion."""
    body: dict[str, Any] = {"model": settings.model, "messages": wire_messages(request.messages)}
    _put_generation(body, request, settings)
    if settings.reasoning_effort:
        body["reasoning_effort"] = settings.reasoning_effort
    if request.logprobs:
        body["logprobs"] = True
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in request.tools]
    if request.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.schema, "strict": True},
        }
    return finish(body, settings)


def completion_body(request: Request, settings: Settings) -> bytes:
    """Return the body of a completion that generates."""
    body: dict[str, Any] = {"model": settings.model, "prompt": request.prompt}
    _put_generation(body, request, settings)
    if request.logprobs:
        body["logprobs"] = 1
    return finish(body, settings)


def echo_body(text: str, settings: Settings, max_tokens: int) -> bytes:
    """Return the body of a completion that scores `text` and generates as good as nothing."""
    return _encode(
        {
            "model": settings.model,
            "prompt": text,
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "logprobs": 1,
            "echo": True,
        }
    )


def prompt_logprobs_body(text: str, settings: Settings) -> bytes:
    """Return the body that has vLLM score `text`; one token is the least that it generates."""
    return _encode(
        {
            "model": settings.model,
            "prompt": text,
            "max_tokens": 1,
            "temperature": 0.0,
            "prompt_logprobs": 1,
            "return_token_ids": True,
        }
    )


def wire_messages(messages: tuple[Message, ...]) -> Any:
    """Return messages as the API spells them; plain ones are encoded as they are."""
    if not any(message.tool_calls or message.reasoning for message in messages):
        return messages
    return [_wire_message(message) for message in messages]


def _wire_message(message: Message) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def _put_generation(body: dict[str, Any], request: Request, settings: Settings) -> None:
    generation = request.generation
    body[settings.max_tokens_field] = generation.max_tokens + settings.thinking
    body["temperature"] = generation.temperature
    if generation.top_p is not None:
        body["top_p"] = generation.top_p
    if generation.stop:
        body["stop"] = generation.stop
    if generation.seed is not None:
        body["seed"] = generation.seed
    if generation.extra:
        body.update(generation.extra)


def finish(body: dict[str, Any], settings: Settings) -> bytes:
    """Return a body as JSON without the fields that are never sent.

    Raises `UnicodeEncodeError` for text with half a surrogate pair.
    """
    for name in settings.omit:
        body.pop(name, None)
    return _encode(body)
