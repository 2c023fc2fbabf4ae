"""How many solved examples each arm of a run showed, and what else was asked besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.report.model import RunData
    from harness.task.spec import TaskSpec

Shots = dict[tuple[str, str, str], tuple[int, str]]
"""(run, task, arm) → number of examples, and a hash of everything else that can move a score."""


def shots_of(runs: Sequence[RunData]) -> Shots:
    """Return the examples of every run, task and arm whose task file is still the one that ran.

    Two entries of one hash differ in the number of examples alone, whether by an arm, by --shots,
    or by two task files.
    """
    from harness.errors import HarnessError
    from harness.task.catalogue import Catalogue

    catalogue = Catalogue()
    specs: dict[str, TaskSpec | None] = {}
    found: Shots = {}
    several = _asked_in_several_ways(runs)
    for run in runs:
        for task, recorded in _recorded(run):
            if recorded.get("data") not in several:
                continue  # one point makes no curve
            path = recorded.get("path") or task
            if path not in specs:
                try:
                    specs[path] = catalogue.resolve([path])[0].load()
                except HarnessError:  # the file is not at hand: nothing is known of its examples
                    specs[path] = None
            spec = specs[path]
            if spec is not None:
                found |= _of_task(run, task, spec, recorded)
    return found


def _recorded(run: RunData) -> list[tuple[str, Mapping[str, Any]]]:
    tasks = run.manifest.get("tasks") or {}
    return [(task, hashes) for task, hashes in tasks.items() if isinstance(hashes, dict)]


def _asked_in_several_ways(runs: Sequence[RunData]) -> set[object]:
    """Return the hashes of the data that two arms, two tasks or two settings asked about."""
    ways: dict[object, set[tuple[str, str, object]]] = {}
    for run in runs:
        setting = (run.spec.get("spec") or {}).get("shots")
        for task, recorded in _recorded(run):
            for arm in recorded.get("arms") or {}:
                ways.setdefault(recorded.get("data"), set()).add((task, arm, setting))
    return {data for data, found in ways.items() if len(found) > 1}


def _of_task(run: RunData, task: str, spec: TaskSpec, recorded: Mapping[str, Any]) -> Shots:
    import msgspec

    from harness.identity import content_key
    from harness.task.effective import RenderOverrides, effective, hashes, with_overrides
    from harness.task.spec import Shots as Examples

    settings = run.spec.get("spec") or {}
    said = RenderOverrides(
        shots=settings.get("shots"),
        system=settings.get("system"),
        generation=settings.get("generation") or {},
    )
    none, nameless = (
        msgspec.structs.replace(said, shots=0),
        msgspec.structs.replace(spec, task="", version=0, shots=Examples()),
    )
    found: Shots = {}
    for arm, known in (recorded.get("arms") or {}).items():
        if arm not in spec.arm_names or hashes(spec, arm, said)["task"] != known.get("task"):
            continue  # the file has changed since
        likeness = content_key([hashes(nameless, arm, none)["task"], recorded.get("data")])
        count = with_overrides(effective(spec, arm), said).shots.count
        found[run.name, task, arm] = (count, likeness)
    return found
