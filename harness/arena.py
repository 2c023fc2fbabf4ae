"""An arena: answers of several runs to the same samples, compared pair by pair, and ranked.

Beside `judging.py` a composition. Every pair of runs meets on every shared sample, in both
orders; the two orders and all pairs of one sample are one cluster.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from harness.errors import UsageError
from harness.identity import content_key, permutation
from harness.judge.item import Item
from harness.judge.metric import UNRELIABLE
from harness.judge.modes import Judged
from harness.judge.style import NAMES, Style, style, style_difference
from harness.judging import AT_ONCE, Assigned, Crew
from harness.stats.agreement import swap_agreement
from harness.stats.bradley_terry import Games, Strengths, fit
from harness.stats.ranking import rank_sets
from harness.store.manifest import RUN, open_directory, read_json
from harness.store.reading import read_rows

PAIRS, RANKS = "pairs.parquet", "ranks.json"
REASONS, REASON = 5, 200
"""Reasons for missing verdicts that are kept, and characters of one."""
_PLACE = ("task", "sample_id", "arm", "variant", "epoch")


@dataclass(frozen=True, slots=True)
class Entrant:
    """One run's answers by sample."""

    run: str
    model: str
    answers: Mapping[tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Game:
    """Two entrants on one sample."""

    key: tuple[Any, ...]
    first: int
    second: int
    item: Item


class Rank(msgspec.Struct, frozen=True):
    """Where one model stands."""

    model: str
    run: str
    strength: float
    low: float
    high: float
    rank_low: int
    rank_high: int
    """The ranks that its interval leaves open."""
    win_rate: float
    """Mean share of wins over all its games, ties half."""


class ArenaResult(msgspec.Struct, frozen=True):
    """What an arena found."""

    judge: str
    games: int
    missing: int
    unreliable: bool
    ties: float
    """ν of Davidson's model."""
    connected: bool
    ranks: tuple[Rank, ...]
    controlled: tuple[Rank, ...]
    """With length and markup held equal."""
    style: dict[str, tuple[float, float]]
    """Coefficient and standard error of each covariate, standardised."""
    directory: str = ""
    separated: bool = False
    """Whether some won everything against others: how far they are ahead has no upper end."""
    samples: int = 0
    equal: int = 0
    """Games of equal answers: ties, and the judge was not asked."""
    tied: int = 0
    """Games that the judge tied, or called differently in the two orders."""
    consistency: tuple[float | None, float | None, float | None] = (None, None, None)
    """Share of judged games with the same winner in both orders, and its Wilson interval."""
    missing_reasons: dict[str, int] = {}


def entrant(run: Path) -> Entrant:
    """Return a finished run as an entrant: its answered samples in their original form."""
    record = read_json(run / RUN)
    columns = [*_PLACE, "status", "input", "target", "output", "answer"]
    answers = {
        tuple(row[name] for name in _PLACE): row
        for row in read_rows(run, columns)
        if row["status"] != "error" and row["variant"] == "original"
    }
    return Entrant(run.name, record["model"]["name"], answers)


def games(entrants: Sequence[Entrant], limit: int | None = None, seed: int = 0) -> list[Game]:
    """Return every pair of entrants on every shared sample (a seeded `limit` of them)."""
    if len(entrants) < 2:  # noqa: PLR2004 - it takes two
        raise UsageError("an arena needs two runs or more")
    shared = set.intersection(*(set(one.answers) for one in entrants))
    if not shared:
        raise UsageError("the runs share no sample: run them on the same tasks")
    keys = sorted(shared, key=str)
    order = permutation(seed, [str(key) for key in keys])
    found = []
    for position in order[:limit]:
        key = keys[position]
        for i, j in combinations(range(len(entrants)), 2):
            found.append(Game(key, i, j, _item(key, entrants[i], entrants[j])))
    return found


def _item(key: tuple[Any, ...], first: Entrant, second: Entrant) -> Item:
    one, two = first.answers[key], second.answers[key]
    return Item(
        question=one["input"],
        answer=_said(one),
        other=_said(two),
        reference=tuple(one["target"] or ()),
        key=content_key([key, first.run, second.run]),
    )


def _said(row: Mapping[str, Any]) -> str:
    return str(row["answer"] if row["answer"] is not None else row["output"] or "")


async def play(
    assigned: Assigned,
    crew: Crew,
    played: Sequence[Game],
    progress: Callable[[int, int], None] | None = None,
) -> list[Judged]:
    """Have every game judged, in both orders; equal answers are a tie without asking."""
    room = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(game: Game) -> Judged:
        nonlocal done
        async with room:
            if game.item.answer.strip() == (game.item.other or "").strip():
                found = Judged("tie", 0.5)
            else:
                found = await crew.judge(assigned, game.item)
        done += 1
        if progress:
            progress(done, len(played))
        return found

    return list(await asyncio.gather(*(one(game) for game in played)))


def rank(
    entrants: Sequence[Entrant], played: Sequence[Game], found: Sequence[Judged], judge: str
) -> ArenaResult:
    """Return strengths with intervals, plain and with style held equal."""
    kept = [(game, one) for game, one in zip(played, found, strict=True) if one.value is not None]
    missing = len(played) - len(kept)
    reasons = Counter(str(one.reason)[:REASON] for one in found if one.value is None)
    if not kept:
        ((reason, count),) = reasons.most_common(1)
        raise UsageError(
            f"{judge} gave no verdict on any of {len(played)} games; most often ({count}): {reason}"
        )
    outcome = [one.value or 0.0 for _, one in kept]
    first, second = [game.first for game, _ in kept], [game.second for game, _ in kept]
    samples = [content_key([game.key]) for game, _ in kept]
    z = np.array(
        [style_difference(style(g.item.answer), style(g.item.other or "")) for g, _ in kept]
    )
    spread = z.std(axis=0)
    z = z[:, spread > 0] / spread[spread > 0]
    names = [name for name, wide in zip(NAMES, spread > 0, strict=True) if wide]
    plain = fit(Games(first, second, outcome, clusters=samples), len(entrants))
    held = plain
    if names:
        held = fit(Games(first, second, outcome, clusters=samples, covariates=z), len(entrants))
    wins = _win_rates(len(entrants), first, second, outcome)
    return ArenaResult(
        judge=judge,
        games=len(kept),
        missing=missing,
        unreliable=missing / len(played) > UNRELIABLE,
        ties=plain.tie,
        connected=plain.connected,
        ranks=_ranks(entrants, plain, wins),
        controlled=_ranks(entrants, held, wins),
        style={
            name: (float(held.gamma[k]), float(held.gamma_stderr[k]))
            for k, name in enumerate(names)
        },
        separated=plain.separated,
        samples=len(set(samples)),
        equal=sum(not one.verdicts for _, one in kept),
        tied=sum(one.value == 0.5 for _, one in kept if one.verdicts),  # noqa: PLR2004 - a tie
        consistency=_consistency([one for _, one in kept]),
        missing_reasons=dict(reasons.most_common(REASONS)),
    )


def _consistency(found: Sequence[Judged]) -> tuple[float | None, float | None, float | None]:
    """Return how often both orders have one winner; of the games that were put to the judge."""
    pairs = [[verdict.score or 0.0 for verdict in one.verdicts] for one in found if one.verdicts]
    if not pairs:
        return (None, None, None)
    swap = swap_agreement([pair[0] for pair in pairs], [pair[-1] for pair in pairs])
    share = swap.consistency
    return (share.value, share.low, share.high)


def judge_record(assigned: Assigned, crew: Crew, entrants: Sequence[Entrant]) -> dict[str, Any]:
    """Return what run.json says of the judge: who it is, what it spent, whom it knows."""
    models = {model.label for _, _, model in assigned.seats}
    return {
        "hash": assigned.hash,
        "models": {
            seat: msgspec.to_builtins(crew.executor(model, assigned.judge.name)[0].info)
            for seat, _, model in assigned.seats
        },
        "usage": msgspec.to_builtins(crew.spent(assigned.judge.name)),
        "judges_itself": [one.run for one in entrants if one.model in models],
    }


def _win_rates(
    players: int, first: Sequence[int], second: Sequence[int], outcome: Sequence[float]
) -> list[float]:
    won, met = np.zeros(players), np.zeros(players)
    for i, j, share in zip(first, second, outcome, strict=True):
        won[i] += share
        won[j] += 1 - share
        met[[i, j]] += 1
    return [float(a / b) if b else 0.5 for a, b in zip(won, met, strict=True)]


def _ranks(
    entrants: Sequence[Entrant], found: Strengths, wins: Sequence[float]
) -> tuple[Rank, ...]:
    low, high = found.intervals()
    best, worst = rank_sets(low, high)
    rows = [
        Rank(
            model=one.model,
            run=one.run,
            strength=float(found.theta[k]),
            low=float(low[k]),
            high=float(high[k]),
            rank_low=int(best[k]),
            rank_high=int(worst[k]),
            win_rate=wins[k],
        )
        for k, one in enumerate(entrants)
    ]
    return tuple(sorted(rows, key=lambda row: -row.strength))


def keep(
    root: Path,
    entrants: Sequence[Entrant],
    played: Sequence[Game],
    found: Sequence[Judged],
    result: ArenaResult,
    record: Mapping[str, Any],
) -> ArenaResult:
    """Write the arena's own directory under `<root>/arena`: pairs.parquet, ranks.json, run.json.

    `record` is what run.json says besides: the judge, versions and times.
    """
    spec = {"arena": [one.run for one in entrants], "judge": result.judge}
    with open_directory(root / "arena", "arena", spec, fresh=True) as directory:
        _write_pairs(directory.path / PAIRS, entrants, played, found)
        result = msgspec.structs.replace(result, directory=str(directory.path))
        directory.write(RANKS, result)
        directory.write(RUN, {"name": directory.path.name, "status": "complete", **spec, **record})
    return result


def _write_pairs(
    path: Path, entrants: Sequence[Entrant], played: Sequence[Game], found: Sequence[Judged]
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only where a table is written
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = []
    for game, judged in zip(played, found, strict=True):
        a, b = entrants[game.first], entrants[game.second]
        styles = {"a": style(game.item.answer), "b": style(game.item.other or "")}
        base = {
            **dict(zip(_PLACE, game.key, strict=True)),
            "run_a": a.run, "run_b": b.run, "model_a": a.model, "model_b": b.model,
            **_counts(styles),
        }  # fmt: skip
        orders = [
            (v.order, v.verdict, v.score, v.judge, v.model, v.reason) for v in judged.verdicts
        ]
        for values in orders or [("none", "tie", 0.5, "equal answers", "", None)]:
            names = ("order", "verdict", "score", "judge", "judge_model", "reason")
            rows.append({**base, **dict(zip(names, values, strict=True))})
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")


def _counts(styles: Mapping[str, Style]) -> dict[str, int]:
    return {
        f"{name}_{side}": value
        for side, counts in styles.items()
        for name, value in zip(NAMES, counts, strict=True)
    }
