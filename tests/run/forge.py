"""A program that has imported everything and forks a run for each line that it reads.

A line is JSON: `flags` of the run, and where it is to be killed (`at`, `count`; see `arm`). For
each it writes the child's pid, then how it ended. So a test can kill a run at any place or moment
without paying for its imports each time.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.config import build
from harness.pipeline import run
from harness.plugins import BUILTIN, load


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(at: str, count: int) -> None:
    """Have the process kill itself at the `count`-th call of `module:name`, before it or `after`.

    `rename:FILE` is the moment before a finished file gets its name.
    """
    what, _, when = at.partition(" ")
    module, _, name = what.partition(":")
    if module == "rename":
        replace = Path.replace

        def guarded(self: Path, target: Path) -> Path:
            if Path(target).name == name:
                die()
            return replace(self, target)

        Path.replace = guarded  # type: ignore[method-assign,assignment]
        return
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original: Callable[..., Any] = getattr(owner, last)
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count and when != "after":
            die()
        result = original(*args, **kwargs)
        if calls == count:
            die()
        return result

    setattr(owner, last, counted)


def child(step: dict[str, Any]) -> int:
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    if step.get("at"):
        arm(step["at"], step.get("count", 1))
    return int(run(*build(step["flags"])).exit_code)


def say(value: int) -> None:
    sys.stdout.write(f"{value}\n")
    sys.stdout.flush()


for kind, names in BUILTIN.items():  # what a run loads late, so that no child has to
    for name in names if kind in ("metric", "extractor") else ():
        load(kind, name)
for module in ("harness.backend.openai", "harness.synth.arithmetic", "pyarrow.compute"):
    importlib.import_module(module)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = child(json.loads(line))
        finally:
            os._exit(code)
    say(pid)
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
