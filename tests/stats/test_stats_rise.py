"""A sudden rise with size: the prediction interval is scipy's, and false alarms are rare."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats.intervals import wilson
from harness.stats.rise import Point, continuations


def point(size, score, half=0.01):
    """Make a model whose interval has this half width."""
    return Point(size, score, score - half, half / 1.96)


def test_prediction_interval_by_hand():
    """Scores .1 .3 .2 at 10 100 1000: ŷ(10⁴) = .3, s² = .015, half = 12.706·√(.015·(1+1/3+2))."""
    models = [point(10, 0.1), point(100, 0.3), point(1000, 0.2), point(10_000, 0.9)]
    (found,) = continuations(models)
    assert found.place == 3
    assert found.expected == pytest.approx(0.3)
    half = stats.t.ppf(0.975, 1) * np.sqrt(0.015 * (1 + 1 / 3 + 2**2 / 2))
    assert found.high - found.expected == pytest.approx(half)
    assert found.low == pytest.approx(0.3 - half)
    assert found.start == (pytest.approx(10), pytest.approx(0.15))
    assert not found.sudden


def test_the_line_is_scipys():
    """Slope and intercept are those of scipy's linregress."""
    rng = np.random.default_rng(3)
    sizes, scores = 10 ** rng.uniform(1, 6, 7), rng.uniform(0, 1, 7)
    order = np.argsort(sizes)
    models = [point(size, score) for size, score in zip(sizes[order], scores[order], strict=True)]
    last = continuations(models)[-1]
    x = np.log10([one.size for one in models])
    line = stats.linregress(x[:-1], [one.score for one in models[:-1]])
    assert last.expected == pytest.approx(line.intercept + line.slope * x[-1])


def test_a_flat_start_and_a_jump_is_sudden():
    """Three models that cannot do it and one that can: their sampling error is the scatter."""
    ends = [wilson(0, 100), wilson(0, 100), wilson(1, 100), wilson(70, 100)]
    models = [
        Point(10.0**place, one.value, one.low, (one.high - one.low) / 3.92)
        for place, one in enumerate(ends, 1)
    ]
    (found,) = continuations(models)
    assert found.sudden
    assert found.high < 0.35


def test_three_smaller_sizes_are_needed():
    """Two sizes define a line and leave nothing to say how well it fits; equals count once."""
    assert continuations([point(10, 0.1), point(100, 0.1), point(1000, 0.9)]) == []
    equal = [point(10, 0.1), point(10, 0.2), point(100, 0.1), point(1000, 0.9)]
    assert continuations(equal) == []


def test_the_order_of_models_does_not_matter():
    """Points may come in any order; the indices follow them."""
    models = [point(10.0**k, s) for k, s in ((4, 0.9), (1, 0.1), (3, 0.1), (2, 0.1))]
    (found,) = continuations(models)
    assert (found.place, found.sudden) == (0, True)


def test_a_size_of_nothing_is_refused():
    """The logarithm of 0 is no size."""
    with pytest.raises(ValueError, match="above 0"):
        continuations([point(0, 0.1)])


def test_even_growth_seldom_looks_sudden():
    """Models that scatter about a straight line raise an alarm in fewer than 1 of 20 sets."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(600):
        count = int(rng.integers(4, 10))
        exponents = np.sort(rng.uniform(5, 10, count))
        truth = np.clip(0.1 + 0.12 * (exponents - 5) + rng.normal(0, 0.04, count), 0.01, 0.99)
        right = rng.binomial(100, truth)
        ends = [wilson(int(k), 100) for k in right]
        models = [
            Point(10**e, one.value, one.low, (one.high - one.low) / 3.92)
            for e, one in zip(exponents, ends, strict=True)
        ]
        alarms += any(found.sudden for found in continuations(models))
    assert alarms / 600 < 0.05
