"""What `-M` says about one transformers model.

device       auto (a GPU where there is one), cpu, cuda, cuda:1, …
dtype        auto (as the weights are stored), float32, bfloat16, float16.
batch_size   auto, or the most sequences that pass through the model at a time. Either is halved
             where memory runs out.
max_length   tokens that the model may see; without it, what its configuration says.
revision     branch, tag or commit of a model on the hub.
api          chat (default where the tokenizer has a chat template) or completions.
reuse        true (default) or false: compute a shared beginning once.
think_end    text that ends a model's reasoning, such as </think>; what stands before is kept apart.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from msgspec import Struct

from harness.errors import UnknownName, UsageError
from harness.records import ModelSpec

ARGUMENTS = (
    "device", "dtype", "batch_size", "max_length", "revision", "api", "reuse", "think_end",
)  # fmt: skip
DTYPES = ("auto", "float32", "bfloat16", "float16")


class Settings(Struct, frozen=True):
    """One model and how it is run."""

    path: str
    """A folder, or a name on the hub."""
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    max_length: int | None = None
    revision: str | None = None
    api: Literal["chat", "completions"] = "chat"
    reuse: bool = True
    think_end: str = ""


def read_settings(spec: ModelSpec) -> Settings:
    """Return the settings of `spec`. Raises `UsageError` that names the argument at fault."""
    given = spec.arguments
    for name in given:
        if name not in ARGUMENTS:
            raise UnknownName(f"argument (-M) of {spec.label}:", name, ARGUMENTS)
    device = str(given.get("device", "auto"))
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise UsageError(f"-M device: auto, cpu, mps, cuda or cuda:N, got {device!r}")
    size = given.get("batch_size", "auto")
    return Settings(
        path=spec.name,
        device=device,
        dtype=_one_of("dtype", given.get("dtype", "auto"), DTYPES),
        batch_size=None if size == "auto" else _positive("batch_size", size),
        max_length=_positive("max_length", given["max_length"]) if "max_length" in given else None,
        revision=str(given["revision"]) if "revision" in given else None,
        api="completions" if _api(given) == "completions" else "chat",
        reuse=_one_of("reuse", str(given.get("reuse", True)).lower(), ("true", "false")) == "true",
        think_end=str(given.get("think_end", "")),
    )


def _api(given: dict[str, Any]) -> str:
    return _one_of("api", given.get("api", "chat"), ("chat", "completions"))


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return str(value)
    raise UnknownName(f"value of -M {name}:", str(value), allowed)


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"-M {name}: a whole number above 0, got {value!r}")
    return value
