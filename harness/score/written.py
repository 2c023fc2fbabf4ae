"""What a model wrote: the text that the measures of bias, toxicity and length look at."""

from __future__ import annotations

from harness.records import Outcome, Score
from harness.text.normalise import strip_reasoning


def written(outcome: Outcome, score: Score) -> str | None:
    """Return the last text without its reasoning; None where the model only weighed options."""
    transcript = outcome.transcript
    if transcript is None or transcript.choices or not transcript.responses:
        return None
    return strip_reasoning(score.output)
