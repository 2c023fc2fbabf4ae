"""Which samples answer the same question, and which runs may be compared."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from made_scores import cell, run_of

from harness.errors import Incomparable, UsageError
from harness.gate.align import align, differences, hash_differences
from harness.gate.decision import gate
from harness.gate.policy import DEFAULT, Policy, TaskRule

HASHES = {
    "version": 1,
    "data": "d1",
    "arms": {"default": {"task": "t1", "prompt": "p1", "extractor": "e1", "judge": "j1"}},
}


def changed(**what):
    """Return the hashes with some parts changed."""
    top = {name: value for name, value in what.items() if name in ("version", "data")}
    arm = {name: value for name, value in what.items() if name not in top}
    return {**HASHES, **top, "arms": {"default": {**HASHES["arms"]["default"], **arm}}}


@pytest.mark.parametrize(
    ("now", "named"),
    [
        (changed(version=2), ["version"]),
        (changed(data="d2"), ["data"]),
        (changed(prompt="p2", task="t2"), ["prompt"]),
        (changed(extractor="e2", task="t2"), ["extractor"]),
        (changed(judge="j2", task="t2"), ["judge"]),
        (changed(task="t2"), ["definition"]),
        (changed(data="d2", prompt="p2"), ["data", "prompt"]),
        (changed(), []),
    ],
)
def test_the_nearest_reason_is_named(now, named):
    """Prompt, extractor, judge, data or version is told; the whole definition only otherwise."""
    assert [item.what for item in hash_differences("t", HASHES, now)] == named


def test_refusal_says_which_hash_of_which_task():
    """Runs that asked differently are refused with task, part and both hashes."""
    now = run_of({"t": [1, 0]}, hashes={"t": changed(prompt="p2")})
    then = run_of({"t": [1, 0]}, hashes={"t": HASHES})
    with pytest.raises(Incomparable, match=r"t: prompt differs \(p1 → p2\)"):
        align(now, then, DEFAULT)


def test_another_data_seed_is_told_as_such():
    """Fresh operands are told by their flag, not by a hash."""
    now = run_of({"t": [1]}, hashes={"t": changed(data="d2")}, data_seed=7)
    then = run_of({"t": [1]}, hashes={"t": HASHES})
    with pytest.raises(Incomparable, match=r"data differs \(--data-seed None → --data-seed 7\)"):
        align(now, then, DEFAULT)


def test_allow_changed_compares_the_common_samples_and_says_so():
    """With --allow-changed the difference becomes a note."""
    now = run_of({"t": [1, 0, 1]}, ids={"t": ["a", "b", "x"]}, hashes={"t": changed(data="d2")})
    then = run_of({"t": [0, 0, 1]}, ids={"t": ["b", "a", "y"]}, hashes={"t": HASHES})
    found = align(now, then, DEFAULT, allow_changed=True)
    assert found.notes == ("compared although t: data differs (d1 → d2)",)
    (pairs,) = found.pairs
    assert sorted(pairs.sample_id) == ["a", "b"]
    assert pairs.differences.tolist() == [1.0, 0.0]


def test_many_differences_are_cut_short():
    """Ten lines are shown, the others counted."""
    tasks = {f"t{i:02}": [1.0] for i in range(12)}
    now = run_of(tasks, hashes={task: changed(data="d2") for task in tasks})
    then = run_of(tasks, hashes=dict.fromkeys(tasks, HASHES))
    with pytest.raises(Incomparable, match="and 2 more"):
        align(now, then, DEFAULT)


def test_a_changed_perturbation_is_refused_where_it_is_gated():
    """A new version of a perturbation makes other copies."""
    now = run_of({"t": [1]}, perturbations={"typos": 2})
    then = run_of({"t": [1]}, perturbations={"typos": 1})
    assert differences(now, then) == []
    (found,) = differences(now, then, Policy(variants=("original", "typos")))
    assert str(found) == "all tasks: perturbation typos differs (v1 → v2)"


def test_failed_samples_of_either_run_leave_the_pairs():
    """An error is no wrong answer: the pair is left out and counted."""
    now = run_of({"t": [1, np.nan, 0, 1]})
    then = run_of({"t": [1, 1, np.nan, 0]})
    (pairs,) = align(now, then, DEFAULT).pairs
    assert pairs.unpaired == 2
    assert pairs.sample_id.tolist() == ["s0", "s3"]


def test_lower_is_better_is_turned_round():
    """A rise of a metric that should be low is a loss."""
    now = run_of({"t": [3, 2]}, metric="bits_per_byte", better=False)
    then = run_of({"t": [1, 2]}, metric="bits_per_byte", better=False)
    (pairs,) = align(now, then, DEFAULT).pairs
    assert pairs.differences.tolist() == [-2.0, 0.0]


def test_what_the_candidate_did_not_run_is_missing():
    """A task of the baseline that is gone is told, and a new one noted."""
    found = align(run_of({"t": [1], "new": [1]}), run_of({"t": [1], "old": [1]}), DEFAULT)
    assert [(place.task, reason) for place, reason in found.missing] == [
        ("old", "not in the candidate")
    ]
    assert found.notes == ("new: no baseline, not gated",)


def test_skipped_tasks_are_neither_paired_nor_missing():
    """A policy may leave tasks out, and their hashes with them."""
    now = run_of({"t": [1], "u": [1]}, hashes={"u": changed(data="d2")})
    then = run_of({"t": [1], "u": [1]}, hashes={"u": HASHES})
    found = align(now, then, Policy(tasks={"u*": TaskRule(skip=True)}))
    assert [item.place.task for item in found.pairs] == ["t"]
    assert not found.missing


def test_runs_without_a_common_task_are_refused():
    """There is nothing to compare."""
    with pytest.raises(Incomparable, match="no task in common"):
        align(run_of({"t": [1]}), run_of({"u": [1]}), DEFAULT)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([], "the baseline has no result"),
        ([cell(higher_is_better=None)], "exact_match has no better direction"),
        ([cell(metric="ece")], "ece has no score per sample"),
        ([cell(value=0.9)], "exact_match is no mean of its samples' scores"),
        ([cell(value=None)], "exact_match is no mean of its samples' scores"),
        ([cell(value=None, reason="no digits")], "the baseline has no exact_match: no digits"),
    ],
)
def test_metrics_that_cannot_be_paired_say_why(cells, reason):
    """Only means of per-sample scores with a direction are gated."""
    found = align(run_of({"t": [1, 0]}), run_of({"t": [1, 0]}, cells=cells), DEFAULT)
    assert [why for _, why in found.missing] == [reason]


def test_no_common_and_no_scored_sample_are_told():
    """Equal tasks with other samples, or with failures only, have no pairs."""
    other = run_of({"t": [1]}, ids={"t": ["x"]})
    assert align(other, run_of({"t": [1]}), DEFAULT).missing[0][1] == "no sample in common"
    failed = run_of({"t": [np.nan]})
    assert "both runs scored" in align(failed, run_of({"t": [1]}), DEFAULT).missing[0][1]


def test_another_metric_can_be_gated_and_must_exist():
    """A policy names a metric in place of the first; an unknown one is an error."""
    then = run_of({"t": [1, 0]})
    rule = Policy(tasks={"t": TaskRule(metric="exact_match")})
    assert align(then, then, rule).pairs[0].metric == "exact_match"
    with pytest.raises(UsageError, match="has no metric 'f1'; it has: exact_match"):
        align(then, then, Policy(tasks={"t": TaskRule(metric="f1")}))


def test_several_metrics_of_a_task_are_several_verdicts():
    """Each is a member of the family that Holm corrects; the first alone tells of flips."""
    scores = {"exact_match": [1.0, 0.0] * 40, "f1": [1.0, 0.5] * 40}
    first = run_of({"t": scores["exact_match"]})
    values = {name: np.array(column) for name, column in scores.items()}
    cells = (cell("t", "exact_match", 0.5, n=80), cell("t", "f1", 0.75, n=80))
    columns = msgspec.structs.replace(first.columns, values=values)
    then = msgspec.structs.replace(first, columns=columns, cells=cells)
    worse = {name: np.zeros(80) for name in values}
    now = msgspec.structs.replace(then, columns=msgspec.structs.replace(columns, values=worse))
    policy = Policy(tasks={"t": TaskRule(metric=("f1", "exact_match", "f1"))})
    found = gate(now, then, policy).report
    assert [(task.metric, task.verdict) for task in found.tasks] == [
        ("f1", "regressed"), ("exact_match", "regressed"),
    ]  # fmt: skip
    assert {flip.before for flip in found.flips} == {1.0, 0.5}
    assert len({flip.sample_id for flip in found.flips}) == len(found.flips)
    one = gate(now, then, Policy(tasks={"t": TaskRule(metric="exact_match")})).report.tasks[0]
    assert found.tasks[1].p_regressed > one.p_regressed


def test_items_that_were_not_run_become_the_reference():
    """A subset keeps the baseline's other items, without those of clusters it touched."""
    clusters = {"t": ["c0", "c0", "c1", "c2"]}
    then = run_of({"t": [1, 0, 1, 0]}, clusters=clusters)
    now = run_of({"t": [1]}, clusters={"t": ["c0"]})
    (pairs,) = align(now, then, DEFAULT).pairs
    assert pairs.reference is not None
    assert pairs.reference.cluster.tolist() == ["c1", "c2"]
    whole = msgspec.structs.replace(then)
    assert align(whole, then, DEFAULT).pairs[0].reference is None
