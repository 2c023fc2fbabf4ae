"""The board's own parts: how models are named and filtered, tiers, packed views, its sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_report_blocks import unpacked

from harness.report import parts
from harness.report.board_models import filters, look_of
from harness.report.board_view import tiers
from harness.report.mark import mark
from harness.report.parts import part, placed
from harness.report.story import board_story, measure_story

BANDS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 5)).map(lambda pair: (pair[0], sum(pair))),
    max_size=9,
)


def board(*models, tasks=("a/x",)):
    """Make the part of board.json that the filters read."""
    return {
        "models": [{"model": model, "facts": facts} for model, facts in models],
        "tasks": [{"task": task, "language": "en", "tags": ["core"]} for task in tasks],
    }


def test_a_model_is_named_by_its_last_part():
    """Provider and owner stand below with the size; what is unknown is left out."""
    look = look_of({"model": "hf/org/a-7b", "facts": {"parameters": 7_600_000_000}})
    assert (look.name, look.notes) == ("a-7b", ("hf/org", "7.6B"))
    assert (look.size, look.weights) == ("medium", "open")
    bare = look_of({"model": "alone"})
    assert (bare.name, bare.notes, bare.size, bare.weights) == ("alone", (), "unknown", "unknown")
    odd = look_of({"model": "p/<b>x</b>", "facts": {"parameters": "many", "weights": "closed"}})
    assert (odd.name, odd.notes, odd.weights) == ("p/<b>x</b>", (), "closed")


def test_only_what_has_a_choice_has_a_menu():
    """One language and one tag make no menu; sizes stand in their order, unknown last."""
    shown = board(
        ("openai/x", {}),
        ("hf/y", {"parameters": 5}),
        ("hf/z", {"parameters": 10**12}),
        tasks=("a/x", "b/y"),
    )
    menus = {menu.name: [value for value, _ in menu.choices] for menu in filters(shown)}
    assert list(menus) == ["model", "family", "size", "weights"]
    assert menus["family"] == ["a", "b"]
    assert menus["size"] == ["small", "huge", "unknown"]
    assert menus["weights"] == ["open", "unknown"]
    assert filters(board(("hf/y", {}))) == []


@given(BANDS)
def test_a_tier_parts_all_above_from_all_below(bands):
    """A tier ends where the worst rank above is before the best rank below, and nowhere else."""
    rows = [{"rank_best": best, "rank_worst": worst} for best, worst in bands]
    for place, ends in enumerate(tiers(rows)):
        above, below = bands[: place + 1], bands[place + 1 :]
        apart = bool(below) and max(w for _, w in above) < min(b for b, _ in below)
        assert ends == apart


def test_small_views_stay_whole():
    """A small report can be read without scripts: nothing of it is packed."""
    found = placed([part("<p class='a'>one</p>")], "v")
    assert found.elements == ["<p class='a'>one</p>"]
    assert found.pieces == {}


def test_large_views_wait_packed(monkeypatch):
    """Beyond the limit an element stays with its attributes, and names the piece that it holds."""
    monkeypatch.setattr(parts, "LARGE", 10)
    views = [part(f'<div id="{name}"><b>{name}</b> text</div>\n') for name in ("x", "y", "z")]
    found = placed(views, "p", open_first=True)
    assert found.elements == [
        '<div id="x"><b>x</b> text</div>',
        '<div id="y" data-piece="p1"></div>',
        '<div id="z" data-piece="p2"></div>',
    ]
    assert {name: unpacked(text) for name, text in found.pieces.items()} == {
        "p1": "<b>y</b> text",
        "p2": "<b>z</b> text",
    }
    assert set(placed(views, "v").pieces) == {"v0", "v1", "v2"}


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("not run", "not run"),
        ("every sample failed", "failed"),
        ("the judge gave no verdict", "unjudged"),
        ("gives no log-likelihoods, which method rank needs", "unable"),
        ("no answer is right", "n/a"),
    ],
)
def test_blank_places_say_why_in_a_word(reason, word):
    """Every reason for a missing number has a word that fits a cell."""
    assert mark({"reason": reason}, None).blank.en == word


def test_failed_requests_are_flagged():
    """A number that lost samples to the instrument says so; one from a partial run too."""
    place = {"value": 0.5, "errors": 1, "unjudged": 2, "reason": "partial run"}
    assert mark(place, None).flags == ("partial", "failed")
    assert mark({"value": 0.5}, None).flags == ()


def standing(*names, differences=3, undecided=2, more=100):
    """Make a view whose first model shares rank 1 with all others."""
    rows = [
        {
            "model": f"p/{name}",
            "mean": 0.5,
            "mean_win_rate": 0.5 - 0.001 * place,
            "mean_win_rate_low": 0.4,
            "mean_win_rate_high": 0.6,
            "rank_best": 1,
            "rank_worst": len(names),
        }
        for place, name in enumerate(names)
    ]
    duel = {
        "runner_up": "p/b",
        "differences": differences,
        "undecided": undecided,
        "more_samples": more,
    }
    return {"measure": "score", "rows": rows, "duel": duel}


def test_equal_rates_are_level():
    """Models with one rate stand in front together; whoever has few tasks is said to."""
    view = standing("a", "b", "c")
    for row in view["rows"][:2]:
        row["mean_win_rate"] = 0.5
    assert "a and b are level in front (mean win rate 0.50" in measure_story(view).en
    view["rows"][0]["tasks"], view["columns"] = 3, [1, 2, 3, 4]
    assert "It has 3 of 4 tasks." in board_story(view, {}).en
    for row in view["rows"]:
        row["rank_best"] = row["rank_worst"] = None
    assert board_story(view, {}).en.endswith("nobody is ranked.")
    assert measure_story(view).en == ""


def test_many_rivals_are_counted_rather_than_named():
    """Up to four rivals are named; of more, three and how many others there are."""
    assert "over b, c, d and e cannot" in measure_story(standing(*"abcde")).en
    assert "over b, c, d and 3 others cannot" in measure_story(standing(*"abcdefg")).en
    assert "b、c、d和另外 3 个" in measure_story(standing(*"abcdefg")).zh


@pytest.mark.parametrize(
    ("undecided", "more", "said"),
    [
        (0, None, "The difference to b is larger than chance explains."),
        (1, 100, "About 100 more samples would settle the difference to b."),
        (1, None, "The difference to b is too small for more samples to settle."),
    ],
)
def test_one_difference_is_spoken_of_in_the_singular(undecided, more, said):
    """With one task in common there is one difference, and the sentence says so."""
    view = standing("a", "b", differences=1, undecided=undecided, more=more)
    assert measure_story(view).en.endswith(said)
