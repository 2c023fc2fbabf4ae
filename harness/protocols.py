"""How the stages speak to each other: every extension point as a protocol of at most 3 methods.

Constructors store; work happens when called. An implementation gains no state by being used,
unless its docstring says so.
"""

from __future__ import annotations

from collections.abc import Generator as Coroutine
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

    from harness.identity import CounterRandom
    from harness.records import (
        Capability,
        Extraction,
        Group,
        Message,
        ModelInfo,
        Outcome,
        Reply,
        Request,
        Response,
        Sample,
        Score,
        Transcript,
        Verdict,
    )

Asked = "Request | tuple[Request, ...]"


@runtime_checkable
class Backend(Protocol):
    """Requests in, responses out. Batches are formed by the executor."""

    capabilities: frozenset[Capability]
    max_batch: int
    """Requests that one call of `answer` may hold; 1 for HTTP."""
    info: ModelInfo

    def identity(self) -> Mapping[str, Any]:
        """Return all that can change an answer besides the request; goes into every key."""
        ...

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order. One attempt: retrying is the executor's business.

        A request that fails is a `Failure` in its place; this method raises only for what makes
        the whole model unusable (`errors.BackendError`).
        """
        ...

    async def close(self) -> None:
        """Free what is held; the backend is not used afterwards."""
        ...


class Ask(Protocol):
    """Turns a sample into requests, for one model: chat or text, few-shot examples, settings."""

    def __call__(self, sample: Sample, said: Sequence[Message | Response | str] = ()) -> Request:
        """Return the request that puts the sample, followed by what has been `said` since.

        In `said` a Response stands for the model's own turn, a str for the user's next.
        """
        ...

    def continuation(self, sample: Sample, text: str, context: str | None = None) -> Request:
        """Return the log-likelihood request of `text` after the sample (or after `context`)."""
        ...

    def unconditional(self, text: str) -> Request:
        """Return the log-likelihood request of `text` after nothing."""
        ...


Conversation = Coroutine[
    "Request | tuple[Request, ...]", "Response | tuple[Response, ...]", "Transcript"
]
"""Yields a request (or several, to go out together), is sent the response(s), returns."""


class Interaction(Protocol):
    """How one sample is put to a model: a pure generator of requests."""

    def __call__(self, sample: Sample, ask: Ask) -> Conversation:
        """Converse about one sample."""
        ...


class Perturbation(Protocol):
    """A change of a sample that keeps its answer."""

    name: str
    version: int
    changes: Literal["input", "choices", "shots", "template"]
    group: Literal["robustness", "fairness"]
    languages: frozenset[str]
    """Languages it is made for; empty: any."""

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the changed sample with `variant` and `spans` set; protected spans untouched."""
        ...


class Extractor(Protocol):
    """Finds the answer in a model's text. Pure."""

    def __call__(self, text: str, sample: Sample) -> Extraction | None:
        """Return the answer, or None where the text holds none."""
        ...


class Metric(Protocol):
    """A number for a sample, and how numbers of samples combine."""

    name: str
    group: Group
    higher_is_better: bool | None
    interval: Literal["proportion", "mean", "bootstrap", "none"]
    """How an interval is made: from 0/1 scores, from a mean of scores, or by resampling."""
    unit: Literal["sample", "cluster"]
    """What `n` counts; a cluster's column is made by `combine` over its samples."""
    observed: bool
    """Depends on the clock, so two equal runs may differ."""

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return this sample's value, or None where it has none."""
        ...

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """Return the value over samples.

        `columns["value"]` holds this metric's values and `columns["confidence"]` the stated
        confidences (NaN where there is none), both of length n.
        """
        ...


@runtime_checkable
class ItemMetric(Protocol):
    """A Metric over items that were asked several times, such as how far the answers agree.

    Beside `per_item` it has all that a Metric has.
    """

    name: str
    group: Group
    higher_is_better: bool | None
    interval: Literal["proportion", "mean", "bootstrap", "none"]
    unit: Literal["sample", "cluster"]
    observed: bool

    def per_item(
        self, items: Sequence[str], classes: np.ndarray, correct: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return columns `item`, `value` and `confidence`, a row an item, from rows a sample."""
        ...

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """As for a Metric."""
        ...

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """As for a Metric, over the columns of `per_item`."""
        ...


class Grader(Protocol):
    """Decides what no program can check; made by the pipeline from a judge."""

    def __call__(self, outcome: Outcome, score: Score) -> Iterator[Verdict]:
        """Yield verdicts on one sample."""
        ...


class Generator(Protocol):
    """Makes the rows of a task from a seed."""

    version: int
    """Raised when the same arguments and seed give other rows; part of the data hash."""

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[dict[str, Any]]:
        """Yield rows. The same arguments and seed give the same rows for ever."""
        ...


class ResponseStore(Protocol):
    """Where responses are journalled by content key."""

    async def get(self, key: str) -> Response | None:
        """Return the stored response, marked as cached, or None."""
        ...

    async def put(self, key: str, response: Response) -> None:
        """Return once the response is safely stored."""
        ...


class Executor(Protocol):
    """Drives conversations against a backend, with retry, store and budget."""

    async def run(
        self, conversations: Iterable[tuple[Sample, Conversation]], finished: Any
    ) -> None:
        """Drive all conversations and call `finished(outcome)` for each, in the order given."""
        ...
