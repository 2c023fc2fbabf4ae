"""Error classes of arithmetic: a worked example of each, their order, their chance, metrics."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.identity import CounterRandom
from harness.plugins import load
from harness.records import (
    Choice,
    Exchange,
    Extraction,
    Outcome,
    Request,
    Response,
    Sample,
    Score,
    Transcript,
)
from harness.score.arithmetic import error_profile, explain
from harness.score.error_classes import CLASSES, RULES, Question, classify, null_rates
from harness.text.number import number

EXAMPLES = [
    ("no-number", 12, None, 5, 7, "+"),
    ("no-number", 12, "twelfth of May, or so", 5, 7, "+"),
    ("correct", 12, "12", 5, 7, "+"),
    ("format-only", 1200, "1,200", 500, 700, "+"),
    ("format-only", 12, "twelve", 5, 7, "+"),
    ("format-only", 12, "12.0", 5, 7, "+"),
    ("wrong-operator", 12, 35, 5, 7, "+"),
    ("wrong-operator", 12, -2, 5, 7, "+"),
    ("wrong-operator", 6, 35, 42, 7, "/"),
    ("wrong-operator", 47, 2, 42, 5, "+"),
    ("sign", -5, 5, 3, 8, "-"),
    ("sign", 5, -5, 8, 3, "-"),
    ("magnitude", 350, 35, 70, 5, "*"),
    ("magnitude", 1005, 105, 1000, 5, "+"),
    ("magnitude", Fraction(5, 2), 25, None, None, None),
    ("operand-copy", 61, 24, 24, 37, "+"),
    ("operand-copy", 61, 2437, 24, 37, "+"),
    ("transposition", 1234, 1324, 617, 617, "+"),
    ("carry", 125, 115, 57, 68, "+"),
    ("carry", 125, 25, 57, 68, "+"),
    ("carry", 125, 15, 57, 68, "+"),
    ("carry", 47, 57, 82, 35, "-"),
    ("carry", 108, 88, 27, 4, "*"),
    ("carry", Fraction(125, 10), Fraction(115, 10), "5.7", "6.8", "+"),
    ("carry", -47, -57, 35, 82, "-"),
    ("carry", 47, 57, 82, -35, "+"),
    ("off-by-one-digit", 482, 492, 241, 241, "+"),
    ("single-digit", 482, 412, 241, 241, "+"),
    ("partial-product", 1035, 115, 23, 45, "*"),
    ("partial-product", 1035, 207, 23, 45, "*"),
    ("partial-product", 1035, 1035 + 9 * 115, 23, 45, "*"),
    ("interpolated", 297725, 291825, None, None, None),
    ("leading-only", 4821, 4607, None, None, None),
    ("trailing-only", 4821, 571, None, None, None),
    ("other", 4821, 7, None, None, None),
    ("other", Fraction(1, 3), Fraction(1, 7), None, None, None),
]


@pytest.mark.parametrize(("name", "true", "answer", "a", "b", "operator"), EXAMPLES)
def test_each_class_by_a_worked_example(name, true, answer, a, b, operator):
    """Each class names the mistake that its docstring describes."""
    assert classify(true, answer, a, b, operator) == name


def test_every_class_has_an_example():
    """The examples above leave out no class."""
    assert {row[0] for row in EXAMPLES} == set(CLASSES)


@pytest.mark.parametrize(
    ("true", "answer", "a", "b", "operator", "name"),
    [
        (7, 0, 7, 0, "+", "operand-copy"),  # 7·0 = 0, but 0 is an operand
        (4, 16, 2, 2, "+", "other"),  # 2·2 = 4 is right, so nothing of another operator
        (100, 10, 90, 10, "+", "magnitude"),  # also an operand
        (10, 1, 5, 5, "+", "wrong-operator"),  # 5/5, also 10 with a zero dropped
        (21, 12, 9, 12, "+", "operand-copy"),  # also a transposition
        (121, 111, 55, 66, "+", "carry"),  # also off by one in a digit
        (5, 6, 2, 3, "+", "wrong-operator"),  # also off by one
        (30, 31, 10, 20, "+", "off-by-one-digit"),  # no carry anywhere
        (30, 41, 14, 16, "+", "other"),  # 11 is a sum of powers, but nothing is carried into ones
    ],
)
def test_the_first_class_that_fits_wins(true, answer, a, b, operator, name):
    """Where several classes fit, the earlier one is named; coincidences do not count."""
    assert classify(true, answer, a, b, operator) == name


def test_long_factors_are_searched_for_one_missing_row():
    """Beyond twelve digits only a single missing partial product is looked for."""
    a, b = 987654321, 12345678912345
    assert classify(a * b, a * (b - 5), a, b, "*") == "partial-product"
    assert classify(a * b, a * (b - 45), a, b, "*") != "partial-product"


def test_operators_by_any_name():
    """The true sign, the typographic one and the word name one operator."""
    for sign in ("*", "×", "multiply"):
        assert classify(35, 12, 5, 7, sign) == "wrong-operator"
    assert classify(35, 12, 5, 7, "unknown") == "other"


def test_a_target_that_is_no_number_is_refused():
    """A truth that is no number is the caller's mistake."""
    with pytest.raises(ValueError, match="must be a number"):
        classify("blue", "3")


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.sampled_from("+-*/"),
    st.fractions(max_denominator=1000) | st.integers(-(10**18), 10**18),
)
def test_every_answer_has_one_class(a, b, operator, answer):
    """Any answer to any question gets a class, and `correct` or `format-only` only where equal."""
    if operator == "/" and b == 0:
        b = 1
    exact = {"+": a + b, "-": a - b, "*": a * b, "/": Fraction(a, max(b, 1))}[operator]
    found = classify(exact, answer, a, b, operator)
    assert found in CLASSES
    assert (found in ("correct", "format-only")) == (exact == answer)


@given(st.integers(10, 10**12), st.integers(10, 10**12), st.data())
def test_dropped_carries_are_carry_errors(a, b, data):
    """A sum by hand that forgets some of its carries is a carry error, or fits an earlier class."""
    forget = data.draw(st.sets(st.integers(0, 13)))
    total = carry = 0
    for place in range(14):
        column = a // 10**place % 10 + b // 10**place % 10 + carry
        total += column % 10 * 10**place
        carry = int(column >= 10 and place not in forget)
    if total == a + b:
        return
    earlier = list(RULES)[: list(RULES).index("carry") + 1]
    assert classify(a + b, total, a, b, "+") in earlier


@given(st.integers(11, 10**6), st.integers(11, 10**6))
def test_a_missing_partial_product_is_found(a, b):
    """The product without the ones' row of b is a partial product, or fits an earlier class."""
    without = a * (b - b % 10)
    if b % 10 and without:
        earlier = list(RULES)[: list(RULES).index("partial-product") + 1]
        assert classify(a * b, without, a, b, "*") in earlier


# ---- chance -----------------------------------------------------------------------------------


def test_null_of_one_digit_is_exact():
    """Of 9 wrong digits for 5, two are off by one, seven off by more."""
    assert null_rates([Question(5)]) == {
        "off-by-one-digit": pytest.approx(2 / 9),
        "single-digit": pytest.approx(7 / 9),
    }


def test_null_of_two_digits_is_exact():
    """Of 89 wrong numbers for 47: the counts by hand."""
    rates = null_rates([Question(47)])
    assert rates["transposition"] == pytest.approx(1 / 89)  # 74
    assert rates["off-by-one-digit"] == pytest.approx(4 / 89)  # 37 57 46 48
    assert rates["single-digit"] == pytest.approx((9 + 8 - 4) / 89)
    assert sum(rates.values()) == pytest.approx(1)


def test_null_of_long_numbers_is_near_its_expectation():
    """For long numbers 1 of 9 first digits and 1 of 10 last digits are right by chance."""
    rng = CounterRandom(0, "truths")
    questions = [Question(rng.between(10**7, 10**8 - 1)) for _ in range(300)]
    rates = null_rates(questions, draws=40)
    tail = 0.1 * 8 / 9
    assert rates["leading-only"] + rates["interpolated"] == pytest.approx(1 / 9, abs=0.01)
    assert rates["trailing-only"] == pytest.approx(tail, abs=0.01)
    assert rates == null_rates(questions, draws=40)
    assert rates != null_rates(questions, draws=40, seed=1)


def test_null_keeps_sign_and_places():
    """A guess at -4.7 is a negative number of two digits, and never a sign error."""
    assert null_rates([Question("-4.7")]) == null_rates([Question(47)])


def test_null_of_nothing_is_empty():
    """Without questions, or with answers that are no finite decimals, there are no rates."""
    assert null_rates([]) == {}
    assert null_rates([Question(Fraction(1, 3))]) == {}


# ---- from a scored sample --------------------------------------------------------------------


def scored(text, target="125", finish="stop", **fields):
    """A sample answered by `text`, read by the number extractor."""
    sample = Sample("t", "s", "q", target=(target,), fields=fields)
    response = Response(text=text, finish_reason=finish)
    outcome = Outcome(sample, (Exchange(Request(), response),), Transcript((response,)))
    found = number(text, sample)
    status = "ok" if found else "unparsed"
    return outcome, Score(status, {}, text, found.answer if found else None, found)


@pytest.mark.parametrize(
    ("text", "finish", "name"),
    [
        ("125", "stop", None),
        ("The answer is 115.", "stop", "carry"),
        ("The answer is 125.0", "stop", "format-only"),
        ("Well, first of all", "length", "truncated"),
        ("I do not know.", "stop", "refusal"),
        ("Bananas.", "stop", "no-number"),
    ],
)
def test_explain_names_the_class(text, finish, name):
    """The class is read off the sample's operands, and an unread answer says why it is."""
    assert explain(*scored(text, finish=finish, a=57, b=68, operator="+")) == name


def test_explain_leaves_alone_what_has_no_class():
    """A failed request, a target that is no number, and operands of another base have no class."""
    outcome, score = scored("3", target="blue")
    assert explain(outcome, score) is None
    assert explain(Outcome(outcome.sample, ()), score) is None
    assert explain(*scored("9.11", target="9.9", a="9.9", b="9.11")) == "leading-only"
    choice = Sample("t", "s", "q", target=("7",), choices=(Choice("7"), Choice("8")), gold=0)
    assert explain(replace(outcome, sample=choice), score) is None
    right, read = scored("125")
    assert explain(right, replace(read, answer=None)) is None
    said = replace(read, answer="It comes to 124", extraction=None)
    assert explain(right, said) == "off-by-one-digit"
    assert explain(right, replace(said, answer="none")) == "no-number"
    written = replace(right.sample, target=("125", "1 2 5"))
    assert explain(replace(right, sample=written), replace(read, answer="1 2 5")) is None
    assert explain(*scored("110", target="1100", a="101", b="111", operator="+", base=2)) == (
        "magnitude"
    )


def test_the_profile_sets_chance_beside_each_class():
    """Shares are of the wrong answers, right ones and other writings left out."""
    found = [None, "format-only", "single-digit", "single-digit", "truncated", "carry"]
    profile = {item.name: item for item in error_profile(found, [Question(5)] * 4)}
    assert list(profile) == ["single-digit", "truncated", "carry"]
    assert (profile["single-digit"].times, profile["single-digit"].share) == (2, 0.5)
    assert profile["single-digit"].low < 0.5 < profile["single-digit"].high
    assert profile["single-digit"].expected == pytest.approx(7 / 9)
    assert profile["carry"].expected == 0
    assert profile["truncated"].expected is None
    assert error_profile([None, "format-only"], []) == []


def metric(name, text, target="125", **fields):
    """The value of one metric."""
    return load("metric", name).score(*scored(text, target, **fields))


@pytest.mark.parametrize(
    ("name", "text", "target", "value"),
    [
        ("digit_match", "124", "125", 2 / 3),
        ("digit_match", "25", "125", 2 / 3),
        ("digit_match", "1.5", "2.5", 0.5),
        ("digit_match", "none", "2.5", 0.0),
        ("digit_match", "2/3", "1/3", None),
        ("digit_match", "7", "blue", None),
        ("relative_error", "150", "125", 0.2),
        ("relative_error", "none", "125", 10.0),
        ("relative_error", "1000000", "0", 10.0),
        ("length_difference", "12", "12500", 3.0),
        ("length_difference", "none", "12", None),
        ("length_difference", "2/3", "1/3", None),
        ("congruent_9", "215", "125", 1.0),
        ("congruent_10", "215", "125", 1.0),
        ("congruent_11", "215", "125", 0.0),
        ("congruent_9", "2", "5/2", None),
        ("value_match", "one hundred and twenty-five", "125", 1.0),
        ("value_match", "none", "125", 0.0),
    ],
)
def test_metrics_by_worked_examples(name, text, target, value):
    """Each metric's value on an answer worked out by hand."""
    assert metric(name, text, target) == (None if value is None else pytest.approx(value))


def plain(name, output, target, **fields):
    """A metric of an answer taken as a whole line, without a canonical value."""
    outcome, _ = scored("1", target, **fields)
    found = Extraction(output, "text", 0, len(output)) if output else None
    score = Score("ok" if output else "unparsed", {}, output, output or None, found)
    return load("metric", name).score(outcome, score)


def test_value_match_reads_any_format():
    """Spaced digits, and a sentence with one number in it, are read; two numbers are not."""
    assert plain("value_match", "1 2 5", "125") == 1
    assert plain("value_match", "It comes to 125 in all.", "125") == 1
    assert plain("value_match", "either 125 or 126", "125") == 0
    assert plain("value_match", "", "125") == 0
    outcome, score = scored("125")
    odd = replace(score, extraction=replace(score.extraction, value="B"))
    assert load("metric", "value_match").score(outcome, odd) == 1


def test_sequence_match_compares_the_last_numbers():
    """The last k numbers must be the target's, in order; separators do not matter."""
    assert plain("sequence_match", "2, 4.5, 10", "2, 4.5, 10") == 1
    assert plain("sequence_match", "sorted: 2 < 4.5 < 10", "2, 4.5, 10") == 1
    assert plain("sequence_match", "10, 4.5, 2", "2, 4.5, 10") == 0
    assert plain("sequence_match", "10", "2, 10") == 0
    assert plain("sequence_match", "", "2, 10") == 0
    assert plain("sequence_match", "3", "no numbers") == 0


def test_format_followed_looks_at_the_output_itself():
    """Full-width digits are recognised though the answer has its width folded."""
    assert plain("format_followed", "１２５", "125", asked="full_width") == 1
    assert plain("format_followed", "125", "125", asked="full_width") == 0
    assert plain("format_followed", "1,250", "1250", asked="separators") == 1
    assert plain("format_followed", "", "125", asked="digits") == 0
    assert plain("format_followed", "125", "125") is None
    outcome, score = scored("125", asked="digits")
    followed = load("metric", "format_followed")
    assert followed.score(outcome, replace(score, extraction=None)) == 1
    assert plain("format_followed", "125", "125", asked="morse") is None
