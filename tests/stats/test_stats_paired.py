"""Paired comparison: Tango's interval, McNemar, sign flips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from harness.stats.intervals import EMPTY, UNIT, cluster_t, normal_quantile, t_interval
from harness.stats.paired import (
    Discordance,
    discordance,
    mcnemar,
    paired_difference,
    sign_flip,
    tango,
)

tables = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60)).map(
    lambda t: Discordance(t[0], t[1], t[0] + t[1] + t[2])
)


def score_statistic(counts, effect):
    """Tango's z at an effect, with the likelihood maximised numerically."""
    wins, losses, n = counts

    def minus_log_likelihood(q):
        cells = ((wins, q + effect), (losses, q), (n - wins - losses, 1 - 2 * q - effect))
        return -sum(count * np.log(max(chance, 1e-300)) for count, chance in cells if count)

    best = optimize.minimize_scalar(
        minus_log_likelihood,
        bounds=(max(0, -effect), (1 - effect) / 2),
        method="bounded",
        options={"xatol": 1e-12},
    )
    spread = n * (2 * best.x + effect - effect**2)
    return (wins - losses - n * effect) / np.sqrt(spread)


@pytest.mark.parametrize("table", [(12, 2, 44), (5, 0, 40), (0, 7, 20), (20, 18, 100), (1, 1, 9)])
def test_tango_inverts_the_score_test(table):
    """At both ends the score statistic, found by numerical maximisation, is ±1.96."""
    found = tango(Discordance(*table))
    z = normal_quantile(0.95)
    assert score_statistic(Discordance(*table), found.low) == pytest.approx(z, abs=1e-3)
    assert score_statistic(Discordance(*table), found.high) == pytest.approx(-z, abs=1e-3)


@settings(deadline=None)
@given(tables)
def test_tango_holds_the_value_and_is_antisymmetric(counts):
    """-1 ≤ low ≤ value ≤ high ≤ 1, and exchanging the systems mirrors the interval."""
    found, mirrored = tango(counts), tango(counts._replace(wins=counts.losses, losses=counts.wins))
    if counts.n == 0:
        assert found == EMPTY
        return
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    assert found.low == pytest.approx(-mirrored.high, abs=1e-9)


def test_tango_without_discordance_has_width():
    """No discordant pair in n gives ±z²/(n+z²); wins alone give (n-z²)/(n+z²) … 1."""
    z2 = normal_quantile(0.95) ** 2
    assert tango(Discordance(0, 0, 50))[2:4] == pytest.approx((-z2 / (50 + z2), z2 / (50 + z2)))
    assert tango(Discordance(50, 0, 50))[2:4] == pytest.approx(((50 - z2) / (50 + z2), 1))
    assert tango(Discordance(0, 50, 50))[2:4] == pytest.approx((-1, -(50 - z2) / (50 + z2)))
    assert tango(Discordance(1, 0, 1)).stderr is None
    almost = tango(Discordance(49, 0, 50))
    assert almost.low < (50 - z2) / (50 + z2) < 1


def test_tango_coverage():
    """Over 400 pairs of runs of 50 items Tango covers within 4 binomial errors of 95%."""
    rng = np.random.default_rng(5)
    counts = rng.multinomial(50, [0.15, 0.05, 0.8], size=400)
    held = [
        found.low <= 0.1 <= found.high
        for found in (tango(Discordance(int(w), int(x), 50)) for w, x, _ in counts)
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 400))


def test_paired_difference_picks_the_method():
    """0/1 pairs get Tango, clustered ones cluster-t, other scores t."""
    a, b = np.array([1, 1, 0, 1, 0, 1]), np.array([1, 0, 0, 0, 1, 1])
    labels = [0, 0, 1, 1, 2, 2]
    assert paired_difference(a, b) == tango(Discordance(2, 1, 6))
    assert paired_difference(a, b, clusters=labels).method == "cluster-t"
    assert paired_difference(a / 2, b) == t_interval(a / 2 - b)
    assert paired_difference(a * 9, b, clusters=labels) == cluster_t(a * 9 - b, labels)


def test_bounds_cut_and_fill_the_interval():
    """A known range cuts what lies beyond it and gives ends where all differences are equal."""
    wild = paired_difference([1, 0.1, 1], [0, 0, 0.5], bounds=UNIT)
    assert wild.high == 1
    equal = paired_difference([0.5, 0.5], [0.25, 0.25], bounds=UNIT)
    assert -1 < equal.low < 0.25 < equal.high < 1
    assert paired_difference([0.5, 0.5], [0.25, 0.25])[2:4] == (None, None)
    assert paired_difference([], [], bounds=UNIT) == EMPTY
    one = paired_difference([1, 0], [1, 0], clusters=["x", "x"])
    assert one[2:4] == (-1, 1)


def test_pairing_helps_when_scores_agree():
    """Correlated systems have a narrower paired interval than two separate ones."""
    rng = np.random.default_rng(0)
    shared = rng.random(200)
    a, b = shared + rng.normal(0, 0.1, 200), shared
    separate = np.hypot(t_interval(a).stderr, t_interval(b).stderr)
    assert paired_difference(a, b).stderr < separate / 2


def test_discordance_counts():
    """Wins and losses are counted from the first system's side; fractions raise ValueError."""
    assert discordance([1, 1, 0, 0], [1, 0, 1, 0]) == (1, 1, 4)
    with pytest.raises(ValueError, match="values 0 and 1 only"):
        discordance([0.5], [1])
    with pytest.raises(ValueError, match="aligned, got 2 and 1 values"):
        discordance([0, 1], [1])


@settings(deadline=None)
@given(tables)
def test_mcnemar_equals_statsmodels(counts):
    """The exact p is statsmodels', and mid-p is never larger."""
    tables_module = pytest.importorskip("statsmodels.stats.contingency_tables")
    table = [[0, counts.wins], [counts.losses, counts.n - counts.wins - counts.losses]]
    p = mcnemar(counts)
    if counts.wins + counts.losses:
        assert p == pytest.approx(float(tables_module.mcnemar(table, exact=True).pvalue))
    assert 0 < mcnemar(counts, mid=True) <= p <= 1


def test_mcnemar_by_hand():
    """One loss, five wins: p = 2(1+6)/64; mid-p takes off P(1) = 6/64."""
    counts = Discordance(5, 1, 20)
    assert mcnemar(counts) == pytest.approx(14 / 64)
    assert mcnemar(counts, mid=True) == pytest.approx(8 / 64)
    assert mcnemar(Discordance(0, 0, 9)) == mcnemar(Discordance(0, 0, 9), mid=True) == 1
    assert mcnemar(Discordance(1, 1, 9), mid=True) == pytest.approx(0.5)


def test_sign_flip_is_exact_for_few_items():
    """Four equal wins reach the largest of 16 sums once on each side: p = 2/16."""
    rng = np.random.default_rng(0)
    assert sign_flip([1, 1, 1, 1], rng) == pytest.approx(2 / 16)
    assert sign_flip([1, 1, 1, 1, 0, 0], rng, alternative="greater") == pytest.approx(1 / 16)
    assert sign_flip([1, 1, 1, 1], rng, alternative="less") == 1


def test_sign_flip_of_0_and_1_is_mcnemar():
    """On 0/1 scores the exact sign-flip test is the exact McNemar test."""
    rng = np.random.default_rng(0)
    differences = [1] * 8 + [-1] * 3 + [0] * 30
    assert sign_flip(differences, rng) == pytest.approx(mcnemar(Discordance(8, 3, 41)))


def test_sign_flip_approximates_the_t_test():
    """With 200 normal differences p is the t test's to within a point."""
    values = np.random.default_rng(1).normal(0.12, 1, 200)
    p = sign_flip(values, np.random.default_rng(0))
    assert p == pytest.approx(float(stats.ttest_1samp(values, 0).pvalue), abs=0.01)
    assert p == sign_flip(values, np.random.default_rng(0))


def test_sign_flip_never_reports_zero():
    """The smallest p is 2/(1+R): the observed arrangement counts itself."""
    rng = np.random.default_rng(0)
    assert sign_flip(np.ones(60), rng, n_resamples=99) == pytest.approx(2 / 100)


def test_sign_flip_flips_whole_clusters():
    """Eight equal rows in two clusters are two units, so p = 2/4."""
    rng = np.random.default_rng(0)
    assert sign_flip([1] * 8, rng, clusters=[0, 1] * 4) == pytest.approx(2 / 4)


def test_sign_flip_of_nothing():
    """No difference gives p = 1; a single one cannot be significant."""
    rng = np.random.default_rng(0)
    assert sign_flip([], rng) == sign_flip([0, 0], rng) == 1
    assert sign_flip([2, 0], rng) == 1
    assert sign_flip([2], rng, alternative="greater") == 0.5
    assert sign_flip([-2], rng, alternative="less") == 0.5
    assert sign_flip([2], rng, alternative="less") == 1
