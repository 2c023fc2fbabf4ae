"""Generated prompts with constraints, and passages with things to leave out."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from harness.errors import InvalidFile
from harness.score.constraints import CHECKS, check
from harness.synth.apart import CLOSEST, bag, overlap
from harness.synth.constraints import Constraints
from harness.synth.exclusion import Exclusion
from harness.synth.exclusion_words import DOMAINS

LANGUAGES = ("en", "zh")


def prompts(language, seed=0, **args):
    return list(Constraints()({"language": language, **args}, seed))


def passages(language, seed=0, **args):
    return list(Exclusion()({"language": language, **args}, seed))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("language", LANGUAGES)
def test_constraints_can_be_met_together_and_broken_together(language, seed):
    """The row's right text meets every constraint, its wrong text none."""
    for row in prompts(language, seed):
        for constraint in row["constraints"]:
            assert check(row["oracle"], constraint), (constraint, row["oracle"])
            assert not check(row["wrong"], constraint), (constraint, row["wrong"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_are_balanced_by_their_number_of_constraints(language):
    """As many prompts with one constraint as with two, three and four."""
    rows = prompts(language)
    assert Counter(row["count"] for row in rows) == dict.fromkeys((1, 2, 3, 4), 36)
    assert all(len(row["constraints"]) == row["count"] for row in rows)
    assert all(row["prompt"].count("\n- ") == row["count"] for row in rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_constraint_occurs(language):
    """All kinds occur, those about capitals in English text alone."""
    kinds = {c["kind"] for row in prompts(language) for c in row["constraints"]}
    assert kinds >= set(CHECKS) - {"case"}
    alone = {row["kind"] for row in prompts(language) if row["count"] == 1}
    assert len(alone) >= 13


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_kind_stands_twice_in_a_prompt(language):
    """A prompt does not contradict itself with two lengths or two languages."""
    for row in prompts(language):
        kinds = [c["kind"] for c in row["constraints"]]
        assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_prompt_says_what_is_checked(language):
    """Words and numbers of each constraint stand in its prompt."""
    for row in prompts(language):
        for constraint in row["constraints"]:
            for name in ("low", "high", "count", "sign", "first", "second"):
                assert str(constraint.get(name, "")) in row["prompt"]
            listed = constraint.get("words", ()), constraint.get("keys", ())
            for words in listed:
                for word in [words] if isinstance(words, str) else words:
                    assert word in row["prompt"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("make", "field"), [(prompts, "prompt"), (passages, "passage")])
def test_rows_stand_apart(make, field, language):
    """No two rows share more than 0.8 of their words."""
    bags = [bag(row[field], language) for row in make(language)]
    assert max(overlap(a, b) for a, b in combinations(bags, 2)) <= CLOSEST


@pytest.mark.parametrize("make", [prompts, passages])
def test_the_seed_decides(make):
    """The same seed gives the same rows, another seed others."""
    assert make("en", 3) == make("en", 3)
    assert make("en", 3) != make("en", 4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_passages_are_balanced_by_domain(language):
    """Each of five domains has 24 passages, and half of them or so deny something."""
    rows = passages(language)
    assert Counter(row["domain"] for row in rows) == {d.name: 24 for d in DOMAINS[language]}
    assert 0.3 < sum(row["denied"] for row in rows) / len(rows) < 0.7


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_passage_names_all_and_only_its_things(language, seed):
    """Everything to list and to leave out stands in the passage; nothing else of the tables."""
    for row in passages(language, seed):
        (domain,) = (d for d in DOMAINS[language] if d.name == row["domain"])
        told = {*row["items"], *row["excluded"]}
        assert all(thing in row["passage"] for thing in told)
        assert set(row["items"]) <= set(domain.wanted)
        assert not set(row["items"]) & set(row["excluded"])
        assert len(row["items"]) == len(set(row["items"])) == row["count"]
        others = {*domain.wanted, *domain.excluded} - told
        inside = {t for t in others if t in row["passage"] and not any(t in o for o in told)}
        assert not inside
        assert "{" not in row["passage"] + row["ask"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_kinds_do_not_overlap(language):
    """No thing of a domain is both wanted and to be left out, and none contains another."""
    for domain in DOMAINS[language]:
        things = [*domain.wanted, *domain.excluded]
        assert len(set(things)) == len(things)


@pytest.mark.parametrize(
    ("make", "args", "key"),
    [
        (prompts, {"counts": [5]}, "counts"),
        (prompts, {"topic": "x"}, "topic"),
        (passages, {"per_cell": 0}, "per_cell"),
    ],
)
def test_wrong_arguments_are_named(make, args, key):
    """The error names the argument."""
    with pytest.raises(InvalidFile, match=key):
        make("en", 0, **args)


@pytest.mark.parametrize("make", [prompts, passages])
def test_an_unknown_language_is_refused(make):
    """English and Chinese are what the tables hold."""
    with pytest.raises(InvalidFile, match="language"):
        make("fr")
