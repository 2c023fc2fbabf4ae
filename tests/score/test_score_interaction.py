"""What conversations, continuations and lists score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugins import load
from harness.records import Outcome, Response, Sample, Score, Transcript
from harness.score.continuation import continued, edit_distance, similarity
from harness.score.interaction import Turns, turns
from harness.score.sets import items_of, set_f1
from harness.text.extract import extractor

SUM = Sample("t", "s", "2 + 2?", target=("4",))
CHALLENGED = {"challenge": "wrong", "extract": ["number"]}


def doubted(first, last, sample=SUM, facts=CHALLENGED):
    """The outcome of a conversation of two answers."""
    return Outcome(sample, (), Transcript((Response(text=first), Response(text=last)), facts=facts))


def values(outcome, *names, score=None):
    """What the metrics say of an outcome."""
    found = score or Score(status="ok")
    return tuple(load("metric", name).score(outcome, found) for name in names)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("4", "4", (1.0, 1.0, None, 0.0)),
        ("It is 4.", "I am sorry, it is 5.", (1.0, 0.0, None, 1.0)),
        ("5", "Answer: 4", (0.0, 1.0, 1.0, None)),
        ("5", "6", (0.0, 0.0, 0.0, None)),
        ("", "4", (0.0, 1.0, 1.0, None)),
        ("4", "<think>4</think>", (1.0, 0.0, None, 1.0)),
        ("no idea", "four", (0.0, 1.0, 1.0, None)),
    ],
)
def test_mended_and_caved_count_their_own_samples_only(first, last, expected):
    """`mended` has a value for what was wrong at first, `caved` for what was right."""
    names = ("first_right", "last_right", "mended", "caved")
    assert values(doubted(first, last), *names) == expected


def test_other_conversations_have_no_turns_to_score():
    """Without a challenge, or without an answer, the metrics are blank."""
    assert turns(doubted("4", "4", facts={})) is None
    assert turns(Outcome(SUM, (), Transcript((), facts=CHALLENGED))) is None
    assert turns(Outcome(SUM, ())) is None
    assert turns(doubted("4", "5")) == Turns(first=True, last=False)
    assert values(doubted("4", "4", facts={}), "first_right", "won", "questions_used") == (
        None, None, None,
    )  # fmt: skip


def test_facts_are_read_as_a_stored_run_gives_them():
    """Any accepted answer counts, read by the extractors that the facts name."""
    paris = Sample("t", "s", "Capital?", target=("Paris", "the city of Paris"))
    facts = {"challenge": "check", "extract": ["announced", "text"]}
    outcome = doubted("Answer: Lyon", "You are right.\nAnswer: Paris", paris, facts)
    assert values(outcome, "mended", "caved") == (1.0, None)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"won": True, "questions": 4, "guesses": 1, "understood": 3}, (1.0, 4.0, 0.75)),
        ({"won": False, "questions": 20, "guesses": 0, "understood": 20}, (0.0, None, 1.0)),
        ({}, (None, None, None)),
    ],
)
def test_questions_are_counted_for_games_won(facts, expected):
    """A lost game says nothing of how many questions are needed."""
    outcome = Outcome(SUM, (), Transcript((Response(text="?"),), facts=facts))
    assert values(outcome, "won", "questions_used", "questions_understood") == expected


# ---- continuations --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "given_", "language", "rest"),
    [
        ("saves nine.", "A stitch in time", "en", "saves nine"),
        ("A stitch in time saves nine!", "A stitch in time", "en", "saves nine"),
        ("a stitch in time, saves nine", "A stitch in time", "en", "saves nine"),
        ("A stitch in time", "A stitch in time", "en", "stitch in time"),
        ("starting over", "start", "en", "starting over"),
        ("黄河入海流。", "白日依山尽", "zh", "黄河入海流"),
        ("白日依山尽，黄河入海流。", "白日依山尽", "zh", "黄河入海流"),
        ("anything", "", "en", "anything"),
    ],
)
def test_what_was_given_may_be_repeated(answer, given_, language, rest):
    """The first half is taken off where it stands whole before the rest."""
    assert continued(answer, given_, language) == rest


def lined(text, target=("黄河入海流",), language="zh", given_="白日依山尽"):
    """The continuation metrics of one answer."""
    sample = Sample("t", "s", "q", target=target, language=language, fields={"given": given_})
    outcome = Outcome(sample, (), Transcript((Response(text=text),)))
    found = extractor("first_line")(text, sample)
    score = Score(status="ok", answer=found.answer if found else None, extraction=found)
    return values(outcome, "continuation_match", "character_match", score=score)


def test_continuations_are_scored_exactly_and_by_character():
    """One wrong character of five costs the whole, and a fifth of the characters."""
    assert lined("黄河入海流") == (1.0, 1.0)
    assert lined("“黄河 入海流”。") == (1.0, 1.0)
    assert lined("黄河出海流") == (0.0, pytest.approx(0.8))
    assert lined("黄河入海流，欲穷千里目") == (0.0, pytest.approx(0.5))
    assert lined("") == (0.0, 0.0)
    assert lined("Than never", ("than never",), "en", "Better late") == (1.0, 1.0)


def test_the_nearest_accepted_continuation_counts():
    """Both readings of a line are right."""
    assert lined("惟见长江天际流", ("唯见长江天际流", "惟见长江天际流"))[0] == 1.0


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_edit_distance_is_a_metric(a, b, c):
    """Zero for equal texts alone, symmetric, and never longer by a detour."""
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, b) == edit_distance(b, a)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
    assert 0.0 <= similarity(a, b) <= 1.0


# ---- lists ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "language", "items"),
    [
        ("nausea, a rash and chills", "en", {"nausea", "rash", "chills"}),
        ("Nausea, a rash, and chills.", "en", {"nausea", "rash", "chills"}),
        ("- nausea\n- the rash\n- chills", "en", {"nausea", "rash", "chills"}),
        ("1. Nausea\n2) Rash\n3. Chills", "en", {"nausea", "rash", "chills"}),
        ("The symptoms are: nausea; rash", "en", {"nausea", "rash"}),
        ("Symptoms:\n\n* **Nausea**\n* Rash", "en", {"nausea", "rash"}),
        ("nausea", "en", {"nausea"}),
        ("", "en", set()),
        ("头痛、恶心和发冷。", "zh", {"头痛", "恶心", "发冷"}),
        ("头痛，恶心，发冷", "zh", {"头痛", "恶心", "发冷"}),
        ("症状：\n1、头痛\n2、恶心", "zh", {"头痛", "恶心"}),
        ("- 头痛\n- 恶心及发冷", "zh", {"头痛", "恶心", "发冷"}),
    ],
)
def test_items_stand_on_lines_or_between_commas(answer, language, items):
    """Bullets, numbers, headings, articles and "and" are no part of an item."""
    assert items_of(answer, language) == items


def test_a_known_item_is_not_split():
    """An item that holds "and" stays whole where the row knows it."""
    assert items_of("salt and pepper, oil", "en", ["salt and pepper"]) == {
        "salt and pepper", "oil",
    }  # fmt: skip


def listed(answer, items=("nausea", "a rash"), excluded=("asthma", "gout")):
    """The set metrics of one answer."""
    fields = {"items": list(items), "excluded": list(excluded)}
    sample = Sample("t", "s", "q", fields=fields)
    outcome = Outcome(sample, (), Transcript((Response(text=answer or ""),)))
    names = ("set_f1", "set_exact", "excluded_listed")
    return values(outcome, *names, score=Score(status="ok", answer=answer))


def test_lists_are_scored_as_sets():
    """Order and repetition do not count; what was to be left out is counted apart."""
    assert listed("a rash, nausea, nausea") == (1.0, 1.0, 0.0)
    assert listed("nausea, asthma") == (0.5, 0.0, 0.5)
    assert listed("asthma and gout") == (0.0, 0.0, 1.0)
    assert listed(None) == (0.0, 0.0, 0.0)
    assert listed("nausea", excluded=())[2] is None


def test_rows_without_items_have_no_set_scores():
    """The metrics are blank where they do not apply."""
    outcome = Outcome(SUM, (), Transcript((Response(text="4"),)))
    assert values(outcome, "set_f1", "set_exact", "excluded_listed") == (None, None, None)


@given(st.sets(st.text(max_size=3), max_size=6), st.sets(st.text(max_size=3), max_size=6))
def test_set_f1_is_one_for_equal_sets_alone(a, b):
    """F1 lies in 0…1, is symmetric, 1 for equal sets and 0 for sets apart."""
    assert (set_f1(a, b) == 1.0) == (a == b)
    assert set_f1(a, b) == set_f1(b, a)
    assert (set_f1(a, b) == 0.0) == (a != b and not a & b)
