"""Options compared by their log-likelihoods; the model writes nothing."""

from __future__ import annotations

from typing import cast

from harness.protocols import Ask, Conversation
from harness.records import ChoiceScore, Response, Sample, Transcript


def choices(sample: Sample, ask: Ask, *, unconditional: bool = False) -> Conversation:
    """Ask for the log-likelihood of every option, all at once.

    With `unconditional`, also for each option's after nothing, which PMI normalisation needs
    (Holtzman et al. 2021, arXiv:2104.08315).
    """
    texts = [choice.text for choice in sample.choices]
    asked = [ask.continuation(sample, choice.text, choice.context) for choice in sample.choices]
    if unconditional:
        asked += [ask.unconditional(text) for text in texts]
    responses = cast("tuple[Response, ...]", (yield tuple(asked)))
    alone: list[float | None] = [None] * len(texts)
    if unconditional:
        alone = [response.loglikelihood for response in responses[len(texts) :]]
    scored = tuple(
        ChoiceScore(
            text=text,
            loglikelihood=cast("float", response.loglikelihood),
            unconditional=base,
            tokens=response.tokens,
            greedy=response.greedy,
        )
        for text, response, base in zip(texts, responses, alone, strict=False)
    )
    return Transcript(responses, choices=scored)
