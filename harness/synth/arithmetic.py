"""Integer arithmetic, balanced by the number of digits of both operands.

Knows nothing of prompts or models. Both operands have exactly as many digits as their cell says,
so that a score by digits shows where a model's arithmetic stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from harness.errors import InvalidFile, suggestion
from harness.identity import CounterRandom

BASE = 10
MAX_DIGITS = 19
"""The widest numbers that `CounterRandom` draws, which has 64 bits."""
MAX_PER_CELL = 100_000


class Operation(NamedTuple):
    """One of the four operations: its sign, and how a pair drawn makes an item."""

    symbol: str
    item: Callable[[int, int], tuple[int, int, int] | None]
    """(first, second) drawn → (a, b, answer), or None where the pair makes no item."""
    carries: Callable[[int, int], int] | None
    """Carries or borrows of (a, b), where the operation has them."""


def count_carries(a: int, b: int) -> int:
    """Return how many columns carry when `a` and `b` (both >= 0) are added by hand.

    >>> count_carries(95, 7), count_carries(12, 34)
    (2, 0)
    """
    carry = count = 0
    while a or b:
        carry = int(a % BASE + b % BASE + carry >= BASE)
        count += carry
        a, b = a // BASE, b // BASE
    return count


def count_borrows(a: int, b: int) -> int:
    """Return how many columns borrow when `b` is taken from `a` (a >= b >= 0) by hand.

    >>> count_borrows(100, 1), count_borrows(56, 34)
    (2, 0)
    """
    borrow = count = 0
    while a or b:
        borrow = int(a % BASE - b % BASE - borrow < 0)
        count += borrow
        a, b = a // BASE, b // BASE
    return count


def _subtract(a: int, b: int) -> tuple[int, int, int] | None:
    return (a, b, a - b) if a >= b else None


def _divide(quotient: int, b: int) -> tuple[int, int, int] | None:
    return (quotient * b, b, quotient) if b else None


OPERATIONS: Mapping[str, Operation] = {
    "add": Operation("+", lambda a, b: (a, b, a + b), count_carries),
    "subtract": Operation("-", _subtract, count_borrows),
    "multiply": Operation("*", lambda a, b: (a, b, a * b), None),
    "divide": Operation("/", _divide, None),
}


def whole_numbers(digits: int) -> range:
    """Return the numbers of exactly `digits` digits; one digit includes zero.

    >>> whole_numbers(1), whole_numbers(2)
    (range(0, 10), range(10, 100))
    """
    return range(BASE ** (digits - 1) if digits > 1 else 0, BASE**digits)


def _pair_count(operation: str, digits: int) -> int:
    """Return how many distinct items a cell has."""
    size = len(whole_numbers(digits))
    if operation == "subtract":
        return size * (size + 1) // 2
    if operation == "divide":
        return size * (size - int(digits == 1))
    return size * size


def _pairs(
    rng: CounterRandom, operation: str, digits: int, count: int
) -> Iterator[tuple[int, int]]:
    """Yield drawn pairs: every pair of a small cell in random order, else pairs for ever."""
    numbers = whole_numbers(digits)
    if count >= _pair_count(operation, digits):
        yield from rng.shuffled([(first, second) for first in numbers for second in numbers])
        return
    while True:
        yield rng.between(numbers[0], numbers[-1]), rng.between(numbers[0], numbers[-1])


class Arithmetic:
    """Rows `a, b, operator, answer, digits` and, for add and subtract, `carries`.

    Arguments: `operation` (add, subtract, multiply, divide), `digits` (list of the cells),
    `per_cell` (rows of each cell, 100). Subtraction never goes below zero. Division is exact:
    divisor and quotient have the cell's digits, `a` is their product. Rows of a cell are distinct;
    a cell that has fewer distinct items than `per_cell` comes whole.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[dict[str, Any]]:
        """Yield rows, cell after cell. Raises `InvalidFile` where an argument is wrong."""
        operation, cells, per_cell = _checked(args)
        return (row for digits in cells for row in _cell(operation, digits, per_cell, seed))


def _cell(operation: str, digits: int, per_cell: int, seed: int) -> Iterator[dict[str, Any]]:
    rng = CounterRandom(seed, "arithmetic", operation, digits)
    symbol, make, carries = OPERATIONS[operation]
    seen: set[tuple[int, int]] = set()
    for first, second in _pairs(rng, operation, digits, per_cell):
        item = make(first, second)
        if item is None or item[:2] in seen:
            continue
        a, b, answer = item
        seen.add((a, b))
        row = {"a": a, "b": b, "operator": symbol, "answer": str(answer), "digits": digits}
        yield row if carries is None else {**row, "carries": carries(a, b)}
        if len(seen) == per_cell:
            return


def _checked(args: Mapping[str, Any]) -> tuple[str, list[int], int]:
    known = ("operation", "digits", "per_cell")
    for key in args:
        if key not in known:
            hint = suggestion(str(key), known)
            raise InvalidFile(f"unknown argument{hint}", key=str(key), allowed=", ".join(known))
    operation = args.get("operation")
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise _wrong("operation", ", ".join(OPERATIONS), args)
    digits = args.get("digits")
    if not isinstance(digits, list | tuple) or not digits or not all(map(_is_width, digits)):
        raise _wrong("digits", f"a list of whole numbers from 1 to {MAX_DIGITS}", args)
    if len(set(digits)) != len(digits):
        raise _wrong("digits", "each number once", args)
    per_cell = args.get("per_cell", 100)
    if not _is_int(per_cell) or not 1 <= per_cell <= MAX_PER_CELL:
        raise _wrong("per_cell", f"a whole number from 1 to {MAX_PER_CELL}", args)
    return operation, list(digits), per_cell


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_width(value: object) -> bool:
    return isinstance(value, int) and _is_int(value) and 1 <= value <= MAX_DIGITS


def _wrong(key: str, allowed: str, args: Mapping[str, Any]) -> InvalidFile:
    got = repr(args[key]) if key in args else "nothing"
    return InvalidFile("wrong argument", key=key, allowed=allowed, got=got)
