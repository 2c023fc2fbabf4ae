"""Constraints on a text that a program checks: lengths, words, formats, language, order.

A row's field `constraints` lists them, each a mapping with its `kind` and the arguments of the
check of that name. What is checked is the model's last text as it stands, without its reasoning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from harness.records import Outcome, Score
from harness.score.metric import MeanMetric
from harness.text.normalise import CJK, strip_reasoning

LONGEST = 20_000
"""Characters of a text that are looked at."""

_word = re.compile(r"[A-Za-z0-9]+(?:['\u2019-][A-Za-z0-9]+)*")
_ideograph = re.compile(f"[{CJK}]")
_latin = re.compile("[A-Za-z]")
_sentence_end = re.compile(f"[.!?\u3002\uff01\uff1f]+[\"'\u201d\u2019\u300d)]*(?=\\s|$|[{CJK}])")
_bullet = re.compile(r"[-*\u2022\u00b7]\s+(?=\S)")
_numbered = re.compile(r"(\d{1,3})(?:[.)]\s+|[\u3001\uff0e]\s*)(?=\S)")
_fence = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)
_quotes = MappingProxyType({'"': '"', "\u201c": "\u201d", "\u300c": "\u300d"})
_commas = (",", "\uff0c", "\u3001")


def length_of(text: str, language: str) -> int:
    """Return the number of words, or in Chinese of characters without marks and Latin letters.

    >>> length_of("It isn't far.", "en"), length_of("山高水远。", "zh")
    (3, 4)
    """
    return len((_ideograph if language == "zh" else _word).findall(text))


def sentences_of(text: str) -> int:
    """Return the number of sentences: stretches that end in a full stop, !, ? or with the text.

    >>> sentences_of("One. Two! And three"), sentences_of("一。二。")
    (3, 2)
    """
    parts = _sentence_end.sub("\n", text).splitlines()
    return sum(bool(re.search(r"\w", part)) for part in parts)


def items_of(text: str, style: str) -> list[str] | None:
    """Return the items of a list; None where a line is none, or numbers do not count from 1."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marker = _numbered if style == "numbered" else _bullet
    found = [marker.match(line) for line in lines]
    if not lines or not all(found):
        return None
    if style == "numbered" and [m.group(1) for m in found if m] != [
        str(i + 1) for i in range(len(lines))
    ]:
        return None
    return [line[m.end() :].strip() for line, m in zip(lines, found, strict=True) if m]


def object_of(text: str) -> dict[str, Any] | None:
    """Return the JSON object that is the whole text, fenced or not; None for anything else."""
    fenced = _fence.fullmatch(text.strip())
    try:
        value = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def has_word(text: str, word: str) -> bool:
    """Return whether a word stands in the text: whole and in any case; in Chinese, anywhere."""
    if _ideograph.search(word):
        return word in text
    return (
        re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", text, re.IGNORECASE) is not None
    )


def _trimmed(text: str) -> str:
    return text.strip().strip("\"'\u201c\u201d\u300c\u300d .!?\u3002\uff01\uff1f").lower()


def _length(text: str, low: int, high: int, language: str) -> bool:
    return low <= length_of(text, language) <= high


def _sentences(text: str, count: int) -> bool:
    return sentences_of(text) == count


def _include(text: str, words: Sequence[str]) -> bool:
    return all(has_word(text, word) for word in words)


def _avoid(text: str, words: Sequence[str]) -> bool:
    return not any(has_word(text, word) for word in words)


def _without(text: str, sign: str) -> bool:
    return sign.lower() not in text.lower()


def _no_commas(text: str) -> bool:
    return not any(comma in text for comma in _commas)


def _case(text: str, case: str) -> bool:
    letters = [c for c in text if c.isalpha() and c.lower() != c.upper()]
    return bool(letters) and all(c.isupper() == (case == "upper") for c in letters)


def _quoted(text: str) -> bool:
    bare = text.strip()
    return len(bare) > 1 and _quotes.get(bare[0]) == bare[-1]


def _starts(text: str, words: str) -> bool:
    return _trimmed(text).startswith(words.lower())


def _ends(text: str, words: str) -> bool:
    return _trimmed(text).endswith(words.lower())


def _items(text: str, count: int, style: str) -> bool:
    items = items_of(text, style)
    return items is not None and len(items) == count


def _item_length(text: str, high: int, style: str, language: str) -> bool:
    items = items_of(text, style)
    return items is not None and all(length_of(item, language) <= high for item in items)


def _sorted(text: str, style: str, by: str) -> bool:
    """By `alphabet`: no item before its left neighbour; by `length`: none shorter than it."""
    items = items_of(text, style)
    if items is None or len(items) < 2:  # noqa: PLR2004 - an order needs two
        return False
    keys: list[Any] = [length_of(i, "zh") if by == "length" else i.casefold() for i in items]
    return all(a <= b for a, b in pairwise(keys))


def _json(text: str, keys: Sequence[str]) -> bool:
    found = object_of(text)
    return found is not None and set(found) == set(keys)


def _key_order(text: str, keys: Sequence[str]) -> bool:
    found = object_of(text)
    return found is not None and [key for key in found if key in keys] == list(keys)


def _value_length(text: str, high: int, language: str) -> bool:
    found = object_of(text)
    return found is not None and all(
        isinstance(value, str) and 1 <= length_of(value, language) <= high
        for value in found.values()
    )


def _language(text: str, language: str) -> bool:
    chinese, latin = _ideograph.search(text), _latin.search(text)
    if language == "zh":
        return chinese is not None and latin is None
    return latin is not None and chinese is None


def _before(text: str, first: str, second: str) -> bool:
    plain = text.lower()
    places = plain.find(first.lower()), plain.find(second.lower())
    return has_word(text, first) and has_word(text, second) and places[0] < places[1]


Check = Callable[..., bool]
CHECKS: Mapping[str, tuple[str, Check]] = MappingProxyType({
    "length": ("length", _length),
    "sentences": ("length", _sentences),
    "items": ("length", _items),
    "item_length": ("length", _item_length),
    "value_length": ("length", _value_length),
    "include": ("words", _include),
    "avoid": ("words", _avoid),
    "without": ("words", _without),
    "case": ("format", _case),
    "no_commas": ("format", _no_commas),
    "quoted": ("format", _quoted),
    "starts": ("format", _starts),
    "ends": ("format", _ends),
    "json": ("format", _json),
    "language": ("language", _language),
    "sorted": ("order", _sorted),
    "key_order": ("order", _key_order),
    "before": ("order", _before),
})  # fmt: skip
"""Kind of constraint → what it is about, and its check."""


def check(text: str, constraint: Mapping[str, Any]) -> bool:
    """Return whether a text meets one constraint."""
    arguments = {name: value for name, value in constraint.items() if name != "kind"}
    return CHECKS[constraint["kind"]][1](text, **arguments)


def checked(outcome: Outcome) -> list[tuple[str, bool]] | None:
    """Return what each constraint of a sample is about and whether it is met; None without any."""
    constraints = outcome.sample.fields.get("constraints")
    transcript = outcome.transcript
    if not constraints or transcript is None or not transcript.responses:
        return None
    text = strip_reasoning(transcript.responses[-1].text)[:LONGEST]
    return [(CHECKS[c["kind"]][0], bool(text) and check(text, c)) for c in constraints]


def _share(about: str | None) -> Callable[[Outcome, Score], float | None]:
    def score(outcome: Outcome, _: Score) -> float | None:
        met = [ok for subject, ok in checked(outcome) or () if about in (None, subject)]
        return sum(met) / len(met) if met else None

    return score


def _all(outcome: Outcome, _: Score) -> float | None:
    found = checked(outcome)
    return None if found is None else float(all(ok for _, ok in found))


ALL_CONSTRAINTS = MeanMetric("all_constraints", "accuracy", _all)
"""Whether every constraint of the prompt is met."""
CONSTRAINTS_MET = MeanMetric("constraints_met", "accuracy", _share(None), interval="mean")
"""Share of the prompt's constraints that are met."""
LENGTH_MET = MeanMetric("length_met", "accuracy", _share("length"), interval="mean")
WORDS_MET = MeanMetric("words_met", "accuracy", _share("words"), interval="mean")
FORMAT_MET = MeanMetric("format_met", "accuracy", _share("format"), interval="mean")
LANGUAGE_MET = MeanMetric("language_met", "accuracy", _share("language"), interval="mean")
ORDER_MET = MeanMetric("order_met", "accuracy", _share("order"), interval="mean")
"""As `constraints_met`, over the constraints about one thing; None where a prompt has none."""
