"""Lists as sets: what was asked for, what was left out, and what should have been."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.records import Outcome, Score
from harness.score.metric import MeanMetric
from harness.text.normalise import normalise

LONGEST = 5_000
"""Characters of an answer that are split into items."""

_marker = re.compile(r"^[^\S\n]*(?:[-*\u2022\u00b7]+|\d{1,3}[.)\u3001])[^\S\n]*", re.MULTILINE)
_breaks = re.compile(r"[,;\n\uff0c\uff1b\u3001]")
_and = re.compile(r"\s+and\s+|\s*&\s*")
_chinese_and = re.compile("[和与及]")
_lead = re.compile(r"^[^:\n]{0,80}:\s*(?=\S)|^[^:：\n]{0,40}：\s*")


def items_of(answer: str, language: str, known: Iterable[str] = ()) -> set[str]:
    """Return the items that an answer lists, normalised.

    Items stand on lines or between commas, the last perhaps after "and" (和); bullets, numbers,
    articles, marks and a heading that ends in a colon do not count. A piece equal to one of
    `known` is never split further.

    >>> sorted(items_of("Symptoms: 1. nausea, 2. a rash and chills.", "en"))
    ['chills', 'nausea', 'rash']
    """
    whole = {normalise(item, language) for item in known}
    found: set[str] = set()
    listed = _lead.sub("", answer[:LONGEST].replace("**", "").strip())
    for piece in _breaks.split(_marker.sub("", listed)):
        bare = _marker.sub("", piece.strip())
        if normalise(bare, language) in whole:
            parts = [bare]
        else:
            parts = (_chinese_and if language.startswith("zh") else _and).split(bare)
        found.update(normalise(re.sub(r"^and\s+", "", part.strip()), language) for part in parts)
    return found - {""}


def set_f1(answer: set[str], wanted: set[str]) -> float:
    """Return the F1 of two sets: 2 |A ∩ B| / (|A| + |B|); 1 where both are empty.

    >>> set_f1({"a", "b"}, {"b", "c"})
    0.5
    """
    total = len(answer) + len(wanted)
    return 2 * len(answer & wanted) / total if total else 1.0


def _sets(outcome: Outcome, score: Score) -> tuple[set[str], set[str], set[str]] | None:
    """Return what was answered, wanted and excluded; None where the row has no `items`."""
    fields, language = outcome.sample.fields, outcome.sample.language
    if "items" not in fields:
        return None
    items, excluded = list(fields["items"]), list(fields.get("excluded", ()))
    said = items_of(score.answer or "", language, [*items, *excluded])
    return (
        said,
        {normalise(item, language) for item in items},
        {normalise(item, language) for item in excluded},
    )


def _f1(outcome: Outcome, score: Score) -> float | None:
    found = _sets(outcome, score)
    return None if found is None else set_f1(found[0], found[1])


def _exact(outcome: Outcome, score: Score) -> float | None:
    found = _sets(outcome, score)
    return None if found is None else float(found[0] == found[1])


def _leaked(outcome: Outcome, score: Score) -> float | None:
    found = _sets(outcome, score)
    if found is None or not found[2]:
        return None
    return len(found[0] & found[2]) / len(found[2])


SET_F1 = MeanMetric("set_f1", "accuracy", _f1, interval="mean")
"""F1 of the set of items listed against the row's `items`."""
SET_EXACT = MeanMetric("set_exact", "accuracy", _exact)
"""Whether exactly the row's `items` are listed, in any order."""
EXCLUDED_LISTED = MeanMetric(
    "excluded_listed", "accuracy", _leaked, higher_is_better=False, interval="mean"
)
"""Share of the things to leave out (the row's `excluded`) that were listed all the same."""
