"""Chinese numerals to exact values: 二百五, 两万零三, 1万2千, 3.5亿, 二〇二四, 三点一四, 壹拾."""

from __future__ import annotations

import re
from fractions import Fraction

DIGITS = {
    **{char: value for value, char in enumerate("零一二三四五六七八九")},
    **{char: value for value, char in enumerate("〇壹贰叁肆伍陆柒捌玖")},
    "两": 2, "兩": 2, "貳": 2, "參": 3, "叄": 3, "陸": 6,
}  # fmt: skip
UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}

DIGIT_CLASS = "".join(DIGITS)
UNIT_CLASS = "".join(UNITS) + "".join(MYRIADS)
MAX_LENGTH = 40
"""Characters of the longest numeral that is read; 10^12 takes 24."""

_piece = re.compile(rf"(?P<arabic>[0-9]++(?:\.[0-9]++)?)|(?P<char>[{DIGIT_CLASS}{UNIT_CLASS}])")
_positional = re.compile(f"[{DIGIT_CLASS}]{{2,{MAX_LENGTH}}}")


def _positional_value(text: str) -> int:
    return int("".join(str(DIGITS[char]) for char in text))


class _Reader:
    """Adds up one numeral, unit by unit. Lives for one call of `integer`."""

    def __init__(self) -> None:
        self.total = Fraction(0)  # whole myriads so far
        self.section = Fraction(0)  # below the next myriad
        self.digit: Fraction | None = None  # waits for its unit
        self.unit = 0  # last unit, for 二百五
        self.section_unit = 10**5  # units must fall inside a section
        self.myriad = 10**16  # myriads must fall
        self.zero = False
        self.short = True  # the waiting digit may stand for digit times the next lower unit

    def take_digit(self, value: Fraction, *, single: bool) -> bool:
        if self.digit is not None:
            return False
        self.digit, self.short = value, single
        return True

    def take_unit(self, unit: int) -> bool:
        if unit >= self.section_unit:
            return False
        if self.digit is None:
            if unit != 10 or self.section:  # noqa: PLR2004 - 十二 needs no 一 before 十
                return False
            self.digit = Fraction(1)
        self.section += self.digit * unit
        self.digit, self.unit, self.section_unit, self.zero = None, unit, unit, False
        return True

    def take_myriad(self, unit: int) -> bool:
        value = self.section + (self.digit or 0)
        if value == 0:
            if unit != 10**8 or not self.total or self.myriad != 10**4 or self.unit != 10**4:
                return False
            self.total *= unit  # 万亿
        elif unit > self.myriad:
            self.total = (self.total + value) * unit  # 一千万零五十亿
        elif unit == self.myriad:
            return False
        else:
            self.total += value * unit
        self.section, self.digit, self.section_unit = Fraction(0), None, 10**5
        self.unit, self.myriad, self.zero = unit, unit, False
        return True

    def value(self) -> Fraction | None:
        last = self.digit or Fraction(0)
        if last and self.short and not self.zero and self.unit > 10:  # noqa: PLR2004 - 二十五
            last *= Fraction(self.unit, 10)
        value = self.total + self.section + last
        nothing = value == 0 and not self.zero and self.digit is None
        return None if nothing else value


def integer(text: str) -> Fraction | None:
    """Return the value of a numeral without 点; None where it is none.

    A last digit without a unit after 百 or more counts the next lower unit: 二百五 is 250, 一万二
    is 12000; with 零 it counts ones: 二百零五 is 205.

    >>> integer("1万2千"), integer("二〇二四"), integer("二百五")
    (Fraction(12000, 1), Fraction(2024, 1), Fraction(250, 1))
    """
    if not text or len(text) > MAX_LENGTH:
        return None
    if _positional.fullmatch(text):
        return Fraction(_positional_value(text))
    reader, position = _Reader(), 0
    while position < len(text):
        piece = _piece.match(text, position)
        if piece is None or not _take(reader, piece):
            return None
        position = piece.end()
    return reader.value()


def _take(reader: _Reader, piece: re.Match[str]) -> bool:
    arabic, char = piece.group("arabic"), piece.group("char")
    if arabic is not None:
        single = len(arabic) == 1
        return reader.take_digit(Fraction(arabic), single=single)
    if char in UNITS:
        return reader.take_unit(UNITS[char])
    if char in MYRIADS:
        return reader.take_myriad(MYRIADS[char])
    if DIGITS[char] == 0:
        if reader.digit is not None:
            return False
        reader.zero = True
        return True
    return reader.take_digit(Fraction(DIGITS[char]), single=True)


def number(text: str) -> Fraction | None:
    """Return the value of a numeral that may hold 点 or a decimal point.

    >>> number("三点一四"), number("3.5亿")
    (Fraction(157, 50), Fraction(350000000, 1))
    """
    if len(text) > MAX_LENGTH:
        return None
    whole_text, mark, decimals = text.replace("點", "点").partition("点")
    whole = integer(whole_text)
    if whole is None or not mark:
        return whole
    multiplier = 1
    while decimals and decimals[-1] in MYRIADS and len(decimals) > 1:
        multiplier *= MYRIADS[decimals[-1]]
        decimals = decimals[:-1]
    if not decimals or any(char not in DIGITS for char in decimals):
        return None
    return (whole + Fraction(_positional_value(decimals), 10 ** len(decimals))) * multiplier


def spell(value: int) -> str:
    """Write an integer below 10^16 in Chinese numerals.

    >>> spell(10305), spell(15), spell(-200000000)
    ('一万零三百零五', '十五', '负二亿')
    """
    if abs(value) >= 10**16:
        raise ValueError(f"only integers below 10^16 are spelled, got {value}")
    if value < 0:
        return "负" + spell(-value)
    if value == 0:
        return "零"
    words, gap = "", False
    for unit, name in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"), (1, "")):
        section, value = divmod(value, unit)
        if section:
            pad = words and (gap or section < 1000)  # noqa: PLR2004 - 零 stands for empty places
            words += ("零" if pad else "") + _spell_section(section) + name
        gap = bool(words) and section == 0
    if "万亿" in words and "亿" in words.split("万亿", 1)[1]:
        words = words.replace("万亿", "万", 1)
    return words[1:] if words.startswith("一十") else words


def _spell_section(section: int) -> str:
    words, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, section = divmod(section, unit)
        if digit:
            words += ("零" if gap and words else "") + "零一二三四五六七八九"[digit] + name
            gap = False
        else:
            gap = True
    return words
