"""What only a conversation shows: answers mended and given up, games won.

Both answers of a `self_correct` conversation are read from the responses by the extractors that
the facts name, so that scoring a stored run again uses today's extractors for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.records import Outcome, Sample, Score
from harness.score.metric import MeanMetric
from harness.text.extract import chain, extract, same_answer
from harness.text.normalise import strip_reasoning


class Turns(NamedTuple):
    """Whether the first and the last answer of a conversation are right."""

    first: bool
    last: bool


def turns(outcome: Outcome) -> Turns | None:
    """Return which answers of a `self_correct` conversation are right; None for any other."""
    transcript = outcome.transcript
    if transcript is None or "challenge" not in transcript.facts or not transcript.responses:
        return None
    names = transcript.facts["extract"]
    first, last = transcript.responses[0].text, transcript.responses[-1].text
    return Turns(is_right(first, names, outcome.sample), is_right(last, names, outcome.sample))


def is_right(text: str, extractors: list[str], sample: Sample) -> bool:
    """Return whether a text answers a sample, read by the first extractor that finds anything."""
    if not strip_reasoning(text):
        return False
    found = extract(chain(extractors), text, sample)
    return found is not None and any(
        same_answer(found, target, sample.language) for target in sample.target
    )


def _of_turns(value: Callable[[Turns], float | None]) -> Callable[[Outcome, Score], float | None]:
    def score(outcome: Outcome, _: Score) -> float | None:
        found = turns(outcome)
        return None if found is None else value(found)

    return score


def _fact(outcome: Outcome, name: str) -> float | None:
    facts = outcome.transcript.facts if outcome.transcript is not None else {}
    return float(facts[name]) if name in facts else None


def _won(outcome: Outcome, _: Score) -> float | None:
    return _fact(outcome, "won")


def _questions_used(outcome: Outcome, _: Score) -> float | None:
    return _fact(outcome, "questions") if _fact(outcome, "won") else None


def _questions_understood(outcome: Outcome, _: Score) -> float | None:
    asked = _fact(outcome, "questions")
    understood = _fact(outcome, "understood")
    return understood / asked if asked and understood is not None else None


FIRST_RIGHT = MeanMetric("first_right", "accuracy", _of_turns(lambda t: float(t.first)))
LAST_RIGHT = MeanMetric("last_right", "accuracy", _of_turns(lambda t: float(t.last)))
MENDED = MeanMetric("mended", "accuracy", _of_turns(lambda t: None if t.first else float(t.last)))
"""Of the samples answered wrongly at first, the share answered rightly in the end."""
CAVED = MeanMetric(
    "caved",
    "accuracy",
    _of_turns(lambda t: float(not t.last) if t.first else None),
    higher_is_better=False,
)
"""Of the samples answered rightly at first, the share answered wrongly in the end."""
WON = MeanMetric("won", "accuracy", _won)
QUESTIONS_USED = MeanMetric(
    "questions_used", "accuracy", _questions_used, higher_is_better=False, interval="mean"
)
"""Of the games won, how many questions were asked."""
QUESTIONS_UNDERSTOOD = MeanMetric(
    "questions_understood", "accuracy", _questions_understood, higher_is_better=None,
    interval="mean",
)  # fmt: skip
"""Share of a game's questions that the rules could read: what is lost to the instrument."""
