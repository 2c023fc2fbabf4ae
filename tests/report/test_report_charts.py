"""Charts: drawn in classes, told in words of both languages, with names that never touch."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_board import cell

from harness.report.calibration_view import bins, reliability_chart
from harness.report.charts import (
    DASHES,
    HEIGHT,
    Series,
    colour,
    dash,
    lines,
    own_name,
    series_key,
    shape,
    spaced,
    themed,
)
from harness.report.marks import dumbbell, share_bar
from harness.report.say import Said
from harness.report.scatter import (
    SPOTS,
    WIDTH,
    Axis,
    Dot,
    _box,
    cost_chart,
    efficient,
    placed,
    scaled,
    scatter,
    size_chart,
    stairs,
)

TITLE = Said("tokens", "词元")
TWO = {"p/a": 0, "p/b": 1}


def points_of(drawn: str) -> list[str]:
    """Return the texts of a chart that both languages share."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_labels_at_line_ends_never_touch(values):
    """Names beside a chart keep their order and their distance, and stay on the axis."""
    out = spaced(values, 0.0, 1.0)
    assert all(b - a >= 0.0799 for a, b in pairwise(sorted(out)))
    assert min(out) >= -0.001
    assert max(out) <= 1.001
    ranks = sorted(range(len(values)), key=lambda i: values[i])
    assert all(out[a] < out[b] for a, b in pairwise(ranks))


def test_series_are_told_apart_without_colour():
    """Of 24 series no two share colour, shape and dash; the first six have six shapes."""
    looks = [(colour(i), shape(i), tuple(dash(i))) for i in range(24)]
    assert len(set(looks)) == 24
    assert len({shape(i) for i in range(6)}) == 6
    assert {tuple(dash(i)) for i in range(24)} == {tuple(one) for one in DASHES}
    keys = [series_key(i) for i in range(24)]
    assert len(set(keys)) == 24


def test_lines_say_in_words_what_they_show():
    """A chart is an image with its numbers as text in both languages, in classes for colours."""
    series = [
        Series("p/<a>", [(1.0, cell(value=0.9)), (2.0, cell(value=0.5)), (3.0, cell(value=0.1))])
    ]
    drawn = lines("digits", series, {"p/<a>": 0})
    told = "p/&lt;a&gt;: 1: 0.90, 2: 0.50, 3: 0.10"
    assert f'aria-label="exact match by digits. {told}"' in drawn
    assert f'data-label-en="exact match by digits. {told}"' in drawn
    assert f'data-label-zh="按位数看精确匹配。{told}"' in drawn
    assert "#a0" not in drawn
    assert "<a>" not in drawn
    assert 'class="k-s0"' in drawn
    for title in ("digits", "位数", "exact match", "精确匹配"):
        assert title in points_of(drawn)
    assert lines("digits", [], TWO) == ""


def test_many_lines_have_no_bands_and_no_names():
    """Beyond four series bands and names would hide the lines: the keys in the table serve."""
    points = [(float(x), cell(value=0.5)) for x in range(3)]
    models = [f"p/m{i}" for i in range(5)]
    drawn = lines("digits", [Series(one, points) for one in models], dict.fromkeys(models, 0))
    assert "m0" not in points_of(drawn)
    few = lines("digits", [Series(one, points) for one in models[:4]], dict.fromkeys(models, 0))
    assert "m0" in points_of(few)


def test_charts_fit_a_phone():
    """Every chart is at most 358 pixels wide: a phone of 390 less its margins."""
    models = [f"p/a-model-of-long-name-{i}" for i in range(4)]
    palette = {model: i for i, model in enumerate(models)}
    points = [(float(x), cell(value=x / 3)) for x in range(4)]
    dots = [
        Dot(model, 10.0 ** (i + 3), i / 4, i / 4, i / 4 + 0.1) for i, model in enumerate(models)
    ]
    charts = [
        lines("digits", [Series(one, points) for one in models], palette),
        scatter(dots, scaled(TITLE, [dot.x for dot in dots]), TITLE, palette),
        reliability_chart("p/a", [(0.5, 1.0), (0.9, 0.0)], 0),
    ]
    widths = [float(re.search(r'width="([\d.]+)"', drawn)[1]) for drawn in charts]
    assert max(widths) <= 358
    assert widths[2] <= 176  # two side by side


def test_a_name_is_cut_to_its_end():
    """The provider is left out, and a long name ends in an ellipsis."""
    assert own_name("hf/Qwen/Qwen2.5-7B") == "Qwen2.5-7B"
    assert own_name("p/" + "x" * 30) == "x" * 13 + "…"


# ---- calibration --------------------------------------------------------------------------------


def test_reliability_by_hand():
    """Two answers at .9, one right: confidence .9, accuracy ½, band .9 - 1.96·√(.09/2) to 1."""
    (one,) = bins([(0.9, 1.0), (0.9, 0.0), (0.5, 0.5), (1.5, 1.0)])
    assert one["confidence"] == pytest.approx(0.9)
    assert one["accuracy"] == pytest.approx(0.5)
    assert one["n"] == 2
    assert one["low"] == pytest.approx(0.9 - 1.96 * (0.09 / 2) ** 0.5)
    assert one["high"] == 1.0


def test_reliability_is_told_in_both_languages():
    """Each bin is a sentence; where there is nothing to bin there is no chart."""
    drawn = reliability_chart("p/a", [(0.9, 1.0), (0.2, 0.0)], 3)
    assert "Confidence 0.90: 1.00 right, n 1." in drawn
    assert "置信度 0.90：正确 1.00，n 1。" in drawn
    assert reliability_chart("p/a", [(0.5, 0.25)], 0) == ""
    assert reliability_chart("p/a", [], 0) == ""


# ---- scatter ------------------------------------------------------------------------------------


@given(
    st.lists(st.fixed_dictionaries({"x": st.integers(0, 9), "score": st.integers(0, 9)})),
    st.booleans(),
)
def test_nothing_beats_the_efficient(points, better):
    """No point is at most as dear and better than one on the frontier, whichever way is better."""
    sign = 1 if better else -1
    for kept in efficient(points, better=better):
        beating = [
            p for p in points if p["x"] <= kept["x"] and sign * p["score"] > sign * kept["score"]
        ]
        assert beating == []


def test_a_scatter_needs_two_models():
    """One point compares nothing, nor do models that cost the same."""
    point = {"model": "p/a", "cost": 1.0, "score": 0.5}
    assert cost_chart([point], TITLE, TWO) == ""
    assert cost_chart([], TITLE, TWO) == ""
    assert cost_chart([point, {**point, "model": "p/b"}], TITLE, TWO) == ""
    drawn = cost_chart([point, {**point, "model": "p/b", "cost": 2.0}], TITLE, TWO)
    assert ">tokens</text>" in drawn
    assert ">词元</text>" in drawn
    assert "Efficient frontier: p/a." in drawn
    assert "有效前沿：p/a。" in drawn


spots = st.tuples(st.floats(5, WIDTH - 5), st.floats(5, HEIGHT - 5))


@given(st.lists(spots, min_size=1, max_size=12), st.integers(1, 20))
def test_names_beside_points_never_collide(points, length):
    """No name covers another name, another point or a line, and none leaves the plot."""
    names = ["n" * length] * len(points)
    barred = stairs(sorted(points)[:2])
    found = placed(points, names, barred)
    boxes = [
        _box(spot, x, y, 6.8 * length)
        for spot, (x, y) in zip(found, points, strict=True)
        if spot is not None
    ]
    for a, b in [*combinations(boxes, 2), *((box, bar) for box in boxes for bar in barred)]:
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert all(box[0] >= 0 and box[2] <= WIDTH and 0 <= box[1] < box[3] <= HEIGHT for box in boxes)


def test_a_lone_point_is_named_to_its_right():
    """The first spot is taken where nothing is in its way; without room there is no name."""
    assert placed([(50.0, 50.0)], ["a"]) == ["right"]
    assert placed([(50.0, 50.0)], ["n" * 99]) == [None]
    assert next(iter(SPOTS)) == "right"


def test_wide_ranges_get_a_logarithmic_axis():
    """A ratio above 8 is drawn in decades, with three marks at least; nothing is lost at 0."""
    assert scaled(TITLE, [1.0, 9.0]).log
    assert not scaled(TITLE, [1.0, 7.0]).log
    assert not scaled(TITLE, [0.0, 7.0]).log
    axis = scaled(TITLE, [59e3, 1.5e6])
    assert axis.ticks == pytest.approx([1e5, 3e5, 1e6])
    assert axis.at(axis.low) == pytest.approx(0)
    assert axis.at(axis.high) == pytest.approx(1)
    assert Axis(TITLE).ticks is None
    assert scaled(TITLE, [5.0], log=True).low < 5.0


def test_a_sudden_rise_is_drawn_and_told():
    """Three small models at nothing and a large one far above: the continuation is drawn."""
    dots = [Dot(f"p/m{place}", 10.0**place, 0.0, 0.0, 0.04) for place in (3, 4, 5)] + [
        Dot("p/big", 1e6, 0.8, 0.7, 0.9)
    ]
    palette = {dot.model: i for i, dot in enumerate(dots)}
    drawn, found = size_chart(dots, TITLE, TITLE, palette, better=True)
    assert [dot.model for dot, _ in found] == ["p/big"]
    even, nothing = size_chart(dots[:3], TITLE, TITLE, palette, better=True)
    assert nothing == []
    assert drawn.count("stroke-dasharray") > even.count("stroke-dasharray")
    assert size_chart(dots, TITLE, TITLE, palette, better=False)[1] == []
    assert size_chart(dots[:1], TITLE, TITLE, palette, better=True) == ("", [])


# ---- small marks --------------------------------------------------------------------------------


def test_a_dumbbell_shows_its_interval():
    """From ½ to ¼: ring at 100, dot at 50, the interval of the dot from 40 to 60, cut at 0."""
    drawn = dumbbell(0.5, 0.25, (0.2, 0.3))
    assert 'cx="100"' in drawn
    assert 'cx="50"' in drawn
    assert "M40 8H60" in drawn
    assert "M0 8H20" in dumbbell(0.1, 0.05, (-0.1, 0.1))
    assert "wl" not in dumbbell(0.5, 0.25)


def test_a_share_has_its_interval_and_the_tick_of_chance():
    """A bar to the share, a line over its interval, a tick where a guesser would be."""
    drawn = share_bar(0.25, (0.2, 0.3), 0.1)
    assert 'width="25"' in drawn
    assert "M20 7H30" in drawn
    assert 'class="sx" d="M10 0V14"' in drawn
    assert "sx" not in share_bar(0.25, (0.2, 0.3), None)


def test_theming_joins_classes():
    """Fill and stroke of one element become two classes of one attribute."""
    svg = '<svg class="marks" width="9"><path fill="#a00000" stroke="#a00001" role="x"/></svg>'
    assert '<path class="f-s0 k-s1"/>' in themed(svg, "w")
    assert 'aria-label="w"' in themed(svg, "w")
    assert "data-label" not in themed(svg, "w")
