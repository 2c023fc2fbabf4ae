"""Pairwise judgements: an arena's table, or a CSV of games from elsewhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.board.records import Entry, Game, Player
from harness.board.source import Contents
from harness.errors import InvalidFile, suggestion

TABLE = "pairs.parquet"
HEADS = ("model_a", "model_b", "winner")
MORE = ("sample", "judge")
"""Heads that may be left out: games of one sample are not independent of each other."""
WINNERS = {
    "model_a": 1.0, "a": 1.0, "model_b": 0.0, "b": 0.0, "tie": 0.5, "tie (bothbad)": 0.5,
    "both_bad": 0.5,
}  # fmt: skip
_PLACE = ("task", "sample_id", "arm", "variant", "epoch")
_COLUMNS = (*_PLACE, "run_a", "run_b", "model_a", "model_b", "order", "verdict", "score", "judge",
            "judge_model")  # fmt: skip
_WON = {("ab", "A"): 1.0, ("ab", "B"): 0.0, ("ba", "A"): 0.0, ("ba", "B"): 1.0}
_EQUAL = "none"
"""Order of a game whose answers were equal: a tie that no judge was asked about."""


@dataclass(frozen=True)
class GamesCsv:
    """A CSV with a game a line: model_a, model_b, winner; sample and judge where known."""

    def fits(self, path: Path) -> bool:
        """Say whether the first line has a game's heads."""
        if path.suffix != ".csv" or not path.is_file():
            return False
        with path.open("rb") as handle:
            first = handle.readline(100_000).decode("utf-8", "replace")
        return {"model_a", "model_b"} <= {head.strip() for head in first.split(",")}

    def read(self, path: Path) -> Contents:
        """Read the games; raises InvalidFile with the line."""
        try:
            text = path.read_text(encoding="utf-8").removeprefix("\ufeff")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidFile(f"cannot be read: {error}", path=path) from error
        games = tuple(_csv_games(text, path))
        models = dict.fromkeys(side.model for game in games for side in (game.first, game.second))
        rows = (Entry(path.name, model, (), evidence="self-reported") for model in models)
        return Contents(tuple(rows), games)


def _csv_games(text: str, path: Path) -> Iterator[Game]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = [head.strip() for head in reader.fieldnames or ()]
        reader.fieldnames = heads
        _check_heads(heads, path)
        for row in reader:
            if None in row:
                raise InvalidFile("more fields than heads", path=path, line=reader.line_num)
            yield _csv_game(row, path, reader.line_num)
    except csv.Error as error:
        raise InvalidFile(f"not CSV: {error}", path=path, line=reader.line_num) from error


def _check_heads(heads: Sequence[str], path: Path) -> None:
    lacking = next((head for head in HEADS if head not in heads), None)
    if lacking is not None:
        problem = f"no column '{lacking}'{suggestion(lacking, heads)}"
        raise InvalidFile(problem, path=path, line=1, allowed=", ".join((*HEADS, *MORE)))
    twice = next((head for head in heads if heads.count(head) > 1), None)
    if twice is not None:
        raise InvalidFile("a head stands twice", path=path, line=1, key=twice)


def _csv_game(row: Mapping[str, str | None], path: Path, line: int) -> Game:
    fields = {name: (row.get(name) or "").strip() for name in (*HEADS, *MORE)}
    for name in HEADS[:2]:
        if not fields[name]:
            raise InvalidFile("no model", path=path, line=line, key=name)
    outcome = WINNERS.get(fields["winner"].lower())
    if outcome is None:
        allowed, got = "model_a, model_b, tie", fields["winner"][:40] or "nothing"
        raise InvalidFile("no winner", path=path, line=line, key="winner", allowed=allowed, got=got)
    return Game(
        Player(fields["model_a"]),
        Player(fields["model_b"]),
        outcome,
        # a game without a sample is a cluster of its own
        sample=fields["sample"] or f"{path.name}:{line}",
        judge=fields["judge"],
    )


@dataclass(frozen=True)
class ArenaTable:
    """A folder that `harness judge arena` wrote."""

    def fits(self, path: Path) -> bool:
        """Say whether the folder holds a table of games."""
        return (path / TABLE).is_file()

    def read(self, path: Path) -> Contents:
        """Read the games that were judged; raises InvalidFile where the table is no such."""
        rows = _rows(path / TABLE)
        orders: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
        for row in rows:
            key = tuple(row[name] for name in (*_PLACE, "run_a", "run_b"))
            seen = orders.setdefault(key, {})
            if row["order"] in seen:
                raise InvalidFile(f"game {key} stands twice", path=path / TABLE)
            seen[row["order"]] = row
        games = (_arena_game(seen, path / TABLE) for seen in orders.values())
        return Contents(games=tuple(game for game in games if game is not None))


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415 - only where there are games
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        rows: list[dict[str, Any]] = pq.read_table(path, columns=list(_COLUMNS)).to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidFile(f"not a table of games: {error}", path=path) from error
    return rows


def _arena_game(orders: Mapping[str, Mapping[str, Any]], path: Path) -> Game | None:
    """Return a game from its two orders; None where either has no verdict.

    A winner wins in both orders, and disagreement is a tie (`harness.judge.modes`).
    """
    row = next(iter(orders.values()))
    if set(orders) not in ({"ab", "ba"}, {_EQUAL}):
        raise InvalidFile("a game has no two orders", path=path, got=", ".join(sorted(orders)))
    shares = []
    for order, each in orders.items():
        share = 0.5 if each["verdict"] == "tie" else _WON.get((order, each["verdict"]))
        if each["verdict"] is not None and (share is None or share != each["score"]):
            got = f"{each['verdict']} in order {order}, score {each['score']}"
            raise InvalidFile("a verdict and its score disagree", path=path, got=got)
        shares.append(share)
    if None in shares:
        return None
    judge = f"{row['judge']} ({row['judge_model']})" if row["judge_model"] else ""
    return Game(
        Player(row["model_a"], row["run_a"]),
        Player(row["model_b"], row["run_b"]),
        shares[0] if len(set(shares)) == 1 and shares[0] is not None else 0.5,
        sample=" ".join(str(row[name]) for name in _PLACE),
        judge=judge,
    )


GAMES, ARENA = GamesCsv(), ArenaTable()
