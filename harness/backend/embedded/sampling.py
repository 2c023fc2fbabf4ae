"""Which token comes next: greedy, or drawn from a stream that belongs to the request alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.identity import CounterRandom, request_hasher
from harness.records import Generation, Request

_content = request_hasher({})


class Sampler:
    """Draws the tokens of one request.

    The stream comes from the request's content, its `generation.seed` and its repeat number, so a
    request draws the same tokens in whatever batch it stands. State: the stream moves on.
    """

    def __init__(self, request: Request) -> None:
        self._generation = request.generation
        self._rng = CounterRandom(request.generation.seed or 0, "sample", _content(request))

    def draw(self, logits: NDArray[np.float32]) -> int:
        """Return the next token, given logits of shape (vocabulary,)."""
        if self._generation.temperature <= 0:
            return int(logits.argmax())
        return pick(probabilities(logits, self._generation), self._rng.random())


def probabilities(logits: NDArray[np.float32], generation: Generation) -> NDArray[np.float64]:
    """Return the distribution that is drawn from: temperature, then nucleus.

    With `top_p` only the likeliest tokens stay whose shares first reach it (Holtzman et al. 2020);
    equally likely ones by their number.
    """
    wide = logits.astype(np.float64)
    share: NDArray[np.float64] = np.exp((wide - wide.max()) / generation.temperature)
    share /= share.sum()
    if generation.top_p is not None and generation.top_p < 1:
        order = np.argsort(-share, kind="stable")
        before = np.cumsum(share[order]) - share[order]
        share[order[1:][before[1:] >= generation.top_p]] = 0
        share /= share.sum()
    return share


def pick(share: NDArray[np.float64], at: float) -> int:
    """Return the index at which the running sum of `share` passes `at`, a number in [0, 1)."""
    total = np.cumsum(share)
    # Scaled by the last sum: rounding may leave it just short of one.
    return int(np.searchsorted(total, at * total[-1], side="right"))
