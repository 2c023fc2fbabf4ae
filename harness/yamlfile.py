"""Reads a YAML file that a user or a stranger wrote: values, and the line each key stands on.

Knows nothing of what the keys mean. Follows the core schema of YAML 1.2, so that `no` is a word
and `12:30` is not a number. Tags, duplicate keys, merge keys and alias bombs are errors.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import InvalidFile

SUFFIXES = (".yaml", ".yml")
MAX_BYTES = 1_000_000
MAX_NODES = 100_000
"""Values in one file, each use of an alias counted with all that hangs on it."""
MAX_DEPTH = 40

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+\Z|0x[0-9a-fA-F]+\Z|0o[0-7]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_MAX_DIGITS = 4000
"""Python itself refuses to read integers of more than 4,300 digits."""


@dataclass(frozen=True)
class Document:
    """A mapping read from a file."""

    path: Path
    data: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)
    """From a dotted key (`shots.count`, `choices[0].text`) to the line its value starts on."""

    def line(self, key: str) -> int | None:
        """Return the line of `key`, or of the nearest key above it that has one."""
        while key and key not in self.lines:
            cut = max(key.rfind("."), key.rfind("["))
            key = key[:cut] if cut > 0 else ""
        return self.lines.get(key)


def read_text(path: Path) -> str:
    """Return the text of a small UTF-8 file; raises `InvalidFile` where it is not one."""
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "nothing there"
            raise InvalidFile("is not a file", path=path, got=what)
        with path.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidFile("cannot be read", path=path, got=error.strerror) from error
    if len(data) > MAX_BYTES:
        raise InvalidFile("too large", path=path, allowed=f"{MAX_BYTES:,} bytes", got="more")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidFile(
            "is not UTF-8",
            path=path,
            line=line,
            allowed="UTF-8 text",
            got=f"byte 0x{data[error.start]:02x} at offset {error.start}",
        ) from error


def read_document(path: Path) -> Document:
    """Read a YAML file whose top is a mapping; raises `InvalidFile` naming the line."""
    return parse_document(read_text(path), path)


def parse_document(text: str, path: Path) -> Document:
    """Parse YAML text whose top is a mapping. `path` is for messages."""
    reader = _Reader(text, path)
    try:
        data = reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        problem = f"is not valid YAML: {error.problem or error.context}"
        raise InvalidFile(problem, path=path, line=line) from error
    except yaml.YAMLError as error:
        raise InvalidFile(f"is not valid YAML: {error}", path=path) from error
    if not isinstance(data, dict):
        raise InvalidFile(
            "a file of this kind is a mapping",
            path=path,
            line=1,
            allowed="key: value",
            got=kind(data),
        )
    return Document(path, data, reader.lines)


def first_key(path: Path) -> str | None:
    """Return the key a file begins with, reading no more than its head; None if there is none."""
    with path.open("rb") as handle:
        for _ in range(200):
            line = handle.readline(4096).decode("utf-8", errors="replace").lstrip("\ufeff")
            if not line:
                return None
            if line.strip() and not line.lstrip().startswith(("#", "---", "%")):
                match = re.match(r"([A-Za-z_]+)\s*:", line)
                return match.group(1) if match else None
    return None


def kind(value: object) -> str:
    """Return a short description of a value for an error message.

    >>> kind("abc"), kind(3), kind([1, 2]), kind(None)
    ("text 'abc'", 'integer 3', 'a list of 2', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a mapping of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    names = {str: "text", bool: "boolean", int: "integer", float: "number"}
    shown = repr(value) if not isinstance(value, bool) else str(value).lower()
    if len(shown) > 60:  # noqa: PLR2004 - what fits a line
        shown = shown[:57] + "..."
    return f"{names.get(type(value), type(value).__name__)} {shown}"


def scalar(text: str) -> Any:
    """Return what an unquoted YAML word means.

    >>> [scalar(word) for word in ("12", "1e-3", "no", "true", "007x", "")]
    [12, 0.001, 'no', True, '007x', None]
    """
    lowered = text.lower()
    if lowered in _WORDS and text in (lowered, lowered.upper(), lowered.capitalize()):
        return _WORDS[lowered]
    if _INT.match(text) and len(text) <= _MAX_DIGITS:
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


@dataclass
class _Anchor:
    value: Any
    nodes: int


class _Reader:
    """Builds values from parser events; bounded in nodes and depth."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.lines: dict[str, int] = {}
        self.nodes = 0
        self.anchors: dict[str, _Anchor] = {}
        self.events = iter(yaml.parse(text, Loader=_LOADER))

    def fail(self, problem: str, event: Any, key: str, **more: str) -> InvalidFile:
        line = event.start_mark.line + 1
        return InvalidFile(problem, path=self.path, line=line, key=key or None, **more)

    def document(self) -> Any:
        event = next(self.events)
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self.value(event, "", 0)
        next(self.events)  # the end of the document
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.fail("holds more than one document", event, "", allowed="one")
        return value

    def value(self, event: Any, key: str, depth: int) -> Any:
        if key:
            self.lines[key] = _line(event)
        self.count(1, event, key)
        if depth > MAX_DEPTH:
            raise self.fail("nested too deeply", event, key, allowed=f"{MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, key)
        if event.tag is not None and event.tag != "!":
            raise self.fail("tags are not allowed", event, key, got=str(event.tag)[:80])
        before = self.nodes
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event, key)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(key, depth)
        else:
            value = self.mapping(key, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchor(value, self.nodes - before + 1)
        return value

    def count(self, nodes: int, event: Any, key: str) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise self.fail("holds too many values", event, key, allowed=f"{MAX_NODES:,}")

    def alias(self, event: Any, key: str) -> Any:
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            raise self.fail("refers to an anchor not set before", event, key, got=event.anchor)
        self.count(anchor.nodes, event, key)
        return anchor.value

    def scalar(self, event: Any, key: str) -> Any:
        if event.style or event.tag == "!":
            return event.value
        value = scalar(event.value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail("number out of range", event, key, got=event.value[:40])
        return value

    def sequence(self, key: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event, f"{key}[{len(items)}]", depth + 1))
        return items

    def mapping(self, key: str, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.fail("a key must be a plain word", event, key, allowed="text")
            name = event.value
            full = f"{key}.{name}" if key else name
            if name == "<<" and not event.style:
                raise self.fail("merge keys are not supported; use include", event, full)
            if name in out:
                first = self.lines[full]
                raise self.fail(f"given twice (first on line {first})", event, full)
            line = _line(event)
            out[name] = self.value(next(self.events), full, depth + 1)
            if isinstance(out[name], dict | list):
                self.lines[full] = line  # a container is found by its key
        return out


def _line(event: Any) -> int:
    """Return the line that a value's text starts on: for a block, the one below its mark."""
    line = int(event.start_mark.line) + 1
    block = isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">")
    return line + 1 if block else line
