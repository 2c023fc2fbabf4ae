"""The tasks of tasks/interaction: sizes, balance, rows, and what scripted models score on them."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from harness.pipeline import run
from harness.plugins import load
from harness.records import Execution, ModelSpec, RunSpec
from harness.synth.apart import CLOSEST, bag, overlap
from harness.task.load import load_task
from harness.task.render import Renderer
from harness.task.rows import read_rows
from harness.task.validate import validate

TASKS = Path(__file__).parents[2] / "tasks"
FAMILY = TASKS / "interaction"
FILES = sorted(FAMILY.glob("*.yaml"))
SIZES = {
    "cipher": 120, "grammar": 120, "correction-arithmetic": 160, "twenty-questions": 94,
    "game-legality": 120, "game-first-illegal": 120, "game-position": 120, "game-move": 120,
    "constraints": 240, "exclusion": 120, "concise-word-problems": 112,
}  # fmt: skip
"""Rows in each of both languages."""
OTHERS = {
    "correction-qa": 400, "correction-qa-zh": 200, "concise-qa": 400, "concise-qa-zh": 200,
    "verse-zh": 111, "proverbs": 113,
}  # fmt: skip
LEARNING = ("cipher", "cipher-zh", "grammar", "grammar-zh")


def task(name):
    """One task of the family."""
    return load_task(FAMILY / f"{name}.yaml", TASKS)


def rowset(name):
    """The rows of one task."""
    return read_rows(task(name), generator=lambda maker: load("generator", maker)())


def renderer(name, arm="default"):
    """What renders one task under an arm."""
    return Renderer(task(name), rowset(name), arm)


def lines(name):
    """The rows of a file."""
    text = (FAMILY / "rows" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_family_is_whole():
    """Every task is there, in English and Chinese wherever language matters."""
    both = {name + suffix for name in SIZES for suffix in ("", "-zh")}
    assert {path.stem for path in FILES} == both | set(OTHERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_task_is_valid_and_has_its_size(path):
    """Keys, templates and first rows are right; the number of rows is as stated."""
    assert validate(path, generator=lambda maker: load("generator", maker)()) == []
    spec = task(path.stem)
    assert spec.language == ("zh" if path.stem.endswith("-zh") else "en")
    assert {"interaction"} < set(spec.tags)
    assert all((spec.title, spec.about, spec.source, spec.licence))
    size = OTHERS.get(path.stem) or SIZES[path.stem.removesuffix("-zh")]
    assert len(rowset(path.stem).rows) == size


@pytest.mark.parametrize("name", LEARNING)
def test_learning_curves_have_six_points(name):
    """0, 1, 2, 4, 8 and 16 examples; each arm's come first in the next one's."""
    spec = task(name)
    counts = (0, 1, 2, 4, 8, 16)
    assert spec.arm_names == tuple(f"shots-{count}" for count in counts)
    before: tuple = ()
    for count in counts:
        sample = renderer(name, f"shots-{count}").sample(7)
        assert len(sample.shots) == count
        assert sample.shots[: len(before)] == before
        assert sample.input not in {shot.input for shot in sample.shots}
        before = sample.shots


@pytest.mark.parametrize("name", ["verse", "proverbs"])
def test_lines_are_whole_and_unlike(name):
    """Ids are in order, no first half stands twice, and no wrong answer is right."""
    rows = lines(name)
    prefix = name.removesuffix("s")
    assert [row["id"] for row in rows] == [f"{prefix}-{i:03d}" for i in range(1, len(rows) + 1)]
    assert len({row["given"] for row in rows}) == len(rows)
    for row in rows:
        assert row["answers"]
        assert len(set(row["answers"])) == len(row["answers"])
        assert row["wrong"] not in row["answers"]


def test_verse_lines_match_in_length():
    """Both lines of a couplet have five or seven characters and no marks; sources are named."""
    for row in lines("verse"):
        assert row["length"] in {5, 7}
        assert row["dynasty"] in {"唐", "宋"}
        assert row["author"]
        assert row["title"]
        for line in (row["given"], row["wrong"], *row["answers"]):
            assert re.fullmatch("[\u4e00-\u9fff]+", line)
            assert len(line) == row["length"]


def test_the_couplet_everyone_knows_is_there():
    """白日依山尽 goes on with 黄河入海流."""
    known = {row["given"]: row["answers"] for row in lines("verse")}
    assert known["白日依山尽"] == ["黄河入海流"]


def test_proverbs_are_plain_english():
    """Letters, apostrophes and commas; no full stop that an answer might lack."""
    for row in lines("proverbs"):
        for text in (row["given"], *row["answers"]):
            assert re.fullmatch(r"[A-Za-z][A-Za-z' ,]*[a-z]", text), text
        assert row["words"] == len(row["answers"][0].split())


@pytest.mark.parametrize(("name", "language"), [("verse", "zh"), ("proverbs", "en")])
def test_lines_stand_apart(name, language):
    """No two rows share more than 0.8 of their words."""
    bags = [bag(f"{row['given']} {row['answers'][0]}", language) for row in lines(name)]
    assert max(overlap(a, b) for a, b in itertools.combinations(bags, 2)) <= CLOSEST


@pytest.mark.parametrize("name", ["correction-qa", "correction-qa-zh"])
def test_corrections_read_both_answers_as_the_task_does(name):
    """The interaction's extractors are the task's own, under both arms."""
    for each in (name, name.replace("qa", "arithmetic")):
        spec = task(each)
        assert spec.arm_names == ("told-wrong", "check")
        for arm in spec.arms.values():
            assert tuple(arm.interaction.args["extract"]) == spec.extract


def test_brevity_is_asked_of_the_same_questions():
    """The arms of a sample differ in the system prompt alone."""
    names = [path.stem for path in FILES if path.stem.startswith("concise")]
    for name in names:
        samples = [renderer(name, arm).sample(3) for arm in ("default", "concise", "detailed")]
        assert len({sample.sample_id for sample in samples}) == 1
        assert len({sample.input for sample in samples}) == 1
        assert [sample.system is None for sample in samples] == [True, False, False]


def test_twenty_questions_lists_its_things_in_one_arm():
    """Only the arm `listed` tells what the thing may be."""
    for name in ("twenty-questions", "twenty-questions-zh"):
        shown = {arm: renderer(name, arm).sample(0).input for arm in ("open", "listed")}
        others = rowset(name).rows[0]["all"]
        assert all(thing in shown["listed"] for thing in others)
        assert sum(thing in shown["open"] for thing in others) < 10


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """The cells of scripted runs over the whole family, whole tasks only."""

    def cells(name):
        out = tmp_path_factory.mktemp(name)
        spec = RunSpec(tasks=("interaction/*",), model=ModelSpec("scripted", name))
        result = run(spec, Execution(out=str(out)))
        assert result.status == "complete"
        found = defaultdict(dict)
        for cell in result.cells:
            if cell.slice is None:
                found[cell.task, cell.arm][cell.metric] = cell
        return found

    return {name: cells(name) for name in ("oracle", "wrong", "random")}


@pytest.mark.parametrize(("model", "value"), [("oracle", 1.0), ("wrong", 0.0)])
def test_who_knows_scores_one_and_who_errs_scores_nothing(scripted, model, value):
    """The primary metric of every task, under every arm."""
    primaries = {f"interaction/{path.stem}": task(path.stem).metrics[0] for path in FILES}
    assert len(scripted[model]) == sum(len(task(path.stem).arm_names) for path in FILES)
    for (name, arm), metrics in scripted[model].items():
        cell = metrics[primaries[name]]
        assert (cell.value, cell.errors) == (value, 0), (name, arm)


def test_who_guesses_scores_chance(scripted):
    """Where a task states chance, the random model's interval holds it."""
    for path in FILES:
        spec = task(path.stem)
        if spec.chance is None:
            continue
        for arm in spec.arm_names:
            cell = scripted["random"][spec.task, arm][spec.metrics[0]]
            assert cell.low - 1e-9 <= float(spec.chance) <= cell.high + 1e-9, (spec.task, arm)


def test_who_is_always_right_caves_never_and_mends_nothing(scripted):
    """The metrics of correction count the samples that they are about."""
    for name in ("interaction/correction-qa", "interaction/correction-arithmetic-zh"):
        right, wrong = (scripted[model][name, "told-wrong"] for model in ("oracle", "wrong"))
        assert (right["caved"].value, "mended" in right) == (0.0, False)
        assert (wrong["mended"].value, "caved" in wrong) == (0.0, False)
        assert right["caved"].n == wrong["mended"].n == right["last_right"].n


def test_a_game_is_won_with_one_good_guess(scripted):
    """The oracle needs one question; who only errs has no number of questions."""
    name = ("interaction/twenty-questions", "open")
    assert scripted["oracle"][name]["questions_used"].value == 1.0
    assert "questions_used" not in scripted["wrong"][name]
    assert scripted["wrong"][name]["questions_understood"].value == 1.0


@pytest.mark.parametrize("name", ["game-legality", "game-legality-zh"])
def test_options_are_balanced(name):
    """Half of the moves are legal."""
    made = renderer(name)
    assert Counter(made.sample(i).gold for i in range(len(made))) == {0: 60, 1: 60}
