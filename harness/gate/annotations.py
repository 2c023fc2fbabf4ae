"""Workflow commands that put a verdict beside the task's file in a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.gate.records import Flip, GateReport
from harness.gate.say import check_sentence, verdict_sentence

LIMIT = 10
"""Shown of one kind for each step; what comes after is dropped by the reader."""
TEXT = 120


def commands(report: GateReport, files: Mapping[str, str]) -> list[str]:
    """Return at most ten `::error` lines: regressed tasks and missed limits, then lost samples.

    `files` gives each task's file, as seen from the root of the repository.
    """
    return [*_lines(report, files)][:LIMIT]


def broken(reason: str) -> str:
    """Return the `::error` line of a gate that could not be made."""
    return _error(None, "gate without a verdict", reason)


def _lines(report: GateReport, files: Mapping[str, str]) -> Iterator[str]:
    for task in report.tasks:
        if task.verdict == "regressed":
            yield _error(files.get(task.place.task), "regressed", verdict_sentence(task))
    for check in report.checks:
        if check.verdict == "missed":
            task_of = check.name.split(" ", maxsplit=1)[0]
            yield _error(files.get(task_of), "limit missed", check_sentence(check))
    red = {task.place for task in report.tasks if task.verdict == "regressed"}
    for flip in report.flips:
        if flip.lost and flip.place in red:
            yield _error(files.get(flip.place.task), f"lost {flip.sample_id}", _flip(flip))


def _flip(flip: Flip) -> str:
    parts = {
        "asked": flip.input,
        "expected": " | ".join(flip.target),
        "was": flip.was,
        "is": flip.got,
    }
    return "; ".join(f"{name}: {_short(text)}" for name, text in parts.items() if text)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT else line[: TEXT - 1] + "…"


def _error(path: str | None, title: str, message: str) -> str:
    """Return one command; what it says cannot end it or start another."""
    place = f"file={_property(path)},line=1," if path else ""
    return f"::error {place}title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
