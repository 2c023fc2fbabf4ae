"""Log-likelihoods of many continuations.

`Tree` reads a context once for all its continuations: they follow it in one row, and the attention
mask lets each see the context and itself alone; a beginning that many contexts share comes from a
cache. `Plain` reads every text by itself, as lm-evaluation-harness does; it is for networks that
cannot be masked so. Both take the softmax in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from msgspec import Struct

from harness.backend.hf.network import Network
from harness.backend.hf.reuse import Stem

LOGITS = 8192
"""Logits that weigh in a batch as much as one token does."""


class Pair(NamedTuple):
    """A context, never empty, and the tokens to score after it."""

    prompt: tuple[int, ...]
    targets: tuple[int, ...]


class Scores(NamedTuple):
    """Log-probabilities of a pair's targets."""

    values: list[float]
    greedy: bool


class Row(Struct, frozen=True):
    """A context and the continuations that follow it."""

    prompt: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]

    @property
    def fed(self) -> int:
        """Tokens that go in behind the context: of each branch all but the last."""
        return sum(len(branch) - 1 for branch in self.branches)

    def cost(self, stem: int, vocabulary: int) -> int:
        """Return the weight in a batch: tokens, and logits besides."""
        return len(self.prompt) - stem + self.fed + (1 + self.fed) * vocabulary // LOGITS


def rows_of(pairs: Sequence[Pair]) -> list[Row]:
    """Return pairs by context, each different continuation once.

    A context with continuations longer than itself is split: what a branch feeds, the others'
    rows must be padded to.
    """
    by_prompt: dict[tuple[int, ...], dict[tuple[int, ...], None]] = {}
    for pair in pairs:
        by_prompt.setdefault(pair.prompt, {})[pair.targets] = None
    rows = []
    for prompt, branches in by_prompt.items():
        room, taken = max(len(prompt), 64), 0
        current: list[tuple[int, ...]] = []
        for branch in branches:
            if current and taken + len(branch) > room:
                rows.append(Row(prompt, tuple(current)))
                current, taken = [], 0
            current.append(branch)
            taken += len(branch)
        rows.append(Row(prompt, tuple(current)))
    return rows


class Tree:
    """Scores rows with branches."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, rows: Sequence[Row], stem: Stem) -> list[list[Scores]]:
        """Return the scores of each row's branches; every row begins with `stem`."""
        start = len(stem.ids)
        width = max(len(row.prompt) - start + row.fed for row in rows)
        keep = 1 + max(row.fed for row in rows)
        laid = [_laid(row, start, width, self._network.pad) for row in rows]
        logits, _ = self._network(
            self._network.tensor([ids for ids, _ in laid]),
            keep,
            attention_mask=self._mask(rows, start, width),
            position_ids=self._network.tensor([positions for _, positions in laid]),
            past_key_values=stem.cache(len(rows)),
            use_cache=bool(start),
        )
        places = [_places(row, keep) for row in rows]
        return read(logits, places, [row.branches for row in rows])

    def _mask(self, rows: Sequence[Row], start: int, width: int) -> torch.Tensor:
        """Return (rows, 1, width, start + width): 0 where a token sees another, else the least."""
        sees = torch.zeros((len(rows), width, start + width), dtype=torch.bool)
        causal = torch.ones((width, width), dtype=torch.bool).tril_()
        for index, row in enumerate(rows):
            own = len(row.prompt) - start
            first = width - own - row.fed
            at, end = first, first + own
            sees[index, at:, :start] = True
            sees[index, at:end, start + at : start + end] = causal[:own, :own]
            sees[index, end:, start + at : start + end] = True
            for branch in row.branches:
                at, end = end, end + len(branch) - 1
                sees[index, at:end, start + at : start + end] = causal[: end - at, : end - at]
        mask = torch.zeros(sees.shape, dtype=self._network.dtype)
        mask.masked_fill_(~sees, torch.finfo(self._network.dtype).min)
        return mask[:, None].to(self._network.device)


def _laid(row: Row, start: int, width: int, pad: int) -> tuple[list[int], list[int]]:
    """Return tokens and positions of a row, padded on the left."""
    ids, positions = list(row.prompt[start:]), list(range(start, len(row.prompt)))
    for branch in row.branches:
        ids += branch[:-1]
        positions += range(len(row.prompt), len(row.prompt) + len(branch) - 1)
    blank = width - len(ids)
    return [pad] * blank + ids, [0] * blank + positions


def _places(row: Row, keep: int) -> list[list[int]]:
    """Return for each branch the kept positions that predict its tokens."""
    last = keep - 1 - row.fed
    places, at = [], last + 1
    for branch in row.branches:
        places.append([last, *range(at, at + len(branch) - 1)])
        at += len(branch) - 1
    return places


class Plain:
    """Scores each text by itself, padded on the right; rows have one branch."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, rows: Sequence[Row]) -> list[list[Scores]]:
        """Return the scores of each row's one branch."""
        texts = [row.prompt + row.branches[0][:-1] for row in rows]
        width = max(map(len, texts))
        keep = width - min(len(row.prompt) - 1 for row in rows)
        ids = [[*text, *[self._network.pad] * (width - len(text))] for text in texts]
        real = [[1] * len(text) + [0] * (width - len(text)) for text in texts]
        logits, _ = self._network(
            self._network.tensor(ids),
            keep,
            attention_mask=self._network.tensor(real),
            use_cache=False,
        )
        places = []
        for row in rows:
            first = len(row.prompt) - 1 - (width - keep)
            places.append([list(range(first, first + len(row.branches[0])))])
        return read(logits, places, [row.branches for row in rows])


def read(
    logits: torch.Tensor,
    places: Sequence[Sequence[Sequence[int]]],
    branches: Sequence[Sequence[Sequence[int]]],
) -> list[list[Scores]]:
    """Return the scores of branches from logits (rows, kept, vocabulary).

    `places[r][b][i]` is the kept position that predicts token i of branch b in row r.
    """
    row: list[int] = []
    place: list[int] = []
    target: list[int] = []
    for index, (some, own) in enumerate(zip(places, branches, strict=True)):
        for at, tokens in zip(some, own, strict=True):
            row += [index] * len(tokens)
            place += at
            target += tokens
    device = logits.device
    r, p, t = (torch.tensor(x, dtype=torch.long, device=device) for x in (row, place, target))
    values = iter((logits[r, p, t] - logits.logsumexp(dim=-1)[r, p]).tolist())
    greedy = iter((logits.argmax(dim=-1)[r, p] == t).tolist())
    return [
        [
            Scores([next(values) for _ in tokens], all([next(greedy) for _ in tokens]))  # noqa: C419
            for tokens in own
        ]
        for own in branches
    ]
