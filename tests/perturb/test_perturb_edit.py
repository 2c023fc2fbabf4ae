"""The editing core."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.perturb.edit import (
    Edit,
    answer_stretches,
    apply,
    cased_like,
    merged,
    occurrences,
    restored,
    rewritten,
    shared_length,
    touches,
)
from harness.records import Choice, Message, Sample, Span


def test_edits_come_in_any_order() -> None:
    """Edits are made by position, whatever the order they are given in."""
    done = apply("one two", (), [Edit(4, 7, "2"), Edit(0, 3, "eins")])
    assert done.text == "eins 2"
    assert done.spans == (Span(0, 4, "one"), Span(5, 6, "two"))


def test_edits_that_touch_protected_are_dropped() -> None:
    """A protected stretch stays, and its new position is handed on."""
    done = apply("a 12 b", [(2, 4)], [Edit(0, 1, "long"), Edit(3, 5, "x"), Edit(5, 6, "c")])
    assert done.text == "long 12 c"
    assert done.protected == ((5, 7),)
    assert done.kept == (Edit(0, 1, "long"), Edit(5, 6, "c"))


def test_guarded_is_not_handed_on() -> None:
    """A guarded stretch is left alone without becoming protected."""
    done = apply("ab", (), [Edit(0, 1, "x"), Edit(1, 2, "y")], guarded=[(0, 1)])
    assert (done.text, done.protected) == ("ay", ())


def test_insertion_at_the_edges_of_protected() -> None:
    """Text may be set before and after a protected stretch, not into it."""
    edits = [Edit(1, 1, "<"), Edit(2, 2, "!"), Edit(3, 3, ">")]
    done = apply("a12b", [(1, 3)], edits)
    assert done.text == "a<12>b"
    assert done.protected == ((2, 4),)


def test_edits_that_change_nothing_leave_no_span() -> None:
    """An edit to the same text is no change."""
    assert apply("a", (), [Edit(0, 1, "a")]).spans == ()


@pytest.mark.parametrize(
    "edits", [[Edit(0, 2, "x"), Edit(1, 3, "y")], [Edit(2, 9, "")], [Edit(-1, 0, "")]]
)
def test_impossible_edits_are_refused(edits: list[Edit]) -> None:
    """Edits that overlap or lie outside the text are the caller's mistake."""
    with pytest.raises(ValueError, match="overlaps"):
        apply("abc", (), edits)


def test_empty_protected_stretch() -> None:
    """A stretch of no length is a place: an edit around it touches it, one beside it does not."""
    assert touches(Edit(0, 2, "x"), (1, 1))
    assert not touches(Edit(0, 1, "x"), (1, 1))


edit_lists = st.lists(st.tuples(st.integers(0, 20), st.text("xyz", max_size=3)), max_size=8)


def _edits(text: str, cuts: list[tuple[int, str]]) -> list[Edit]:
    places = sorted(min(cut, len(text)) for cut, _ in cuts)
    return [
        Edit(start, end, new)
        for start, end, (_, new) in zip(places[::2], places[1::2], cuts, strict=False)
    ]


@given(st.text("abc", max_size=20), edit_lists)
def test_spans_lead_back(text: str, cuts: list[tuple[int, str]]) -> None:
    """Putting the originals back gives the old text."""
    done = apply(text, (), _edits(text, cuts))
    assert restored(done.text, done.spans) == text


@given(st.text("abc", max_size=20), edit_lists, edit_lists)
def test_merged_spans_lead_back(
    text: str, cuts: list[tuple[int, str]], more: list[tuple[int, str]]
) -> None:
    """Spans of two steps, merged, lead from the last text to the first."""
    middle = apply(text, (), _edits(text, cuts))
    last = apply(middle.text, (), _edits(middle.text, more))
    spans = merged(middle.text, middle.spans, last.spans)
    assert restored(last.text, spans) == text
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


def test_chat_follows_the_input() -> None:
    """The last user turn of a chat becomes the new input; other turns stay."""
    turns = (Message("user", "old"), Message("assistant", "yes"), Message("user", "old"))
    sample = Sample("t", "1", "old", messages=turns)
    after = rewritten(sample, "v", [Edit(0, 3, "new")])
    assert [m.content for m in after.messages] == ["old", "yes", "new"]


@pytest.mark.parametrize(
    "turns", [(Message("user", "another"),), (Message("system", "old"), Message("assistant", "x"))]
)
def test_chat_that_does_not_end_in_the_input_is_left(turns: tuple[Message, ...]) -> None:
    """Where a change could not reach the model, none is claimed."""
    after = rewritten(Sample("t", "1", "old", messages=turns), "v", [Edit(0, 3, "new")])
    assert (after.input, after.spans, after.variant) == ("old", (), "v")


def test_contexts_change_alike() -> None:
    """An edit to what all contexts begin with is made to each; a later one to none."""
    sample = Sample("t", "1", "big dog saw it", choices=(Choice("x", "big dog saw a"), Choice("y")))
    after = rewritten(sample, "v", [Edit(0, 3, "huge"), Edit(12, 14, "that")])
    assert after.input == "huge dog saw it"
    assert after.choices == (Choice("x", "huge dog saw a"), Choice("y"))


def test_shared_words_are_whole() -> None:
    """What contexts share ends with a word, so that no candidate changes in its first letters."""
    assert shared_length(["though they had", "though the seniors"]) == len("though ")
    assert shared_length(["因为她", "因为小芸"]) == 2
    assert shared_length(["same", "same"]) == 4


def test_occurrences_are_whole_words() -> None:
    """An answer is found in any case, as a word; in Chinese, anywhere."""
    assert occurrences("art smart ART", ["art"]) == [(0, 3), (10, 13)]
    assert occurrences("答案是北京市", ["北京"]) == [(3, 5)]
    assert occurrences("a+b", ["+"]) == [(1, 2)]


def test_answers_and_option_letters_are_guarded() -> None:
    """With options, their texts and the letters before them are left alone."""
    sample = Sample("t", "1", "Which?\nA. tea\n(b) rice", choices=(Choice("tea"), Choice("rice")))
    texts = [sample.input[s:e] for s, e in answer_stretches(sample)]
    assert texts == ["A.", "tea", "(b)", "rice"]


def test_case_is_kept() -> None:
    """A replacement follows the case of what it replaces."""
    assert cased_like("A", "the") == "The"
    assert cased_like("12", "ab") == "ab"
