"""Work out an expression exactly: a small parser of its own, bounded in time and memory.

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/" | "//" | "%") signed)*
    signed  = ("+" | "-") signed | power
    power   = atom (("^" | "**") signed)?
    atom    = number "%"? | "(" sum ")"

Values are fractions, never floats. × · ÷ and full-width signs are understood, and so are commas
between thousands. A "%" that no operand follows means hundredths. The text may be hostile: no
name, call or attribute exists in this language, and every size is limited.
"""

from __future__ import annotations

import re
from fractions import Fraction

from harness.text.normalise import fold_width
from harness.text.numerals import canonical

MAX_LENGTH = 1000
"""Characters of the longest expression."""
MAX_DEPTH = 50
"""Brackets, signs and powers within each other."""
MAX_BITS = 8192
"""Size of any value's numerator and denominator."""

_token = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|(?P<sign>\*\*|//|[-+*/%^()]))")
_thousands = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])")
_same = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")"})


class CalculationError(ValueError):
    """The text is no expression, or has no value; the message says why, fit to be shown."""


def calculate(text: str) -> Fraction:
    """Return the exact value of an expression; raises CalculationError.

    >>> calculate("2 * (3 + 4) - 1/3"), calculate("1,000 × 2"), calculate("-2^2")
    (Fraction(41, 3), Fraction(2000, 1), Fraction(-4, 1))
    """
    if len(text) > MAX_LENGTH:
        raise CalculationError(f"longer than {MAX_LENGTH} characters")
    plain = fold_width(text).translate(_same)
    plain = _thousands.sub(lambda match: match.group().replace(",", ""), plain)
    return _Parser(_tokens(plain)).whole()


def answer_text(value: Fraction) -> str:
    """Write a value: a whole number, a finite decimal, or a fraction with its decimal beside.

    >>> answer_text(Fraction(5, 2)), answer_text(Fraction(2, 3))
    ('2.5', '2/3 (about 0.6666666667)')
    """
    exact = canonical(value)
    if "/" not in exact:
        return exact
    places = 10**10
    rounded = Fraction(round(value * places), places)
    return f"{exact} (about {canonical(rounded)})"


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _token.match(text, position)
        if match is None:
            rest = text[position:].strip()
            raise CalculationError(f"cannot read '{rest[:20]}'")
        found.append(match.group().strip())
        position = match.end()
    return found


class _Parser:
    """Reads one list of tokens from left to right. Lives for one call of `calculate`."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.position, self.depth = tokens, 0, 0

    def whole(self) -> Fraction:
        if not self.tokens:
            raise CalculationError("nothing to work out")
        value = self.sum()
        if self.position < len(self.tokens):
            raise CalculationError(f"unexpected '{self.tokens[self.position]}'")
        return value

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def sum(self) -> Fraction:
        value = self.product()
        while self.peek() in ("+", "-"):
            adds = self.take() == "+"
            right = self.product()
            value = _bounded(value + right if adds else value - right)
        return value

    def product(self) -> Fraction:
        value = self.signed()
        while self.peek() in ("*", "/", "//", "%"):
            sign, right = self.take(), self.signed()
            if sign == "*":
                value = _bounded(value * right)
                continue
            if not right:
                raise CalculationError("division by zero")
            results = {"/": value / right, "//": Fraction(value // right), "%": value % right}
            value = _bounded(results[sign])
        return value

    def signed(self) -> Fraction:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CalculationError(f"nested more than {MAX_DEPTH} deep")
        if self.peek() in ("+", "-"):
            value = self.signed() if self.take() == "+" else -self.signed()
        else:
            value = self.power()
        self.depth -= 1
        return value

    def power(self) -> Fraction:
        base = self.atom()
        if self.peek() not in ("^", "**"):
            return base
        self.take()
        return _power(base, self.signed())

    def atom(self) -> Fraction:
        piece = self.take()
        if piece == "(":
            value = self.sum()
            if self.take() != ")":
                raise CalculationError("a bracket is not closed")
        elif piece[:1].isdecimal() or piece[:1] == ".":
            value = _bounded(Fraction(piece.rstrip(".")))
        else:
            raise CalculationError(f"unexpected '{piece}'" if piece else "unexpected end")
        if self.peek() == "%" and not self._operand_follows():
            self.take()
            value /= 100
        return value

    def _operand_follows(self) -> bool:
        after = self.tokens[self.position + 1 : self.position + 2]
        return bool(after) and (after[0] == "(" or after[0][0] in "0123456789.")


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise CalculationError("the result is too large")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise CalculationError("only whole powers can be worked out exactly")
    if base == 0 and exponent < 0:
        raise CalculationError("division by zero")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(base) not in (0, 1) and bits * abs(int(exponent)) > MAX_BITS:
        raise CalculationError("the result is too large")
    return Fraction(base ** int(exponent))
