"""Contractions, both ways: *do not* ↔ *don't*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.identity import CounterRandom
from harness.perturb.edit import (
    Edit,
    cased_like,
    words,
)
from harness.perturb.input_edits import InputEdits
from harness.records import Sample

_NEGATED = (
    "are aren't, could couldn't, did didn't, do don't, does doesn't, had hadn't, has hasn't,"
    " have haven't, is isn't, should shouldn't, was wasn't, were weren't, would wouldn't,"
    " must mustn't, need needn't, will won't"
)
_SUBJECTS = {
    "am": "I",
    "are": "you we they",
    "have": "I you we they",
    "will": "I you he she it we they that there who",
    "is": "he she it that there who what where how when",
}
_ENDINGS = {"am": "'m", "are": "'re", "have": "'ve", "will": "'ll", "is": "'s"}


def _pairs() -> dict[str, str]:
    """Return the long form → the short form, in small letters but for *I*."""
    pairs = {"cannot": "can't", "let us": "let's"}
    for pair in _NEGATED.split(","):
        verb, short = pair.split()
        pairs[f"{verb} not"] = short
    for verb, subjects in _SUBJECTS.items():
        for subject in subjects.split():
            pairs[f"{subject} {verb}"] = subject + _ENDINGS[verb]
    return pairs


SHORT: Mapping[str, str] = _pairs()
LONG: Mapping[str, str] = {short: long for long, short in SHORT.items()}

_folded = {form.lower(): new for table in (SHORT, LONG) for form, new in table.items()}

_form = re.compile(
    r"(?<![\w'’-])(?:"
    + "|".join(
        re.escape(form).replace("'", "['’]").replace(r"\ ", "[ ]+")
        for form in sorted(_folded, key=len, reverse=True)
    )
    + r")(?![\w'’-])",
    re.IGNORECASE,
)
"""Any long or short form, as whole words; what stands beside it is not consumed."""

SUBJECTS = words("i you he she it we they there this that these those the a an")

PERFECT = re.compile(r"(?:\w{2,}(?:ed|en)|been|got|had|made|done|gone|become|lost|won|run|left)\Z")
"""After *'s*, a word that may make it *has*."""


def _next_word(text: str, end: int) -> str:
    match = re.compile(r"\s+([A-Za-z]+)").match(text, end)
    return match[1].lower() if match else ""


def _fits(text: str, match: re.Match[str]) -> bool:
    """Whether the other form is English here and means the same."""
    form = match[0].lower().replace("’", "'")
    follows = _next_word(text, match.end())
    if form.endswith("n't"):  # inverted: "Don't they run?" has no plain long form
        stated = follows in {"the", "a", "an"} and not _opens(text, match)
        return stated or follows not in SUBJECTS
    if form.endswith("'s"):
        return follows != "" and PERFECT.match(follows) is None
    if "'" not in form and not form.endswith("not"):  # "as it is." cannot be shortened
        return follows != ""
    return True


def _opens(text: str, match: re.Match[str]) -> bool:
    """Whether the form stands first in its sentence."""
    return re.search(r"(?:\A|[.?!:\n])\s*\Z", text[: match.start()]) is not None


@dataclass(frozen=True)
class Contractions(InputEdits):
    """Contracts what is written out and writes out what is contracted, in one pass.

    Left alone: *'d* (had or would), *'s* before what may be a participle (is or has).
    """

    rate: float = 1.0
    """Chance for each form."""

    name: ClassVar[str] = "contractions"
    languages: ClassVar[frozenset[str]] = frozenset({"en"})

    def edits(self, sample: Sample, rng: CounterRandom) -> list[Edit]:
        """Return the sample with the other forms in its input."""
        text = sample.input
        edits: list[Edit] = []
        for match in _form.finditer(text):
            if rng.random() < self.rate and _fits(text, match):
                key = " ".join(match[0].lower().replace("’", "'").split())
                edits.append(Edit(*match.span(), _cased(match[0], _folded[key])))
        return edits


def _cased(old: str, new: str) -> str:
    """As `cased_like`, knowing that *I* is always a capital and so says nothing of the case."""
    if re.match(r"I\b", old):
        rest = re.sub(r"[^A-Za-z]", "", old[1:])
        return new.upper() if rest.isupper() else new
    return cased_like(old, new)
