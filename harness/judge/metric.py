"""The metrics that judges fill, and what a program decides before any judge is asked."""

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


@dataclass(frozen=True, slots=True)
class BesideMetric:
    """Implements protocols.Metric: what a judge says of a text beside whatever else scores it.

    No program fills it, and a missing verdict takes nothing from the sample's other scores.
    """

    name: str
    group: Group
    higher_is_better: bool | None = False
    interval: Literal["proportion", "mean", "bootstrap", "none"] = "mean"
    unit: Literal["sample", "cluster"] = "sample"
    observed: bool = False
    share: bool = True
    """Its values lie in 0…1."""

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return None: only a judge can tell."""
        del outcome, score
        return None

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """Return the mean, or None of nothing."""
        values = columns["value"]
        return float(values.mean()) if len(values) else None


JUDGED = JudgedMetric()
TOXICITY = BesideMetric("toxicity", "toxicity")
BESIDE = (TOXICITY.name,)
"""Metrics that a judge fills beside the others."""


def undecided(score: Score) -> bool:
    """Return whether a scored sample is the judge's business."""
    return score.status == "ok" and NAME not in score.values


def with_verdict(score: Score, found: Judged, *, primary: bool = True) -> Score:
    """Return the score with what the judge said.

    Where its verdict is missing, a sample whose `primary` metric is the judge's has no score: its
    status is `unjudged`. One that is scored by others first keeps their values.
    """
    if found.value is None:
        told = f"no verdict: {found.reason}"
        if not primary:
            told = score.explanation or told
            return msgspec.structs.replace(score, verdicts=found.verdicts, explanation=told)
        return msgspec.structs.replace(
            score, status="unjudged", values={}, verdicts=found.verdicts, explanation=told
        )
    own = {NAME: found.value}
    values = own | score.values if primary else score.values | own  # the primary metric is first
    return msgspec.structs.replace(
        score,
        values=values,
        verdicts=found.verdicts,
        explanation=f"judged {found.verdict}",
    )


def with_beside(score: Score, metric: str, found: Judged) -> Score:
    """Return the score with a verdict on something else; where it is missing, only its record."""
    values = score.values
    if found.value is not None and score.status != "unjudged":
        values = {**values, metric: found.value}
    return msgspec.structs.replace(
        score, values=values, verdicts=(*score.verdicts, *found.verdicts)
    )
