"""Word problems, units and money from templates of our own, in English and Chinese.

A template has places for numbers and a name; an instance draws them afresh, so that a model that
has seen one instance has not seen the next (GSM-Symbolic: Mirzadeh et al. 2024,
arXiv:2410.05229). The variant `irrelevant` adds one clause with a number that changes nothing;
it has the numbers of its `plain` twin, so the two compare as a pair.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields
from harness.text.calculation import calculate
from harness.text.numerals import canonical

LANGUAGES = ("en", "zh")
VARIANTS = ("plain", "irrelevant")
MAX_INSTANCES = 1000


class Blueprint(Struct, frozen=True, forbid_unknown_fields=True):
    """One template as its file has it."""

    id: str
    text: str
    numbers: dict[str, list[int]]
    """By letter: lowest, highest and step of what is drawn."""
    answer: str
    """What is to be worked out, in the language of `text.calculation`."""
    steps: int = 1
    """Operations that the answer takes."""
    kind: str = ""
    aside: str = ""
    """The irrelevant clause."""
    whole: list[str] = []
    """Expressions that must be whole numbers."""
    cents: list[str] = []
    """Letters that are drawn in hundredths and shown with two places."""


class Templates(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of templates."""

    names: list[str]
    template: list[Blueprint]


def read_templates(stem: str, language: str) -> Templates:
    """Read a file of templates that comes with the package."""
    path = files("harness.synth") / "templates" / f"{stem}_{language}.toml"
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Templates)


def fill(blueprint: Blueprint, names: Sequence[str], rng: CounterRandom) -> dict[str, str] | None:
    """Draw what stands in a template's places; None where the draw makes no sense."""
    drawn = {"name": rng.choice(names)}
    for letter, (low, high, *rest) in blueprint.numbers.items():
        step = rest[0] if rest else 1
        value = low + step * rng.below((high - low) // step + 1)
        is_money = letter in blueprint.cents
        drawn[letter] = f"{value // 100}.{value % 100:02d}" if is_money else str(value)
    if any(_value(rule, drawn).denominator != 1 for rule in blueprint.whole):
        return None
    answer = _value(blueprint.answer, drawn)
    return drawn if answer > 0 and "/" not in canonical(answer) else None


def _value(expression: str, drawn: Mapping[str, str]) -> Fraction:
    return calculate(expression.format_map(drawn))


def _row(blueprint: Blueprint, drawn: Mapping[str, str], variant: str) -> Row:
    aside = blueprint.aside.format_map(drawn) if variant == "irrelevant" else ""
    row: Row = {
        "question": blueprint.text.format_map({**drawn, "aside": aside}),
        "answer": canonical(_value(blueprint.answer, drawn)),
        "template": blueprint.id,
    }
    return row


class WordProblems:
    """Rows `question, answer, template, steps, variant, instance`.

    Arguments: `language` (en, zh), `instances` (of each template, 10), `variants` (plain,
    irrelevant). No two instances of a template have the same numbers. Templates are clusters: how
    hard one is shows in all its rows.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, template after template; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("language", "instances", "variants"))
        language = given.name("language", LANGUAGES, "en")
        instances = given.integer("instances", 1, MAX_INSTANCES, 10)
        variants = given.names("variants", VARIANTS)
        made = read_templates("word_problems", language)
        for blueprint in made.template:
            rng = CounterRandom(seed, "word_problems", language, blueprint.id)
            for number, drawn in enumerate(_instances(blueprint, made.names, rng, instances)):
                for variant in variants:
                    yield {
                        **_row(blueprint, drawn, variant),
                        "steps": blueprint.steps,
                        "variant": variant,
                        "instance": number,
                    }


def _instances(
    blueprint: Blueprint, names: Sequence[str], rng: CounterRandom, count: int
) -> Iterator[dict[str, str]]:
    """Yield draws of different relevant numbers."""
    relevant = [letter for letter in blueprint.numbers if letter != "x"]

    def draw(rng: CounterRandom) -> Row | None:
        return fill(blueprint, names, rng)

    for row in balanced(rng, draw, count, key=by_fields(*relevant)):
        yield {key: value for key, value in row.items() if key != "whole"}


class Quantities:
    """Rows `question, answer, template, kind`: units and money.

    Arguments: `language` (en, zh), `kinds` (length, mass, volume, area, time, money, speed),
    `per_cell` (100). The cells are the kinds; a cell's templates take turns.
    """

    version = 1
    kinds = ("length", "mass", "volume", "area", "time", "money", "speed")

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("language", "kinds", "per_cell"))
        language = given.name("language", LANGUAGES, "en")
        made = read_templates("quantities", language)
        for kind in given.names("kinds", self.kinds):
            blueprints = [item for item in made.template if item.kind == kind]
            rng = CounterRandom(seed, "quantities", language, kind)
            draw = _question(blueprints, made.names, kind)
            yield from balanced(rng, draw, given.per_cell(), key=by_fields("question"))


def _question(
    blueprints: Sequence[Blueprint], names: Sequence[str], kind: str
) -> Callable[[CounterRandom], Row | None]:
    def draw(rng: CounterRandom) -> Row | None:
        blueprint = rng.choice(blueprints)
        drawn = fill(blueprint, names, rng)
        return None if drawn is None else {**_row(blueprint, drawn, "plain"), "kind": kind}

    return draw
