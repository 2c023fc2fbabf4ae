"""Nothing is lost: a run that is killed, wherever and however often, ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.identity import CounterRandom
from harness.store.manifest import RUN, runs

KILLS = 10
CONNECTIONS = 4
NEEDED = 200
PHASES = {
    "planning": ("harness.prepare:plan_rows", 1),
    "making the directory": ("harness.store.manifest:_lock", 1),
    "opening the store": ("harness.store.responses:SqliteResponses.begin after", 1),
    "sending": ("harness.run.sender:Sender._once", 80),
    "before a commit": ("harness.store.responses:SqliteResponses._commit", 20),
    "after a commit": ("harness.store.responses:SqliteResponses._commit after", 20),
    "scoring": ("harness.score.scorer:Scorer.__call__", 120),
    "writing rows": ("harness.store.table:SampleWriter._flush after", 1),
    "naming the table": ("rename:samples.parquet", 1),
    "summarising": ("harness.pipeline:summarise", 1),
    "naming scores.json": ("rename:scores.json", 1),
    "naming run.json": ("rename:run.json", 1),
}
"""Where a run is killed, and at which call."""


class Forge:
    """Runs under way in children of one process."""

    def __init__(self, process: subprocess.Popen[str], flags: dict) -> None:
        self._process, self._flags = process, flags

    def start(self, root: Path, at: str | None = None, count: int = 1) -> int:
        """Begin a run; returns its pid."""
        assert self._process.stdin is not None
        step = {"flags": {**self._flags, "out": str(root)}, "at": at, "count": count}
        self._process.stdin.write(json.dumps(step) + "\n")
        self._process.stdin.flush()
        return self._said()

    def end(self) -> int:
        """Return the code with which the run ended; a signal is negative."""
        return self._said()

    def _said(self) -> int:
        assert self._process.stdout is not None
        found: int = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture
def forge(addition) -> Iterator[Callable[..., Forge]]:
    """Make a Forge that puts the sums to a server."""
    begun: list[subprocess.Popen[str]] = []

    def make(server) -> Forge:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forge.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        flags = {
            "tasks": [str(addition)], "model": "openai/fake", "base_url": server.url,
            "connections": CONNECTIONS,
        }  # fmt: skip
        return Forge(process, flags)

    yield make
    for process in begun:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def cells(root: Path) -> list[dict]:
    """Return the cells of the finished run under `root` that do not depend on the clock."""
    (scores,) = root.glob("*/scores.json")
    return [cell for cell in json.loads(scores.read_text())["cells"] if not cell["observed"]]


def test_killed_in_any_phase_the_run_goes_on_where_it_was(start_server, forge, tmp_path):
    """Planning, sending, committing, scoring, writing, naming: one directory, nothing lost.

    What was stored is not asked again, and usage is that of the whole run.
    """
    server = start_server()
    runner = forge(server)
    runner.start(tmp_path / "calm")
    assert runner.end() == 0
    calm = cells(tmp_path / "calm")
    for name, (at, count) in PHASES.items():
        root, before = tmp_path / name, server.stats()["requests"]
        runner.start(root, at, count)
        assert runner.end() == -signal.SIGKILL, name
        assert not [path for path in runs(root) if (path / RUN).exists()], name
        runner.start(root)
        assert runner.end() == 0, name
        asked = server.stats()["requests"] - before
        assert NEEDED <= asked <= NEEDED + CONNECTIONS, name
        (directory,) = runs(root)
        assert cells(root) == calm, name
        record = json.loads((directory / RUN).read_bytes())
        assert record["status"] == "complete", name
        assert record["usage"]["requests"] == NEEDED, name
        assert record["evidence"] == "new", name
        left = {path.name for path in directory.iterdir()}
        assert left == {"spec.json", "samples.parquet", "scores.json", "run.json"}, name


def test_killed_ten_times_the_run_ends_the_same_and_asks_nothing_twice(
    start_server, forge, tmp_path
):
    """At any moment: sent ≤ needed + kills × connections, and all cells are as uninterrupted."""
    calm = start_server()
    runner = forge(calm)
    runner.start(tmp_path / "calm")
    assert runner.end() == 0

    server = start_server(latency_ms=10)
    runner = forge(server)
    random = CounterRandom(1, "kills")
    killed = 0
    for _ in range(KILLS):
        target = server.stats()["requests"] + random.between(1, NEEDED // KILLS)
        pid = runner.start(tmp_path / "killed")
        while server.stats()["requests"] < target:
            pass
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed += runner.end() == -signal.SIGKILL
    runner.start(tmp_path / "killed")
    assert runner.end() == 0

    stats = server.stats()
    assert killed == KILLS
    assert stats["distinct"] == NEEDED
    assert stats["requests"] <= NEEDED + killed * CONNECTIONS
    assert cells(tmp_path / "killed") == cells(tmp_path / "calm")
    assert len(list((tmp_path / "killed").glob("2*"))) == 1, "one directory is continued"


def test_a_killed_fresh_run_goes_on(start_server, forge, tmp_path):
    """--fresh, killed and repeated, asks everything once more and nothing twice."""
    server = start_server()
    runner = forge(server)
    runner.start(tmp_path / "r")
    assert runner.end() == 0
    runner._flags["fresh"] = True
    runner.start(tmp_path / "r", "harness.run.sender:Sender._once", 100)
    assert runner.end() == -signal.SIGKILL
    runner.start(tmp_path / "r")
    assert runner.end() == 0
    assert 2 * NEEDED <= server.stats()["requests"] <= 2 * NEEDED + CONNECTIONS
    assert len(runs(tmp_path / "r")) == 2
    runner.start(tmp_path / "r")
    assert runner.end() == 0
    assert server.stats()["requests"] >= 3 * NEEDED
    assert len(runs(tmp_path / "r")) == 3
