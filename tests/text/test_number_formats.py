"""Ways of writing a number: each is read back as the number, and recognised as itself alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text.number_formats import FORMATS, LIMIT, chinese_words, scientific
from harness.text.numerals import parse_number

WRITTEN = {
    "digits": ("20305", "-7"),
    "separators": ("20,305", "-7"),
    "spaced": ("2 0 3 0 5", "- 7"),
    "full_width": ("２０３０５", "－７"),
    "words": ("twenty thousand three hundred and five", "minus seven"),
    "chinese": ("两万〇三百〇五", "负七"),
    "chinese_formal": ("贰万零叁佰零伍", "负柒"),
    "scientific": ("2.0305×10^4", "-7×10^0"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_by_worked_examples(name):
    """20305 and -7 in each format, written by hand."""
    assert (FORMATS[name].write(20305), FORMATS[name].write(-7)) == WRITTEN[name]


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "spaced"])
@given(value=st.integers(1 - LIMIT, LIMIT - 1))
def test_what_is_written_is_read_back(name, value):
    """Reading undoes writing, for every whole number up to the limit."""
    assert parse_number(FORMATS[name].write(value)) == value


@given(value=st.integers(0, LIMIT - 1))
def test_spaced_digits_are_read_back(value):
    """Digits apart are one number where the reader is told to expect them."""
    assert parse_number(FORMATS["spaced"].write(value), spaced=True) == value


@pytest.mark.parametrize("name", FORMATS)
@given(value=st.integers(1 - LIMIT, LIMIT - 1))
def test_each_format_knows_its_own(name, value):
    """What a format writes fits it, with a full stop and spaces around as well."""
    text = FORMATS[name].write(value)
    assert FORMATS[name].fits(text)
    assert FORMATS[name].fits(f" {text}. ")


@given(value=st.integers(1000, LIMIT - 1))
def test_formats_of_long_numbers_exclude_each_other(value):
    """From four digits on, a number written in one format fits no other."""
    for name, item in FORMATS.items():
        text = item.write(value)
        assert [other for other in FORMATS if FORMATS[other].fits(text)] == [name]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "零"),
        (2, "二"),
        (10, "十"),
        (12, "十二"),
        (22, "二十二"),
        (200, "两百"),
        (2222, "两千两百二十二"),
        (120000, "十二万"),
        (20005, "两万〇五"),
        (2 * 10**8, "两亿"),
    ],
)
def test_two_in_chinese(value, text):
    """两 stands before 百, 千, 万 and 亿, and 二 elsewhere."""
    assert chinese_words(value) == text


def test_scientific_keeps_all_digits():
    """Zeros at the end go into the exponent and no digit is lost."""
    assert scientific(120) == "1.2×10^2"
    assert scientific(1000001) == "1.000001×10^6"
