"""Paired tests and verdicts, against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_scores import flipped, run_of
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from harness.gate.align import align
from harness.gate.policy import DEFAULT, Policy, TaskRule
from harness.gate.verdicts import OneSided, Planning, decide, judge, one_sided
from harness.stats.intervals import Interval
from harness.stats.paired import Discordance, tango
from harness.stats.power import Error, mcnemar_detectable_effect, mcnemar_samples_needed


def pairs_of(before, now, **more):
    """Return the aligned scores of one task."""
    (found,) = align(run_of({"t": now}, **more), run_of({"t": before}, **more), DEFAULT).pairs
    return found


def verdict_of(before, now, policy=DEFAULT, **more):
    """Return the verdict on one task."""
    return judge([pairs_of(before, now, **more)], policy)[0]


@given(st.integers(0, 30), st.integers(0, 30))
def test_01_scores_get_the_exact_mcnemar_test(lost, gained):
    """Twice the smaller one-sided p is statsmodels' exact two-sided p."""
    before, now = flipped(80, right=40, lost=lost, gained=gained)
    found = one_sided(pairs_of(before, now))
    table = [[40 - lost, lost], [gained, 40 - gained]]
    known = mcnemar(table, exact=True).pvalue
    assert found.name == "mcnemar"
    assert min(1.0, 2 * min(found.regressed, found.improved)) == pytest.approx(known)


def test_other_scores_get_the_sign_flip_test():
    """All 2^10 flips of ten differences: scipy's permutation test, one-sided."""
    rng = np.random.default_rng(0)
    before, now = rng.random(10).tolist(), rng.random(10).tolist()
    found = one_sided(pairs_of(before, now))
    known = stats.permutation_test(
        (np.subtract(now, before),), np.sum, permutation_type="samples", vectorized=True,
        n_resamples=np.inf, alternative="less",
    )  # fmt: skip
    assert found.name == "sign-flip"
    assert found.regressed == pytest.approx(known.pvalue)


def test_clusters_are_flipped_whole():
    """Five lost twins are five observations, not ten: p is 2^-5 of the flips of clusters."""
    before, now = flipped(40, right=20, lost=10, gained=0)
    names = [f"c{i // 2}" for i in range(40)]
    found = one_sided(pairs_of(before, now, clusters={"t": names}))
    assert found.name == "sign-flip"
    assert found.regressed == pytest.approx(2**-5)
    assert one_sided(pairs_of(before, now)).regressed == pytest.approx(2**-10)


def test_very_many_differences_get_the_t_test():
    """Beyond 2,000 changed units the p is Student's, scipy's ttest_1samp."""
    rng = np.random.default_rng(1)
    before, now = rng.random(2500), rng.random(2500)
    found = one_sided(pairs_of(before.tolist(), now.tolist()))
    known = stats.ttest_1samp(now - before, 0, alternative="less").pvalue
    assert found.name == "t"
    assert found.regressed == pytest.approx(known)


def test_a_constant_shift_of_very_many_has_no_spread_to_test():
    """Student's t has nothing to say where all differences agree."""
    found = one_sided(pairs_of([0.5] * 2500, [0.25] * 2500))
    assert found == OneSided(1.0, 1.0, "cluster-t")


def test_the_family_is_corrected_by_holm():
    """Adjusted p-values are statsmodels' of the single tests."""
    tasks = {f"t{i}": flipped(100, right=60, lost=4 + 3 * i, gained=3) for i in range(4)}
    now = run_of({task: pair[1] for task, pair in tasks.items()})
    then = run_of({task: pair[0] for task, pair in tasks.items()})
    pairs = align(now, then, DEFAULT).pairs
    raw = [one_sided(item).regressed for item in pairs]
    known = multipletests(raw, method="holm")[1]
    assert [item.p_regressed for item in judge(pairs, DEFAULT)] == pytest.approx(known.tolist())


@pytest.mark.parametrize(
    ("lost", "gained", "margin", "verdict"),
    [
        (0, 12, 0.02, "improved"),
        (0, 0, 0.02, "not_worse"),
        (14, 13, 0.05, "not_worse"),
        (20, 2, 0.02, "regressed"),
        (10, 4, 0.02, "inconclusive"),
        (15, 2, 0.10, "not_worse"),  # a certain drop, certainly within the margin
    ],
)
def test_the_four_verdicts(lost, gained, margin, verdict):
    """Improved, not worse within the margin, regressed, or inconclusive."""
    before, now = flipped(400, right=300, lost=lost, gained=gained)
    found = verdict_of(before, now, Policy(margin=margin))
    assert found.verdict == verdict
    assert (found.n, found.lost, found.gained) == (400, lost, gained)
    assert found.difference == pytest.approx((gained - lost) / 400)
    assert found.low <= found.difference <= found.high
    assert (found.needed is not None) == (verdict == "inconclusive")


def test_metrics_that_should_be_low_regress_by_rising():
    """The difference is turned so that more is better; the values are shown as they are."""
    before = [1.0 + 0.01 * i for i in range(40)]
    now = [value + 0.5 + 0.001 * i for i, value in enumerate(before)]
    found = verdict_of(before, now, metric="bits_per_byte", better=False)
    assert found.verdict == "regressed"
    assert found.candidate > found.baseline
    assert found.difference == pytest.approx(found.baseline - found.candidate)


def test_equal_unbounded_scores_are_not_worse():
    """Where nothing changed, the range of the scores seen bounds the interval."""
    scores = [1.0 + 0.01 * i for i in range(400)]
    found = verdict_of(scores, scores, Policy(margin=0.1), metric="bits_per_byte", better=False)
    assert found.verdict == "not_worse"


def test_a_rule_of_one_task_holds_there_alone():
    """Margins of tasks outweigh the policy's."""
    before, now = flipped(400, right=300, lost=14, gained=13)
    policy = Policy(margin=0.02, tasks={"t": TaskRule(margin=0.05)})
    assert verdict_of(before, now, policy).verdict == "not_worse"


def test_no_interval_is_no_pass():
    """Without ends an interval shows nothing."""
    blank = Interval(0.0, None, None, None, "none")
    assert decide(blank, OneSided(1.0, 1.0, "none"), 0.02, 0.05) == "inconclusive"


@given(st.integers(20, 4000), st.floats(0.05, 0.5))
def test_detectable_loss_is_that_of_the_power_module(n, discordance):
    """For 0/1 scores the formula is mcnemar_detectable_effect, one-sided."""
    error = Error(0.05, 0.8, two_sided=False)
    known = mcnemar_detectable_effect(n, discordance, error)
    found = Planning(n, discordance, 1.0, error.factor).detectable
    if known is None:
        assert found >= discordance
    else:
        assert found == pytest.approx(known)


def test_needed_is_that_of_the_power_module_and_more_than_there_is():
    """The n that would decide comes from the nearer bound; it is never below the present n."""
    error = Error(0.05, 0.8, two_sided=False)
    plan = Planning(100, 0.1, 1.0, error.factor)
    assert plan.needed(0.0, 0.02) == mcnemar_samples_needed(0.02, 0.1, error)
    assert plan.needed(-0.03, 0.04) == mcnemar_samples_needed(0.03, 0.1, error)
    assert Planning(5000, 0.1, 1.0, error.factor).needed(0.0, 0.05) == 5001
    assert plan.needed(0.0, 0.0) is None


@pytest.mark.parametrize("lost", [0, 2])
def test_the_detectable_loss_is_seen_with_the_power_stated(lost):
    """A drop of that size, simulated, is found in about 80 % of runs."""
    n = 300
    effect = verdict_of(*flipped(n, right=200, lost=lost, gained=lost)).detectable
    spread = max(2 * lost / n, effect)
    rng = np.random.default_rng(2)
    draw = rng.random((2000, n))
    losses, gains = (draw > 1 - (spread + effect) / 2).sum(1), (draw < (spread - effect) / 2).sum(1)
    seen = (stats.binom.cdf(gains, gains + losses, 0.5) <= 0.05).mean()
    assert 0.65 <= seen <= 0.95


@pytest.mark.parametrize(
    ("discordance", "drop", "margin", "wanted"),
    [(0.1, 0.0, 0.03, "not_worse"), (0.1, 0.04, 0.02, "regressed"), (0.25, 0.0, 0.05, "not_worse")],
)
def test_the_n_that_would_decide_decides(discordance, drop, margin, wanted):
    """If the difference seen is the true one, that many pairs give the verdict in 80 % of runs.

    Exact tests and score intervals are a little stricter than the normal formula: 72 to 86 %.
    """
    error = Error(0.05, 0.8, two_sided=False)
    n = Planning(100, discordance, 1.0, error.factor).needed(-drop, margin)
    rng = np.random.default_rng(5)
    shares = [(discordance - drop) / 2, (discordance + drop) / 2, 1 - discordance]
    counts = rng.multinomial(n, shares, size=1000)[:, :2]
    known = {}
    for gained, lost in {tuple(map(int, pair)) for pair in counts}:
        p = OneSided(float(stats.binom.cdf(gained, gained + lost, 0.5)), 1.0, "mcnemar")
        found = tango(Discordance(gained, lost, n), 0.9)
        known[gained, lost] = decide(found, p, margin, 0.05)
    said = [known[tuple(map(int, pair))] for pair in counts]
    assert 0.72 <= said.count(wanted) / len(said) <= 0.86


def test_an_unchanged_model_is_rarely_called_regressed():
    """Over a family of three tasks, any false alarm comes in at most 5 % of gates."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(200):
        scores = [(rng.random(60) < 0.7).astype(float) for _ in range(6)]
        now = run_of({f"t{i}": scores[i].tolist() for i in range(3)})
        then = run_of({f"t{i}": scores[i + 3].tolist() for i in range(3)})
        found = judge(align(now, then, DEFAULT).pairs, DEFAULT)
        alarms += any(item.verdict == "regressed" for item in found)
    assert alarms / 200 <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5


@pytest.mark.parametrize("clustered", [False, True])
def test_a_subset_is_read_against_the_whole(clustered):
    """A part run on easy items: the estimate for all items is nearer the truth than the mean."""
    rng = np.random.default_rng(4)
    hard = rng.random(400) < 0.5
    before = np.where(hard, 0.0, 1.0)
    now = np.where(rng.random(400) < 0.9, before, 1 - before)
    part = np.flatnonzero(~hard)[:70].tolist() + np.flatnonzero(hard)[:30].tolist()
    ids = [f"s{i}" for i in range(400)]
    names = {"t": [f"c{i // 2}" for i in range(400)] if clustered else ids}
    whole = run_of({"t": before.tolist()}, ids={"t": ids}, clusters=names)
    subset = run_of(
        {"t": now[part].tolist()},
        ids={"t": [ids[i] for i in part]},
        clusters={"t": [names["t"][i] for i in part]},
    )
    (found,) = judge(align(subset, whole, DEFAULT).pairs, DEFAULT)
    assert found.whole.total >= 300
    assert found.whole.gain > 1.5
    assert abs(found.whole.value - now.mean()) < abs(found.whole.plain - now.mean())
    assert found.whole.low <= found.whole.value <= found.whole.high


def test_a_subset_of_two_items_says_nothing_of_the_whole():
    """Too few items for a slope: no estimate."""
    whole = run_of({"t": [1, 0, 1, 0]})
    (found,) = judge(align(run_of({"t": [1, 0]}), whole, DEFAULT).pairs, DEFAULT)
    assert found.whole is None
