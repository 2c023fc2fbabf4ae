"""Runs requests on a network, many at a time; knows nothing of the event loop or of files.

Requests of one shape share a pass. A request's shape is its padded length and the room that its
answer may need: both its own, so no neighbour changes a bit of its answer (see `model`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.backend.embedded.model import Ints, Network, log_softmax, padded
from harness.backend.embedded.sampling import Sampler
from harness.backend.embedded.tokenizer import BOS, PAD, decode
from harness.records import Request, Response

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)

ROWS = 2048
"""Tokens that pass through the network at a time: bounds the memory."""
ROOM = 16384
"""Positions that caches hold at a time: likewise."""


class Job(NamedTuple):
    """A request in tokens."""

    request: Request
    prompt: list[int]
    continuation: list[int]
    """What is to be scored; empty for generate."""


class Piece(NamedTuple):
    """A stretch to score in one pass: `targets` are predicted after `before`."""

    before: list[int]
    targets: list[int]

    @property
    def inputs(self) -> list[int]:
        """What goes in: all but the last token, of which nothing follows."""
        return (self.before + self.targets)[:-1]


def run(network: Network, jobs: Sequence[Job]) -> list[Response]:
    """Answer jobs, in order."""
    answers: dict[int, Response] = {}
    drafts = {
        index: Draft(job, network.config.context)
        for index, job in enumerate(jobs)
        if job.request.kind == "generate"
    }
    for (length, capacity), group in _grouped([d for d in drafts.values() if not d.finish]):
        together = max(1, min(ROWS // length, ROOM // capacity))
        for some in _chunks(group, together):
            _generate(network, some, length, capacity)
    answers |= {index: draft.response() for index, draft in drafts.items()}
    rest = [index for index in range(len(jobs)) if index not in drafts]
    answers |= zip(rest, _score(network, [jobs[index] for index in rest]), strict=True)
    return [answers[index] for index in range(len(jobs))]


class Draft:
    """An answer in the making. State: grows with every token taken."""

    def __init__(self, job: Job, context: int) -> None:
        generation = job.request.generation
        self.prompt = job.prompt
        self.limit = min(generation.max_tokens, context - len(job.prompt))
        self.finish = "" if self.limit > 0 else "length"
        self.body = bytearray()
        self._drawn = 0
        self._logprobs: list[float] | None = [] if job.request.logprobs else None
        self._sampler = Sampler(job.request)
        texts = sorted(filter(None, generation.stop), key=len, reverse=True)
        self._stops = [text.encode(errors="replace") for text in texts]

    @property
    def shape(self) -> tuple[int, int]:
        """Padded length of the prompt, and positions that the cache needs."""
        return padded(len(self.prompt)), padded(len(self.prompt) + self.limit)

    def take(self, logits: NDArray[np.float32]) -> None:
        """Draw the next token from logits of shape (vocabulary,)."""
        token = self._sampler.draw(logits)
        self._drawn += 1
        if token >= BOS:  # the end of the turn, or a special that no answer holds
            self.finish = "stop"
            return
        self.body.append(token)
        if self._logprobs is not None:
            self._logprobs.append(float(log_softmax(logits)[token]))
        if not self._cut() and self._drawn == self.limit:
            self.finish = "length"

    def _cut(self) -> bool:
        """Take away the stop string that the answer now ends in; return whether there is one."""
        for stop in self._stops:
            if self.body.endswith(stop):
                del self.body[-len(stop) :]
                if self._logprobs is not None:
                    del self._logprobs[-len(stop) :]
                self.finish = "stop"
                return True
        return False

    def response(self) -> Response:
        """Return the finished answer; completion tokens count what ended it, too."""
        return Response(
            text=decode(self.body),
            finish_reason=self.finish,
            token_logprobs=None if self._logprobs is None else tuple(self._logprobs),
            prompt_tokens=len(self.prompt),
            completion_tokens=self._drawn,
        )


def _generate(network: Network, drafts: list[Draft], length: int, capacity: int) -> None:
    """Finish drafts of one shape."""
    lengths = np.array([len(draft.prompt) for draft in drafts])
    hidden, cache = network.prefill(_stacked([draft.prompt for draft in drafts], length), capacity)
    last = hidden[np.arange(len(drafts)), lengths - 1][:, None]
    while True:
        for draft, logits in zip(drafts, network.logits(last)[:, 0], strict=True):
            draft.take(logits)
        live = np.array(
            [index for index, draft in enumerate(drafts) if not draft.finish], dtype=int
        )
        if not live.size:
            return
        if live.size < len(drafts):
            drafts, cache = [drafts[index] for index in live], cache.kept(live)
        tokens = np.array([draft.body[-1] for draft in drafts])
        positions = np.array([len(draft.prompt) + len(draft.body) - 1 for draft in drafts])
        last = network.step(tokens, positions, cache)


def _score(network: Network, jobs: Sequence[Job]) -> Iterator[Response]:
    """Yield the log-likelihood of each job's continuation, in order."""
    pieces = [_pieces(job, network.config.context) for job in jobs]
    flat = [piece for some in pieces for piece in some]
    scores: dict[int, tuple[list[float], bool]] = {}
    for length, group in _by([padded(len(piece.inputs)) for piece in flat]):
        for some in _chunks(group, max(1, ROWS // length)):
            scored = _score_pieces(network, [flat[index] for index in some], length)
            scores |= zip(some, scored, strict=True)
    done = iter(scores[index] for index in range(len(flat)))
    for job, own in zip(jobs, pieces, strict=True):
        parts = [next(done) for _ in own]
        logprobs = [value for values, _ in parts for value in values]
        yield Response(
            loglikelihood=float(sum(logprobs)),
            greedy=all(greedy for _, greedy in parts),
            tokens=len(logprobs),
            token_logprobs=tuple(logprobs),
            prompt_tokens=len(job.prompt) + len(job.continuation),
            completion_tokens=0,
        )


def _pieces(job: Job, context: int) -> list[Piece]:
    """Return what to score in passes of at most `context` tokens.

    A rolling text that is longer is cut into windows, each token predicted once; a window starts
    from the token before it (the disjoint windows of lm-evaluation-harness).
    """
    text = job.continuation
    if job.request.kind == "loglikelihood":
        return [Piece(job.prompt, text)] if text else []
    starts = range(0, len(text), context)
    return [
        Piece([text[start - 1]] if start else job.prompt, text[start : start + context])
        for start in starts
    ]


def _score_pieces(
    network: Network, pieces: list[Piece], length: int
) -> Iterator[tuple[list[float], bool]]:
    """Yield each piece's log-probabilities, and whether each target was the likeliest."""
    hidden, _ = network.prefill(_stacked([piece.inputs for piece in pieces], length))
    logits = network.logits(hidden)
    for row, piece in zip(logits, pieces, strict=True):
        first = len(piece.before) - 1
        own = row[first : first + len(piece.targets)]
        targets = np.array(piece.targets)
        values = log_softmax(own)[np.arange(len(targets)), targets]
        yield values.tolist(), bool((own.argmax(axis=-1) == targets).all())


def token_table(
    network: Network, texts: Sequence[list[int]]
) -> list[list[tuple[float, int, float]]]:
    """Return, for each token of each text: its log-probability, the likeliest token, and its.

    Texts are token lists that follow a BOS, shorter than the context. The log-probabilities are
    the bits that `run` sums for a continuation of the same text.
    """
    pieces = [Piece([BOS], text) for text in texts]
    tables: dict[int, list[tuple[float, int, float]]] = {}
    for length, group in _by([padded(len(piece.inputs)) for piece in pieces]):
        for some in _chunks(group, max(1, ROWS // length)):
            hidden, _ = network.prefill(_stacked([pieces[i].inputs for i in some], length))
            for index, row in zip(some, network.logits(hidden), strict=True):
                tables[index] = _table(row[: len(texts[index])], texts[index])
    return [tables[index] for index in range(len(texts))]


def _table(logits: NDArray[np.float32], targets: list[int]) -> list[tuple[float, int, float]]:
    logprobs, best, places = log_softmax(logits), logits.argmax(axis=-1), np.arange(len(targets))
    values = logprobs[places, np.array(targets, dtype=int)].tolist()
    return list(zip(values, best.tolist(), logprobs[places, best].tolist(), strict=True))


def _stacked(rows: Sequence[list[int]], length: int) -> Ints:
    out = np.full((len(rows), length), PAD, dtype=np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


def _grouped(drafts: Sequence[Draft]) -> Iterator[tuple[tuple[int, int], list[Draft]]]:
    for shape, group in _by([draft.shape for draft in drafts]):
        yield shape, [drafts[index] for index in group]


def _by(keys: Sequence[Key]) -> Iterator[tuple[Key, list[int]]]:
    """Yield each different key with the positions that have it."""
    groups: dict[Key, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    yield from groups.items()


def _chunks(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
