"""Made-up ciphers and languages: one of each for a seed, and what examples can teach of it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import pytest

from harness.errors import InvalidFile
from harness.synth.apart import CLOSEST, Apart, bag, overlap
from harness.synth.cipher import ORDERS, SIGNS, Cipher, Ciphers
from harness.synth.grammar import ADJECTIVES, NOUNS, VERBS, Grammar, Language

SEEDS = range(5)


def ciphers(seed=0, **args):
    return list(Ciphers()(args, seed))


def grammar(seed=0, **args):
    return list(Grammar()(args, seed))


@pytest.mark.parametrize("script", SIGNS)
def test_a_cipher_moves_every_sign(script):
    """No sign stands for itself, and none stands for two."""
    for seed in SEEDS:
        substitution = Cipher(seed, script).substitution
        assert sorted(substitution) == sorted(substitution.values()) == sorted(SIGNS[script])
        assert all(plain != code for plain, code in substitution.items())


def test_orders_only_move_signs():
    """Each order keeps a word's signs, and changes the word."""
    for order in ORDERS.values():
        assert sorted(order("abcdef")) == list("abcdef")
        assert order("abcdef") != "abcdef"


@pytest.mark.parametrize("script", SIGNS)
def test_ciphers_are_balanced_and_whole(script):
    """Each length has its words; every word and its code have that length and no sign twice."""
    rows = ciphers(script=script)
    assert Counter(row["length"] for row in rows) == {4: 40, 5: 40, 6: 40}
    for row in rows:
        assert len(set(row["plain"])) == len(row["plain"]) == len(row["code"]) == row["length"]
        assert row["plain"] != row["code"]


@pytest.mark.parametrize("script", SIGNS)
def test_sixteen_examples_determine_the_cipher(script):
    """The examples leave one order possible, and show nearly every sign."""
    for seed in SEEDS:
        cipher = Cipher(seed, script)
        rows = ciphers(seed, script=script)[::7][:16]
        possible = [name for name in ORDERS if consistent(rows, name)]
        assert possible == [cipher.order]
        assert len({sign for row in rows for sign in row["plain"]}) >= 11


def consistent(rows, order):
    """Whether one substitution explains all rows, had the signs been reordered like this."""
    table = {}
    for row in rows:
        places = ORDERS[order]("012345"[: row["length"]])
        for place, code in zip(places, row["code"], strict=True):
            plain = row["plain"][int(place)]
            if table.setdefault(plain, code) != code:
                return False
    return len(set(table.values())) == len(table)


def test_latin_words_can_be_read():
    """Consonants and vowels take turns."""
    for row in ciphers(script="latin"):
        vowels = [sign in "aeiu" for sign in row["plain"]]
        assert all(a != b for a, b in pairwise(vowels))


@pytest.mark.parametrize("make", [ciphers, grammar])
def test_the_seed_decides(make):
    """The same seed gives the same rows, another seed other rows."""
    assert make(3) == make(3)
    assert make(3) != make(4)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_are_balanced_by_adjectives(language):
    """40 sentences with none, one and two adjectives; all answers differ."""
    rows = grammar(language=language)
    assert Counter(row["adjectives"] for row in rows) == {0: 40, 1: 40, 2: 40}
    assert len({row["answer"] for row in rows}) == len(rows)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_stand_apart(language):
    """No two sentences share more than 0.8 of their words (in Chinese: pairs of characters)."""
    bags = [bag(row["sentence"], language) for row in grammar(language=language)]
    assert max(overlap(a, b) for a, b in combinations(bags, 2)) <= CLOSEST


def test_a_language_has_a_word_for_each_meaning():
    """Words are all different, and no mark can be taken for a word's beginning."""
    for seed in SEEDS:
        made_up = Language(seed)
        assert len(made_up.words) == len(NOUNS) + len(VERBS) + len(ADJECTIVES)
        assert len(set(made_up.words.values())) == len(made_up.words)
        marks = made_up.plural, made_up.object
        assert len(set(marks)) == 2
        assert not any(word.startswith(marks) for word in made_up.words.values())


def test_a_sentence_can_be_read_back():
    """An answer holds the words of its sentence, marked for plural and object, and no others."""
    made_up = Language(0)
    for row in grammar(0):
        words = row["answer"].split()
        stems = [word for word in words if word in made_up.words.values()]
        marked = [word for word in words if word not in stems]
        assert any(word.endswith(made_up.object) for word in marked)
        assert len(words) == 3 + row["adjectives"]
        assert sum(made_up.plural in word for word in marked) == row["plurals"]


def test_both_languages_translate_into_the_same_one():
    """The made-up language does not depend on which language is given."""
    vocabulary = set(Language(0).words.values())
    marks = Language(0).plural, Language(0).object
    for language in ("en", "zh"):
        for row in grammar(0, language=language):
            for word in row["answer"].split():
                assert any(known in word for known in vocabulary)
                assert len(word) in {4, 6, 8}
                assert len(word) == 4 or any(mark in word for mark in marks)


@pytest.mark.parametrize(
    ("make", "args", "key"),
    [
        (ciphers, {"script": "greek"}, "script"),
        (ciphers, {"lengths": [9]}, "lengths"),
        (ciphers, {"size": 3}, "size"),
        (grammar, {"language": "fr"}, "language"),
        (grammar, {"per_cell": 0}, "per_cell"),
    ],
)
def test_wrong_arguments_are_named(make, args, key):
    """The error names the argument."""
    with pytest.raises(InvalidFile, match=key):
        make(0, **args)


def test_more_words_than_there_are_is_an_error():
    """A cell that cannot be filled with rows that stand apart says so."""
    with pytest.raises(InvalidFile, match=r"per_cell: so many rows do not stand apart.*400"):
        ciphers(script="latin", lengths=[4], per_cell=400)


def test_apart_refuses_what_is_near():
    """The first text is kept; one with the same words in another order is not."""
    apart = Apart("en")
    assert apart.take("the dog sees a cat")
    assert not apart.take("a cat sees the dog")
    assert apart.take("the horse sees a cat")
    assert overlap(frozenset(), frozenset()) == 1.0
    assert bag("字", "zh") == {"字"}
