"""Short texts in English and Chinese from the tables: statements, questions, options, reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.identity import CounterRandom
from training import facts
from training.arithmetic import SYSTEMS, spoil
from training.document import LIGHT, SKIM, Document, Part


class Fact(NamedTuple):
    """One thing known: how to say it, how to ask for it, and wrong answers of the same sort."""

    statement: str
    question: str
    answer: str
    others: tuple[str, ...]


def _others(table: Sequence[Sequence[str]], column: int, answer: str) -> tuple[str, ...]:
    return tuple(sorted({row[column] for row in table} - {answer}))


def capital(rng: CounterRandom) -> Fact:
    """A country's capital."""
    row = rng.choice(facts.CAPITALS)
    country, city, country_zh, city_zh = row
    if rng.below(2):
        others = _others(facts.CAPITALS, 3, city_zh)
        return Fact(
            f"{country_zh}的首都是{city_zh}。", f"{country_zh}的首都是哪里？", city_zh, others
        )
    others = _others(facts.CAPITALS, 1, city)
    said = rng.choice(
        (f"The capital of {country} is {city}.", f"{city} is the capital of {country}.")
    )
    return Fact(said, f"What is the capital of {country}?", city, others)


def colour(rng: CounterRandom) -> Fact:
    """The colour of a thing."""
    thing, shade, thing_zh, shade_zh = rng.choice(facts.COLOURS)
    if rng.below(2):
        others = _others(facts.COLOURS, 3, shade_zh)
        return Fact(f"{thing_zh}是{shade_zh}的。", f"{thing_zh}是什么颜色？", shade_zh, others)
    others = _others(facts.COLOURS, 1, shade)
    said = f"{thing.capitalize()} is {shade}."
    return Fact(said, f"What colour is {thing}?", shade, others)


def animal(rng: CounterRandom) -> Fact:
    """What an animal does, or how many legs it has."""
    name, sound, legs, name_zh, legs_zh = rng.choice(facts.ANIMALS)
    kind = rng.below(3)
    if kind == 0:
        others = _others(facts.ANIMALS, 4, legs_zh)
        return Fact(
            f"{name_zh}有{legs_zh}。".replace("有没有", "没有"),
            f"{name_zh}有几条腿？",
            legs_zh,
            others,
        )
    if kind == 1:
        others = _others(facts.ANIMALS, 2, legs)
        return Fact(f"A {name} has {legs}.", f"How many legs does a {name} have?", legs, others)
    others = _others(facts.ANIMALS, 0, name)
    return Fact(f"The {name} {sound}.", f"Which animal {sound}?", name, others)


def opposite(rng: CounterRandom) -> Fact:
    """A word's opposite, both ways round."""
    one, two, one_zh, two_zh = rng.choice(facts.OPPOSITES)
    if rng.below(2):
        one, two, one_zh, two_zh = two, one, two_zh, one_zh
    if rng.below(2):
        others = _others(facts.OPPOSITES, 3, two_zh)
        return Fact(
            f"“{one_zh}”的反义词是“{two_zh}”。", f"“{one_zh}”的反义词是什么？", two_zh, others
        )
    others = _others(facts.OPPOSITES, 1, two)
    said = f"The opposite of {one} is {two}."
    return Fact(said, f"What is the opposite of {one}?", two, others)


def order(rng: CounterRandom) -> Fact:
    """The day after a day, or the month after a month."""
    if rng.below(3) == 0:
        at = rng.below(12)
        one, two = facts.MONTHS[at], facts.MONTHS[(at + 1) % 12]
        others = tuple(month for month in facts.MONTHS if month not in (one, two))
        return Fact(f"{two} comes after {one}.", f"Which month comes after {one}?", two, others)
    at, language = rng.below(7), rng.below(2)
    one, two = facts.DAYS[at][language], facts.DAYS[(at + 1) % 7][language]
    others = tuple(row[language] for row in facts.DAYS if row[language] not in (one, two))
    if language:
        return Fact(f"{one}的后一天是{two}。", f"{one}的后一天是星期几？", two, others)
    return Fact(f"The day after {one} is {two}.", f"Which day comes after {one}?", two, others)


def number(rng: CounterRandom) -> Fact:
    """A number's name, or how many of something there are."""
    if rng.below(2):
        at, language = rng.below(len(facts.NUMBERS)), rng.below(2)
        name = facts.NUMBERS[at][language]
        others = tuple(str(n) for n in range(len(facts.NUMBERS)) if n != at)
        if language:
            return Fact(f"{name}就是{at}。", f"“{name}”用数字怎么写？", str(at), others)
        return Fact(f"The word {name} means {at}.", f"Write {name} in digits.", str(at), others)
    row = rng.choice(facts.COUNTS)
    at = 2 * rng.below(2)
    others = _others(facts.COUNTS, at + 1, row[at + 1])
    return Fact(f"{row[at]} {row[at + 1]}", row[at], row[at + 1], others)


def sort(rng: CounterRandom) -> Fact:
    """What kind of thing something is."""
    thing, kind, thing_zh, kind_zh = rng.choice(facts.KINDS)
    if rng.below(2):
        others = _others(facts.KINDS, 3, kind_zh)
        return Fact(f"{thing_zh}是一种{kind_zh}。", f"{thing_zh}是什么？", kind_zh, others)
    others = _others(facts.KINDS, 1, kind)
    said = f"{thing.capitalize()} is {kind}."
    return Fact(said, f"What is {thing}?", kind, others)


FACTS = (capital, colour, animal, opposite, order, number, sort)


def fits(rng: CounterRandom) -> str:
    """Return a sentence whose reason says which of two things is meant."""
    thing, place, thing_zh, place_zh = rng.choice(facts.FITS)
    large = rng.below(2)
    if rng.below(2):
        meant = f"{thing_zh}太大了" if large else f"{place_zh}太小了"
        return f"{thing_zh}放不进{place_zh}，因为{meant}。"
    meant = f"the {thing} was too big" if large else f"the {place} was too small"
    return f"The {thing} did not fit into the {place} because {meant}."


def reason(rng: CounterRandom) -> str:
    """Return a cause with its effect, either first."""
    effect, cause, effect_zh, cause_zh = rng.choice(facts.CAUSES)
    kind = rng.below(3)
    if kind == 0:
        return f"因为{cause_zh}，所以{effect_zh}。"
    if kind == 1:
        return f"{effect.capitalize()} because {cause}."
    return f"{cause.capitalize()}, so {effect}."


def deed(rng: CounterRandom) -> str:
    """Return a sentence about two people, one of whom needs or can give help."""
    (one, she), (two, _) = rng.sample(facts.NAMES, 2)
    one_zh, two_zh = rng.sample(facts.NAMES_ZH, 2)
    return rng.choice(
        (
            f"{one} helped {two} because {two} was tired.",
            f"{one} thanked {two} because {two} had helped.",
            f"{one} asked {two} for help because {one} was weak.",
            f"{one} went home because {she} was tired.",
            f"{one} gave {two} a book because {two} likes to read.",
            f"{one} could not lift the bag because {she} was too weak.",
            f"{one_zh}帮助{two_zh}，因为{two_zh}累了。",
            f"{one_zh}感谢{two_zh}，因为{two_zh}帮了忙。",
            f"{one_zh}回家了，因为{one_zh}累了。",
            f"{one_zh}送给{two_zh}一本书，因为{two_zh}喜欢看书。",
        )
    )


def statement(rng: CounterRandom) -> str:
    """Return one plain sentence."""
    maker = rng.choice((None, None, None, fits, fits, reason, deed))
    return maker(rng) if maker else rng.choice(FACTS)(rng).statement


def prose(rng: CounterRandom) -> Document:
    """Return one to four sentences of plain text."""
    return (Part("text", " ".join(statement(rng) for _ in range(rng.between(1, 4))), LIGHT),)


def asked(rng: CounterRandom) -> Document:
    """Return a question and its answer as a chat, at times after a system turn."""
    fact = rng.choice(FACTS)(rng)
    question = spoil(fact.question, rng) if rng.below(8) == 0 else fact.question
    system = (Part("system", rng.choice(SYSTEMS), SKIM),) if rng.below(6) == 0 else ()
    return (*system, Part("user", question, LIGHT), Part("assistant", fact.answer))


def chosen(rng: CounterRandom) -> Document:
    """Return a question with two to four lettered options, answered by the letter."""
    fact = rng.choice(FACTS)(rng)
    count = min(rng.choice((1, 3, 3)), len(fact.others))
    offered = rng.shuffled([fact.answer, *rng.sample(fact.others, count)])
    mark = rng.choice((". ", ". ", ") "))
    body = "\n".join(f"{c}{mark}{text}" for c, text in zip("ABCD", offered, strict=False))
    tail = rng.choice(("", "", "\nAnswer:", "\nAnswer with one letter."))
    question = Part("user", f"{fact.question}\n{body}{tail}", 0.1)
    return (question, Part("assistant", "ABCD"[offered.index(fact.answer)]))


def plain_questions(rng: CounterRandom) -> Document:
    """Return plain 'Q: … A: …' blocks."""
    drawn = [rng.choice(FACTS)(rng) for _ in range(rng.between(1, 3))]
    return (Part("text", "\n\n".join(f"Q: {fact.question}\nA: {fact.answer}" for fact in drawn)),)


KINDS: Sequence[tuple[int, Callable[[CounterRandom], Document]]] = (
    (45, prose),
    (30, asked),
    (17, chosen),
    (8, plain_questions),
)
"""Share of the language documents in per cent, and their maker."""
