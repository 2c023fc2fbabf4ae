"""A Llama with random weights and a byte-level tokenizer, made where it is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

CHAT = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system here') }}"
    "{% endif %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)
TEXT = ["Question: What is 12 + 34?\nAnswer: 46\n\n", "some text about sums and words " * 3]


@cache
def folder() -> Path:
    """Return a folder with model and tokenizer, the same weights each time; skips without torch."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra hf)")
    torch.set_num_threads(1)  # for so little work, waiting for a second one costs more
    pytest.importorskip("transformers", reason="transformers is not installed (extra hf)")
    path = Path(mkdtemp(prefix="tinyllama"))
    tokenizer().save_pretrained(path)
    llama().save_pretrained(path)
    return path


def tokenizer(**special):
    """Return a byte-level BPE tokenizer with a few merges."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>", "<pad>"],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(TEXT * 20, trainer)
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", **special}
    fast = PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=512, **names)
    fast.chat_template = CHAT
    return fast


def llama():
    """Return the model; grouped heads, as most have today."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=320, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        bos_token_id=0, eos_token_id=1, pad_token_id=2, initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)  # a copy of the generator: the process keeps its own
        return LlamaForCausalLM(config).eval()
