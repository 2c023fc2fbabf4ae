"""Toxicity by a judge: beside whatever else scores a text, and taking nothing from it."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

ROWS = [
    {"question": f"Say {i}.", "answer": str(i), "say": text}
    for i, text in enumerate(["4", "You stupid idiot, it is 5", "hush", "It is 7", "8", ""])
]
TASK = """\
task: manners
data: {file: rows.jsonl}
prompt: "{{ question }}"
target: "{{ answer }}"
extract: [text]
metrics: [exact_match]
oracle: "{{ say }}"
"""
JUDGE = """\
def answer(messages):
    body = "".join(one["content"] for one in messages).rsplit("<<<ANSWER", 1)[-1]
    if "hush" in body:
        return "I cannot judge this."
    return "VERDICT: 2" if "idiot" in body else "VERDICT: 0"
"""


@pytest.fixture
def manners(tmp_path):
    """Six texts: one insults, one leaves the judge speechless, one is empty."""
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    (tmp_path / "polite.py").write_text(JUDGE)
    path = tmp_path / "manners.yaml"
    path.write_text(TASK)
    return path


def ran(harness, task, tmp_path, *flags):
    """Return a run's directory, its rows by question and its cells by metric."""
    done = harness("run", task, "--model", "scripted/oracle", "--json", *flags)
    assert done.code == 0, done.err
    run = tmp_path / json.loads(done.out)["run"]
    return run, *read(run)


def read(run):
    """Return the rows of a run by question, and its cells by metric."""
    rows = pq.read_table(run / "samples.parquet").to_pylist()
    cells = json.loads((run / "scores.json").read_text())["cells"]
    return {row["input"]: row for row in rows}, {cell["metric"]: cell for cell in cells}


def test_a_judge_fills_the_toxicity_group(harness, manners, tmp_path):
    """Level 2 of 0 to 3 is two thirds; the mean has an interval within 0 to 1; lower is better."""
    _, rows, cells = ran(harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer")
    cell = cells["toxicity"]
    assert (cell["group"], cell["higher_is_better"]) == ("toxicity", False)
    assert cell["value"] == pytest.approx((2 / 3) / 4)
    assert 0 <= cell["low"] < cell["value"] < cell["high"] <= 1
    assert dict(rows["Say 1."]["scores"])["toxicity"] == pytest.approx(2 / 3)
    assert rows["Say 1."]["verdicts"][0]["verdict"] == "2"


def test_a_missing_verdict_takes_nothing_from_the_other_scores(harness, manners, tmp_path):
    """The sample stays ok; the toxicity cell alone counts it as unjudged, and has bounds."""
    run, rows, cells = ran(harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer")
    assert rows["Say 2."]["status"] == "ok"
    assert "toxicity" not in dict(rows["Say 2."]["scores"])
    assert cells["exact_match"]["unjudged"] == 0
    assert (cells["toxicity"]["n"], cells["toxicity"]["unjudged"]) == (4, 1)
    assert cells["toxicity"]["bound_low"] == pytest.approx((2 / 3) / 5)
    assert cells["toxicity"]["bound_high"] == pytest.approx((2 / 3 + 1) / 5)
    judge = json.loads((run / "run.json").read_text())["judges"]["toxicity"]
    assert judge["metric"] == "toxicity"
    assert judge["scores"][0]["unreliable"] is True


def test_an_empty_text_is_not_put_to_the_judge(harness, manners, tmp_path):
    """Nothing written is neither toxic nor harmless, as for the word list."""
    _, rows, _ = ran(harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer")
    assert rows["Say 5."]["verdicts"] is None


def test_the_scripted_judge_knows_the_list_of_words(harness, manners, tmp_path):
    """scripted/perfect gives the highest level to an insult of the list; both metrics agree."""
    _, rows, cells = ran(harness, manners, tmp_path, "--judge", "toxicity=scripted/perfect")
    assert rows["Say 1."]["verdicts"][0]["verdict"] == "3"
    assert cells["toxicity"]["value"] == cells["toxicity_lexicon"]["value"] == pytest.approx(1 / 5)


def test_two_judges_share_a_sample(harness, manners, tmp_path):
    """One judges rightness, the task's own score; a sample without it is in neither mean."""
    manners.write_text(TASK.replace("[exact_match]", "[judged]"))
    (tmp_path / "half.py").write_text(
        "def answer(messages):\n"
        "    body = ''.join(one['content'] for one in messages).rsplit('<<<ANSWER', 1)[-1]\n"
        "    return 'Hm.' if 'It is 7' in body else 'VERDICT: correct'\n"
    )
    _, rows, cells = ran(
        harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer",
        "--judge", "correct=python/half:answer",
    )  # fmt: skip
    signed = [verdict["judge"] for verdict in rows["Say 1."]["verdicts"]]
    assert signed == ["correct", "toxicity"]
    assert rows["Say 3."]["status"] == "unjudged"
    assert cells["toxicity"]["unjudged"] == 2
    assert cells["judged"]["unjudged"] == 1


def test_rescoring_keeps_what_the_judge_said(harness, manners, tmp_path):
    """Its verdicts, its cell and its bounds stand."""
    run, before, cells = ran(harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer")
    done = harness("rescore", run)
    assert done.code == 0, done.err
    assert "0 of 6 samples" in done.out
    after, again = read(run)
    assert again == cells
    assert [row["verdicts"] for row in after.values()] == [r["verdicts"] for r in before.values()]


def test_runs_of_different_judges_are_told_apart(harness, manners, tmp_path):
    """A comparison of toxicity says so; one of the task's own metric is left in peace."""
    first, _, _ = ran(harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer")
    second, _, _ = ran(harness, manners, tmp_path, "--judge", "toxicity=scripted/perfect")
    done = harness("compare", first, second)
    assert done.code == 0, done.err
    assert "different judges" not in done.out
    done = harness("compare", first, second, "--metric", "toxicity")
    assert "the two runs had different judges" in " ".join(done.out.split())
    assert "no verdict on 0 of 6 samples, the other run on 1" in " ".join(done.out.split())


def test_a_judge_of_pairs_cannot_fill_it(harness, tmp_path):
    """Toxicity is of one text."""
    (tmp_path / "bad.yaml").write_text(
        "judge: bad\nmode: pairwise\nmetric: toxicity\nprompt: '{{ answer_a }}'\n"
    )
    done = harness("validate", "bad.yaml")
    assert done.code == 2
    assert "bad.yaml:3: metric: mode pairwise compares" in done.err


def test_a_board_can_check_judged_and_corrected_cells(harness, manners, tmp_path):
    """What verdicts are missing is read from the samples again; corrected cells are passed by."""
    run, rows, _ = ran(
        harness, manners, tmp_path, "--judge", "toxicity=python/polite:answer",
        "--judge", "correct=scripted/lenient",
    )  # fmt: skip
    labels = [{"task": "manners", "sample_id": row["sample_id"], "label": i % 2}
              for i, row in enumerate(rows.values())]  # fmt: skip
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
    done = harness("judge", "correct", run, "--labels", "labels.jsonl")
    assert done.code == 0, done.err
    done = harness("board", "check", "results")
    assert done.code == 0, done.out
    assert "error" not in done.out
    cells = json.loads((run / "scores.json").read_text())["cells"]
    for cell in cells:
        if cell["metric"] == "toxicity":
            cell["unjudged"] = 0
    (run / "scores.json").write_text(json.dumps({"cells": cells}))
    done = harness("board", "check", "results")
    assert "manners toxicity: unjudged 0 stored, 1 from the samples" in done.out
