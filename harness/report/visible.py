"""Text from strangers, with what cannot be seen made visible."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, and those that reorder text or take no room: an output could hide in them.

Zero-width joiners stay: emoji and several scripts need them."""


def visible(text: str) -> Markup:
    r"""Return escaped text in which each hidden character stands as its code point.

    >>> str(visible("a<b\u202e"))
    'a&lt;b<i class="ctl">U+202E</i>'
    """
    out = Markup("")
    at = 0
    for found in HIDDEN.finditer(text):
        out += escape(text[at : found.start()])
        out += Markup('<i class="ctl">U+{}</i>').format(f"{ord(found[0]):04X}")
        at = found.end()
    return out + escape(text[at:])
