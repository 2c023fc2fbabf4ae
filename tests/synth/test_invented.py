"""Invented names: plausible, distinct, not famous, the same for one seed and new for another."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile
from harness.plugins import load
from harness.records import Sample
from harness.score.hallucination import grade
from harness.synth.invented import KINDS, MAX_PER_KIND, Invented, near, plausible
from harness.synth.invented_words import FAMOUS, TEMPLATES, WORDS

TASKS = Path(__file__).parents[2] / "tasks" / "hallucination"
LANGUAGES = ("en", "zh")
FIELDS = ["question", "expects", "name", "kind", "template", "wrong", "oracle"]
FIRST = {"en": "Yannick Halorholt", "zh": "柯嵘之"}


def rows(language, kinds=KINDS, per_kind=30, seed=0):
    """The generator's rows as a list."""
    args = {"language": language, "kinds": list(kinds), "per_kind": per_kind}
    return list(load("generator", "invented")()(args, seed))


def tokens(text, language):
    """What two questions are compared by: words, or in Chinese pairs of characters."""
    parts = re.findall(r"[^\W_]+" if language == "en" else r"[^\W_]", text.lower())
    return frozenset(parts if language == "en" else itertools.pairwise(parts))


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_have_their_fields_and_kinds(language):
    """Each kind has as many rows as asked for, in turn over its templates."""
    found = rows(language, per_kind=12)
    assert [row["kind"] for row in found] == [kind for kind in KINDS for _ in range(12)]
    for row in found:
        assert list(row) == FIELDS
        assert all(isinstance(value, str) and value == value.strip() for value in row.values())
        assert row["expects"] == ("no_reference" if row["kind"] == "reference" else "denial")
        assert not re.search(r"[{}|]|  ", "".join(row.values()))
    for kind in KINDS:
        named = {row["template"] for row in found if row["kind"] == kind}
        assert named == {f"{kind}-{i + 1}" for i in range(len(TEMPLATES[language][kind]))}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", range(8))
def test_names_are_plausible_and_distinct(language, seed):
    """For every seed names can be said, differ within a kind and stand in their question."""
    found = rows(language, seed=seed)
    for kind in KINDS:
        names = [row["name"] for row in found if row["kind"] == kind]
        assert len(set(names)) == len(names)
    for row in found:
        assert row["name"] in row["question"]
        words = re.findall(r"[a-z]+", row["name"].lower())
        assert not FAMOUS[language] & {*words, row["name"]}
        if language == "zh":
            assert plausible(row["name"], "zh")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", range(4))
def test_no_two_questions_are_alike(language, seed):
    """Questions of the sizes that tasks ask for share at most 0.8 of their tokens."""
    asked = [tokens(row["question"], language) for row in rows(language, seed=seed)]
    assert max(len(a & b) / len(a | b) for a, b in itertools.combinations(asked, 2)) <= 0.8


@pytest.mark.parametrize("language", LANGUAGES)
def test_made_up_answers_are_wrong_and_denials_right(language):
    """The rules read every row's made-up answer as incorrect and its denial as correct."""
    for row in rows(language, per_kind=60, seed=3):
        one = Sample("t", "s", row["question"], language=language, fields=row)
        assert grade(row["wrong"], one) == "incorrect", row
        assert grade(row["oracle"], one) == "correct", row


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_seed_decides_the_rows(language):
    """One seed gives the same rows for ever, another new names; the first is kept here."""
    assert rows(language) == rows(language)
    assert rows(language)[0]["name"] == FIRST[language]
    old = {row["name"] for row in rows(language)}
    assert len(old & {row["name"] for row in rows(language, seed=1)}) < 0.1 * len(old)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_largest_request_is_met(language):
    """Each kind has names enough for the most rows that may be asked for."""
    assert len(rows(language, per_kind=MAX_PER_KIND, seed=5)) == MAX_PER_KIND * len(KINDS)


@pytest.mark.parametrize(
    ("name", "language", "found"),
    [
        ("Tavermond", "en", True),
        ("Paris", "en", False),
        ("Pariss", "en", False),
        ("Strzkth", "en", False),
        ("Bcdfghao", "en", False),
        ("Baaad", "en", False),
        ("Queuoia", "en", False),
        ("Abc", "en", False),
        ("Averyverylongsurname", "en", False),
        ("Rhythmsky", "en", False),
        ("汶陵镇", "zh", True),
        ("汶汶镇", "zh", False),
        ("李白镇", "zh", False),
    ],
)
def test_plausible_names(name, language, found):
    """What cannot be said, is too short or long, or is near a famous name is refused."""
    assert plausible(name, language) == found


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_near_is_one_edit(first, second):
    """Two words are near where they are equal after at most one edit, in either order."""

    def edits(word):
        cut = [word[:i] + word[i + 1 :] for i in range(len(word))]
        put = [word[:i] + c + word[i:] for i in range(len(word) + 1) for c in "ab"]
        new = [word[:i] + c + word[i + 1 :] for i in range(len(word)) for c in "ab"]
        return {word, *cut, *put, *new}

    assert near(first, second) == (second in edits(first)) == near(second, first)


@pytest.mark.parametrize(
    ("args", "key"),
    [
        ({"language": "fr", "kinds": ["town"]}, "language"),
        ({"kinds": ["town"]}, "language"),
        ({"language": ["en"], "kinds": ["town"]}, "language"),
        ({"language": "en"}, "kinds"),
        ({"language": "en", "kinds": []}, "kinds"),
        ({"language": "en", "kinds": "town"}, "kinds"),
        ({"language": "en", "kinds": ["city"]}, "kinds"),
        ({"language": "en", "kinds": [["town"]]}, "kinds"),
        ({"language": "en", "kinds": ["town", "town"]}, "kinds"),
        ({"language": "en", "kinds": ["town"], "per_kind": 0}, "per_kind"),
        ({"language": "en", "kinds": ["town"], "per_kind": True}, "per_kind"),
        ({"language": "en", "kinds": ["town"], "per_kind": MAX_PER_KIND + 1}, "per_kind"),
        ({"language": "en", "kind": ["town"]}, "kind"),
    ],
)
def test_wrong_arguments_are_named(args, key):
    """A wrong argument is refused with its name before any row is made."""
    with pytest.raises(InvalidFile) as caught:
        Invented()(args, 0)
    assert caught.value.key == key


def test_templates_use_known_fields_and_both_languages_match():
    """Both languages have the same kinds, with six templates each, and end as questions do."""
    assert WORDS.keys() == TEMPLATES.keys() == FAMOUS.keys()
    for language in LANGUAGES:
        assert list(TEMPLATES[language]) == list(KINDS)
        assert {len(many) for many in TEMPLATES[language].values()} == {6}
        mark = {"en": ("?", "."), "zh": ("？",)}[language]
        assert all(row["question"].endswith(mark) for row in rows(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_tasks_ask_for_enough(language):
    """The tasks draw 150 questions about invented things and 60 requests for references."""
    for name, size in ((f"{language}-invented", 150), (f"{language}-reference", 60)):
        task = yaml.safe_load((TASKS / f"{name}.yaml").read_text(encoding="utf-8"))
        made = list(Invented()(task["data"]["args"], task["data"]["seed"]))
        assert len({row["question"] for row in made}) == size
