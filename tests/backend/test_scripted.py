"""Models that answer from the plan."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backend.scripted import find_choice, open_scripted, option_name, wrong_text
from harness.errors import UnknownName, UsageError
from harness.records import Choice, Failure, Message, Request, Sample

OPTIONS = tuple(Choice(text) for text in ("red", "green", "blue"))
PICK = Sample("t", "pick", "Which?", choices=OPTIONS, gold=1, method="choose")
RANK = Sample("t", "rank", "The leaf is", choices=OPTIONS, gold=1, method="rank")
SUM = Sample("t", "sum", "2 + 2?", target=("4", "four"))
OWN = Sample("t", "own", "Why?", target=("x",), oracle="because x", wrong="no reason")
BARE = Sample("t", "bare", "Say anything.")
PLAN = {sample.sample_id: sample for sample in (PICK, RANK, SUM, OWN, BARE)}


def reply(name: str, request: Request, **arguments):
    """Return the reply of `scripted/name`."""
    backend = open_scripted(name, arguments, PLAN.__getitem__)
    return asyncio.run(backend.answer([request]))[0]


def said(name: str, sample: Sample, **arguments) -> str:
    """Return what `scripted/name` says to a sample."""
    request = Request(messages=(Message("user", sample.input),), sample_id=sample.sample_id)
    return reply(name, request, **arguments).text


def scores(name: str, sample: Sample, **arguments) -> list[float]:
    """Return the log-likelihood of each option."""
    return [
        reply(
            name,
            Request(
                kind="loglikelihood",
                prompt=choice.context or sample.input,
                continuation=f" {choice.text}",
                sample_id=sample.sample_id,
            ),
            **arguments,
        ).loglikelihood
        for choice in sample.choices
    ]


def test_the_oracle_says_what_is_right():
    """The task's own words come first, then the letter of the right option, then the target."""
    assert [said("oracle", s) for s in (OWN, PICK, SUM, BARE)] == ["because x", "B", "4", ""]


def test_the_wrong_model_says_what_is_wrong():
    """The task's own wrong words come first, then another letter, then a definite miss."""
    assert [said("wrong", s) for s in (OWN, PICK, SUM)] == ["no reason", "C", "5"]


def test_the_constant_model_says_one_thing():
    """Whatever is asked, the text is the same."""
    assert {said("constant", sample, text="B") for sample in PLAN.values()} == {"B"}


def test_the_random_model_guesses_evenly_and_the_same_again():
    """Each option comes up about as often; the same request has the same guess."""
    requests = [Request(messages=(Message("user", str(i)),), sample_id="pick") for i in range(600)]

    def guesses(**arguments):
        backend = open_scripted("random", arguments, PLAN.__getitem__)
        return [reply.text for reply in asyncio.run(backend.answer(requests))]

    counts = Counter(guesses())
    assert set(counts) == {"A", "B", "C"}
    assert min(counts.values()) > 150
    assert guesses() == guesses(seed="0")
    assert guesses() != guesses(seed=1)
    assert said("random", SUM).isdecimal()


def test_the_right_option_is_likely_for_the_oracle_alone():
    """Log-likelihoods put the gold option first, the wrong model's another."""
    assert scores("oracle", RANK) == [-10.0, 0.0, -10.0]
    assert scores("wrong", RANK) == [-10.0, -10.0, 0.0]
    assert scores("constant", RANK, text="red") == [0.0, -10.0, -10.0]
    guessed = scores("random", RANK)
    assert len(set(guessed)) == 3
    assert all(-10 <= value < 0 for value in guessed)


def test_a_target_without_options_is_likely_for_the_oracle_alone():
    """A task of one continuation has it greedy or not."""
    request = Request(kind="loglikelihood", prompt="2 + 2", continuation=" 4", sample_id="sum")
    right, wrong = reply("oracle", request), reply("wrong", request)
    assert (right.loglikelihood, right.greedy, right.tokens) == (0.0, True, 2)
    assert (wrong.loglikelihood, wrong.greedy) == (-10.0, False)


def test_an_option_with_a_context_of_its_own_is_known_by_it():
    """Where all options end alike, the context that the prompt ends in tells them apart."""
    choices = (Choice("ran.", "The cat"), Choice("ran.", "The cat and the dog"))
    for index, choice in enumerate(choices):
        request = Request(prompt=f"Shot.\n\n{choice.context} ", continuation="ran.")
        assert find_choice(choices, request) == index
    assert find_choice(choices, Request(prompt="none", continuation="ran.")) == 0
    assert find_choice(choices, Request(prompt="none", continuation="sat.")) is None
    longer = (Choice("x", "dog"), Choice("x", "the dog"))
    assert find_choice(longer, Request(prompt="see the dog", continuation="x")) == 1


def test_a_text_after_nothing_is_as_likely_as_any_other():
    """Unconditional requests need no sample, so PMI leaves the order as it is."""
    request = Request(kind="loglikelihood", continuation=" red")
    assert reply("oracle", request).loglikelihood == -5.0


def test_a_whole_text_is_scored_byte_by_byte():
    """The oracle finds every byte certain, the random model one among 256."""
    request = Request(kind="rolling", prompt="é!", logprobs=True)
    sure, guess = reply("oracle", request), reply("random", request)
    assert (sure.loglikelihood, sure.tokens) == (0.0, 3)
    assert guess.loglikelihood == pytest.approx(-3 * 5.545177)
    assert len(guess.token_logprobs) == 3
    assert reply("wrong", request).loglikelihood == -30.0
    assert reply("constant", request, text="x").loglikelihood == 0.0


def test_log_probabilities_come_where_they_are_asked_for():
    """One for each word; none without being asked."""
    request = Request(messages=(Message("user", "?"),), sample_id="own", logprobs=True)
    assert reply("oracle", request).token_logprobs == (0.0, 0.0)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (Request(prompt="?", sample_id="nowhere"), "internal"),
        (Request(prompt="?", sample_id="sum", schema={}), "unsupported"),
        (Request(kind="rolling"), "unsupported"),
    ],
)
def test_what_it_cannot_answer_is_a_failure(request_, kind):
    """A sample outside the plan is named, never answered."""
    failure = reply("oracle", request_)
    assert isinstance(failure, Failure)
    assert failure.kind == kind


def test_wrong_names_and_arguments_are_refused():
    """Each message says what there is."""
    with pytest.raises(UnknownName, match="did you mean 'oracle'"):
        open_scripted("oracel", {}, PLAN.__getitem__)
    with pytest.raises(UnknownName, match="txt"):
        open_scripted("constant", {"txt": "a"}, PLAN.__getitem__)
    with pytest.raises(UsageError, match="needs -M text="):
        open_scripted("constant", {}, PLAN.__getitem__)
    with pytest.raises(UsageError, match="whole number"):
        open_scripted("random", {"seed": "x"}, PLAN.__getitem__)


def test_an_option_beyond_z_is_named_by_its_text():
    """Letters end at Z."""
    many = tuple(Choice(str(i)) for i in range(30))
    assert (option_name(many, 25), option_name(many, 26)) == ("Z", "26")


def test_a_single_option_leaves_the_wrong_model_without_another():
    """With one option there is no wrong letter, so a miss of the target is said."""
    only = Sample("t", "only", "?", target=("red",), choices=OPTIONS[:1], gold=0)
    backend = open_scripted("wrong", {}, lambda _: only)
    (answer,) = asyncio.run(backend.answer([Request(prompt="?")]))
    assert answer.text == "no such thing"


@pytest.mark.parametrize(
    ("targets", "choices", "text"),
    [
        (["7", "8"], 0, "9"),
        (["1,000"], 0, "1001"),
        (["-1"], 0, "0"),
        (["0.5"], 0, "1.5"),
        (["1e40"], 0, "no such thing"),
        (["yes"], 0, "no"),
        (["Yes", "no"], 0, "an unrelated reply"),
        (["是"], 0, "否"),
        (["D"], 4, "A"),
        (["A", "B"], 2, "none"),
        (["thing"], 0, "an unrelated reply"),
        (["nan"], 0, "no such thing"),
        ([], 0, "no such thing"),
    ],
)
def test_wrong_texts(targets, choices, text):
    """A miss is of the target's kind."""
    assert wrong_text(targets, choices) == text


@given(st.lists(st.text() | st.integers().map(str) | st.floats().map(str), max_size=4))
def test_a_wrong_text_is_never_a_target(targets):
    """No list of targets makes the wrong model right."""
    miss = wrong_text(targets)
    assert miss.casefold() not in {target.strip().casefold() for target in targets} or miss == "#"
