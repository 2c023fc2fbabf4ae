"""GGUF models through llama-cpp-python, in this process: `llamacpp/FILE.gguf`.

Thin on purpose. Scores are computed from the model's own logits, so that the boundary between
context and continuation is the rule of the hf backend.

Arguments (-M): `context` (as the file says), `gpu_layers` (0; -1 is all), `threads`, `seed` (0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from harness.backend.computing import ComputingBackend
from harness.errors import BackendError, ModelNotFound, UnknownName, UsageError
from harness.identity import content_key, request_hasher
from harness.records import Capability, Failure, ModelInfo, ModelSpec, Reply, Request, Response

ARGUMENTS = ("context", "gpu_layers", "threads", "seed")
CHUNK = 1 << 22
VERSION = 1
"""Raised when the same file and request give another answer; part of every key."""


def open_llamacpp(spec: ModelSpec) -> LlamaCppBackend:
    """Return the backend of a GGUF file, which is loaded now.

    Raises `ModelNotFound` where there is no such file, `UsageError` for an argument that cannot
    be, `BackendError` for a file that llama.cpp does not read.
    """
    for name, value in spec.arguments.items():
        if name not in ARGUMENTS:
            raise UnknownName(f"argument (-M) of {spec.label}:", name, ARGUMENTS)
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"-M {name}: a whole number, got {value!r}")
    path = Path(spec.name)
    if not path.is_file():
        raise ModelNotFound(f"{spec.label}: no file {path}")
    given = spec.arguments
    try:
        model = llama_cpp.Llama(
            model_path=str(path),
            n_ctx=given.get("context", 0),
            n_gpu_layers=given.get("gpu_layers", 0),
            n_threads=given.get("threads"),
            logits_all=True,
            verbose=False,
        )
    except (ValueError, RuntimeError, OSError, AssertionError) as error:
        raise BackendError(f"{spec.label} cannot be loaded: {error}") from error
    return LlamaCppBackend(spec, model, _digest(path))


def _digest(path: Path) -> str:
    total = hashlib.blake2b(digest_size=16)
    with path.open("rb") as handle:
        while block := handle.read(CHUNK):
            total.update(block)
    return total.hexdigest()


class LlamaCppBackend(ComputingBackend):
    """One GGUF model; requests are computed one after another."""

    def __init__(self, spec: ModelSpec, model: Any, weights: str) -> None:
        chat = "tokenizer.chat_template" in (model.metadata or {})
        offered: set[Capability] = {"generate", "loglikelihood"}
        super().__init__(
            ModelInfo(
                name=spec.label,
                arguments_hash=content_key(spec.arguments),
                weights_hash=weights,
                served_name=Path(spec.name).name,
                context=model.n_ctx(),
            ),
            frozenset(offered | {"chat"} if chat else offered),
            max_batch=16,
        )
        self._model, self._weights = model, weights
        self._seed = int(spec.arguments.get("seed", 0))

    def identity(self) -> Mapping[str, Any]:
        """Return provider, weights, context and seed, version of the reading."""
        return {
            "provider": "llamacpp",
            "weights": self._weights,
            "context": self.info.context,
            "seed": self._seed,
            "version": VERSION,
        }

    def compute(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order."""
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Reply:
        if refused := self._unsupported(request):
            return Failure("unsupported", refused)
        try:
            if request.kind != "generate":
                return self._score(request)
            return self._generate(request)
        except ValueError as error:
            said = " ".join(str(error).split())[:300]
            long = "context window" in said or "exceed" in said
            return Failure("too_long" if long else "internal", said)

    def _unsupported(self, request: Request) -> str | None:
        scored = request.continuation or (request.kind == "rolling" and request.prompt)
        reasons = {
            "the file has no chat template": bool(request.messages)
            and "chat" not in self.capabilities,
            "llamacpp offers no tools": bool(request.tools),
            "llamacpp enforces no schema": request.schema is not None,
            "llamacpp returns no log-probabilities of generated tokens": request.logprobs
            and request.kind == "generate",
            "log-likelihoods are of text, not of messages": request.kind != "generate"
            and bool(request.messages),
            "there is no text to score": request.kind != "generate" and not scored,
            "llamacpp does not know the extra settings": bool(request.generation.extra),
        }
        return next((reason for reason, applies in reasons.items() if applies), None)

    def _generate(self, request: Request) -> Reply:
        generation = request.generation
        given = {
            "max_tokens": generation.max_tokens,
            "temperature": generation.temperature,
            "top_p": 1.0 if generation.top_p is None else generation.top_p,
            "top_k": 0,
            "min_p": 0.0,
            "repeat_penalty": 1.0,
            "stop": list(generation.stop),
            "seed": self._seed_of(request),
        }
        if request.messages:
            turns = [{"role": m.role, "content": m.content} for m in request.messages]
            found = self._model.create_chat_completion(turns, **given)
            text = found["choices"][0]["message"]["content"] or ""
        else:
            found = self._model.create_completion(_plain(request.prompt), **given)
            text = found["choices"][0]["text"]
        return Response(
            text=text,
            finish_reason=found["choices"][0]["finish_reason"] or "stop",
            prompt_tokens=found["usage"]["prompt_tokens"],
            completion_tokens=found["usage"]["completion_tokens"],
        )

    def _seed_of(self, request: Request) -> int:
        """Return a seed that hangs on the request alone, so that no order of asking changes it."""
        if request.generation.seed is not None:
            return request.generation.seed + request.repeat
        return (int(request_hasher({})(request)[:7], 16) + self._seed) % 2**31

    def _tokens(self, text: str) -> list[int]:
        found: list[int] = self._model.tokenize(_plain(text).encode(), add_bos=True, special=False)
        return found

    def _score(self, request: Request) -> Reply:
        if request.kind == "rolling":
            ids, cut = self._tokens(request.prompt + request.continuation), 1
        else:
            context = request.prompt.rstrip()
            moved = request.prompt[len(context) :] + request.continuation
            alone = self._tokens(context)
            ids = alone + self._tokens(context + moved)[len(alone) :]
            cut = len(alone)
        if not cut or len(ids) <= cut:
            return Failure("unsupported", "the continuation has no token of its own")
        if len(ids) > self._model.n_ctx():
            said = f"{len(ids):,} tokens are needed, the model's context is {self._model.n_ctx():,}"
            return Failure("too_long", said)
        self._model.reset()
        self._model.eval(ids)
        logits = np.asarray(self._model.scores[cut - 1 : len(ids) - 1], dtype=np.float64)
        logits -= logits.max(axis=-1, keepdims=True)
        targets = np.array(ids[cut:])
        own = logits[np.arange(len(targets)), targets]
        values = (own - np.log(np.exp(logits).sum(axis=-1))).tolist()
        return Response(
            loglikelihood=sum(values),
            greedy=bool((logits.argmax(axis=-1) == targets).all()),
            tokens=len(values),
            token_logprobs=tuple(values),
            prompt_tokens=len(ids),
            completion_tokens=0,
        )


def _plain(text: str) -> str:
    """Return `text` without halves of surrogate pairs, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
