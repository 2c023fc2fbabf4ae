"""What lies in the folder of a board: runs, submissions, and CSV files of reported scores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InvalidFile, UsageError

if TYPE_CHECKING:
    from harness.board.records import Entry

SUBMISSION = "__"
"""A folder named <org>__<model> holds the revisions of one model, each with its runs."""
OURS = "board.csv"
"""Written by `harness board`; not a row of it."""


class Found(NamedTuple):
    """A run, or what should be one."""

    path: Path
    name: str
    """How the run is called on the board."""
    model: str | None = None
    """The row it stands in, where its folder says so."""


class Folder(NamedTuple):
    """All that a board is made of."""

    runs: list[Found]
    tables: list[tuple[Path, str | None]]
    """CSV files, each with the model that its folder names."""


def look(root: Path) -> Folder:
    """Find runs and tables in `root`, and in `root`/<org>__<model>/<revision>/.

    `root` may be a CSV file itself. Raises UsageError where there is neither.
    """
    if root.is_file():
        return Folder([], [(root, None)])
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder")
    found = Folder([Found(path, path.name) for path in _runs(root)], _tables(root, None))
    for owner in sorted(path for path in root.iterdir() if path.is_dir()):
        if SUBMISSION in owner.name and not _is_run(owner):
            _submission(owner, found)
    if not found.runs and not found.tables:
        raise UsageError(f"{root}: no finished run in this folder, and no CSV of scores")
    return found


def _submission(owner: Path, found: Folder) -> None:
    """Add the revisions of one model; with several, each is a row of its own."""
    model = owner.name.replace(SUBMISSION, "/", 1)
    revisions = sorted(path for path in owner.iterdir() if path.is_dir())
    for revision in revisions:
        label = model if len(revisions) == 1 else f"{model}@{revision.name}"
        if _is_run(revision):
            found.runs.append(Found(revision, f"{owner.name}/{revision.name}", label))
        found.runs.extend(Found(path, path.name, label) for path in _runs(revision))
        found.tables.extend(_tables(revision, label))


def _is_run(path: Path) -> bool:
    """Whether a folder has any file of a run: one that lacks others is broken, not passed over."""
    from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC

    return any((path / name).is_file() for name in (SPEC, SAMPLES, SCORES, RUN))


def _runs(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.iterdir()) if path.is_dir() and _is_run(path))


def _tables(root: Path, model: str | None) -> list[tuple[Path, str | None]]:
    return [(path, model) for path in sorted(root.glob("*.csv")) if path.name != OURS]


def reported(folder: Folder) -> list[Entry]:
    """Read the tables; a submission's table may hold one model alone, its own."""
    from msgspec.structs import replace

    from harness.board.reported import read_reported

    entries: list[Entry] = []
    for path, model in folder.tables:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidFile(f"cannot be read: {error}", path=path) from error
        rows = read_reported(text, path)
        if model is not None and len(rows) > 1:
            problem = f"scores of {len(rows)} models in the submission of one"
            raise InvalidFile(problem, path=path, allowed="one row")
        entries += [replace(row, model=model) if model else row for row in rows]
    return entries
