"""An audit of a judge from end to end: probes made, judged, measured, certified.

Beside `judging.py` a composition of stages; the probes come from rows of the QA tasks, from
generated sums and from translations, in both languages.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from harness import __version__
from harness.errors import UnknownName, UsageError
from harness.hearing import Case, Estimate, Hearing, estimate
from harness.identity import content_key
from harness.judge.audit import Finding, measure
from harness.judge.certificate import Certificate, Note, reasons
from harness.judge.facts import KINDS, LANGUAGES, Fact, Kind, facts_of
from harness.judge.item import Item
from harness.judge.measures import Measure
from harness.judge.metric import NAME
from harness.judge.probes import OWN, Probe, Saying, kept, own_words, probes, sayings
from harness.judge.scripted import SEPARATOR, WRITE, by_reference
from harness.judge.spec import JudgeSpec
from harness.judge.turned import turned
from harness.records import Generation, Message, ModelSpec, Request, Response, Sample, Transcript
from harness.task.catalogue import default_roots
from harness.text.normalise import strip_reasoning

OWN_WORDS = 20
"""Sentences in the judge's own words that self-preference needs."""
LONGEST = 100
"""Tokens for a sentence said over, where the judge has fewer for a verdict."""
DIRECTIONS = {"zh": "en-zh", "en": "zh-en"}
"""Written translations by the language of the answer."""


def bundled_facts(count: int, kinds: Sequence[Kind] = KINDS) -> list[Fact]:
    """Return `count` facts for each language from the rows that ship."""
    qa = {language: _rows(f"qa/rows/{language}.jsonl") for language in LANGUAGES}
    translation = {
        language: _rows(f"judges/probes/{name}.jsonl") for language, name in DIRECTIONS.items()
    }
    if not any(qa.values()):
        raise UsageError("the QA rows that audits are made of are not installed")
    return facts_of(qa, translation, count, kinds)


def kinds_for(judge: JudgeSpec, asked: str | None = None) -> tuple[Kind, ...]:
    """Return the kinds of facts that fit a judge; `asked` outweighs its file."""
    if asked is None:
        members = [member for _, member in judge.members] or [judge]
        return members[0].file.probes or KINDS
    wanted = [name.strip() for name in asked.split(",") if name.strip()]
    for name in wanted:
        if name not in KINDS:
            raise UnknownName("kind of probes", name, KINDS)
    return tuple(kind for kind in KINDS if kind in wanted) or KINDS


def _rows(name: str) -> list[dict[str, Any]]:
    paths: list[Path] = [root / name for root in default_roots()]
    lines = [
        line
        for path in paths
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [json.loads(line) for line in lines]


@dataclass
class Audit:
    """One audit: what is asked, by whom it is judged, and who else writes."""

    hearing: Hearing
    facts: Sequence[Fact]
    rival: ModelSpec | None = None
    """Another model, whose words the judge's own are compared with."""

    def __post_init__(self) -> None:
        """Make the probes, and tell scripted judges what their answers are worth."""
        self.judge = self.hearing.assigned.judge
        if self.judge.metric != NAME:
            raise UsageError(
                f"judge {self.judge.name} says nothing of right and wrong (metric: "
                f"{self.judge.metric}): an audit has no probes for it; compare it with people by "
                "harness judge calibrate"
            )
        self.pairwise = self.judge.mode == "pairwise"
        self.turned = turned(self.judge)
        self.probes = list(
            probes(self.facts, pairwise=self.pairwise, turned=self.turned is not None)
        )
        self.worths: dict[str, dict[str, float]] = {}
        self._know(self.probes)
        self.hearing.crew.truth = self._truth

    def _know(self, asked: Sequence[Probe]) -> None:
        self.worths |= {probe.item.key: probe.worth for probe in asked}

    def _truth(self, item: Item, answer: str) -> float:
        known = self.worths.get(item.key.split("#")[0], {})
        return known.get(answer, by_reference(item, answer))

    async def go(self) -> Certificate:
        """Put every probe to the judge and return its certificate, granted or refused."""
        findings = await self._judged(self.probes)
        own, notes = await self._own_words()
        findings += own
        measures = tuple(measure(findings, pairwise=self.pairwise))
        return self._certificate(measures, (*notes, *self._notes()), len(findings))

    async def _judged(self, asked: Sequence[Probe]) -> list[Finding]:
        found = await self.hearing.hear([self._case(probe) for probe in asked])
        pairs = zip(asked, found, strict=True)
        return [Finding(probe, one) for probe, one in pairs if one is not None]

    def _case(self, probe: Probe) -> Case:
        spec = self.turned if probe.turned and self.turned is not None else self.judge
        return Case(spec, probe.item, probe.repeat)

    def estimate(self) -> Estimate:
        """Return what the audit would ask; the model's own words are taken as long as ours."""
        crew, said = self.hearing.crew, list(sayings(self.facts, pairwise=self.pairwise))
        authors = self._authors()
        stand_ins = [
            own_words(one, self.facts[one.number], name, f"{name}: {one.text}",
                      pairwise=self.pairwise)
            for name in authors for one in said
        ]  # fmt: skip
        cases = [self._case(probe) for probe in (*self.probes, *stand_ins)]
        return estimate(self.hearing.assigned, crew, cases, extra=len(said) * len(authors))

    # ---- self-preference --------------------------------------------------------------------

    def _authors(self) -> dict[str, ModelSpec]:
        """Return who says sentences over; nobody where a panel has several models."""
        models = [model for _, _, model in self.hearing.assigned.seats]
        if any(model != models[0] for model in models):
            return {}
        found = {"own": models[0]}
        return found if self.rival is None else {**found, "rival": self.rival}

    async def _own_words(self) -> tuple[list[Finding], tuple[Note, ...]]:
        """Have sentences of known worth said over by each author, and judge what came."""
        said = list(sayings(self.facts, pairwise=self.pairwise))
        authors = self._authors()
        if not said:
            return [], (Note("translation", "self-preference: translations are no test of it"),)
        if self.hearing.over():
            return [], (Note("unasked", "self-preference: not reached"),)
        if not authors:
            return [], (Note("panel", "self-preference: the panel has several models"),)
        texts = {name: await self._written(said, model) for name, model in authors.items()}
        both = [one for one in said if all(one.number in found for found in texts.values())]
        if len(both) < OWN_WORDS:
            counts = {"said": len(both), "asked": len(said)}
            told = (
                f"self-preference: {len(both)} of {len(said)} sentences were said over without "
                f"changing their content ({OWN_WORDS} are needed)"
            )
            return [], (Note("words", told, counts),)
        named = [(one, name, texts[name][one.number]) for one in both for name in texts]
        if not self.pairwise:
            named += [(one, "given", one.text) for one in both]
        asked = [
            own_words(one, self.facts[one.number], name, text, pairwise=self.pairwise)
            for one, name, text in named
        ]
        self._know(asked)
        return await self._judged(asked), ()

    async def _written(self, said: Sequence[Saying], model: ModelSpec) -> dict[int, str]:
        """Return what a model wrote, by number of the fact, where it kept what it was given."""
        backend, executor = self.hearing.crew.executor(model, self.judge.name)
        chat = "chat" in backend.capabilities
        room = asyncio.Semaphore(self.hearing.at_once)
        room_for = max(LONGEST, self.judge.generation.max_tokens)  # thinking takes its share

        async def one(saying: Saying) -> str:
            async with room:
                if self.hearing.over():
                    return ""
                fact = self.facts[saying.number]
                key = content_key([OWN, model.label, saying.number])
                item = Item(fact.question, saying.text, language=fact.language, key=key)
                self.hearing.crew.known[key] = (self.judge, item)
                outcome = await executor.converse(
                    Sample("audit", key, fact.question), _said_over(saying.ask, key, room_for, chat)
                )
            done = outcome.exchanges[-1].response if outcome.exchanges else None
            return "" if done is None or done.finish_reason == "length" else done.text

        written = await asyncio.gather(*(one(saying) for saying in said))
        texts = [strip_reasoning(text) for text in written]
        return {
            saying.number: text
            for saying, text in zip(said, texts, strict=True)
            if text and kept(saying, self.facts[saying.number], text)
        }

    # ---- what is told -----------------------------------------------------------------------

    def _notes(self) -> tuple[Note, ...]:
        notes = []
        made = {probe.measure for probe in self.probes}
        if not self.pairwise and self.turned is None:
            notes.append(Note("listing", "listing: the judge shows no list of grades"))
        notes += [
            Note("empty", f"{name}: the probes hold nothing for it", {"name": name})
            for name in ("length", "digit", "negation")
            if name not in made
        ]
        if self.hearing.samples_levels():
            count = self.judge.file.samples
            told = f"the model gives no log-likelihoods: levels are shares of {count} replies"
            notes.append(Note("sampled", told, {"count": count}))
        if self.judge.mode not in ("reference", "panel"):
            told = "probes are short answers and single sentences, not longer texts"
            notes.append(Note("short", told))
        return tuple(notes)

    def _certificate(
        self, measures: tuple[Measure, ...], notes: tuple[Note, ...], judged: int
    ) -> Certificate:
        assigned, crew, stopped = self.hearing.assigned, self.hearing.crew, self.hearing.stopped
        why = reasons(measures)
        if stopped is not None:
            why = (stopped, *why)
        return Certificate(
            judge=assigned.judge.name,
            judge_hash=assigned.hash,
            mode=assigned.judge.mode,
            models={
                seat: msgspec.to_builtins(crew.executor(model, assigned.judge.name)[0].info)
                for seat, _, model in assigned.seats
            },
            granted=not why,
            status="complete" if stopped is None else "partial",
            stopped=stopped,
            reasons=why,
            measures=measures,
            notes=notes,
            probes=judged,
            facts=_counted(self.facts),
            probe_hash=content_key([msgspec.to_builtins(probe) for probe in self.probes]),
            usage=msgspec.to_builtins(self.hearing.spent()),
            harness=__version__,
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
        )


def _counted(facts: Sequence[Fact]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for fact in facts:
        key = f"{fact.kind}, {fact.language}"
        counts[key] = counts.get(key, 0) + 1
    return counts


def _said_over(ask: str, key: str, max_tokens: int, chat: bool) -> Generator[Any, Any, Transcript]:
    response: Response = yield Request(
        messages=(Message(role="user", content=ask),) if chat else (),
        prompt="" if chat else f"{ask}\n",
        generation=Generation(max_tokens=max_tokens),
        sample_id=f"{key}{SEPARATOR}{WRITE}",
    )
    return Transcript((response,))
