"""Opening samples.parquet: whatever is wrong with the file is one error that names it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import InvalidFile
from harness.store.table import LATER, SCHEMA

GONE = "no samples: the run was interrupted, or its table was taken away"


@contextmanager
def opened(path: Path, columns: Collection[str] | None = None) -> Iterator[pq.ParquetFile]:
    """Open a table of samples that has `columns` (None: all), each of the type that it must have.

    Raises InvalidFile where there is no file, where it is no Parquet or ends too soon, and where a
    column is missing or of another type; also for what is found only while it is read.
    """
    try:
        with pq.ParquetFile(path) as table:
            check_columns(table.schema_arrow, path, columns)
            yield table
    except FileNotFoundError:
        raise InvalidFile(GONE, path=path) from None
    except (pa.ArrowException, OSError) as error:
        raise InvalidFile(f"not a table of samples: {_first_line(error)}", path=path) from error


def check_columns(schema: pa.Schema, path: Path, columns: Collection[str] | None = None) -> None:
    """Raise InvalidFile for a column that is missing or holds something else."""
    for name in SCHEMA.names if columns is None else columns:
        top = name.partition(".")[0]
        wanted = SCHEMA.field(top).type
        place = schema.get_field_index(top)
        if place < 0:
            raise InvalidFile("the table has no such column", path=path, key=top)
        if not alike(schema.field(place).type, wanted):
            got = str(schema.field(place).type)
            raise InvalidFile(
                "a column of another type", path=path, key=top, allowed=str(wanted), got=got[:80]
            )


def alike(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of a type read as those of another: widths and names of items may differ.

    >>> alike(pa.large_string(), pa.string()), alike(pa.int64(), pa.string())
    (True, False)
    """
    kinds = pa.types
    if kinds.is_null(found):
        return True
    if kinds.is_dictionary(found):
        return alike(found.value_type, wanted)
    if kinds.is_struct(wanted):
        names = [field.name for field in wanted]
        return kinds.is_struct(found) and all(
            alike(found.field(place).type, wanted.field(name).type)
            if (place := found.get_field_index(name)) >= 0
            else name in LATER
            for name in names
        )
    if kinds.is_map(wanted):
        return bool(
            kinds.is_map(found)
            and alike(found.key_type, wanted.key_type)
            and alike(found.item_type, wanted.item_type)
        )
    if kinds.is_list(wanted):
        listed = kinds.is_list(found) or kinds.is_large_list(found)
        return listed and alike(found.value_type, wanted.value_type)
    same = (
        (kinds.is_string, kinds.is_large_string),
        (kinds.is_integer,),
        (kinds.is_floating, kinds.is_integer),
        (kinds.is_boolean,),
    )
    return any(tests[0](wanted) and any(test(found) for test in tests) for tests in same)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
