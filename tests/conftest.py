"""What many tests need: a counting server, and the command line as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")  # no timed assertions, and the same examples every time

TESTS = Path(__file__).parent


@dataclass
class RunningServer:
    """A server of tests/server.py under way."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats") as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start_server() -> Iterator[Callable[..., RunningServer]]:
    """Start counting servers; they end with the test."""
    running: list[RunningServer] = []

    def start(*, latency_ms: float = 0, faults: str = "", **batch: Any) -> RunningServer:
        process = subprocess.Popen(
            [
                sys.executable, str(TESTS / "server.py"),
                "--latency-ms", str(latency_ms), "--faults", faults, "--batch", json.dumps(batch),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert process.stdout is not None
        server = RunningServer(process, json.loads(process.stdout.readline())["port"])
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str


@pytest.fixture
def harness(tmp_path: Path) -> Callable[..., Done]:
    """Run the command line in an empty folder, as its user would."""

    def call(*arguments: str | Path, cwd: Path = tmp_path, **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, "NO_COLOR": "1", **environment},
            timeout=300,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def addition(tmp_path: Path) -> Path:
    """A task of 200 sums in two digits."""
    path = tmp_path / "sums.yaml"
    path.write_text(
        "task: sums\n"
        "data: {generator: arithmetic, args: {operation: add, digits: [2, 3], per_cell: 100}}\n"
        'prompt: "What is {{ a }} + {{ b }}?"\n'
        'target: "{{ answer }}"\n'
        "extract: [number]\n"
        "metrics: [exact_match]\n"
        "slices: [digits]\n"
    )
    return path
