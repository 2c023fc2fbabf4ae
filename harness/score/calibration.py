"""Whether a model's confidence can be believed; blank where it states none.

Confidence of a sample: the softmax share of the chosen option over all options (rank), or the
probability of the generated text (exp of the summed token log-probabilities, as HELM's
`max_prob`), or what the model states. All measures here read one column, that of `ece`: whether
the primary metric is 1 or 0. `harness.stats.calibration` has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.identity import child_rng
from harness.records import ChoiceScore, Outcome, Score
from harness.score.whole_set import ColumnMetric, Columns

if TYPE_CHECKING:
    import numpy as np

NULL_SEED = 20_260_102
"""The null value of a set of confidences is the same each time it is made."""
COVERAGE = 0.9
SIDES = "all answers right, or all wrong"


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


def of_confidence(
    statistic: Callable[[np.ndarray, np.ndarray], float | None],
) -> Callable[[Columns], float | None]:
    """Return a statistic (confidences, correct) as one of columns."""
    return lambda columns: statistic(columns["confidence"], columns["value"])


# scipy and numpy are imported where a number is asked for, so that a run that states no
# confidence does not pay for them


def _ece(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.expected_calibration_error(confidence, correct)


def _ece_many(columns: Columns) -> np.ndarray[Any, Any]:
    """Return the ECE of every row of (…, n) matrices: Σ_b |Σ_{i in b} (correct - confidence)|/n."""
    import numpy as np  # noqa: PLC0415

    from harness.stats.calibration import BINS  # noqa: PLC0415

    sure, right = columns["confidence"], columns["value"]
    size = sure.shape[-1]
    lines = sure.size // size
    number = np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], sure.reshape(lines, size))
    number += BINS * np.arange(lines)[:, None]
    gaps = (right - sure).ravel()
    sums = np.bincount(number.ravel(), weights=gaps, minlength=BINS * lines)
    found: np.ndarray[Any, Any] = np.abs(sums.reshape(lines, BINS)).sum(axis=1) / size
    return found.reshape(sure.shape[:-1])


def _ece_null(confidence: np.ndarray, _: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    found = calibration.null_calibration_error(confidence, child_rng(NULL_SEED, "ece_null"))
    return None if found is None else found.mean


def _adaptive_ece(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.expected_calibration_error(confidence, correct, binning="mass")


def _brier(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.brier(confidence, correct)


def _brier_terms(columns: Columns) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = (columns["confidence"] - columns["value"]) ** 2
    return found


def _log_score(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.log_score(confidence, correct)


def _log_terms(columns: Columns) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415

    from harness.stats.calibration import CLIP  # noqa: PLC0415

    sure = np.clip(columns["confidence"], CLIP, 1 - CLIP)
    found: np.ndarray[Any, Any] = -np.log(np.where(columns["value"] == 1, sure, 1 - sure))
    return found


def _selective(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.selective_accuracy(confidence, correct, COVERAGE)


def _selective_terms(columns: Columns) -> np.ndarray[Any, Any]:
    """Return m + w(correct - m)/κ: w says which share of a row is kept, m is accuracy at the cut.

    The mean over the upper part of a distribution moves with its cut, and gains or loses rows of
    accuracy m there (the influence function of a trimmed mean, Huber 1981); m is that of the √n
    rows on either side.
    """
    import numpy as np  # noqa: PLC0415

    sure, right = columns["confidence"], columns["value"]
    n = len(sure)
    kept = max(int(np.ceil(COVERAGE * n - 1e-9)), 1)
    order = np.argsort(-sure, kind="stable")
    cut = sure[order[kept - 1]]
    above, level = sure > cut, sure == cut
    weight = above + level * ((kept - above.sum()) / level.sum())
    reach = int(np.ceil(np.sqrt(n)))
    at_cut = right[order[max(kept - reach, 0) : kept + reach]].mean()
    found: np.ndarray[Any, Any] = at_cut + weight * (right - at_cut) * (n / kept)
    return found


def _area(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.selective_area(confidence, correct)


def _auroc(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    from harness.stats import calibration  # noqa: PLC0415

    return calibration.auroc(confidence, correct)


def _auroc_terms(columns: Columns) -> np.ndarray[Any, Any]:
    """Return A + (placement - A)·n/n_class (DeLong, DeLong & Clarke-Pearson 1988).

    A row's placement is the share of the rows of the other class that it stands on the right
    side of, ties counting half.
    """
    import numpy as np  # noqa: PLC0415
    from scipy.stats import rankdata  # noqa: PLC0415

    sure, right = columns["confidence"], columns["value"] == 1
    hits, misses = int(right.sum()), int((~right).sum())
    ranks = rankdata(sure)
    within = np.empty(len(sure))
    within[right], within[~right] = rankdata(sure[right]), rankdata(sure[~right])
    below = ranks - within  # rows of the other class below, ties half
    placement = np.where(right, below / misses, 1 - below / hits)
    value = placement[right].mean()
    found: np.ndarray[Any, Any] = value + (placement - value) * len(sure) / np.where(
        right, hits, misses
    )
    return found


ECE = ColumnMetric(
    "ece", "calibration", of_confidence(_ece), value=_correct, many=_ece_many, interval="bootstrap"
)
ECE_NULL = ColumnMetric(
    "ece_null", "calibration", of_confidence(_ece_null), source="ece", higher_is_better=None
)
"""What a perfectly calibrated model with these confidences would show: ECE is biased upwards."""
ADAPTIVE_ECE = ColumnMetric(
    "adaptive_ece", "calibration", of_confidence(_adaptive_ece), source="ece"
)
BRIER = ColumnMetric(
    "brier", "calibration", of_confidence(_brier), source="ece", terms=_brier_terms,
    bounds=(0.0, 1.0),
)  # fmt: skip
LOG_SCORE = ColumnMetric(
    "log_score", "calibration", of_confidence(_log_score), source="ece", terms=_log_terms,
    bounds=(0.0, math.inf),
)  # fmt: skip
SELECTIVE_ACCURACY_90 = ColumnMetric(
    "selective_accuracy_90", "calibration", of_confidence(_selective), source="ece",
    terms=_selective_terms, bounds=(0.0, 1.0), higher_is_better=True,
)  # fmt: skip
SELECTIVE_AREA = ColumnMetric(
    "selective_area", "calibration", of_confidence(_area), source="ece", higher_is_better=True
)
CONFIDENCE_AUROC = ColumnMetric(
    "confidence_auroc", "calibration", of_confidence(_auroc), source="ece", terms=_auroc_terms,
    bounds=(0.0, 1.0), missing=SIDES, higher_is_better=True,
)  # fmt: skip
