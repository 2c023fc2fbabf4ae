"""What a served backend is asked and answers, as JSON of OpenAI's API; knows no HTTP.

`messages` and the rest become a `Request`; a `Response` or a list of tokens becomes a body.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from harness.backend.tokens import TokenScore, byte_tokens
from harness.records import Failure, Generation, Message, Request, Response, Tool, ToolCall

CHAT_TOKENS, TEXT_TOKENS = 256, 16
"""Tokens generated where a request names no limit; the second is OpenAI's."""


class BadRequest(Exception):
    """The body asks for what is not served."""


class AskedFunction(Struct):
    """A function: one to call, or one that was called."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}
    arguments: str = ""


class AskedCall(Struct):
    """A tool call of an earlier turn, or a tool on offer."""

    function: AskedFunction
    id: str = ""


class AskedPart(Struct):
    """A piece of a message in parts; only text is served."""

    type: Literal["text"]
    text: str


class AskedMessage(Struct):
    """One turn."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[AskedPart] | None = None
    tool_calls: list[AskedCall] | None = None
    tool_call_id: str | None = None


class AskedSchema(Struct):
    """A named JSON Schema."""

    schema: dict[str, Any]


class AskedFormat(Struct):
    """How the answer is to be formatted."""

    type: Literal["text", "json_schema"]
    json_schema: AskedSchema | None = None


class Asked(Struct, kw_only=True):
    """What chats and completions have in common. Other fields are ignored."""

    model: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    n: int | None = None
    stream: bool | None = None

    def generation(self, limit: int) -> Generation:
        """Return the settings, with the API's own defaults."""
        if self.stream or (self.n or 1) != 1:
            raise BadRequest("stream and n other than 1 are not served")
        if limit < 0:
            raise BadRequest(f"max_tokens must not be negative, got {limit}")
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Generation(
            max_tokens=limit,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=self.top_p,
            stop=stop,
            seed=self.seed,
        )


class AskedChat(Asked, kw_only=True):
    """Body of a request for a chat completion."""

    messages: list[AskedMessage]
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    tools: list[AskedCall] | None = None
    response_format: AskedFormat | None = None

    def request(self) -> Request:
        """Return the request to the backend."""
        if not self.messages:
            raise BadRequest("messages must not be empty")
        limit = self.max_completion_tokens or self.max_tokens
        form = self.response_format
        wanted = form.json_schema if form is not None else None
        offered = [tool.function for tool in self.tools or ()]
        return Request(
            messages=tuple(_message(message) for message in self.messages),
            generation=self.generation(CHAT_TOKENS if limit is None else limit),
            logprobs=bool(self.logprobs),
            tools=tuple(Tool(f.name, f.description, f.parameters) for f in offered),
            schema=wanted.schema if wanted is not None else None,
        )


class AskedText(Asked, kw_only=True):
    """Body of a request for completions."""

    prompt: str | list[str]
    echo: bool | None = None
    logprobs: int | None = None

    def prompts(self) -> list[str]:
        """Return the prompts, one for each completion."""
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        if not prompts:
            raise BadRequest("prompt must not be empty")
        return prompts

    def request(self, prompt: str) -> Request | None:
        """Return the request to the backend, or None where nothing is to be generated."""
        limit = TEXT_TOKENS if self.max_tokens is None else self.max_tokens
        generation = self.generation(limit)
        if not limit:
            return None
        # with echo the text is scored as a whole afterwards
        logprobs = self.logprobs is not None and not self.echo
        return Request(prompt=prompt, generation=generation, logprobs=logprobs)


read_chat = msgspec.json.Decoder(AskedChat).decode
read_text = msgspec.json.Decoder(AskedText).decode


def _message(asked: AskedMessage) -> Message:
    content = asked.content
    if isinstance(content, list):
        content = "".join(part.text for part in content)
    return Message(
        role="system" if asked.role == "developer" else asked.role,
        content=content or "",
        tool_calls=tuple(
            ToolCall(call.id, call.function.name, call.function.arguments)
            for call in asked.tool_calls or ()
        ),
        tool_call_id=asked.tool_call_id,
    )


# ---- bodies ---------------------------------------------------------------------------------


def chat_choice(response: Response) -> dict[str, Any]:
    """Return a response as the one choice of a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": response.text}
    if response.reasoning is not None:
        message["reasoning_content"] = response.reasoning
    if response.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in response.tool_calls
        ]
    logprobs = None
    if response.token_logprobs is not None:
        names = names_of(response.text, len(response.token_logprobs))
        pairs = zip(names, response.token_logprobs, strict=True)
        logprobs = {"content": [{"token": t, "logprob": p, "top_logprobs": []} for t, p in pairs]}
    return {
        "index": 0,
        "message": message,
        "finish_reason": response.finish_reason,
        "logprobs": logprobs,
    }


def names_of(text: str, count: int) -> list[str]:
    """Return names for the `count` tokens of a generated text.

    Bytes where there are as many; else, since a backend does not say where its tokens end, the
    whole text as the first and nothing as the others.
    """
    names = [name for name, _ in byte_tokens(text)]
    if len(names) == count:
        return names
    return [text, *[""] * (count - 1)][:count]


def text_choice(
    index: int, text: str, response: Response | None, logprobs: dict[str, Any] | None
) -> dict[str, Any]:
    """Return one choice of a completion; without a response nothing was generated."""
    reason = "length" if response is None else response.finish_reason
    return {"index": index, "text": text, "finish_reason": reason, "logprobs": logprobs}


def generated_logprobs(response: Response, start: int) -> dict[str, Any] | None:
    """Return the log-probabilities of generated tokens; `start` is where the text begins."""
    values = response.token_logprobs
    if values is None:
        return None
    names = names_of(response.text, len(values))
    offsets, at = [], start
    for name in names:
        offsets.append(at)
        at += len(name)
    pieces = byte_tokens(response.text)
    if len(pieces) == len(values):
        offsets = [start + offset for _, offset in pieces]
    return {
        "tokens": names,
        "token_logprobs": values,
        "top_logprobs": None,
        "text_offset": offsets,
    }


def echoed_logprobs(tokens: list[TokenScore]) -> dict[str, Any]:
    """Return the log-probabilities of a whole text.

    Where the first token has one, a BOS token stands before it, as a token without text.
    `top_logprobs` holds a token and the likeliest at its place, so that a client sees whether they
    are the same; it is null where the backend does not know.
    """
    first = [] if tokens and tokens[0].logprob is None else [TokenScore("", 0, None)]
    listed = first + tokens
    known = all(token.best_logprob is not None for token in tokens)
    return {
        "tokens": [token.text for token in listed],
        "token_logprobs": [token.logprob for token in listed],
        "top_logprobs": [_top(token) for token in listed] if known else None,
        "text_offset": [token.offset for token in listed],
    }


def _top(token: TokenScore) -> dict[str, float] | None:
    if token.logprob is None or token.best_logprob is None:
        return None
    top = {token.text: token.logprob}
    if token.best_text is not None and token.best_text != token.text:
        top[token.best_text] = token.best_logprob
    return top


def usage_of(prompt_tokens: int | None, completion_tokens: int | None) -> dict[str, int] | None:
    """Return the usage of a request, or None where the backend does not count."""
    if prompt_tokens is None or completion_tokens is None:
        return None
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


STATUS = {
    "rate_limit": 429,
    "server": 500,
    "timeout": 504,
    "connection": 502,
    "malformed": 502,
    "content_filter": 400,
    "refused": 400,
    "too_long": 400,
    "unsupported": 400,
    "interrupted": 503,
    "internal": 500,
}
"""HTTP status by kind of failure."""

CODES = {"too_long": "context_length_exceeded"}


def error_body(message: str, kind: str, code: str | None) -> bytes:
    """Return OpenAI's error object."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return msgspec.json.encode({"error": error})


def failure_body(failure: Failure) -> bytes:
    """Return a failure as an error object; its code is the kind, or OpenAI's name for it."""
    status = STATUS[failure.kind]
    kind = "invalid_request_error" if status < 500 else "server_error"  # noqa: PLR2004
    return error_body(failure.message, kind, CODES.get(failure.kind, failure.kind))
