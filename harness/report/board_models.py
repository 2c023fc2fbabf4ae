"""What a board says of a model beside its numbers: size, weights, licence; what it filters by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.say import Said, known, say

Json = Mapping[str, Any]
SIZES = ((1e9, "small"), (1e10, "medium"), (1e11, "large"), (float("inf"), "huge"))
"""Parameters below a bound, and what they are called: under 1, 10, 100 billion, or more."""
UNKNOWN = "unknown"
PLAIN = re.compile(r"[\w.:@+() -]+")
AT_HAND = ("embedded", "hf", "llamacpp")
"""Providers whose weights lie on the disk: open, unless the record says otherwise."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a model is named and sorted out."""

    name: str
    """Without provider and owner."""
    notes: tuple[str, ...]
    """Provider with owner, and size, where known."""
    size: str
    weights: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One menu of choices."""

    name: str
    title: Said
    choices: tuple[tuple[str, Said], ...]
    """Value and label."""


def look_of(model: Json) -> Look:
    """Return how the model of a board's row is shown.

    >>> look_of({"model": "hf/org/a-7b", "facts": {"parameters": 7_615_616_512}}).notes
    ('hf/org', '7.6B')
    """
    facts = model.get("facts") or {}
    whole: str = model["model"]
    owner, _, name = whole.rpartition("/")
    if not PLAIN.fullmatch(name):  # no name that anybody would give: shown as it is
        owner, name = "", whole
    count = facts.get("parameters")
    size = amount(count) if isinstance(count, int) and count > 0 else ""
    return Look(
        name=name,
        notes=tuple(note for note in (owner, size) if note),
        size=size_class(count),
        weights=weights_of(whole.partition("/")[0], facts),
    )


def amount(count: int) -> str:
    """Write a number of parameters in two or three digits.

    >>> amount(58_992), amount(1_477_600), amount(124_439_808), amount(671_000_000_000)
    ('59K', '1.5M', '124M', '671B')
    """
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= unit:
            value = count / unit
            return f"{value:.1f}{name}" if value < 10 else f"{value:.0f}{name}"  # noqa: PLR2004
    return str(count)


def size_class(parameters: object) -> str:
    """Return the class of a number of parameters; unknown where there is none.

    >>> size_class(999_999_999), size_class(10**9), size_class(10**12), size_class(None)
    ('small', 'medium', 'huge', 'unknown')
    """
    if not isinstance(parameters, int | float) or parameters <= 0:
        return UNKNOWN
    return next(name for bound, name in SIZES if parameters < bound)


def weights_of(provider: str, facts: Json) -> str:
    """Return open, closed or unknown: as recorded, else by where the weights lie.

    >>> weights_of("openai", {}), weights_of("hf", {}), weights_of("hf", {"weights": "closed"})
    ('unknown', 'open', 'closed')
    """
    stated = facts.get("weights")
    if stated in ("open", "closed"):
        return str(stated)
    return "open" if provider in AT_HAND else UNKNOWN


def family_name(family: str) -> Said:
    """Return what a family of tasks is called: in English as tasks name it.

    >>> family_name("qa"), family_name("mine")
    (Said(en='qa', zh='问答'), Said(en='mine', zh='mine'))
    """
    return Said(family, known(f"family.{family}", family).zh)


def filters(board: Json) -> list[Filter]:
    """Return the menus of a board; what has no choice has no menu."""
    looks = [look_of(model) for model in board["models"]]
    tasks = board["tasks"]
    plain = {
        "model": [model["model"] for model in board["models"]],
        "family": sorted({task["task"].split("/", 1)[0] for task in tasks}),
        "language": sorted({task["language"] for task in tasks if task["language"]}),
        "tag": sorted({tag for task in tasks for tag in task["tags"]}),
    }
    classes = {
        "size": _present([name for _, name in SIZES], [look.size for look in looks]),
        "weights": _present(["open", "closed"], [look.weights for look in looks]),
    }
    found = {name: [(one, Said(one, one)) for one in values] for name, values in plain.items()}
    found["family"] = [(one, family_name(one)) for one in plain["family"]]
    found["language"] = [(one, known(f"language.{one}", one)) for one in plain["language"]]
    found |= {
        name: [(one, say(f"{name}.{one}")) for one in values] for name, values in classes.items()
    }
    return [
        Filter(name, say(f"filter.{name}"), tuple(choices))
        for name, choices in found.items()
        if len(choices) > 1
    ]


def _present(order: Sequence[str], found: Sequence[str]) -> list[str]:
    return [name for name in (*order, UNKNOWN) if name in found]
