"""Two languages at once: every text is written in both, and a style rule shows one."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup, escape

from harness.errors import UnknownName
from harness.report.words import WORDS


class Said(NamedTuple):
    """The same thing in English and in Chinese, as plain text."""

    en: str
    zh: str

    def __html__(self) -> str:
        """Return both, escaped; used by the templates."""
        if self.en == self.zh:
            return str(escape(self.en))
        return str(
            Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh">{}</span>').format(
                self.en, self.zh
            )
        )

    def __add__(self, other: object) -> Said:  # type: ignore[override]
        """Join two texts; Chinese sentences need no space between them."""
        if not isinstance(other, Said):
            return NotImplemented
        gap = " " if self.en and other.en else ""
        return Said(self.en + gap + other.en, self.zh + other.zh)


NOTHING = Said("", "")


def say(key: str, **values: object) -> Said:
    """Return the text of `key` with its places filled; a value may itself be Said.

    Raises UnknownName for a key that words.py does not have.
    """
    if key not in WORDS:
        raise UnknownName("text", key, list(WORDS))
    english, chinese = WORDS[key]
    if not values:
        return Said(english, chinese)
    sides = [
        {name: value[side] if isinstance(value, Said) else value for name, value in values.items()}
        for side in (0, 1)
    ]
    return Said(english.format(**sides[0]), chinese.format(**sides[1]))


def known(key: str, fallback: str) -> Said:
    """Return the text of `key`, or `fallback` in both languages where there is none."""
    return Said(*WORDS[key]) if key in WORDS else Said(fallback, fallback)
