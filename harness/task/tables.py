"""Reads JSONL, JSON, CSV, Parquet and hub data sets into rows: mappings of plain values."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from harness.errors import InvalidFile, UsageError
from harness.task.packed import PackedRows
from harness.task.spec import Data
from harness.yamlfile import kind

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz", ".json.gz", ".csv.gz")
MAX_CSV_VALUE = 131_072
"""Characters of one value of a CSV file."""
MAX_ROW = 16 * 1024 * 1024
"""Bytes of one row."""
MAX_FILE = 512 * 1024 * 1024
"""Bytes of a JSONL or CSV file, unpacked."""
MAX_JSON = 64 * 1024 * 1024
"""Bytes of a JSON file, which is held whole, unpacked."""


def read_table(path: Path) -> PackedRows:
    """Read a file by its suffix; raises `InvalidFile` naming file and line."""
    name = path.name.lower()
    suffix = next((end for end in sorted(SUFFIXES, key=len)[::-1] if name.endswith(end)), "")
    if not suffix:
        raise InvalidFile(
            "not a table",
            path=path,
            allowed=", ".join(SUFFIXES),
            got=path.suffix.lower() or "no suffix",
        )
    try:
        if suffix == ".parquet":
            return _parquet(path)
        with path.open("rb") as handle:
            if not suffix.endswith(".gz"):
                if (size := path.stat().st_size) > MAX_FILE:
                    raise _too_large(path, f"{size:,}")
                return _text_table(handle, path, suffix)
            with gzip.open(handle) as unpacked:
                return _text_table(cast("BinaryIO", unpacked), path, suffix.removesuffix(".gz"))
    except (OSError, EOFError, zlib.error) as error:
        got = getattr(error, "strerror", None) or str(error)
        raise InvalidFile("cannot be read", path=path, got=got) from error


def _too_large(path: Path, got: str) -> InvalidFile:
    return InvalidFile("too large; use Parquet", path=path, allowed=f"{MAX_FILE:,} bytes", got=got)


def _text_table(handle: BinaryIO, path: Path, suffix: str) -> PackedRows:
    readers = {".json": _json, ".jsonl": _jsonl, ".csv": _csv}
    return PackedRows(readers[suffix](handle, path))


def _lines(handle: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    number = taken = 0
    while line := handle.readline(MAX_ROW + 1):
        number += 1
        taken += len(line)
        if taken > MAX_FILE:
            raise _too_large(path, "more")
        if len(line) > MAX_ROW:
            raise InvalidFile(
                "row too long", path=path, line=number, allowed=f"{MAX_ROW:,} bytes", got="more"
            )
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield number, line


def _text(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        got = f"byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
        raise InvalidFile(
            "is not UTF-8", path=path, line=number, allowed="UTF-8 text", got=got
        ) from error


# ---- JSONL ----------------------------------------------------------------------------------


def _jsonl(handle: BinaryIO, path: Path) -> Iterator[dict[str, Any]]:
    decode = msgspec.json.Decoder().decode
    for number, line in _lines(handle, path):
        if not line.strip():
            continue
        text = _text(line, path, number)
        try:
            row = decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            problem, got = _json_problem(text, error)
            raise InvalidFile(
                problem, path=path, line=number, allowed="one JSON object", got=got
            ) from error
        if not isinstance(row, dict):
            raise InvalidFile(
                "a row is a mapping of fields",
                path=path,
                line=number,
                allowed="one JSON object",
                got=kind(row),
            )
        if not row:
            raise InvalidFile("the row has no fields", path=path, line=number)
        yield row


def _json_problem(text: str, error: Exception) -> tuple[str, str]:
    if any(word in text for word in ("NaN", "Infinity")) and "malformed" in str(error):
        return "NaN and Infinity are not JSON", str(error)
    return "is not valid JSON", str(error)


# ---- JSON -----------------------------------------------------------------------------------


def _json(handle: BinaryIO, path: Path) -> list[dict[str, Any]]:
    """Return the rows of a list of objects, or of the one such list that an object holds."""
    content = handle.read(MAX_JSON + 1)
    if len(content) > MAX_JSON:
        allowed = f"{MAX_JSON:,} bytes"
        raise InvalidFile("too large; use JSONL", path=path, allowed=allowed, got="more")
    try:
        value = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        allowed = "one list of objects (.jsonl holds an object in each line)"
        raise InvalidFile(
            "is not valid JSON", path=path, allowed=allowed, got=str(error)
        ) from error
    lists = [value] if isinstance(value, list) else _lists(value)
    if len(lists) != 1 or not all(isinstance(row, dict) and row for row in lists[0]):
        raise InvalidFile(
            "holds no table",
            path=path,
            allowed="a list of objects, or an object with one such list",
            got=kind(value),
        )
    return list(lists[0])


def _lists(value: Any) -> list[list[Any]]:
    held = value.values() if isinstance(value, dict) else ()
    return [item for item in held if isinstance(item, list)]


# ---- CSV ------------------------------------------------------------------------------------


def _csv(handle: BinaryIO, path: Path) -> Iterator[dict[str, Any]]:
    """Yield rows of text values: a CSV does not say which of its numbers are numbers."""
    source = _CsvLines(handle, path)
    reader = csv.reader(source, strict=True)
    header = _next(reader, source, path)
    if header is None:
        return
    for name in header:
        if not name.strip():
            raise InvalidFile("a column has no name", path=path, line=1)
        if header.count(name) > 1:
            raise InvalidFile("two columns of one name", path=path, line=1, key=name)
    while (values := _next(reader, source, path)) is not None:
        if not values:
            continue
        if len(values) != len(header):
            raise InvalidFile(
                "row and header differ in length",
                path=path,
                line=source.start,
                allowed=f"{len(header)} values",
                got=str(len(values)),
            )
        yield dict(zip(header, values, strict=True))


class _CsvLines:
    """Lines for the CSV reader; keeps count of the line and of the bytes a record has taken."""

    def __init__(self, handle: BinaryIO, path: Path) -> None:
        self.lines, self.path = _lines(handle, path), path
        self.start, self.number, self.taken = 1, 0, 0

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        self.number, line = next(self.lines)
        if self.taken == 0:
            self.start = self.number
        self.taken += len(line)
        if self.taken > MAX_ROW:
            raise InvalidFile(
                "row too long (is a quote not closed?)",
                path=self.path,
                line=self.start,
                allowed=f"{MAX_ROW:,} bytes",
                got="more",
            )
        return _text(line, self.path, self.number)


def _next(reader: Any, source: _CsvLines, path: Path) -> list[str] | None:
    source.taken = 0
    try:
        values: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise _bad_csv(error, path, source.start) from error
    # the csv module's own limit is a setting of the process, which any library may have raised
    if values and max(map(len, values)) > MAX_CSV_VALUE:
        problem = csv.Error(f"field larger than field limit ({MAX_CSV_VALUE})")
        raise _bad_csv(problem, path, source.start)
    return values


def _bad_csv(error: csv.Error, path: Path, line: int) -> InvalidFile:
    hint = "; use JSONL for long values" if "field limit" in str(error) else ""
    return InvalidFile(f"is not valid CSV: {error}{hint}", path=path, line=line)


# ---- Parquet and the hub --------------------------------------------------------------------


def _parquet(path: Path) -> PackedRows:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = PackedRows()
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    rows.append(_plain_row(row, path, len(rows) + 1))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidFile(f"is not valid Parquet: {error}", path=path) from error
    return rows


def _plain_row(row: dict[str, Any], path: Path | str, number: int) -> dict[str, Any]:
    return {name: _plain(value, (path, number, name)) for name, value in row.items()}


def _plain(value: Any, place: tuple[Path | str, int, str]) -> Any:
    """Return `value` as JSON could hold it; dates become ISO text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, place) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item, place) for key, item in value.items()}
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    path, number, name = place
    raise InvalidFile(
        f"row {number} holds what JSON cannot",
        path=path,
        key=name,
        allowed="text, finite numbers, true, false, null, lists, mappings",
        got=kind(value),
    )


def read_hub(data: Data, split: str | None) -> PackedRows:
    """Read a split of a data set on the Hugging Face hub (or from its local cache)."""
    from datasets import load_dataset  # noqa: PLC0415 - seconds to import

    if split is None:
        raise UsageError(f"data.hub {data.hub}: data.split is missing, such as 'test'")
    try:
        table = load_dataset(data.hub, data.config, split=split, revision=data.revision)
        rows = PackedRows()
        for number, row in enumerate(table, 1):
            rows.append(_plain_row(row, str(data.hub), number))
    except InvalidFile:
        raise
    except Exception as error:
        raise UsageError(
            f"cannot load the data set {data.hub} (config {data.config}, split {split}): "
            f"{type(error).__name__}: {str(error)[:300]}; "
            "offline, give the rows with -D file=PATH"
        ) from error
    return rows
