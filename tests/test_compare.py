"""Runs side by side, planning and flakiness, from run directories."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from harness import pipeline
from harness.compare import Asked, as_markdown, compare, decide
from harness.errors import Incomparable, InvalidFile, UsageError
from harness.flakiness import flakiness
from harness.gating import find_baseline, load_scores, model_of, read_cells
from harness.planning import ASSUMED_CORRELATION, needs
from harness.records import Execution, ModelSpec, RunSpec, to_json
from harness.stats.power import Error
from harness.store.manifest import RUN, SCORES


@pytest.fixture
def made(addition, tmp_path):
    """Return a function that runs 200 sums with a scripted model."""

    def run(name: str, **more):
        arguments = {"text": "none"} if name == "constant" else {}
        spec = RunSpec(tasks=(str(addition),), model=ModelSpec("scripted", name, arguments), **more)
        return pipeline.run(spec, Execution(out=str(tmp_path / "out"))).directory

    return run


def test_a_comparison_is_paired_and_two_sided(made):
    """The p-value is statsmodels' exact McNemar, doubled by Holm over two runs of equal p."""
    found = compare([made("oracle"), made("wrong"), made("constant")])
    known = mcnemar([[0, 200], [0, 0]], exact=True).pvalue
    assert [row.p_value for row in found.rows] == pytest.approx([2 * known] * 2)
    row = found.rows[0]
    assert (row.n, row.lost, row.gained, row.difference) == (200, 200, 0, -1.0)
    assert row.low < -0.97
    assert row.verdict == "regressed"
    flips = found.flips[row.run]
    assert len(flips) == 50
    assert flips[0].input.startswith("What is ")
    assert flips[0].target != (flips[0].got,)
    assert flips[0].was == flips[0].target[0]


def test_other_metrics_and_equal_runs_show_no_difference(made):
    """The same answers differ by 0, with p = 1; a metric can be named."""
    (row,) = compare([made("oracle"), made("oracle")], Asked("exact_match")).rows
    assert (row.difference, row.p_value, row.verdict) == (0.0, 1.0, "not_worse")


@pytest.mark.parametrize(
    ("p_value", "difference", "low", "verdict"),
    [
        (0.5, 0.0, -0.05, "inconclusive"),
        (0.5, 0.0, -0.01, "not_worse"),
        (0.01, 0.1, 0.05, "improved"),
        (0.01, -0.1, -0.15, "regressed"),
        (0.01, -0.005, -0.01, "not_worse"),
        (0.5, 0.0, None, "inconclusive"),
        (0.01, -0.1, None, "regressed"),
    ],
)
def test_what_a_row_shows(p_value, difference, low, verdict):
    """Improved and regressed are beyond chance; a loss within the margin is not worse."""
    assert decide(p_value, difference, low, Asked()) == verdict


def test_the_margin_is_the_readers(made):
    """A wider margin makes equal runs of few samples "not worse"; every output says which."""
    runs = [made("oracle", limit=40), made("oracle", limit=40)]
    narrow, wide = compare(runs), compare(runs, Asked(margin=0.1))
    assert [found.rows[0].verdict for found in (narrow, wide)] == ["inconclusive", "not_worse"]
    assert narrow.rows[0].needed > 40
    assert wide.rows[0].needed is None
    text = as_markdown(wide)
    assert "| ≈ not worse |" in text
    assert "a loss of 10 points or more is excluded" in text
    assert "; needs n ≈ " in as_markdown(narrow)
    data = json.loads(to_json(wide))
    assert (data["margin"], data["rows"][0]["verdict"]) == (0.1, "not_worse")
    with pytest.raises(UsageError, match="--margin"):
        compare(runs, Asked(margin=float("nan")))


def test_clustered_comparisons_double_the_one_sided_p(made):
    """Epochs of one sample are a cluster, and are flipped together."""
    (row,) = compare([made("oracle", epochs=2, limit=5), made("wrong", epochs=2, limit=5)]).rows
    assert row.test == "sign-flip"
    assert (row.n, row.p_value) == (10, pytest.approx(2 * 2**-5))


def test_markdown_has_a_row_for_each_task_and_run(made):
    """The table, the flipped samples, the notes."""
    text = as_markdown(compare([made("oracle"), made("wrong")]))
    assert "| ▼ regressed | <code>sums</code>" in text
    assert "-100.0" in text
    assert text.count("- ▼") == 10


def test_runs_that_asked_differently_are_refused(made):
    """Fresh operands are other questions; one run is no comparison."""
    first = made("oracle")
    with pytest.raises(Incomparable, match="data differs"):
        compare([first, made("oracle", data_seed=3)])
    with pytest.raises(UsageError, match="two runs or more"):
        compare([first])


def test_a_plan_without_a_partner_assumes_a_correlation(made):
    """The formula is n = F·(2·Var(s)·(1-ρ) - δ²)/δ² for a pilot with a known spread."""
    (need,) = needs(made("random"), 0.05)
    spread = 2 * (1 - ASSUMED_CORRELATION) * need.value * (1 - need.value) * 200 / 199
    factor = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2
    least = factor * (1 - 0.05) / 0.05
    wanted = max(factor * (spread - 0.05**2) / 0.05**2, least)
    assert need.needed == int(np.ceil(wanted))
    assert not need.measured


def test_a_plan_against_a_second_run_measures(made):
    """Where all samples differ, the share of discordant pairs is 1."""
    (need,) = needs(made("oracle"), 0.05, against=made("wrong"), error=Error(0.05, 0.9))
    assert (need.spread, need.measured) == (1.0, True)
    with pytest.raises(UsageError, match="--effect"):
        needs(made("oracle"), 0.0)


def test_equal_answers_are_not_flaky(made):
    """Scripted answers never pass at times; failed and unfinished runs are left out."""
    first, second = made("oracle"), made("oracle")
    found = flakiness([first, second])
    assert (found.samples, found.flaky, found.runs) == (200, (), 2)
    (second / RUN).unlink()
    assert flakiness([first, second]).runs == 1
    assert model_of(second) is None
    with pytest.raises(InvalidFile, match="interrupted"):
        load_scores(second)


def test_a_broken_scores_file_is_named(made):
    """What is not the scores of a run is told with its path."""
    run = made("oracle")
    (run / SCORES).write_text('{"cells": [{"task": 1}]}')
    with pytest.raises(InvalidFile, match=r"scores\.json: "):
        read_cells(run)


def test_baseline_is_the_blessed_run_of_the_same_model(made, tmp_path):
    """Several models may have a baseline each; another model gets the last blessed."""
    from harness.baseline import bless

    root = tmp_path / "out"
    runs = {name: made(name) for name in ("oracle", "wrong")}
    blessed = {name: bless(run, root) for name, run in runs.items()}
    for name, path in blessed.items():
        assert find_baseline("@baseline", root, f"scripted/{name}") == path
    last = max(blessed.values())
    assert find_baseline("@baseline", root, "other/model") == last
    assert find_baseline(last.name, root) == last
    (runs["oracle"] / RUN).unlink()
    with pytest.raises(InvalidFile, match="interrupted"):
        bless(runs["oracle"], root)
