"""A Llama network in numpy: weights from a file, tokens in, logits out, with a cache for decoding.

Works on token arrays; knows nothing of text, requests or sampling.

A row's result never depends on its neighbours. Everything is stacked as (sequences, ...), and
`numpy.matmul` makes one call to the linear algebra library for each tile of one sequence. The shape
of a tile depends on that sequence alone: its padded length and its cache. So a batch of 64 gives
the very bits that 64 single calls give on the same machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors import safe_open

from harness.identity import bytes_key

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BLOCK = 32
"""Rows of a tile; short lengths are padded to a multiple of this, so that few shapes occur."""
CHUNK = 128
"""Positions that attention sees in one call; longer lengths are padded to a multiple of this."""
TILE = 262_144
"""Most multiplications of one call (rows * in * columns), so that OpenBLAS keeps to one thread: for
so little work, waiting for another costs more than it saves, above all on a busy machine."""
COLUMNS = 32
"""Columns of a tile of weights: two of the widest vector registers, measured to be the quickest."""


class Config(Struct, frozen=True):
    """Shape of a network, in the names of its safetensors metadata."""

    width: int
    """Size of the residual stream; a multiple of `heads`."""
    layers: int
    heads: int
    hidden: int
    """Inner size of the SwiGLU."""
    vocabulary: int
    context: int = 2048
    """Longest sequence, in tokens."""
    theta: float = 10000.0
    """Base of the rotary angles."""
    epsilon: float = 1e-5
    """Added under the root of a norm."""


class Matrix:
    """A weight (out, in), cut into tiles (count, in, columns); the last is filled with zeros."""

    def __init__(self, weight: Floats) -> None:
        self._out, width = weight.shape
        count = -(-self._out // COLUMNS)
        filled = np.zeros((count * COLUMNS, width), dtype=np.float32)
        filled[: self._out] = weight
        tiles = filled.reshape(count, COLUMNS, width).transpose(0, 2, 1)
        self._tiles = np.ascontiguousarray(tiles)
        self._rows = BLOCK
        while self._rows > 1 and self._rows * width * COLUMNS > TILE:
            self._rows //= 2

    def __call__(self, x: Floats) -> Floats:
        """Return x (sequences, length, in) times the weight, (sequences, length, out).

        `length` is 1 or a multiple of `BLOCK`.
        """
        sequences, length, width = x.shape
        rows = min(length, self._rows)
        y = x.reshape(-1, 1, rows, width) @ self._tiles
        flat = y.swapaxes(1, 2).reshape(sequences, length, -1)
        return np.ascontiguousarray(flat[..., : self._out])


class Layer(Struct, frozen=True):
    """Weights of one layer."""

    attention_norm: Floats
    query_key_value: Matrix
    out: Matrix
    mlp_norm: Floats
    gate_up: Matrix
    down: Matrix


class Cache(Struct, frozen=True):
    """Keys and values of sequences so far, each (layers, sequences, heads, capacity, size).

    Written in place as decoding goes on. Positions not yet written hold finite numbers that the
    mask keeps out.
    """

    keys: Floats
    values: Floats

    def kept(self, rows: Ints) -> Cache:
        """Return the cache of some of the sequences."""
        return Cache(self.keys[:, rows], self.values[:, rows])


def padded(length: int) -> int:
    """Return `length`, rounded up to whole blocks, or to whole chunks where it exceeds one.

    >>> padded(20), padded(33), padded(129)
    (32, 64, 256)
    """
    unit = BLOCK if length <= CHUNK else CHUNK
    return -(-length // unit) * unit


def rms_norm(x: Floats, weight: Floats, epsilon: float) -> Floats:
    """Root mean square normalisation along the last axis (Zhang and Sennrich 2019)."""
    square = np.mean(x * x, axis=-1, keepdims=True)
    y: Floats = x * (1 / np.sqrt(square + np.float32(epsilon)))
    y *= weight
    return y


def silu(x: Floats) -> Floats:
    """Return x * sigmoid(x), by tanh, which cannot overflow."""
    half: Floats = x * np.float32(0.5)
    y: Floats = np.tanh(half)
    y += np.float32(1)
    y *= half
    return y


def attend(q: Floats, k: Floats, v: Floats, mask: Floats) -> Floats:
    """Return attention's values, as `q` (sequences, heads, length, size).

    `k` and `v` hold `seen` positions, (sequences, heads, seen, size); `mask` is (…, length, seen),
    minus infinity where nothing is to be seen. Both lengths are 1 or come from `padded`.
    """
    sequences, heads, length, size = q.shape
    rows, chunk = min(length, BLOCK), min(k.shape[2], CHUNK)
    asked = (q * np.float32(size**-0.5)).reshape(sequences, heads, -1, 1, rows, size)
    keys = k.reshape(sequences, heads, 1, -1, chunk, size)
    values = v.reshape(sequences, heads, 1, -1, chunk, size)
    cut = mask.reshape(-1, 1, length // rows, rows, keys.shape[3], chunk).swapaxes(3, 4)
    share = asked @ keys.swapaxes(-1, -2)
    share += cut
    share -= share.max(axis=(3, 5), keepdims=True)
    np.exp(share, out=share)
    total = share.sum(axis=5).sum(axis=3)[..., None]
    mixed: Floats = (share @ values).sum(axis=3) / total
    return mixed.reshape(q.shape)


def rotate(x: Floats, cos: Floats, sin: Floats) -> Floats:
    """Turn (..., length, size) by position: RoPE, half against half (Su et al. 2021)."""
    half = x.shape[-1] // 2
    low, high = x[..., :half], x[..., half:]
    y = np.empty_like(x)
    y[..., :half] = low * cos - high * sin
    y[..., half:] = high * cos + low * sin
    return y


class Network:
    """Decoder-only transformer of the Llama kind (Touvron et al. 2023), embedding tied."""

    def __init__(self, config: Config, tensors: dict[str, Floats]) -> None:
        self.config = config
        self.tensors = tensors
        self._embedding = tensors["embedding.weight"]
        self._unembedding = Matrix(self._embedding)
        self._norm = tensors["norm.weight"]
        self._layers = [self._layer(index) for index in range(config.layers)]
        size = config.width // config.heads
        rates = (config.theta ** (-np.arange(0, size, 2) / size)).astype(np.float32)
        angles = np.outer(np.arange(padded(config.context), dtype=np.float32), rates)
        self._cos, self._sin = np.cos(angles), np.sin(angles)

    def _layer(self, index: int) -> Layer:
        def tensor(name: str) -> Floats:
            return self.tensors[f"blocks.{index}.{name}.weight"]

        return Layer(
            attention_norm=tensor("attention_norm"),
            query_key_value=Matrix(tensor("query_key_value")),
            out=Matrix(tensor("out")),
            mlp_norm=tensor("mlp_norm"),
            gate_up=Matrix(tensor("gate_up")),
            down=Matrix(tensor("down")),
        )

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        return sum(tensor.size for tensor in self.tensors.values())

    def logits(self, hidden: Floats) -> Floats:
        """Return logits (sequences, length, vocabulary) of hidden states (…, …, width)."""
        return self._unembedding(hidden)

    def prefill(self, tokens: Ints, capacity: int = 0) -> tuple[Floats, Cache]:
        """Return hidden states (sequences, length, width) of tokens (sequences, length).

        `length` is a multiple of `BLOCK`; shorter sequences end in padding, which no earlier
        position sees. Keys and values are kept for `capacity` positions.
        """
        count, length = tokens.shape
        cache = self._empty(count, capacity)
        cos, sin = self._cos[:length], self._sin[:length]
        mask = np.triu(np.full((length, length), -np.inf, dtype=np.float32), 1)
        x = self._embedding[tokens]
        for index, layer in enumerate(self._layers):
            q, k, v = self._heads(layer, x)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            kept = min(length, capacity)
            cache.keys[index, :, :, :kept] = k[:, :, :kept]
            cache.values[index, :, :, :kept] = v[:, :, :kept]
            x = self._rest(layer, x, attend(q, k, v, mask))
        return rms_norm(x, self._norm, self.config.epsilon), cache

    def step(self, tokens: Ints, positions: Ints, cache: Cache) -> Floats:
        """Return hidden states (sequences, 1, width) of one more token each; extends the cache.

        `tokens` and `positions` have shape (sequences,).
        """
        cos, sin = self._cos[positions, None, None], self._sin[positions, None, None]
        rows, capacity = np.arange(len(tokens)), cache.keys.shape[3]
        unseen = np.arange(capacity) > positions[:, None]
        mask = np.where(unseen, np.float32(-np.inf), np.float32(0))
        x = self._embedding[tokens][:, None]
        for index, layer in enumerate(self._layers):
            q, k, v = self._heads(layer, x)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            cache.keys[index, rows, :, positions] = k[:, :, 0]
            cache.values[index, rows, :, positions] = v[:, :, 0]
            x = self._rest(layer, x, attend(q, cache.keys[index], cache.values[index], mask))
        return rms_norm(x, self._norm, self.config.epsilon)

    def _empty(self, count: int, capacity: int) -> Cache:
        c = self.config
        shape = (c.layers, count, c.heads, capacity, c.width // c.heads)
        return Cache(np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32))

    def _heads(self, layer: Layer, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Return queries, keys and values, each (sequences, heads, length, size)."""
        c = self.config
        count, length, _ = x.shape
        mixed = layer.query_key_value(rms_norm(x, layer.attention_norm, c.epsilon))
        split = mixed.reshape(count, length, 3, c.heads, -1).transpose(2, 0, 3, 1, 4)
        q, k, v = np.ascontiguousarray(split)
        return q, k, v

    def _rest(self, layer: Layer, x: Floats, mixed: Floats) -> Floats:
        """Return the residual stream after attention's output and the SwiGLU (Shazeer 2020)."""
        x = x + layer.out(np.ascontiguousarray(mixed.swapaxes(1, 2)).reshape(x.shape))
        inner = layer.gate_up(rms_norm(x, layer.mlp_norm, self.config.epsilon))
        gate, up = np.split(inner, 2, axis=-1)
        return x + layer.down(silu(gate) * up)


def log_softmax(logits: Floats) -> NDArray[np.float64]:
    """Return natural log-probabilities along the last axis, in double precision."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    normal: NDArray[np.float64] = wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return normal


class Weights(Struct, frozen=True):
    """What a weights file holds."""

    network: Network
    metadata: dict[str, str]
    digest: str
    """Hash of the file's bytes."""


def load(path: Path) -> Weights:
    """Read a weights file: half-precision tensors, and the shape as JSON in its metadata."""
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118 - no mapping
    config = Config(**json.loads(metadata["config"]))
    return Weights(Network(config, tensors), metadata, bytes_key(path.read_bytes()))


def to_transformers(network: Network) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return (arguments of transformers' LlamaConfig, state dict of its LlamaForCausalLM)."""
    c = network.config
    config = {
        "vocab_size": c.vocabulary,
        "hidden_size": c.width,
        "intermediate_size": c.hidden,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.heads,
        "max_position_embeddings": c.context,
        "rms_norm_eps": c.epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": c.theta},
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
    }
    embedding = network.tensors["embedding.weight"]
    state = {
        "model.embed_tokens.weight": embedding,
        "lm_head.weight": embedding,
        "model.norm.weight": network.tensors["norm.weight"],
    }
    for index in range(c.layers):
        state |= _layer_state(network.tensors, index)
    return config, state


def _layer_state(tensors: dict[str, Floats], index: int) -> dict[str, Floats]:
    def own(name: str) -> Floats:
        return tensors[f"blocks.{index}.{name}.weight"]

    query, key, value = np.split(own("query_key_value"), 3)
    gate, up = np.split(own("gate_up"), 2)
    renamed = {
        "input_layernorm": own("attention_norm"),
        "self_attn.q_proj": query,
        "self_attn.k_proj": key,
        "self_attn.v_proj": value,
        "self_attn.o_proj": own("out"),
        "post_attention_layernorm": own("mlp_norm"),
        "mlp.gate_proj": gate,
        "mlp.up_proj": up,
        "mlp.down_proj": own("down"),
    }
    return {f"model.layers.{index}.{name}.weight": tensor for name, tensor in renamed.items()}
