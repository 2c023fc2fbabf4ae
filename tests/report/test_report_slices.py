"""A task's numbers by subgroup: ladders, heat maps, pairs, perturbations, mistakes."""

from __future__ import annotations

import json
from collections import defaultdict

import msgspec
import pyarrow.parquet as pq
import pytest
from made_runs import Recipe, make_run
from test_board import cell
from test_report_blocks import row
from test_report_pages import report_of, run_data

from harness.board.records import Entry
from harness.board.table import make_board
from harness.cli.report import load_runs
from harness.cli.report_shots import shots_of
from harness.report.board_view import tables, tabs
from harness.report.copies import Copies
from harness.report.model import TaskText
from harness.report.run_view import run_page
from harness.report.slice_view import frontier, holds_to, natural
from harness.report.survey import survey
from harness.report.task_view import task_page
from harness.score.arithmetic import chance_of_classes
from harness.stats.intervals import wilson
from harness.stats.paired import Discordance, tango


def rated(right: int, n: int, **more):
    """Make a cell with the interval that so many right answers have."""
    ends = wilson(right, n)
    return cell("a/x", right / n, n=n, **{"low": ends.low, "high": ends.high, **more})


def crossed(values: dict[tuple[int, int], int]):
    """Make cells of carries x digits, each of 100 samples of which so many are right."""
    return [rated(v, 100, slice=f"carries={c}&digits={d}") for (c, d), v in values.items()]


# ---- up to where it holds -----------------------------------------------------------------------


def test_heat_map_draws_the_frontier():
    """A solid line behind the last cell that holds, a broken one before the first that breaks."""
    values = {(0, 1): 100, (0, 2): 97, (0, 3): 92, (0, 10): 10, (1, 2): 40, (1, 10): 30}
    run = run_data(cells=(cell("a/x", 0.5), *crossed(values)))
    (group,) = task_page(report_of(run), "a/x", {}).slices.heats
    (heat,) = group.heats
    assert (group.rows_name.en, group.columns_name.en) == ("carries", "digits")
    assert heat.columns == ("1", "2", "3", "10")
    (_, first), (_, second) = heat.rows
    assert ["edge" in one.classes for one in first] == [False, True, False, False]
    assert ["fall" in one.classes for one in first] == [False, False, False, True]
    assert second[0] is None
    assert "fall" in second[1].classes
    assert "slice=carries%3D0%26digits%3D2" in first[1].href


def test_numbers_go_across_a_heat_map():
    """Of a cross of words and numbers the numbers are the columns, whichever comes first."""
    cells = [cell("a/x", 0.5, slice=f"base={b}&operation={o}") for b in (2, 16) for o in "ab"]
    run = run_data(cells=(cell("a/x", 0.5), *cells))
    (group,) = task_page(report_of(run), "a/x", {}).slices.heats
    assert group.columns_name.en == "base"
    assert group.heats[0].columns == ("2", "16")
    assert [name for name, _ in group.heats[0].rows] == ["a", "b"]


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ((100, 97, 10), "2"),
        ((100, 97, 93, 10), "2\N{EN DASH}3"),
        ((93, 92, 10), "\N{LESS-THAN OR EQUAL TO} 2"),
        ((10, 5, 0), "none"),
        ((100, 99), "2"),
    ],
)
def test_a_ladder_says_up_to_where_it_holds(right, said):
    """Surely, and at most: what lies between is not certain either way."""
    steps = [str(place) for place in range(1, len(right) + 1)]
    assert holds_to(steps, [rated(count, 100) for count in right]).en == said


def test_too_few_samples_hold_nothing():
    """34 of 34 do not show that a level holds, and the ladder says what it takes."""
    assert holds_to(["1"], [rated(34, 34)]).en == "needs n \N{GREATER-THAN OR EQUAL TO} 35"
    assert holds_to(["1"], [rated(35, 35)]).en == "1"
    assert holds_to(["1"], [None]).en == ""
    assert holds_to(["1"], [rated(90, 100, higher_is_better=False)]).en == ""


def test_frontier_needs_numbers():
    """Where nothing was measured there is nothing to part."""
    assert frontier([], []) == ()
    assert sorted(["10", "9", "x", "-1"], key=natural) == ["-1", "9", "10", "x"]


def test_family_stands_together():
    """Tasks that share a numeric slice share one table a model, whichever task came first."""
    cells = [cell(task, 0.5) for task in ("a/w", "a/x", "a/y", "b/z")]
    cells += [cell(t, 0.9 - d / 10, slice=f"digits={d}") for t in ("a/x", "a/y") for d in (1, 2)]
    cells += [cell("a/w", 0.5, slice="depth=1"), cell("a/x", 0.5, slice="kind=k")]
    cells += [cell("a/y", 0.1, slice="digits=9", arm="other"), cell("b/z", 0.5, slice="digits=1")]
    texts = {name: TaskText(name) for name in ("a/w", "a/x", "a/y", "b/z")}
    data = report_of(run_data(cells=tuple(cells)), texts=texts)
    (group,) = task_page(data, "a/x", {}).families
    assert [name for name, _ in group.heats[0].rows] == ["x", "y"]
    assert group.heats[0].columns == ("1", "2")
    assert task_page(data, "b/z", {}).families == []
    assert task_page(data, "a/w", {}).families == []


def test_many_models_are_folded():
    """Four heat maps stand open, the others wait behind a line that counts them."""
    runs = [
        run_data(f"r{i}", f"p/{i}", cells=(cell("a/x", 0.5), *crossed({(0, 1): 50})))
        for i in range(6)
    ]
    (group,) = task_page(report_of(*runs), "a/x", {}).slices.heats
    assert (len(group.open), len(group.folded)) == (4, 2)


def test_words_are_sorted_worst_first():
    """Slices whose values have no order begin with the weakest."""
    cells = (
        cell("a/x", 0.5),
        cell("a/x", 0.9, slice="kind=easy"),
        cell("a/x", 0.1, slice="kind=hard"),
        cell("a/x", None, n=0, slice="kind=none"),
    )
    (table,) = task_page(report_of(run_data(cells=cells)), "a/x", {}).slices.words
    assert [value for value, _ in table.rows] == ["none", "hard", "easy"]


# ---- known answers from the table ---------------------------------------------------------------


def test_cells_of_the_page_are_those_of_the_table(tmp_path):
    """Every number in ladders and heat maps is the mean that counting the rows by hand gives."""
    path = make_run(tmp_path, Recipe("embedded/mini", 0.7, per_cell=5))
    counted: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for one in pq.read_table(path / "samples.parquet").to_pylist():
        if one["task"] != "arithmetic/addition" or one["status"] == "error":
            continue
        slices, score = dict(one["slices"]), dict(one["scores"])["exact_match"]
        counted["digits", slices["digits"]].append(score)
        counted["carries", slices["carries"]].append(score)
        counted[slices["carries"], slices["digits"], "cross"].append(score)
    (run,) = load_runs([path])
    page = task_page(report_of(run, texts={"arithmetic/addition": TaskText("arithmetic/addition")}),
                     "arithmetic/addition", {})  # fmt: skip
    shown = {}
    for ladder in page.slices.ladders:
        for step, mark in zip(ladder.steps, ladder.rows[0].marks, strict=True):
            shown[ladder.name.en, step] = mark
    heat = page.slices.heats[0].heats[0]
    for carries, marks in heat.rows:
        for digits, mark in zip(heat.columns, marks, strict=True):
            if mark is not None:
                shown[carries, digits, "cross"] = mark
    assert set(shown) == set(counted)
    for place, scores in counted.items():
        assert float(shown[place].sort) == pytest.approx(sum(scores) / len(scores)), place
        assert shown[place].n == len(scores), place


# ---- pairs, confidence, perturbations ----------------------------------------------------------


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
    rows.append(row(task="a/x", sample_id="00", arm="other", scores=[("exact_match", 1.0)]))
    run = run_data(rows=rows)
    page = task_page(report_of(run), "a/x", {"r1": survey(run, ["a/x"])})
    (line,) = page.pairs.lines
    assert (line.counts, line.total) == ((2, 2, 0), 4)
    (panel,) = page.calibration.panels
    assert panel.n == 8
    (typos,) = page.variants
    assert len(typos.examples) == 2
    assert page.example is None


def test_pair_accuracy_stands_beside_the_pairs():
    """The metric over pairs, with its interval, is in the row of its model."""
    rows = [
        row(task="a/x", sample_id=str(i), cluster="p", scores=[("exact_match", 1.0)])
        for i in range(2)
    ]
    run = run_data(rows=rows, cells=(cell("a/x", 0.9), cell("a/x", 0.8, metric="pair_accuracy")))
    page = task_page(report_of(run), "a/x", {"r1": survey(run, ["a/x"])})
    assert page.pairs.metrics == ("pair_accuracy",)
    assert page.pairs.lines[0].marks[0].text == "0.80"


def test_samples_without_a_score_are_left_out():
    """Failed samples count for neither pairs nor confidence."""
    run = run_data(rows=[row(task="a/x", status="error", error="late", confidence=0.5)])
    found = survey(run, ["a/x"]).tasks["a/x"]
    assert (found.sure, found.pairs) == ([], {})


def copied(scores):
    """Take originals and copies as (before, after), one sample each."""
    copies = Copies()
    for place, (before, after) in enumerate(scores):
        copies.see(row(task="a/x", sample_id=str(place), cluster=str(place)), before)
        copies.see(row(task="a/x", sample_id=str(place), variant="typos"), after)
    return copies


def test_a_drop_is_paired():
    """20 pairs, 6 lost and 1 gained: a drop of ¼ with Tango's interval for 6 and 1 of 20."""
    pairs = [(1.0, 0.0)] * 6 + [(0.0, 1.0)] + [(1.0, 1.0)] * 8 + [(0.0, 0.0)] * 5
    (drop,) = copied(pairs).drops("default")
    wanted = tango(Discordance(6, 1, 20))
    assert drop.interval == wanted
    assert (drop.before, drop.after) == (pytest.approx(0.7), pytest.approx(0.45))
    assert (drop.n, drop.lost, drop.gained, drop.changed) == (20, 6, 1, 20)


def test_a_copy_that_failed_has_no_pair():
    """Neither a copy nor an original without a score counts, nor another arm."""
    copies = copied([(1.0, None), (None, 1.0), (1.0, 0.0)])
    copies.see(row(task="a/x", sample_id="9", arm="other"), 1.0)
    copies.see(row(task="a/x", sample_id="9", arm="other", variant="typos"), 1.0)
    (drop,) = copies.drops("default")
    assert drop.n == 1
    assert copies.drops("third") == []


def test_copies_that_change_nothing_show_no_robustness():
    """A perturbation that left every input as it was has no drop; unchanged ones are counted."""
    copies = Copies()
    for place in range(3):
        copies.see(row(task="a/x", sample_id=str(place)), 1.0)
        copies.see(row(task="a/x", sample_id=str(place), variant="t", changed=False), 1.0)
        copies.see(row(task="a/x", sample_id=str(place), variant="u", changed=place > 1), 1.0)
    (drop,) = copies.drops("default")
    assert (drop.variant, drop.n, drop.changed) == ("u", 3, 1)


def test_the_dumbbell_carries_the_paired_interval():
    """The line of a variant has drop, interval and verdict; a loss beyond chance is marked."""
    rows = []
    for place in range(40):
        own = {"task": "a/x", "sample_id": str(place), "cluster": str(place)}
        rows.append(row(**own, scores=[("exact_match", 1.0)]))
        after = float(place >= 10)
        rows.append(row(**own, variant="typos", scores=[("exact_match", after)]))
    run = run_data(rows=rows)
    page = task_page(report_of(run), "a/x", {"r1": survey(run, ["a/x"])})
    ((line,),) = (variant.lines for variant in page.variants)
    assert (line.drop, line.sign, line.verdict.en) == (
        "0.25",
        "\N{BLACK DOWN-POINTING TRIANGLE}",
        "worse",
    )
    assert line.flips == (10, 0)
    found = tango(Discordance(10, 0, 40))
    assert line.span == f"{found.low:.2f}\N{EN DASH}{found.high:.2f}"
    assert 'class="wl"' in line.drawn
    alone = task_page(report_of(run), "a/x", {})
    assert alone.variants[0].lines[0].drop == ""


# ---- against ------------------------------------------------------------------------------------


def test_score_is_drawn_against_size_tokens_and_time():
    """Each chart needs two models that know the number; money goes before tokens."""

    def costs(model, size, value):
        more = {"group": "efficiency", "higher_is_better": False}
        cells = (
            cell("a/x", value),
            cell("a/x", 100 * value, metric="prompt_tokens", **more),
            cell("a/x", value, metric="latency_p50", **more),
        )
        return run_data(f"r{model}", f"p/{model}", cells=cells, manifest={"model": size})

    two = report_of(costs("a", {"parameters": 10**6}, 0.5), costs("b", {"parameters": 10**8}, 0.7))
    page = task_page(two, "a/x", {})
    assert "parameters" in page.against.size
    assert "tokens per sample" in page.against.cost
    assert "seconds per sample" in page.against.latency
    assert not page.against.rise.en
    alone = task_page(report_of(costs("a", {}, 0.5), costs("b", {"parameters": 1}, 0.7)), "a/x", {})
    assert alone.against.size == ""


def test_shots_make_one_curve_a_model():
    """Runs of one model that differ in --shots alone are points of one line."""
    runs = [
        run_data(f"r{n}", f"p/a ({n})", cells=(cell("a/x", n / 10),),
                 manifest={"model": {"name": "p/a"}})
        for n in (0, 2, 4)
    ]  # fmt: skip
    data = report_of(*runs)
    data.extra["shots"] = {(f"r{n}", "a/x", "default"): (n, "same") for n in (0, 2, 4)}
    drawn = task_page(data, "a/x", {}).against.shots
    assert "p/a: 0: 0.00, 2: 0.20, 4: 0.40" in drawn
    data.extra["shots"]["r4", "a/x", "default"] = (4, "another prompt")
    assert "4: 0.40" not in task_page(data, "a/x", {}).against.shots
    data.extra["shots"] = {}
    assert task_page(data, "a/x", {}).against.shots == ""


def test_shots_are_read_from_the_task_that_ran(harness, tmp_path):
    """Arm, --shots and task say how many; a file that has changed since says nothing."""
    harness("run", "arithmetic/addition", "--model", "scripted/oracle", "--limit", "4")
    harness("run", "arithmetic/addition", "--model", "scripted/oracle", "--limit", "4",
            "--shots", "2")  # fmt: skip
    harness("run", "arithmetic/addition", "--model", "scripted/oracle", "--limit", "4",
            "--system", "Be brief.")  # fmt: skip
    paths = sorted(path.parent for path in (tmp_path / "results").glob("*/run.json"))
    runs = load_runs(paths)
    found = shots_of(runs)
    assert sorted(count for count, _ in found.values()) == [0, 0, 2]
    assert len({likeness for _, likeness in found.values()}) == 2
    record = json.loads((paths[0] / "run.json").read_text())
    record["tasks"]["arithmetic/addition"]["arms"]["default"]["task"] = "another"
    (paths[0] / "run.json").write_text(json.dumps(record))
    assert len(shots_of(load_runs(paths))) == 2


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
    assert "p/b: 2.00, 0.60" in cost.chart
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

    def graded(correct, incorrect, penalised):
        other = cell("a/x", incorrect, metric="incorrect", higher_is_better=False)
        third = cell("a/x", penalised, metric="penalised_75")
        return (cell("a/x", correct, metric="correct"), other, third)

    good = run_data(cells=graded(0.7, 0.1, 0.4))
    bad = run_data("r2", "p/b", cells=graded(0.2, 0.6, -1.6))
    page = task_page(report_of(good, bad), "a/x", {})
    assert [(line.model, line.counts) for line in page.grades.lines] == [
        ("p/b", (20, 20, 60)),
        ("p/a", (70, 20, 10)),
    ]
    assert page.grades.metrics == ("penalised_75",)
    assert page.grades.lines[0].marks[0].text == "\N{MINUS SIGN}1.60"


# ---- mistakes -----------------------------------------------------------------------------------


def test_mistakes_are_counted_by_class():
    """Wrong samples that scoring gave a class are counted; prose and right ones are not."""
    said = ["off by one", "off by one", "shifted", "a longer story " * 9, "format-only", None]
    rows = [
        row(task="a/x", sample_id=str(i), scores=[("exact_match", 0.0)], explanation=text)
        for i, text in enumerate(said)
    ]
    rows.append(row(task="a/x", scores=[("exact_match", 1.0)], explanation="off by one"))
    run = run_data(rows=rows)
    found = task_page(report_of(run), "a/x", {"r1": survey(run, ["a/x"])}).mistakes
    shown = [(line.name.en, line.cells[0].count, line.cells[0].share) for line in found.lines]
    assert shown == [("off by one", 2, "67%"), ("shifted", 1, "33%")]
    assert not found.guessed


def test_mistakes_stand_beside_a_guesser():
    """Of 89 wrong guesses at 47 four are off by one; a model that always is stands out."""
    rows = [
        row(task="a/x", sample_id=str(i), target=["47"], scores=[("exact_match", 0.0)],
            explanation="off-by-one-digit", fields='{"a": 40, "b": 7, "operator": "+"}')
        for i in range(30)
    ]  # fmt: skip
    run = run_data(rows=rows)
    data = report_of(run)
    data.extra["chance"] = lambda wrong: chance_of_classes(wrong, draws=100)
    found = task_page(data, "a/x", {"r1": survey(run, ["a/x"])}).mistakes
    ((line,),) = ([one for one in found.lines if one.name.en == "off by one"],)
    (only,) = line.cells
    assert found.guessed
    assert (only.share, only.expected, only.sign) == (
        "100%",
        "4%",
        "\N{BLACK UP-POINTING TRIANGLE}",
    )
    assert 'class="sx"' in only.drawn


def test_the_guesser_is_known_as_well_as_it_was_drawn():
    """Shares come with Wilson's interval over all draws; without numbers there is no guesser."""
    found = chance_of_classes([("47", {})] * 5, draws=100)
    share, low, high = found["off-by-one-digit"]
    assert share == pytest.approx(4 / 89)
    assert (low, high) == pytest.approx(wilson(share * 500, 500)[2:4])
    assert found["sign"][0] == 0.0
    assert found["sign"][2] > 0
    assert chance_of_classes([("Paris", {})]) == {}
