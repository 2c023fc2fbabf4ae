"""What a run's samples took: requests, tokens, money and time, counted as they are read."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(slots=True)
class CostTally:
    """What the samples of one task in one run took; None where nothing was counted."""

    samples: int = 0
    failed: int = 0
    """Samples whose request brought no answer."""
    new: int = 0
    """Requests answered by the model."""
    replayed: int = 0
    """Requests answered from the store of an earlier run."""
    untold: int = 0
    """Samples whose table keeps no transcript, so that their requests are not known."""
    sent: int | None = None
    """Tokens of prompts."""
    came: int | None = None
    """Tokens generated, reasoning included."""
    thought: int | None = None
    """Tokens of reasoning, where the provider counts them."""
    stored: int | None = None
    """Tokens of prompts that the provider read from its own cache, where it says so."""
    cost: float = 0.0
    """US dollars at list price, replayed answers included."""
    unpriced: int = 0
    """Answered samples whose cost is not known."""
    right_tokens: int = 0
    """Generated tokens of unperturbed samples with a score of right or wrong."""
    right: float = 0.0
    graded: int = 0
    """Those samples."""
    seconds: array[float] = field(default_factory=lambda: array("d"))
    """Latency of samples that the model answered in this run, summed over turns."""

    def see(self, row: Row, score: float | None) -> None:
        """Count one sample; `score` is its primary one."""
        self.samples += 1
        self._requests(row)
        sent, came = row["prompt_tokens"], row["completion_tokens"]
        if sent is not None:
            self.sent = (self.sent or 0) + sent
        if came is not None:
            self.came = (self.came or 0) + came
            plain = row["variant"] == "original" and not row["choices"]
            if score is not None and plain and score in (0.0, 1.0):
                self.right_tokens += came
                self.right += score
                self.graded += 1
        if row["cost_usd"] is not None:
            self.cost += row["cost_usd"]
        elif row["status"] != "error":
            self.unpriced += 1
        if row["latency_s"] is not None and row["cached"] is False:
            self.seconds.append(row["latency_s"])

    def _requests(self, row: Row) -> None:
        turns = row["transcript"]
        if row["status"] == "error":
            self.failed += 1
        if turns is None:
            self.untold += row["status"] != "error"
            return
        for turn in turns:
            if turn["attempts"] is None:  # what was sent, and the answers of solved examples
                continue
            if turn["cached"]:
                self.replayed += 1
            else:
                self.new += 1
            if turn["reasoning_tokens"]:
                self.thought = (self.thought or 0) + turn["reasoning_tokens"]
            if turn.get("cached_prompt_tokens"):  # older tables have no such field
                self.stored = (self.stored or 0) + turn["cached_prompt_tokens"]

    @property
    def money(self) -> float | None:
        """US dollars, or None where the price of any answer is not known."""
        return None if self.unpriced or self.samples == self.failed else self.cost

    @property
    def per_right(self) -> float | None:
        """Generated tokens for each right answer, wrong answers' tokens included."""
        return self.right_tokens / self.right if self.right else None


def together(tallies: Sequence[CostTally]) -> CostTally:
    """Return the sum of some tallies."""
    total = CostTally()
    for one in tallies:
        for name in ("samples", "failed", "new", "replayed", "untold", "cost", "unpriced",
                     "right_tokens", "right", "graded"):  # fmt: skip
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for name in ("sent", "came", "thought", "stored"):
            if getattr(one, name) is not None:
                setattr(total, name, (getattr(total, name) or 0) + getattr(one, name))
        total.seconds.extend(one.seconds)
    return total


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return a percentile, linear between neighbours (Hyndman & Fan 1996, type 7).

    `values` are in rising order.

    >>> percentile([1.0, 2.0, 4.0], 0.5), percentile([1.0, 2.0], 0.9), percentile([], 0.5)
    (2.0, 1.9, None)
    """
    if not values:
        return None
    at = share * (len(values) - 1)
    below = int(at)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (at - below)
