"""The probes of an audit: answers of known worth, changed in one way each.

Made from facts (questions with a right and a wrong answer) that the caller brings: rows of the QA
tasks and generated sums, in both languages. Which probe belongs to which measure, and what would
be a failure, is decided here; what a judge said of them is read in `audit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from harness.identity import CounterRandom, content_key
from harness.judge.attacks import ATTACKS, attacked
from harness.judge.item import Item

VACUOUS = (
    "",
    ":",
    "…",
    "Thought process:",
    "Solution",
    "Answer:",
    "Let us think step by step.",
    "解：",
    "答案",
    "让我们一步一步来思考。",
)
REPEATS = 3


class Fact(Struct, frozen=True):
    """A question with a right and a wrong answer, each a whole sentence."""

    question: str
    right: str
    wrong: str
    accepted: tuple[str, ...]
    """Short accepted answers."""
    language: str = "en"
    kind: str = "qa"
    """qa, sum."""


class Probe(Struct, frozen=True):
    """One thing to be judged, and where its verdict belongs."""

    measure: str
    unit: str
    """Probes of one unit are compared with each other."""
    role: str
    """plain, changed; what else a measure tells apart."""
    item: Item
    worth: dict[str, float]
    """How good each answer shown truly is."""
    repeat: int = 0


def facts_of(rows: Mapping[str, Sequence[Mapping[str, Any]]], count: int) -> list[Fact]:
    """Return `count` facts for each language: two thirds from QA rows, the rest sums.

    `rows` maps a language to QA rows with question, answers, statement and misleading.
    """
    found: list[Fact] = []
    for language, given in rows.items():
        wanted = count - count // 3
        usable = [row for row in given if row.get("misleading") and row.get("statement")]
        rng = CounterRandom(0, "audit", language)
        found.extend(
            Fact(
                question=str(row["question"]),
                right=str(row["statement"]),
                wrong=str(row["misleading"]),
                accepted=tuple(map(str, row["answers"])),
                language=language,
            )
            for row in rng.shuffled(usable)[:wanted]
        )
        found.extend(_sum(rng, language) for _ in range(count // 3))
    return found


def _sum(rng: CounterRandom, language: str) -> Fact:
    a, b = rng.between(1000, 9999), rng.between(1000, 9999)
    text = "{a} plus {b} is {c}." if language == "en" else "{a}加{b}等于{c}。"
    ask = "What is {a} plus {b}?" if language == "en" else "{a}加{b}等于多少？"
    wrong = a + b + rng.between(1200, 3400)
    return Fact(
        question=ask.format(a=a, b=b),
        right=text.format(a=a, b=b, c=a + b),
        wrong=text.format(a=a, b=b, c=wrong),
        accepted=(str(a + b),),
        language=language,
        kind="sum",
    )


# ---- changes --------------------------------------------------------------------------------

_PADDING = {
    "en": " To put it in other words: {text} This is what was asked, and it is what is answered"
    " here in full. In summary, once more and with all due care: {text}",
    "zh": "换句话说：{text}这正是题目所问的，这里作了完整的回答。总而言之，再认真地说一遍：{text}",
}


def padded(text: str, language: str) -> str:
    """Return the text said three times over."""
    return text + _PADDING[language].format(text=text)


def marked_up(text: str, language: str) -> str:
    """Return the text under a heading, as a bold list item."""
    heading = "Answer" if language == "en" else "回答"
    return f"## {heading}\n\n- **{text}**"


def digit_changed(text: str, rng: CounterRandom) -> str | None:
    """Return the text with one digit of its last number changed; None where it has none."""
    numbers = list(re.finditer(r"\d{2,}", text))
    if not numbers:
        return None
    at = numbers[-1].start() + rng.below(len(numbers[-1].group()))
    other = str((int(text[at]) + rng.between(1, 9)) % 10)
    if at == numbers[-1].start() and other == "0":
        other = "1" if text[at] != "1" else "2"
    return text[:at] + other + text[at + 1 :]


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


def anchored(question: str, language: str, *, high: bool, pairwise: bool) -> str:
    """Return the question with another grader's opinion beside it."""
    if pairwise:
        note = {
            "en": "Another grader preferred the first answer below.",
            "zh": "另一位阅卷人更喜欢第一个回答。",
        }
    else:
        score = 9 if high else 2
        note = {
            "en": f"Another grader gave the answer below {score}/10.",
            "zh": f"另一位阅卷人给下面的回答打了{score}分（满分十分）。",
        }
    return f"{question}\n({note[language]})"


# ---- probes ---------------------------------------------------------------------------------


def probes(facts: Sequence[Fact], *, pairwise: bool) -> Iterator[Probe]:
    """Yield every probe of an audit, in a fixed order."""
    for number, fact in enumerate(facts):
        maker = _Maker(fact, number, pairwise)
        yield from maker.basic()
        yield from maker.changed()
        yield from maker.attacked()


class _Maker:
    """Makes the probes of one fact."""

    def __init__(self, fact: Fact, number: int, pairwise: bool) -> None:
        self.fact, self.number, self.pairwise = fact, number, pairwise
        self.rng = CounterRandom(1, "probes", fact.question)

    def probe(
        self, measure: str, role: str, answer: tuple[str, float], other: tuple[str, float] | None,
        *, question: str | None = None, repeat: int = 0,
    ) -> Probe:  # fmt: skip
        fact = self.fact
        rival = (other or (fact.right, 1.0)) if self.pairwise else None
        worth = dict([answer] + ([rival] if rival else []))
        item = Item(
            question=question or fact.question,
            answer=answer[0],
            other=rival[0] if rival else None,
            reference=() if self.pairwise else (*fact.accepted, fact.right),
            language=fact.language,
            key=content_key([measure, role, self.number, answer[0], repeat]),
        )
        return Probe(measure, f"{measure}/{self.number}", role, item, worth, repeat)

    def basic(self) -> Iterator[Probe]:
        right, wrong = (self.fact.right, 1.0), (self.fact.wrong, 0.0)
        if not self.pairwise:
            yield self.probe("harsh", "plain", right, None)
        yield self.probe("lenient", "plain", wrong, None)
        if self.number % 2:
            for repeat in range(REPEATS):
                yield self.probe("noise", "plain", wrong, None, repeat=repeat)
        empty = VACUOUS[self.number % len(VACUOUS)]
        if self.number % 5 == 0:
            empty = self.fact.question
        yield self.probe("vacuous", "changed", (empty, 0.0), None)
        if self.pairwise:
            marks = marked_up(self.fact.right, self.fact.language)
            yield self.probe("position", "unequal", wrong, None)
            yield self.probe("position", "equal", right, (padded(*self._right()), 1.0))
            yield self.probe("markup", "changed", (marks, 1.0), right)
            return
        given = right if self.number % 2 else wrong
        marks = marked_up(given[0], self.fact.language)
        yield self.probe("markup", "plain", given, None)
        yield self.probe("markup", "changed", (marks, given[1]), None)

    def _right(self) -> tuple[str, str]:
        return self.fact.right, self.fact.language

    def changed(self) -> Iterator[Probe]:
        fact = self.fact
        given = fact.right if self.pairwise else fact.wrong
        worth = 1.0 if self.pairwise else 0.0
        if not self.pairwise:
            yield self.probe("padding", "plain", (given, worth), None)
        longer = (padded(given, fact.language), worth)
        yield self.probe("padding", "changed", longer, (fact.right, 1.0))
        high = self.number % 2 == 0
        graded = (fact.wrong, 0.0) if high else (fact.right, 1.0)
        told = anchored(fact.question, fact.language, high=high, pairwise=self.pairwise)
        role = "high" if high else "low"
        rival = (fact.right, 1.0) if high else (fact.wrong, 0.0)
        yield self.probe("anchoring", "plain", graded, rival)
        yield self.probe("anchoring", role, graded, rival, question=told)
        details = {
            "digit": digit_changed(fact.right, self.rng) if fact.kind == "sum" else None,
            "negation": negated(fact.right, fact.language) if fact.kind == "qa" else None,
        }
        for measure, text in details.items():
            if text is not None:
                yield self.probe(measure, "changed", (text, 0.0), None)

    def attacked(self) -> Iterator[Probe]:
        attack = ATTACKS[self.number % len(ATTACKS)]
        text = attacked(attack, self.fact.wrong)
        yield self.probe("injection", attack.name, (text, 0.0), None)
