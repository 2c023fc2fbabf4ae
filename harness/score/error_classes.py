"""Which mistake a wrong number looks like, and how often a guess looks like it by chance.

Works on numbers alone; knows no task and no model. `classify` tries the classes of `CLASSES` in
order and the first that fits names the mistake. The order matters: an answer that fits a precise
class (another operator's result) is not counted under a vague one (last digit right).

Digit rules compare the digits of two finite decimals of one sign, both written with as many
decimal places as the longer needs: 12.5 and 12.45 are compared as 1250 and 1245.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

from harness.identity import CounterRandom
from harness.text.numerals import canonical, parse_number

BASE = 10
MAX_POWER = 20
"""A magnitude error is at most so many places."""
MAX_FACTOR_DIGITS = 12
"""Longer factors are not searched for missing partial products (there are 2^n subsets)."""
MIN_INTERPOLATED = 5
"""Two right digits, two wrong ones, one right digit."""

SIGNS: Mapping[str, str] = {
    "+": "+", "-": "-", "\u2212": "-", "*": "*", "\u00d7": "*", "/": "/", "\u00f7": "/",
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/",
}  # fmt: skip
"""Ways of naming an operator, by its canonical sign."""


@dataclass(frozen=True)
class Mistake:
    """A true value and a different one that was answered, with the operands where known."""

    true: Fraction
    answer: Fraction
    a: Fraction | None = None
    b: Fraction | None = None
    operator: str | None = None

    @cached_property
    def digits(self) -> tuple[str, str] | None:
        """Digits of truth and answer at one scale; None where signs differ or none is finite."""
        if self.true * self.answer < 0:
            return None
        scale = common_scale(self.true, self.answer)
        if scale is None:
            return None
        return str(abs(int(self.true * scale))), str(abs(int(self.answer * scale)))

    @cached_property
    def aligned(self) -> tuple[str, str] | None:
        """`digits`, where both have equally many."""
        pair = self.digits
        return pair if pair is not None and len(pair[0]) == len(pair[1]) else None

    @cached_property
    def wrong_places(self) -> list[int]:
        """Positions from the left at which `aligned` digits differ."""
        assert self.aligned is not None
        return [i for i, (x, y) in enumerate(zip(*self.aligned, strict=True)) if x != y]

    @cached_property
    def column(self) -> tuple[str, int, int, int] | None:
        """The sum done by hand: (sign, larger |a|, smaller |b|, |ŷ-y|), all whole numbers.

        A sum of numbers of unlike sign is done as a subtraction, and the reverse.
        """
        if self.a is None or self.b is None or self.operator is None:
            return None
        scale = common_scale(self.true, self.answer, self.a, self.b)
        if scale is None:
            return None
        sign = self.operator
        if sign in "+-" and self.a * self.b < 0:
            sign = "-" if sign == "+" else "+"
        per_product = scale * scale if sign == "*" else scale
        a, b = abs(int(self.a * scale)), abs(int(self.b * scale))
        return sign, max(a, b), min(a, b), abs(int((self.answer - self.true) * per_product))


def common_scale(*values: Fraction) -> int | None:
    """Return the least power of ten that makes all values whole; None where none does.

    >>> common_scale(Fraction(5, 2), Fraction(1, 100)), common_scale(Fraction(1, 3))
    (100, None)
    """
    places = 0
    for value in values:
        written = canonical(value)
        if "/" in written:
            return None
        places = max(places, len(written.partition(".")[2]))
    return int(BASE**places)


# ---- the rules, in the order in which they are tried -----------------------------------------


def _is_wrong_operator(m: Mistake) -> bool:
    """The result of another of + - * / (exact, floored or the remainder) on a and b.

    Not where that result is ±y (sign) or an operand (operand copy): 7+0 answered by 7·1.
    """
    if m.a is None or m.b is None or m.operator is None:
        return False
    results = {"+": {m.a + m.b}, "-": {m.a - m.b, m.b - m.a}, "*": {m.a * m.b}, "/": set()}
    if m.b:
        results["/"] = {m.a / m.b, Fraction(m.a // m.b), m.a % m.b}
    others = set().union(*(found for sign, found in results.items() if sign != m.operator))
    return m.answer in others - {m.true, -m.true, m.a, m.b}


def _is_sign(m: Mistake) -> bool:
    """ŷ = -y: 3-8 answered by 5."""
    return m.answer == -m.true


def _is_magnitude(m: Mistake) -> bool:
    """ŷ = y·10^k with k ≠ 0, or zeros within y lost or added: 1005 answered by 105."""
    if not m.true or not m.answer:
        return False
    ratio = m.answer / m.true
    top, bottom = str(ratio.numerator), str(ratio.denominator)
    short = len(top) + len(bottom) <= MAX_POWER + 2
    if short and top.rstrip("0") == bottom.rstrip("0") == "1":
        return True
    pair = m.digits
    if pair is None or len(pair[0]) == len(pair[1]):
        return False
    return pair[0].replace("0", "") == pair[1].replace("0", "") != ""


def _is_operand_copy(m: Mistake) -> bool:
    """An operand, or the two written one after the other: 12+34 answered by 1234."""
    if m.a is None or m.b is None:
        return False
    if abs(m.answer) in (abs(m.a), abs(m.b)):
        return True
    joined = parse_number(canonical(abs(m.a)) + canonical(abs(m.b)))
    return joined is not None and abs(m.answer) == joined


def _is_transposition(m: Mistake) -> bool:
    """Two neighbouring digits changed places and nothing else: 1234 answered by 1324."""
    if m.aligned is None or len(m.wrong_places) != 2:  # noqa: PLR2004 - a pair
        return False
    (true, answer), (i, j) = m.aligned, m.wrong_places
    return j == i + 1 and true[i] == answer[j] and true[j] == answer[i]


def _is_carry(m: Mistake) -> bool:
    """At least one carry (borrow) of the sum by hand was dropped or taken twice.

    + and -: |ŷ-y| is a sum of different 10^j, each at a column that a carry goes into:
    57+68 answered by 115. For * |ŷ-y| = c·10^j for one carry c into column j of the long
    multiplication, all partial products added column by column: 27·4 answered by 88.
    """
    if m.column is None or m.true * m.answer < 0:
        return False
    sign, a, b, difference = m.column
    if sign == "*":
        return difference in {c * BASE**j for j, c in _product_carries(a, b)}
    if sign == "/":
        return False
    into = set(_carry_columns(a, b) if sign == "+" else _borrow_columns(a, b))
    ones = {place for place, digit in enumerate(reversed(str(difference))) if digit == "1"}
    return set(str(difference)) <= {"0", "1"} and ones <= into and bool(ones)


def _is_off_by_one_digit(m: Mistake) -> bool:
    """One digit is wrong, by 1: 482 answered by 492."""
    if m.aligned is None or len(m.wrong_places) != 1:
        return False
    (true, answer), (i,) = m.aligned, m.wrong_places
    return abs(int(true[i]) - int(answer[i])) == 1


def _is_single_digit(m: Mistake) -> bool:
    """One digit is wrong, by more than 1: 482 answered by 412."""
    return m.aligned is not None and len(m.wrong_places) == 1


def _is_partial_product(m: Mistake) -> bool:
    """In a product, partial products are missing, or one stands a column too far left or right.

    ŷ is the sum of some but not all of a·d·10^j over the digits d of b (or the reverse), or of
    all with one of them at 10^(j±1): 23·45 answered by 115 = 23·5.
    """
    if m.column is None or m.column[0] != "*" or m.a is None or m.b is None:
        return False
    scale = common_scale(m.true, m.answer, m.a, m.b)
    assert scale is not None  # the column has one
    answer, (_, a, b, _) = abs(int(m.answer * scale * scale)), m.column
    return any(answer in _wrong_sums(*factors) for factors in ((a, b), (b, a)))


def _is_interpolated(m: Mistake) -> bool:
    """Equally long, first two and last digit right, at least two wrong between.

    Head and tail are what magnitude and last digits give away; the middle takes the procedure:
    36·827·10+5 = 297725 answered by 291825.
    """
    if m.aligned is None or len(m.aligned[0]) < MIN_INTERPOLATED:
        return False
    return m.wrong_places[0] > 1 and m.wrong_places[-1] < len(m.aligned[0]) - 1


def _is_leading_only(m: Mistake) -> bool:
    """Equally long, and the first digit right: 4821 answered by 4607."""
    return m.aligned is not None and m.wrong_places[0] > 0


def _is_trailing_only(m: Mistake) -> bool:
    """The last digit right, at any length: 4821 answered by 571."""
    return m.digits is not None and m.digits[0][-1] == m.digits[1][-1]


RULES: Mapping[str, Callable[[Mistake], bool]] = {
    "wrong-operator": _is_wrong_operator,
    "sign": _is_sign,
    "magnitude": _is_magnitude,
    "operand-copy": _is_operand_copy,
    "transposition": _is_transposition,
    "carry": _is_carry,
    "off-by-one-digit": _is_off_by_one_digit,
    "single-digit": _is_single_digit,
    "partial-product": _is_partial_product,
    "interpolated": _is_interpolated,
    "leading-only": _is_leading_only,
    "trailing-only": _is_trailing_only,
}
CLASSES = ("no-number", "correct", "format-only", *RULES, "other")
"""All that `classify` returns, in the order in which it is tried."""


# ---- carries by hand --------------------------------------------------------------------------


def _columns(a: int, b: int) -> Iterator[tuple[int, int, int]]:
    """Yield (column, digit of a, digit of b) from the right."""
    place = 0
    while a or b:
        yield place, a % BASE, b % BASE
        a, b, place = a // BASE, b // BASE, place + 1


def _carry_columns(a: int, b: int) -> Iterator[int]:
    """Yield the columns that a carry goes into when a and b are added."""
    carry = 0
    for place, x, y in _columns(a, b):
        carry = int(x + y + carry >= BASE)
        if carry:
            yield place + 1


def _borrow_columns(a: int, b: int) -> Iterator[int]:
    """Yield the columns that are borrowed from when b is taken from a (a >= b)."""
    borrow = 0
    for place, x, y in _columns(a, b):
        borrow = int(x - y - borrow < 0)
        if borrow:
            yield place + 1


def _product_carries(a: int, b: int) -> Iterator[tuple[int, int]]:
    """Yield (column, carry into it) of a long multiplication summed column by column."""
    left, right = [int(d) for d in reversed(str(a))], [int(d) for d in reversed(str(b))]
    carry = 0
    for column in range(len(left) + len(right) - 1):
        low = max(0, column - len(right) + 1)
        terms = (left[i] * right[column - i] for i in range(low, min(column + 1, len(left))))
        carry = (sum(terms) + carry) // BASE
        if carry:
            yield column + 1, carry


def _wrong_sums(a: int, b: int) -> set[int]:
    """Return what a·b comes to with partial products missing or one of them misplaced."""
    parts = [a * int(d) * BASE**j for j, d in enumerate(reversed(str(b))) if d != "0"]
    total = sum(parts)
    sums = {0}
    if len(parts) <= MAX_FACTOR_DIGITS:
        for part in parts:
            sums |= {known + part for known in sums}
    else:
        sums |= {total - part for part in parts}
    moved = {total + 9 * part for part in parts} | {total - part + part // BASE for part in parts}
    return (sums | moved) - {0, total}


# ---- the class of one answer, and of guesses -------------------------------------------------


def canonical_sign(operator: object) -> str | None:
    """Return + - * / for an operator by sign or name; None for anything else."""
    return SIGNS.get(operator.strip().lower()) if isinstance(operator, str) else None


def as_value(written: object) -> Fraction | None:
    """Return the number that a field, target or answer holds; None where it is none."""
    if isinstance(written, bool) or written is None:
        return None
    if isinstance(written, int | Fraction):
        return Fraction(written)
    return parse_number(str(written), spaced=True)


def classify(
    true: object, answer: object, a: object = None, b: object = None, operator: object = None
) -> str:
    """Return the class of an answer: `correct`, or the first of `CLASSES` that fits.

    `no-number`: the answer is none or holds none. `format-only`: the right number, written
    otherwise. The docstrings of the rules define the others; a rule that needs operands is
    passed over where they are not given. Numbers may be given as text in any form that
    `parse_number` reads. Raises ValueError where `true` is no number. The list follows the
    classes named for MATH 401 (Yuan et al. 2023, arXiv:2304.02015), NUPA (Yang et al. 2024,
    arXiv:2411.03766) and for the interpolation of digits in "Faith and Fate" (Dziri et al. 2023,
    arXiv:2305.18654).

    >>> classify("125", "115", 57, 68, "+"), classify(-5, 5), classify("1200", "1,200")
    ('carry', 'sign', 'format-only')
    """
    truth, value = as_value(true), as_value(answer)
    if truth is None:
        raise ValueError(f"the true value must be a number, got {true!r}")
    if value is None:
        return "no-number"
    if value == truth:
        return "correct" if str(answer).strip() == str(true).strip() else "format-only"
    mistake = Mistake(truth, value, as_value(a), as_value(b), canonical_sign(operator))
    return next((name for name, fits in RULES.items() if fits(mistake)), "other")


class Question(NamedTuple):
    """What `null_rates` guesses at: as the arguments of `classify`."""

    true: object
    a: object = None
    b: object = None
    operator: object = None


def null_rates(
    questions: Iterable[Question], *, draws: int = 100, seed: int = 0
) -> dict[str, float]:
    """Return each class's expected share of the wrong answers of a guesser.

    The guesser knows sign, number of digits and decimal places, and draws the digits evenly
    (no leading zero in numbers of two digits or more). Where there are at most `draws` such
    numbers all are counted and the share is exact. Each question weighs the same; questions
    whose answer is no finite decimal are passed over. Shares sum to 1; no questions, no shares.
    """
    total: Counter[str] = Counter()
    weight = 0.0
    for true, a, b, operator in questions:
        known = as_value(true), as_value(a), as_value(b), canonical_sign(operator)
        shares = _shares_of_guesses(known, draws, seed)
        total.update(shares)
        weight += bool(shares)
    return {name: total[name] / weight for name in CLASSES if total[name]}


Known = tuple[Fraction | None, Fraction | None, Fraction | None, str | None]
"""True value, operands and sign."""


@lru_cache(maxsize=16_384)
def _shares_of_guesses(known: Known, draws: int, seed: int) -> dict[str, float]:
    """Return the share of each class among the wrong guesses at one question.

    The draws depend on the question alone, so that models which miss the same questions share
    them, and their order does not matter.
    """
    truth = known[0]
    rng = CounterRandom(seed, "null", *(str(part) for part in known))
    found = Counter(classify(truth, guess, *known[1:]) for guess in _guesses(truth, rng, draws))
    del found["format-only"], found["correct"]
    wrong = sum(found.values())
    return {name: count / wrong for name, count in found.items()}


def _guesses(truth: Fraction | None, rng: CounterRandom, draws: int) -> Sequence[Fraction]:
    scale = None if truth is None else common_scale(truth)
    if truth is None or scale is None:
        return []
    sign, length = (-1 if truth < 0 else 1), len(str(abs(int(truth * scale))))
    low = BASE ** (length - 1) if length > 1 else 0
    size = BASE**length - low
    if size <= draws:
        return [Fraction(sign * (low + i), scale) for i in range(size)]
    return [Fraction(sign * (low + _below(rng, size)), scale) for _ in range(draws)]


def _below(rng: CounterRandom, size: int) -> int:
    """Return a number in [0, size) for any size; 64 bits more than needed make it even."""
    value, room = 0, 1
    while room < size << 64:
        value, room = (value << 64) | rng.bits(), room << 64
    return value % size
