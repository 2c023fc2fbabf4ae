"""Corrected scores: what they are worth, what warns, and that they outlive a rescoring."""

from __future__ import annotations

import json

import pytest

from harness.correcting import correct, corrected_again, draw, key_of
from harness.differences import corrected_difference
from harness.errors import UsageError
from harness.store.manifest import read_json

TASK = """\
task: cities
data: {file: rows.jsonl}
prompt: "{{ question }}"
target: "{{ answers }}"
extract: [text]
metrics: [judged]
judge: correct
oracle: "{{ say }}"
wrong: "{{ other }}"
"""
JUDGE = """\
def answer(messages):
    body = "".join(one["content"] for one in messages).rsplit("<<<ANSWER", 1)[-1]
    if "mute" in body:
        return "Who knows."
    return "VERDICT: correct" if "town" in body or "odd" in body else "VERDICT: incorrect"
"""
COUNT = 60


def said(i: int, right: int) -> str:
    """What a system says: right on `right` of ten; a tenth mutes the judge, a tenth misleads it."""
    if i % 10 == 9:
        return f"mute {i}"
    if i % 10 == 8:
        return f"odd {i}"
    return f"surely town {i}" if i % 10 < right else f"nowhere {i}"


@pytest.fixture
def runs(harness, tmp_path):
    """Two systems, right on 7 and on 4 of ten, judged by one judge who errs."""
    rows = [
        {"question": f"City {i}?", "answers": [f"town {i}"], "say": said(i, 7), "other": said(i, 4)}
        for i in range(COUNT)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "cities.yaml").write_text(TASK)
    (tmp_path / "judge.py").write_text(JUDGE)
    found = []
    for model in ("scripted/oracle", "scripted/wrong"):
        done = harness("run", "cities.yaml", "--model", model, "--json",
                       "--judge", "correct=python/judge:answer")  # fmt: skip
        assert done.code == 0, done.err
        found.append(tmp_path / json.loads(done.out)["run"])
    return found


def labelled(run, count=COUNT):
    """Label a random subset truly."""
    path = run.parent / f"{run.name}.jsonl"
    lines = [
        json.dumps({"key": row.key, "label": int("town" in (row.shown["answer"] or ""))})
        for row in draw(run, count)
    ]
    path.write_text("\n".join(lines))
    return path


def corrected_cells(run):
    """Return the cells that are no raw ones."""
    return [cell for cell in read_json(run / "scores.json")["cells"] if cell["estimate"] != "raw"]


def test_what_is_stored_says_what_it_is_worth(runs):
    """Labels, verdicts, λ, the effective number of labels and the warnings are all on record."""
    run = runs[0]
    (found,) = correct(run, labelled(run, 40))
    stored = read_json(run / "corrections.json")
    assert stored["differences"] == []
    (kept,) = stored["corrections"]
    assert (kept["n"], kept["labels"]) == (54, found.labels)
    assert kept["corrected"]["ppi++"]["effective_n"] > found.labels
    assert 0 < kept["corrected"]["ppi++"]["weight"] <= 1
    assert any(" below 200 " in warning for warning in kept["warnings"])
    assert any("have no verdict and are left out" in warning for warning in kept["warnings"])


def test_corrected_cells_outlive_a_rescoring(harness, runs):
    """The labels stay with the run, so rescoring corrects again; without labels nothing does."""
    run = runs[0]
    assert corrected_again(run) == []
    correct(run, labelled(run))
    before, stored = corrected_cells(run), read_json(run / "corrections.json")
    assert {cell["estimate"] for cell in before} == {"ppi++", "rogan-gladen"}
    done = harness("rescore", run)
    assert done.code == 0, done.err
    assert corrected_cells(run) == before
    assert read_json(run / "corrections.json") == stored
    assert "(ppi++)" in harness("show", run).out


def test_labels_that_no_longer_meet_a_verdict_leave_no_corrected_cell(runs):
    """A correction of scores that are gone would be one of nothing."""
    run = runs[0]
    path = labelled(run)
    correct(run, path)
    mute = next(i for i in range(COUNT) if i % 10 == 9)
    keys = [json.loads(line)["key"] for line in path.read_text().splitlines()]
    kept = [row.key for row in draw(run, COUNT) if row.shown["answer"] == f"mute {mute}"]
    assert set(kept) < set(keys)
    (run / "labels.jsonl").write_text(json.dumps({"key": kept[0], "label": 1}))
    assert corrected_again(run) == []
    assert corrected_cells(run) == []
    with pytest.raises(UsageError, match="no labelled sample has a judged score"):
        correct(run, run / "labels.jsonl")


def test_a_corrected_difference_is_kept_with_its_warnings(harness, runs):
    """Raw and corrected with intervals, missing verdicts of either side, few labels; stored."""
    first, second = runs
    one, two = labelled(first, 40), labelled(second, 40)
    (gap,) = corrected_difference(first, second, (one, two))
    assert gap.raw == pytest.approx(0.3 * COUNT / 54)
    assert gap.raw_low < gap.raw < gap.raw_high
    assert gap.low <= 0.3 * COUNT / 54 <= gap.high
    assert (gap.n, gap.against) == (54, second.name)
    assert (gap.missing.own, gap.missing.other, gap.missing.p_value) == (6, 6, 1.0)
    assert any("below 200" in warning for warning in gap.warnings)
    for _ in range(2):  # again replaces
        done = harness("judge", "correct", first, "--labels", one, "--against", second,
                       "--labels-against", two)  # fmt: skip
        assert done.code == 0, done.err
    assert "no verdict on 6 of 60 samples, the other run on 6" in done.out
    assert "below 200" in done.out
    assert len(read_json(first / "corrections.json")["differences"]) == 1


def test_judges_that_differ_are_warned_of(harness, runs, tmp_path):
    """A difference between systems under two judges is also one between judges."""
    done = harness("run", "cities.yaml", "--model", "scripted/wrong", "--json",
                   "--judge", "correct=scripted/lenient")  # fmt: skip
    other = tmp_path / json.loads(done.out)["run"]
    labels = [labelled(run) for run in (runs[0], other)]
    (gap,) = corrected_difference(runs[0], other, labels)
    assert "the two runs had different judges" in gap.warnings


def test_labels_that_were_not_drawn_are_doubted(runs):
    """PPI needs a random subset: passing over drawn samples, or adding others, is told."""
    run = runs[0]
    path = labelled(run, 30)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[5:]))
    assert any("passed over" in warning for warning in correct(run, path)[0].warnings)
    plan = read_json(run / "label-plan.json")["keys"]
    row = next(row for row in draw(run, COUNT) if row.key not in plan)
    draw(run, 30)
    path.write_text("\n".join([*lines, json.dumps({"key": row.key, "label": 1})]))
    assert any("not drawn" in warning for warning in correct(run, path)[0].warnings)
    path.write_text("\n".join(lines))
    assert not any("drawn" in warning for warning in correct(run, path)[0].warnings)
    assert key_of(row.item) == row.key
