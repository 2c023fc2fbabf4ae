"""Scores through HTTP equal scores directly, sample by sample."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store.reading import read_rows

TASKS = ("arithmetic/addition", "qa/zh", "winograd/en", "winograd/zh", "winograd/en-choose")


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """`harness serve --model embedded/nano` under way; its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", "--model", "embedded/nano", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+\S*", line)
    assert found, line
    yield found[0].rstrip(";")
    process.terminate()  # not SIGINT, which a shell's background jobs ignore
    process.wait(60)
    process.stderr.close()


def run(folder: Path, *model: str) -> list[dict]:
    """Run the tasks and return the rows of the one run."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "harness",
            "run",
            *TASKS,
            "--limit",
            "24",
            "--out",
            str(folder),
            *model,
        ],
        check=True,
        capture_output=True,
    )
    (directory,) = folder.glob("2*")
    return list(read_rows(directory))


def test_scores_through_http_equal_scores_directly(served, tmp_path):
    """The same text, the same log-likelihoods to the last bit, the same scores."""
    direct = run(tmp_path / "direct", "--model", "embedded/nano")
    http = run(tmp_path / "http", "--model", "openai/embedded/nano", "--base-url", served)
    assert len(direct) == len(http) > 100
    for one, other in zip(direct, http, strict=True):
        for name in ("task", "sample_id", "status", "input", "output", "answer", "confidence"):
            assert one[name] == other[name], name
        assert one["choices"] == other["choices"]
        observed = {"latency_s"}
        assert [p for p in one["scores"] if p[0] not in observed] == [
            p for p in other["scores"] if p[0] not in observed
        ]
