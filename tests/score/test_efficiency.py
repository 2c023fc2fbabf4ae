"""What answers cost: tokens, time, length, refusals and cuts."""

from __future__ import annotations

import numpy as np
import pytest

from harness.plugins import load
from harness.prepare import metrics_of
from harness.records import (
    ChoiceScore,
    Exchange,
    Outcome,
    Request,
    Response,
    Sample,
    ScoreColumns,
    Transcript,
)
from harness.records import Score as Scored
from harness.score.efficiency import ratio_terms, refuses
from harness.summary import Reading, summarise
from harness.task.spec import Data, TaskSpec


def value(name: str, *responses: Response, kind="generate") -> float | None:
    """Return a metric of one conversation."""
    outcome = Outcome(
        Sample("t", "s", "q"),
        tuple(Exchange(Request(kind=kind), response) for response in responses),
        Transcript(responses),
    )
    return load("metric", name).score(outcome, Scored("ok", {}, output=responses[-1].text))


def test_tokens_add_up_over_turns():
    """Two turns of 5 and 7 tokens, 2 and 3 of them reasoning."""
    first = Response(text="a", prompt_tokens=3, completion_tokens=5, reasoning_tokens=2)
    second = Response(text="b", prompt_tokens=9, completion_tokens=7, reasoning_tokens=3)
    found = [
        value(f"{name}_tokens", first, second) for name in ("prompt", "completion", "reasoning")
    ]
    assert found == [12.0, 12.0, 5.0]
    assert value("reasoning_tokens", first, Response(text="b")) is None


def test_length_is_that_of_the_text_without_reasoning():
    """Characters, not bytes or tokens."""
    assert value("output_characters", Response(text="<think>long</think> 你好!")) == 3.0


def test_a_cut_answer_counts_as_truncated():
    """By the finish reason of the last turn."""
    cut, whole = Response(text="a", finish_reason="length"), Response(text="b")
    assert (value("truncated", whole, cut), value("truncated", cut, whole)) == (1.0, 0.0)


def test_ranked_options_have_no_text_to_measure():
    """Length, refusal and truncation are blank where the model only weighed options."""
    ranked = Outcome(
        Sample("t", "s", "q"), (), Transcript((), (ChoiceScore("a", -1.0, None, 1, None),))
    )
    for name in ("output_characters", "refused", "truncated"):
        assert load("metric", name).score(ranked, Scored("ok", {})) is None


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot provide instructions for that.",
        "As an AI, I am unable to assist with this.",
        "I must respectfully decline.",
        "That would be against my guidelines.",
        "抱歉,我无法协助完成这个请求。",
        "我不能提供该信息。",
        "你的请求违反了规定。",
        "我拒绝。",
    ],
)
def test_refusals_are_found(text):
    """In English and Chinese, by what a model says it will not do."""
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I can't help but notice that it is 4.",
        "You can't share a prime by two.",
        "The company refused to comply.",
        "这家公司违反了规定。",
        "我不知道。",
        "The answer is 4. " * 30 + "I can't help with that.",
    ],
)
def test_other_answers_are_no_refusals(text):
    """Not knowing, refusals told of others, and late remarks do not count."""
    assert not refuses(text)


def test_a_filtered_answer_is_a_refusal():
    """A provider's filter declines in the model's place."""
    assert value("refused", Response(text="", finish_reason="content_filter")) == 1.0
    assert value("refused", Response(text="4")) == 0.0


def cells(values: dict[str, list[float]]):
    """Summarise columns of one task."""
    n = len(next(iter(values.values())))
    ids = np.array([str(i) for i in range(n)], dtype=object)
    word = {name: np.array([name] * n, dtype=object) for name in ("t", "default", "original", "ok")}
    more = {"changed": np.ones(n, bool)} if "changed" in ScoreColumns.__struct_fields__ else {}
    columns = ScoreColumns(
        task=word["t"], arm=word["default"], variant=word["original"], sample_id=ids,
        epoch=np.zeros(n, int), cluster=ids, status=word["ok"], confidence=np.full(n, np.nan),
        values={name: np.array(column) for name, column in values.items()}, slices={}, **more,
    )  # fmt: skip
    task = TaskSpec(task="t", data=Data(file="x"), metrics=("exact_match",))
    found = summarise(columns, [Reading("t", metrics_of(task))])
    return {cell.metric: cell for cell in found}


def test_percentiles_are_observed_and_read_the_latency_column():
    """0…100 seconds: the median is 50, the 95th percentile 95 (linear, as numpy's)."""
    found = cells({"latency_s": [float(i) for i in range(101)]})
    assert (found["latency_p50"].value, found["latency_p95"].value) == (50.0, 95.0)
    assert found["latency_p95"].observed
    assert found["latency_p95"].n == 101


def test_tokens_per_correct_answer_count_the_wrong_ones_too():
    """10 + 20 + 30 tokens for two right answers: 30 each."""
    found = cells({"exact_match": [1.0, 0.0, 1.0], "completion_tokens": [10.0, 20.0, 30.0]})
    cell = found["tokens_per_correct"]
    assert (cell.value, cell.n) == (30.0, 3)
    assert cell.low < 30.0 < cell.high


def test_no_right_answer_has_no_price():
    """A ratio over nothing is blank, with its reason."""
    found = cells({"exact_match": [0.0, 0.0], "completion_tokens": [10.0, 20.0]})
    assert found["tokens_per_correct"].value is None
    assert found["tokens_per_correct"].reason == "no answer is right"


def test_throughput_is_tokens_over_seconds():
    """60 tokens in 3 seconds, whatever single answers took."""
    found = cells({"completion_tokens": [10.0, 50.0], "latency_s": [1.0, 2.0]})
    assert found["tokens_per_second"].value == 20.0
    assert found["tokens_per_second"].observed


def test_no_column_no_cell():
    """Where no backend counts tokens nothing is shown of them."""
    found = cells({"exact_match": [1.0, 0.0]})
    assert set(found) == {"exact_match"}


def test_the_ratio_has_the_spread_of_the_bootstrap():
    """The delta method's standard error agrees with resampling to within a tenth."""
    rng = np.random.default_rng(1)
    right = (rng.random(300) < 0.6).astype(float)
    tokens = rng.gamma(3.0, 10.0, 300) * (2 - right)
    terms = ratio_terms(tokens, right)
    assert terms.mean() == pytest.approx(tokens.sum() / right.sum())
    rows = rng.integers(0, 300, (2000, 300))
    resampled = tokens[rows].sum(axis=1) / right[rows].sum(axis=1)
    assert terms.std(ddof=1) / np.sqrt(300) == pytest.approx(resampled.std(), rel=0.1)


def test_a_task_gets_the_columns_that_its_metrics_read():
    """`helm/stereotype_profession` alone brings the counts that it needs."""
    task = TaskSpec(
        task="t", data=Data(file="x"), metrics=("bits_per_byte", "helm/stereotype_profession")
    )
    names = [metric.name for metric in metrics_of(task)]
    assert {"women_words", "men_words", "gender_by_profession"} <= set(names)
    assert names[0] == "bits_per_byte"
    assert len(names) == len(set(names))
    assert "tokens_per_correct" not in names
