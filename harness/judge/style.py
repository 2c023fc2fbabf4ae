"""What an answer looks like, counted: what a judge might like that is no quality."""

from __future__ import annotations

import re
from typing import NamedTuple

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_HEADER = re.compile(r"^#{1,6} ", re.MULTILINE)
_LIST = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
NAMES = ("length", "headers", "lists", "bold")


class Style(NamedTuple):
    """Length in characters and counts of markup, code blocks left out."""

    length: int
    headers: int
    lists: int
    bold: int


def style(text: str) -> Style:
    r"""Return the counts of a text.

    >>> style("# A\n- **b**\n- c")
    Style(length=15, headers=1, lists=2, bold=1)
    """
    bare = _CODE.sub("", text)
    return Style(
        length=len(bare),
        headers=len(_HEADER.findall(bare)),
        lists=len(_LIST.findall(bare)),
        bold=len(_BOLD.findall(bare)),
    )


def style_difference(first: Style, second: Style) -> tuple[float, float, float, float]:
    """Return (l_A-l_B)/(l_A+l_B) and (m_A-m_B)/(m_A+m_B+1) of the densities of markup.

    The covariates of arena-hard's style control; density is count/(length+1).
    """
    total = first.length + second.length
    length = (first.length - second.length) / total if total else 0.0
    markup = []
    for a, b in zip(first[1:], second[1:], strict=True):
        left, right = a / (first.length + 1), b / (second.length + 1)
        markup.append((left - right) / (left + right + 1))
    return (length, markup[0], markup[1], markup[2])
