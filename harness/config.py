"""A run as asked for: a run file and the flags of `harness run`, turned into records.

Keys of a run file mirror the flags. A flag outweighs the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile, UsageError, suggestion
from harness.known_models import Known, aliases, known_models, named_model
from harness.records import Execution, Generation, ModelSpec, RunSpec
from harness.yamlfile import (
    SUFFIXES,
    Document,
    first_key,
    kind,
    parse_document,
    read_document,
    scalar,
)

_MODEL_EXAMPLES = "openai/gpt-5-mini, embedded/mini, hf/PATH-OR-ID, replay/RUN"
_A_MODEL = f"a model is provider/name, such as {_MODEL_EXAMPLES}, or an alias of models.yaml"


class Settings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All keys of a run file, each the long flag of `harness run` with `_` for `-`."""

    run: str = ""
    """Name of the run, for its readers."""
    tasks: tuple[str, ...] = ()
    """Names, globs, tags (tag:core) or task files (relative to the run file)."""
    model: str | None = None
    """provider/name, or an alias of models.yaml."""
    models: str | None = None
    """A file of models, read before models.yaml of the working folder and our own."""
    model_args: dict[str, Any] = {}
    """-M"""
    base_url: str | None = None
    api_key_env: str | None = None
    header: dict[str, str] = {}
    limit: int | None = None
    sample: tuple[str, ...] = ()
    seed: int = 0
    data_seed: int | None = None
    epochs: int = 1
    shots: int | None = None
    arm: tuple[str, ...] = ()
    perturb: tuple[str, ...] = ()
    judge: dict[str, str] = {}
    """Name of a judge to its model: provider/name or an alias."""
    generation: dict[str, Any] = {}
    """-G"""
    data: dict[str, Any] = {}
    """-D"""
    system: str | None = None
    trust: bool = False
    out: str = "results"
    connections: int | Literal["auto"] = 16
    max_failures: float = 0.05
    max_cost: float | None = None
    max_tokens_total: int | None = None
    timeout: float = 120.0
    """Seconds for one attempt of one request."""
    max_attempts: int = 5
    executor: Literal["local", "ray"] = "local"
    fresh: bool = False
    require_cache: bool = False
    batch: bool = False
    """Have the server's batch jobs answer: slower, and cheaper."""


_FLAGS = {
    "headers": "header",
    "sample_ids": "sample",
    "arms": "arm",
    "judges": "judge",
    "timeout_s": "timeout",
}
"""Other names that code gives to the same settings."""
_LISTS = frozenset({"tasks", "sample", "arm", "perturb"})
_PAIRS = {"model_args": "-M", "generation": "-G", "data": "-D", "judge": "--judge"}


# ---- words from the command line ------------------------------------------------------------


def parse_pairs(pairs: Iterable[str], flag: str = "-M") -> dict[str, Any]:
    """Read `key=value` words: values typed as in YAML, dotted keys nested.

    >>> parse_pairs(["temperature=0.5", "args.per_cell=10", "text=a=b", "stop=[x, 'y']"])
    {'temperature': 0.5, 'args': {'per_cell': 10}, 'text': 'a=b', 'stop': ['x', 'y']}
    """
    out: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        steps = key.strip().split(".")
        if not equals or not all(steps):
            raise UsageError(f"{flag} {pair!r}: allowed: KEY=VALUE; got: {pair!r}")
        target = out
        for step in steps[:-1]:
            inner = target.setdefault(step, {})
            if not isinstance(inner, dict):
                raise UsageError(f"{flag} {pair!r}: '{step}' has a value already")
            target = inner
        if steps[-1] in target:
            raise UsageError(f"{flag} {key}: given twice")
        target[steps[-1]] = parse_value(value, f"{flag} {key}")
    return out


def parse_judges(pairs: Iterable[str]) -> dict[str, str]:
    """Read `name=spec` words; a name may be the path of a judge file, so that dots are dots.

    >>> parse_judges(["correct=embedded/mini", "./own.yaml=openai/any"])
    {'correct': 'embedded/mini', './own.yaml': 'openai/any'}
    """
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, spec = (part.strip() for part in pair.partition("="))
        if not (name and equals and spec):
            raise UsageError(f"--judge {pair!r}: allowed: NAME=provider/name; got: {pair!r}")
        if name in out:
            raise UsageError(f"--judge {name}: given twice")
        out[name] = spec
    return out


def parse_value(text: str, where: str = "value") -> Any:
    """Read one value as YAML would: a number, true, null, text, or a list or mapping in brackets.

    Text that is no bracketed value stays as it came, spaces and all.
    """
    stripped = text.strip()
    if stripped[:1] in ("[", "{", '"', "'"):
        return _bracketed(stripped, where)
    value = scalar(stripped)
    return text if isinstance(value, str) else value


def _bracketed(text: str, where: str) -> Any:
    try:
        return parse_document(f"value: {text}", Path(where)).data["value"]
    except InvalidFile as error:
        raise UsageError(f"{where}: {error.problem}; got: {text[:80]!r}") from error


def parse_headers(pairs: Iterable[str]) -> dict[str, str]:
    """Read `--header K=V` words; names are plain, values one line."""
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError("--header: allowed: NAME=VALUE")  # the value may be secret: not shown
        if "\n" in value or "\r" in value:
            raise UsageError(f"--header {name}: the value must be one line")
        out[name] = value
    return out


def parse_model(
    spec: str,
    arguments: Mapping[str, Any] | None = None,
    base_url: str | None = None,
    api_key_env: str | None = None,
    headers: Mapping[str, str] | None = None,
    models: Mapping[str, Known] | None = None,
) -> ModelSpec:
    """Read `provider/name`, or an alias of `models`; raises `UsageError` with examples.

    What the entry in `models` says of address and arguments holds where nothing else is said.
    """
    models = models or {}
    named, at, address = spec.partition("@http")  # a judge's endpoint stands behind its name
    known = named_model(named, models)
    provider, slash, name = spec.partition("/")
    if known is not None:
        provider, slash, name = known.provider, "/", known.name + at + address
        arguments = {**known.arguments, **(arguments or {})}
        base_url = base_url or (None if at else known.base_url)
        api_key_env = api_key_env or known.api_key_env
    if not slash or not provider or not name:
        raise UsageError(f"{_A_MODEL}; got: {spec!r}{suggestion(spec, aliases(models))}")
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise UsageError(f"--base-url: allowed: http://… or https://…; got: {base_url!r}")
    if api_key_env is not None and not api_key_env.isidentifier():
        # a key pasted here by mistake must not be repeated
        raise UsageError("--api-key-env names the environment variable that holds the key")
    return ModelSpec(
        provider=provider,
        name=name,
        arguments=dict(arguments or {}),
        base_url=base_url,
        api_key_env=api_key_env,
        headers=dict(headers or {}),
    )


# ---- the run file ---------------------------------------------------------------------------


def load_run_file(path: Path) -> dict[str, Any]:
    """Return the settings that a run file gives, checked; raises `InvalidFile`.

    A key that takes many values may be given one without a list. Task files are relative to the
    run file.
    """
    document = read_document(path)
    first = next(iter(document.data), None)
    if first != "run":
        raise InvalidFile(
            "the first key says what a file is",
            path=path,
            line=document.line(first or "") or 1,
            allowed="run: NAME",
            got=f"{first}:" if first else "an empty file",
        )
    data = _listed(document.data)
    try:
        checked = msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise _explain(error, document, path) from None
    if checked.models is not None:
        data["models"] = str(path.parent / checked.models)
    if checked.tasks:
        data["tasks"] = [
            str(path.parent / task) if task.endswith(SUFFIXES) else task for task in checked.tasks
        ]
    return data


def _listed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: [value] if key in _LISTS and isinstance(value, str) else value
        for key, value in data.items()
    }


def _explain(error: Exception, document: Document, path: Path) -> InvalidFile:
    message, data, line_of = str(error), document.data, document.line
    names = [field.encode_name for field in msgspec.structs.fields(Settings)]
    for key in data:
        if key not in names:
            return InvalidFile(
                f"unknown key{suggestion(key, names)}",
                path=path,
                line=line_of(key),
                key=key,
                allowed=", ".join(names),
                got=key,
            )
    problem, _, at = message.partition(" - at `$.")
    key = at.split(".")[0].split("[")[0].rstrip("`")
    expected = (
        problem.removeprefix("Expected `").split("`")[0] if "Expected" in problem else problem
    )
    return InvalidFile(
        "wrong type" if "Expected" in problem else "not one of those known",
        path=path,
        line=line_of(key),
        key=key or None,
        allowed=expected,
        got=kind(data.get(key)),
    )


def build(flags: Mapping[str, Any]) -> tuple[RunSpec, Execution]:
    """Return what to measure and how; raises `UsageError`.

    `flags` has the keys of `Settings` (or the names that records give them); lists of `K=V`
    words are read as pairs. A run file among the tasks is read first; flags outweigh it.
    """
    chosen = _settings(_with_run_file(_flags(flags)))
    if chosen.model is None:
        raise UsageError(f"--model is missing; {_A_MODEL}")
    if not chosen.tasks:
        raise UsageError("no task named; `harness ls tasks` lists them, or use tag:core")
    models = _models(chosen)
    spec = RunSpec(
        tasks=chosen.tasks,
        model=_model(chosen, models),
        limit=chosen.limit,
        sample_ids=chosen.sample,
        seed=chosen.seed,
        data_seed=chosen.data_seed,
        epochs=chosen.epochs,
        shots=chosen.shots,
        arms=chosen.arm,
        perturb=chosen.perturb,
        judges={name: parse_model(judge, models=models) for name, judge in chosen.judge.items()},
        generation=_generation(chosen.generation),
        data=chosen.data,
        system=chosen.system,
        trust=chosen.trust,
    )
    taken = {n: getattr(chosen, n) for n in Execution.__struct_fields__ if n != "timeout_s"}
    return spec, Execution(timeout_s=chosen.timeout, **taken)


def build_model(flags: Mapping[str, Any]) -> ModelSpec:
    """Return the model that `model`, `model_args`, `base_url` … name; raises `UsageError`."""
    names = ("model", "models", "model_args", "base_url", "api_key_env", "header", "headers")
    chosen = _settings(_flags({name: flags[name] for name in names if name in flags}))
    if chosen.model is None:
        raise UsageError(f"--model is missing; {_A_MODEL}")
    return _model(chosen, _models(chosen))


def build_known(flags: Mapping[str, Any]) -> dict[str, Known]:
    """Return what is known of models: ours, the working folder's, and those of `models`."""
    return _models(_settings(_with_run_file(_flags(flags))))


def _models(chosen: Settings) -> dict[str, Known]:
    return known_models(more=None if chosen.models is None else Path(chosen.models))


def _model(chosen: Settings, models: Mapping[str, Known]) -> ModelSpec:
    assert chosen.model is not None
    return parse_model(
        chosen.model,
        chosen.model_args,
        chosen.base_url,
        chosen.api_key_env,
        chosen.header,
        models,
    )


def _flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return flags under the names of `Settings`, words read; those not given are left out."""
    out: dict[str, Any] = {}
    for flag, value in flags.items():
        name = _FLAGS.get(flag, flag)
        if value is None or value == ():
            continue
        if name == "header" and not isinstance(value, Mapping):
            out[name] = parse_headers(value)
        elif name == "judge" and not isinstance(value, Mapping):
            out[name] = parse_judges(value)
        elif name in _PAIRS and not isinstance(value, Mapping):
            out[name] = parse_pairs(value, _PAIRS[name])
        elif name == "perturb" and not isinstance(value, str):
            out[name] = [word.strip() for item in value for word in item.split(",") if word.strip()]
        elif name in ("connections", "max_failures") and isinstance(value, str):
            out[name] = scalar(value)
        else:
            out[name] = value
    return _listed(out)


def _with_run_file(flags: dict[str, Any]) -> dict[str, Any]:
    named = [task for task in flags.get("tasks", ()) if _is_run_file(task)]
    if not named:
        return flags
    if len(named) > 1:
        raise UsageError(f"one run file at a time; got: {', '.join(named)}")
    data = load_run_file(Path(named[0]))
    others = [task for task in flags["tasks"] if task != named[0]]
    merged = {**data, **flags, "tasks": others or data.get("tasks", [])}
    for name in ("header", *_PAIRS):
        if name in data and name in flags:
            merged[name] = {**data[name], **flags[name]}
    return merged


def _is_run_file(task: str) -> bool:
    path = Path(task)
    return path.suffix in SUFFIXES and path.is_file() and first_key(path) == "run"


def _settings(data: Mapping[str, Any]) -> Settings:
    try:
        chosen = msgspec.convert(dict(data), Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"settings: {error}") from None
    _check_numbers(chosen)
    return chosen


def _generation(settings: Mapping[str, Any]) -> dict[str, Any]:
    data = dict(settings)
    if isinstance(data.get("stop"), str):
        data["stop"] = [data["stop"]]
    names = Generation.__struct_fields__
    for name in data:
        if name not in names:
            hint = suggestion(name, names)
            raise UsageError(f"-G {name}: unknown key{hint}; allowed: {', '.join(names)}")
    try:
        msgspec.convert(data, Generation)
    except msgspec.ValidationError as error:
        raise UsageError(f"-G: {error}") from None
    return data


def _check_numbers(chosen: Settings) -> None:
    least = {
        "limit": 1,
        "epochs": 1,
        "shots": 0,
        "connections": 1,
        "max_tokens_total": 1,
        "max_attempts": 1,
    }
    for name, bound in least.items():
        value = getattr(chosen, name)
        if isinstance(value, int) and value < bound:
            raise UsageError(f"--{name.replace('_', '-')}: allowed: {bound} or more; got: {value}")
    if not 0 <= chosen.max_failures <= 1:
        raise UsageError(f"--max-failures: allowed: 0 to 1; got: {chosen.max_failures}")
    for name in ("max_cost", "timeout"):
        value = getattr(chosen, name)
        if value is not None and value <= 0:
            raise UsageError(f"--{name.replace('_', '-')}: allowed: more than 0; got: {value}")


def run_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a run file."""
    schema = msgspec.json.schema(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Run of the harness",
        **schema,
    }
