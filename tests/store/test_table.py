"""samples.parquet holds what was measured, and gives it back."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.billing import billed
from harness.errors import InvalidFile, StoreError
from harness.records import (
    Choice,
    ChoiceScore,
    Exchange,
    Extraction,
    Failure,
    Message,
    Outcome,
    Request,
    Response,
    Sample,
    Score,
    Span,
    ToolCall,
    Transcript,
)
from harness.store.columns import read_columns
from harness.store.reading import read_rows
from harness.store.rewrite import outcome_of, rewrite_scores
from harness.store.table import LATER, ROW_GROUP, SCHEMA, SampleWriter

GENERATED = Sample(
    "t", "s1", "typed <script>", target=("a", "b"), cluster="c", slices={"digits": "2"},
    spans=(Span(0, 5, "words"),), fields={"x": 1}, variant="typos",
)  # fmt: skip
RANKED = Sample(
    "r", "s2", "q", target=("x",), choices=(Choice("x"), Choice("y")), gold=0, cluster="s2",
    method="rank",
)  # fmt: skip


def chat(*turns: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(Message(roles[i % 2], text) for i, text in enumerate(turns))


def outcomes() -> list[tuple[Outcome, Score]]:
    first = Response(
        text="1", prompt_tokens=2, completion_tokens=1, latency_s=0.5, request_key="k1"
    )
    second = Response(
        text="a", prompt_tokens=4, completion_tokens=1, latency_s=0.25, request_key="k2",
        reasoning="hm", tool_calls=(ToolCall("i", "n", "{}"),), token_logprobs=(-0.5, -1.0),
        cached=True, served_model="m",
    )  # fmt: skip
    talk = (
        Exchange(Request(messages=chat("q")), first),
        Exchange(Request(messages=chat("q", "1", "sure?")), second),
    )
    generated = Outcome(GENERATED, talk, Transcript((first, second), facts={"turns": 2}))
    options = (ChoiceScore("x", -1.0, None, 1, True), ChoiceScore("y", -2.0, -3.0, 1, None))
    asked = tuple(
        Exchange(
            Request(kind="loglikelihood", prompt="q", continuation=text),
            Response(loglikelihood=-1.0, request_key=text),
        )
        for text in "xy"
    )
    ranked = Outcome(RANKED, asked, Transcript(tuple(e.response for e in asked), options))
    failed = Outcome(GENERATED, (), failure=Failure(kind="timeout", message="slow"))
    read = Extraction("a", "text")
    return [
        (generated, Score("ok", {"em": 1.0, "f1": 0.5}, "a", "a", read, confidence=0.25)),
        (ranked, Score("ok", {"em": 0.0}, answer="x")),
        (failed, Score("error")),
    ]


def write(path, rows, cost=lambda _: 0.5):
    writer = SampleWriter(path, cost)
    for outcome, score in rows:
        writer.add(outcome, score)
    writer.close()


@pytest.fixture
def run(tmp_path):
    write(tmp_path / "samples.parquet", outcomes())
    return tmp_path


def test_the_columns_are_those_of_the_contract(run):
    """Names and order of the columns are part of the contract."""
    assert pq.read_schema(run / "samples.parquet").names == [
        "task", "sample_id", "arm", "variant", "epoch", "cluster", "status", "input", "target",
        "output", "answer", "extraction", "reasoning", "scores", "confidence", "token_logprobs",
        "choices", "transcript", "spans", "verdicts", "error", "finish_reason", "slices",
        "prompt_tokens", "completion_tokens", "latency_s", "cost_usd", "cached", "explanation",
        "options", "gold", "fields", "facts", "changed",
    ]  # fmt: skip


def test_a_row_says_what_was_sent_and_what_came(run):
    """Turns are written once each, with what the answering response carried."""
    row = next(iter(read_rows(run)))
    assert [(turn["role"], turn["content"]) for turn in row["transcript"]] == [
        ("user", "q"), ("assistant", "1"), ("user", "sure?"), ("assistant", "a")
    ]  # fmt: skip
    last = row["transcript"][-1]
    assert (last["request_key"], last["reasoning"], last["cached"]) == ("k2", "hm", True)
    assert last["tool_calls"] == '[{"id":"i","name":"n","arguments":"{}"}]'
    assert row["transcript"][0]["request_key"] is None
    assert (row["prompt_tokens"], row["completion_tokens"], row["latency_s"]) == (6, 2, 0.75)
    assert row["cached"] is False, "one of its answers was new"
    assert row["spans"] == [{"start": 0, "end": 5, "original": "words"}]
    assert row["token_logprobs"] == [-0.5, -1.0]
    assert dict(row["scores"]) == {"em": 1.0, "f1": 0.5}
    assert row["cost_usd"] == 0.5
    assert row["facts"] == '{"turns":2}'


def test_options_share_one_prompt(run):
    """The common context of the options stands once in the transcript."""
    row = list(read_rows(run))[1]
    assert [turn["content"] for turn in row["transcript"]] == ["q", "x", "y"]
    assert row["choices"][1] == {
        "text": "y", "loglikelihood": -2.0, "unconditional": -3.0, "tokens": 1, "greedy": None
    }  # fmt: skip
    assert row["options"] == ["x", "y"]
    assert row["spans"] is None


def test_a_failure_is_a_row_without_an_answer(run):
    """An error says what failed; what does not apply is null."""
    row = list(read_rows(run))[2]
    assert (row["status"], row["error"]) == ("error", "timeout: slow")
    assert [row[name] for name in ("output", "answer", "transcript", "latency_s")] == [None] * 4


def test_columns_for_scoring_are_spread_by_name(run):
    """Maps become one column a name, NaN or empty where a sample has none."""
    columns = read_columns(run / "samples.parquet")
    assert list(columns.task) == ["t", "r", "t"]
    assert columns.values["em"][:2].tolist() == [1.0, 0.0]
    assert math.isnan(columns.values["em"][2])
    assert math.isnan(columns.values["f1"][1])
    assert columns.slices["digits"].tolist() == ["2", "", "2"]
    assert columns.confidence[0] == 0.25
    assert math.isnan(columns.confidence[1])


def test_an_empty_table_is_read(tmp_path):
    """A run of nothing has columns of nothing."""
    write(tmp_path / "samples.parquet", [])
    assert len(read_columns(tmp_path / "samples.parquet").task) == 0


def test_rows_beyond_a_group_keep_their_order(tmp_path):
    """Row groups do not reorder or lose rows."""
    outcome, score = outcomes()[0]
    import msgspec

    count = 2 * ROW_GROUP + 7
    rows = [
        (Outcome(msgspec.structs.replace(GENERATED, sample_id=str(i)), outcome.exchanges,
                 outcome.transcript), score)
        for i in range(count)
    ]  # fmt: skip
    write(tmp_path / "samples.parquet", rows)
    assert [row["sample_id"] for row in read_rows(tmp_path, ["sample_id"])] == [
        str(i) for i in range(count)
    ]


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    """Before the end, and after giving up, there is no table under the name."""
    writer = SampleWriter(tmp_path / "samples.parquet", lambda _: None)
    writer.add(*outcomes()[0])
    assert not (tmp_path / "samples.parquet").exists()
    writer.abandon()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidFile, match="interrupted"):
        read_columns(tmp_path / "samples.parquet")
    with pytest.raises(InvalidFile, match="interrupted"):
        next(read_rows(tmp_path))


def test_what_is_no_table_is_named(tmp_path):
    """Other bytes under the name are one clear error."""
    (tmp_path / "samples.parquet").write_bytes(b"not a table at all")
    for read in (
        lambda: read_columns(tmp_path / "samples.parquet"),
        lambda: next(read_rows(tmp_path)),
    ):
        with pytest.raises(InvalidFile, match="not a table of samples"):
            read()
    with pytest.raises(StoreError, match="cannot be written"):
        SampleWriter(tmp_path / "none" / "samples.parquet", lambda _: None)


def test_a_stored_row_gives_back_its_outcome(run):
    """Scoring a stored row looks at the same outcome as scoring the fresh one."""
    methods = {"t": ("generate", "en"), "r": ("rank", "en")}
    rows = list(read_rows(run))
    for row, (outcome, _) in zip(rows, outcomes(), strict=True):
        again = outcome_of(row, *methods[row["task"]])
        assert again.sample.target == outcome.sample.target
        assert again.sample.fields == outcome.sample.fields
        assert again.sample.choices == outcome.sample.choices
        assert [e.response.text for e in again.exchanges] == [
            e.response.text for e in outcome.exchanges
        ]
        if outcome.transcript:
            assert again.transcript.choices == outcome.transcript.choices
            assert again.transcript.facts == outcome.transcript.facts
        else:
            assert again.failure.kind == "timeout"


def test_rescoring_replaces_the_scores_and_nothing_else(run):
    """Only the columns that scoring fills change; how many rows did is counted."""
    before = list(read_rows(run))
    methods = {"t": ("generate", "en"), "r": ("rank", "en")}
    scored = iter([Score("ok", {"em": 0.0}), Score("ok", {"em": 0.0}, answer="x"), Score("error")])
    result = rewrite_scores(run / "samples.parquet", methods, lambda _: next(scored))
    after = list(read_rows(run))
    assert result == (3, 1)
    assert dict(after[0]["scores"]) == {"em": 0.0}
    kept = [
        name
        for name in SCHEMA.names
        if name not in {"status", "answer", "extraction", "scores", "confidence", "explanation"}
    ]
    assert [[row[n] for n in kept] for row in after] == [[row[n] for n in kept] for row in before]


def test_a_table_of_before_is_read_and_scored_again(tmp_path):
    """Turns without the fields that came later: read, opened, rewritten with them as nulls."""
    path = tmp_path / "samples.parquet"
    write(path, outcomes())
    table = pq.read_table(path)
    place = table.schema.get_field_index("transcript")
    turn = table.schema.field(place).type.value_type
    old = pa.list_(pa.struct([field for field in turn if field.name not in LATER]))
    shorter = [
        turns and [{k: v for k, v in one.items() if k not in LATER} for one in turns]
        for turns in table["transcript"].to_pylist()
    ]
    table = table.set_column(place, "transcript", pa.array(shorter, old))
    pq.write_table(table, path)
    assert len(read_columns(path).task) == 3
    turns = next(read_rows(tmp_path))["transcript"]
    assert "fingerprint" not in turns[-1]
    methods = {"t": ("generate", "en"), "r": ("rank", "en")}
    rewrite_scores(path, methods, lambda outcome: Score("error"))
    assert pq.read_schema(path).equals(SCHEMA)
    assert next(read_rows(tmp_path))["transcript"][-1]["fingerprint"] is None


def test_a_turn_tells_fingerprint_and_cached_tokens(tmp_path):
    """What the server said of itself and of its cache stands beside the tokens."""
    path = tmp_path / "samples.parquet"
    response = billed(Response(text="a", prompt_tokens=9, fingerprint="fp"), 4)
    outcome = Outcome(
        GENERATED, (Exchange(Request(prompt="q"), response),), Transcript((response,))
    )
    write(path, [(outcome, Score("ok", output="a"))])
    turn = next(read_rows(tmp_path))["transcript"][-1]
    assert (turn["fingerprint"], turn["cached_prompt_tokens"]) == ("fp", 4)
    back = outcome_of(next(read_rows(tmp_path)), "generate", "en").exchanges[0].response
    assert back.fingerprint == "fp"
