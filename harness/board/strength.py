"""Bradley-Terry strengths of a board's models, where pairwise judgements are at hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from harness.board.records import Arena, Game, Player, Strength, View
from harness.stats.bradley_terry import Games, fit
from harness.stats.ranking import rank_sets

MIN_PLAYERS = 2
MIN_SAMPLES = 10
"""Fewer clusters tell too little of their spread for a sandwich interval."""


def strengths(
    games: Iterable[Game], models: Sequence[str], rows_of_runs: Mapping[str, str]
) -> tuple[dict[str, Strength], Arena | None]:
    """Return each model's strength, and what was played; both empty without games.

    `rows_of_runs` leads from a run to the row that it stands in. Strengths are natural logarithms
    that sum to 0; intervals are sandwich ones, clustered by sample (`stats.bradley_terry`). Where
    no chain of games joins all players nobody gets a strength, since none could be compared.
    """
    played, unknown = _known(games, set(models), rows_of_runs)
    if not played and not unknown:
        return {}, None
    players = sorted({name for game in played for name in (game.first.model, game.second.model)})
    samples = {game.sample for game in played}
    told = Arena(
        games=len(played),
        samples=len(samples),
        players=len(players),
        judges=tuple(sorted({game.judge for game in played if game.judge})),
        unknown=unknown,
    )
    if len(players) < MIN_PLAYERS:
        return {}, told
    place = {name: number for number, name in enumerate(players)}
    found = fit(
        Games(
            [place[game.first.model] for game in played],
            [place[game.second.model] for game in played],
            [game.outcome for game in played],
            clusters=[game.sample for game in played],
        ),
        len(players),
    )
    if not found.connected:
        return {}, told
    ends: Sequence[tuple[float | None, float | None]] = [(None, None)] * len(players)
    ranks = [(1, len(players))] * len(players)
    if len(samples) >= MIN_SAMPLES:
        low, high = found.intervals()
        ends = [*zip(map(float, low), map(float, high), strict=True)]
        ranks = [(int(best), int(worst)) for best, worst in zip(*rank_sets(low, high), strict=True)]
    met = Counter(name for game in played for name in (game.first.model, game.second.model))
    table = {
        name: Strength(float(found.theta[k]), *ends[k], *ranks[k], met[name])
        for name, k in place.items()
    }
    return table, replace(told, connected=True, ties=float(found.tie))


def with_strengths(view: View, rated: Mapping[str, Strength]) -> View:
    """Return the view with strengths in its rows; those without a win rate are ordered by them."""
    rows = [replace(row, strength=rated.get(row.model)) for row in view.rows]
    ranked = [row for row in rows if row.mean_win_rate is not None]
    others = [row for row in rows if row.mean_win_rate is None]
    others.sort(key=lambda row: -row.strength.value if row.strength else math.inf)
    return replace(view, rows=(*ranked, *others))


def _known(
    games: Iterable[Game], models: set[str], rows_of_runs: Mapping[str, str]
) -> tuple[list[Game], int]:
    """Return the games of two different rows of the board, and how many were none.

    Of two runs' answers to one sample that one judge compared in several arenas, the last stands.
    """
    kept: dict[object, Game] = {}
    unknown = 0
    for number, game in enumerate(games):
        first, second = (_row(side, models, rows_of_runs) for side in (game.first, game.second))
        if first is None or second is None or first == second:
            unknown += 1
            continue
        answers = game.first.run and game.second.run
        key = (game.judge, game.sample, game.first, game.second) if answers else number
        kept[key] = Game(Player(first), Player(second), game.outcome, game.sample, game.judge)
    return list(kept.values()), unknown


def _row(player: Player, models: set[str], rows_of_runs: Mapping[str, str]) -> str | None:
    row = rows_of_runs.get(player.run, player.model)
    return row if row in models else None
