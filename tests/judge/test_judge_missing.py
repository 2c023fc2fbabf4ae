"""Missing verdicts: what they leave open, when a score is unreliable, whether they are unequal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.missing import missing
from harness.stats.agreement import fisher_exact

PLACE = ("t", "default", "original")
TASK = """\
task: silent
data: {file: rows.jsonl}
prompt: "{{ question }}"
target: "{{ answer }}"
extract: [text]
metrics: [judged]
judge: correct
oracle: "{{ say }}"
wrong: "{{ other }}"
"""
JUDGE = """\
def answer(messages):
    body = "".join(one["content"] for one in messages).rsplit("<<<ANSWER", 1)[-1]
    return "Who knows." if "mute" in body else "VERDICT: correct"
"""


def statuses(count, lost):
    """Return the statuses of so many samples, the first of them without a verdict."""
    return {i: "unjudged" if i < lost else "ok" for i in range(count)}


def test_the_lady_tasting_tea():
    """Fisher's own table: 3 of 4 against 1 of 4 has p = 34/70."""
    assert fisher_exact((3, 1), (1, 3)) == pytest.approx(34 / 70)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_test_does_not_care_which_side_is_first(a, b, c, d):
    """Both orders give one p, and equal shares never differ."""
    assert fisher_exact((a, b), (c, d)) == pytest.approx(fisher_exact((c, d), (a, b)))
    assert fisher_exact((a, b), (a, b)) == pytest.approx(1.0)


def test_nothing_missing_is_nothing_to_tell():
    """Two fully judged runs have no line; a failed sample is no missing verdict."""
    assert missing(PLACE, "b", statuses(9, 0), statuses(9, 0)) is None
    assert missing(PLACE, "b", {1: "error"}, {1: "unjudged"}) is None


def test_unequal_gaps_are_told_as_such():
    """12 of 100 against 1 of 100 is beyond chance, 3 against 1 is not."""
    found = missing(PLACE, "b", statuses(100, 12), statuses(100, 1))
    assert (found.n, found.own, found.other) == (100, 12, 1)
    assert found.unequal
    assert "missing unequally" in str(found)
    found = missing(PLACE, "b", statuses(100, 3), statuses(100, 1))
    assert not found.unequal
    assert str(found).endswith("left out of both")


@pytest.fixture
def silent(tmp_path):
    """A hundred answers; the judge says nothing of the first k of scripted/oracle's."""

    def made(oracle: int, wrong: int = 0):
        rows = [
            {"question": f"What is {i}?", "answer": f"it is {i} exactly",
             "say": f"mute {i}" if i < oracle else f"about {i}",
             "other": f"mute {i}" if i < wrong else f"over {i}"}
            for i in range(100)
        ]  # fmt: skip
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        (tmp_path / "silent.yaml").write_text(TASK)
        (tmp_path / "half.py").write_text(JUDGE)
        return tmp_path / "silent.yaml"

    return made


def ran(harness, task, tmp_path, model="scripted/oracle"):
    """Return a run's directory and what it printed."""
    done = harness("run", task, "--model", model, "--judge", "correct=python/half:answer")
    assert done.code == 0, done.err
    return tmp_path / done.out.splitlines()[-1], done.out


def test_two_in_a_hundred_are_borne(harness, silent, tmp_path):
    """2 % missing is told with its bounds; the score is not marked."""
    run, out = ran(harness, silent(2), tmp_path)
    (score,) = json.loads((run / "run.json").read_text())["judges"]["correct"]["scores"]
    assert (score["asked"], score["missing"], score["n"]) == (100, 2, 98)
    assert (score["bound_low"], score["bound_high"]) == (0.98, 1.0)
    assert score["coverage"] == 0.98
    assert score["unreliable"] is False
    assert "2 of 100 verdicts missing (2.0%)" in out
    assert "unreliable" not in out


def test_three_in_a_hundred_make_a_score_unreliable(harness, silent, tmp_path):
    """Above 2 % the score is marked in the table, below it, in run.json and by show."""
    run, out = ran(harness, silent(3), tmp_path)
    (score,) = json.loads((run / "run.json").read_text())["judges"]["correct"]["scores"]
    assert score["unreliable"] is True
    shown = harness("show", run).out
    for text in (out, shown):
        assert "? 1.000" in text
        assert "3 of 100 verdicts missing (3.0%), coverage 97.0%" in text
        assert "somewhere in 0.970 … 1.000; unreliable" in text
    done = harness("rescore", run)
    assert done.code == 0, done.err
    again = json.loads((run / "run.json").read_text())["judges"]["correct"]["scores"]
    assert again == [score]


def test_a_score_without_any_verdict_says_why(harness, silent, tmp_path):
    """No failure of the model is blamed for the judge's silence."""
    run, out = ran(harness, silent(100), tmp_path)
    assert "the judge gave no verdict" in out
    (score,) = json.loads((run / "run.json").read_text())["judges"]["correct"]["scores"]
    assert (score["value"], score["bound_low"], score["bound_high"]) == (None, 0.0, 1.0)


def test_a_silent_judge_takes_nothing_from_a_tasks_own_metrics(harness, silent, tmp_path):
    """Where another metric comes first the sample keeps its scores; `judged` alone has gaps."""
    task = silent(40)
    task.write_text(TASK.replace("metrics: [judged]", "metrics: [quasi_exact_match, judged]"))
    run, out = ran(harness, task, tmp_path)
    cells = {c["metric"]: c for c in json.loads((run / "scores.json").read_text())["cells"]}
    assert (cells["quasi_exact_match"]["n"], cells["quasi_exact_match"]["unjudged"]) == (100, 0)
    assert (cells["judged"]["n"], cells["judged"]["unjudged"]) == (60, 40)
    assert (cells["judged"]["bound_low"], cells["judged"]["bound_high"]) == (0.6, 1.0)
    record = json.loads((run / "run.json").read_text())["judges"]["correct"]
    assert record["scores"][0]["unreliable"] is True
    assert record["missing_reasons"] == {"no verdict is announced": 40}
    assert "missing for: no verdict is announced (40)" in out
    done = harness("rescore", run)
    assert done.code == 0, done.err
    assert "0 of 100 samples" in done.out
    again = {c["metric"]: c for c in json.loads((run / "scores.json").read_text())["cells"]}
    assert again == cells


def test_a_comparison_tells_unequal_gaps(harness, silent, tmp_path):
    """Missing in either run is out of both; Fisher's exact test stands in a note and in JSON."""
    task = silent(2, 15)
    first, _ = ran(harness, task, tmp_path)
    second, _ = ran(harness, task, tmp_path, "scripted/wrong")
    done = harness("compare", first, second)
    assert done.code == 0, done.err
    assert "no verdict on 15 of 100 samples, the other run on 2" in " ".join(done.out.split())
    assert "missing unequally" in " ".join(done.out.split())
    found = json.loads(harness("compare", first, second, "--json").out)
    assert found["rows"][0]["n"] == 85
    assert found["missing"][0]["p_value"] < 0.01
