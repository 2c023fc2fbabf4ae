"""The response store: one SQLite database under the results root, the journal of all answers.

A response counts only once it is committed. Puts of one turn of the event loop share one commit,
so that the cost of a commit is spread over the requests in flight. Write-ahead logging lets
several runs share one root; a process killed at any moment loses only what was not committed.
Failures are never stored: asking again is the only way to an answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from types import TracebackType

import msgspec

from harness.errors import StoreError
from harness.records import Response

SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 60_000
"""How long a commit waits for another run's."""
OPENING_WAIT_MS = 50
"""Between attempts to open: switching to write-ahead logging does not wait by itself."""

_SCHEMA = """
create table if not exists responses (
    key blob primary key,
    body blob not null,
    created real not null
) without rowid
"""


class SqliteResponses:
    """Implements protocols.ResponseStore on `path`; use as a context manager.

    Not thread-safe: it belongs to the event loop that uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Response).decode
        self._pending: list[tuple[bytes, bytes, float]] = []
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
            connection.execute(_SCHEMA)
            if version != SCHEMA_VERSION:
                connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        except (sqlite3.Error, OSError) as error:
            raise self._error("opened", error) from error
        return connection

    def _error(self, what: str, error: Exception) -> StoreError:
        return StoreError(f"{self.path}: the response store cannot be {what}: {error}")

    async def get(self, key: str) -> Response | None:
        """Return the stored response, marked as cached, or None."""
        try:
            row = self._connection.execute(
                "select body from responses where key = ?", (bytes.fromhex(key),)
            ).fetchone()
        except sqlite3.Error as error:
            raise self._error("read", error) from error
        if row is None:
            return None
        try:
            return msgspec.structs.replace(self._decode(row[0]), cached=True)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # damaged: asked again, and the new answer takes its place

    async def put(self, key: str, response: Response) -> None:
        """Return once the response is committed. Raises StoreError where it cannot be."""
        self._pending.append((bytes.fromhex(key), self._encode(response), time.time()))
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_soon(self._commit)
        await asyncio.shield(self._committed)  # one waiter cancelled leaves the others be

    def _commit(self) -> None:
        rows, self._pending = self._pending, []
        done, self._committed = self._committed, None
        if done is None:
            return
        try:
            self._connection.execute("begin immediate")
            self._connection.executemany(
                "insert or replace into responses (key, body, created) values (?, ?, ?)", rows
            )
            self._connection.execute("commit")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            done.set_exception(self._error("written", error))
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
