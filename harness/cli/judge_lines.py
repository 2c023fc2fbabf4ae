"""What a reader must know of a run's judges before believing their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from harness.cli.printable import printable
from harness.cli.tables import number

if TYPE_CHECKING:
    from harness.arena import ArenaResult

SHOWN = 8
"""Scores with missing verdicts that are listed for each judge."""
REASONS = 3
"""Reasons why verdicts are missing, the most frequent first."""

REPLY = 600
"""Characters of a judge's line on one sample."""

Judges = Mapping[str, Mapping[str, Any]]
"""`judges` of run.json."""


def doubtful(judges: Judges) -> set[tuple[str, str, str, str]]:
    """Return which scores are unreliable: task, arm, variant, metric."""
    return {
        (score["task"], score["arm"], score["variant"], score["metric"])
        for judge in judges.values()
        for score in judge.get("scores", ())
        if score["unreliable"]
    }


def judge_lines(judges: Judges) -> Iterator[str]:
    """Yield what each judge did and spent, and which of its scores not to trust."""
    for name, judge in judges.items():
        yield _judge(name, judge)
        for reason, count in list(judge.get("missing_reasons", {}).items())[:REASONS]:
            yield printable(f"  missing for: {reason} ({count:,})", 200)
        holed = [score for score in judge.get("scores", ()) if score["missing"]]
        yield from (_score(score) for score in holed[:SHOWN])
        if len(holed) > SHOWN:
            yield f"  and {len(holed) - SHOWN} more with missing verdicts: run.json has them"


def _judge(name: str, judge: Mapping[str, Any]) -> str:
    models = ", ".join(dict.fromkeys(model["name"] for model in judge["models"].values()))
    parts = [f"{judge['judged']:,} verdicts, {judge['missing']:,} missing"]
    if judge["unreliable"]:
        parts[0] += f" ({judge['missing_share']:.0%}: the judged scores are unreliable)"
    parts.append(_spent(judge["usage"]))
    if judge.get("effective_judges") is not None:
        parts.append(f"worth {judge['effective_judges']:.1f} of {len(judge['models'])} judges")
    if judge.get("without_schema"):
        parts.append(f"{judge['without_schema']:,} answers without a schema, which the server "
                     "does not take")  # fmt: skip
    if judge["judges_itself"]:
        parts.append("the model judges itself")
    return printable(f"judge {name} ({models}): {'; '.join(parts)}", 400)


def _spent(usage: Mapping[str, Any]) -> str:
    tokens = usage["prompt_tokens"] + usage["completion_tokens"]
    cost = "cost unknown" if usage["cost_usd"] is None else f"${usage['cost_usd']:.4f}"
    told = f"{usage['requests']:,} requests, {tokens:,} tokens, {cost}"
    if usage["cached"]:
        told += f", {usage['cached']:,} replayed"
    failed = ", ".join(f"{count} × {kind}" for kind, count in usage["failures"].items())
    return f"{told}, failed: {failed}" if failed else told


def verdict_lines(verdicts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield who said what of one sample, and in which words."""
    for one in verdicts:
        part = f" {one['order']}" if one["order"] else ""
        said = one["verdict"] or f"no verdict: {one['reason']}"
        score = "" if one["score"] is None else f" → {number(one['score'])}"
        mass = "" if one["valid_mass"] is None else f"; valid mass {one['valid_mass']:.0%}"
        reply = f"  {one['reply']}" if one["reply"] else ""
        yield printable(f"{one['judge']} ({one['model']}){part}: {said}{score}{mass}{reply}", REPLY)


def arena_lines(result: ArenaResult, judge: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ranks of an arena, and what to think of them."""
    models = ", ".join(dict.fromkeys(model["name"] for model in judge["models"].values()))
    share, low, high = result.consistency
    told = f"{result.games:,} games on {result.samples:,} samples"
    if result.equal:
        told += f", {result.equal:,} of them ties of equal answers"
    yield f"{told}; judge {result.judge} ({models}): {_spent(judge['usage'])}"
    if share is not None and low is not None and high is not None:
        yield (f"same winner in both orders: {share:.0%} [{low:.0%}, {high:.0%}] of the games "
               f"judged; {result.tied:,} are ties")  # fmt: skip
    width = max(len("model"), *(len(row.model) for row in result.ranks))
    yield f" rank  {'model':{width}}  strength       interval    wins  at equal length and markup"
    held = {row.run: row for row in result.controlled}
    for row in result.ranks:
        ends = {row.rank_low, row.rank_high}
        span = f"{row.low:+.2f} … {row.high:+.2f}"
        yield (f"{'–'.join(map(str, sorted(ends))):>5}  {row.model:{width}}  {row.strength:+8.2f}"
               f"  {span:>13}  {row.win_rate:6.1%}  {held[row.run].strength:+.2f}")  # fmt: skip
    if result.separated:
        yield ("note: some won everything against others, or all games are ties: how far they are "
               "apart has no upper end; half a win and half a loss more for each pair hold it "
               "finite")  # fmt: skip
    if not result.connected:
        yield "note: no chain of games joins all of them: strengths cannot be compared"
    for run in judge["judges_itself"]:
        yield f"note: the judge judges its own answers: {run}"
    if result.missing:
        doubt = ": the ranks are unreliable" if result.unreliable else ""
        yield f"note: {result.missing:,} games without a verdict{doubt}"
        for reason, count in list(result.missing_reasons.items())[:REASONS]:
            yield f"  missing for: {reason} ({count:,})"
    yield result.directory


def _score(score: Mapping[str, Any]) -> str:
    place = [score["task"]]
    place += [score[key] for key, usual in (("arm", "default"), ("variant", "original"))
              if score[key] != usual]  # fmt: skip
    mark = "?" if score["unreliable"] else " "
    told = (
        f"  {mark} {' · '.join(place)} {score['metric']}: "
        f"{score['missing']:,} of {score['asked']:,} verdicts missing "
        f"({score['missing_share']:.1%}), coverage {score['coverage']:.1%}"
    )
    if score["bound_low"] is not None:
        told += (
            f"; with them it is somewhere in {number(score['bound_low'])} … "
            f"{number(score['bound_high'])}"
        )
    return printable(told + ("; unreliable" if score["unreliable"] else ""), 400)
