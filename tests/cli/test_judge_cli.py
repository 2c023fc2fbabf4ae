"""harness judge and harness label as their users meet them."""

from __future__ import annotations

import json
import re

import pyarrow.parquet as pq
import pytest

ROWS = [
    {"question": f"What comes after {i}?", "answers": [str(i + 1)],
     "say": f"That is {i + 1}, I think" if i % 4 else f"That is {i + 3}, I think"}
    for i in range(40)
]  # fmt: skip
TASK = """\
task: next
data: {file: rows.jsonl}
prompt: "{{ question }}"
target: "{{ answers }}"
extract: [text]
metrics: [judged]
judge: correct
oracle: "{{ say }}"
wrong: "No idea."
"""


@pytest.fixture
def counting(tmp_path):
    """Forty questions; scripted/oracle is right on three of four, in words."""
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    path = tmp_path / "next.yaml"
    path.write_text(TASK)
    return path


@pytest.fixture
def judged(harness, counting, tmp_path):
    """A run judged by a lenient judge, whose score is too high."""
    done = harness("run", counting, "--model", "scripted/oracle", "--json",
                   "--judge", "correct=scripted/lenient")  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / json.loads(done.out)["run"]


def drawn(harness, run, count=30):
    """Draw a subset and label it truly, as a person would."""
    done = harness("label", run, "--n", count)
    assert done.code == 0, done.err
    page = (run / "label.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    lines = []
    for item in data["items"]:
        right = item["reference"] in item["answer"].replace(",", " ").split()
        lines.append(json.dumps({"key": item["key"], "label": 1 if right else 0}))
    labels = run.parent / "labels.jsonl"
    labels.write_text("\n".join(lines))
    return labels, page, data


def test_calibration_with_the_labels_that_ship(harness):
    """200 labelled items and more, with every number that judges are compared by."""
    done = harness("judge", "calibrate", "correct", "-m", "scripted/perfect", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["labels"] >= 200
    assert {"accuracy", "kappa", "sensitivity", "specificity"} <= set(found["numbers"])
    assert found["missing"] == 0


def test_labels_are_drawn_at_random_and_blind(harness, judged):
    """The page names neither model nor judge, and the plan is kept."""
    _, page, data = drawn(harness, judged)
    assert len(data["items"]) == 30
    assert "lenient" not in page
    assert "oracle" not in page
    assert len(json.loads((judged / "label-plan.json").read_text())["keys"]) == 30


def test_a_corrected_score_is_nearer_the_truth(harness, judged):
    """30 true labels: the judge's 90 % becomes about 75 %, with an interval that holds it."""
    labels, _, _ = drawn(harness, judged)
    before = json.loads((judged / "scores.json").read_text())["cells"]
    for _ in range(2):  # running it again replaces the corrected cells
        done = harness("judge", "correct", judged, "--labels", labels)
        assert done.code == 0, done.err
    cells = json.loads((judged / "scores.json").read_text())["cells"]
    assert [cell for cell in cells if cell["estimate"] == "raw"] == before
    (corrected,) = [cell for cell in cells if cell["estimate"] == "ppi++"]
    (raw,) = [cell for cell in before if cell["metric"] == "judged"]
    assert abs(corrected["value"] - 0.75) < abs(raw["value"] - 0.75)
    assert corrected["low"] <= 0.75 <= corrected["high"]
    assert sum(cell["estimate"] == "rogan-gladen" for cell in cells) == 1
    stored = json.loads((judged / "corrections.json").read_text())["corrections"][0]
    assert stored["labels"] == 30
    assert stored["corrected"]["ppi++"]["effective_n"] > 0
    assert any("below 200" in warning for warning in stored["warnings"])
    assert (judged / "labels.jsonl").is_file()


def test_labels_of_another_run_are_refused(harness, judged, tmp_path):
    """A key that names no sample is an error, not a missing row."""
    path = tmp_path / "labels.jsonl"
    path.write_text('{"key": "0000", "label": 1}')
    done = harness("judge", "correct", judged, "--labels", path)
    assert done.code == 2
    assert "name no sample" in done.err


def test_a_label_off_the_scale_is_named(harness, judged, tmp_path):
    """File, line and what is allowed."""
    path = tmp_path / "labels.csv"
    path.write_text("task,sample_id,label\nnext,x,7\n")
    done = harness("judge", "correct", judged, "--labels", path)
    assert done.code == 2
    assert "from 0 to 1" in done.err


def test_the_difference_of_two_systems_is_corrected(harness, counting, judged, tmp_path):
    """PPI on paired differences: two runs, each with labels of the same samples."""
    done = harness("run", counting, "--model", "scripted/wrong", "--json",
                   "--judge", "correct=scripted/lenient")  # fmt: skip
    assert done.code == 0, done.err
    other = tmp_path / json.loads(done.out)["run"]
    first, _, one = drawn(harness, judged)
    first = first.rename(tmp_path / "first.jsonl")
    second, _, two = drawn(harness, other)
    assert [item["key"] for item in one["items"]] == [item["key"] for item in two["items"]]
    done = harness("judge", "correct", judged, "--labels", first, "--against", other,
                   "--labels-against", second, "--json")  # fmt: skip
    assert done.code == 0, done.err
    (gap,) = json.loads(done.out)
    assert gap["labels"] == 30
    assert gap["low"] <= 0.75 <= gap["high"]
    assert abs(gap["value"] - 0.75) < abs(gap["raw"] - 0.75)


def test_an_arena_ranks_runs(harness, counting, judged, tmp_path):
    """The better answers come out on top; pairs are kept with both orders."""
    done = harness("run", counting, "--model", "scripted/wrong", "--json",
                   "--judge", "correct=scripted/lenient")  # fmt: skip
    other = tmp_path / json.loads(done.out)["run"]
    done = harness(
        "judge", "arena", judged, other, "--judge", "pairwise=scripted/perfect", "--json"
    )
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [row["model"] for row in found["ranks"]] == ["scripted/oracle", "scripted/wrong"]
    assert (found["ranks"][0]["rank_low"], found["ranks"][0]["rank_high"]) == (1, 1)
    assert found["ranks"][0]["win_rate"] == pytest.approx(0.875)
    pairs = pq.read_table(tmp_path / found["directory"] / "pairs.parquet").to_pylist()
    assert len(pairs) == 80
    assert {row["order"] for row in pairs} == {"ab", "ba"}
    assert {"task", "sample_id", "run_a", "run_b", "model_a", "model_b", "order", "verdict",
            "judge", "length_a", "bold_b"} <= set(pairs[0])  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "corect", "-m", "scripted/perfect"], "did you mean 'correct'"),
        (["audit", "correct", "-m", "scripted/perfct"], "did you mean 'perfect'"),
        (["audit", "panel", "-m", "first=scripted/perfect"], "--model second="),
        (["calibrate", "correct", "-m", "scripted/perfect", "--labels", "none.jsonl"],
         "no such file"),
        (["calibrate", "correct", "-m", "scripted/perfect", "--form", "pandlm", "--labels", "x"],
         "did you mean 'pandalm'"),
        (["arena", "@latest", "--judge", "pairwise=scripted/perfect"], "no finished run"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_line_and_exit_two(harness, arguments, message):
    """What was wrong and what is allowed; no traceback."""
    done = harness("judge", *arguments)
    assert done.code == 2, done.err
    assert message in done.err
    assert "Traceback" not in done.err


def test_judge_files_are_validated_and_have_a_schema(harness, tmp_path):
    """As task files: a mistake names file, line and key."""
    (tmp_path / "bad.yaml").write_text("judge: bad\nmode: pairwise\nprompt: '{{ answer }}'\n")
    done = harness("validate", "bad.yaml")
    assert done.code == 2
    assert "bad.yaml:3: prompt: unknown field 'answer'" in done.err
    (tmp_path / "good.yaml").write_text("judge: good\nmode: pairwise\nprompt: '{{ answer_a }}'\n")
    assert harness("validate", "good.yaml").code == 0
    assert "members" in harness("schema", "judge").out
