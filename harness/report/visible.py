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


_WHOLE = re.compile(r"<(script|style)\b.*?</\1>|<(svg|title)\b.*?</\2>|<[^>]*>", re.DOTALL)
_READ = re.compile(r'(?:aria-label|title|data-(?:label|why|tip)(?:-\w+)?)="[^"]*"')
"""Attributes that people read or hear; the others are names for the script and stay."""


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


def plainly(text: str) -> str:
    r"""Return a text in which each hidden character stands as its code point.

    >>> plainly("a\u202eb")
    'aU+202Eb'
    """
    return HIDDEN.sub(lambda found: f"U+{ord(found[0]):04X}", text)


def seen(html: str) -> str:
    r"""Return rendered HTML whose texts hide nothing, whatever name they came from.

    Names of models, runs and tasks stand in many places, in sentences too: it is done here, once.

    >>> seen('<p data-task="a\u202e" title="a\u202e">b\u202e</p>')
    '<p data-task="a\u202e" title="aU+202E">b<i class="ctl">U+202E</i></p>'
    """
    if not HIDDEN.search(html):
        return html
    out, at = [], 0
    for found in _WHOLE.finditer(html):
        out.append(_marked(html[at : found.start()]))
        out.append(_tag(found))
        at = found.end()
    return "".join(out) + _marked(html[at:])


def _marked(text: str) -> str:
    return HIDDEN.sub(lambda found: f'<i class="ctl">U+{ord(found[0]):04X}</i>', text)


def _tag(found: re.Match[str]) -> str:
    """Return a tag, a script or a picture: what is read in it is plain text."""
    if found[1]:
        return found[0]
    if found[2]:
        return plainly(found[0])
    return _READ.sub(lambda read: plainly(read[0]), found[0])
