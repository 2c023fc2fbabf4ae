"""Floors, limits and the one word over all of them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from made_scores import cell, flipped, run_of

from harness.errors import UsageError
from harness.gate.align import align
from harness.gate.checks import checks
from harness.gate.decision import SampleText, gate, with_texts
from harness.gate.policy import DEFAULT, Limits, Policy, TaskRule

NONE = Limits(errors=None, unparsed_rise=None)


def held(now, policy, then=None):
    """Return name → check of a run."""
    pairs = () if then is None else align(now, then, policy).pairs
    return {check.name: check for check in checks(now, then, pairs, policy)}


@pytest.mark.parametrize(
    ("right", "verdict"), [(190, "met"), (164, "inconclusive"), (130, "missed")]
)
def test_a_floor_tests_the_bound_not_the_mean(right, verdict):
    """82 % of 200 is above 80 %, yet proves nothing of it."""
    run = run_of({"t": [1.0] * right + [0.0] * (200 - right)})
    (check,) = held(run, Policy(floors=("primary >= 0.8",), limits=NONE)).values()
    assert check.name == "t exact_match ≥ 0.8"
    assert check.verdict == verdict
    assert (check.needed is not None) == (verdict == "inconclusive")


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.1, "met"), (0.3, "inconclusive"), (0.6, "missed")]
)
def test_a_ceiling_is_a_floor_from_above(value, verdict):
    """`<=` bounds from above; a metric that is no mean of samples stands with its own interval."""
    whole = cell(metric="ece", value=value, low=value - 0.05, high=value + 0.05, stderr=0.02, n=50)
    run = run_of({"t": [1, 0]}, cells=[cell(value=0.5), whole])
    (check,) = held(run, Policy(floors=("t ece <= 0.3",), limits=NONE)).values()
    assert check.verdict == verdict
    assert check.needed is None


def test_a_floor_that_fits_nothing_is_an_error():
    """A misspelt metric must not pass in silence."""
    with pytest.raises(UsageError, match="fits no task and metric"):
        held(run_of({"t": [1]}), Policy(floors=("acuracy >= 0.1",)))


def test_a_floor_of_a_task_that_is_not_gated_now_is_passed_over():
    """`--task` narrows a policy, floors too; the same floor misspelt is still an error."""
    run = run_of({"t": [1], "u": [0]})
    policy = Policy(floors=("u primary >= 0.1",), limits=NONE).only(["t"])
    assert held(run, policy) == {}
    with pytest.raises(UsageError, match="fits no task and metric"):
        held(run, Policy(floors=("v primary >= 0.1",), limits=NONE).only(["t"]))


def test_a_floor_of_a_cell_without_value_is_open():
    """A skipped task proves no floor; its arm is named."""
    run = run_of({"t": [1]}, cells=[cell(value=None, reason="cannot", arm="cot")])
    (check,) = held(run, Policy(floors=("primary >= 0.1",), limits=NONE)).values()
    assert (check.verdict, check.reason) == ("inconclusive", "cannot")
    assert check.name.endswith("[cot]")


def test_errors_are_the_instruments():
    """Failed samples above their limit end in exit 4, not in a regression."""
    scores = [1.0] * 9 + [np.nan]
    found = gate(run_of({"t": scores}), run_of({"t": [1.0] * 10}), DEFAULT).report
    assert found.verdict == "failed"
    assert found.exit_code == 4
    few = gate(
        run_of({"t": scores}),
        run_of({"t": [1.0] * 10}),
        Policy(limits=Limits(errors=0.2), inconclusive="warn"),
    )
    assert [check.verdict for check in few.report.checks] == ["met"]


def test_unread_answers_have_limits_of_their_own():
    """A share of unparsed answers, and its rise, are missed where that is certain."""
    words = ["unparsed"] * 40 + ["ok"] * 60
    now = run_of({"t": [0.0] * 40 + [1.0] * 60}, status={"t": words})
    then = run_of({"t": [1.0] * 100})
    policy = Policy(limits=Limits(errors=None, unparsed=0.2, unparsed_rise=0.05))
    found = held(now, policy, then)
    assert found["t unparsed"].verdict == "missed"
    assert found["t unparsed, rise"].verdict == "missed"
    mild = Policy(limits=Limits(errors=None, unparsed=0.38, unparsed_rise=None))
    assert held(now, mild, then)["t unparsed"].verdict == "met"
    assert held(then, policy, then) == {}


def spending(**columns):
    """Return a run of four samples with the columns given."""
    return run_of(
        {"t": [1, 1, 1, 1]},
        spending={name: np.array(values) for name, values in columns.items()},
        cost_usd=2.0,
    )


def test_cost_tokens_and_time_are_held_against_their_limits():
    """Cost of the run; ratios per sample; seconds as a median over new answers."""
    new = np.zeros(4, dtype=bool)
    now = spending(
        cost_usd=[1.0] * 4, latency_s=[1, 1, 1, 9], completion_tokens=[10] * 4, cached=new
    )
    then = spending(cost_usd=[0.5] * 4, latency_s=[1] * 4, completion_tokens=[10] * 4, cached=new)
    limits = Limits(
        errors=None, unparsed_rise=None, cost_usd=1, cost_ratio=1.5, latency_s=2,
        latency_ratio=1.1, tokens_ratio=1.2,
    )  # fmt: skip
    found = held(now, Policy(limits=limits), then)
    assert {name: check.verdict for name, check in found.items()} == {
        "cost, $": "missed",
        "cost, ratio": "missed",
        "latency, s": "met",
        "latency, ratio": "met",
        "tokens, ratio": "met",
    }


def test_what_was_not_measured_is_unknown():
    """Replayed answers have no time, and an unknown price is not zero."""
    now = spending(latency_s=[1.0] * 4, cached=np.ones(4, dtype=bool))
    now = msgspec.structs.replace(now, cost_usd=None)
    limits = Limits(errors=None, unparsed_rise=None, cost_usd=1, latency_s=1, cost_ratio=2)
    found = held(now, Policy(limits=limits))
    assert {check.verdict for check in found.values()} == {"unknown"}


@pytest.mark.parametrize(
    ("now", "then", "verdict", "reason"),
    [
        (0.0, 0.0, "met", None),
        (0.1, 0.0, "unknown", "the baseline's is 0"),
        (0.1, 0.1, "met", None),
        (0.3, 0.1, "missed", None),
    ],
)
def test_ratios_to_a_free_baseline(now, then, verdict, reason):
    """Nothing over nothing has not risen; something over nothing is no ratio."""
    limits = Limits(errors=None, unparsed_rise=None, cost_ratio=2)
    sides = (spending(cost_usd=[cost] * 4) for cost in (now, then))
    (check,) = held(next(sides), Policy(limits=limits), next(sides)).values()
    assert (check.verdict, check.reason) == (verdict, reason)


def test_what_a_policy_says_in_vain_is_told():
    """A misspelt task or variant gates nothing, which must not pass in silence."""
    policy = Policy(tasks={"tt": TaskRule(margin=0.1)}, variants=("original", "orginal"))
    run = run_of({"ttt": [1, 0]})
    assert gate(run, run, policy).report.notes == (
        "policy: 'tt' fits no task of these runs (did you mean 'ttt'?)",
        "policy: variant 'orginal' is not in the baseline (did you mean 'original'?)",
    )


@pytest.mark.parametrize(
    ("lost", "policy", "verdict", "code"),
    [
        (0, DEFAULT, "passed", 0),
        (30, DEFAULT, "regressed", 1),
        (4, DEFAULT, "inconclusive", 3),
        (4, Policy(inconclusive="warn"), "inconclusive", 0),
        (0, Policy(floors=("primary >= 0.9",)), "regressed", 1),
        (0, Policy(floors=("primary >= 0.75",)), "inconclusive", 3),
    ],
)
def test_the_one_word_and_its_exit_code(lost, policy, verdict, code):
    """The contract's codes: 0 passed, 1 regressed or a floor missed, 3 inconclusive."""
    before, now = flipped(200, right=150, lost=lost, gained=0)
    found = gate(run_of({"t": now}), run_of({"t": before}), policy).report
    assert (found.verdict, found.exit_code) == (verdict, code)


def test_a_task_that_was_not_run_leaves_the_gate_open():
    """Leaving a task out is no way to pass; a skipped task is no task."""
    then = run_of({"t": [1.0] * 400, "u": [1.0] * 400})
    now = run_of({"t": [1.0] * 400}, complete=False)
    found = gate(now, then, DEFAULT).report
    assert found.verdict == "inconclusive"
    assert found.notes == ("the candidate's run is partial: the pairs are those it finished",)
    assert gate(now, then, Policy(tasks={"u": TaskRule(skip=True)})).report.verdict == "passed"


def test_flips_come_losses_first_with_their_texts():
    """A report holds the samples that changed, and what they asked and got."""
    before, now = flipped(40, right=20, lost=3, gained=2)
    report = gate(run_of({"t": now}), run_of({"t": before}), DEFAULT).report
    assert [flip.lost for flip in report.flips] == [True] * 3 + [False] * 2
    assert (report.flips[0].before, report.flips[0].now) == (1.0, 0.0)
    texts = {("s0", 0): SampleText("1 + 1?", ("2",), "3")}
    told = with_texts(report, lambda key: texts.get(key[1:]), lambda _: None)
    assert (told.flips[0].input, told.flips[0].got, told.flips[0].was) == ("1 + 1?", "3", "")
    assert told.flips[1].input == ""
