"""The cost page: what is known is told, what is not is unknown, and money never becomes zero."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_board import cell
from test_report_blocks import row, turn
from test_report_pages import report_of, run_data

from harness.report.cost_tally import CostTally, percentile, together
from harness.report.cost_view import cost_page
from harness.report.model import RunData
from harness.report.numbers import dollars
from harness.report.pages import write_pages
from harness.report.survey import survey


def asked(name: str, **more) -> dict:
    """Make an answered row of 10 tokens in, 5 out, of which 2 reasoning, in 0.1 s."""
    turns = more.pop("turns", 1)
    cached = more.get("cached", False)
    answer = turn("assistant", "4", attempts=1, cached=cached, reasoning_tokens=2)
    usual = {
        "task": "a/x",
        "sample_id": name,
        "scores": [("exact_match", 1.0)],
        "transcript": [turn("user", "2 + 2?"), *[answer] * turns],
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "latency_s": 0.1,
        "cost_usd": 0.002,
        "cached": cached,
    }
    return row(**{**usual, **more})


def run_of(rows: list[dict], name="r1", model="p/a", **more) -> RunData:
    """Make a run of such rows."""
    made = run_data(name, model, rows=rows, cells=(cell("a/x", more.pop("score", 0.5)),),
                    manifest=more.pop("manifest", {}))  # fmt: skip
    names = {field: getattr(made, field) for field in RunData.__dataclass_fields__}
    return RunData(**{**names, **more})


def page_of(*runs: RunData):
    """Return the cost page of some runs."""
    page = cost_page(report_of(*runs), {run.name: survey(run, ["a/x"]) for run in runs})
    assert page is not None
    return page


def test_a_run_is_counted_by_hand():
    """Requests, tokens, money and latency of three samples, one of two turns, one replayed."""
    rows = [asked("1"), asked("2", turns=2, latency_s=0.3), asked("3", cached=True, latency_s=9.0)]
    line = page_of(run_of(rows)).runs[0].line
    tally = line.tally
    assert (tally.samples, tally.new, tally.replayed) == (3, 3, 1)
    assert (tally.sent, tally.came, tally.thought) == (30, 15, 8)
    assert (line.cost, line.per_samples) == ("$0.006", "$2.00")
    assert line.latency == ("0.200", "0.280", "0.298")
    assert line.per_right == "5.00"


def test_an_unknown_price_is_unknown():
    """One answer of unknown cost leaves the sum unknown; it is never counted as free."""
    page = page_of(run_of([asked("1"), asked("2", cost_usd=None)]))
    line = page.runs[0].line
    assert line.money is None
    assert (line.cost.en, line.per_samples.en) == ("unknown", "unknown")
    assert "cost: unknown" in page.story.en


def test_nothing_is_the_price_only_of_what_is_free():
    """A model without a price of its own, such as an embedded one, costs $0."""
    line = page_of(run_of([asked("1", cost_usd=0.0)])).runs[0].line
    assert (line.cost, line.per_samples) == ("$0", "$0")


def test_a_price_that_became_known_later_is_used_and_said_so():
    """The run did not know it; models.yaml does now."""
    line = page_of(run_of([asked("1", cost_usd=None)], price=(2.0, 8.0))).runs[0].line
    assert line.today
    assert line.money == pytest.approx((10 * 2 + 5 * 8) / 1e6)


def test_failed_requests_cost_nothing_that_is_known():
    """A run whose every request failed has no cost, no tokens and no latency."""
    page = page_of(run_of([row(task="a/x", sample_id="1", status="error", error="timeout")]))
    line = page.runs[0].line
    assert (line.tally.failed, line.money, line.tally.sent) == (1, None, None)
    assert set(line.latency) == {"–"}
    assert line.per_right == "–"


def test_a_run_that_keeps_no_transcripts_does_not_know_its_requests():
    """A recorded baseline: tokens and money are there, the number of requests is not."""
    line = page_of(run_of([asked("1", transcript=None)])).runs[0].line
    assert (line.requests, line.replayed) == ("", "")


def test_answers_of_solved_examples_are_no_requests():
    """Only turns that were asked for count."""
    rows = [asked("1", transcript=[turn("user", "1 + 1?"), turn("assistant", "2")])]
    assert page_of(run_of(rows)).runs[0].line.tally.new == 0


def test_totals_and_frontier_of_two_models():
    """Sums over both; the one that is dearer and worse is named; money makes the first chart."""
    good = run_of([asked("1")], score=0.9)
    bad = run_of([asked("1", cost_usd=0.004, prompt_tokens=90)], "r2", "p/b", score=0.4)
    page = page_of(good, bad)
    assert page.total.tally.samples == 2
    assert page.total.cost == "$0.006"
    assert "Nothing here is both cheaper and better than p/a." in page.story.en
    assert "p/b" in page.story.en
    titles = [title.en for title, _ in page.charts]
    assert titles == ["US dollars per 1,000 samples", "tokens per sample, in and out"]
    assert "data-label-zh" in page.charts[0][1]


def test_without_prices_the_chart_is_over_tokens():
    """Where money is not known for all, tokens stand in for it."""
    runs = [
        run_of([asked("1", cost_usd=None, prompt_tokens=10 * n)], f"r{n}", f"p/{n}", score=n / 10)
        for n in (1, 2)
    ]
    page = page_of(*runs)
    assert [title.en for title, _ in page.charts] == ["tokens per sample, in and out"]
    assert "No model here is both cheaper and better than another." in page.story.en


def test_scores_beyond_zero_to_one_make_no_chart():
    """A perplexity is no share: it is not drawn against cost."""
    runs = [run_of([asked("1")], f"r{n}", f"p/{n}", score=3.0 + n) for n in (1, 2)]
    assert page_of(*runs).charts == []


def test_judges_are_counted_apart():
    """Their tokens and cost stand in a column of their own."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 200, "cost_usd": 0.03}
    judges = {"correct": {"mode": "reference", "usage": usage}}
    page = page_of(run_of([asked("1")], manifest={"judges": judges}))
    line = page.runs[0].line
    assert (line.judges.tokens, line.judges.cost) == ("1,200", "$0.03")
    assert line.cost == "$0.002"
    assert page.columns.judged


def test_speed_comes_from_the_record_and_the_providers_cache_from_the_turns():
    """Requests over seconds of the run; tokens that the provider read from its cache."""
    answer = turn("assistant", "4", attempts=1, cached=False, cached_prompt_tokens=7)
    manifest = {"usage": {"requests": 30}, "wall_s": 12.0}
    page = page_of(run_of([asked("1", transcript=[answer])], manifest=manifest))
    line = page.runs[0].line
    assert (line.speed, line.tally.stored) == ("2.50", 7)
    assert page.columns.stored
    assert not page.columns.replayed


def test_columns_that_would_be_empty_are_left_out(tmp_path):
    """No judge, no reasoning, nothing replayed: no columns for them."""
    rows = [asked("1", transcript=[turn("assistant", "4", attempts=1, cached=False)])]
    text = write_pages(report_of(run_of(rows)), tmp_path).read_text("utf-8")
    cost = text[text.index('data-view="cost"') :].partition("</section>")[0]
    assert "of them reasoning" not in cost
    assert "replayed</span>" not in cost
    assert "judges, tokens" not in cost


def test_ranked_options_have_no_tokens_per_right_answer():
    """Nothing was generated."""
    choices = [{"text": "a", "loglikelihood": -1.0, "tokens": 1, "unconditional": None}]
    line = page_of(run_of([asked("1", choices=choices)])).runs[0].line
    assert line.per_right == "–"


def test_a_report_without_samples_has_no_cost_page():
    """Nothing was counted, so nothing is told."""
    assert cost_page(report_of(run_data(rows=[])), {}) is None


@given(st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=30), st.floats(0, 1))
def test_percentiles_lie_among_the_values(values, share):
    """Between the least and the greatest; the ends are the ends."""
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert ordered[0] <= found <= ordered[-1] or math.isclose(found, ordered[-1])
    assert percentile(ordered, 0.0) == ordered[0]
    assert percentile(ordered, 1.0) == ordered[-1]


@given(st.lists(st.booleans(), max_size=8))
def test_sums_are_those_of_one_count(split):
    """Counting two halves and adding them is counting all at once."""
    whole, left, right = CostTally(), CostTally(), CostTally()
    for place, side in enumerate(split):
        one = asked(str(place), cost_usd=None if place == 3 else 0.1)
        whole.see(one, 1.0)
        (left if side else right).see(one, 1.0)
    both = together([left, right])
    assert (both.samples, both.new, both.sent, both.unpriced, both.right) == (
        whole.samples, whole.new, whole.sent, whole.unpriced, whole.right,
    )  # fmt: skip
    assert sorted(both.seconds) == sorted(whole.seconds)


@given(st.floats(1e-9, 1e6, allow_nan=False))
def test_an_amount_is_never_written_as_nothing(amount):
    """Only zero is $0; the text is within a hundredth of the amount."""
    text = dollars(amount)
    assert text != "$0"
    assert float(text[1:].replace(",", "")) == pytest.approx(amount, rel=0.01)
