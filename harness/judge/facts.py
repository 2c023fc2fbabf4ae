"""What an audit asks about: questions with a right and a wrong answer, each a whole sentence.

Three kinds, in both languages: rows of the QA tasks, generated sums, and translations (written
ones, idioms among them, and generated ones, whose numbers and negations can be turned over). The
caller brings the rows; what is drawn or generated depends on nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from harness.identity import CounterRandom

Kind = Literal["qa", "sum", "translation"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SHARES: dict[Kind, int] = {"qa": 2, "sum": 1, "translation": 1}
"""How the facts of a language are divided among the kinds."""
LANGUAGES = ("en", "zh")
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by the language of the answers."""


class Fact(Struct, frozen=True):
    """A question with a right and a wrong answer."""

    question: str
    right: str
    wrong: str
    accepted: tuple[str, ...]
    """What a judge is shown as accepted answers."""
    language: str = "en"
    """Of the answers."""
    kind: Kind = "qa"
    short_wrong: str = ""
    """What the wrong answer says, in the fewest words."""
    extra: str = ""
    """A true sentence beside the matter, in the same language; "" where none would do no harm."""
    twisted: dict[str, tuple[str, ...]] = {}
    """digit, negation: the right answer with one digit changed, or turned into its denial."""
    number: int = 0
    """Among the facts of its kind and language."""


def facts_of(qa: Rows, translation: Rows, count: int, kinds: Sequence[Kind] = KINDS) -> list[Fact]:
    """Return `count` facts for each language, or fewer where only QA is wanted and runs out.

    `qa` has rows with question, answers, statement, misleading, wrong and distractor;
    `translation` rows with source, reference, right and wrong.
    """
    chosen = [kind for kind in KINDS if kind in kinds]
    found: list[Fact] = []
    for language in LANGUAGES:
        rng = CounterRandom(0, "audit", language)
        supply: dict[Kind, Iterator[Fact]] = {
            "qa": _questions(qa.get(language, ()), language, rng),
            "sum": _endless(_sum, language, CounterRandom(0, "sums", language)),
            "translation": _translations(translation.get(language, ()), language),
        }
        found += _drawn(supply, chosen, count)
    return found


def _drawn(supply: Mapping[Kind, Iterator[Fact]], kinds: Sequence[Kind], count: int) -> list[Fact]:
    """Take from each kind by turns, as often as its share says, until there are enough."""
    out: list[Fact] = []
    taken = dict.fromkeys(kinds, 0)
    turns = [kind for kind in kinds for _ in range(SHARES[kind])]
    while turns and len(out) < count:
        kind = turns.pop(0)
        fact = next(supply[kind], None)
        if fact is None:
            turns = [one for one in turns if one != kind]
            continue
        turns.append(kind)
        out.append(msgspec.structs.replace(fact, number=taken[kind]))
        taken[kind] += 1
    return out


def _endless(
    make: Callable[[CounterRandom, str], Fact], language: str, rng: CounterRandom
) -> Iterator[Fact]:
    seen: set[str] = set()
    while True:
        fact = make(rng, language)
        if fact.question not in seen:
            seen.add(fact.question)
            yield fact


# ---- questions ------------------------------------------------------------------------------


def _questions(
    rows: Sequence[Mapping[str, Any]], language: str, rng: CounterRandom
) -> Iterator[Fact]:
    usable = [row for row in rows if row.get("misleading") and row.get("statement")]
    for row in rng.shuffled(usable):
        right, accepted = str(row["statement"]), tuple(map(str, row["answers"]))
        denied = negated(right, language)
        number = next((one for one in accepted if _plain_number(one, right)), None)
        digit = number and right.replace(number, _other_digit(number, rng))
        yield Fact(
            question=str(row["question"]),
            right=right,
            wrong=str(row["misleading"]),
            accepted=accepted,
            language=language,
            short_wrong=str(row.get("wrong") or ""),
            extra=str(row.get("distractor") or ""),
            twisted=_twisted(digit=[digit], negation=[denied]),
        )


def _twisted(**texts: Sequence[str | None]) -> dict[str, tuple[str, ...]]:
    found = {name: tuple(text for text in given if text) for name, given in texts.items()}
    return {name: given for name, given in found.items() if given}


def _plain_number(answer: str, statement: str) -> bool:
    """Whether an answer is a number of several digits that a statement has once, as its own."""
    alone = re.findall(rf"(?<![\d.,]){re.escape(answer)}(?!\d|[.,]\d)", statement)
    return bool(re.fullmatch(r"\d{2,}", answer)) and len(alone) == statement.count(answer) == 1


# ---- sums -----------------------------------------------------------------------------------


def _sum(rng: CounterRandom, language: str) -> Fact:
    a, b = rng.between(1000, 9999), rng.between(1000, 9999)
    english = language == "en"
    text = "{a} plus {b} is {c}." if english else "{a}加{b}等于{c}。"
    ask = "What is {a} plus {b}?" if english else "{a}加{b}等于多少？"
    extra = f"Both {a} and {b} have four digits." if english else f"{a}和{b}都是四位数。"
    wrong = a + b + rng.between(1200, 3400)
    right = str(a + b)
    turned = dict.fromkeys(_other_digit(right, rng) for _ in range(4))
    return Fact(
        question=ask.format(a=a, b=b),
        right=text.format(a=a, b=b, c=right),
        wrong=text.format(a=a, b=b, c=wrong),
        accepted=(right,),
        language=language,
        kind="sum",
        short_wrong=str(wrong),
        extra=extra,
        twisted=_twisted(digit=[text.format(a=a, b=b, c=one) for one in turned][:2]),
    )


# ---- translations ---------------------------------------------------------------------------

_TASK = {
    "en": "Translate the sentence into English.\n\n{source}",
    "zh": "把下面的句子译成中文。\n\n{source}",
}


def _translations(rows: Sequence[Mapping[str, Any]], language: str) -> Iterator[Fact]:
    """Yield written and generated ones mixed, then generated ones without end."""
    made = _endless(_generated, language, CounterRandom(0, "translations", language))
    rng = CounterRandom(0, "written", language)
    for row in rng.shuffled(list(rows)):
        while rng.below(2):
            yield next(made)
        yield Fact(
            question=_TASK[language].format(source=row["source"]),
            right=str(row["right"]),
            wrong=str(row["wrong"]),
            accepted=(str(row["reference"]),),
            language=language,
            kind="translation",
        )
    yield from made


class _Frame(Struct, frozen=True):
    """A sentence in both languages: as it is, in other words, and denied; slots in braces."""

    en: tuple[str, str, str]
    zh: tuple[str, str, str]
    numbers: tuple[int, int] = (12, 48)
    """Least and most of {n}."""


_FRAMES = (
    _Frame(("The train to {city} leaves from platform {n} on {day}.",
            "On {day} the train to {city} leaves from platform {n}.",
            "The train to {city} does not leave from platform {n} on {day}."),
           ("开往{city}的火车{day}从{n}号站台发车。", "{day}，去{city}的火车从{n}号站台开出。",
            "开往{city}的火车{day}不从{n}号站台发车。")),
    _Frame(("{name} bought {n} kilograms of rice on {day}.",
            "On {day}, {name} bought {n} kilograms of rice.",
            "{name} did not buy {n} kilograms of rice on {day}."),
           ("{name}{day}买了{n}公斤大米。", "{day}，{name}买了大米，一共{n}公斤。",
            "{name}{day}没有买{n}公斤大米。")),
    _Frame(("Room {n} in the hotel in {city} is free on {day}.",
            "On {day}, room {n} of the hotel in {city} is free.",
            "Room {n} in the hotel in {city} is not free on {day}."),
           ("{city}那家旅馆的{n}号房间{day}是空着的。", "{day}，{city}那家旅馆的{n}号房间空着。",
            "{city}那家旅馆的{n}号房间{day}不是空着的。"), (101, 989)),
    _Frame(("A ticket to {city} costs {n} yuan on {day}.",
            "On {day} the price of a ticket to {city} is {n} yuan.",
            "A ticket to {city} does not cost {n} yuan on {day}."),
           ("{day}去{city}的票价是{n}元。", "{day}去{city}，一张票要{n}元。",
            "{day}去{city}的票价不是{n}元。"), (112, 989)),
    _Frame(("{name} has lived in {city} for {n} months.",
            "For {n} months now, {name} has been living in {city}.",
            "{name} has not lived in {city} for {n} months."),
           ("{name}在{city}住了{n}个月。", "{name}住在{city}已有{n}个月了。",
            "{name}在{city}没有住{n}个月。")),
    _Frame(("{name} teaches a class of {n} pupils in {city}.",
            "In {city}, {name} has a class of {n} pupils to teach.",
            "{name} does not teach a class of {n} pupils in {city}."),
           ("{name}在{city}教一个{n}人的班。", "{name}在{city}教的班有{n}名学生。",
            "{name}在{city}不教{n}人的班。")),
    _Frame(("The meeting on {day} will be held in room {n} in {city}.",
            "On {day} the meeting takes place in room {n} in {city}.",
            "The meeting on {day} will not be held in room {n} in {city}."),
           ("{day}的会议将在{city}的{n}号会议室举行。", "{day}，会议在{city}的{n}号会议室召开。",
            "{day}的会议不会在{city}的{n}号会议室举行。"), (101, 989)),
    _Frame(("{name} finished the report of {n} pages on {day}.",
            "On {day}, {name} completed the report, which has {n} pages.",
            "{name} did not finish the report of {n} pages on {day}."),
           ("{name}{day}写完了那份{n}页的报告。", "那份{n}页的报告，{name}在{day}写好了。",
            "{name}{day}没有写完那份{n}页的报告。"), (24, 189)),
)  # fmt: skip
_SLOTS = {
    "city": (("Berlin", "柏林"), ("Cairo", "开罗"), ("Lima", "利马"), ("Oslo", "奥斯陆"),
             ("Rome", "罗马"), ("Tokyo", "东京"), ("Xi'an", "西安"), ("Chengdu", "成都")),
    "day": (("Monday", "星期一"), ("Tuesday", "星期二"), ("Wednesday", "星期三"),
            ("Thursday", "星期四"), ("Friday", "星期五"), ("Saturday", "星期六")),
    "name": (("Anna", "安娜"), ("Boris", "鲍里斯"), ("Clara", "克拉拉"), ("David", "大卫"),
             ("Emma", "埃玛"), ("Peter", "彼得"), ("Lisa", "莉萨"), ("Martin", "马丁")),
}  # fmt: skip


def _generated(rng: CounterRandom, language: str) -> Fact:
    """Return a sentence to translate; the wrong translation has another place, day or person."""
    frame = rng.choice(_FRAMES)
    n = str(rng.between(*frame.numbers))
    drawn = {slot: rng.sample(words, 2) for slot, words in _SLOTS.items()}
    side = LANGUAGES.index(language)
    texts, source = (frame.zh, frame.en[0]) if language == "zh" else (frame.en, frame.zh[0])
    here = {"n": n, **{slot: pair[0][side] for slot, pair in drawn.items()}}
    there = {"n": n, **{slot: pair[0][1 - side] for slot, pair in drawn.items()}}
    right, other, denied = texts
    slot = rng.choice([one for one in _SLOTS if f"{{{one}}}" in right])
    return Fact(
        question=_TASK[language].format(source=source.format(**there)),
        right=right.format(**here),
        wrong=right.format(**{**here, slot: drawn[slot][1][side]}),
        accepted=(other.format(**here),),
        language=language,
        kind="translation",
        twisted=_twisted(
            digit=[right.format(**{**here, "n": _other_digit(n, rng)})],
            negation=[denied.format(**here)],
        ),
    )


# ---- twists ---------------------------------------------------------------------------------


def _other_digit(number: str, rng: CounterRandom) -> str:
    """Return a number with one digit changed, never to a leading zero."""
    at = rng.below(len(number))
    digits = [d for d in "0123456789" if d != number[at] and (at or d != "0")]
    return number[:at] + rng.choice(digits) + number[at + 1 :]


def negated(text: str, language: str) -> str | None:
    """Return the sentence with its one plain verb denied; None where that is not safe to do."""
    if language == "zh":
        if text.count("是") != 1 or "不" in text or "没" in text:
            return None
        return text.replace("是", "不是")
    verbs = re.findall(r"\b(?:is|are|was|were)\b", text)
    if len(verbs) != 1 or re.search(r"\b(?:not|no|never|only|about)\b", text):
        return None
    return re.sub(r"\b(is|are|was|were)\b", r"\1 not", text)
