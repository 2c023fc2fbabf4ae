"""Bradley-Terry and Davidson: known answers, separation, clusters, covariates, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.bradley_terry import Games, fit

PAIRS = [(0, 1)] * 7 + [(1, 0)] * 3 + [(0, 2)] * 8 + [(2, 0)] * 2 + [(1, 2)] * 6 + [(2, 1)] * 4


def games(pairs, **more):
    return Games([a for a, _ in pairs], [b for _, b in pairs], [1.0] * len(pairs), **more)


def drawn(theta, n, nu, seed, gamma=0.0):
    """Draw n games between players of strength theta with ties of weight nu."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(theta), n)
    second = (first + rng.integers(1, len(theta), n)) % len(theta)
    z = rng.normal(size=n)
    half = (theta[first] - theta[second] + gamma * z) / 2
    win, lose = np.exp(half), np.exp(-half)
    total = win + lose + nu
    u = rng.random(n)
    outcome = np.where(u < win / total, 1.0, np.where(u < (win + lose) / total, 0.0, 0.5))
    return first, second, outcome, z


def test_strengths_equal_choix_and_evalica():
    """Thirty games of three players: choix 0.4.1 and evalica 0.4.2 give these to six digits."""
    found = fit(games(PAIRS), 3)
    assert found.theta == pytest.approx([0.74057, -0.14910, -0.59147], abs=5e-4)
    assert found.tie == 0
    assert found.connected


def test_strengths_and_clustered_errors_equal_statsmodels():
    """Without ties it is a logistic regression: same coefficients, same cluster-robust errors."""
    sm = pytest.importorskip("statsmodels.api")
    first, second, _, _ = drawn(np.array([0.5, 0.0, -0.5]), 400, 0.0, 1)
    outcome = drawn(np.array([0.5, 0.0, -0.5]), 400, 1e-12, 1)[2]
    clusters = np.arange(400) // 4
    found = fit(Games(first, second, outcome, clusters=clusters), 3)
    design = np.zeros((400, 2))
    for k in (1, 2):
        design[:, k - 1] = (first == k).astype(float) - (second == k)
    theirs = sm.Logit(outcome, design).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    few = (100 / 99) ** 0.5
    contrast = np.array([[-1, 1, 0], [-1, 0, 1]])
    ours = np.sqrt(np.diag(contrast @ found.covariance @ contrast.T))
    assert found.theta[1:] - found.theta[0] == pytest.approx(theirs.params, abs=1e-3)
    assert ours == pytest.approx(theirs.bse * few, rel=1e-2)


def test_davidson_is_the_maximum_of_its_likelihood():
    """A general optimiser finds no better strengths and ties."""
    from scipy.optimize import minimize

    first, second, outcome, _ = drawn(np.array([0.8, 0.0, -0.8]), 600, 0.9, 2)

    def loss(beta):
        theta = np.array([beta[0], beta[1], -beta[0] - beta[1]])
        half = (theta[first] - theta[second]) / 2
        win, lose, tie = np.exp(half), np.exp(-half), np.exp(beta[2])
        chance = np.where(outcome == 1, win, np.where(outcome == 0, lose, tie))
        return -np.log(chance / (win + lose + tie)).sum()

    best = minimize(loss, np.zeros(3), tol=1e-10).x
    found = fit(Games(first, second, outcome), 3)
    assert found.theta[:2] == pytest.approx(best[:2], abs=1e-3)
    assert np.log(found.tie) == pytest.approx(best[2], abs=1e-3)


def test_a_player_that_won_all_has_a_finite_strength():
    """Separation: the prior keeps the strength finite, and the order right."""
    found = fit(games([(0, 1)] * 5 + [(1, 2)] * 5), 3)
    assert np.isfinite(found.theta).all()
    assert found.theta[0] > found.theta[1] > found.theta[2]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_who_won_everything_is_ahead_by_the_odds_of_half_a_loss_more(count):
    """Two players, n wins of n: the odds are (n + ½) to ½, and that is told as separated."""
    found = fit(games([(0, 1)] * count, clusters=list(range(count))), 2)
    assert found.separated
    assert found.theta[0] - found.theta[1] == pytest.approx(np.log(2 * count + 1), abs=0.05)
    low, high = found.intervals()
    assert low[0] < found.theta[0] < high[0]
    assert high[0] - low[0] > 1


def test_ties_alone_leave_everybody_level():
    """A judge that goes by slot gives nothing but ties: no crash, and no difference."""
    found = fit(Games([0, 1] * 20, [1, 0] * 20, [0.5] * 40, clusters=list(range(40))), 2)
    assert found.theta == pytest.approx([0, 0], abs=1e-6)
    assert found.separated
    assert found.tie > 10
    assert not fit(games(PAIRS), 3).separated


def test_players_who_never_met_are_told():
    """Two islands of players cannot be ranked against each other."""
    assert not fit(games([(0, 1), (1, 0), (2, 3), (3, 2)]), 4).connected


def test_copies_of_rows_in_one_cluster_add_no_certainty():
    """Both orders of a prompt, clustered, leave the errors as they were; as rows they shrink."""
    first, second, outcome, _ = drawn(np.array([0.4, 0.0, -0.4]), 300, 0.5, 3)
    alone = fit(Games(first, second, outcome), 3)
    twice = [np.concatenate([part, part]) for part in (first, second, outcome)]
    half = np.full(600, 0.5)
    prompts = np.concatenate([np.arange(300), np.arange(300)])
    copied = fit(Games(*twice, weight=half, clusters=prompts), 3)
    naive = fit(Games(*twice), 3)
    assert copied.stderr == pytest.approx(alone.stderr, rel=1e-6)
    assert naive.stderr[0] < 0.75 * alone.stderr[0]


def test_a_covariate_takes_its_share():
    """A judge that likes length: without control the longer player wins, with it both are equal."""
    rng = np.random.default_rng(4)
    first = np.tile([0, 1], 500)
    second = 1 - first
    longer = np.where(first == 0, 1.0, -1.0) + rng.normal(0, 1, 1000)
    outcome = (rng.random(1000) < 1 / (1 + np.exp(-longer))).astype(float)
    raw = fit(Games(first, second, outcome), 2)
    held = fit(Games(first, second, outcome, covariates=longer[:, None]), 2)
    low, high = held.intervals()
    assert raw.theta[0] > 0.3
    assert low[0] < 0 < high[0]
    assert held.gamma[0] == pytest.approx(1, abs=3 * held.gamma_stderr[0])


@given(st.integers(0, 10_000))
def test_strengths_sum_to_zero_and_ignore_who_is_named_first(seed):
    """Turning every game around changes nothing."""
    first, second, outcome, _ = drawn(np.array([0.5, 0.0, -0.5]), 60, 0.5, seed)
    there = fit(Games(first, second, outcome), 3)
    back = fit(Games(second, first, 1 - outcome), 3)
    assert float(there.theta.sum()) == pytest.approx(0, abs=1e-9)
    assert there.theta == pytest.approx(back.theta, abs=1e-6)


def test_win_probabilities_of_two_players_sum_to_one():
    """Half a tie goes to either."""
    found = fit(Games([0, 0, 0, 1], [1, 1, 1, 0], [1.0, 1.0, 0.5, 1.0]), 2)
    assert found.win_probability(0, 1) + found.win_probability(1, 0) == pytest.approx(1)
    assert found.win_probability(0, 1) > 0.5


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Games([0], [1], [0.7]), "an outcome is"),
        (Games([0], [5], [1.0]), "numbered 0 to 1"),
        (Games([], [], []), "one first, second and outcome"),
        (Games([0], [1], [1.0], covariates=[[np.nan]]), "finite rows"),
    ],
)
def test_games_that_are_none_are_refused(bad, message):
    """Outcomes, player numbers and covariates are checked."""
    with pytest.raises(ValueError, match=message):
        fit(bad, 2)


def test_intervals_cover_the_truth():
    """Prompts with their own lean, four games each: 95 % intervals of θ cover at least 90 %."""
    theta, hits = np.array([0.6, 0.0, -0.6]), []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        first, second, outcome, _ = drawn(theta, 400, 0.6, seed + 500)
        prompts = rng.permutation(400) // 4
        low, high = fit(Games(first, second, outcome, clusters=prompts), 3).intervals()
        hits.append((low <= theta) & (theta <= high))
    assert np.mean(hits) > 0.9
