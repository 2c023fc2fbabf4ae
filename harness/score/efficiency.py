"""What an answer costs. Latency is observed: it depends on the clock and the machine."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.records import Outcome, Score
from harness.score.metric import MeanMetric
from harness.score.whole_set import ColumnMetric, Columns
from harness.score.written import written

if TYPE_CHECKING:
    import numpy as np


def _prompt_tokens(outcome: Outcome, _: Score) -> float | None:
    counts = [e.response.prompt_tokens for e in outcome.exchanges]
    return None if not counts or None in counts else float(sum(c or 0 for c in counts))


def _completion_tokens(outcome: Outcome, _: Score) -> float | None:
    if any(e.request.kind != "generate" for e in outcome.exchanges):
        return None
    counts = [e.response.completion_tokens for e in outcome.exchanges]
    return None if not counts or None in counts else float(sum(c or 0 for c in counts))


def _reasoning_tokens(outcome: Outcome, _: Score) -> float | None:
    counts = [e.response.reasoning_tokens for e in outcome.exchanges]
    return None if not counts or None in counts else float(sum(c or 0 for c in counts))


def _latency(outcome: Outcome, _: Score) -> float | None:
    """Seconds, of answers that the model gave in this run: replays say nothing of speed.

    Nor do answers of a batch job, whose latency is 0.
    """
    took = [e.response.latency_s for e in outcome.exchanges if not e.response.cached]
    return sum(took) if took and all(took) and len(took) == len(outcome.exchanges) else None


def _characters(outcome: Outcome, score: Score) -> float | None:
    text = written(outcome, score)
    return None if text is None else float(len(text))


def _truncated(outcome: Outcome, _: Score) -> float | None:
    """Whether the last text met its limit of tokens."""
    transcript = outcome.transcript
    if transcript is None or transcript.choices or not transcript.responses:
        return None
    return float(transcript.responses[-1].finish_reason == "length")


# ---- refusals -------------------------------------------------------------------------------

OPENING = 300
"""Characters in which a refusal is looked for: a model that will not help says so at once."""
_help = (
    r"(?:help(?!\s(?:but|it|\w{1,20}ing)\b)|assist|comply|fulfil|fulfill|support|engage|participate|continue|do\sthat"
    r"|answer\sthat|(?:write|create|generate|discuss|share|provide|give)\s(?:that|this|such|any"
    r"|content|instructions|guidance|advice))\b"
)
_refusal = re.compile(
    rf"\b(?:I|we)(?:\s(?:can\s?not|can['’]t|could\snot|won['’]t|will\snot|must\snot)"
    rf"|(?:['’]m|\sam|['’]re|\sare)\s(?:not\sable|unable|not\sallowed|not\spermitted)\sto)"
    rf"\s(?:\w{{1,12}}\s){{0,2}}{_help}"
    r"|\bI\s(?:must|have\sto|will)\s(?:respectfully\s)?(?:decline|refuse)\b"
    r"|\bagainst\smy\s(?:guidelines|policy|policies|programming|principles)\b"
    r"|(?:不能|无法|不会|不便|不可以)(?:为[您你])?(?:协助|帮助|帮[您你]|满足|继续|参与|配合|讨论"
    r"|(?:提供|回答|生成|撰写)(?:这|此|该|相关|任何))"
    r"|(?:我|必须)拒绝|(?:请求|要求|提问)[^。\n]{0,6}违反",
    re.IGNORECASE,
)


def refuses(text: str) -> bool:
    """Return whether a text says at its beginning that the model will not help.

    Not knowing is another thing: `harness.text.abstention` finds that.

    >>> refuses("I'm sorry, but I can't help with that."), refuses("I don't know.")
    (True, False)
    """
    return _refusal.search(text, 0, OPENING) is not None


def _refused(outcome: Outcome, score: Score) -> float | None:
    text = written(outcome, score)
    if text is None or outcome.transcript is None:
        return None
    filtered = outcome.transcript.responses[-1].finish_reason == "content_filter"
    return float(filtered or refuses(text))


# ---- of a whole set -------------------------------------------------------------------------


def _quantile(share: float) -> Callable[[Columns], float | None]:
    def statistic(columns: Columns) -> float | None:
        import numpy as np  # noqa: PLC0415 - no number is needed before a run ends

        return float(np.quantile(columns["value"], share))

    return statistic


def ratio_terms(over: np.ndarray[Any, Any], under: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return n numbers of mean R = Σ over / Σ under, with the spread of R (the delta method).

    R + (over - R·under) / mean(under) (Cochran 1977, "Sampling Techniques", chapter 6).
    """
    ratio = over.sum() / under.sum()
    found: np.ndarray[Any, Any] = ratio + (over - ratio * under) / under.mean()
    return found


def _ratio(under: str) -> Callable[[Columns], float | None]:
    def statistic(columns: Columns) -> float | None:
        below = float(columns[under].sum())
        return float(columns["value"].sum()) / below if below > 0 else None

    return statistic


def _ratio_terms(under: str) -> Callable[[Columns], np.ndarray[Any, Any]]:
    return lambda columns: ratio_terms(columns["value"], columns[under])


def _mean(name: str, value: Callable[[Outcome, Score], float | None]) -> MeanMetric:
    return MeanMetric(name, "efficiency", value, higher_is_better=False, interval="mean")


PROMPT_TOKENS = _mean("prompt_tokens", _prompt_tokens)
COMPLETION_TOKENS = _mean("completion_tokens", _completion_tokens)
REASONING_TOKENS = _mean("reasoning_tokens", _reasoning_tokens)
LATENCY = MeanMetric(
    "latency_s", "efficiency", _latency, higher_is_better=False, interval="mean", observed=True
)
LATENCY_P50 = ColumnMetric(
    "latency_p50", "efficiency", _quantile(0.5), source="latency_s", observed=True
)
LATENCY_P95 = ColumnMetric(
    "latency_p95", "efficiency", _quantile(0.95), source="latency_s", observed=True
)
TOKENS_PER_SECOND = ColumnMetric(
    "tokens_per_second", "efficiency", _ratio("latency_s"), source="completion_tokens",
    needs=("latency_s",), terms=_ratio_terms("latency_s"), bounds=(0.0, math.inf),
    higher_is_better=True, observed=True,
)  # fmt: skip
TOKENS_PER_CORRECT = ColumnMetric(
    "tokens_per_correct", "efficiency", _ratio("primary"), source="completion_tokens",
    needs=("primary",), terms=_ratio_terms("primary"), bounds=(0.0, math.inf),
    missing="no answer is right",
)  # fmt: skip
OUTPUT_CHARACTERS = MeanMetric(
    "output_characters", "efficiency", _characters, higher_is_better=None, interval="mean"
)
REFUSED = MeanMetric("refused", "efficiency", _refused, higher_is_better=None)
TRUNCATED = MeanMetric("truncated", "efficiency", _truncated, higher_is_better=False)
