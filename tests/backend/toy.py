"""A backend small enough to see through: tokens are bytes, probabilities come from a hash."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from harness.backend.tokens import TokenScore, byte_tokens
from harness.records import Failure, ModelInfo, Reply, Request, Response


def token_scores(text: str) -> list[TokenScore]:
    """Return the tokens of `text`, each with a log-probability made of all before it."""
    scores, raw, state = [], text.encode("utf-8", "replace"), 0
    for i, (name, offset) in enumerate(byte_tokens(text)):
        state = zlib.crc32(raw[i : i + 1], state)
        value = -0.01 - (state % 4999) / 1000
        best = (name, value) if state & 1 else ("other", value / 2)
        scores.append(TokenScore(name, offset, value, *best))
    return scores


class Plain:
    """Answers from the request's content; remembers what it was asked, in which batches."""

    capabilities = frozenset({"generate", "chat", "loglikelihood", "logprobs"})
    max_batch = 8

    def __init__(self) -> None:
        self.info = ModelInfo(name="toy/toy", arguments_hash="0", served_name="toy")
        self.batches: list[int] = []
        self.asked: list[Request] = []

    def identity(self) -> Mapping[str, object]:
        """Return a constant."""
        return {"provider": "toy"}

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request."""
        self.batches.append(len(requests))
        self.asked += requests
        return [self._one(request) for request in requests]

    async def close(self) -> None:
        """Hold nothing."""

    def _one(self, request: Request) -> Reply:
        if request.tools or request.schema is not None:
            return Failure("unsupported", "no tools, no schema")
        if request.kind == "generate":
            return self._generate(request)
        start = 0 if request.kind == "rolling" else len(request.prompt)
        text = request.prompt + request.continuation
        scores = [score for score in token_scores(text) if score.offset >= start]
        if not scores:
            return Failure("unsupported", "no text")
        values = [score.logprob for score in scores]
        return Response(
            loglikelihood=sum(values),
            greedy=all(score.logprob == score.best_logprob for score in scores),
            tokens=len(values),
            token_logprobs=tuple(values) if request.logprobs else None,
        )

    def _generate(self, request: Request) -> Reply:
        said = repr((request.messages, request.prompt, request.generation, request.repeat))
        if not request.messages and not request.prompt:
            return Failure("unsupported", "nothing asked")
        if "too long" in said:
            return Failure("too_long", "the prompt does not fit")
        if "busy" in said:
            return Failure("rate_limit", "wait", retryable=True, retry_after=2.5)
        text = f"é{zlib.crc32(said.encode('utf-8', 'replace'))}"
        values = [score.logprob for score in token_scores(text)]
        return Response(
            text=text,
            token_logprobs=tuple(values) if request.logprobs else None,
            prompt_tokens=len(said),
            completion_tokens=len(values),
        )


class Toy(Plain):
    """Also says which tokens were the likeliest."""

    async def score_tokens(self, texts: Sequence[str]) -> list[list[TokenScore] | Failure]:
        """Score each text."""
        return [token_scores(text) for text in texts]
