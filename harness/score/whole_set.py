"""Metrics of a whole set that read columns of other metrics, so that no sample stores twice.

The summary hands `combine` the columns `value` and `confidence` and one more for each name in
`needs`; `primary` there is the task's first metric. Rows that lack one of them are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.records import Group, Outcome, Score
from harness.score.metric import SampleValue

if TYPE_CHECKING:
    import numpy as np

Columns = Mapping[str, "np.ndarray[Any, Any]"]


@dataclass(frozen=True, slots=True)
class ColumnMetric:
    """Implements protocols.Metric: a statistic of columns that need not be its own.

    With `terms` the interval is in closed form: n numbers whose mean is the statistic and whose
    spread is that of its influence function (Efron 1982, "The Jackknife, the Bootstrap and Other
    Resampling Plans", the infinitesimal jackknife). With `many` the bootstrap works on matrices:
    it takes columns of shape (…, n) and returns an array of shape (…).
    """

    name: str
    group: Group
    statistic: Callable[[Columns], float | None]
    value: SampleValue | None = None
    """What a sample stores under this name; None: nothing."""
    source: str | None = None
    """The metric whose column is `value`; None: this one's own."""
    needs: tuple[str, ...] = ()
    terms: Callable[[Columns], np.ndarray[Any, Any]] | None = None
    many: Callable[[Columns], np.ndarray[Any, Any]] | None = None
    bounds: tuple[float, float] | None = None
    """The smallest and the largest value that there can be."""
    missing: str | None = None
    """Why there is no number where `statistic` finds none; None: there is no cell then."""
    higher_is_better: bool | None = False
    interval: Literal["proportion", "mean", "bootstrap", "none"] = "none"
    unit: Literal["sample", "cluster"] = "sample"
    observed: bool = False

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return what the sample stores, or None for nothing."""
        return None if self.value is None else self.value(outcome, score)

    def combine(self, columns: Columns) -> float | None:
        """Return the statistic over all samples; None of none."""
        return self.statistic(columns) if len(columns["value"]) else None
