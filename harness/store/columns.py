"""Reading back what scoring needs of a samples.parquet, as numpy columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import InvalidFile
from harness.records import ScoreColumns

_TEXT = ("task", "arm", "variant", "sample_id", "cluster", "status")


def read_columns(path: Path) -> ScoreColumns:
    """Return the columns that cells are made of; InvalidFile where `path` is no such table."""
    wanted = [*_TEXT, "epoch", "changed", "confidence", "scores", "slices"]
    try:
        table = pq.read_table(path, columns=wanted)
    except FileNotFoundError:
        raise InvalidFile("no samples: the run was interrupted", path=path) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidFile(f"not a table of samples: {error}", path=path) from error
    text = {name: _strings(table[name]) for name in _TEXT}
    return ScoreColumns(
        **text,
        epoch=table["epoch"].to_numpy(),
        changed=table["changed"].to_numpy(),
        confidence=table["confidence"].to_numpy().astype(float),
        values=_spread(table["scores"], np.nan),
        slices=_spread(table["slices"], ""),
    )


def _strings(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return an object array in which equal strings are one object."""
    encoded = column.combine_chunks().dictionary_encode()
    words = np.array(encoded.dictionary.to_pylist() or [""], dtype=object)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return words[codes.astype(np.int64)] if len(codes) else np.array([], dtype=object)


def _spread(column: pa.ChunkedArray, missing: Any) -> dict[str, Any]:
    """Turn a map column into one column for each key."""
    whole = column.combine_chunks()
    rows = len(whole)
    offsets = whole.offsets.to_numpy()
    counts = np.diff(offsets)
    owner = np.repeat(np.arange(rows), counts)
    start, end = (offsets[0], offsets[-1]) if rows else (0, 0)
    keys = whole.keys.slice(start, end - start).dictionary_encode()
    items = whole.items.slice(start, end - start).to_numpy(zero_copy_only=False)
    codes = keys.indices.to_numpy(zero_copy_only=False)
    spread: dict[str, Any] = {}
    for code, name in enumerate(keys.dictionary.to_pylist()):
        here = codes == code
        kind = float if missing is not None and missing != "" else object
        values = np.full(rows, missing, dtype=kind)
        values[owner[here]] = items[here]
        spread[name] = values
    return spread
