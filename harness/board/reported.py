"""Self-reported rows: a plain CSV of scores, models down and tasks across, or one score a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.board.records import Entry
from harness.board.source import Contents
from harness.errors import InvalidFile, suggestion
from harness.records import Cell

MODEL = "model"
LONG = ("model", "task", "metric", "value", "n", "low", "high")
"""Columns of a file with one score a line; `metric`, `n`, `low` and `high` may be left out."""
METRIC = "score"
MOST_COLUMNS = 2000
OURS = "board.csv"
"""Written by `harness board`; not a row of it."""


@dataclass(frozen=True)
class ScoresCsv:
    """A CSV of scores; see `read_reported`."""

    def fits(self, path: Path) -> bool:
        """Say whether this is a CSV file, and none that a board wrote."""
        return path.suffix == ".csv" and path.name != OURS and path.is_file()

    def read(self, path: Path) -> Contents:
        """Read the rows; raises InvalidFile with the line."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidFile(f"cannot be read: {error}", path=path) from error
        return Contents(read_reported(text, path))


SCORES = ScoresCsv()


def read_reported(text: str, path: Path) -> tuple[Entry, ...]:
    """Return one entry for each model of a CSV; raises InvalidFile with line and column.

    Scores are shares from 0 to 1, higher is better; an empty field is a task not run.
    """
    # a quoted field may hold line breaks; strict makes an unclosed quote an error
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    cells: dict[str, dict[tuple[str, str], Cell]] = {}
    try:
        heads = _heads(list(reader.fieldnames or ()), path)
        for row in reader:
            if None in row:
                raise InvalidFile("more fields than heads", path=path, line=reader.line_num)
            model = (row[MODEL] or "").strip()
            if not model:
                raise InvalidFile("no model", path=path, line=reader.line_num, key=MODEL)
            own = cells.setdefault(model, {})
            for cell in _cells(row, heads, path, reader.line_num):
                if (cell.task, cell.metric) in own:
                    problem = f"{model}: a second score of this task"
                    raise InvalidFile(problem, path=path, line=reader.line_num, key=cell.task)
                own[cell.task, cell.metric] = cell
    except csv.Error as error:
        raise InvalidFile(f"not CSV: {error}", path=path, line=reader.line_num) from error
    if not cells:
        raise InvalidFile("no row", path=path, allowed="a head and a line for each model")
    return tuple(
        Entry(run=path.name, model=model, cells=tuple(own.values()), evidence="self-reported")
        for model, own in cells.items()
    )


def _heads(heads: list[str], path: Path) -> list[str]:
    """Return the heads, checked."""
    if MODEL not in heads:
        hint = suggestion(MODEL, heads)
        got = ", ".join(heads[:8]) or "nothing"
        problem = f"no column '{MODEL}'{hint}"
        raise InvalidFile(problem, path=path, line=1, allowed="model, then one per task", got=got)
    twice = next((head for head in heads if heads.count(head) > 1 or not head.strip()), None)
    if twice is not None:
        raise InvalidFile("a head stands twice or is empty", path=path, line=1, key=twice)
    if len(heads) > MOST_COLUMNS:
        raise InvalidFile(f"more than {MOST_COLUMNS} columns", path=path, line=1)
    return heads


def _cells(
    row: Mapping[str, str | None], heads: list[str], path: Path, line: int
) -> Iterator[Cell]:
    if "task" in heads and "value" in heads:
        numbers = {name: _share(row, name, path, line) for name in ("value", "low", "high")}
        task = (row["task"] or "").strip()
        if not task:
            raise InvalidFile("no task", path=path, line=line, key="task")
        if numbers["value"] is not None:
            metric = (row.get("metric") or "").strip() or METRIC
            yield _cell(task, metric, _count(row, path, line), numbers)
        return
    for task in heads:
        value = _share(row, task, path, line) if task != MODEL else None
        if value is not None:
            yield _cell(task, METRIC, 0, {"value": value})


def _share(row: Mapping[str, str | None], key: str, path: Path, line: int) -> float | None:
    text = (row.get(key) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        hint = " (percent? divide by 100)" if 1 < value <= 100 else ""  # noqa: PLR2004
        allowed = f"a share from 0 to 1{hint}"
        raise InvalidFile("no score", path=path, line=line, key=key, allowed=allowed, got=text[:40])
    return value


def _count(row: Mapping[str, str | None], path: Path, line: int) -> int:
    text = (row.get("n") or "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 12):  # noqa: PLR2004
        problem = "no number of samples"
        raise InvalidFile(
            problem, path=path, line=line, key="n", allowed="a whole number", got=text[:40]
        )
    return int(text)


def _cell(task: str, metric: str, n: int, numbers: Mapping[str, float | None]) -> Cell:
    return Cell(
        task=task,
        metric=metric,
        group="accuracy",
        arm="default",
        variant="original",
        slice=None,
        n=n,
        value=numbers["value"],
        stderr=None,
        low=numbers.get("low"),
        high=numbers.get("high"),
        bound_low=None,
        bound_high=None,
        confidence=0.95,
        method="none",
        errors=0,
        unparsed=0,
        unjudged=0,
        estimate="raw",
        observed=False,
        reason=None,
        higher_is_better=True,
    )
