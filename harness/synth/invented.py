"""Names of things that do not exist, and questions about them.

A name is put together from our own parts, must read like one, and keeps a distance from a list of
famous names. That no village anywhere bears it cannot be promised: what is asked is whether a
model that has never met a name says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from harness.errors import InvalidFile, suggestion
from harness.identity import CounterRandom
from harness.synth.invented_words import (
    CHINESE_MARKS,
    DENIAL,
    FAMOUS,
    TEMPLATES,
    WORDS,
    Words,
)

KINDS = ("person", "town", "book", "compound", "law", "reference")
MAX_PER_KIND = 300
"""A kind has names enough for so many rows in each language."""
ATTEMPTS = 10_000

_consonants = re.compile(r"[bcdfghjklmnpqrstvwxz]{4}")
_vowels = re.compile(r"[aeiouy]{3}")
_thrice = re.compile(r"(.)\1\1")
_twice = re.compile(r"([\u4e00-\u9fff])\1")
_letters = (5, 16)
"""Fewest and most letters of an invented English word."""
_near = 1
"""Changes of one letter within which a word is taken for a famous one."""


class Invented:
    """Rows `question, expects, name, kind, template, wrong, oracle`.

    Arguments: `language` (en, zh), `kinds` (list of person, town, book, compound, law,
    reference), `per_kind` (rows of each kind, 30). `expects` is `no_reference` for a reference,
    else `denial`; `template` names the wording; `wrong` is a made-up answer and `oracle` a right
    one. All names of a kind are distinct.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[dict[str, Any]]:
        """Yield rows, kind after kind. Raises `InvalidFile` where an argument is wrong."""
        language, kinds, per_kind = _checked(args)
        return (row for kind in kinds for row in _rows(language, kind, per_kind, seed))


def plausible(name: str, language: str) -> bool:
    """Return whether an invented name can be said, and is none that readers know.

    English: every word of letters has 5 to 16 of them (given names and small words aside), no
    four consonants, three vowels or three equal letters in a row, and more than one changed
    letter between it and any famous name. Chinese: no character doubled, no famous name within.

    >>> plausible("Tavermond", "en"), plausible("Pariss", "en"), plausible("Strzkth", "en")
    (True, False, False)
    """
    if language == "zh":
        return not _twice.search(name) and not any(famous in name for famous in FAMOUS["zh"])
    return all(_plausible_word(word) for word in re.findall(r"[a-z]+", name.lower()))


def _plausible_word(word: str) -> bool:
    shape = _letters[0] <= len(word) <= _letters[1] and re.search("[aeiouy]", word)
    if not shape or _consonants.search(word) or _vowels.search(word) or _thrice.search(word):
        return False
    return not any(near(word, famous) for famous in FAMOUS["en"])


def near(first: str, second: str) -> bool:
    """Return whether one letter put in, left out or exchanged at most parts two words.

    >>> near("paris", "pariss"), near("paris", "parka")
    (True, False)
    """
    if abs(len(first) - len(second)) > _near:
        return False
    head = 0
    while head < min(len(first), len(second)) and first[head] == second[head]:
        head += 1
    tail = 0
    shorter = min(len(first), len(second)) - head
    while tail < shorter and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    return max(len(first), len(second)) - head - tail <= _near


# ---- names ----------------------------------------------------------------------------------


def _joined(parts: tuple[tuple[str, ...], ...], rng: CounterRandom, language: str) -> str:
    """Draw one of each part until the whole is plausible."""
    for _ in range(ATTEMPTS):
        name = "".join(rng.choice(part) for part in parts)
        if plausible(name, language):
            return name
    raise AssertionError("no plausible name in so many attempts: the lists of parts are wrong")


def _surname(words: Words, rng: CounterRandom, language: str) -> str:
    return rng.choice(words.surname[0]) if language == "zh" else _joined(words.surname, rng, "en")


def _person(words: Words, rng: CounterRandom, language: str) -> str:
    given, surname = rng.choice(words.given), _surname(words, rng, language)
    return f"{surname}{given}" if language == "zh" else f"{given} {surname}"


def _town(words: Words, rng: CounterRandom, language: str) -> str:
    return _joined(words.town, rng, language)


def _book(words: Words, rng: CounterRandom, language: str) -> str:
    town = _town(words, rng, language)
    return rng.choice(words.title).format(town=town.rstrip("镇县") if language == "zh" else town)


def _compound(words: Words, rng: CounterRandom, language: str) -> str:
    return _joined(words.compound, rng, language)


def _law(words: Words, rng: CounterRandom, language: str) -> str:
    if language == "zh":
        return f"{_person(words, rng, language)}{rng.choice(words.finding)}"
    first, second = (_surname(words, rng, language) for _ in range(2))
    return f"{first}-{second} {rng.choice(words.finding)}"


NAMES: Mapping[str, Callable[[Words, CounterRandom, str], str]] = MappingProxyType({
    "person": _person,
    "town": _town,
    "book": _book,
    "compound": _compound,
    "law": _law,
    "reference": _person,
})  # fmt: skip


# ---- rows -----------------------------------------------------------------------------------


def _rows(language: str, kind: str, per_kind: int, seed: int) -> Iterator[dict[str, Any]]:
    rng = CounterRandom(seed, "invented", language, kind)
    words, templates = WORDS[language], TEMPLATES[language][kind]
    drawn = {
        part: [rng.shuffled(getattr(words, part)) for _ in templates]
        for part in ("role", "place", "field")
    }  # in random order for each template, so that two like questions differ in more than a name
    seen: list[str] = []
    while len(seen) < per_kind:
        name = NAMES[kind](words, rng, language)
        alike = seen[len(seen) % len(templates) :: len(templates)] if kind == "compound" else []
        if name in seen or any(near(name, other) for other in alike):
            continue  # a compound is asked about by its name alone
        turn, number = divmod(len(seen), len(templates))
        seen.append(name)
        fields = {
            "name": name,
            **{part: many[number][turn % len(many[number])] for part, many in drawn.items()},
            "author": _person(words, rng, language),
            "topic": _law(words, rng, language),
            "year": str(rng.between(1851, 1989)),
            "count": str(100 * rng.between(21, 640)),
            "small": str(rng.between(12, 96)),
        }
        question, wrong = (part.format(**fields) for part in templates[number])
        denial = DENIAL[language]["reference" if kind == "reference" else "other"]
        yield {
            "question": _sentence(question, language, "?"),
            "expects": "no_reference" if kind == "reference" else "denial",
            "name": name,
            "kind": kind,
            "template": f"{kind}-{number + 1}",
            "wrong": _sentence(wrong, language),
            "oracle": _sentence(denial.format(name=name), language),
        }


def _sentence(text: str, language: str, mark: str = "\u3002") -> str:
    """Return a text as a sentence: a capital in English, Chinese marks and an end in Chinese."""
    if language == "zh":
        return (text + mark).translate(CHINESE_MARKS)
    return text[0].upper() + text[1:]


def _checked(args: Mapping[str, Any]) -> tuple[str, list[str], int]:
    known = ("language", "kinds", "per_kind")
    for key in args:
        if key not in known:
            hint = suggestion(str(key), known)
            raise InvalidFile(f"unknown argument{hint}", key=str(key), allowed=", ".join(known))
    language = args.get("language")
    if not isinstance(language, str) or language not in WORDS:
        raise _wrong("language", ", ".join(WORDS), args)
    kinds = args.get("kinds")
    if not isinstance(kinds, list | tuple) or not kinds or any(k not in KINDS for k in kinds):
        raise _wrong("kinds", f"a list of {', '.join(KINDS)}", args)
    if len(set(kinds)) != len(kinds):
        raise _wrong("kinds", "each kind once", args)
    per_kind = args.get("per_kind", 30)
    whole = isinstance(per_kind, int) and not isinstance(per_kind, bool)
    if not whole or not 1 <= per_kind <= MAX_PER_KIND:
        raise _wrong("per_kind", f"a whole number from 1 to {MAX_PER_KIND}", args)
    return language, list(kinds), per_kind


def _wrong(key: str, allowed: str, args: Mapping[str, Any]) -> InvalidFile:
    got = repr(args[key]) if key in args else "nothing"
    return InvalidFile("wrong argument", key=key, allowed=allowed, got=got)
