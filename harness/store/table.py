"""samples.parquet: one row per sample × arm × variant × epoch, written as the run goes.

Rows are gathered column by column and written in row groups, so that memory holds one group at
most. The file appears under its name only once it is whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import StoreError
from harness.records import Exchange, Outcome, Score, to_json

ROW_GROUP = 4096
"""Rows held in memory before they are written."""

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
}
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
        self._rows = _Columns()
        try:
            self._writer = pq.ParquetWriter(
                self._partial, SCHEMA, compression="zstd", use_dictionary=_DICTIONARY
            )
        except OSError as error:
            raise StoreError(f"{path}: samples cannot be written: {error}") from error

    def add(self, outcome: Outcome, score: Score) -> None:
        """Append one row; raises StoreError where the disk refuses it."""
        self._rows.add(outcome, score, self._cost(outcome))
        if len(self._rows) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, _Columns()
        try:
            self._writer.write_batch(rows.batch())
        except OSError as error:
            raise StoreError(f"{self.path}: samples cannot be written: {error}") from error

    def close(self) -> None:
        """Write what is left and give the file its name."""
        if len(self._rows):
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


class _Columns:
    """One row group in the making: a Python list for each column and each nested field."""

    def __init__(self) -> None:
        self.plain: dict[str, list[Any]] = {
            field.name: [] for field in SCHEMA if not _is_nested(field.type)
        }
        self.nested = {
            "choices": _Nested(_CHOICE),
            "transcript": _Nested(_TURN),
            "spans": _Nested(_SPAN),
            "verdicts": _Nested(_VERDICT),
        }

    def __len__(self) -> int:
        return len(self.plain["task"])

    def add(self, outcome: Outcome, score: Score, cost: float | None) -> None:
        for name, value in _plain_values(outcome, score, cost).items():
            self.plain[name].append(value)
        transcript = outcome.transcript
        self.nested["choices"].add_structs(transcript.choices if transcript else ())
        self.nested["spans"].add_structs(outcome.sample.spans)
        self.nested["verdicts"].add_structs(score.verdicts)
        self.nested["transcript"].add(_turns(outcome.exchanges))

    def batch(self) -> pa.RecordBatch:
        arrays = [
            self.nested[field.name].array(field.type)
            if field.name in self.nested
            else pa.array(self.plain[field.name], field.type)
            for field in SCHEMA
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


class _Nested:
    """A list<struct> column as child columns and offsets, which Arrow takes without guessing."""

    def __init__(self, fields: dict[str, pa.DataType]) -> None:
        self.fields = fields
        self.columns: dict[str, list[Any]] = {name: [] for name in fields}
        self.offsets: list[int | None] = [0]
        self.count = 0

    def add_structs(self, items: tuple[Any, ...]) -> None:
        """Append one list of records whose attributes have the columns' names."""
        if items:  # most samples have none
            for name, column in self.columns.items():
                column.extend([getattr(item, name) for item in items])
        self._close(len(items))

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Append one list of rows in the order of the columns."""
        for row in rows:
            for column, value in zip(self.columns.values(), row, strict=True):
                column.append(value)
        self._close(len(rows))

    def _close(self, added: int) -> None:
        if not added:  # a null offset makes the list null, which costs nothing
            self.offsets[-1] = None
        self.count += added
        self.offsets.append(self.count)

    def array(self, kind: pa.DataType) -> pa.Array:
        children = [pa.array(column, self.fields[name]) for name, column in self.columns.items()]
        struct = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
        return pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), struct, type=kind)


def _is_nested(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))


def _plain_values(outcome: Outcome, score: Score, cost: float | None) -> dict[str, Any]:
    sample, exchanges = outcome.sample, outcome.exchanges
    last = exchanges[-1].response if exchanges else None
    failure = outcome.failure
    facts = outcome.transcript.facts if outcome.transcript else None
    return {
        "task": sample.task,
        "sample_id": sample.sample_id,
        "arm": sample.arm,
        "variant": sample.variant,
        "epoch": sample.epoch,
        "cluster": sample.cluster,
        "status": score.status,
        "input": sample.input,
        "target": sample.target,
        "output": score.output if last is not None else None,
        "answer": score.answer,
        "extraction": to_json(score.extraction).decode() if score.extraction else None,
        "reasoning": last.reasoning if last else None,
        "scores": list(score.values.items()),
        "confidence": score.confidence,
        "token_logprobs": last.token_logprobs if last else None,
        "error": f"{failure.kind}: {failure.message}" if failure else None,
        "finish_reason": last.finish_reason if last else None,
        "slices": list(sample.slices.items()),
        "prompt_tokens": _total(exchanges, "prompt_tokens"),
        "completion_tokens": _total(exchanges, "completion_tokens"),
        "latency_s": sum(e.response.latency_s for e in exchanges) if exchanges else None,
        "cost_usd": cost,
        "cached": all(e.response.cached for e in exchanges) if exchanges else None,
        "explanation": score.explanation,
        "options": [choice.text for choice in sample.choices] or None,
        "gold": sample.gold,
        "fields": to_json(sample.fields).decode() if sample.fields else None,
        "facts": to_json(facts).decode() if facts else None,
        "changed": sample.changed,
    }


def _total(exchanges: tuple[Exchange, ...], name: str) -> int | None:
    counts = [getattr(exchange.response, name) for exchange in exchanges]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _turns(exchanges: tuple[Exchange, ...]) -> list[tuple[Any, ...]]:
    """Return the conversation as rows of the transcript column; a turn is written once."""
    rows: list[tuple[Any, ...]] = []
    known = 0
    shown = ""
    blanks = (None,) * (len(_TURN) - 4)
    for exchange in exchanges:
        request, response = exchange.request, exchange.response
        if request.messages:
            for message in request.messages[known:]:
                calls = to_json(message.tool_calls).decode() if message.tool_calls else None
                rows.append((message.role, message.content, message.reasoning, calls, *blanks))
            known = len(request.messages) + 1
        elif request.prompt and request.prompt != shown:
            rows.append(("user", request.prompt, None, None, *blanks))
            shown = request.prompt
        calls = to_json(response.tool_calls).decode() if response.tool_calls else None
        rows.append(
            (
                "assistant",
                response.text if request.kind == "generate" else request.continuation,
                response.reasoning,
                calls,
                response.request_key,
                response.served_model,
                response.finish_reason,
                response.prompt_tokens,
                response.completion_tokens,
                response.reasoning_tokens,
                response.latency_s,
                response.attempts,
                response.cached,
            )
        )
    return rows
