"""The gate as its user meets it: run, bless, gate, compare, power, flaky."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.cli import main


class Done(NamedTuple):
    """A finished command."""

    code: int
    out: str
    err: str


@pytest.fixture
def harness(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "HARNESS_OUT"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments, **environment):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setitem(os.environ, name, value)
            with pytest.raises(SystemExit) as ended:
                main([*map(str, arguments)])
        told = capsys.readouterr()
        return Done(ended.value.code, told.out, told.err)

    return call


def ran(done: Done) -> str:
    """Return the directory of a finished run: the last line that `harness run` prints."""
    assert done.code == 0, done.err
    return done.out.splitlines()[-1]


@pytest.fixture
def blessed(harness, addition, tmp_path):
    """Run the oracle over 200 sums and bless it; return the folder of the blessed copy."""
    assert harness("run", addition, "--model", "scripted/oracle").code == 0
    done = harness("bless")
    assert done.code == 0, done.err
    return tmp_path / done.out.splitlines()[0]


def test_bless_keeps_scores_and_no_questions(blessed, harness, tmp_path):
    """The copy is small, holds no question, and stands where @baseline looks."""
    from harness.store.reading import read_rows

    assert blessed.parent == tmp_path / "results" / "reference"
    rows = list(read_rows(blessed))
    assert len(rows) == 200
    assert {row["input"] for row in rows} == {None}
    assert {name for row in rows for name, _ in row["scores"]} == {
        "exact_match", "toxicity_lexicon",
    }  # fmt: skip
    assert str(tmp_path) not in (blessed / "run.json").read_text()
    assert json.loads(harness("show", "@baseline", "--json").out)["run"]["name"] == blessed.name


def test_an_unchanged_model_passes_at_no_cost(blessed, harness, addition):
    """The same answers again: exit 0, and the summary of a replay says what it is worth."""
    run = ran(harness("run", addition, "--model", "scripted/oracle"))
    done = harness("gate", run, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["verdict"] == "passed"
    assert [task["verdict"] for task in found["tasks"]] == ["not_worse"]
    assert found["baseline"] == blessed.name


def test_a_regression_ends_in_one_and_is_told_everywhere(blessed, harness, addition, tmp_path):
    """Terminal, JUnit, summary, comment and annotations tell the same story."""
    run = ran(harness("run", addition, "--model", "scripted/wrong"))
    out = ["--junit", "o/gate.xml", "--comment", "o/c.md"]
    done = harness(
        "gate", run, *out, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path / "s.md")
    )
    assert done.code == 1
    assert "regressed" in done.out
    errors = [line for line in done.err.splitlines() if line.startswith("::error ")]
    assert len(errors) == 10
    assert errors[0].startswith("::error file=sums.yaml,line=1,title=regressed")
    cases = list(ET.parse(tmp_path / "o" / "gate.xml").iter("testcase"))
    assert len(cases) == 201
    assert {item.get("classname") for item in cases} == {"sums"}
    assert (tmp_path / "s.md").read_text() == (tmp_path / "o" / "c.md").read_text()


def test_changed_tasks_are_refused(blessed, harness, addition):
    """Exit 2 says what differs; --allow-changed compares what is common and says so."""
    run = ran(harness("run", addition, "--model", "scripted/oracle", "-G", "max_tokens=3"))
    done = harness("gate", run)
    assert done.code == 2
    assert "sums: prompt differs (" in done.err
    assert "Traceback" not in done.err
    assert done.err.count("\n") == 1, "one line says it all"
    allowed = harness("gate", run, "--allow-changed")
    assert allowed.code == 0
    assert "note: compared although sums: prompt differs" in allowed.out
    fresh = ran(harness("run", addition, "--model", "scripted/oracle", "--data-seed", "5"))
    assert "--data-seed None → --data-seed 5" in harness("gate", fresh).err


def test_a_gate_that_cannot_be_made_says_so_in_every_file(blessed, harness, addition, tmp_path):
    """Comment, JUnit, summary and annotation tell the reason; an older "passed" is gone."""
    same = ran(harness("run", addition, "--model", "scripted/oracle"))
    files = ["--comment", "c.md", "--junit", "j.xml", "--summary", "s.md"]
    assert harness("gate", same, *files).code == 0
    other = ran(harness("run", addition, "--model", "scripted/oracle", "-G", "max_tokens=3"))
    done = harness("gate", other, *files, "--annotations")
    assert done.code == 2
    assert done.err.startswith("::error title=gate without a verdict::the runs did not ask")
    assert "Gate passed" not in (tmp_path / "c.md").read_text()
    assert "prompt differs" in (tmp_path / "c.md").read_text()
    assert ET.parse(tmp_path / "j.xml").find(".//error").get("type") == "gate"
    assert (tmp_path / "s.md").read_text().count("<!-- harness gate -->") == 2
    assert harness("gate", other, "--comment", "c.md/x").code == 2


def test_data_cannot_steer_the_terminal_or_the_log(harness, tmp_path):
    """Escape codes and a runner's commands in questions and answers are shown, not sent."""
    rows = ["q,answer"] + [f"\x1b[2J##[stop-commands]{n} ?,{n}" for n in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    task = tmp_path / "bad.yaml"
    task.write_text(
        "task: bad\ndata: {file: rows.csv}\nprompt: '{{ q }}'\ntarget: '{{ answer }}'\n"
        'wrong: "\\e[31m##[error]no"\nmetrics: [exact_match]\n'
    )
    first = ran(harness("run", task, "--model", "scripted/oracle"))
    second = ran(harness("run", task, "--model", "scripted/wrong"))
    for done in (harness("gate", second, "--baseline", first), harness("compare", first, second)):
        assert "\x1b" not in done.out + done.err
        assert "##[" not in done.out + done.err
        assert "stop-commands" in done.out


def test_few_samples_are_inconclusive(blessed, harness, addition):
    """A handful proves nothing: exit 3, or 0 with a warning policy."""
    run = ran(harness("run", addition, "--model", "scripted/oracle", "--limit", "20"))
    done = harness("gate", run)
    assert done.code == 3
    assert "needs n ≈" in done.out
    assert "over all 200 items" in done.out
    assert harness("gate", run, "--inconclusive", "warn").code == 0


def test_a_policy_file_sets_floors_and_limits(blessed, harness, addition, tmp_path):
    """A floor that is missed is exit 1, whatever the baseline; a bad file is exit 2."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("policy: p\nmargin: 0.05\nfloors: [exact_match >= 0.99]\n")
    run = ran(harness("run", addition, "--model", "scripted/oracle"))
    done = harness("gate", run, "--policy", policy)
    assert done.code == 3
    assert "exact_match ≥ 0.99: inconclusive" in done.out
    policy.write_text("policy: p\nfloor: [exact_match >= 0.99]\n")
    wrong = harness("gate", "--policy", policy)
    assert wrong.code == 2
    assert "policy.yaml:2" in wrong.err
    assert "did you mean 'floors'?" in wrong.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gate", "--alpha", "0.7"], "--alpha: allowed"),
        (["gate", "--margin", "-1"], "--margin: allowed"),
        (["gate", "--sequential", "@latest", "--model", "scripted/oracle"], "no run"),
        (["gate", "--sequential"], "--model is missing"),
        (["gate", "--model", "scripted/oracle"], "--model belongs to --sequential"),
        (["gate", "--task", "nothing*"], "no task in common"),
        (["gate", "--baseline", "nope"], "unknown run"),
        (["compare", "@latest"], "two runs or more"),
        (["compare", "@latest", "@latest", "--margin", "-1"], "--margin: allowed"),
        (["power", "@latest", "--effect", "0"], "--effect: allowed"),
        (["bless", "@baseline"], "is the recorded baseline already"),
    ],
)
@pytest.mark.usefixtures("blessed")
def test_mistakes_get_one_line_and_exit_two(harness, arguments, message):
    """What was wrong and what is allowed, without a traceback."""
    done = harness(*arguments)
    assert done.code == 2, done.out + done.err
    assert message in done.err


def test_the_sequential_gate_stops_early(blessed, harness, addition):
    """An unchanged model is settled before all 200 sums are asked; a broken one much sooner."""
    flags = ["--margin", "0.1", "--connections", "1", "--json"]
    same = harness("gate", "--sequential", "--model", "scripted/oracle", *flags)
    assert same.code == 0, same.err
    (task,) = json.loads(same.out)["tasks"]
    assert (task["verdict"], task["test"], task["n"]) == ("not_worse", "e-process", 52)
    assert task["reason"] == "settled after 52 of 200"
    worse = harness("gate", "--sequential", "--model", "scripted/wrong", *flags)
    assert worse.code == 1
    assert json.loads(worse.out)["tasks"][0]["n"] < 20
    run = json.loads(harness("show", json.loads(worse.out)["candidate"], "--json").out)["run"]
    assert run["status"] == "partial"
    assert run["reason"].startswith("settled")


@pytest.mark.usefixtures("blessed")
def test_the_sequential_gate_settles_one_metric_of_a_task(harness, tmp_path):
    """A policy with several metrics of one task is told before anything is asked."""
    (tmp_path / "p.yaml").write_text(
        "policy: p\ntasks:\n  sums: {metric: [exact_match, toxicity_lexicon]}\n"
    )
    flags = ["--sequential", "--model", "scripted/oracle", "--policy", "p.yaml"]
    done = harness("gate", *flags)
    assert done.code == 2
    assert "one metric of a task" in done.err


def test_a_budget_leaves_the_sequential_gate_open(harness, addition, tmp_path):
    """Where tokens run out before the question is settled: exit 5, and inconclusive."""
    assert harness("run", addition, "--model", "embedded/nano", "--limit", "40").code == 0
    assert harness("bless").code == 0
    flags = ["--connections", "1", "--fresh", "--max-tokens-total", "200", "--json"]
    done = harness("gate", "--sequential", "--model", "embedded/nano", "--margin", "0.2", *flags)
    assert done.code == 5, done.err
    found = json.loads(done.out)
    assert (found["verdict"], found["tasks"][0]["verdict"]) == ("inconclusive", "inconclusive")
    refused = harness("gate", "--sequential", "--model", "embedded/micro", "--require-cache")
    assert refused.code == 4


def test_a_sequential_gate_that_was_cut_short_goes_on(harness, addition):
    """The same command again asks only what is not stored, and ends as one run would have."""
    model = ["--model", "embedded/nano"]
    assert harness("run", addition, *model).code == 0
    assert harness("bless").code == 0
    gate = ["gate", "--sequential", *model, "--margin", "0.1", "--connections", "1", "--seed", "9"]
    whole = json.loads(harness(*gate, "--fresh", "--json").out)
    Path("results/responses.sqlite").unlink()
    assert harness(*gate, "--max-tokens-total", "300").code == 5
    again = json.loads(harness(*gate, "--json").out)
    assert again["replayed"] > 0
    assert again["calls"] + again["replayed"] == whole["calls"]
    assert again["tasks"] == whole["tasks"]


@pytest.mark.parametrize("connections", [1, 6])
def test_a_failing_server_does_not_make_the_sequential_gate_ask_on(
    harness, addition, start_server, monkeypatch, connections
):
    """While one sample is asked again, few later ones are; it is settled after as many as ever."""
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    good, bad = (start_server(faults=faults) for faults in ("", "500=0.3"))
    model = ["--model", "openai/m", "--base-url"]
    assert harness("run", addition, *model, good.url).code == 0
    assert harness("bless").code == 0
    flags = ["--margin", "0.1", "--connections", str(connections), "--json"]
    done = harness("gate", "--sequential", *model, bad.url, *flags)
    assert done.code == 0, done.err
    (task,) = json.loads(done.out)["tasks"]
    assert task["reason"] == "settled after 52 of 200"
    assert 52 <= bad.stats()["distinct"] < 52 + 2 * connections


def test_a_failing_server_ends_the_sequential_gate_without_a_verdict(
    harness, addition, start_server, monkeypatch
):
    """Failed samples leave the pairs and are counted; above their limit nothing is said: exit 4."""
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    urls = [start_server(faults=faults).url for faults in ("", "400=0.3")]
    model = ["--model", "openai/m", "--base-url"]
    assert harness("run", addition, *model, urls[0]).code == 0
    assert harness("bless").code == 0
    flags = ["--margin", "0.1", "--json"]
    done = harness("gate", "--sequential", *model, urls[1], *flags)
    assert done.code == 4, done.err
    found = json.loads(done.out)
    assert found["verdict"] == "failed"
    (task,) = found["tasks"]
    assert (task["verdict"], task["unpaired"] > 5) == ("not_worse", True)
    (check,) = [one for one in found["checks"] if one["verdict"] == "missed"]
    assert (check["name"], check["instrument"]) == ("sums errors", True)


def test_the_sequential_gate_refuses_changed_tasks_before_it_asks(blessed, harness, addition):
    """The first request is never sent where the task has changed."""
    addition.write_text(addition.read_text().replace("What is", "How much is"))
    done = harness("gate", "--sequential", "--model", "scripted/oracle")
    assert done.code == 2
    assert "prompt differs" in done.err
    runs = [path for path in Path(blessed).parents[1].iterdir() if path.name.startswith("20")]
    assert len([path for path in runs if (path / "samples.parquet").exists()]) == 1


def test_blessing_again_replaces_the_same_models_baseline(blessed, harness, addition):
    """One baseline for a model and its tasks; a partial run is refused."""
    run = ran(harness("run", addition, "--model", "scripted/oracle", "--limit", "150"))
    assert harness("bless", run).code == 0
    assert [path.name for path in blessed.parent.iterdir()] == [Path(run).name]
    flags = ["--margin", "0.1", "--connections", "1", "--json"]
    gated = harness("gate", "--sequential", "--model", "scripted/oracle", *flags)
    part = json.loads(gated.out)["candidate"]
    refused = harness("bless", part)
    assert refused.code == 2
    assert "is partial (settled" in refused.err
    assert harness("bless", part, "--partial", "--json").code == 0


def test_compare_shows_paired_differences(blessed, harness, addition, tmp_path):
    """Two models on the same sums, three runs at once, Markdown and pages."""
    models = (["scripted/wrong"], ["scripted/constant", "-M", "text=none"])
    runs = [str(blessed), *(ran(harness("run", addition, "--model", *model)) for model in models)]
    found = json.loads(harness("compare", *runs, "--json").out)
    assert [row["lost"] for row in found["rows"]] == [200, 200]
    assert all(row["p_value"] < 1e-6 for row in found["rows"])
    assert [row["verdict"] for row in found["rows"]] == ["regressed"] * 2
    done = harness("compare", *runs, "--markdown", "c.md", "--margin", "0.05")
    assert done.code == 0, done.err
    assert "A: scripted/oracle (" in done.out
    assert "C: scripted/constant (" in done.out
    assert "≈ not worse · ▼ regressed · ? inconclusive (margin 5 points)" in done.out
    lines = [line.split() for line in done.out.splitlines() if line.split()[:1] == ["▼"]]
    assert [line[:4] for line in lines] == [["▼", letter, "sums", "exact_match"] for letter in "BC"]
    assert "-100.0" in (tmp_path / "c.md").read_text()
    assert "a loss of 5 points or more is excluded" in (tmp_path / "c.md").read_text()


def test_all_outputs_of_a_comparison_say_the_same(blessed, harness, addition, tmp_path):
    """Terminal, JSON, Markdown and page: one verdict, one margin, one number that would tell."""
    run = ran(harness("run", addition, "--model", "scripted/oracle", "--limit", "40"))
    files = ["--markdown", "c.md", "--html", "pages", "--margin", "0.07"]
    done = harness("compare", blessed, run, *files)
    assert done.code == 0, done.err
    data = json.loads(harness("compare", blessed, run, "--margin", "0.07", "--json").out)
    (row,) = data["rows"]
    assert (row["verdict"], data["margin"]) == ("inconclusive", 0.07)
    wanted = f"{row['needed']:,}"
    assert f"B ? sums: needs n ≈ {wanted}" in done.out
    text = (tmp_path / "c.md").read_text()
    assert "| ? inconclusive |" in text
    assert f"needs n ≈ {wanted}" in text
    page = (tmp_path / "pages" / "index.html").read_text()
    page = page[page.index('data-view="compare"') : page.index('data-view="board"')]
    assert f"about {wanted} samples would tell" in page
    assert 'class="verdict inconclusive"' in page
    assert "7 points" in page or "7 个百分点" in page


def test_power_plans_from_a_pilot(blessed, harness, addition):
    """A second run measures how alike the answers are; without one it is assumed, and said."""
    run = ran(harness("run", addition, "--model", "scripted/wrong", "--limit", "60"))
    alone = harness("power", run, "--effect", "0.03")
    assert alone.code == 0, alone.err
    assert "assumed" in alone.out
    (need,) = json.loads(
        harness("power", run, "--effect", "0.03", "--against", "@baseline", "--json").out
    )
    assert need["measured"]
    assert need["needed"] > 1000


def test_flaky_tells_samples_that_pass_at_times(harness, addition, tmp_path):
    """Two epochs of an application that is right every other time; replays count for nothing."""
    (tmp_path / "app.py").write_text(
        "import itertools\nturn = itertools.count()\n\n\n"
        "def answer(messages):\n"
        "    a, b = (int(w.strip('?')) for w in messages[-1]['content'].split()[2::2])\n"
        "    return str(a + b + next(turn) % 2)\n"
    )
    flags = ("--model", "python/app:answer", "--limit", "10", "--epochs", "2")
    flags = (*flags, "--connections", "1")
    for _ in range(2):
        assert harness("run", addition, *flags).code == 0
    found = json.loads(harness("flaky", "--json").out)
    assert (found["samples"], len(found["flaky"]), found["replayed"]) == (10, 10, 20)
    assert sorted(found["flaky"][0]["results"]) == [False, True]
    shown = harness("flaky", "-n", "1").out
    assert "50 %" in shown
    assert "10 of 10 samples" in shown
