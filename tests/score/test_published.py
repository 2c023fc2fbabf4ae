"""Scoring rules of published definitions: TruthfulQA's share, GSM8K's figures, LAMBADA's words."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile
from harness.records import ChoiceScore, Extraction, Failure, Outcome, Response, Sample, Score
from harness.records import Transcript as Said
from harness.score import published, truthfulqa

LOGS = st.lists(st.floats(-500, 0), min_size=2, max_size=6)


def outcome(sample: Sample, *choices: ChoiceScore) -> Outcome:
    """The outcome of asking for the likelihood of options."""
    return Outcome(sample, (), transcript=Said((Response(),), choices=choices))


def choice(loglikelihood: float, *, greedy: bool | None = None) -> ChoiceScore:
    """One option."""
    return ChoiceScore("x", loglikelihood, None, 1, greedy)


@pytest.mark.parametrize("module", [published, truthfulqa])
def test_examples_in_docstrings_hold(module):
    """Every example in the two modules gives what it says."""
    done = doctest.testmod(module)
    assert done.attempted > 0
    assert done.failed == 0


@given(LOGS, st.data())
def test_the_share_is_that_of_probabilities(logs, data):
    """Taking out the greatest first leaves the definition's share as it is."""
    labels = data.draw(st.lists(st.sampled_from([0, 1]), min_size=len(logs), max_size=len(logs)))
    found = truthfulqa.true_mass(logs, labels)
    assert 0 <= found <= 1
    probabilities = np.exp(np.array(logs, dtype=np.longdouble))
    wanted = float(probabilities[np.array(labels) == 1].sum() / probabilities.sum())
    assert found == pytest.approx(wanted, abs=1e-9)


@given(LOGS)
def test_true_and_false_shares_make_one(logs):
    """What does not fall on the true answers falls on the others."""
    labels = [i % 2 for i in range(len(logs))]
    other = [1 - label for label in labels]
    both = truthfulqa.true_mass(logs, labels) + truthfulqa.true_mass(logs, other)
    assert both == pytest.approx(1)


@pytest.mark.parametrize(
    "targets", [{"choices": ["a", "b"], "labels": [1, 0]}, {"a": 1, "b": 0}], ids=["hub", "authors"]
)
def test_both_forms_of_the_rows_give_one_score(targets):
    """The hub's lists and the authors' mapping mean the same."""
    sample = Sample("t", "id", "", fields={"mc2_targets": targets})
    found = truthfulqa.MC2.score(outcome(sample, choice(-1), choice(-2)), Score("ok"))
    assert found == pytest.approx(1 / (1 + math.exp(-1)))


@pytest.mark.parametrize("targets", [None, [], {}, {"labels": "1"}, {"a": 2}, {"labels": []}])
def test_rows_without_labels_are_refused(targets):
    """A row whose labels are missing or odd is blamed on its field."""
    with pytest.raises(InvalidFile, match="labels 0 or 1") as caught:
        truthfulqa.labels_of({"mc2_targets": targets})
    assert caught.value.key == "mc2_targets"


def test_what_was_not_scored_has_no_value():
    """A failed sample, a chat answer and impossible options give no number."""
    sample = Sample("t", "id", "", fields={"mc2_targets": {"a": 1, "b": 0}})
    failed = Outcome(sample, (), failure=Failure("server", "x"))
    metrics = (truthfulqa.MC2, published.GREEDY_MATCH, published.PERPLEXITY)
    for metric in metrics:
        assert metric.score(failed, Score("error")) is None
        assert metric.score(outcome(sample), Score("ok")) is None
    never = outcome(sample, choice(-math.inf), choice(-math.inf))
    assert truthfulqa.MC2.score(never, Score("ok")) is None
    assert published.GREEDY_MATCH.score(outcome(sample, choice(-1)), Score("ok")) is None


def test_greedy_and_perplexity_of_a_target():
    """Perplexity is exp of minus the mean log-likelihood of whole targets."""
    sample = Sample("t", "id", "")
    ok = Score("ok")
    asked = [outcome(sample, choice(-1, greedy=True)), outcome(sample, choice(-3, greedy=False))]
    assert [published.GREEDY_MATCH.score(one, ok) for one in asked] == [1.0, 0.0]
    logs = np.array([published.PERPLEXITY.score(one, ok) for one in asked])
    columns = {"value": logs, "confidence": np.full(2, np.nan)}
    assert published.PERPLEXITY.combine(columns) == pytest.approx(math.exp(2))
    assert published.perplexity(np.array([])) is None


def test_a_reference_without_a_number_matches_nothing():
    """`final_number` compares numbers; a solution without one is never reached."""
    sample = Sample("t", "id", "", target=("no figure here",))
    found = Score("ok", answer="7", extraction=Extraction("7", "number:last", value="7"))
    assert published.FINAL_NUMBER.score(outcome(sample), found) == 0.0


@given(st.text(max_size=300))
def test_cleaning_is_total_and_settles(text):
    """Any text can be cleaned, and lower case stays."""
    for clean in (published.plain, published.plain_without_articles, published.bare_line):
        assert clean(text) == clean(text).lower() or not clean(text).isascii()
    assert "," not in published.figure(text)
    assert "$" not in published.figure(text)
