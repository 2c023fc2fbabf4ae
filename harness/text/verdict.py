"""A judge's verdict in its text, and answers that say nothing.

The last verdict that a reply announces counts, matched as a whole word, and is checked
against the offered set only afterwards, so that a reading never falls back to an earlier one,
which may have been planted (the form of Inspect's `model_graded_qa`). `CORRECT` is never found
in `INCORRECT`. What holds no offered verdict is missing, with a reason: never a default.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from harness.text.fence import visible
from harness.text.normalise import normalise, strip_reasoning

MAX_REPLY = 20_000
"""Characters at the end of a reply that are read."""

_DECORATION = " \t\"'*_`[](){}<>（）「」『』【】“”‘’#"
_OPENING = r"[ \t\"'*_`\[({（「『【“‘]{0,12}"
_ANNOUNCED = re.compile(
    rf"(?:(?<!\w)VERDICT(?!\w)|判定){_OPENING}[ \t]*[:：=]\s*{_OPENING}"
    r"(?=(?P<label>-?\d+(?:\.\d+)?(?!\w)|[^\W\d][\w \t-]*)?)",
    re.IGNORECASE,
)
_OF_BEST = re.compile(r"\s*(?:/|out\s+of|of|分?，?满分)\s*(?P<best>\d+)")
_OTHER = re.compile(r"[\"'*_`\])} \t]*(?:,|/|\||\bor\b|\band\b|或者?|、|和)\s*(?P<other>[\w-]+)")
_DECLINES = re.compile(
    r"\bI(?:'m| am)? (?:sorry|unable|not able|cannot|can't|can not|won't|must decline)\b"
    r"|\bas an AI\b|我(?:不能|无法|拒绝)|抱歉|对不起",
    re.IGNORECASE,
)


class Reading(NamedTuple):
    """What was read in a reply: exactly one of `verdict` and `reason` is set."""

    verdict: str | None
    reason: str | None = None
    """Why there is no verdict: empty, declined, truncated, none announced, not offered, two."""


def read_verdict(
    text: str,
    offered: Sequence[str],
    aliases: Mapping[str, Sequence[str]] | None = None,
    *,
    truncated: bool = False,
) -> Reading:
    """Return the verdict of a judge's reply, one of `offered`, or why there is none.

    `aliases` are other words for an offered verdict. A reply may be JSON with a field "verdict",
    text that ends in "VERDICT: …" (or "判定：…"), or nothing but the verdict.

    >>> read_verdict("It is not CORRECT. VERDICT: INCORRECT", ["correct", "incorrect"]).verdict
    'incorrect'
    """
    known = _known(offered, aliases or {})
    told = visible(strip_reasoning(text))[-MAX_REPLY:]
    if not told.strip():
        return Reading(None, "the reply is cut off" if truncated else "the reply is empty")
    announcements = list(_ANNOUNCED.finditer(_field(told) or told))
    if announcements:
        return _announced(announcements[-1], known)
    line = told.strip().splitlines()[-1]
    alone = known.get(_plain(line))
    if alone is not None:
        return Reading(alone)
    if _DECLINES.search(told):
        return Reading(None, "the judge declined")
    return Reading(None, "the reply is cut off" if truncated else "no verdict is announced")


def quoted(text: str, offered: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> str:
    r"""Return `text` with a dot before each of its lines that would be read as a verdict alone.

    A judge that repeats what it was shown then announces nothing. A text of one line stays: it
    may be the very answer.

    >>> quoted("Lyon\n\ncorrect", ["correct"], {})
    'Lyon\n\n· correct'
    """
    known, lines = _known(offered, aliases), text.split("\n")
    if len(lines) < 2:  # noqa: PLR2004 - one line
        return text
    return "\n".join(f"· {line}" if _plain(line) in known else line for line in lines)


def _field(told: str) -> str | None:
    """Return the verdict of a reply that is one JSON object, as an announcement.

    Whatever the other fields quote, and in whichever order they stand, is not looked at.
    """
    bare = re.sub(r"\A\s*```(?:json)?|```\s*\Z", "", told).strip()
    if not bare.startswith("{"):
        return None
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    verdict = found.get("verdict") if isinstance(found, dict) else None
    return f"VERDICT: {verdict}" if isinstance(verdict, str | int) else None


def _announced(match: re.Match[str], known: Mapping[str, str]) -> Reading:
    label = match["label"] or ""
    rest = match.string[match.end() + len(label) :].split("\n", 1)[0]
    words = re.split(r"[ \t](?:or|and)[ \t]", label)
    found = known.get(_plain(label)) or known.get(_plain(re.sub(r"\.0+$", "", label)))
    best = _OF_BEST.match(rest)
    if found is None:
        if len(words) > 1 and _plain(words[0]) in known and _plain(words[1]) in known:
            return Reading(None, "two verdicts are announced")
        head = re.match(r"(-?\d+)[ \t]*$", words[0])
        found = known.get(head[1]) if head and best else None
    if found is None:
        shown = (label + rest).strip()[:40]
        return Reading(None, f"not one of those offered: '{shown}'")
    if best is not None and best["best"] == _highest(known):
        return Reading(found)
    other = _OTHER.match(rest)
    if other is not None and known.get(_plain(other["other"]), found) != found:
        return Reading(None, "two verdicts are announced")
    return Reading(found)


def _highest(known: Mapping[str, str]) -> str | None:
    numbers = [int(name) for name in known if re.fullmatch(r"\d+", name)]
    return str(max(numbers)) if numbers else None


def _known(offered: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return _known_words(tuple(offered), tuple((k, tuple(v)) for k, v in aliases.items()))


@lru_cache(maxsize=64)
def _known_words(
    offered: tuple[str, ...], aliases: tuple[tuple[str, tuple[str, ...]], ...]
) -> dict[str, str]:
    known = {_plain(name): name for name in offered}
    for name, others in aliases:
        for other in others:
            known.setdefault(_plain(other), name)
    return known


def _plain(label: str) -> str:
    """Return a label without case, width, decoration and the choice between _, - and space."""
    folded = unicodedata.normalize("NFKC", label).casefold().strip(_DECORATION + ".。,，;；:：!！")
    return re.sub(r"[\s_-]+", "_", folded) if not re.match(r"-?\d", folded) else folded


# ---- answers without content ----------------------------------------------------------------

_OPENERS = re.compile(
    r"(?:the\s)?(?:thought process|reasoning|solution|answer|final answer|analysis|explanation)"
    r"|(?:let'?s|let us|i will|i'll) (?:solve|think|work|go|look|answer)[^.。\n]{0,60}"
    r"|(?:解|答|答案|思路|思考过程|分析|解答)"
    r"|(?:让我们|我们来|我来)[^.。\n]{0,30}",
    re.IGNORECASE,
)


def vacuous(answer: str, question: str = "", language: str = "en") -> bool:
    """Return whether an answer says nothing that could be right.

    No letter or digit at all, only the opening of an answer ("Thought process:"), or the
    question over again. Such texts raise the scores of many judges (Zhao et al. 2025, "One Token
    to Fool LLM-as-a-Judge").

    >>> [vacuous(text) for text in (":", "Solution:", "42")]
    [True, True, False]
    """
    told = visible(answer)
    if not any(char.isalnum() for char in told):
        return True
    bare = told.strip(_DECORATION + ".。,，;；:：!！?？…-\n")
    if _OPENERS.fullmatch(bare):
        return True
    plain = normalise(told, language)
    return bool(plain) and plain == normalise(question, language)
