"""Where a text announces its answer, and how far the announcement reaches.

All functions take a *view*: the text with reasoning blanked and width folded, of the same length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from harness.text.normalise import mask_reasoning
from harness.text.numerals import prepare

REACH = 300
"""Characters after a marker in which the answer must stand."""


class Marked(Struct, frozen=True):
    """A stretch of text that a marker announces as the answer."""

    rule: str
    start: int
    end: int


_english = (
    r"\banswers?\b\*{0,2}(?:\s?\([^()\n]{0,30}\))?"
    r"(?:[ ,]{1,2}(?:to|of|for|here|then|therefore|in)\b[^\n.:=?!]{0,60}?)?"
    r"\s{0,2}(?:\bis\b|\bare\b|\bwas\b|(?:\b(?:would|should|must|will|could)\sbe\b)|\bequals\b"
    r"|isn['’]t\b|[:=])"
    r"|\bfinal\s(?:result|value|total|number)\b\*{0,2}\s{0,2}(?:\bis\b|[:=])"
    r"|\banswer\s(?=[\"'(*\[]|\\boxed|\$)"
)
_chinese = (
    r"答案[^\n,，。:!?;、()（）是为选]{0,12}?(?:应该|应当|应|就|也|确实)?"
    r"(?:不?是|不?为|选|等于|[:=])[:：]?"
    r"|答案(?=[\s\"'“「『(【\[*\\$0-9A-Z])"
    r"|(?:最终|最后)的?(?:结果|得数|数值)(?:是|为|等于|[:=])"
)
_line_start = r"^[ \t>*#_]{0,6}(?:A|Ans|答|解答)(?:\*\*)?[:：]"
_answer = re.compile(f"{_english}|{_chinese}|{_line_start}", re.IGNORECASE | re.MULTILINE)
_lead = re.compile(r"[\s*_:：]{0,16}")
_hashes = re.compile(r"####[ \t]{0,4}(?=\S)")
_sentence_end = re.compile(r"[\n。!?；]|\.(?=[\s\"'*]|$)")
_brace = re.compile(r"(?P<box>\\f?box(?:ed)?\s?\{)|\\[{}]|[{}]")
_next_question = re.compile(
    r"\n[ \t*#]{0,4}(?:Q|Question|问题|题目|User|Human)(?:\s?[0-9]{1,3})?[:：]", re.IGNORECASE
)


def view(text: str) -> str:
    """Return the text as extractors read it; positions stay those of `text`."""
    return prepare(mask_reasoning(text))


def sentence_end(text: str, start: int, reach: int = REACH) -> int:
    """Return where the sentence that begins at `start` ends, at most `reach` further."""
    limit = min(len(text), start + reach)
    match = _sentence_end.search(text, start, limit)
    if match is None or (match.group() == "." and match.end() == limit < len(text)):
        return limit
    return match.start()


def boxes(text: str) -> Iterator[Marked]:
    r"""Yield the contents of `\boxed{…}` in the order of their closing braces.

    Braces nest; a box that is never closed is left out.
    """
    opened: list[int | None] = []
    for brace in _brace.finditer(text):
        if brace.group("box"):
            opened.append(brace.end())
        elif brace.group() == "{":
            opened.append(None)
        elif brace.group() == "}" and opened:
            start = opened.pop()
            if start is not None:
                yield Marked("boxed", start, brace.start())


def announcements(text: str) -> list[Marked]:
    """Return what is announced as the answer, in order: boxed, after ####, after words."""
    found = list(boxes(text))
    for match in _hashes.finditer(text):
        end = text.find("\n", match.end(), match.end() + REACH)
        found.append(Marked("hashes", match.end(), end if end >= 0 else match.end() + REACH))
    for match in _answer.finditer(text):
        lead = _lead.match(text, match.end())
        start = lead.end() if lead else match.end()
        found.append(Marked("answer", start, sentence_end(text, start)))
    found.sort(key=lambda item: (item.start, item.end))
    return [item if item.end <= len(text) else Marked(item.rule, item.start, len(text))
            for item in found]  # fmt: skip


def first_turn(text: str) -> str:
    """Blank what follows where a base model goes on with a question of its own.

    The header counts only after an answer has been announced.
    """
    for header in _next_question.finditer(text):
        if _answer.search(text, 0, header.start()) or _hashes.search(text, 0, header.start()):
            return text[: header.start()] + "\n" * (len(text) - header.start())
        break
    return text
