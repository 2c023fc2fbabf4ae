"""Each constraint, met and broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugins import load
from harness.records import Outcome, Response, Sample, Score, Transcript
from harness.score.constraints import CHECKS, check, items_of, length_of, sentences_of

CASES = [
    ("length", {"low": 3, "high": 4, "language": "en"}, ["One two three.", "It's a well-made hat"],
     ["One two.", "one two three four five"]),
    ("length", {"low": 3, "high": 4, "language": "zh"}, ["山高水远。", "天，地，人"],
     ["山水", "山高水远人"]),
    ("sentences", {"count": 2}, ["One. Two.", "One! And two", "一。二！", "A 3.5 km walk. Nice."],
     ["One.", "One. Two. Three.", "一。"]),
    ("items", {"count": 2, "style": "bullet"}, ["- a\n- b", "* a\n\n* b"],
     ["- a", "- a\n- b\n- c", "Here:\n- a\n- b", "a\nb", ""]),
    ("items", {"count": 2, "style": "numbered"}, ["1. a\n2. b", "1) a\n2) b", "1、甲\n2、乙"],
     ["1. a\n3. b", "- a\n- b", "1. a"]),
    ("item_length", {"high": 2, "style": "bullet", "language": "en"}, ["- big dog\n- cat"],
     ["- a big dog\n- cat", "big dog"]),
    ("value_length", {"high": 2, "language": "en"}, ['{"a": "big dog"}'],
     ['{"a": "a big dog"}', '{"a": 3}', '{"a": ""}', "none"]),
    ("include", {"words": ["lantern", "marble"]}, ["A Lantern of marble."],
     ["Lanterns of marble", "a lantern"]),
    ("include", {"words": ["灯笼"]}, ["红灯笼亮了"], ["灯亮了"]),
    ("avoid", {"words": ["and", "the"]}, ["Sand, these", "A hand"], ["You and me", "The end"]),
    ("without", {"sign": "e"}, ["A stop"], ["The stop", "ECHO"]),
    ("without", {"sign": "的"}, ["山高"], ["我的山"]),
    ("case", {"case": "upper"}, ["A1 B!", "LOUD"], ["Loud", "loud", "123"]),
    ("case", {"case": "lower"}, ["quiet, please"], ["Quiet", "42"]),
    ("no_commas", {}, ["One two"], ["One, two", "一，二", "一、二"]),
    ("quoted", {}, ['"All of it."', "“全部。”", "「全部」"], ['"', 'A "part" of it', "'All'", ""]),
    ("starts", {"words": "Long ago"}, ["Long ago, it was.", '"long ago'], ["Not long ago"]),
    ("ends", {"words": "at last"}, ["We met at last.", 'Home at last!"'], ["At last we met."]),
    ("json", {"keys": ["a", "b"]}, ['{"b": 1, "a": 2}', '```json\n{"a": 1, "b": 2}\n```'],
     ['{"a": 1}', '{"a": 1, "b": 2, "c": 3}', "[1]", 'Here: {"a": 1, "b": 2}', ""]),
    ("key_order", {"keys": ["b", "a"]}, ['{"b": 1, "a": 2}'],
     ['{"a": 2, "b": 1}', '{"b": 1}', "x"]),
    ("language", {"language": "zh"}, ["山高水远 42。"], ["山 high", "high", "42"]),
    ("language", {"language": "en"}, ["High hills, 42."], ["High 山", "山", "42"]),
    ("sorted", {"style": "bullet", "by": "alphabet"}, ["- ant\n- Bee\n- cat", "- a\n- a"],
     ["- bee\n- ant", "- ant", "ant\nbee"]),
    ("sorted", {"style": "numbered", "by": "length"}, ["1. 山\n2. 高山\n3. 大海"],
     ["1. 高山\n2. 山"]),
    ("before", {"first": "pocket", "second": "ribbon"}, ["A pocket, then a ribbon"],
     ["A ribbon, then a pocket", "a pocket", "ribbon"]),
]  # fmt: skip
MET = [(k, a, text) for k, a, good, _ in CASES for text in good]
BROKEN = [(k, a, text) for k, a, _, bad in CASES for text in bad]


@pytest.mark.parametrize(("kind", "arguments", "text"), MET)
def test_a_constraint_is_met(kind, arguments, text):
    """These texts do what is asked."""
    assert check(text, {"kind": kind, **arguments})


@pytest.mark.parametrize(("kind", "arguments", "text"), BROKEN)
def test_a_constraint_is_broken(kind, arguments, text):
    """These do not."""
    assert not check(text, {"kind": kind, **arguments})


def test_every_kind_has_cases():
    """No check goes untested."""
    assert {kind for kind, *_ in CASES} == set(CHECKS)


@given(st.text(max_size=200), st.sampled_from(CASES))
def test_any_text_can_be_checked(text, case):
    """Hostile texts are checked like any other, without an error."""
    kind, arguments, _, _ = case
    assert check(text, {"kind": kind, **arguments}) in {True, False}


@given(st.lists(st.sampled_from(["hill", "moon", "it's", "3"]), min_size=1, max_size=9))
def test_lengths_count_words(words):
    """Words are counted whatever stands between them; one sentence stays one."""
    assert length_of(", ".join(words), "en") == len(words)
    assert sentences_of(" ".join(words) + ".") == 1
    assert items_of("\n".join(f"- {w}" for w in words), "bullet") == words


def scored(text, constraints):
    """The values of all constraint metrics."""
    sample = Sample("t", "s", "q", fields={"constraints": constraints})
    outcome = Outcome(sample, (), Transcript((Response(text=text),)))
    names = ("all_constraints", "constraints_met", "length_met", "words_met", "format_met",
             "language_met", "order_met")  # fmt: skip
    return {name: load("metric", name).score(outcome, Score(status="ok")) for name in names}


def test_each_metric_looks_at_its_own_constraints():
    """Shares by what a constraint is about; None where a prompt has none of it."""
    found = scored("one two, three", [
        {"kind": "length", "low": 3, "high": 3, "language": "en"},
        {"kind": "include", "words": ["four"]},
        {"kind": "no_commas"},
        {"kind": "quoted"},
    ])  # fmt: skip
    assert found == {
        "all_constraints": 0.0, "constraints_met": 0.25, "length_met": 1.0, "words_met": 0.0,
        "format_met": 0.0, "language_met": None, "order_met": None,
    }  # fmt: skip


def test_thinking_is_not_part_of_the_text():
    """A comma in the reasoning breaks nothing; a text of reasoning alone meets nothing."""
    alone = [{"kind": "no_commas"}]
    assert scored("<think>well, well</think>fine", alone)["all_constraints"] == 1.0
    assert scored("<think>well</think>", alone)["all_constraints"] == 0.0


def test_without_constraints_there_is_nothing_to_score():
    """The metrics are blank for other rows and failed requests."""
    assert set(scored("text", []).values()) == {None}
    failed = Outcome(Sample("t", "s", "q", fields={"constraints": [{"kind": "no_commas"}]}), ())
    assert load("metric", "all_constraints").score(failed, Score(status="error")) is None
