"""Find numbers in English and Chinese text and read them exactly, as fractions, never as floats.

Read are: 1,234,567 and 1 234 567 (thin or no-break space), 1,2345,6789, decimals, signs, currency,
percent and 百分之, 3/4, 1 1/2, ½, LaTeX fractions, 1.2e5, 1.2×10^5, number words, Chinese numerals.
Every pattern runs in linear time and every number is bounded in length: text is hostile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from harness.text import chinese, english
from harness.text.normalise import fold_width

MAX_DIGITS = 1000
"""Digits of the longest number that is read; more are passed over."""

MAX_EXPONENT = 1000

Kind = Literal["number", "word", "half", "date", "time", "version", "ordinal"]


class Numeral(Struct, frozen=True):
    """A number in a text."""

    value: Fraction
    start: int
    end: int
    kind: Kind = "number"
    percent: bool = False
    """Written in hundredths: `value` of 50% is 1/2."""


_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8),
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_MINUS = "-−–﹣"
_SEPARATOR = r"(?:,|\{,\}|\\,|['\u2009\u202f\u00a0])"

_arabic = re.compile(
    rf"""(?<![A-Za-z0-9_.^])(?<![A-Za-z][\^_]\{{)
    (?P<date>[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}(?![0-9])
      | [0-9]{{1,2}}/[0-9]{{1,2}}/(?:[0-9]{{4}}|[0-9]{{2}})(?![0-9]) )
    | (?<![A-Za-z0-9_.^])(?P<time>[0-9]{{1,2}}:[0-5][0-9](?::[0-5][0-9])?(?![0-9:]))
    | (?:(?<![A-Za-z0-9_.^])|(?<=USD)|(?<=RMB)|(?<=CNY)|(?<=EUR)|(?<=10\^)
        |(?<=\bRs)(?!\.)|(?<=\bRs\.))
      (?:(?P<chain>[0-9]++(?:{_SEPARATOR}[0-9]++)*+)(?P<dots>(?:\.[0-9]++)*+)|(?P<bare>\.[0-9]++))
    | (?P<vulgar>[{"".join(_VULGAR)}])
    | \\[dt]?frac\s?\{{(?P<top>\s?-?[0-9]{{1,99}}\s?)\}}
      \s?\{{(?P<bottom>\s?[0-9]{{1,99}}\s?)\}}
    """,
    re.VERBOSE,
)
_before = re.compile(
    rf"(?:[{_MINUS}]\s?|(?:minus|negative)\s)?(?:US|HK|\\)?[$€£¥￥₹][{_MINUS}]?$"
    rf"|[{_MINUS}]$|\b(?:minus|negative)\s$|负$|負$|零下$",
    re.IGNORECASE,
)
_is_minus = re.compile(rf"[{_MINUS}负負]|minus|negative|零下", re.IGNORECASE)
_power = re.compile(
    r"[eE](?P<e>[+-]?[0-9]{1,12})(?![0-9A-Za-z])"
    r"|\s?(?:[×xX*·]|\\times|\\cdot)\s?10(?:\^|\*\*)\{?\s?(?P<ten>[+\-−]?[0-9]{1,12})\}?(?![0-9])"
    r"|\s?(?:[×xX*·]|\\times|\\cdot)\s?10(?P<high>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,5})"
)
_raised = re.compile(r"\^\{?([0-9]{1,2})(?![0-9])\}?")
_over = re.compile(r"(?P<gap>\s?)/(?P=gap)(?P<bottom>[0-9]{1,99})(?![0-9/]|\.[0-9])")
_mixed = re.compile(
    r"(?:[ ]|\s?and\s|-|又)(?P<top>[0-9]{1,9})/(?P<bottom>[0-9]{1,9})(?![0-9/.,])"
    rf"|\s?(?P<vulgar>[{''.join(_VULGAR)}])"
    r"|\s?\\[dt]?frac\s?\{(?P<t>[0-9]{1,9})\}\s?\{(?P<b>[0-9]{1,9})\}"
)
_scale = re.compile(
    r"[ ]?(?P<word>thousand|million|billion|trillion|dozen)\b", re.IGNORECASE | re.ASCII
)
_percent = re.compile(r"\s?\\?%|[ -]?per[ ]?cent\b|\s?(?P<mille>‰)", re.IGNORECASE)
_ordinal = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)

_D, _U = chinese.DIGIT_CLASS, chinese.UNIT_CLASS
_part = rf"[0-9.,点點{_D}{_U}]"
_zh = re.compile(
    rf"""(?P<sign>负|負|零下)?(?:
      (?:(?P<whole>[0-9{_D}{_U}]{{1,12}}+)又)?+
        (?P<bottom>[0-9{_D}{_U}]{{1,20}}+)分之(?P<top>{_part}{{1,40}}+)
    | (?P<mixed>(?<![0-9.,])[0-9]{{1,15}}+(?:\.[0-9]{{1,15}}+)?+[{_U}]{{1,2}}+
        (?:零?+[0-9]{{1,8}}+(?:\.[0-9]{{1,8}}+)?+[{_U}]{{0,2}}+){{0,8}}+)
    | (?P<half>一半|半(?=[个個斤天年月小里]|$))
    | (?P<pure>[{_D}{_U}]{{1,40}}+(?:[点點][{_D}]{{1,40}}+[万萬亿億]?+(?![十百千分]))?+)
    )""",
    re.VERBOSE,
)
_zh_half = re.compile(r"(?:[个個天年周岁斤尺里]|小时|个月)半")
_kilo_unit = re.compile(r"[克瓦卡帕赫伏焦]")
_kilometre = re.compile(r"[0-9]+千米")
_tenths = re.compile(rf"成([{_D}])?(?![功为為员員人立长長年本了交都就])")
_zh_percent = re.compile(r"\s?(?:%|个百分点)")


def canonical(value: Fraction) -> str:
    """Write a value in its one canonical form: integer, finite decimal, or fraction.

    >>> canonical(Fraction(5, 4)), canonical(Fraction(-2, 6)), canonical(Fraction(1200))
    ('1.25', '-1/3', '1200')
    """
    if value.denominator == 1:
        return str(value.numerator)
    twos, fives, rest = 0, 0, value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def prepare(text: str) -> str:
    """Fold width, except that a full-width comma beside ASCII digits stays a clause mark.

    In Chinese prose 共有12，345是错的 holds two numbers; in １２，３４５ the comma groups digits.
    The length is kept.
    """
    return fold_width(re.sub(r"(?<=[0-9])，|，(?=[0-9])", "、", text))


def find_numbers(text: str) -> Iterator[Numeral]:
    """Yield the numbers of a text in order, without overlap; dates and times are marked as such.

    Positions are those of `text`. Cost is linear in its length.
    """
    folded = prepare(text)
    found = [*_find_chinese(folded), *_find_arabic(folded)]
    found += [
        Numeral(value / 100 if share else value, start, end, "word", share is not None)
        for start, old_end, value in english.find(folded)
        for share in [_percent.match(folded, old_end)]
        for end in [share.end() if share else old_end]
    ]
    # Longest first where several begin together: 1万2千 before 1.
    found.sort(key=lambda item: (item.start, -item.end))
    last = 0
    for item in found:
        if item.start >= last:
            yield item
            last = item.end


def _find_arabic(text: str) -> Iterator[Numeral]:
    position = 0
    while (match := _arabic.search(text, position)) is not None:
        position = match.end()
        kind = match.lastgroup
        if kind in ("date", "time"):
            yield Numeral(Fraction(0), match.start(), match.end(), kind)  # type: ignore[arg-type]
        elif kind == "vulgar":
            yield _dressed(text, match, Fraction(*_VULGAR[match.group()]), match.end())
        elif kind == "bottom":
            value = _ratio(match.group("top"), match.group("bottom"))
            if value is not None:
                yield _dressed(text, match, value, match.end())
        else:
            for item in _plain(text, match):
                yield item
                position = max(position, item.end)


def _plain(text: str, match: re.Match[str]) -> Iterator[Numeral]:
    """Read a chain of digit groups: one grouped number, or several in a list."""
    chain, dots, bare = match.group("chain") or "", match.group("dots") or "", match.group("bare")
    if dots.count(".") > 1:
        yield Numeral(Fraction(0), match.start(), match.end(), "version")
        return
    groups = [
        (group.start() + match.start(), group.group()) for group in re.finditer("[0-9]+", chain)
    ]
    if bare or len(groups) == 1 or _is_grouped([group for _, group in groups]):
        whole = "".join(group for _, group in groups)
        if len(whole) + len(dots or bare or "") <= MAX_DIGITS:
            value = Fraction((whole or "0") + (dots or bare or ""))
            item = _finished(text, match, value, match.end())
            if item is not None:
                yield item
        return
    for start, group in groups[:-1]:
        if len(group) <= MAX_DIGITS:
            yield Numeral(Fraction(group), start, start + len(group))
    start, group = groups[-1]
    if len(group) + len(dots) <= MAX_DIGITS:
        yield Numeral(Fraction(group + dots), start, match.end())


def _is_grouped(groups: list[str]) -> bool:
    """Return whether digit groups are thousands (3) or Chinese myriads (4)."""
    head, *tail = groups
    return any(0 < len(head) <= size and all(len(g) == size for g in tail) for size in (3, 4))


def _finished(text: str, match: re.Match[str], value: Fraction, end: int) -> Numeral | None:
    """Add what follows the digits: a fraction, a power of ten, a scale word."""
    if (over := _over.match(text, end)) and value.denominator == 1:
        ratio = _ratio(str(value), over.group("bottom"))
        if ratio is not None:
            return _dressed(text, match, ratio, over.end())
    if (mixed := _mixed.match(text, end)) and value.denominator == 1:
        part = _mixed_part(mixed)
        if part is not None and part < 1:
            return _dressed(text, match, value + part, mixed.end())
    if power := _power.match(text, end):
        exponent = _exponent(power)
        if abs(exponent) > MAX_EXPONENT:
            return None
        value, end = value * Fraction(10) ** exponent, power.end()
    elif (raised := _raised.match(text, end)) and value < 10**4:
        value, end = value ** int(raised.group(1)), raised.end()
    elif scale := _scale.match(text, end):
        word = scale.group("word").lower()
        size = 12 if word == "dozen" else english.SCALES[word]
        value, end = value * size, scale.end()
    elif half := _zh_half.match(text, end):
        value, end = value + Fraction(1, 2), half.end()
    return _dressed(text, match, value, end)


def _mixed_part(mixed: re.Match[str]) -> Fraction | None:
    if vulgar := mixed.group("vulgar"):
        return Fraction(*_VULGAR[vulgar])
    return _ratio(mixed.group("top") or mixed.group("t"), mixed.group("bottom") or mixed.group("b"))


def _exponent(power: re.Match[str]) -> int:
    high = power.group("high")
    written = power.group("e") or power.group("ten") or high.translate(_SUPERSCRIPT)
    return int(written.replace("−", "-"))


def _ratio(top: str, bottom: str) -> Fraction | None:
    denominator = int(bottom)
    return Fraction(int(top), denominator) if denominator else None


def _dressed(text: str, match: re.Match[str], value: Fraction, end: int) -> Numeral:
    """Add sign and currency before, percent after."""
    start, sign = match.start(), 1
    before = _before.search(text[max(0, start - 12) : start])
    if before:
        opening = start - len(before.group())
        minus = _is_minus.search(before.group()) is not None
        binary = minus and opening > 0 and _is_operand(text[opening - 1])
        if binary:  # 5-3, 20–30: the sign belongs between two numbers
            opening = start
        elif minus:
            sign = -1
        start = opening
    percent = _percent.match(text, end)
    kind: Kind = "ordinal" if _ordinal.match(text, end) else "number"
    if percent:
        value, end = value / (1000 if percent.group("mille") else 100), percent.end()
    return Numeral(sign * value, start, end, kind, percent is not None)


def _is_operand(char: str) -> bool:
    return char in ")]}%" or (char.isascii() and (char.isalnum() or char == "_"))


def _find_chinese(text: str) -> Iterator[Numeral]:
    for match in _zh.finditer(text):
        item = _read_chinese(text, match)
        if item is not None:
            yield item


def _read_chinese(text: str, match: re.Match[str]) -> Numeral | None:
    sign, start, end = (-1 if match.group("sign") else 1), match.start(), match.end()
    if match.group("bottom"):
        return _chinese_ratio(match, sign)
    if match.group("half"):
        return Numeral(sign * Fraction(1, 2), start, end, "half")
    written = match.group("mixed") or match.group("pure")
    shorter = _without_kilo(text, end, written)
    if shorter is not None:
        return Numeral(sign * shorter, start, end - 1, "word")
    value = chinese.number(written)
    if value is None:
        return None
    if half := _zh_half.match(text, end):
        value, end = value + Fraction(1, 2), half.end()
    if (tenths := _tenths.match(text, end)) and 0 < value <= 10:  # noqa: PLR2004
        value, end = value / 10, tenths.end()
        if tenths.group(1):
            value += Fraction(chinese.DIGITS[tenths.group(1)], 100)
        return Numeral(sign * value, start, end, "word", percent=True)
    percent = _zh_percent.match(text, end)
    if percent:
        value, end = value / 100, percent.end()
    return Numeral(sign * value, start, end, "word", percent is not None)


def _without_kilo(text: str, end: int, written: str) -> Fraction | None:
    """Return the number before 千 where 千 belongs to the unit: 5千克 is 5 kg, 5千米 is 5 km.

    三千米 is read as 3000 m, for a kilometre is then called 公里.
    """
    if not written.endswith("千") or len(written) == 1:
        return None
    plain = re.fullmatch(rf"[0-9.]+千|[{_D}]千", written)
    if not plain or not (
        _kilo_unit.match(text, end) or _kilometre.match(written + text[end : end + 1])
    ):
        return None
    return chinese.number(written[:-1])


def _chinese_ratio(match: re.Match[str], sign: int) -> Numeral | None:
    """Read 十分之三, 百分之五十, 一又二分之一: the denominator comes first."""
    bottom, top = chinese.number(_one(match.group("bottom"))), match.group("top").rstrip(".,点點")
    upper = Fraction(1) if _one(top) in ("百", "佰") else chinese.number(_one(top))
    if match.group("bottom") in ("百", "佰"):
        bottom = Fraction(100)
        upper = Fraction(100) if top in ("百", "佰") else upper
    elif match.group("bottom") in ("千", "仟", "万", "萬"):
        bottom = chinese.number("一" + match.group("bottom"))
    whole = Fraction(0)
    if match.group("whole"):
        whole = chinese.number(match.group("whole")) or Fraction(0)
    if not bottom or upper is None:
        return None
    end = match.start("top") + len(top)
    percent = match.group("bottom") in ("百", "佰")
    return Numeral(sign * (whole + upper / bottom), match.start(), end, "number", percent)


def _one(text: str) -> str:
    return text.replace(",", "")


_spaced = re.compile(r"[0-9](?:[ ][0-9]){1,999}")
_label = re.compile(r"^(?:(?:[A-Za-z]\s?)?=|≈|约|大约|about|approximately)\s?", re.IGNORECASE)


def parse_numeral(text: str, *, spaced: bool = False) -> Numeral | None:
    """Read a text that is one number and perhaps a unit; None where it is not.

    With `spaced`, "1 2 3" is 123, as models write that are asked to separate digits.
    """
    bare = prepare(text).strip()
    bare = bare.strip("$ ") if bare.startswith("$") and bare.endswith("$") else bare
    if len(bare) > 2 * MAX_DIGITS:
        return None
    if spaced and _spaced.fullmatch(bare):
        return Numeral(Fraction(bare.replace(" ", "")), 0, len(text))
    if bare in ("半", "一半"):
        return Numeral(Fraction(1, 2), 0, len(text), "half")
    numbers = list(find_numbers(bare))
    if len(numbers) != 1 or numbers[0].kind in ("date", "time", "version"):
        return None
    item = numbers[0]
    return item if not _label.sub("", bare[: item.start]).strip(" +(≈") else None


def parse_number(text: str, *, spaced: bool = False) -> Fraction | None:
    """Return the value of a text that is one number and perhaps a unit; None where it is not.

    >>> parse_number("$1,234.50"), parse_number("百分之五十"), parse_number("12 apples")
    (Fraction(2469, 2), Fraction(1, 2), Fraction(12, 1))
    """
    item = parse_numeral(text, spaced=spaced)
    return None if item is None else item.value


def equal_numbers(answer: str, target: str) -> bool:
    """Return whether two texts say the same number.

    A percent sign on one side alone may be left out: a target of 50 accepts "50%", and so does a
    target of 0.5.

    >>> equal_numbers("50%", "50"), equal_numbers("50%", "1/2"), equal_numbers("50", "0.5")
    (True, True, False)
    """
    left, right = parse_numeral(answer), parse_numeral(target)
    if left is None or right is None:
        return False
    if left.value == right.value:
        return True
    if left.percent == right.percent:
        return False
    return left.value * (100 if left.percent else 1) == right.value * (100 if right.percent else 1)
