"""The live progress display: done, rate, time left, errors, tokens, cost. On stderr only."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from harness.run.policy import Usage

REFRESH_S = 0.1


class LiveProgress:
    """Implements pipeline.Observer; draws only on a terminal."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._done = self._failed = 0
        self._drawn = 0.0

    def started(self, directory: Path, planned: int) -> None:
        """Show the bar."""
        if not self._enabled:
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        from harness.cli.tables import console

        self._progress = Progress(
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[spent]}", markup=False),
            console=console(stderr=True),
        )
        self._progress.start()
        self._progress.console.print(f"{planned:,} samples → {directory}", markup=False)
        self._bar = self._progress.add_task("", total=planned, rate="", spent="")

    def finished(self, failed: bool, usage: Usage) -> None:
        """Count one sample; redraw now and then."""
        self._done += 1
        self._failed += failed
        now = time.monotonic()
        if self._progress is not None and now - self._drawn >= REFRESH_S:
            self._drawn = now
            self._draw(usage)

    def told(self, line: str) -> None:
        """Show a line above the bar: how far a batch job is."""
        if self._progress is not None:
            self._progress.console.print(line, markup=False, highlight=False)

    def stopping(self) -> None:
        """Say what an interrupt does."""
        line = "finishing what is in flight; Ctrl-C again stops now"
        if self._progress is not None:
            self._progress.console.print(line)
        else:
            sys.stderr.write(line + "\n")

    def _draw(self, usage: Usage) -> None:
        assert self._progress is not None
        assert self._bar is not None
        self._progress.update(
            self._bar,
            completed=self._done,
            rate=f"{self._rate():,.0f}/s",
            spent=spent(usage, self._failed),
        )

    def _rate(self) -> float:
        assert self._progress is not None
        elapsed = self._progress.tasks[0].elapsed or 0.0
        return self._done / elapsed if elapsed else 0.0

    def __enter__(self) -> LiveProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        if self._progress is not None:
            if self._bar is not None:
                self._progress.update(self._bar, completed=self._done)
            self._progress.stop()


def spent(usage: Usage, failed: int) -> str:
    """Say what a run has used so far.

    >>> from harness.run.policy import Usage
    >>> spent(Usage(requests=3, prompt_tokens=1200, cost_usd=0.5), failed=1)
    '1 errors · 1,200 tokens · $0.5000'
    """
    tokens = usage.prompt_tokens + usage.completion_tokens
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    parts = [f"{failed} errors", f"{tokens:,} tokens", cost]
    if usage.cached:
        parts.append(f"{usage.cached:,} replayed")
    return " · ".join(parts)
