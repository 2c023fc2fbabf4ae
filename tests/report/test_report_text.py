"""The report's words, numbers, marks and sentences."""

from __future__ import annotations

import re
import string
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_board import cell

import harness.report
from harness.errors import UnknownName
from harness.report.mark import Frame, arrow, link, mark
from harness.report.marks import Scale, bar, dumbbell, scale_of, tint, whisker
from harness.report.numbers import number, span
from harness.report.say import NOTHING, Said, known, say, words
from harness.report.story import board_story, ladders, listed, measure_story, several, task_story
from harness.report.visible import visible

TEMPLATES = Path(harness.report.__file__).parent / "templates"


def places_of(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(words()))
def test_both_languages_fill_the_same_places(key):
    """English and Chinese name the same values, and neither is empty."""
    said = words()[key]
    assert said.en
    assert said.zh
    assert places_of(said.en) == places_of(said.zh)


def test_every_word_that_is_used_exists():
    """Each key in templates and script is in a file of templates/words."""
    for path in TEMPLATES.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".j2":
            used = set(re.findall(r"\bt\(\"([\w.]+)\"[,)]", text))
        elif path.suffix == ".js":
            keys = set(re.findall(r"\b(?:both|word|line|action|folded)\(\"([\w.]+)\"", text))
            used = {f"js.{key}" for key in keys}
        else:
            continue
        assert used <= set(words()), path.name


OUTCOMES = {"cert.granted", "cert.refused", "cert.incomplete"}
"""What a certificate may say; its template joins the key."""


def test_every_word_is_used():
    """No key of templates/words is left over."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in (TEMPLATES, TEMPLATES.parent)
        for path in folder.iterdir()
        if path.suffix in {".j2", ".js", ".py"}
    )
    computed = (
        "group.",
        "measure.",
        "blank.",
        "show.",
        "js.status.",
        "task.",
        "unit.",
        "unit_one.",
        "why.",
        "evidence.",
        "metric.",
        "slice.",
        "family.",
        "variant.",
        "mistake.",
        "compare.verdict.",
        "compare.count.",
        "compare.show_",
        "cost.",
        "cert.a.",
        "cert.attack.",
        "cert.k.",
        "cert.m.",
        "cert.mode.",
        "cert.n.",
        "cert.pair.",
        "cert.stop.",
        "cert.state.",
        "judge.mode.",
        "judge.caution.",
        "story.run.",
        "setting.",
        "size.",
        "weights.",
        "language.",
        "how.",
    )
    left = [
        key
        for key in words()
        if not key.startswith((*computed, "filter."))
        and key not in OUTCOMES
        and f'"{key.removeprefix("js.")}"' not in text
        and f'"{key}"' not in text
    ]
    assert left == []


def test_unknown_word_is_an_error():
    """A key that is not there is named, with the nearest."""
    with pytest.raises(UnknownName, match="did you mean 'rank'"):
        say("ranc")
    assert known("nothing", "as it is") == ("as it is", "as it is")


def test_said_joins_and_escapes():
    """Two sentences join with a space in English only; hostile values are escaped."""
    both = Said("One.", "一。") + Said("Two.", "二。")
    assert both == ("One. Two.", "一。二。")
    assert NOTHING + Said("a", "b") == ("a", "b")
    assert "<b>" not in Said("<b>", "<i>").__html__()
    assert Said("x", "x").__html__() == "x"


@given(st.floats(-1e6, 1e6), st.floats(0, 10), st.floats(0, 10))
def test_numbers_read_back_close(value, below, above):
    """A written number is within half of its last decimal; there is no negative zero."""
    text = number(value, value - below, value + above).replace(",", "").replace("\u2212", "-")
    assert abs(float(text) - value) <= 0.5 + abs(value) * 1e-9
    assert not re.fullmatch(r"-0\.?0*", text)


def test_interval_below_zero_has_no_double_dash():
    """Where the lower end is negative, the two ends are parted by a word."""
    assert span({"value": 0.0, "low": -0.2, "high": 0.1}) == "\u22120.20\u20260.10"
    assert span({"value": None}) == ""


@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3))
def test_whiskers_stay_inside(value, below, above):
    """All points of a whisker lie on the scale; it is an image without words."""
    place = {"value": value, "low": value - below, "high": value + above}
    drawn = whisker(place, scale_of([place]))
    positions = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", drawn)]
    assert all(0 <= x <= 100 for x in positions)
    assert 'aria-hidden="true"' in drawn
    assert "style=" not in drawn


def test_scale_is_the_unit_where_it_fits():
    """Shares are drawn on 0…1, so that columns compare; others on their own range with 0."""
    assert scale_of([{"value": 0.4, "low": 0.3, "high": 0.5}]) == Scale(0.0, 1.0)
    assert scale_of([{"value": 40.0}]) == Scale(0.0, 40.0)
    assert scale_of([]) == Scale(0.0, 1.0)
    assert Scale(1.0, 1.0).at(1.0) == 50.0


def test_tint_is_deeper_for_better():
    """The best of a column has the deepest tint, whichever way better points."""
    assert [tint(x, 0, 1, better=True) for x in (0, 0.5, 1)] == ["t0", "t4", "t7"]
    assert [tint(x, 0, 1, better=False) for x in (0, 1)] == ["t7", "t0"]
    assert tint(1.0, 1.0, 1.0, better=True) == ""


def test_marks_of_parts_cover_the_bar():
    """The parts of a bar lie side by side over its whole width; nothing at all draws nothing."""
    drawn = bar([("pb", 1), ("po", 3)])
    assert re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"', drawn) == [("0", "25"), ("25", "75")]
    assert 'width="0"' in bar([("pb", 0)])
    assert dumbbell(0.5, 0.25).count("<circle") == 2


def test_mark_names_why_there_is_no_number():
    """Known reasons become one word each; others are not applicable; the sentence stays."""
    frame = Frame(Scale(0, 1))
    reasons = {
        "not run": "not run",
        "every request failed": "failed",
        "gives no log-likelihoods, which method rank needs": "unable",
        "something else": "n/a",
    }
    for reason, word in reasons.items():
        found = mark({"value": None, "reason": reason}, frame)
        assert found.blank.en == word
    assert found.why.en == "something else"


def test_mark_flags_what_differs_and_what_is_partial():
    """A number measured otherwise and one of a partial run carry their flags."""
    odd = mark({"value": 0.5, "differs": True}, Frame(Scale(0, 1)))
    part = mark({"value": 0.5, "reason": "partial run"}, None)
    assert odd.flags == ("differs",)
    assert part.flags == ("partial",)
    assert part.drawn == ""


def test_arrow_says_which_way_is_better():
    """Higher points up, lower down, neither has no arrow."""
    assert [arrow(way)[0] for way in (True, False, None)] == ["▲", "▼", ""]


def test_links_escape_what_names_hold():
    """A hostile task name cannot break out of its address."""
    assert link("task", task='a"><b>&view=x') == "#view=task&task=a%22%3E%3Cb%3E%26view%3Dx"


def row(model, rates, ranks):
    """Make a row of a view."""
    names = ("mean_win_rate", "mean_win_rate_low", "mean_win_rate_high", "rank_best", "rank_worst")
    return {"model": model, "mean": 0.5, **dict(zip(names, (*rates, *ranks), strict=True))}


ALONE = row("p/a", (None, None, None), (None, None))
DUEL = {"leader": "p/a", "runner_up": "p/b", "differences": 12, "undecided": 4, "more_samples": 311}


def test_headline_of_a_clear_lead():
    """A leader alone on rank 1 leads; the undecided and the samples lacking are counted."""
    rows = [row("p/a", (0.83, 0.71, 0.92), (1, 1)), row("p/b", (0.4, 0.3, 0.5), (2, 2))]
    said = board_story({"rows": rows, "duel": DUEL, "measure": "score"}, {})
    assert said.en == (
        "a leads (mean win rate 0.83, 0.71 to 0.92). 4 of 12 differences to b cannot be told from"
        " chance. About 320 more samples per task would settle half of these."
    )
    assert "领先" in said.zh


def test_headline_of_a_shared_lead():
    """Where others may be first too, the sentence says so."""
    rows = [row("p/a", (0.6, 0.4, 0.8), (1, 2)), row("p/b", (0.5, 0.3, 0.7), (1, 2))]
    decided = {**DUEL, "undecided": 0}
    view = {"rows": rows, "duel": decided, "measure": "ece"}
    assert "its lead over b cannot be told from chance" in board_story(view, {}).en
    assert "All 12 differences" in board_story(view, {}).en
    assert measure_story(view).en.startswith("By expected calibration error: a is in front")


def test_headline_where_no_plan_helps():
    """Differences that only tens of thousands of samples would settle are called too small."""
    rows = [row("p/a", (0.6, 0.4, 0.8), (1, 1)), row("p/b", (0.5, 0.3, 0.7), (2, 2))]
    view = {"rows": rows, "duel": {**DUEL, "more_samples": None}, "measure": "score"}
    assert "too small" in board_story(view, {}).en


def test_headline_of_one_model_and_of_none():
    """One model is told to be alone; nothing measured is said plainly."""
    view = {"rows": [ALONE], "duel": None, "measure": "score"}
    assert "only model" in board_story(view, {}).en
    assert measure_story(view) == NOTHING
    assert board_story(None, {}).en == "No number could be measured."


def played(model, value, ranks):
    """Make a row of a model known by its games alone."""
    best, worst = ranks
    strength = {"value": value, "rank_best": best, "rank_worst": worst}
    return {**row(model, (None, None, None), (None, None)), "mean": None, "strength": strength}


def test_headline_of_games_alone():
    """Where models only met in pairs, the sentence says who wins and from whom that is no lead."""
    clear = [played("p/b", -0.5, (2, 2)), played("p/a", 0.5, (1, 1))]
    view = {"rows": clear, "duel": None, "measure": "score"}
    assert board_story(view, {}).en.startswith("a wins most often of 2 models")
    close = [played("p/a", 0.1, (1, 2)), played("p/b", -0.1, (1, 2)), played("p/c", -2, (3, 3))]
    said = board_story({**view, "rows": close}, {}).en
    assert "its lead over b cannot be told from chance" in said


def test_a_long_list_of_names_is_cut():
    """A sentence names a few models and counts the others."""
    assert several(list("abcd")).en == "a, b, c and d"
    assert several(list("abcdefgh")).en == "a, b, c and 5 others"


def ladder(*values):
    """Make cells of rising digits."""
    return [
        cell("arithmetic/addition", value, slice=f"digits={place}")
        for place, value in enumerate(values, 1)
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((1, 0.95, 0.5, 0.05), "Its addition holds to 2 digits and is gone at 4."),
        ((1, 0.95, 0.97), "Its addition holds to 3 digits."),
        ((1, 0.3, 0.05), "Its addition holds to 1 digit and is gone at 3."),
        ((1, 0.95, 0.9), "Its addition holds to 2 digits."),
        ((1, 0.9, 0.96), "Its addition holds to 3 digits. (At 2 digits that is not certain.)"),
        ((0.2, 0.1, 0.0), ""),
    ],
)
def test_headline_names_the_frontier(values, said):
    """Where the leader's skill stops is named in the unit of the slice."""
    rows = [ALONE]
    story = board_story({"rows": rows, "duel": None, "measure": "score"}, {"p/a": ladder(*values)})
    assert said in story.en
    assert ("holds" in story.en) == bool(said)


def test_headline_says_where_there_are_too_few_samples():
    """Below 35 samples a level even a perfect score does not show that a skill holds."""
    few = [msgspec.structs.replace(one, n=34) for one in ladder(0.8, 0.8, 0.8)]
    story = board_story({"rows": [ALONE], "duel": None, "measure": "score"}, {"p/a": few})
    assert "the 35 samples" in story.en
    enough = [*few[:2], msgspec.structs.replace(few[2], n=35)]
    story = board_story({"rows": [ALONE], "duel": None, "measure": "score"}, {"p/a": enough})
    assert "35 samples" not in story.en


def test_ladders_need_three_numbers():
    """Two steps are no ladder, words are no steps, crossed slices are left out."""
    cells = [*ladder(1, 0.5), cell(slice="kind=x"), cell(slice="carries=1&digits=1")]
    assert ladders(cells) == {}


def test_task_sentence():
    """The best model, its interval, its ties and the guesser's score are said."""
    best = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 1200, "best": True}
    tied = {"value": 0.65, "low": 0.5, "high": 0.75, "n": 1200, "best": True}
    said = task_story([("p/a", best), ("p/b", tied), ("p/c", {"value": None})], 0.5).en
    assert said == (
        "a scores highest: 0.70 (0.60 to 0.80, n = 1,200). b cannot be told from it."
        " Guessing scores 0.50."
    )
    assert task_story([("p/a", {"value": None})], None).en == "No number could be measured."
    assert listed(["a"]) == ("a", "a")


@given(st.text())
def test_visible_text_is_escaped_and_whole(text):
    """No markup of the text survives, and no character is lost."""
    shown = visible(text)
    bare = re.sub(r'<i class="ctl">U\+([0-9A-F]+)</i>', lambda m: chr(int(m[1], 16)), str(shown))
    rest = bare.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"')
    assert rest.replace("&#39;", "'").replace("&amp;", "&") == text
