"""The network in torch, for training alone; `harness.backend.embedded.model` is what runs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.backend.embedded.model import Config


class RMSNorm(nn.Module):
    """Root mean square normalisation (Zhang and Sennrich 2019), computed in float32."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return x of shape (..., width), normalised along its last axis."""
        return functional.rms_norm(x.float(), x.shape[-1:], self.weight, self.epsilon)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn (batch, heads, length, size) by position: RoPE, half against half (Su et al. 2021)."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


class Block(nn.Module):
    """One layer: attention, then SwiGLU (Shazeer 2020), each behind a norm and a residual."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.heads = c.heads
        self.attention_norm = RMSNorm(c.width, c.epsilon)
        self.query_key_value = nn.Linear(c.width, 3 * c.width, bias=False)
        self.out = nn.Linear(c.width, c.width, bias=False)
        self.mlp_norm = RMSNorm(c.width, c.epsilon)
        self.gate_up = nn.Linear(c.width, 2 * c.hidden, bias=False)
        self.down = nn.Linear(c.hidden, c.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        """Return x of shape (batch, length, width), one layer on."""
        batch, length, width = x.shape
        mixed = self.query_key_value(self.attention_norm(x))
        q, k, v = mixed.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        # Written out: on short rows, torch's fused attention takes most of a step on a CPU.
        score = q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5 + mask
        y = score.softmax(dim=-1).to(v.dtype) @ v
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        inner: Tensor = self.down(functional.silu(gate) * up)
        return x + inner


class Network(nn.Module):
    """Decoder-only transformer of the Llama kind (Touvron et al. 2023), embedding tied."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.config = c
        self.embedding = nn.Embedding(c.vocabulary, c.width)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.width, c.epsilon)
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                small = name.endswith(("out.weight", "down.weight"))
                scale = (2 * c.layers) ** -0.5 if small else 1.0
                nn.init.normal_(weight, std=scale * (0.05 if "embedding" in name else 0.08))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (batch, length, vocabulary) for tokens (batch, length)."""
        c = self.config
        size = c.width // c.heads
        rates = c.theta ** (-torch.arange(0, size, 2).float() / size)
        angles = torch.outer(torch.arange(tokens.shape[1]).float(), rates)
        cos, sin = angles.cos(), angles.sin()
        mask = torch.full((tokens.shape[1], tokens.shape[1]), -torch.inf).triu(1)
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        logits: Tensor = functional.linear(self.norm(x), self.embedding.weight)
        return logits
