"""Whether a judge left out more of one system's answers than of another's.

What is missing in either is dropped from both, so that the same items are compared. Where one
side misses more, what is left may no longer be a fair sample of it: Fisher's exact test tells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from harness.stats.agreement import fisher_exact

ALPHA = 0.05


class Missing(Struct, frozen=True):
    """Verdicts that are missing on the samples that two runs share."""

    task: str
    arm: str
    variant: str
    run: str
    n: int
    """Samples that both runs answered, judged or not."""
    own: int
    """Of them, without a verdict in `run`."""
    other: int
    """Likewise in the run that it is compared with."""
    p_value: float
    """Fisher's exact test of equal shares, two-sided."""

    @property
    def unequal(self) -> bool:
        """Whether the shares differ beyond chance."""
        return self.p_value < ALPHA

    def __str__(self) -> str:
        """What a reader of the comparison must know."""
        told = (
            f"{self.run}: {self.task}: no verdict on {self.own} of {self.n} samples, "
            f"the other run on {self.other} (Fisher's exact p = {self.p_value:.2g}); "
            "left out of both"
        )
        if not self.unequal:
            return told
        return f"{told}; they are missing unequally, so the difference may come of what is missing"


def missing(
    place: tuple[str, str, str],
    run: str,
    own: Mapping[object, str],
    other: Mapping[object, str],
) -> Missing | None:
    """Return the missing verdicts of one place of two runs, or None where there are none.

    `own` and `other` map a sample to its status.
    """
    both = [key for key in own if key in other and "error" not in (own[key], other[key])]
    mine = _unjudged(own, both)
    theirs = _unjudged(other, both)
    if not mine + theirs:
        return None
    p_value = fisher_exact((mine, len(both) - mine), (theirs, len(both) - theirs))
    return Missing(*place, run, len(both), mine, theirs, p_value)


def _unjudged(status: Mapping[object, str], keys: Collection[object]) -> int:
    return sum(status[key] == "unjudged" for key in keys)
