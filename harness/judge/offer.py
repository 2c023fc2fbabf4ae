"""What people are offered when they label what a judge scores: the judge's own scale.

A label is then a number of the same meaning as the judge's score, 0 to 1, and a corrected score
is one of the same thing. A checklist is asked check by check.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile
from harness.judge.spec import Check, JudgeSpec


class Choice(Struct, frozen=True):
    """One label that can be given."""

    name: str
    value: float
    about: str = ""


class Offer(Struct, frozen=True):
    """Exactly one of `choices` and `checks` holds anything."""

    choices: tuple[Choice, ...] = ()
    checks: tuple[Check, ...] = ()
    """label = Σ points of what is answered yes / Σ positive points, clipped to 0…1."""


RIGHT_OR_WRONG = Offer(
    (Choice("right", 1.0), Choice("wrong", 0.0), Choice("not attempted", 0.0)),
)
"""Where no judge says otherwise."""
BETTER_OR_WORSE = Offer(
    (
        Choice("better than the accepted answer", 1.0),
        Choice("worse", 0.0),
        Choice("as good", 0.5),
    )
)


def offer(spec: JudgeSpec) -> Offer:
    """Return what a judge's scale offers; of a panel whose members differ, right or wrong."""
    if spec.members:
        offers = {offer(member) for _, member in spec.members}
        return offers.pop() if len(offers) == 1 else RIGHT_OR_WRONG
    match spec.mode:
        case "pairwise":
            return BETTER_OR_WORSE
        case "checklist":
            return Offer(checks=spec.file.items)
        case _:
            about = spec.file.levels
            return Offer(
                tuple(
                    Choice(name.replace("_", " "), spec.value(name), about.get(name, ""))
                    for name in spec.offered
                )
            )


def read_offer(scale: Any, path: Path, key: str) -> Offer:
    """Return the offer that a run recorded under `key` of the file `path`.

    Raises `InvalidFile` that names the key at fault: runs come from other people too.
    """
    try:
        found = msgspec.convert(scale, Offer)
    except msgspec.ValidationError as error:
        problem, _, at = str(error).partition(" - at `$")
        raise InvalidFile(problem, path=path, key=key + at.rstrip("`")) from error
    if bool(found.choices) == bool(found.checks):
        allowed = "either choices or checks"
        got = "both" if found.choices else "neither"
        raise InvalidFile("not a scale", path=path, key=key, allowed=allowed, got=got)
    names = [one.name for one in found.choices] + [one.name for one in found.checks]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidFile("a name stands twice", path=path, key=key, got=repr(twice))
    for i, choice in enumerate(found.choices):
        if not 0 <= choice.value <= 1:
            where = f"{key}.choices[{i}].value"
            got = f"{choice.value:g}"
            raise InvalidFile("not a score", path=path, key=where, allowed="0 to 1", got=got)
    points = [one.points for one in found.checks]
    if points and not (all(map(math.isfinite, points)) and max(points) > 0):
        allowed = "numbers, one of them above 0"
        raise InvalidFile("not the points of a checklist", path=path, key=f"{key}.checks",
                          allowed=allowed)  # fmt: skip
    return found
