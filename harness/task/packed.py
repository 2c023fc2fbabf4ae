"""Rows held as bytes: a table of any size takes a few megabytes of memory.

Rows are kept encoded, beyond `HELD` bytes in an unnamed temporary file, and decoded when asked for.
"""

from __future__ import annotations

import os
import re
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import msgspec

from harness.errors import StoreError

Row = dict[str, Any]
_HEX = re.compile(r"[0-9a-f]{16}\Z")
HELD = 4 * 1024 * 1024
"""Bytes of encoded rows in memory; older ones go to the file."""


class PackedRows(Sequence[Row]):
    """A sequence of rows that gives back, each time, a row equal to the one that was added.

    What the encoding would change (a tuple, an integer beyond 64 bits) is kept as it is.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder().decode
        self._ends = array("Q")
        self._odd: dict[int, Row] = {}
        self._held = bytearray()
        self._filed = 0
        self._file: int | None = None
        for row in rows:
            self.append(row)

    def append(self, row: Row) -> None:
        """Add a row at the end; raises `StoreError` where the temporary folder is full."""
        body = self._packed(row)
        if body is None:
            self._odd[len(self._ends)] = row
        else:
            self._held += body
        self._ends.append(self._filed + len(self._held))
        if len(self._held) >= HELD:
            self._spill()

    def _packed(self, row: Row) -> bytes | None:
        try:
            body = self._encode(row)
            return body if self._decode(body) == row else None
        except (OverflowError, TypeError, ValueError):  # no msgpack: too large, or no plain value
            return None

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file, path = tempfile.mkstemp(prefix="harness-rows-")
                os.unlink(path)  # noqa: PTH108 - a descriptor without a name
                weakref.finalize(self, os.close, self._file)
            written = 0
            while written < len(self._held):
                written += os.pwrite(self._file, self._held[written:], self._filed + written)
        except OSError as error:
            raise StoreError(f"rows cannot be kept in the temporary folder: {error}") from error
        self._filed += len(self._held)
        self._held = bytearray()

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self._ends)
        if not 0 <= index < len(self._ends):
            raise IndexError(index)
        if index in self._odd:
            return self._odd[index]
        begin = self._ends[index - 1] if index else 0
        row: Row = self._decode(self._bytes(begin, self._ends[index]))
        return row

    def _bytes(self, begin: int, end: int) -> bytes | bytearray:
        if begin >= self._filed:
            return self._held[begin - self._filed : end - self._filed]
        assert self._file is not None, "what is filed has a file"
        return os.pread(self._file, end - begin, begin)

    def __iter__(self) -> Iterator[Row]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list: equal by content


class PackedIds(Sequence[str]):
    """A sequence of ids in eight bytes each: of 16 hex digits, but for the few that are not."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._numbers = array("Q")
        self._odd: dict[int, str] = {}
        for one in ids:
            number = int(one, 16) if _HEX.match(one) else 0
            if f"{number:016x}" != one:  # a counter behind it, or no such id at all
                self._odd[len(self._numbers)] = one
            self._numbers.append(number)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = self._numbers[index]
        if self._odd and (odd := self._odd.get(index % len(self._numbers))) is not None:
            return odd
        return f"{number:016x}"

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list: equal by content
