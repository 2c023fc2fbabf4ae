"""Reads task files: YAML to `TaskSpec`, with the file, line and key of whatever is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile, suggestion
from harness.records import Generation
from harness.task.spec import Data, Origin, TaskFile, TaskSpec
from harness.yamlfile import Document, kind, read_document

MAX_INCLUDES = 50
_DATA_KEYS = {
    "generator": {"generator", "args", "seed"},
    "file": {"file"},
    "hub": {"hub", "config", "split", "revision"},
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*\Z")


def load_task(path: Path, root: Path | None = None) -> TaskSpec:
    """Read one task file; raises `InvalidFile`.

    `root` is the folder of tasks it belongs to: then its name must equal its path, and includes
    stay inside `root`. Without, includes stay inside the file's own folder.
    """
    document = read_document(path)
    _check_first_key(document)
    within = (root or path.parent).resolve()
    data, origin = _with_includes(document, within)
    spec = _convert(data, origin)
    _check(spec, root)
    return spec


def _check_first_key(document: Document) -> None:
    first = next(iter(document.data), None)
    if first != "task":
        raise InvalidFile(
            "the first key says what a file is",
            path=document.path,
            line=document.line(str(first)) or 1,
            allowed="task: NAME",
            got=f"{first}:" if first else "an empty file",
        )


# ---- includes -------------------------------------------------------------------------------


def _with_includes(document: Document, within: Path) -> tuple[dict[str, Any], Origin]:
    data, places = _merge(document, within, (document.path.resolve(),))
    return data, Origin(path=str(document.path), places=places)


def _merge(
    document: Document, within: Path, chain: tuple[Path, ...]
) -> tuple[dict[str, Any], dict[str, tuple[str, int]]]:
    """Merge what a file includes beneath its own keys; `chain` leads from the first file here."""
    data: dict[str, Any] = {}
    places: dict[str, tuple[str, int]] = {}
    for index, name in enumerate(_include_names(document)):
        included = _included(document, index, name, within, chain)
        below, below_places = _merge(included, within, (*chain, included.path.resolve()))
        _put(data, places, below, below_places)
    own = {key: value for key, value in document.data.items() if key != "include"}
    _put(data, places, own, {k: (str(document.path), n) for k, n in document.lines.items()})
    if "task" in data:  # stays first, whatever was included
        data = {"task": data.pop("task"), **data}
    return data, places


def _put(
    data: dict[str, Any],
    places: dict[str, tuple[str, int]],
    over: Mapping[str, Any],
    over_places: Mapping[str, tuple[str, int]],
) -> None:
    data.update(over)
    for key in [key for key in places if _top(key) in over]:
        del places[key]
    places.update({key: place for key, place in over_places.items() if _top(key) in over})


def _top(key: str) -> str:
    return re.split(r"[.\[]", key, maxsplit=1)[0]


def _include_names(document: Document) -> list[str]:
    names = document.data.get("include", [])
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise InvalidFile(
            "wrong type",
            path=document.path,
            line=document.line("include"),
            key="include",
            allowed="a path or a list of paths",
            got=kind(names),
        )
    return listed


def _included(
    document: Document, index: int, name: str, within: Path, chain: tuple[Path, ...]
) -> Document:
    place: dict[str, Any] = {
        "path": document.path,
        "line": document.line(f"include[{index}]") or document.line("include"),
        "key": "include",
    }
    target = (document.path.parent / name).resolve()
    if not target.is_relative_to(within):
        raise InvalidFile(
            "leads outside the folder of tasks", **place, allowed=f"{within}", got=name
        )
    if target in chain:
        shown = " -> ".join(path.name for path in (*chain[chain.index(target) :], target))
        raise InvalidFile("includes itself", **place, got=shown)
    if len(chain) > MAX_INCLUDES:
        raise InvalidFile("includes too deep", **place, allowed=f"{MAX_INCLUDES} levels")
    if not target.is_file():
        raise InvalidFile("names a file that is not there", **place, got=name)
    return read_document(document.path.parent / name)


# ---- from mapping to records ----------------------------------------------------------------


def _convert(data: dict[str, Any], origin: Origin) -> TaskSpec:
    arms = data.get("arms")
    if isinstance(arms, dict):
        arm_type = _field_types(TaskFile)["arms"].__args__[1]
        for name, arm in arms.items():
            convert({} if arm is None else arm, arm_type, origin, f"arms.{name}")
        data = {**data, "arms": {name: arm or {} for name, arm in arms.items()}}
    task = convert(data, TaskFile, origin, "")
    fields = {name: getattr(task, name) for name in task.__struct_fields__}
    return TaskSpec(**fields, origin=origin)


def convert(data: Any, kind_: Any, origin: Origin, prefix: str) -> Any:
    """Turn plain data into the record `kind_`; raises `InvalidFile` with the key's place."""
    try:
        return msgspec.convert(data, kind_)
    except msgspec.ValidationError as error:
        raise _explain(str(error), data, kind_, origin, prefix) from None


_PATH = re.compile(r" - at `(?:key in )?\$(.*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z")
_MISSING = re.compile(r"Object missing required field `(.*)`\Z")
_EXPECTED = re.compile(r"Expected `(.*)`, got `(.*)`\Z")
_ENUM = re.compile(r"Invalid enum value (.*)\Z")


def _explain(message: str, data: Any, kind_: Any, origin: Origin, prefix: str) -> InvalidFile:
    at = _PATH.search(message)
    path = at.group(1).lstrip(".") if at else ""
    message = message[: at.start()] if at else message
    key = f"{prefix}.{path}".strip(".") if prefix else path
    got = kind(_at(data, path))
    if found := _UNKNOWN.match(message):
        name = found.group(1)
        known = _known_keys(kind_, path)
        return InvalidFile(
            f"unknown key{suggestion(name, known)}",
            **origin.place(f"{key}.{name}".strip(".")),
            allowed=", ".join(known),
            got=name,
        )
    if found := _MISSING.match(message):
        missing = f"{key}.{found.group(1)}".strip(".")
        return InvalidFile("is missing", **{**origin.place(key), "key": missing})
    if found := _EXPECTED.match(message):
        allowed = _plain_types(found.group(1))
        return InvalidFile("wrong type", **origin.place(key), allowed=allowed, got=got)
    if _ENUM.match(message):
        values = getattr(_type_at(kind_, path), "__args__", ())
        allowed = ", ".join(map(str, values))
        hint = suggestion(str(_at(data, path)), [str(value) for value in values])
        return InvalidFile(
            f"not one of those known{hint}", **origin.place(key), allowed=allowed, got=got
        )
    return InvalidFile(message, **origin.place(key), got=got)


def _plain_types(names: str) -> str:
    """Say types in the words of a YAML file.

    >>> _plain_types("str | array | null")
    'text, list or nothing'
    """
    words = {
        "str": "text",
        "int": "integer",
        "float": "number",
        "bool": "true or false",
        "array": "list",
        "object": "mapping",
        "null": "nothing",
    }
    said = [words.get(name.strip(), name.strip()) for name in names.split("|")]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def _steps(path: str) -> list[str]:
    return [step for step in re.split(r"\.|(?=\[)", path) if step]


def _at(data: Any, path: str) -> Any:
    for step in _steps(path):
        if step.startswith("["):
            index = step[1:-1]
            data = data[int(index)] if index.isdigit() and isinstance(data, list) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


def _field_types(struct: type[Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(struct)}


def _type_at(kind_: Any, path: str) -> Any:
    """Return the type declared at `path`; for a union, its record where it has one."""
    for step in _steps(path):
        struct = _struct_in(kind_)
        if step.startswith("["):
            kind_ = _item_type(kind_)
        else:
            kind_ = _field_types(struct)[step] if struct is not None else None
    return kind_


def _parts(kind_: Any) -> list[Any]:
    """Return the members of a union, or the type alone."""
    if isinstance(kind_, type) or not hasattr(kind_, "__args__"):
        return [kind_]
    is_union = not hasattr(kind_, "__origin__") or "Union" in str(kind_.__origin__)
    return list(kind_.__args__) if is_union else [kind_]


def _struct_in(kind_: Any) -> type[Struct] | None:
    found = [p for p in _parts(kind_) if isinstance(p, type) and issubclass(p, Struct)]
    return found[0] if found else None


def _item_type(kind_: Any) -> Any:
    tuples = [p for p in _parts(kind_) if getattr(p, "__origin__", None) is tuple]
    return tuples[0].__args__[0] if tuples else None


def _known_keys(kind_: Any, path: str) -> list[str]:
    struct = _struct_in(_type_at(kind_, path))
    return list(_field_types(struct)) if struct is not None else []


# ---- what no type can say -------------------------------------------------------------------


def _check(spec: TaskSpec, root: Path | None) -> None:
    _check_name(spec, root)
    _check_data(spec)
    _check_asking(spec)
    generation(spec.generation, spec.origin, "generation")
    for name, arm in spec.arms.items():
        if isinstance(arm.generation, dict):
            generation(arm.generation, spec.origin, f"arms.{name}.generation")
        if isinstance(arm.prompt, str) and not isinstance(arm.messages, msgspec.UnsetType):
            raise InvalidFile(
                "give prompt or messages, not both", **spec.origin.place(f"arms.{name}")
            )


def _check_name(spec: TaskSpec, root: Path | None) -> None:
    if not _NAME.match(spec.task):
        raise InvalidFile(
            "not a task's name",
            **spec.origin.place("task"),
            allowed="words of letters, digits, '.', '_' and '-', joined by '/'",
            got=repr(spec.task)[:80],
        )
    if root is not None:
        expected = task_name(Path(spec.origin.path), root)
        if spec.task != expected:
            raise InvalidFile(
                "name and path differ", **spec.origin.place("task"), allowed=expected, got=spec.task
            )


def task_name(path: Path, root: Path) -> str:
    """Return the name that a file under `root` must give its task."""
    return path.resolve().relative_to(root.resolve()).with_suffix("").as_posix()


def _check_data(spec: TaskSpec) -> None:
    data: Data = spec.data
    given = [name for name in ("generator", "file", "hub") if getattr(data, name) is not None]
    if len(given) != 1:
        raise InvalidFile(
            "names one source of rows",
            **spec.origin.place("data"),
            allowed="one of generator, file, hub",
            got=", ".join(given) or "none",
        )
    written = {key.split(".")[1] for key in spec.origin.places if key.startswith("data.")}
    for name in sorted({re.split(r"\[", key)[0] for key in written} - _DATA_KEYS[given[0]]):
        raise InvalidFile(
            f"does not go with {given[0]}",
            **spec.origin.place(f"data.{name}"),
            allowed=", ".join(sorted(_DATA_KEYS[given[0]])),
            got=name,
        )


def _check_asking(spec: TaskSpec) -> None:
    origin = spec.origin
    has_messages = spec.messages != ()
    if spec.prompt is not None and has_messages:
        raise InvalidFile("give prompt or messages, not both", **origin.place("messages"))
    in_arms = spec.arms and all(
        isinstance(arm.prompt, str) or not isinstance(arm.messages, msgspec.UnsetType)
        for arm in spec.arms.values()
    )
    if spec.prompt is None and not has_messages and spec.method != "perplexity" and not in_arms:
        raise InvalidFile(
            "is missing", **{**origin.place("task"), "key": "prompt"}, allowed="prompt or messages"
        )
    if spec.method in ("choose", "rank") and not spec.choices:
        place = {**origin.place("method"), "key": "choices"}
        raise InvalidFile(f"method {spec.method} needs choices", **place)
    if spec.method == "perplexity" and spec.target is None:
        place = {**origin.place("method"), "key": "target"}
        raise InvalidFile("method perplexity needs a target, the text to be read", **place)
    if spec.shots.count < 0:
        place = origin.place("shots.count")
        raise InvalidFile("negative", **place, allowed="0 or more", got=str(spec.shots.count))


def generation(settings: Mapping[str, Any], origin: Origin, key: str) -> Generation:
    """Return generation settings as a record; a single `stop` may stand without a list."""
    data = dict(settings)
    if isinstance(data.get("stop"), str):
        data["stop"] = [data["stop"]]
    result = convert(data, Generation, origin, key)
    assert isinstance(result, Generation)
    return result
