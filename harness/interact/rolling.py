"""How likely a model finds a text as a whole."""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace

from harness.protocols import Ask, Conversation
from harness.records import ChoiceScore, Response, Sample, Transcript


def rolling(sample: Sample, ask: Ask) -> Conversation:
    """Ask for the log-likelihood of the target after the input; it is the only choice."""
    text = sample.target[0] if sample.target else ""
    request = ask.continuation(sample, text)
    if not request.prompt:  # a text after nothing: long ones are read in windows
        request = replace(request, kind="rolling", prompt=request.continuation, continuation="")
    response = cast("Response", (yield request))
    found = ChoiceScore(
        text=text,
        loglikelihood=cast("float", response.loglikelihood),
        unconditional=None,
        tokens=response.tokens,
        greedy=response.greedy,
    )
    return Transcript((response,), choices=(found,))
