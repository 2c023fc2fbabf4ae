"""`validate` finds what is wrong with a task file without asking a model."""

from __future__ import annotations

import msgspec
import pytest

from harness.task.schema import task_schema
from harness.task.spec import TaskFile
from harness.task.validate import validate


@pytest.fixture
def problems(tmp_path):
    """Write a task with two rows and return what is wrong with it."""

    def check(text, rows='{"q": 1}\n{"q": 2}\n'):
        (tmp_path / "rows.jsonl").write_text(rows)
        path = tmp_path / "t.yaml"
        path.write_text("task: t\ndata: {file: rows.jsonl}\n" + text)
        return [str(problem) for problem in validate(path, generator=lambda name: None)]

    return check


def test_a_good_file_has_no_problems(problems):
    """Nothing wrong, nothing said."""
    assert problems("prompt: '{{ q }}'\n") == []


def test_each_stage_reports(problems):
    """A wrong key, wrong rows, a wrong template and a wrong row are each found."""
    assert "did you mean 'prompt'" in problems("promt: x\n")[0]
    assert "is not valid JSON" in problems("prompt: x\n", rows="{\n")[0]
    assert "template:" in problems("prompt: '{{'\n")[0]
    assert "row 2: 'z' is undefined" in problems("prompt: '{{ z if q == 2 else q }}'\n")[0]


def test_every_arm_reports_each_place_once(problems):
    """Two arms that fail in two places give two problems, whatever the number of rows."""
    found = problems("prompt: x\narms:\n  a: {prompt: '{{ y }}'}\n  b: {prompt: '{{ z }}'}\n")
    assert len(found) == 2


def test_too_few_examples_is_a_problem(problems):
    """Examples that cannot be drawn are found before a run."""
    assert "ask for fewer shots" in problems("prompt: x\ntarget: y\nshots: {count: 5}\n")[0]


def test_schema_lists_every_key():
    """The JSON Schema names every key that the loader takes."""
    schema = task_schema()
    listed = schema["$defs"]["TaskFile"]["properties"]
    assert set(listed) == {field.encode_name for field in msgspec.structs.fields(TaskFile)}
    assert "from" in schema["$defs"]["Shots"]["properties"]
