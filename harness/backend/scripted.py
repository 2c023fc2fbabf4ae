"""Models that know the plan: oracle, wrong, random, constant. They check tasks and scoring.

A scripted model is handed the plan's samples and looks one up by `Request.sample_id`, which it
takes as an opaque key. Nothing is computed, so nothing is worth storing: `bypass_store` is set.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from harness.errors import UnknownName, UsageError
from harness.identity import CounterRandom, content_key, request_hasher
from harness.records import (
    Capability,
    Choice,
    Failure,
    ModelInfo,
    Reply,
    Request,
    Response,
    Sample,
)
from harness.text.options import LETTERS, letter

SCRIPTS = ("oracle", "wrong", "random", "constant")
LIKELY, UNLIKELY, UNCONDITIONAL = 0.0, -10.0, -5.0
"""Log-likelihoods of what a script favours, of all else, and of anything after nothing."""
RANDOM_DIGITS = 6
"""The random model's numbers have 1 to so many digits."""
OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true", "是": "否", "否": "是"}

Lookup = Callable[[str], Sample]


class Script(Protocol):
    """What one scripted model says, and how likely it takes a text to be."""

    def say(self, sample: Sample, request: Request) -> str:
        """Return the text that the model generates."""
        ...

    def loglikelihood(self, sample: Sample, request: Request) -> float:
        """Return the log-likelihood of the request's continuation."""
        ...

    def per_token(self, request: Request) -> float:
        """Return the log-probability of each token that it generates or reads."""
        ...


def open_scripted(name: str, arguments: Mapping[str, Any], lookup: Lookup) -> ScriptedBackend:
    """Return `scripted/<name>`; `lookup` gives the sample of a `Request.sample_id`.

    Arguments: `text` for constant (required), `seed` for random (0). Raises `UsageError` for an
    unknown name or argument.
    """
    if name not in SCRIPTS:
        raise UnknownName("scripted model", name, SCRIPTS)
    allowed = {"constant": ("text",), "random": ("seed",)}.get(name, ())
    for argument in arguments:
        if argument not in allowed:
            raise UnknownName(f"argument (-M) of scripted/{name}:", argument, allowed)
    if name == "constant" and "text" not in arguments:
        raise UsageError("scripted/constant needs -M text=…, what it always says")
    scripts: dict[str, Callable[[], Script]] = {
        "oracle": lambda: Knowing(right=True),
        "wrong": lambda: Knowing(right=False),
        "random": lambda: Random(_seed(arguments.get("seed", 0))),
        "constant": lambda: Constant(str(arguments["text"])),
    }
    return ScriptedBackend(name, dict(arguments), scripts[name](), lookup)


def _seed(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise UsageError(
            f"scripted/random: -M seed must be a whole number, got {value!r}"
        ) from None


class ScriptedBackend:
    """A backend that answers from the plan."""

    capabilities: frozenset[Capability] = frozenset(
        {"generate", "chat", "loglikelihood", "logprobs", "tools"}
    )
    max_batch = 256
    bypass_store = True
    """Its answers are neither looked up in the store nor put there."""

    def __init__(
        self, name: str, arguments: dict[str, Any], script: Script, lookup: Lookup
    ) -> None:
        self.info = ModelInfo(
            name=f"scripted/{name}",
            arguments_hash=content_key(arguments),
            served_name=name,
            parameters=0,
        )
        self._name, self._arguments = name, arguments
        self._script, self._lookup = script, lookup

    def identity(self) -> Mapping[str, Any]:
        """Return the script's name and arguments."""
        return {"provider": "scripted", "model": self._name, "arguments": self._arguments}

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request from its sample."""
        return [self._answer_one(request) for request in requests]

    async def close(self) -> None:
        """Do nothing: nothing is held."""

    def _answer_one(self, request: Request) -> Reply:
        if request.schema is not None:
            return Failure("unsupported", "a scripted model fits no schema")
        if request.kind == "rolling":
            text = request.prompt + request.continuation
            total = self._script.per_token(request) * len(text.encode("utf-8", "surrogatepass"))
            return self._scored(request, text, total)
        if request.kind == "loglikelihood" and not request.sample_id and not request.prompt:
            return self._scored(request, request.continuation, UNCONDITIONAL)
        try:
            sample = self._lookup(request.sample_id)
        except KeyError:
            return Failure("internal", f"the plan holds no sample '{request.sample_id}'")
        if request.kind == "generate":
            return self._generate(sample, request)
        total = self._script.loglikelihood(sample, request)
        return self._scored(request, request.continuation, total)

    def _generate(self, sample: Sample, request: Request) -> Reply:
        text = self._script.say(sample, request)
        count = max(len(text.split()), 1)
        each = self._script.per_token(request)
        return Response(
            text=text,
            token_logprobs=(each,) * count if request.logprobs else None,
            served_model=self._name,
        )

    def _scored(self, request: Request, text: str, total: float) -> Reply:
        """Return `total` as the log-likelihood of `text`, with one token for each byte."""
        count = len(text.encode("utf-8", "surrogatepass"))
        if not count:
            return Failure("unsupported", "there is no text to score")
        return Response(
            loglikelihood=total,
            greedy=total >= LIKELY,
            tokens=count,
            token_logprobs=(total / count,) * count if request.logprobs else None,
            served_model=self._name,
        )


class Knowing:
    """Knows the answer, and says it or takes care not to."""

    def __init__(self, *, right: bool) -> None:
        self._right = right

    def say(self, sample: Sample, request: Request) -> str:
        """Return the task's own text, else the letter of an option, else a target or a miss."""
        del request
        own = sample.oracle if self._right else sample.wrong
        if own is not None:
            return own
        favoured = self._favoured(sample)
        if favoured is not None:
            return option_name(sample.choices, favoured)
        if self._right:
            return sample.target[0] if sample.target else ""
        return wrong_text(sample.target, len(sample.choices))

    def loglikelihood(self, sample: Sample, request: Request) -> float:
        """Return 0 for the favoured option or target, -10 for all else."""
        favoured = self._favoured(sample)
        if favoured is None:
            hit = request.continuation.strip() in {target.strip() for target in sample.target}
            return LIKELY if hit == self._right else UNLIKELY
        return LIKELY if favoured == find_choice(sample.choices, request) else UNLIKELY

    def per_token(self, request: Request) -> float:
        """Return certainty for the oracle, its opposite for the other."""
        del request
        return LIKELY if self._right else UNLIKELY

    def _favoured(self, sample: Sample) -> int | None:
        if not sample.choices or sample.gold is None:
            return None
        if self._right:
            return sample.gold
        return (sample.gold + 1) % len(sample.choices) if len(sample.choices) > 1 else None


class Random:
    """Guesses; the same guess for the same sample, request and seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._key = request_hasher({})

    def say(self, sample: Sample, request: Request) -> str:
        """Return the letter of any option, else any number."""
        rng = self._rng(request)
        if sample.choices:
            return option_name(sample.choices, rng.below(len(sample.choices)))
        digits = rng.between(1, RANDOM_DIGITS)
        return str(rng.below(10**digits))

    def loglikelihood(self, sample: Sample, request: Request) -> float:
        """Return a number from -10 to 0, 0 excluded."""
        del sample
        return UNLIKELY * (1 - self._rng(request).random())

    def per_token(self, request: Request) -> float:
        """Return the log-probability of one byte among 256."""
        del request
        return -math.log(256)

    def _rng(self, request: Request) -> CounterRandom:
        return CounterRandom(self._seed, request.sample_id, self._key(request))


class Constant:
    """Says one thing whatever is asked."""

    def __init__(self, text: str) -> None:
        self._text = text

    def say(self, sample: Sample, request: Request) -> str:
        """Return the text."""
        del sample, request
        return self._text

    def loglikelihood(self, sample: Sample, request: Request) -> float:
        """Return 0 for the text, -10 for all else."""
        del sample
        same = request.continuation.strip() == self._text.strip()
        return LIKELY if same else UNLIKELY

    def per_token(self, request: Request) -> float:
        """Return certainty."""
        del request
        return LIKELY


def option_name(choices: Sequence[Choice], index: int) -> str:
    """Return what names an option in an answer: its letter, or its text beyond Z."""
    return letter(index) if index < len(LETTERS) else choices[index].text


def find_choice(choices: Sequence[Choice], request: Request) -> int | None:
    """Return the option that a log-likelihood request asks about, or None.

    An option is known by its text, which is the continuation, and, where it has a context of its
    own (partial scoring), by that context, which the prompt ends in.
    """
    said = request.continuation.strip()
    by_text = [i for i, choice in enumerate(choices) if choice.text.strip() == said]
    if len(by_text) == 1:
        return by_text[0]
    prompt = request.prompt.rstrip()
    among = by_text or range(len(choices))
    by_context = [
        i
        for i in among
        if (context := choices[i].context) is not None and prompt.endswith(context.rstrip())
    ]
    if by_context:
        return max(by_context, key=lambda i: len(choices[i].context or ""))
    return by_text[0] if by_text else None


def wrong_text(targets: Sequence[str], choices: int = 0) -> str:
    """Return a text of the first target's kind that no target accepts.

    A number gets a near one, yes gets no, an option's letter gets another; anything else a fixed
    phrase that neither holds a target nor is held by one.

    >>> wrong_text(["41", "42"]), wrong_text(["Yes"]), wrong_text(["B"], 4)
    ('43', 'no', 'C')
    """
    taken = {target.strip().casefold() for target in targets}
    first = targets[0].strip() if targets else ""
    if first.casefold() in OPPOSITES and OPPOSITES[first.casefold()] not in taken:
        return OPPOSITES[first.casefold()]
    if choices > 1 and re.fullmatch("[A-Z]", first):
        names = (letter((ord(first) - ord("A") + i) % choices) for i in range(1, choices + 1))
        return next((name for name in names if name.casefold() not in taken), "none")
    number = _as_number(first)
    if number is not None:
        near = number + 1
        while _among(near, targets):
            near += 1
        return str(near)
    words = ("no such thing", "an unrelated reply", "xyzzy")
    return next((word for word in words if not _overlaps(word, taken)), "#")


def _as_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    # beyond this size, adding 1 would be lost to rounding
    fits = number.is_finite() and number.adjusted() < 27  # noqa: PLR2004
    return number if fits else None


def _among(number: Decimal, targets: Sequence[str]) -> bool:
    return any(_as_number(target) == number for target in targets)


def _overlaps(word: str, taken: set[str]) -> bool:
    return any(target and (target in word or word in target) for target in taken)
