"""What `-M`, the environment and the base URL say about one model; knows no HTTP.

Arguments (`-M name=value`):

api                chat (default), responses or completions: the endpoint that generates text.
loglikelihood      true or false: whether the server scores given text, through completions with
                   echo. Without it: true for api=completions and for every server but
                   api.openai.com, whose chat models cannot.
max_tokens_field   max_tokens or max_completion_tokens. Without it: the latter for chats with
                   api.openai.com, whose reasoning models refuse the former.
omit               fields never sent, with commas between: temperature, stop, seed, top_p, …, for
                   models that refuse them. Where stop is not sent, answers are cut here.
reasoning          true or false: whether the model is one that reasons on OpenAI's terms:
                   max_completion_tokens, no temperature, top_p, stop or log-probabilities. Without
                   it: true for names like o3 and gpt-5 with api.openai.com.
thinking           tokens that the model may think for before it answers; they are added to
                   max_tokens. Without it: 8192 with reasoning=true, otherwise none.
reasoning_effort   how long the model may think: minimal, low, medium, high, or what it knows.
reasoning_summary  api=responses: auto, concise or detailed, where the summary is to be kept.
scoring            how given text is scored: echo (default), or prompt_logprobs, which is vLLM's.
prefix             text that starts an empty context, such as a server's BOS token.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from msgspec import Struct, structs
from yarl import URL

from harness.errors import AuthenticationFailed, UnknownName, UsageError
from harness.records import Capability, ModelSpec

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_HOST = "api.openai.com"
KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"
ARGUMENTS = (
    "api", "loglikelihood", "max_tokens_field", "omit", "prefix", "reasoning", "reasoning_effort",
    "reasoning_summary", "scoring", "thinking",
)  # fmt: skip
TOKEN_FIELDS = ("max_tokens", "max_completion_tokens")
APIS = ("chat", "responses", "completions")
REASONERS = re.compile(r"(?:o[1-9]|gpt-(?:[5-9]|[1-9]\d))(?!.*chat)")
"""Starts of names at OpenAI whose models refuse temperature; `gpt-5-chat-latest` takes it."""
THINKING = 8192
"""Tokens for thinking where nothing is said: a task's own limit is meant for the answer alone."""
REFUSED_BY_REASONERS = frozenset({"temperature", "top_p", "stop"})


class Settings(Struct, frozen=True):
    """One model on one server; holds no secret."""

    base_url: str
    """Without a slash at the end."""
    model: str
    api: Literal["chat", "responses", "completions"]
    loglikelihood: bool
    max_tokens_field: str
    omit: frozenset[str]
    prefix: str
    reasoning: bool
    reasoning_effort: str
    reasoning_summary: str
    scoring: str
    thinking: int
    arguments: dict[str, Any]
    """What `-M` said, in one spelling."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What a request may ask of this model."""
        offered: set[Capability] = {"generate"}
        if not self.reasoning:
            offered.add("logprobs")
        if self.api != "completions":
            offered |= {"chat", "tools", "schema"}
        if self.loglikelihood:
            offered.add("loglikelihood")
        return frozenset(offered)

    @property
    def cuts(self) -> bool:
        """Whether answers are cut at the stop texts here, since the server is not told of them."""
        return self.api == "responses" or "stop" in self.omit


def read_settings(spec: ModelSpec, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `spec`. Raises `UsageError` that names the argument at fault."""
    given = spec.arguments
    for name in given:
        if name not in ARGUMENTS:
            raise UnknownName(f"argument (-M) of {spec.label}:", name, ARGUMENTS)
    base_url = read_base_url(spec, environ)
    official = urlsplit(base_url).hostname == DEFAULT_HOST
    api = _one_of("api", given.get("api", "chat"), APIS)
    reasons = official and api != "completions" and REASONERS.match(spec.name) is not None
    reasoning = _flag("reasoning", given.get("reasoning", reasons))
    field = TOKEN_FIELDS[(official or reasoning) and api != "completions"]
    settings = Settings(
        base_url=base_url,
        model=spec.name,
        api=cast("Literal['chat', 'responses', 'completions']", api),
        loglikelihood=_flag(
            "loglikelihood", given.get("loglikelihood", api == "completions" or not official)
        ),
        max_tokens_field=_one_of(
            "max_tokens_field", given.get("max_tokens_field", field), TOKEN_FIELDS
        ),
        omit=_names(given.get("omit", ())) | (REFUSED_BY_REASONERS if reasoning else frozenset()),
        prefix=str(given.get("prefix", "")),
        reasoning=reasoning,
        reasoning_effort=_word("reasoning_effort", given.get("reasoning_effort", "")),
        reasoning_summary=_word("reasoning_summary", given.get("reasoning_summary", "")),
        scoring=_one_of("scoring", given.get("scoring", "echo"), ("echo", "prompt_logprobs")),
        thinking=_count("thinking", given.get("thinking", THINKING if reasoning else 0)),
        arguments={},
    )
    if settings.reasoning_summary and api != "responses":
        raise UsageError("-M reasoning_summary: allowed with -M api=responses")
    if api == "completions" and (settings.reasoning_effort or settings.thinking):
        name = "reasoning_effort" if settings.reasoning_effort else "thinking"
        raise UsageError(f"-M {name}: allowed with -M api=chat or responses")
    return _with_arguments(settings, given)


def _with_arguments(settings: Settings, given: Mapping[str, Any]) -> Settings:
    spelled: dict[str, Any] = {name: getattr(settings, name) for name in given}
    if "omit" in spelled:
        spelled["omit"] = sorted(_names(given["omit"]))
    if settings.reasoning:
        # also where the name says so: other fields are sent, and another limit
        spelled |= {"reasoning": True, "thinking": settings.thinking}
    return structs.replace(settings, arguments=spelled)


def read_base_url(spec: ModelSpec, environ: Mapping[str, str]) -> str:
    """Return the base URL: the spec's, else the environment's, else OpenAI's own.

    Raises `UsageError` where it is no plain http(s) URL. One that holds a password or a query is
    refused, since the base URL is written into every run.
    """
    url = (spec.base_url or environ.get(URL_VARIABLE) or DEFAULT_BASE_URL).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        URL(url)  # aiohttp's own reading is stricter
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise UsageError("the base URL cannot be read as a URL") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "the base URL must hold no user name, password, query or fragment, because it is "
            "written to disk; send secrets with --header or --api-key-env"
        )
    if not usable or not re.fullmatch("[!-~]+", url):
        raise UsageError(f"the base URL must be http://… or https://… in ASCII, got {url[:200]!r}")
    for tail in ("/chat/completions", "/completions", "/responses"):
        if url.endswith(tail):
            raise UsageError(
                f"the base URL must stop before '{tail}', such as {url.removesuffix(tail)}"
            )
    return url


def is_loopback(base_url: str) -> bool:
    """Return whether the server is on this machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_key(spec: ModelSpec, base_url: str, environ: Mapping[str, str]) -> str | None:
    """Return the key, or None where there is none and the server may do without.

    Raises `AuthenticationFailed` for the default server without a key, for a named variable that
    is not set, and for a key that no header can carry. No message holds the key.
    """
    variable = spec.api_key_env or KEY_VARIABLE
    key = environ.get(variable, "").strip()
    if key:
        if not (key.isascii() and key.isprintable()):
            raise AuthenticationFailed(
                f"the key in {variable} holds characters that no HTTP header can carry"
            )
        return key
    if spec.api_key_env:
        raise AuthenticationFailed(f"--api-key-env names {variable}, which is not set")
    if urlsplit(base_url).hostname == DEFAULT_HOST and not _has_authorization(spec):
        raise AuthenticationFailed(
            f"{spec.label} needs a key: set {KEY_VARIABLE}, or name another variable with "
            "--api-key-env, or another server with --base-url"
        )
    return None


def read_headers(spec: ModelSpec, key: str | None) -> dict[str, str]:
    """Return the headers of every request; the user's own come last.

    Raises `UsageError` for a header that HTTP cannot carry; the message holds its name alone.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key is not None and not _has_authorization(spec):
        headers["Authorization"] = f"Bearer {key}"
    for name, value in spec.headers.items():
        token = name.replace("-", "").replace("_", "")
        if not (token.isascii() and token.isalnum()):
            raise UsageError(f"--header: {name[:80]!r} is no name of a header")
        if not value.isprintable():
            raise UsageError(f"--header: the value of {name} holds control characters")
        headers[name] = value
    return headers


def _has_authorization(spec: ModelSpec) -> bool:
    return any(name.lower() in {"authorization", "api-key"} for name in spec.headers)


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return str(value)
    raise UnknownName(f"value of -M {name}:", str(value), allowed)


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return _one_of(name, str(value).lower(), ("true", "false")) == "true"


def _word(name: str, value: Any) -> str:
    # a value that a server does not know is the server's to refuse: new ones come every year
    if isinstance(value, str) and (not value or value.isidentifier()):
        return value
    raise UsageError(f"-M {name}: a word such as low, medium or auto, got {value!r}")


def _count(name: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise UsageError(f"-M {name}: a number of tokens, got {value!r}")


def _names(value: Any) -> frozenset[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise UsageError(f"-M omit: names of fields with commas between, got {value!r}")
    return frozenset(str(part).strip() for part in parts)
