"""Paired tests and their verdicts, for one family of tasks.

With D the true difference (candidate - baseline, more is better) and a margin δ ≥ 0:

* *improved*: D ≤ 0 is rejected;
* *not worse*: D ≤ -δ is rejected, a test of non-inferiority (the low end of the interval is
  above -δ); a drop that is certain, yet within the margin, is not worse;
* *regressed*: D ≥ 0 is rejected, and the above is not;
* *inconclusive*: none of these.

All tests are one-sided at alpha. Improved and regressed are corrected by Holm over the family, so
that an unchanged model raises any alarm with chance at most alpha. *Not worse* needs no
correction: the gate passes only where every task does (Berger 1982, Technometrics 24:295).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr
from scipy.stats import binom

from harness.gate.align import Pairs
from harness.gate.policy import Policy
from harness.gate.records import Decision, TaskVerdict, WholeSet
from harness.identity import child_rng
from harness.stats.clusters import Clusters, FloatArray, design_effect
from harness.stats.control_variate import Units, subset_mean, subset_mean_of_units
from harness.stats.intervals import Interval, cluster_t, is_binary
from harness.stats.multiplicity import holm
from harness.stats.paired import paired_difference, sign_flip
from harness.stats.power import Error

POWER = 0.8
"""Chance with which a detectable loss is seen."""
FLIPPED_UNITS = 2000
"""More independent units than this: Student's t stands for the sign flips, whose p it is."""
SEED = 20_260_102
"""Sign flips are drawn the same each time."""
UNIT_RANGE = 1.0


class OneSided(NamedTuple):
    """One-sided p-values of one task, and which test gave them."""

    regressed: float
    improved: float
    name: str


def judge(pairs: Sequence[Pairs], policy: Policy) -> list[TaskVerdict]:
    """Return a verdict for each task of one family."""
    tests = [one_sided(item) for item in pairs]
    worse = holm([test.regressed for test in tests])
    better = holm([test.improved for test in tests])
    adjusted = [
        OneSided(float(low), float(high), test.name)
        for low, high, test in zip(worse, better, tests, strict=True)
    ]
    return [_verdict(item, policy, p, len(pairs)) for item, p in zip(pairs, adjusted, strict=True)]


def one_sided(pairs: Pairs) -> OneSided:
    """Test D ≥ 0 and D ≤ 0.

    0/1 scores of independent items: McNemar's exact test, Binomial(gained + lost, ½). Else sign
    flips over items or whole clusters, and for very many of these the clustered t test, to which
    they tend.
    """
    change = pairs.differences
    groups = Clusters.of(pairs.cluster, len(change))
    if is_01(pairs) and not groups.repeated:
        gained, lost = int((change > 0).sum()), int((change < 0).sum())
        half = binom(gained + lost, 0.5)
        return OneSided(float(half.cdf(gained)), float(half.cdf(lost)), "mcnemar")
    if int((groups.sums(change) != 0).sum()) > FLIPPED_UNITS:
        return _t_test(change, pairs, groups)
    p = {
        side: sign_flip(
            change,
            child_rng(SEED, pairs.place.label, pairs.metric, side),
            clusters=pairs.cluster,
            alternative=side,
        )
        for side in ("less", "greater")
    }
    return OneSided(p["less"], p["greater"], "sign-flip")


def _t_test(change: FloatArray, pairs: Pairs, groups: Clusters) -> OneSided:
    found = cluster_t(change, pairs.cluster)
    if not found.stderr or found.value is None:
        return OneSided(1.0, 1.0, "cluster-t")
    below = float(stdtr(groups.count - 1, found.value / found.stderr))
    return OneSided(below, 1 - below, "cluster-t" if groups.repeated else "t")


def is_01(pairs: Pairs) -> bool:
    """Whether all scores of both runs are 0 or 1 (or, turned round, 0 or -1)."""
    return is_binary(np.abs(pairs.candidate)) and is_binary(np.abs(pairs.baseline))


def interval_of(pairs: Pairs, confidence: float) -> Interval:
    """Return the interval of D: Tango's for 0/1 scores, Student's t over items or clusters else.

    Scores of unknown range are taken to range as far as those seen.
    """
    low, high = value_range(pairs)
    if is_01(pairs):
        low, high = 0.0, 1.0
    sign = 1.0 if pairs.higher_is_better else -1.0
    a, b = sign * pairs.candidate, sign * pairs.baseline
    ahead, behind = (a, b) if sign > 0 else (b, a)
    return paired_difference(
        ahead, behind, clusters=pairs.cluster, confidence=confidence, bounds=(low, high)
    )


def value_range(pairs: Pairs) -> tuple[float, float]:
    """Return the range of scores: 0…1 where they lie in it, otherwise that of those seen."""
    both = np.concatenate([pairs.candidate, pairs.baseline])
    both = both if pairs.higher_is_better else -both
    low, high = float(both.min()), float(both.max())
    return (0.0, 1.0) if low >= 0.0 and high <= 1.0 else (low, high)


def _verdict(pairs: Pairs, policy: Policy, tests: OneSided, family: int) -> TaskVerdict:
    margin = policy.margin_of(pairs.place.task)
    confidence = 1 - 2 * policy.alpha
    found = interval_of(pairs, confidence)
    change = pairs.differences
    decision = decide(found, tests, margin, policy.alpha)
    planning = Planning.of(pairs, policy.alpha / family)
    value = float(change.mean())
    sign = 1.0 if pairs.higher_is_better else -1.0
    return TaskVerdict(
        place=pairs.place,
        metric=pairs.metric,
        verdict=decision,
        margin=margin,
        n=len(change),
        candidate=sign * float(pairs.candidate.mean()),
        baseline=sign * float(pairs.baseline.mean()),
        difference=value,
        low=found.low,
        high=found.high,
        confidence=confidence,
        test=tests.name,
        p_regressed=tests.regressed,
        p_improved=tests.improved,
        detectable=planning.detectable,
        needed=planning.needed(value, margin) if decision == "inconclusive" else None,
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
        unpaired=pairs.unpaired,
        whole=whole_set(pairs, confidence),
    )


def decide(found: Interval, tests: OneSided, margin: float, alpha: float) -> Decision:
    """Return the verdict that interval and (adjusted) p-values give."""
    value = found.value or 0.0
    if tests.improved <= alpha and value > 0:
        return "improved"
    if found.low is not None and found.low > -margin:
        return "not_worse"
    if tests.regressed <= alpha and value < 0:
        return "regressed"
    return "inconclusive"


class Planning(NamedTuple):
    """What so many pairs can show."""

    n: int
    second_moment: float
    """Mean squared difference, times the design effect of clusters; for 0/1 scores the share of
    discordant pairs."""
    reach: float
    """The largest difference that there can be."""
    factor: float
    """(z_{1-alpha} + z_power)²."""

    @classmethod
    def of(cls, pairs: Pairs, alpha: float) -> Planning:
        """Take the figures from a comparison."""
        change = pairs.differences
        effect = design_effect(change, pairs.cluster) or 1.0
        low, high = value_range(pairs)
        moment = float((change**2).mean()) * effect
        factor = Error(alpha, POWER, two_sided=False).factor
        return cls(len(change), moment, (high - low) or UNIT_RANGE, factor)

    @property
    def detectable(self) -> float:
        """The smallest loss that these pairs show: √(F·m/(n+F)), with F the `factor`.

        That is `stats.power.mcnemar_detectable_effect`, for any scores. The second moment m is
        taken for at least reach²·F/(n+F): there, every changed pair is a loss.
        """
        least = self.reach**2 * self.factor / (self.n + self.factor)
        moment = max(self.second_moment, least)
        return math.sqrt(self.factor * moment / (self.n + self.factor))

    def needed(self, difference: float, margin: float) -> int | None:
        """Return the pairs that would decide, if the difference seen is the true one.

        Either it shows to be above -margin, or below 0, whichever takes fewer. None where the
        difference lies on both bounds.
        """
        gap = max(difference + margin, -difference)
        if gap <= 0:
            return None
        share = min(gap / self.reach, 0.999)
        spread = self.factor * max(0.0, self.second_moment - gap**2) / gap**2
        least = self.factor * (1 - share) / share
        return max(math.ceil(max(spread, least)), self.n + 1)


def whole_set(pairs: Pairs, confidence: float) -> WholeSet | None:
    """Return the candidate's mean over all the baseline's items, where it ran a part of them."""
    rest = pairs.reference
    if rest is None:
        return None
    groups = Clusters.of(pairs.cluster, len(pairs.candidate))
    others = Clusters.of(rest.cluster, len(rest.scores))
    if groups.repeated or others.repeated:
        order = child_rng(SEED, pairs.place.label).permutation(groups.count)
        units = Units(
            sums=groups.sums(pairs.candidate)[order],
            controls=_controls(groups, pairs.baseline)[order],
            others=_controls(others, rest.scores),
            sizes=groups.sizes.astype(np.float64)[order],
            rest=float(len(rest.scores)),
        )
        found = subset_mean_of_units(units, confidence=confidence)
    else:
        found = subset_mean(pairs.candidate, pairs.baseline, rest.scores, confidence=confidence)
    if found is None:
        return None
    sign = 1.0 if pairs.higher_is_better else -1.0
    low, high = sorted((sign * found.low, sign * found.high))
    everything = np.concatenate([pairs.baseline, rest.scores])
    return WholeSet(
        value=sign * found.value,
        low=low,
        high=high,
        baseline=sign * float(everything.mean()),
        plain=sign * found.plain,
        gain=found.gain,
        n=found.n,
        total=found.total,
    )


def _controls(groups: Clusters, scores: FloatArray) -> FloatArray:
    """Return what is known of every cluster: the baseline's sum, and how many items it has."""
    return np.stack([groups.sums(scores), groups.sizes.astype(np.float64)], axis=1)
