"""Whether a model's confidence can be believed; blank where it states none.

Confidence of a sample: the softmax share of the chosen option over all options (rank), or the
probability of the generated text (exp of the summed token log-probabilities, as HELM's
`max_prob`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.records import ChoiceScore, Outcome, Score
from harness.score.metric import WholeSetMetric

if TYPE_CHECKING:
    import numpy as np


def option_confidence(choices: Sequence[ChoiceScore]) -> float:
    """Return the softmax of the log-likelihoods at the likeliest option, in (0, 1]."""
    top = max(choice.loglikelihood for choice in choices)
    return 1.0 / sum(math.exp(choice.loglikelihood - top) for choice in choices)


def text_confidence(token_logprobs: Sequence[float]) -> float:
    """Return the probability of a text from those of its tokens, in [0, 1]."""
    return math.exp(min(0.0, sum(token_logprobs)))


def _correct(_: Outcome, score: Score) -> float | None:
    """Return the primary metric, right or wrong, where there is a confidence to set against it."""
    if score.confidence is None or not score.values:
        return None
    value = next(iter(score.values.values()))
    return value if value in (0.0, 1.0) else None


def _ece(values: np.ndarray, confidence: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415 - scipy only where it is needed

    return calibration.expected_calibration_error(confidence, values)


def _brier(values: np.ndarray, confidence: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415 - scipy only where it is needed

    return calibration.brier(confidence, values)


ECE = WholeSetMetric("ece", "calibration", _correct, _ece)
BRIER = WholeSetMetric("brier", "calibration", _correct, _brier)
