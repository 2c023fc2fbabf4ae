"""Extractors with parameters: a regular expression, a field of a JSON object."""

from __future__ import annotations

import json
from typing import Any, Literal

from msgspec import Struct

from harness.errors import InvalidFile
from harness.records import Extraction, Sample
from harness.text.normalise import fold_width, mask_reasoning
from harness.text.pattern import SafePattern, compile_safe

JSON_WINDOW = 50_000
"""Characters at the end of a text that are searched for a JSON object."""
MAX_BRACES = 200


class Regex(Struct, frozen=True):
    """Extractor: a group of the last (or first) match of a pattern."""

    safe: SafePattern
    group: int | str
    take: Literal["first", "last"]

    def __call__(self, text: str, sample: Sample) -> Extraction | None:
        """Return the group's text, trimmed; width is folded before matching, reasoning left out.

        Only the last `safe.window` characters are searched.
        """
        del sample
        folded = fold_width(mask_reasoning(text))
        found: Extraction | None = None
        for match in self.safe.pattern.finditer(folded, max(0, len(folded) - self.safe.window)):
            said = match.group(self.group)
            if not said or not said.strip():
                continue
            start = match.start(self.group) + len(said) - len(said.lstrip())
            answer = said.strip()
            found = Extraction(answer, "regex", start, start + len(answer))
            if self.take == "first":
                break
        return found


def regex(
    pattern: str,
    group: int | str | None = None,
    take: str = "last",
    *,
    ignore_case: bool = False,
) -> Regex:
    """Make an extractor from a pattern; `group` is the first one where the pattern has any.

    Raises:
        InvalidFile: the pattern is invalid or could take long, or has no such group.
    """
    if not isinstance(pattern, str):
        raise InvalidFile("not a pattern", key="pattern", allowed="text", got=repr(pattern))
    if take not in ("first", "last"):
        raise InvalidFile("unknown choice", key="take", allowed="first, last", got=repr(take))
    safe = compile_safe(pattern, ignore_case=ignore_case)
    count, names = safe.pattern.groups, safe.pattern.groupindex
    chosen = min(count, 1) if group is None else group
    known = chosen in names if isinstance(chosen, str) else 0 <= chosen <= count
    if not known:
        allowed = ", ".join([*map(str, range(count + 1)), *names])
        raise InvalidFile("no such group", key="group", allowed=allowed, got=repr(group))
    return Regex(safe, chosen, "first" if take == "first" else "last")


class JsonField(Struct, frozen=True):
    """Extractor: a field of the last JSON object that has it."""

    path: tuple[str, ...]

    def __call__(self, text: str, sample: Sample) -> Extraction | None:
        """Return the field as text; the span is that of the object. Numbers stay as written."""
        del sample
        masked = mask_reasoning(text)
        decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
        position, floor = len(masked), max(0, len(masked) - JSON_WINDOW)
        for _ in range(MAX_BRACES):
            position = masked.rfind("{", floor, position)
            if position < 0:
                return None
            try:
                value, end = decoder.raw_decode(masked, position)
            except (ValueError, RecursionError):
                # Not JSON from here on: an earlier brace may still open an object.
                continue
            said = _text(_follow(value, self.path))
            if said is not None and said.strip():
                return Extraction(fold_width(said).strip(), "json", position, end)
        return None


def json_field(field: str) -> JsonField:
    """Make an extractor for a field; a dotted name reaches into nested objects."""
    if not isinstance(field, str) or not field or not all(field.split(".")):
        raise InvalidFile("not a field name", key="field", allowed="answer, result.answer",
                          got=repr(field))  # fmt: skip
    return JsonField(tuple(field.split(".")))


def _follow(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
