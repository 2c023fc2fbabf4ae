"""The embedded backend: what it answers, what it refuses, what it says of itself."""

from __future__ import annotations

import asyncio
import math
import threading

import pytest

from harness.backend.computing import ComputingBackend
from harness.backend.embedded import backend as embedded
from harness.backend.embedded.tokenizer import encode
from harness.errors import InvalidFile, UnknownName
from harness.protocols import Backend
from harness.records import (
    Failure,
    Generation,
    Message,
    ModelInfo,
    ModelSpec,
    Request,
    Response,
    Tool,
)


def opened(name="mini", **arguments):
    """A backend for one of the models."""
    return embedded.open_embedded(ModelSpec("embedded", name, arguments))


@pytest.fixture(scope="module")
def mini():
    """The largest model."""
    return opened()


def ask(text, **settings):
    """A chat request of one turn."""
    generation = Generation(**({"max_tokens": 16} | settings))
    return Request(messages=(Message("user", text),), generation=generation)


def score(prompt, continuation):
    """A log-likelihood request."""
    return Request(kind="loglikelihood", prompt=prompt, continuation=continuation)


def one(backend, request):
    """The single reply to a single request."""
    (reply,) = backend.compute([request])
    return reply


def test_three_models_travel_along():
    """nano, micro and mini are there, in ascending size, four megabytes in all at most."""
    assert embedded.model_names() == ["micro", "mini", "nano"]
    sizes = [opened(name).info.parameters for name in ("nano", "micro", "mini")]
    assert sizes == sorted(set(sizes))
    assert sum(path.stat().st_size for path in embedded.WEIGHTS.iterdir()) <= 4_000_000


def test_backend_declares_itself(mini):
    """Capabilities, size of batches, and the model's particulars are there."""
    assert isinstance(mini, Backend)
    assert mini.capabilities == {"generate", "chat", "loglikelihood", "logprobs"}
    assert mini.max_batch == 64
    assert mini.info.name == "embedded/mini"
    assert mini.info.licence == "MIT"
    assert mini.info.context >= 1024
    assert mini.identity()["weights"] == mini.info.weights_hash


def test_models_differ_in_identity():
    """Each model has a key of its own."""
    hashes = {opened(name).info.weights_hash for name in embedded.model_names()}
    assert len(hashes) == 3


def test_unknown_model_is_suggested():
    """A misspelt name brings the nearest one."""
    with pytest.raises(UnknownName, match="did you mean 'mini'"):
        opened("minni")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"ap": "chat"}, "did you mean 'api'"),
        ({"api": "x"}, "allowed: chat, completions; got: 'x'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    """Only `api` is known, with two values."""
    with pytest.raises(InvalidFile, match=said.replace("?", r"\?")):
        opened(**arguments)


def test_completions_offer_no_chat():
    """`api=completions` takes chat out of the capabilities."""
    assert "chat" not in opened(api="completions").capabilities


def test_mini_adds_small_numbers(mini):
    """One-digit sums come out right, and the answer ends by itself."""
    reply = one(mini, ask("What is 3 + 4?"))
    assert (reply.text, reply.finish_reason) == ("7", "stop")
    assert reply.completion_tokens == 2
    assert reply.prompt_tokens == len("What is 3 + 4?") + 4


def test_max_tokens_ends_with_length(mini):
    """An answer cut by max_tokens says so; none at all may be asked for."""
    cut = one(mini, ask("What is 80 + 90?", max_tokens=1))
    assert (len(cut.text), cut.finish_reason, cut.completion_tokens) == (1, "length", 1)
    none = one(mini, ask("What is 80 + 90?", max_tokens=0))
    assert (none.text, none.finish_reason, none.completion_tokens) == ("", "length", 0)


def test_stop_strings_cut_the_text(mini):
    """The text ends before the stop string, and its log-probabilities with it."""
    whole = one(mini, Request(prompt="1+1=", generation=Generation(max_tokens=8), logprobs=True))
    stop = whole.text[1]
    request = Request(
        prompt="1+1=", generation=Generation(max_tokens=8, stop=("", stop)), logprobs=True
    )
    reply = one(mini, request)
    assert (reply.text, reply.finish_reason) == (whole.text[:1], "stop")
    assert reply.token_logprobs == whole.token_logprobs[:1]
    assert one(mini, request.__class__(prompt="1+1=", generation=request.generation)).text == (
        reply.text
    )


def test_logprobs_only_where_asked(mini):
    """Log-probabilities come with the tokens of the text, and only on request."""
    request = ask("What is 2 + 2?")
    assert one(mini, request).token_logprobs is None
    reply = one(mini, Request(messages=request.messages, logprobs=True))
    assert len(reply.token_logprobs) == len(reply.text)
    assert all(value <= 0 for value in reply.token_logprobs)


def test_generated_logprobs_are_the_scored_ones(mini):
    """What generation says of its tokens, log-likelihood says of the same text, closely."""
    drawn = one(mini, Request(prompt="Snow is", generation=Generation(max_tokens=5), logprobs=True))
    scored = one(mini, score("Snow is", drawn.text))
    assert scored.greedy
    assert scored.token_logprobs[: len(drawn.token_logprobs)] == pytest.approx(
        drawn.token_logprobs, abs=1e-4
    )


def test_loglikelihood_sums_its_tokens(mini):
    """The log-likelihood is the sum over the continuation's bytes."""
    reply = one(mini, score("The capital of France is", " Paris."))
    assert reply.tokens == len(" Paris.") == len(reply.token_logprobs)
    assert reply.loglikelihood == pytest.approx(math.fsum(reply.token_logprobs))


def test_loglikelihood_chains(mini):
    """The log-likelihood of two stretches is that of the first and of the second after it."""
    whole = one(mini, score("A", "b cd")).loglikelihood
    parts = one(mini, score("A", "b")).loglikelihood + one(mini, score("Ab", " cd")).loglikelihood
    assert whole == pytest.approx(parts, abs=1e-4)


def test_empty_continuation_is_certain(mini):
    """Nothing after the prompt has log-likelihood 0, over no tokens."""
    reply = one(mini, score("A", ""))
    assert (reply.loglikelihood, reply.tokens, reply.greedy) == (0.0, 0, True)


def test_chat_continuation_is_scored(mini):
    """A log-likelihood after a chat is that of the assistant's words."""
    messages = (Message("user", "What is 2 + 3?"),)

    def of(text):
        request = Request(kind="loglikelihood", messages=messages, continuation=text)
        return one(mini, request).loglikelihood

    assert of("5") > of("6")


def test_rolling_is_the_text_after_nothing(mini):
    """Rolling scores the whole text from the first byte."""
    text = "雪是白色的。"
    rolling = one(mini, Request(kind="rolling", prompt=text))
    assert rolling.tokens == len(text.encode())
    assert rolling.loglikelihood == one(mini, score("", text)).loglikelihood


def test_rolling_goes_beyond_the_context():
    """A text longer than the context is scored in windows, each byte once."""
    nano = opened("nano")
    reply = one(nano, Request(kind="rolling", prompt="12+3=15\n" * 300))
    assert reply.tokens == 2400
    assert math.isfinite(reply.loglikelihood)


def test_long_prompts_are_read():
    """The last of 100 lines is answered as if it stood alone: the context holds them."""
    nano = opened("nano")
    reply = one(nano, ask("1+1=2\n" * 180, max_tokens=4))
    assert reply.prompt_tokens > 1024
    assert reply.finish_reason in ("stop", "length")


def test_too_long_is_a_failure():
    """A request beyond the context is a failure that says how much it needed."""
    nano = opened("nano")
    for request in (ask("x" * 2100), score("x" * 2000, "y" * 100)):
        reply = one(nano, request)
        assert isinstance(reply, Failure)
        assert (reply.kind, reply.retryable) == ("too_long", False)
        assert "context is 2048" in reply.message


def test_answers_end_with_the_context():
    """Where the context is full, generation stops with length."""
    nano = opened("nano")
    reply = one(nano, Request(prompt="x" * 2046, generation=Generation(max_tokens=50)))
    assert isinstance(reply, Response)
    assert reply.completion_tokens == 1


@pytest.mark.parametrize(
    "request_",
    [
        Request(messages=(Message("tool", "3"),)),
        Request(prompt="x", tools=(Tool("f", "", {}),)),
        Request(prompt="x", schema={"type": "object"}),
        Request(prompt="x", generation=Generation(extra={"top_k": 3})),
    ],
    ids=["tool turn", "tools", "schema", "extra"],
)
def test_what_is_not_known_is_a_failure(mini, request_):
    """Tools, schemas and settings the models do not know fail, and the rest is answered."""
    failed, answered = mini.compute([request_, ask("What is 1 + 1?")])
    assert (failed.kind, failed.fatal) == ("unsupported", False)
    assert answered.text == "2"


def test_sampling_depends_on_the_request_alone():
    """Equal requests draw equal texts; another seed or repeat draws anew."""
    nano = opened("nano")

    def drawn(**fields):
        settings = {"temperature": 1.5, "max_tokens": 12} | fields.pop("settings", {})
        request = Request(prompt="The ", generation=Generation(**settings), **fields)
        return one(nano, request).text

    assert drawn() == drawn(sample_id="other")
    texts = {drawn(repeat=n) for n in range(5)} | {drawn(settings={"seed": n}) for n in range(1, 5)}
    assert len(texts) > 5


def test_tiny_nucleus_is_greedy(mini):
    """With top_p near 0 only the likeliest token is left to draw."""
    greedy = one(mini, ask("What is 17 + 31?"))
    drawn = one(mini, ask("What is 17 + 31?", temperature=2.0, top_p=1e-9))
    assert drawn.text == greedy.text


def test_last_assistant_turn_is_continued(mini):
    """A chat that ends in the assistant's words goes on with them."""
    said = (Message("user", "What is 20 + 30?"), Message("assistant", "5"))
    assert one(mini, Request(messages=said, generation=Generation(max_tokens=4))).text == "0"


def test_broken_utf8_is_replaced():
    """Half a character becomes U+FFFD rather than an error."""
    nano = opened("nano")
    texts = [
        one(nano, Request(prompt="法", generation=Generation(max_tokens=2, temperature=t))).text
        for t in (0.5, 3.0, 50.0)
    ]
    assert any("\ufffd" in text for text in texts)


def test_lone_surrogates_become_question_marks():
    """Text that UTF-8 cannot hold is no error."""
    assert encode("a\ud800") == [97, 63]


def test_answers_come_from_one_thread():
    """`answer` computes off the event loop, in order, and says how long the batch took."""
    nano = opened("nano")

    async def talk():
        first, second = await asyncio.gather(
            nano.answer([ask("What is 1 + 2?")]), nano.answer([ask("What is 2 + 2?")] * 2)
        )
        await nano.close()
        return first + second

    replies = asyncio.run(talk())
    assert len(replies) == 3
    assert all(reply.latency_s > 0 for reply in replies)
    assert replies[1].latency_s == replies[2].latency_s


class Where(ComputingBackend):
    """Answers with the name of the thread it computes in."""

    def compute(self, requests):
        """Answer with a failure that names the thread."""
        return [Failure("internal", threading.current_thread().name) for _ in requests]

    def identity(self):
        """Return nothing: there is no model."""
        return {}


def test_computing_leaves_the_event_loop_free():
    """Computing runs in a thread of its own; failures pass as they are."""
    where = Where(ModelInfo("where"), frozenset({"generate"}), 1)

    async def talk():
        replies = await where.answer([Request()])
        await where.close()
        return replies

    (reply,) = asyncio.run(talk())
    assert reply.message.startswith("compute")
