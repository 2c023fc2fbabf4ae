"""What runs were set to otherwise, read off their specs and records."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.report.model import RunData

Json = Mapping[str, Any]
SHOWN, LEAD = 60, 20
"""Characters of a setting's value, and of those before its first difference."""
SKIPPED = ("started_at", "finished_at", "wall_s", "name", "usage", "scored", "planned", "spec_hash")
"""What a record says of how a run went, not of how it was set."""


def changed_settings(runs: Sequence[RunData]) -> tuple[list[tuple[str, list[str]]], int]:
    """Return what the runs were set to otherwise, and how many settings agree."""
    known = [dict(_flat("", {**run.spec.get("spec", {}), **_kept(run.manifest)})) for run in runs]
    names = list(dict.fromkeys(name for one in known for name in one))
    rows = [(name, [one.get(name, "–") for one in known]) for name in names]
    changed = [(name, values) for name, values in rows if len(set(values)) > 1]
    return [(name, shown(values)) for name, values in changed], len(rows) - len(changed)


def _kept(manifest: Json) -> dict[str, Any]:
    """Return the part of run.json that says how a run was made, not how it went."""
    kept = {name: value for name, value in manifest.items() if name not in SKIPPED}
    if "model" in kept:
        kept["served"] = kept.pop("model")
    return kept | {"hashes": kept.pop("tasks", {})}


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), part)
        return
    yield name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def shown(values: Sequence[str]) -> list[str]:
    """Return values short enough for a table, cut so that what differs is in sight.

    >>> shown(["5", "7"]), shown(["a" * 99 + "1", "a" * 99 + "2"])[0]
    (['5', '7'], '…aaaaaaaaaaaaaaaaaaaa1')
    """
    if all(len(value) <= SHOWN for value in values):
        return list(values)
    start = max(0, len(os.path.commonprefix(list(values))) - LEAD)  # noqa: RUF071 - by character
    return [
        "…" * (0 < start < len(value))
        + value[start : start + SHOWN]
        + "…" * (len(value) > start + SHOWN)
        for value in values
    ]
