"""Every extension point of the harness, in one place.

Built-ins are names like any plug-in's: `kind` and `name` lead to `module:attribute`, loaded when
first asked for. Others add to these through entry points of the group `harness.<kind>`.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import Any, Literal

from harness.errors import UnknownName, UsageError

Kind = Literal["backend", "interaction", "perturbation", "extractor", "metric", "generator"]

BUILTIN: dict[str, dict[str, str]] = {
    "backend": {
        "embedded": "harness.backend.embedded:open_embedded",
        "openai": "harness.backend.openai:open_openai",
        "python": "harness.backend.python:open_python",
        "scripted": "harness.backend.scripted:open_scripted",
        "replay": "harness.backend.replay:open_replay",
    },
    "interaction": {
        "single": "harness.interact.single:single",
        "choices": "harness.interact.choices:choices",
        "rolling": "harness.interact.rolling:rolling",
    },
    "generator": {
        "arithmetic": "harness.synth.arithmetic:Arithmetic",
    },
    "extractor": {},
    "perturbation": {},
    "metric": {
        "exact_match": "harness.score.accuracy:EXACT_MATCH",
        "quasi_exact_match": "harness.score.accuracy:QUASI_EXACT_MATCH",
        "prefix_match": "harness.score.accuracy:PREFIX_MATCH",
        "f1": "harness.score.accuracy:F1",
        "accuracy": "harness.score.accuracy:ACCURACY",
        "accuracy_per_character": "harness.score.accuracy:ACCURACY_PER_CHARACTER",
        "accuracy_per_byte": "harness.score.accuracy:ACCURACY_PER_BYTE",
        "accuracy_per_token": "harness.score.accuracy:ACCURACY_PER_TOKEN",
        "pair_accuracy": "harness.score.accuracy:PAIR_ACCURACY",
        "bits_per_byte": "harness.score.perplexity:BITS_PER_BYTE",
        "ece": "harness.score.calibration:ECE",
        "brier": "harness.score.calibration:BRIER",
        "prompt_tokens": "harness.score.efficiency:PROMPT_TOKENS",
        "completion_tokens": "harness.score.efficiency:COMPLETION_TOKENS",
        "latency_s": "harness.score.efficiency:LATENCY",
    },
}
"""What ships with the harness, by kind."""


def names(kind: Kind) -> list[str]:
    """Return the names known for `kind`, built-in and installed, sorted."""
    installed = {entry.name for entry in entry_points(group=f"harness.{kind}")}
    return sorted(installed | set(BUILTIN[kind]))


def load(kind: Kind, name: str) -> Any:
    """Return the object that `name` stands for; raises UnknownName with a suggestion."""
    target = BUILTIN[kind].get(name)
    if target is not None:
        return _resolve(target)
    for entry in entry_points(group=f"harness.{kind}", name=name):
        return _resolve(entry.value)
    raise UnknownName(kind, name, names(kind))


def _resolve(target: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        extra = {"torch": "hf", "transformers": "hf", "opencc": "zh"}.get(error.name or "")
        hint = f"; pip install 'harness[{extra}]'" if extra else ""
        raise UsageError(f"{target} needs the package '{error.name}'{hint}") from error
    return getattr(found, attribute)
