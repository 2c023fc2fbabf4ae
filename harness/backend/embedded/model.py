"""stub"""

from __future__ import annotations

from msgspec import Struct


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
