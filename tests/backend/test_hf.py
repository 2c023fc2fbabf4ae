"""The hf backend: scores, generation, shared beginnings and memory, on tiny models made here."""

from __future__ import annotations

import asyncio
import json

import pytest
import tinyllama
from msgspec.structs import replace

from harness.errors import BackendError, ModelNotFound, UsageError
from harness.records import Failure, Generation, Message, ModelSpec, Request, Response

torch = pytest.importorskip("torch", reason="torch is not installed (extra hf)")
transformers = pytest.importorskip("transformers", reason="no transformers (extra hf)")

from harness.backend.hf.backend import open_hf  # noqa: E402 - needs torch

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SHOTS = "".join(f"Question: What is {i} + {i + 2}?\nAnswer: {2 * i + 2}\n\n" for i in range(5))
SAID = [" 46", " 4", " a long answer", " 46"]


def backend(path=None, **arguments):
    """Open the tiny model."""
    return open_hf(ModelSpec("hf", str(path or tinyllama.folder()), arguments))


def ask(requests, opened=None, **arguments):
    """Return the replies of a new backend to one batch."""
    own = opened or backend(**arguments)

    async def once():
        try:
            return await own.answer(requests)
        finally:
            await own.close()

    return asyncio.run(once())


def pairs(count=12, shots=SHOTS):
    """Return log-likelihood requests of questions with several options each."""
    return [
        Request(kind="loglikelihood", prompt=f"{shots}Question: What is {i} + 34?\nAnswer:",
                continuation=text, logprobs=True)
        for i in range(count) for text in SAID
    ]  # fmt: skip


def by_hand(context: str, continuation: str, path=None):
    """Return lm-evaluation-harness's log-likelihood, computed as plainly as can be."""
    path = path or tinyllama.folder()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    before = tokenizer(context)["input_ids"]
    after = tokenizer(context + continuation)["input_ids"][len(before) :]
    with torch.no_grad():
        logits = model(torch.tensor([before + after])).logits[0]
    logprobs = logits.log_softmax(dim=-1)[len(before) - 1 : -1]
    return sum(logprobs[i, token].item() for i, token in enumerate(after)), len(after)


@pytest.mark.parametrize("arguments", [{}, {"reuse": False}, {"batch_size": 3}])
def test_log_likelihoods_are_those_of_whole_texts_one_by_one(arguments):
    """Shared beginnings, branches and batches move no score by more than 1e-4."""
    requests = pairs()
    for request, reply in zip(requests, ask(requests, **arguments), strict=True):
        expected, count = by_hand(request.prompt, request.continuation)
        assert reply.loglikelihood == pytest.approx(expected, abs=1e-4)
        assert (reply.tokens, len(reply.token_logprobs)) == (count, count)


def test_a_shared_beginning_is_computed_once_and_kept():
    """The second batch with the same few-shot examples feeds the questions alone."""
    own = backend()
    fed = []

    async def twice():
        await own.answer(pairs())
        engine = own._engine
        assert engine.reuses
        model = engine.network.model
        forward = model.forward
        model.forward = lambda **given: fed.append(given["input_ids"].shape) or forward(**given)
        await own.answer(pairs())
        await own.close()

    asyncio.run(twice())
    tokens = len(own._described.tokenizer(SHOTS)["input_ids"])
    assert len(fed) == 1
    assert fed[0][0] == 12  # a row for a question, not for an option
    assert fed[0][1] < tokens


def test_a_network_that_cannot_be_masked_reads_whole_texts():
    """Where the probe disagrees or fails, scores still are right."""
    own = backend()

    async def broken():
        await own.answer([])
        own._engine.reuses = False
        replies = await own.answer(pairs(3))
        await own.close()
        return replies

    expected = [reply.loglikelihood for reply in ask(pairs(3))]
    found = [reply.loglikelihood for reply in asyncio.run(broken())]
    assert found == pytest.approx(expected, abs=1e-4)


def saved(tmp_path, model):
    """Save a model beside the tiny tokenizer."""
    tinyllama.tokenizer().save_pretrained(tmp_path)
    model.eval().save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", ["gpt2", "bloom", "mistral", "mamba"])
def test_other_architectures_score_as_by_hand(tmp_path, kind):
    """Learned positions, none at all, a sliding window, a state space: each scores as it should."""
    small = {"vocab_size": 320, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    made = {
        "gpt2": lambda: transformers.GPT2Config(
            n_positions=512, n_embd=32, n_layer=2, n_head=2, **small),
        "bloom": lambda: transformers.BloomConfig(hidden_size=32, n_layer=2, n_head=2, **small),
        "mistral": lambda: transformers.MistralConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, sliding_window=48, max_position_embeddings=512, **small),
        "mamba": lambda: transformers.MambaConfig(
            hidden_size=32, num_hidden_layers=2, state_size=4, **small),
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_config(made[kind]())
    path = saved(tmp_path, model)
    own = backend(path, max_length=512)
    texts = Request(prompt=SHOTS, generation=Generation(max_tokens=4))
    requests = [*pairs(8), texts, replace(texts, prompt="a")]
    *scores, first, second = ask(requests, own)
    assert own._engine.reuses == (kind in {"gpt2", "mistral"})
    for request, reply in zip(requests[::5], scores[::5], strict=False):
        expected, _ = by_hand(request.prompt, request.continuation, path)
        assert reply.loglikelihood == pytest.approx(expected, abs=1e-4)
    for request, reply in ((requests[-2], first), (requests[-1], second)):
        assert reply.text == greedy(request.prompt, 4, path)


def greedy(prompt, count, path=None):
    """Return what transformers itself generates, alone and unpadded."""
    path = path or tinyllama.folder()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    ids = torch.tensor([tokenizer(prompt)["input_ids"]])
    for _ in range(count):
        with torch.no_grad():
            token = model(ids).logits[0, -1].argmax()
        if token == 1:
            break
        ids = torch.cat([ids, token[None, None]], dim=1)
    start = len(tokenizer(prompt)["input_ids"])
    return tokenizer.decode(ids[0, start:], skip_special_tokens=True)


PROMPTS = [f"{SHOTS}Question: What is {i}{i} + 1?" for i in range(9)] + ["a", "b c " * 20]


@pytest.mark.parametrize("arguments", [{}, {"reuse": False}, {"batch_size": 2}])
def test_generation_is_greedy_decoding_whatever_the_batch(arguments):
    """Left padding and shared beginnings change no token of a greedy answer."""
    requests = [Request(prompt=p, generation=Generation(max_tokens=12)) for p in PROMPTS]
    replies = ask(requests, **arguments)
    assert [reply.text for reply in replies] == [greedy(prompt, 12) for prompt in PROMPTS]
    assert {reply.finish_reason for reply in replies} <= {"stop", "length"}


def test_a_stop_text_ends_the_answer_and_is_cut_off():
    """The text ends before the first stop text, log-probabilities with it."""
    (plain,) = ask([Request(prompt="a", generation=Generation(max_tokens=12), logprobs=True)])
    stop = plain.text[5:8]
    (cut,) = ask(
        [
            Request(
                prompt="a", generation=Generation(max_tokens=12, stop=("zzz", stop)), logprobs=True
            )
        ]
    )
    assert cut.text == plain.text[: plain.text.index(stop)]
    assert cut.finish_reason == "stop"
    assert len(cut.token_logprobs) < len(plain.token_logprobs)
    assert cut.token_logprobs == pytest.approx(plain.token_logprobs[: len(cut.token_logprobs)])


def test_sampling_hangs_on_the_request_alone():
    """A sampled answer is the same in any batch; another repeat or seed has another."""
    hot = Request(prompt="a", generation=Generation(max_tokens=8, temperature=1.0, seed=3))
    other = replace(hot, repeat=1)
    (alone,) = ask([hot])
    together = ask([Request(prompt="b " * 30), other, hot])
    assert together[2].text == alone.text
    assert together[1].text != alone.text


def test_a_chat_goes_through_the_models_own_template():
    """The chat is what the template writes; what it refuses is unsupported, with its words."""
    chat = (Message("user", "What is 1 + 1?"),)
    flat = Request(prompt="user: What is 1 + 1?\nassistant:", generation=Generation(max_tokens=6))
    mine, theirs, refused = ask([
        Request(messages=chat, generation=Generation(max_tokens=6)),
        flat,
        Request(messages=(Message("system", "s"), *chat)),
    ])  # fmt: skip
    assert mine.text == theirs.text
    assert isinstance(refused, Failure)
    assert "no system here" in refused.message
    assert "chat" not in backend(api="completions").capabilities


def test_rolling_cuts_long_texts_as_lm_evaluation_harness_does():
    """Every token is predicted once, in windows of the context; the last has as much as fits."""
    text = "some text about sums 12 + 34 " * 40
    own = backend(max_length=64)
    (reply,) = ask([Request(kind="rolling", prompt=text)], own)
    ids = own._described.tokenizer(text)["input_ids"]
    model = transformers.AutoModelForCausalLM.from_pretrained(tinyllama.folder())
    total = 0.0
    for start in range(0, len(ids), 64):
        end = min(start + 64, len(ids))
        before = ids[end - 65 : start] if start else [0]
        with torch.no_grad():
            logits = model(torch.tensor([before + ids[start:end]])).logits[0]
        own_part = logits.log_softmax(-1)[len(before) - 1 : -1]
        total += own_part[range(end - start), ids[start:end]].sum().item()
    assert reply.tokens == len(ids)
    assert reply.loglikelihood == pytest.approx(total, abs=1e-3)


def test_boundaries_are_those_of_encode_pair():
    """Spaces at the end of a context are scored; an empty context is the BOS token."""
    spaced, bare, empty, nothing = ask([
        Request(kind="loglikelihood", prompt="What is ", continuation="12"),
        Request(kind="loglikelihood", prompt="What is", continuation=" 12"),
        Request(kind="loglikelihood", prompt="", continuation="What"),
        Request(kind="loglikelihood", prompt="What", continuation=""),
    ])  # fmt: skip
    assert spaced.loglikelihood == bare.loglikelihood
    assert empty.loglikelihood == pytest.approx(by_hand("<s>", "What")[0], abs=1e-4)
    assert nothing.kind == "unsupported"


def test_what_does_not_fit_fails_and_is_not_cut():
    """A text beyond the context is a failure that says so; its neighbours are answered."""
    long = "word " * 2000
    replies = ask([
        Request(prompt=long),
        Request(kind="loglikelihood", prompt=long, continuation="x"),
        Request(prompt="a", generation=Generation(max_tokens=10_000)),
    ])  # fmt: skip
    assert [r.kind for r in replies[:2]] == ["too_long", "too_long"]
    assert isinstance(replies[2], Response)
    assert replies[2].prompt_tokens + replies[2].completion_tokens <= 512


def test_out_of_memory_halves_the_batch_and_asks_again():
    """The same scores come out; a single sequence that does not fit is a failure of its own."""
    own = backend(reuse=False)
    expected = [r.loglikelihood for r in ask(pairs(6), reuse=False)]
    sizes = []

    async def scarce():
        await own.answer([])
        model = own._engine.network.model
        forward = model.forward

        def limited(**given):
            rows = given["input_ids"].shape[0]
            if rows > 3:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            sizes.append(rows)
            return forward(**given)

        model.forward = limited
        found = await own.answer(pairs(6))

        def none_left(**given):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

        model.forward = none_left
        (alone,) = await own.answer([Request(prompt="a")])
        await own.close()
        return found, alone

    found, alone = asyncio.run(scarce())
    assert [r.loglikelihood for r in found] == pytest.approx(expected, abs=1e-4)
    assert max(sizes) <= 3
    assert isinstance(alone, Failure)
    assert "out of memory" in alone.message


def test_scores_equal_those_of_the_embedded_model(tmp_path):
    """The same weights through numpy and through transformers score alike within 1e-4."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from harness.backend.embedded.backend import WEIGHTS, open_embedded
    from harness.backend.embedded.model import load, to_transformers

    config, state = to_transformers(load(WEIGHTS / "nano.safetensors").network)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config))
    model.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    model.eval().save_pretrained(tmp_path)
    # byte-level names are characters: each byte's is at its own number
    vocabulary = {name: byte for byte, name in byte_names().items()}
    vocabulary |= {f"<{i}>": i for i in range(256, 264)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([f"<{i}>" for i in range(256, 264)])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<256>", eos_token="<257>", pad_token="<261>"
    ).save_pretrained(tmp_path)
    # the embedded model starts every text with BOS, which this tokenizer leaves to the text
    requests = [replace(r, prompt="<256>" + r.prompt) for r in pairs(4, shots="")]
    theirs = ask(pairs(4, shots=""), open_embedded(ModelSpec("embedded", "nano")))
    for mine, other in zip(ask(requests, backend(tmp_path)), theirs, strict=True):
        assert mine.loglikelihood == pytest.approx(other.loglikelihood, abs=1e-4)
        assert (mine.tokens, mine.greedy) == (other.tokens, other.greedy)


def byte_names():
    """Return the character by which byte-level tokenizers name each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}


def test_thinking_is_kept_apart():
    """What stands before the end of the reasoning is no part of the answer."""
    (whole,) = ask([Request(prompt="a", generation=Generation(max_tokens=12))])
    mark = whole.text[4:7]
    (split,) = ask([Request(prompt="a", generation=Generation(max_tokens=12))], think_end=mark)
    assert split.reasoning + mark + whole.text[len(split.reasoning) + len(mark) :] == whole.text
    assert mark not in split.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"dtyp": "float32"}, "did you mean 'dtype'"),
        ({"dtype": "int8"}, "float32"),
        ({"batch_size": 0}, "batch_size"),
        ({"device": "gpu"}, "device"),
        ({"api": "text"}, "completions"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(arguments, said):
    """The message names the argument and what it may be."""
    with pytest.raises(UsageError, match=said):
        backend(**arguments)


def test_a_model_that_is_not_there_is_not_found(tmp_path):
    """An empty folder ends with exit 4 and one line, not with a traceback."""
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        backend(tmp_path)


def test_broken_weights_stop_the_run(tmp_path):
    """Weights that cannot be read are found with the first request."""
    saved(tmp_path, tinyllama.llama())
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(BackendError, match="cannot be loaded"):
        ask([Request(prompt="a")], backend(tmp_path))


def test_identity_follows_the_weights(tmp_path):
    """Other weights, dtype or length give another key; device and batch size do not."""
    same = backend(batch_size=4, device="cpu").identity()
    assert same == backend().identity()
    assert backend(dtype="bfloat16").identity() != same
    assert backend(max_length=64).identity() != same
    saved(tmp_path, tinyllama.llama())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 0.1}))
    assert backend(tmp_path).identity()["weights"] != same["weights"]
    assert backend().info.parameters == sum(p.numel() for p in tinyllama.llama().parameters())
