"""Identity is content, and choices come from counters."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.identity import (
    CounterRandom,
    bytes_key,
    canonical_json,
    child_rng,
    content_key,
    permutation,
    request_hasher,
    sample_key,
    unique_ids,
)
from harness.records import Generation, Message, Request

KEYS = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=30)


def test_keys_do_not_move():
    """These values were written down when the functions were made; an upgrade must keep them."""
    assert content_key({"a": 1, "b": [None, "é"]}) == "3f9411067677adc1f3a3c7e684c3e505"
    random = CounterRandom(0, "x")
    assert [random.below(1000) for _ in range(5)] == [250, 737, 41, 967, 228]
    assert permutation(0, list("abcdef")) == [1, 5, 4, 3, 2, 0]


def test_canonical_json_sorts_keys():
    """Equal content gives equal bytes."""
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == b'{"a":{"c":3,"d":2},"b":1}'


def test_sample_ids_hash_the_row_and_count_duplicates():
    """The same row twice gets a counter, another row another id."""
    first, second, third = unique_ids([{"q": 1}, {"q": 1}, {"q": 2}])
    assert second == f"{first}-2"
    assert third != first
    assert first == sample_key({"q": 1})
    assert bytes_key(b"x") == bytes_key(b"x") != bytes_key(b"y")


def changed(**changes) -> Request:
    base = Request(messages=(Message("user", "hi"),), sample_id="s", turn=1)
    return msgspec.structs.replace(base, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "loglikelihood"},
        {"messages": (Message("user", "ho"),)},
        {"prompt": "x"},
        {"continuation": "x"},
        {"generation": Generation(max_tokens=1)},
        {"generation": Generation(extra={"k": 1})},
        {"logprobs": True},
        {"schema": {}},
        {"repeat": 1},
    ],
)
def test_all_that_can_change_an_answer_is_in_the_key(changes):
    """Every field that is sent, and the repeat, moves the key."""
    key = request_hasher({"model": "m"})
    assert key(changed(**changes)) != key(changed())


def test_what_is_not_sent_is_not_in_the_key():
    """The sample and the turn that a request belongs to do not move it; the model does."""
    key = request_hasher({"model": "m"})
    assert key(changed(sample_id="t", turn=9)) == key(changed())
    assert request_hasher({"model": "n"})(changed()) != key(changed())


@given(st.integers(0, 2**32), st.integers(1, 2**64))
def test_below_stays_below(seed, limit):
    """A draw lies in [0, limit)."""
    assert 0 <= CounterRandom(seed).below(limit) < limit


def test_below_wants_a_positive_limit():
    """There is no number below nothing."""
    with pytest.raises(ValueError, match="positive"):
        CounterRandom(0).below(0)


def test_draws_are_uniform():
    """6,000 rolls of a die are what a fair die gives (chi-squared, p > 0.001)."""
    from scipy.stats import chisquare

    random = CounterRandom(3, "die")
    rolls = [random.between(1, 6) for _ in range(6000)]
    assert chisquare([rolls.count(face) for face in range(1, 7)]).pvalue > 0.001
    assert 0.48 < sum(random.random() for _ in range(4000)) / 4000 < 0.52


@given(st.integers(0, 1000), KEYS)
def test_a_shuffle_keeps_all(seed, items):
    """Shuffling and permuting lose and double nothing."""
    assert sorted(CounterRandom(seed).shuffled(items)) == sorted(items)
    assert sorted(permutation(seed, items)) == list(range(len(items)))


@given(st.integers(0, 1000), KEYS.filter(lambda keys: len(keys) > 1))
def test_adding_an_item_keeps_the_order_of_the_others(seed, keys):
    """A new row does not reorder the old ones."""
    with_all = [keys[i] for i in permutation(seed, keys)]
    without = [keys[:-1][i] for i in permutation(seed, keys[:-1])]
    assert [key for key in with_all if key != keys[-1]] == without


def test_streams_with_other_keys_differ():
    """Two purposes never share their randomness."""
    assert CounterRandom(0, "a").bits() != CounterRandom(0, "b").bits()
    assert child_rng(0, "a").random() != child_rng(0, "b").random()
    assert child_rng(0, "a").random() == child_rng(0, "a").random()


def test_a_sample_is_drawn_without_replacement():
    """Each position comes at most once; more than there are is an error."""
    drawn = CounterRandom(1).sample(range(10), 10)
    assert sorted(drawn) == list(range(10))
    with pytest.raises(ValueError, match="cannot draw 3 of 2"):
        CounterRandom(1).sample([1, 2], 3)
    assert CounterRandom(1).choice(["only"]) == "only"
