"""What perturbations that edit the input have in common: for whom they are, what they guard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.identity import CounterRandom
from harness.perturb.edit import Edit, answer_stretches, rewritten, speaks, unchanged
from harness.records import Sample


@dataclass(frozen=True)
class InputEdits(ABC):
    """A perturbation that replaces stretches of the input and spares what bears the answer."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["robustness", "fairness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = frozenset()
    """Empty: any language."""

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample with its input edited; unchanged in a language that is not for it."""
        if not speaks(self.languages, sample.language):
            return unchanged(sample, self.name)
        edits = self.edits(sample, rng)
        return rewritten(sample, self.name, edits, guarded=answer_stretches(sample))

    @abstractmethod
    def edits(self, sample: Sample, rng: CounterRandom) -> Iterable[Edit]:
        """Return what is to be replaced; edits that touch a protected stretch will be dropped."""
