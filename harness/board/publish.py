"""board.json, board.csv and board.md: the board for programs, spreadsheets and README files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

from harness.board.records import Arena, Board, Column, Place, Row, View
from harness.records import to_json

CSV_COLUMNS = (
    "group", "measure", "model", "task", "metric", "arm", "variant", "value", "low", "high",
    "confidence", "n", "errors", "unparsed", "unjudged", "method", "higher_is_better",
    "best_or_tied", "differs", "reason", "run", "rank_best", "rank_worst", "mean_win_rate", "mean",
    "borda", "steady_best", "steady_worst", "tasks", "of_tasks", "evidence", "bradley_terry",
    "bradley_terry_low", "bradley_terry_high", "games",
)  # fmt: skip


def board_json(board: Board) -> bytes:
    """Return the whole board as JSON."""
    return to_json(board) + b"\n"


def board_csv(board: Board) -> str:
    """Return one line for each number of the board; text cells cannot start a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    evidence = {facts.model: facts.evidence for facts in board.models}
    for view in board.views:
        for row in view.rows:
            behind = evidence[row.model]
            for column, place in zip(view.columns, row.cells, strict=True):
                fields = (*_fields(view, row, column, place), behind, *_strength(row))
                writer.writerow(map(_plain, fields))
            if not row.cells:  # judged in pairs, and nothing else
                blank = _fields(view, row, Column("", "", "", "", None), Place())
                writer.writerow(map(_plain, (*blank, behind, *_strength(row))))
    return out.getvalue()


def _strength(row: Row) -> tuple[object, ...]:
    found = row.strength
    return (None,) * 4 if found is None else (found.value, found.low, found.high, found.games)


def _fields(view: View, row: Row, column: Column, place: Place) -> tuple[object, ...]:
    return (
        view.group, view.measure, row.model, column.task, column.metric, column.arm,
        column.variant, place.value, place.low, place.high, place.confidence, place.n,
        place.errors, place.unparsed, place.unjudged, place.method, column.higher_is_better,
        place.best, place.differs, place.reason, place.run, row.rank_best, row.rank_worst,
        row.mean_win_rate, row.mean, row.borda, row.steady_best, row.steady_worst, row.tasks,
        len(view.columns),
    )  # fmt: skip


def _plain(value: object) -> object:
    """Keep a spreadsheet from running text: a leading = + - @ gets an apostrophe."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def board_markdown(board: Board) -> str:
    """Return the first view of each group as a Markdown table."""
    parts = [f"# {_escape(board.name)}\n"]
    seen: set[str] = set()
    for view in board.views:
        if view.group not in seen:
            seen.add(view.group)
            parts.append(_table(view, {facts.model: facts.evidence for facts in board.models}))
    if board.arena is not None:
        parts.append(f"{arena_sentence(board.arena)}\n")
    if board.left_out:
        parts.append("Left out:\n")
        parts += [f"- {_escape(item['run'])}: {_escape(item['reason'])}" for item in board.left_out]
    return "\n".join(parts).rstrip() + "\n"


def arena_sentence(arena: Arena) -> str:
    """Say what the Bradley-Terry strengths rest on, or why there are none."""
    judges = f"; judges: {', '.join(_escape(judge) for judge in arena.judges)}"
    said = (
        f"Bradley-Terry: {arena.games:,} games of {arena.players} models over {arena.samples:,} "
        f"samples{judges if arena.judges else ''}."
    )
    if not arena.connected:
        said += " No chain of games joins all of these models, so that none has a strength."
    if arena.unknown:
        said += f" {arena.unknown:,} games of models that are not on the board are left out."
    return said


def _table(view: View, evidence: Mapping[str, str]) -> str:
    arrows = {True: " ▲", False: " ▼", None: ""}
    heads = ["model", "rank", "mean win rate", "mean", "Borda"]
    judged = any(row.strength for row in view.rows)
    heads += ["Bradley-Terry"] * judged + ["coverage"]
    heads += [_escape(c.task) + arrows[c.higher_is_better] for c in view.columns]
    heads.append("errors")
    lines = [
        f"## {view.group.capitalize()} ({_escape(view.measure)})\n",
        f"| {' | '.join(heads)} |",
        "|" + "---|" * len(heads),
    ]
    lines += [_line(row, evidence[row.model], judged=judged) for row in view.rows]
    few = any(row.rank_best is None and row.mean_win_rate is not None for row in view.rows)
    lines.append(
        "\nBold: the best and what cannot be told from it. Brackets: 95 % intervals."
        " Rank: the ranks that the intervals allow"
        f"{', for models with half of the compared tasks' * few}.\n"
    )
    lines += _stability(view)
    return "\n".join(lines)


def _stability(view: View) -> list[str]:
    """Say how the ranking stands without each of its tasks."""
    if not view.without:
        return []
    now = view.rows[0].model
    ranked = sum(row.rank_best is not None for row in view.rows)
    parts = [
        f"- without {_escape(one.task)}: {one.moved} of {ranked} places change"
        + (f", {_escape(one.leader)} leads" if one.leader != now else "")
        for one in view.without
        if one.moved
    ]
    return [*(parts or ["No place changes without any one task."]), ""]


def _line(row: Row, evidence: str, *, judged: bool) -> str:
    rank = rank_text(row.rank_best, row.rank_worst)
    rate = _with_interval(row.mean_win_rate, row.mean_win_rate_low, row.mean_win_rate_high)
    mean = _with_interval(row.mean, row.mean_low, row.mean_high)
    name = _escape(row.model) + (f" ({evidence})" if evidence else "")
    points = "-" if row.borda is None else f"{row.borda:g}"
    coverage = f"{row.tasks}/{len(row.cells)}"
    found = row.strength
    strength = _with_interval(found.value, found.low, found.high) if found else "-"
    parts = [name, rank, rate, mean, points, *([strength] * judged), coverage]
    parts += [*map(_cell, row.cells), str(row.errors)]
    return f"| {' | '.join(parts)} |"


def rank_text(best: int | None, worst: int | None) -> str:
    """Write a set of ranks.

    >>> rank_text(1, 1), rank_text(2, 3), rank_text(None, None)
    ('1', '2-3', '-')
    """
    if best is None or worst is None:
        return "-"
    return str(best) if best == worst else f"{best}-{worst}"


def _cell(place: Place) -> str:
    if place.value is None:
        return _escape(place.reason or "-")
    text = _with_interval(place.value, place.low, place.high)
    return f"**{text}**" if place.best else text


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    if low is None or high is None:
        return f"{value:.2f}"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _escape(text: str) -> str:
    """Keep text from breaking out of its Markdown cell."""
    flat = " ".join(text.split())
    return "".join("\\" + char if char in "\\|*_`[]<>#" else char for char in flat)
