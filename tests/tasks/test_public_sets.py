"""The public sets themselves, where they are at hand: counts and known numbers."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from public_tasks import ROOT, converted, prepared, primary, said, samples_of, scores_of, written


def at_hand(name: str) -> str:
    """The text of a packed file of the public sets; skips where they are absent."""
    path = Path(os.environ.get("HARNESS_DATA", ROOT.parent / "shared" / "data")) / name
    if not path.exists():
        pytest.skip(f"{name} is absent: set HARNESS_DATA to the folder that holds it")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return lines.read()


def as_file(folder: Path, text: str, name: str) -> Path:
    """Write a text as it is."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_gsm8k_and_the_published_accuracies(tmp_path):
    """1,319 problems; four models' graded solutions give the published accuracies."""
    task = prepared("gsm8k", as_file(tmp_path, at_hand("gsm8k/test.jsonl.gz"), "test.jsonl"))
    samples = samples_of(task)
    assert len(samples) == 1319
    assert set(primary(task, scores_of(task, "oracle"))) == {1.0}
    solutions = at_hand("gsm8k/example_model_solutions.jsonl.gz").splitlines()
    graded = [json.loads(line) for line in solutions]
    by_question = {sample.fields["question"]: sample for sample in samples}
    shares = [
        sum(
            said(task, by_question[row["question"]], row[model]["solution"]).values["final_number"]
            for row in graded
        )
        for model in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    ]
    assert [round(100 * share / 1319, 2) for share in shares] == [21.68, 39.04, 34.72, 56.25]


def test_svamp_whole(tmp_path):
    """1,000 problems of the file's five kinds, one of them misspelt; the first answer is 51."""
    rows = converted(1, at_hand("svamp/SVAMP.json.gz"))
    task = prepared("svamp", written(tmp_path, rows))
    samples = samples_of(task)
    assert len(samples) == 1000
    assert samples[0].target == ("51.0",)
    assert said(task, samples[0], " 51").values["exact_match"] == 1.0
    assert len({sample.slices["Type"] for sample in samples}) == 5
    assert set(primary(task, scores_of(task, "oracle"))) == {1.0}


@pytest.mark.parametrize("name", ["truthful_qa-mc1", "truthful_qa-mc2", "truthful_qa-mc1-choose"])
def test_truthfulqa_whole(tmp_path, name):
    """817 questions in the authors' form; the true answer stands first, but not for the twin."""
    rows = converted(1, at_hand("truthfulqa/data/mc_task.json.gz"))
    samples = samples_of(prepared(name, written(tmp_path, rows)))
    assert len(samples) == 817
    first = sum(sample.gold == 0 for sample in samples)
    assert (first == 817) == (not name.endswith("-choose"))


def test_simpleqa_whole(tmp_path):
    """4,326 questions in CSV; the rules take every reference answer as correct."""
    file = as_file(tmp_path, at_hand("simpleqa/simple_qa_test_set.csv.gz"), "simpleqa.csv")
    task = prepared("simpleqa", file)
    samples = samples_of(task)
    assert len(samples) == 4326
    assert samples[0].target == ("Michio Sugeno",)
    assert sum(primary(task, scores_of(task, "oracle"))) == 4326


@pytest.mark.parametrize(
    ("file", "count"), [("NQ-open.dev", 3610), ("NQ-open.efficientqa.test.1.1", 1769)]
)
def test_nq_open_whole(tmp_path, file, count):
    """Both files of NQ-open are read as they are."""
    text = at_hand(f"nq_open/{file}.jsonl.gz")
    task = prepared("nq_open", as_file(tmp_path, text, "nq.jsonl"))
    scores = primary(task, scores_of(task, "oracle"))
    assert (len(scores), set(scores)) == (count, {1.0})


@pytest.mark.parametrize(
    ("language", "count"),
    [("en", 2325), ("jp", 959), ("ru", 315), ("pt", 263), ("fr", 83), ("zh", 16)],
)
def test_xwinograd_whole(tmp_path, language, count):
    """Each language has the published number of schemas, every one with its blank.

    Ten Russian sentences end at the blank, so that only a space is left to score.
    """
    rows = converted(4, at_hand("xwinograd/dataset.tsv.gz"), language)
    assert len(rows) == count
    task = prepared(f"xwinograd-{language}", written(tmp_path, rows))
    samples = samples_of(task)
    empty = sum(not sample.choices[0].text for sample in samples)
    assert empty == (10 if language == "ru" else 0)
    assert all(row["sentence"].count("_") == 1 for row in rows)
    assert {sample.gold for sample in samples} == {0, 1}
