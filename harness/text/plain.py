"""Answers that are a stretch of the text as it stands: a line, the whole, the content of a box."""

from __future__ import annotations

import re

from harness.records import Extraction, Sample
from harness.text.markers import announcements, boxes, view
from harness.text.normalise import fold_width, mask_reasoning
from harness.text.numerals import canonical, parse_number

_prefix = re.compile(
    r"\s{0,8}[*_#>]{0,4}\s?(?:(?:(?:the\s)?(?:final\s|correct\s)?answer(?:\sis)?|A|Ans|回答|答"
    r"|(?:最终|正确)?答案(?:是|为)?)[*_]{0,2}\s?[:：][*_]{0,2}"
    r"|(?:the\s)?(?:final\s|correct\s)?answer\sis\b|(?:最终|正确)?答案(?:是|为))\s{0,8}",
    re.IGNORECASE,
)
_quotes = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』", "`": "`"}
_line = re.compile(r"[^\n]+")
_latex_text = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s?\{([^{}]*)\}")


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _peel(text: str, start: int, end: int) -> tuple[int, int]:
    """Narrow a stretch: white space, one final full stop, one pair of quotes or asterisks."""
    start, end = _trim(text, start, end)
    for _ in range(4):
        before = (start, end)
        if end - start > 1 and text[end - 1] in ".。．" and text[end - 2] not in ".。．":
            end -= 1
        for mark in ("**", "__"):
            if end - start > 4 and text.startswith(mark, start) and text.endswith(mark, start, end):  # noqa: PLR2004
                start, end = start + 2, end - 2
        if end - start > 2 and _quotes.get(text[start]) == text[end - 1]:  # noqa: PLR2004
            inner = text[start + 1 : end - 1]
            if text[start] not in inner and text[end - 1] not in inner:
                start, end = start + 1, end - 1
        start, end = _trim(text, start, end)
        if (start, end) == before:
            break
    return start, end


def _extraction(text: str, start: int, end: int, rule: str) -> Extraction | None:
    if start >= end:
        return None
    return Extraction(fold_width(text[start:end]), rule, start, end)


def whole_text(text: str, sample: Sample) -> Extraction | None:
    """Return the whole text without reasoning, "Answer:" in front, quotes and a last full stop."""
    del sample
    masked = mask_reasoning(text)
    start, end = _trim(masked, 0, len(masked))
    if prefix := _prefix.match(masked, start, end):
        start = prefix.end() if prefix.end() < end else start
    return _extraction(masked, *_peel(masked, start, end), "text")


def _lines(masked: str) -> list[tuple[int, int]]:
    return [m.span() for m in _line.finditer(masked) if not m.group().isspace()]


def first_line(text: str, sample: Sample) -> Extraction | None:
    """Return the first line that is not empty, without "Answer:", quotes and a last full stop."""
    del sample
    masked = mask_reasoning(text)
    for start, end in _lines(masked):
        prefix = _prefix.match(masked, start, end)
        found = _extraction(
            masked, *_peel(masked, prefix.end() if prefix else start, end), "first_line"
        )
        if found is not None:
            return found
    return None


def last_line(text: str, sample: Sample) -> Extraction | None:
    """Return the last line that is not empty, without "Answer:", quotes and a last full stop."""
    del sample
    masked = mask_reasoning(text)
    for start, end in reversed(_lines(masked)):
        prefix = _prefix.match(masked, start, end)
        found = _extraction(
            masked, *_peel(masked, prefix.end() if prefix else start, end), "last_line"
        )
        if found is not None:
            return found
    return None


def announced(text: str, sample: Sample) -> Extraction | None:
    """Return the text after the last answer marker, to the end of its sentence."""
    del sample
    masked = mask_reasoning(text)
    for marked in reversed(announcements(view(text))):
        found = _extraction(masked, *_peel(masked, marked.start, marked.end), "announced")
        if found is not None:
            return found
    return None


def boxed(text: str, sample: Sample) -> Extraction | None:
    r"""Return the content of the last `\boxed{…}`; `value` is set where it is a number."""
    del sample
    folded = view(text)
    for box in reversed(list(boxes(folded))):
        start, end = _trim(folded, box.start, box.end)
        if start < end:
            content = _latex_text.sub(r"\1", folded[start:end]).strip()
            value = parse_number(content)
            answer = fold_width(content) or fold_width(folded[start:end])
            return Extraction(answer, "boxed", start, end,
                              None if value is None else canonical(value))  # fmt: skip
    return None
