"""A judge put to labelled items, and what came of it. Beside `judging.py` a composition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.auditing import AT_ONCE
from harness.judge.calibrate import Calibration, calibration
from harness.judge.labels import Labelled, read_labels
from harness.judge.modes import Judged
from harness.judging import Assigned, Crew, judge_roots


def bundled_labels(assigned: Assigned) -> list[Labelled]:
    """Return the labelled items that ship for graded short answers, both languages."""
    found: list[Labelled] = []
    for root in judge_roots():
        for path in sorted((root / "labelled").glob("*.jsonl")):
            found += read_labels(path, assigned.judge)
    return found


def labels_from(assigned: Assigned, source: str, form: str, system: str = "") -> list[Labelled]:
    """Return the labels of a file; `bundled` names those that ship."""
    if source == "bundled":
        return bundled_labels(assigned)
    return read_labels(Path(source), assigned.judge, form, system)


async def calibrate(
    assigned: Assigned,
    crew: Crew,
    labelled: Sequence[Labelled],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Calibration, list[Judged]]:
    """Judge every labelled item, and return the agreement and the verdicts."""
    room = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(item: Labelled) -> Judged:
        nonlocal done
        async with room:
            found = await crew.judge(assigned, item.item)
        done += 1
        if progress:
            progress(done, len(labelled))
        return found

    found = list(await asyncio.gather(*(one(item) for item in labelled)))
    return calibration(assigned.judge, labelled, found), found
