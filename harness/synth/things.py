"""A written table of things, for games of questions: what each is, in English and Chinese.

A word after a thing names an attribute that it has; `?word` one that cannot be said with yes or
no (a bicycle may or may not have a motor); all others it has not. `IMPLIED` fills in the rest.
The words themselves are explained in `ATTRIBUTES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from harness.synth.arguments import Arguments
from harness.synth.cells import Row
from harness.synth.things_table import TABLE

Value = Literal["yes", "no", "unknown"]

ATTRIBUTES: Mapping[str, str] = MappingProxyType({
    "living": "is alive, or was while it grew",
    "animal": "is an animal",
    "mammal": "is a mammal",
    "bird": "is a bird",
    "fish": "is a fish",
    "insect": "is an insect",
    "reptile": "is a reptile",
    "plant": "is a plant",
    "made": "is made by people",
    "food": "is eaten by people",
    "fruit": "is a fruit",
    "vegetable": "is a vegetable",
    "drink": "is drunk by people",
    "fly": "can fly",
    "water": "lives in water, or is used on it",
    "legs": "has legs",
    "four_legs": "has four legs",
    "fur": "has fur or hair",
    "tail": "has a tail",
    "wings": "has wings",
    "electric": "needs electricity",
    "bigger": "is bigger than a grown person",
    "hand": "can be held in one hand",
    "indoors": "is usually found in a home",
    "kitchen": "is usually found in a kitchen",
    "metal": "is mostly of metal",
    "wood": "is mostly of wood",
    "wheels": "has wheels",
    "ride": "carries people from place to place",
    "round": "is round",
    "pet": "is commonly kept as a pet",
    "farm": "is commonly kept on farms",
    "dangerous": "is dangerous to people",
    "instrument": "is a musical instrument",
    "worn": "is worn on the body",
    "furniture": "is a piece of furniture",
    "tool": "is a tool",
    "sky": "is seen in the sky",
    "meat": "eats meat or other animals",
    "eggs": "lays eggs",
    "sweet": "tastes sweet",
    "tree": "grows on trees",
    "light": "gives light",
    "stripes": "has stripes",
    "writing": "is for reading or writing",
    "liquid": "is liquid",
    "africa": "lives wild in Africa",
    "night": "is active at night",
    "vehicle": "is a vehicle",
    "cold": "is cold",
    "rails": "runs on rails",
    "many": "carries many people at once",
    "strings": "has strings",
    "bow": "is played with a bow",
})  # fmt: skip

IMPLIED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "mammal": ("animal", "fur"),
    "bird": ("animal", "legs", "wings", "tail", "eggs"),
    "fish": ("animal", "water", "tail", "eggs"),
    "insect": ("animal", "legs", "eggs", "hand"),
    "reptile": ("animal", "tail", "eggs"),
    "animal": ("living",),
    "plant": ("living",),
    "four_legs": ("legs",),
    "fruit": ("food", "sweet"),
    "vegetable": ("food",),
    "vehicle": ("made", "ride"),
    "furniture": ("made", "indoors"),
    "instrument": ("made",),
    "tool": ("made",),
    "worn": ("made",),
    "kitchen": ("indoors",),
    "writing": ("made", "indoors"),
    "drink": ("liquid",),
})  # fmt: skip


class Thing(Struct, frozen=True):
    """One thing of the table."""

    english: tuple[str, ...]
    """Its names; the first is the usual one."""
    chinese: tuple[str, ...]
    values: Mapping[str, Value]
    """One value for every attribute."""

    def names(self, language: str) -> tuple[str, ...]:
        """Return its names in a language."""
        return self.chinese if language == "zh" else self.english


def _thing(line: str) -> Thing:
    english, chinese, words = (part.strip() for part in line.split("|"))
    unknown = {word[1:] for word in words.split() if word.startswith("?")}
    has = {word for word in words.split() if not word.startswith("?")}
    waiting = list(has)
    while waiting:
        more = [word for word in IMPLIED.get(waiting.pop(), ()) if word not in has | unknown]
        has.update(more)
        waiting.extend(more)
    stray = (has | unknown) - ATTRIBUTES.keys()
    if stray:
        raise ValueError(f"{english}: no such attribute: {', '.join(sorted(stray))}")
    values: dict[str, Value] = {
        word: "yes" if word in has else "unknown" if word in unknown else "no"
        for word in ATTRIBUTES
    }
    return Thing(tuple(english.split("/")), tuple(chinese.split("/")), values)


THINGS: tuple[Thing, ...] = tuple(_thing(line) for line in TABLE.strip().splitlines())


class Things:
    """Rows `name, names, all, others, kind, values, guess, wrong`, one for each thing of the table.

    Argument: `language` (en, zh). `names` are all names of the thing, `others` those of all other
    things, `all` the usual name of every thing, sorted, `values` maps attributes to yes, no or
    unknown, `guess` names the thing as a question and `wrong` another thing. The table is written,
    not drawn: the seed changes nothing but which other thing `wrong` names.
    """

    version = 1

    def __call__(self, args: Mapping[str, object], seed: int) -> Iterable[Row]:
        """Yield the rows; raises `InvalidFile` where an argument is wrong."""
        language = Arguments(args, ("language",)).name("language", ("en", "zh"), "en")
        count = len(THINGS)
        usual = sorted(thing.names(language)[0] for thing in THINGS)
        for place, thing in enumerate(THINGS):
            names = thing.names(language)
            other = THINGS[(place + 1 + seed % (count - 1)) % count].names(language)[0]
            yield {
                "name": names[0],
                "names": list(names),
                "all": usual,
                "others": [n for t in THINGS if t is not thing for n in t.names(language)],
                "kind": _kind(thing),
                "values": dict(thing.values),
                "guess": asks(names[0], language),
                "wrong": asks(other, language),
            }


def _kind(thing: Thing) -> str:
    order = ("animal", "plant", "food", "drink", "vehicle", "made")
    return next((word for word in order if thing.values[word] == "yes"), "nature")


def asks(name: str, language: str) -> str:
    """Return the question whether it is this.

    >>> asks("owl", "en"), asks("猫", "zh")
    ('Is it an owl?', '它是猫吗？')
    """
    if language == "zh":
        return f"它是{name}吗？"
    article = "" if name in UNCOUNTED else "an " if name[0] in "aeiou" else "a "
    return f"Is it {article}{name}?"


UNCOUNTED = frozenset({"bread", "cheese", "milk", "honey", "coffee", "rice", "snow", "scissors",
                       "the sun", "the moon", "grass", "chocolate"})  # fmt: skip
"""Names that take no article, or have their own."""
