"""A game that nobody has played: pieces on a line of cells, with rules drawn at random.

Every letter has a rule of its own for how its pieces move; a game may close the line to a ring,
bar a cell, and forbid the same letter to move twice running. This module plays; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from msgspec import Struct

from harness.identity import CounterRandom

CELLS = 8
EMPTY = "-"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
FARTHEST = 3

Fault = Literal["empty", "repeat", "barred", "distance", "target", "between"]
"""Why a move is illegal: no piece stands there; the same letter moved just before; the cell is
barred; wrong distance or direction; the target is not as it must be; nor is what lies between."""


class Move(NamedTuple):
    """From one cell to another, both counted from 1."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


class Rule(Struct, frozen=True):
    """How the pieces of one letter move."""

    letter: str
    kind: Literal["step", "swap"]
    """A step ends on an empty cell; a swap changes places with the piece that stands there."""
    side: Literal["left", "right", "either"]
    distance: int
    between: Literal["any", "none", "some"]
    """Pieces in between: whatever, none at all, or one at least."""


class Game(Struct, frozen=True):
    """The rules of one game."""

    rules: tuple[Rule, ...]
    ring: bool
    barred: int | None
    """No move may end on this cell."""
    alternate: bool
    """No letter may move twice running."""

    def rule(self, letter: str) -> Rule:
        """Return the rule of a letter."""
        return next(rule for rule in self.rules if rule.letter == letter)

    def fault(self, row: str, move: Move, last: str | None = None) -> Fault | None:
        """Return why a move is illegal, the first reason that holds; None where it is legal.

        `row` has a letter or `EMPTY` for each cell; `last` is the letter that moved just before.
        """
        letter = row[move.start - 1]
        if letter == EMPTY:
            return "empty"
        if self.alternate and letter == last:
            return "repeat"
        if move.end == self.barred:
            return "barred"
        rule = self.rule(letter)
        paths = [path for path in self._paths(rule, move.start) if path[-1] == move.end]
        if not paths:
            return "distance"
        if (row[move.end - 1] == EMPTY) != (rule.kind == "step"):
            return "target"
        return None if any(_passable(rule, row, path[:-1]) for path in paths) else "between"

    def _paths(self, rule: Rule, start: int) -> Iterator[list[int]]:
        """Yield the cells that a piece passes, the one it ends on last."""
        for side, sign in (("left", -1), ("right", 1)):
            if rule.side not in (side, "either"):
                continue
            path = [start + sign * i for i in range(1, rule.distance + 1)]
            if self.ring:
                yield [(cell - 1) % CELLS + 1 for cell in path]
            elif 1 <= path[-1] <= CELLS:
                yield path

    def legal(self, row: str, last: str | None = None) -> list[Move]:
        """Return all legal moves."""
        return [move for move in all_moves() if self.fault(row, move, last) is None]


def _passable(rule: Rule, row: str, between: list[int]) -> bool:
    pieces = any(row[cell - 1] != EMPTY for cell in between)
    return rule.between == "any" or pieces == (rule.between == "some")


def all_moves() -> Iterator[Move]:
    """Yield every pair of different cells."""
    for start in range(1, CELLS + 1):
        for end in range(1, CELLS + 1):
            if start != end:
                yield Move(start, end)


def moved(row: str, move: Move) -> str:
    """Return the row after a move: the two cells exchange what stands on them.

    >>> moved("A--B----", Move(1, 3))
    '--AB----'
    """
    cells = list(row)
    start, end = move.start - 1, move.end - 1
    cells[start], cells[end] = cells[end], cells[start]
    return "".join(cells)


def draw_game(rng: CounterRandom, letters: int) -> Game:
    """Draw the rules of a game with so many letters."""
    chosen = rng.sample(LETTERS, letters)
    return Game(
        rules=tuple(_draw_rule(rng, letter) for letter in chosen),
        ring=rng.below(2) == 1,
        barred=rng.between(1, CELLS) if rng.below(2) else None,
        alternate=rng.below(2) == 1,
    )


def _draw_rule(rng: CounterRandom, letter: str) -> Rule:
    side: Literal["left", "right", "either"] = rng.choice(("left", "right", "either"))
    if rng.below(4) == 0:
        return Rule(letter, "swap", side, 1, "any")
    distance = rng.between(1, FARTHEST)
    between: Literal["any", "none", "some"] = rng.choice(("any", "none", "some"))
    return Rule(letter, "step", side, distance, between if distance > 1 else "any")


def draw_row(rng: CounterRandom, game: Game, pieces: int) -> str:
    """Draw a row in which every letter stands at least once, none on the barred cell."""
    letters = [rule.letter for rule in game.rules]
    letters += [rng.choice(letters) for _ in range(pieces - len(letters))]
    free = [cell for cell in range(CELLS) if cell + 1 != game.barred]
    places = dict(zip(rng.sample(free, pieces), letters, strict=True))
    return "".join(places.get(cell, EMPTY) for cell in range(CELLS))


def play(rng: CounterRandom, game: Game, row: str, count: int) -> list[Move] | None:
    """Play `count` legal moves at random; None where the game comes to a stop before."""
    moves: list[Move] = []
    last: str | None = None
    for _ in range(count):
        legal = game.legal(row, last)
        if not legal:
            return None
        move = rng.choice(legal)
        moves.append(move)
        last, row = row[move.start - 1], moved(row, move)
    return moves


def after(row: str, moves: list[Move]) -> tuple[str, str | None]:
    """Return the row after some moves, and the letter that moved last."""
    last: str | None = None
    for move in moves:
        last, row = row[move.start - 1], moved(row, move)
    return row, last
