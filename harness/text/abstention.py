"""Find whether a text declines to answer because it does not know."""

from __future__ import annotations

import re

from harness.records import Extraction, Sample
from harness.text.markers import announcements, sentence_end, view

_object = (
    r"(?=\s{0,2}(?:$|[.,;!\n…]|[\"'”’)]|that\b|this\b|it\b|the\b(?!\sreason)|for\b|with\b|which\b|who\b"
    r"|whom\b|whose\b|what\b|when\b|where\b|how\s(?:many|much|old|long|far|tall|big)\b|about\b|if\b"
    r"|whether\b|enough\b|any\b|because\b|since\b|as\b|based\b|from\b|at\b|of\b|an?\b|and\b"
    r"|sorry\b|but\b|to\b))"
)
_i = r"(?:\bI|\bwe)\s(?:(?:really|honestly|actually|truly|simply|just|currently|still)\s){0,2}"
_do_not = r"(?:do\snot|don['’]?t)\s(?:really\s|actually\s|currently\s)?"
_english = re.compile(
    rf"{_i}{_do_not}(?:know{_object}|have\s(?:(?:any|enough|sufficient|access|reliable|the|an?|specific"
    r"|that|real-time|up-to-date|verified)\s){0,2}(?:to\s)?(?:(?:that|this|the|any|such|real-time|current|up-to-date|latest|specific)\s){0,2}(?:information|data|answer|knowledge|details"
    r"|idea|clue|evidence|context|way)\b)"
    rf"|\bI(?:\sam|['’]?m)\s(?:really\s|honestly\s|sorry,?\sbut\sI['’]?m\s)?(?:not\s(?:sure|certain|able"
    rf"\sto\s(?:answer|determine|tell|say|find|verify|confirm|provide))|unsure|uncertain|unable\sto\s"
    rf"(?:answer|determine|tell|say|find|verify|confirm|provide)|unaware|not\saware|not\sfamiliar){_object}"
    rf"|{_i}(?:can\s?not|can['’]?t|could\s?n['’]?o?t|am\sunable\sto)\s(?:be\ssure|determine|tell|say|answer|provide"
    rf"|recall|remember|verify|confirm|find)\b(?!\syou|\sthe\sdifference)"
    rf"|\bI\shave\sno\s(?:idea|clue|information|knowledge){_object}"
    r"|\b(?:this|that|it|the\s(?:answer|question|value|number|result|exact\s\w{1,15}))\s(?:can\s?not|can['’]?t"
    r"|could\s?not)\sbe\s(?:determined|known|answered|inferred|established|verified|calculated)"
    r"|^\W{0,3}(?:it\s)?(?:can\s?not|can['’]?t)\sbe\s(?:determined|known|answered|inferred)"
    r"|\b(?:the\sanswer\sis|it\sis|it['’]s|this\sis)\s(?:unknown|unclear|not\sknown|unanswerable|impossible"
    r"\sto\s(?:know|tell|say|determine|answer))\b"
    r"|\b(?:there\sis|there['’]s)\sno\s(?:way\sto\s(?:know|tell|determine)\b"
    r"|(?:sufficient\s)?(?:information|data)\b)"
    r"|\bthe\s(?:text|passage|context|article|document|question|story|paragraph)\s(?:itself\s)?"
    r"(?:does\s?n['’]?o?t|never)\s(?:say|mention|state|specify|provide|give|tell|contain|include)"
    r"|\b(?:not\senough|insufficient)\s(?:information|data|context|evidence)\b"
    r"|^\W{0,3}(?:unknown|unsure|not\ssure|no\sidea|unanswerable|undetermined|n/?a|idk|dunno)\W{0,3}$",
    re.IGNORECASE | re.MULTILINE,
)
_chinese = re.compile(
    r"(?:我|我们|本人)?(?:真的?|也|并|暂时|目前|实在|确实|还){0,2}(?:不知道|不清楚|不太清楚|不了解|不确定|不太确定|不得而知)"
    r"(?=$|[,。!;\n…]|答案|这|该|是|谁|哪|什么|具体|如何|怎么|多少|此|关于|他|她|它|您|你问|的?$)"
    r"|(?:无法|不能|没法|难以)(?:准确|确切|直接|据此|从中)?(?:确定|回答|得知|判断|得出|给出|提供|知道|作答|推断|核实)"
    r"|(?:文中|文章|原文|材料|题目|题中|题干)中?(?:也|并)?(?:没有|未)(?:明确)?(?:提到|提及|说明|给出|说)"
    r"|(?:信息|条件|资料|线索)不足|(?:没有|缺乏|缺少)(?:足够|相关|任何|可靠|充分)?的?(?:相关)?(?:信息|资料|数据|依据|线索)"
    r"|^\W{0,3}(?:不详|未知|不明|无解|无从得知|没有答案)\W{0,3}$",
    re.MULTILINE,
)
_but = re.compile(
    r"\b(?:but|however|though|although|nevertheless)\b|(?:但是?|不过|然而|可是)", re.IGNORECASE
)
_guess = re.compile(
    r"\bmy\s(?:best\s)?guess\b|\bI(?:['’]d|\swould)\sguess\b|我猜是?|最可能的?(?:答案)?是|其实是",
    re.IGNORECASE,
)
_offer = re.compile(
    r"\bI\s(?:can|could|would|will)\s(?:help|try|suggest|recommend|provide|offer|assist)|\byou\s(?:can|could|may"
    r"|might|should)|\bplease\b|\bif\syou\b|\bfeel\sfree|\bcheck\b|\bcan\s?not\b|n['’]t\b|\bnot\b|\bvar(?:y|ies)"
    r"\b|\bdepend|\blet\sme\sknow|\bcould\sbe\sany|\bsorry\b|\bunknown\b|\bunclear\b|\bno\sinformation"
    r"|可以(?:帮|尝试|提供|查)|建议|如果你|如果您|请|无法|不能|不知道|不清楚|取决",
    re.IGNORECASE,
)
_added = re.compile(r"(?:[.。]\s{0,2}(?:however|but),?\s|。但是?)$", re.IGNORECASE)
"""An answer went before, and the doubt is about something more."""
_retracts = re.compile(
    r"\bI\s(?:do\snot|don['’]?t)\shave\s(?:any|an?)\s(?:doubt|idea\swhy)"
    r"|\b(?:you|they|he|she|people|many|who)\s$|[他她你们人家谁都]$|如果$|[\"“「']$",
    re.IGNORECASE,
)
_REACH = 400
"""Characters after an abstention within which an answer takes it back."""


def abstention(text: str, sample: Sample) -> Extraction | None:
    """Return the words by which the text declines to answer, or None where it answers.

    "I don't know why people doubt it, but it's Paris" is an answer: what is not known is not what
    was asked. So is "I'm not sure, but I think it's Paris", and any text with an announced answer
    that is no abstention itself. `value` is "abstain".
    """
    del sample
    folded = view(text)
    if _answered(folded):
        return None
    first = folded[: len(folded) - len(folded.lstrip()) + 600]
    for pattern in (_english, _chinese):
        for match in pattern.finditer(first):
            if _retracts.search(folded[max(0, match.start() - 10) : match.start()]):
                continue
            if _added.search(folded[max(0, match.start() - 12) : match.start()]):
                continue
            if _goes_on_to_answer(folded, match.end()):
                continue
            if _answered_before(folded, match.start()):
                continue
            return Extraction(match.group().strip(), "abstention", match.start(),
                              match.start() + len(match.group()), "abstain")  # fmt: skip
    return None


def _goes_on_to_answer(text: str, position: int) -> bool:
    """Return whether "but" or "however" brings an answer, rather than advice or more doubt."""
    limit = min(len(text), position + _REACH)
    if _guess.search(text, position, limit):
        return True
    for turn in _but.finditer(text, position, limit):
        said = text[turn.end() : sentence_end(text, turn.end())]
        if re.search(r"\w", said) and not _offer.search(said):
            return True
    return False


def _answered(text: str) -> bool:
    """Return whether the text announces an answer that is no abstention."""
    for marked in announcements(text):
        said = text[marked.start : marked.end]
        if re.search(r"\w", said) and not _declines(said):
            return True
    return False


_declining = re.compile(
    r"unknown|unclear|not\s(?:known|clear|sure|available|given|provided|possible|enough|certain)|can\s?not|can['’]t"
    r"|could\snot|depend|impossible|unable|don['’]?t|do\snot|no\sidea|undetermined|insufficient|unanswerable|n/a"
    r"|不知|未知|无法|不能|不确定|不清楚|不明|不详|多少|什么|难以|没有",
    re.IGNORECASE,
)


def _declines(text: str) -> bool:
    return _declining.search(text) is not None


def _answered_before(text: str, position: int) -> bool:
    """Return whether a whole sentence that is no apology goes before."""
    sentences = re.split(r"(?<=[.!?。！？])\s*|\n", text[:position])[:-1]
    told = [part for part in sentences if re.search(r"\w", part)]
    polite = re.compile(r"sorry|apolog|question|thank|unfortunately|抱歉|对不起|不好意思|您好|问题"
                        r"|as an ai|language model|\?$|hmm|well", re.IGNORECASE)  # fmt: skip
    plain = [part for part in told if not polite.search(part) and len(part) <= 40]  # noqa: PLR2004
    return bool(plain) and plain[0] is told[0]
