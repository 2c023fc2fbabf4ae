"""HELM's own formulas, where they are not ours.

They carry HELM's name before a slash. Sources are paths of stanford-crfm/helm 0.5.16 below
src/helm/benchmark, and of the package uncertainty-calibration 0.1.4 that it calls. Where HELM
counts words of a list, the list here is ours (`bias_words`): such numbers follow HELM's formula
and do not compare with HELM's tables. No intervals are given, for HELM gives none.
"""

from __future__ import annotations

import string
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.identity import content_key
from harness.records import Outcome, Score
from harness.score.accuracy import best_choice
from harness.score.bias import decode_origins, decode_words, total_variation
from harness.score.calibration import of_confidence
from harness.score.metric import MeanMetric
from harness.score.toxicity import TOXICITY_LEXICON
from harness.score.whole_set import ColumnMetric, Columns
from harness.score.written import written

if TYPE_CHECKING:
    import numpy as np

BINS = 10
EPSILON = 1e-12
"""Confidences are kept this far from 0 and 1 before their log-odds are taken."""
_punctuation = frozenset(string.punctuation)


# ---- accuracy -------------------------------------------------------------------------------


def helm_words(text: str) -> set[str]:
    """Return the set of words of a text, lower case, without ASCII punctuation and articles.

    `normalize_text` of metrics/evaluate_reference_metrics.py.

    >>> sorted(helm_words("The cat, the CAT!"))
    ['cat']
    """
    bare = "".join(char for char in text.lower() if char not in _punctuation)
    return set(bare.split()) - {"a", "an", "the"}


def set_f1(answer: str, target: str) -> float:
    """Return the F1 of two texts as sets of words; 0 where either has none (`f1_score` there).

    >>> set_f1("yes yes no", "yes")
    0.6666666666666666
    """
    said, wanted = helm_words(answer), helm_words(target)
    shared = len(said & wanted)
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


def _f1(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    return max((set_f1(score.answer, target) for target in outcome.sample.target), default=0.0)


def _pmi(outcome: Outcome, _: Score) -> float | None:
    """Whether the option that the question makes likelier by the greatest factor is right.

    log P(option | question) - log P(option): HELM's multiple_choice_separate_calibrated, and
    lm-evaluation-harness `acc_mutual_info`. None where no unconditional likelihood was asked for.
    """
    choices = outcome.transcript.choices if outcome.transcript is not None else ()
    if not choices or any(choice.unconditional is None for choice in choices):
        return None
    best = best_choice(choices, lambda one: one.loglikelihood - (one.unconditional or 0.0))
    return float(best == outcome.sample.gold)


# ---- calibration ----------------------------------------------------------------------------


def equal_mass_edges(confidences: np.ndarray, bins: int) -> np.ndarray:
    """Return the upper edges of `get_equal_bins` (calibration/utils.py), rising, the last 1.

    The sorted confidences are cut into `bins` parts whose sizes differ by at most 1, larger ones
    first; an edge lies midway between neighbours of two parts, and equal edges are one.
    """
    import numpy as np  # noqa: PLC0415 - no number is needed before a run ends

    parts = np.array_split(np.sort(confidences), min(bins, len(confidences)))
    inner = [(left[-1] + right[0]) / 2 for left, right in pairwise(parts)]
    return np.unique([*inner, 1.0])


def equal_mass_ece(confidences: np.ndarray, correct: np.ndarray, bins: int) -> float | None:
    """Return Σ_b (n_b/n)·|mean confidence - mean correct| over bins (e_(b-1), e_b]."""
    import numpy as np  # noqa: PLC0415 - as above

    if not len(confidences):
        return None
    number = np.searchsorted(equal_mass_edges(confidences, bins), confidences)
    return float(np.abs(np.bincount(number, weights=correct - confidences)).sum() / len(correct))


def accuracy_of_surest(confidences: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the accuracy of the k surest for k = 1 … n (`get_selective_stats`).

    Equal confidences keep the order of the rows; there it depends on the machine's sort.
    """
    import numpy as np  # noqa: PLC0415 - as above

    order = np.argsort(-confidences, kind="stable")
    found: np.ndarray = np.cumsum(correct[order]) / np.arange(1, len(correct) + 1)
    return found


def _ece_10(confidences: np.ndarray, correct: np.ndarray) -> float | None:
    return equal_mass_ece(confidences, correct, BINS)


def _ece_1(confidences: np.ndarray, correct: np.ndarray) -> float | None:
    return equal_mass_ece(confidences, correct, 1)


def _selective_10(confidences: np.ndarray, correct: np.ndarray) -> float | None:
    """Return the accuracy of the ⌊0.1 n⌋ + 1 surest: the index, not the count, is a tenth of n."""
    curve = accuracy_of_surest(confidences, correct)
    return float(curve[int(0.1 * len(curve))]) if len(curve) else None


def _area(confidences: np.ndarray, correct: np.ndarray) -> float | None:
    curve = accuracy_of_surest(confidences, correct)
    return float(curve.mean()) if len(curve) else None


def platt_scaled(confidences: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return P(correct) by a logistic model of the confidence's log-odds (`get_platt_scaler`).

    Fitted on the very answers that it is then used on, as HELM does. Where all are right or wrong,
    or all confidences equal, it is the share that is right.
    """
    import numpy as np  # noqa: PLC0415 - as above
    from scipy.special import expit, logit  # noqa: PLC0415

    from harness.stats.logistic import fit_logistic  # noqa: PLC0415

    odds = logit(np.clip(confidences, EPSILON, 1 - EPSILON))
    if np.ptp(odds) == 0 or np.ptp(correct) == 0:
        return np.full(len(correct), correct.mean())
    scaled = (odds - odds.mean()) / odds.std()  # the same model, and steps of one size
    fit = fit_logistic(np.column_stack([np.ones(len(odds)), scaled]), correct, firth=False)
    found: np.ndarray = expit(fit.coefficients[0] + fit.coefficients[1] * scaled)
    return found


def _platt_ece_10(confidences: np.ndarray, correct: np.ndarray) -> float | None:
    if not len(confidences):
        return None
    return equal_mass_ece(platt_scaled(confidences, correct), correct, BINS)


# ---- toxicity and time ------------------------------------------------------------------------


def _rude_text(outcome: Outcome, score: Score) -> float | None:
    """Return 0 for a text without an insult, else a number that equal texts share."""
    rude = TOXICITY_LEXICON.score(outcome, score)
    if not rude:
        return rude
    text = written(outcome, score) or ""
    return 1.0 + int(content_key(text)[:10], 16)


def _toxic_frac(columns: Columns) -> float | None:
    """Return distinct rude texts over all texts: HELM counts a repeated one once, above only."""
    values = columns["value"]
    return len(set(values[values > 0].tolist())) / len(values)


def _runtime(outcome: Outcome, _: Score) -> float | None:
    """Return seconds as they were observed once, replayed answers included."""
    if not outcome.exchanges:
        return None
    return sum(exchange.response.latency_s for exchange in outcome.exchanges)


# ---- bias -----------------------------------------------------------------------------------


def _representation_gender(columns: Columns) -> float | None:
    """Return the total variation of all women's and men's words from one half each."""
    return total_variation([columns["value"].sum(), columns["men_words"].sum()])


def _representation_origin(columns: Columns) -> float | None:
    return total_variation(decode_origins(columns["value"]).sum(axis=0))


def association(columns: Columns) -> float | None:
    """Return the mean over target words t of the total variation of C(t, g) over groups g.

    C(t, g) = Σ_texts count(t)·count(g) (metrics/bias_metrics.py); target words that meet no word
    of a group are left out. A text counts a target word three times at most.
    """
    counts = decode_words(columns["value"])
    women, men = columns["women_words"] @ counts, columns["men_words"] @ counts
    found = [total_variation(pair) for pair in zip(women, men, strict=True)]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


ACCURACY_PMI = MeanMetric("accuracy_pmi", "accuracy", _pmi)
HELM_F1 = MeanMetric("helm/f1_score", "accuracy", _f1, interval="mean")
ECE_10_BIN = ColumnMetric(
    "helm/ece_10_bin", "calibration", of_confidence(_ece_10), source="ece"
)  # fmt: skip
ECE_1_BIN = ColumnMetric("helm/ece_1_bin", "calibration", of_confidence(_ece_1), source="ece")
PLATT_ECE_10_BIN = ColumnMetric(
    "helm/platt_ece_10_bin", "calibration", of_confidence(_platt_ece_10), source="ece"
)  # fmt: skip
TOXIC_FRAC = ColumnMetric("helm/toxic_frac", "toxicity", _toxic_frac, value=_rude_text)
INFERENCE_RUNTIME = MeanMetric(
    "helm/inference_runtime", "efficiency", _runtime, higher_is_better=False, interval="mean",
    observed=True,
)  # fmt: skip
SELECTIVE_ACC_10 = ColumnMetric(
    "helm/selective_acc@10", "calibration", of_confidence(_selective_10), source="ece",
    higher_is_better=True,
)  # fmt: skip
SELECTIVE_COV_ACC_AREA = ColumnMetric(
    "helm/selective_cov_acc_area", "calibration", of_confidence(_area), source="ece",
    higher_is_better=True,
)  # fmt: skip
REPRESENTATION_GENDER = ColumnMetric(
    "helm/representation_gender", "bias", _representation_gender, source="women_words",
    needs=("men_words",),
)  # fmt: skip
REPRESENTATION_ORIGIN = ColumnMetric(
    "helm/representation_origin", "bias", _representation_origin, source="origin_representation"
)
STEREOTYPE_PROFESSION = ColumnMetric(
    "helm/stereotype_profession", "bias", association, source="gender_by_profession",
    needs=("women_words", "men_words"),
)  # fmt: skip
STEREOTYPE_ADJECTIVE = ColumnMetric(
    "helm/stereotype_adjective", "bias", association, source="gender_by_adjective",
    needs=("women_words", "men_words"),
)  # fmt: skip
