"""Deciding while a run goes, as soon as the question is settled: pure, (history) → verdict | go on.

Two e-processes look at every item (or whole cluster) of a shuffled plan, at alpha/2 each: one for
"regressed" (null: D ≥ 0), one for "not worse" (null: D ≤ -margin). Where neither has decided by
the end of the plan, the tests of a fixed n do, at the other alpha/2. Either error then has chance
at most alpha (union bound), however often the run is looked at.

D is the mean over the population that the task's items stand for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from harness.errors import UsageError
from harness.gate.align import Pairs
from harness.gate.policy import Policy
from harness.gate.records import Decision, Place, TaskVerdict
from harness.gate.verdicts import Planning, interval_of, one_sided
from harness.stats.eprocess import Evidence, confidence_sequence

Settled = Literal["not_worse", "regressed"]


@dataclass(frozen=True, slots=True)
class Rule:
    """When one task's question is settled."""

    margin: float
    alpha_regressed: float = 0.025
    """For the e-process; the test at the end has as much again."""
    alpha_not_worse: float = 0.025
    family: int = 1
    """Tasks that are watched together."""

    @classmethod
    def of(cls, policy: Policy, task: str, family: int) -> Rule:
        """Half of alpha goes to each e-process; false alarms are shared out over the family.

        Bonferroni, since tasks end at different times; *not worse* needs no correction, as the
        gate passes only where every task does.
        """
        margin = policy.margin_of(task)
        if not 0 < margin < 1:
            raise UsageError(f"{task}: --sequential needs a margin above 0 and below 1")
        return cls(margin, policy.alpha / (2 * family), policy.alpha / 2, family)


class Step(NamedTuple):
    """The sum of one cluster's differences, and its rows, both over the largest cluster's rows."""

    value: float
    size: float = 1.0


class Trial:
    """One task under way. `add` returns the verdict once there is one; it never changes again."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._worse = Evidence(0.0, "below")
        self._fine = Evidence(-rule.margin, "above")
        self.settled: Settled | None = None
        self.steps = 0

    def add(self, step: Step) -> Settled | None:
        """Take one item or cluster."""
        if self.settled is None:
            self.steps += 1
            fine = self._fine.add(*step) >= -math.log(self.rule.alpha_not_worse)
            worse = self._worse.add(*step) >= -math.log(self.rule.alpha_regressed)
            self.settled = "not_worse" if fine else "regressed" if worse else None
        return self.settled

    @property
    def p_regressed(self) -> float:
        """The anytime-valid p-value against "not worse at all"."""
        return self._worse.p_value


def decide(history: Iterable[Step], rule: Rule) -> Settled | None:
    """Return the verdict that a history of items settles, or None to go on."""
    trial = Trial(rule)
    for step in history:
        if trial.add(step):
            break
    return trial.settled


class Known(NamedTuple):
    """The baseline's score of one sample, turned so that more is better."""

    score: float
    unparsed: bool = False


@dataclass
class Watch:
    """Feeds one task's trial with whole clusters as outcomes come in, in the order of the plan."""

    place: Place
    metric: str
    higher_is_better: bool
    rule: Rule
    known: Mapping[tuple[str, int], Known]
    """(sample_id, epoch) → the baseline's score."""
    largest: int
    """Rows of the baseline's largest cluster."""
    trial: Trial = field(init=False)
    rows: list[Row] = field(default_factory=list)
    unpaired: int = 0
    settled_at: int | None = None
    """Rows seen when the question was settled."""
    _cluster: str | None = None
    _open: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trial = Trial(self.rule)

    def saw(self, sample: Seen) -> None:
        """Take one scored sample; one that either run could not score is counted apart."""
        if sample.cluster != self._cluster:
            self.close()
            self._cluster = sample.cluster
        before = self.known.get((sample.sample_id, sample.epoch))
        if before is None or sample.value is None:
            self.unpaired += before is not None
            return
        if not 0 <= sample.value <= 1:
            raise UsageError(
                f"{self.place.label}: --sequential needs scores in 0…1; {self.metric} gave "
                f"{sample.value:g}"
            )
        now = sample.value if self.higher_is_better else -sample.value
        self.rows.append(Row(sample, now, before))
        self._open.append(now - before.score)
        if len(self._open) >= self.largest:
            self.close()

    def close(self) -> None:
        """Hand the finished cluster to the trial."""
        if self._open:
            size = min(len(self._open) / self.largest, 1.0)
            total = max(-size, min(size, sum(self._open) / self.largest))
            if self.trial.add(Step(total, size)) and self.settled_at is None:
                self.settled_at = len(self.rows)
        self._open = []

    def pairs(self) -> Pairs:
        """Return all pairs seen, those after the verdict too."""
        return Pairs(
            place=self.place,
            metric=self.metric,
            higher_is_better=self.higher_is_better,
            candidate=np.array([row.now for row in self.rows]),
            baseline=np.array([row.before.score for row in self.rows]),
            cluster=np.array([row.seen.cluster for row in self.rows], dtype=str),
            sample_id=np.array([row.seen.sample_id for row in self.rows], dtype=object),
            epoch=np.array([row.seen.epoch for row in self.rows], dtype=np.int64),
            unparsed_candidate=np.array([float(row.seen.unparsed) for row in self.rows]),
            unparsed_baseline=np.array([float(row.before.unparsed) for row in self.rows]),
            unpaired=self.unpaired,
        )


class Seen(NamedTuple):
    """One scored sample of the candidate."""

    sample_id: str
    epoch: int
    cluster: str
    value: float | None
    """None where the sample failed."""
    unparsed: bool = False


class Row(NamedTuple):
    """A pair."""

    seen: Seen
    now: float
    before: Known


def conclude(watch: Watch, *, finished: bool) -> TaskVerdict:
    """Return the verdict of a task: the trial's, or at the end of the plan the fixed-n tests'.

    A plan cut short by anything but the trial itself (`finished` false) leaves it inconclusive:
    a fixed-n test holds for an n that was fixed.
    """
    watch.close()
    rule, pairs, trial = watch.rule, watch.pairs(), watch.trial
    if not watch.rows:
        return TaskVerdict(
            watch.place, watch.metric, "inconclusive", rule.margin, 0, reason="no pair was scored"
        )
    change = pairs.differences
    confidence = 1 - 2 * rule.alpha_not_worse
    found = interval_of(pairs, confidence)
    low, high, test = found.low, found.high, "fixed-n"
    decision: Decision = "inconclusive"
    p_value = trial.p_regressed
    if trial.settled is not None or not finished:
        decision, test = trial.settled or "inconclusive", "e-process"
        low, high = _anytime(watch, 2 * rule.alpha_not_worse)
    else:
        tests = one_sided(pairs)
        p_value = min(p_value, tests.regressed)
        # a drop that is certain, and certainly within the margin, took every item to tell apart:
        # the cautious one of the two is said (benchmarks/sequential_gate.py: +0.5 points of power)
        if tests.regressed <= rule.alpha_regressed:
            decision = "regressed"
        elif low is not None and low > -rule.margin:
            decision = "not_worse"
    planning = Planning.of(pairs, rule.alpha_regressed)
    value, sign = float(change.mean()), 1.0 if watch.higher_is_better else -1.0
    return TaskVerdict(
        place=watch.place,
        metric=watch.metric,
        verdict=decision,
        margin=rule.margin,
        n=len(change),
        candidate=sign * float(pairs.candidate.mean()),
        baseline=sign * float(pairs.baseline.mean()),
        difference=value,
        low=low,
        high=high,
        confidence=confidence,
        test=test,
        p_regressed=min(1.0, 2 * rule.family * p_value),
        detectable=planning.detectable,
        needed=planning.needed(value, rule.margin) if decision == "inconclusive" else None,
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
        unpaired=watch.unpaired,
        reason=f"settled after {watch.settled_at:,} of {planned(watch):,}"
        if watch.settled_at is not None
        else None,
    )


def planned(watch: Watch) -> int:
    """Return the samples that the baseline has."""
    return len(watch.known)


def _anytime(watch: Watch, alpha: float) -> tuple[float, float]:
    """Return the confidence sequence at the rows seen; valid wherever the run stopped."""
    sums: dict[str, list[float]] = {}
    for row in watch.rows:
        sums.setdefault(row.seen.cluster, []).append(row.now - row.before.score)
    sizes = np.array([min(len(item) / watch.largest, 1.0) for item in sums.values()])
    values = np.array([sum(item) / watch.largest for item in sums.values()])
    return confidence_sequence(np.clip(values, -sizes, sizes), alpha, sizes)


def watches(
    places: Sequence[tuple[Place, str, bool]],
    known: Mapping[Place, Mapping[tuple[str, int], Known]],
    largest: Mapping[Place, int],
    policy: Policy,
) -> dict[Place, Watch]:
    """Return what watches each place of a plan; raises UsageError where a score is unbounded."""
    found = {}
    for place, metric, better in places:
        scores = [abs(item.score) for item in known[place].values()]
        if max(scores, default=0.0) > 1:
            raise UsageError(f"{place.label}: --sequential needs scores in 0…1, as {metric} is not")
        rule = Rule.of(policy, place.task, len(places))
        found[place] = Watch(place, metric, better, rule, known[place], largest[place])
    return found
