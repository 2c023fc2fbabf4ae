"""Foreign text on a terminal: what could steer it is shown as its code point."""

from __future__ import annotations

import unicodedata

HIDDEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Unicode categories that are shown, not sent: controls, bidi marks, surrogates, separators."""


def printable(text: str, limit: int | None = None) -> str:
    r"""Return `text` on one line, with hidden characters as \\x1b or \\u202e, at most `limit` long.

    >>> printable("a\x1b[31mb\u202e")
    'a\\x1b[31mb\\u202e'
    """
    shown = "".join(
        character
        if unicodedata.category(character) not in HIDDEN
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def for_log(text: str, limit: int = 2000) -> str:
    r"""Return foreign text on one line for a terminal or a CI log; it can steer neither.

    A runner of GitHub Actions obeys "##[command]" wherever it stands in a line.

    >>> for_log("a ##[error]b\x1b[2J")
    'a # #[error]b\\x1b[2J'
    """
    return printable(" ".join(text.split()), limit).replace("##[", "# #[")
