"""The embedded models as a backend: requests in, responses out, the same bits in any batch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.backend.computing import ComputingBackend
from harness.backend.embedded.engine import Job, run, token_table
from harness.backend.embedded.model import Weights, load
from harness.backend.embedded.tokenizer import BOS, ROLES, encode, render_chat, render_text
from harness.backend.tokens import TokenScore, byte_name, byte_tokens
from harness.errors import InvalidFile, UnknownName, suggestion
from harness.identity import content_key
from harness.records import (
    Capability,
    Failure,
    ModelInfo,
    ModelSpec,
    Reply,
    Request,
)

WEIGHTS = Path(__file__).parent / "weights"
MAX_BATCH = 64
VERSION = 1
"""Raised when the same weights and request give another answer; part of every key."""
CAPABILITIES: frozenset[Capability] = frozenset({"generate", "chat", "loglikelihood", "logprobs"})
APIS = ("chat", "completions")


def model_names() -> list[str]:
    """Return the names of the models that travel with the harness."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def open_embedded(spec: ModelSpec) -> EmbeddedBackend:
    """Return the backend for `embedded/NAME`.

    The one argument is `api`: chat (the default) or completions, which offers no chat. Raises
    `UnknownName` for a model that is not there, `InvalidFile` for another argument or value.
    """
    if spec.name not in model_names():
        raise UnknownName("embedded model", spec.name, model_names())
    for key, value in spec.arguments.items():
        if key != "api":
            hint = suggestion(key, ["api"])
            raise InvalidFile(f"unknown model argument{hint}", key=key, allowed="api")
        if value not in APIS:
            raise InvalidFile("wrong argument", key=key, allowed=", ".join(APIS), got=repr(value))
    return EmbeddedBackend(spec, load(WEIGHTS / f"{spec.name}.safetensors"))


class EmbeddedBackend(ComputingBackend):
    """One embedded model.

    `generate` at temperature 0 takes the likeliest token; above, it draws from a stream that comes
    from the request (`generation.seed`, `repeat` and content). `token_logprobs` are those of the
    text's tokens, of the model's own distribution (temperature 1). An answer that meets the end of
    the context ends with finish_reason length.
    """

    def __init__(self, spec: ModelSpec, weights: Weights) -> None:
        completions = spec.arguments.get("api") == "completions"
        super().__init__(
            ModelInfo(
                name=spec.label,
                arguments_hash=content_key(spec.arguments),
                weights_hash=weights.digest,
                parameters=weights.network.parameters,
                licence=weights.metadata["licence"],
                date=weights.metadata["date"],
                context=weights.network.config.context,
            ),
            CAPABILITIES - {"chat"} if completions else CAPABILITIES,
            MAX_BATCH,
        )
        self._name, self._weights = spec.name, weights

    def identity(self) -> Mapping[str, Any]:
        """Return provider, name, hash of the weights, version of the arithmetic."""
        return {
            "provider": "embedded",
            "name": self._name,
            "weights": self._weights.digest,
            "version": VERSION,
        }

    async def score_tokens(self, texts: Sequence[str]) -> list[list[TokenScore] | Failure]:
        """Return the tokens of each text, and the likeliest at each place: `ScoresTokens`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._score_texts, tuple(texts))

    def _score_texts(self, texts: Sequence[str]) -> list[list[TokenScore] | Failure]:
        context = self._weights.network.config.context
        encoded = [encode(text) for text in texts]
        fits = [row for row in encoded if 0 < len(row) < context]
        tables = iter(token_table(self._weights.network, fits))
        scored: list[list[TokenScore] | Failure] = []
        for text, row in zip(texts, encoded, strict=True):
            if len(row) >= context:
                said = f"{len(row) + 1} tokens are needed, the model's context is {context}"
                scored.append(Failure("too_long", said))
            else:
                scored.append(_named(text, next(tables)) if row else [])
        return scored

    def compute(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order."""
        context = self._weights.network.config.context
        planned = [plan(request, context) for request in requests]
        answers = iter(run(self._weights.network, [p for p in planned if isinstance(p, Job)]))
        return [next(answers) if isinstance(p, Job) else p for p in planned]


def _named(text: str, table: list[tuple[float, int, float]]) -> list[TokenScore]:
    return [
        TokenScore(name, offset, value, token_name(best), best_value)
        for (name, offset), (value, best, best_value) in zip(byte_tokens(text), table, strict=True)
    ]


def token_name(token: int) -> str:
    """Return the name of a token: its byte, or its number for a special."""
    return byte_name(token) if token < BOS else f"<{token}>"


def plan(request: Request, context: int) -> Job | Failure:
    """Return a request's tokens, or why it cannot be answered."""
    reason = unsupported(request)
    if reason:
        return Failure("unsupported", f"embedded models do not know {reason}")
    if request.kind == "rolling":
        return Job(request, [BOS], encode(request.prompt + request.continuation))
    prompt = render_chat(request.messages) if request.messages else render_text(request.prompt)
    continuation = encode(request.continuation) if request.kind == "loglikelihood" else []
    need = len(prompt) + (len(continuation) or 1)
    if need > context:
        said = f"{need} tokens are needed, the model's context is {context}"
        return Failure("too_long", said)
    return Job(request, prompt, continuation)


def unsupported(request: Request) -> str | None:
    """Return what the models cannot do of a request; None where they can do all of it."""
    if request.tools:
        return "tools"
    if request.schema is not None:
        return "schemas"
    if request.generation.extra:
        return f"the settings {', '.join(sorted(request.generation.extra))}"
    unknown = sorted({m.role for m in request.messages} - set(ROLES))
    return f"the role {unknown[0]}" if unknown else None
