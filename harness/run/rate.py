"""Requests and tokens a minute, and deadlines: what a model's user grants it. Pure: no clock.

A token bucket, kept as the time at which it is full again (the generic cell rate algorithm; ITU-T
I.371, 2004): nothing has to run in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UsageError
from harness.known_models import amount
from harness.records import ModelSpec, Reply, Request, Response

MINUTE_S = 60.0
BURST_S = 1.0
"""Seconds of its rate that a bucket holds: what a late request may catch up with."""
CHARACTERS_PER_TOKEN = 4.0
"""A usual figure for English; what was wrong of the guess is set right by the answer."""
LEARNING = 0.1
"""Weight of the newest answer in the mean length of answers."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model may be asked; None is no limit."""

    rpm: float | None = None
    """Requests a minute; a retry is one too."""
    tpm: float | None = None
    """Tokens a minute, of prompts and answers together."""
    deadline_s: float | None = None
    """Seconds for all attempts of one request, waits between them included."""

    def strictest(self, other: Terms) -> Terms:
        """Return the lower limit of each kind."""
        pairs = ((self.rpm, other.rpm), (self.tpm, other.tpm), (self.deadline_s, other.deadline_s))
        return Terms(*(min((v for v in pair if v is not None), default=None) for pair in pairs))


UNLIMITED = Terms()


def terms_of(model: ModelSpec) -> Terms:
    """Return what -M rpm, tpm and deadline say; raises `UsageError` for what is no amount."""
    given = {name: model.arguments.get(name) for name in ("rpm", "tpm", "deadline")}
    for name, value in given.items():
        if value is not None and not (amount(value) and value > 0):
            raise UsageError(f"-M {name}: allowed: a number above 0; got: {value!r}")
    return Terms(given["rpm"], given["tpm"], given["deadline"])


@dataclass(slots=True)
class Bucket:
    """Paces amounts: with amounts of 1, no half-open minute holds more than `per_minute` of them.

    With others none holds more than that and the last of them. State: the time until which all is
    spent. Times are seconds of a clock that never goes back.
    """

    per_minute: float
    _spent_until: float = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until something may be taken."""
        return max(0.0, self._spent_until - now)

    def take(self, units: float, now: float) -> None:
        """Spend `units` now."""
        self._spent_until = max(now - BURST_S, self._spent_until)
        self.correct(units)

    def correct(self, units: float) -> None:
        """Spend `units` more, or give them back where negative: a guess is set right."""
        each = (MINUTE_S + BURST_S) / self.per_minute  # what may be caught up with, the pace pays
        self._spent_until += units * each


class Pace:
    """When the next request to one model may leave. State: its buckets and the usual answer."""

    def __init__(self, terms: Terms) -> None:
        self._requests = Bucket(terms.rpm) if terms.rpm else None
        self._tokens = Bucket(terms.tpm) if terms.tpm else None
        self._usual: float | None = None

    @property
    def free(self) -> bool:
        """Whether there is no limit to keep."""
        return self._requests is None and self._tokens is None

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may leave, as far as is known now."""
        buckets = (self._requests, self._tokens)
        return max((bucket.wait(now) for bucket in buckets if bucket), default=0.0)

    def take(self, request: Request, now: float) -> float:
        """Count a request that leaves now; returns the tokens taken for it."""
        if self._requests:
            self._requests.take(1, now)
        if not self._tokens:
            return 0.0
        taken = prompt_guess(request) + self._answer_guess(request)
        self._tokens.take(taken, now)
        return taken

    def settle(self, taken: float, reply: Reply) -> None:
        """Set the guess right once the answer tells its tokens; a failure gives them back."""
        if not self._tokens:
            return
        if not isinstance(reply, Response):
            self._tokens.correct(-taken)
        elif reply.prompt_tokens is not None:
            answer = reply.completion_tokens or 0
            self._tokens.correct(reply.prompt_tokens + answer - taken)
            known = answer if self._usual is None else self._usual
            self._usual = known + LEARNING * (answer - known)

    def _answer_guess(self, request: Request) -> float:
        if request.kind != "generate":
            return 0.0
        most = float(request.generation.max_tokens)
        return most if self._usual is None else min(self._usual, most)


def prompt_guess(request: Request) -> float:
    """Return about how many tokens a prompt has, from its characters."""
    chat = sum(len(message.content) for message in request.messages)
    return (chat + len(request.prompt) + len(request.continuation)) / CHARACTERS_PER_TOKEN
