"""Find the option that a text chooses: by letter, stem, circled digit, position, or its text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

from msgspec import Struct

from harness.records import Extraction, Sample
from harness.text import options
from harness.text.markers import announcements, first_turn, sentence_end, view
from harness.text.negation import denied_option
from harness.text.option_text import by_text

DEFAULT_OPTIONS = 10
"""Options assumed where the sample names none: A to J."""

_positions = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ORDINALS = {name: i for i, name in enumerate("一二三四五六七八九十")}
_ORDINALS |= {str(i + 1): i for i in range(10)}
_ORDINALS |= {name: i for i, name in enumerate(_positions)}

_name = rf"[A-Ja-j]|[{options.STEMS}]|[{options.CIRCLED}]"
_mention = re.compile(
    rf"(?<![A-Za-z0-9_\\.&])(?<![A-Za-z]['’])(?P<letter>[A-J])(?![A-Za-z0-9_&+#]|[.'’][A-Za-z])"
    rf"|(?P<small>(?<=[(\[{{])[a-j](?=[)\]}}])|(?<![A-Za-z0-9_])[a-j](?=选?项))"
    rf"|(?P<stem>[{options.STEMS}])(?![{options.STEMS}、])|(?P<circled>[{options.CIRCLED}])"
    r"|(?:第|选项\s?)(?P<zh>[一二三四五六七八九十]|[0-9]{1,2}(?![0-9]))(?:个?选项|项|个)?(?![题步])"
    r"|\b(?:[Oo]ption|[Cc]hoice)\s(?P<count>[0-9])(?![0-9])"
    r"|\b(?P<en>(?i:first|second|third|fourth|fifth|sixth|seventh|eighth))\s(?:option|choice|one)\b"
)
_joint = re.compile(
    r"\s?(?:,|,?\s?(?:and|or|nor|&|/)\s|、|/|和|与|及|以及|或)\s?(?:选项|option\s)?"
)
_article_next = re.compile(
    r"\s(?!(?:because|since|as|and|or|is|which|that|due|for|with|by|based|was|not)\b)[a-z]"
)
_wrap = r"[\s*_`\"'“”‘’「」『』《》(\[{<$【:：=#]{0,10}"
_command = r"(?:\\(?:boxed|text|textbf|textit|mathrm|mathbf|rm)\s?\{?\s?){0,3}"
_option_word = r"(?:(?:the\s)?(?:option|choice|letter)|选项|选择|选)?"
_slot = re.compile(rf"{_wrap}{_command}{_wrap}{_option_word}{_wrap}{_command}", re.IGNORECASE)
_lower_slot = re.compile(r"([a-j])(?=\s{0,2}(?:[)\].,;:}*$\n'\"”’]|$)|\s(?:because|since|as)\b)")

_choose = re.compile(
    r"\b(?:choos(?:e|es|ing)|chose|select(?:s|ed|ing)?|pick(?:s|ed|ing)?|opt(?:s|ed|ing)?\sfor"
    r"|go(?:es|ing)?\s(?:with|for)|(?:i['’]d|i\swould)\s(?:say|guess|answer))\b"
    r"|\b(?:correct|right|best|true|false|incorrect|wrong)\s(?:\w{1,12}\s){0,1}?(?:is|was|[:=])"
    r"|\b(?:correct|right|best|true|false|incorrect|wrong|most\s\w{1,15})\s(?:option|choice|one"
    r"|statement)\s?(?:here\s)?(?:is|was|[:=])"
    r"|(?:应该?|故|所以|因此|我|综上|就|可)?(?:选择|选)(?:的是|了|项是|[:：])?"
    r"|(?:正确|错误|符合|合适|恰当|最佳|适合)[^\n,，。;；、]{0,10}?(?:是|为|[:：])",
    re.IGNORECASE,
)
_affirm = re.compile(
    r"[\s)\]*_\"'”」』】.}$]{0,4}(?:(?:is|was|must\sbe|seems|looks)\s(?:clearly\s|indeed\s|therefore\s)?"
    r"(?:the\s)?(?:\w{1,12}\s)?(?:correct|right|true\b|best|better|preferable|preferred|superior|answer)"
    r"|(?:项|选项)?(?:的?(?:说法|描述|表述|内容))?(?:都|才)?是?(?:正确|对的|符合题意|没错|最佳|最合适)"
    r"|(?:项|选项)?(?:是|为)(?:本题|最终)?(?:的)?(?:正确)?答案)",
    re.IGNORECASE,
)
_lone_line = re.compile(
    rf"[ \t*_(\[{{$`\"'“「【]{{0,8}}({_name})[ \t*_)\]}}$`\"'”」】.。]{{0,8}}(?:\n|$)"
)
_line_label = re.compile(r"(?:^|\n)[ \t>*#-]{0,6}$")
_label_end = re.compile(r"[.)、:：\]*]")
_noun_before = re.compile(
    r"\b(?:vitamin|plan|team|points?|grade|hepatitis|type|class|group|section|part|figure|appendix"
    r"|exhibit|mr|ms|mrs|dr|model|series|angle|line|set|event|city|company|person|player|train|car"
    r"|box|bag|blood|matrix|vector|node|side|note|key|drive|train|string|program|programming)s?"
    r"[\s-]$",
    re.IGNORECASE,
)
_zh_noun_before = re.compile(r"(?:维生素|方案|计划|点|[队班组型区座栋])$")
_zh_noun_after = re.compile(r"\s?(?:语言|[型股级座栋队班组区点])")
_conclusion = re.compile(
    r"\b(?:therefore|thus|hence|in\sconclusion|overall|in\ssummary)\b"
    r"|(?:因此|所以|综上(?:所述)?|总之|由此可见|可见)",
    re.IGNORECASE,
)
_bracket = re.compile(r"[(\[【][\s*]?$")


class Mention(Struct, frozen=True):
    """An option named in a text."""

    index: int
    start: int
    end: int
    bare: bool
    """A plain capital letter, which may also be a word or a symbol."""
    group: int
    """Mentions joined by commas, "and" or 和 share one number."""


class _Reading:
    """The mentions of options in one view, and which of them are denied."""

    def __init__(self, text: str, count: int) -> None:
        self.text = text
        found: list[Mention] = []
        group, listed = 0, set[int]()
        for match in _mention.finditer(text):
            index = _index(match)
            if not 0 <= index < count or _is_word(text, match):
                continue
            joined = bool(found) and _joint.fullmatch(text, found[-1].end, match.start())
            if not joined or index in listed:  # "between A and B, B": named again, a new start
                group, listed = group + 1, set()
            listed.add(index)
            bare = match.lastgroup == "letter"
            found.append(Mention(index, match.start(), match.end(), bare, group))
        self.mentions = found
        self.starts = [item.start for item in found]
        self.denied = self._denials()
        self.allowed = [item for item in found if item.group not in self.denied]
        first = {item.group: item.index for item in reversed(found)}
        self.several = {item.group for item in found if item.index != first[item.group]}

    def _denials(self) -> set[int]:
        spans: dict[int, tuple[int, int]] = {}
        for item in self.mentions:
            start, _ = spans.get(item.group, (item.start, 0))
            spans[item.group] = (start, item.end)
        denied, floor = set(), 0
        ordered = sorted(spans.items())
        for position, (group, (start, end)) in enumerate(ordered):
            following = ordered[position + 1][1][0] if position + 1 < len(ordered) else None
            ceiling = len(self.text) if following is None else following
            if denied_option(self.text, start, end, floor, ceiling):
                denied.add(group)
            floor = end
        return denied

    def between(self, start: int, end: int) -> list[Mention]:
        """Return the mentions that begin in start…end."""
        return self.mentions[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def single(self, item: Mention) -> bool:
        """Return whether the mention stands alone, not in a list of several options."""
        return item.group not in self.several

    def counts(self, item: Mention) -> bool:
        """Return whether the mention is neither denied nor one of a list."""
        return item.group not in self.denied and self.single(item)

    def unique(self, items: Sequence[Mention]) -> Mention | None:
        """Return the last mention where all are of one option."""
        return items[-1] if items and len({item.index for item in items}) == 1 else None


def _index(match: re.Match[str]) -> int:
    written = match.group(match.lastgroup or 0)
    if match.lastgroup in ("zh", "count", "en"):
        return _ORDINALS.get(written.lower(), -1)
    return options.index(written)


def _is_word(text: str, match: re.Match[str]) -> bool:
    """Return whether "A" or "I" is the article or the pronoun: a lower-case word follows."""
    if match.group("letter") not in ("A", "I"):
        return False
    if _article_next.match(text, match.end()):
        return True
    return match.group() == "I" and text[match.end() : match.end() + 4] == " am "


def _after(reading: _Reading, start: int, end: int) -> Mention | None:
    """Return the option named right after a marker, past quotes, brackets and LaTeX."""
    slot = _slot.match(reading.text, start)
    begin = slot.end() if slot else start
    for item in reading.between(start, min(begin + 1, end)):
        return item if reading.counts(item) else None
    lower = _lower_slot.match(reading.text, begin)
    if lower:
        return Mention(options.index(lower.group()), begin, begin + 1, False, -1)
    return None


def _announced(reading: _Reading, count: int) -> tuple[Mention, str] | None:
    """Return the option of the last marker that names one."""
    found: list[tuple[Mention, str]] = []
    for marked in announcements(reading.text):
        item = _after(reading, marked.start, marked.end) or _clause_choice(reading, marked.start)
        if item is not None:
            found.append((item, marked.rule))
    for match in _choose.finditer(reading.text):
        item = _after(reading, match.end(), match.end() + 40)
        if item is not None:
            found.append((item, "chosen"))
    found += [
        (item, "affirmed")
        for item in reading.allowed
        if reading.single(item) and _affirm.match(reading.text, item.end)
    ]
    found = [(item, rule) for item, rule in found if item.index < count]
    return max(found, key=lambda entry: entry[0].start, default=None)


def _clause_choice(reading: _Reading, start: int) -> Mention | None:
    """Return the one option named in the announced sentence where the marker's slot has none."""
    end = sentence_end(reading.text, start, 120)
    named = reading.between(start, end)
    inside = [item for item in named if item.group not in reading.denied]
    marked = [item for item in inside if not item.bare or _is_bracketed(reading.text, item)]
    return reading.unique(inside if len(inside) < len(named) else marked)


def _is_bracketed(text: str, item: Mention) -> bool:
    return bool(_bracket.search(text[max(0, item.start - 3) : item.start]))


def _whole(reading: _Reading, count: int) -> tuple[Mention, str] | None:
    """Return the option that is the whole text, or that labels its only option line."""
    bare = reading.text.strip(" \n\t*_()[]{}.$:\"'`。、“”「」【】")
    start = reading.text.find(bare) if bare else 0
    if len(bare) == 1 and re.fullmatch(_name, bare) and options.index(bare) < count:
        return Mention(options.index(bare), start, start + 1, True, -1), "whole"
    item = _alone(reading, count)
    if item is not None:
        return item, "alone"
    labels = [
        item
        for item in reading.allowed
        if _line_label.search(reading.text[max(0, item.start - 8) : item.start].lstrip("([【"))
        and _label_end.match(reading.text, item.end)
    ]
    item = reading.unique([item for item in labels if _opens_line(reading.text, item)])
    return (item, "label") if item else None


def _alone(reading: _Reading, count: int) -> Mention | None:
    """Return the option that is the whole first or last line, where these do not contradict."""
    text = reading.text
    first = len(text) - len(text.lstrip())
    last = text.rfind("\n", 0, len(text.rstrip())) + 1
    found = []
    for start in (first, last):
        line = _lone_line.match(text, start)
        if line and options.index(line.group(1)) < count:
            found.append(
                Mention(options.index(line.group(1)), line.start(1), line.end(1), True, -1)
            )
    return reading.unique(found)


def _opens_line(text: str, item: Mention) -> bool:
    line = text.rfind("\n", 0, item.start) + 1
    return not text[line : item.start].strip(" \t>*#-([【")


def _concluded(reading: _Reading, count: int) -> tuple[Mention, str] | None:
    """Return the one option that the last concluding sentence names."""
    del count
    for match in reversed(list(_conclusion.finditer(reading.text))):
        end = sentence_end(reading.text, match.end(), 200)
        named = reading.between(match.end(), end)
        inside = [item for item in named if item.group not in reading.denied]
        item = reading.unique([item for item in inside if not _is_name(reading.text, item)])
        if item is not None:
            return item, "concluded"
    return None


def _emphasised(reading: _Reading, count: int) -> tuple[Mention, str] | None:
    """Return the bold or bracketed option: the only one, or the only one of the last line."""
    del count
    strong = [
        item
        for item in reading.allowed
        if reading.single(item)
        and (
            _is_bracketed(reading.text, item)
            or reading.text[max(0, item.start - 2) : item.start] == "**"
        )
    ]
    last_line = reading.text.rstrip().rfind("\n") + 1
    item = reading.unique(strong) or reading.unique(
        [item for item in strong if item.start >= last_line]
    )
    return (item, "emphasised") if item else None


def _is_name(text: str, item: Mention) -> bool:
    """Return whether a bare letter is part of a name: vitamin C, C语言, the pronoun."""
    before = text[max(0, item.start - 14) : item.start]
    return bool(
        text[item.start] == "I"
        or _noun_before.search(before)
        or _zh_noun_before.search(before)
        or _zh_noun_after.match(text, item.end)
    )


def _bare(reading: _Reading, count: int) -> tuple[Mention, str] | None:
    """Return the option where every letter that is not denied names the same one."""
    del count
    text = reading.text
    plain = [
        item
        for item in reading.allowed
        if not (item.bare and _is_name(text, item))
        and text[item.start] not in options.STEMS + options.CIRCLED
    ]
    item = reading.unique(plain)
    return (item, "bare") if item else None


_Rule = Callable[[_Reading, int], tuple[Mention, str] | None]
_RULES: tuple[_Rule, ...] = (_announced, _whole, _concluded, _emphasised)


def letter(text: str, sample: Sample) -> Extraction | None:
    """Return the chosen option; `answer` and `value` are its letter.

    In this order: the last marker that names an option ("the answer is", 选B, boxed, "B is
    correct"); a text that is one letter or one labelled line; the one option in the last sentence
    that concludes (therefore, 因此); bold or bracketed letters; the text of an option after a
    marker; a letter that nothing contradicts; the text of an option anywhere.
    A denied option (not B, 不选A, "A and C are wrong") never counts; two different letters without
    a marker give None. Letters beyond the sample's choices are not read.
    """
    folded = first_turn(view(text))
    count = len(sample.choices) or DEFAULT_OPTIONS
    texts = [choice.text for choice in sample.choices]
    reading = _Reading(folded, min(count, DEFAULT_OPTIONS))
    for rule in _RULES:
        if (found := rule(reading, count)) is not None:
            return _extraction(found[0], found[1])
    announced = [(item.start, item.end) for item in announcements(folded)]
    if (named := by_text(folded, texts, announced)) is not None:
        return named
    if (found := _bare(reading, count)) is not None:
        return _extraction(found[0], found[1])
    return by_text(folded, texts, [(0, len(folded))])


def _extraction(item: Mention, rule: str) -> Extraction:
    name = options.letter(item.index)
    return Extraction(name, f"letter:{rule}", item.start, item.end, name)
