"""Where a result came from: versions, machine, commit, time."""

from __future__ import annotations

import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from harness import __version__

REPLAYED = "replayed, not new evidence"
PACKAGES = ("numpy", "scipy", "pyarrow", "aiohttp", "datasets", "msgspec", "transformers", "torch")


def record(started: float, took: float | None = None) -> dict[str, Any]:
    """Return what run.json says of the circumstances.

    `started` is a Unix time in seconds; `took` the seconds since then by a clock that nobody sets
    (None: by the one that tells the date, which may have been set meanwhile).
    """
    finished = time.time()
    seconds = max(0.0, finished - started) if took is None else took
    return {
        "harness": __version__,
        "started_at": _stamp(started),
        "finished_at": _stamp(finished),
        "wall_s": round(seconds, 3),
        "git_commit": git_commit(),
        "environment": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "machine": platform.machine(),
            "packages": {name: found for name in PACKAGES if (found := _version(name))},
        },
    }


def evidence(requests: int, cached: int) -> str:
    """Say whether a run's answers are new: how many were asked for, and how many replayed.

    >>> evidence(0, 50)
    'replayed, not new evidence'
    """
    if not cached:
        return "new" if requests else "none: no request was answered"
    if not requests:
        return REPLAYED
    return (
        f"new in part: {requests:,} of {requests + cached:,} requests; "
        "the others equal one that this run or an earlier one asked, and are not asked twice"
    )


def git_commit() -> str | None:
    """Return the commit checked out where the run was started; None outside a repository."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
