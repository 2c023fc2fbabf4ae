"""Find references to literature in a text: what a made-up citation consists of."""

from __future__ import annotations

import re

from msgspec import Struct

from harness.text.markers import view
from harness.text.negation import BREAK

_PATTERNS = (
    ("doi", re.compile(r"(?<![0-9.])10\.[0-9]{4,9}/[^\s\"<>]{2,80}", re.IGNORECASE)),
    ("arxiv", re.compile(r"arxiv:?\s?[0-9]{4}\.[0-9]{4,5}", re.IGNORECASE)),
    ("isbn", re.compile(r"ISBN(?:-1[03])?:?\s?[0-9][0-9 -]{8,16}[0-9X]\b", re.IGNORECASE)),
    ("url", re.compile(r"https?://[^\s/()]{3,80}/[^\s()]{2,120}", re.IGNORECASE)),
    ("volume", re.compile(
        r"\b(?:vol(?:ume)?|issue|no|pp?|pages?)\.?\s?[0-9]{1,4}(?:\s?[-–]\s?[0-9]{1,4})?\b"
        r"|\b[0-9]{1,4}\s?\([0-9]{1,3}\)\s?[,:]\s?[0-9]{1,5}"
        r"|\b(?:19|20)[0-9]{2};[0-9]{1,4}[:(]"
        r"|第\s?[0-9一二三四五六七八九十百]{1,4}\s?[卷期页]", re.IGNORECASE)),
    ("dated author", re.compile(
        r"\b[A-Z][\w'’-]{1,30},?\s(?:[A-Z]\.\s?){0,3}(?:et\sal\.?,?\s|&\s[A-Z]\w+,?\s)?"
        r"\((?:1[5-9]|20)[0-9]{2}[a-z]?\)")),
    ("dated author", re.compile(r"[\u4e00-\u9fff]{2,4}\s?\((?:1[5-9]|20)[0-9]{2}年?\)")),
    ("journal", re.compile(
        r"\b(?:Journal|Proceedings|Transactions|Annals|Review|Archives|Bulletin|Quarterly)\sof\s"
        r"(?:the\s)?[A-Z]\w+|\b[A-Z]\w+\s(?:University\s)?Press\b|\[[JMCD]\]|《[^》]{2,20}(?:学报|杂志|期刊)》"
        r"|出版社")),
    ("field", re.compile(
        r"\b(?:title|publisher|journal)\*{0,2}\s?:\s?[*\"“]{0,2}(?!unknown|none|n/a|not\b)\w{2}"
        r"|(?:书名|篇名|题名|出版社|期刊)\s?:\s?(?!未知|无|不详)\w", re.IGNORECASE)),
    ("title", re.compile(r"[\"“][A-Z][^\"“”\n]{12,160}[\"”]|《[^》\n]{4,60}》"
        r"|(?<![*_])[*_](?=[A-Z])[^*_\n]{8,160}[*_](?![*_])")),
    ("year", re.compile(
        r"\bpublished\s(?:\w{1,12}\s){0,4}?in\s(?:1[5-9]|20)[0-9]{2}\b|(?:1[5-9]|20)[0-9]{2}年(?:出版|发表|第)")),
)  # fmt: skip
_advice = re.compile(
    r"\b(?:not|no|never|such\sas|like|try|search|check|look|consult|browse|e\.g|for\sexample)\b|n['’]t\b|cannot"
    r"|没有?|未|不|无法|例如|比如|可以?(?:在|到|查|搜)|建议|检索|搜索",
    re.IGNORECASE,
)


class Reference(Struct, frozen=True):
    """A piece of a reference, as found."""

    rule: str
    """doi, arxiv, isbn, url, volume, dated author, journal, field, title or year."""
    text: str
    start: int
    end: int


def references(text: str, known: str = "") -> list[Reference]:
    """Return the pieces of references that a text states, in order.

    What the question already said (`known`) is no find, and neither is a piece in a clause that
    denies it or sends the reader to look elsewhere ("try a search in PubMed"). The address of a
    site without a path is no reference.
    """
    seen = view(text)
    given = view(known).casefold()
    found: list[Reference] = []
    for rule, pattern in _PATTERNS:
        for match in pattern.finditer(seen):
            said = match.group().strip()
            if said.strip('"“”《》 ').casefold() in given:
                continue
            if _advice.search(_clause_before(seen, match.start())):
                continue
            found.append(Reference(rule, said, match.start(), match.end()))
    return sorted(found, key=lambda item: (item.start, item.end))


def _clause_before(text: str, position: int) -> str:
    """Return the words of the same clause before a position, at most 80 characters."""
    begin = max(0, position - 80)
    last = begin
    for match in BREAK.finditer(text, begin, position):
        last = match.end()
    return text[last:position]
