"""Scoring stored samples again: only the columns that scoring fills are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import InvalidFile, StoreError
from harness.records import (
    Choice,
    ChoiceScore,
    Exchange,
    Failure,
    Method,
    Outcome,
    Request,
    Response,
    Sample,
    Score,
    ToolCall,
    Transcript,
    from_json,
    to_json,
)
from harness.store.table import SCHEMA

JUDGED = "judged"
"""Metric that a judge's verdict fills."""
SCORED = ("status", "answer", "extraction", "scores", "confidence", "explanation")


class Rewritten(NamedTuple):
    """How many rows there are, and how many score differently now."""

    rows: int
    changed: int


def rewrite_scores(
    path: Path, methods: dict[str, tuple[Method, str]], score: Callable[[Outcome], Score]
) -> Rewritten:
    """Replace the scoring columns of the table at `path`, whole or not at all.

    `methods` gives each task's method and language, which the table does not hold.
    """
    partial = path.with_name(path.name + ".partial")
    rows = changed = 0
    try:
        with (
            pq.ParquetFile(path) as table,
            pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer,
        ):
            for batch in table.iter_batches(batch_size=4096):
                before = batch.to_pylist()
                after = [
                    _judged(row, _values(score(outcome_of(row, *methods[row["task"]]))))
                    for row in before
                ]
                rows += len(before)
                changed += sum(_differs(old, new) for old, new in zip(before, after, strict=True))
                writer.write_batch(_replaced(batch, after))
        partial.replace(path)
    except FileNotFoundError:
        raise InvalidFile("no samples: the run was interrupted", path=path) from None
    except pa.ArrowInvalid as error:
        raise InvalidFile(f"not a table of samples: {error}", path=path) from error
    except OSError as error:
        raise StoreError(f"{path}: samples cannot be written: {error}") from error
    return Rewritten(rows, changed)


def _values(score: Score) -> dict[str, Any]:
    return {
        "status": score.status,
        "answer": score.answer,
        "extraction": to_json(score.extraction).decode() if score.extraction else None,
        "scores": list(score.values.items()),
        "confidence": score.confidence,
        "explanation": score.explanation,
    }


def _judged(row: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the new scores with the stored verdict's, which no program can make again.

    A verdict on another answer than the one now extracted says nothing: the sample is unjudged.
    """
    if not row["verdicts"] or new["status"] != "ok" or JUDGED in dict(new["scores"]):
        return new
    old = dict(row["scores"] or ())
    if row["status"] == "unjudged" or JUDGED not in old:
        return {**new, "status": "unjudged", "scores": [], "explanation": row["explanation"]}
    if new["answer"] != row["answer"]:
        why = "no verdict: the answer was extracted anew since it was judged"
        return {**new, "status": "unjudged", "scores": [], "explanation": why}
    scores = [*new["scores"], (JUDGED, old[JUDGED])]
    return {**new, "scores": scores, "explanation": row["explanation"]}


def _differs(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return any(old[name] != new[name] for name in ("status", "answer")) or dict(
        old["scores"] or ()
    ) != dict(new["scores"])


def _replaced(batch: pa.RecordBatch, after: list[dict[str, Any]]) -> pa.RecordBatch:
    arrays = [
        pa.array([row[field.name] for row in after], field.type)
        if field.name in SCORED
        else batch.column(field.name)
        for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def outcome_of(row: dict[str, Any], method: Method, language: str) -> Outcome:
    """Return the outcome that a stored row records, as far as scoring looks at it."""
    sample = Sample(
        task=row["task"],
        sample_id=row["sample_id"],
        input=row["input"],
        target=tuple(row["target"] or ()),
        choices=tuple(Choice(text=text) for text in row["options"] or ()),
        gold=row["gold"],
        method=method,
        language=language,
        arm=row["arm"],
        variant=row["variant"],
        changed=row["changed"],
        epoch=row["epoch"],
        cluster=row["cluster"],
        slices=dict(row["slices"] or ()),
        fields=from_json(row["fields"], dict) if row["fields"] else {},
    )
    exchanges = tuple(stored_exchanges(row))
    if row["error"] is not None:
        kind, _, message = row["error"].partition(": ")
        return Outcome(sample, exchanges, failure=Failure(kind=kind, message=message))
    choices = tuple(ChoiceScore(**choice) for choice in row["choices"] or ())
    responses = tuple(exchange.response for exchange in exchanges)
    facts = from_json(row["facts"], dict) if row["facts"] else {}
    return Outcome(sample, exchanges, transcript=Transcript(responses, choices, facts))


def stored_exchanges(row: dict[str, Any]) -> Iterator[Exchange]:
    """Yield the requests and responses of a stored row, as far as the table tells them."""
    kind: Any = "loglikelihood" if row["choices"] else "generate"
    turns = [turn for turn in row["transcript"] or () if turn["request_key"] is not None]
    for number, turn in enumerate(turns, 1):
        last = number == len(turns)
        logprobs = row["token_logprobs"] if last else None
        yield Exchange(
            Request(kind=kind),
            Response(
                text=turn["content"] if kind == "generate" else "",
                reasoning=turn["reasoning"],
                tool_calls=from_json(turn["tool_calls"] or "[]", tuple[ToolCall, ...]),
                finish_reason=turn["finish_reason"],
                token_logprobs=tuple(logprobs) if logprobs else None,
                prompt_tokens=turn["prompt_tokens"],
                completion_tokens=turn["completion_tokens"],
                latency_s=turn["latency_s"],
                attempts=turn["attempts"],
                cached=turn["cached"],
                request_key=turn["request_key"],
            ),
        )
