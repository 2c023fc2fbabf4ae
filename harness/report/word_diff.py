"""What two texts share and what they do not, word by word: pure, and bounded for hostile texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Piece = tuple[str, str]
"""A kind and a text: "=" shared, "-" only in the first, "+" only in the second, "~" not compared,
"…" a number of characters left out."""
MOST_TOKENS = 4000
"""Longer texts are not compared."""
MOST_EDITS = 300
"""Texts further apart share no more than their beginning and their end."""
ALIKE, FEW = 0.2, 80
"""Texts of more than FEW tokens that share less of their words than this are not marked at all."""
LONG, KEPT = 400, 120
"""A shared stretch of more characters is cut to so many at either side."""
TOKEN = re.compile(r"[^\W\u2e80-\u9fff\uac00-\ud7ff]+|\s+|.", re.DOTALL)
"""A word, white space, or one other sign; Chinese, Japanese and Korean go sign by sign."""


def word_diff(was: str, got: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts in pieces: "=" for what they share, "-" and "+" for what they do not.

    Texts that are too long, or have too little in common for marks to say anything, are one piece
    of the kind "~".

    >>> word_diff("it is 12", "it is 21")
    ([('=', 'it is '), ('-', '12')], [('=', 'it is '), ('+', '21')])
    """
    old, new = TOKEN.findall(was), TOKEN.findall(got)
    if max(len(old), len(new)) > MOST_TOKENS:
        return [("~", was)], [("~", got)]
    start = _same(old, new)
    end = _same(old[start:][::-1], new[start:][::-1])
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    middle = list(_shared(a, b))
    both = [*old[:start], *(a[x] for x, _ in middle), *old[len(old) - end :]]
    if _words(both) < ALIKE * min(_words(old), _words(new)) and len(old) + len(new) > FEW:
        return [("~", was)], [("~", got)]
    left, right = _Side("-"), _Side("+")
    left.add(old[:start], shared=True)
    right.add(new[:start], shared=True)
    x = y = 0
    for i, j in [*middle, (len(a), len(b))]:
        left.add(a[x:i], shared=False)
        right.add(b[y:j], shared=False)
        left.add(a[i : i + 1], shared=True)
        right.add(b[j : j + 1], shared=True)
        x, y = i + 1, j + 1
    left.add(old[len(old) - end :], shared=True)
    right.add(new[len(new) - end :], shared=True)
    return left.pieces, right.pieces


def _words(tokens: Sequence[str]) -> int:
    return sum(not token.isspace() for token in tokens)


class _Side:
    """Pieces of one text, like ones joined."""

    def __init__(self, own: str) -> None:
        self._own = own
        self.pieces: list[Piece] = []

    def add(self, tokens: Sequence[str], *, shared: bool) -> None:
        text = "".join(tokens)
        kind = "=" if shared else self._own
        if not text:
            return
        if self.pieces and self.pieces[-1][0] == kind:
            text = self.pieces.pop()[1] + text
        self.pieces.append((kind, text))


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many tokens both begin with."""
    count = 0
    for a, b in zip(old, new, strict=False):
        if a != b:
            break
        count += 1
    return count


def _shared(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of a longest common subsequence; nothing beyond MOST_EDITS edits.

    The greedy algorithm of Myers (1986, Algorithmica 1:251), whose time is that of the edits
    squared; a text of one word repeated costs no more than any other.
    """
    frontier = {1: 0}
    trail: list[dict[int, int]] = []
    size, other = len(old), len(new)
    for edits in range(min(MOST_EDITS, size + other) + 1):
        trail.append(dict(frontier))
        for k in range(-edits, edits + 1, 2):
            x = _step(frontier, k, edits)
            while x < size and x - k < other and old[x] == new[x - k]:
                x += 1
            frontier[k] = x
            if x >= size and x - k >= other:
                yield from _walk_back(trail, (size, other))
                return


def _step(frontier: dict[int, int], k: int, edits: int) -> int:
    """Return how far the first text is read on diagonal k after one more edit."""
    if k == -edits or (k != edits and frontier[k - 1] < frontier[k + 1]):
        return frontier[k + 1]
    return frontier[k - 1] + 1


def _walk_back(trail: Sequence[dict[int, int]], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the places that the shortest path passes on its diagonals, in order."""
    x, y = end
    found: list[tuple[int, int]] = []
    for edits in range(len(trail) - 1, -1, -1):
        frontier = trail[edits]
        k = x - y
        down = k == -edits or (k != edits and frontier[k - 1] < frontier[k + 1])
        start = frontier[k + 1] if down else frontier[k - 1] + 1
        if edits == 0:
            start = 0
        while x > start:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = (x, y - 1) if down else (x - 1, y)
    return found[::-1]


def shortened(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces with long shared stretches cut: kind "…" stands for the characters left out.

    >>> shortened([("=", "a" * 1000), ("-", "b")])[1:]
    [('…', '760'), ('=', 'aaa…')]
    """
    short: list[Piece] = []
    for kind, text in pieces:
        if kind != "=" or len(text) <= LONG:
            short.append((kind, text))
            continue
        left_out = len(text) - 2 * KEPT
        short += [("=", text[:KEPT]), ("…", f"{left_out:,}"), ("=", text[-KEPT:])]
    return short
