"""The written report: self-contained, strict, the same each time, and nothing escapes its text."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from made_runs import Recipe, make_run
from test_board import cell
from test_report_blocks import lines_of, row, turn, unpacked

from harness.board.records import Entry, TaskFacts
from harness.board.table import make_board
from harness.cli.board import write_board
from harness.cli.report import write_report
from harness.cli.run import command as run_command
from harness.cli.run import settings
from harness.errors import InvalidFile, StoreError, UsageError
from harness.records import ModelSpec, RunSpec, to_json
from harness.report import pages
from harness.report.model import ReportData, RunData, TaskText
from harness.report.pages import write_pages
from harness.report.run_view import options, rerun, run_page, sample_options
from harness.report.survey import survey
from harness.report.task_view import task_page
from harness.report.variant_view import pieces
from harness.report.visible import seen

GOLDEN = Path(__file__).parent.parent / "golden" / "report"
EVIL = "\"><script>alert(1)</script><b x='"


def run_data(name="r1", model="p/a", **more) -> RunData:
    """Make a run of six sums and one failure, by hand."""
    samples = [
        row(
            task="a/x",
            sample_id=f"{name}-{place}",
            input=f"What is {place} + 1?",
            target=[str(place + 1)],
            output=str(place + 1),
            answer=str(place + 1),
            scores=[("exact_match", 1.0)],
            slices=[("digits", "1")],
            transcript=[
                turn("user", f"What is {place} + 1?"),
                turn("assistant", str(place + 1), attempts=1),
            ],
        )
        for place in range(6)
    ]
    samples.append(row(task="a/x", sample_id=f"{name}-bad", status="error", error="timeout: late"))
    cells = more.pop(
        "cells",
        (
            cell("a/x", 0.9, n=6, errors=1, bound_low=0.77, bound_high=0.91),
            *(cell("a/x", 1 - place / 4, slice=f"digits={place}") for place in (1, 2, 3)),
            cell("a/x", 0.8, variant="typos"),
            cell("a/x", 0.1, variant="mean_drop", group="robustness", higher_is_better=False),
            cell("a/x", 12.0, 1.0, metric="latency_s", group="efficiency", higher_is_better=False),
        ),
    )
    manifest = {
        "status": "complete",
        "harness": "1.0",
        "seeds": {"seed": 0},
        "spec_hash": "00ff",
        "tasks": {"a/x": {"data": "dd", "arms": {"default": {"prompt": "pp"}}}},
        **more.pop("manifest", {}),
    }
    spec = {"spec": {"tasks": ["a/x"], "model": {"provider": "p", "name": "a"}}}
    rows = more.pop("rows", samples)
    return RunData(name, model, manifest, {**spec, **more}, cells, lambda: iter(rows))


def report_of(*runs: RunData, texts: dict[str, TaskText] | None = None) -> ReportData:
    """Make a report of runs."""
    texts = texts or {"a/x": TaskText("a/x", "Sums", "How far does it add?", "en", "generate")}
    entries = [Entry(run.name, run.model, run.cells) for run in runs]
    facts = {name: TaskFacts(name, text.title, text.language) for name, text in texts.items()}
    board = json.loads(to_json(make_board("made", entries, facts)))
    return ReportData("made", runs, texts, board, command="harness report r1 -o made")


@pytest.fixture
def two(tmp_path) -> str:
    """The page of a report of two runs."""
    data = report_of(run_data(), run_data("r2", "p/b"))
    return write_pages(data, tmp_path).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """The page's elements and texts, one a line, without style, script, charts and marks."""

    SKIPPED = ("style", "script", "svg")
    VOID = ("meta", "input", "br", "link", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.depth = 0
        self.skipping: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in self.SKIPPED or self.skipping:
            if tag not in self.VOID:
                self.skipping.append(tag)
            return
        kept = {k: v for k, v in attrs if k in ("href", "class", "data-tip", "data-v", "id")}
        words = " ".join(f"{k}={v}" for k, v in kept.items() if v)
        self.lines.append(f"{' ' * self.depth}<{tag} {words}".rstrip())
        self.depth += tag not in self.VOID

    def handle_endtag(self, tag):
        if self.skipping:
            if tag == self.skipping[-1]:
                self.skipping.pop()
        elif tag not in self.VOID:
            self.depth -= 1

    def handle_data(self, data):
        if data.strip() and not self.skipping:
            self.lines.append(f"{' ' * self.depth}{' '.join(data.split())}")


def test_the_page_is_the_golden_one(two):
    """The page's structure, texts and numbers change only on purpose.

    With HARNESS_UPDATE_GOLDEN=1 the file is written anew.
    """
    outline = Outline()
    outline.feed(two)
    text = "\n".join(outline.lines) + "\n"
    golden = GOLDEN / "page.txt"
    if os.environ.get("HARNESS_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert outline.depth == 0


def test_the_same_runs_make_the_same_bytes(tmp_path):
    """A report is a function of its runs."""
    first = write_pages(report_of(run_data()), tmp_path / "a").read_bytes()
    assert write_pages(report_of(run_data()), tmp_path / "b").read_bytes() == first


def test_policy_allows_only_these_scripts_and_this_style(two):
    """Every style and script in the page has its hash in the policy, and nothing else is let in."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', two)[1]
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "strict-dynamic" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", two, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", two, re.DOTALL)
    assert (len(scripts), len(styles)) == (2, 1)
    for text in scripts + styles:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_page_refers_to_nothing_outside(two):
    """No address leads out of the file, no style or handler sits in an attribute."""
    markup = re.sub(r"<(script|style).*?</\1>", "", two, flags=re.DOTALL)
    assert re.findall(r'(?:href|src)="(?!#)', markup) == []
    assert re.findall(r"https?://(?!www\.w3\.org/)", markup) == []
    assert re.findall(r'\s(?:style|on\w+)="', markup) == []


def test_hostile_names_and_texts_stay_text(tmp_path):
    """Names, titles, inputs, reasons and hashes from strangers are escaped wherever they stand."""
    rows = [
        row(
            task=EVIL,
            sample_id=EVIL,
            input=EVIL,
            variant=variant,
            spans=[{"start": 0, "end": 3, "original": EVIL}],
            target=[EVIL],
            transcript=[turn("user", EVIL), turn("assistant", EVIL, attempts=1)],
        )
        for variant in ("original", EVIL)
    ]
    cells = (
        cell(EVIL, 0.5, metric=EVIL),
        *(cell(EVIL, 0.5, metric=EVIL, slice=f"{EVIL}={n}") for n in range(3)),
        cell(EVIL, 0.4, metric=EVIL, variant=EVIL),
    )
    manifest = {"status": EVIL, "reason": EVIL, "tasks": {EVIL: {EVIL: EVIL}}}
    run = run_data(EVIL, EVIL, rows=rows, cells=cells, manifest=manifest)
    texts = {EVIL: TaskText(EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL,))}
    page = write_pages(report_of(run, texts=texts), tmp_path).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<b x" not in page
    assert page.count("</script>") == page.count("<script")


def test_every_sample_is_in_the_page(two):
    """The packed pieces hold every row of every run."""
    pieces_found = dict(re.findall(r'id="chunk-([\w-]+)">([^<]*)</script>', two))
    assert sorted(pieces_found) == [
        "r0-0",
        "r0-cells",
        "r0-index",
        "r1-0",
        "r1-cells",
        "r1-index",
    ]
    assert unpacked(pieces_found["r1-index"])["columns"]["id"] == [
        *(f"r2-{place}" for place in range(6)),
        "r2-bad",
    ]
    assert len(lines_of(pieces_found["r0-0"])) == 7


def test_beyond_the_limit_samples_lie_beside(tmp_path, monkeypatch):
    """Too many samples go to a folder of scripts; what an earlier report left there is removed."""
    monkeypatch.setattr(pages, "SELF_CONTAINED", 3)
    data = tmp_path / "data"
    data.mkdir()
    (data / "r9-index.js").write_text("old")
    page = write_pages(report_of(run_data()), tmp_path).read_text(encoding="utf-8")
    assert "chunk-r0" not in page
    assert "&#39;strict-dynamic&#39;" in page
    assert sorted(path.name for path in data.iterdir()) == [
        "r0-0.js",
        "r0-cells.js",
        "r0-index.js",
    ]
    assert re.fullmatch(r'harnessChunk\("r0-0","[\w+/=]+"\)\n', (data / "r0-0.js").read_text())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    """A file where the folder should be gives one clear error."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="taken"):
        write_pages(report_of(run_data()), tmp_path / "taken")


def test_task_page_gathers_what_fits(tmp_path):
    """Slices make a chart, variants dumbbells, the drop its interval; one sample stands as sent."""
    data = report_of(run_data())
    surveys = {"r1": survey(data.runs[0], ["a/x"])}
    page = task_page(data, "a/x", surveys)
    assert page.example["sent"][0]["text"] == "What is 0 + 1?"
    assert [ladder.name.en for ladder in page.slices.ladders] == ["digits"]
    assert page.slices.ladders[0].chart
    assert [variant.name for variant in page.variants] == ["typos"]
    assert len(page.across) == 1
    assert page.arms is None
    assert page.pairs.lines == ()
    assert task_page(data, "a/unknown", surveys).numbers == []


def test_arms_stand_side_by_side():
    """A task with several arms gets a table of them."""
    cells = (cell("a/x", 0.5), cell("a/x", 0.8, arm="shots-4"), cell("a/x", 0.7, slice="k=v"))
    page = task_page(report_of(run_data(cells=cells)), "a/x", {})
    assert [name for name, _ in page.arms.rows] == ["default", "shots-4"]
    assert not page.slices


def test_perturbed_texts_are_cut_at_their_spans():
    """Pieces join to the text again; overlapping spans are left out."""
    spans = [
        {"start": 2, "end": 4, "original": "xx"},
        {"start": 3, "end": 5, "original": "yy"},
        {"start": 5, "end": 5, "original": "zz"},
    ]
    cut = pieces({"input": "abcdefg", "spans": spans})
    assert cut == [("ab", None), ("cd", "xx"), ("e", None), ("", "zz"), ("fg", None)]


def test_command_makes_the_run_again():
    """Every part of a spec that decides what is measured is in the command, quoted."""
    inner = {
        "tasks": ["arithmetic/*"],
        "model": {
            "provider": "openai",
            "name": "m",
            "arguments": {"api": "completions", "n": 2},
            "base_url": "http://127.0.0.1:1/v1",
            "api_key_env": "KEY",
        },
        "limit": 5,
        "sample_ids": ["ab", "cd"],
        "judges": {
            "correct": {"provider": "openai", "name": "j@http://127.0.0.1:2/v1"},
            "summary": {"provider": "hf", "name": "k", "base_url": "http://127.0.0.1:3"},
        },
        "shots": 0,
        "seed": 3,
        "epochs": 2,
        "arms": ["direct"],
        "perturb": ["typos", "spaces"],
        "generation": {"temperature": 0.5},
        "data": {"file": "my rows.jsonl"},
        "system": "Be brief.",
        "trust": True,
    }
    assert rerun({"spec": inner}) == (
        "harness run 'arithmetic/*' --model openai/m -M api=completions -M n=2"
        " --base-url http://127.0.0.1:1/v1 --api-key-env KEY --limit 5 --seed 3 --epochs 2"
        " --shots 0 --system 'Be brief.' --sample ab --sample cd --arm direct"
        " --perturb typos,spaces --judge correct=openai/j@http://127.0.0.1:2/v1"
        " --judge summary=hf/k@http://127.0.0.1:3 -G temperature=0.5"
        " -D 'file=my rows.jsonl' --trust"
    )
    alone = sample_options({"spec": inner})
    assert "--limit" not in alone
    assert "--sample" not in alone
    assert "--judge correct=" in alone
    assert options({"model": {"provider": "p", "name": "n"}, "epochs": 1, "seed": 0}) == [
        "--model",
        "p/n",
    ]


def test_the_commands_options_are_those_of_harness_run():
    """What the page says to run is read back as the spec that it was made from."""
    spec = RunSpec(
        tasks=("qa/en",),
        model=ModelSpec("openai", "m", {"n": 2}, base_url="http://127.0.0.1:1/v1"),
        limit=5,
        shots=0,
        judges={"correct": ModelSpec("scripted", "perfect")},
        perturb=("typos",),
    )
    words = shlex.split(rerun({"spec": msgspec.to_builtins(spec)}))
    flags = run_command.make_context("run", words[2:]).params
    flags = {name: value for name, value in flags.items() if name not in ("as_json", "dry_run")}
    assert settings(flags)[0] == spec


def test_a_runs_sentence_counts_what_the_list_counts():
    """Right, partly right, wrong, unparsed, failed, without a verdict: as the filters have it."""
    statuses = ("ok", "ok", "ok", "unparsed", "error", "unjudged")
    scores = (1.0, 0.5, 0.2, 0.0, None, None)
    rows = [
        row(task="a/x", sample_id=str(place), status=status,
            scores=[] if score is None else [("exact_match", score)])
        for place, (status, score) in enumerate(zip(statuses, scores, strict=True))
    ]  # fmt: skip
    run = run_data(rows=rows)
    page = run_page(run, survey(run, ["a/x"]))
    assert page.story.en == (
        "6 samples scored: 1 right, 1 partly right, 1 wrong, 1 unparsed, 1 failed, "
        "1 without a verdict."
    )


def test_cells_begin_with_what_went_wrong():
    """Cells without a value, then those with failures; a correction without one is no failure."""
    cells = (
        cell("a/x", 0.5),
        cell("a/x", None, low=None, high=None, estimate="ppi++", reason="few labels"),
        cell("a/y", 0.4, errors=2),
        cell("a/z", None, low=None, high=None, reason="not reached"),
    )
    run = run_data(cells=cells)
    page = run_page(run, survey(run, ["a/x"]))
    assert [(c.task, c.estimate) for c, _ in page.cells] == [
        ("a/z", "raw"), ("a/y", "raw"), ("a/x", "raw"), ("a/x", "ppi++"),
    ]  # fmt: skip


def test_settings_name_the_judges():
    """Who judged, how many verdicts there are, and the hash of it."""
    judge = {"hash": "abcd", "models": {"correct": {"name": "p/j"}}, "judged": 7, "missing": 2}
    page = run_page(run_data(manifest={"judges": {"correct": judge}}), survey(run_data(), []))
    assert ("judge correct", "p/j: 7 verdicts, 2 missing") in page.settings
    assert ("judge correct", "abcd") in page.hashes
    assert page.judged


def test_partial_and_replayed_runs_say_so(tmp_path):
    """The run's page says how much is there and whether it is new evidence."""
    manifest = {
        "status": "partial",
        "reason": "budget reached",
        "scored": 7,
        "planned": 20,
        "evidence": "replayed, not new evidence",
    }
    page = write_pages(report_of(run_data(manifest=manifest)), tmp_path).read_text("utf-8")
    assert "The run is partial: 7 of 20 samples (budget reached)" in page
    assert "no new evidence" in page


def test_report_of_real_run_directories(tmp_path):
    """Runs as the store writes them become pages; two runs of one model are told apart."""
    recipe = Recipe(per_cell=2, tasks=("qa/en",))
    runs = [
        make_run(tmp_path, recipe),
        make_run(tmp_path, msgspec_replace(recipe, stamp="20260102T000000Z")),
    ]
    page = write_report(runs, tmp_path / "out").read_text("utf-8")
    for path in runs:
        assert f"embedded/mini ({path.name[-6:]})" in page
    assert "Short facts" in page


def msgspec_replace(recipe: Recipe, **changes) -> Recipe:
    """Return a recipe with some parts changed."""
    return Recipe(**{**vars(recipe), **changes})


def test_board_of_a_folder_of_runs(tmp_path):
    """A board joins the runs of a folder: latest complete run, unfinished ones left out by name."""
    root = tmp_path / "results"
    recipe = Recipe(per_cell=2, tasks=("qa/en",))
    make_run(root, recipe)
    later = make_run(root, msgspec_replace(recipe, stamp="20260102T000000Z"))
    make_run(root, msgspec_replace(recipe, stamp="20260103T000000Z", status="partial"))
    broken = root / "20260104T000000Z-x-ffffff"
    broken.mkdir()
    (broken / "spec.json").write_text('{"spec": {}}')
    index = write_board(root, tmp_path / "board")
    data = json.loads((index.parent / "board.json").read_text("utf-8"))
    assert data["models"][0]["runs"] == [later.name]
    assert data["left_out"][0]["run"] == broken.name
    assert (index.parent / "board.csv").is_file()
    assert (index.parent / "board.md").is_file()
    assert broken.name in index.read_text("utf-8")


def test_nothing_to_show_is_a_clear_error(tmp_path):
    """An empty folder has no board, an unfinished run no report, broken scores say where."""
    with pytest.raises(UsageError, match="no finished run"):
        write_board(tmp_path, tmp_path / "out")
    path = make_run(tmp_path, Recipe(per_cell=1, tasks=("qa/en",)))
    (path / "scores.json").write_text('{"cells": [{"task": 3}]}')
    with pytest.raises(InvalidFile, match=r"scores\.json"):
        write_report([path], tmp_path / "out")
    (path / "run.json").unlink()
    with pytest.raises(InvalidFile, match=r"run\.json"):
        write_report([path], tmp_path / "out")
    assert msgspec.json.decode((path / "spec.json").read_bytes())["spec"]["tasks"] == ["qa/en"]


def test_a_run_of_nothing_still_has_its_page(tmp_path):
    """No samples and no numbers: the page says so and stands."""
    page = write_pages(report_of(run_data(rows=[], cells=())), tmp_path).read_text("utf-8")
    assert "No number could be measured." in page
    assert "0 samples scored" in page


def test_a_run_whose_every_request_failed(tmp_path):
    """A cell without a value leads to blanks with reasons, not to an error."""
    failed = cell("a/x", None, n=0, errors=7, reason="every request failed", low=None, high=None)
    page = write_pages(report_of(run_data(cells=(failed,))), tmp_path).read_text("utf-8")
    assert "failed" in page
    assert "No number could be measured." in page


def test_what_hides_in_a_name_is_spelt_out_where_people_read():
    """Texts, labels, titles and pictures say the code point; addresses, names and scripts stay."""
    html = (
        '<title>a\u202e</title><p data-task="a\u202e" data-label-en="b\u202e">c\u202e</p>'
        "<svg><text>d\u202e</text></svg><script>e\u202e</script>\u202ef"
    )
    mark = '<i class="ctl">U+202E</i>'
    assert seen(html) == (
        f'<title>aU+202E</title><p data-task="a\u202e" data-label-en="bU+202E">c{mark}</p>'
        f"<svg><text>dU+202E</text></svg><script>e\u202e</script>{mark}f"
    )
    assert seen("<p>plain</p>") == "<p>plain</p>"


def test_a_report_in_one_file_leaves_no_samples_beside(tmp_path, monkeypatch):
    """Written over a report in a folder it removes that one's scripts, and nothing of others."""
    report = report_of(run_data())
    with monkeypatch.context() as patch:
        patch.setattr(pages, "SELF_CONTAINED", 3)
        write_pages(report, tmp_path)
    write_pages(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    (tmp_path / "data").mkdir()
    for name in ("r0-0.js", "read.js", "rows.json"):
        (tmp_path / "data" / name).write_text("")
    write_pages(report, tmp_path)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["read.js", "rows.json"]


def test_numbers_of_one_arm_of_several_lead_to_its_samples():
    """The address names the arm where a task has more than one, in tables, slices and copies."""
    cells = (
        cell("a/x", 0.5),
        cell("a/x", 0.8, arm="few"),
        cell("a/x", 0.4, variant="typos"),
        *(cell("a/x", 0.7, slice=f"kind={kind}") for kind in "ab"),
        cell("a/y", 0.5),
    )
    run = run_data(cells=cells)
    hrefs = [mark.href for _, mark in run_page(run, survey(run, ["a/x"])).cells]
    assert ["arm=few" in href for href in hrefs] == [False, True, False, False]
    assert ["arm=" in href for href in hrefs] == [True, True, True, False]
    page = task_page(report_of(run), "a/x", {})
    assert [mark.href.count("arm=default") for _, (mark,) in page.slices.words[0].rows] == [1, 1]
    assert [marks[0].href.partition("arm=")[2][:3] for _, marks in page.arms.rows] == ["def", "few"]
    assert "arm=default" in page.variants[0].lines[0].after.href
