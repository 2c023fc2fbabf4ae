"""A made-up language, to watch a model learn from examples.

The seed draws one language: its words, the order of subject, verb and object, where an adjective
stands, how a plural and an object are marked. Sentences are given in English or Chinese and asked
for in that language, which no training set can hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from harness.identity import CounterRandom
from harness.synth.apart import Apart, enough
from harness.synth.arguments import Arguments
from harness.synth.cells import Row


class Noun(NamedTuple):
    """A thing or a person, in the languages that we know."""

    singular: str
    plural: str
    zh: str
    measure: str


NOUNS = (
    Noun("dog", "dogs", "狗", "只"),
    Noun("horse", "horses", "马", "匹"),
    Noun("child", "children", "孩子", "个"),
    Noun("farmer", "farmers", "农夫", "个"),
    Noun("king", "kings", "国王", "位"),
    Noun("bird", "birds", "鸟", "只"),
    Noun("fish", "fish", "鱼", "条"),
    Noun("doctor", "doctors", "医生", "位"),
)
VERBS: tuple[tuple[str, str, str], ...] = (
    ("sees", "see", "看见"),
    ("follows", "follow", "跟着"),
    ("helps", "help", "帮助"),
    ("finds", "find", "找到"),
    ("loves", "love", "喜欢"),
)
"""After a singular subject, after a plural one, in Chinese."""
ADJECTIVES: Mapping[str, str] = MappingProxyType(
    {"big": "大", "small": "小", "old": "老", "happy": "快乐的"}
)
PLACES = (("S", "V", "O"), ("S", "O", "V"), ("V", "S", "O"), ("V", "O", "S"), ("O", "S", "V"),
          ("O", "V", "S"))  # fmt: skip
MAX_PER_CELL = 400
ATTEMPTS = 20_000


class Phrase(NamedTuple):
    """A noun with its number and perhaps an adjective."""

    noun: Noun
    plural: bool
    adjective: str | None


class Language:
    """One made-up language."""

    def __init__(self, seed: int) -> None:
        rng = CounterRandom(seed, "made-up language")
        meanings = [noun.singular for noun in NOUNS] + [verb[0] for verb in VERBS]
        meanings += ADJECTIVES
        words = rng.sample(_words("bdgklmnprstvz", "aeiou"), len(meanings))
        self.words = dict(zip(meanings, words, strict=True))
        self.order = rng.choice(PLACES)
        self.adjective_first = rng.below(2) == 1
        marks = rng.sample(("fo", "hi", "we", "ju"), 2)  # letters that no word begins with
        self.plural, self.object = marks
        self.plural_in_front = rng.below(2) == 1

    def sentence(self, subject: Phrase, verb: str, thing: Phrase) -> str:
        """Return a sentence; its verb has one form."""
        parts = {
            "S": self._phrase(subject, ""),
            "V": self.words[verb],
            "O": self._phrase(thing, self.object),
        }
        return " ".join(parts[place] for place in self.order)

    def _phrase(self, phrase: Phrase, case: str) -> str:
        noun = self.words[phrase.noun.singular]
        if phrase.plural:
            noun = self.plural + noun if self.plural_in_front else noun + self.plural
        noun += case
        if phrase.adjective is None:
            return noun
        adjective = self.words[phrase.adjective]
        return f"{adjective} {noun}" if self.adjective_first else f"{noun} {adjective}"


def _words(consonants: str, vowels: str) -> list[str]:
    """Return words of two syllables; the second differs from the first in both letters."""
    return [
        a + b + c + d
        for a in consonants
        for b in vowels
        for c in consonants
        for d in vowels
        if a != c and b != d
    ]


class Grammar:
    """Rows `sentence, answer, adjectives, plurals`, all of one made-up language.

    Arguments: `language` of the given sentences (en, zh), `per_cell` (40 for each number of
    adjectives, 0 to 2). No two sentences share more than 0.8 of their words.
    """

    version = 1

    def __call__(self, args: Mapping[str, object], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("language", "per_cell"))
        language = given.name("language", ("en", "zh"), "en")
        per_cell = given.integer("per_cell", 1, MAX_PER_CELL, 40)
        made_up, apart = Language(seed), Apart(language)
        for adjectives in range(3):
            rng = CounterRandom(seed, "made-up sentences", language, adjectives)
            drawn = (_draw(rng, made_up, language, adjectives) for _ in range(ATTEMPTS))
            yield from enough(drawn, lambda row: apart.take(row["sentence"]), per_cell)


def _draw(rng: CounterRandom, made_up: Language, language: str, adjectives: int) -> Row:
    nouns = rng.sample(NOUNS, 2)
    described = [adjectives == 2, adjectives > 0]  # noqa: PLR2004 - both phrases
    adjective = iter(rng.sample(list(ADJECTIVES), 2))
    subject, thing = (
        Phrase(noun, rng.below(2) == 1, next(adjective) if has else None)
        for noun, has in zip(nouns, rng.shuffled(described), strict=True)
    )
    verb = rng.choice(VERBS)
    write = _chinese if language == "zh" else _english
    return {
        "sentence": write(subject, verb, thing),
        "answer": made_up.sentence(subject, verb[0], thing),
        "adjectives": adjectives,
        "plurals": subject.plural + thing.plural,
    }


def _english(subject: Phrase, verb: tuple[str, str, str], thing: Phrase) -> str:
    def said(phrase: Phrase) -> str:
        number = "two" if phrase.plural else "one"
        noun = phrase.noun.plural if phrase.plural else phrase.noun.singular
        return " ".join(part for part in (number, phrase.adjective, noun) if part)

    return f"{said(subject)} {verb[int(subject.plural)]} {said(thing)}"


def _chinese(subject: Phrase, verb: tuple[str, str, str], thing: Phrase) -> str:
    def said(phrase: Phrase) -> str:
        number = "两" if phrase.plural else "一"
        adjective = ADJECTIVES[phrase.adjective] if phrase.adjective else ""
        return f"{number}{phrase.noun.measure}{adjective}{phrase.noun.zh}"

    return f"{said(subject)}{verb[2]}{said(thing)}"
