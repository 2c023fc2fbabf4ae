"""A mild mix: what text looks like that was typed in a hurry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from msgspec.structs import replace

from harness.identity import CounterRandom
from harness.perturb.edit import merged, speaks
from harness.perturb.letters import Lowercase
from harness.perturb.marks import Spaces
from harness.perturb.words import Misspellings
from harness.records import Sample

Step = Callable[[Sample, CounterRandom], Sample]


def in_turn(sample: Sample, rng: CounterRandom, *, steps: tuple[Step, ...], name: str) -> Sample:
    """Return the sample after all `steps`; its spans lead back to the sample as it came."""
    now = replace(sample, spans=())
    for step in steps:
        after = step(now, rng)
        now = replace(after, spans=merged(now.input, now.spans, after.spans))
    return replace(now, variant=name)


@dataclass(frozen=True)
class Mild:
    """Small letters, some misspellings, uneven spaces, all in one copy."""

    rate: float = 0.1
    """Chance for each word that is often misspelt."""
    longest: int = 3
    """Longest run of spaces."""

    name: ClassVar[str] = "mild"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample as if typed in a hurry."""
        steps: tuple[Step, ...] = ()
        if speaks(self.languages, sample.language):
            steps = (Lowercase(), Misspellings(rate=self.rate), Spaces(longest=self.longest))
        return in_turn(sample, rng, steps=steps, name=self.name)
