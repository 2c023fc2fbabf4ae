"""Samples packed for the page: labels, index, details."""

from __future__ import annotations

import base64
import gzip
import json

from hypothesis import given
from hypothesis import strategies as st

from harness.report import blocks
from harness.report.blocks import BLOCK_ROWS, Packer, detail, frame, packed, short
from harness.report.survey import TaskSurvey

EMPTY = {
    "task": "a/x",
    "sample_id": "id",
    "arm": "default",
    "variant": "original",
    "epoch": 0,
    "cluster": "id",
    "status": "ok",
    "input": "in",
    "target": ["out"],
    "output": None,
    "answer": None,
    "extraction": None,
    "reasoning": None,
    "scores": None,
    "confidence": None,
    "token_logprobs": None,
    "choices": None,
    "transcript": None,
    "spans": None,
    "verdicts": None,
    "error": None,
    "finish_reason": None,
    "slices": None,
    "prompt_tokens": None,
    "completion_tokens": None,
    "latency_s": None,
    "cost_usd": None,
    "cached": None,
    "explanation": None,
}
TURN = {
    "role": "user",
    "content": "",
    "reasoning": None,
    "tool_calls": None,
    "request_key": None,
    "served_model": None,
    "finish_reason": None,
    "prompt_tokens": None,
    "completion_tokens": None,
    "reasoning_tokens": None,
    "latency_s": None,
    "attempts": None,
    "cached": None,
}


def unpacked(text: str):
    """Decode a packed piece, as the page does."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def lines_of(text: str):
    """Decode a block: a line of JSON for each sample."""
    raw = gzip.decompress(base64.b64decode(text)).decode()
    return [json.loads(line) for line in raw.split("\n")]


def row(**more):
    """Make a row of samples.parquet as the reader yields it."""
    return {**EMPTY, **more}


def turn(role: str, content: str, **more):
    """Make a turn of a transcript."""
    return {**TURN, "role": role, "content": content, **more}


@given(st.recursive(st.none() | st.integers(-999, 999) | st.text(), st.lists))
def test_packing_keeps_everything(value):
    """What is packed comes back, and packs the same each time."""
    assert unpacked(packed(value)) == value
    assert packed(value) == packed(value)


@given(st.text(), st.integers(2, 90))
def test_short_text_is_one_short_line(text, limit):
    """A label never exceeds its length and never breaks the line."""
    line = short(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


@given(st.lists(st.text(alphabet="ab ?\n", max_size=12), max_size=5))
def test_frames_fit_all_texts(texts):
    """Every text begins and ends with the frame, and the two do not overlap in any."""
    start, end = frame(texts)
    for text in set(texts):
        assert text.startswith(start)
        assert text[len(start) :].endswith(end)


def test_index_and_blocks_line_up():
    """A block begins at the row that `starts` names, and holds a line for each row from there."""
    packer = Packer(["a/x", "b/y"], {"b/y": "exact_match"})
    count = BLOCK_ROWS + 7
    for place in range(count):
        packer.add(
            row(
                task="b/y",
                sample_id=f"s{place}",
                input=f"What is {place} + 1?",
                scores=[("exact_match", 1.0)],
                slices=[("digits", str(len(str(place)))), ("carries", "0")],
                answer=str(place),
            )
        )
    index = unpacked(packer.close())
    assert [len(lines_of(block)) for block in packer.blocks] == [BLOCK_ROWS, 7]
    assert index["starts"] == [0, BLOCK_ROWS]
    columns = index["columns"]
    assert columns["id"][BLOCK_ROWS] == f"s{BLOCK_ROWS}"
    assert columns["l"][:2] == ["0 + 1", "1 + 1"] or columns["l"][:2] == ["0", "1"]
    assert columns["t"][0] == 1
    assert index["slices"][columns["c"][0]] == "carries=0&digits=1"
    assert lines_of(packer.blocks[1])[0]["answer"] == str(BLOCK_ROWS)


def test_long_texts_make_shorter_blocks(monkeypatch):
    """A block closes at its size too, so that one sample never takes much to decode."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 3000)
    packer = Packer(["a/x"], {})
    for place in range(9):
        packer.add(row(sample_id=f"s{place}", output="two\nlines " * 100))
    assert unpacked(packer.close())["starts"] == [0, 3, 6]
    assert [len(lines_of(block)) for block in packer.blocks] == [3, 3, 3]


def test_a_run_without_samples_has_no_blocks():
    """Nothing in, an index of nothing out."""
    packer = Packer(["a/x"], {})
    assert unpacked(packer.close())["starts"] == []
    assert packer.blocks == []


def test_copies_are_named_like_their_original():
    """A perturbed row is found under the label of the sample that it is a copy of."""
    packer = Packer(["a/x"], {})
    for name in ("3 + 4", "9 + 2"):
        packer.add(row(sample_id=name, input=f"What is {name}?"))
        packer.add(row(sample_id=name, input=f"Waht is {name}?", variant="typos"))
    labels = unpacked(packer.close())["columns"]["l"]
    assert labels == ["3 + 4", "3 + 4", "9 + 2", "9 + 2"]


def test_failed_sample_shows_its_error():
    """Where the request failed, the list shows the error in place of an answer."""
    packer = Packer(["a/x"], {})
    packer.add(row(status="error", error="timeout: nothing came"))
    columns = unpacked(packer.close())["columns"]
    assert columns["g"] == ["timeout: nothing came"]
    assert columns["s"] == [2]
    assert columns["x"] == [None]


def test_detail_parts_what_was_sent_from_what_came():
    """Few-shot turns of the assistant are sent; the turn with attempts is the model's own."""
    found = detail(
        row(
            transcript=[
                turn("user", "one"),
                turn("assistant", "shot"),
                turn("user", "two"),
                turn("assistant", "answer", attempts=2, latency_s=0.123456, finish_reason="stop"),
                turn("user", "sure?"),
            ],
            output="answer",
        )
    )
    assert [part["text"] for part in found["sent"]] == ["one", "shot", "two"]
    assert [part["text"] for part in found["came"]] == ["answer", "sure?"]
    assert found["came"][0]["tries"] == 2
    assert found["came"][0]["s"] == 0.1235
    assert "input" not in found


def test_detail_says_nothing_twice():
    """The output of the last turn, a cluster of one, counts among scores: all are left out."""
    assert detail(row()) == {"input": "in", "target": ["out"]}
    scores = [("exact_match", 0.12345678), ("prompt_tokens", 9.0), ("latency_s", 0.5)]
    found = detail(row(scores=scores, prompt_tokens=9, latency_s=0.51234567, cluster="pair"))
    assert found["scores"] == {"exact_match": 0.123457}
    assert (found["in"], found["s"], found["cluster"]) == (9, 0.5123, "pair")


def test_how_an_answer_was_found_is_kept_without_the_answer():
    """The trace keeps rule and place; answer and value only where they say something new."""
    trace = '{"answer":"7","rule":"last number","start":3,"end":4,"value":"7"}'
    found = detail(row(answer="7", extraction=trace))
    assert found["read"] == {"rule": "last number", "start": 3, "end": 4}
    assert detail(row(answer="B", extraction=trace))["read"]["value"] == "7"
    assert detail(row(extraction="not JSON"))["read"] == "not JSON"
    assert detail(row(extraction="[1]"))["read"] == "[1]"


def test_a_perturbed_input_stands_beside_what_was_sent_where_they_differ():
    """The marked spans are places in the input; it is kept where the last turn is another text."""
    spans = [{"start": 0, "end": 2, "original": "on"}]
    same = detail(row(input="in", spans=spans, transcript=[turn("user", "in")]))
    assert "input" not in same
    framed = detail(row(input="in", spans=spans, transcript=[turn("user", "Q: in")]))
    assert framed["input"] == "in"


def test_pairs_count_both_one_none():
    """Twins count as pairs; single samples do not make a task one of pairs."""
    survey = TaskSurvey(pairs={"a": [1.0, 1.0], "b": [1.0, 0.0], "c": [0.0, 0.0]})
    assert survey.both_one_none == (1, 1, 1)
    assert TaskSurvey(pairs={"a": [1.0], "b": [0.0]}).both_one_none is None
    assert TaskSurvey().both_one_none is None
