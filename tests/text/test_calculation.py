"""Exact evaluation: by Python's own arithmetic, by hand, and hostile texts."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text.calculation import CalculationError, answer_text, calculate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("8-3-2", 3),
        ("100/8/5", Fraction(5, 2)),
        ("7//2", 3),
        ("-7 // 2", -4),
        ("7 % 4", 3),
        ("50%", Fraction(1, 2)),
        ("20% * 30", 6),
        ("30 * 20%", 6),
        ("(5)%", Fraction(1, 20)),
        ("7%(2+2)", 3),
        ("2^3^2", 512),
        ("2**-1", Fraction(1, 2)),
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("--3", 3),
        ("+3", 3),
        ("0.1+0.2", Fraction(3, 10)),
        (".5 + 2.", Fraction(5, 2)),
        ("1,234,567 + 1", 1234568),
        ("３×（４＋１）", 15),
        ("6 ÷ 4 − 1", Fraction(1, 2)),
        ("[1+2]·2", 6),
        ("0^0 + 1^99999 + (-1)^99999", 1),
        ("0 ^ 5", 0),
    ],
)
def test_values_by_hand(text, value):
    """Precedence, signs, powers, percent and typographic signs as one would do them by hand."""
    assert calculate(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing"),
        ("   ", "nothing"),
        ("1/0", "division by zero"),
        ("1 // (2-2)", "division by zero"),
        ("0^-1", "division by zero"),
        ("2^0.5", "whole powers"),
        ("9^9^9", "too large"),
        ("9^9999999999999", "too large"),
        ("1.5^-99999", "too large"),
        ("(1+2", "not closed"),
        ("1+2)", "unexpected ')'"),
        ("1 2", "unexpected '2'"),
        ("1+", "unexpected end"),
        ("*3", "unexpected '*'"),
        ("__import__('os')", "cannot read '__import__"),
        ("1,23", "cannot read ',23'"),
        ("x = 3", "cannot read 'x"),
        ("(" * 400 + "1" + ")" * 400, "deep"),
        ("-" * 400 + "1", "deep"),
        ("1" * 1001, "longer than"),
    ],
)
def test_what_has_no_value_says_why(text, said):
    """Nonsense, hostile text and results without bound are refused with a short reason."""
    with pytest.raises(CalculationError) as caught:
        calculate(text)
    assert said in str(caught.value)


def test_products_are_bounded():
    """A product of many large powers stops at the bound."""
    with pytest.raises(CalculationError, match="too large"):
        calculate("*".join(["9^2000"] * 3))


trees = st.recursive(
    st.integers(0, 99).map(lambda n: (str(n), Fraction(n))),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda t: (
            f"({t[0][0]} {t[1]} {t[2][0]})",
            {"+": t[0][1] + t[2][1], "-": t[0][1] - t[2][1], "*": t[0][1] * t[2][1]}[t[1]],
        )
    ),
    max_leaves=12,
)


@given(trees)
def test_nested_expressions_are_exact(tree):
    """Any bracketed expression has the value that its own tree has."""
    text, value = tree
    assert calculate(text) == value


@given(st.text(max_size=60))
def test_any_text_has_a_value_or_a_reason(text):
    """No text raises anything but CalculationError, whatever it holds."""
    with contextlib.suppress(CalculationError):
        assert isinstance(calculate(text), Fraction)


def test_answers_are_written_exactly():
    """Whole numbers and finite decimals as such; a fraction has its decimal beside it."""
    assert answer_text(Fraction(6)) == "6"
    assert answer_text(Fraction(-1, 8)) == "-0.125"
    assert answer_text(Fraction(1, 3)) == "1/3 (about 0.3333333333)"
