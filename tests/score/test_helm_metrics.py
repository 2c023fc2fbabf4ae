"""HELM's formulas, against numbers worked by hand and made with the package that HELM calls."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugins import BUILTIN, load
from harness.records import Choice, ChoiceScore, Outcome, Sample, Transcript
from harness.records import Score as Scored
from harness.score import bias, helm

SURE = [0.1, 0.1, 0.2, 0.35, 0.4, 0.4, 0.4, 0.55, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.97]
DISTINCT = [0.1, 0.12, 0.2, 0.35, 0.4, 0.41, 0.42, 0.55, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.97]
RIGHT = [0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1]


PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(?P<name>\S+)` \| .+ \| (?P<range>[^|]+) \| (?P<better>higher|lower|–) \|"
    r" (?P<interval>\w+) \|$",
    re.MULTILINE,
)


def value(name: str, sure, right) -> float | None:
    """Return a metric over confidences and correctness."""
    columns = {"confidence": np.array(sure, float), "value": np.array(right, float)}
    return load("metric", name).combine(columns)


def test_edges_lie_midway_and_equal_ones_are_one():
    """Three parts of sizes 2, 2, 1; a part that ends where the next begins makes no new edge."""
    assert helm.equal_mass_edges(np.array([0.5, 0.1, 0.3, 0.2, 0.4]), 3).tolist() == pytest.approx(
        [0.25, 0.45, 1.0]
    )
    assert helm.equal_mass_edges(np.array([0.5, 0.5, 0.5, 0.9]), 4).tolist() == pytest.approx(
        [0.5, 0.7, 1.0]
    )


def test_ece_by_hand():
    """Two bins of one kind each: ½·|0.2 - 1| + ½·|0.8 - 0|."""
    sure, right = np.array([0.2, 0.2, 0.8, 0.8]), np.array([1.0, 1.0, 0.0, 0.0])
    assert helm.equal_mass_ece(sure, right, 2) == pytest.approx(0.8)
    assert helm.equal_mass_ece(np.array([]), np.array([]), 10) is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("helm/ece_10_bin", 0.2886666666666667),
        ("helm/ece_1_bin", 0.055333333333333345),
        ("helm/selective_acc@10", 1.0),
        ("helm/selective_cov_acc_area", 0.7496163096163094),
    ],
)
def test_the_package_that_helm_calls_says_the_same(name, wanted):
    """Numbers made with uncertainty-calibration 0.1.4 (get_ece_em, get_selective_stats).

    Its order of equal confidences depends on the machine, so the latter two get none.
    """
    sure = DISTINCT if "selective" in name else SURE
    assert value(name, sure, RIGHT) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(("n", "kept"), [(1, 1), (9, 1), (10, 2), (25, 3)])
def test_a_tenth_is_an_index_and_not_a_count(n, kept):
    """⌊0.1 n⌋ + 1 answers are averaged: two of ten."""
    sure = np.linspace(1, 0.1, n)
    right = np.arange(n) == 0
    assert value("helm/selective_acc@10", sure, right) == pytest.approx(1 / kept)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), min_size=1, max_size=30))
def test_one_bin_is_the_difference_of_means(rows):
    """And ten bins can only show more."""
    sure, right = (np.array(column, float) for column in zip(*rows, strict=True))
    one = value("helm/ece_1_bin", sure, right)
    assert one == pytest.approx(abs(sure.mean() - right.mean()), abs=1e-9)
    assert one <= value("helm/ece_10_bin", sure, right) + 1e-9


@pytest.mark.parametrize(
    ("answer", "target", "wanted"),
    [("yes yes no", "yes", 2 / 3), ("The cat!", "a CAT", 1.0), ("the", "cat", 0.0), ("", "", 0.0)],
)
def test_f1_is_over_sets_of_words(answer, target, wanted):
    """A word said twice counts once, articles not at all."""
    sample = Sample("t", "s", "q", target=(target,))
    score = Scored("ok", {}, answer=answer)
    assert helm.HELM_F1.score(Outcome(sample, ()), score) == pytest.approx(wanted)
    assert helm.HELM_F1.score(Outcome(sample, ()), Scored("unparsed", {})) == 0.0


def ranked(unconditional) -> float | None:
    """Rank two options, the second right, the first likelier by itself."""
    choices = tuple(
        ChoiceScore(text, loglikelihood, alone, 1, None)
        for text, loglikelihood, alone in zip(("a", "b"), (-1.0, -3.0), unconditional, strict=True)
    )
    sample = Sample("t", "s", "q", method="rank", choices=(Choice("a"), Choice("b")), gold=1)
    score = Scored("ok", {}, answer="a")
    return helm.ACCURACY_PMI.score(Outcome(sample, (), Transcript((), choices)), score)


def test_pmi_divides_by_what_an_option_is_worth_alone():
    """-3 - (-6) beats -1 - (-0.5); without unconditional likelihoods it is blank."""
    assert ranked((-0.5, -6.0)) == 1.0
    assert ranked((-4.0, -3.0)) == 0.0
    assert ranked((-0.5, None)) is None


def test_association_is_helms_sum_over_texts():
    """C(nurse) = 2·2 + 0 women's and 2·0 + 1·1 men's; C(chef) all men's: (.3 + .5)/2."""
    nurse, chef = (
        next(i for i, (en, _) in enumerate(bias.PROFESSIONS) if en.startswith(name))
        for name in ("nurse", "chef")
    )
    codes = [2 << (2 * nurse), (1 << (2 * nurse)) + (1 << (2 * chef)), 0]
    columns = {
        "value": np.array(codes, float),
        "women_words": np.array([2.0, 0.0, 5.0]),
        "men_words": np.array([0.0, 1.0, 5.0]),
    }
    assert helm.association(columns) == pytest.approx((0.3 + 0.5) / 2)
    nothing = {**columns, "value": np.zeros(3)}
    assert helm.association(nothing) is None


def test_representation_pools_all_words():
    """9 women's words of 12: ¼ from even, though most texts speak of men."""
    columns = {"value": np.array([9.0, 0.0, 0.0, 0.0]), "men_words": np.array([0.0, 1.0, 1.0, 1.0])}
    assert load("metric", "helm/representation_gender").combine(columns) == pytest.approx(0.25)
    origins = {"value": np.array([bias.encode([0, 0, 3, 1, 0], 10, 1023)])}
    assert load("metric", "helm/representation_origin").combine(origins) == pytest.approx(0.6)


def test_the_page_names_every_metric_once():
    """docs/metrics.md and the registry hold the same names, and every row is well formed."""
    found = [row["name"] for row in ROW.finditer(PAGE)]
    assert sorted(found) == sorted(BUILTIN["metric"])
    assert len(found) == sum(line.startswith("| `") for line in PAGE.splitlines())


@pytest.mark.parametrize("row", list(ROW.finditer(PAGE)), ids=lambda row: row["name"])
def test_the_page_tells_direction_and_interval(row):
    """What the page says of a metric is what its object says."""
    metric = load("metric", row["name"])
    assert metric.name == row["name"]
    assert {True: "higher", False: "lower", None: "–"}[metric.higher_is_better] == row["better"]
    linear = getattr(metric, "terms", None) is not None
    assert row["interval"] == ("linearised" if linear else metric.interval)
