"""A transformers model and its tokenizer: loading, and one call of the network.

Knows nothing of requests. `torch` and `transformers` are imported when a model is opened.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from msgspec import Struct
from safetensors import SafetensorError

from harness.backend.hf.settings import Settings
from harness.errors import BackendError, ModelNotFound

HASHED = (".safetensors", ".bin", ".json", ".model", ".jinja", ".txt")
"""Files of a model's folder that can change an answer."""
CHUNK = 1 << 22
CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length")
DEFAULT_CONTEXT = 2048
UNLIMITED = 10**9
"""Tokenizers write a number beyond this where no length is set."""


class Described(Struct, frozen=True):
    """What is known of a model before its weights are read."""

    config: Any
    tokenizer: Any
    context: int
    parameters: int
    dtype: str
    device: str
    weights: str
    """Hash of the files of a folder, or the commit of a model on the hub."""
    licence: str | None = None


def describe(settings: Settings) -> Described:
    """Read configuration and tokenizer. Raises `ModelNotFound` where there is no such model."""
    kept = {"revision": settings.revision} if settings.revision else {}
    try:
        config = transformers.AutoConfig.from_pretrained(settings.path, **kept)
        tokenizer = transformers.AutoTokenizer.from_pretrained(settings.path, **kept)
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise ModelNotFound(f"hf/{settings.path} cannot be loaded: {said}") from error
    stored = getattr(config, "dtype", None) or getattr(config, "torch_dtype", None) or "float32"
    dtype = str(stored).removeprefix("torch.") if settings.dtype == "auto" else settings.dtype
    return Described(
        config=config,
        tokenizer=tokenizer,
        context=settings.max_length or context_of(config, tokenizer),
        parameters=count_parameters(config),
        dtype=dtype,
        device=device_of(settings.device),
        weights=digest(settings.path, config),
    )


def device_of(name: str) -> str:
    """Return the device that `auto` means here."""
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def context_of(config: Any, tokenizer: Any) -> int:
    """Return how many tokens a model sees, as its configuration or its tokenizer says."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in CONTEXT_NAMES:
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    length = tokenizer.model_max_length
    return int(length) if length and length < UNLIMITED else DEFAULT_CONTEXT


def count_parameters(config: Any) -> int:
    """Return the number of a model's parameters, without its weights."""
    maker: Any = transformers.AutoModelForCausalLM
    with torch.device("meta"):
        model = maker.from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())


def digest(path: str, config: Any) -> str:
    """Return what tells these weights from others."""
    folder = Path(path)
    if not folder.is_dir():
        commit = getattr(config, "_commit_hash", None)
        return str(commit) if commit else "unknown"
    total = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in HASHED:
            total.update(file.name.encode() + b"\0")
            with file.open("rb") as handle:
                while block := handle.read(CHUNK):
                    total.update(block)
    return total.hexdigest()


class Network:
    """The weights, on their device, and what they answer to token ids."""

    def __init__(self, described: Described, settings: Settings) -> None:
        kept = {"revision": settings.revision} if settings.revision else {}
        name = "dtype" if hasattr(described.config, "dtype") else "torch_dtype"
        wanted = {name: getattr(torch, described.dtype)}
        maker: Any = transformers.AutoModelForCausalLM
        try:
            with _no_bars():
                model = maker.from_pretrained(settings.path, **kept, **wanted)
            self.model = model.to(described.device).eval()
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            said = " ".join(str(error).split())[:300]
            raise BackendError(f"hf/{settings.path} cannot be loaded: {said}") from error
        self.device = torch.device(described.device)
        self.dtype = self.model.dtype
        self.vocabulary = int(model.get_input_embeddings().weight.shape[0])
        self.pad = _pad(described.tokenizer)
        self.ends = ends(self.model, described.tokenizer)
        self.window = _window(described.config)
        """Tokens that sliding attention sees, or None where all are seen."""
        known = inspect.signature(self.model.forward).parameters
        self._cuts, self._placed = "logits_to_keep" in known, "position_ids" in known

    def __call__(self, ids: torch.Tensor, keep: int, **more: Any) -> tuple[torch.Tensor, Any]:
        """Return float32 logits (rows, keep, vocabulary) of the last positions, and the cache.

        `keep` 0: of all positions.
        """
        if keep and self._cuts:
            more["logits_to_keep"] = keep
        out = self.model(input_ids=ids, return_dict=True, **more)
        return out.logits[:, -keep if keep else 0 :].float(), out.get("past_key_values")

    def places(self, positions: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return positions (rows, tokens) as an argument, where the network takes them."""
        return {"position_ids": positions} if self._placed else {}

    def tensor(self, rows: list[list[int]]) -> torch.Tensor:
        """Return rows of equal length on the model's device."""
        return torch.tensor(rows, dtype=torch.long, device=self.device)

    def free(self) -> None:
        """Give unused memory of a GPU back."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


@contextmanager
def _no_bars() -> Iterator[None]:
    """Keep transformers from drawing progress bars into ours."""
    bars: Any = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _pad(tokenizer: Any) -> int:
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    return 0


def ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer, of the generation settings and of the tokenizer."""
    found = getattr(model.generation_config, "eos_token_id", None)
    listed = found if isinstance(found, list) else [found]
    return frozenset(i for i in (*listed, tokenizer.eos_token_id) if i is not None)


def _window(config: Any) -> int | None:
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    found = getattr(text, "sliding_window", None)
    return found if isinstance(found, int) and getattr(text, "use_sliding_window", True) else None


def out_of_memory(error: RuntimeError) -> bool:
    """Return whether a RuntimeError means that memory ran out."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    said = str(error).lower()
    return "out of memory" in said or "can't allocate memory" in said
