"""A GGUF file of a Llama with random weights and bytes for tokens, made where it is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

WIDTH, HEADS, LAYERS, CONTEXT = 32, 4, 2, 512
CHAT = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)


def alphabet() -> list[str]:
    """Return how byte-level BPE writes each byte: as itself where it prints, else beyond 255."""
    prints = [*range(33, 127), *range(161, 173), *range(174, 256)]
    beyond = iter(range(256, 512))
    return [chr(byte if byte in prints else next(beyond)) for byte in range(256)]


@cache
def file() -> Path:
    """Return the file, the same weights each time; skips without gguf or llama-cpp-python."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra llamacpp)")
    gguf = pytest.importorskip("gguf", reason="gguf is not installed")
    path = Path(mkdtemp(prefix="tinygguf")) / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_tokenizer(writer, gguf)
    for name, tensor in weights().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer, gguf) -> None:
    letters = alphabet()
    tokens = [*letters, letters[ord("t")] + letters[ord("h")], "<s>", "</s>"]
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([normal] * 257 + [control] * 2)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT)


def weights() -> dict:
    """Return random weights by llama.cpp's names."""
    import numpy as np

    random = np.random.default_rng(5)

    def matrix(rows: int, columns: int):
        return random.normal(0, 0.3, (rows, columns)).astype(np.float32)

    ones = np.ones(WIDTH, dtype=np.float32)
    found = {
        "token_embd.weight": matrix(259, WIDTH),
        "output_norm.weight": ones,
        "output.weight": matrix(259, WIDTH),
    }
    for i in range(LAYERS):
        found |= {f"blk.{i}.{name}_norm.weight": ones for name in ("attn", "ffn")}
        found |= {f"blk.{i}.attn_{x}.weight": matrix(WIDTH, WIDTH) for x in "qkv"}
        found |= {
            f"blk.{i}.attn_output.weight": matrix(WIDTH, WIDTH),
            f"blk.{i}.ffn_gate.weight": matrix(2 * WIDTH, WIDTH),
            f"blk.{i}.ffn_up.weight": matrix(2 * WIDTH, WIDTH),
            f"blk.{i}.ffn_down.weight": matrix(WIDTH, 2 * WIDTH),
        }
    return found
