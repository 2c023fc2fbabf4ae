"""Misspellings, regional spelling, dialect, fillers, contractions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.identity import CounterRandom
from harness.perturb.contractions import LONG, SHORT, Contractions
from harness.perturb.misspelling_list import MISSPELLINGS
from harness.perturb.spelling_list import PAIRS
from harness.perturb.words import (
    DIALECT,
    FILLERS,
    FILLERS_ZH,
    NEEDS_VERB,
    Dialect,
    Filler,
    Misspellings,
    SpellingRegion,
)
from harness.records import Sample


def put(perturb: Any, text: str, seed: int = 0, language: str = "en") -> str:
    """Return a text after a perturbation."""
    result: str = perturb(Sample("t", "1", text, language=language), CounterRandom(seed)).input
    return result


def test_misspelling_list_is_sound() -> None:
    """Well over 150 words, in small letters, and no misspelling is a listed word."""
    wrong = [one for many in MISSPELLINGS.values() for one in many]
    assert len(MISSPELLINGS) >= 150
    assert all(re.fullmatch("[a-z]+", one) for one in [*MISSPELLINGS, *wrong])
    american = {word for pair in PAIRS for word in pair}
    assert not set(wrong) & (set(MISSPELLINGS) | american)
    assert len(set(wrong)) > 0.97 * len(wrong)


def test_misspellings_keep_case() -> None:
    """Capitals stay, other words stay, and nothing inside a longer word is changed."""
    assert put(Misspellings(rate=1.0), "Receive MONEY unbelievable") == "Recieve MONY unbelievable"
    assert put(Misspellings(rate=0.0), "receive money") == "receive money"


def test_regional_spelling() -> None:
    """Each spelling becomes the other region's; a text that mixes both ends up in one."""
    assert put(SpellingRegion(), "Colour and center") in {"Color and center", "Colour and centre"}
    assert put(SpellingRegion(), "the colour GREY") == "the color GRAY"
    assert put(SpellingRegion(), "the color gray") == "the colour grey"
    assert put(SpellingRegion(), "centimetres in a metre") == "centimeters in a meter"
    assert put(SpellingRegion(), "a parking meter") == "a parking meter"
    assert put(SpellingRegion(), "colourless tables") == "colourless tables"


def test_regional_list_is_sound() -> None:
    """No spelling stands on both sides."""
    british, american = zip(*PAIRS, strict=True)
    assert not set(british) & set(american)
    assert len(set(british)) == len(british)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("It is not far.", "It ain't far."),
        ("They're going to win", "They're gonna win"),
        ("going to Rome", "going to Rome"),
        ("going to the shop", "going to the shop"),
        ("a story about to", "a story about to"),
        ("Let me see", "Lemme see"),
        ("this notion", "this notion"),
        ("There is a cat that doesn't run", "It's a cat that don't run"),
        ("there are no cats", "ain't no cats"),
        ("the box there is red", "the box there is red"),
    ],
)
def test_dialect(text: str, new: str) -> None:
    """Function words change where they mean the same, at any edge of the text."""
    assert put(Dialect(), text) == new


def test_dialect_keeps_negation() -> None:
    """What is negated stays so, and what is not stays so."""
    for standard, said in DIALECT.items():
        assert bool(re.search("not|n't|no$", standard)) == ("ain't" in said or said == "don't")
    assert set(DIALECT) >= NEEDS_VERB


def test_fillers() -> None:
    """Fillers stand between words, at no name's middle; taking them out gives the old text."""
    text = "how many people live in New York or in the old town, if any"
    after = put(Filler(rate=1.0), text)
    assert "New York" in after
    for filler in FILLERS:
        after = after.replace(f" {filler} ", " ")
    assert after == text


def test_fillers_chinese() -> None:
    """In Chinese they begin a clause, not a heading."""
    text = "问题：今天，天气好吗？\n答案："
    after = put(Filler(rate=1.0), text, language="zh")
    assert after.startswith("问题：")
    assert after.endswith("\n答案：")
    assert len(after) > len(text)
    for filler in sorted(FILLERS_ZH, key=len, reverse=True):
        after = after.replace(filler, "")
    assert after == text


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Don't go", "Do not go"),
        ("I do not", "I don't"),
        ("DO NOT RUN", "DON'T RUN"),
        ("WON'T", "WILL NOT"),
        ("I'm sure I'll", "I am sure I will"),
        ("I am here", "I'm here"),
        ("I AM HERE", "I'M HERE"),
        ("cannot can't", "can't cannot"),
        ("do not do not", "don't don't"),
        ("don’t", "do not"),
        ("It is not", "It's not"),
        ("yes, it is.", "yes, it is."),
        ("it's been said", "it's been said"),
        ("it's red", "it is red"),
        ("what's", "what's"),
        ("Don't they run?", "Don't they run?"),
        ("Isn't the sky blue?", "Isn't the sky blue?"),
        ("He isn't the king", "He is not the king"),
        ("he'd know", "he'd know"),
        ("doing nothing", "doing nothing"),
        ("What is 3 + 4?", "What is 3 + 4?"),
    ],
)
def test_contractions(text: str, new: str) -> None:
    """Both ways in one pass, at the edges and side by side, in the same case; unclear ones stay."""
    assert put(Contractions(), text) == new


def test_contraction_forms_are_pairs() -> None:
    """Each short form has one long form."""
    assert len(SHORT) == len(LONG)


def test_contractions_rate() -> None:
    """At rate 0 nothing changes."""
    assert put(Contractions(rate=0.0), "do not") == "do not"
