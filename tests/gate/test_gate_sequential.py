"""The gate that decides as it goes: a pure decider over a history."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_scores import flipped, run_of

from harness.errors import UsageError
from harness.gate.align import align
from harness.gate.policy import Policy
from harness.gate.records import Place
from harness.gate.sequential import (
    Known,
    Rule,
    Seen,
    Step,
    Trial,
    Watch,
    conclude,
    decide,
    watches,
)

FIVE = Rule(0.05)
PLACE = Place("t")


def watch(n: int, *, right: int | None = None, rule: Rule = FIVE, largest: int = 1) -> Watch:
    """Return what watches n samples; the baseline has the first `right` of them right."""
    right = n if right is None else right
    known = {(f"s{i}", 0): Known(float(i < right)) for i in range(n)}
    return Watch(PLACE, "exact_match", True, rule, known, largest)


def feed(at: Watch, values, size: int = 1) -> None:
    """Show the candidate's scores in order, in clusters of `size`."""
    for i, value in enumerate(values):
        at.saw(Seen(f"s{i}", 0, f"c{i // size}", value))


def test_the_decider_is_a_function_of_the_history():
    """No change settles after 107 items at α/2 and margin 5; 106 are not enough."""
    assert decide([Step(0.0)] * 107, FIVE) == "not_worse"
    assert decide([Step(0.0)] * 106, FIVE) is None
    assert decide([Step(-1.0)] * 9, FIVE) == "regressed"
    assert decide([], FIVE) is None


def test_a_verdict_never_changes():
    """What comes after the verdict, such as samples in flight, is not looked at."""
    trial = Trial(FIVE)
    for _ in range(107):
        trial.add(Step(0.0))
    assert [trial.add(Step(-1.0)) for _ in range(50)] == ["not_worse"] * 50
    assert trial.steps == 107


def test_alpha_is_shared_out():
    """Half to the e-process; false alarms by Bonferroni over the family, passes in full."""
    rule = Rule.of(Policy(alpha=0.05, margin=0.03), "t", 5)
    assert (rule.alpha_regressed, rule.alpha_not_worse) == (0.005, 0.025)
    with pytest.raises(UsageError, match="margin above 0"):
        Rule.of(Policy(margin=0.0), "t", 1)


def test_false_alarms_and_power_of_the_whole_gate():
    """300 runs at N = 400, item by item with the test at the end, keep α and see the drop."""
    rng = np.random.default_rng(0)
    verdicts = {0.0: [], 0.1: []}
    for drop, found in verdicts.items():
        for _ in range(150):
            draw = rng.random(400)
            lost, gained = draw < (0.1 + drop) / 2, draw > 1 - (0.1 - drop) / 2
            at = watch(400, right=200)
            before = np.arange(400) < 200
            now = np.where(lost & before, 0.0, np.where(gained & ~before, 1.0, before))
            order = rng.permutation(400)
            for i in order:
                if at.trial.settled:
                    break
                at.saw(Seen(f"s{i}", 0, f"c{i}", float(now[i])))
            found.append(conclude(at, finished=True).verdict)
    assert verdicts[0.0].count("regressed") / 150 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 150)
    assert verdicts[0.0].count("not_worse") / 150 >= 0.7
    assert verdicts[0.1].count("regressed") / 150 >= 0.95


def test_clusters_are_taken_whole():
    """Twins are one step of two rows; the verdict comes at the end of a cluster."""
    at = watch(400, largest=2)
    feed(at, [1.0] * 400, size=2)
    assert at.settled_at == 214
    found = conclude(at, finished=True)
    assert found.verdict == "not_worse"
    assert found.reason == "settled after 214 of 400"


def test_failed_and_unknown_samples_are_no_pairs():
    """A failed sample is counted apart; one that the baseline does not have is ignored."""
    at = watch(10)
    at.saw(Seen("s0", 0, "c0", None))
    at.saw(Seen("new", 0, "c1", 1.0))
    at.saw(Seen("s1", 0, "c2", 1.0))
    found = conclude(at, finished=True)
    assert (found.n, found.unpaired) == (1, 1)


def test_the_fixed_tests_decide_at_the_end():
    """What the e-process left open, McNemar and the interval decide at the other α/2."""
    _, now = flipped(400, right=200, lost=38, gained=20)
    at = watch(400, right=200)
    for i in np.random.default_rng(0).permutation(400):
        at.saw(Seen(f"s{i}", 0, f"c{i}", now[i]))
    assert at.trial.settled is None
    found = conclude(at, finished=True)
    assert (found.verdict, found.test) == ("regressed", "fixed-n")
    assert found.p_regressed <= 0.05


@pytest.mark.parametrize(
    ("lost", "gained", "finished", "verdict", "test"),
    [
        (3, 3, True, "inconclusive", "fixed-n"),
        (3, 3, False, "inconclusive", "e-process"),
        (9, 0, True, "regressed", "e-process"),
    ],
)
def test_a_plan_cut_short_is_left_open(lost, gained, finished, verdict, test):
    """A budget stop gets no fixed-n test; its interval holds at any time."""
    at = watch(60, right=30)
    feed(at, flipped(60, right=30, lost=lost, gained=gained)[1])
    found = conclude(at, finished=finished)
    assert (found.verdict, found.test) == (verdict, test)
    assert found.low <= found.difference <= found.high
    assert (found.needed is not None) == (verdict == "inconclusive")


def test_the_fixed_interval_can_pass():
    """At the end, an interval above the margin is enough."""
    rule = Rule(0.05, alpha_regressed=0.025, alpha_not_worse=0.025)
    at = watch(90, rule=rule)
    feed(at, [1.0] * 90)
    assert at.trial.settled is None
    assert conclude(at, finished=True).verdict == "not_worse"


def test_lower_is_better_is_turned_round():
    """A share that should be low and rises is a loss."""
    known = {(f"s{i}", 0): Known(-0.0) for i in range(40)}
    at = Watch(PLACE, "not_attempted", False, FIVE, known, 1)
    feed(at, [1.0] * 40)
    found = conclude(at, finished=True)
    assert found.verdict == "regressed"
    assert (found.candidate, found.difference) == (1.0, -1.0)


def test_nothing_scored_is_left_open():
    """Without a pair there is no verdict."""
    found = conclude(watch(5), finished=True)
    assert (found.verdict, found.reason) == ("inconclusive", "no pair was scored")


def test_unbounded_scores_are_refused():
    """A bet needs bounds: of the baseline before the run, of the candidate as it comes."""
    (pairs,) = align(
        run_of({"t": [3.0, 2.0]}, metric="bits"), run_of({"t": [3.0, 1.0]}, metric="bits"), Policy()
    ).pairs
    known = {PLACE: {("s0", 0): Known(float(pairs.baseline[0]))}}
    with pytest.raises(UsageError, match=r"scores in 0…1, as bits is not"):
        watches([(PLACE, "bits", True)], known, {PLACE: 1}, Policy())
    with pytest.raises(UsageError, match=r"exact_match gave 3"):
        watch(2).saw(Seen("s0", 0, "c0", 3.0))
