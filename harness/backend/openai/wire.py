"""JSON bodies of chats and completions to replies; knows no HTTP.

Only the fields that are needed are decoded, straight into structs. Formats: OpenAI's API
reference, "Chat Completions" and "Completions (legacy)"; `reasoning_content` and `reasoning` are
what vLLM, DeepSeek and OpenRouter add. The Responses API stands in `responses.py`, requests in
`bodies.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Struct, structs

from harness.billing import billed
from harness.records import Failure, Reply, Request, Response, ToolCall
from harness.text.normalise import reasoning_spans, strip_reasoning

HIGHEST_LOGPROB = 0.001
"""Half-precision servers round the log of a probability near 1 up by this much at most."""

MOST_TOKENS = 2**31
"""A count beyond this is an error of the server's."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a hostile body can raise; the last by nesting."""


class Details(Struct, gc=False):
    """How many of the completion's tokens were reasoning."""

    reasoning_tokens: float | None = None


class PromptDetails(Struct, gc=False):
    """How many of the prompt's tokens the provider read from its cache."""

    cached_tokens: float | None = None


class Usage(Struct, gc=False):
    """Tokens of one request; some servers write 12.0."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    completion_tokens_details: Details | None = None
    prompt_tokens_details: PromptDetails | None = None
    prompt_cache_hit_tokens: float | None = None
    """DeepSeek's word for the same."""


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
    token: str = ""


class ChatLogprobs(Struct):
    """All generated tokens."""

    content: list[TokenLogprob] | None = None


class ChatChoice(Struct):
    """One answer of a chat."""

    message: ChatMessage | None = None
    finish_reason: str | None = None
    logprobs: ChatLogprobs | None = None


class Body(Struct):
    """What the bodies of all completions say."""

    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: Any = None


class ChatBody(Body):
    """Body of a chat completion."""

    choices: list[ChatChoice] | None = None


class TextLogprobs(Struct):
    """Tokens of a completion, with echo those of the prompt too."""

    token_logprobs: list[float | None] | None = None
    tokens: list[str] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None


class PromptToken(Struct, gc=False):
    """What vLLM says of one token that stands, or could stand, at a place of the prompt."""

    logprob: float
    decoded_token: str | None = None


class TextChoice(Struct):
    """One completion; the last two are vLLM's, by the token's number and the token itself."""

    text: str | None = None
    finish_reason: str | None = None
    logprobs: TextLogprobs | None = None
    prompt_logprobs: list[dict[str, PromptToken] | None] | None = None
    prompt_token_ids: list[int] | None = None


class TextBody(Body):
    """Body of a completion."""

    choices: list[TextChoice] | None = None


_encode = msgspec.json.Encoder().encode
decode_chat = msgspec.json.Decoder(ChatBody).decode
decode_text = msgspec.json.Decoder(TextBody).decode


def malformed(message: str, *, retryable: bool = True) -> Failure:
    """Return the failure of a reply that cannot be believed."""
    return Failure("malformed", message, retryable=retryable)


def read_chat(raw: bytes, request: Request, latency_s: float, *, cut: bool = False) -> Reply:
    """Return the reply that a chat completion's body holds.

    `cut`: the server was not told of the stop texts, so the answer ends before them here. Raises
    one of `UNREADABLE`.
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
        checked = check_tokens(content or (), text)
        if isinstance(checked, Failure):
            return checked
        logprobs = checked
    if message.refusal and not message.content:
        reason = "refusal"
    if "think" in text and not reasoning:
        text, reasoning = split_reasoning(text)
    calls = message.tool_calls
    response = Response(
        text=text,
        reasoning=reasoning,
        tool_calls=tuple(_tool_call(i, call) for i, call in enumerate(calls)) if calls else (),
        finish_reason=reason,
        token_logprobs=logprobs,
        **common(body, latency_s),
    )
    response = billed(response, cached_tokens(body.usage))
    if cut and request.generation.stop:
        content = choice.logprobs.content if choice.logprobs is not None else None
        return cut_at_stop(response, request.generation.stop, content)
    return response


_NO_USAGE = Usage()
FILTERED = Failure("content_filter", "the server's content filter removed the answer")


def common(body: Body, latency_s: float) -> dict[str, Any]:
    """Return what a response says beside the answer itself, as its fields."""
    usage = body.usage or _NO_USAGE
    details = usage.completion_tokens_details
    return {
        "served_model": body.model,
        "fingerprint": body.system_fingerprint,
        "prompt_tokens": count(usage.prompt_tokens),
        "completion_tokens": count(usage.completion_tokens),
        "reasoning_tokens": count(details.reasoning_tokens) if details is not None else None,
        "latency_s": latency_s,
    }


def cached_tokens(usage: Usage | None) -> int | None:
    """Return how many tokens of the prompt came from the provider's cache; None: it is silent."""
    if usage is None:
        return None
    details = usage.prompt_tokens_details
    told = usage.prompt_cache_hit_tokens if details is None else details.cached_tokens
    return count(told)


def split_reasoning(text: str) -> tuple[str, str | None]:
    """Return the answer, and what a model thought in tags before it, where the server left it.

    >>> split_reasoning("<think>2 and 2</think> 4")
    ('4', '2 and 2')
    """
    spans = reasoning_spans(text)
    if not spans:
        return text, None
    thought = "\n".join(_TAG.sub("", text[start:end]).strip() for start, end in spans)
    return strip_reasoning(text), thought


_TAG = re.compile(r"</?think(?:ing)?>", re.IGNORECASE)


def cut_at_stop(
    response: Response, stops: Sequence[str], tokens: Sequence[TokenLogprob] | None = None
) -> Response:
    """Return the response as a server that knows the stop texts would have ended it.

    Of log-probabilities those of the tokens that start before the end are kept.
    """
    text = response.text
    found = [at for at in (text.find(stop) for stop in stops if stop) if at >= 0]
    if not found:
        return response
    end, logprobs = min(found), response.token_logprobs
    if logprobs is not None and tokens is not None:
        starts = accumulate((len(token.token) for token in tokens), initial=0)
        logprobs = tuple(v for v, start in zip(logprobs, starts, strict=False) if start < end)
    return structs.replace(response, text=text[:end], finish_reason="stop", token_logprobs=logprobs)


def _text_of(message: ChatMessage, reason: str, reasoning: str | None) -> str | Failure:
    content = message.content
    if content is None:
        return _text_of_null(message, reason, reasoning)
    text = content if isinstance(content, str) else "".join(part.text for part in content)
    if not text and reason == "content_filter":
        return FILTERED
    return text


def _text_of_null(message: ChatMessage, reason: str, reasoning: str | None) -> str | Failure:
    if reason == "content_filter":
        return FILTERED
    if message.refusal:
        return message.refusal
    # a model that spent all its tokens on reasoning did answer: with nothing
    if message.tool_calls or reasoning or reason == "length":
        return ""
    return malformed(f"the content is null (finish_reason {reason[:40]!r})")


def _tool_call(index: int, call: Call) -> ToolCall:
    return tool_call(call.id or f"call_{index}", call.function.name, call.function.arguments)


def tool_call(name_of_call: str, function: str, arguments: Any) -> ToolCall:
    """Return a wish to call a tool; arguments that came as an object become text."""
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else _encode(arguments).decode()
    return ToolCall(name_of_call, function, arguments)


def check_tokens(tokens: Sequence[TokenLogprob], text: str) -> tuple[float, ...] | Failure:
    """Return the log-probabilities of a text's tokens, or why they cannot be believed."""
    return _check_logprobs([token.logprob for token in tokens], text)


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


def read_completion(raw: bytes, request: Request, latency_s: float, *, cut: bool = False) -> Reply:
    """Return the reply that a completion's body holds; `cut` and errors as for `read_chat`."""
    body = decode_text(raw)
    if not body.choices:
        return malformed("the body holds no choices")
    choice = body.choices[0]
    reason = choice.finish_reason or "stop"
    if not choice.text and reason == "content_filter":
        return FILTERED
    if choice.text is None:
        return malformed(f"the text is null (finish_reason {reason[:40]!r})")
    found = choice.logprobs or _NO_LOGPROBS
    logprobs: tuple[float, ...] | None = None
    if request.logprobs:
        checked = _check_logprobs(found.token_logprobs or [], choice.text)
        if isinstance(checked, Failure):
            return checked
        logprobs = checked
    response = Response(
        text=choice.text,
        finish_reason=reason,
        token_logprobs=logprobs,
        **common(body, latency_s),
    )
    response = billed(response, cached_tokens(body.usage))
    if cut and request.generation.stop:
        tokens = [TokenLogprob(0.0, token) for token in found.tokens or ()]
        return cut_at_stop(response, request.generation.stop, tokens or None)
    return response


_NO_LOGPROBS = TextLogprobs()
