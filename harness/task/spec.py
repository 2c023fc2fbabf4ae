"""What a task file may say. Data only: `load` reads it, `render` acts on it.

Each key of the file is a field here; `schema` turns them into JSON Schema for editors.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from harness.records import Method, Role

Text = str | int | float | bool
"""What may stand where a template or a constant is expected."""


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base: unknown keys are errors."""


class Data(_Part, frozen=True, kw_only=True):
    """Where rows come from: exactly one of `generator`, `file` and `hub`."""

    generator: str | None = None
    args: dict[str, Any] = {}
    """Of the generator."""
    seed: int = 0
    """Of the generator: two runs share their items unless `--data-seed` says otherwise."""
    file: str | None = None
    """JSONL, CSV or Parquet, relative to the task file."""
    hub: str | None = None
    """Name of a data set on the Hugging Face hub."""
    config: str | None = None
    split: str | None = None
    revision: str | None = None


class Turn(_Part, frozen=True, kw_only=True):
    """One turn of a chat; `content` is a template."""

    role: Role
    content: str


class Option(_Part, frozen=True, kw_only=True):
    """One option of a choice task; both are templates."""

    text: Text
    context: str | None = None
    """rank: stands in place of the prompt."""


class Shots(_Part, frozen=True, kw_only=True):
    """Solved examples before the question."""

    count: int = 0
    source: str | None = msgspec.field(default=None, name="from")
    """A file, or a split of the same hub data set; absent: the task's own rows."""
    seed: int = 0


class Named(_Part, frozen=True, kw_only=True):
    """A part of the harness called by name."""

    name: str
    args: dict[str, Any] = {}


class ArmShots(_Part, frozen=True, kw_only=True):
    """As `Shots`; what is absent stays as the task has it."""

    count: int | UnsetType = UNSET
    source: str | UnsetType | None = msgspec.field(default=UNSET, name="from")
    seed: int | UnsetType = UNSET


class Arm(_Part, frozen=True, kw_only=True):
    """One way of asking; what is absent stays as the task has it."""

    system: str | UnsetType | None = UNSET
    prompt: str | UnsetType = UNSET
    messages: str | tuple[Turn, ...] | UnsetType = UNSET
    shots: ArmShots | UnsetType = UNSET
    generation: dict[str, Any] | UnsetType = UNSET
    interaction: str | Named | UnsetType = UNSET
    extract: tuple[str | Named, ...] | UnsetType = UNSET


class TaskFile(_Part, frozen=True, kw_only=True):
    """All keys of a task file."""

    task: str
    """Name of the task; under tasks/ it equals the path."""
    version: int = 1
    """Raised when scores stop being comparable."""
    title: str = ""
    about: str = ""
    language: str = "en"
    tags: tuple[str, ...] = ()
    include: str | tuple[str, ...] = ()
    """Files whose keys stand in for those absent here."""
    data: Data
    system: str | None = None
    prompt: str | None = None
    messages: str | tuple[Turn, ...] = ()
    """Turns, or one template that gives a list of {role, content}."""
    choices: str | tuple[Text | Option, ...] = ()
    """Options, or one template that gives a list."""
    target: Text | tuple[Text, ...] | None = None
    """The right answer, or a list of accepted ones."""
    cluster: str | None = None
    """Template: samples of equal text are not independent. Absent: each stands alone."""
    method: Method = "generate"
    generation: dict[str, Any] = {}
    shots: Shots = Shots()
    interaction: str | Named | None = None
    """Absent: what suits the method."""
    arms: dict[str, Arm] = {}
    extract: tuple[str | Named, ...] = ()
    metrics: tuple[str | Named, ...] = ()
    """The first is primary."""
    judge: str | dict[str, Any] | None = None
    chance: float | str | None = None
    """What guessing scores: a number, or a rule."""
    oracle: Text | None = None
    wrong: Text | None = None
    slices: tuple[str | tuple[str, ...], ...] = ()
    """Fields to break results down by; a list is a cross."""
    perturb: tuple[str | Named, ...] = ()
    source: str | None = None
    licence: str | None = None


class Origin(Struct, frozen=True):
    """Where a task was read: for messages, and for paths relative to the file."""

    path: str = ""
    places: dict[str, tuple[str, int]] = {}
    """Dotted key to (file, line); an included key stands in another file."""

    def place(self, key: str) -> dict[str, Any]:
        """Return `path`, `line` and `key` for an `InvalidFile`."""
        near = key
        while near and near not in self.places:
            cut = max(near.rfind("."), near.rfind("["))
            near = near[:cut] if cut > 0 else ""
        path, line = self.places.get(near, (self.path, None))
        return {"path": path or None, "line": line, "key": key}

    def folder_of(self, key: str) -> str:
        """Return the file that holds `key`, against whose folder its paths are read."""
        return str(self.place(key)["path"] or "")


class TaskSpec(TaskFile, frozen=True, kw_only=True):
    """A task as loaded: its keys, and where they stand."""

    origin: Origin = Origin()

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Names of the arms, in order; ('default',) where the task has none."""
        return tuple(self.arms) or ("default",)

    @property
    def interaction_name(self) -> str:
        """Name of the interaction; what suits the method where the task names none."""
        if self.interaction is not None:
            return named(self.interaction).name
        by_method: dict[Method, str] = {"rank": "choices", "perplexity": "rolling"}
        return by_method.get(self.method, "single")


def named(item: str | Named) -> Named:
    """Return `item` as a name with arguments."""
    return Named(name=item) if isinstance(item, str) else item


Kind = Literal["generator", "file", "hub"]


def data_kind(data: Data) -> Kind:
    """Return which of the three sources `data` names (the loader made sure it is one)."""
    if data.generator is not None:
        return "generator"
    return "file" if data.file is not None else "hub"
