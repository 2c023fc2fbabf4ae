"""harness board check: a board whose numbers do not follow from its samples is found out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from test_board import cell

from harness import pipeline
from harness.baseline import bless
from harness.board.check import Answers, duplicated, impossible, name_of, unequal
from harness.cli.board import command, write_board
from harness.cli.board_check import check
from harness.cli.board_folder import look
from harness.errors import UsageError
from harness.prepare import metrics_of, slices_of
from harness.records import Execution, ModelSpec, RunSpec, to_json
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC
from harness.summary import Reading, summarise
from harness.task.catalogue import Catalogue


@pytest.fixture
def root(addition, tmp_path) -> Path:
    """A folder of two scripted runs of 200 sums."""
    for name in ("oracle", "random"):
        spec = RunSpec(tasks=(str(addition),), model=ModelSpec("scripted", name))
        pipeline.run(spec, Execution(out=str(tmp_path / "board")))
    return tmp_path / "board"


def first(root: Path) -> Path:
    """Return the first run."""
    return look(root).runs[0].path


def rewrite(path: Path, change) -> None:
    """Change a JSON file."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def change_table(run: Path, **columns) -> None:
    """Put other values into the table of samples."""
    table = pq.read_table(run / SAMPLES)
    for name, change in columns.items():
        at = table.schema.get_field_index(name)
        column = pa.array(change(table[name].to_pylist()), table.schema.field(name).type)
        table = table.set_column(at, table.schema.field(name), column)
    pq.write_table(table, run / SAMPLES)


def errors(root: Path) -> list[tuple[str, str]]:
    """Return kind and problem of each error."""
    found = check(look(root)).findings
    return [(item.kind, item.problem) for item in found if item.severity == "error"]


def kinds(root: Path) -> set[str]:
    """Return the kinds of the errors."""
    return {kind for kind, _ in errors(root)}


def test_sound_runs_are_verified(root):
    """Runs whose cells, scores and data can all be made again are verified, with exit code 0."""
    report = check(look(root))
    assert [row.evidence for row in report.rows] == ["verified", "verified"]
    assert report.findings == ()
    assert report.rows[0].samples == 200
    done = CliRunner().invoke(command, ["check", str(root)], standalone_mode=False)
    assert done.return_value == 0
    assert done.output.count("verified: ") == 2


def test_a_raised_score_is_found(root):
    """A value that the samples do not give breaks the board: exit 2, one line a finding, JSON."""
    run = look(root).runs[1].path
    rewrite(run / SCORES, lambda found: found["cells"][0].update(value=0.9, low=0.8, high=0.95))
    done = CliRunner().invoke(command, ["check", str(root)], standalone_mode=False)
    assert done.return_value == 2
    assert "cells: sums exact_match: value 0.9 stored" in done.output
    done = CliRunner().invoke(command, ["check", str(root), "--json"], standalone_mode=False)
    data = json.loads(done.output)
    assert data["broken"]
    assert [row["evidence"] for row in data["rows"]] == ["verified", "self-reported"]
    with pytest.raises(UsageError, match="the board is broken"):
        write_board(root, root.parent / "out", checked=True)


def test_scores_that_the_answers_do_not_earn_are_found(root):
    """Scores raised together with the cells still do not follow from the stored answers."""
    run = look(root).runs[1].path
    honest = look(root).runs[0].path
    change_table(
        run,
        scores=lambda maps: [
            [(k, 1.0 if k == "exact_match" else v) for k, v in one] for one in maps
        ],
    )
    cells = json.loads((honest / SCORES).read_text())["cells"]
    mine = json.loads((run / SCORES).read_text())
    better = {(c["metric"], c["slice"]): c for c in cells if c["metric"] == "exact_match"}
    mine["cells"] = [
        better.get((c["metric"], c["slice"]), c)
        for c in mine["cells"]
        if c["group"] != "calibration"
    ]
    (run / SCORES).write_text(json.dumps(mine))
    found = dict(errors(root))
    assert "score otherwise from their stored answers" in found["scores"]


def test_targets_that_are_not_the_tasks_are_found(root):
    """Targets and answers rewritten together are not the task's own data."""

    def nines(texts):
        return ["9" * len(text) for text in texts]

    change_table(
        first(root),
        target=lambda all_of: [nines(targets) for targets in all_of],
        output=nines,
        answer=nines,
        transcript=lambda all_of: [
            [*turns[:-1], {**turns[-1], "content": "9" * len(turns[-1]["content"])}]
            for turns in all_of
        ],
    )
    assert kinds(root) == {"data"}


@pytest.mark.parametrize("name", [SPEC, SAMPLES, SCORES, RUN])
def test_missing_and_broken_files_are_named(root, name):
    """A file that is gone or no such file is one finding each."""
    run = first(root)
    (run / name).write_text("nonsense")
    assert [kind for kind, _ in errors(root)] == ["unreadable"]
    (run / name).unlink()
    assert [kind for kind, _ in errors(root)] == ["missing"]
    assert name in errors(root)[0][1]


def test_outputs_and_costs_that_no_conversation_gave_are_found(root):
    """The columns that people read must say what the transcript says, sample by sample."""
    run = look(root).runs[1].path
    change_table(
        run, output=lambda texts: ["42", *texts[1:]], completion_tokens=lambda c: [1] * 200
    )
    found = [problem for kind, problem in errors(root) if kind == "scores"]
    assert any(text.startswith("output of 1 samples is not their transcript's: ") for text in found)
    assert any(text.startswith("completion_tokens of 200 samples") for text in found)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("cluster", lambda names: [str(place) for place, _ in enumerate(names)]),
        ("slices", lambda maps: [[("a", "7")] for _ in maps]),
    ],
)
def test_other_clusters_and_slices_are_found(tmp_path, column, change):
    """Clusters make the intervals and slices the breakdown: both must be the task's own."""
    rows = "".join(f'{{"q": "{n} + 1?", "a": "{n + 1}", "of": "{n // 4}"}}\n' for n in range(20))
    (tmp_path / "rows.jsonl").write_text(rows)
    task = tmp_path / "own.yaml"
    task.write_text(
        "task: own\ndata: {file: rows.jsonl}\nprompt: '{{ q }}'\ntarget: '{{ a }}'\n"
        "cluster: '{{ of }}'\nslices: [a]\nmetrics: [exact_match]\n"
    )
    spec = RunSpec(tasks=(str(task),), model=ModelSpec("scripted", "oracle"))
    run = pipeline.run(spec, Execution(out=str(tmp_path / "board"))).directory
    assert check(look(tmp_path / "board")).rows[0].evidence == "verified"
    change_table(run, **{column: change})
    # the cells are made again from the changed table, as a cheat would make them
    columns = read_columns(run / SAMPLES)
    (asked,) = Catalogue().resolve([str(task)])
    reading = Reading("own", metrics_of(asked.load()), slices_of(asked.load()), {})
    (run / SCORES).write_bytes(to_json({"cells": summarise(columns, [reading])}))
    assert [text for kind, text in errors(tmp_path / "board") if kind == "data"]


def test_a_run_that_names_another_model_is_found(root):
    """run.json must name the model that spec.json asked."""
    rewrite(first(root) / RUN, lambda record: record["model"].update(name="mine/better"))
    assert ("hash", "spec.json asked scripted/oracle, run.json names mine/better") in errors(root)


def test_no_run_brings_the_task_by_which_it_is_checked(tmp_path):
    """A task that the harness knows is looked up by name, not under the path that a run says."""
    easy = tmp_path / "addition.yaml"
    easy.write_text(
        "task: arithmetic/addition\ndata: {generator: arithmetic, args: {operation: add, digits: "
        "[1], per_cell: 5}}\nprompt: '{{ a }} + {{ b }}'\ntarget: '{{ answer }}'\n"
        "metrics: [exact_match]\n"
    )
    spec = RunSpec(tasks=(str(easy),), model=ModelSpec("scripted", "oracle"))
    pipeline.run(spec, Execution(out=str(tmp_path / "board")))
    (row,) = check(look(tmp_path / "board")).rows
    assert row.evidence == "recomputed"


def test_a_changed_spec_and_other_hashes_are_found(root):
    """The spec's hash and the tasks' hashes must agree between the files of a run."""
    rewrite(first(root) / SPEC, lambda spec: spec["tasks"]["sums"].update(data="0" * 8))
    found = [problem for kind, problem in errors(root) if kind == "hash"]
    assert any("spec.json has hash" in problem for problem in found)
    assert "sums: data differs between spec.json and run.json" in found


def test_samples_that_are_gone_or_stand_twice_are_found(root):
    """The table must hold what was planned, each sample once."""
    run = first(root)
    table = pq.read_table(run / SAMPLES)
    pq.write_table(pa.concat_tables([table.slice(0, 150), table.slice(0, 10)]), run / SAMPLES)
    found = [problem for kind, problem in errors(root) if kind == "count"]
    assert "run.json says 200 samples, the table has 160" in found
    assert "10 samples stand twice in the table" in found
    assert any("n 200 + errors 0 + unjudged 0, but 160 samples" in text for text in found)


def test_a_strange_manifest_is_a_finding_not_a_crash(root):
    """Files of the wrong shape are unreadable, whatever they hold."""
    (first(root) / RUN).write_text("[1]")
    assert kinds(root) == {"unreadable"}


def test_a_changed_definition_is_a_note(root, addition):
    """A task that scores otherwise now leaves the row recomputed, and the board whole."""
    addition.write_text(addition.read_text().replace("[number]", "[text]"))
    report = check(look(root))
    assert not report.broken
    assert {row.evidence for row in report.rows} == {"recomputed"}
    assert "the definition has changed since" in report.findings[0].problem


def test_a_task_that_is_gone_is_a_note(root, addition):
    """Without the task's file the cells still follow from the samples: recomputed."""
    addition.unlink()
    report = check(look(root))
    assert {row.evidence for row in report.rows} == {"recomputed"}
    assert "not scored again" in report.findings[0].problem


def test_other_data_are_a_note(tmp_path):
    """Where the data here are others than those of the run, its targets cannot be verified."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"q": "2 + 2?", "answer": "4"}\n')
    task = tmp_path / "own.yaml"
    task.write_text(
        "task: own\ndata: {file: rows.jsonl}\nprompt: '{{ q }}'\ntarget: '{{ answer }}'\n"
        "metrics: [exact_match]\n"
    )
    spec = RunSpec(tasks=(str(task),), model=ModelSpec("scripted", "oracle"))
    pipeline.run(spec, Execution(out=str(tmp_path / "board")))
    assert check(look(tmp_path / "board")).rows[0].evidence == "verified"
    rows.write_text('{"q": "2 + 2?", "answer": "5"}\n')
    report = check(look(tmp_path / "board"))
    assert report.rows[0].evidence == "recomputed"
    assert "the data here are others" in report.findings[0].problem


def test_copied_answers_are_found(root):
    """A run copied under another model's name makes the same mistakes in the same words."""
    run = look(root).runs[1].path
    copy = root / (run.name + "-copy")
    shutil.copytree(run, copy)
    rewrite(copy / RUN, lambda record: record["model"].update(name="mine/better"))
    (named, (kind, problem)) = errors(root)
    assert named == ("hash", "spec.json asked scripted/random, run.json names mine/better")
    assert kind == "duplicate"
    assert "scripted/random and mine/better" in problem


def test_right_answers_may_agree():
    """Models that are right alike, or wrong in one word, are not suspect."""

    def answers(model: str, wrong: list[str]) -> Answers:
        one = Answers("r", model, "t")
        for place in range(50):
            said = wrong[place] if place < len(wrong) else "right"
            one.add(str(place), said, wrong=place < len(wrong))
        return one

    alike = [answers("a", []), answers("b", [])]
    same_letter = [answers("a", ["A"] * 20), answers("b", ["A"] * 20)]
    copied = [answers("a", [str(i) for i in range(20)]), answers("b", [str(i) for i in range(20)])]
    assert list(duplicated(alike)) == list(duplicated(same_letter)) == []
    assert len(list(duplicated(copied))) == 1
    copied[1].add("0", "otherwise", wrong=True)
    (near,) = duplicated(copied)
    assert (near.severity, near.kind) == ("note", "duplicate")
    assert near.problem == "t: a and b (run r) made 19 of 20 mistakes in the same words"
    for place in range(1, 4):
        copied[1].add(str(place), "otherwise", wrong=True)
    assert list(duplicated(copied)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"value": 1.2, "high": 1.3}, "outside 0 to 1"),
        ({"value": 0.505}, "no whole number of 100 samples"),
        ({"value": float("nan")}, "value is nan"),
        ({"low": 0.9, "high": 0.1}, "low 0.9 is above high 0.1"),
        ({"n": 0}, "of no sample"),
        ({"errors": -1}, "errors is -1"),
        ({"unparsed": 200}, "200 unparsed of 100"),
        ({"confidence": 95.0}, "confidence 95.0"),
    ],
)
def test_impossible_numbers_are_named(change, problem):
    """No samples give such a number, whoever reports it."""
    found = list(impossible("r", [cell(**{"value": 0.5, **change})], {"exact_match": "proportion"}))
    assert any(problem in item.problem for item in found)


def test_possible_numbers_pass():
    """Sound cells, drops below 0, and metrics of any range are not suspect."""
    cells = [
        cell(value=0.5),
        cell(variant="mean_drop", value=-0.123),
        cell(metric="latency_s", value=123.0, bound_low=None, bound_high=None),
        cell(metric="none", value=None, low=None, high=None, n=0),
        cell(metric="women_share", group="bias", value=0.5, n=4, unparsed=8),
    ]
    assert list(impossible("r", cells, {"exact_match": "proportion"})) == []
    twice = list(impossible("r", [cell(), cell()], {}))
    assert "stands twice" in twice[0].problem


def test_cells_are_compared_both_ways():
    """A cell from nowhere and a cell left out are both findings; a blank one is not."""
    stored = [cell("a"), cell("c", None, n=0)]
    again = [cell("b")]
    problems = [item.problem for item in unequal("r", stored, again)]
    assert problems == [
        "a exact_match: 0.5 comes from no sample",
        "b exact_match: 0.5 from the samples, but not stored",
    ]
    assert list(unequal("r", [cell("a")], [msgspec.structs.replace(cell("a"), value=None)]))
    assert name_of(cell("a", arm="cot", variant="typos", slice="d=1")) == (
        "a exact_match cot typos d=1"
    )


def test_a_recorded_baseline_is_recomputed(root):
    """A blessed run keeps scores and no questions: its cells are made again, no more."""
    blessed = bless(first(root), root)
    report = check(look(root / "reference"))
    assert [item.severity for item in report.findings] == ["note"]
    assert [(row.run, row.evidence) for row in report.rows] == [(blessed.name, "recomputed")]
