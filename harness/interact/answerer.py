"""Answers yes/no questions about one thing from a table, by rules. Pure.

The answerer says yes or no only where it has understood the whole question: a word that it does
not know may change what is asked, and then it says that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from harness.interact.question_words import CHINESE, ENGLISH, IDLE, NEGATED, UNCLEAR
from harness.text.normalise import fold_width, strip_reasoning

Answer = Literal["yes", "no", "unknown"]

OPPOSITE: Mapping[Answer, Answer] = MappingProxyType(
    {"yes": "no", "no": "yes", "unknown": "unknown"}
)
LONGEST = 300
"""Characters of a question; a longer one is not read."""

_alternatives = MappingProxyType({"en": re.compile(r"\bor\b"), "zh": re.compile("或者|还是|或")})
_sentence = re.compile(r"[^?？!！。\n]*[^?？!！。\n.][?？]?")
_number = re.compile(r"^(?:[\d.)、:：\s-]|(?:question|q|问题?|第)\s?(?=\d))+", re.IGNORECASE)
_english_guess = re.compile(
    r"(?:(?:so |ok |okay |then )*(?:is|was|could|might|would) (?:it|this|that|the (?:thing|object"
    r"|answer|item|animal))(?: be)?|are you (?:thinking of|an?|the)|do you mean"
    r"|(?:so )?(?:my (?:final )?guess is|i (?:would )?guess|i think|the (?:answer|thing|object) is"
    r"|it is|it's|it must be|final answer|answer)"
    r"(?: that)?(?: it is| it's)?)(?: (?:called|named))?[ :]+"
)
_article = re.compile(r"^(?:(?:an?|the|some|your|just) )+")
_chinese_guess = re.compile(
    r"^(?:那么|那|我猜|我想|我认为|所以|最终|最后|我的|答案|请问|猜测?|它|这|该物体|这个东西|是不是|是否是|是否|就|应该|"
    r"一定|可能|会不会|难道|想的|你|指的|说的|是|不是|[:：,，])*"
)
_measure = re.compile("^(?:一)?[个只头匹条辆张把本台架朵棵杯颗座支根块种匹瓶双顶艘盏部面枚片]")
_chinese_end = re.compile("(?:吗|呢|吧|么|对吗|对不对|是吗|[?？。!！.])+$")


class Thing(Struct, frozen=True):
    """What the answerer thinks of."""

    names: tuple[str, ...]
    others: frozenset[str]
    """Names of other things that may be guessed."""
    values: Mapping[str, Answer]
    """By attribute."""


class Reply(Struct, frozen=True):
    """What the answerer makes of a question."""

    answer: Answer
    guess: bool = False
    """Whether the question named a thing."""
    understood: tuple[str, ...] = ()
    """The attributes that it asked for."""


def question_of(text: str) -> str:
    r"""Return the question in a model's turn: its last question, else its last line.

    >>> question_of("Good. Let me think.\n4. Is it alive?")
    'Is it alive?'
    """
    bare = strip_reasoning(text)[-4000:].replace("*", "")
    asked = [s.strip() for s in _sentence.findall(bare) if s.rstrip().endswith(("?", "？"))]
    lines = asked or [line.strip() for line in bare.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return _number.sub("", last)


def reply(question: str, thing: Thing, language: str) -> Reply:
    """Return the answer to a question about a thing.

    >>> cat = Thing(("cat",), frozenset({"dog"}), {"animal": "yes", "bird": "no"})
    >>> reply("Is it a cat?", cat, "en").guess, reply("Is it a bird?", cat, "en").answer
    (True, 'no')
    """
    if len(question) > LONGEST:
        return Reply("unknown")
    chinese = language.startswith("zh")
    plain = _plain(question, chinese=chinese)
    named = _named(plain, chinese=chinese)
    if named & set(thing.names):
        return Reply("yes", guess=True)
    if named & thing.others:
        return Reply("no", guess=True)
    return _about(plain, thing.values, "zh" if chinese else "en")


def _plain(question: str, *, chinese: bool) -> str:
    folded = fold_width(question).lower().replace("\u2019", "'")
    if chinese:
        return re.sub(r"[\s\"'“”「」《》]", "", folded)
    return " ".join(re.sub(r"[\"“”]", " ", folded).split())


def _named(plain: str, *, chinese: bool) -> set[str]:
    """Return what may be the name that a question guesses: with a first measure word, without."""
    if chinese:
        bare = _chinese_guess.sub("", _chinese_end.sub("", plain))
        return {bare, _measure.sub("", bare)} - {""}
    bare = plain.rstrip("?!. ")
    lead = _english_guess.match(bare)
    return {_article.sub("", bare[lead.end() :] if lead else bare)}


def _about(plain: str, values: Mapping[str, Answer], language: str) -> Reply:
    rest, found = plain, []
    for start, end, attribute, negated in _mentions(plain, language):
        value = values.get(attribute, "unknown")
        found.append((attribute, OPPOSITE[value] if negated else value))
        rest = rest[:start] + "\n" * (end - start) + rest[end:]
    either = _alternatives[language].search(rest) is not None
    idle = IDLE[language].sub(" ", rest)
    understood = tuple(attribute for attribute, _ in found)
    twice = len(set(understood)) < len(understood)  # alive or not: no yes and no no
    if not found or twice or re.search(r"\w", idle) or UNCLEAR[language].search(rest):
        return Reply("unknown")
    return Reply(_joined([value for _, value in found], either=either), understood=understood)


def _joined(values: Sequence[Answer], *, either: bool) -> Answer:
    """Return what several answers make: any of them for "or", all of them otherwise."""
    deciding: Answer = "yes" if either else "no"
    if deciding in values:
        return deciding
    return "unknown" if "unknown" in values else OPPOSITE[deciding]


def _mentions(plain: str, language: str) -> list[tuple[int, int, str, bool]]:
    """Return the attributes that a question names, none overlapping; the longer one wins."""
    found = sorted(_matches(plain, language), key=lambda m: (m[0] - m[1], m[0]))
    kept: list[tuple[int, int, str, bool]] = []
    for match in found:
        if all(match[1] <= start or match[0] >= end for start, end, _, _ in kept):
            kept.append(match)
    return sorted(kept)


def _matches(plain: str, language: str) -> Iterator[tuple[int, int, str, bool]]:
    for negated, patterns in ((True, _NEGATED[language]), (False, _ASKED[language])):
        for attribute, pattern in patterns.items():
            for match in pattern.finditer(plain):
                yield match.start(), match.end(), attribute, negated


def _compiled(patterns: Mapping[str, str], *, words: bool) -> Mapping[str, re.Pattern[str]]:
    edge = r"\b" if words else ""
    return MappingProxyType(
        {name: re.compile(f"{edge}(?:{text}){edge}") for name, text in patterns.items()}
    )


_ASKED = MappingProxyType(
    {"en": _compiled(ENGLISH, words=True), "zh": _compiled(CHINESE, words=False)}
)
_NEGATED = MappingProxyType(
    {language: _compiled(NEGATED[language], words=language == "en") for language in ("en", "zh")}
)
