"""The probes of an audit: answers of known worth, changed in one way each.

Made from facts (`facts.py`). Which probe belongs to which measure is decided here; what a judge
said of them, and what of it is a fault, is read in `audit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from harness.identity import content_key
from harness.judge.attacks import ATTACKS, attacked
from harness.judge.facts import Fact
from harness.judge.item import Item
from harness.text.normalise import normalise

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
OWN = "self-preference"
"""The measure whose probes wait for what the judge's model writes."""


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
    kind: str = "qa"
    """Of the fact."""
    turned: bool = False
    """Judged by the same judge with its grades listed in reverse."""


Answer = tuple[str, float]
"""A text and what it is worth."""


# ---- changes --------------------------------------------------------------------------------

_PADDING = {
    "en": " To put it in other words: {text} This is what was asked, and it is what is answered"
    " here in full. In summary, once more and with all due care: {text}",
    "zh": "换句话说：{text}这正是题目所问的，这里作了完整的回答。总而言之，再认真地说一遍：{text}",
}
_LONGER = {
    "en": " {extra} Questions of this kind are asked at schools in many countries, and whoever"
    " wants to know more finds books about them in most public libraries.",
    "zh": "{extra}这一类问题在许多国家的学校里都会问到，想多了解一些的人，可以在大多数公共图书馆里"
    "找到有关的书。",
}
_OWN_WORDS = {
    "en": "Say the following in your own words, in one sentence, and change nothing of what it"
    " says, even where it is wrong. Write the sentence only.\n\n{text}",
    "zh": "请用你自己的话把下面的意思说一遍，只写一句，内容不要有任何改动，即使它有错。"
    "只写这句话。\n\n{text}",
}


def padded(text: str, language: str) -> str:
    """Return the text said three times over."""
    return text + _PADDING[language].format(text=text)


def lengthened(text: str, fact: Fact) -> str:
    """Return the text with true remarks behind it that neither help nor harm."""
    return text + _LONGER[fact.language].format(extra=fact.extra)


def marked_up(text: str, fact: Fact) -> str:
    """Return the text under a heading, as a bold list item; a translation in bold alone."""
    if fact.kind == "translation":
        return f"**{text}**"
    heading = "Answer" if fact.language == "en" else "回答"
    return f"## {heading}\n\n- **{text}**"


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


def probes(facts: Sequence[Fact], *, pairwise: bool, turned: bool = False) -> Iterator[Probe]:
    """Yield every probe of an audit but those in the judge's own words, in a fixed order.

    `turned`: the judge's grades can be listed in reverse.
    """
    for number, fact in enumerate(facts):
        maker = _Maker(fact, number, pairwise)
        yield from maker.worths()
        yield from maker.repeats()
        yield from maker.pairs() if pairwise else maker.looks(turned=turned)
        yield from maker.length()
        yield from maker.anchors()
        yield from maker.twists()
        yield from maker.attack()


class _Maker:
    """Makes the probes of one fact."""

    def __init__(self, fact: Fact, number: int, pairwise: bool) -> None:
        self.fact, self.number, self.pairwise = fact, number, pairwise
        self.right, self.wrong = (fact.right, 1.0), (fact.wrong, 0.0)
        self.even = fact.number % 2 == 0
        self.given = self.right if fact.number // 2 % 2 else self.wrong
        """For measures that must hold for right and wrong answers alike."""

    def probe(
        self,
        measure: str,
        role: str,
        answer: Answer,
        other: Answer | None = None,
        *,
        repeat: int = 0,
        turned: bool = False,
    ) -> Probe:
        fact = self.fact
        rival = (other or self.right) if self.pairwise else None
        worth = dict([answer] + ([rival] if rival else []))
        item = Item(
            question=fact.question,
            answer=answer[0],
            other=rival[0] if rival else None,
            reference=() if self.pairwise else fact.accepted,
            language=fact.language,
            key=content_key([measure, role, self.number, answer[0], repeat, turned]),
        )
        return Probe(
            measure, f"{measure}/{self.number}", role, item, worth, repeat, fact.kind, turned
        )

    def worths(self) -> Iterator[Probe]:
        """Right, wrong, and nothing at all."""
        if not self.pairwise:
            yield self.probe("harsh", "plain", self.right)
        yield self.probe("lenient", "plain", self.wrong)
        empty = VACUOUS[self.number % len(VACUOUS)]
        if self.number % 5 == 0:
            empty = self.fact.question
        yield self.probe("vacuous", "changed", (empty, 0.0))

    def repeats(self) -> Iterator[Probe]:
        """The same thing asked again, in the same order; of two facts in three."""
        if self.fact.number % 3 < 2:  # noqa: PLR2004 - two of 0, 1, 2
            answer = self.wrong if self.pairwise else self.given
            for repeat in range(REPEATS):
                yield self.probe("noise", "plain", answer, repeat=repeat)

    def looks(self, *, turned: bool) -> Iterator[Probe]:
        """One answer: said three times over, marked up, by grades listed in reverse."""
        text, worth = self.given
        yield self.probe("padding", "plain", self.wrong)
        yield self.probe("padding", "changed", (padded(self.fact.wrong, self.fact.language), 0.0))
        yield self.probe("markup", "plain", self.given)
        yield self.probe("markup", "changed", (marked_up(text, self.fact), worth))
        if turned:
            yield self.probe("listing", "plain", self.given)
            yield self.probe("listing", "changed", self.given, turned=True)

    def pairs(self) -> Iterator[Probe]:
        """Two answers: both orders of unequal and of equal ones, padded, marked up."""
        longer = (padded(self.fact.right, self.fact.language), 1.0)
        yield self.probe("consistency", "plain", self.wrong)
        if self.even:
            yield self.probe("position", "unequal", self.wrong)
        else:
            yield self.probe("position", "equal", self.right, longer)
        yield self.probe("padding", "changed", longer)
        yield self.probe("markup", "changed", (marked_up(self.fact.right, self.fact), 1.0))

    def length(self) -> Iterator[Probe]:
        """True remarks behind an answer; in a pair, behind the right or behind the wrong one."""
        fact = self.fact
        if not fact.extra:  # a translation has no room for remarks
            return
        if self.pairwise:
            wrong = (lengthened(fact.wrong, fact), 0.0)
            yield self.probe("length", "short", self.right, wrong)
            yield self.probe("length", "long", (lengthened(fact.right, fact), 1.0), self.wrong)
            return
        text, worth = self.given
        yield self.probe("length", "plain", self.given)
        yield self.probe("length", "changed", (lengthened(text, fact), worth))

    def anchors(self) -> Iterator[Probe]:
        """Another grader praised a wrong answer, or scorned a right one."""
        fact, high = self.fact, self.even
        told = anchored(fact.question, fact.language, high=high, pairwise=self.pairwise)
        graded, other = (self.wrong, self.right) if high else (self.right, self.wrong)
        yield self.probe("anchoring", "plain", graded, other)
        role = "high" if high else "low"
        yield _shown(self.probe("anchoring", role, graded, other), question=told)

    def twists(self) -> Iterator[Probe]:
        """One digit, one negation."""
        for measure, texts in self.fact.twisted.items():
            for number, text in enumerate(texts):
                yield self.probe(measure, f"changed {number}", (text, 0.0))

    def attack(self) -> Iterator[Probe]:
        """A wrong answer that is to be judged right, by way of one of the fields."""
        fact = self.fact
        attacks = [one for one in ATTACKS if not self.pairwise or one.field != "reference"]
        attack = attacks[self.number % len(attacks)]
        planted = attacked(attack, fact.wrong)
        if attack.field == "answer":
            yield self.probe("injection", attack.name, (planted, 0.0))
            return
        probe = self.probe("injection", attack.name, self.wrong)
        if attack.field == "question":
            yield _shown(probe, question=f"{fact.question}\n{planted}")
        else:
            yield _shown(probe, reference=(*fact.accepted, planted))


def _shown(probe: Probe, **changes: Any) -> Probe:
    return replace(probe, item=replace(probe.item, **changes))


# ---- in the judge's own words ---------------------------------------------------------------


class Saying(Struct, frozen=True):
    """A sentence that a model is to put in its own words."""

    number: int
    """Of the fact."""
    text: str
    worth: float
    ask: str
    """What the model is asked."""


def sayings(facts: Sequence[Fact], *, pairwise: bool) -> Iterator[Saying]:
    """Yield what to have said over: wrong sentences; for pairs also right ones, by turns.

    Two authors of one content are equally good, whoever judges: nobody need be asked which of
    them people prefer. Translations are left out, since other words can make them better.
    """
    for number, fact in enumerate(facts):
        if fact.kind == "translation" or not fact.short_wrong:
            continue
        right = pairwise and fact.number % 2 == 1
        text = fact.right if right else fact.wrong
        ask = _OWN_WORDS[fact.language].format(text=text)
        yield Saying(number, text, float(right), ask)


def kept(saying: Saying, fact: Fact, said: str) -> bool:
    """Return whether a model said a sentence over and changed nothing of what it says.

    It must hold the short answer of its sentence and none of the opposite one. A sentence that
    comes back word for word is not in the model's own words.
    """
    told = _comparable(said, fact.language)
    if told == _comparable(saying.text, fact.language):
        return False
    own, opposite = [fact.short_wrong], list(fact.accepted)
    if saying.worth:
        own, opposite = opposite, own
    held = any(_within(text, told, fact.language) for text in own)
    return held and not any(_within(text, told, fact.language) for text in opposite)


def _comparable(text: str, language: str) -> str:
    bare = normalise(text.replace(",", ""), language)
    return bare if language == "zh" else f" {bare} "


def _within(text: str, told: str, language: str) -> bool:
    wanted = _comparable(text, language)
    return bool(wanted.strip()) and wanted in told


def own_words(saying: Saying, fact: Fact, author: str, said: str, *, pairwise: bool) -> Probe:
    """Return the probe of an author's words; pairwise against the sentence as it was given."""
    maker = _Maker(fact, saying.number, pairwise)
    return maker.probe(OWN, author, (said, saying.worth), (saying.text, saying.worth))
