"""How likely a model finds a text as a whole."""

from __future__ import annotations

from typing import cast

from harness.protocols import Ask, Conversation
from harness.records import ChoiceScore, Response, Sample, Transcript


def rolling(sample: Sample, ask: Ask) -> Conversation:
    """Ask for the log-likelihood of the target after the input; it is the only choice."""
    text = sample.target[0] if sample.target else ""
    response = cast("Response", (yield ask.continuation(sample, text)))
    found = ChoiceScore(
        text=text,
        loglikelihood=cast("float", response.loglikelihood),
        unconditional=None,
        tokens=response.tokens,
        greedy=response.greedy,
    )
    return Transcript((response,), choices=(found,))
