"""How many requests to keep in flight, found out while running. Pure: time is an argument.

Slow start doubles the limit while that buys throughput; a doubling that does not is taken back.
Where the server pushes back (429, 503) the limit falls by a quarter, once for a burst, and grows
again by small steps (additive increase, multiplicative decrease: Chiu & Jain 1989).
"""

from __future__ import annotations

from dataclasses import dataclass

START, MOST = 8, 512
WORTHWHILE = 1.15
"""A doubling must raise the rate by this factor, or it is taken back."""
BACK_OFF = 0.75
STEP = 0.1
"""Share by which the limit grows in a round once slow start is over."""
PATIENCE = 8
"""Rounds without push-back before the limit is tried a step higher again."""


@dataclass(slots=True)
class AdaptiveLimit:
    """The number of requests that may be in flight. State: what the last rounds showed.

    A round is as many answers as twice the limit. Only rounds in which the limit was reached say
    anything of the server; in others the work was lacking.
    """

    limit: int = START
    most: int = MOST
    _slow_start: bool = True
    _best: float = 0.0
    """Answers a second in the best round at the limit before this one."""
    _before: int = START
    _answers: int = 0
    _began: float | None = None
    _full: bool = False
    _burst: int = 0
    """Answers to come that were sent before the last step back."""
    _calm: int = 0

    def sent(self, in_flight: int, now: float) -> None:
        """Take note of a request sent; `in_flight` counts it too, `now` is in seconds."""
        if self._began is None:
            self._began = now
        self._full = self._full or in_flight >= self.limit

    def answered(self, now: float, *, pushed_back: bool) -> None:
        """Take note of an answer, and move the limit."""
        self._burst = max(0, self._burst - 1)
        if pushed_back:
            self._push()
            return
        self._answers += 1
        if self._answers >= 2 * self.limit and self._began is not None:
            rate = self._answers / max(now - self._began, 1e-9)
            if self._full:
                self._round(rate)
            self._answers, self._began, self._full = 0, now, False

    def _push(self) -> None:
        if not self._burst:
            self._burst = self.limit  # those in flight now may be refused for the same reason
            self.limit = max(1, int(self.limit * BACK_OFF))
        self._slow_start, self._calm, self._best = False, 0, 0.0
        self._before = self.limit
        self._answers, self._began = 0, None

    def _round(self, rate: float) -> None:
        if self._slow_start:
            if rate >= WORTHWHILE * self._best and self.limit < self.most:
                self._best, self._before = rate, self.limit
                self.limit = min(self.most, 2 * self.limit)
            else:
                self._slow_start = False
                if rate < WORTHWHILE * self._best:
                    self.limit = self._before
                self._best = max(rate, self._best)
            return
        self._calm += 1
        if self._calm >= PATIENCE:
            self._probe(rate)

    def _probe(self, rate: float) -> None:
        """Try one step higher; take it back where the last step bought nothing."""
        self._calm = 0
        if self._before < self.limit and rate < (1 + STEP / 4) * self._best:
            self.limit = self._before
        else:
            self._before = self.limit
            self.limit = min(self.most, self.limit + max(1, int(self.limit * STEP)))
        self._best = rate
