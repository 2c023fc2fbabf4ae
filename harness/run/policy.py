"""When to ask again, when to wait and when to stop. Pure: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.billing import cached_prompt_tokens
from harness.records import Failure, Response

CENT = 0.01
RETRY_AFTER_LIMIT_S = 120.0
"""A server that asks for a longer pause than this is treated as failing."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounded exponential backoff with full jitter (Brooker 2015, AWS Architecture Blog)."""

    max_attempts: int = 5
    base_s: float = 0.5
    cap_s: float = 30.0

    def delay(self, failure: Failure, attempt: int, draw: float) -> float | None:
        """Return the seconds to wait before attempt `attempt + 1`, or None to give up.

        `draw` in [0, 1) is the jitter. A server's Retry-After is a lower bound on the wait.
        """
        if not failure.retryable or attempt >= self.max_attempts:
            return None
        backoff = draw * min(self.cap_s, self.base_s * 2.0 ** (attempt - 1))
        if failure.retry_after is None:
            return backoff
        if failure.retry_after > RETRY_AFTER_LIMIT_S:
            return None
        return failure.retry_after + backoff


@dataclass(slots=True)
class FailureWatch:
    """Counts failed samples, and tells when going on is pointless.

    A run stops early once `streak_limit` samples in a row failed and none has succeeded since.
    """

    streak_limit: int = 100
    finished: int = 0
    failed: int = 0
    _streak: int = 0

    def saw(self, *, failed: bool) -> None:
        """Count one finished sample."""
        self.finished += 1
        self.failed += failed
        self._streak = self._streak + 1 if failed else 0

    @property
    def hopeless(self) -> bool:
        """Whether so many failed in a row that the server must be taken for dead."""
        return self._streak >= self.streak_limit

    def share(self) -> float:
        """Return the share of finished samples that failed."""
        return self.failed / self.finished if self.finished else 0.0


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    prompt: float
    completion: float
    cached: float | None = None
    """Of prompts that the provider reads from its cache; None: not known, the full price stands."""

    def cost(self, response: Response) -> float:
        """Return the dollars that one response cost."""
        prompt = response.prompt_tokens or 0
        completion = response.completion_tokens or 0
        dollars = prompt * self.prompt + completion * self.completion
        if self.cached is not None:
            dollars -= min(cached_prompt_tokens(response), prompt) * (self.prompt - self.cached)
        return dollars / 1e6


@dataclass(slots=True)
class Usage:
    """What has been sent and spent, new requests and replayed ones apart."""

    requests: int = 0
    """Requests answered by the model in this run."""
    cached: int = 0
    """Requests answered from the store."""
    retries: int = 0
    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    """Of the prompt tokens: those read from the provider's cache."""
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None
    """None: the price is not known."""
    failures: dict[str, int] = field(default_factory=dict)
    """Requests given up, by kind."""

    def add(self, response: Response, price: Price | None) -> None:
        """Count one response; replayed ones cost nothing."""
        if response.cached:
            self.cached += 1
            return
        self.requests += 1
        self.retries += response.attempts - 1
        self.prompt_tokens += response.prompt_tokens or 0
        self.cached_prompt_tokens += cached_prompt_tokens(response)
        self.completion_tokens += response.completion_tokens or 0
        self.reasoning_tokens += response.reasoning_tokens or 0
        if price is not None:
            self.cost_usd = (self.cost_usd or 0.0) + price.cost(response)

    def with_tokens_of(self, other: Usage | None) -> Usage:
        """Return a usage whose tokens and cost are both's: what a budget looks at."""
        if other is None:
            return self
        known = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost_usd=sum(known) if known else None,
        )

    def fail(self, failure: Failure) -> None:
        """Count one request given up."""
        self.retries += failure.attempts - 1
        self.failures[failure.kind] = self.failures.get(failure.kind, 0) + 1


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a whole run; None is no limit."""

    max_cost: float | None = None
    max_tokens: int | None = None

    @property
    def endless(self) -> bool:
        """Whether there is no limit."""
        return self.max_cost is None and self.max_tokens is None

    def reached(self, usage: Usage) -> str | None:
        """Return which limit was met, in words, or None."""
        tokens = usage.prompt_tokens + usage.completion_tokens
        if self.max_tokens is not None and tokens >= self.max_tokens:
            return f"{tokens:,} tokens used of {self.max_tokens:,}"
        if self.max_cost is not None and (usage.cost_usd or 0.0) >= self.max_cost:
            limit = f"{self.max_cost:.2f}" if self.max_cost >= CENT else f"{self.max_cost:g}"
            return f"${usage.cost_usd:.4f} spent of ${limit}"
        return None
