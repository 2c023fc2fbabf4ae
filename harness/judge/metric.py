"""The metric that a judge fills, and what a program decides before any judge is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from harness.judge.modes import Judged
from harness.records import Group, Outcome, Score
from harness.text.normalise import quasi_exact
from harness.text.verdict import vacuous

if TYPE_CHECKING:
    import numpy as np

NAME = "judged"
UNRELIABLE = 0.02
"""Share of missing verdicts above which a judged score is marked unreliable."""


@dataclass(frozen=True, slots=True)
class JudgedMetric:
    """Implements protocols.Metric: the score of a verdict, or of the program where it decides.

    The program decides that an answer equal to an accepted one is right, and that one without
    content (no letter or digit, a bare opening, the question again) or none at all is wrong.
    """

    name: str = NAME
    group: Group = "accuracy"
    higher_is_better: bool | None = True
    interval: Literal["proportion", "mean", "bootstrap", "none"] = "mean"
    unit: Literal["sample", "cluster"] = "sample"
    observed: bool = False

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return 1 or 0 where a program decides; None where a judge must."""
        if score.status == "unparsed":
            return 0.0
        sample, answer = outcome.sample, score.answer
        if answer is None:
            return None
        question = str(sample.fields.get("question", sample.input))
        if any(quasi_exact(answer, target, sample.language) for target in sample.target):
            return 1.0
        return 0.0 if vacuous(answer, question, sample.language) else None

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """Return the mean, or None of nothing."""
        values = columns["value"]
        return float(values.mean()) if len(values) else None


JUDGED = JudgedMetric()


def undecided(score: Score) -> bool:
    """Return whether a scored sample is the judge's business."""
    return score.status == "ok" and NAME not in score.values


def with_verdict(score: Score, found: Judged) -> Score:
    """Return the score with what the judge said; `unjudged` where its verdict is missing."""
    if found.value is None:
        return msgspec.structs.replace(
            score,
            status="unjudged",
            values={},
            verdicts=found.verdicts,
            explanation=f"no verdict: {found.reason}",
        )
    return msgspec.structs.replace(
        score,
        values={**score.values, NAME: found.value},
        verdicts=found.verdicts,
        explanation=f"judged {found.verdict}",
    )
