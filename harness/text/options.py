"""Options of a choice task: their letters, and how they are listed in a prompt."""

from __future__ import annotations

from collections.abc import Sequence

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

STEMS = "甲乙丙丁戊己庚辛壬癸"
"""The heavenly stems, which name options in Chinese as letters do."""

CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"


def letter(index: int) -> str:
    """Return the letter of an option; raises ValueError beyond Z.

    >>> letter(1)
    'B'
    """
    if not 0 <= index < len(LETTERS):
        raise ValueError(f"an option needs an index from 0 to {len(LETTERS) - 1}, got {index}")
    return LETTERS[index]


def index(name: str) -> int:
    """Return the index of an option named by letter (either case), stem or circled digit.

    >>> index("丙"), index("b"), index("④")
    (2, 1, 3)
    """
    for names in (LETTERS, LETTERS.lower(), STEMS, CIRCLED):
        if len(name) == 1 and name in names:
            return names.index(name)
    raise ValueError(f"no option is named {name!r}")


def options_block(choices: Sequence[str]) -> str:
    r"""List options one a line, lettered from A.

    >>> options_block(["tea", "rice"])
    'A. tea\nB. rice'
    """
    return "\n".join(f"{letter(i)}. {text}" for i, text in enumerate(choices))
