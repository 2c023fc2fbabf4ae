"""What people are offered when they label what a judge scores: the judge's own scale.

A label is then a number of the same meaning as the judge's score, 0 to 1, and a corrected score
is one of the same thing. A checklist is asked check by check.
"""

from __future__ import annotations

from msgspec import Struct

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
