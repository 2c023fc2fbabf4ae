"""Runs with --batch, as a user makes them: equal to direct ones, and never paid for twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from pyarrow.parquet import read_table

from harness import batching, pipeline
from harness.batch_jobs import Pace
from harness.config import build
from harness.errors import BackendError, CacheMiss, ExitCode, UsageError
from harness.pipeline import RunResult

PRICE = ("-M", "price_in=2", "-M", "price_out=10")


def cells(root: Path) -> list[dict]:
    """Return the cells of the newest run under `root` that do not depend on the clock."""
    path = max(root.glob("2*/scores.json"))
    return [cell for cell in json.loads(path.read_text())["cells"] if not cell["observed"]]


def record(root: Path) -> dict:
    """Return run.json of the newest run under `root`."""
    return json.loads(max(root.glob("2*/run.json")).read_text())


@pytest.fixture
def ask(harness, addition, tmp_path):
    """Run the sums against a server; returns what the command did."""

    def call(server, name: str, *more: str):
        return harness(
            "run", addition, "--model", "openai/fake", "--base-url", server.url,
            "--out", tmp_path / name, *more,
        )  # fmt: skip

    return call


def test_a_batch_scores_as_direct_requests_do_at_half_the_price(start_server, ask, tmp_path):
    """Answers come in another order and cost half; the next run finds them in the store."""
    server = start_server()
    direct, batch = ask(server, "direct", *PRICE), ask(server, "batch", "--batch", *PRICE)
    assert (direct.code, batch.code) == (0, 0), batch.err
    assert cells(tmp_path / "batch") == cells(tmp_path / "direct")
    spent = [record(tmp_path / name)["usage"] for name in ("direct", "batch")]
    assert spent[1]["cost_usd"] == pytest.approx(spent[0]["cost_usd"] / 2)
    assert spent[1]["requests"] == spent[0]["requests"] == 200
    assert record(tmp_path / "batch")["evidence"] == "new"
    before = server.stats()
    assert (before["requests"], before["batches"], before["batched"]) == (200, 1, 200)

    assert ask(server, "batch").code == 0
    usage = record(tmp_path / "batch")["usage"]
    assert (usage["requests"], usage["cached"]) == (0, 200)
    assert server.stats() == before
    assert not (tmp_path / "batch" / "batches").exists(), "nothing is left behind"


@pytest.fixture
def run(addition, tmp_path, monkeypatch):
    """Run the sums in this process, asking often how far a job is."""
    quick = partial(batching.BatchRules, pace=Pace(first_s=0.001))
    monkeypatch.setattr(batching, "BatchRules", quick)

    def call(server, name: str, **more) -> RunResult:
        flags = {"tasks": [str(addition)], "model": "openai/fake", "base_url": server.url}
        return pipeline.run(*build({**flags, "out": str(tmp_path / name), "batch": True, **more}))

    return call


HOLDS = {"upload": 2, "create": 1, "created": 1, "poll": 1, "content": 1}
"""Where a process is killed, and how many files are uploaded in all."""


@pytest.mark.parametrize("place", HOLDS)
def test_a_process_that_is_killed_submits_nothing_twice(
    place, start_server, run, addition, tmp_path
):
    """Killed while uploading, submitting, waiting or collecting, the next process goes on."""
    server = start_server(hold=place)
    run(server, "calm", batch=False)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "harness", "run", str(addition), "--model", "openai/fake",
            "--base-url", server.url, "--out", str(tmp_path / "killed"), "--batch",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not server.stats()["held"]:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert run(server, "killed").exit_code == ExitCode.OK
    stats = server.stats()
    assert (stats["batches"], stats["batched"], stats["requests"]) == (1, 200, 200)
    assert stats["uploads"] == HOLDS[place]
    assert cells(tmp_path / "killed") == cells(tmp_path / "calm")


def test_an_interrupt_leaves_the_batch_running_and_says_how_to_go_on(
    start_server, run, addition, tmp_path
):
    """Ctrl-C ends with 130 and the job's name; the same command collects its answers."""
    server = start_server(hold="poll")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "harness", "run", str(addition), "--model", "openai/fake",
            "--base-url", server.url, "--out", str(tmp_path / "r"), "--batch",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not server.stats()["held"]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "1 batch job(s) go on at the server (batch_0)" in said
    assert "Traceback" not in said
    assert run(server, "r").exit_code == ExitCode.OK
    assert server.stats()["batches"] == 1


def test_faults_of_single_requests_go_into_another_batch(start_server, run, tmp_path):
    """429, 500 and timeouts pass; nothing that was answered is asked again."""
    faulty = start_server(lines={"429": 0.1, "500": 0.1, "timeout": 0.1})
    run(faulty, "calm", batch=False)
    assert run(faulty, "faulty").exit_code == ExitCode.OK
    stats = faulty.stats()
    assert stats["batches"] > 1
    assert stats["batch_answered_twice"] == 0
    assert cells(tmp_path / "faulty") == cells(tmp_path / "calm")


@pytest.mark.parametrize("untold", [False, True])
def test_an_expired_batch_gives_what_it_has_and_the_rest_is_asked_again(untold, start_server, run):
    """Half was answered in time; only the other half is in the next batch."""
    server = start_server(ends=["expired"], untold=untold)
    assert run(server, "r").exit_code == ExitCode.OK
    stats = server.stats()
    assert stats["states"] == ["expired", "completed"]
    assert (stats["batched"], stats["batch_answered_twice"]) == (300, 0)


def test_requests_that_no_batch_answers_are_failures_and_a_rerun_asks_them_again(
    start_server, run, tmp_path
):
    """A refused request and one that always fails are errors beside the score, with bounds."""
    server = start_server(lines={"400": 0.1, "500": 0.2})
    result = run(server, "r", max_attempts=1)
    assert result.exit_code == ExitCode.INFRASTRUCTURE, "above --max-failures"
    (cell,) = [c for c in cells(tmp_path / "r") if c["metric"] == "exact_match" and not c["slice"]]
    assert cell["n"] + cell["errors"] == 200
    assert cell["errors"] == sum(result.usage.failures.values()) > 20
    assert set(result.usage.failures) == {"refused", "server"}
    run(server, "r", max_attempts=1)
    assert server.stats()["batched"] == 200 + cell["errors"]
    assert server.stats()["batch_answered_twice"] == 0


def test_a_cancelled_batch_ends_the_run_with_what_it_answered_kept(start_server, run):
    """Someone wanted it to end: nothing more is submitted until the command is given again."""
    server = start_server(ends=["cancelled"])
    with pytest.raises(BackendError, match="batch batch_0 was cancelled at the server"):
        run(server, "r")
    assert run(server, "r").exit_code == ExitCode.OK
    assert (server.stats()["batched"], server.stats()["batch_answered_twice"]) == (300, 0)


def test_a_batch_that_the_server_refuses_ends_the_run_with_its_reason(start_server, run):
    """The first reasons stand in the message, with their lines; the next run submits anew."""
    server = start_server(ends=["failed"])
    with pytest.raises(BackendError, match="refused batch batch_0: line 1: no such model"):
        run(server, "r")
    assert run(server, "r").exit_code == ExitCode.OK


def test_the_responses_api_works_by_batch(start_server, run, tmp_path):
    """The lines go to /v1/responses, and their answers are read as its answers."""
    server = start_server()
    for batch in (False, True):
        run(server, str(batch), model_args={"api": "responses"}, batch=batch)
    assert cells(tmp_path / "True") == cells(tmp_path / "False")
    assert (server.stats()["requests"], server.stats()["batched"]) == (200, 200)


def test_a_plan_too_large_for_one_file_takes_several(start_server, run, monkeypatch):
    """No file holds more requests, or more bytes, than the server takes."""
    server = start_server()
    monkeypatch.setattr(batching, "MOST_REQUESTS", 60)
    run(server, "requests")
    assert (server.stats()["batches"], server.stats()["batched"]) == (4, 200)
    monkeypatch.setattr(batching, "MOST_BYTES", 10_000)
    run(server, "bytes")
    assert server.stats()["batches"] > 8
    assert server.stats()["batched"] == 400


def test_a_full_queue_at_the_server_is_met_with_smaller_batches_one_after_another(
    start_server, run, monkeypatch
):
    """Where too much is enqueued, a batch is halved, and waits for the others."""
    monkeypatch.setattr("harness.batch_jobs.LEAST_HALVED", 20)
    server = start_server(queue=60)
    assert run(server, "r").exit_code == ExitCode.OK
    stats = server.stats()
    assert (stats["batched"], stats["batch_answered_twice"]) == (200, 0)
    assert stats["states"].count("completed") == 4
    assert "failed" in stats["states"]


def test_several_turns_are_a_batch_each(start_server, run, tmp_path):
    """A conversation goes on in the next batch once the first has answered."""
    task = tmp_path / "twice.yaml"
    task.write_text(
        "task: twice\n"
        "data: {generator: arithmetic, args: {operation: add, digits: [2], per_cell: 20}}\n"
        'prompt: "What is {{ a }} + {{ b }}?"\n'
        'target: "{{ answer }}"\n'
        "interaction: self_correct\n"
        "extract: [number]\n"
        "metrics: [exact_match]\n"
    )
    server = start_server()
    for batch in (False, True):
        run(server, str(batch), tasks=[str(task)], batch=batch)
    assert cells(tmp_path / "True") == cells(tmp_path / "False")
    assert (server.stats()["batches"], server.stats()["batched"]) == (2, 40)
    said = [
        [[turn["content"] for turn in row] for row in read_table(path)["transcript"].to_pylist()]
        for path in sorted(tmp_path.glob("*/2*/samples.parquet"))
    ]
    assert said[0] == said[1]


def test_a_model_without_batch_jobs_and_a_limit_that_may_not_hold_are_usage_errors(
    start_server, harness, run, tmp_path
):
    """Both are said before anything is sent, with what would help."""
    done = harness(
        "run", "arithmetic/addition", "--model", "embedded/nano", "--out", tmp_path / "r",
        "--batch", "--limit", "3",
    )  # fmt: skip
    assert done.code == 2
    assert "embedded/nano has no batch jobs; allowed: openai/NAME" in done.err
    server, price = start_server(), {"price_in": 2, "price_out": 10}
    with pytest.raises(UsageError, match=r"--max-cost: up to about \$0.*--limit"):
        run(server, "r", max_cost=0.01, model_args=price)
    with pytest.raises(UsageError, match="--max-tokens-total: up to about"):
        run(server, "r", max_tokens_total=100)
    assert server.stats()["uploads"] == 0
    assert run(server, "r", max_cost=9.0, model_args=price).exit_code == ExitCode.OK


def test_a_server_without_batch_jobs_is_named(harness, addition, tmp_path):
    """A local server that only chats answers 404, and the message says what to leave out."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", "--model", "embedded/nano", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert serving.stdout is not None
    try:
        url = next(w for line in serving.stdout for w in line.split() if w.startswith("http"))
        done = harness(
            "run", addition, "--model", "openai/nano", "--base-url", url, "--out", tmp_path / "r",
            "--batch",
        )  # fmt: skip
    finally:
        serving.terminate()
        serving.communicate()
    assert done.code == 2
    assert "has no batch jobs" in done.err
    assert "run without --batch" in done.err


def test_only_stored_answers_means_no_batch(start_server, run):
    """With --require-cache nothing is submitted."""
    server = start_server()
    with pytest.raises(CacheMiss, match="--require-cache"):
        run(server, "r", require_cache=True)
    assert server.stats()["uploads"] == 0


def test_fresh_asks_by_batch_again(start_server, run):
    """--fresh replaces stored answers by those of a new batch; no rate holds up their reading."""
    server = start_server()
    for fresh in (False, True):
        # at 1 a minute, which is meant for the server alone, 20 would take 20 minutes
        result = run(server, "r", limit=20, fresh=fresh, model_args={"rpm": 1})
        assert result.usage.requests == 20
    assert (server.stats()["batches"], server.stats()["batched"]) == (2, 40)


def test_the_price_of_a_batch_is_what_the_server_takes_off(start_server, run):
    """Half unless -M batch_discount says another share; a share beyond 1 is refused."""
    server, price = start_server(), {"price_in": 2, "price_out": 10}
    costs = {
        share: run(server, f"r{share}", limit=20, model_args={**price, **more}).usage.cost_usd
        for share, more in ((0.5, {}), (0, {"batch_discount": 0}), (0.4, {"batch_discount": 0.4}))
    }
    assert costs[0.5] == pytest.approx(costs[0] * 0.5)
    assert costs[0.4] == pytest.approx(costs[0] * 0.6)
    with pytest.raises(UsageError, match="-M batch_discount"):
        run(server, "r", model_args={**price, "batch_discount": 2})
