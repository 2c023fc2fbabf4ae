"""Turns rows into samples: what is asked, what counts as right, what must not be touched.

Knows nothing of models. Every template is compiled once; a sample is rendered when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile, UsageError, suggestion
from harness.identity import CounterRandom
from harness.records import Choice, Message, Sample, Shot
from harness.task.answers import Gold, chosen, options, turns
from harness.task.effective import RenderOverrides, effective, with_overrides
from harness.task.load import generation
from harness.task.protect import protected_spans
from harness.task.rows import Pool, RowSet
from harness.task.spec import Option, TaskSpec
from harness.template import Template, compile_template


class Compiled(Struct, frozen=True):
    """The templates of a task under one arm."""

    prompt: Template | None
    messages: tuple[tuple[str, Template], ...]
    """(role, content)."""
    chat: Template | None
    """One template that gives all turns."""
    choices: tuple[tuple[Template, Template | None], ...]
    """(text, context)."""
    menu: Template | None
    """One template that gives all options."""
    targets: tuple[Template, ...]
    system: Template | None
    cluster: Template | None
    oracle: Template | None
    wrong: Template | None


def compile_task(task: TaskSpec) -> Compiled:
    """Compile all templates of `task`; raises `InvalidFile` at the first that is wrong."""

    def make(text: Any, key: str) -> Template | None:
        return None if text is None else _template(task, text, key)

    menu = task.choices if isinstance(task.choices, str) else None
    listed = () if isinstance(task.choices, str) else task.choices
    chat = task.messages if isinstance(task.messages, str) else None
    spoken = () if isinstance(task.messages, str) else task.messages
    target = task.target
    many = target if isinstance(target, tuple) else () if target is None else (target,)
    return Compiled(
        prompt=make(task.prompt, "prompt"),
        messages=tuple(
            (turn.role, _template(task, turn.content, f"messages[{i}].content"))
            for i, turn in enumerate(spoken)
        ),
        chat=make(chat, "messages"),
        choices=tuple(_option(task, item, i) for i, item in enumerate(listed)),
        menu=make(menu, "choices"),
        targets=tuple(
            _template(task, item, f"target[{i}]" if isinstance(target, tuple) else "target")
            for i, item in enumerate(many)
        ),
        system=make(task.system, "system"),
        cluster=make(task.cluster, "cluster"),
        oracle=make(task.oracle, "oracle"),
        wrong=make(task.wrong, "wrong"),
    )


def _template(task: TaskSpec, text: Any, key: str) -> Template:
    place = task.origin.place(key)
    if isinstance(text, bool):
        text = str(text).lower()
    elif not isinstance(text, str):
        text = "{{ " + repr(text) + " }}"  # a number stays a number: `target: 1` is an index
    return compile_template(text, **place)


def _option(task: TaskSpec, item: Any, index: int) -> tuple[Template, Template | None]:
    if not isinstance(item, Option):
        return _template(task, item, f"choices[{index}]"), None
    key = f"choices[{index}]"
    context = None if item.context is None else _template(task, item.context, f"{key}.context")
    return _template(task, item.text, f"{key}.text"), context


class Asked(Struct, frozen=True):
    """What one row is when rendered alone, without examples."""

    input: str
    messages: tuple[Message, ...]
    choices: tuple[Choice, ...]
    gold: Gold


class Renderer:
    """Renders the samples of one task under one arm.

    Keeps the examples it has rendered, since many samples draw the same ones.
    """

    def __init__(
        self,
        task: TaskSpec,
        rowset: RowSet,
        arm: str = "default",
        overrides: RenderOverrides | None = None,
        *,
        protect: bool = True,
    ) -> None:
        """`protect`: look for the spans that no perturbation may touch, where any is to come."""
        overrides = overrides or RenderOverrides()
        self.task = with_overrides(effective(task, arm), overrides)
        self.rowset, self.arm, self.overrides = rowset, arm, overrides
        self.templates = compile_task(_placed(self.task, task, arm))
        self.generation = generation(self.task.generation, self.task.origin, "generation")
        self.slices = _slice_fields(self.task, rowset)
        self._examples = _Examples(self)
        self._protect = protect

    def __len__(self) -> int:
        return len(self.rowset.rows)

    def sample(self, index: int) -> Sample:
        """Return row `index` as a sample: epoch 0, variant original; raises `InvalidFile`."""
        row, sample_id = self.rowset.rows[index], self.rowset.ids[index]
        try:
            return self._sample(row, sample_id)
        except InvalidFile as error:
            raise _at_row(error, index) from error

    def cluster(self, index: int) -> str:
        """Return the cluster of row `index` without rendering the rest."""
        row = {} if self.templates.cluster is None else self.rowset.rows[index]
        return self.cluster_of(row, self.rowset.ids[index])

    def cluster_of(self, row: Mapping[str, Any], sample_id: str) -> str:
        """Return the cluster key of a row: its content where the task has none.

        Exact duplicates (ids with a counter) are one cluster: they are one question.
        """
        template = self.templates.cluster
        return sample_id.partition("-")[0] if template is None else template.render(row)

    def _sample(self, row: dict[str, Any], sample_id: str) -> Sample:
        asked = self.asked(row)
        cluster = self.cluster_of(row, sample_id)
        bearing = [choice.text for choice in asked.choices if choice.context is None]
        if not bearing and self.task.method != "perplexity":
            bearing = [] if asked.choices else list(asked.gold.target)
        return Sample(
            task=self.task.task,
            sample_id=sample_id,
            input=asked.input,
            target=asked.gold.target,
            choices=asked.choices,
            gold=asked.gold.index,
            method=self.task.method,
            language=self.task.language,
            system=self._system(row),
            shots=self._examples.draw(sample_id, cluster),
            messages=asked.messages,
            generation=self.generation,
            arm=self.arm,
            cluster=cluster,
            slices={name: str(row[name]) for name in self.slices if name in row},
            protected=protected_spans(asked.input, row, bearing) if self._protect else (),
            oracle=_maybe(self.templates.oracle, row),
            wrong=_maybe(self.templates.wrong, row),
            fields=row,
        )

    def asked(self, row: Mapping[str, Any]) -> Asked:
        """Return the row rendered without examples."""
        templates = self.templates
        choices = self._choices(row)
        messages: tuple[Message, ...] = ()
        if templates.chat is not None:
            messages = turns(templates.chat, row)
        elif templates.messages:
            messages = tuple(
                Message(role, content.render(row))  # type: ignore[arg-type]  # checked on loading
                for role, content in templates.messages
            )
        text = self._input(row, messages)
        place = self.task.origin.place("target")
        gold = chosen([t.value(row) for t in templates.targets], choices, place)
        return Asked(text, messages, choices, gold)

    def _input(self, row: Mapping[str, Any], messages: tuple[Message, ...]) -> str:
        if messages:
            last = next((m.content for m in reversed(messages) if m.role == "user"), None)
            if last is None:
                raise InvalidFile("no turn of the user", **self.task.origin.place("messages"))
            return last
        return "" if self.templates.prompt is None else self.templates.prompt.render(row)

    def _choices(self, row: Mapping[str, Any]) -> tuple[Choice, ...]:
        if self.templates.menu is not None:
            return options(self.templates.menu, row)
        return tuple(
            Choice(text.render(row), None if context is None else context.render(row))
            for text, context in self.templates.choices
        )

    def _system(self, row: Mapping[str, Any]) -> str | None:
        if self.overrides.system is not None:
            return self.overrides.system
        return _maybe(self.templates.system, row)


def _maybe(template: Template | None, row: Mapping[str, Any]) -> str | None:
    return None if template is None else template.render(row)


def _placed(spec: TaskSpec, task: TaskSpec, arm: str) -> TaskSpec:
    """Return `spec` with the places of the arm's own keys, so that errors lead there."""
    prefix = f"arms.{arm}."
    own = {k.removeprefix(prefix): p for k, p in task.origin.places.items() if k.startswith(prefix)}
    if not own:
        return spec
    origin = type(task.origin)(task.origin.path, {**task.origin.places, **own})

    return msgspec.structs.replace(spec, origin=origin)


def _slice_fields(task: TaskSpec, rowset: RowSet) -> tuple[str, ...]:
    """Return the fields named by `slices`, crosses taken apart, each once."""
    names: dict[str, str] = {}
    for i, item in enumerate(task.slices):
        for name in (item,) if isinstance(item, str) else item:
            names.setdefault(name, f"slices[{i}]")
    known: set[str] = set()
    for row in rowset.rows if names else ():
        known.update(row)
    for name, key in names.items():
        if name not in known:
            raise InvalidFile(
                f"no row has the field '{name}'{suggestion(name, known)}",
                **task.origin.place(key),
                allowed=", ".join(sorted(known)),
                got=name,
            )
    return tuple(names)


def _at_row(error: InvalidFile, index: int) -> InvalidFile:
    return InvalidFile(
        f"row {index + 1}: {error.problem}",
        path=error.path,
        line=error.line,
        key=error.key,
        allowed=error.allowed,
        got=error.got,
    )


class _Examples:
    """Draws solved examples: by (seed, sample id) alone, never the item or its cluster."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        shots = renderer.task.shots
        self.count, self.seed = shots.count, shots.seed
        rowset = renderer.rowset
        own = Pool(rowset.rows, rowset.ids)
        self.pool = own if shots.source is None else rowset.pools[shots.source]
        self._shots: dict[int, Shot] = {}
        self._clusters: dict[int, str] = {}

    def draw(self, sample_id: str, cluster: str) -> tuple[Shot, ...]:
        """Return the examples of one sample; raises `UsageError` where there are too few."""
        if self.count == 0:
            return ()
        content = sample_id[:16]  # an exact duplicate would give the answer away
        shots: list[Shot] = []
        for position in _positions(CounterRandom(self.seed, sample_id), len(self.pool.rows)):
            if self.pool.ids[position][:16] == content or self._cluster(position) == cluster:
                continue
            shots.append(self._shot(position))
            if len(shots) == self.count:
                return tuple(shots)
        raise UsageError(
            f"{self.renderer.task.task}: {self.count} examples asked for, but only "
            f"{len(shots)} rows are neither sample {sample_id} nor of its cluster; "
            "ask for fewer shots"
        )

    def _cluster(self, position: int) -> str:
        known = self._clusters.get(position)
        if known is None:
            row, row_id = self.pool.rows[position], self.pool.ids[position]
            known = self._clusters[position] = self.renderer.cluster_of(row, row_id)
        return known

    def _shot(self, position: int) -> Shot:
        shot = self._shots.get(position)
        if shot is None:
            asked = self.renderer.asked(self.pool.rows[position])
            if not asked.gold.target:
                raise InvalidFile(
                    "examples need a target", **self.renderer.task.origin.place("shots")
                )
            gold = asked.choices[asked.gold.index] if asked.gold.index is not None else None
            # an option with a context of its own is read after that, not after the prompt
            asks = asked.input if gold is None or gold.context is None else gold.context
            shot = Shot(asks, asked.gold.target[0], self._shown(asked))
            self._shots[position] = shot
        return shot

    def _shown(self, asked: Asked) -> tuple[str, ...]:
        """Return the options that stand below the question, where the method shows any."""
        shown = self.renderer.task.method == "choose"
        return tuple(choice.text for choice in asked.choices) if shown else ()


def _positions(random: CounterRandom, count: int) -> Any:
    """Yield all positions below `count` in random order, at the cost of those taken."""
    moved: dict[int, int] = {}
    for i in range(count):
        j = random.between(i, count - 1)
        yield moved.get(j, j)
        moved[j] = moved.get(i, i)
