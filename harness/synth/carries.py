"""Sums and differences whose carries are set, not left to chance.

Carries make long sums hard, and in random operands their number grows with the length, so that
the two cannot be told apart. Here every number of carries is a cell of its own at every length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields

BASE = 10
MAX_DIGITS = 18


def longest_run(columns: Iterable[bool]) -> int:
    """Return the length of the longest run of True.

    >>> longest_run([True, False, True, True])
    2
    """
    longest = run = 0
    for carries in columns:
        run = run + 1 if carries else 0
        longest = max(longest, run)
    return longest


def carry_pattern(a: int, b: int) -> list[bool]:
    """Return for each column from the right whether it carries when a and b are added.

    >>> carry_pattern(95, 7)
    [True, True]
    """
    found, carry = [], 0
    while a or b:
        carry = int(a % BASE + b % BASE + carry >= BASE)
        found.append(bool(carry))
        a, b = a // BASE, b // BASE
    return found


def borrow_pattern(a: int, b: int) -> list[bool]:
    """Return for each column from the right whether it borrows when b is taken from a (a >= b).

    Taking away borrows exactly where adding back carries.

    >>> borrow_pattern(100, 1)
    [True, True, False]
    """
    pattern = carry_pattern(a - b, b)
    return pattern + [False] * (len(str(a)) - len(pattern))


def _pair(rng: CounterRandom, columns: Sequence[bool]) -> tuple[int, int]:
    """Draw two numbers of len(columns) digits that carry in exactly these columns."""
    a = b = carry = 0
    last = len(columns) - 1
    for place, carries in enumerate(columns):
        low = 1 if place == last and last > 0 else 0
        fitting = [
            (x, y)
            for x in range(low, BASE)
            for y in range(low, BASE)
            if (x + y + carry >= BASE) == carries
        ]
        x, y = rng.choice(fitting)
        a, b, carry = a + x * BASE**place, b + y * BASE**place, int(carries)
    return a, b


def _difference(rng: CounterRandom, columns: Sequence[bool]) -> tuple[int, int]:
    """Draw a >= b of len(columns) digits that borrow in exactly these columns."""
    a = b = borrow = 0
    last = len(columns) - 1
    for place, borrows in enumerate(columns):
        low = 1 if place == last and last > 0 else 0
        fitting = [
            (x, y)
            for x in range(low, BASE)
            for y in range(low, BASE)
            if (x - y - borrow < 0) == borrows
        ]
        x, y = rng.choice(fitting)
        a, b, borrow = a + x * BASE**place, b + y * BASE**place, int(borrows)
    return a, b


class Carries:
    """Rows `a, b, operator, answer, digits, carries, chain`.

    Arguments: `operation` (add, subtract), `digits` (list), `per_cell` (100). The cells are
    digits x carries: 0…d carries of a sum, 0…d-1 borrows of a difference, whose highest column
    cannot borrow. Which columns carry is drawn evenly; `chain` is the longest run of carries.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("operation", "digits", "per_cell"))
        operation = given.name("operation", ("add", "subtract"), "add")
        lengths = given.integers("digits", 1, MAX_DIGITS, (2, 4, 6))
        return self._rows(operation, lengths, given.per_cell(), seed)

    def _rows(
        self, operation: str, lengths: Sequence[int], per_cell: int, seed: int
    ) -> Iterator[Row]:
        for digits in lengths:
            for carries in range(digits + (operation == "add")):
                rng = CounterRandom(seed, "carries", operation, digits, carries)
                draw = _drawer(operation, digits, carries)
                yield from balanced(rng, draw, per_cell, key=by_fields("a", "b"))


def _drawer(operation: str, digits: int, carries: int) -> Callable[[CounterRandom], Row]:
    adds = operation == "add"

    def draw(rng: CounterRandom) -> Row:
        columns = [False] * digits
        for place in rng.sample(range(digits if adds else digits - 1), carries):
            columns[place] = True
        a, b = _pair(rng, columns) if adds else _difference(rng, columns)
        return {
            "a": a,
            "b": b,
            "operator": "+" if adds else "-",
            "answer": str(a + b if adds else a - b),
            "digits": digits,
            "carries": carries,
            "chain": longest_run(columns),
        }

    return draw
