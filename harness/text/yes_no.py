"""Find whether a text says yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.records import Extraction, Sample
from harness.text.markers import announcements, first_turn, view

_no = (
    r"\bno\b(?!\s(?:one|doubt|matter|more|longer))|\bfalse\b|\bincorrect\b|\bwrong\b|\buntrue\b|\bnot\s(?:yes|really|at\sall)\b"
    r"|\bnope\b|(?:\bnot|n['’]t)\s(?:\w{1,12}ly\s|be\s){0,2}(?:true|correct|right|the\scase|so)\b"
    r"|并?不是的?(?!否)|否定的?|为假|不对|不正确|不成立|不会|不能|不可以|没有|不(?=[,。!\s]|$)|错误|错(?!过)|否(?![则定认正为能可有是对会])|假(?!设|如|定)"
)
_yes = (
    r"\byes\b|\btrue\b|\bcorrect\b|\bright\b|\byep\b|\byeah\b"
    r"|(?:\bnot|n['’]t)\s(?:false|wrong|incorrect)\b"
    r"|没错|没有错|不错|是的|肯定的|为真|正确|成立|可以|能(?![力量源])|会(?!议)|有(?=[,。]|$)"
    r"|对(?![于应比照称面方手付待])|是|真(?!实|的吗)"
)
_denial = re.compile(f"(?P<no>{_no})", re.IGNORECASE)
_affirmation = re.compile(f"(?P<yes>{_yes})", re.IGNORECASE)
_question = re.compile(
    r"(?<!答案)是否|是不是|对不对|能否|能不能|会不会|可否|对错|是非|是或否|对或错"
    r"|\byes/no\b|\btrue/false\b|\byes\sor\sno\b|\btrue\sor\sfalse\b",
    re.IGNORECASE,
)
_lead = re.compile(
    r"[\s*_\"'“”‘’「『(\[<$:：=.,，、\\{}-]{0,12}(?:(?:text|boxed)\s?\{\s?)?"
    r"(?:well|so|therefore|thus|hence|i\sthink|i\sbelieve|clearly|it\sis|that\sis|it's|that's"
    r"|(?:this|the)(?:\s(?:statement|claim|sentence))?\sis|definitely|probably"
    r"|所以|因此|故|我认为|应该|这是|(?:这个|该|此)(?:说法|命题|陈述|结论|观点|判断|描述|表述)是?|这句话是?|答)?"
    r"[\s,，:：*\"'“]{0,4}",
    re.IGNORECASE,
)
_firm = re.compile(
    r"\b(?:yes|true|false)\b|\b(?:in)?correct\b|\bno\b(?=[\s*]{0,3}[.,!;:。，]|\s{0,3}$)"
    r"|(?:\bnot|n['’]t)\s(?:true|correct|yes)\b|不?正确|错误|是的|不是的?|不对|没错|为[真假]",
    re.IGNORECASE,
)


def _hide_questions(text: str) -> str:
    """Blank what names both answers (是否, yes or no): it repeats the question."""
    return _question.sub(lambda match: "\n" * len(match.group()), text)


def _match(text: str, start: int, end: int | None = None) -> re.Match[str] | None:
    """Return yes or no where it stands at `start`, past filler words; the longer match wins."""
    lead = _lead.match(text, start)
    begin = lead.end() if lead else start
    limit = len(text) if end is None else end
    for at in dict.fromkeys((begin, start)):
        both = (_denial.match(text, at, limit), _affirmation.match(text, at, limit))
        found = [match for match in both if match]
        if found:
            return max(found, key=re.Match.end)
    return None


def _extraction(match: re.Match[str], rule: str) -> Extraction:
    value = "yes" if match.lastgroup == "yes" else "no"
    return Extraction(match.group(), f"yes_no:{rule}", match.start(), match.end(), value)


def _lines(text: str) -> Sequence[tuple[int, int]]:
    return [
        (match.start(), match.end())
        for match in re.finditer(r"[^\n]+", text)
        if not match.group().isspace()
    ]


def yes_no(text: str, sample: Sample) -> Extraction | None:
    """Return yes or no; `value` is "yes" or "no", `answer` is the word as written.

    In this order: the last announced answer; the first word of the last line where it is that
    alone; the first word of the text, or after its question; firm words (yes, true, 正确…) where
    all agree. A denial counts as one: "not true" is no, 没错 is yes. 是否 and "yes or no" say
    nothing.
    """
    del sample
    folded = _hide_questions(first_turn(view(text)))
    for marked in reversed(announcements(folded)):
        match = _match(folded, marked.start, marked.end)
        if match:
            return _extraction(match, marked.rule)
    lines = _lines(folded)
    if not lines:
        return None
    (first, _), (last, end) = lines[0], lines[-1]
    reply = folded.rfind("?", first, end) + 1
    match = _match(folded, last, end)
    if match and not folded[match.end() : end].strip(" .。!*_\"'”’」)}$"):
        return _extraction(match, "last_line")
    for start, rule in ((first, "first_word"), (reply or first, "reply")):
        match = _match(folded, start, end)
        if match:
            return _extraction(match, rule)
    return _agreed(folded)


def _agreed(text: str) -> Extraction | None:
    """Return the polarity of the firm words where there is only one."""
    words = (_match(text, firm.start(), firm.end()) for firm in _firm.finditer(text))
    found = [match for match in words if match]
    if found and len({match.lastgroup for match in found}) == 1:
        return _extraction(found[-1], "agreed")
    return None


def parse_yes_no(text: str) -> str | None:
    """Return "yes" or "no" for a short text such as a target; None for anything else.

    >>> parse_yes_no("True"), parse_yes_no("否"), parse_yes_no("maybe")
    ('yes', 'no', None)
    """
    folded = view(text)
    match = _match(folded, 0)
    if match is None or folded[match.end() :].strip(" .。"):
        return None
    return match.lastgroup
