"""Sums beyond whole positive numbers: negatives, decimals, fractions, remainders, residues.

Knows nothing of prompts. Every answer is exact: computed with integers and fractions, never with
floats. `expression` is the sum as written, negative operands in brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from math import gcd
from typing import Any

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields, number_of, spelled
from harness.text.numerals import canonical

SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
MAX_DIGITS = 9


def combine(a: Fraction, operation: str, b: Fraction) -> Fraction:
    """Return the exact result of one of the four operations."""
    if operation == "add":
        return a + b
    if operation == "subtract":
        return a - b
    return a * b if operation == "multiply" else a / b


class Negatives:
    """Rows `a, b, operator, expression, answer, digits, signs`, with a negative number in each.

    Arguments: `operations` (add, subtract, multiply), `digits` (list), `signs` (which operands are
    negative: `-+`, `+-`, `--`; `++` is a difference below zero), `per_cell` (100). The cells are
    operation x digits x signs.
    """

    version = 1
    signs = ("-+", "+-", "--", "++")

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("operations", "digits", "signs", "per_cell"))
        operations = given.names("operations", ("add", "subtract", "multiply"))
        lengths = given.integers("digits", 1, MAX_DIGITS, (1, 2, 3))
        signs, per_cell = given.names("signs", self.signs), given.per_cell()
        return self._rows(operations, lengths, signs, (per_cell, seed))

    def _rows(
        self, operations: list[str], lengths: list[int], signs: list[str], drawn: tuple[int, int]
    ) -> Iterator[Row]:
        per_cell, seed = drawn
        for operation in operations:
            for digits in lengths:
                for sign in signs:
                    if sign == "++" and operation != "subtract":
                        continue
                    rng = CounterRandom(seed, "negatives", operation, digits, sign)
                    draw = _negative(operation, digits, sign)
                    yield from balanced(rng, draw, per_cell, key=by_fields("expression"))


def _negative(operation: str, digits: int, signs: str) -> Callable[[CounterRandom], Row | None]:
    def draw(rng: CounterRandom) -> Row | None:
        a, b = (number_of(rng, digits) * (-1 if sign == "-" else 1) for sign in signs)
        answer = combine(Fraction(a), operation, Fraction(b))
        if signs == "++" and answer >= 0:
            return None
        symbol = SYMBOLS[operation]
        return {
            "a": a,
            "b": b,
            "operator": symbol,
            "expression": f"{a} {symbol} {spelled(b)}",
            "answer": canonical(answer),
            "operation": operation,
            "digits": digits,
            "signs": signs,
        }

    return draw


class Decimals:
    """Rows `a, b, operator, expression, answer, operation, places, aligned`.

    Arguments: `operations` (add, subtract, multiply, divide), `places` (decimal places of a),
    `per_cell` (100). The cells are operation x places. In half of the sums and differences b has
    one place more or less (`aligned` is no), where digits must be lined up at the point. Last
    places are never zero; a difference is never negative; a quotient is exact.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("operations", "places", "per_cell"))
        operations = given.names("operations", tuple(SYMBOLS))
        places, per_cell = given.integers("places", 1, MAX_DIGITS, (1, 2, 3)), given.per_cell()
        for operation in operations:
            for count in places:
                rng = CounterRandom(seed, "decimals", operation, count)
                draw = _decimal(operation, count)
                yield from balanced(rng, draw, per_cell, key=by_fields("expression"))


def _with_places(rng: CounterRandom, places: int, whole: int = 2) -> Fraction:
    """Draw a number of 1…whole digits before the point and exactly `places` behind."""
    high = 10 ** (rng.between(1, whole) + places) - 1
    value = rng.between(1, high)
    while places and value % 10 == 0:
        value = rng.between(1, high)
    return Fraction(value, 10**places)


def _decimal(operation: str, places: int) -> Callable[[CounterRandom], Row | None]:
    def draw(rng: CounterRandom) -> Row | None:
        aligned = operation in ("multiply", "divide") or rng.below(2) == 0
        other = places if aligned else places + rng.choice((-1, 1))
        if operation == "multiply":
            other = rng.between(0, 1)
        a, b = _with_places(rng, places), _with_places(rng, other)
        if operation == "divide":
            b = Fraction(rng.between(2, 99))
            a, answer = a * b, a
        else:
            answer = combine(a, operation, b)
        if answer < 0 or (operation == "divide" and a.denominator == 1):
            return None
        row = {
            "a": canonical(a),
            "b": canonical(b),
            "operator": SYMBOLS[operation],
            "expression": f"{canonical(a)} {SYMBOLS[operation]} {canonical(b)}",
            "answer": canonical(answer),
            "operation": operation,
            "places": places,
        }
        return (
            row
            if operation in ("multiply", "divide")
            else {**row, "aligned": "yes" if aligned else "no"}
        )

    return draw


class Fractions:
    """Rows `a, b, operator, expression, answer, operation, denominators`; lowest terms.

    Arguments: `operations` (the four), `denominators` (same, multiple: one divides the other,
    unlike: neither does), `largest` (12), `per_cell` (100). The cells are operation x
    denominators; for multiply and divide the denominators are any (`any`). Operands are proper
    fractions in lowest terms; a difference is never negative.
    """

    version = 1
    kinds = ("same", "multiple", "unlike")

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("operations", "denominators", "largest", "per_cell"))
        operations = given.names("operations", tuple(SYMBOLS))
        kinds, per_cell = given.names("denominators", self.kinds), given.per_cell()
        largest = given.integer("largest", 6, 1000, 12)
        for operation in operations:
            for kind in kinds if operation in ("add", "subtract") else ["any"]:
                rng = CounterRandom(seed, "fractions", operation, kind, largest)
                draw = _fraction(operation, kind, largest)
                yield from balanced(rng, draw, per_cell, key=by_fields("expression"))


def _kind_of(p: int, q: int) -> str:
    if p == q:
        return "same"
    return "multiple" if p % q == 0 or q % p == 0 else "unlike"


def _fraction(operation: str, kind: str, largest: int) -> Callable[[CounterRandom], Row | None]:
    def proper(rng: CounterRandom) -> tuple[int, int]:
        bottom = rng.between(2, largest)
        return rng.between(1, bottom - 1), bottom

    def draw(rng: CounterRandom) -> Row | None:
        (p, q), (r, s) = proper(rng), proper(rng)
        if gcd(p, q) > 1 or gcd(r, s) > 1 or kind not in ("any", _kind_of(q, s)):
            return None
        answer = combine(Fraction(p, q), operation, Fraction(r, s))
        if answer < 0:
            return None
        return {
            "a": f"{p}/{q}",
            "b": f"{r}/{s}",
            "operator": SYMBOLS[operation],
            "expression": f"({p}/{q}) {SYMBOLS[operation]} ({r}/{s})",
            "answer": str(answer),
            "operation": operation,
            "denominators": kind,
        }

    return draw


class Remainders:
    """Rows `a, b, operator, quotient, remainder, answer, digits`: division with a remainder > 0.

    Arguments: `digits` (of divisor and quotient, list), `per_cell` (100).
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("digits", "per_cell"))
        lengths, per_cell = given.integers("digits", 1, MAX_DIGITS, (1, 2, 3)), given.per_cell()
        for digits in lengths:
            rng = CounterRandom(seed, "remainders", digits)
            draw = _remainder(digits)
            yield from balanced(rng, draw, per_cell, key=by_fields("a", "b"))


def _remainder(digits: int) -> Callable[[CounterRandom], Row | None]:
    def draw(rng: CounterRandom) -> Row | None:
        b, quotient = number_of(rng, digits), number_of(rng, digits)
        if b == 1:
            return None
        remainder = rng.between(1, b - 1)
        return {
            "a": b * quotient + remainder,
            "b": b,
            "operator": "/",
            "quotient": quotient,
            "remainder": remainder,
            "answer": f"{quotient} remainder {remainder}",
            "digits": digits,
        }

    return draw


class Residues:
    """Rows `expression, modulus, answer, form, digits`: what is left modulo a number.

    Arguments: `forms` (number: a mod m, sum: (a + b) mod m, product: (a * b) mod m, power:
    a^n mod m), `digits` (of a and b), `per_cell` (100). The cells are form x digits. m is 3…19.
    """

    version = 1
    forms = ("number", "sum", "product", "power")

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("forms", "digits", "per_cell"))
        forms, per_cell = given.names("forms", self.forms), given.per_cell()
        lengths = given.integers("digits", 1, MAX_DIGITS, (1, 2, 3))
        for form in forms:
            for digits in lengths:
                rng = CounterRandom(seed, "residues", form, digits)
                draw = _residue(form, digits)
                yield from balanced(rng, draw, per_cell, key=by_fields("expression", "modulus"))


def _residue(form: str, digits: int) -> Callable[[CounterRandom], Row]:
    def draw(rng: CounterRandom) -> Row:
        a, b, modulus = number_of(rng, digits), number_of(rng, digits), rng.between(3, 19)
        if form == "power":
            b = rng.between(2, 9)
        value, written = {
            "number": (a, f"{a}"),
            "sum": (a + b, f"({a} + {b})"),
            "product": (a * b, f"({a} * {b})"),
            "power": (a**b, f"{a}^{b}"),
        }[form]
        return {
            "expression": written,
            "modulus": modulus,
            "answer": str(value % modulus),
            "form": form,
            "digits": digits,
        }

    return draw
