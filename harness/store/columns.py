"""Reading back what scoring needs of a samples.parquet, as numpy columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.records import ScoreColumns
from harness.store.opening import opened

Array = np.ndarray[Any, Any]
_FEW = ("task", "arm", "variant", "status")
"""Columns of text with few different values."""
_TEXT = (*_FEW, "sample_id", "cluster")
BATCH = 4096
"""Rows that are read at a time."""


def read_columns(path: Path) -> ScoreColumns:
    """Return the columns that cells are made of; InvalidFile where `path` is no such table.

    The table is read a batch at a time: its maps of scores would take many times the memory of
    the columns that come of them.
    """
    wanted = [*_TEXT, "epoch", "changed", "confidence", "scores", "slices"]
    with opened(path, wanted) as source:
        found = _Found(source.metadata.num_rows)
        for batch in source.iter_batches(BATCH, columns=wanted, use_threads=False):
            found.add(batch)
    return ScoreColumns(
        **found.text,
        epoch=found.epoch,
        changed=found.changed,
        confidence=found.confidence,
        values=found.values,
        slices=found.slices,
    )


class _Found:
    """The columns in the making."""

    def __init__(self, rows: int) -> None:
        self.text = {name: np.full(rows, None, dtype=object) for name in _TEXT}
        self.epoch = np.zeros(rows, dtype=np.int32)
        self.changed = np.zeros(rows, dtype=bool)
        self.confidence = np.full(rows, np.nan)
        self.values: dict[str, Array] = {}
        self.slices: dict[str, Array] = {}
        self._rows, self._at = rows, 0
        self._words: dict[str, str] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Fill in the rows of one batch."""
        here = slice(self._at, self._at + batch.num_rows)
        for name in _FEW:
            self.text[name][here] = self._few(batch.column(name))
        ids, clusters = batch.column("sample_id"), batch.column("cluster")
        self.text["sample_id"][here] = ids.to_pylist()
        # most samples are clusters of their own: one text serves both columns
        alone = pc.equal(ids, clusters).to_numpy(zero_copy_only=False).astype(bool)
        own = np.array(clusters.to_pylist(), dtype=object)
        self.text["cluster"][here] = np.where(alone, self.text["sample_id"][here], own)
        self.epoch[here] = batch.column("epoch").to_numpy()
        self.changed[here] = batch.column("changed").to_numpy(zero_copy_only=False)
        self.confidence[here] = batch.column("confidence").to_numpy(zero_copy_only=False)
        self._spread(batch.column("scores"), self.values, np.nan, float)
        self._spread(batch.column("slices"), self.slices, "", object)
        self._at += batch.num_rows

    def _few(self, column: pa.Array) -> Array:
        """Return a column of few different words, equal ones being one object."""
        encoded = column.dictionary_encode()
        words = [self._words.setdefault(w, w) for w in encoded.dictionary.to_pylist()]
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        found: Array = np.array(words or [""], dtype=object)[codes.astype(np.int64)]
        return found

    def _spread(
        self, column: pa.MapArray, into: dict[str, Array], missing: Any, kind: type
    ) -> None:
        """Turn a map column into one column for each key."""
        offsets = column.offsets.to_numpy()
        if not len(column):
            return
        owner = self._at + np.repeat(np.arange(len(column)), np.diff(offsets))
        start, size = offsets[0], offsets[-1] - offsets[0]
        keys = column.keys.slice(start, size).dictionary_encode()
        codes = keys.indices.to_numpy(zero_copy_only=False)
        items = column.items.slice(start, size)
        values = self._few(items) if kind is object else items.to_numpy(zero_copy_only=False)
        for code, name in enumerate(keys.dictionary.to_pylist()):
            if name not in into:
                into[name] = np.full(self._rows, missing, dtype=kind)
            here = codes == code
            into[name][owner[here]] = values[here]
