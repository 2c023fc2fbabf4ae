"""The door by which numbers come onto a board that no run directory of ours holds.

Whoever reads another tool's files implements `Source`, and is found by name in `plugins` (kind
`board`, entry points of the group `harness.board`). What it gives are plain records.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from harness.board.records import Entry, Game


class Contents(NamedTuple):
    """What one file or folder adds to a board."""

    entries: tuple[Entry, ...] = ()
    """Scores, a row each; `evidence` says what stands behind them (self-reported, mostly)."""
    games: tuple[Game, ...] = ()
    """Pairwise judgements."""


@runtime_checkable
class Source(Protocol):
    """Reads what stands in a board's folder beside run directories."""

    def fits(self, path: Path) -> bool:
        """Say whether `path`, a file or a folder, is of this kind; a quick look, no error."""
        ...

    def read(self, path: Path) -> Contents:
        """Read it; raises InvalidFile with the line where it is wrong."""
        ...
