"""Nothing is lost: a run that is killed again and again ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from harness.identity import CounterRandom

KILLS = 10
CONNECTIONS = 4
NEEDED = 200


def cells(root: Path) -> list[dict]:
    """Return the cells of the finished run under `root` that do not depend on the clock."""
    (scores,) = root.glob("*/scores.json")
    return [cell for cell in json.loads(scores.read_text())["cells"] if not cell["observed"]]


def command(task: Path, url: str, root: Path) -> list[str]:
    return [
        sys.executable, "-m", "harness", "run", str(task), "--model", "openai/fake",
        "--base-url", url, "--out", str(root), "--connections", str(CONNECTIONS),
    ]  # fmt: skip


def kill_after(process: subprocess.Popen, server, requests: int) -> bool:
    """Kill the process once the server has counted so many requests; False if it ended before."""
    while process.poll() is None:
        if server.stats()["requests"] >= requests:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
    return False


def test_killed_ten_times_the_run_ends_the_same_and_asks_nothing_twice(
    start_server, addition, tmp_path
):
    """Sent ≤ needed + kills × connections, and all cells equal an uninterrupted run's."""
    calm = start_server()
    subprocess.run(command(addition, calm.url, tmp_path / "calm"), check=True, capture_output=True)

    server = start_server(latency_ms=10)
    random = CounterRandom(1, "kills")
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            command(addition, server.url, tmp_path / "killed"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        target = server.stats()["requests"] + random.between(1, NEEDED // KILLS)
        killed += kill_after(process, server, target)
    subprocess.run(
        command(addition, server.url, tmp_path / "killed"), check=True, capture_output=True
    )

    stats = server.stats()
    assert killed == KILLS
    assert stats["distinct"] == NEEDED
    assert stats["requests"] <= NEEDED + killed * CONNECTIONS
    assert cells(tmp_path / "killed") == cells(tmp_path / "calm")
    assert len(list((tmp_path / "killed").glob("2*"))) == 1, "one directory is continued"
