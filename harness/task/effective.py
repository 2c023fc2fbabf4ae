"""What is asked under one arm: a task with the arm's changes in place, and its hashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from harness.errors import UnknownName
from harness.identity import content_key
from harness.task.spec import Arm, Shots, TaskSpec

_NOT_MEASURED = frozenset(
    {"title", "about", "tags", "include", "source", "licence", "perturb", "arms", "origin"}
)
"""Keys that change no score, and so no hash."""
_PROMPT = ("system", "prompt", "messages", "choices", "shots", "generation", "interaction")


class RenderOverrides(Struct, frozen=True):
    """What the command line says over the task and its arm."""

    shots: int | None = None
    system: str | None = None
    generation: Mapping[str, Any] = {}


def effective(task: TaskSpec, arm: str = "default") -> TaskSpec:
    """Return `task` as it stands under `arm`; raises `UnknownName`.

    `default` is the task itself unless it has an arm of that name.
    """
    changes = task.arms.get(arm)
    if changes is None:
        if arm != "default":
            raise UnknownName(f"arm of {task.task}", arm, task.arm_names)
        return task
    new: dict[str, Any] = {}
    for name in ("system", "interaction", "extract"):
        if getattr(changes, name) is not UNSET:
            new[name] = getattr(changes, name)
    new |= _asking(changes)
    if changes.generation is not UNSET:
        new["generation"] = {**task.generation, **changes.generation}
    if changes.shots is not UNSET:
        over = {
            k: v for k in Shots.__struct_fields__ if (v := getattr(changes.shots, k)) is not UNSET
        }
        new["shots"] = msgspec.structs.replace(task.shots, **over)
    return msgspec.structs.replace(task, **new)


def _asking(changes: Arm) -> dict[str, Any]:
    """A prompt takes the place of the task's messages, and the reverse."""
    if changes.prompt is not UNSET:
        return {"prompt": changes.prompt, "messages": ()}
    if changes.messages is not UNSET:
        return {"messages": changes.messages, "prompt": None}
    return {}


def with_overrides(task: TaskSpec, overrides: RenderOverrides) -> TaskSpec:
    """Return `task` with what the command line says in place."""
    new: dict[str, Any] = {}
    if overrides.shots is not None:
        new["shots"] = msgspec.structs.replace(task.shots, count=overrides.shots)
    if overrides.generation:
        new["generation"] = {**task.generation, **overrides.generation}
    return msgspec.structs.replace(task, **new) if new else task


def hashes(
    task: TaskSpec, arm: str = "default", overrides: RenderOverrides | None = None
) -> dict[str, str]:
    """Return the hashes of the task, its prompt and its extractors under `arm`.

    `task` covers all that can change a score; title, tags, source and the like stay out, and so
    do the other arms. The rows have their own hash (`RowSet.data_hash`).
    """
    overrides = overrides or RenderOverrides()
    spec = with_overrides(effective(task, arm), overrides)
    content = msgspec.to_builtins(spec)
    kept = {key: value for key, value in content.items() if key not in _NOT_MEASURED}
    prompt = {key: content[key] for key in _PROMPT if key in content}
    if overrides.system is not None:
        kept["system"] = prompt["system"] = {"literal": overrides.system}
    return {
        "task": content_key(kept),
        "prompt": content_key(prompt),
        "extractor": content_key(content.get("extract", [])),
    }
