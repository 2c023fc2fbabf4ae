"""How many requests to keep in flight, found out while running. Pure: time is an argument.

With `auto`, slow start doubles the limit while that buys throughput; a doubling that does not,
measured twice, is taken back. Where the server pushes back (429, 503) more than now and then, or
again and again to so many in a row that everybody is made to wait, the limit falls by a quarter,
once for a burst, and grows again by small steps (additive increase, multiplicative decrease: Chiu &
Jain 1989). The limit at which it pushed back is remembered and tried again only now and then, ever
more seldom while it keeps pushing back there. What is refused of single requests is refused at
random, and no longer taken for push-back. A fixed number of connections yields to push-back in the
same way, and to nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, sqrt

START, MOST = 8, 512
WORTHWHILE = 1.15
"""A doubling must raise the rate by this factor, or it is taken back."""
NOISE = 0.06
"""Share of requests that a server may refuse without being asked less at once."""
MOST_NOISE = 0.3
"""A server that refuses more than this of single requests is not taken for moody but for full."""
LISTENED = 40
"""Answers to single requests from which the share that is refused at random is told."""
IN_A_ROW = 2.5e-4
"""Refusals in a row whose chance is below this are not random: at the usual noise those are 3."""
BACK_OFF = 0.75
STEP = 0.1
"""Share by which the limit grows in a round once slow start is over."""
PATIENCE = 8
"""Rounds without push-back before the limit is tried a step higher again."""
RECOVERY = 2
"""Rounds before it is, on the way back to where the server had not pushed back."""
NEAR = 0.9
"""Of the ceiling: a push-back from there on is the ceiling's."""
MOST_PATIENT = 64
"""Times `PATIENCE`: how long a ceiling that held again and again is left alone."""


@dataclass(slots=True)
class AdaptiveLimit:
    """The number of requests that may be in flight. State: what the last rounds showed.

    A round is as many answers as twice the limit. Only rounds in which the limit was reached say
    anything of the server; in others the work was lacking.
    """

    limit: int = START
    most: int = MOST
    wanted: bool = False
    """Whether `most` is what the user wants: less only where the server pushes back."""
    _slow_start: bool = True
    _doubted: bool = False
    """The last doubling seemed to buy nothing; it is measured once more."""
    _best: float = 0.0
    """Answers a second in the best round at the limit before this one."""
    _before: int = START
    _answers: int = 0
    _began: float | None = None
    _full: bool = False
    _refused: int = 0
    """In this round."""
    _since_row: int | None = None
    """Answers since so many were last refused in a row that it hardly was at random."""
    _noise: float = NOISE
    """Share that is refused whatever the load."""
    _alone: tuple[int, int] = (0, 0)
    """Answers to requests that were alone, and how many of them were refusals."""
    _burst: int = 0
    """Answers to come that were sent before the last step back."""
    _calm: int = 0
    _ceiling: int | None = None
    """The limit at which the server pushed back last."""
    _held: int = 1
    """Grows each time that the ceiling proves to be one."""

    @classmethod
    def at_most(cls, connections: int) -> AdaptiveLimit:
        """Return a limit that stays at `connections` as long as the server takes them."""
        return cls(connections, connections, wanted=True, _slow_start=False, _before=connections)

    def sent(self, in_flight: int, now: float) -> None:
        """Take note of a request sent; `in_flight` counts it too, `now` is in seconds."""
        if self._began is None:
            self._began = now
        self._full = self._full or in_flight >= self.limit

    def answered(self, now: float, *, pushed_back: bool, lately_all: bool = False) -> None:
        """Take note of an answer, and move the limit.

        `lately_all`: the server has refused each of the last `in_a_row` requests.
        """
        self._burst = max(0, self._burst - 1)
        if self.limit == 1 and self._ceiling is not None:
            self._listen(refused=pushed_back)
        if pushed_back:
            again = lately_all and not self._burst and self._again()
            self._refused += not self._burst  # those in flight then may be refused for one reason
            if self._refused >= self._too_many() or again:
                self._push()
            return
        if self._since_row is not None:
            self._since_row += 1
        self._answers += 1
        if self._answers >= 2 * self.limit and self._began is not None:
            rate = self._answers / max(now - self._began, 1e-9)
            if self._full:
                self._round(rate)
            self._answers, self._began, self._full, self._refused = 0, now, False, 0

    @property
    def in_a_row(self) -> int:
        """How many requests that left one after the other are refused by more than noise."""
        return ceil(log(IN_A_ROW) / log(self._noise))

    def _again(self) -> bool:
        """Return whether all were refused for a while a second time within two rounds.

        Where a server refuses what is more than it takes at once, those are few of a round, and
        yet each time everybody waits for as long as it says. Once is left to chance.
        """
        since, self._since_row = self._since_row, 0
        return since is not None and 0 < since <= 4 * self.limit

    def _too_many(self) -> float:
        """Return how many refusals in a round are more than noise: three deviations above it."""
        size = 2 * self.limit
        mean = self._noise * size
        return max(2.0, 1 + mean + 3 * sqrt(mean * (1 - self._noise)))

    def _listen(self, *, refused: bool) -> None:
        """Count refusals of single requests: no load explains them, so they come at random."""
        answers, refusals = self._alone[0] + 1, self._alone[1] + refused
        self._alone = (answers, refusals)
        if answers < LISTENED:
            return
        self._alone, share = (0, 0), refusals / answers
        if self._noise < share <= MOST_NOISE:
            self._noise, self._ceiling, self._held = share, None, 1
            self.limit = self.most if self.wanted else START
            self._slow_start, self._best, self._before = not self.wanted, 0.0, self.limit
            self._answers, self._began, self._refused = 0, None, 0

    def _push(self) -> None:
        self._burst, self._since_row = self.limit, None
        if self._ceiling is not None and self.limit >= NEAR * self._ceiling:
            self._held = min(MOST_PATIENT, 2 * self._held)
        self._ceiling = self.limit
        self.limit = max(1, int(self.limit * BACK_OFF))
        self._slow_start, self._calm, self._best = False, 0, 0.0
        self._before = self.limit
        self._answers, self._began, self._refused = 0, None, 0

    def _round(self, rate: float) -> None:
        if self._slow_start:
            self._double(rate)
            return
        self._calm += 1
        if self._calm >= self._wanted_calm():
            self._probe(rate)

    def _double(self, rate: float) -> None:
        if rate >= WORTHWHILE * self._best and self.limit < self.most:
            self._best, self._before, self._doubted = rate, self.limit, False
            self.limit = min(self.most, 2 * self.limit)
        elif rate < WORTHWHILE * self._best and not self._doubted:
            self._doubted = True
        else:
            self._slow_start = False
            if rate < WORTHWHILE * self._best:
                self.limit = self._before
            self._best = max(rate, self._best)

    def _higher(self) -> int:
        """Return the next limit up: below the ceiling half the way to it at most."""
        step = int(self.limit * STEP)
        if self._ceiling is not None and self._ceiling > self.limit:
            step = min(step, (self._ceiling - self.limit) // 2)
        return min(self.most, self.limit + max(1, step))

    def _wanted_calm(self) -> int:
        """Return how many rounds must have been calm before the limit is tried higher."""
        if self._ceiling is None:
            return PATIENCE
        if self._higher() < self._ceiling:
            return RECOVERY
        return PATIENCE * self._held

    def _probe(self, rate: float) -> None:
        """Try one step higher; take it back where the last step bought nothing."""
        self._calm = 0
        recovering = self._ceiling is not None and self._higher() < self._ceiling
        if self._ceiling is not None and self.limit >= self._ceiling:
            self._ceiling, self._held = None, 1  # it held once and holds no more
        gained = rate >= (1 + STEP / 4) * self._best
        if self._before < self.limit and not (gained or recovering or self.wanted):
            self.limit = self._before
        else:
            self._before, self.limit = self.limit, self._higher()
        self._best = rate
