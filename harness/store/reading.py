"""Reading samples.parquet row by row, for people and pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.store.manifest import SAMPLES
from harness.store.opening import opened


def read_rows(run: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a run as dictionaries, a row group in memory at a time."""
    with opened(run / SAMPLES, columns) as table:
        for batch in table.iter_batches(batch_size=1024, columns=columns):
            yield from batch.to_pylist()
