"""How many samples it takes to see an effect, from a pilot run."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from harness.errors import UsageError
from harness.gate.align import Pairs, align
from harness.gate.policy import Policy
from harness.gate.records import Place
from harness.gate.verdicts import Planning
from harness.gating import load_scores
from harness.stats.clusters import Clusters
from harness.stats.power import Error

ASSUMED_CORRELATION = 0.5
"""Between two models' 0/1 scores of one item, where no second run tells it: the median over pairs
of models on a public board was .47 to .51."""


class Need(Struct, frozen=True):
    """How many samples of a task show an effect."""

    place: Place
    metric: str
    n: int
    """Samples of the pilot run."""
    value: float
    spread: float
    """Mean squared difference of one pair, with the design effect of clusters."""
    measured: bool
    """Whether a second run told the spread; else it is assumed."""
    needed: int
    detectable: float


def needs(
    pilot: Path, effect: float, *, against: Path | None = None, error: Error | None = None
) -> list[Need]:
    """Return, for each task of a pilot run, the samples that show a difference of `effect`.

    n = F·(m - δ²)/δ² (`stats.power`), m the mean squared difference of a pair: measured against a
    second run, else 2·Var(s)·(1 - ρ) with ρ = 0.5. Both are multiplied by the design effect.
    """
    if effect <= 0:
        raise UsageError(f"--effect: allowed: more than 0; got: {effect}")
    error = error or Error()
    scores = load_scores(pilot)
    partner = scores if against is None else load_scores(against)
    aligned = align(scores, partner, Policy(), allow_changed=True)
    out = []
    for item in aligned.pairs:
        planning = Planning.of(item, error.alpha)._replace(factor=error.factor)
        if against is None:
            spread = 2 * (1 - ASSUMED_CORRELATION) * _clustered_variance(item)
            planning = planning._replace(second_moment=spread)
        plan = planning._replace(n=0)
        out.append(
            Need(
                place=item.place,
                metric=item.metric,
                n=len(item.candidate),
                value=abs(float(item.candidate.mean())),
                spread=planning.second_moment,
                measured=against is not None,
                needed=plan.needed(0.0, effect) or 0,
                detectable=planning.detectable,
            )
        )
    return out


def _clustered_variance(pairs: Pairs) -> float:
    groups = Clusters.of(pairs.cluster, len(pairs.candidate))
    if groups.count < 2:  # noqa: PLR2004 - a variance needs two
        return 0.0
    return groups.mean_variance(pairs.candidate) * len(pairs.candidate)
