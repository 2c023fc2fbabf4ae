"""The exception tree and the exit codes of the command line.

HarnessError                     what the harness says on purpose; one clear message, no traceback
├── UsageError              (2)  what the user asked for cannot be done as asked
│   ├── UnknownName              a name that nothing answers to; suggests the nearest
│   ├── InvalidFile              a file from a user is wrong: names file, line, key, allowed, got
│   └── Incomparable             two runs differ in what was measured
├── BackendError            (4)  the model or its server cannot be used at all
│   ├── AuthenticationFailed
│   └── ModelNotFound
├── StoreError              (4)  results cannot be written or read
├── CacheMiss               (4)  --require-cache, and an answer is not stored
└── BudgetReached           (5)  a limit in money or tokens was met; the partial result stands

A failed *request* is no exception but a record (`records.Failure`): the run goes on.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What the command line ends with; part of the contract."""

    OK = 0
    REGRESSED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INFRASTRUCTURE = 4
    BUDGET = 5
    INTERRUPTED = 130


EXIT_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.INFRASTRUCTURE,
    ExitCode.REGRESSED,
    ExitCode.BUDGET,
    ExitCode.INCONCLUSIVE,
    ExitCode.OK,
)
"""Where several codes apply, the first of these is the one that is returned."""


def worst_exit(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that takes precedence among `codes`; OK where there are none."""
    present = set(codes)
    return next((code for code in EXIT_PRECEDENCE if code in present), ExitCode.OK)


class HarnessError(Exception):
    """Base of all errors that the harness raises on purpose."""

    exit_code: ExitCode = ExitCode.INFRASTRUCTURE


class UsageError(HarnessError):
    """What was asked for cannot be done as asked."""

    exit_code = ExitCode.USAGE


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None where nothing comes close.

    >>> nearest("exact_mach", ["exact_match", "f1"])
    'exact_match'
    """
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ' (did you mean X?)' or the empty string.

    >>> suggestion("promt", ["prompt", "target"])
    " (did you mean 'prompt'?)"
    """
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near else ""


class UnknownName(UsageError):
    """A name was given that nothing answers to."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        listed = ", ".join(sorted(known)[:20]) or "none"
        more = "" if len(known) <= 20 else f" and {len(known) - 20} more"  # noqa: PLR2004
        super().__init__(f"unknown {kind} '{name}'{suggestion(name, known)}; known: {listed}{more}")


class InvalidFile(UsageError):
    """A file from a user is wrong.

    Attributes name the place (`path`, `line`, `key`), what is `allowed` and what came (`got`).
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        key: str | None = None,
        allowed: str | None = None,
        got: str | None = None,
    ) -> None:
        self.problem, self.path, self.line = problem, path, line
        self.key, self.allowed, self.got = key, allowed, got
        place = str(path) if path is not None else ""
        if line is not None:
            place += f":{line}"
        parts = [place, key, problem]
        message = ": ".join(part for part in parts if part)
        if allowed is not None:
            message += f"; allowed: {allowed}"
        if got is not None:
            message += f"; got: {got}"
        super().__init__(message)


class Incomparable(UsageError):
    """Two runs differ in what was measured, so their difference would mean nothing."""


class BackendError(HarnessError):
    """The model or its server cannot be used at all."""


class AuthenticationFailed(BackendError):
    """The server refused the key."""


class ModelNotFound(BackendError):
    """The server does not know the model."""


class StoreError(HarnessError):
    """Results cannot be written or read."""


class CacheMiss(HarnessError):
    """Only stored answers were allowed, and one is missing."""


class BudgetReached(HarnessError):
    """A limit in money or tokens was met; what was completed stands."""

    exit_code = ExitCode.BUDGET
