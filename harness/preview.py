"""What a run would ask and cost, without asking: `harness run --dry-run`.

The first samples of each task (a random part of it, since the plan is in random order) are
rendered, and their conversations are played: with the stored answer where there is one, else with
an empty one. What was counted is scaled up to the whole task; where answers are stored the whole
task is played. `RULES` says how tokens are guessed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from harness.identity import request_hasher
from harness.judge.metric import NAME as JUDGED
from harness.judge.modes import Seat, judge
from harness.judged import item_of
from harness.judging import Assigned, Crew
from harness.known_models import Known, known_models
from harness.opening import open_backend
from harness.pipeline import STORE
from harness.prepare import Prepared, asker, prepare
from harness.pricing import must_be_known, price_for
from harness.protocols import Backend
from harness.records import (
    Execution,
    ModelSpec,
    Outcome,
    Reply,
    Request,
    Response,
    RunSpec,
    Sample,
    Score,
    Transcript,
)
from harness.run.policy import Price, RetryPolicy
from harness.run.sender import SendRules
from harness.run.traffic import Traffic
from harness.store.responses import SqliteResponses
from harness.task.catalogue import Catalogue
from harness.text.normalise import CJK

LOOKED_AT = 1000
"""Samples of a task that are played to estimate the rest, where none of them is stored."""
LATIN, IDEOGRAPHS = (5.0, 4.0, 2.5), (2.0, 1.5, 1.0)
"""Characters per token, for a low, an expected and a high count: usual figures of tokenizers."""
AROUND = (0, 4, 8)
"""Tokens that the chat's template puts around a turn."""
ENOUGH = 5
"""Stored answers from which their mean length is trusted."""
RULES = (
    "tokens in: from characters (5, 4 or 2.5 a token; 2, 1.5 or 1 in Chinese; 0, 4 or 8 more a "
    "turn), or as stored answers counted them, ± 10 %\n"
    "tokens out: 1 an answer; the mean of the task's stored answers, else half the limit; the "
    "limit (max_tokens)\n"
    "judges: none; every sample; every sample (what has to be asked twice is not counted)"
).splitlines()
"""What low, expected and high are."""

_WIDE = re.compile(f"[{CJK}]")
Play = Any
"""A conversation: of an interaction or of a judge."""


class Range(Struct, frozen=True):
    """A guess, and between which bounds it lies."""

    low: float = 0.0
    expected: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def times(self, factor: float) -> Range:
        """Return the range of so many times as much."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    def whole(self) -> Range:
        """Return whole numbers."""
        return Range(round(self.low), round(self.expected), round(self.high))


NOTHING = Range()


class Figures(Struct, frozen=True):
    """What one model would be asked."""

    requests: int = 0
    """Different ones; the same request is sent once."""
    stored: int = 0
    """Of them: answered in the store already, and not sent."""
    prompt_tokens: Range = Range()
    """Of those to be sent; so are the next two."""
    completion_tokens: Range = Range()
    cost_usd: Range | None = Range()
    """None: no price is known."""

    def __add__(self, other: Figures) -> Figures:
        known = self.cost_usd is not None and other.cost_usd is not None
        return Figures(
            self.requests + other.requests,
            self.stored + other.stored,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_usd + other.cost_usd if known else None,  # type: ignore[operator]
        )


class TaskPreview(Struct, frozen=True):
    """What one task would ask."""

    task: str
    samples: int
    """Samples × arms × variants × epochs."""
    model: Figures
    answers: str
    """Where the expected length of answers comes from."""
    judges: Figures | None = None
    """None: nobody judges this task."""


class Preview(Struct, frozen=True):
    """What a run would ask."""

    tasks: tuple[TaskPreview, ...]
    samples: int
    model: Figures
    judges: Figures | None
    cost_usd: Range | None
    """Of model and judges; None: a price is not known."""
    rules: tuple[str, ...] = tuple(RULES)


def preview(
    spec: RunSpec, execution: Execution, known: Mapping[str, Known] | None = None
) -> Preview:
    """Return what a run would ask; nothing is sent.

    Raises `UsageError` as the run itself would, also for a cap in money without a price.
    """
    live: dict[str, Sample] = {}
    backend = open_backend(spec.model, execution, live)
    tasks, _ = prepare(Catalogue().resolve(spec.tasks), spec, backend)
    desk = _Desk(spec, execution, known_models() if known is None else known)
    path = Path(execution.out) / STORE
    opened = SqliteResponses(path) if path.exists() else nullcontext()
    with opened as store:
        stored = None if getattr(backend, "bypass_store", False) else store
        found = tuple(asyncio.run(_task(task, desk, backend, stored)) for task in tasks)
    judged = [one.judges for one in found if one.judges is not None]
    model = sum((one.model for one in found), Figures())
    judges = sum(judged, Figures()) if judged else None
    return Preview(
        tasks=found,
        samples=sum(one.samples for one in found),
        model=model,
        judges=judges,
        cost_usd=(model + (judges or Figures())).cost_usd,
    )


@dataclass
class _Desk:
    """What the estimate of every task needs."""

    spec: RunSpec
    execution: Execution
    known: Mapping[str, Known]
    crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        """Stand ready to open the judges' models, and to ask none of them."""
        self.crew = Crew(
            lambda model: open_backend(model, self.execution, {}),
            None,
            SendRules(Traffic(1), RetryPolicy()),
        )

    def price(self, model: ModelSpec, backend: Backend) -> Price | None:
        """Return what a model costs; raises where a cap in money were blind."""
        own = model is self.spec.model
        price = price_for(model, backend, self.known, batch=own and self.execution.batch)
        if self.execution.max_cost is not None:
            must_be_known(price, model, judge=not own)
        return price


# ---- playing conversations ------------------------------------------------------------------


@dataclass
class _Tally:
    """What has been counted of one model: all requests apart, and those that are stored."""

    key: Any
    store: SqliteResponses | None
    fresh: bool = False
    thinking: int = 0
    """Tokens that the model may think for, beside an answer's limit."""
    seen: set[str] = field(default_factory=set)
    stored: int = 0
    answered: int = 0
    """Stored answers that count their tokens."""
    guessed: float = 0.0
    """Tokens in, as guessed from the characters of what is stored."""
    told: list[int] = field(default_factory=lambda: [0, 0])
    """Tokens in and out of what is stored."""
    prompts: Range = NOTHING
    limits: int = 0
    """The most tokens that the answers still to come may have."""
    texts: int = 0
    """Answers still to come that are texts."""

    async def play(self, conversation: Play) -> None:
        """Play one conversation to its end and count its requests."""
        with closing(conversation):
            try:
                asked = next(conversation)
                while True:
                    if isinstance(asked, Request):
                        asked = conversation.send(await self.reply(asked))
                    else:
                        asked = conversation.send(tuple([await self.reply(one) for one in asked]))
            except StopIteration:
                return

    async def reply(self, request: Request) -> Reply:
        """Return the stored answer to a request, or one that says nothing."""
        key = self.key(request)
        found = await self.store.get(key) if self.store is not None else None
        if key not in self.seen:
            self.seen.add(key)
            self._count(request, found)
        if found is not None:
            return found
        return Response(loglikelihood=-1.0, greedy=False, tokens=1)

    def _count(self, request: Request, found: Response | None) -> None:
        guess = tokens_in(request)
        if found is not None and found.prompt_tokens is not None:
            self.answered += 1
            self.guessed += guess.expected
            self.told[0] += found.prompt_tokens
            self.told[1] += found.completion_tokens or 0
        if found is not None and not self.fresh:
            self.stored += 1
            return
        self.prompts += guess
        if request.kind == "generate":
            self.limits += request.generation.max_tokens + self.thinking
            self.texts += 1

    def figures(self, scale: float, price: Price | None) -> Figures:
        """Return what was counted, so many times."""
        prompts = self.prompts
        if self.answered >= ENOUGH and self.guessed:
            likely = prompts.expected * self.told[0] / self.guessed
            prompts = Range(0.9 * likely, likely, 1.1 * likely)
        mean = self.told[1] / self.answered if self.answered >= ENOUGH else None
        expected = self.limits / 2 if mean is None else min(mean * self.texts, self.limits)
        answers = Range(self.texts, max(expected, self.texts), self.limits)
        return Figures(
            requests=round(len(self.seen) * scale),
            stored=round(self.stored * scale),
            prompt_tokens=prompts.times(scale).whole(),
            completion_tokens=answers.times(scale).whole(),
            cost_usd=None if price is None else _cost(prompts, answers, price).times(scale),
        )

    @property
    def source(self) -> str:
        """Say where the expected length of answers comes from."""
        if self.answered >= ENOUGH:
            return f"mean of {self.answered:,} stored answers"
        return "half the limit"


def _cost(prompts: Range, answers: Range, price: Price) -> Range:
    return prompts.times(price.prompt / 1e6) + answers.times(price.completion / 1e6)


def tokens_in(request: Request) -> Range:
    """Return about how many tokens a request has, from its characters.

    >>> tokens_in(Request(prompt="What is 12 + 30?" * 5))
    Range(low=16.0, expected=20.0, high=32.0)
    """
    turns = [message.content for message in request.messages]
    text = "".join([*turns, request.prompt, request.continuation])
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    narrow = len(text) - wide
    sizes = zip(LATIN, IDEOGRAPHS, AROUND, strict=True)
    return Range(*(narrow / a + wide / b + c * len(turns) for a, b, c in sizes))


# ---- a task ---------------------------------------------------------------------------------


async def _task(
    task: Prepared, desk: _Desk, backend: Backend, store: SqliteResponses | None
) -> TaskPreview:
    ask = asker(task.task, backend)
    thinking = getattr(backend, "thinking", 0)
    tally = _Tally(request_hasher(backend.identity()), store, desk.execution.fresh, thinking)
    judging = _Judging(desk)
    looked_at = 0
    for arm, sample in task.samples(desk.spec):
        if looked_at >= LOOKED_AT and not tally.stored:
            break
        looked_at += 1
        await tally.play(arm.interaction(sample, ask))
        for assigned in (task.judges.main, *task.judges.beside):
            if assigned is not None:
                await judging.play(assigned, sample)
    samples = task.size(desk.spec.epochs)
    scale = samples / max(looked_at, 1)
    return TaskPreview(
        task=task.task.task,
        samples=samples,
        model=tally.figures(scale, desk.price(desk.spec.model, backend)),
        answers=tally.source,
        judges=judging.figures(scale),
    )


class _Judging:
    """What the judges of one task would be asked; which samples need one, only answers tell."""

    def __init__(self, desk: _Desk) -> None:
        self.desk = desk
        self._tallies: dict[str, tuple[ModelSpec, Backend, _Tally]] = {}

    async def play(self, assigned: Assigned, sample: Sample) -> None:
        """Count what every seat of a judge would be asked of an answer of the expected length."""
        own = assigned.judge.metric == JUDGED and bool(sample.target)
        text = sample.target[0] if own else "x" * (2 * sample.generation.max_tokens)
        outcome = Outcome(sample, (), transcript=Transcript((Response(text=text),)))
        item = item_of(outcome, Score("ok", output=text, answer=text), assigned.judge)
        for seat, spec, model in assigned.seats:
            backend, _ = self.desk.crew.executor(model, assigned.judge.name)
            key = f"{model.label} {model.base_url}"
            if key not in self._tallies:
                tally = _Tally(request_hasher(backend.identity()), None)
                self._tallies[key] = (model, backend, tally)
            talk = judge(spec, item, Seat(model.label, backend.capabilities, name=seat))
            with closing(talk):
                asked = next(talk)
            for request in (asked,) if isinstance(asked, Request) else asked:
                await self._tallies[key][2].reply(request)

    def figures(self, scale: float) -> Figures | None:
        """Return the sum over the judges' models; None where there are none."""
        if not self._tallies:
            return None
        return sum(
            (
                _at_most(tally.figures(scale, self.desk.price(model, backend)))
                for model, backend, tally in self._tallies.values()
            ),
            Figures(),
        )


def _at_most(found: Figures) -> Figures:
    """Return figures that may also be nothing: a program may decide every sample."""
    low = {
        name: structs.replace(value, low=0.0)
        for name in ("prompt_tokens", "completion_tokens", "cost_usd")
        if (value := getattr(found, name)) is not None
    }
    return structs.replace(found, **low)
