"""A request's result is the same, to the last bit, alone or in any batch."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.backend.embedded.backend import model_names, open_embedded
from harness.identity import CounterRandom
from harness.records import Generation, Message, ModelSpec, Request

WORDS = (
    *("What", "is", "12", "+", "345", "?", "because", "的", "首都", "trophy", "too", "big", "7"),
    *("*", "8", "/", "96", "-", "A.", "B.", "不", ",", ".", "\n"),
)


def text(rng, longest):
    """Random words."""
    return " ".join(rng.choice(WORDS) for _ in range(rng.between(1, longest)))


def requests(count):
    """Requests of all kinds and of many lengths, drawn at random."""
    rng = CounterRandom(5, "requests")
    made = []
    for number in range(count):
        longest = 120 if number % 8 == 0 else 12
        generation = Generation(
            max_tokens=rng.choice((1, 8, 40)),
            temperature=rng.choice((0.0, 0.0, 1.0)),
            stop=rng.choice(((), ("\n",))),
        )
        made.append(
            rng.choice(
                (
                    Request(prompt=text(rng, longest), generation=generation, logprobs=True),
                    Request(
                        messages=(Message("user", text(rng, longest)),),
                        generation=generation,
                        logprobs=True,
                    ),
                    Request(
                        kind="loglikelihood",
                        prompt=text(rng, longest),
                        continuation=text(rng, 5),
                    ),
                    Request(kind="rolling", prompt=text(rng, longest)),
                )
            )
        )
    return made


@pytest.mark.parametrize("name", model_names())
def test_batches_change_no_bit(name):
    """Answered alone, in threes, in sixty-fours and shuffled, every record is equal (==)."""
    backend = open_embedded(ModelSpec("embedded", name))
    asked = requests(64)
    alone = [backend.compute([request])[0] for request in asked]
    threes = [reply for at in range(0, 64, 3) for reply in backend.compute(asked[at : at + 3])]
    assert threes == alone
    assert backend.compute(asked) == alone
    order = CounterRandom(6).shuffled(range(64))
    shuffled = backend.compute([asked[at] for at in order])
    assert shuffled == [alone[at] for at in order]


def test_like_requests_in_one_pass_change_no_bit():
    """The same holds for a batch of one shape, where all pass through the network together."""
    backend = open_embedded(ModelSpec("embedded", "mini"))
    rng = CounterRandom(7)
    asked = [
        Request(
            messages=(Message("user", f"What is {rng.below(900)} + {rng.below(90)}?"),),
            generation=Generation(max_tokens=12),
            logprobs=True,
        )
        for _ in range(64)
    ]
    assert backend.compute(asked) == [backend.compute([request])[0] for request in asked]


def test_ids_change_nothing():
    """`sample_id` and `turn`, which are not in the key, do not touch what is drawn."""
    backend = open_embedded(ModelSpec("embedded", "nano"))
    request = Request(prompt="a", generation=Generation(max_tokens=9, temperature=1.0))
    assert backend.compute([request]) == backend.compute([replace(request, sample_id="x", turn=3)])
