"""The command line as its user meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def test_no_arguments_show_help(harness):
    """`harness` alone says what it can do."""
    done = harness()
    assert "Evaluate large language models" in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rum"], "no verb 'rum' (did you mean 'run'?)"),
        (["run"], "no task named"),
        (["run", "arithmetic/additon", "--model", "scripted/oracle"],
         "unknown task 'arithmetic/additon' (did you mean 'arithmetic/addition'?)"),
        (["run", "arithmetic/addition"], "--model is missing"),
        (["run", "arithmetic/addition", "--model", "oracle"], "provider/name"),
        (["run", "arithmetic/addition", "--model", "scriptd/oracle"], "did you mean 'scripted'?"),
        (["run", "arithmetic/addition", "--model", "embedded/mni"], "did you mean 'mini'?"),
        (["run", "arithmetic/addition", "--model", "scripted/oracle", "--perturb", "typo"],
         "did you mean 'typos'?"),
        (["run", "arithmetic/addition", "--model", "scripted/oracle", "--arm", "x"],
         "unknown arm of arithmetic/addition 'x'"),
        (["run", "arithmetic/addition", "--model", "scripted/oracle", "-G", "max_token=5"],
         "did you mean 'max_tokens'?"),
        (["run", "arithmetic/addition", "--model", "scripted/oracle", "--sample", "nope"],
         "has no sample nope"),
        (["run", "arithmetic/addition", "--model", "scripted/oracle", "--limt", "3"],
         "--limit"),
        (["run", "arithmetic/addition", "--model", "python/nope:answer"], "nope"),
        (["show", "@latest"], "no finished run"),
        (["validate", "none.yaml"], "none.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_line_and_exit_two(harness, arguments, message):
    """What was wrong, what is allowed; no traceback."""
    done = harness(*arguments)
    assert done.code == 2, done.err
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_task_that_the_model_cannot_do_is_an_error_when_named(harness, tmp_path):
    """Named outright, it ends in exit 2 and says what would work."""
    (tmp_path / "app.py").write_text("def answer(messages):\n    return 'A'\n")
    done = harness("run", "winograd/en", "--model", "python/app:answer")
    assert done.code == 2
    assert "winograd/en-choose" in done.err


def test_a_skipped_task_has_a_cell_that_says_why(harness, tmp_path):
    """A task that came by a pattern is skipped, not scored."""
    (tmp_path / "app.py").write_text("def answer(messages):\n    return 'A'\n")
    done = harness("run", "winograd/en*", "--model", "python/app:answer", "--limit", "4", "--json")
    assert done.code == 0, done.err
    cells = {
        c["task"]: c
        for c in json.loads(done.out)["cells"]
        if c["metric"] == "accuracy" and c["slice"] is None
    }
    assert cells["winograd/en"]["value"] is None
    assert "log-likelihoods" in cells["winograd/en"]["reason"]
    assert cells["winograd/en-choose"]["n"] == 4


def test_json_is_on_stdout_and_nothing_else(harness, addition):
    """Results as JSON on stdout; the rest on stderr."""
    done = harness("run", addition, "--model", "scripted/oracle", "--json", "--limit", "10")
    result = json.loads(done.out)
    assert (result["status"], result["exit_code"], done.code) == ("complete", 0, 0)
    assert result["cells"][0]["value"] == 1.0
    shown = json.loads(harness("show", "--json").out)
    assert shown["cells"] == result["cells"]


def test_failures_and_samples_can_be_shown(harness, addition):
    """The wrong ones are listed; one sample is shown whole."""
    harness("run", addition, "--model", "scripted/wrong", "--limit", "5")
    failures = harness("show", "--failures")
    assert "5 of 5 failed or wrong" in failures.out
    identity = failures.out.split()[1]
    sample = harness("show", "--sample", identity)
    for word in ("user", "assistant", "read as", "wanted", "status"):
        assert word in sample.out
    missing = harness("show", "--sample", "zzz")
    assert (missing.code, "unknown sample" in missing.err) == (2, True)


def test_one_sample_can_be_run_alone(harness, addition):
    """--sample asks just that one."""
    rows = json.loads(harness("run", addition, "--model", "scripted/wrong", "--json").out)
    identity = harness("show", "--failures", "-n", "1").out.split()[1]
    done = harness("run", addition, "--model", "scripted/oracle", "--sample", identity, "--json")
    assert rows["cells"][0]["n"] == 200
    assert json.loads(done.out)["cells"][0]["n"] == 1


def test_runs_and_everything_else_are_listed(harness, addition):
    """`ls` knows tasks, models, metrics, perturbations and runs."""
    assert "arithmetic/addition" in harness("ls").out
    assert "winograd/en" in harness("ls", "tasks", "winograd/*").out
    assert "embedded/nano" in harness("ls", "models").out
    assert "exact_match" in harness("ls", "metrics").out
    assert "typos" in harness("ls", "perturbations").out
    assert harness("ls", "runs").out == "no runs\n"
    harness("run", addition, "--model", "scripted/oracle", "--limit", "5")
    runs = json.loads(harness("ls", "runs", "--json").out)
    assert [(row["status"], row["model"]) for row in runs] == [("complete", "scripted/oracle")]
    assert "… and" in harness("ls", "metrics", "-n", "2").out


def test_an_unchanged_rerun_asks_nothing_and_says_so(harness, addition, start_server):
    """The second run is a replay: 0 calls, not new evidence."""
    server = start_server()
    arguments = ["run", addition, "--model", "openai/fake", "--base-url", server.url]
    first = harness(*arguments)
    second = harness(*arguments, "--require-cache")
    assert first.code == second.code == 0
    assert server.stats()["requests"] == 200
    assert "0 calls, replayed from the store: not new evidence" in second.out
    missing = harness(*arguments, "--require-cache", "-G", "max_tokens=7")
    assert missing.code == 4
    assert "no stored answer" in missing.err


def test_a_budget_leaves_a_valid_partial_run(harness, addition, start_server):
    """--max-tokens-total ends the run with exit 5 and scores over a random prefix."""
    server = start_server()
    done = harness(
        "run", addition, "--model", "openai/fake", "--base-url", server.url,
        "--max-tokens-total", "500", "--json", "--connections", "2",
    )  # fmt: skip
    result = json.loads(done.out)
    assert done.code == 5
    assert result["status"] == "partial"
    assert "tokens used of 500" in result["reason"]
    assert 0 < result["cells"][0]["n"] < 200


def test_a_cost_cap_with_an_unknown_price_is_refused(harness, addition):
    """Nothing is sent where nobody knows what it costs."""
    done = harness(
        "run", addition, "--model", "openai/fake", "--base-url", "http://127.0.0.1:9/v1",
        "--max-cost", "1",
    )  # fmt: skip
    assert done.code == 2
    assert "price" in done.err


def test_a_read_only_results_root_is_one_clear_line(harness, addition, tmp_path):
    """What cannot be written is named."""
    (tmp_path / "file").write_text("")
    done = harness("run", addition, "--model", "scripted/oracle", "--out", tmp_path / "file")
    assert done.code == 4
    assert "file" in done.err
    assert "Traceback" not in done.err


def test_ctrl_c_once_finishes_what_is_in_flight(addition, start_server, tmp_path):
    """One interrupt: no more samples, a valid partial run, exit 130; the command goes on after."""
    server = start_server(latency_ms=20)
    arguments = [
        sys.executable, "-m", "harness", "run", str(addition), "--model", "openai/fake",
        "--base-url", server.url, "--out", str(tmp_path / "r"), "--connections", "2", "--json",
    ]  # fmt: skip
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while server.stats()["requests"] < 10:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    result = json.loads(out)
    assert process.returncode == 130
    assert (result["status"], result["reason"]) == ("partial", "interrupted")
    assert result["cells"][0]["errors"] == 0
    assert 10 <= result["cells"][0]["n"] < 200
    again = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["cells"][0]["n"] == 200
    assert server.stats()["requests"] == 200


def test_a_wrong_key_stops_at_once(harness, addition, start_server):
    """A 401 ends the run with one line, exit 4, and few requests."""
    server = start_server(faults="401=1")
    done = harness("run", addition, "--model", "openai/fake", "--base-url", server.url)
    assert done.code == 4
    assert "401" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert server.stats()["requests"] <= 16


def test_dry_run_sends_nothing(harness, addition):
    """--dry-run counts samples, requests and tokens."""
    done = harness(
        "run", addition, "--model", "openai/fake", "--base-url", "http://127.0.0.1:9/v1",
        "--dry-run", "--json",
    )  # fmt: skip
    (task,) = json.loads(done.out)["tasks"]
    assert (task["samples"], task["model"]["requests"]) == (200, 200)


def test_doctor_finds_everything_in_place(harness):
    """A fresh install passes."""
    done = harness("doctor")
    assert done.code == 0, done.out
    assert "✗" not in done.out


def test_keys_are_never_written(harness, addition, start_server, tmp_path):
    """Neither a key nor a header's value reaches the results or the screen."""
    server = start_server(faults="500=0.1")
    done = harness(
        "run", addition, "--model", "openai/fake", "--base-url", server.url, "--limit", "20",
        "--header", "X-Secret=hush-hush", OPENAI_API_KEY="sk-very-secret",
    )  # fmt: skip
    written = b"".join(p.read_bytes() for p in (tmp_path / "results").rglob("*") if p.is_file())
    for secret in ("hush-hush", "sk-very-secret"):
        assert secret not in done.out + done.err
        assert secret.encode() not in written


def test_a_recorded_run_answers_again_from_its_directory_alone(harness, tmp_path):
    """`replay/RUN` gives the same cells with no model and no store."""
    tasks = ["arithmetic/addition", "winograd/en", "--limit", "30"]
    first = json.loads(harness("run", *tasks, "--model", "embedded/nano", "--json").out)
    (tmp_path / "results" / "responses.sqlite").unlink()
    done = harness("run", *tasks, "--model", f"replay/{first['run']}", "--json")
    again = json.loads(done.out)
    assert done.code == 0, done.err

    def lasting(cells):
        return [cell for cell in cells if not cell["observed"]]

    assert lasting(again["cells"]) == lasting(first["cells"])
    other = harness("run", "qa/en", "--limit", "3", "--model", f"replay/{first['run']}", "--json")
    assert other.code == 4
    assert json.loads(other.out)["cells"][0]["errors"] == 3


def test_rescoring_an_unchanged_task_changes_nothing(harness):
    """No sample scores differently, and every cell stays, those over variants too."""
    tasks = ["qa/en", "qa/zh", "--limit", "20", "--perturb", "typos,full_width"]
    before = json.loads(harness("run", *tasks, "--model", "embedded/nano", "--json").out)
    after = json.loads(harness("rescore", "--json").out)
    assert after["changed"] == 0
    place = ("task", "metric", "arm", "variant", "slice")

    def keyed(cells):
        return {tuple(cell[name] for name in place): cell for cell in cells}

    assert keyed(after["cells"]) == keyed(before["cells"])
    assert any(cell["variant"] == "worst" for cell in after["cells"])


def test_ctrl_c_twice_stops_at_once(addition, start_server, tmp_path):
    """The second interrupt ends in exit 130 and a line, without a traceback; nothing is lost."""
    server = start_server(latency_ms=3000)
    arguments = [
        sys.executable, "-m", "harness", "run", str(addition), "--model", "openai/fake",
        "--base-url", server.url, "--out", str(tmp_path / "r"),
    ]  # fmt: skip
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while server.stats()["requests"] < 1:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert "Ctrl-C again stops now" in process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error


def test_what_an_outsider_writes_cannot_steer_the_terminal(harness, tmp_path):
    """Escapes and direction marks of rows and answers are shown as code points."""
    (tmp_path / "app.py").write_text("def answer(messages):\n    return '\\x1b[31mred\\u202e'\n")
    (tmp_path / "rows.jsonl").write_text('{"q": "a\\u001b[2Jb", "a": "\\u202ex"}\n')
    (tmp_path / "t.yaml").write_text(
        'task: t\ntitle: "[/x]"\ndata: {file: rows.jsonl}\nprompt: "{{ q }}"\n'
        'target: "{{ a }}"\nmetrics: [exact_match]\n'
    )
    harness("run", "t.yaml", "--model", "python/app:answer")
    identity = json.loads(harness("show", "--failures", "--json").out)[0]["sample_id"]
    for arguments in (
        ["show"],
        ["show", "--failures"],
        ["show", "--sample", identity],
        ["ls", "runs"],
    ):
        done = harness(*arguments)
        assert done.code == 0, done.err
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out
    assert "\\x1b" in harness("show", "--failures").out


def test_an_application_that_exits_fails_its_samples_only(harness, tmp_path):
    """sys.exit in a user's function is that sample's error, never the harness's exit code."""
    (tmp_path / "app.py").write_text("import sys\n\ndef answer(messages):\n    sys.exit(3)\n")
    done = harness("run", "qa/en", "--limit", "3", "--model", "python/app:answer")
    assert done.code == 4
    assert "Traceback" not in done.err
    assert "failed requests: 3 × internal" in done.out


def test_a_damaged_answer_is_asked_again(harness, addition, start_server, tmp_path):
    """Bytes in the store that are no answer count as none."""
    import sqlite3

    server = start_server()
    arguments = [
        "run",
        addition,
        "--model",
        "openai/fake",
        "--base-url",
        server.url,
        "--limit",
        "5",
    ]
    harness(*arguments)
    connection = sqlite3.connect(tmp_path / "results" / "responses.sqlite")
    connection.execute("update responses set body = x'ff00'")
    connection.commit()
    connection.close()
    again = harness(*arguments)
    assert again.code == 0, again.err
    assert server.stats()["requests"] == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-G", "max_tokens=-5"], "max_tokens"),
        (["-G", "temperature=-1"], "temperature"),
        (["--base-url", "http://127.0.0.1:1/v1"], "--base-url"),
    ],
)
def test_settings_without_sense_are_refused(harness, arguments, message):
    """A setting that could not be meant is an error, not ignored."""
    done = harness("run", "qa/en", "--limit", "2", "--model", "embedded/nano", *arguments)
    assert done.code == 2
    assert message in done.err


def test_what_init_writes_is_valid(harness, tmp_path):
    """The task and the policy pass `validate` as they are written; the workflow is YAML."""
    import yaml

    for what, name in (("task", "mine"), ("policy", "rules"), ("ci", "flow")):
        assert harness("init", what, name).code == 0
    done = harness("validate", "mine.yaml", "rules.yaml")
    assert done.code == 0, done.err
    assert "jobs" in yaml.safe_load((tmp_path / "flow.yaml").read_text())
    again = harness("init", "task", "mine")
    assert again.code == 2
    assert "exists already" in again.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_behind_stdout_is_no_internal_error():
    """`harness ls > FILE` on a full disk: one line that says so, exit 4."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "ls", "tasks"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith("error: ")
    assert "No space left" in done.stderr


@pytest.mark.parametrize("verb", [["ls"], ["ls", "tasks", "--json"], ["--help"]])
def test_a_reader_that_goes_away_ends_it_quietly(verb, tmp_path):
    """`harness ls | head`: no message, and the code of a program that SIGPIPE ended."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "harness", *verb], stdout=write, stderr=subprocess.PIPE, cwd=tmp_path
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
