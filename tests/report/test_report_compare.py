"""The compare page: verdicts, the common axis, flipped samples, changed settings."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from made_runs import Recipe, make_run

from harness.cli.compare import command
from harness.cli.compare_page import write_compare
from harness.compare import compare
from harness.report import word_diff as diffs
from harness.report.compare_draw import axis_reach
from harness.report.compare_settings import changed_settings, shown
from harness.report.model import RunData
from harness.report.word_diff import shortened, word_diff


def made(**more):
    """Make one row of a comparison, as JSON."""
    usual = {
        "difference": 0.0,
        "low": -0.05,
        "high": 0.05,
        "reference": 0.5,
        "other": 0.5,
    }
    return usual | more


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """The page of three runs, one with a hostile name."""
    root = tmp_path_factory.mktemp("compared")
    recipes = (
        Recipe("embedded/mini", 0.75, "20260101T000000Z", per_cell=4),
        Recipe("embedded/micro", 0.4, "20260101T000100Z", per_cell=4),
        Recipe("strange/<b>name</b>", 0.75, "20260101T000200Z", per_cell=4, status="partial"),
    )
    runs = [make_run(root / "runs", recipe) for recipe in recipes]
    return write_compare(compare(runs), runs, root / "out").read_text(encoding="utf-8")


def test_the_axis_holds_every_interval():
    """The axis is common to all tasks, round, and leaves out what is no share."""
    assert axis_reach([made(low=-0.6), made()]) == 0.7
    assert axis_reach([made(low=-900.0, reference=1000.0)]) == 0.05
    assert axis_reach([made()], margin=0.1) == 0.2
    assert axis_reach([made()], margin=0.8) == 1.0


WORDS = st.lists(st.sampled_from(["it", "is", " ", "12", "答", "。", "\n", "<b>"]), max_size=60)


@given(WORDS.map("".join), WORDS.map("".join))
def test_word_differences_lose_no_text(was, got):
    """The pieces of either side join to its text, and what is shared is the same on both."""
    left, right = word_diff(was, got)
    assert "".join(text for _, text in left) == was
    assert "".join(text for _, text in right) == got
    shared = ["".join(text for kind, text in side if kind == "=") for side in (left, right)]
    assert shared[0] == shared[1]
    assert {kind for kind, _ in left} <= {"=", "-", "~"}
    assert {kind for kind, _ in right} <= {"=", "+", "~"}


@given(st.lists(st.sampled_from("abc"), max_size=14), st.lists(st.sampled_from("abc"), max_size=14))
def test_as_much_as_can_be_is_shared(old, new):
    """The shared tokens are a longest common subsequence, in order."""
    found = list(diffs._shared(old, new))
    assert all(old[i] == new[j] for i, j in found)
    assert found == sorted(found)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    table = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, a in enumerate(old):
        for j, b in enumerate(new):
            longer = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else longer
    assert len(found) == table[-1][-1]


def test_words_and_signs_are_compared():
    """English goes word by word, Chinese sign by sign."""
    assert word_diff("the big cat", "the small cat")[1] == [
        ("=", "the "),
        ("+", "small"),
        ("=", " cat"),
    ]
    assert word_diff("答案是七", "答案是八")[0] == [("=", "答案是"), ("-", "七")]
    assert word_diff("", "new") == ([], [("+", "new")])


def test_texts_that_cannot_be_compared_stay_unmarked():
    """Too long, or with next to nothing in common: one piece each, of a kind of its own."""
    long = "a " * 4001
    assert word_diff(long, "b") == ([("~", long)], [("~", "b")])
    was = " ".join(f"one{place}" for place in range(60))
    got = " ".join(f"two{place}" for place in range(60))
    assert word_diff(was, got) == ([("~", was)], [("~", got)])


def test_one_word_repeated_is_no_trap():
    """Texts that defeat a quadratic comparison are read within the bound on edits."""
    was, got = " ".join(["a"] * 1900), " ".join(["a", "b"] * 950)
    left, right = word_diff(was, got)
    assert "".join(text for _, text in left) == was
    assert "".join(text for _, text in right) == got


def test_long_shared_stretches_are_cut():
    """Of what both share only the ends are shown, with the number of characters between."""
    pieces = shortened([("=", "x" * 500), ("-", "y" * 500), ("~", "z" * 500)])
    assert [kind for kind, _ in pieces] == ["=", "…", "=", "-", "~"]
    assert pieces[1] == ("…", "260")
    assert shortened([("=", "short")]) == [("=", "short")]


def test_only_what_differs_is_listed():
    """Settings that agree are counted; those of one run alone stand against a dash."""

    def run(name, **spec):
        manifest = {"harness": "1", "finished_at": name, "usage": {"requests": len(name)}}
        return RunData(name, name, manifest, {"spec": spec}, (), lambda: iter(()))

    rows, same = changed_settings([run("a", seed=0, limit=5), run("bb", seed=0, shots=[1, 2])])
    assert rows == [("limit", ["5", "–"]), ("shots", ["–", "1, 2"])]
    assert same == 2


def test_long_settings_show_where_they_differ():
    """Of long values the part from just before the first difference is shown."""
    was, got = shown(["p" * 200 + "A" + "q" * 200, "p" * 200 + "B" + "q" * 200])
    assert "A" in was
    assert "B" in got
    assert max(len(was), len(got)) <= 62
    assert shown(["p" * 200, ""]) == ["p" * 60 + "…", ""]


def test_the_page_has_verdicts_flips_and_settings(page):
    """A line a task, flipped samples of both directions, and the models that differ."""
    text = page[page.index('data-view="compare"') : page.index('data-view="board"')]
    assert text.count('class="verdict ') == 10
    assert text.count('class="call ') == 10
    assert 'class="verdict regressed"' in text
    assert 'data-dir="lost"' in text
    assert 'data-dir="gained"' in text
    assert "<del>" in text
    assert "<ins>" in text
    assert "served.name" in text
    assert "of 5 comparisons" in text
    assert "<b>name" not in text
    assert not re.search(r"\sstyle=", text)


def test_hostile_flips_are_cut_and_escaped(tmp_path):
    """A megabyte asked and answered leaves a page of a normal size, and nothing is an element."""
    tasks = ("hostile/flips",)
    recipes = (
        Recipe("embedded/mini", 0.9, "20260101T000000Z", tasks),
        Recipe("embedded/micro", 0.1, "20260101T000100Z", tasks),
    )
    runs = [make_run(tmp_path / "runs", recipe) for recipe in recipes]
    text = write_compare(compare(runs), runs, tmp_path / "out").read_text(encoding="utf-8")
    part = text[text.index('data-view="compare"') : text.index('data-view="board"')]
    assert part.count('class="flip"') == 10
    assert len(part) < 100_000
    assert "<img" not in part
    assert "<svg/onload" not in part
    assert "U+202E" in part
    assert "U+0000" in part


def test_a_page_without_a_comparison_opens_on_its_board(tmp_path):
    """Reports hold no empty compare page."""
    from harness.cli.report import write_report

    run = make_run(tmp_path, Recipe(per_cell=1, tasks=("qa/en",)))
    text = write_report([run], tmp_path / "out").read_text(encoding="utf-8")
    assert '<section class="view" data-view="compare"' not in text
    assert '"home":"board"' in text


def test_equal_runs_have_no_flips(tmp_path):
    """Where nothing flipped and nothing was set otherwise, the page says so."""
    run = make_run(tmp_path / "runs", Recipe(per_cell=1, tasks=("qa/en",)))
    text = write_compare(compare([run, run]), [run, run], tmp_path / "out").read_text("utf-8")
    assert "No sample flipped." in text
    assert "All settings agree." in text


def test_the_command_writes_the_page(tmp_path):
    """`harness compare A B --html DIR` names the page on stderr; stdout stays the table."""
    recipes = (Recipe(per_cell=1), Recipe("embedded/micro", 0.4, "20260101T000100Z", per_cell=1))
    runs = [str(make_run(tmp_path / "runs", recipe)) for recipe in recipes]
    done = CliRunner().invoke(command, [*runs, "--html", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "index.html" in done.stderr
    assert "index.html" not in done.stdout
    assert (tmp_path / "out" / "board.json").is_file()
