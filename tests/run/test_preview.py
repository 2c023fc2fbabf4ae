"""A dry run says what a run would ask and cost, and sends nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.preview import Range, tokens_in
from harness.records import Message, Request

PRICES = ("-M", "price_in=1", "-M", "price_out=2")


@pytest.fixture
def dry(harness, addition):
    """Return what `harness run --dry-run --json` says of the sums."""

    def call(*more, task=addition, model="openai/fake", code=0):
        done = harness("run", task, "--model", model, *more, "--dry-run", "--json")
        assert done.code == code, done.err
        return json.loads(done.out) if code == 0 else done.err

    return call


@given(st.text(), st.text(max_size=50))
def test_guesses_are_in_order_and_grow_with_the_text(text, more):
    """Low is at most expected, expected at most high, and a longer text has no fewer tokens."""
    short = tokens_in(Request(prompt=text))
    long = tokens_in(Request(messages=(Message("user", text + more),)))
    assert short.low <= short.expected <= short.high
    assert all(a <= b for a, b in zip(_three(short), _three(long), strict=True))


def _three(found: Range) -> tuple[float, float, float]:
    return found.low, found.expected, found.high


def test_an_ideograph_is_about_a_token_and_a_letter_a_quarter():
    """Chinese is counted by its own rule."""
    assert tokens_in(Request(prompt="天" * 30)) == Range(15, 20, 30)
    assert tokens_in(Request(prompt="a" * 100)) == Range(20, 25, 40)


def test_ranges_follow_the_stated_rule(dry):
    """Without stored answers: 1 token, half the limit, the limit; and nothing listens there."""
    found = dry("--base-url", "http://127.0.0.1:9/v1", "-G", "max_tokens=40", *PRICES)
    (task,) = found["tasks"]
    model = task["model"]
    assert (task["samples"], model["requests"], model["stored"]) == (200, 200, 0)
    assert model["completion_tokens"] == {"low": 200, "expected": 4000, "high": 8000}
    assert task["answers"] == "half the limit"
    assert task["judges"] is None
    cost = found["cost_usd"]
    prompts = model["prompt_tokens"]
    assert cost["high"] == pytest.approx((prompts["high"] + 2 * 8000) / 1e6, rel=0.01)
    assert cost["low"] < cost["expected"] < cost["high"]
    assert len(found["rules"]) == 3


def test_what_is_stored_is_counted_and_teaches_how_long_answers_are(
    dry, harness, addition, start_server
):
    """After a part of the run: so many stored, the rest by their mean; all of them: nothing."""
    server = start_server()
    asked = ("--base-url", server.url, *PRICES)
    harness("run", addition, "--model", "openai/fake", *asked, "--limit", "40")
    model = dry(*asked)["tasks"][0]["model"]
    assert (model["requests"], model["stored"]) == (200, 40)
    assert model["completion_tokens"]["expected"] == 160 * 3
    assert model["prompt_tokens"]["low"] < 160 * 16 < model["prompt_tokens"]["high"]
    fresh = dry(*asked, "--fresh")["tasks"][0]["model"]
    assert fresh["stored"] == 0
    assert fresh["completion_tokens"]["expected"] == 200 * 3
    harness("run", addition, "--model", "openai/fake", *asked)
    done = dry(*asked)
    assert done["model"]["stored"] == 200
    assert done["cost_usd"] == {"low": 0, "expected": 0, "high": 0}
    assert server.stats()["requests"] == 200


def test_an_unknown_price_is_unknown_and_a_cap_over_it_is_refused(dry):
    """Cost is null, never 0; --max-cost without a price ends in exit 2, as the run would."""
    nowhere = ("--base-url", "http://127.0.0.1:9/v1")
    assert dry(*nowhere)["cost_usd"] is None
    assert "price of openai/fake is not known" in dry(*nowhere, "--max-cost", "1", code=2)


def test_the_judges_share_stands_apart(dry, tmp_path):
    """A judge may be asked nothing or every sample; its price counts in the total."""
    task = tmp_path / "open.yaml"
    rows = "".join(json.dumps({"q": f"Why {i}?", "a": "Because."}) + "\n" for i in range(20))
    (tmp_path / "rows.jsonl").write_text(rows)
    task.write_text(
        "task: open\ndata: {file: rows.jsonl}\nprompt: '{{ q }}'\ntarget: '{{ a }}'\n"
        "extract: [text]\nmetrics: [judged]\njudge: correct\n"
    )
    nowhere = ("--base-url", "http://127.0.0.1:9/v1")
    judge = ("--judge", "correct=openai/judge@http://127.0.0.1:9/v1")
    found = dry(*nowhere, *judge, *PRICES, task=task)
    judges = found["tasks"][0]["judges"]
    assert judges["requests"] == 20
    assert judges["prompt_tokens"]["low"] == 0
    assert judges["prompt_tokens"]["expected"] > 20 * 20
    assert judges["cost_usd"] is None
    assert found["cost_usd"] is None
    assert found["model"]["cost_usd"] is not None
    free = dry(*nowhere, "--judge", "correct=scripted/perfect", *PRICES, task=task)
    assert free["cost_usd"] == free["model"]["cost_usd"]


def test_a_second_turn_is_counted_too(dry, tmp_path, addition):
    """Conversations are played to their end, not for their first request alone."""
    task = tmp_path / "twice.yaml"
    task.write_text(
        addition.read_text().replace("task: sums", "task: twice") + "interaction: self_correct\n"
    )
    found = dry("--base-url", "http://127.0.0.1:9/v1", task=task)
    assert found["model"]["requests"] == 400


def test_in_words_it_says_that_nothing_was_sent(harness, addition):
    """The text names requests, ranges, cost and the rules."""
    done = harness("run", addition, "--model", "mini", "--dry-run")
    assert "200 requests, 0 of them stored" in done.out
    assert "cost: $0.0000" in done.out
    assert "low … expected … high:" in done.out
    assert done.out.endswith("nothing was sent\n")
