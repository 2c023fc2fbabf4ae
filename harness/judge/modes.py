"""The judges: generators that yield requests, are sent responses, and return what was judged.

Each reply without a readable verdict is followed by one repair request; after that the verdict
is missing, with a reason, and never a default. A judge that declines is missing too; a candidate
that declines has given an answer, which the judge grades.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct

from harness.judge.item import Item, messages
from harness.judge.spec import MIN_VALID_MASS, SLOTS, Check, JudgeSpec
from harness.records import Capability, Message, Request, Response, Verdict
from harness.text.verdict import Reading, read_verdict

_replace = msgspec.structs.replace
REPAIR = (
    "Your reply holds no verdict that can be read. Reply with one line only:\n"
    "VERDICT: followed by one of these, exactly: {offered}"
)
REPEATED = 500
"""Characters at the end of an unreadable reply that its repair repeats."""
FLIP = {"A": "B", "B": "A", "tie": "tie"}


class Seat(Struct, frozen=True):
    """Who judges: a model, what it can do, and what it costs."""

    model: str
    capabilities: frozenset[Capability] = frozenset({"generate", "chat"})
    repeat: int = 0
    price: tuple[float, float] | None = None
    """US dollars per million tokens of prompt and of completion, where they are known."""
    name: str = ""
    """Of the seat on a panel; else the judge's."""


class Judged(Struct, frozen=True):
    """What a judge made of one item."""

    verdict: str | None
    """None: missing; `reason` says why."""
    value: float | None
    """The score, 0 to 1. Pairwise: the share of a win that goes to `answer`."""
    verdicts: tuple[Verdict, ...] = ()
    reason: str | None = None
    valid_mass: float | None = None


Talk = Generator["Request | tuple[Request, ...]", "Response | tuple[Response, ...]", Judged]
_Read = Generator["Request | tuple[Request, ...]", "Response | tuple[Response, ...]", "_Reply"]


class _Reply(Struct, frozen=True):
    """One verdict with what it took."""

    reading: Reading
    text: str
    cost: float | None


def judge(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    """Return the conversation that judges `item`; a panel is asked by way of its members."""
    match spec.mode:
        case "reference" | "rubric":
            return _single(spec, item, seat)
        case "checklist":
            return _checklist(spec, item, seat)
        case "pairwise":
            return _pairwise(spec, item, seat)
        case "expected":
            return _expected(spec, item, seat)
        case _:
            raise ValueError(f"{spec.name}: a panel has no conversation of its own")


def failed(spec: JudgeSpec, seat: Seat, reason: str) -> Judged:
    """Return what stands for an item whose judge could not be reached."""
    verdict = Verdict(judge=seat.name or spec.name, model=seat.model, verdict=None, reason=reason)
    return Judged(verdict=None, value=None, verdicts=(verdict,), reason=reason)


# ---- asking ---------------------------------------------------------------------------------


def _request(
    spec: JudgeSpec, item: Item, seat: Seat, chat: tuple[Message, ...], part: str = ""
) -> Request:
    speaks = "chat" in seat.capabilities
    structured = spec.file.structured and "schema" in seat.capabilities
    return Request(
        messages=chat if speaks else (),
        prompt="" if speaks else _flat(chat),
        generation=spec.generation,
        schema=_schema(spec.offered) if structured else None,
        repeat=seat.repeat,
        sample_id=f"{item.key}\x1f{part}" if part else item.key,
    )


def _schema(offered: Sequence[str]) -> dict[str, Any]:
    """Return the schema of a reply: reasoning first, so that it comes before the verdict."""
    return {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "verdict": {"type": "string", "enum": list(offered)},
        },
        "required": ["reasoning", "verdict"],
        "additionalProperties": False,
    }


def _flat(chat: Sequence[Message]) -> str:
    return "\n\n".join(message.content for message in chat) + "\n"


def _read(
    spec: JudgeSpec, requests: tuple[Request, ...], seat: Seat
) -> Generator[Any, Any, list[_Reply]]:
    """Ask, and once more where a reply cannot be read; return one reply for each request."""
    responses = yield from _ask(requests)
    readings = [_reading(spec, response) for response in responses]
    costs = [_cost(seat, response) for response in responses]
    texts = [response.text for response in responses]
    unread = [i for i, reading in enumerate(readings) if _repairable(reading)]
    if unread:
        again = yield from _ask(tuple(_repair(spec, requests[i], texts[i]) for i in unread))
        for i, response in zip(unread, again, strict=True):
            readings[i] = _reading(spec, response)
            texts[i] = f"{texts[i]}\n\n{response.text}"
            more = _cost(seat, response)
            known = costs[i]
            costs[i] = None if known is None or more is None else known + more
    return [_Reply(*parts) for parts in zip(readings, texts, costs, strict=True)]


def _ask(requests: tuple[Request, ...]) -> Generator[Any, Any, tuple[Response, ...]]:
    if len(requests) == 1:
        return (cast("Response", (yield requests[0])),)
    return cast("tuple[Response, ...]", (yield requests))


def _reading(spec: JudgeSpec, response: Response) -> Reading:
    truncated = response.finish_reason == "length"
    return read_verdict(response.text, spec.offered, spec.file.words, truncated=truncated)


def _repairable(reading: Reading) -> bool:
    return reading.verdict is None and reading.reason != "the judge declined"


def _repair(spec: JudgeSpec, request: Request, said: str) -> Request:
    ask = REPAIR.format(offered=", ".join(spec.offered))
    said = said[-REPEATED:]  # a long ramble must not push the repair over the context
    if not request.messages:
        return _replace(request, prompt=f"{request.prompt}{said}\n\n{ask}\n", turn=1)
    turns = (Message(role="assistant", content=said), Message(role="user", content=ask))
    return _replace(request, messages=(*request.messages, *turns), turn=1)


def _cost(seat: Seat, response: Response) -> float | None:
    if response.cached:
        return 0.0
    if seat.price is None:
        return None
    tokens = (response.prompt_tokens or 0, response.completion_tokens or 0)
    return sum(n * each for n, each in zip(tokens, seat.price, strict=True)) / 1e6


def _verdict(spec: JudgeSpec, seat: Seat, reply: _Reply, **more: Any) -> Verdict:
    return Verdict(
        judge=seat.name or spec.name,
        model=seat.model,
        verdict=reply.reading.verdict,
        reason=reply.reading.reason,
        reply=reply.text,
        cost_usd=reply.cost,
        **more,
    )


# ---- the modes ------------------------------------------------------------------------------


def _single(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    """One question, one verdict: reference-guided grades, or the level of a rubric."""
    request = _request(spec, item, seat, messages(spec, item))
    (reply,) = yield from _read(spec, (request,), seat)
    found = reply.reading.verdict
    value = None if found is None else spec.value(found)
    return Judged(found, value, (_verdict(spec, seat, reply, score=value),), reply.reading.reason)


def _checklist(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    """One yes/no a check; score = Σ points met / Σ positive points, clipped to 0…1.

    The formula is HealthBench's (Arora et al. 2025, arXiv:2505.08775). One missing check leaves
    the whole score missing.
    """
    checks = spec.file.items
    asked = tuple(
        _request(spec, item, seat, messages(spec, item, check=check), check.name)
        for check in checks
    )
    replies = yield from _read(spec, asked, seat)
    verdicts = tuple(
        _verdict(spec, seat, reply, order=check.name, score=_met(check, reply))
        for check, reply in zip(checks, replies, strict=True)
    )
    missing = [v for v in verdicts if v.verdict is None]
    if missing:
        return Judged(None, None, verdicts, f"{missing[0].order}: {missing[0].reason}")
    total = sum(verdict.score or 0.0 for verdict in verdicts)
    best = sum(max(check.points, 0.0) for check in checks)
    value = min(max(total / best, 0.0), 1.0)
    met = sum(verdict.verdict == "yes" for verdict in verdicts)
    return Judged(f"{met} of {len(checks)}", value, verdicts)


def _met(check: Check, reply: _Reply) -> float | None:
    if reply.reading.verdict is None:
        return None
    return check.points if reply.reading.verdict == "yes" else 0.0


def _pairwise(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    """Both orders; a winner must win in both, and disagreement is a tie."""
    orders = (("ab", False), ("ba", True))
    asked = tuple(
        _request(spec, item, seat, messages(spec, item, swapped=swapped), order)
        for order, swapped in orders
    )
    replies = yield from _read(spec, asked, seat)
    verdicts = tuple(
        _verdict(spec, seat, reply, order=order, score=_won(reply.reading.verdict, swapped))
        for (order, swapped), reply in zip(orders, replies, strict=True)
    )
    missing = [v for v in verdicts if v.verdict is None]
    if missing:
        return Judged(None, None, verdicts, f"order {missing[0].order}: {missing[0].reason}")
    first, second = (verdict.score for verdict in verdicts)
    value = first if first == second else 0.5
    assert value is not None
    winner = {1.0: "A", 0.0: "B"}.get(value, "tie")
    return Judged(winner, value, verdicts)


def _won(verdict: str | None, swapped: bool) -> float | None:
    """Return the share of a win that goes to `answer`, whichever slot it stood in."""
    if verdict is None:
        return None
    return {"A": 1.0, "B": 0.0, "tie": 0.5}[FLIP[verdict] if swapped else verdict]


def slot(verdict: Verdict) -> str | None:
    """Return which slot a stored pairwise verdict chose: A was shown first."""
    return verdict.verdict if verdict.verdict in SLOTS else None


def _expected(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    """Mean level under the judge's own probabilities: s = Σ k·p(k) / Σ p(k) over the levels.

    G-Eval (Liu et al. 2023, arXiv:2303.16634). `valid_mass` is Σ p(k); below 0.8 the score is
    missing. A model without log-likelihoods is asked `samples` times at temperature 1, and the
    mass is the share of replies that hold a level.
    """
    if "loglikelihood" not in seat.capabilities:
        return _sampled(spec, item, seat)
    return _weighted(spec, item, seat)


def _weighted(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    prompt = _flat(messages(spec, item)) + "VERDICT:"
    asked = tuple(
        Request(
            kind="loglikelihood",
            prompt=prompt,
            continuation=f" {level}",
            repeat=seat.repeat,
            sample_id=item.key,
        )
        for level in spec.offered
    )
    responses = yield from _ask(asked)
    masses = [
        0.0 if r.loglikelihood is None else math.exp(min(r.loglikelihood, 0.0)) for r in responses
    ]
    costs = [_cost(seat, response) for response in responses]
    cost = None if any(c is None for c in costs) else sum(c or 0.0 for c in costs)
    return _mean_level(spec, seat, masses, cost)


def _sampled(spec: JudgeSpec, item: Item, seat: Seat) -> Talk:
    chat = messages(spec, item)
    hot = _replace(spec.generation, temperature=1.0)
    base = _replace(_request(spec, item, seat, chat), generation=hot)
    count = spec.file.samples
    asked = tuple(_replace(base, repeat=seat.repeat * count + i) for i in range(count))
    responses = yield from _ask(asked)
    found = [_reading(spec, response).verdict for response in responses]
    masses = [found.count(level) / count for level in spec.offered]
    costs = [_cost(seat, response) for response in responses]
    cost = None if any(c is None for c in costs) else sum(c or 0.0 for c in costs)
    return _mean_level(spec, seat, masses, cost)


def _mean_level(spec: JudgeSpec, seat: Seat, masses: Sequence[float], cost: float | None) -> Judged:
    mass = math.fsum(masses)
    name = seat.name or spec.name
    if mass < MIN_VALID_MASS:
        reason = f"only {mass:.2f} of the probability is on a level (needed: {MIN_VALID_MASS})"
        verdict = Verdict(name, seat.model, None, valid_mass=mass, reason=reason, cost_usd=cost)
        return Judged(None, None, (verdict,), reason, mass)
    pairs = list(zip(spec.offered, masses, strict=True))
    value = math.fsum(spec.value(level) * p for level, p in pairs) / mass
    likeliest = max(pairs, key=lambda pair: pair[1])[0]
    verdict = Verdict(name, seat.model, likeliest, score=value, valid_mass=mass, cost_usd=cost)
    return Judged(likeliest, value, (verdict,), valid_mass=mass)
