"""A task's numbers by subgroup: heat maps, the frontier, families, pairs, changed words."""

from __future__ import annotations

from test_board import cell
from test_report_blocks import row
from test_report_pages import report_of, run_data

from harness.board.records import Entry
from harness.board.table import make_board
from harness.report.board_view import tables, tabs
from harness.report.model import TaskText
from harness.report.run_view import run_page
from harness.report.slice_view import frontier, natural
from harness.report.survey import survey
from harness.report.task_view import task_page

import msgspec  # isort: skip


def crossed(values: dict[tuple[int, int], float]):
    """Make cells of carries × digits."""
    return [cell("a/x", v, slice=f"carries={c}&digits={d}") for (c, d), v in values.items()]


def test_heat_map_draws_the_frontier():
    """The last cell of at least 0.5 before one below carries the line; gaps stay empty."""
    values = {(0, 1): 0.9, (0, 2): 0.6, (0, 10): 0.1, (1, 2): 0.4, (1, 10): 0.3}
    run = run_data(cells=(cell("a/x", 0.5), *crossed(values)))
    (heat,) = task_page(report_of(run), "a/x", {}).heats
    assert heat.columns == ("1", "2", "10")
    (_, first), (_, second) = heat.rows
    assert ["edge" in one.classes for one in first] == [False, True, False]
    assert second[0] is None
    assert "slice=carries%3D0%26digits%3D2" in first[1].href


def test_frontier_needs_two_numbers():
    """Next to a gap there is nothing to part."""
    assert frontier([None, None], [None, None]) == (None, None)
    assert sorted(["10", "9", "x", "-1"], key=natural) == ["-1", "9", "10", "x"]


def test_family_stands_together():
    """Tasks of one family that share a numeric slice share one table a model."""
    cells = [cell(task, 0.5) for task in ("a/x", "a/y", "b/z")]
    cells += [cell(t, 0.9 - d / 10, slice=f"digits={d}") for t in ("a/x", "a/y") for d in (1, 2)]
    cells += [cell("a/x", 0.5, slice="kind=k"), cell("b/z", 0.5, slice="digits=1")]
    texts = {name: TaskText(name) for name in ("a/x", "a/y", "b/z")}
    data = report_of(run_data(cells=tuple(cells)), texts=texts)
    (heat,) = task_page(data, "a/x", {}).families
    assert [name for name, _ in heat.rows] == ["x", "y"]
    assert task_page(data, "b/z", {}).families == []


def test_words_are_sorted_worst_first():
    """Slices whose values have no order begin with the weakest."""
    cells = (
        cell("a/x", 0.5),
        cell("a/x", 0.9, slice="kind=easy"),
        cell("a/x", 0.1, slice="kind=hard"),
        cell("a/x", None, n=0, slice="kind=none"),
    )
    (table,) = task_page(report_of(run_data(cells=cells)), "a/x", {}).slices
    assert [value for value, _ in table.rows] == ["none", "hard", "easy"]
    assert table.chart == ""


def test_samples_speak_for_pairs_confidence_and_changes():
    """Twins, stated confidences and perturbed words come from the samples themselves."""
    rows = []
    for pair in range(4):
        for twin in range(2):
            rows.append(
                row(
                    task="a/x",
                    sample_id=f"{pair}{twin}",
                    cluster=f"pair-{pair}",
                    scores=[("exact_match", float(twin or pair % 2))],
                    confidence=0.8,
                )
            )
    span = [{"start": 0, "end": 2, "original": "on"}]
    for place in range(5):
        rows.append(row(task="a/x", sample_id=str(place), variant="typos", spans=span))
    rows.append(row(task="a/x", sample_id="again", epoch=1, scores=[("exact_match", 1.0)]))
    run = run_data(rows=rows)
    data = report_of(run)
    found = survey(run, ["a/x"])
    page = task_page(data, "a/x", {"r1": found})
    assert [line.counts for line in page.pairs] == [(2, 2, 0)]
    assert page.pairs[0].total == 4
    assert page.calibration
    assert [(name, len(examples)) for name, examples in page.changed] == [("typos", 3)]
    assert page.example is None


def test_samples_without_a_score_are_left_out():
    """Failed samples count for neither pairs nor confidence."""
    run = run_data(rows=[row(task="a/x", status="error", error="late", confidence=0.5)])
    found = survey(run, ["a/x"]).tasks["a/x"]
    assert (found.sure, found.pairs) == ([], {})


def test_cost_is_drawn_where_models_share_tasks():
    """Efficiency shows score against cost over the tasks that all have; else nothing."""

    def costs(value):
        return cell("a/x", value, metric="latency_s", group="efficiency", higher_is_better=False)

    entries = [
        Entry("r1", "p/a", (cell("a/x", 0.5), costs(1.0))),
        Entry("r2", "p/b", (cell("a/x", 0.6), costs(2.0))),
    ]
    board = msgspec.to_builtins(make_board("b", entries, {}))
    main, cost = tables(board, pages=())
    assert not main.chart
    assert "score 0.60" in cost.chart
    assert cost.lines[0].marks[0].href == "#view=task&task=a%2Fx"
    alone = msgspec.to_builtins(make_board("b", entries[:1], {}))
    assert not tables(alone, pages=())[1].chart
    groups = [(tab["group"], len(tab["measures"])) for tab in tabs([main, cost])]
    assert groups[0] == ("accuracy", 1)
    assert groups[-1] == ("efficiency", 1)
    assert sum(count for _, count in groups) == 2


def test_run_page_puts_failures_first():
    """Cells with failed requests head the run's table."""
    cells = (cell("a/x", 0.5), cell("a/y", 0.5, errors=3))
    run = run_data(cells=cells)
    page = run_page(run, survey(run, ["a/x", "a/y"]))
    assert [one.task for one, _ in page.cells] == ["a/y", "a/x"]
    assert ("spec", "00ff") in page.hashes
    assert ("a/x arms.default.prompt", "pp") in page.hashes


def test_grades_are_split_and_sorted():
    """Correct, not attempted and incorrect make one bar a model, the most incorrect first."""

    def graded(correct, incorrect):
        other = cell("a/x", incorrect, metric="incorrect", higher_is_better=False)
        return (cell("a/x", correct, metric="correct"), other)

    good = run_data(cells=graded(0.7, 0.1))
    bad = run_data("r2", "p/b", cells=graded(0.2, 0.6))
    page = task_page(report_of(good, bad), "a/x", {})
    assert [(line.model, line.counts) for line in page.grades] == [
        ("p/b", (20, 20, 60)),
        ("p/a", (70, 20, 10)),
    ]


def test_mistakes_are_counted_by_class():
    """Wrong samples that scoring gave a class are counted; prose and right ones are not."""
    said = ["off by one", "off by one", "shifted", "a longer story " * 9, None]
    rows = [
        row(task="a/x", sample_id=str(i), scores=[("exact_match", 0.0)], explanation=text)
        for i, text in enumerate(said)
    ]
    rows.append(row(task="a/x", scores=[("exact_match", 1.0)], explanation="off by one"))
    run = run_data(rows=rows)
    page = task_page(report_of(run), "a/x", {"r1": survey(run, ["a/x"])})
    found = [(line.name, line.cells[0][0], line.cells[0][1]) for line in page.mistakes]
    assert found == [("off by one", 2, "67%"), ("shifted", 1, "33%")]
