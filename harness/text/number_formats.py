"""Ways of writing a whole number, as a factor of a test: written, and recognised again.

Each format writes an integer in one way and says whether a text is written so. Whether the text
also says the right number is `numerals.parse_number`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from harness.text import chinese, english

LIMIT = 10**15
"""Every format writes integers below this in absolute value."""

_FULL = str.maketrans("0123456789-", "０１２３４５６７８９－")
_FORMAL = str.maketrans("一二三四五六七八九十百千", "壹贰叁肆伍陆柒捌玖拾佰仟")


class Format(Struct, frozen=True):
    """One way of writing a whole number."""

    name: str
    write: Callable[[int], str]
    pattern: re.Pattern[str]
    english: str
    """How a prompt asks for it."""
    chinese: str

    def fits(self, text: str) -> bool:
        """Return whether a text, spaces around it and a last full stop aside, is written so."""
        return self.pattern.fullmatch(text.strip().rstrip(".。").strip()) is not None


def _separated(value: int) -> str:
    return f"{value:,}"


def _spaced(value: int) -> str:
    return " ".join(str(value))


def _full_width(value: int) -> str:
    return str(value).translate(_FULL)


def chinese_words(value: int) -> str:
    """Write an integer as it is read aloud: 两 before 百, 千, 万, 亿 and 〇 for empty places.

    >>> chinese_words(20005), chinese_words(321), chinese_words(12)
    ('两万〇五', '三百二十一', '十二')
    """
    spelled = chinese.spell(value)
    spelled = re.sub(r"(?<!十)二(?=[百千万亿])", "两", spelled)
    return spelled if value == 0 else spelled.replace("零", "〇")


def chinese_formal(value: int) -> str:
    """Write an integer as on a cheque, where no character can be altered.

    >>> chinese_formal(100), chinese_formal(10305)
    ('壹佰', '壹万零叁佰零伍')
    """
    spelled = chinese.spell(value)
    if spelled.removeprefix("负").startswith("十"):
        spelled = spelled.replace("十", "一十", 1)
    return spelled.translate(_FORMAL)


def scientific(value: int) -> str:
    """Write an integer exactly as m×10^n with 1 <= |m| < 10.

    >>> scientific(40500), scientific(-7), scientific(0)
    ('4.05×10^4', '-7×10^0', '0×10^0')
    """
    digits = str(abs(value))
    tail = digits[1:].rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}{'.' if tail else ''}{tail}×10^{len(digits) - 1}"


_word = r"(?:[A-Za-z]+)"
_all = (
    Format("digits", str, re.compile(r"-?[0-9]+"),
           "plain digits, such as 1234", "阿拉伯数字，例如 1234"),
    Format("separators", _separated, re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})*"),
           "digits with a comma between thousands, such as 1,234",
           "带千位分隔符的数字，例如 1,234"),
    Format("spaced", _spaced, re.compile(r"(?:- ?)?[0-9](?: [0-9])*"),
           "digits with a space after each, such as 1 2 3 4",
           "每两位之间空一格的数字，例如 1 2 3 4"),
    Format("full_width", _full_width, re.compile(r"[－-]?[０-９]+"),
           "full-width digits, such as １２３４", "全角数字，例如 １２３４"),
    Format("words", english.spell, re.compile(rf"{_word}(?:(?:, |[ -]){_word})*"),
           "English words, such as one thousand two hundred and thirty-four",
           "英文单词，例如 one thousand two hundred and thirty-four"),
    Format("chinese", chinese_words, re.compile(r"负?[零〇一二两三四五六七八九十百千万亿]+"),
           "Chinese numerals, such as 一千二百三十四", "中文小写数字，例如 一千二百三十四"),
    Format("chinese_formal", chinese_formal, re.compile(r"负?[零壹贰叁肆伍陆柒捌玖拾佰仟万亿]+"),
           "formal Chinese numerals, such as 壹仟贰佰叁拾肆", "中文大写数字，例如 壹仟贰佰叁拾肆"),
    Format("scientific", scientific,
           re.compile(r"-?[0-9](?:\.[0-9]+)?(?: ?[×x*·] ?10\^\{?-?[0-9]+\}?|[eE][+-]?[0-9]+)"),
           "scientific notation with all digits, such as 1.234×10^3",
           "保留全部数字的科学记数法，例如 1.234×10^3"),
)  # fmt: skip
FORMATS: Mapping[str, Format] = MappingProxyType({item.name: item for item in _all})
"""The formats, by name."""
