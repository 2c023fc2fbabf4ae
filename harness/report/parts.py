"""Views that wait packed in the page until somebody looks at them.

The board of many models and tasks has some tens of megabytes of task and run pages behind it. A
browser would build all of that before it answers; packed they are a tenth, and one is unpacked when
its address is opened. Small reports stay as they are, readable without scripts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from harness.report.blocks import packed

LARGE = 1_000_000
"""Characters of all views together from which on they are packed."""


@dataclass(frozen=True, slots=True)
class Part:
    """An element of the page: its tags, which stay, and what it holds."""

    head: str
    inside: str
    tail: str


def part(html: str) -> Part:
    r"""Return one rendered element in pieces.

    >>> part('<p class="a">text <b>bold</b></p>\n')
    Part(head='<p class="a">', inside='text <b>bold</b>', tail='</p>')
    """
    head, end, rest = html.strip().partition(">")
    inside, start, tail = rest.rpartition("</")
    return Part(head + end, inside, start + tail)


@dataclass(frozen=True, slots=True)
class Placed:
    """What goes where the parts stand, and the pieces to put beside it."""

    elements: list[Markup]
    pieces: dict[str, str]


def placed(parts: Iterable[Part], name: str, *, open_first: bool = False) -> Placed:
    """Return the parts whole, or packed where together they are large.

    `name` begins the names of the pieces; an element that waits for its piece names it. With
    `open_first` the first part stays whole: it is what people see first. Parts are taken one by
    one, so that no more than LARGE of them is ever held unpacked.
    """
    rest = iter(parts)
    held, size = [], 0
    for one in rest:
        held.append(one)
        size += len(one.inside)
        if size >= LARGE:
            break
    else:
        return Placed([_whole(one) for one in held], {})
    kept = held[:1] if open_first else []
    elements, pieces = [_whole(one) for one in kept], {}
    for place, one in enumerate(chain(held[len(kept) :], rest), len(kept)):
        piece = f"{name}{place}"
        pieces[piece] = packed(one.inside)
        elements.append(_markup(f'{one.head[:-1]} data-piece="{piece}">{one.tail}'))
    return Placed(elements, pieces)


def _whole(one: Part) -> Markup:
    return _markup(one.head + one.inside + one.tail)


def _markup(html: str) -> Markup:
    return Markup(html)  # noqa: S704 - from the templates, which escape
