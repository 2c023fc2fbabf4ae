"""Whether a network computes the same from a shared beginning as from whole texts."""

from __future__ import annotations

import logging

import torch

from harness.backend.hf.network import Network
from harness.backend.hf.reuse import Stem, layers_of
from harness.backend.hf.score import Plain, Row, Tree
from harness.identity import CounterRandom

log = logging.getLogger(__name__)

STEM, TOKENS = 9, (3, 6)
"""Tokens of the beginning that is tried, and of the two contexts after it."""
CLOSE = {torch.float32: 1e-3, torch.float64: 1e-6}
CLOSE_IN_HALF = 0.1
"""Nats by which one token's log-probability may differ in half precision."""


def agrees(network: Network, tree: Tree, plain: Plain) -> bool:
    """Return whether branches and shared beginnings give what whole texts give.

    Some networks take no mask or no positions of the caller's, or keep no keys and values; they
    raise, or they answer something else. Either way they are not asked so again.
    """
    rng = CounterRandom(0, "probe")

    def drawn(count: int) -> tuple[int, ...]:
        return tuple(rng.below(network.vocabulary) for _ in range(count))

    start = drawn(STEM)
    rows = [Row(start + drawn(n), (drawn(3), drawn(1), drawn(2))) for n in TOKENS]
    single = [Row(row.prompt, (branch,)) for row in rows for branch in row.branches]
    expected = [value for (scores,) in plain(single) for value in scores.values]
    try:
        _, cache = network(network.tensor([list(start)]), 1, use_cache=True)
        found = tree(rows, Stem(start, layers_of(cache)))
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        log.info("no reuse of shared beginnings: %s: %s", type(error).__name__, error)
        return False
    values = [value for some in found for scores in some for value in scores.values]
    worst = max(abs(a - b) for a, b in zip(values, expected, strict=True))
    close = worst <= CLOSE.get(network.dtype, CLOSE_IN_HALF)
    if not close:
        log.info("no reuse of shared beginnings: it moves log-probabilities by %g", worst)
    return close
