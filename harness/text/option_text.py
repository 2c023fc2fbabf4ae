"""Find an option by its text, where no letter names it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.records import Extraction
from harness.text import options
from harness.text.negation import denied_option
from harness.text.numerals import prepare

MAX_TEXT = 500
"""Characters of the longest option that is looked for."""


def by_text(
    text: str, choices: Sequence[str], stretches: Sequence[tuple[int, int]]
) -> Extraction | None:
    """Return the option whose text stands in the last stretch that quotes exactly one.

    Case and width do not matter; denied quotations do not count. Where one option's text holds
    another's, the longer one is what was said.
    """
    pattern, texts = _pattern(choices)
    if pattern is None:
        return None
    for start, end in reversed(stretches):
        quotes = list(pattern.finditer(text, start, end))
        allowed = []
        for i, quote in enumerate(quotes):
            floor = quotes[i - 1].end() if i else 0
            ceiling = quotes[i + 1].start() if i + 1 < len(quotes) else len(text)
            if not denied_option(text, quote.start(), quote.end(), floor, ceiling):
                allowed.append(quote)
        if allowed and len({quote.group().casefold() for quote in allowed}) == 1:
            quote = allowed[-1]
            name = options.letter(texts[quote.group().casefold()])
            return Extraction(name, "letter:text", quote.start(), quote.end(), name)
    return None


def _pattern(choices: Sequence[str]) -> tuple[re.Pattern[str] | None, dict[str, int]]:
    """Return the pattern of all option texts, longest first, and their indexes."""
    texts: dict[str, int] = {}
    twice = set()
    for i, choice in enumerate(choices[: len(options.LETTERS)]):
        text = prepare(choice).strip().rstrip(".。").casefold()
        if text in texts:
            twice.add(text)
        if text and len(text) <= MAX_TEXT:
            texts[text] = i
    usable = sorted((text for text in texts if text not in twice), key=len, reverse=True)
    if not usable:
        return None, {}
    body = "|".join(_bounded(text) for text in usable)
    return re.compile(body, re.IGNORECASE), texts


def _bounded(text: str) -> str:
    """Return a pattern for the text that does not match inside a longer word or number."""
    before = r"(?<![A-Za-z0-9])(?<![0-9][.,])" if text[0].isascii() and text[0].isalnum() else ""
    after = r"(?![A-Za-z0-9]|[.,][0-9])" if text[-1].isascii() and text[-1].isalnum() else ""
    return before + re.escape(text) + after
