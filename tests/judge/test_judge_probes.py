"""The probes of an audit: frozen, in both languages, of known worth."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from auditing_scripts import facts
from talking import JUDGES

from harness.identity import CounterRandom
from harness.judge.facts import KINDS, SHARES, Fact, _other_digit, facts_of, negated
from harness.judge.measures import LIMITS, about
from harness.judge.probes import OWN, kept, own_words, probes, sayings

FACTS = facts(60)
QA = {"question": "Capital of France?", "answers": ["Paris"], "statement": "It is Paris.",
      "misleading": "It is Lyon.", "wrong": "Lyon", "distractor": "Nice is a port."}  # fmt: skip


def test_facts_are_divided_among_kinds_and_languages():
    """Half questions, a quarter sums, a quarter translations, the same each time."""
    counts = Counter((fact.kind, fact.language) for fact in FACTS)
    for kind in KINDS:
        for language in ("en", "zh"):
            assert counts[kind, language] == 60 * SHARES[kind] / sum(SHARES.values())
    again = facts.__wrapped__(60)
    assert tuple(again) == FACTS
    assert len({fact.question for fact in FACTS}) == len(FACTS)


def test_facts_of_a_larger_audit_hold_those_of_a_smaller():
    """More facts are added behind, so that the stored verdicts serve both."""
    small = {fact.question for fact in facts(20)}
    assert small < {fact.question for fact in FACTS}


def test_a_right_answer_is_never_the_wrong_one():
    """Nor is the reference word for word what is judged, but in plain questions and sums."""
    for fact in FACTS:
        assert fact.right != fact.wrong
        assert fact.accepted
        if fact.kind == "translation":
            assert fact.right not in fact.accepted


def test_written_translations_are_of_both_kinds():
    """30 for each direction, half of them idioms; right, wrong and reference all differ."""
    for name in ("en-zh", "zh-en"):
        lines = (JUDGES / "probes" / f"{name}.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        assert Counter(row["kind"] for row in rows) == {"idiom": 15, "sentence": 15}
        for row in rows:
            assert len({row["source"], row["reference"], row["right"], row["wrong"]}) == 4
        chinese = re.compile("[\u4e00-\u9fff]")
        for row in rows:
            source, target = ("right", "source") if name == "en-zh" else ("source", "right")
            assert chinese.search(row[source])
            assert not chinese.search(row[target])


def test_generated_translations_differ_in_one_thing():
    """The wrong one has another place, day or person; the twisted ones a digit or a "not"."""
    made = [fact for fact in facts(40, ("translation",)) if fact.twisted]
    assert len(made) > 30
    for fact in made:
        (digit,), (denied,) = fact.twisted["digit"], fact.twisted["negation"]
        apart = [(a, b) for a, b in zip(fact.right, digit, strict=True) if a != b]
        assert len(apart) == 1
        assert all(char.isdigit() for char in apart[0])
        mark = "不" if "不" in denied else "没有"
        assert " not " in denied if fact.language == "en" else mark in denied
        assert re.search(r"\d+", fact.right)[0] in denied


def test_keys_are_unique():
    """No verdict is taken for another's."""
    for pairwise in (False, True):
        keys = [probe.item.key for probe in probes(FACTS, pairwise=pairwise, turned=True)]
        assert len(set(keys)) == len(keys)


def test_every_measure_has_probes():
    """None is left empty in either kind of judge; own words come later."""
    for pairwise in (False, True):
        names = {probe.measure for probe in probes(FACTS, pairwise=pairwise, turned=True)}
        wanted = {name for name in LIMITS if about(name, pairwise=pairwise)} - {OWN}
        assert names == wanted


def test_answers_of_a_pair_have_a_known_worth():
    """Both answers of every pair, and the one of every other probe."""
    for pairwise in (False, True):
        for probe in probes(FACTS, pairwise=pairwise, turned=True):
            assert probe.item.answer in probe.worth
            assert (probe.item.other in probe.worth) == pairwise


def test_a_digit_is_changed_once_and_never_to_a_leading_zero():
    """One digit, another one."""
    for seed in range(50):
        changed = _other_digit("5055", CounterRandom(seed))
        assert sum(a != b for a, b in zip("5055", changed, strict=True)) == 1
        assert changed[0] != "0"


@pytest.mark.parametrize(
    ("text", "language", "denied"),
    [
        ("The sky is blue.", "en", "The sky is not blue."),
        ("It is what it is.", "en", None),
        ("It is not so.", "en", None),
        ("天空是蓝色的。", "zh", "天空不是蓝色的。"),
        ("这不是水。", "zh", None),
    ],
)
def test_only_plain_sentences_are_denied(text, language, denied):
    """One verb, no negation yet: otherwise the worth of the result would be unsure."""
    assert negated(text, language) == denied


def test_questions_need_both_answers():
    """A row without a misleading statement is left out, and nothing takes its place."""
    assert facts_of({"en": [{**QA, "misleading": ""}]}, {}, 3, ("qa",)) == []
    found = facts_of({"en": [{**QA, "misleading": ""}]}, {}, 3)
    assert {fact.kind for fact in found} == {"sum", "translation"}
    assert len(found) == 6


def test_numbers_of_questions_are_twisted_too():
    """Where the accepted answer is a number that the statement has once."""
    row = {**QA, "answers": ["1789"], "statement": "It was in 1789."}
    (fact,) = facts_of({"en": [row]}, {}, 1, ("qa",))
    assert re.fullmatch(r"It was in \d{4}\.", fact.twisted["digit"][0])
    twice = {**row, "statement": "It was in 1789, not in 17890 or 1789.5."}
    assert "digit" not in facts_of({"en": [twice]}, {}, 1, ("qa",))[0].twisted


# ---- own words ------------------------------------------------------------------------------

PARIS = Fact("Capital of France?", "It is Paris.", "It is Lyon.", ("Paris",), short_wrong="Lyon")
SUM = Fact("2000 plus 3000?", "It is 5000.", "It is 6200.", ("5000",), short_wrong="6200")


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ("Lyon is the capital of France.", True),
        ("The French capital is the city of LYON!", True),
        ("Paris is the capital, not Lyon.", False),
        ("It is Marseille.", False),
        ("", False),
        ("Lyonnaise cooking is famous.", False),
        ("it is LYON", False),
    ],
)
def test_what_was_said_over_must_say_the_same(said, same):
    """The short answer is there, as a word, and the right one is not."""
    (saying,) = sayings([PARIS], pairwise=False)
    assert saying.worth == 0
    assert kept(saying, PARIS, said) is same


def test_numbers_said_over_may_be_written_with_commas():
    """6,200 is 6200."""
    (saying,) = sayings([SUM], pairwise=False)
    assert kept(saying, SUM, "Together they make 6,200.")
    assert not kept(saying, SUM, "Together they make 62,000.")


def test_pairs_say_right_sentences_over_too():
    """By turns, since two right answers are a fair pair as well."""
    second = Fact(**{**{f: getattr(PARIS, f) for f in PARIS.__struct_fields__}, "number": 1})
    wrong, right = sayings([PARIS, second], pairwise=True)
    assert (wrong.worth, right.worth) == (0, 1)
    assert kept(right, second, "Paris, of course.")
    probe = own_words(right, second, "own", "Paris, of course.", pairwise=True)
    assert (probe.item.answer, probe.item.other) == ("Paris, of course.", "It is Paris.")
    assert set(probe.worth.values()) == {1.0}


def test_translations_are_not_said_over():
    """Other words could be better ones."""
    made = [fact for fact in FACTS if fact.kind == "translation"]
    assert list(sayings(made, pairwise=False)) == []
