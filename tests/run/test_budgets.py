"""Limits in money and tokens, and runs that may not ask: what stands afterwards is valid."""

from __future__ import annotations

import json

import pytest

from harness.config import build
from harness.errors import CacheMiss, UsageError
from harness.pipeline import run
from harness.store.manifest import runs
from harness.store.reading import read_rows

TOKENS_EACH = 17 + 3
"""About what the server counts for one sum."""


@pytest.fixture
def asked(addition, start_server, tmp_path):
    """Run the sums against a counting server."""
    server = start_server()

    def call(root="r", **settings):
        flags = {
            "tasks": [str(addition)], "model": "openai/fake", "base_url": server.url,
            "out": str(tmp_path / root), "connections": 4, **settings,
        }  # fmt: skip
        return run(*build(flags))

    call.server = server
    return call


def ids(directory) -> list[str]:
    return [row["sample_id"] for row in read_rows(directory)]


def record_of(result) -> dict:
    return json.loads((result.directory / "run.json").read_bytes())


def test_a_limit_of_tokens_leaves_the_beginning_of_the_plan(asked):
    """Exit 5, partial, with its reason; what was scored are the first samples of the whole run."""
    part = asked(max_tokens_total=1000)
    assert (part.exit_code, part.status) == (5, "partial")
    assert part.reason.startswith("budget: ")
    n = part.cells[0].n
    assert 1000 / TOKENS_EACH - 5 <= n <= 1000 / TOKENS_EACH + 5 + 4
    whole = asked(root="whole")
    assert ids(part.directory) == ids(whole.directory)[:n]
    record = record_of(part)
    assert (record["planned"], record["scored"]) == (200, n)
    used = record["usage"]["prompt_tokens"] + record["usage"]["completion_tokens"]
    assert 1000 <= used <= 1000 + 4 * (TOKENS_EACH + 3)


def test_the_same_command_with_a_limit_goes_further(asked):
    """What is stored costs nothing: each round of the same budget brings more samples."""
    sizes = [asked(max_tokens_total=1500).cells[0].n for _ in range(2)]
    assert sizes[1] >= 1.8 * sizes[0]
    assert asked.server.stats()["answered_twice"] == 0


def test_a_limit_in_dollars_stops_at_it(asked):
    """Exit 5 once the money is spent; what is in flight is finished and no more is begun."""
    part = asked(max_cost=0.5, model_args={"price_in": 1000, "price_out": 1000})
    assert part.exit_code == 5
    assert "spent of $0.50" in part.reason
    assert 500 / TOKENS_EACH - 4 <= part.cells[0].n <= 500 / TOKENS_EACH + 9
    assert 0.5 <= part.usage.cost_usd < 0.6


def test_an_unknown_price_under_a_limit_is_refused_before_anything_is_sent(asked, tmp_path):
    """--max-cost without a price: no request, no directory; for a judge's model too."""
    with pytest.raises(UsageError, match="price of openai/fake is not known"):
        asked(max_cost=1.0)
    with pytest.raises(UsageError, match="price of openai/judge is not known"):
        asked(
            max_cost=1.0,
            model_args={"price_in": 1, "price_out": 1},
            judge={"correct": f"openai/judge@{asked.server.url}"},
        )
    assert asked.server.stats()["requests"] == 0
    assert runs(tmp_path / "r") == []


def test_only_stored_answers_are_allowed(asked, tmp_path):
    """--require-cache sends nothing: an error where an answer is missing, a run where none is."""
    with pytest.raises(CacheMiss, match="--require-cache: no stored answer"):
        asked(require_cache=True)
    assert (asked.server.stats()["requests"], runs(tmp_path / "r")) == (0, [])
    asked()
    again = asked(require_cache=True)
    assert (again.exit_code, again.status) == (0, "complete")
    assert asked.server.stats()["requests"] == 200
    assert record_of(again)["evidence"] == "replayed, not new evidence"


def test_replays_are_told_as_no_new_evidence(asked, harness):
    """`show` says it; a run of which a part is new says how much."""
    asked(limit=50)
    assert record_of(asked())["evidence"].startswith("new in part: 150 of 200 requests")
    again = asked()
    shown = harness("show", again.directory)
    assert "evidence: replayed, not new evidence" in shown.out


@pytest.mark.parametrize("cached", [False, True])
def test_each_turn_tells_where_it_came_from(asked, cached):
    """Served model, fingerprint, finish reason, tokens, latency, attempts and cached or not."""
    done = [asked(limit=2) for _ in range(1 + cached)][-1]
    turn = next(read_rows(done.directory))["transcript"][-1]
    assert turn["cached"] is cached
    assert (turn["attempts"], turn["finish_reason"]) == (1, "stop")
    assert (turn["served_model"], turn["fingerprint"]) == ("fake", "fp_test")
    assert (turn["prompt_tokens"], turn["cached_prompt_tokens"]) == (16, 8)
    assert turn["completion_tokens"] == 3
    assert turn["latency_s"] > 0
    assert turn["request_key"]
