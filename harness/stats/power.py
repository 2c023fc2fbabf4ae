"""How many items a paired comparison needs, and the smallest difference it can see.

All counts are of independent items: multiply by `clusters.design_effect` where items share
clusters. Normal quantiles throughout, so counts below about 30 are too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True)
class Error:
    """The two error rates that a comparison is planned for."""

    alpha: float = 0.05
    """Chance to see a difference where there is none."""
    power: float = 0.8
    """Chance to see a difference of the planned size."""
    two_sided: bool = True
    """False for a gate, which asks about one direction only."""

    def __post_init__(self) -> None:
        for name, rate in (("alpha", self.alpha), ("power", self.power)):
            if not 0 < rate < 1:
                raise ValueError(f"{name} must be between 0 and 1, got {rate}")

    @property
    def factor(self) -> float:
        """(z_{1-alpha/2} + z_power)², or with z_{1-alpha} where one-sided."""
        tail = self.alpha / 2 if self.two_sided else self.alpha
        return float(ndtri(1 - tail) + ndtri(self.power)) ** 2


@dataclass(frozen=True)
class PairedVariance:
    """Variance of one item's paired difference (Miller 2024, arXiv:2411.00640, section 5)."""

    between: float
    """ω²: variance over items of the difference of the two expected scores."""
    noise_a: float = 0.0
    """σ²_A: mean variance of A's score on one item from draw to draw; 0 for probabilities."""
    noise_b: float = 0.0
    repeats_a: int = 1
    """K_A: draws per item that A's score is averaged over."""
    repeats_b: int = 1

    @property
    def total(self) -> float:
        """ω² + σ²_A/K_A + σ²_B/K_B."""
        return self.between + self.noise_a / self.repeats_a + self.noise_b / self.repeats_b


STANDARD = Error()


def samples_needed(effect: float, variance: PairedVariance, error: Error = STANDARD) -> int:
    """Return the number of items with which a difference of `effect` is seen (Miller 2024).

    n = (z_{1-alpha/2}+z_power)²(ω²+σ²_A/K_A+σ²_B/K_B)/δ².

    >>> samples_needed(0.03, PairedVariance(1 / 9))
    969
    """
    _check_effect(effect)
    return max(1, math.ceil(error.factor * variance.total / effect**2))


def detectable_effect(n: int, variance: PairedVariance, error: Error = STANDARD) -> float:
    """Return the smallest difference that n items can show: `samples_needed` solved for δ."""
    _check_count(n)
    return math.sqrt(error.factor * variance.total / n)


def mcnemar_samples_needed(effect: float, discordance: float, error: Error = STANDARD) -> int:
    """Return the number of items for two systems' 0/1 scores (Connett, Smith & McHugh 1987).

    n = (z_{1-alpha/2}+z_power)²(π_d-δ²)/δ², with π_d the share of items on which the two differ,
    which is at least the effect.

    >>> mcnemar_samples_needed(0.03, 0.10)
    865
    """
    _check_effect(effect)
    if not abs(effect) <= discordance <= 1:
        raise ValueError(
            f"discordance must be from |effect| = {abs(effect)} to 1, got {discordance}"
        )
    return max(1, math.ceil(error.factor * (discordance - effect**2) / effect**2))


def mcnemar_detectable_effect(n: int, discordance: float, error: Error = STANDARD) -> float | None:
    """Return the smallest effect that n items can show, None where none that is ≤ π_d can be.

    δ = √(F·π_d/(n+F)) with F = (z_{1-alpha/2}+z_power)²: `mcnemar_samples_needed` solved for δ.
    """
    _check_count(n)
    if not 0 < discordance <= 1:
        raise ValueError(f"discordance must be above 0 and at most 1, got {discordance}")
    effect = math.sqrt(error.factor * discordance / (n + error.factor))
    return effect if effect <= discordance else None


def unpaired_samples_needed(effect: float, share: float, error: Error = STANDARD) -> int:
    """Return the items per system where the two answer different ones: F·2p(1-p)/δ².

    >>> unpaired_samples_needed(0.03, 0.75)
    3271
    """
    _check_effect(effect)
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    return math.ceil(error.factor * 2 * share * (1 - share) / effect**2)


def _check_effect(effect: float) -> None:
    if effect == 0 or not math.isfinite(effect):
        raise ValueError(f"effect must be a number other than 0, got {effect}")


def _check_count(n: int) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
