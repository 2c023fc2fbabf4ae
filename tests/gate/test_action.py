"""action.yml, the workflow of `harness init ci` and the GitLab example, run step by step."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ci_runner import ROOT, Comments, Platform, clean_environment, serving, yaml

ACTION = ROOT / "action.yml"
MARKER = "<!-- harness gate -->"
TASK = """\
task: sums
version: 1
title: Sums
about: Two numbers.
language: en
data: {generator: arithmetic, args: {operation: add, digits: [1, 2], per_cell: 60}}
prompt: "What is {{ a }} + {{ b }}?"
target: "{{ answer }}"
method: generate
generation: {max_tokens: 8, temperature: 0, stop: ["\\n"]}
extract: [number]
metrics: [exact_match]
"""
INPUTS = {"tasks": "sums.yaml", "model": "embedded/micro", "package": "none"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A repository with a task and the blessed run of embedded/micro, without a response store."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "sums.yaml").write_text(TASK)
    environment = clean_environment(tmp_path_factory.mktemp("shims"))
    for line in ("harness run sums.yaml --model embedded/micro", "harness bless"):
        subprocess.run(["bash", "-c", line], cwd=folder, env=environment, check=True,
                       capture_output=True)  # fmt: skip
    for path in (folder / "results").iterdir():
        if path.name != "reference":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


@pytest.fixture
def platform(checkout, tmp_path) -> Platform:
    """A platform with a fresh checkout, whose comments are on the loopback."""
    comments = Comments("github")
    with serving(comments):
        yield Platform(fresh(checkout, tmp_path / "work"), tmp_path / "platform", comments)


def fresh(checkout: Path, target: Path) -> Path:
    """Return a new checkout, as every job has one."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(checkout, target)
    return target


def bodies(platform: Platform) -> list[str]:
    """Return the comments that bear the gate's marker and are the platform's own."""
    return [
        one["body"]
        for one in platform.comments.held
        if one["body"].startswith("<!-- harness gate") and one["user"]["type"] == "Bot"
    ]


def test_inputs_never_become_text_of_a_script():
    """Every `run:` takes what users write from the environment, never by an expression."""
    for step in yaml(ACTION)["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_every_used_input_is_declared_and_every_declared_one_is_used():
    """An input that is misspelt would be empty without a word."""
    text = ACTION.read_text()
    declared = set(yaml(ACTION)["inputs"])
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == declared


def test_an_unchanged_model_passes_and_the_second_run_asks_nothing(platform, checkout):
    """The store comes back: 0 calls, and one comment that is renewed, not doubled."""
    for number in range(130):  # more than a page of other comments, one of them a forgery
        platform.comments.add(f"{MARKER}\nGate passed" if number == 3 else "hello", f"u{number}")
    wide = {**INPUTS, "gate-args": "--margin 0.05"}
    first = platform.action(ACTION, wide)
    assert (first.ok, first.outputs["exit-code"]) == (True, "0"), first.log
    assert first.errors == []
    assert "Gate passed" in first.summary
    assert "120 calls" in first.summary
    assert "https://git.example/acme/app/actions/runs/1001" in first.summary
    (comment,) = bodies(platform)
    assert "120 calls" in comment
    cases = list(ET.parse(platform.workspace / "results" / "gate.xml").iter("testcase"))
    assert len(cases) == 121
    fresh(checkout, platform.workspace)
    second = platform.action(ACTION, wide)
    assert second.outputs["exit-code"] == "0", second.log
    assert "0 calls, replayed, not new evidence" in second.summary
    (comment,) = bodies(platform)
    assert "0 calls, replayed, not new evidence" in comment
    assert platform.comments.held[3]["body"] == f"{MARKER}\nGate passed", "not ours, not touched"


def test_a_regression_is_red_and_told_beside_the_task(platform):
    """Exit 1, at most ten annotations with the task's file, and the flipped samples."""
    done = platform.action(ACTION, {**INPUTS, "model": "embedded/nano"})
    assert (done.ok, done.outputs["exit-code"]) == (False, "1"), done.log
    assert 2 <= len(done.errors) <= 10
    assert done.errors[0].startswith("::error file=sums.yaml,line=1,title=regressed::sums: ")
    assert "Gate regressed" in done.summary
    (comment,) = bodies(platform)
    assert "Flipped samples" in comment


def test_a_small_set_is_a_warning_or_a_failure_as_asked(platform):
    """Twenty samples are inconclusive: 0 by default, 3 where the workflow says fail."""
    few = {**INPUTS, "run-args": "--limit 20"}
    done = platform.action(ACTION, few)
    assert (done.ok, done.outputs["exit-code"]) == (True, "0"), done.log
    assert "inconclusive" in done.summary
    strict = platform.action(ACTION, {**few, "inconclusive": "fail"})
    assert (strict.ok, strict.outputs["exit-code"]) == (False, "3")
    assert len(bodies(platform)) == 1


def test_two_gates_of_one_request_have_two_comments(platform):
    """`name` tells them apart, and policy and more flags reach the gate."""
    (platform.workspace / "gate.yaml").write_text("policy: p\nfloors: [primary >= 0.99]\n")
    one = platform.action(ACTION, {**INPUTS, "name": "plain", "gate-args": "--margin 0.1"})
    assert one.outputs["exit-code"] == "0", one.log
    two = platform.action(ACTION, {**INPUTS, "name": "with floor", "policy": "gate.yaml"})
    assert two.outputs["exit-code"] == "1", two.log
    assert [text.partition("\n")[0] for text in bodies(platform)] == [
        "<!-- harness gate: plain -->", "<!-- harness gate: with floor -->",
    ]  # fmt: skip


def test_a_changed_task_leaves_no_old_verdict_standing(platform, checkout):
    """Exit 2, and the comment that said "passed" now says that there is no verdict, and why."""
    assert platform.action(ACTION, INPUTS).ok
    fresh(checkout, platform.workspace)
    task = platform.workspace / "sums.yaml"
    task.write_text(task.read_text().replace("What is", "How much is"))
    done = platform.action(ACTION, INPUTS)
    assert (done.ok, done.outputs["exit-code"]) == (False, "2"), done.log
    (comment,) = bodies(platform)
    assert "Gate without a verdict" in comment
    assert "prompt differs" in comment
    assert "Gate without a verdict" in done.summary
    assert done.errors[0].startswith("::error title=gate without a verdict::the runs did not ask")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"model": "embedded/gigantic"}, "harness run made no result (exit code 2)"),
        ({"run-args": "--limit 5 'no end"}, "run-args: a quote is not closed"),
        (
            {
                "tasks": "sums.yaml $(touch pwned) `touch pwned` ;touch pwned",
                "run-args": '"$(touch pwned)" --limit 5; touch pwned',
                "model": "embedded/micro'; touch pwned; '",
            },
            "exit code 2",
        ),
        ({"gate-args": '--task "x; touch pwned"'}, "no task in common"),
        ({"policy": "$(touch pwned).yaml"}, "nothing there"),
        ({"name": "--><b>"}, ""),
    ],
)
def test_hostile_and_mistaken_inputs_run_nothing(platform, inputs, said):
    """What an input holds is never a command; the comment tells what was wrong with it."""
    done = platform.action(ACTION, {**INPUTS, "run-args": "--limit 5", **inputs})
    assert not list(platform.workspace.rglob("pwned*"))
    if said:
        assert (done.ok, done.outputs["exit-code"]) == (False, "2"), done.log
        assert said in (bodies(platform)[0] + done.summary).replace("&#40;", "(").replace(
            "&#41;", ")"
        )
    else:
        assert "::notice::the comment could not be written" in done.log


def test_quotes_group_the_words_of_an_input(platform):
    """A system prompt of two words is one argument."""
    done = platform.action(ACTION, {**INPUTS, "run-args": "--limit 5 --system 'Be brief.'"})
    assert "prompt differs" in done.summary, done.log


def test_the_sequential_gate_runs_the_baselines_plan(platform):
    """Fewer calls than samples, exit 0 for the same model; budget and seed are passed on."""
    inputs = {"model": "embedded/micro", "package": "none", "sequential": "true"}
    done = platform.action(
        ACTION, {**inputs, "gate-args": "--margin 0.1", "run-args": "--connections 1 --seed 3"}
    )
    assert done.outputs["exit-code"] == "0", done.log
    assert "settled after" in done.summary
    refused = platform.action(ACTION, {**inputs, "run-args": "--fresh --require-cache"})
    assert refused.outputs["exit-code"] != "0"


def test_without_the_right_to_comment_the_verdict_still_stands(platform):
    """A token that may not write leaves a notice, and the job's colour is the gate's."""
    platform.comments.broken = True
    done = platform.action(ACTION, {**INPUTS, "run-args": "--limit 20"})
    assert done.ok, done.log
    assert "::notice::the comment could not be written" in done.log
    platform.event = "push"
    platform.comments.asked.clear()
    assert platform.action(ACTION, {**INPUTS, "run-args": "--limit 20"}).ok
    assert platform.comments.asked == []


def written_workflow(platform: Platform, checkout: Path) -> list[dict]:
    """Return the steps of the workflow that `harness init ci` writes, for the model at hand."""
    environment = clean_environment(platform.workspace)
    subprocess.run(["harness", "init", "ci"], cwd=platform.workspace, env=environment, check=True,
                   capture_output=True)  # fmt: skip
    path = platform.workspace / "evaluation.yaml"
    text = path.read_text().replace("tag:core", "sums.yaml")
    path.write_text(text.replace("openai/NAME", "embedded/micro").replace("500", "100"))
    return yaml(path)["jobs"]["gate"]["steps"]


def test_the_workflow_of_init_ci_runs(platform, checkout):
    """Every step of it: stored answers come back, one comment, red for a broken model."""
    steps = written_workflow(platform, checkout)
    done = platform.steps(steps, {})
    assert done.ok, done.log
    assert "100 calls" in bodies(platform)[0]
    fresh(checkout, platform.workspace)
    again = platform.steps(steps, {})
    assert again.ok, again.log
    assert ["0 calls, replayed, not new evidence" in body for body in bodies(platform)] == [True]
    worse = [{**s, "run": s["run"].replace("micro", "nano")} if "run" in s else s for s in steps]
    assert not platform.steps(worse, {}).ok
    assert "Gate regressed" in bodies(platform)[0]


def test_the_gitlab_example_of_the_documentation_runs(checkout, tmp_path):
    """Its script, line by line, with the variables of a merge request and a loopback API."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (block,) = [one for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "image:" in one]
    (tmp_path / "ci.yml").write_text(block)
    job = yaml(tmp_path / "ci.yml")["evaluation"]
    work, comments = fresh(checkout, tmp_path / "work"), Comments("gitlab", app=False)
    with serving(comments):
        environment = {
            **clean_environment(tmp_path), "CI_API_V4_URL": comments.url, "CI_PROJECT_ID": "5",
            "CI_MERGE_REQUEST_IID": "7", "GITLAB_TOKEN": comments.token,
        }  # fmt: skip
        lines = [*job["script"], *job.get("after_script", [])]
        for line in lines:
            text = line.replace("tag:core", "sums.yaml").replace("openai/NAME", "embedded/micro")
            done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", text], cwd=work,
                                  env=environment, capture_output=True, text=True)  # fmt: skip
            assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    assert [path for path in job["artifacts"]["paths"] if not (work / path).exists()] == []
    assert (work / job["artifacts"]["reports"]["junit"]).exists()
    assert [path for path in job["cache"]["paths"] if not (work / path).exists()] == []
    assert [one["body"].startswith(MARKER) for one in comments.held] == [True]
