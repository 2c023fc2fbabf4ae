"""The numpy network is the Llama of transformers: same weights, same log-probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from harness.backend.embedded.backend import WEIGHTS, model_names
from harness.backend.embedded.model import load, log_softmax, padded, to_transformers
from harness.backend.embedded.tokenizer import PAD, render_text
from harness.identity import CounterRandom

TOLERANCE = 1e-4
"""Nats: both compute in float32, in another order."""


def texts():
    """Random bytes as text, and plain sentences, of many lengths."""
    rng = CounterRandom(3, "texts")
    drawn = ["".join(chr(rng.between(32, 0x4FF)) for _ in range(n)) for n in (1, 30, 31, 70, 300)]
    return [*drawn, "What is 12 + 34?", "法国的首都是巴黎。", "12+34=46\n" * 60]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", model_names())
def test_logprobs_equal_those_of_transformers(name):
    """Each next-token log-probability of random texts agrees within 1e-4."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra hf)")
    transformers = pytest.importorskip("transformers", reason="no transformers (extra hf)")
    network = load(WEIGHTS / f"{name}.safetensors").network
    config, state = to_transformers(network)
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config))
    theirs.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    theirs.eval()
    for text in texts():
        tokens = render_text(text)
        row = np.full((1, padded(len(tokens))), PAD, dtype=np.int64)
        row[0, : len(tokens)] = tokens
        ours = log_softmax(network.logits(network.prefill(row)[0])[0, : len(tokens)])
        with torch.no_grad():
            logits = theirs(torch.tensor([tokens])).logits[0]
        expected = torch.log_softmax(logits.double(), dim=-1).numpy()
        # Improbable tokens carry large negative numbers: the bound holds where it matters.
        likely = expected > -15
        assert np.abs(ours - expected)[likely].max() < TOLERANCE
