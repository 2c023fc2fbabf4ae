"""The Responses API: requests to JSON bodies, and JSON bodies to replies; knows no HTTP.

Format: OpenAI's API reference, "Responses". The API knows neither stop texts nor seeds: answers are
cut at the stop texts here, and a seed is refused rather than dropped. Nothing is kept at the server
(`store: false`): each request carries the whole chat.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from harness.backend.openai.bodies import finish
from harness.backend.openai.faults import error_object, one_line
from harness.backend.openai.settings import Settings
from harness.backend.openai.wire import (
    FILTERED,
    Body,
    Details,
    PromptDetails,
    TokenLogprob,
    Usage,
    cached_tokens,
    check_tokens,
    common,
    cut_at_stop,
    malformed,
    split_reasoning,
    tool_call,
)
from harness.billing import billed
from harness.records import Failure, Message, Reply, Request, Response, ToolCall

LEAST_TOKENS = 16
"""OpenAI refuses a lower limit."""


class OutputUsage(Struct, gc=False):
    """Tokens of one response."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    output_tokens_details: Details | None = None
    input_tokens_details: PromptDetails | None = None


class Piece(Struct):
    """A piece of a message, or of what a model thought."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    logprobs: list[TokenLogprob] | None = None


class Item(Struct):
    """One thing that the model put out: a message, a thought, a wish to call a tool."""

    type: str = ""
    content: list[Piece] | None = None
    summary: list[Piece] | None = None
    phase: str | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = ""


class Incomplete(Struct):
    """Why a response is not whole."""

    reason: str | None = None


class ResponseBody(Struct):
    """Body of a response."""

    status: str | None = None
    output: list[Item] | None = None
    incomplete_details: Incomplete | None = None
    usage: OutputUsage | None = None
    model: str | None = None
    error: Any = None


_decode = msgspec.json.Decoder(ResponseBody).decode


# ---- request to body ------------------------------------------------------------------------


def response_body(request: Request, settings: Settings) -> bytes:
    """Return the body that asks for a response; a system message that comes first instructs."""
    messages = request.messages
    body: dict[str, Any] = {"model": settings.model, "store": False}
    if messages[0].role == "system":
        body["instructions"] = messages[0].content
        messages = messages[1:]
    body["input"] = [item for message in messages for item in _items(message)]
    body |= _generation(request, settings)
    if request.logprobs:
        body["include"] = ["message.output_text.logprobs"]
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in request.tools
        ]
    if request.schema is not None:
        wanted = {"type": "json_schema", "name": "answer", "schema": request.schema, "strict": True}
        body["text"] = {"format": wanted}
    return finish(body, settings)


def _generation(request: Request, settings: Settings) -> dict[str, Any]:
    generation = request.generation
    body: dict[str, Any] = {
        "max_output_tokens": max(LEAST_TOKENS, generation.max_tokens + settings.thinking),
        "temperature": generation.temperature,
    }
    if generation.top_p is not None:
        body["top_p"] = generation.top_p
    thinking = {"effort": settings.reasoning_effort, "summary": settings.reasoning_summary}
    if given := {name: value for name, value in thinking.items() if value}:
        body["reasoning"] = given
    return body | generation.extra


def _items(message: Message) -> list[dict[str, Any]]:
    """Return one message as items of `input`; what the model thought stays here."""
    if message.role == "tool":
        return [
            {
                "type": "function_call_output",
                "call_id": message.tool_call_id or "",
                "output": message.content,
            }
        ]
    said = [{"role": message.role, "content": message.content}]
    calls = [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in message.tool_calls
    ]
    return [*(said if message.content or not calls else []), *calls]


def unsupported(request: Request, settings: Settings) -> dict[str, bool]:
    """Return what the API has no field for, and whether this request asks for it."""
    return {
        "the Responses API takes no seed; -M omit=seed asks without it": (
            request.generation.seed is not None and "seed" not in settings.omit
        )
    }


# ---- body to reply --------------------------------------------------------------------------


def read_response(raw: bytes, request: Request, latency_s: float) -> Reply:
    """Return the reply that a response's body holds. Raises one of `wire.UNREADABLE`."""
    body = _decode(raw)
    if body.status in ("failed", "cancelled"):
        return _failed(body)
    if body.status not in ("completed", "incomplete", None) or body.output is None:
        return malformed(f"the response is {one_line(body.status or 'without output', 40)}")
    pieces = _pieces(body.output)
    text = "".join(piece.text or "" for piece in pieces)
    refusal = "".join(piece.refusal or "" for piece in pieces)
    calls = _calls(body.output)
    reasoning = _reasoning(body.output)
    reason = _finish_reason(body, calls=bool(calls), refused=bool(refusal) and not text)
    if not text and reason == "content_filter":
        return FILTERED
    if not (pieces or calls or reasoning or reason == "length"):
        return malformed("the output holds neither a message nor a call")
    tokens = [token for piece in pieces for token in piece.logprobs or ()]
    checked = check_tokens(tokens, text) if request.logprobs else None
    if isinstance(checked, Failure):
        return checked
    answer = text or refusal
    if "think" in answer and not reasoning:
        answer, reasoning = split_reasoning(answer)
    usage = _usage(body.usage)
    response = Response(
        text=answer,
        reasoning=reasoning,
        tool_calls=calls,
        finish_reason=reason,
        token_logprobs=checked,
        **common(Body(usage=usage, model=body.model), latency_s),
    )
    response = billed(response, cached_tokens(usage))
    return cut_at_stop(response, request.generation.stop, tokens)


def _pieces(output: list[Item]) -> list[Piece]:
    """Return the pieces of the answer: of messages marked as asides only where there are no others.

    Models that comment while they work mark those messages with the phase `commentary`.
    """
    messages = [item for item in output if item.type == "message"]
    final = [item for item in messages if item.phase != "commentary"]
    return [piece for item in final or messages for piece in item.content or ()]


def _calls(output: list[Item]) -> tuple[ToolCall, ...]:
    wanted = [item for item in output if item.type == "function_call"]
    return tuple(
        tool_call(item.call_id or item.id or f"call_{i}", item.name or "", item.arguments)
        for i, item in enumerate(wanted)
    )


def _reasoning(output: list[Item]) -> str | None:
    """Return what the model thought: the text itself where it is open, else its summary."""
    thoughts = [item for item in output if item.type == "reasoning"]
    texts = [
        "\n\n".join(piece.text for piece in item.content or item.summary or () if piece.text)
        for item in thoughts
    ]
    return "\n\n".join(text for text in texts if text) or None


def _finish_reason(body: ResponseBody, *, calls: bool, refused: bool) -> str:
    if body.status == "incomplete":
        why = body.incomplete_details.reason if body.incomplete_details else None
        return "length" if why in (None, "max_output_tokens") else why
    if refused:
        return "refusal"
    return "tool_calls" if calls else "stop"


def _usage(usage: OutputUsage | None) -> Usage | None:
    if usage is None:
        return None
    return Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.output_tokens_details,
        usage.input_tokens_details,
    )


def _failed(body: ResponseBody) -> Failure:
    """Return the failure of a response that the server itself gave up on."""
    error = error_object(body.error)
    said = one_line(f"the response {body.status}: {error.code} {error.message}".strip())
    if error.code == "rate_limit_exceeded":
        return Failure("rate_limit", said, retryable=True)
    if "policy" in error.code:
        return Failure("content_filter", said)
    if error.code in ("", "server_error") or body.status == "cancelled":
        return Failure("server", said, retryable=True)
    return Failure("refused", said)
