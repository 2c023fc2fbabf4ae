"""Numbers: every way of writing one leads back to its exact value."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text import chinese, english
from harness.text.numerals import (
    MAX_DIGITS,
    canonical,
    equal_numbers,
    find_numbers,
    parse_number,
    parse_numeral,
)

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
integers = st.integers(-(10**12), 10**12)
naturals = st.integers(0, 10**12)


def group(value: int, size: int, mark: str) -> str:
    """Write digits in groups of `size` from the right."""
    digits = str(value)
    head = len(digits) % size or size
    parts = [digits[:head], *(digits[i : i + size] for i in range(head, len(digits), size))]
    return mark.join(parts)


FORMALS = str.maketrans("零一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")
TRADITIONAL = str.maketrans("两万亿", "兩萬億")


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda value: group(value, 3, ","),
        lambda value: group(value, 3, "\u202f"),
        lambda value: group(value, 3, "\u2009"),
        lambda value: group(value, 3, "\u00a0"),
        lambda value: group(value, 3, "{,}"),
        lambda value: group(value, 4, ","),
        lambda value: group(value, 3, ",").translate(WIDE),
        lambda value: f"{value}.00",
        lambda value: f"${value}",
        english.spell,
        lambda value: english.spell(value).upper(),
        lambda value: english.spell(value).replace("-", " "),
        chinese.spell,
        lambda value: chinese.spell(value).translate(FORMALS),
        lambda value: chinese.spell(value).translate(TRADITIONAL),
    ],
)
@given(value=naturals)
def test_natural_numbers_round_trip(write: object, value: int) -> None:
    """A natural number up to 10^12 is read back from each way of writing it."""
    assert parse_number(write(value)) == value  # type: ignore[operator]


@given(value=integers, sign=st.sampled_from(["-", "−", "－", "minus ", "负", "negative "]))
def test_signs_round_trip(value: int, sign: str) -> None:
    """A sign in any of its forms makes the number negative."""
    assert parse_number(f"{sign}{abs(value)}") == -abs(value)


@given(value=st.integers(-(10**15) + 1, 10**15 - 1))
def test_words_round_trip(value: int) -> None:
    """Numbers in words of both languages are found whole, sign included."""
    for text in (english.spell(value), chinese.spell(value)):
        found = list(find_numbers(text))
        assert [(item.start, item.end, item.value) for item in found] == [(0, len(text), value)]


@given(numerator=integers, places=st.integers(0, 9))
def test_decimals_round_trip(numerator: int, places: int) -> None:
    """A finite decimal is exact: its canonical form is read back to the same fraction."""
    value = Fraction(numerator, 10**places)
    assert parse_number(canonical(value)) == value


@given(top=st.integers(-999, 999), bottom=st.integers(1, 999))
def test_fractions_round_trip(top: int, bottom: int) -> None:
    """Fractions are exact in plain, LaTeX and Chinese form (denominator first)."""
    value = Fraction(top, bottom)
    assert parse_number(canonical(value)) == value
    assert parse_number(f"{top}/{bottom}") == value
    assert parse_number(f"\\frac{{{top}}}{{{bottom}}}") == value
    sign = "负" if top < 0 else ""
    written = f"{sign}{chinese.spell(bottom)}分之{chinese.spell(abs(top))}"
    if bottom > 1:
        assert parse_number(written) == value


@given(whole=st.integers(1, 999), top=st.integers(1, 98), more=st.integers(1, 99))
def test_mixed_numbers_round_trip(whole: int, top: int, more: int) -> None:
    """A whole number with a proper fraction is their sum."""
    assert parse_number(f"{whole} {top}/{top + more}") == whole + Fraction(top, top + more)
    assert parse_number(f"{whole}又{top}/{top + more}") == whole + Fraction(top, top + more)


@given(digits=st.integers(1, 9999), exponent=st.integers(-30, 30))
def test_scientific_notation_round_trips(digits: int, exponent: int) -> None:
    """Powers of ten are exact in each notation."""
    value = digits * Fraction(10) ** exponent
    high = str(exponent).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    for text in (f"{digits}e{exponent}", f"{digits}×10^{exponent}", f"{digits}×10{high}",
                 f"{digits} \\times 10^{{{exponent}}}"):  # fmt: skip
        assert parse_number(text) == value


@given(value=st.integers(0, 10**6))
def test_percentages_round_trip(value: int) -> None:
    """A percentage is a number of hundredths, in both languages."""
    for text in (f"{value}%", f"{value} percent", f"{value}\\%", f"百分之{chinese.spell(value)}"):
        item = parse_numeral(text)
        assert item is not None
        assert (item.value, item.percent) == (Fraction(value, 100), True)


@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    """Finding numbers never fails; they are in order, apart, and inside the text."""
    last = 0
    for item in find_numbers(text):
        assert last <= item.start < item.end <= len(text)
        last = item.end
    parse_number(text)
    parse_number(text, spaced=True)


@given(
    st.text("0123456789.,/%-−+×xeE^{}\\$¥ 一二两三十百千万亿点分之半又个负 and half", max_size=60)
)
def test_numeric_noise_is_survived(text: str) -> None:
    """The same holds where nearly every character belongs to a number."""
    test_any_text_is_survived.hypothesis.inner_test(text)  # type: ignore[attr-defined]


def test_spaced_digits_are_joined_only_on_request() -> None:
    """Digits set apart are one number only when that is asked for."""
    assert parse_number("1 2 3", spaced=True) == 123
    assert parse_number("1 2 3") is None


def test_numbers_beyond_the_bound_are_passed_over() -> None:
    """A hostile run of digits costs nothing and yields nothing."""
    assert parse_number("9" * MAX_DIGITS) == 10**MAX_DIGITS - 1
    assert list(find_numbers("9" * (MAX_DIGITS + 1))) == []
    assert parse_number("9" * (3 * MAX_DIGITS)) is None
    assert list(find_numbers("1e99999")) == []
    assert list(find_numbers("1," * 3 + "9" * (MAX_DIGITS + 1)))[-1].value == 1
    assert next(find_numbers("9" * (MAX_DIGITS + 1) + ",1,1")).value == 1


@pytest.mark.parametrize(
    ("answer", "target", "same"),
    [
        ("50%", "50", True),
        ("50%", "0.5", True),
        ("50", "50%", True),
        ("50", "0.5", False),
        ("50%", "百分之五十", True),
        ("50%", "5", False),
        ("1,234.50", "1234.5", True),
        ("two", "2", True),
        ("十二", "12", True),
        ("12 apples", "12", True),
        ("apples", "12", False),
        ("12", "apples", False),
        ("1/3", "0.333", False),
    ],
)
def test_numbers_are_compared_by_value(answer: str, target: str, *, same: bool) -> None:
    """Equal values are equal however written; a percent sign on one side alone may be left out."""
    assert equal_numbers(answer, target) is same


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("二百五", 250),
        ("二百零五", 205),
        ("一万二", 12000),
        ("一千二", 1200),
        ("两万三千", 23000),
        ("三万五千亿", 3_500_000_000_000),
        ("一千零五十万亿", 1050 * 10**12),
        ("1万2", 12000),
        ("1万2345", 12345),
        ("十", 10),
        ("一二三", 123),
        ("〇", 0),
        ("1亿2345万", 123_450_000),
    ],
)
def test_chinese_integers(text: str, value: int) -> None:
    """Chinese numerals of each habit are read as a Chinese reader reads them."""
    assert chinese.integer(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "百",
        "万",
        "一百百",
        "一万万万",
        "二三十",
        "十十",
        "苹果",
        "一" * 41,
        "一亿二亿",
        "五a",
        "1一",
        "零百",
        "十三零",
    ],
)
def test_what_is_no_chinese_integer(text: str) -> None:
    """What does not make one numeral is refused rather than guessed."""
    assert chinese.integer(text) is None


@pytest.mark.parametrize("text", ["三点", "点五", "三点十", "一" * 41])
def test_what_is_no_chinese_decimal(text: str) -> None:
    """点 without digits on both sides makes no number: 三点 is three o'clock."""
    assert chinese.number(text) is None


def test_chinese_decimals() -> None:
    """点 is the decimal point, and a myriad may follow."""
    assert chinese.number("三点一四") == Fraction(157, 50)
    assert chinese.number("一点五万") == 15000


@pytest.mark.parametrize("spell", [english.spell, chinese.spell])
def test_spelling_has_a_bound(spell: object) -> None:
    """Numbers beyond the bound are refused, not misspelled."""
    with pytest.raises(ValueError, match="only integers below"):
        spell(10**16)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("one two three", [1, 2, 3]),
        ("five and six", [5, 6]),
        ("a dozen", [12]),
        ("two and a half", [Fraction(5, 2)]),
        ("two and three quarters", [Fraction(11, 4)]),
        ("two and half", [2, Fraction(1, 2)]),
        ("three point", [3]),
        ("twenty-first", []),
        ("hundred", []),
        ("point", []),
        ("one hundred and", [100]),
        ("two thousand million", [2000]),
        ("zero one", [0, 1]),
        ("minus three", [-3]),
        ("three point one dozen", [Fraction(31, 10), 12]),
        ("two and zero quarters", [2, 0]),
        ("one zero", [1, 0]),
    ],
)
def test_english_number_words(text: str, values: list[object]) -> None:
    """Words are joined only as far as they make one number."""
    assert [value for _, _, value in english.find(text)] == values
