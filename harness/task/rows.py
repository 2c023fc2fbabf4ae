"""Reads the rows of a task: the only input and output of this stage.

Reading is bounded: no line longer than `MAX_ROW` is ever held, however large the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import UNSET

from harness.errors import InvalidFile, UsageError, suggestion
from harness.identity import KEY_BYTES, content_key, unique_ids
from harness.protocols import Generator
from harness.task import tables
from harness.task.packed import PackedIds, PackedRows
from harness.task.spec import Data, TaskSpec, data_kind

Maker = Callable[[str], Generator]
"""From the name of a generator to the generator; the pipeline hands it in."""


class Pool(msgspec.Struct, frozen=True):
    """Rows with their ids."""

    rows: Sequence[dict[str, Any]]
    ids: Sequence[str]


class RowSet(msgspec.Struct, frozen=True):
    """The rows of a task, and what identifies them."""

    rows: Sequence[dict[str, Any]]
    ids: Sequence[str]
    """By content; exact duplicates are told apart by a counter."""
    data_hash: str
    pools: dict[str, Pool] = {}
    """Rows that examples come from, by `shots.from`."""


def read_rows(
    task: TaskSpec,
    *,
    generator: Maker,
    overrides: Mapping[str, Any] | None = None,
    data_seed: int | None = None,
) -> RowSet:
    """Read all rows of `task`; raises `InvalidFile` or `UsageError`.

    `overrides` is what `-D` said (`file`, `args.per_cell` …, dotted or nested); `data_seed`
    stands in place of a generator's own seed.
    """
    data = override(task.data, overrides or {})
    source = _Source(task, data, from_user=bool(overrides))
    rows: Sequence[dict[str, Any]]
    if data_kind(data) == "generator":
        rows, data_hash = _generated(data, generator, data_seed)
    elif data_kind(data) == "file":
        rows, data_hash = source.file(data.file or "", "data.file")
    else:
        rows, data_hash = source.hub(data.split)
    if not rows:
        raise InvalidFile("there are no rows", **task.origin.place("data"), allowed="one or more")
    ids = PackedIds(unique_ids(rows))
    pools = {name: source.pool(name, key) for name, key in _pool_names(task).items()}
    return RowSet(rows, ids, data_hash or content_key(sorted(ids)), pools)


def override(data: Data, overrides: Mapping[str, Any]) -> Data:
    """Return `data` with what `-D` said; a new source takes the place of the old one."""
    known = list(msgspec.structs.fields(Data))
    names = [field.encode_name for field in known]
    changes: dict[str, Any] = {}
    for key, value in overrides.items():
        top, _, rest = key.partition(".")
        if top not in names or (rest and top != "args"):
            hint = suggestion(top, names)
            raise UsageError(f"-D {key}: unknown key{hint}; allowed: {', '.join(names)}")
        if top == "args":
            added = {rest: value} if rest else dict(value) if isinstance(value, Mapping) else None
            if added is None:
                raise UsageError(f"-D args: allowed: args.NAME=VALUE; got: {value!r}")
            changes["args"] = {**data.args, **changes.get("args", {}), **added}
        else:
            changes[top] = value
    sources = [name for name in ("generator", "file", "hub") if name in changes]
    if len(sources) > 1:
        raise UsageError(f"-D names one source of rows; got: {', '.join(sources)}")
    base = Data() if sources and sources[0] != data_kind(data) else data
    merged = {name: getattr(base, name) for name in base.__struct_fields__} | changes
    try:
        return msgspec.convert(merged, Data)
    except msgspec.ValidationError as error:
        raise UsageError(f"-D: {error}") from None


def _pool_names(task: TaskSpec) -> dict[str, str]:
    """Return `shots.from` of the task and its arms, each with the key that says so."""
    names: dict[str, str] = {}
    if task.shots.source is not None:
        names[task.shots.source] = "shots.from"
    for arm, changes in task.arms.items():
        if changes.shots is not UNSET and isinstance(changes.shots.source, str):
            names.setdefault(changes.shots.source, f"arms.{arm}.shots.from")
    return names


def _generated(data: Data, generator: Maker, data_seed: int | None) -> tuple[PackedRows, str]:
    assert data.generator is not None
    make = generator(data.generator)
    seed = data.seed if data_seed is None else data_seed
    rows = PackedRows(make(data.args, seed))
    return rows, content_key([data.generator, make.version, data.args, seed])


class _Source:
    """Files and hub data sets of one task."""

    def __init__(self, task: TaskSpec, data: Data, *, from_user: bool) -> None:
        self.task, self.data, self.from_user = task, data, from_user

    def file(self, name: str, key: str) -> tuple[PackedRows, str]:
        """Read a file; a path from `-D` is relative to where the user stands."""
        path = Path(name).expanduser()
        if not (self.from_user and key == "data.file" and name != self.task.data.file):
            path = Path(self.task.origin.folder_of(key)).parent / path
        if not path.is_file():
            place = self.task.origin.place(key)
            problem = (
                "is a folder, not a file" if path.is_dir() else "names a file that is not there"
            )
            raise InvalidFile(problem, **place, got=str(path))
        return tables.read_table(path), _file_key(path)

    def hub(self, split: str | None) -> tuple[PackedRows, str]:
        """Read a split of the hub data set; the hash is the pinned revision, else the content."""
        rows = tables.read_hub(self.data, split)
        if self.data.revision is None:
            return rows, ""
        return rows, content_key([self.data.hub, self.data.config, split, self.data.revision])

    def _beside(self, split: str) -> Path | None:
        """Return the file of a split beside a file from `-D`; None where there is none."""
        if not (self.from_user and self.data.file and self.data.file != self.task.data.file):
            return None
        folder = Path(self.data.file).expanduser().parent
        return next((p for end in tables.SUFFIXES if (p := folder / (split + end)).is_file()), None)

    def pool(self, name: str, key: str) -> Pool:
        """Read the rows that examples come from."""
        if name.endswith(tables.SUFFIXES):
            rows, _ = self.file(name, key)
        elif self._beside(name) is not None:
            rows = tables.read_table(cast("Path", self._beside(name)))
        elif data_kind(self.data) == "hub":
            rows, _ = self.hub(name)
        else:
            raise InvalidFile(
                "names no source of examples",
                **self.task.origin.place(key),
                allowed=f"a file ({', '.join(tables.SUFFIXES)}), or a split: of a hub data set, or "
                f"of a local file with {name}.jsonl or the like beside it",
                got=name,
            )
        return Pool(rows, PackedIds(unique_ids(rows)))


def _file_key(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
