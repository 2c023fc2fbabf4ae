"""Judges put to work: which task has which, their models, and what they say of an item.

Beside `pipeline.py` a composition of stages; `judged.py` puts them to a run's samples. A judge's
requests go to the judge's own backend, through the run's response store; its tokens and cost are
counted apart from those of the model under test, and judge by judge. The model under test never
judges itself unless it is named as the judge.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from harness.billing import schema_refused
from harness.errors import UnknownName, UsageError
from harness.identity import content_key
from harness.judge.item import Item
from harness.judge.metric import NAME, TOXICITY
from harness.judge.modes import Judged, Seat, failed, judge
from harness.judge.panel import combine
from harness.judge.scripted import ScriptedJudge, Truth, by_reference
from harness.judge.spec import JudgeSpec, find_judge, judge_names
from harness.protocols import Backend, ResponseStore
from harness.records import ModelSpec, Outcome, Response, Sample, Score, Transcript
from harness.run.local import Limits, LocalExecutor
from harness.run.policy import Price, Usage
from harness.run.rate import terms_of
from harness.run.sender import Sender, SendRules
from harness.score.toxicity import TOXICITY_LEXICON
from harness.task.catalogue import default_roots
from harness.task.spec import TaskSpec
from harness.yamlfile import SUFFIXES

_replace = msgspec.structs.replace
AT_ONCE = 256
"""Items under way at most; how many requests are in flight is the sender's business."""
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

    @property
    def names(self) -> tuple[str, ...]:
        """What its verdicts may be signed with: its name, its seats', and a panel's."""
        panel = ("panel",) if self.judge.members else ()
        seats = (seat for seat, _, _ in self.seats)
        return tuple(dict.fromkeys((self.judge.name, *seats, *panel)))


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges one task."""

    main: Assigned | None = None
    """Decides what no program can."""
    beside: tuple[Assigned, ...] = ()
    """Judge something else of every text, such as its toxicity."""
    lacking: str | None = None
    """Why nobody can, in words: which flag is missing."""


NOBODY = Judges()


# ---- which task has which judge -------------------------------------------------------------


def assign(tasks: Sequence[TaskSpec], models: Mapping[str, ModelSpec]) -> dict[str, Judges]:
    """Return the judges of every task.

    A task's own judge takes the models named after it or after its seats. A judge that was given
    a model and that no task asks for judges the tasks without one of their own, and those whose
    own was given no model. A judge of another metric judges every text beside these.
    """
    roots = judge_roots()
    files = {name: find_judge(name, roots) for name in models if name.endswith(SUFFIXES)}
    models = {files[name].name if name in files else name: one for name, one in models.items()}
    own = {task.task: _own(task, roots) for task in tasks if task.judge is not None}
    asked = {name for spec in own.values() for name in (spec.name, *_seat_names(spec))}
    own_files = [spec for spec in files.values() if spec.name not in asked]
    taken = asked | {spec.name for spec in own_files}
    named = own_files + _free([name for name in models if name not in taken], roots)
    seated = {seat for spec in named for seat in (spec.name, *_seat_names(spec))}
    for name in models:
        if name not in asked | seated:
            raise UnknownName("judge", name, judge_names(roots))
    free = [spec for spec in named if spec.metric == NAME]
    if len(free) > 1:
        listed = ", ".join(spec.name for spec in free)
        raise UsageError(f"--judge: one judge for tasks without their own; got: {listed}")
    beside = tuple(_seated(spec, models) for spec in named if spec.metric != NAME)
    return {
        task.task: _judges(own.get(task.task), free[0] if free else None, beside, models)
        for task in tasks
        if task.method == "generate" or task.task in own
    }


def _judges(
    own: JudgeSpec | None,
    free: JudgeSpec | None,
    beside: tuple[Assigned, ...],
    models: Mapping[str, ModelSpec],
) -> Judges:
    mine = None if own is None else seat_models(own, models)
    if isinstance(mine, str) and (free is None or own is None or own.metric != NAME):
        return Judges(lacking=mine)
    if isinstance(mine, Assigned) and mine.judge.metric != NAME:
        beside, mine = (mine, *beside), None
    if (mine is None or isinstance(mine, str)) and free is not None:
        mine = _seated(free, models)
    return Judges(mine if isinstance(mine, Assigned) else None, beside)


def _seated(spec: JudgeSpec, models: Mapping[str, ModelSpec]) -> Assigned:
    found = seat_models(spec, models)
    if isinstance(found, str):
        raise UsageError(f"{spec.name} {found}")
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
    """Return the judges among `names`, and the panel whose seats the others are."""
    known = judge_names(roots)
    specs = [find_judge(name, roots) for name in names if name in known]
    seats = {name for name in names if name not in known}
    if seats:
        panels = [find_judge(name, roots) for name in known]
        specs += [one for one in panels if one.members and seats <= set(_seat_names(one))][:1]
    return specs


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


def no_price(model: ModelSpec, backend: Backend) -> Price | None:
    """Return what a model costs where nothing is known of prices: nothing for ours."""
    del backend
    return Price(0.0, 0.0) if model.provider in ("embedded", "scripted", "python") else None


@dataclass
class Crew:
    """Judges' models, opened when first asked; close it when done."""

    opener: Opener
    store: ResponseStore | None
    rules: SendRules
    truth: Truth = by_reference
    """For scripted judges."""
    price: Callable[[ModelSpec, Backend], Price | None] = no_price
    """None: not known."""
    known: dict[str, tuple[JudgeSpec, Item]] = field(default_factory=dict)
    """Items being judged, for scripted judges."""
    without_schema: Counter[str] = field(default_factory=Counter)
    """By judge: answers of servers that take no schema, replayed ones too."""
    _open: dict[str, tuple[Backend, Sender]] = field(default_factory=dict)
    _at_work: dict[tuple[str, str], LocalExecutor] = field(default_factory=dict)
    """By judge and model: each counts what it spends; one model's share their sender."""

    def executor(self, model: ModelSpec, judge: str = "") -> tuple[Backend, LocalExecutor]:
        """Return the backend of a model and what drives a judge's conversations against it."""
        key = content_key([model.label, model.base_url, model.arguments])
        if key not in self._open:
            opened = self._backend(model)
            rules = replace(self.rules, terms=terms_of(model))
            self._open[key] = (opened, Sender(opened, self.store, rules))
        backend, sender = self._open[key]
        if (judge, key) not in self._at_work:
            limits = Limits(price=self.price(model, backend))
            self._at_work[judge, key] = LocalExecutor(sender, 1, limits)
        return backend, self._at_work[judge, key]

    def _backend(self, model: ModelSpec) -> Backend:
        if model.provider == "scripted":

            def truth(item: Item, answer: str) -> float:
                if item.key in self.known and self.known[item.key][0].metric == TOXICITY.name:
                    return rudeness(item, answer)
                return self.truth(item, answer)  # an audit sets it once its probes are made

            return ScriptedJudge(model.name, model.arguments, self.known, truth)
        return self.opener(model)

    async def judge(self, assigned: Assigned, item: Item, repeat: int = 0) -> Judged:
        """Return what a judge, or a panel of them, makes of an item."""
        name = assigned.judge.name
        votes = await asyncio.gather(
            *(
                self._hear(name, Seat(model.label, name=seat, repeat=repeat), spec, model, item)
                for seat, spec, model in assigned.seats
            )
        )
        if not assigned.judge.members:
            return votes[0]
        models = ", ".join(dict.fromkeys(model.label for _, _, model in assigned.seats))
        return combine(votes, assigned.judge.file.combine, models)

    async def _hear(
        self, name: str, seat: Seat, spec: JudgeSpec, model: ModelSpec, item: Item
    ) -> Judged:
        backend, executor = self.executor(model, name)
        price = self.price(model, backend)
        sitting = _replace(
            seat,
            capabilities=backend.capabilities,
            price=None if price is None else (price.prompt, price.completion),
        )
        item = _replace(item, key=f"{item.key}#{name}#{seat.name}#{seat.repeat}")
        self.known[item.key] = (spec, item)
        talk = _as_conversation(judge(spec, item, sitting))
        outcome = await executor.converse(Sample("judge", item.key, item.question), talk)
        self.known.pop(item.key, None)
        self.without_schema[name] += sum(schema_refused(e.response) for e in outcome.exchanges)
        if outcome.failure is not None:
            return failed(spec, sitting, f"{outcome.failure.kind}: {outcome.failure.message}")
        assert outcome.transcript is not None
        found: Judged = outcome.transcript.facts["judged"]
        return found

    def spent(self, judge: str | None = None) -> Usage:
        """Return what one judge, or all of them together, have sent and spent."""
        return total(one.usage for (name, _), one in self._at_work.items() if judge in (None, name))

    async def close(self) -> None:
        """Close every backend that was opened."""
        for backend, _ in self._open.values():
            await backend.close()


def total(usages: Iterable[Usage]) -> Usage:
    """Return the sum; its cost is unknown as soon as one that was asked anything has none."""
    out = Usage()
    costs: list[float | None] = []
    for one in usages:
        for name in ("requests", "cached", "retries", "prompt_tokens", "cached_prompt_tokens",
                     "completion_tokens", "reasoning_tokens"):  # fmt: skip
            setattr(out, name, getattr(out, name) + getattr(one, name))
        for kind, count in one.failures.items():
            out.failures[kind] = out.failures.get(kind, 0) + count
        if one.requests or one.cost_usd is not None:
            costs.append(one.cost_usd)
    out.cost_usd = None if not costs or None in costs else sum(cost or 0.0 for cost in costs)
    return out


def rudeness(item: Item, answer: str) -> float:
    """Return 1 where a text holds an insult of our list: the truth of a scripted toxicity judge."""
    sample = Sample("judge", item.key, item.question, language=item.language)
    spoken = Outcome(sample, (), transcript=Transcript((Response(text=answer),)))
    return TOXICITY_LEXICON.score(spoken, Score("ok", output=answer)) or 0.0


def _as_conversation(talk: Any) -> Generator[Any, Any, Transcript]:
    found = yield from talk
    return Transcript(facts={"judged": found})
