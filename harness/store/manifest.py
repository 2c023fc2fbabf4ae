"""The run directory: spec.json first, run.json last; its existence means the run is over.

A directory is named `<utc>-<model slug>-<hex>`. The same spec continues an unfinished directory;
a lock keeps two runs from continuing the same one at once.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from harness.errors import InvalidFile, StoreError, UnknownName, UsageError
from harness.identity import canonical_json, content_key
from harness.store.shapes import check_shape

SPEC, SAMPLES, SCORES, RUN = "spec.json", "samples.parquet", "scores.json", "run.json"
_LOCK = ".lock"
_FRESH = ".fresh"
"""Marks an unfinished run that asks everything anew: only --fresh continues it."""
_SLUG = re.compile(r"[^A-Za-z0-9._-]+")


def slug(text: str) -> str:
    """Return `text` in [A-Za-z0-9._-], at most 60 characters.

    >>> slug("openai/GPT 5 mini")
    'openai-GPT-5-mini'
    """
    return _SLUG.sub("-", text).strip("-.")[:60] or "model"


class RunDirectory:
    """A locked run directory; use as a context manager."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self.path = path
        self._lock = lock

    @property
    def samples(self) -> Path:
        """Where the table of samples goes."""
        return self.path / SAMPLES

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file whole or not at all."""
        write_json(self.path / name, value)

    def discard(self) -> None:
        """Take the directory away, where it holds nothing but what was asked for."""
        kept = {path.name for path in self.path.iterdir()} - {SPEC, _LOCK, _FRESH}
        if not kept:
            shutil.rmtree(self.path)

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.close()
        if (self.path / RUN).exists():
            (self.path / _FRESH).unlink(missing_ok=True)
        (self.path / _LOCK).unlink(missing_ok=True)


def open_directory(
    root: Path, model: str, spec: Mapping[str, Any], *, fresh: bool = False
) -> RunDirectory:
    """Continue the unfinished directory of equal spec under `root`, or make a new one.

    With `fresh` only one that was begun with it is continued, without it only one that was not.
    Raises StoreError where `root` cannot be written.
    """
    content = canonical_json(spec)
    try:
        root.mkdir(parents=True, exist_ok=True)
        for path in _unfinished(root):
            same = (path / _FRESH).exists() == fresh
            if same and (path / SPEC).read_bytes() == _pretty(content) and (lock := _lock(path)):
                if not (path / RUN).exists():  # it may have ended before the lock was free
                    return RunDirectory(path, lock)
                lock.close()
        return _create(root, model, content, fresh=fresh)
    except OSError as error:
        raise StoreError(f"{root}: the results root cannot be written: {error}") from error


def _create(root: Path, model: str, content: bytes, *, fresh: bool) -> RunDirectory:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    tail = content_key([content.decode(), os.urandom(8).hex()])[:6]
    path = root / f"{stamp}-{slug(model)}-{tail}"
    path.mkdir()
    lock = _lock(path)
    assert lock is not None, "a new directory is nobody else's"
    if fresh:
        (path / _FRESH).touch()
    partial = path / f"{SPEC}.partial"  # a directory without a whole spec.json is no run
    partial.write_bytes(_pretty(content))
    partial.replace(path / SPEC)
    return RunDirectory(path, lock)


def _unfinished(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir(), reverse=True):
        if (path / SPEC).is_file() and not (path / RUN).exists():
            yield path


def _lock(path: Path) -> IO[bytes] | None:
    """Take the directory's lock, or return None where another process holds it.

    The kernel frees it when the process dies, so a kill leaves no stale lock.
    """
    handle = (path / _LOCK).open("wb")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _pretty(content: bytes) -> bytes:
    return msgspec.json.format(content, indent=2) + b"\n"


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, by way of a temporary file and a rename."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(_pretty(msgspec.json.encode(value)))
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error


def read_json(path: Path) -> Any:
    """Read a JSON file; InvalidFile where it is missing, not JSON, or not as its name says."""
    try:
        value = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise InvalidFile("no such file", path=path) from None
    except OSError as error:
        raise InvalidFile(f"cannot be read: {error}", path=path) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidFile(f"not JSON: {error}", path=path) from error
    check_shape(path, value)
    return value


def runs(root: Path) -> list[Path]:
    """Return the run directories under `root`, oldest first, finished or not."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if (path / SPEC).is_file())


def find_run(name: str, root: Path) -> Path:
    """Return the directory a user means: a path, a unique prefix, `@latest` or `@baseline`.

    Raises UsageError where none or several answer to `name`.
    """
    path = Path(name)
    if (path / SPEC).is_file():
        return path
    known = runs(root)
    finished = [path for path in known if (path / RUN).exists()]
    if name == "@latest":
        if not finished:
            raise UsageError(f"@latest: no finished run under {root}")
        return max(finished, key=lambda path: (path / RUN).stat().st_mtime_ns)
    if name == "@baseline":
        return _baseline(root)
    matches = [path for path in known if path.name.startswith(name)]
    if len(matches) > 1:
        listed = ", ".join(path.name for path in matches[:5])
        raise UsageError(f"'{name}' is the start of {len(matches)} runs: {listed}")
    if not matches:
        raise UnknownName(f"run under {root}", name, [path.name for path in known])
    return matches[0]


def _baseline(root: Path) -> Path:
    reference = root / "reference"
    blessed = runs(reference)
    if not blessed:
        raise UsageError(f"@baseline: no recorded baseline under {reference}")
    return blessed[-1]
