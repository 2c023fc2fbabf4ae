"""What goes into the gate and what comes out of it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from harness.records import Cell, ScoreColumns

Decision = Literal["improved", "not_worse", "regressed", "inconclusive"]
Met = Literal["met", "missed", "inconclusive", "unknown"]

WORDS: dict[Decision, str] = {
    "improved": "improved",
    "not_worse": "not worse",
    "regressed": "regressed",
    "inconclusive": "inconclusive",
}
MARKS: dict[str, str] = {
    "improved": "▲",
    "not_worse": "≈",
    "regressed": "▼",
    "inconclusive": "?",
    "met": "✓",
    "missed": "✗",
    "unknown": "–",
}
"""Verdicts as signs that need no colour."""


class RunScores(Struct, frozen=True):
    """A run as the gate sees it."""

    name: str
    model: str
    columns: ScoreColumns
    cells: tuple[Cell, ...]
    hashes: dict[str, dict[str, Any]]
    """Task → version, data and, by arm, the hashes that make runs comparable."""
    data_seed: int | None = None
    perturbations: dict[str, int] = {}
    """Name → version."""
    spending: dict[str, Any] = {}
    """Columns of numbers aligned with `columns`: cost_usd, latency_s, completion_tokens (NaN for
    none) and cached (bool)."""
    calls: int = 0
    """Requests that the model answered in this run."""
    replayed: int = 0
    """Requests answered from the store."""
    judge_calls: int = 0
    """Requests that judges answered in this run."""
    cost_usd: float | None = None
    """Of the model and of its judges."""
    complete: bool = True


class Place(Struct, frozen=True, order=True):
    """What one verdict is about."""

    task: str
    arm: str = "default"
    variant: str = "original"

    @property
    def label(self) -> str:
        """The task, with arm and variant where they are not the usual ones."""
        more = [
            part
            for part, usual in ((self.arm, "default"), (self.variant, "original"))
            if part != usual
        ]
        return f"{self.task} [{', '.join(more)}]" if more else self.task


class WholeSet(Struct, frozen=True):
    """The candidate's mean over all of the baseline's items, where it ran a part of them."""

    value: float
    low: float
    high: float
    baseline: float
    plain: float
    """The mean over the part alone."""
    gain: float
    """How many times more items the plain mean would need."""
    n: int
    total: int


class TaskVerdict(Struct, frozen=True):
    """One line of the gate: a task's primary metric, candidate against baseline.

    `difference`, `low` and `high` are candidate - baseline, turned so that more is better.
    """

    place: Place
    metric: str
    verdict: Decision
    margin: float
    n: int
    """Pairs: samples that both runs scored."""
    candidate: float | None = None
    baseline: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.9
    """Two-sided coverage of low…high; its lower end tests the margin at (1 - confidence)/2."""
    test: str = "none"
    """mcnemar, sign-flip, cluster-t, e-process or none."""
    p_regressed: float | None = None
    """Adjusted by Holm over the family."""
    p_improved: float | None = None
    detectable: float | None = None
    """The smallest loss that so many pairs show with 80 % power."""
    needed: int | None = None
    """Pairs that would decide, if the difference seen is the true one."""
    gained: int = 0
    """Pairs on which the candidate scores higher."""
    lost: int = 0
    unpaired: int = 0
    """Samples of both runs left out because one of them failed."""
    reason: str | None = None
    whole: WholeSet | None = None


class Check(Struct, frozen=True):
    """A floor or a limit, and how the candidate stands to it."""

    name: str
    """As the policy says it."""
    verdict: Met
    value: float | None
    limit: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    needed: int | None = None
    instrument: bool = False
    """A missed limit speaks of the backend (exit 4), not of the model (exit 1)."""
    reason: str | None = None


class Flip(Struct, frozen=True):
    """A sample that scores differently now."""

    place: Place
    sample_id: str
    epoch: int
    before: float
    now: float
    input: str = ""
    target: tuple[str, ...] = ()
    got: str = ""
    was: str = ""
    lost: bool = True
    """Whether the candidate does worse on it."""


class GateReport(Struct, frozen=True):
    """All that the gate found."""

    verdict: Literal["passed", "regressed", "inconclusive", "failed"]
    """`failed`: the errors are above their limit, so that nothing is known of the model."""
    exit_code: int
    candidate: str
    candidate_model: str
    baseline: str
    baseline_model: str
    policy: str
    alpha: float
    tasks: tuple[TaskVerdict, ...]
    checks: tuple[Check, ...]
    flips: tuple[Flip, ...] = ()
    """Losses first; at most as many as the outputs show."""
    notes: tuple[str, ...] = ()
    calls: int = 0
    replayed: int = 0
    judge_calls: int = 0
    cost_usd: float | None = None
    sequential: bool = False

    @property
    def replay_only(self) -> bool:
        """Whether no answer is new: the run repeats what the store holds."""
        return self.calls == 0 and self.replayed > 0


REPLAYED = "0 calls, replayed, not new evidence"
