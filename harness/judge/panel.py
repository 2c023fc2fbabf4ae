"""Several judges of one answer: their votes are kept, and combined.

After "Replacing Judges with Juries" (Verga et al. 2024, arXiv:2404.18796). Judges that err
together are worth fewer than their number: `effective_judges` says how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from harness.judge.modes import Judged
from harness.records import Verdict
from harness.stats.agreement import mean_correlation


def combine(
    votes: Sequence[Judged], how: Literal["majority", "mean"], model: str = "panel"
) -> Judged:
    """Return the panel's verdict: more than half of the seats, or the mean of their scores.

    A seat without a verdict counts against a majority but for nobody; where fewer than half of
    the seats gave one, the panel's is missing.
    """
    verdicts = tuple(verdict for vote in votes for verdict in vote.verdicts)
    given = [vote for vote in votes if vote.verdict is not None]
    if 2 * len(given) <= len(votes):
        reason = f"{len(given)} of {len(votes)} judges gave a verdict"
        return _closed(None, None, verdicts, reason, model)
    if how == "mean":
        value = sum(vote.value or 0.0 for vote in given) / len(given)
        return _closed(f"mean of {len(given)}", value, verdicts, None, model)
    (winner, count), *_ = Counter(vote.verdict for vote in given).most_common(1)
    if 2 * count <= len(votes):
        return _closed(None, None, verdicts, "no verdict has a majority", model)
    agreed = next(vote.value for vote in given if vote.verdict == winner)
    return _closed(winner, agreed, verdicts, None, model)


def _closed(
    verdict: str | None,
    value: float | None,
    votes: tuple[Verdict, ...],
    reason: str | None,
    model: str,
) -> Judged:
    last = Verdict("panel", model, verdict, score=value, reason=reason)
    return Judged(verdict, value, (*votes, last), reason)


def effective_judges(scores: Sequence[Sequence[float | None]]) -> float | None:
    """Return k / (1 + (k-1)·ρ̄) for k judges, ρ̄ the mean correlation of their errors or scores.

    `scores` has a row for each judge, None where it gave none. None where no correlation exists.
    Kish's design effect (1965), with judges as members of one cluster.
    """
    correlation = mean_correlation(scores)
    if correlation is None:
        return None
    count = len(scores)
    return count / (1 + (count - 1) * max(correlation, 0.0))
