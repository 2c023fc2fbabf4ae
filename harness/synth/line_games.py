"""Items of the drawn line games.

Is a move legal, which is the first illegal one, what stands after some moves, and a legal move of
one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from harness.identity import CounterRandom
from harness.synth.apart import Apart, enough
from harness.synth.arguments import Arguments
from harness.synth.cells import Row
from harness.synth.line_game import (
    Game,
    Move,
    after,
    all_moves,
    draw_game,
    draw_row,
    play,
)
from harness.synth.line_game_words import rules_text

KINDS = 3
"""Letters of a game."""
PIECES = (4, 5)
"""Fewest and most pieces of a game."""
LONGEST = 4
"""Moves of a sequence."""
MOST_LEGAL = 6
"""A game that asks for a legal move has at most so many, of the 56 that can be written."""
ATTEMPTS = 50_000

Drawn = Row | None


def _start(rng: CounterRandom) -> tuple[Game, str]:
    game = draw_game(rng, KINDS)
    return game, draw_row(rng, game, rng.between(*PIECES))


def _faults(game: Game, row: str, last: str | None) -> dict[str, list[Move]]:
    """Return all moves by what is wrong with them, or "legal"."""
    faults: dict[str, list[Move]] = {}
    for move in all_moves():
        faults.setdefault(game.fault(row, move, last) or "legal", []).append(move)
    return faults


def _legality(rng: CounterRandom, cell: int) -> Drawn:
    """Draw a position and a move: legal in cell 1, illegal in cell 0, most reasons alike often."""
    game, row = _start(rng)
    faults = _faults(game, row, None)
    wanted = ["legal"] if cell else [name for name in faults if name not in ("legal", "empty")]
    if not faults.keys() & set(wanted):
        return None
    reason = rng.choice([name for name in wanted if name in faults])
    fields = _fields(game, row, [rng.choice(faults[reason])])
    return {**fields, "answer": ("illegal", "legal")[cell], "gold": 1 - cell, "reason": reason}


def _first_illegal(rng: CounterRandom, cell: int) -> Drawn:
    """Draw a sequence whose move number `cell` is the first illegal one; 0 for none."""
    game, row = _start(rng)
    moves = play(rng, game, row, LONGEST)
    if moves is None:
        return None
    reason = "legal"
    if cell:
        before, last = after(row, moves[: cell - 1])
        faults = _faults(game, before, last)
        reason = rng.choice([name for name in faults if name not in ("legal", "empty")])
        moves[cell - 1] = rng.choice(faults[reason])
    return {**_fields(game, row, moves), "answer": str(cell), "reason": reason}


def _position(rng: CounterRandom, cell: int) -> Drawn:
    """Draw `cell` legal moves; what stands after them is asked."""
    game, row = _start(rng)
    moves = play(rng, game, row, cell)
    if moves is None or after(row, moves)[0] == row:
        return None
    return {**_fields(game, row, moves), "answer": after(row, moves)[0], "wrong": row}


def _move(rng: CounterRandom, cell: int) -> Drawn:
    """Draw a position with few legal moves after one move of `cell` that has been made."""
    game, row = _start(rng)
    moves = play(rng, game, row, cell)
    if moves is None:
        return None
    now, last = after(row, moves)
    legal = game.legal(now, last)
    if not 1 <= len(legal) <= MOST_LEGAL:
        return None
    bad = [m for m in all_moves() if m not in legal and now[m.start - 1] != "-"]
    return {
        **_fields(game, row, moves),
        "accepted": [str(move) for move in legal],
        "wrong": str(rng.choice(bad)),
    }


QUESTIONS: Mapping[str, tuple[Callable[[CounterRandom, int], Drawn], tuple[int, ...], str]] = (
    MappingProxyType({
        "legality": (_legality, (0, 1), "legal"),
        "first_illegal": (_first_illegal, (0, 1, 2, 3, 4), "illegal"),
        "position": (_position, (1, 2, 3, 4), "plies"),
        "move": (_move, (0, 1, 2), "plies"),
    })
)  # fmt: skip
"""What is asked: how an item is drawn, its cells, and the field that names the cell."""


def _fields(game: Game, row: str, moves: list[Move]) -> Row:
    return {"game": game, "row": row, "moves": ", ".join(map(str, moves)) or "-"}


class LineGames:
    """Rows `rules, row, moves`, the cell, and `answer` or `accepted`; every row is another game.

    Arguments: `question` (legality, first_illegal, position, move), `language` (en, zh),
    `per_cell` (30). `legality` has cells for legal and illegal; `first_illegal` for each number of
    the first illegal move, 0 for none; `position` and `move` for the number of moves made before.
    No two rows share more than 0.8 of their words, and both languages get the same games.
    """

    version = 1

    def __call__(self, args: Mapping[str, object], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("question", "language", "per_cell"))
        question = given.name("question", list(QUESTIONS), "legality")
        language = given.name("language", ("en", "zh"), "en")
        per_cell = given.integer("per_cell", 1, 200, 30)
        draw, cells, name = QUESTIONS[question]
        apart = Apart()
        for cell in cells:
            rng = CounterRandom(seed, "line games", question, cell)
            found = (row for row in (draw(rng, cell) for _ in range(ATTEMPTS)) if row is not None)
            for row in enough(found, lambda row: apart.take(_text(row)), per_cell):
                yield {"rules": rules_text(row.pop("game"), language), **row, name: cell}


def _text(row: Row) -> str:
    """Return what rows are told apart by, in English, so that both languages get the same games."""
    return f"{rules_text(row['game'], 'en')} {row['row']} {row['moves']}"
