"""Whole numbers in bases 2, 8 and 16: read, written and added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields

BASES = (2, 8, 16)
MAX_DIGITS = 12
_DIGITS = "0123456789abcdef"


def written(value: int, base: int) -> str:
    """Write a number >= 0 in a base of 2…16, letters in lower case.

    >>> written(10, 2), written(255, 16)
    ('1010', 'ff')
    """
    text = _DIGITS[value % base]
    while value >= base:
        value //= base
        text = _DIGITS[value % base] + text
    return text


class Bases:
    """Rows `question, answer, wrong, base, operation, digits` and for sums `a, b, operator`.

    Arguments: `bases` (2, 8, 16), `operations` (read: to base ten, write: from base ten, add: in
    the base), `digits` (of the number in its base), `per_cell` (100). The cells are base x
    operation x digits. The smaller ones have few items and come whole.
    """

    version = 1
    operations = ("read", "write", "add")

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("bases", "operations", "digits", "per_cell"))
        bases = given.integers("bases", 2, 16, BASES)
        operations = given.names("operations", self.operations)
        lengths, per_cell = given.integers("digits", 2, MAX_DIGITS, (2, 4, 8)), given.per_cell()
        for base in bases:
            for operation in operations:
                for digits in lengths:
                    rng = CounterRandom(seed, "bases", base, operation, digits)
                    draw = _drawer(base, operation, digits)
                    yield from balanced(rng, draw, per_cell, key=by_fields("question"))


def _drawer(base: int, operation: str, digits: int) -> Callable[[CounterRandom], Row]:
    def draw(rng: CounterRandom) -> Row:
        a, b = (rng.between(base ** (digits - 1), base**digits - 1) for _ in range(2))
        here = written(a, base)
        row: Row = {"base": base, "operation": operation, "digits": digits}
        if operation == "read":
            question = f"Write the base-{base} number {here} in base ten."
            return {"question": question, "answer": str(a), "wrong": str(a + 1), **row}
        if operation == "write":
            question = f"Write the base-ten number {a} in base {base}."
            return {"question": question, "answer": here, "wrong": written(a + 1, base), **row}
        a, b = min(a, b), max(a, b)
        return {
            "question": f"Add the base-{base} numbers {written(a, base)} and {written(b, base)}. "
            f"Give the sum in base {base}.",
            "answer": written(a + b, base),
            "wrong": written(a + b + 1, base),
            "a": written(a, base),
            "b": written(b, base),
            "operator": "+",
            **row,
        }

    return draw
