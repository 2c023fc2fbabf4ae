"""What a perturbation costs: each copy against the original of the same sample, in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.stats.intervals import UNIT, Interval
from harness.stats.paired import paired_difference

Row = Mapping[str, Any]
Key = tuple[str, str, int]
"""Arm, sample, epoch: what an original and its copies share."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One perturbation of one task: the mean of original - copy over the same samples."""

    variant: str
    n: int
    """Samples scored both ways."""
    changed: int
    """Those whose copy differs from the original; the rest count as no drop."""
    before: float
    after: float
    interval: Interval
    """Paired: Tango's for 0/1 scores of samples that stand alone, else Student's t."""
    lost: int
    """Samples that scored more before."""
    gained: int
    """Samples that scored more after."""


class _Copy(NamedTuple):
    score: float
    changed: bool


class Copies:
    """Collects the primary scores of originals and copies as the samples go by."""

    def __init__(self) -> None:
        self._originals: dict[Key, tuple[float, str]] = {}
        self._copies: dict[str, dict[Key, _Copy]] = {}

    def see(self, row: Row, score: float | None) -> None:
        """Take one row and its primary score; None: it failed, and so has no pair."""
        if score is None:
            return
        key = (row["arm"], row["sample_id"], row["epoch"])
        if row["variant"] == "original":
            self._originals[key] = (score, row["cluster"] or row["sample_id"])
        else:
            copy = _Copy(score, row.get("changed", True) is not False)
            self._copies.setdefault(row["variant"], {})[key] = copy

    def drops(self, arm: str) -> list[Drop]:
        """Return each perturbation's drop under an arm, in the order in which they were met."""
        found = [self._drop(variant, arm) for variant in self._copies]
        return [drop for drop in found if drop is not None]

    def _drop(self, variant: str, arm: str) -> Drop | None:
        copies = self._copies[variant]
        keys = [key for key in copies if key in self._originals and key[0] == arm]
        if not keys or not any(copies[key].changed for key in keys):
            return None
        before = [self._originals[key][0] for key in keys]
        after = [copies[key].score for key in keys]
        clusters = [self._originals[key][1] for key in keys]
        within = all(0 <= score <= 1 for score in (*before, *after))
        return Drop(
            variant=variant,
            n=len(keys),
            changed=sum(copies[key].changed for key in keys),
            before=sum(before) / len(keys),
            after=sum(after) / len(keys),
            interval=paired_difference(
                before, after, clusters=clusters, bounds=UNIT if within else None
            ),
            lost=sum(x > y for x, y in zip(before, after, strict=True)),
            gained=sum(x < y for x, y in zip(before, after, strict=True)),
        )
