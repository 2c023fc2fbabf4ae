"""Cells: every number with its n, interval and failure counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugins import load
from harness.records import ScoreColumns
from harness.stats.intervals import wilson
from harness.summary import Place, Reading, blank, summarise

ACCURACY = load("metric", "accuracy")
PAIR = load("metric", "pair_accuracy")
ECE = load("metric", "ece")
LATENCY = load("metric", "latency_s")


def columns(rows: list[dict]) -> ScoreColumns:
    """Make columns of rows that name only what matters."""

    def text(name: str, default=""):
        return np.array([str(row.get(name, default)) for row in rows], dtype=object)

    names = {name for row in rows for name in row.get("values", {})}
    slices = {name for row in rows for name in row.get("slices", {})}
    return ScoreColumns(
        task=text("task", "t"),
        arm=text("arm", "default"),
        variant=text("variant", "original"),
        sample_id=np.array([str(r.get("id", i)) for i, r in enumerate(rows)], dtype=object),
        epoch=np.array([row.get("epoch", 0) for row in rows]),
        cluster=np.array(
            [str(r.get("cluster", r.get("id", i))) for i, r in enumerate(rows)], dtype=object
        ),
        status=text("status", "ok"),
        changed=np.array([row.get("changed", True) for row in rows]),
        confidence=np.array([row.get("confidence", np.nan) for row in rows]),
        values={n: np.array([row.get("values", {}).get(n, np.nan) for row in rows]) for n in names},
        slices={
            n: np.array([row.get("slices", {}).get(n, "") for row in rows], dtype=object)
            for n in slices
        },
    )


def right(value: float = 1.0, **row):
    return {"values": {"accuracy": value, "pair_accuracy": value}, **row}


def only(cells, **wanted):
    found = [c for c in cells if all(getattr(c, k) == v for k, v in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def test_a_share_has_wilsons_interval():
    """8 of 10: n, value and the interval of the textbook."""
    cells = summarise(
        columns([right(float(i < 8)) for i in range(10)]), [Reading("t", (ACCURACY,))]
    )
    cell = only(cells, metric="accuracy")
    assert (cell.n, cell.value, cell.method, cell.confidence) == (10, 0.8, "wilson", 0.95)
    assert (cell.low, cell.high) == wilson(8, 10)[2:4]
    assert (cell.bound_low, cell.bound_high) == (0.8, 0.8)


def test_errors_leave_n_and_bound_the_value():
    """4 of 8 right with 2 failed: 0.5, between 0.4 and 0.6."""
    rows = [right(float(i < 4)) for i in range(8)] + [{"status": "error"}] * 2
    cell = only(summarise(columns(rows), [Reading("t", (ACCURACY,))]), metric="accuracy")
    assert (cell.n, cell.errors, cell.value) == (8, 2, 0.5)
    assert (cell.bound_low, cell.bound_high) == (0.4, 0.6)


def test_unparsed_stays_in_n_with_zero():
    """An answer that cannot be read is the model's doing."""
    rows = [right(1.0), right(0.0, status="unparsed")]
    cell = only(summarise(columns(rows), [Reading("t", (ACCURACY,))]), metric="accuracy")
    assert (cell.n, cell.unparsed, cell.errors, cell.value) == (2, 1, 0, 0.5)


def test_all_failed_is_blank_with_a_reason():
    """No sample, no number; and calibration, which had nothing to say, says nothing."""
    cells = summarise(columns([{"status": "error"}] * 3), [Reading("t", (ACCURACY, ECE))])
    cell = only(cells)
    assert (cell.n, cell.errors, cell.value, cell.reason) == (0, 3, None, "every sample failed")
    assert (cell.bound_low, cell.bound_high) == (0.0, 1.0)


def test_pairs_count_as_pairs():
    """Both twins right is one; n counts pairs; a failed twin fails its pair."""
    rows = [
        right(1, cluster="a"), right(1, cluster="a"),
        right(1, cluster="b"), right(0, cluster="b"),
        right(1, cluster="c"), {"status": "error", "cluster": "c"},
    ]  # fmt: skip
    cell = only(summarise(columns(rows), [Reading("t", (PAIR,))]), metric="pair_accuracy")
    assert (cell.n, cell.errors, cell.value, cell.method) == (2, 1, 0.5, "wilson")


def test_samples_of_a_cluster_widen_the_interval():
    """Ten clusters of five equal answers are worth ten samples, not fifty."""
    rows = [right(float(c < 5), cluster=c, id=f"{c}{i}") for c in range(10) for i in range(5)]
    cell = only(summarise(columns(rows), [Reading("t", (ACCURACY,))]))
    assert cell.method == "cluster-wilson"
    assert cell.high - cell.low > 0.9 * (wilson(5, 10).high - wilson(5, 10).low)


def test_slices_are_named_crossed_and_sorted():
    """`digits=3`, or crossed `carries=2&digits=3`; numbers sort as numbers."""
    rows = [
        right(1, slices={"digits": str(d), "carries": str(c)}) for d in (2, 10) for c in (0, 1)
    ] + [right(0)]
    reading = Reading("t", (ACCURACY,), (("digits",), ("digits", "carries"), ("absent",)))
    cells = [c for c in summarise(columns(rows), [reading]) if c.slice]
    assert [(c.slice, c.n) for c in cells] == [
        ("digits=2", 2), ("digits=10", 2),
        ("carries=0&digits=2", 1), ("carries=0&digits=10", 1),
        ("carries=1&digits=2", 1), ("carries=1&digits=10", 1),
    ]  # fmt: skip


def variants(*scores: tuple[float, ...], names=("original", "typos", "lowercase")):
    return [
        right(value, id=i, variant=name)
        for i, row in enumerate(scores)
        for name, value in zip(names, row, strict=True)
    ]


def test_worst_case_and_mean_drop_over_variants():
    """Worst counts a sample right only where all copies are; the drop is paired."""
    rows = variants((1, 1, 1), (1, 0, 1), (0, 1, 0), (1, 0, 0))
    groups = {"typos": "robustness", "lowercase": "robustness"}
    cells = summarise(columns(rows), [Reading("t", (ACCURACY,), variants=groups)])
    worst = only(cells, variant="worst")
    assert (worst.group, worst.value, worst.n) == ("robustness", 0.25, 4)
    drop = only(cells, variant="mean_drop")
    assert drop.value == pytest.approx(0.75 - (2 + 2) / 8)
    assert drop.higher_is_better is False
    assert drop.low < drop.value < drop.high
    assert only(cells, variant="typos").value == 0.5


def test_without_variants_there_is_no_robustness():
    """Never a copy of accuracy."""
    cells = summarise(columns([right()]), [Reading("t", (ACCURACY,), variants={})])
    assert {c.group for c in cells} == {"accuracy"}


def test_a_failed_copy_takes_its_sample_out_of_the_comparison():
    """Pairs are compared only where every copy was answered, and the rest is counted."""
    rows = variants((1, 1, 1), (1, 1, 1))
    rows[1] = {"id": 0, "variant": "typos", "status": "error"}
    cells = summarise(columns(rows), [Reading("t", (ACCURACY,), variants={"typos": "robustness"})])
    worst = only(cells, variant="worst")
    assert (worst.n, worst.errors) == (1, 1)


def test_fairness_and_robustness_are_kept_apart():
    """Each group of perturbations has cells of its own."""
    rows = variants((1, 0, 1), (1, 1, 1))
    groups = {"typos": "robustness", "lowercase": "fairness"}
    cells = summarise(columns(rows), [Reading("t", (ACCURACY,), variants=groups)])
    assert only(cells, group="robustness", variant="worst").value == 0.5
    assert only(cells, group="fairness", variant="worst").value == 1.0


def test_ece_is_of_the_whole_set():
    """Ten answers at confidence 0.8 of which eight are right are calibrated."""
    rows = [
        {"values": {"accuracy": float(i < 8), "ece": float(i < 8)}, "confidence": 0.8}
        for i in range(10)
    ]
    cell = only(summarise(columns(rows), [Reading("t", (ACCURACY, ECE))]), metric="ece")
    assert cell.value == pytest.approx(0.0, abs=1e-12)
    assert (cell.group, cell.higher_is_better) == ("calibration", False)


def test_what_depends_on_the_clock_is_marked():
    """Latency is observed, has no bounds, and is no share."""
    rows = [{"values": {"accuracy": 1.0, "latency_s": v}} for v in (0.0, 1.0, 1.0)]
    cell = only(summarise(columns(rows), [Reading("t", (ACCURACY, LATENCY))]), metric="latency_s")
    assert (cell.observed, cell.method, cell.bound_low) == (True, "t", None)


def test_a_blank_cell_says_why():
    """A task that was skipped has a cell with its reason."""
    cell = blank(Place("t", "default", "original"), ACCURACY, "no log-probabilities")
    assert (cell.value, cell.n, cell.reason) == (None, 0, "no log-probabilities")


STATUS = st.sampled_from(["ok", "unparsed", "error", "unjudged"])


@given(st.lists(st.tuples(STATUS, st.booleans()), min_size=1, max_size=40))
def test_n_errors_and_unjudged_add_up_to_the_plan(samples):
    """`n + errors + unjudged` = planned, always; and the value lies within its bounds."""
    rows = [
        {"status": status}
        if status in ("error", "unjudged")
        else right(float(good and status == "ok"), status=status)
        for status, good in samples
    ]
    cell = only(summarise(columns(rows), [Reading("t", (ACCURACY,))]), metric="accuracy")
    assert cell.n + cell.errors + cell.unjudged == len(samples)
    assert cell.unparsed == sum(status == "unparsed" for status, _ in samples)
    if cell.value is not None:
        assert cell.bound_low <= cell.value + 1e-12
        assert cell.value <= cell.bound_high + 1e-12
        assert cell.low <= cell.value <= cell.high


def test_agreement_is_of_items_asked_several_times():
    """Entropy and its AUROC count items, not samples; asked once, the cell says why it is blank."""
    entropy, auroc = load("metric", "answer_entropy"), load("metric", "entropy_auroc")

    def asked(item, answer, right, epoch):
        values = {"accuracy": float(right), "answer_entropy": answer, "entropy_auroc": answer}
        return {"id": item, "epoch": epoch, "values": values}

    rows = [asked("a", 1.0, True, i) for i in range(4)]
    rows += [asked("b", float(i), False, i) for i in range(4)]
    reading = Reading("t", (ACCURACY, entropy, auroc))
    cells = summarise(columns(rows), [reading])
    found = only(cells, metric="answer_entropy")
    assert (found.n, found.value) == (2, pytest.approx(np.log(4) / 2))
    assert only(cells, metric="entropy_auroc").value == 1.0
    once = summarise(columns([asked("a", 1.0, True, 0)]), [reading])
    assert "--epochs" in only(once, metric="answer_entropy").reason


def test_pairs_are_counted_in_every_epoch():
    """Three epochs of a pair are three pairs, in one cluster."""
    rows = [
        right(float(epoch < 2 or twin), cluster="a", id=str(twin), epoch=epoch)
        for epoch in range(3)
        for twin in range(2)
    ]
    cell = only(summarise(columns(rows), [Reading("t", (PAIR,))]), metric="pair_accuracy")
    assert (cell.n, cell.value) == (3, pytest.approx(2 / 3))
    assert cell.method == "cluster-wilson"


def test_a_perturbation_that_changes_nothing_is_no_evidence():
    """Its cell is blank with a reason, and it takes no part in worst case and drop."""
    rows = variants((1, 0, 1), (1, 1, 1))
    for row in rows:
        row["changed"] = row["variant"] != "lowercase"
    groups = {"typos": "robustness", "lowercase": "robustness"}
    cells = summarise(columns(rows), [Reading("t", (ACCURACY,), variants=groups)])
    idle = only(cells, variant="lowercase")
    assert (idle.value, idle.reason) == (None, "changes nothing in these samples")
    assert only(cells, variant="mean_drop").value == 0.5
