"""How likely a model finds given text (lm-evaluation-harness `bits_per_byte`, `word_perplexity`).

Per sample; texts count alike, whatever their length.
"""

from __future__ import annotations

import math

from harness.records import Outcome, Score
from harness.score.metric import MeanMetric


def _bits_per_byte(outcome: Outcome, _: Score) -> float | None:
    if outcome.transcript is None or not outcome.transcript.choices:
        return None
    text = outcome.transcript.choices[0]
    size = len(text.text.encode())
    return -text.loglikelihood / (size * math.log(2)) if size else None


BITS_PER_BYTE = MeanMetric(
    "bits_per_byte", "accuracy", _bits_per_byte, higher_is_better=False, interval="mean"
)
