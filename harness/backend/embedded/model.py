"""A Llama network in numpy: weights from a file, tokens in, logits out, with a cache for decoding.

Works on token arrays; knows nothing of text, requests or sampling.

A row's result never depends on its neighbours. Everything is stacked as (sequences, ...), and
`numpy.matmul` makes one call to the linear algebra library for each sequence (and head), whose shape
depends on that sequence alone: its padded length and its cache. So a batch of 64 gives the very bits
that 64 single calls give on the same machine.
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
"""Lengths are padded to a multiple of this, so that few shapes occur."""


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


class Layer(Struct, frozen=True):
    """Weights of one layer; matrices as (in, out)."""

    attention_norm: Floats
    query_key_value: Floats
    out: Floats
    mlp_norm: Floats
    gate_up: Floats
    down: Floats


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
    """Return `length`, rounded up to whole blocks."""
    return -(-length // BLOCK) * BLOCK


def rms_norm(x: Floats, weight: Floats, epsilon: float) -> Floats:
    """Root mean square normalisation along the last axis (Zhang and Sennrich 2019)."""
    scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(epsilon))
    return x / scale * weight


def silu(x: Floats) -> Floats:
    """Return x * sigmoid(x), by tanh, which cannot overflow."""
    half = np.float32(0.5)
    return x * half * (np.float32(1) + np.tanh(x * half))


def softmax(x: Floats) -> Floats:
    """Return probabilities along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def rotate(x: Floats, cos: Floats, sin: Floats) -> Floats:
    """Turn (..., length, size) by position: RoPE, half against half (Su et al. 2021)."""
    low, high = np.split(x, 2, axis=-1)
    return np.concatenate((low * cos - high * sin, high * cos + low * sin), axis=-1)


class Network:
    """Decoder-only transformer of the Llama kind (Touvron et al. 2023), embedding tied."""

    def __init__(self, config: Config, tensors: dict[str, Floats]) -> None:
        self.config = config
        self.tensors = tensors
        self._embedding = tensors["embedding.weight"]
        self._unembedding = np.ascontiguousarray(self._embedding.T)
        self._norm = tensors["norm.weight"]
        self._layers = [self._layer(index) for index in range(config.layers)]
        size = config.width // config.heads
        rates = config.theta ** (-np.arange(0, size, 2) / size)
        angles = np.outer(np.arange(padded(config.context)), rates)
        self._cos = np.cos(angles).astype(np.float32)
        self._sin = np.sin(angles).astype(np.float32)

    def _layer(self, index: int) -> Layer:
        def tensor(name: str) -> Floats:
            value = self.tensors[f"blocks.{index}.{name}.weight"]
            return np.ascontiguousarray(value.T)

        return Layer(*(tensor(name) for name in Layer.__struct_fields__))

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        return sum(tensor.size for tensor in self.tensors.values())

    def logits(self, hidden: Floats) -> Floats:
        """Return logits (sequences, length, vocabulary) of hidden states (…, …, width)."""
        return np.matmul(hidden, self._unembedding)

    def prefill(self, tokens: Ints, capacity: int = 0) -> tuple[Floats, Cache]:
        """Return hidden states (sequences, length, width) of tokens (sequences, length).

        `length` is a multiple of `BLOCK`; shorter sequences end in padding, which no earlier
        position sees. Keys and values are kept for `capacity` positions.
        """
        count, length = tokens.shape
        cache = self._empty(count, capacity)
        cos, sin = self._cos[:length], self._sin[:length]
        later = np.triu(np.full((length, length), -np.inf, dtype=np.float32), 1)
        x = self._embedding[tokens]
        for index, layer in enumerate(self._layers):
            q, k, v = self._heads(layer, x)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            kept = min(length, capacity)
            cache.keys[index, :, :, :kept] = k[:, :, :kept]
            cache.values[index, :, :, :kept] = v[:, :, :kept]
            x = self._rest(layer, x, self._mixed(q, k, v, later))
        return rms_norm(x, self._norm, self.config.epsilon), cache

    def step(self, tokens: Ints, positions: Ints, cache: Cache) -> Floats:
        """Return hidden states (sequences, 1, width) of one more token each; extends the cache.

        `tokens` and `positions` have shape (sequences,).
        """
        cos, sin = self._cos[positions, None, None], self._sin[positions, None, None]
        rows, capacity = np.arange(len(tokens)), cache.keys.shape[3]
        unseen = np.arange(capacity) > positions[:, None, None, None]
        mask = np.where(unseen, np.float32(-np.inf), np.float32(0))
        x = self._embedding[tokens][:, None]
        for index, layer in enumerate(self._layers):
            q, k, v = self._heads(layer, x)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            cache.keys[index, rows, :, positions] = k[:, :, 0]
            cache.values[index, rows, :, positions] = v[:, :, 0]
            x = self._rest(layer, x, self._mixed(q, cache.keys[index], cache.values[index], mask))
        return rms_norm(x, self._norm, self.config.epsilon)

    def _empty(self, count: int, capacity: int) -> Cache:
        c = self.config
        shape = (c.layers, count, c.heads, capacity, c.width // c.heads)
        return Cache(np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32))

    def _heads(self, layer: Layer, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Return queries, keys and values, each (sequences, heads, length, size)."""
        c = self.config
        count, length, _ = x.shape
        mixed = rms_norm(x, layer.attention_norm, c.epsilon) @ layer.query_key_value
        split = mixed.reshape(count, length, 3, c.heads, -1).transpose(2, 0, 3, 1, 4)
        q, k, v = np.ascontiguousarray(split)
        return q, k, v

    def _mixed(self, q: Floats, k: Floats, v: Floats, mask: Floats) -> Floats:
        """Return attention's values (sequences, length, width)."""
        score = q @ k.swapaxes(-1, -2) * np.float32(q.shape[-1] ** -0.5) + mask
        y = softmax(score) @ v
        count, _, length, _ = y.shape
        return np.ascontiguousarray(y.transpose(0, 2, 1, 3)).reshape(count, length, -1)

    def _rest(self, layer: Layer, x: Floats, mixed: Floats) -> Floats:
        """Return the residual stream after attention's output and the SwiGLU (Shazeer 2020)."""
        x = x + mixed @ layer.out
        inner = rms_norm(x, layer.mlp_norm, self.config.epsilon) @ layer.gate_up
        gate, up = np.split(inner, 2, axis=-1)
        return x + (silu(gate) * up) @ layer.down


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
