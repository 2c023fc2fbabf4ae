"""What goes into a board and what comes out; `Board` as JSON is board.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from harness.records import Cell, ScoreColumns

FORMAT = 1
"""Raised when a reader of board.json would have to change."""


class Entry(Struct, frozen=True):
    """One run, as the board sees it."""

    run: str
    """Name of the run directory; later names are later runs."""
    model: str
    """The row it belongs to."""
    cells: tuple[Cell, ...]
    complete: bool = True
    hashes: dict[str, Any] = {}
    """By task: what must agree for two runs to have measured the same."""
    facts: dict[str, Any] = {}
    """Parameters, licence, date of the model, where known."""
    evidence: str = ""
    """self-reported, recomputed or verified; empty where nobody checked."""
    columns: Callable[[], ScoreColumns] | None = None
    """Reads the scores of the run's samples, where they are at hand."""


class Player(Struct, frozen=True):
    """One side of a game."""

    model: str
    run: str = ""
    """Name of the run directory that the answers come from, where one is known."""


class Game(Struct, frozen=True):
    """Two models' answers to one sample, compared."""

    first: Player
    second: Player
    outcome: float
    """1 the first won, 0 the second, 0.5 a tie."""
    sample: str
    """Games of one sample are not independent of each other."""
    judge: str = ""


class Strength(Struct, frozen=True):
    """What pairwise judgements say of one model (Bradley & Terry 1952; ties: Davidson 1970)."""

    value: float
    """Natural logarithm; a difference d means odds of e^d, ties aside. All sum to 0."""
    low: float | None
    """None where too few samples were judged for an interval."""
    high: float | None
    rank_best: int
    rank_worst: int
    """Among the models that played: the ranks that the intervals allow."""
    games: int


class Arena(Struct, frozen=True):
    """What was played."""

    games: int
    samples: int
    players: int
    judges: tuple[str, ...]
    unknown: int
    """Games left out: of a model that is not on the board, or of a row with itself."""
    connected: bool = False
    """Whether a chain of games joins all players; if not, nobody has a strength."""
    ties: float = 0.0
    """ν of Davidson's model."""


class TaskFacts(Struct, frozen=True):
    """What a board says of a task."""

    task: str
    title: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    chance: float | None = None


class Column(Struct, frozen=True):
    """One task under one measure."""

    task: str
    metric: str
    arm: str
    variant: str
    higher_is_better: bool | None


class Place(Struct, frozen=True, omit_defaults=True):
    """One number of the board, or why there is none."""

    run: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    errors: int = 0
    unparsed: int = 0
    unjudged: int = 0
    bound_low: float | None = None
    bound_high: float | None = None
    method: str = ""
    confidence: float = 0.95
    observed: bool = False
    reason: str | None = None
    best: bool = False
    """The best of its column, or not to be told from it."""
    differs: bool = False
    """Measured with another prompt, data or scorer than the others: out of the ranking."""


class Row(Struct, frozen=True):
    """One model under one measure."""

    model: str
    rank_best: int | None
    rank_worst: int | None
    """The ranks that the intervals allow; 1 is top."""
    mean_win_rate: float | None
    mean_win_rate_low: float | None
    mean_win_rate_high: float | None
    mean: float | None
    mean_low: float | None
    mean_high: float | None
    tasks: int
    """How many columns of the view it has a number in."""
    errors: int
    unparsed: int
    cells: tuple[Place, ...]
    borda: float | None = None
    """Models beaten plus half of those tied, over all columns; a gap earns nothing."""
    steady_best: int | None = None
    steady_worst: int | None = None
    """The places by mean win rate as each task in turn is left out; None with fewer than two."""
    strength: Strength | None = None
    """Bradley-Terry; in the first view alone, where the model was judged in pairs."""


class Without(Struct, frozen=True):
    """What the ranking becomes without one of its tasks."""

    task: str
    leader: str
    moved: int
    """Models whose place changes."""


class Duel(Struct, frozen=True):
    """The leader against the runner-up, task by task."""

    leader: str
    runner_up: str
    differences: int
    undecided: int
    """Differences that cannot be told from chance."""
    more_samples: int | None
    """Samples per task, beyond those there are, that would settle half of the undecided."""


class View(Struct, frozen=True):
    """A whole table: one measure of one HELM group."""

    group: str
    measure: str
    """`score` for each task's primary metric, else the metric or the kind of comparison."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    duel: Duel | None
    without: tuple[Without, ...] = ()
    """Leave-one-task-out: in the order of the columns."""
    paired: bool = False
    """Whether the intervals rest on draws of items that the models share, in some column."""


class ModelFacts(Struct, frozen=True):
    """A row's model, and the runs that its numbers come from."""

    model: str
    runs: tuple[str, ...]
    facts: dict[str, Any] = {}
    evidence: str = ""
    """The least of what stands behind its runs; empty where nobody checked."""


class Board(Struct, frozen=True):
    """Everything that a board's page, JSON, CSV and Markdown say."""

    name: str
    models: tuple[ModelFacts, ...]
    tasks: tuple[TaskFacts, ...]
    views: tuple[View, ...]
    left_out: tuple[dict[str, str], ...] = ()
    """Runs that do not count, each with the reason."""
    arena: Arena | None = None
    """The pairwise judgements behind the strengths, where there are any."""
    format: int = FORMAT
