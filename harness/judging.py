"""The judges of a run put to work: which task has which, their models, their verdicts.

Beside `pipeline.py` a composition of stages. A judge's requests go to the judge's own backend,
through the run's response store; its tokens and cost are counted apart from those of the model
under test. The model under test never judges itself unless it is named as the judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UnknownName, UsageError
from harness.identity import content_key
from harness.interact.ask import sample_tag
from harness.judge.item import Item
from harness.judge.metric import UNRELIABLE, undecided, with_verdict
from harness.judge.modes import Judged, Seat, failed, judge
from harness.judge.panel import combine, effective_judges
from harness.judge.scripted import ScriptedJudge, Truth, by_reference
from harness.judge.spec import JudgeSpec, find_judge, judge_names
from harness.protocols import Backend, ResponseStore
from harness.records import ModelSpec, Outcome, Sample, Score, Transcript
from harness.run.local import LocalExecutor
from harness.run.policy import Usage
from harness.run.sender import Sender, SendRules
from harness.score.scorer import Scorer
from harness.task.catalogue import default_roots
from harness.task.spec import TaskSpec

_replace = msgspec.structs.replace
Opener = Callable[[ModelSpec], Backend]


def judge_roots() -> list[Path]:
    """Return the folders of judges that came with the harness."""
    return [root / "judges" for root in default_roots()]


@dataclass(frozen=True, slots=True)
class Assigned:
    """A judge with a model for each of its seats."""

    judge: JudgeSpec
    seats: tuple[tuple[str, JudgeSpec, ModelSpec], ...]
    """Seat, what it judges by, and its model; one for all but a panel."""

    @property
    def hash(self) -> str:
        """Content key of all that can change a verdict, models included."""
        models = [[seat, model.label, model.base_url, model.arguments]
                  for seat, _, model in self.seats]  # fmt: skip
        return content_key([self.judge.hash, models])


# ---- which task has which judge -------------------------------------------------------------


def assign(tasks: Sequence[TaskSpec], models: Mapping[str, ModelSpec]) -> dict[str, Assigned | str]:
    """Return the judge of each task that has one, or in words what it lacks.

    A task's own judge takes the models named after it or after its seats. A judge that was
    given a model and that no task asks for judges the tasks without one of their own.
    """
    roots = judge_roots()
    own = {task.task: _own(task, roots) for task in tasks if task.judge is not None}
    asked = {name for spec in own.values() for name in (spec.name, *_seat_names(spec))}
    free = _free([name for name in models if name not in asked], roots)
    seated = {seat for spec in free for seat in (spec.name, *_seat_names(spec))}
    for name in models:
        if name not in asked | seated:
            raise UnknownName("judge", name, judge_names(roots))
    if len(free) > 1:
        listed = ", ".join(spec.name for spec in free)
        raise UsageError(f"--judge: one judge for tasks without their own; got: {listed}")
    found: dict[str, Assigned | str] = {}
    for task in tasks:
        spec = own.get(task.task)
        if spec is None and free and task.method == "generate":
            spec = free[0]
        if spec is not None:
            found[task.task] = seat_models(spec, models)
    return found


def _own(task: TaskSpec, roots: Sequence[Path]) -> JudgeSpec:
    named = task.judge
    if isinstance(named, Mapping):
        named = named.get("name")
    if not isinstance(named, str):
        raise UsageError(f"{task.task}: judge: allowed: the name of a judge; got: {task.judge!r}")
    folder = Path(task.origin.folder_of("judge")).parent
    if named.endswith((".yaml", ".yml")):
        return find_judge(str(folder / named), roots)
    return find_judge(named, roots)


def _free(names: Sequence[str], roots: Sequence[Path]) -> list[JudgeSpec]:
    """Return the judges among `names`; the others must be seats of a panel that is."""
    known = judge_names(roots)
    specs = [find_judge(name, roots) for name in names if name in known or name.endswith(".yaml")]
    if specs or not names:
        return specs
    panels = [find_judge(name, roots) for name in known]
    return [spec for spec in panels if spec.members and set(names) <= set(_seat_names(spec))][:1]


def _seat_names(spec: JudgeSpec) -> tuple[str, ...]:
    return tuple(seat for seat, _ in spec.members)


def seat_models(spec: JudgeSpec, models: Mapping[str, ModelSpec]) -> Assigned | str:
    """Return the judge with its models, or which flag is missing."""
    members = spec.members or ((spec.name, spec),)
    seats = []
    for seat, member in members:
        model = models.get(seat, models.get(spec.name))
        if model is None:
            return f"needs a judge: --judge {seat}=provider/name"
        seats.append((seat, member, with_address(model)))
    return Assigned(spec, tuple(seats))


def with_address(model: ModelSpec) -> ModelSpec:
    """Read `provider/name@http://…`: a judge's own endpoint stands behind its name."""
    name, at, address = model.name.partition("@http")
    if not at or model.base_url is not None:
        return model
    return _replace(model, name=name, base_url=f"http{address}")


# ---- asking them ----------------------------------------------------------------------------


@dataclass
class Crew:
    """Judges' models, opened when first asked; close it when done."""

    opener: Opener
    store: ResponseStore | None
    rules: SendRules
    truth: Truth = by_reference
    """For scripted judges."""
    known: dict[str, tuple[JudgeSpec, Item]] = field(default_factory=dict)
    """Items being judged, for scripted judges."""
    _open: dict[str, tuple[Backend, LocalExecutor]] = field(default_factory=dict)

    def executor(self, model: ModelSpec) -> tuple[Backend, LocalExecutor]:
        """Return the backend of a model and what drives conversations against it."""
        key = content_key([model.label, model.base_url, model.arguments])
        if key not in self._open:
            backend = self._backend(model)
            sender = Sender(backend, self.store, self.rules)
            self._open[key] = (backend, LocalExecutor(sender, workers=1))
        return self._open[key]

    def _backend(self, model: ModelSpec) -> Backend:
        if model.provider == "scripted":

            def truth(item: Item, answer: str) -> float:
                return self.truth(item, answer)  # an audit sets it once its probes are made

            return ScriptedJudge(model.name, model.arguments, self.known, truth)
        return self.opener(model)

    async def judge(self, assigned: Assigned, item: Item, repeat: int = 0) -> Judged:
        """Return what a judge, or a panel of them, makes of an item."""
        votes = await asyncio.gather(
            *(self._hear(seat, spec, model, item, repeat) for seat, spec, model in assigned.seats)
        )
        if not assigned.judge.members:
            return votes[0]
        models = ", ".join(dict.fromkeys(model.label for _, _, model in assigned.seats))
        return combine(votes, assigned.judge.file.combine, models)

    async def _hear(
        self, seat: str, spec: JudgeSpec, model: ModelSpec, item: Item, repeat: int
    ) -> Judged:
        backend, executor = self.executor(model)
        price = (0.0, 0.0) if model.provider in ("embedded", "scripted", "python") else None
        sitting = Seat(model.label, backend.capabilities, repeat, price, seat)
        item = _replace(item, key=f"{item.key}#{seat}#{repeat}")
        self.known[item.key] = (spec, item)
        talk = _as_conversation(judge(spec, item, sitting))
        outcome = await executor.converse(Sample("judge", item.key, item.question), talk)
        self.known.pop(item.key, None)
        if outcome.failure is not None:
            return failed(spec, sitting, f"{outcome.failure.kind}: {outcome.failure.message}")
        assert outcome.transcript is not None
        found: Judged = outcome.transcript.facts["judged"]
        return found

    def spent(self) -> Usage:
        """Return what all judges together have sent and spent."""
        total = Usage()
        for _, executor in self._open.values():
            one = executor.usage
            for name in ("requests", "cached", "retries", "prompt_tokens", "completion_tokens",
                         "reasoning_tokens"):  # fmt: skip
                setattr(total, name, getattr(total, name) + getattr(one, name))
            for kind, count in one.failures.items():
                total.failures[kind] = total.failures.get(kind, 0) + count
        return total

    async def close(self) -> None:
        """Close every backend that was opened."""
        for backend, _ in self._open.values():
            await backend.close()


def _as_conversation(talk: Any) -> Generator[Any, Any, Transcript]:
    found = yield from talk
    return Transcript(facts={"judged": found})


# ---- the judges of a run --------------------------------------------------------------------


@dataclass
class Bench:
    """Judges what no program could decide, as the samples of a run come in."""

    assigned: Mapping[str, Assigned]
    """By task."""
    scorers: Mapping[tuple[str, str], Scorer]
    crew: Crew
    model: ModelSpec
    """Under test."""
    _scores: dict[str, Score] = field(default_factory=dict)
    _tally: dict[str, list[int]] = field(default_factory=dict)
    _votes: dict[str, list[list[float | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open every judge's model, so that a misspelt one is told before anything is asked."""
        for assigned in self.assigned.values():
            for _, _, model in assigned.seats:
                self.crew.executor(model)

    async def settle(self, outcome: Outcome) -> None:
        """Score one sample, asking the judge where there is one and a program cannot tell."""
        sample = outcome.sample
        assigned = self.assigned.get(sample.task)
        if assigned is None:
            return
        score = self.scorers[sample.task, sample.arm](outcome)
        if undecided(score):
            found = await self.crew.judge(assigned, item_of(outcome, score, assigned.judge))
            self._count(assigned, found)
            score = with_verdict(score, found)
        self._scores[sample_tag(sample)] = score

    def score(self, outcome: Outcome) -> Score:
        """Return the score of a settled sample."""
        sample = outcome.sample
        settled = self._scores.pop(sample_tag(sample), None)
        return settled or self.scorers[sample.task, sample.arm](outcome)

    def _count(self, assigned: Assigned, found: Judged) -> None:
        name = assigned.judge.name
        tally = self._tally.setdefault(name, [0, 0])
        tally[found.value is None] += 1
        if assigned.judge.members:
            seats = [seat for seat, _, _ in assigned.seats]
            votes = self._votes.setdefault(name, [[] for _ in seats])
            given = {verdict.judge: verdict.score for verdict in found.verdicts}
            for column, seat in zip(votes, seats, strict=True):
                column.append(given.get(seat))

    def record(self) -> dict[str, Any]:
        """Return what run.json says of the judges; empty where there are none."""
        out: dict[str, Any] = {}
        for assigned in self.assigned.values():
            name = assigned.judge.name
            given, missing = self._tally.get(name, [0, 0])
            share = missing / (given + missing) if given + missing else 0.0
            out[name] = {
                "hash": assigned.hash,
                "mode": assigned.judge.mode,
                "models": {seat: self._info(model) for seat, _, model in assigned.seats},
                "judged": given,
                "missing": missing,
                "missing_share": share,
                "unreliable": share > UNRELIABLE,
                "judges_itself": any(_same(self.model, m) for _, _, m in assigned.seats),
                "usage": msgspec.to_builtins(self.crew.spent()),
            }
            if name in self._votes:
                out[name]["effective_judges"] = effective_judges(self._votes[name])
        return {"judges": out} if out else {}

    def _info(self, model: ModelSpec) -> Any:
        return msgspec.to_builtins(self.crew.executor(model)[0].info)


def _same(one: ModelSpec, other: ModelSpec) -> bool:
    return (one.label, one.base_url) == (other.label, other.base_url)


def item_of(outcome: Outcome, score: Score, spec: JudgeSpec) -> Item:
    """Return what a judge is shown of a sample: only the extracted answer of what was said.

    A pairwise judge compares it with the first accepted answer.
    """
    sample = outcome.sample
    paired = spec.mode == "pairwise" and bool(sample.target)
    return Item(
        question=sample.input,
        answer=score.answer or "",
        reference=sample.target,
        other=sample.target[0] if paired else None,
        context=str(sample.fields.get("context", "")),
        language=sample.language,
        key=content_key(sample_tag(sample)),
    )
