"""Whether a mention in a text is denied: "not 5", "B is wrong", 不选A, C选项是错误的."""

from __future__ import annotations

import re

BREAK = re.compile(r"[,，。；;!?\n]|\.(?=\s|$)|\bbut\b|但|而是|(?<!从)而(?!且|非)", re.IGNORECASE)
"""Ends a clause."""

_deny_before = re.compile(
    r"(?:\bnot|n['’]t(?:\sbe)?|\bnever|≠|!=|\\neq?|不(?:是|等于|为|应该?是|会是|可能是)|并非|而非"
    r"|\brather\sthan|\binstead\sof|\bunlike)\s?"
    r"(?:equal\sto|exactly|simply|just|actually|be|a|the|=|选项|option)?[\s*$:(\"'“「]{0,4}$",
    re.IGNORECASE,
)
_reject_before = re.compile(
    r"\b(?:rul(?:e|es|ed|ing)\sout|eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)"
    r"|reject(?:s|ed|ing)?|dismiss(?:es|ed)?|discard(?:s|ed)?|except|neither|nor|rather\sthan"
    r"|instead\sof|unlike|avoid)\b|(?:\bnot|n['’]t|\bnever)\s(?:\w{1,12}\s){0,3}?(?:choose|select|pick"
    r"|choosing|go\swith|option)\b|(?:不|别|勿|没有?|并不)(?:能|该|应该?|可以?|要|会)?选|排除(?!法)|剔除"
    r"|(?<!排)除了?(?!以|法)|并非|而非",
    re.IGNORECASE,
)
_wrong_after = re.compile(
    r"(?:\b(?:is|was|are|were|be|seems?|looks?|both)\s(?:\w{1,12}ly\s|also\s|all\s|both\s){0,2}"
    r"(?:wrong|incorrect|false|untrue|inaccurate|invalid|eliminated|excluded|ruled\sout|out\b"
    r"|too\s(?:high|low|large|small|big|broad|narrow)|implausible|impossible|irrelevant"
    r"|not\s(?!only))"
    r"|\b(?:is|was|are|were|does|do|did|ca|can|could|would)(?:n['’]t|not)\b"
    r"|\b(?:does|do|did|can|could|would)\snot\b|\bcannot\b|\bfails?\b"
    r"|错|不(?:正确|对|符合?|成立|合适|恰当|准确|合理|可能|选|是(?!错))|有误|排除|无关|并非|不能选)",
    re.IGNORECASE,
)
_wrong_number = re.compile(
    r"^\W{0,3}(?:\w{1,12}\s){0,2}(?:is|was|are|were|seems?|looks?)\s(?:\w{1,12}ly\s|also\s)?"
    r"(?:wrong|incorrect|false|not\s(?:correct|right|true|the\sanswer)|too\s\w)"
    r"|^\W{0,3}(?:\w{1,12}\s){0,2}(?:isn|wasn|aren)['’]t\s(?:correct|right|the\sanswer)"
    r"|^.{0,6}?(?:是?错误?的|是?不对|不正确|有误)",
    re.IGNORECASE,
)
_double = re.compile(
    r"没错|没有错|无误|不错|not\s(?:wrong|incorrect|false)|(?:isn['’]t|不是)\s?(?:wrong|错)",
    re.IGNORECASE,
)


def clause_start(text: str, position: int, floor: int = 0, reach: int = 48) -> int:
    """Return where the clause around `position` begins, at most `reach` before it."""
    begin = max(floor, position - reach)
    last = begin
    for match in BREAK.finditer(text, begin, position):
        last = match.end()
    return last


def clause_end(text: str, position: int, ceiling: int | None = None, reach: int = 48) -> int:
    """Return where the clause around `position` ends, at most `reach` after it."""
    limit = min(len(text) if ceiling is None else ceiling, position + reach)
    match = BREAK.search(text, position, limit)
    return limit if match is None else match.start()


def denied_number(text: str, start: int, end: int) -> bool:
    """Return whether the number at start…end is said not to be the answer."""
    if _deny_before.search(text[max(0, start - 32) : start]):
        return True
    after = text[end : clause_end(text, end)]
    digit = re.search("[0-9]", after)
    after = after[: digit.start()] if digit else after
    return _wrong_number.search(after) is not None


def denied_option(text: str, start: int, end: int, floor: int, ceiling: int) -> bool:
    """Return whether the option named at start…end is ruled out.

    `floor` and `ceiling` are where the neighbouring mentions end and begin: a denial belongs to
    the mention next to it.
    """
    before = text[clause_start(text, start, floor) : start]
    if _deny_before.search(before) or _reject_before.search(before):
        return True
    after = text[end : clause_end(text, end, ceiling)]
    return bool(_wrong_after.search(after)) and not _double.search(after)
