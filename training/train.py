"""Train one embedded model on the CPU and write its weights.

    python -m training.train mini --steps 12000 --out harness/backend/embedded/weights

The same command on the same machine gives the same weights: corpus, order and start come from the
seed, and the number of threads is fixed.
"""

# ruff: noqa: T201 - a script prints how far it is
from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn import functional

from harness.backend.embedded.model import Config
from harness.backend.embedded.tokenizer import PAD, VOCABULARY
from training.corpus import documents
from training.document import tokens
from training.holdout import held_out
from training.model import Network

SIZES = {
    "nano": Config(width=48, layers=2, heads=3, hidden=96, vocabulary=VOCABULARY),
    "micro": Config(width=48, layers=3, heads=3, hidden=128, vocabulary=VOCABULARY),
    "mini": Config(width=160, layers=5, heads=5, hidden=384, vocabulary=VOCABULARY),
}
THREADS = 1
BATCH_TOKENS = 4096
"""Rows times length of a batch."""
PEAK_RATE = 2e-3
WARM_UP = 200
SAVE_EVERY = 500


def shelf_length(length: int) -> int:
    """Return the length a document is padded to: few different ones, as each costs a set-up."""
    step = 8 if length <= 64 else 32 if length <= 256 else 128  # noqa: PLR2004 - three ranges
    return -(-length // step) * step


def batches(seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (tokens, weights), each (rows, length), for ever; documents of like length together."""
    shelves: dict[int, list[tuple[list[int], list[float]]]] = {}
    for document in documents(seed, held_out()):
        pair = tokens(document)
        length = shelf_length(len(pair[0]))
        shelf = shelves.setdefault(length, [])
        shelf.append(pair)
        if len(shelf) == max(1, BATCH_TOKENS // length):
            yield _padded(shelf, length)
            shelf.clear()


def _padded(rows: list[tuple[list[int], list[float]]], length: int) -> tuple[Tensor, Tensor]:
    ids = np.full((len(rows), length), PAD, dtype=np.int64)
    weights = np.zeros((len(rows), length), dtype=np.float32)
    for i, (row, weight) in enumerate(rows):
        ids[i, : len(row)] = row
        weights[i, : len(row)] = weight
    return torch.from_numpy(ids), torch.from_numpy(weights)


def loss_of(network: Network, ids: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean negative log-likelihood of a batch."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(ids[:, :-1])
    at = weights[:, 1:].reshape(-1).nonzero().squeeze(1)
    chosen = logits.reshape(-1, logits.shape[-1])[at].float()
    losses = functional.cross_entropy(chosen, ids[:, 1:].reshape(-1)[at], reduction="none")
    share = weights[:, 1:].reshape(-1)[at]
    return (losses * share).sum() / share.sum()


def optimizers(network: Network) -> list[torch.optim.Optimizer]:
    """Return Muon (Jordan et al. 2024) for the layers' matrices and AdamW for the rest."""
    named = dict(network.named_parameters())
    inner = {name for name, weight in named.items() if weight.dim() > 1 and "embedding" not in name}
    matrices = [named[name] for name in named if name in inner]
    others = [named[name] for name in named if name not in inner]
    return [
        torch.optim.Muon(matrices, lr=PEAK_RATE, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def rate_at(step: int, steps: int) -> float:
    """Return the share of the peak rate at a step: linear warm-up, then half a cosine to 1%."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))


def save(network: Network, name: str, folder: Path, note: str) -> None:
    """Write the weights in half precision, the shape and origin in the file's metadata."""
    state = {
        key: np.ascontiguousarray(value.detach().float().numpy().astype(np.float16))
        for key, value in network.state_dict().items()
    }
    config = {field: getattr(network.config, field) for field in network.config.__struct_fields__}
    metadata = {
        "config": json.dumps(config, sort_keys=True),
        "name": name,
        "licence": "MIT",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "training": note,
    }
    part = folder / f"{name}.part"
    save_file(state, part, metadata=metadata)
    part.chmod(0o644)
    part.replace(folder / f"{name}.safetensors")


def train(name: str, steps: int, seed: int, folder: Path) -> None:
    """Train and write `folder/name.safetensors`, now and then and at the end."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(seed)
    network = Network(SIZES[name])
    count = sum(weight.numel() for weight in network.parameters())
    print(f"{name}: {count} parameters, {steps} steps", flush=True)
    tuned = optimizers(network)
    began, seen, smooth = time.monotonic(), 0, 0.0
    for step, (ids, weights) in zip(range(steps), batches(seed), strict=False):
        for optimizer in tuned:
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATE * rate_at(step, steps)
        loss = loss_of(network, ids, weights)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in tuned:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        seen += ids.numel()
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if (step + 1) % 100 == 0:
            pace = seen / (time.monotonic() - began)
            print(f"step {step + 1} loss {smooth:.4f} tokens/s {pace:.0f}", flush=True)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            note = f"seed {seed}, step {step + 1} of {steps}, {BATCH_TOKENS} tokens a step"
            save(network, name, folder, note)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SIZES)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    train(options.name, options.steps, options.seed, options.out)


if __name__ == "__main__":
    main()
