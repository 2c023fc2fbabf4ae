"""Word problems and quantities: templates that hold water, twins, and no near-duplicates."""

from __future__ import annotations

import re
import string
from collections import Counter, defaultdict
from itertools import combinations

import pytest

from harness.errors import InvalidFile
from harness.identity import content_key
from harness.plugins import load
from harness.synth.word_problems import Quantities, read_templates
from harness.text.numerals import find_numbers
from harness.text.tokens import overlap_tokens

LANGUAGES = ("en", "zh")
FILES = [(stem, language) for stem in ("word_problems", "quantities") for language in LANGUAGES]

KEYS = {
    ("word_problems", "en"): (1, "45e1543f8764e6b9"),
    ("word_problems", "zh"): (1, "0f9e4c15d2f7c34a"),
    ("quantities", "en"): (1, "aededf68f8837454"),
    ("quantities", "zh"): (1, "3526e13b4130b8c7"),
}
"""Version and hash of the rows at seed 0."""


def rows(name, seed=0, **args):
    """A generator's rows as a list."""
    return list(load("generator", name)()(args, seed))


def letters(text):
    """The places of a template."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_twelve_templates_or_more(language):
    """Each language has at least twelve templates, of two and of three steps."""
    templates = read_templates("word_problems", language).template
    assert len({item.id for item in templates}) == len(templates) >= 12
    assert {item.steps for item in templates} == {2, 3}


@pytest.mark.parametrize(("stem", "language"), FILES)
def test_templates_use_all_that_they_draw(stem, language):
    """Every number drawn is used, and no place is left without a number."""
    for item in read_templates(stem, language).template:
        assert letters(item.text + item.aside) - {"name", "aside"} == set(item.numbers)
        assert letters(item.answer) <= letters(item.text)
        assert all(letters(rule) <= set(item.numbers) for rule in item.whole)
        assert set(item.cents) <= set(item.numbers)
        assert all(bounds[0] < bounds[1] for bounds in item.numbers.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_a_word_problem_matters_but_the_aside(language):
    """The answer takes all numbers of the story; the irrelevant clause has one of its own."""
    for item in read_templates("word_problems", language).template:
        assert letters(item.answer) == letters(item.text) - {"name", "aside"}
        assert letters(item.aside) == {"x"}
        assert "{aside}" in item.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_variants_are_twins(language):
    """The irrelevant variant is the plain one with a clause put in, and has the same answer."""
    pairs = defaultdict(dict)
    for row in rows("word_problems", language=language):
        pairs[row["template"], row["instance"]][row["variant"]] = row
    for pair in pairs.values():
        plain, other = pair["plain"], pair["irrelevant"]
        assert plain["answer"] == other["answer"]
        extra = len(other["question"]) - len(plain["question"])
        assert extra > 5
        assert len(list(find_numbers(other["question"]))) > len(
            list(find_numbers(plain["question"]))
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_problem_cells_are_balanced(language):
    """Each variant has at least 100 rows, each template as many as any other."""
    made = rows("word_problems", language=language)
    assert min(Counter(row["variant"] for row in made).values()) >= 100
    assert set(Counter(row["template"] for row in made).values()) == {20}
    assert len({row["question"] for row in made}) == len(made)


@pytest.mark.parametrize("language", LANGUAGES)
def test_quantity_cells_have_100_rows(language):
    """Each kind has 100 different questions from at least two templates."""
    made = rows("quantities", language=language)
    assert Counter(row["kind"] for row in made) == dict.fromkeys(Quantities.kinds, 100)
    templates = {(row["kind"], row["template"]) for row in made}
    assert min(Counter(kind for kind, _ in templates).values()) >= 2


@pytest.mark.parametrize(("stem", "language"), FILES)
def test_answers_are_positive_finite_decimals(stem, language):
    """Every answer can be written down, and no story ends below zero."""
    for row in rows(stem, language=language, seed=3):
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", row["answer"])
        assert float(row["answer"]) > 0


@pytest.mark.parametrize(("stem", "language"), FILES)
def test_templates_are_no_near_duplicates(stem, language):
    """No two templates share more than 0.8 of their words, numbers aside."""
    shapes = {}
    for item in read_templates(stem, language).template:
        text = re.sub(r"\{\w+\}", " ", item.text)
        shapes[item.id] = set(overlap_tokens(text, language))
    for one, other in combinations(shapes.values(), 2):
        assert len(one & other) / len(one | other) <= 0.8


@pytest.mark.parametrize("stem", ["word_problems", "quantities"])
def test_same_seed_same_rows(stem):
    """The same seed gives the same rows; another gives others of the same templates."""
    assert rows(stem) == rows(stem)
    fresh = rows(stem, seed=1)
    assert fresh != rows(stem)
    assert {row["template"] for row in fresh} == {row["template"] for row in rows(stem)}


@pytest.mark.parametrize(("stem", "language"), FILES)
def test_rows_stay_as_they_are(stem, language):
    """All rows at seed 0 are fixed for ever: a change of them raises `version` and this key."""
    found = content_key(rows(stem, language=language))[:16]
    assert (load("generator", stem).version, found) == KEYS[stem, language]


def test_wrong_arguments_are_named():
    """Another language or variant is refused with what is allowed."""
    with pytest.raises(InvalidFile, match="one of en, zh; got: 'fr'"):
        rows("word_problems", language="fr")
    with pytest.raises(InvalidFile, match="a list of plain, irrelevant"):
        rows("word_problems", variants=["odd"])
