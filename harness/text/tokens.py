"""Tokens for overlap measures: words, and each ideograph by itself."""

from __future__ import annotations

import re

from harness.text.normalise import CJK, fold_width, normalise

_token = re.compile(f"[{CJK}]|(?:(?![{CJK}])[^\\W_])++(?:[.'’](?:(?![{CJK}])[^\\W_])++)*+")


def tokens(text: str) -> list[str]:
    """Split into lower-case words and single CJK characters; punctuation is dropped.

    A point or an apostrophe inside a word keeps it whole ("3.5", "don't").

    >>> tokens("GPT模型 costs 3.5 dollars")
    ['gpt', '模', '型', 'costs', '3.5', 'dollars']
    """
    return _token.findall(fold_width(text).lower())


def overlap_tokens(text: str, language: str = "en") -> list[str]:
    """Return the tokens of the normalised text: what F1 and ROUGE compare.

    >>> overlap_tokens("The Eiffel Tower.")
    ['eiffel', 'tower']
    """
    return tokens(normalise(text, language))
