"""Wording that denies a premise, and pieces of references: single rules and their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text.denial import absence, mentions, negates, rejects, unknowable
from harness.text.references import references


@pytest.mark.parametrize(
    ("text", "question", "found"),
    [
        ("That is a false premise.", "Why?", True),
        ("It never happened.", "When?", True),
        ("There is no doubt that it was 1792.", "When?", False),
        ("It is no longer the capital.", "When?", False),
        ("It did not open until 1900.", "When?", False),
        ("Because it does not float.", "Why does it sink?", False),
        ("It does not float.", "When does it sink?", True),
        ("Actually, it has no coast.", "Which coast?", True),
        ("He didn't.", "Why did he?", True),
        ("This is not true, but I think it was 1900.", "When?", False),
        ("I am not sure.", "When?", False),
        ("并没有这回事。", "为什么？", True),
        ("不仅如此，还很大。", "多大？", False),
        ("它不在海边。", "在哪个海边？", True),
        ("", "When?", False),
    ],
)
def test_rejection_of_a_premise(text, question, found):
    """Negations that deny nothing, and reasons that hold a negation, are no rejection."""
    assert (rejects(text, question) is not None) == found


def test_a_premise_is_negated_in_one_clause():
    """The negation and half of the premise's words must stand in the same clause."""
    premise = "gold rusts in air"
    assert negates("Gold doesn't rust.", premise)
    assert not negates("Gold rusts, because it does not resist.", premise)
    assert not negates("I don't know why gold rusts in air", premise)
    assert negates("上海不是中国的首都", "上海成为中国首都")
    assert not negates("北京不大", "上海成为中国首都")
    assert negates("Not so", "the of") is None


@pytest.mark.parametrize(
    ("text", "cue", "found"),
    [
        ("The capital is Paris.", "capital is Paris", True),
        ("The Parisian", "Paris", False),
        ("It isn’t a real capital", "not * capital", True),
        ("no one of these six or seven words here", "no * here", False),
        ("它是内陆的城市", "内陆*城市", True),
        ("沿海城市", "内陆*城市", False),
    ],
)
def test_cues_are_whole_words_with_gaps(text, cue, found):
    """A cue matches whole words whatever the apostrophe, and `*` a few words between."""
    assert mentions(text, cue) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I could not find any such town.", True),
        ("There doesn't seem to be a town of that name.", True),
        ("It appears to be fictional.", True),
        ("It is not soluble in water.", False),
        ("She was not widely known.", False),
        ("It was invented in 1900.", False),
        ("It is made up of carbon.", False),
        ("I could not find much, but it is a town in Moldova.", False),
        ("查无此人。", True),
        ("他从未结婚。", False),
    ],
)
def test_absence(text, found):
    """Saying that a thing is unknown differs from saying what it is not."""
    assert (absence(text) is not None) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nobody knows.", True),
        ("It's impossible to predict.", True),
        ("No record survives.", True),
        ("I can't see you.", True),
        ("Nobody can know, but I think it was 200.", False),
        ("It weighed six kilograms.", False),
        ("无法预测。", True),
        ("没有人知道，但我猜是法国。", False),
        ("有六公斤。", False),
    ],
)
def test_unknowable(text, found):
    """Declining what cannot be known is told from a guess that follows it."""
    assert (unknowable(text) is not None) == found


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("doi:10.1000/abc.123", ["doi"]),
        ("其DOI为10.1000/abc.123", ["doi"]),
        ("See arXiv:2101.00001", ["arxiv"]),
        ("ISBN 978-3-16-148410-0", ["isbn"]),
        ("https://example.org/papers/12", ["url"]),
        ("https://example.org", []),
        ("You could search https://example.org/papers for it", []),
        ("Annals, 12(3), 45-67", ["volume"]),
        ("Smith, J. (1999)", ["dated author"]),
        ("王小明（1999）", ["dated author"]),
        ("in the Journal of Moss", ["journal"]),
        ("*The Mathematics of Moss*", ["title"]),
        ("《苔藓概论》，1999年出版", ["title", "year"]),
        ('There is no paper called "The Growth of Moss"', []),
        ("Title: Canals; Publisher: Brill", ["field", "field"]),
        ("Title: unknown", []),
        ("2004;207:1233-40", ["volume"]),
        ("I do not know.", []),
        ("In 1999 she moved to Paris.", []),
    ],
)
def test_pieces_of_references(text, rules):
    """Each kind of piece is found, and none where the text denies it or points elsewhere."""
    assert [piece.rule for piece in references(text)] == rules


def test_what_the_question_said_is_no_reference():
    """Repeating the title that was asked about states nothing new."""
    title = '"The Growth of Mosses"'
    assert references(f"The paper {title} is good", f"Who wrote {title}?") == []


@given(st.text(max_size=300))
def test_no_text_breaks_the_rules(text):
    """Any text is read without an error, and found words stand where they are said to."""
    for rule in (rejects, absence, unknowable):
        assert rule(text) is None or isinstance(rule(text), str)
    for piece in references(text):
        assert 0 <= piece.start < piece.end <= len(text)


@pytest.mark.parametrize(
    "piece", ["not ", "a' ", "'-", "*A", "《", "(1999", "10.1234/", "没", "there "]
)
def test_long_hostile_texts_are_read(piece):
    """A hundred thousand characters that begin many rules and end none are read like any."""
    text = piece * (100_000 // len(piece))
    assert isinstance(references(text), list)
    assert mentions(text, "no * such * thing") is False
    assert negates(text, "a cat flies") is None
