"""Runs requests on a network, many at a time; knows nothing of the event loop or of files.

Requests of like padded length share a batch. What a request's result depends on besides the weights
is its own tokens, its padded length and its cache's capacity: see `model`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.backend.embedded.model import Cache, Floats, Ints, Network, log_softmax, padded
from harness.backend.embedded.sampling import Sampler
from harness.backend.embedded.tokenizer import BOS, PAD, decode
from harness.records import Request, Response

ROWS = 4096
"""Tokens that go through the network at a time: bounds the memory."""


class Job(NamedTuple):
    """A request in tokens."""

    request: Request
    prompt: list[int]
    continuation: list[int]
    """What is to be scored; empty for generate."""


def run(network: Network, jobs: Sequence[Job]) -> list[Response]:
    """Answer jobs, in order."""
    generate = [i for i, job in enumerate(jobs) if job.request.kind == "generate"]
    score = [i for i, job in enumerate(jobs) if job.request.kind != "generate"]
    answers: dict[int, Response] = {}
    drafts = {i: Draft(jobs[i], network.config.context) for i in generate}
    for (length, capacity), group in _groups({i: drafts[i].shape for i in generate}, lambda s: s[0]):
        _generate(network, [drafts[i] for i in group], length, capacity)
    answers |= {i: draft.response() for i, draft in drafts.items()}
    answers |= zip(score, scored(network, [jobs[i] for i in score]), strict=True)
    return [answers[i] for i in range(len(jobs))]
