"""Finds the stretches of an input that bear the answer, which no perturbation may touch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Spans = tuple[tuple[int, int], ...]

_NUMERAL = re.compile(r"[-\u2212+]?\d(?:[\d,.]*\d)?")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?\Z")
_MAX_FIELD = 200
"""Longer texts are passages, not answers: protecting one would leave nothing to perturb."""


def protected_spans(text: str, row: Mapping[str, Any], answers: Iterable[str]) -> Spans:
    """Return half-open stretches of `text`, sorted and apart from each other.

    They are: every numeral (a changed digit is another question), each number among the row's
    fields, and each of `answers` (targets and choices) and each text in a list of the row's
    (candidates, accepted answers), in any case, where it stands as whole words.
    """
    found = [match.span() for match in _NUMERAL.finditer(text)]
    words = {answer for answer in answers if answer and len(answer) <= _MAX_FIELD}
    words.update(_numbers(row), _listed(row))
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters change length, and positions would shift
        lowered = text
    for word in {word.lower() for word in words}:
        if word in lowered:
            found.extend(_occurrences(lowered, word))
    return _joined(found)


def _listed(row: Mapping[str, Any]) -> Iterator[str]:
    for value in row.values():
        if type(value) is list:
            for item in value:
                if type(item) is str and 0 < len(item) <= _MAX_FIELD:
                    yield item


def _numbers(row: Mapping[str, Any]) -> Iterator[str]:
    for value in row.values():
        if type(value) is int or type(value) is float:
            yield str(value)
        elif type(value) is str and len(value) <= _MAX_FIELD and _NUMBER.match(value):
            yield value


def _occurrences(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Yield where `word` stands; not inside a longer Latin word or number."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        before = text[start - 1 : start]
        after = text[end : end + 1]
        if not (_joins(before, word[0]) or _joins(word[-1], after)):
            yield start, end
        start = text.find(word, start + 1)


def _joins(left: str, right: str) -> bool:
    """Return whether two neighbours are of one word: both letters or digits, and not Chinese."""
    return left.isalnum() and right.isalnum() and left < "\u2e80" and right < "\u2e80"


def _joined(spans: list[tuple[int, int]]) -> Spans:
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return tuple(out)
