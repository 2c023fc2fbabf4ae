"""What an answer costs. Latency is observed: it depends on the clock and the machine."""

from __future__ import annotations

from harness.records import Outcome, Score
from harness.score.metric import MeanMetric


def _prompt_tokens(outcome: Outcome, _: Score) -> float | None:
    counts = [e.response.prompt_tokens for e in outcome.exchanges]
    return None if not counts or None in counts else float(sum(c or 0 for c in counts))


def _completion_tokens(outcome: Outcome, _: Score) -> float | None:
    if any(e.request.kind != "generate" for e in outcome.exchanges):
        return None
    counts = [e.response.completion_tokens for e in outcome.exchanges]
    return None if not counts or None in counts else float(sum(c or 0 for c in counts))


def _latency(outcome: Outcome, _: Score) -> float | None:
    """Seconds, of answers that the model gave in this run: replays say nothing of speed."""
    if not outcome.exchanges or any(e.response.cached for e in outcome.exchanges):
        return None
    return sum(e.response.latency_s for e in outcome.exchanges)


PROMPT_TOKENS = MeanMetric(
    "prompt_tokens", "efficiency", _prompt_tokens, higher_is_better=False, interval="mean"
)
COMPLETION_TOKENS = MeanMetric(
    "completion_tokens", "efficiency", _completion_tokens, higher_is_better=False, interval="mean"
)
LATENCY = MeanMetric(
    "latency_s", "efficiency", _latency, higher_is_better=False, interval="mean", observed=True
)
