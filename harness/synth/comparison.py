"""Which of two numbers is larger, and numbers put in order: 9.11 against 9.9 and its like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields, number_of
from harness.text.numerals import canonical

Pair = tuple[str, str]
"""Two numbers as written, the larger one first."""


def _ordered(left: str, right: str) -> Pair | None:
    x, y = Fraction(left), Fraction(right)
    if x == y:
        return None
    return (left, right) if x > y else (right, left)


def _integers(rng: CounterRandom) -> Pair | None:
    digits = rng.between(2, 6)
    return _ordered(str(number_of(rng, digits)), str(number_of(rng, digits)))


def _neighbours(rng: CounterRandom) -> Pair | None:
    """Whole numbers that differ in one digit of the middle."""
    digits = rng.between(5, 9)
    a, place = number_of(rng, digits), rng.between(1, digits - 2)
    b = a + rng.choice((-2, -1, 1, 2)) * 10**place
    return _ordered(str(a), str(b)) if len(str(b)) == digits else None


def _longer_is_smaller(rng: CounterRandom) -> Pair | None:
    """9.9 against 9.11: read as whole numbers or as versions, the digits behind say otherwise."""
    whole, short = rng.between(0, 99), rng.between(2, 9)
    long = rng.between(11, short * 10 - 1)
    return (f"{whole}.{short}", f"{whole}.{long}") if long % 10 else None


def _longer_is_larger(rng: CounterRandom) -> Pair | None:
    whole, short = rng.between(0, 99), rng.between(1, 9)
    long = rng.between(short * 10 + 1, 99)
    return (f"{whole}.{long}", f"{whole}.{short}") if long % 10 else None


def _zero_behind_the_point(rng: CounterRandom) -> Pair | None:
    """3.5 against 3.05, and 3.04 against 3.004."""
    whole, digit, zeros = rng.between(0, 99), rng.between(1, 9), rng.between(0, 2)
    other = rng.between(1, 99)
    if other % 10 == 0:
        return None
    return _ordered(f"{whole}.{'0' * zeros}{digit}", f"{whole}.{'0' * (zeros + 1)}{other}")


def _negative(rng: CounterRandom) -> Pair | None:
    places = rng.between(0, 2)
    scale = 10**places
    values = [canonical(Fraction(-rng.between(1, 999), scale)) for _ in range(2)]
    return _ordered(*values)


def _fractions(rng: CounterRandom) -> Pair | None:
    values = []
    for _ in range(2):
        bottom = rng.between(2, 15)
        values.append(f"{rng.between(1, bottom - 1)}/{bottom}")
    if abs(Fraction(values[0]) - Fraction(values[1])) > Fraction(1, 4):
        return None
    return _ordered(*values)


KINDS: Mapping[str, Callable[[CounterRandom], Pair | None]] = {
    "integers": _integers,
    "neighbours": _neighbours,
    "longer-is-smaller": _longer_is_smaller,
    "longer-is-larger": _longer_is_larger,
    "zero-behind-the-point": _zero_behind_the_point,
    "negative": _negative,
    "fractions": _fractions,
}


class Comparison:
    """Rows `a, b, answer, other, kind, first, distance`: which of a and b is the larger number.

    Arguments: `kinds` (all of `KINDS`), `per_cell` (100). The cells are the kinds; in each the
    larger number comes first as often as second (`first` is larger or smaller). `distance` is
    the order of magnitude of |a-b|: near (below 0.1), close (below 10), far.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("kinds", "per_cell"))
        for kind in given.names("kinds", tuple(KINDS)):
            rng = CounterRandom(seed, "comparison", kind)
            rows = balanced(
                rng, _compared(kind), given.per_cell(), key=by_fields("answer", "other")
            )
            for number, row in enumerate(rows):
                larger_first = number % 2 == 0
                pair = (row["answer"], row["other"])
                a, b = pair if larger_first else pair[::-1]
                yield {"a": a, "b": b, **row, "first": "larger" if larger_first else "smaller"}


def _compared(kind: str) -> Callable[[CounterRandom], Row | None]:
    def draw(rng: CounterRandom) -> Row | None:
        pair = KINDS[kind](rng)
        if pair is None:
            return None
        gap = abs(Fraction(pair[0]) - Fraction(pair[1]))
        distance = "near" if gap < Fraction(1, 10) else "close" if gap < 10 else "far"  # noqa: PLR2004
        return {"answer": pair[0], "other": pair[1], "kind": kind, "distance": distance}

    return draw


def _sorted_integers(rng: CounterRandom) -> str:
    return str(number_of(rng, rng.between(1, 5)))


def _sorted_decimals(rng: CounterRandom) -> str:
    """Numbers of one whole part and 1 to 3 decimal places, so that length misleads."""
    places = rng.between(1, 3)
    return canonical(7 + Fraction(rng.between(1, 10**places - 1), 10**places))


def _sorted_signed(rng: CounterRandom) -> str:
    return canonical(Fraction(rng.between(-999, 999), 10 ** rng.between(0, 1)))


SORTED: Mapping[str, Callable[[CounterRandom], str]] = {
    "integers": _sorted_integers,
    "decimals": _sorted_decimals,
    "signed": _sorted_signed,
}


class Sorting:
    """Rows `numbers, answer, reverse, kind, length`: numbers to be put in ascending order.

    Arguments: `kinds` (all of `SORTED`), `lengths` (how many numbers), `per_cell` (100). The cells
    are kind x length; no number comes twice in a row, and none stands in order already.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("kinds", "lengths", "per_cell"))
        kinds, per_cell = given.names("kinds", tuple(SORTED)), given.per_cell()
        for kind in kinds:
            for length in given.integers("lengths", 3, 20, (3, 5, 8)):
                rng = CounterRandom(seed, "sorting", kind, length)
                draw = _unsorted(kind, length)
                yield from balanced(rng, draw, per_cell, key=by_fields("answer"))


def _unsorted(kind: str, length: int) -> Callable[[CounterRandom], Row | None]:
    def draw(rng: CounterRandom) -> Row | None:
        values = [SORTED[kind](rng) for _ in range(length)]
        if len(set(map(Fraction, values))) < length:
            return None
        ascending = sorted(values, key=Fraction)
        if values in (ascending, ascending[::-1]):
            return None
        return {
            "numbers": ", ".join(values),
            "answer": ", ".join(ascending),
            "reverse": ", ".join(reversed(ascending)),
            "kind": kind,
            "length": length,
        }

    return draw
