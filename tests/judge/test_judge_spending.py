"""What judges spend: counted judge by judge, priced, and part of every budget."""

from __future__ import annotations

import json

import pytest

PRICES = "models:\n  openai/judge:\n    price: {in: 10, out: 100}\n"
TASK = """\
task: capitals
data: {file: rows.jsonl}
prompt: "{{ question }}"
target: "{{ answers }}"
extract: [text]
metrics: [judged]
judge: correct
oracle: "{{ say }}"
"""


@pytest.fixture
def capitals(tmp_path):
    """Twenty questions whose answers only a judge can tell."""
    rows = [
        {"question": f"Capital {i}?", "answers": [f"town {i}"], "say": f"surely town {i}"}
        for i in range(20)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = tmp_path / "capitals.yaml"
    path.write_text(TASK)
    return path


def judged(harness, task, server, *flags, model="scripted/oracle"):
    """Run with a priced judge of correctness on the server, and a free one of toxicity."""
    return harness("run", task, "--model", model, "--json", *flags,
                   "--judge", f"correct=openai/judge@{server.url}",
                   "--judge", "toxicity=scripted/perfect")  # fmt: skip


def test_each_judge_has_its_own_account(harness, capitals, start_server, tmp_path):
    """Requests, tokens and dollars of one judge are nobody else's, nor the model's."""
    (tmp_path / "models.yaml").write_text(PRICES)
    server = start_server()
    done = judged(harness, capitals, server)
    assert done.code == 0, done.err
    run = tmp_path / json.loads(done.out)["run"]
    record = json.loads((run / "run.json").read_text())
    usage = record["judges"]["correct"]["usage"]
    assert usage["requests"] == server.stats()["requests"]
    dollars = (10 * usage["prompt_tokens"] + 100 * usage["completion_tokens"]) / 1e6
    assert usage["cost_usd"] == pytest.approx(dollars)
    assert dollars > 0
    beside = record["judges"]["toxicity"]["usage"]
    assert (beside["requests"], beside["cost_usd"]) == (20, 0.0)
    assert record["usage"]["requests"] == 20
    assert record["usage"]["cost_usd"] == 0.0
    shown = harness("show", run).out
    tokens = usage["prompt_tokens"] + usage["completion_tokens"]
    assert f"{usage['requests']} requests, {tokens:,} tokens, ${dollars:.4f}" in shown


def test_an_unknown_price_stays_unknown(harness, capitals, start_server, tmp_path):
    """No price is no zero: null in run.json, and words on the terminal."""
    done = judged(harness, capitals, start_server())
    run = tmp_path / json.loads(done.out)["run"]
    usage = json.loads((run / "run.json").read_text())["judges"]["correct"]["usage"]
    assert usage["cost_usd"] is None
    assert "cost unknown" in harness("show", run).out


def test_a_budget_in_dollars_counts_the_judge(harness, capitals, start_server, tmp_path):
    """The model is free; what the judge costs ends the run, and the partial result stands."""
    (tmp_path / "models.yaml").write_text(PRICES)
    (tmp_path / "town.py").write_text("def answer(messages):\n    return 'some town'\n")
    done = judged(harness, capitals, start_server(), "--max-cost", "0.1", "--connections", "1",
                  model="python/town:answer")  # fmt: skip
    assert done.code == 5, done.err
    record = json.loads((tmp_path / json.loads(done.out)["run"] / "run.json").read_text())
    assert record["reason"].startswith("budget: $0.1")
    assert 0 < record["scored"] < 20
    assert record["usage"]["cost_usd"] == 0.0


def test_a_budget_needs_the_price_of_the_judge(harness, capitals, start_server):
    """Where it is not known the run does not start, and says where prices go."""
    server = start_server()
    done = judged(harness, capitals, server, "--max-cost", "1")
    assert done.code == 2
    assert "the price of openai/judge is not known; give its price in models.yaml" in done.err
    assert server.stats()["requests"] == 0
