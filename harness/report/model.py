"""What a report is made of. The command line reads the runs; this stage never does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.records import Cell, ScoreColumns
from harness.report.say import Said, told

RowSource = Callable[[], Iterator[dict[str, Any]]]
"""Yields the rows of samples.parquet as dictionaries; maps come as lists of pairs."""


@dataclass(frozen=True, slots=True)
class RunData:
    """One finished run."""

    name: str
    """Name of its directory."""
    model: str
    """How it is called in the report; two runs of one model have different labels."""
    manifest: Mapping[str, Any]
    """run.json."""
    spec: Mapping[str, Any]
    """spec.json."""
    cells: tuple[Cell, ...]
    samples: RowSource
    columns: Callable[[], ScoreColumns] | None = None
    """Reads the scores of all samples at once; None where they are not at hand."""
    evidence: str = ""
    """self-reported, recomputed or verified; empty where nobody checked."""
    labels: Mapping[str, float] = field(default_factory=dict)
    """People's labels, 0 to 1, by sample key; kept in the run by `harness judge correct`."""
    corrections: Mapping[str, Any] = field(default_factory=dict)
    """corrections.json: judged cells, and differences, with the judge's errors taken out."""
    price: tuple[float, float] | None = None
    """US dollars per million tokens sent and generated, as known today; None: not known."""


@dataclass(frozen=True, slots=True)
class TaskText:
    """What a task says of itself; empty where its file is not at hand."""

    task: str
    title: str = ""
    about: str = ""
    language: str = ""
    method: str = ""
    tags: tuple[str, ...] = ()
    chance: float | None = None
    source: str = ""
    licence: str = ""

    @property
    def named(self) -> Said:
        """Its title, or its name where it has none."""
        return told(self.title or self.task)

    @property
    def asks(self) -> Said:
        """Its description; empty where it has none."""
        return told(self.about)


@dataclass(frozen=True, slots=True)
class ReportData:
    """A whole report."""

    name: str
    runs: Sequence[RunData]
    tasks: Mapping[str, TaskText]
    board: Mapping[str, Any]
    """board.json, decoded."""
    command: str = ""
    """What makes this report again."""
    samples: bool = True
    """False: a board alone, whose pages hold no samples."""
    most: int | None = None
    """Samples of each task and copy that the pages hold; None: all. Numbers are of all samples."""
    version: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    """What only some reports show, by name: `compare`, `outputs`."""
