"""A server that fails costs retries, never a score."""

from __future__ import annotations

import json

import pytest


def test_past_max_failures_the_exit_code_is_four(start_server, addition, harness, tmp_path):
    """What cannot be answered is counted beside the score, with bounds; and the run goes on."""
    server = start_server(faults="400=0.3")
    arguments = [
        "run", addition, "--model", "openai/fake", "--base-url", server.url,
        "--out", tmp_path / "r", "--json",
    ]  # fmt: skip
    done = harness(*arguments)
    assert done.code == 4
    result = json.loads(done.out)
    cell = result["cells"][0]
    assert result["status"] == "complete"
    assert cell["n"] + cell["errors"] == 200
    assert 30 < cell["errors"] < 90
    assert cell["bound_low"] < cell["value"] < cell["bound_high"]
    assert cell["bound_high"] - cell["bound_low"] == pytest.approx(cell["errors"] / 200)
    assert harness(*arguments, "--max-failures", "0.9").code == 0


def test_a_server_that_is_not_there_ends_the_run_early(addition, harness, tmp_path):
    """Nothing listens: the run stops, says so, and exits with 4."""
    done = harness(
        "run", addition, "--model", "openai/fake", "--base-url", "http://127.0.0.1:9/v1",
        "--out", tmp_path / "r", "--max-attempts", "1",
    )  # fmt: skip
    assert done.code == 4
    assert "100 samples in a row failed" in done.out
    assert "Traceback" not in done.err
