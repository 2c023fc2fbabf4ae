"""The logistic model: known answers from statsmodels and by hand, separation, factors."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.logistic import _climb, _likelihood, factor_effects, fit_logistic


def drawn(n=400, seed=0):
    """A design with an intercept and two numbers, and outcomes that depend on the first."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    rates = 1 / (1 + np.exp(-(0.3 + 1.2 * design[:, 1])))
    return design, (rng.random(n) < rates).astype(float)


def test_without_penalty_it_equals_statsmodels():
    """Coefficients, standard errors and likelihood are those of statsmodels' Logit."""
    api = pytest.importorskip("statsmodels.api")
    design, outcomes = drawn()
    theirs = api.Logit(outcomes, design).fit(disp=0)
    ours = fit_logistic(design, outcomes, firth=False)
    assert ours.converged
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-6)
    assert ours.stderr == pytest.approx(theirs.bse, abs=1e-6)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-8)


@pytest.mark.parametrize("counts", [(7, 3, 2, 8), (10, 0, 4, 6), (5, 0, 0, 5)])
def test_firth_of_a_table_adds_a_half_to_each_cell(counts):
    """Of a saturated 2x2 table Firth's estimate is the log odds of counts plus 1/2."""
    a, b, c, d = counts
    outcomes = np.repeat([1, 0, 1, 0], counts)
    group = np.repeat([0, 0, 1, 1], counts)
    fit = fit_logistic(np.column_stack([np.ones(len(group)), group]), outcomes)
    base = np.log((a + 0.5) / (b + 0.5))
    assert fit.coefficients == pytest.approx([base, np.log((c + 0.5) / (d + 0.5)) - base], abs=1e-5)


def test_firth_is_finite_under_separation():
    """Where a factor separates right from wrong the estimate stays finite; without it does not."""
    x = np.arange(20.0)
    design = np.column_stack([np.ones(20), x - 9.5])
    fit = fit_logistic(design, x > 9)
    assert fit.converged
    assert 0 < fit.coefficients[1] < 3
    assert not fit_logistic(design, x > 9, firth=False).converged


def test_columns_can_be_held_at_zero():
    """A column that is not free has coefficient and error 0 and lowers the likelihood."""
    design, outcomes = drawn()
    part = fit_logistic(design, outcomes, free=[True, False, True])
    assert (part.coefficients[1], part.stderr[1]) == (0, 0)
    assert part.log_likelihood < fit_logistic(design, outcomes).log_likelihood
    held = fit_logistic(design, outcomes, free=[False] * 3)
    assert held.converged
    assert not held.coefficients.any()


def test_a_step_too_far_is_halved():
    """A step that overshoots is taken in part; one that leads downhill is not taken."""
    design, outcomes = drawn(60)
    best = fit_logistic(design, outcomes).coefficients
    zero = np.zeros(3)
    value = _likelihood(design, outcomes, zero, firth=True)
    far, better = _climb(design, outcomes, zero, 6 * best, value, firth=True)
    assert better > value
    assert np.abs(far).max() < np.abs(6 * best).max()
    stayed, same = _climb(design, outcomes, zero, -best, value, firth=True)
    assert (stayed.tolist(), same) == ([0, 0, 0], value)


@pytest.mark.parametrize(
    ("design", "outcomes", "said"),
    [
        ([[1, 2], [1, 3]], [0, 1, 1], "n x p"),
        ([1, 2], [0, 1], "n x p"),
        ([[1], [1]], [0, 2], "0 or 1"),
        ([[1, 2], [1, 2], [1, 2]], [0, 1, 1], "collinear"),
    ],
)
def test_what_cannot_be_fitted_is_refused(design, outcomes, said):
    """Shapes that do not fit, other outcomes and collinear columns are named."""
    with pytest.raises(ValueError, match=said):
        fit_logistic(design, outcomes)


# ---- factors ----------------------------------------------------------------------------------


def carries_matter(n=1500, seed=3):
    """Digits and carries grow together; only the carries cost anything."""
    rng = np.random.default_rng(seed)
    digits = rng.integers(1, 9, n)
    carries = rng.binomial(digits, 0.5)
    form = rng.choice(["digits", "words"], n)
    rates = 1 / (1 + np.exp(-(3 - 1.0 * carries - 0.8 * (form == "words"))))
    factors = {"digits": digits.tolist(), "carries": carries.tolist(), "form": form.tolist()}
    return factors, (rng.random(n) < rates).astype(int)


def test_the_factor_that_matters_comes_first():
    """Carries are told from digits though the two are correlated, and a text is a factor too."""
    factors, outcomes = carries_matter()
    effects = {effect.name: effect for effect in factor_effects(factors, outcomes)}
    assert next(iter(effects)) == "carries"
    assert effects["carries"].p_value < 1e-20
    assert effects["digits"].p_value > 0.01
    assert effects["form"].odds["words"][0] == pytest.approx(-0.8, abs=0.35)
    value, low, high = effects["carries"].odds["per sd"]
    assert low < value < high < 0
    assert effects["carries"].share > 0.3 > effects["digits"].share


def test_a_factor_that_never_varies_is_left_out():
    """Constant numbers and texts have no effect to measure."""
    factors, outcomes = carries_matter(200)
    constant = {"base": [10] * 200, "language": ["en"] * 200}
    names = {effect.name for effect in factor_effects(factors | constant, outcomes)}
    assert names == {"digits", "carries", "form"}
    assert factor_effects(constant, outcomes) == []


def test_false_alarms_come_at_their_rate():
    """A factor without effect has p below 0.1 in about a tenth of 200 data sets."""
    rng = np.random.default_rng(8)
    found = [
        factor_effects({"x": rng.normal(size=80).tolist()}, rng.integers(0, 2, 80))[0].p_value
        for _ in range(200)
    ]
    assert 0.04 < np.mean(np.less(found, 0.1)) < 0.17


def test_a_label_is_no_factor():
    """A text with more values than can be a factor is refused by name."""
    with pytest.raises(ValueError, match="factor 'id' has 60 values; at most 50"):
        factor_effects({"id": [f"s{i}" for i in range(60)]}, [0, 1] * 30)
