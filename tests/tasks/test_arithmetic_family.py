"""The arithmetic family: sizes, what answers are read, and scripted models on every task."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.pipeline import run
from harness.plugins import load
from harness.prepare import extractor_of
from harness.records import Execution, ModelSpec, RunSpec, Sample
from harness.task.load import load_task
from harness.task.render import Renderer
from harness.task.rows import read_rows

FAMILY = Path(__file__).parents[2] / "tasks" / "arithmetic"
FILES = sorted(FAMILY.glob("*.yaml"))
TASKS = {path.stem: load_task(path, FAMILY.parent) for path in FILES}
CHINESE = {"comparison", "sorting", "expressions", "units", "word-problems", "formats-read",
           "formats-asked", "methods"}  # fmt: skip
GRADED = {"exact_match", "accuracy", "value_match", "sequence_match"}


def rows_of(task):
    """The rows of a task at its own seed."""
    return read_rows(task, generator=lambda name: load("generator", name)())


def test_the_family_is_there():
    """Every kind of sum that the family promises has a task, in Chinese where language counts."""
    promised = {
        "addition-long", "subtraction-long", "multiplication-long", "division-long",
        "addition-carries", "subtraction-borrows", "negatives", "decimals", "fractions", "modular",
        "remainders", "comparison", "comparison-choose", "sorting", "bases", "expressions",
        "units", "word-problems", "formats-read", "formats-asked", "methods",
    }  # fmt: skip
    assert promised <= set(TASKS)
    assert {f"{name}-zh" for name in CHINESE} <= set(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_cards_are_complete(name):
    """Each task has a title, says what it asks, and is found under its tag and language."""
    task = TASKS[name]
    assert task.title
    assert task.about.endswith(("?", "？"))
    assert "arithmetic" in task.tags
    assert task.language == ("zh" if name.endswith("-zh") else "en")


@pytest.mark.parametrize("name", TASKS)
def test_main_cells_have_100_items(name):
    """Each value of a task's first slice has 100 rows or more, unless its cell is whole."""
    task, rowset = TASKS[name], rows_of(TASKS[name])
    first = task.slices[0]
    counts = Counter(row[first] for row in rowset.rows if not row.get("whole"))
    small = {value for value, count in counts.items() if count < 100}
    one_digit = task.data.generator == "arithmetic"  # its cells of one digit have 55 to 100 items
    assert small <= ({1} if one_digit else set())
    assert len(rowset.rows) >= 280


@pytest.mark.parametrize("name", TASKS)
def test_no_question_comes_twice(name):
    """Under each arm no two rows of a task ask the same."""
    task, rowset = TASKS[name], rows_of(TASKS[name])
    for arm in task.arm_names:
        renderer = Renderer(task, rowset, arm)
        asked = [
            (sample.input, tuple(choice.text for choice in sample.choices))
            for sample in map(renderer.sample, range(len(rowset.rows)))
        ]
        assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(("script", "value"), [("oracle", 1.0), ("wrong", 0.0)])
def test_scripted_models_score_one_and_nought(tmp_path, script, value):
    """The oracle scores 1 and the wrong model 0 on the primary metric of every task and arm."""
    spec = RunSpec(("arithmetic/*",), ModelSpec("scripted", script), limit=25)
    result = run(spec, Execution(out=str(tmp_path)))
    whole = [cell for cell in result.cells if cell.slice is None and cell.metric in GRADED]
    assert {cell.task for cell in whole} == {f"arithmetic/{name}" for name in TASKS}
    assert {(cell.value, cell.errors) for cell in whole} == {(value, 0)}
    followed = [cell.value for cell in result.cells if cell.metric == "format_followed"]
    assert set(followed) == {1.0, None} or set(followed) == {1.0}


def test_a_guesser_scores_chance_where_chance_is_given(tmp_path):
    """The random model's interval holds the chance that a task of this family names."""
    given = {f"arithmetic/{n}": t.chance for n, t in TASKS.items() if t.chance and "-" in n}
    result = run(RunSpec(tuple(given), ModelSpec("scripted", "random")), Execution(str(tmp_path)))
    whole = [cell for cell in result.cells if cell.slice is None and cell.metric in GRADED]
    assert {cell.task for cell in whole} == set(given)
    assert all(cell.low <= given[cell.task] <= cell.high for cell in whole)


READ = [
    ("comparison", "9.9", "9.9"),
    ("comparison", "9.9 is larger than 9.11.", "9.9"),
    ("comparison", "The larger number is **9.9**.", "9.9"),
    ("comparison", "8/13", "8/13"),
    ("comparison", "-3.5 is the larger number", "-3.5"),
    ("comparison-zh", "9.9大于9.11", "9.9"),
    ("comparison-zh", "9.9 更大", "9.9"),
    ("comparison-zh", "更大的数是 9.9。", "9.9"),
    ("bases", "1f", "1f"),
    ("bases", "0x1F", "1F"),
    ("bases", "1010.", "1010"),
    ("bases", "The sum is 0b1010 in base 2.", "1010"),
    ("bases", "= ff", "ff"),
    ("bases", "I do not know", None),
    ("fractions", "11/12", "11/12"),
    ("fractions", "The answer is 11/12.", "11/12"),
    ("fractions", "3/4 + 1/6 = 9/12 + 2/12 = **11/12**.", "11/12"),
    ("fractions", "1/2 + 1/2 = 2/2 = 1", "1"),
    ("formats-asked", "Answer: １２３４。", "1234"),
    ("formats-asked", "1 2 3 4", "1 2 3 4"),
    ("formats-asked-zh", "一千二百三十四", "一千二百三十四"),
    ("remainders", "6 remainder 3", "6 remainder 3"),
]


@pytest.mark.parametrize(("name", "text", "answer"), READ)
def test_answers_are_read(name, text, answer):
    """What a model may well say is read as the answer that it gives."""
    found = None
    for item in TASKS[name].extract:
        found = found or extractor_of(item)(text, Sample("t", "s", "q"))
    assert (found.answer if found else None) == answer


@pytest.mark.parametrize("name", ["methods", "methods-zh"])
def test_methods_differ_in_how_alone(name):
    """The arms ask the same samples; only the calculator's has a conversation of its own."""
    task, rowset = TASKS[name], rows_of(TASKS[name])
    samples = [Renderer(task, rowset, arm).sample(7) for arm in task.arm_names]
    assert task.arm_names == ("direct", "steps", "calculator")
    assert len({(sample.sample_id, sample.input, sample.target) for sample in samples}) == 1
    assert samples[0].generation.stop == ("\n",)
    assert samples[1].generation.stop == samples[2].generation.stop == ()
    assert task.arms["calculator"].interaction == "calculator"
