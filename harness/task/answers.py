"""From template values to turns, options and accepted answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, get_args

from msgspec import Struct

from harness.errors import InvalidFile
from harness.records import Choice, Message, Role
from harness.template import Template
from harness.yamlfile import kind

_ROLES = get_args(Role)


class Gold(Struct, frozen=True):
    """What counts as right."""

    target: tuple[str, ...]
    """Accepted answers, the preferred one first."""
    index: int | None
    """Of the right choice."""


def text(value: Any) -> str | None:
    """Return a scalar as a template would show it; None for what is no scalar."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, bool | int | float) else None


def texts(values: Sequence[Any], place: Mapping[str, Any]) -> tuple[str, ...]:
    """Return accepted answers as text; raises `InvalidFile` for what is none."""
    out: list[str] = []
    for value in values:
        shown = text(value)
        if shown is None:
            raise InvalidFile("an answer is text or a number", **place, got=kind(value))
        out.append(shown)
    return tuple(out)


def turns(template: Template, row: Mapping[str, Any]) -> tuple[Message, ...]:
    """Return the turns that one template gives for a row."""
    value = template.value(row)
    if not isinstance(value, list) or not value:
        _wrong(template, "a list of {role, content}", value)
    out: list[Message] = []
    for turn in value:
        if not isinstance(turn, dict) or set(turn) != {"role", "content"}:
            _wrong(template, "turns of {role, content}", turn)
        if turn["role"] not in _ROLES or not isinstance(turn["content"], str):
            _wrong(template, f"a role of {', '.join(_ROLES)}, and text", turn)
        out.append(Message(turn["role"], turn["content"]))
    return tuple(out)


def options(template: Template, row: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Return the options that one template gives for a row: texts, or {text, context}."""
    value = template.value(row)
    if not isinstance(value, list) or not value:
        _wrong(template, "a list, such as {{ options }}", value)
    out: list[Choice] = []
    for item in value:
        if isinstance(item, dict) and "text" in item and set(item) <= {"text", "context"}:
            shown, context = text(item["text"]), item.get("context")
        else:
            shown, context = text(item), None
        if shown is None or not isinstance(context, str | None):
            _wrong(template, "text, a number, or {text, context}", item)
        out.append(Choice(shown, context))
    return tuple(out)


def _wrong(template: Template, allowed: str, got: Any) -> NoReturn:
    raise InvalidFile(
        "wrong value",
        path=template.path,
        line=template.line,
        key=template.key,
        allowed=allowed,
        got=kind(got),
    )


def chosen(values: Sequence[Any], choices: Sequence[Choice], place: Mapping[str, Any]) -> Gold:
    """Return what counts as right, from the values of the target's templates.

    With choices, an integer is an index and text must equal a choice; without, each value is an
    accepted answer. Raises `InvalidFile` where nothing matches.
    """
    flat = list(values[0]) if len(values) == 1 and isinstance(values[0], list) else list(values)
    if values and not flat:
        raise InvalidFile("no accepted answer", **place, allowed="one or more", got="an empty list")
    if not choices or not flat:
        return Gold(texts(flat, place), None)
    positions = [_position(value, choices, place) for value in flat]
    return Gold(tuple(choices[position].text for position in positions), positions[0])


def _position(value: Any, choices: Sequence[Choice], place: Mapping[str, Any]) -> int:
    shown = text(value)
    same = [i for i, choice in enumerate(choices) if choice.text == shown]
    is_index = isinstance(value, int) and not isinstance(value, bool)
    valid = is_index and 0 <= value < len(choices)
    listed = ", ".join(repr(choice.text) for choice in choices)[:200]
    if valid and same and same != [value]:
        raise InvalidFile(
            "could be an index or a choice's text; use |string for the text",
            **place,
            allowed=f"an index from 0 to {len(choices) - 1}, or text",
            got=kind(value),
        )
    if valid:
        return int(value)
    if len(same) == 1:
        return same[0]
    problem = "equals two choices; give an index" if same else "is none of the choices"
    allowed = f"{listed}, or an index from 0 to {len(choices) - 1} (an integer: use |int)"
    raise InvalidFile(problem, **place, allowed=allowed, got=kind(value))
