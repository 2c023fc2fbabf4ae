"""transformers models as a backend: requests in, responses out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import torch

from harness.backend.computing import ComputingBackend
from harness.backend.hf.batches import Batches, Limit
from harness.backend.hf.generate import Draft, Writer
from harness.backend.hf.network import Described, Network, describe, out_of_memory
from harness.backend.hf.probe import agrees
from harness.backend.hf.reuse import NO_STEM, Stem, Stems
from harness.backend.hf.score import Pair, Plain, Row, Scores, Tree, rows_of
from harness.backend.hf.settings import Settings, read_settings
from harness.backend.hf.tokens import Encoder, Job
from harness.identity import content_key
from harness.records import Capability, Failure, ModelInfo, ModelSpec, Reply, Request, Response

VERSION = 1
"""Raised when the same weights and request give another answer; part of every key."""
MAX_BATCH = 256
CAPABILITIES: frozenset[Capability] = frozenset({"generate", "loglikelihood", "logprobs"})
CARRIED_OUT = ("device", "batch_size", "reuse")
"""Arguments that change how an answer is computed, and none but the last digits of a number."""


def open_hf(spec: ModelSpec) -> HfBackend:
    """Return the backend for `hf/FOLDER` or `hf/NAME` on the hub; the weights come when asked.

    Raises `ModelNotFound` where there is no such model, `UsageError` for an argument that cannot
    be.
    """
    settings = read_settings(spec)
    return HfBackend(spec, settings, describe(settings))


class HfBackend(ComputingBackend):
    """One model in this process.

    `generate` at temperature 0 takes the likeliest token; above, it draws from a stream that
    comes from the request. `token_logprobs` are those of the text's tokens, of the model's own
    distribution. Numbers may differ in their last digits with the batch a request stands in. A
    text that does not fit into the context fails as too_long; nothing is cut silently.
    """

    def __init__(self, spec: ModelSpec, settings: Settings, described: Described) -> None:
        chat = settings.api == "chat" and bool(described.tokenizer.chat_template)
        super().__init__(
            ModelInfo(
                name=spec.label,
                arguments_hash=content_key(spec.arguments),
                weights_hash=described.weights,
                served_name=settings.path,
                parameters=described.parameters,
                context=described.context,
            ),
            CAPABILITIES | {"chat"} if chat else CAPABILITIES,
            MAX_BATCH,
        )
        self._settings, self._described = settings, described
        self._encoder = Encoder(described.tokenizer, described.context, chat=chat)
        self._engine: Engine | None = None

    def identity(self) -> Mapping[str, Any]:
        """Return provider, name, weights, what changes an answer, version of the arithmetic."""
        return {
            "provider": "hf",
            "model": self._settings.path,
            "revision": self._settings.revision,
            "weights": self._described.weights,
            "dtype": self._described.dtype,
            "context": self._described.context,
            "api": "chat" if "chat" in self.capabilities else "completions",
            "think_end": self._settings.think_end,
            "version": VERSION,
        }

    def compute(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order. Raises `BackendError` where the weights cannot be read."""
        jobs, failed = self._encoder.jobs(requests)
        with torch.inference_mode():
            if self._engine is None:
                self._engine = Engine(self._described, self._settings)
            replies = {**failed, **self._engine.answer(jobs, requests)}
        end = self._settings.think_end
        return [_thought(replies[i], end) for i in range(len(requests))]


class Engine:
    """The network with what answers jobs. State: the weights, and the last shared beginning."""

    def __init__(self, described: Described, settings: Settings) -> None:
        self.network = Network(described, settings)
        self._context = described.context
        self._tree, self._plain = Tree(self.network), Plain(self.network)
        self._writer = Writer(self.network, described.tokenizer)
        self._stems = Stems(self.network)
        limit = Limit(settings.batch_size, grows=self.network.device.type == "cuda")
        self._batches = Batches[Any, Any](limit, out_of_memory, self.network.free)
        self.reuses = settings.reuse and agrees(self.network, self._tree, self._plain)
        """Whether shared beginnings are computed once: the network must be able to be masked."""

    def answer(self, jobs: Sequence[Job], requests: Sequence[Request]) -> dict[int, Reply]:
        """Return the replies by place."""
        scored = [job for job in jobs if job.targets]
        drafts = {
            job.place: Draft(requests[job.place], job.prompt, self._context)
            for job in jobs
            if not job.targets
        }
        return {**self._written(drafts), **self._summed(scored)}

    def _written(self, drafts: Mapping[int, Draft]) -> dict[int, Reply]:
        places = list(drafts)
        prompts = [drafts[i].prompt for i in places]
        longest = max((len(d.prompt) + d.limit for d in drafts.values()), default=0)
        replies: dict[int, Reply] = {}
        for stem, members in self._grouped(prompts, longest):
            done = self._batches.run(
                [places[i] for i in members],
                lambda i: len(drafts[i].prompt) + max(drafts[i].limit, 0),
                lambda some, stem=stem: self._writer([drafts[i] for i in some], stem),  # type: ignore[misc]
            )
            replies |= dict(done)
        return replies

    def _summed(self, jobs: Sequence[Job]) -> dict[int, Reply]:
        pairs = [Pair(job.prompt, job.targets) for job in jobs]
        scores = self._scores(pairs)
        parts: dict[int, list[tuple[Pair, Scores | Failure]]] = {}
        for job, pair in zip(jobs, pairs, strict=True):
            parts.setdefault(job.place, []).append((pair, scores[pair]))
        return {index: _sum(some) for index, some in parts.items()}

    def _scores(self, pairs: Sequence[Pair]) -> dict[Pair, Scores | Failure]:
        """Return the scores of each different pair."""
        longest = max((len(p.prompt) + len(p.targets) for p in pairs), default=0)
        if not self._may_reuse(longest):
            rows = [Row(pair.prompt, (pair.targets,)) for pair in dict.fromkeys(pairs)]
            return dict(self._run(rows, NO_STEM, tree=False))
        rows = rows_of(pairs)
        found: dict[Pair, Scores | Failure] = {}
        for stem, members in self._grouped([row.prompt for row in rows], longest):
            found |= dict(self._run([rows[i] for i in members], stem, tree=True))
        return found

    def _run(
        self, rows: Sequence[Row], stem: Stem, *, tree: bool
    ) -> Iterator[tuple[Pair, Scores | Failure]]:
        start = len(stem.ids)
        done = self._batches.run(
            rows,
            lambda row: row.cost(start, self.network.vocabulary),
            lambda some: self._tree(some, stem) if tree else self._plain(some),
        )
        for row, result in done:
            for index, branch in enumerate(row.branches):
                own = result if isinstance(result, Failure) else result[index]
                yield Pair(row.prompt, branch), own

    def _grouped(
        self, prompts: Sequence[tuple[int, ...]], longest: int
    ) -> Iterable[tuple[Stem, list[int]]]:
        if not self._may_reuse(longest):
            return [(NO_STEM, list(range(len(prompts))))]
        return self._stems.grouped(prompts)

    def _may_reuse(self, longest: int) -> bool:
        # a mask of ours knows no sliding window, so nothing may reach beyond it
        window = self.network.window
        return self.reuses and (window is None or longest <= window)


def _sum(parts: Sequence[tuple[Pair, Scores | Failure]]) -> Reply:
    """Return the log-likelihood of a request from those of its windows."""
    values: list[float] = []
    greedy = True
    for _, scores in parts:
        if isinstance(scores, Failure):
            return scores
        values += scores.values
        greedy = greedy and scores.greedy
    return Response(
        loglikelihood=sum(values),
        greedy=greedy,
        tokens=len(values),
        token_logprobs=tuple(values),
        prompt_tokens=sum(len(pair.prompt) + len(pair.targets) for pair, _ in parts),
        completion_tokens=0,
    )


def _thought(reply: Reply, end: str) -> Reply:
    """Set apart what a model thinks before it answers."""
    if isinstance(reply, Failure) or not end or end not in reply.text:
        return reply
    thought, _, said = reply.text.rpartition(end)
    return msgspec.structs.replace(reply, text=said.lstrip(), reasoning=thought)
