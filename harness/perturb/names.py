"""Given names, swapped for others of the same gender: the same question about someone else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.identity import CounterRandom
from harness.perturb.edit import (
    Edit,
    answer_texts,
    base_language,
    rewritten,
    speaks,
    unchanged,
    words,
)
from harness.perturb.people_list import NAMES
from harness.records import Sample

OPENERS = words(
    """
    When If Then After Before While Since Because And But Or So As Once Suppose Assume Given For
    With To From Does Did Do Is Was Has Had Can Could Will Would Should How Why What Where Who Whose
    Which Yesterday Today Tomorrow Although Though Let Now Later Next Finally First Both Only Even
    """
)
"""Words that may stand capitalised before a name without being part of it."""

_before = re.compile(r"([A-Za-z][\w'’-]*)(\.?)(?:[ \t]+|-)\Z")
_surname = re.compile(r"(?:\s+|-|\s*·\s*)(?:[A-Z]|v[ao]n\s|de\s|d[aiu]\s|the\s+[A-Z])")
_longer_zh = re.compile("[帽书旗花军马鱼薯枣豆包星虾虫狮熊·]")
"""What follows a Chinese name where it is the head of another word: 小红帽, 小龙虾, 小明星."""

TITLES = words("Mr Mrs Ms Miss Dr Prof St Sir Saint Lady Lord")


def _alone(text: str, match: re.Match[str]) -> bool:
    """Whether a name stands for someone unknown: no surname, no title, part of no longer name."""
    if _surname.match(text, match.end()):
        return False
    head = text[max(0, match.start() - 40) : match.start()]
    before = _before.search(head)
    if before is None or not before[1][0].isupper():
        return True
    if before[2]:  # a full stop ends a sentence, or a title's abbreviation
        return before[1] not in TITLES
    return before[1] in OPENERS


@dataclass(frozen=True)
class Names:
    """Gives people other given names of the same gender, the same person the same name throughout.

    A name stays where it bears on the answer (it stands in a target, an option or the scripted
    answers), where a surname or a title may make it someone known, or where an earlier turn or
    the system message has it too.
    """

    name: ClassVar[str] = "names"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["fairness"]] = "fairness"
    languages: ClassVar[frozenset[str]] = frozenset({"en", "zh"})

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:
        """Return the sample with other people in its input."""
        language = base_language(sample.language)
        if not speaks(self.languages, sample.language):
            return unchanged(sample, self.name)
        found = _found(sample.input, language)
        elsewhere = "\n".join(_elsewhere(sample)).lower()
        taken = {name for given in NAMES[language].values() for name in given}
        taken = {name for name in taken if name in sample.input or name.lower() in elsewhere}
        edits: list[Edit] = []
        for name, places in found.items():
            given = NAMES[language]["f" if name in NAMES[language]["f"] else "m"]
            fresh = [other for other in given if other not in taken]
            if fresh and name.lower() not in elsewhere and _free(sample, places):
                new = rng.choice(fresh)
                taken.add(new)
                edits += [Edit(*match.span(), new) for match in places]
        return rewritten(sample, self.name, edits)


def _elsewhere(sample: Sample) -> list[str]:
    """Return the texts in which a name would have to change too, or bears on the answer."""
    turns = [message.content for message in sample.messages if message.content != sample.input]
    answers = [*answer_texts(sample), sample.oracle or "", sample.wrong or ""]
    return [*answers, sample.system or "", *turns]


def _found(text: str, language: str) -> dict[str, list[re.Match[str]]]:
    """Return the listed names of `text` in order, each with its places; none that is not alone."""
    listed = [name for lists in NAMES[language].values() for name in lists]
    body = "|".join(sorted(listed, key=len, reverse=True))
    pattern = re.compile(body if language == "zh" else rf"\b(?:{body})\b")
    found: dict[str, list[re.Match[str]]] = {}
    shared: set[str] = set()
    for match in pattern.finditer(text):
        longer = language == "zh" and _longer_zh.match(text, match.end())
        if longer or (language == "en" and not _alone(text, match)):
            shared.add(match[0])
        found.setdefault(match[0], []).append(match)
    return {name: places for name, places in found.items() if name not in shared}


def _free(sample: Sample, places: list[re.Match[str]]) -> bool:
    """Whether no place of a name is protected: one person, one name."""
    return not any(
        start < match.end() and match.start() < end
        for match in places
        for start, end in sample.protected
    )
