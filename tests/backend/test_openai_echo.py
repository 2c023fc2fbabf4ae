"""Log-likelihoods out of echoed prompts."""

from __future__ import annotations

import pytest
from canned import ask, ask_seen, echoed, http
from hypothesis import given
from hypothesis import strategies as st

from harness.backend.openai.echo import split_boundary
from harness.records import Failure, Request, Response

ASKED = Request(kind="loglikelihood", prompt="2 + 2 =", continuation=" 4")
TEXT = "2 + 2 = 4"


def logprobs(**changes) -> dict:
    """Return what a server says of the tokens of "2 + 2 = 4"."""
    base = {
        "tokens": ["2", " +", " 2", " =", " 4"],
        "token_logprobs": [None, -1.0, -2.0, -0.5, -0.25],
        "top_logprobs": [None, {" +": -1.0}, {" 3": -0.1}, {" =": -0.5}, {" 4": -0.25}],
        "text_offset": [0, 1, 3, 5, 7],
    }
    return {key: value for key, value in (base | changes).items() if value is not ...}


def score(found: dict | None, request: Request = ASKED, text: str = TEXT, **spec):
    """Return the reply where the server says `found` of `text`."""
    return ask(echoed(text, found), request=request, **spec)


def test_a_continuation_is_scored_by_the_tokens_that_start_in_it():
    """The sum, the number of tokens and greediness are of the continuation alone."""
    reply, seen = ask_seen(echoed(TEXT, logprobs()), request=ASKED)
    assert isinstance(reply, Response)
    assert (reply.loglikelihood, reply.tokens, reply.greedy) == (-0.25, 1, True)
    assert seen[0].path == "/v1/completions"
    wanted = {"prompt": TEXT, "echo": True, "logprobs": 1, "max_tokens": 0}
    assert wanted.items() <= seen[0].body.items()


def test_space_at_the_end_of_the_context_belongs_to_the_continuation():
    """The text "= " + "4" is scored as "=" + " 4", as lm-evaluation-harness does."""
    moved = Request(kind="loglikelihood", prompt="2 + 2 = ", continuation="4")
    assert score(logprobs(), moved).loglikelihood == -0.25


@given(st.text(), st.text())
def test_moving_the_boundary_keeps_the_text(context, continuation):
    """Context and continuation joined are the same text before and after."""
    kept, moved = split_boundary(context, continuation)
    assert kept + moved == context + continuation
    assert kept == kept.rstrip()


def test_generated_tokens_are_left_out():
    """A server that generates one more token changes nothing."""
    one_more = logprobs(
        tokens=["2", " +", " 2", " =", " 4", "!"],
        token_logprobs=[None, -1.0, -2.0, -0.5, -0.25, -9.0],
        top_logprobs=[None, {}, {}, {}, {" 4": -0.25}, {"!": -9.0}],
        text_offset=[0, 1, 3, 5, 7, 9],
    )
    reply = score(one_more, text=TEXT + "!")
    assert (reply.loglikelihood, reply.tokens, reply.greedy) == (-0.25, 1, True)


def test_a_server_that_refuses_no_tokens_is_asked_for_one():
    """After a 400 about max_tokens the same text goes out again with 1."""
    refusal = http(400, {"error": {"message": "max_tokens must be at least 1"}})
    reply, seen = ask_seen(refusal, echoed(TEXT, logprobs()), request=ASKED)
    assert reply.loglikelihood == -0.25
    assert [request.body["max_tokens"] for request in seen] == [0, 1]


def test_a_server_that_refuses_one_token_too_has_failed():
    """The second refusal is the answer."""
    refusal = http(400, {"error": {"message": "max_tokens is wrong"}})
    reply, seen = ask_seen(refusal, request=ASKED)
    assert (reply.kind, len(seen)) == ("refused", 2)


def test_a_token_that_is_not_the_likeliest_is_not_greedy():
    """One better token anywhere in the continuation is enough."""
    asked = Request(kind="loglikelihood", prompt="2 +", continuation=" 2 = 4")
    reply = score(logprobs(), asked)
    assert (reply.loglikelihood, reply.tokens, reply.greedy) == (-2.75, 3, False)


@pytest.mark.parametrize("tops", [..., None, [], [None] * 5, [{}] * 5])
def test_greediness_is_unknown_where_the_server_does_not_say(tops):
    """Nothing is guessed."""
    assert score(logprobs(top_logprobs=tops)).greedy is None


def test_offsets_are_counted_from_the_tokens_where_the_server_sends_none():
    """Without text_offset the tokens' lengths say where each starts."""
    assert score(logprobs(text_offset=...)).loglikelihood == -0.25
    assert score(logprobs(text_offset=..., tokens=...)).kind == "malformed"


def test_a_bos_token_that_is_shown_does_not_shift_the_boundary():
    """A server (vLLM) counts the BOS token's characters into offsets: they are taken off."""
    shown = logprobs(
        tokens=["<s>", "2", " +", " 2", " =", " 4"],
        token_logprobs=[None, -3.0, -1.0, -2.0, -0.5, -0.25],
        top_logprobs=[None, {}, {}, {}, {}, {" 4": -0.25}],
        text_offset=[0, 3, 4, 6, 8, 10],
    )
    assert score(shown).loglikelihood == -0.25
    whole = score(shown, Request(kind="rolling", prompt=TEXT))
    assert (whole.loglikelihood, whole.tokens) == (-6.75, 5)
    alone = score(shown, Request(kind="loglikelihood", continuation=TEXT))
    assert (alone.loglikelihood, alone.tokens) == (-6.75, 5)


def test_a_bos_token_of_no_width_is_left_out():
    """A first token without text stands for the start; all others are scored."""
    shown = logprobs(
        tokens=["", "2", " +", " 2", " =", " 4"],
        token_logprobs=[None, -3.0, -1.0, -2.0, -0.5, -0.25],
        top_logprobs=...,
        text_offset=[0, 0, 1, 3, 5, 7],
    )
    whole = score(shown, Request(kind="rolling", prompt=TEXT))
    assert (whole.loglikelihood, whole.tokens) == (-6.75, 5)


def test_a_whole_text_is_scored_from_its_second_token_where_the_first_has_no_score():
    """Rolling leaves out the token that has nothing before it, and says how many are left."""
    reply = score(logprobs(), Request(kind="rolling", prompt=TEXT, logprobs=True))
    assert (reply.loglikelihood, reply.tokens) == (-3.75, 4)
    assert reply.token_logprobs == (-1.0, -2.0, -0.5, -0.25)


def test_a_continuation_of_nothing_needs_a_prefix():
    """Without one its first token has no score, which is said and not passed over."""
    alone = Request(kind="loglikelihood", continuation=TEXT)
    failure = score(logprobs(), alone)
    assert (failure.kind, failure.retryable) == ("unsupported", False)
    assert "-M prefix=" in failure.message


def test_a_prefix_stands_in_for_an_empty_context():
    """-M prefix starts the text, and all of the text is scored after it."""
    found = logprobs(
        tokens=["<s>", " 4"],
        token_logprobs=[None, -0.75],
        top_logprobs=...,
        text_offset=[0, 3],
    )
    alone = Request(kind="loglikelihood", continuation=" 4")
    reply, seen = ask_seen(echoed("<s> 4", found), request=alone, arguments={"prefix": "<s>"})
    assert (reply.loglikelihood, reply.tokens) == (-0.75, 1)
    assert seen[0].body["prompt"] == "<s> 4"


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, TEXT),
        (logprobs(token_logprobs=None), TEXT),
        (logprobs(token_logprobs=[]), TEXT),
        (logprobs(token_logprobs=[None, -1.0, -2.0, -0.5, None]), TEXT),
        (logprobs(token_logprobs=[None, -1.0, -2.0, -0.5, 3.0]), TEXT),
        (logprobs(text_offset=[0, 1]), TEXT),
        (logprobs(text_offset=[0, 1, 2, 3, 4]), TEXT),
        (logprobs(), " 4"),
    ],
)
def test_scores_that_cannot_be_believed_are_a_fault(found, text):
    """Missing, null or positive numbers, wrong offsets and a prompt not echoed give no score."""
    failure = score(found, text=text)
    assert isinstance(failure, Failure)
    assert failure.kind == "malformed"


def test_nan_is_a_fault():
    """NaN is no JSON and no number."""
    raw = echoed(TEXT, logprobs()).replace(b"-0.25]", b"NaN]  ")
    assert ask(raw, request=ASKED).kind == "malformed"
    assert ask(http(200, {"choices": []}), request=ASKED).kind == "malformed"


def test_offsets_are_in_characters():
    """Characters beyond ASCII count as one, as the prompt's own do."""
    found = {
        "tokens": ["二", "加", "二", "得", "四"],
        "token_logprobs": [None, -1.0, -2.0, -0.5, -0.25],
        "text_offset": [0, 1, 2, 3, 4],
    }
    asked = Request(kind="loglikelihood", prompt="二加二得", continuation="四")
    assert score(found, asked, text="二加二得四").loglikelihood == -0.25


# ---- vLLM's prompt_logprobs --------------------------------------------------------------------


def places(*tokens: tuple[str | None, float], likelier: dict[int, float] | None = None) -> list:
    """Return prompt_logprobs of tokens; the first has none, `likelier` stand beside a token."""
    found: list[dict | None] = []
    for i, (text, value) in enumerate(tokens):
        place = {str(i): {"logprob": value, "rank": 1, "decoded_token": text}}
        if likelier and i in likelier:
            place["99"] = {"logprob": likelier[i], "rank": 1, "decoded_token": "x"}
        found.append(place if text is not None else None)
    return found


def told(found: list | None, request: Request = ASKED, **more):
    """Return the reply where vLLM says `found` of the prompt."""
    choice = {"text": "!", "prompt_logprobs": found, **more}
    return ask_seen(
        http(200, {"choices": [choice], "model": "served", "usage": {"prompt_tokens": 5}}),
        request=request,
        arguments={"scoring": "prompt_logprobs"},
    )


SUM = ((None, 0.0), (" +", -1.0), (" 2", -2.0), (" =", -0.5), (" 4", -0.25))


def test_prompt_logprobs_of_vllm_are_summed_as_an_echo_is():
    """One token is generated and left out; the prompt's own tokens count."""
    reply, seen = told(places(*SUM, likelier={4: -0.1}))
    assert isinstance(reply, Response)
    assert (reply.loglikelihood, reply.tokens, reply.greedy) == (-0.25, 1, False)
    assert (reply.served_model, reply.prompt_tokens) == ("served", 5)
    assert seen[0].path == "/v1/completions"
    assert (seen[0].body["prompt_logprobs"], seen[0].body["max_tokens"]) == (1, 1)
    assert "echo" not in seen[0].body
    assert told(places(*SUM))[0].greedy is True


def test_a_token_s_number_goes_before_its_place():
    """Where the server names the prompt's tokens the order of a place does not matter."""
    found = [
        dict(reversed(place.items())) if place else None
        for place in places(*SUM, likelier={4: -0.1})
    ]
    assert told(found, prompt_token_ids=[0, 1, 2, 3, 4])[0].loglikelihood == -0.25


def test_a_bos_token_of_the_prompt_has_no_text():
    """What stands before the text is not scored; its tokens all are."""
    rolling = Request(kind="rolling", prompt=TEXT, logprobs=True)
    reply, _ = told(places((None, 0.0), ("2", -3.0), *SUM[1:]), rolling)
    assert reply.tokens == 5
    assert reply.token_logprobs == (-3.0, -1.0, -2.0, -0.5, -0.25)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "no prompt_logprobs: try -M scoring=echo"),
        ([], "no prompt_logprobs"),
        (places((None, 0.0), (" 5", -1.0)), "do not make up the text"),
        (places((None, 0.0), (TEXT + "longer", -1.0)), "do not make up the text"),
        (places((None, 0.0), (" + 2 =", -1.0), (" 4", 5.0)), "no logarithm"),
    ],
)
def test_prompt_logprobs_that_cannot_be_believed_are_malformed(found, said):
    """No number is made of them, and asking again would not help."""
    failure, _ = told(found)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retryable) == ("malformed", False)
    assert said in failure.message


def test_a_body_without_choices_is_malformed_here_too():
    """As for an echo."""
    reply = ask(http(200, {}), request=ASKED, arguments={"scoring": "prompt_logprobs"})
    assert (reply.kind, reply.retryable) == ("malformed", True)
