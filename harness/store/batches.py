"""What batch jobs are under way, and what they answered: durable, beside the response store.

One folder a model: its lines in files, and one SQLite database that says which file is where. A
process that is killed at any moment leaves enough behind for the next one to go on: a job's file
and tag are written down before it is submitted, its id at once after, its answers in one
transaction with its end. Knows no server.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

from msgspec import Struct

from harness.errors import StoreError, UsageError

State = Literal["written", "uploaded", "submitting", "submitted"]
"""How far a part is; once ended it is no longer listed."""

_SCHEMA = """
create table if not exists parts (
    id text primary key, endpoint text not null, lines integer not null, state text not null,
    file_id text, job text, made integer not null
);
create table if not exists asked (key blob not null, part text not null);
create unique index if not exists asked_by_key on asked (key, part);
create index if not exists asked_by_part on asked (part);
create table if not exists tries (key blob primary key, count integer not null) without rowid;
create table if not exists answers (key blob primary key, line blob not null) without rowid;
"""


class Part(Struct, frozen=True):
    """The lines of one job."""

    id: str
    """Names the file, and is the tag by which the server's job is found again."""
    endpoint: str
    lines: int
    state: State = "written"
    file_id: str | None = None
    job: str | None = None


class Draft:
    """Lines on their way into a file. Raises StoreError where they cannot be written."""

    def __init__(self, part_id: str, endpoint: str, path: Path) -> None:
        self.id, self.endpoint = part_id, endpoint
        self.keys: list[bytes] = []
        self.size = 0
        """In bytes."""
        self._path = path
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error}") from error

    def add(self, key: str, line: bytes) -> None:
        """Append the line of one request."""
        try:
            self._file.write(line)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written: {error}") from error
        self.keys.append(bytes.fromhex(key))
        self.size += len(line)

    def close(self, path: Path) -> None:
        """Have all lines on disk, under their lasting name."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error}") from error

    def drop(self) -> None:
        """Throw the lines away."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class BatchLedger:
    """Parts and answers under `folder`; use as a context manager, one process at a time.

    Raises UsageError where another process is at work on the same folder, StoreError where it
    cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
        except OSError as error:
            raise StoreError(f"{folder}: batch jobs cannot be kept: {error}") from error
        self._db = sqlite3.connect(folder / "jobs.sqlite", isolation_level=None)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")  # an id that is lost is paid for twice
            self._db.executescript(_SCHEMA)
            self._db.execute("delete from tries")  # a new process tries anew
        except sqlite3.Error as error:
            self._db.close()
            self._lock.close()
            raise StoreError(f"{folder}: batch jobs cannot be kept: {error}") from error
        known = {self.path(part.id) for part in self.parts()}
        for path in (*folder.glob("*.jsonl"), *folder.glob("*.part")):
            if path not in known:
                path.unlink()  # written by a process that was killed before it said so

    def _locked(self) -> IO[bytes]:
        handle = (self.folder / ".lock").open("wb")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            raise UsageError(
                f"{self.folder}: another run is at work on the batch jobs of this model; wait "
                "for it, or use another --out"
            ) from None
        return handle

    # ---- parts --------------------------------------------------------------------------

    def path(self, part_id: str) -> Path:
        """Return where a part's lines lie."""
        return self.folder / f"{part_id}.jsonl"

    def parts(self) -> list[Part]:
        """Return the parts that have not ended, oldest first."""
        rows = self._db.execute(
            "select id, endpoint, lines, state, file_id, job from parts order by made, id"
        )
        return [Part(*row) for row in rows]

    def draft(self, endpoint: str) -> Draft:
        """Start a part; it counts once `take` has it."""
        part_id = os.urandom(8).hex()
        return Draft(part_id, endpoint, self.path(part_id).with_suffix(".part"))

    def take(self, drafts: Sequence[Draft], *, instead_of: Part | None = None) -> list[Part]:
        """Make parts of drafts, all or none; `instead_of` goes in the same moment."""
        for draft in drafts:
            draft.close(self.path(draft.id))
        with self._transaction():
            if instead_of is not None:
                self._drop(instead_of)
            for draft in drafts:
                self._db.execute(
                    "insert into parts values (?, ?, ?, 'written', null, null, "
                    "(select coalesce(max(made), 0) + 1 from parts))",
                    (draft.id, draft.endpoint, len(draft.keys)),
                )
                rows = [(key, draft.id) for key in draft.keys]
                self._db.executemany("insert into asked values (?, ?)", rows)
        return [Part(draft.id, draft.endpoint, len(draft.keys)) for draft in drafts]

    def note(
        self, part: Part, state: State, *, file_id: str | None = None, job: str | None = None
    ) -> Part:
        """Write down how far a part is, durably, and return it as it is now."""
        with self._transaction():
            self._db.execute(
                "update parts set state = ?, file_id = ?, job = ? where id = ?",
                (state, file_id, job, part.id),
            )
        return Part(part.id, part.endpoint, part.lines, state, file_id, job)

    def end(self, part: Part, answers: Iterable[tuple[str, bytes]]) -> None:
        """End a part: keep its answers, by key, and count a try for each of its requests."""
        with self._transaction():
            self._db.executemany(
                "insert or replace into answers select ?1, ?2 "
                "where exists (select 1 from asked where key = ?1 and part = ?3)",
                ((key, line, part.id) for key, line in _named(answers)),
            )
            self._db.execute(
                "insert into tries select distinct key, 1 from asked where part = ? "
                "on conflict (key) do update set count = count + 1",
                (part.id,),
            )
            self._drop(part)
        self.path(part.id).unlink(missing_ok=True)

    def halve(self, part: Part) -> list[Part]:
        """Make two parts of one that was too large for the server; no try is counted."""
        query = "select key from asked where part = ? order by rowid"
        keys = [row[0].hex() for row in self._db.execute(query, (part.id,))]
        drafts = [self.draft(part.endpoint), self.draft(part.endpoint)]
        with self.path(part.id).open("rb") as lines:
            for i, (key, line) in enumerate(zip(keys, lines, strict=True)):
                drafts[i >= len(keys) // 2].add(key, line)
        halves = self.take(drafts, instead_of=part)
        self.path(part.id).unlink(missing_ok=True)
        return halves

    def _drop(self, part: Part) -> None:
        self._db.execute("delete from asked where part = ?", (part.id,))
        self._db.execute("delete from parts where id = ?", (part.id,))

    # ---- requests -----------------------------------------------------------------------

    def part_of(self, key: str) -> str | None:
        """Return the part that will answer a request, where one is under way."""
        row = self._db.execute(
            "select part from asked where key = ?", (bytes.fromhex(key),)
        ).fetchone()
        return row[0] if row else None

    def answer(self, key: str) -> tuple[bytes | None, int]:
        """Return the line that answers a request, and how often this process has tried."""
        raw = bytes.fromhex(key)
        line = self._db.execute("select line from answers where key = ?", (raw,)).fetchone()
        tries = self._db.execute("select count from tries where key = ?", (raw,)).fetchone()
        return (line[0] if line else None), (tries[0] if tries else 0)

    def forget(self, keys: Iterable[str]) -> None:
        """Drop answers that are safe elsewhere."""
        with self._transaction():
            self._db.executemany(
                "delete from answers where key = ?", ((bytes.fromhex(key),) for key in keys)
            )

    @property
    def empty(self) -> bool:
        """Whether neither a part nor an answer is left."""
        found = self._db.execute("select exists(select 1 from answers)").fetchone()[0]
        return not found and not self.parts()

    # ---- the database -------------------------------------------------------------------

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db, self.folder)

    def __enter__(self) -> BatchLedger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        done = self.empty
        self._db.close()
        if done:
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # other models' folders may be there
                self.folder.parent.rmdir()
        self._lock.close()


def _named(answers: Iterable[tuple[str, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the answers whose names are keys: a server may write anything there."""
    for key, line in answers:
        try:
            yield bytes.fromhex(key), line
        except ValueError:
            continue


class _Transaction:
    """Everything within, or nothing."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db, self._folder = db, folder

    def __enter__(self) -> None:
        try:
            self._db.execute("begin immediate")
        except sqlite3.Error as error:
            raise self._error(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._db.execute("commit" if kind is None else "rollback")
        except sqlite3.Error as error:
            raise self._error(error) from error
        if isinstance(value, sqlite3.Error):
            raise self._error(value) from value

    def _error(self, error: Exception) -> StoreError:
        return StoreError(f"{self._folder}: batch jobs cannot be kept: {error}")
