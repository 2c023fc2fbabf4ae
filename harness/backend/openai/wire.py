"""Requests to JSON bodies, and JSON bodies to replies; knows no HTTP.

Only the fields that are needed are decoded, straight into structs. Formats: OpenAI's API
reference, "Chat Completions" and "Completions (legacy)"; `reasoning_content` and `reasoning` are
what vLLM, DeepSeek and OpenRouter add.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from harness.backend.openai.settings import Settings
from harness.records import Failure, Message, Reply, Request, Response, ToolCall

RESERVED = frozenset({"model", "messages", "prompt", "stream", "n", "echo", "best_of"})
"""Fields that `extra` may not set: with them the reply would be of another shape."""

HIGHEST_LOGPROB = 0.001
"""Half-precision servers round the log of a probability near 1 up by this much at most."""

MOST_TOKENS = 2**31
"""A count beyond this is an error of the server's."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a hostile body can raise; the last by nesting."""


class Details(Struct, gc=False):
    """How many of the completion's tokens were reasoning."""

    reasoning_tokens: float | None = None


class Usage(Struct, gc=False):
    """Tokens of one request; some servers write 12.0."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    completion_tokens_details: Details | None = None


class Function(Struct):
    """The function that a model wants called."""

    name: str
    arguments: Any = ""
    """JSON as text; some servers send the object itself."""


class Call(Struct):
    """A wish to call a tool."""

    function: Function
    id: str | None = None


class Part(Struct):
    """A piece of a message in parts."""

    text: str = ""


class ChatMessage(Struct):
    """The model's turn."""

    content: str | list[Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class TokenLogprob(Struct, gc=False):
    """One generated token."""

    logprob: float


class ChatLogprobs(Struct):
    """All generated tokens."""

    content: list[TokenLogprob] | None = None


class ChatChoice(Struct):
    """One answer of a chat."""

    message: ChatMessage | None = None
    finish_reason: str | None = None
    logprobs: ChatLogprobs | None = None


class ChatBody(Struct):
    """Body of a chat completion."""

    choices: list[ChatChoice] | None = None
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: Any = None


class TextLogprobs(Struct):
    """Tokens of a completion, with echo those of the prompt too."""

    token_logprobs: list[float | None] | None = None
    tokens: list[str] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None


class TextChoice(Struct):
    """One completion."""

    text: str | None = None
    finish_reason: str | None = None
    logprobs: TextLogprobs | None = None


class TextBody(Struct):
    """Body of a completion."""

    choices: list[TextChoice] | None = None
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: Any = None


_encode = msgspec.json.Encoder().encode
decode_chat = msgspec.json.Decoder(ChatBody).decode
decode_text = msgspec.json.Decoder(TextBody).decode


def malformed(message: str, *, retryable: bool = True) -> Failure:
    """Return the failure of a reply that cannot be believed."""
    return Failure("malformed", message, retryable=retryable)


# ---- request to body ------------------------------------------------------------------------


def chat_body(request: Request, settings: Settings) -> bytes:
    """Return the body of a chat completion."""
    body: dict[str, Any] = {"model": settings.model, "messages": wire_messages(request.messages)}
    _put_generation(body, request, settings)
    if request.logprobs:
        body["logprobs"] = True
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in request.tools]
    if request.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.schema, "strict": True},
        }
    return _finish(body, settings)


def completion_body(request: Request, settings: Settings) -> bytes:
    """Return the body of a completion that generates."""
    body: dict[str, Any] = {"model": settings.model, "prompt": request.prompt}
    _put_generation(body, request, settings)
    if request.logprobs:
        body["logprobs"] = 1
    return _finish(body, settings)


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
    body[settings.max_tokens_field] = generation.max_tokens
    body["temperature"] = generation.temperature
    if generation.top_p is not None:
        body["top_p"] = generation.top_p
    if generation.stop:
        body["stop"] = generation.stop
    if generation.seed is not None:
        body["seed"] = generation.seed
    if generation.extra:
        body.update(generation.extra)


def _finish(body: dict[str, Any], settings: Settings) -> bytes:
    # UnicodeEncodeError for text with half a surrogate pair is the caller's to catch
    for name in settings.omit:
        body.pop(name, None)
    return _encode(body)


# ---- body to reply --------------------------------------------------------------------------


def read_chat(raw: bytes, request: Request, latency_s: float) -> Reply:
    """Return the reply that a chat completion's body holds.

    Raises one of `UNREADABLE`.
    """
    body = decode_chat(raw)
    if not body.choices:
        return malformed("the body holds no choices")
    choice = body.choices[0]
    message = choice.message
    if message is None:
        return malformed("the choice holds no message")
    reason = choice.finish_reason or "stop"
    reasoning = message.reasoning_content or message.reasoning
    text = _text_of(message, reason, reasoning)
    if isinstance(text, Failure):
        return text
    logprobs: tuple[float, ...] | None = None
    if request.logprobs:
        content = choice.logprobs.content if choice.logprobs is not None else None
        checked = _check_logprobs([token.logprob for token in content or ()], text)
        if isinstance(checked, Failure):
            return checked
        logprobs = checked
    if message.refusal and not message.content:
        reason = "refusal"
    calls = message.tool_calls
    usage = body.usage or _NO_USAGE
    details = usage.completion_tokens_details
    return Response(
        text=text,
        reasoning=reasoning,
        tool_calls=tuple(_tool_call(i, call) for i, call in enumerate(calls)) if calls else (),
        finish_reason=reason,
        token_logprobs=logprobs,
        served_model=body.model,
        fingerprint=body.system_fingerprint,
        prompt_tokens=count(usage.prompt_tokens),
        completion_tokens=count(usage.completion_tokens),
        reasoning_tokens=count(details.reasoning_tokens) if details is not None else None,
        latency_s=latency_s,
    )


_NO_USAGE = Usage()
_FILTERED = Failure("content_filter", "the server's content filter removed the answer")


def _text_of(message: ChatMessage, reason: str, reasoning: str | None) -> str | Failure:
    content = message.content
    if content is None:
        return _text_of_null(message, reason, reasoning)
    text = content if isinstance(content, str) else "".join(part.text for part in content)
    if not text and reason == "content_filter":
        return _FILTERED
    return text


def _text_of_null(message: ChatMessage, reason: str, reasoning: str | None) -> str | Failure:
    if reason == "content_filter":
        return _FILTERED
    if message.refusal:
        return message.refusal
    # a model that spent all its tokens on reasoning did answer: with nothing
    if message.tool_calls or reasoning or reason == "length":
        return ""
    return malformed(f"the content is null (finish_reason {reason[:40]!r})")


def _tool_call(index: int, call: Call) -> ToolCall:
    arguments = call.function.arguments
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else _encode(arguments).decode()
    return ToolCall(call.id or f"call_{index}", call.function.name, arguments)


def _check_logprobs(values: Sequence[float | None], text: str) -> tuple[float, ...] | Failure:
    if text and not values:
        return malformed("the server returned no log-probabilities", retryable=False)
    checked = tuple(value for value in values if value is not None and usable_logprob(value))
    if len(checked) != len(values):
        return malformed("a token's log-probability is missing or no logarithm of a probability")
    return checked


def count(value: float | None) -> int | None:
    """Return a server's count of tokens, or None where it is no believable one."""
    return int(value) if value is not None and 0 <= value < MOST_TOKENS else None


def usable_logprob(value: float) -> bool:
    """Return whether `value` can be the logarithm of a probability."""
    return math.isfinite(value) and value <= HIGHEST_LOGPROB


def read_completion(raw: bytes, request: Request, latency_s: float) -> Reply:
    """Return the reply that a completion's body holds; raises as `read_chat` does."""
    body = decode_text(raw)
    if not body.choices:
        return malformed("the body holds no choices")
    choice = body.choices[0]
    reason = choice.finish_reason or "stop"
    if not choice.text and reason == "content_filter":
        return _FILTERED
    if choice.text is None:
        return malformed(f"the text is null (finish_reason {reason[:40]!r})")
    logprobs: tuple[float, ...] | None = None
    if request.logprobs:
        found = choice.logprobs.token_logprobs if choice.logprobs is not None else None
        checked = _check_logprobs(found or [], choice.text)
        if isinstance(checked, Failure):
            return checked
        logprobs = checked
    usage = body.usage or _NO_USAGE
    return Response(
        text=choice.text,
        finish_reason=reason,
        token_logprobs=logprobs,
        served_model=body.model,
        fingerprint=body.system_fingerprint,
        prompt_tokens=count(usage.prompt_tokens),
        completion_tokens=count(usage.completion_tokens),
        latency_s=latency_s,
    )
