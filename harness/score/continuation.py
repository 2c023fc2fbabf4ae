"""How well a text is continued or copied: exactly, and character by character."""

from __future__ import annotations

from harness.records import Outcome, Score
from harness.score.metric import MeanMetric
from harness.text.normalise import normalise

LONGEST = 1000
"""Characters of an answer that are compared; a longer one goes on about something else."""


def edit_distance(left: str, right: str) -> int:
    """Return the fewest insertions, deletions and exchanges between two texts (Levenshtein 1966).

    >>> edit_distance("kitten", "sitting")
    3
    """
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def similarity(left: str, right: str) -> float:
    """Return 1 - edit distance / length of the longer text: 1 for equal texts, 0 for no overlap.

    >>> similarity("abcd", "abxd"), similarity("", "")
    (0.75, 1.0)
    """
    longer = max(len(left), len(right))
    return 1.0 - edit_distance(left, right) / longer if longer else 1.0


def continued(answer: str, given: str, language: str) -> str:
    """Return the normalised answer without what was given, where it repeats that first.

    Marks, white space, case and English articles do not count.

    >>> continued("A stitch in time saves nine.", "A stitch in time", "en")
    'saves nine'
    """
    plain, start = normalise(answer, language), normalise(given, language)
    repeated = start and plain.startswith(start) and plain[len(start) :].strip()
    # "star" is not given where "start" is answered
    whole = language.startswith("zh") or plain[len(start) : len(start) + 1] == " "
    return plain[len(start) :].strip() if repeated and whole else plain


def _given(outcome: Outcome) -> str:
    return str(outcome.sample.fields.get("given", ""))


def _continuation(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    language, given = outcome.sample.language, _given(outcome)
    said = continued(score.answer, given, language)
    return float(any(said == normalise(target, language) for target in outcome.sample.target))


def _characters(outcome: Outcome, score: Score) -> float | None:
    if score.answer is None:
        return 0.0
    language = outcome.sample.language
    said = continued(score.answer, _given(outcome), language)[:LONGEST].replace(" ", "")
    wanted = (normalise(t, language).replace(" ", "") for t in outcome.sample.target)
    return max((similarity(said, target) for target in wanted), default=0.0)


CONTINUATION_MATCH = MeanMetric("continuation_match", "accuracy", _continuation)
"""The accepted continuation and nothing else; repeating what was given before it is no fault."""
CHARACTER_MATCH = MeanMetric("character_match", "accuracy", _characters, interval="mean")
"""Similarity by edit distance to the nearest accepted answer, in 0…1, without spaces and marks."""
