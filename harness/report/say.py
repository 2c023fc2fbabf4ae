"""Two languages at once: every text is written in both, and a style rule shows one."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from markupsafe import Markup, escape

from harness.errors import UnknownName

_BOTH = Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh">{}</span>')


class Said(NamedTuple):
    """The same thing in English and in Chinese, as plain text."""

    en: str
    zh: str

    def __html__(self) -> str:
        """Return both, escaped; used by the templates."""
        return str(escape(self.en) if self.en == self.zh else _BOTH.format(self.en, self.zh))

    def __add__(self, other: object) -> Said:
        """Join two texts; Chinese sentences need no space between them."""
        if not isinstance(other, Said):
            return NotImplemented
        gap = " " if self.en and other.en else ""
        return Said(self.en + gap + other.en, self.zh + other.zh)


NOTHING = Said("", "")


@cache
def words() -> dict[str, Said]:
    """Return every text of templates/words; a key stands in one file only.

    Raises ValueError where two files have the same key.
    """
    found: dict[str, Said] = {}
    folder = files("harness.report") / "templates" / "words"
    for file in sorted(folder.iterdir(), key=lambda path: path.name):
        pairs = tomllib.loads(file.read_text(encoding="utf-8"))
        if twice := found.keys() & pairs.keys():
            raise ValueError(f"{file.name}: keys that another file has: {', '.join(sorted(twice))}")
        found |= {key: Said(*pair) for key, pair in pairs.items()}
    return found


def say(key: str, **values: object) -> Said:
    """Return the text of `key` with its places filled; a value may itself be Said.

    Raises UnknownName for a key that no file of templates/words has.
    """
    found = words().get(key)
    if found is None:
        raise UnknownName("text", key, list(words()))
    if not values:
        return found
    english, chinese = (
        {name: value[side] if isinstance(value, Said) else value for name, value in values.items()}
        for side in (0, 1)
    )
    return Said(found.en.format(**english), found.zh.format(**chinese))


@cache
def task_words() -> dict[str, str]:
    """Return what files that come with the harness say of themselves, with its Chinese.

    Titles and descriptions of tasks, titles of judges.

    By the English text and not by the task's name: a task of somebody's own that has the name of
    one of ours keeps its own words, and a file whose words change loses the Chinese, not the truth.
    """
    file = files("harness.report") / "templates" / "tasks.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def told(text: str) -> Said:
    """Return what a task's or a judge's file says, with its Chinese where it is one of ours.

    >>> told("Fractions"), told("My own task")
    (Said(en='Fractions', zh='分数运算'), Said(en='My own task', zh='My own task'))
    """
    return Said(text, task_words().get(text, text))


def known(key: str, fallback: str) -> Said:
    """Return the text of `key`, or `fallback` in both languages where there is none."""
    return words().get(key, Said(fallback, fallback))
