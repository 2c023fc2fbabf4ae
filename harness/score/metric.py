"""The shape that most metrics share: a function of one sample, averaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.records import Group, Outcome, Score

if TYPE_CHECKING:
    import numpy as np

SampleValue = Callable[[Outcome, Score], float | None]


@dataclass(frozen=True, slots=True)
class MeanMetric:
    """Implements protocols.Metric: the mean of a value per sample."""

    name: str
    group: Group
    value: SampleValue
    higher_is_better: bool | None = True
    interval: Literal["proportion", "mean", "bootstrap", "none"] = "proportion"
    unit: Literal["sample", "cluster"] = "sample"
    observed: bool = False

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return this sample's value, or None where it has none."""
        return self.value(outcome, score)

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """Return the mean, or None of nothing."""
        values = columns["value"]
        return float(values.mean()) if len(values) else None


@dataclass(frozen=True, slots=True)
class AllOfCluster(MeanMetric):
    """1 for a cluster whose samples all score 1, such as a Winograd pair with both twins right."""

    unit: Literal["sample", "cluster"] = "cluster"


@dataclass(frozen=True, slots=True)
class WholeSetMetric:
    """Implements protocols.Metric: a number that exists for a set of samples only.

    `statistic` maps (values, confidences) to a number or None.
    """

    name: str
    group: Group
    value: SampleValue
    statistic: Callable[[np.ndarray, np.ndarray], float | None]
    higher_is_better: bool | None = False
    interval: Literal["proportion", "mean", "bootstrap", "none"] = "bootstrap"
    unit: Literal["sample", "cluster"] = "sample"
    observed: bool = False

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return this sample's value, or None where it has none."""
        return self.value(outcome, score)

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """Return the statistic over all samples."""
        return self.statistic(columns["value"], columns["confidence"])
