"""On what scale a judge's verdicts lie, and so what a label for it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from harness.judge.spec import YES_NO, JudgeSpec

HALF = 0.5


class Scale(Struct, frozen=True):
    """The verdicts that labels are compared with."""

    kind: Literal["grades", "levels", "pairs", "score"]
    """grades have no order; levels have; a score is a number from 0 to 1."""
    verdicts: tuple[str, ...]
    """In their order; for a score "no" (at most a half) and "yes"."""
    words: Mapping[str, tuple[str, ...]] = {}

    @property
    def labels(self) -> str:
        """What a label may be, in words."""
        if self.kind == "score":
            return "a number from 0 to 1, yes (1) or no (0)"
        return ", ".join(self.verdicts)


def scale_of(spec: JudgeSpec) -> Scale:
    """Return the scale of a judge; a panel's is that of its members, or a score for a mean."""
    if spec.members:
        first = scale_of(spec.members[0][1])
        whole = spec.file.combine == "majority"
        return first if whole else Scale("score", ("no", "yes"))
    words = spec.file.words
    match spec.mode:
        case "pairwise":
            return Scale("pairs", spec.offered, words)
        case "checklist":
            return Scale("score", tuple(reversed(YES_NO)), words)
        case "rubric" | "expected":
            return Scale("levels", spec.offered, words)
        case _:
            return Scale("grades", spec.offered, words)


def value_of(spec: JudgeSpec, verdict: str) -> float:
    """Return the score that a label or verdict stands for; pairs: the share of the first answer."""
    scale = scale_of(spec)
    if scale.kind == "score":
        return {"yes": 1.0, "no": 0.0}.get(verdict) if verdict in YES_NO else float(verdict)  # type: ignore[return-value]
    if scale.kind == "pairs":
        return {"A": 1.0, "B": 0.0}.get(verdict, HALF)
    holder = spec.members[0][1] if spec.members else spec
    return holder.value(verdict)


def positive(spec: JudgeSpec, verdict: str) -> bool:
    """Return whether a verdict counts as right in sensitivity and specificity."""
    holder = spec.members[0][1] if spec.members else spec
    if holder.file.positive is not None:
        return verdict == holder.file.positive
    return value_of(spec, verdict) > HALF
