"""Find the number that a text gives as its answer."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from harness.records import Extraction, Sample
from harness.text.markers import Marked, announcements, first_turn, view
from harness.text.negation import denied_number
from harness.text.numerals import Numeral, canonical, find_numbers

_bold = re.compile(r"(\*\*|__)(?=\S)([^*_\n]{1,60})\1")
_bold_content = re.compile(
    r"[\s$≈=~:(]{0,6}(?:[A-Za-z]\s?=\s?)?#[\s%)元个只本名块米]{0,3}(?:[A-Za-z/²³^]{1,16}[\s.]?){0,3}[.。]?"
    r"[\u4e00-\u9fff]{0,4}"
)
_equals = re.compile(r"[=≈＝]\s?[\\$*]{0,3}\s?$")
_operators = re.compile(r"[-+*/×÷·−^]|\\times|\\div|\\cdot|\b(?:plus|minus|times|of|x)\b")
_stop = re.compile(r"[,;，；、]")
_lone_rest = re.compile(r"[\s.。$*°]{0,6}(?:[A-Za-z]{1,16}|[\u4e00-\u9fff]{1,4})?[\s.。$*]{0,4}")
_enumerator_after = re.compile(r"[.)、:]\s?(?=[^\n]{0,3}[^\W0-9])")
_label_before = re.compile(
    r"(?:\b(?:steps?|questions?|problems?|parts?|examples?|figures?|fig\.|tables?|chapter|section"
    r"|pages?|lines?|equations?|eq\.|cases?|options?|choices?|no\.|methods?|phase|stage|round"
    r"|exercise|note|item|scenario|way)\s?[#(]?|(?<!#)#{1,3}\s?|(?:第|步骤|问题|例|图|表|题|方法|情况|选项"
    r"|条件|式|方案)\s?[(]?)$",
    re.IGNORECASE,
)
_months = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_date_before = re.compile(
    rf"(?:\b{_months}\.?\s(?:[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s)?|星期|周|礼拜|公元前?)$",
    re.IGNORECASE,
)
_date_after = re.compile(rf"\s(?:of\s)?{_months}\b|\s?(?:[ap]\.?m\b|BCE?\b|AD\b|CE\b|o['’]clock)",
                         re.IGNORECASE)  # fmt: skip
_year_before = re.compile(
    r"\b(?:in|since|year|by|from|of|until|till|during|before|after|and)\s$", re.IGNORECASE
)
_not_a_count_before = re.compile(
    r"(?:\b(?:no|any|every|some|this|that|the|which|each|another|other|only|last|next|first)[ -]"
    r"|[唯统同初单专独逐万不几数多好])$",
    re.IGNORECASE,
)
_one_after = re.compile(
    r"\s(?:of|can|could|should|must|might|may|more|another|day|thing|way|side|who|that|which|by"
    r"|needs?|has\sto)\b"
    r"|[些定样起下直般边切旦致共齐向再律概带味会刻路次向些种]"
    r"|个?(?:问题|例子|常见|小|大|简单|人)",
    re.IGNORECASE,
)
_compound = re.compile(r"[角边][形星]|氧化|维码|明治|[元次]方程|[川州]|姓|合花|万别|分(?![之钟])")


def _is_word(item: Numeral) -> bool:
    return item.kind in ("word", "half")


def _is_weak(text: str, item: Numeral) -> bool:
    """Return whether a number word is part of another word or phrase, not a count."""
    if not _is_word(item) or text[item.start : item.end].strip("-").replace(".", "").isdecimal():
        return False
    written = text[item.start : item.end]
    if item.end - item.start == 1 or written.lower() == "one":
        before = text[max(0, item.start - 8) : item.start]
        if _not_a_count_before.search(before) or (
            item.value == 1 and _one_after.match(text, item.end)
        ):
            return True
    return _compound.match(text, item.end) is not None and not written[0].isascii()


def _is_date(text: str, item: Numeral) -> bool:
    """Return whether the number is part of a date, a clock time or a rank."""
    if item.kind in ("ordinal", "date", "time", "version"):
        return True
    if item.value.denominator != 1 or item.percent:
        return False
    before, value = text[max(0, item.start - 24) : item.start], item.value
    after = text[item.end : item.end + 1]
    is_year = 1000 <= value < 2200 and item.end - item.start == 4  # noqa: PLR2004
    return (
        (after == "年" and is_year)
        or (after == "月" and value <= 12)  # noqa: PLR2004
        or (after in ("日", "号") and value <= 31)  # noqa: PLR2004
        or _date_before.search(before) is not None
        or _date_after.match(text, item.end) is not None
        or (is_year and value >= 1800 and _year_before.search(before) is not None)  # noqa: PLR2004
    )


class _Reading:
    """The numbers of one view, with those left out that cannot be an answer."""

    def __init__(self, text: str) -> None:
        self.text = text
        listed = self._enumerators(numbers := list(find_numbers(text)))
        self.numbers = [
            item
            for item in numbers
            if item.start not in listed
            and item.kind not in ("date", "time", "version")
            and not _label_before.search(text[max(0, item.start - 14) : item.start])
            and not _is_weak(text, item)
        ]
        self.starts = [item.start for item in self.numbers]

    def _enumerators(self, numbers: Sequence[Numeral]) -> set[int]:
        """Return where list numbers stand: 1, or the successor of one that stands before."""
        seen: set[int] = {0}
        starts = set()
        for item in numbers:
            line = self.text.rfind("\n", max(0, item.start - 12), item.start) + 1
            head = self.text[line or max(0, item.start - 12) : item.start]
            opens = (line or item.start <= 12) and not head.strip(" \t>*#-(_")  # noqa: PLR2004
            if not opens or item.value.denominator != 1 or not 0 < item.value < 1000:  # noqa: PLR2004
                continue
            if _enumerator_after.match(self.text, item.end) and int(item.value) - 1 in seen:
                seen.add(int(item.value))
                starts.add(item.start)
        return starts

    def between(self, start: int, end: int) -> list[Numeral]:
        """Return the numbers that begin in start…end."""
        return self.numbers[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def usable(self, start: int, end: int) -> list[Numeral]:
        """Return the numbers in a stretch that are not denied, dates only where nothing else is."""
        inside = [
            item
            for item in self.numbers[
                bisect_left(self.starts, start) : bisect_left(self.starts, end)
            ]
            if not denied_number(self.text, item.start, item.end)
        ]
        return [item for item in inside if not _is_date(self.text, item)] or inside

    def answer_in(self, marked: Marked) -> Numeral | None:
        """Return the answer in an announced stretch: its first number, or what that comes to.

        "3 * 4 = 12" comes to 12; in "x = 12, where y = 3" the comma ends the calculation.
        """
        items = self.usable(marked.start, marked.end)
        if not items:
            return None
        result = last = items[0]
        for item in items[1:]:
            between = self.text[last.end : item.start]
            if _stop.search(between):
                break
            if _equals.search(between):
                result = item
            elif not _operators.search(between):
                break
            last = item
        return result


def _announced(reading: _Reading) -> tuple[Numeral, str] | None:
    for marked in reversed(announcements(reading.text)):
        item = reading.answer_in(marked)
        if item is not None:
            return item, marked.rule
    return None


def _emphasised(reading: _Reading) -> tuple[Numeral, str] | None:
    for match in reversed(list(_bold.finditer(reading.text))):
        items = reading.usable(*match.span(2))
        if len(items) == 1:
            start, end = match.span(2)
            shape = reading.text[start : items[0].start] + "#" + reading.text[items[0].end : end]
            if _bold_content.fullmatch(shape):
                return items[0], "bold"
    return None


def _alone(reading: _Reading) -> tuple[Numeral, str] | None:
    """Return the number of the first line where it stands there alone and no other line is such."""
    first: Numeral | None = None
    for line in re.finditer(r"[^\n]+", reading.text):
        if line.group().isspace():
            continue
        item = _lone(reading, *line.span())
        if first is not None and item is not None:
            return None
        if first is None:
            if item is None:
                return None
            first = item
    return None if first is None else (first, "alone")


def _lone(reading: _Reading, start: int, end: int) -> Numeral | None:
    """Return the number of a line that holds nothing else but a unit."""
    items = reading.between(start, end)
    if len(items) != 1 or reading.text[start : items[0].start].strip(" $*="):
        return None
    if not _lone_rest.fullmatch(reading.text, items[0].end, end):
        return None
    return items[0] if reading.usable(start, end) else None


def _last(reading: _Reading) -> tuple[Numeral, str] | None:
    """Return the last number; a date, a rank or the word "one" only where nothing else is."""
    spare: Numeral | None = None
    for item in reversed(reading.numbers):
        if denied_number(reading.text, item.start, item.end):
            continue
        if not _is_date(reading.text, item) and not (_is_word(item) and item.value == 1):
            before = reading.text[max(0, item.start - 8) : item.start]
            return item, "equals" if _equals.search(before) else "last"
        if spare is None or (_is_date(reading.text, spare) and not _is_date(reading.text, item)):
            spare = item
    return None if spare is None else (spare, "last")


def number(text: str, sample: Sample) -> Extraction | None:
    """Return the number that the text gives as its answer; `value` is its canonical form.

    The last announced number wins (boxed, ####, "the answer is", 答案是…), then the last bold one,
    then a first line that is a number alone, then the last number. List numbers, step numbers
    and numbers in a denial never count; dates and ranks only where there is nothing else. Words
    such as "one" in "no one" do not count. `answer` is the number as written, width folded.
    """
    del sample
    folded = view(text)
    reading = _Reading(first_turn(folded))
    for rule in (_announced, _emphasised, _alone, _last):
        found = rule(reading)
        if found is not None:
            item, name = found
            return Extraction(
                answer=folded[item.start : item.end].replace("、", ""),
                rule=f"number:{name}",
                start=item.start,
                end=item.end,
                value=canonical(item.value),
            )
    return None
