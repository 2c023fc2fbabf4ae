"""Find how sure a model says it is of its answer."""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import Struct

from harness.records import Extraction, Sample
from harness.text.markers import view

_word = (
    r"(?:\b(?:confidence|certainty|sureness|probability(?:\sof\sbeing\s(?:right|correct))?)\b(?:\s(?:level|score"
    r"|rating|value|estimate))?|置信度|信心(?:指数|程度|值|水平|分)?|确信(?:度|程度)?|把握(?:程度|度)?|可信度|自信(?:度|程度)?)"
)
_amount = (
    r"(?:(?P<low>[0-9]{1,3}(?:\.[0-9]{1,3})?)\s?[%％]?\s?(?:-|–|—|~|to|到|至)\s?)?"
    r"(?P<number>[0-9]{1,3}(?:\.[0-9]{1,4})?)(?P<unit>\s?(?:%|percent\b|per\scent\b|/\s?100\b|/\s?10\b"
    r"|out\sof\s100\b|out\sof\s10\b|分|成))?"
)
_chinese_amount = (
    r"百分之(?P<hundred>[0-9]{1,3}(?:\.[0-9])?|[一二三四五六七八九十百零]{1,4})"
    r"|(?P<tenth>[一二三四五六七八九十])成(?P<half>[一二三四五六七八九半])?"
)
_scale = r"(?:\s?\(?\s?(?:0|1|from\s0)\s?(?:-|–|—|~|to|到|至)\s?100\s?(?:%\s?)?\)?)?"
_link = (
    r"(?:[\s*_\"]{0,4}(?:[:=是为有]|\bis\b|\bof\b|在|约|大约|\babout\b|\baround\b|\bapproximately\b)){0,3}"
    r"[\s*_\"]{0,4}"
)
_after = re.compile(
    rf"{_word}{_scale}{_link}(?:{_chinese_amount}|{_amount})(?![0-9./])", re.IGNORECASE
)
_before = re.compile(
    rf"(?<![0-9.])(?:{_chinese_amount}|{_amount})\s?(?:的)?\s?"
    r"(?:\b(?:confident|confidence|sure|certain|certainty)\b|置信度|信心|把握|确信|确定|肯定)",
    re.IGNORECASE,
)
_tail = re.compile(r"\(\s?(?P<number>[0-9]{1,3}(?:\.[0-9]{1,2})?)(?P<unit>\s?%)\s?\)\W{0,3}$")
_digits = {char: value for value, char in enumerate("零一二三四五六七八九十")}


class Stated(Struct, frozen=True):
    """A confidence as a text states it."""

    value: Decimal
    """In 0…1."""
    rule: str
    start: int
    end: int


def stated_confidence(text: str, sample: Sample) -> Extraction | None:
    """Return the last confidence that the text states; `value` is a number in 0…1.

    Whole numbers stand on the scale 0 to 100 that the tasks ask for, so "1" is one per cent; a
    number below 1 with a decimal point is a share. A range counts as its middle. "8/10", 八成 and
    百分之八十 are 0.8. What lies outside the scale is no confidence.
    """
    del sample
    found = _find(text)
    if found is None:
        return None
    return Extraction(
        view(text)[found.start : found.end].strip(),
        f"stated_confidence:{found.rule}",
        found.start,
        found.end,
        format(found.value.normalize(), "f"),
    )


def without_confidence(text: str) -> str:
    """Return the text without what it says of its confidence, so that the answer stands alone.

    >>> without_confidence("Paris (confidence: 90%)")
    'Paris'
    """
    seen = view(text)
    spans = sorted(
        (match.start(), match.end())
        for pattern in (_after, _before, _tail)
        for match in pattern.finditer(seen)
        if _share(match) is not None
    )
    kept, last = [], 0
    for start, end in spans:
        kept.append(seen[last:start])
        last = max(last, end)
    rest = "".join(kept) + seen[last:] if spans else seen
    rest = re.sub(r"(?:\b(?:with|I\s?am|I['’]m|my)|我有?|有)\s{0,2}(?=[,.;。)\n]|$)", "", rest)
    return re.sub(r"[\s,;:(\[。，（%*_-]+$", "", re.sub(r"\(\s*\)", "", rest).strip())


def _find(text: str) -> Stated | None:
    seen = view(text)
    found = [
        Stated(share, rule, match.start(), match.end())
        for rule, pattern in (("named", _after), ("adjective", _before), ("bracket", _tail))
        for match in pattern.finditer(seen)
        if (share := _share(match)) is not None
    ]
    return max(found, key=lambda item: (item.end, item.start), default=None)


def _share(match: re.Match[str]) -> Decimal | None:
    groups = match.groupdict()
    if groups.get("hundred"):
        share = _hundredths(groups["hundred"]) / 100
    elif groups.get("tenth"):
        half = groups["half"]
        extra = 5 if half == "半" else _digits.get(half or "零", 0)
        share = (Decimal(_digits[groups["tenth"]]) + Decimal(extra) / 10) / 10
    else:
        share = _scaled(groups["number"], (groups["unit"] or "").replace(" ", "").lower())
        if groups.get("low"):
            share = (share + _scaled(groups["low"], "%")) / 2
    return share if 0 <= share <= 1 else None


def _scaled(number: str, unit: str) -> Decimal:
    amount = Decimal(number)
    if unit in ("/10", "outof10", "成"):
        return amount / 10
    if not unit and "." in number and amount <= 1:
        return amount
    return amount / 100


def _hundredths(text: str) -> Decimal:
    """Return a number up to a hundred, in digits or Chinese."""
    if text[0].isdigit():
        return Decimal(text)
    if "百" in text:
        return Decimal(100)
    tens, ten, ones = text.partition("十")
    if not ten:
        return Decimal(_digits[tens[0]])
    return Decimal((_digits[tens] if tens else 1) * 10 + (_digits[ones[0]] if ones else 0))
