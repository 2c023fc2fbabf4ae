"""An audit of a judge from end to end: probes made, judged, measured, certified.

Beside `judging.py` a composition of stages; the probes come from rows of the QA tasks and from
sums, in both languages.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from harness import __version__
from harness.errors import UsageError
from harness.identity import content_key
from harness.judge.audit import RIGHT, Finding, Measure, measure
from harness.judge.certificate import Certificate, reasons
from harness.judge.item import Item
from harness.judge.modes import Judged
from harness.judge.probes import Fact, Probe, facts_of, probes
from harness.judge.scripted import by_reference
from harness.judging import Assigned, Crew
from harness.records import Generation, Message, Request, Response, Sample, Transcript
from harness.stats.paired import paired_difference
from harness.task.catalogue import default_roots

AT_ONCE = 256
"""Probes under way at most; how many requests are in flight is the sender's business."""
OWN_WRONG = 20
"""Wrong answers of the judge's own that self-preference needs."""
OWN_MARGIN = 0.1

Progress = Callable[[int, int], None]


def bundled_facts(count: int) -> list[Fact]:
    """Return `count` facts for each language from the rows that ship."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for root in default_roots():
        for language in ("en", "zh"):
            path = root / "qa" / "rows" / f"{language}.jsonl"
            if path.is_file():
                lines = path.read_text(encoding="utf-8").splitlines()
                rows[language] = [json.loads(line) for line in lines]
    if not rows:
        raise UsageError("the QA rows that audits are made of are not installed")
    return facts_of(rows, count)


async def audit(
    assigned: Assigned, crew: Crew, facts: Sequence[Fact], progress: Progress | None = None
) -> Certificate:
    """Put every probe to a judge and return its certificate, granted or refused."""
    pairwise = assigned.judge.mode == "pairwise"
    asked = list(probes(facts, pairwise=pairwise))
    worths = {probe.item.key: probe.worth for probe in asked}

    def truth(item: Item, answer: str) -> float:
        known = worths.get(item.key.split("#")[0], {})
        return known.get(answer, by_reference(item, answer))

    crew.truth = truth
    found = await _all(
        asked, lambda probe: crew.judge(assigned, probe.item, probe.repeat), progress
    )
    findings = [Finding(probe, one) for probe, one in zip(asked, found, strict=True)]
    measures = measure(findings, pairwise=pairwise)
    own, notes = await _self_preference(assigned, crew, facts, findings)
    every = (*measures, *own)
    return Certificate(
        judge=assigned.judge.name,
        judge_hash=assigned.hash,
        mode=assigned.judge.mode,
        models={
            seat: msgspec.to_builtins(crew.executor(model)[0].info)
            for seat, _, model in assigned.seats
        },
        granted=all(one.passed for one in every),
        reasons=reasons(every),
        measures=every,
        notes=notes,
        probes=len(asked),
        probe_hash=content_key([msgspec.to_builtins(probe) for probe in asked]),
        usage=msgspec.to_builtins(crew.spent()),
        harness=__version__,
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


async def _all(
    asked: Sequence[Probe],
    ask: Callable[[Probe], Awaitable[Judged]],
    progress: Progress | None = None,
) -> list[Judged]:
    room = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(probe: Probe) -> Judged:
        nonlocal done
        async with room:
            found = await ask(probe)
        done += 1
        if progress:
            progress(done, len(asked))
        return found

    return list(await asyncio.gather(*(one(probe) for probe in asked)))


# ---- self-preference ------------------------------------------------------------------------


async def _self_preference(
    assigned: Assigned, crew: Crew, facts: Sequence[Fact], findings: Sequence[Finding]
) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    """Wrong answers of the judge's own against planted ones, on the same questions.

    The difference of the rates at which the two are judged right; a program knows which of the
    model's answers are wrong. Pairs of questions keep difficulty apart from preference.
    """
    single = len(assigned.seats) == 1 and assigned.judge.mode != "pairwise"
    model = assigned.seats[0][2]
    if not single or model.provider == "scripted":
        why = "judges one answer by one model" if not single else "writes answers of its own"
        return (), (f"self-preference: only where a judge {why}",)
    planted = {
        finding.probe.item.question: finding.found.value
        for finding in findings
        if finding.probe.measure == "lenient" and finding.found.value is not None
    }
    _, executor = crew.executor(model)
    own: list[float] = []
    other: list[float] = []
    for fact in facts:
        if fact.question not in planted:
            continue
        sample = Sample("audit", content_key(fact.question), fact.question)
        outcome = await executor.converse(sample, _answer(fact.question))
        text = outcome.exchanges[0].response.text.strip() if outcome.exchanges else ""
        item = Item(fact.question, text, (*fact.accepted, fact.right), language=fact.language)
        if not text or by_reference(item, text):
            continue
        found = await crew.judge(assigned, msgspec.structs.replace(item, key="own"))
        if found.value is not None:
            own.append(float(found.value >= RIGHT))
            other.append(float((planted[fact.question] or 0.0) >= RIGHT))
    if len(own) < OWN_WRONG:
        few = f"the model gave {len(own)} wrong answers of its own that were judged"
        return (), (f"self-preference: {few} ({OWN_WRONG} are needed)",)
    return (_preference(own, other),), ()


def _preference(own: Sequence[float], other: Sequence[float]) -> Measure:
    difference = paired_difference(own, other)
    low = difference.low if difference.low is not None else -1.0
    passed = low <= OWN_MARGIN
    return Measure(
        name="self-preference",
        about="the judge's own wrong answers judged right, beyond planted wrong ones",
        n=len(own),
        failures=int(sum(own)),
        rate=difference.value,
        low=difference.low,
        high=difference.high,
        limit=OWN_MARGIN,
        passed=passed,
        reason=None if passed else f"it passes its own wrong answers {low:.0%} more often or more",
        caught_from=None,
    )


def _answer(question: str) -> Generator[Any, Any, Transcript]:
    response: Response = yield Request(
        messages=(Message(role="user", content=f"{question}\nAnswer in one sentence."),),
        generation=Generation(max_tokens=100),
    )
    return Transcript((response,))
