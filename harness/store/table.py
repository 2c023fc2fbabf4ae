"""samples.parquet: one row per sample × arm × variant × epoch, written as the run goes.

A few hundred outcomes are turned into columns at a time, column by column, which costs a third of
going row by row; row groups are written when they are full. The file appears under its name only
once it is whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.billing import cached_prompt_tokens
from harness.errors import StoreError
from harness.records import Exchange, Outcome, Sample, Score, to_json

Talk = tuple[Exchange, ...]

ROW_GROUP = 4096
"""Rows held in memory, as columns, before they are written."""
GATHERED = 512
"""Outcomes held in memory before they become columns."""

_TURN = {
    "role": pa.string(),
    "content": pa.string(),
    "reasoning": pa.string(),
    "tool_calls": pa.string(),
    "request_key": pa.string(),
    "served_model": pa.string(),
    "finish_reason": pa.string(),
    "prompt_tokens": pa.int32(),
    "completion_tokens": pa.int32(),
    "reasoning_tokens": pa.int32(),
    "latency_s": pa.float64(),
    "attempts": pa.int16(),
    "cached": pa.bool_(),
    "fingerprint": pa.string(),
    "cached_prompt_tokens": pa.int32(),
}
LATER = frozenset({"fingerprint", "cached_prompt_tokens"})
"""Fields of a turn that tables written before 0.2 lack."""
_CHOICE = {
    "text": pa.string(),
    "loglikelihood": pa.float64(),
    "unconditional": pa.float64(),
    "tokens": pa.int32(),
    "greedy": pa.bool_(),
}
_SPAN = {"start": pa.int32(), "end": pa.int32(), "original": pa.string()}
_VERDICT = {
    "judge": pa.string(),
    "model": pa.string(),
    "order": pa.string(),
    "verdict": pa.string(),
    "score": pa.float64(),
    "valid_mass": pa.float64(),
    "reason": pa.string(),
    "reply": pa.string(),
    "cost_usd": pa.float64(),
}


def _structs(fields: dict[str, pa.DataType]) -> pa.DataType:
    return pa.list_(pa.struct(list(fields.items())))


SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("sample_id", pa.string()),
        ("arm", pa.string()),
        ("variant", pa.string()),
        ("epoch", pa.int32()),
        ("cluster", pa.string()),
        ("status", pa.string()),
        ("input", pa.string()),
        ("target", pa.list_(pa.string())),
        ("output", pa.string()),
        ("answer", pa.string()),
        ("extraction", pa.string()),
        ("reasoning", pa.string()),
        ("scores", pa.map_(pa.string(), pa.float64())),
        ("confidence", pa.float64()),
        ("token_logprobs", pa.list_(pa.float32())),
        ("choices", _structs(_CHOICE)),
        ("transcript", _structs(_TURN)),
        ("spans", _structs(_SPAN)),
        ("verdicts", _structs(_VERDICT)),
        ("error", pa.string()),
        ("finish_reason", pa.string()),
        ("slices", pa.map_(pa.string(), pa.string())),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("latency_s", pa.float64()),
        ("cost_usd", pa.float64()),
        ("cached", pa.bool_()),
        ("explanation", pa.string()),
        ("options", pa.list_(pa.string())),
        ("gold", pa.int32()),
        ("fields", pa.string()),
        ("facts", pa.string()),
        ("changed", pa.bool_()),
    ]
)
"""The columns of the contract; `changed` (False for a perturbed copy that equals its original);
and four so that a run can be scored again from itself alone: `options` (the choices as shown),
`gold` (index of the right one), `fields` (the row) and `facts` (what only the interaction knows),
the last two as JSON."""

_DICTIONARY = ["task", "arm", "variant", "status", "finish_reason"]


class SampleWriter:
    """Writes scored outcomes to `path`; `close` makes the file appear."""

    def __init__(self, path: Path, cost: Callable[[Outcome], float | None]) -> None:
        self.path = path
        self._cost = cost
        self._partial = path.with_name(path.name + ".partial")
        self._gathered: list[tuple[Outcome, Score]] = []
        self._group: list[pa.RecordBatch] = []
        try:
            self._writer = pq.ParquetWriter(
                self._partial, SCHEMA, compression="zstd", use_dictionary=_DICTIONARY
            )
        except OSError as error:
            raise StoreError(f"{path}: samples cannot be written: {error}") from error

    def add(self, outcome: Outcome, score: Score) -> None:
        """Append one row; raises StoreError where the disk refuses it."""
        self._gathered.append((outcome, score))
        if len(self._gathered) >= GATHERED:
            self._gather()
            if sum(batch.num_rows for batch in self._group) >= ROW_GROUP:
                self._flush()

    def _gather(self) -> None:
        rows, self._gathered = self._gathered, []
        if rows:
            self._group.append(_batch(rows, [self._cost(outcome) for outcome, _ in rows]))

    def _flush(self) -> None:
        batches, self._group = self._group, []
        if not batches:
            return
        try:
            self._writer.write_table(pa.Table.from_batches(batches))
        except OSError as error:
            raise StoreError(f"{self.path}: samples cannot be written: {error}") from error

    def close(self) -> None:
        """Write what is left and give the file its name."""
        self._gather()
        self._flush()
        try:
            self._writer.close()
            self._partial.replace(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: samples cannot be written: {error}") from error

    def abandon(self) -> None:
        """Leave no file behind, also where the disk is full."""
        with contextlib.suppress(OSError):
            self._writer.close()
        self._partial.unlink(missing_ok=True)


# ---- outcomes to columns --------------------------------------------------------------------


def _batch(rows: list[tuple[Outcome, Score]], costs: list[float | None]) -> pa.RecordBatch:
    outcomes, scores = [row[0] for row in rows], [row[1] for row in rows]
    samples = [outcome.sample for outcome in outcomes]
    talks = [outcome.exchanges for outcome in outcomes]
    columns: dict[str, Any] = {
        **_of_samples(samples),
        **_of_scores(scores),
        **_of_talks(outcomes, talks),
        "output": [s.output if talk else None for s, talk in zip(scores, talks, strict=True)],
        "cost_usd": costs,
        "transcript": _structs_of(_TURN, [_turns(talk) for talk in talks]),
        "choices": _attributes(_CHOICE, [o.transcript and o.transcript.choices for o in outcomes]),
        "spans": _attributes(_SPAN, [sample.spans for sample in samples]),
        "verdicts": _attributes(_VERDICT, [score.verdicts for score in scores]),
    }
    arrays = [
        found if isinstance(found := columns[field.name], pa.Array) else pa.array(found, field.type)
        for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _of_samples(samples: list[Sample]) -> dict[str, Any]:
    return {
        "task": [s.task for s in samples],
        "sample_id": [s.sample_id for s in samples],
        "arm": [s.arm for s in samples],
        "variant": [s.variant for s in samples],
        "epoch": [s.epoch for s in samples],
        "cluster": [s.cluster for s in samples],
        "input": [s.input for s in samples],
        "target": [s.target for s in samples],
        "slices": _map_of([s.slices for s in samples], pa.string()),
        "options": [[choice.text for choice in s.choices] or None for s in samples],
        "gold": [s.gold for s in samples],
        "fields": [_json(s.fields) if s.fields else None for s in samples],
        "changed": [s.changed for s in samples],
    }


def _of_scores(scores: list[Score]) -> dict[str, Any]:
    return {
        "status": [s.status for s in scores],
        "answer": [s.answer for s in scores],
        "extraction": [_json(s.extraction) if s.extraction else None for s in scores],
        "scores": _map_of([s.values for s in scores], pa.float64()),
        "confidence": [s.confidence for s in scores],
        "explanation": [s.explanation for s in scores],
    }


def _of_talks(outcomes: list[Outcome], talks: list[Talk]) -> dict[str, Any]:
    last = [talk[-1].response if talk else None for talk in talks]
    facts = [outcome.transcript.facts if outcome.transcript else None for outcome in outcomes]
    failures = [outcome.failure for outcome in outcomes]
    return {
        "reasoning": [r.reasoning if r else None for r in last],
        "token_logprobs": [r.token_logprobs if r else None for r in last],
        "finish_reason": [r.finish_reason if r else None for r in last],
        "error": [f"{f.kind}: {f.message}" if f else None for f in failures],
        "prompt_tokens": [_total(talk, "prompt_tokens") for talk in talks],
        "completion_tokens": [_total(talk, "completion_tokens") for talk in talks],
        "latency_s": [sum(e.response.latency_s for e in talk) if talk else None for talk in talks],
        "cached": [all(e.response.cached for e in talk) if talk else None for talk in talks],
        "facts": [_json(fact) if fact else None for fact in facts],
    }


def _json(value: object) -> str:
    return to_json(value).decode()


def _total(talk: Talk, name: str) -> int | None:
    if len(talk) == 1:
        count: int | None = getattr(talk[0].response, name)
        return count
    known = [n for n in (getattr(exchange.response, name) for exchange in talk) if n is not None]
    return sum(known) if known else None


def _map_of(mappings: list[dict[str, Any]], kind: pa.DataType) -> pa.Array:
    offsets = [0, *accumulate(map(len, mappings))]
    keys = [key for mapping in mappings for key in mapping]
    values = [value for mapping in mappings for value in mapping.values()]
    return pa.MapArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(keys, pa.string()), pa.array(values, kind)
    )


def _attributes(fields: dict[str, pa.DataType], lists: Sequence[Any]) -> pa.Array:
    """Return lists of records, whose attributes have the fields' names, as a column."""
    if not any(lists):  # most samples have none
        return pa.nulls(len(lists), _structs(fields))
    take = attrgetter(*fields)
    return _structs_of(fields, [[take(item) for item in items or ()] for items in lists])


def _structs_of(fields: dict[str, pa.DataType], lists: list[list[tuple[Any, ...]]]) -> pa.Array:
    """Return lists of rows, each in the order of the fields; an empty list is null."""
    offsets: list[int | None] = [0, *accumulate(map(len, lists))]
    for position, items in enumerate(lists):
        if not items:  # a null offset makes the list null, which costs nothing
            offsets[position] = None
    rows = [row for items in lists for row in items]
    columns = zip(*rows, strict=True) if rows else ((),) * len(fields)
    kinds = fields.values()
    children = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    kind = _structs(fields)
    struct = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), struct, type=kind)


def _turns(talk: Talk) -> list[tuple[Any, ...]]:
    """Return the conversation as rows of the transcript column; a turn is written once."""
    rows: list[tuple[Any, ...]] = []
    known = 0
    shown = ""
    for exchange in talk:
        request, response = exchange.request, exchange.response
        if request.messages:
            for message in request.messages[known:]:
                calls = _json(message.tool_calls) if message.tool_calls else None
                rows.append((message.role, message.content, message.reasoning, calls, *_BLANKS))
            known = len(request.messages) + 1
        elif request.prompt and request.prompt != shown:
            rows.append(("user", request.prompt, None, None, *_BLANKS))
            shown = request.prompt
        rows.append(
            (
                "assistant",
                response.text if request.kind == "generate" else request.continuation,
                response.reasoning,
                _json(response.tool_calls) if response.tool_calls else None,
                response.request_key,
                response.served_model,
                response.finish_reason,
                response.prompt_tokens,
                response.completion_tokens,
                response.reasoning_tokens,
                response.latency_s,
                response.attempts,
                response.cached,
                response.fingerprint,
                cached_prompt_tokens(response) or None,
            )
        )
    return rows


_BLANKS = (None,) * (len(_TURN) - 4)
