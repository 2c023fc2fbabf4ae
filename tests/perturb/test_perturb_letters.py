"""Typing slips, case, lookalikes."""

from __future__ import annotations

import re

from harness.identity import CounterRandom
from harness.perturb.letters import (
    LOOKALIKES,
    NEIGHBOURS,
    Homoglyphs,
    Lowercase,
    Typos,
    Uppercase,
    open_stretches,
)
from harness.records import Choice, Sample

TEXT = "Please describe three large animals and 12 plants that aren't in the garden of IBM, x_name."


def sample(text: str = TEXT, **more: object) -> Sample:
    """A question in English."""
    return Sample("t", "1", text, **more)  # type: ignore[arg-type]


def test_neighbours_are_mutual() -> None:
    """If one key lies beside another, so does the other beside it."""
    assert len(NEIGHBOURS) == 26
    assert all(a in NEIGHBOURS[b] for a, near in NEIGHBOURS.items() for b in near)
    assert set(NEIGHBOURS["g"]) == set("fhtyvb")


def test_typos_once_a_word() -> None:
    """Even when every letter is hit, a word has one slip, by a neighbouring key."""
    after = Typos(rate=1.0)(sample(), CounterRandom(0))
    for old, new in zip(TEXT.split(), after.input.split(), strict=True):
        wrong = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
        assert len(wrong) <= 1
        assert all(b in NEIGHBOURS[a.lower()] for a, b in wrong if a.islower())


def test_typos_leave_what_carries_meaning() -> None:
    """Short words, numbers, contractions, names in capitals and identifiers have no slips."""
    after = Typos(rate=1.0)(sample(), CounterRandom(0)).input
    for kept in ("three", "12", "aren't", "of", "IBM", "x_name"):
        assert re.search(rf"(?<!\w){re.escape(kept)}(?!\w)", after), kept


def test_typos_keep_case() -> None:
    """A capital letter gives a capital letter."""
    after = Typos(rate=1.0)(sample("Dear Friend"), CounterRandom(3)).input
    assert after != "Dear Friend"
    assert [c.isupper() for c in after] == [c.isupper() for c in "Dear Friend"]


def test_typos_make_no_option() -> None:
    """A slip never turns a word into one that the sample holds already."""
    choices = (Choice("car"), Choice("bus"))
    texts = {
        Typos(rate=0.5)(sample("cat", choices=choices), CounterRandom(n)).input for n in range(300)
    }
    assert len(texts) > 5
    assert "car" not in texts


def test_answers_keep_their_letters() -> None:
    """A target that the input mentions is left alone by slips, case and lookalikes."""
    one = sample("Is Paris or Lyon the capital of France?", target=("Paris",))
    for perturb in (Typos(rate=1.0), Lowercase(), Uppercase(), Homoglyphs(rate=1.0)):
        assert "Paris" in perturb(one, CounterRandom(0)).input


def test_case() -> None:
    """Small letters and capitals are written around what is protected."""
    one = sample("Read MY lips X1", protected=((5, 7),))
    assert Lowercase()(one, CounterRandom(0)).input == "read MY lips x1"
    assert Uppercase()(one, CounterRandom(0)).input == "READ MY LIPS X1"


def test_case_that_changes_length() -> None:
    """Letters whose other case is longer are followed by the spans."""
    after = Uppercase()(sample("straße 5", protected=((7, 8),)), CounterRandom(0))
    assert (after.input, after.protected) == ("STRASSE 5", ((8, 9),))


def test_lookalikes_are_not_latin() -> None:
    """Every lookalike is another letter of the same case."""
    assert all(a.isascii() and not b.isascii() for a, b in LOOKALIKES.items())
    assert all(a.isupper() == b.isupper() for a, b in LOOKALIKES.items())
    after = Homoglyphs(rate=1.0)(sample("please space"), CounterRandom(0)).input
    assert after == "рlеаѕе ѕрасе"


def test_open_stretches() -> None:
    """What is open lies between what is closed, also where that overlaps or passes the end."""
    assert list(open_stretches("abcdef", [(1, 3), (2, 4)])) == [(0, 1), (4, 6)]
    assert list(open_stretches("abc", [(2, 9)])) == [(0, 2)]
