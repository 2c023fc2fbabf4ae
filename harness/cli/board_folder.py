"""What lies in the folder of a board: runs, submissions, and what other sources read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import InvalidFile, UsageError

if TYPE_CHECKING:
    from harness.board.records import Entry, Game
    from harness.board.source import Contents, Source

SUBMISSION = "__"
"""A folder named <org>__<model> holds the revisions of one model, each with its runs."""
ARENAS = "arena"
"""Where `harness judge arena` puts its tables under a results root."""
LAST = "scores"
"""The source that takes any CSV is asked last."""


class Found(NamedTuple):
    """A run, or what should be one."""

    path: Path
    name: str
    """How the run is called on the board."""
    model: str | None = None
    """The row it stands in, where its folder says so."""


class Outside(NamedTuple):
    """What is no run of ours, and who reads it."""

    path: Path
    source: Source
    model: str | None = None
    """The row that its folder names."""


class Folder(NamedTuple):
    """All that a board is made of."""

    runs: list[Found]
    outside: list[Outside]


def sources() -> list[Source]:
    """Return all that can read what no run directory holds, built-in and installed."""
    from harness.plugins import load, names

    ordered = sorted(names("board"), key=lambda name: (name == LAST, name))
    return [load("board", name) for name in ordered]


def look(root: Path) -> Folder:
    """Find what makes a board in `root`, `root`/arena and `root`/<org>__<model>/<revision>/.

    `root` may be a file that a source reads. Raises UsageError where there is nothing.
    """
    known = sources()
    if root.is_file():
        return Folder([], list(_outside([root], known)))
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder")
    inside = sorted(root.iterdir())
    games = sorted((root / ARENAS).iterdir()) if (root / ARENAS).is_dir() else []
    owners = [path for path in inside if _is_owner(path)]
    others = [path for path in inside if path not in owners and not _is_run(path)]
    found = Folder(
        [Found(path, path.name) for path in inside if _is_run(path)],
        list(_outside([*others, *games], known)),
    )
    for owner in owners:
        _submission(owner, found, known)
    if not found.runs and not found.outside:
        raise UsageError(f"{root}: no finished run in this folder, and no CSV of scores")
    return found


def _outside(
    paths: Sequence[Path], known: Sequence[Source], model: str | None = None
) -> Iterator[Outside]:
    """Yield what some source reads, each with the first that does."""
    for path in paths:
        source = next((one for one in known if one.fits(path)), None)
        if source is not None:
            yield Outside(path, source, model)


def _is_owner(path: Path) -> bool:
    return path.is_dir() and SUBMISSION in path.name and not _is_run(path)


def _submission(owner: Path, found: Folder, known: Sequence[Source]) -> None:
    """Add the revisions of one model; with several, each is a row of its own."""
    model = owner.name.replace(SUBMISSION, "/", 1)
    revisions = sorted(path for path in owner.iterdir() if path.is_dir())
    for revision in revisions:
        label = model if len(revisions) == 1 else f"{model}@{revision.name}"
        if _is_run(revision):
            found.runs.append(Found(revision, f"{owner.name}/{revision.name}", label))
            continue
        inside = sorted(revision.iterdir())
        found.runs.extend(Found(path, path.name, label) for path in inside if _is_run(path))
        found.outside.extend(_outside([p for p in inside if not _is_run(p)], known, label))


def _is_run(path: Path) -> bool:
    """Whether a folder has any file of a run: one that lacks others is broken, not passed over."""
    from harness.board.pairs import TABLE
    from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC

    if not path.is_dir() or (path / TABLE).is_file():
        return False
    return any((path / name).is_file() for name in (SPEC, SAMPLES, SCORES, RUN))


def contents(outside: Sequence[Outside]) -> Contents:
    """Read all that is no run of ours."""
    from harness.board.source import Contents

    entries: list[Entry] = []
    games: list[Game] = []
    for one in outside:
        told = one.source.read(one.path)
        entries += _own(told, one) if one.model is not None else told.entries
        games += told.games
    return Contents(tuple(entries), tuple(games))


def _own(told: Contents, one: Outside) -> list[Entry]:
    """Return the row of a submission: it speaks of one model, its own, and of no games."""
    from msgspec.structs import replace

    if told.games:
        raise InvalidFile("games in a submission: they belong beside it", path=one.path)
    if len(told.entries) > 1:
        problem = f"scores of {len(told.entries)} models in the submission of one"
        raise InvalidFile(problem, path=one.path, allowed="one row")
    return [replace(row, model=one.model) for row in told.entries]
