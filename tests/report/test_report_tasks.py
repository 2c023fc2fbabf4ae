"""What tasks say of themselves, on pages of two languages."""

from __future__ import annotations

import re

import pytest
import yaml
from made_runs import Recipe, make_run
from test_board import cell
from test_report_pages import report_of, run_data

from harness.cli.compare_page import write_compare
from harness.compare import compare
from harness.report.board_models import family_name, filters
from harness.report.board_view import tables
from harness.report.model import TaskText
from harness.report.pages import write_pages
from harness.report.say import Said, task_words, told, words
from harness.task.catalogue import default_roots

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FILES = [
    yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(default_roots()[0].glob("*/*.yaml"))
]
TASKS = {file["task"]: file for file in FILES if "task" in file}
SAID = {
    " ".join(text.split())
    for file in FILES
    for text in ([file["title"], file["about"]] if "task" in file else [file.get("title", "")])
}


@pytest.mark.parametrize("text", sorted(SAID - {""}))
def test_what_comes_with_the_harness_is_told_in_chinese(text):
    """Every title and description is written in Chinese too, or is Chinese already."""
    assert told(text).en == text
    assert CHINESE.search(told(text).zh), "to be written in harness/report/templates/tasks.toml"


def test_no_text_is_left_over():
    """The English half is what a file says: no text is kept that no file has."""
    assert task_words().keys() - SAID == set()
    assert not any(CHINESE.search(text) for text in task_words())


def test_tasks_of_two_titles_have_two_in_chinese():
    """No two titles of a family become the same one."""
    for family in {task.split("/")[0] for task in TASKS}:
        titles = {file["title"] for task, file in TASKS.items() if task.startswith(f"{family}/")}
        assert len({told(title).zh for title in titles}) == len(titles)


def test_names_in_headlines_are_of_tasks_there_are():
    """Each short name belongs to a task that comes with the harness."""
    named = {key.removeprefix("task.") for key in words() if re.match(r"task\.\w+/", key)}
    assert named - TASKS.keys() == set()


def test_a_task_of_ones_own_keeps_its_words():
    """Another title under the name of one of ours is shown as it is; without one the name is."""
    text = TaskText("arithmetic/fractions", "My fractions", "Halves alone.")
    assert text.named == Said("My fractions", "My fractions")
    assert text.asks == Said("Halves alone.", "Halves alone.")
    assert TaskText("mine/x").named == Said("mine/x", "mine/x")
    assert TaskText("arithmetic/fractions", "Fractions").named.zh == "分数运算"


def test_columns_are_headed_in_both_languages():
    """Head, tooltip and sort button of a column, its family and the filter say both."""
    task = "arithmetic/fractions"
    data = report_of(
        run_data(cells=(cell(task, 0.5), cell("mine/x", 0.5))),
        texts={task: TaskText(task, "Fractions"), "mine/x": TaskText("mine/x")},
    )
    (table,) = (one for one in tables(data.board, pages=()) if one.group == "accuracy")
    ours, mine = table.heads
    assert (ours.title, mine.title) == (Said("Fractions", "分数运算"), Said("x", "x"))
    assert ours.sorts == Said("Sort by Fractions, higher is better", "按分数运算排序，越高越好")
    assert ours.tip.zh.startswith("分数运算（arithmetic/fractions）")
    assert table.families == (
        ("arithmetic", Said("arithmetic", "算术"), 1),
        ("mine", told("mine"), 1),
    )
    (menu,) = (one for one in filters(data.board) if one.name == "family")
    assert menu.choices[0] == ("arithmetic", family_name("arithmetic"))
    assert data.board["tasks"][0]["title"] == "Fractions"


def test_a_task_s_page_is_written_in_both_languages(tmp_path):
    """Its heading and what it asks; the board's data stay English."""
    task = "arithmetic/fractions"
    about = "Are fractions added and multiplied exactly?"
    data = report_of(
        run_data(cells=(cell(task, 0.5),)), texts={task: TaskText(task, "Fractions", about)}
    )
    page = write_pages(data, tmp_path).read_text(encoding="utf-8")
    assert f"<h1>{told('Fractions').__html__()}</h1>" in page
    assert f"<p>{told(about).__html__()}</p>" in page


def test_a_comparison_names_tasks_in_both_languages(tmp_path):
    """The table's lines and the sentence above it."""
    recipes = (
        Recipe("embedded/mini", 0.9, "20260101T000000Z", per_cell=20),
        Recipe("embedded/micro", 0.1, "20260101T000100Z", per_cell=20),
    )
    runs = [make_run(tmp_path / "runs", recipe) for recipe in recipes]
    page = write_compare(compare(runs), runs, tmp_path / "out").read_text(encoding="utf-8")
    assert f">{told('Multi-digit addition').__html__()}</a><small>arithmetic/addition" in page
    assert re.search(r'lang="zh">[^<]*简短事实：凭记忆（−[^<]*Winograd 孪生句，英语（', page)
