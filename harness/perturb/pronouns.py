"""Gendered pronouns, swapped: the same question about a woman and about a man."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.identity import CounterRandom
from harness.perturb.edit import (
    Edit,
    answer_texts,
    base_language,
    cased_like,
    occurrences,
    rewritten,
    speaks,
    unchanged,
    words,
)
from harness.perturb.people_list import MEN, MEN_ZH, NAMES, WOMEN, WOMEN_ZH
from harness.records import Sample

FEMALE = {"she": "he", "hers": "his", "herself": "himself"}
MALE = {"he": "she", "him": "her", "himself": "herself"}
"""Those that mean one thing only; *her* and *his* depend on what follows."""

PRONOUN = re.compile(r"\b(?:she|hers|herself|her|he|him|himself|his)\b", re.IGNORECASE)
"""Word edges consume nothing, so first, last and adjacent words are all found."""

PRONOUN_ZH = re.compile("(?<![其吉维])(?:她|他(?![人国乡日处方山杀]))")
"""他 and 她 as pronouns; not in 其他, 吉他, 维他命, 他人, 他国 and the like."""

CLOSED = words(
    """
    a an the this that these those some any each every all both no and or but nor so yet if than
    then when while because since until unless although though as at by for from in into of off on
    onto out over to toward towards through under up upon with within without about above across
    after against along among around before behind below beneath beside between beyond down during
    except inside near outside past per is are was were be been am do does did has have had will
    would can could shall should may might must not who whom whose which what where why how there
    here today yesterday tomorrow tonight now again too also very well home away back soon later
    once twice alone together i you he she it we they him them me us my your his its our their
    """
)
"""Words that no possessive goes before: after *her* or *his* they show that it stood alone."""

PREPOSITION = words(
    """
    of with in on for from at by about under over near behind beside between into onto through
    after before without against around inside outside toward towards upon across along
    """
)

JOINING = words("and or but while when because if that as than")

TWO_OBJECTS = words(
    """
    give gives gave given giving tell tells told telling show shows showed shown send sends sent
    bring brings brought buy buys bought offer offers offered hand hands handed pass passes passed
    lend lends lent pay pays paid teach teaches taught cost costs owe owes owed promise promised
    ask asks asked wish wished make makes made making let lets see sees saw seeing seen hear hears
    heard watch watches watched feel feels felt help helps helped call calls called name named
    have has had get gets got find finds found leave leaves left keep keeps kept read reads wrote
    write writes sold sell sells cook cooked bake baked feed fed envy envied save saved cause
    """
)
"""Verbs after which *her duck* may be a person and a thing, or a person and what she does."""

OWNED = words(
    """
    mother father mom mum dad parents sister brother sisters brothers son daughter children child
    kids husband wife aunt uncle cousin friend friends grandmother grandfather family neighbor
    neighbour teacher boss dog dogs cat cats horse bird pet pets house room bed desk bag backpack
    car bike bicycle phone book books pencil pencils toys toy money job work school class shoes
    shoe hat coat dress shirt jacket hair eyes face hand hands head heart arm arms leg legs foot
    feet name birthday life homework lunch breakfast dinner office garden kitchen wallet purse
    keys glasses watch ring seat ticket turn shift speech team report notes patients students
    colleagues own favorite favourite best old new left right first last
    """
)

_word = re.compile(r"\s+([A-Za-z][A-Za-z'’-]*)")
_before = re.compile(r"([A-Za-z'’-]+)\s+\Z")


def _neighbour_words(text: str, match: re.Match[str]) -> tuple[str, str]:
    """Return the words just before and after, in small letters; empty at a mark or an edge."""
    after = _word.match(text, match.end())
    before = _before.search(text[max(0, match.start() - 40) : match.start()])
    return (before[1].lower() if before else ""), (after[1].lower() if after else "")


def counterpart(text: str, match: re.Match[str]) -> str | None:
    """Return the other gender's pronoun in small letters; None where *her* cannot be told.

    *Her* before a noun is *his*, elsewhere *him*; after a verb with two objects it is unclear
    ("saw her duck"). *His* alone is *hers*, before a noun *her*.
    """
    word = match[0].lower()
    if word in FEMALE or word in MALE:
        return FEMALE.get(word) or MALE[word]
    before, after = _neighbour_words(text, match)
    digit = re.compile(r"\s+\d").match(text, match.end()) is not None
    alone = not digit and (after == "" or after in CLOSED)
    if word == "his":
        return "hers" if alone else "her"
    if alone:
        return "him"
    if before == "" or before in PREPOSITION or before in JOINING:
        return "his" if not after.endswith("ly") else None
    if after in OWNED and before not in TWO_OBJECTS:
        return "his"
    return None


def tells_gender(text: str, language: str) -> bool:
    """Whether a name or a noun of `text` tells somebody's gender; pronouns are not asked."""
    if language == "zh":
        names = {*NAMES["zh"]["f"], *NAMES["zh"]["m"]}
        return any(told in text for told in WOMEN_ZH | MEN_ZH | names)
    found = set(re.findall(r"[A-Za-z]+", text))
    names = {*NAMES["en"]["f"], *NAMES["en"]["m"]}
    return bool(found & names) or bool({word.lower() for word in found} & (WOMEN | MEN))


def bears_on_answer(sample: Sample, language: str) -> bool:
    """Whether a pronoun may decide which answer is right.

    So it may where people are told apart by it: a name or a noun of the input tells a gender; an
    answer tells one, or stands in the input, so that the pronoun may refer to it.
    """
    texts = answer_texts(sample)
    answers = [*texts, sample.oracle or "", sample.wrong or ""]
    pronoun = PRONOUN_ZH if language == "zh" else PRONOUN
    if any(pronoun.search(one) or tells_gender(one, language) for one in answers):
        return True
    named = [one for one in texts if any(c.isalpha() for c in one)]
    return bool(occurrences(sample.input, named)) or tells_gender(sample.input, language)


@dataclass(frozen=True)
class GenderPronouns:
    """Swaps *he* and *she*, with all their forms, in one pass over the whole input.

    All pronouns change, or none: none where one is unclear or protected, where a pronoun may bear
    on the answer, or where earlier turns of a chat speak of the same people. *They* is left: it
    may be several.
    """

    name: ClassVar[str] = "gender_pronouns"
    version: ClassVar[int] = 1
    changes: ClassVar[Literal["input"]] = "input"
    group: ClassVar[Literal["fairness"]] = "fairness"
    languages: ClassVar[frozenset[str]] = frozenset({"en", "zh"})

    def __call__(self, sample: Sample, rng: CounterRandom) -> Sample:  # noqa: ARG002 - no chance in it
        """Return the sample with the other pronouns in its input."""
        language = base_language(sample.language)
        if not speaks(self.languages, sample.language) or bears_on_answer(sample, language):
            return unchanged(sample, self.name)
        if any(turn.role != "system" for turn in sample.messages[:-1]):
            return unchanged(sample, self.name)
        edits = _swaps(sample.input, language)
        if edits is None:
            return unchanged(sample, self.name)
        swapped = rewritten(sample, self.name, edits)
        whole = len(swapped.spans) == len(edits)
        return swapped if whole else unchanged(sample, self.name)


def _swaps(text: str, language: str) -> list[Edit] | None:
    """Return an edit for each pronoun; None where one of them is unclear."""
    if language == "zh":
        found = PRONOUN_ZH.finditer(text)
        return [Edit(*match.span(), "他" if match[0] == "她" else "她") for match in found]
    edits: list[Edit] = []
    for match in PRONOUN.finditer(text):
        new = counterpart(text, match)
        if new is None:
            return None
        edits.append(Edit(*match.span(), cased_like(match[0], new)))
    return edits
