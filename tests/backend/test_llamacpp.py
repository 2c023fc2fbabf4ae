"""The llamacpp backend, on a stand-in for llama.cpp whose logits are known."""

from __future__ import annotations

import asyncio
import importlib
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tinygguf

from harness.errors import BackendError, ModelNotFound, UsageError
from harness.records import Generation, Message, ModelSpec, Request, Response

BOS = 256


class Llama:
    """Bytes for tokens; each token is likeliest to be followed by the next byte."""

    def __init__(self, model_path, n_ctx, **given):
        if b"broken" in Path(model_path).read_bytes():
            raise ValueError("no GGUF")
        self.metadata = {"tokenizer.chat_template": "{{ messages }}"}
        self.given, self.size = given, n_ctx or 64
        self.asked = []

    def n_ctx(self):
        return self.size

    def tokenize(self, text, add_bos, special):
        return [BOS] * add_bos + list(text)

    def reset(self):
        self.scores = np.zeros((self.size, 257), dtype=np.float32)

    def eval(self, ids):
        for at, token in enumerate(ids):
            self.scores[at, (token + 1) % 257] = 3.0

    def create_completion(self, prompt, **given):
        self.asked.append(given)
        if len(prompt) > self.size:
            raise ValueError("Requested tokens exceed context window of 64")
        return {
            "choices": [{"text": prompt.upper(), "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }

    def create_chat_completion(self, turns, **given):
        self.asked.append(given)
        message = {"role": "assistant", "content": turns[-1]["content"].upper()}
        return {
            "choices": [{"message": message, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Open the backend on the stand-in."""
    fake = ModuleType("llama_cpp")
    fake.Llama = Llama
    monkeypatch.setitem(sys.modules, "llama_cpp", fake)
    monkeypatch.delitem(sys.modules, "harness.backend.llamacpp", raising=False)
    file = tmp_path / "m.gguf"

    def open_(content=b"weights", **arguments):
        file.write_bytes(content)
        module = importlib.import_module("harness.backend.llamacpp")
        return module.open_llamacpp(ModelSpec("llamacpp", str(file), arguments))

    yield open_
    sys.modules.pop("harness.backend.llamacpp", None)


def ask(backend, *requests):
    """Return the replies to one batch."""

    async def once():
        try:
            return await backend.answer(requests)
        finally:
            await backend.close()

    return asyncio.run(once())


def test_a_score_is_the_sum_over_the_continuations_tokens(opened):
    """Softmax in double precision; spaces at the end of the context are scored."""
    steps = Request(kind="loglikelihood", prompt="ab", continuation="cd")
    spaced = Request(kind="loglikelihood", prompt="a ", continuation="b")
    whole = Request(kind="rolling", prompt="abc")
    one, two, three = ask(opened(), steps, spaced, whole)
    hit = 3 - math.log(math.exp(3) + 256)
    miss = -math.log(math.exp(3) + 256)
    assert one.loglikelihood == pytest.approx(2 * hit)
    assert (one.greedy, one.tokens) == (True, 2)
    assert two.loglikelihood == pytest.approx(2 * miss)
    assert three.loglikelihood == pytest.approx(miss + 2 * hit)


def test_text_is_generated_from_prompts_and_chats(opened):
    """Settings that llama.cpp has of its own are off; the seed hangs on the request alone."""
    backend = opened()
    hot = Generation(max_tokens=3, temperature=1.0)
    texts = [Request(prompt="go", generation=hot), Request(prompt="go", generation=hot, repeat=1)]
    chat = Request(messages=(Message("user", "hi"),), generation=Generation(stop=("x",), seed=4))
    replies = ask(backend, *texts, chat)
    assert [r.text for r in replies] == ["GO", "GO", "HI"]
    assert replies[2].finish_reason == "length"
    first, second, third = backend._model.asked
    assert first["seed"] != second["seed"]
    assert (third["seed"], third["stop"]) == (4, ["x"])
    assert (first["repeat_penalty"], first["top_k"]) == (1.0, 0)


def test_what_does_not_fit_is_too_long(opened):
    """Both for scores and for text."""
    long = "x" * 100
    score = Request(kind="loglikelihood", prompt=long, continuation="y")
    assert [r.kind for r in ask(opened(), score, Request(prompt=long))] == ["too_long", "too_long"]


def test_what_is_not_offered_is_unsupported(opened):
    """Log-probabilities of generated tokens, schemas, empty texts."""
    bad = [
        Request(prompt="a", logprobs=True),
        Request(prompt="a", schema={}),
        Request(kind="rolling"),
        Request(kind="loglikelihood", prompt="a"),
        Request(prompt="a", generation=Generation(extra={"mirostat": 2})),
    ]
    assert {r.kind for r in ask(opened(), *bad)} == {"unsupported"}


def test_identity_follows_the_file(opened):
    """Other bytes are another model."""
    assert opened().identity() == opened(threads=2).identity()
    assert opened(b"other").identity() != opened().identity()


def test_what_cannot_be_opened_says_why(opened, tmp_path):
    """A file that is not there or broken, and a wrong argument."""
    backend = opened()
    assert backend.info.context == 64
    with pytest.raises(BackendError, match="no GGUF"):
        opened(b"broken")
    with pytest.raises(UsageError, match="did you mean 'context'"):
        opened(contxt=1)
    with pytest.raises(UsageError, match="whole number"):
        opened(threads="two")
    module = importlib.import_module("harness.backend.llamacpp")
    with pytest.raises(ModelNotFound, match="no file"):
        module.open_llamacpp(ModelSpec("llamacpp", str(tmp_path / "none.gguf")))


@pytest.fixture
def real():
    """The backend on a tiny file of random weights; skips without llama-cpp-python."""
    path = tinygguf.file()
    module = importlib.import_module("harness.backend.llamacpp")
    return module.open_llamacpp(ModelSpec("llamacpp", str(path)))


def test_a_real_file_is_scored_as_llama_cpp_itself_does(real):
    """Our sums over logits are those of its own echo with log-probabilities, token by token."""
    context, continuation = "the sky is", " blue, mostly"
    found = real._model.create_completion(
        context + continuation, max_tokens=1, echo=True, logprobs=1, temperature=0
    )["choices"][0]["logprobs"]
    offsets, values = found["text_offset"], found["token_logprobs"]
    end = len(context) + len(continuation)
    wanted = [v for v, at in zip(values, offsets, strict=True) if len(context) <= at < end]
    score = Request(kind="loglikelihood", prompt=context, continuation=continuation)
    (scored,) = ask(real, score)
    assert isinstance(scored, Response)
    assert scored.tokens == len(wanted)
    assert scored.token_logprobs == pytest.approx(wanted, abs=1e-4)


def test_a_real_file_continues_texts_and_chats(real):
    """Greedily the same each time, drawn the same for the same seed, and no longer than asked."""
    short = Generation(max_tokens=4)
    hot = Generation(max_tokens=8, temperature=1.0, seed=1)
    text = Request(prompt="the sky", generation=short)
    chat = Request(messages=(Message("user", "hi"),), generation=short)
    drawn = Request(prompt="the sky", generation=hot)
    replies = ask(real, text, chat, drawn, text, chat, drawn)
    assert all(isinstance(reply, Response) for reply in replies)
    assert [reply.text for reply in replies[:3]] == [reply.text for reply in replies[3:]]
    assert replies[0].finish_reason == "length"
    assert len(replies[0].text) <= 4
    assert replies[0].text != replies[1].text
