"""One sample's outcome to its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from harness.protocols import Extractor, Metric
from harness.records import Extraction, Method, Outcome, Response, Score
from harness.score.accuracy import best_choice, by_sum
from harness.score.calibration import option_confidence, text_confidence
from harness.text.normalise import strip_reasoning
from harness.text.options import letter


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores the samples of one task under one arm."""

    method: Method
    extractors: tuple[Extractor, ...]
    metrics: tuple[Metric, ...]
    explain: Callable[[Outcome, Score], str | None] | None = None
    """Names the kind of mistake, where the family knows kinds."""
    stated: Extractor | None = None
    """Reads the confidence that the model states; in place of token probabilities."""

    def __call__(self, outcome: Outcome) -> Score:
        """Return the score; a failed request gives status `error` and no values."""
        transcript = outcome.transcript
        if transcript is None:
            return Score(status="error", output=_last_text(outcome))
        if self.method == "perplexity":
            score = Score(status="ok")
        elif transcript.choices:
            score = self._ranked(outcome)
        else:
            score = self._read(outcome)
        values: dict[str, float] = {}
        score = msgspec.structs.replace(score, values=values)
        for metric in self.metrics:  # in order: a later metric may read the primary one's value
            value = metric.score(outcome, score)
            if value is not None:
                values[metric.name] = value
        if self.explain is None:
            return score
        return msgspec.structs.replace(score, explanation=self.explain(outcome, score))

    def _ranked(self, outcome: Outcome) -> Score:
        assert outcome.transcript is not None
        choices = outcome.transcript.choices
        best = best_choice(choices, by_sum)
        extraction = Extraction(
            answer=choices[best].text, rule="likeliest option", value=letter(best)
        )
        return Score(
            status="ok",
            answer=choices[best].text,
            extraction=extraction,
            confidence=option_confidence(choices),
        )

    def _read(self, outcome: Outcome) -> Score:
        assert outcome.transcript is not None
        responses = outcome.transcript.responses
        last = responses[-1] if responses else Response()
        extraction = read_answer(self.extractors, last.text, outcome)
        return Score(
            status="ok" if extraction is not None else "unparsed",
            output=last.text,
            answer=extraction.answer if extraction else None,
            extraction=extraction,
            confidence=self._confidence(last, outcome),
        )

    def _confidence(self, response: Response, outcome: Outcome) -> float | None:
        if self.stated is not None:
            said = self.stated(response.text, outcome.sample)
            return float(said.value) if said and said.value is not None else None
        return text_confidence(response.token_logprobs) if response.token_logprobs else None


def read_answer(extractors: Sequence[Extractor], text: str, outcome: Outcome) -> Extraction | None:
    """Return what the first extractor that finds something finds; None where none does."""
    if not strip_reasoning(text).strip():
        return None
    for extractor in extractors:
        extraction = extractor(text, outcome.sample)
        if extraction is not None:
            return extraction
    return None


def _last_text(outcome: Outcome) -> str:
    return outcome.exchanges[-1].response.text if outcome.exchanges else ""
