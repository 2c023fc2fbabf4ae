"""Arguments of generators, as a task file gives them: checked, with what is allowed named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import InvalidFile, suggestion

MAX_PER_CELL = 100_000


class Arguments:
    """The arguments of one generator; each is read by name, and what is wrong raises InvalidFile.

    `known` are the names that the generator takes; another name is refused at once.
    """

    def __init__(self, args: Mapping[str, Any], known: Sequence[str]) -> None:
        self._args = args
        for key in args:
            if key not in known:
                hint = suggestion(str(key), known)
                raise InvalidFile(f"unknown argument{hint}", key=str(key), allowed=", ".join(known))

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        """Return a whole number in low…high."""
        value = self._args.get(name, default)
        if not _is_integer(value, low, high):
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return int(value)

    def per_cell(self) -> int:
        """Return how many rows each cell has; 100 where nothing is said."""
        return self.integer("per_cell", 1, MAX_PER_CELL, 100)

    def integers(self, name: str, low: int, high: int, default: Sequence[int]) -> list[int]:
        """Return a list of different whole numbers in low…high."""
        values = self._list(name, default, f"a list of whole numbers from {low} to {high}")
        if not all(_is_integer(value, low, high) for value in values):
            raise self._wrong(name, f"a list of whole numbers from {low} to {high}")
        return values

    def names(
        self, name: str, allowed: Sequence[str], default: Sequence[str] | None = None
    ) -> list[str]:
        """Return a list of different names, each one of `allowed`; all of them by default."""
        wanted = f"a list of {', '.join(allowed)}"
        values = self._list(name, allowed if default is None else default, wanted)
        if not all(isinstance(value, str) and value in allowed for value in values):
            raise self._wrong(name, wanted)
        return values

    def name(self, name: str, allowed: Sequence[str], default: str) -> str:
        """Return one of `allowed`."""
        value = self._args.get(name, default)
        if not isinstance(value, str) or value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}")
        return value

    def _list(self, name: str, default: Sequence[Any], allowed: str) -> list[Any]:
        values = self._args.get(name, default)
        if not isinstance(values, list | tuple) or not values:
            raise self._wrong(name, allowed)
        if len({repr(value) for value in values}) != len(values):
            raise self._wrong(name, f"{allowed}, each once")
        return list(values)

    def _wrong(self, name: str, allowed: str) -> InvalidFile:
        got = repr(self._args[name]) if name in self._args else "nothing"
        return InvalidFile("wrong argument", key=name, allowed=allowed, got=got)


def _is_integer(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
