r"""Extractors by name, and chains of them: the door to answer extraction.

An extractor takes (text, sample) and returns an `Extraction` or None. Its `rule` says which rule of
which extractor found the answer, its span lies in the original text, and `value` is the canonical
form of a number ("1234.5"), an option ("B") or a yes/no. In a task file an extractor is a name, or
a mapping of one name to arguments: `{regex: {pattern: 'x = (\d+)'}}`, `{json: {field: answer}}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.errors import InvalidFile, UnknownName
from harness.protocols import Extractor
from harness.records import Extraction, Sample
from harness.text.abstention import abstention
from harness.text.letter import letter
from harness.text.normalise import quasi_exact
from harness.text.number import number
from harness.text.numerals import equal_numbers
from harness.text.options import index
from harness.text.plain import announced, boxed, first_line, last_line, whole_text
from harness.text.structured import json_field, regex
from harness.text.yes_no import parse_yes_no, yes_no

EXTRACTORS: Mapping[str, Extractor] = MappingProxyType(
    {
        "number": number,
        "letter": letter,
        "yes_no": yes_no,
        "first_line": first_line,
        "last_line": last_line,
        "text": whole_text,
        "announced": announced,
        "boxed": boxed,
        "abstention": abstention,
    }
)
"""Extractors without parameters."""

FACTORIES: Mapping[str, Callable[..., Extractor]] = MappingProxyType(
    {"regex": regex, "json": json_field}
)
"""Makers of extractors, called with the arguments of the task file."""


def extractor(spec: str | Mapping[str, Any]) -> Extractor:
    """Return the extractor that a task file names.

    Raises:
        UnknownName: nothing has this name.
        InvalidFile: arguments are missing, superfluous or wrong.
    """
    if isinstance(spec, str):
        if spec in FACTORIES:
            raise InvalidFile(
                "needs arguments",
                key=f"extract: {spec}",
                allowed="{regex: {pattern: …}}, {json: {field: …}}",
                got=spec,
            )
        if spec not in EXTRACTORS:
            raise UnknownName("extractor", spec, [*EXTRACTORS, *FACTORIES])
        return EXTRACTORS[spec]
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise InvalidFile("not an extractor", key="extract", got=repr(spec),
                          allowed="a name, or one name with its arguments")  # fmt: skip
    name, arguments = next(iter(spec.items()))
    if name not in FACTORIES:
        if name in EXTRACTORS and not arguments:
            return EXTRACTORS[name]
        if name in EXTRACTORS:
            raise InvalidFile("takes no arguments", key=f"extract: {name}", got=repr(arguments))
        raise UnknownName("extractor", str(name), [*EXTRACTORS, *FACTORIES])
    if not isinstance(arguments, Mapping):
        arguments = {"pattern" if name == "regex" else "field": arguments}
    try:
        return FACTORIES[name](**arguments)
    except TypeError as error:
        raise InvalidFile(f"wrong arguments: {error}", key=f"extract: {name}",
                          got=repr(dict(arguments))) from error  # fmt: skip


def chain(specs: Sequence[str | Mapping[str, Any]]) -> tuple[Extractor, ...]:
    """Return the extractors of a task's `extract:` list, in order."""
    return tuple(extractor(spec) for spec in specs)


def extract(extractors: Sequence[Extractor], text: str, sample: Sample) -> Extraction | None:
    """Return what the first extractor that finds anything finds; None where none does."""
    for find in extractors:
        found = find(text, sample)
        if found is not None:
            return found
    return None


def same_answer(found: Extraction, target: str, language: str = "en") -> bool:
    """Return whether an extracted answer is the target: as option, yes/no, number, or text.

    How the answer was found decides how it is compared: a number is compared by exact value, a
    percent sign on one side alone aside.
    """
    kind = found.rule.partition(":")[0]
    if kind == "letter":
        name = target.strip().strip("()[].")
        try:
            return index(name) == index(found.answer)
        except ValueError:
            return False
    if kind == "yes_no":
        return found.value == parse_yes_no(target)
    if kind in ("number", "boxed") and found.value is not None:
        return equal_numbers(found.answer, target)
    return quasi_exact(found.answer, target, language)
