"""Reading samples.parquet row by row, for people and pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import InvalidFile
from harness.store.manifest import SAMPLES


def read_rows(run: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a run as dictionaries, a row group in memory at a time."""
    path = run / SAMPLES
    try:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=1024, columns=columns):
                yield from batch.to_pylist()
    except FileNotFoundError:
        raise InvalidFile("no samples: the run was interrupted", path=path) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidFile(f"not a table of samples: {error}", path=path) from error
