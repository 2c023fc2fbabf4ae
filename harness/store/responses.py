"""The response store: one SQLite database under the results root, the journal of all answers.

A response counts only once it is committed. Puts of one turn of the event loop share one commit,
so that the cost of a commit is spread over the requests in flight. Write-ahead logging lets
several runs share one root; a process killed at any moment loses only what was not committed.
Failures are never stored: asking again is the only way to an answer.

Each answer bears the number of the attempt that last counted it, an attempt being one process
that worked on one run. So a run that is continued after a kill counts what it had asked before as
its own, and an answer that an earlier run paid for as a replay.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from types import TracebackType

import msgspec

from harness.billing import Billed
from harness.errors import StoreError
from harness.records import Response

SCHEMA_VERSION = 2
BUSY_TIMEOUT_MS = 60_000
"""How long a commit waits for another run's."""
OPENING_WAIT_MS = 50
"""Between attempts to open: switching to write-ahead logging does not wait by itself."""

_TABLES = (
    """
create table if not exists responses (
    key blob primary key,
    body blob not null,
    created real not null,
    attempt integer
) without rowid
""",
    "create table if not exists attempts (id integer primary key, run text not null)",
)
_UPGRADES = {1: "alter table responses add column attempt integer"}
"""By the version that lacks it."""
_BILLED = (b"cached_prompt_tokens", b"schema_refused")
"""Fields by which a body with more than a plain response's is known."""


class SqliteResponses:
    """Implements protocols.ResponseStore on `path`; use as a context manager.

    Not thread-safe: it belongs to the event loop that uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Response).decode
        self._decode_billed = msgspec.msgpack.Decoder(Billed).decode
        self._attempt: int | None = None
        self._earlier: frozenset[int] = frozenset()
        self._fresh = False
        self._pending: list[tuple[bytes, bytes, float, int | None]] = []
        self._claimed: set[bytes] = set()
        self._committed: asyncio.Future[None] | None = None
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        """Open the database; two runs that make it at once wait for each other."""
        for _ in range(BUSY_TIMEOUT_MS // OPENING_WAIT_MS):
            try:
                return self._open_once()
            except StoreError as error:
                if "locked" not in str(error):
                    raise
                time.sleep(OPENING_WAIT_MS / 1000)
        return self._open_once()

    def _open_once(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            version = connection.execute("pragma user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                connection.close()
                raise StoreError(
                    f"{self.path}: written by a newer harness (store version {version}, "
                    f"this one reads {SCHEMA_VERSION})"
                )
            if version in _UPGRADES:
                _upgrade(connection, _UPGRADES[version])
            for table in _TABLES:
                connection.execute(table)
            if version != SCHEMA_VERSION:
                connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        except (sqlite3.Error, OSError) as error:
            raise self._error("opened", error) from error
        return connection

    def _error(self, what: str, error: Exception) -> StoreError:
        return StoreError(f"{self.path}: the response store cannot be {what}: {error}")

    def begin(self, run: str, *, fresh: bool = False) -> None:
        """Count from now on for `run`, the name of its directory, and go on where it was.

        `fresh`: what other runs asked is no answer.
        """
        try:
            found = self._connection.execute("select id from attempts where run = ?", (run,))
            self._earlier = frozenset(row[0] for row in found)
            made = self._connection.execute("insert into attempts (run) values (?)", (run,))
        except sqlite3.Error as error:
            raise self._error("written", error) from error
        self._attempt, self._fresh = made.lastrowid, fresh

    async def get(self, key: str) -> Response | None:
        """Return the stored response or None.

        It is marked as cached, unless this run asked for it before it was killed and has not
        counted it since.
        """
        raw = bytes.fromhex(key)
        try:
            row = self._connection.execute(
                "select body, attempt from responses where key = ?", (raw,)
            ).fetchone()
        except sqlite3.Error as error:
            raise self._error("read", error) from error
        if row is None:
            return None
        body, attempt = row
        own = attempt in self._earlier and raw not in self._claimed
        if self._fresh and attempt != self._attempt and attempt not in self._earlier:
            return None
        try:
            billed = any(name in body for name in _BILLED)
            found = (self._decode_billed if billed else self._decode)(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # damaged: asked again, and the new answer takes its place
        if not own:
            return msgspec.structs.replace(found, cached=True)
        self._claimed.add(raw)  # counted now: another like it is a replay
        self._soon()
        return found

    async def put(self, key: str, response: Response) -> None:
        """Return once the response is committed. Raises StoreError where it cannot be."""
        body = self._encode(response)
        self._pending.append((bytes.fromhex(key), body, time.time(), self._attempt))
        await asyncio.shield(self._soon())  # one waiter cancelled leaves the others be

    def _soon(self) -> asyncio.Future[None]:
        """Return the commit that comes at the end of this turn of the event loop."""
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_soon(self._commit)
        return self._committed

    def _commit(self) -> None:
        rows, self._pending = self._pending, []
        claimed, self._claimed = [(self._attempt, raw) for raw in self._claimed], set()
        done, self._committed = self._committed, None
        if done is None:
            return
        try:
            self._connection.execute("begin immediate")
            self._connection.executemany(
                "insert or replace into responses (key, body, created, attempt) "
                "values (?, ?, ?, ?)",
                rows,
            )
            self._connection.executemany("update responses set attempt = ? where key = ?", claimed)
            self._connection.execute("commit")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            done.set_exception(self._error("written", error))
            done.exception()  # a claim has no waiter; the next answer meets the same trouble
        else:
            done.set_result(None)

    def __len__(self) -> int:
        return int(self._connection.execute("select count(*) from responses").fetchone()[0])

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        self._connection.close()

    def __enter__(self) -> SqliteResponses:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _upgrade(connection: sqlite3.Connection, statement: str) -> None:
    """Add what an older store lacks, unless another process has just done so."""
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        if "duplicate column" not in str(error):
            raise
