"""What can go wrong between a request and its answer, as `Failure` or a raised `BackendError`.

All translation of foreign errors stands here: HTTP statuses, transport errors, unreadable bodies.
Messages are one line, bounded, free of control characters and of the key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

from harness.backend.openai.wire import UNREADABLE
from harness.errors import AuthenticationFailed, suggestion
from harness.records import Failure

SNIPPET = 200
"""Characters of a body that a message quotes."""
LOOKED_AT = 65_536
"""Bytes of a refusal in which the name of the field at fault is looked for."""

_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|max_model_len|prompt is too long|"
    r"input is too long|too many (?:input )?tokens|string_above_max_length",
    re.IGNORECASE,
)
_OF_SCHEMA = re.compile(
    r"response[ _]?format|json_?schema|\bschemas?\b|\bgrammar\b|text\.format|"
    r"['\"]text['\"],\s*['\"]format['\"]|"
    r"(?:param|parameter|field|argument)s?['\"]?:?\s*['\"]text['\"]|"
    r"structured[ _-]?output|guided[ _-]?(?:json|decoding|grammar)",
    re.IGNORECASE,
)
"""Names of the field that carries a schema, and of what a server does with it: Chat Completions,
the Responses API, the path that a validator writes, vLLM."""
_SCHEMA_STATUSES = frozenset({400, 422, 500, 501})
"""500 is what builds of llama.cpp say that know no such type of format."""
_NOT_FOR_CHAT = re.compile(r"(?:not|is) (?:supported|a chat model)|not a completion", re.IGNORECASE)

Redact = Callable[[str], str]


def one_line(text: str, limit: int = SNIPPET) -> str:
    r"""Return the first `limit` characters of `text` on one line, without control characters.

    >>> one_line("a\x1b[31m\n  b")
    'a[31m b'
    """
    head = " ".join(text[: limit * 4].split())
    return "".join(ch for ch in head if ch.isprintable())[:limit]


def redactor(secrets: list[str]) -> Redact:
    """Return a function that replaces each of `secrets` by three stars."""
    present = sorted((secret for secret in secrets if len(secret) > 3), key=len, reverse=True)  # noqa: PLR2004

    def redact(text: str) -> str:
        for secret in present:
            text = text.replace(secret, "***")
        return text

    return redact


def snippet(raw: bytes, redact: Redact) -> str:
    """Return the start of a body, fit for a message."""
    return one_line(redact(raw[: SNIPPET * 16].decode("utf-8", "replace")))


class ErrorBody(msgspec.Struct):
    """OpenAI's error object, where a body holds one."""

    message: str = ""
    code: str = ""
    type: str = ""


def error_of(raw: bytes) -> ErrorBody:
    """Return the error that `raw` describes, empty where it describes none."""
    try:
        body = msgspec.json.decode(raw)
    except UNREADABLE:
        return ErrorBody()
    return error_object(body.get("error", body) if isinstance(body, dict) else body)


def error_object(error: Any) -> ErrorBody:
    """Return a decoded error object or text as `ErrorBody`."""
    if isinstance(error, str):
        return ErrorBody(message=error)
    if not isinstance(error, dict):
        return ErrorBody()
    found = {name: error.get(name) for name in ("message", "code", "type")}
    return ErrorBody(**{name: str(value) for name, value in found.items() if value is not None})


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a server asks to wait, or None.

    `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3); `retry-after-ms` is
    what Azure and OpenAI send beside it.
    """
    in_ms = headers.get("retry-after-ms")
    given = in_ms if in_ms is not None else headers.get("Retry-After")
    if given is None:
        return None
    try:
        seconds = float(given) / (1000 if in_ms is not None else 1)
    except ValueError:
        return _until(given, now)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(given: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(given)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max((date - now).total_seconds(), 0.0)


def http_failure(status: int, headers: Mapping[str, str], raw: bytes, redact: Redact) -> Failure:
    """Return the failure that an HTTP status other than 200 means.

    Raises `AuthenticationFailed` for 401, 403 and 407. 404 is the caller's to explain.
    """
    error = error_of(raw)
    message = said_by(status, raw, redact)
    if status in {401, 403, 407}:
        raise AuthenticationFailed(
            f"the server refused the key or asks for one (--api-key-env names the variable that "
            f"holds it); {message}"
        )
    if status == 429 or error.code == "insufficient_quota":  # noqa: PLR2004 - HTTP's own number
        spent = "insufficient_quota" in (error.code, error.type)
        return Failure(
            "rate_limit",
            message,
            retryable=not spent,
            fatal=spent,
            status=status,
            retry_after=retry_after(headers, datetime.now(UTC)),
        )
    if status in {408, 504}:
        return Failure("timeout", message, retryable=True, status=status)
    if status >= 500 or status in {409, 425}:  # noqa: PLR2004
        wait = retry_after(headers, datetime.now(UTC))
        lasting = status in {501, 505}
        return Failure("server", message, retryable=not lasting, status=status, retry_after=wait)
    return _refusal(status, headers, error, message)


def said_by(status: int, raw: bytes, redact: Redact) -> str:
    """Return what a server said with a status, on one line: its error's words, else its body."""
    return f"HTTP {status}: {one_line(redact(error_of(raw).message)) or snippet(raw, redact)}"


def _refusal(status: int, headers: Mapping[str, str], error: ErrorBody, message: str) -> Failure:
    if status == 413 or error.code == "context_length_exceeded" or _TOO_LONG.search(error.message):  # noqa: PLR2004
        return Failure("too_long", message, status=status)
    if "content_filter" in (error.code, error.type) or error.code == "content_policy_violation":
        return Failure("content_filter", message, status=status)
    if 300 <= status < 400:  # noqa: PLR2004
        where = one_line(headers.get("Location", "nowhere"))
        message = f"HTTP {status}: redirected to {where}; give that server with --base-url"
        return Failure("refused", message, fatal=True, status=status)
    spent = status == 402  # noqa: PLR2004 - payment required
    return Failure("refused", message + hint(error.message), fatal=spent, status=status)


def hint(message: str) -> str:
    """Return what to change where a server refuses a field that the harness sends.

    >>> hint("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    ' (try -M max_tokens_field=max_completion_tokens, or -M reasoning=true)'
    """
    lowered = message.lower()
    if "unsupported" not in lowered and "not support" not in lowered:
        return ""
    if "'max_tokens'" in message:
        return " (try -M max_tokens_field=max_completion_tokens, or -M reasoning=true)"
    for name in ("temperature", "stop", "seed", "top_p"):
        if f"'{name}'" in message:
            more = "" if name == "seed" else ", or -M reasoning=true"
            return f" (try -M omit={name}{more})"
    return ""


def refuses_schema(failure: Failure, raw: bytes) -> bool:
    """Return whether a server refused a request, as it seems, for the schema in it.

    It may seem so where a body repeats the request that it refuses for another reason: only an
    answer to the same request without a schema tells.
    """
    return (
        failure.kind in ("refused", "server")
        and not failure.fatal
        and failure.status in _SCHEMA_STATUSES
        and _OF_SCHEMA.search(raw[:LOOKED_AT].decode("utf-8", "replace")) is not None
    )


def not_found(model: str, url: str, known: list[str], detail: str) -> str:
    """Return the message for a model that the server does not know."""
    listed = ", ".join(one_line(name, 80) for name in sorted(known)[:10])
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""  # noqa: PLR2004
    offer = f"; it offers: {listed}{more}" if known else ""
    return f"no model '{model}' at {url}{suggestion(model, known)}{offer}; {detail}"


def wrong_address(url: str, better: str | None, detail: str) -> str:
    """Return the message for an address where nothing like the API answers."""
    advice = (
        f"try --base-url {better}"
        if better
        else "check --base-url: it stops before '/chat/completions', and most end in '/v1'"
    )
    return f"nothing at {url}; {advice}; {detail}"


def speaks_of_endpoint(error: ErrorBody) -> bool:
    """Return whether a 404 says that the model exists, but not at this endpoint."""
    return _NOT_FOR_CHAT.search(error.message) is not None


def transport_failure(error: Exception, timeout_s: float, redact: Redact) -> Failure:
    """Return the failure that a transport error means."""
    # a ClientResponseError's own text holds the URL, which for a proxy may hold a password
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    detail = one_line(redact(said)) or type(error).__name__
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"no answer within {timeout_s:g} s", retryable=True)
    if isinstance(error, aiohttp.ClientPayloadError):
        return Failure("malformed", f"the body broke off: {detail}", retryable=True)
    if isinstance(error, aiohttp.ClientSSLError):
        return Failure("connection", f"no secure connection: {detail}", fatal=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Failure("connection", f"the proxy refused: {detail}", retryable=True)
    if isinstance(error, aiohttp.ClientResponseError):
        return Failure("malformed", f"no valid HTTP: {detail}", retryable=True)
    return Failure("connection", f"the connection failed: {detail}", retryable=True)


def unreadable(raw: bytes, error: Exception, redact: Redact) -> Failure:
    """Return the failure of a 200 whose body is not what it should be."""
    start = raw[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        what = "a web page, not JSON"
    elif isinstance(error, UnicodeDecodeError):
        what = "not UTF-8"
    elif isinstance(error, msgspec.ValidationError):
        what = f"of another shape ({one_line(str(error), 120)})"
    else:
        what = f"not JSON ({one_line(str(error), 120)})"
    return Failure(
        "malformed", f"HTTP 200, but the body is {what}: {snippet(raw, redact)}", retryable=True
    )
