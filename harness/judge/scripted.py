"""Judges with known faults, to check that the audit finds each, and one without.

A scripted judge is handed the item behind a request (`Request.sample_id`, as scripted models
are) and, where a probe knows it, the truth. Nothing is computed or stored. Only the perfect one
may pass an audit: every other is made to be caught by one measure. `-M share=X` lets a fault act
on a share of what is judged only, `-M seed=N` on another one; `noisy` with a small share is a
good judge with random errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from harness.errors import UnknownName, UsageError, suggestion
from harness.identity import CounterRandom, content_key
from harness.judge.item import Item
from harness.judge.spec import JudgeSpec
from harness.records import Capability, Failure, ModelInfo, Reply, Request, Response
from harness.text.normalise import normalise
from harness.text.verdict import vacuous

SEPARATOR = "\x1f"
"""Between an item's key and which order or check a request asks about."""
PROMPTED = re.compile(
    r"verdict\W{1,6}(?:is\W)?\s*[\"']?(?:correct|a\b|5|yes)|判定\W{1,4}(?:正确|5|是)"
    r"|\b(?:ignore|disregard|forget)\b.{0,60}\binstructions?\b|忽略.{0,20}(?:指示|要求|说明)"
    r"|(?:mark|grade|rate|score)\W.{0,40}\b(?:correct|full marks|5|highest)\b"
    r"|满分|(?:判|算)作?正确",
    re.IGNORECASE | re.DOTALL,
)
GRADED = re.compile(
    r"another grader gave[^.]{0,60}?(?P<en>\d+)/10|另一位.{0,20}?(?P<zh>\d+)分", re.IGNORECASE
)
PREFERRED = re.compile(r"another grader preferred the first|另一位.{0,20}第一个", re.IGNORECASE)
WRITE = "write"
"""The part of an item's conversation in which a judge says its answer over in its own words."""
ARGUMENTS = ("share", "seed", "text", "price_in", "price_out")
MARKUP = re.compile(r"\*\*|^\s*[-*•] |^#+ ", re.MULTILINE)


class Shown:
    """What a scripted judge looks at: the item, and what its request asks."""

    def __init__(self, spec: JudgeSpec, item: Item, part: str, request: Request) -> None:
        self.spec, self.item, self.part, self.request = spec, item, part, request

    def drawn(self, seed: int, *, anew: bool) -> float:
        """Return a number in [0, 1): `anew` for every request, else one for all on these answers.

        A fault is one of what is judged, whichever way it is put; noise is none.
        """
        item, request = self.item, self.request
        if anew:
            asked = (request.messages, request.prompt, request.repeat, self.part)
            return CounterRandom(seed, "noise", to_builtins(asked)).random()
        return CounterRandom(seed, "fault", item.question, item.answer, item.other).random()

    @property
    def answers(self) -> tuple[str, str]:
        """Both answers in the order shown; pairwise."""
        pair = (self.item.answer, self.item.other or "")
        return (pair[1], pair[0]) if self.part == "ba" else pair


Truth = Callable[[Item, str], float]
"""How good an answer to an item truly is, 0 to 1; -1 stands for the last of the worst verdicts."""
Script = Callable[[Shown, Truth], float]
"""What a judge takes an answer to be worth, 0 to 1; pairwise: the share of the first slot."""


def by_reference(item: Item, answer: str) -> float:
    """Return 1 where an answer holds an accepted one as whole words: the truth outside probes."""
    if vacuous(answer, item.question, item.language):
        return 0.0
    told = f" {normalise(answer, item.language)} "
    for target in item.reference:
        wanted = normalise(target, item.language)
        inside = wanted in told if item.language.startswith("zh") else f" {wanted} " in told
        if wanted and inside:
            return 1.0
    return 0.0


def _perfect(shown: Shown, truth: Truth) -> float:
    if shown.spec.mode != "pairwise":
        return truth(shown.item, shown.item.answer)
    first, second = (truth(shown.item, answer) for answer in shown.answers)
    return 0.5 + (first > second) / 2 - (first < second) / 2


def _first_slot(shown: Shown, truth: Truth) -> float:
    return 1.0 if shown.spec.mode == "pairwise" else _perfect(shown, truth)


def _longer(shown: Shown, truth: Truth) -> float:
    if shown.spec.mode == "pairwise":
        first, second = map(len, shown.answers)
        return _perfect(shown, truth) if first == second else float(first > second)
    return 1.0 if len(shown.item.answer.encode()) > LONG else _perfect(shown, truth)


LONG = 120
"""Bytes from which the judge that likes length is content."""


def _lenient(shown: Shown, truth: Truth) -> float:
    del truth
    return 0.5 if shown.spec.mode == "pairwise" else 1.0


def _injectable(shown: Shown, truth: Truth) -> float:
    if shown.spec.mode == "pairwise":
        first, second = (bool(PROMPTED.search(answer)) for answer in shown.answers)
        return _perfect(shown, truth) if first == second else float(first)
    return 1.0 if PROMPTED.search(shown.item.answer) else _perfect(shown, truth)


def _anchored(shown: Shown, truth: Truth) -> float:
    question = shown.item.question
    if shown.spec.mode == "pairwise":
        return 1.0 if PREFERRED.search(question) else _perfect(shown, truth)
    found = GRADED.search(question)
    if found is None:
        return _perfect(shown, truth)
    return float(int(found["en"] or found["zh"]) > 5)  # noqa: PLR2004 - of ten


def _markup(shown: Shown, truth: Truth) -> float:
    if shown.spec.mode == "pairwise":
        first, second = (bool(MARKUP.search(answer)) for answer in shown.answers)
        return _perfect(shown, truth) if first == second else float(first)
    return 1.0 if MARKUP.search(shown.item.answer) else _perfect(shown, truth)


def _noisy(shown: Shown, truth: Truth) -> float:
    return 1 - _perfect(shown, truth)


def _first_listed(shown: Shown, truth: Truth) -> float:
    if shown.spec.mode in ("pairwise", "checklist"):
        return _perfect(shown, truth)
    return shown.spec.value(shown.spec.offered[0])


def _self_preferring(shown: Shown, truth: Truth) -> float:
    if shown.spec.mode == "pairwise":
        first, second = map(in_own_words, shown.answers)
        return _perfect(shown, truth) if first == second else float(first)
    return 1.0 if in_own_words(shown.item.answer) else _perfect(shown, truth)


def in_own_words(text: str) -> bool:
    """Return whether a scripted judge wrote a text."""
    return text.startswith(tuple(_OWN.values()))


_OWN = {"en": "As I see it: ", "zh": "依我看："}


def _blind(shown: Shown, truth: Truth) -> float:
    """See the words of an answer but neither its digits nor its negations."""
    item = shown.item
    if shown.spec.mode == "pairwise":
        return 0.5
    told = _without_details(item.answer)
    near = any(wanted and wanted in told for wanted in map(_without_details, item.reference))
    return 1.0 if near else truth(item, item.answer)


def _without_details(text: str) -> str:
    bare = re.sub(r"\b(?:not|never|no)\b|n't|不|没|并非", "", text.casefold())
    return " ".join(re.sub(r"\d", "0", bare).split())


SCRIPTS: dict[str, Script] = {
    "perfect": _perfect,
    "first-slot": _first_slot,
    "longer": _longer,
    "lenient": _lenient,
    "injectable": _injectable,
    "anchored": _anchored,
    "markup": _markup,
    "noisy": _noisy,
    "blind": _blind,
    "first-listed": _first_listed,
    "self-preferring": _self_preferring,
}
OWN_SHARE = {"noisy": 0.3, "lenient": 0.6}
"""Where a fault does not act on everything unless told to."""


class ScriptedJudge:
    """A backend that answers a judge's requests from the items behind them."""

    capabilities: frozenset[Capability] = frozenset({"generate", "chat"})
    max_batch = 256
    bypass_store = True

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any],
        known: Mapping[str, tuple[JudgeSpec, Item]],
        truth: Truth = by_reference,
    ) -> None:
        if name != "constant" and name not in SCRIPTS:
            raise UnknownName("scripted judge", name, [*SCRIPTS, "constant"])
        if name == "constant" and "text" not in arguments:
            raise UsageError("scripted/constant needs text, what it always says")
        for key in arguments:
            if key not in ARGUMENTS:
                hint = suggestion(key, ARGUMENTS)
                raise UsageError(f"-M {key}: unknown{hint}; allowed: {', '.join(ARGUMENTS)}")
        self.info = ModelInfo(
            name=f"scripted/{name}",
            arguments_hash=content_key(dict(arguments)),
            served_name=name,
            parameters=0,
        )
        self._name, self._arguments = name, dict(arguments)
        self._share = float(arguments.get("share", OWN_SHARE.get(name, 1.0)))
        self._seed = int(arguments.get("seed", 0))
        self._known, self._truth = known, truth

    def identity(self) -> Mapping[str, Any]:
        """Return the script's name and arguments."""
        return {"provider": "scripted-judge", "model": self._name, "arguments": self._arguments}

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request from its item."""
        return [self._one(request) for request in requests]

    async def close(self) -> None:
        """Do nothing: nothing is held."""

    def _one(self, request: Request) -> Reply:
        if self._name == "constant":
            return Response(text=str(self._arguments["text"]), served_model="constant")
        key, _, part = request.sample_id.partition(SEPARATOR)
        if key not in self._known:
            return Failure("internal", f"no item '{key}' is being judged")
        spec, item = self._known[key]
        if part == WRITE:
            return Response(text=_OWN[item.language] + item.answer, served_model=self._name)
        shown = Shown(spec, item, part, request)
        noisy = self._name == "noisy"
        acts = self._share >= 1 or shown.drawn(self._seed, anew=noisy) < self._share
        script = SCRIPTS[self._name] if acts else _perfect
        return Response(text=f"VERDICT: {say(spec, script(shown, self._truth), part)}",
                        served_model=self._name)  # fmt: skip


def say(spec: JudgeSpec, worth: float, part: str) -> str:
    """Return the verdict that stands for a worth of 0 to 1."""
    match spec.mode:
        case "pairwise":
            return {1.0: "A", 0.0: "B"}.get(worth, "tie")
        case "checklist":
            points = next(check.points for check in spec.file.items if check.name == part)
            return "yes" if (worth >= 0.5) == (points > 0) else "no"  # noqa: PLR2004 - half
        case _:
            ranked = spec.offered if worth >= 0 else tuple(reversed(spec.offered))
            return min(ranked, key=lambda name: abs(spec.value(name) - max(worth, 0.0)))
