"""Perturbations of Chinese: the other script, and slips of input by pinyin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import ClassVar, Literal

from harness.errors import UsageError
from harness.identity import CounterRandom
from harness.perturb.edit import Edit, rewritten, speaks, unchanged
from harness.perturb.homophones import HOMOPHONES
from harness.perturb.input_edits import InputEdits
from harness.perturb.letters import open_stretches
from harness.records import Sample


@cache
def converter(config: str, name: str) -> Callable[[str], str]:
    """Return OpenCC's conversion `config` (s2t, t2s); `name` is the perturbation that needs it.

    Kept once made, since reading its dictionaries takes a hundred times as long as a sample.

    Raises:
        UsageError: the package opencc is not installed.
    """
    try:
        opencc = import_module("opencc")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"perturbation '{name}' needs the package 'opencc'; pip install 'harness[zh]'"
        ) from error
    convert: Callable[[str], str] = opencc.OpenCC(config).convert
    return convert


def _converted(sample: Sample, name: str, convert: Callable[[str], str]) -> Sample:
    """Convert the input character for character, in its words, which decide how they change.

    Where the whole changes length, each stretch between protected ones is converted by itself.
    """
    text = sample.input
    new = convert(text)
    if len(new) == len(text):
        pairs = enumerate(zip(text, new, strict=True))
        return rewritten(sample, name, [Edit(at, at + 1, after) for at, (_, after) in pairs])
    stretches = open_stretches(text, list(sample.protected))
    edits = [Edit(start, end, convert(text[start:end])) for start, end in stretches]
    return rewritten(sample, name, edits)


@dataclass(frozen=True)
class Traditional:
    """Writes simplified characters as traditional ones, by OpenCC (extra `zh`)."""

    config: str = "s2t"

    name: ClassVar[str] = "traditional"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = frozenset({"zh"})

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:  # noqa: ARG002 - no chance in it
        """Return the sample in traditional characters."""
        if not speaks(self.languages, sample.language):
            return unchanged(sample, self.name)
        return _converted(sample, self.name, converter(self.config, self.name))


@dataclass(frozen=True)
class Simplified:
    """Writes traditional characters as simplified ones, by OpenCC (extra `zh`)."""

    config: str = "t2s"

    name: ClassVar[str] = "simplified"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["robustness"]] = "robustness"
    languages: ClassVar[frozenset[str]] = frozenset({"zh"})

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:  # noqa: ARG002 - as above
        """Return the sample in simplified characters."""
        if not speaks(self.languages, sample.language):
            return unchanged(sample, self.name)
        return _converted(sample, self.name, converter(self.config, self.name))


@dataclass(frozen=True)
class PinyinTypos(InputEdits):
    """Picks another character of the same sound, as a hasty writer does from an input method.

    Numerals, negations, and question words are in no group; two characters in a row never change.
    """

    rate: float = 0.1
    """Chance for each character that has a homophone in the table."""

    name: ClassVar[str] = "pinyin_typos"
    languages: ClassVar[frozenset[str]] = frozenset({"zh"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with homophones in its input."""
        edits: list[Edit] = []
        for at, character in enumerate(sample.input):
            group = HOMOPHONES.get(character)
            if group is None or rng.random() >= self.rate:
                continue
            new = rng.choice([other for other in group if other != character])
            if not edits or edits[-1].end < at:
                edits.append(Edit(at, at + 1, new))
        return edits
