"""Finds tasks by name, glob, tag or path. Reads task files, never rows."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

import harness
from harness.errors import InvalidFile, UnknownName
from harness.task.load import load_task, task_name
from harness.task.spec import TaskSpec
from harness.yamlfile import SUFFIXES, first_key

_GLOB = frozenset("*?[")


class Selected(Struct, frozen=True):
    """A task that was asked for."""

    name: str
    path: Path
    outright: bool
    """Named itself, not reached by a glob or tag: what cannot run is then an error."""
    root: Path | None = None
    """The folder of tasks it belongs to; None for a file of the user's own."""

    def load(self) -> TaskSpec:
        """Read the task; raises `InvalidFile`."""
        return load_task(self.path, self.root)


def default_roots() -> list[Path]:
    """Return the folder of tasks that came with the harness, in a checkout or a wheel."""
    package = Path(harness.__file__).resolve().parent
    checkout = package.parent / "tasks"
    if (package.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return [checkout]
    shipped = package / "_tasks"
    return [shipped] if shipped.is_dir() else []


def home(path: Path, roots: Sequence[Path]) -> Path | None:
    """Return the folder of tasks that holds `path`; None for a file of the user's own."""
    return next((root for root in roots if path.resolve().is_relative_to(root.resolve())), None)


class Catalogue:
    """The tasks under some folders."""

    def __init__(self, roots: Sequence[Path] | None = None) -> None:
        self.roots = tuple(default_roots() if roots is None else roots)

    def names(self) -> list[str]:
        """Return the names of all tasks, sorted. Looks at the head of each file only."""
        return sorted({name for name, _, _ in self._files()})

    def resolve(self, patterns: Iterable[str]) -> list[Selected]:
        """Return the tasks that `patterns` name, in that order, each once.

        Raises `UnknownName` for a pattern that matches nothing and `InvalidFile` where two files
        bear one name.
        """
        chosen: dict[str, Selected] = {}
        for pattern in patterns:
            for found in self._match(pattern):
                before = chosen.get(found.name)
                if before is None:
                    chosen[found.name] = found
                elif before.path.resolve() != found.path.resolve():
                    raise InvalidFile(
                        f"two files name the task '{found.name}'",
                        path=found.path,
                        line=1,
                        key="task",
                        got=f"also in {before.path}",
                    )
                elif found.outright and not before.outright:
                    chosen[found.name] = found
        return list(chosen.values())

    def load_all(self) -> Iterator[tuple[Selected, TaskSpec]]:
        """Yield every task with its contents, by name; raises `InvalidFile` at a broken file."""
        for name, path, root in sorted(self._files(), key=lambda item: item[0]):
            yield Selected(name, path, outright=False, root=root), load_task(path, root)

    def _files(self) -> Iterator[tuple[str, Path, Path]]:
        for root in self.roots:
            for path in sorted(root.rglob("*")):
                if path.suffix in SUFFIXES and path.is_file() and first_key(path) == "task":
                    yield task_name(path, root), path, root

    def _match(self, pattern: str) -> list[Selected]:
        if pattern.startswith("tag:"):
            return self._tagged(pattern)
        if pattern.endswith(SUFFIXES):
            return [self._own_file(Path(pattern))]
        files = list(self._files())
        globbing = bool(_GLOB & set(pattern))
        found = [
            Selected(name, path, outright=not globbing, root=root)
            for name, path, root in files
            if name == pattern or (globbing and fnmatch.fnmatchcase(name, pattern))
        ]
        if not found:
            raise UnknownName("task", pattern, sorted({name for name, _, _ in files}))
        return sorted(found, key=lambda item: item.name)

    def _tagged(self, pattern: str) -> list[Selected]:
        tag = pattern.removeprefix("tag:")
        tags: set[str] = set()
        found: list[Selected] = []
        for selected, spec in self.load_all():
            tags.update(spec.tags)
            if tag in spec.tags:
                found.append(selected)
        if not found:
            raise UnknownName("tag", tag, sorted(tags))
        return found

    def _own_file(self, path: Path) -> Selected:
        if not path.exists():
            raise InvalidFile("no such task file", path=path)
        root = home(path, self.roots)
        spec = load_task(path, root)
        return Selected(spec.task, path, outright=True, root=root)
