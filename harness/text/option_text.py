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
    pattern = _pattern(choices)
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
        if allowed and len({quote.lastgroup for quote in allowed}) == 1:
            quote = allowed[-1]
            name = str(quote.lastgroup)
            return Extraction(name, "letter:text", quote.start(), quote.end(), name)
    return None


def _pattern(choices: Sequence[str]) -> re.Pattern[str] | None:
    """Return the pattern of all option texts, longest first, in groups named by letter.

    A text that two options share names neither.
    """
    texts = [prepare(choice).strip().rstrip(".。") for choice in choices[: len(options.LETTERS)]]
    folded = [text.casefold() for text in texts]
    usable = [
        (text, options.letter(i))
        for i, text in enumerate(texts)
        if text and len(text) <= MAX_TEXT and folded.count(folded[i]) == 1
    ]
    if not usable:
        return None
    usable.sort(key=lambda option: len(option[0]), reverse=True)
    body = "|".join(f"(?P<{name}>{_bounded(text)})" for text, name in usable)
    return re.compile(body, re.IGNORECASE)


def _bounded(text: str) -> str:
    """Return a pattern for the text that does not match inside a longer word or number."""
    before = r"(?<![A-Za-z0-9])(?<![0-9][.,])" if text[0].isascii() and text[0].isalnum() else ""
    after = r"(?![A-Za-z0-9]|[.,][0-9])" if text[-1].isascii() and text[-1].isalnum() else ""
    return before + re.escape(text) + after
