"""Measures commands as whole processes: CPU, wall time and peak memory of the operating system."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
BENCH = Path(os.environ.get("HARNESS_BENCH", ROOT.parent / "shared" / "bench"))
"""Where the measuring server lies: mock_openai.py and make_data.py."""


@dataclass(frozen=True)
class Cost:
    """What one process used."""

    cpu_s: float
    wall_s: float
    peak_mib: float


RUNNER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
spent = usage.ru_utime + usage.ru_stime
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, spent, time.perf_counter() - began, usage.ru_maxrss / 1024]))
"""
"""Runs a command from a small process: the kernel counts the memory of whoever started a process
as its peak (`exec` keeps the high-water mark), and a benchmark may hold much."""


def measure(command: Sequence[str], cwd: Path) -> Cost:
    """Run a command to its end; raises where it fails."""
    with (cwd / "output.log").open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-S", "-c", RUNNER, *command],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    code, *spent = json.loads(done.stdout)
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}; see {cwd}/output.log")
    return Cost(*spent)


def medians(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(
        median(cost.cpu_s for cost in costs),
        median(cost.wall_s for cost in costs),
        median(cost.peak_mib for cost in costs),
    )


def circumstances() -> str:
    """Say how busy the machine was: on a busy one CPU seconds rise too, and wall seconds more."""
    return (
        f"{os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f} over the last five "
        f"minutes; Python {platform.python_version()}."
    )


@contextmanager
def server(port: int, *options: str) -> Iterator[str]:
    """Run the measuring server; yields its base URL."""
    script = BENCH / "mock_openai.py"
    if not script.exists():
        raise SystemExit(f"no {script}: set HARNESS_BENCH to the folder that holds mock_openai.py")
    process = subprocess.Popen(
        [sys.executable, str(script), "--port", str(port), *options], stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    process.stderr.readline()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()
