"""A judge whose grades are listed in reverse: one that looks at the answer says the same."""

from __future__ import annotations

import re

from msgspec.structs import replace

from harness.judge.spec import JudgeSpec

SCALES = ("reference", "rubric", "expected")
"""Modes that show a list of grades."""


def turned(spec: JudgeSpec) -> JudgeSpec | None:
    """Return the judge with levels, verdicts, their meanings and examples in reverse order.

    None where it shows no list of grades; a panel is turned where all of its members can be.
    """
    if spec.members:
        members = [(seat, turned(member)) for seat, member in spec.members]
        if any(member is None for _, member in members):
            return None
        return replace(spec, members=tuple((seat, one) for seat, one in members if one))
    if spec.mode not in SCALES:
        return None
    file = spec.file
    reverse = replace(
        file,
        verdicts=dict(reversed(file.verdicts.items())),
        levels=dict(reversed(file.levels.items())),
        examples=tuple(reversed(file.examples)),
        criteria=_reversed_meanings(file.criteria, spec.offered),
    )
    return replace(spec, file=reverse)


def _reversed_meanings(criteria: str, offered: tuple[str, ...]) -> str:
    """Return criteria with the paragraphs that explain a grade each in reverse order.

    Criteria that are no list of `grade: meaning` stay as they are.
    """
    start = re.compile(rf"^(?:{'|'.join(map(re.escape, offered))}):", re.MULTILINE)
    places = [match.start() for match in start.finditer(criteria)]
    if len(places) != len(offered) or places[0] != 0:
        return criteria
    ends = [*places[1:], len(criteria)]
    parts = [criteria[a:b].strip("\n") for a, b in zip(places, ends, strict=True)]
    return "\n".join(reversed(parts))
