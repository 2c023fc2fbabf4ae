"""Two runs at once, a full disk, a root that cannot be written: clear behaviour, no corruption."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from harness.store.manifest import RUN, runs


def command(task: Path, root: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "harness", "run", str(task), "--out", str(root), "--json", *more,
    ]  # fmt: skip


def lasting(text: str) -> list[dict]:
    return [cell for cell in json.loads(text)["cells"] if not cell["observed"]]


def test_two_runs_at_once_on_one_root(start_server, addition, tmp_path):
    """Two processes of the same command finish, each in its directory, with equal cells."""
    server = start_server(latency_ms=2)
    model = ["--model", "openai/fake", "--base-url", server.url]
    both = [
        subprocess.Popen(
            command(addition, tmp_path / "r", *model), stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert lasting(outputs[0]) == lasting(outputs[1])
    assert len(runs(tmp_path / "r")) == 2
    connection = sqlite3.connect(tmp_path / "r" / "responses.sqlite")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert connection.execute("select count(*) from responses").fetchone() == (200,)
    connection.close()


@pytest.mark.parametrize("limit", [20_000, 60_000])
def test_a_full_disk_is_one_line_and_the_run_goes_on_later(start_server, addition, tmp_path, limit):
    """Writing fails: exit 4, one clear line; with room again the same command completes."""
    server = start_server()
    model = ["--model", "openai/fake", "--base-url", server.url]
    arguments = command(addition, tmp_path / "r", *model)
    full = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert full.returncode == 4, full.stderr
    assert "Traceback" not in full.stderr
    assert len(full.stderr.strip().splitlines()) == 1
    again = subprocess.run(arguments, capture_output=True, text=True, check=True)
    calm = subprocess.run(
        command(addition, tmp_path / "calm", *model), capture_output=True, text=True, check=True
    )
    assert lasting(again.stdout) == lasting(calm.stdout)
    (directory,) = runs(tmp_path / "r")
    assert (directory / RUN).exists()


def test_a_root_without_permission_is_one_line(addition, tmp_path):
    """A folder that cannot be made under a file is named, exit 4."""
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        command(addition, tmp_path / "file" / "r", "--model", "scripted/oracle"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(tmp_path / "file") in done.stderr
