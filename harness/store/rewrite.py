"""Scoring stored samples again: only the columns that scoring fills are replaced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
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
from harness.store.opening import GONE, check_columns
from harness.store.table import SCHEMA

JUDGED = "judged"
"""Metric that a judge's verdict fills."""
SCORED = ("status", "answer", "extraction", "scores", "confidence", "explanation")


class Filled(NamedTuple):
    """What judges filled of one task."""

    metrics: Collection[str] = ()
    primary: bool = False
    """Whether `judged` is the task's first metric: a sample without it is then `unjudged`."""


class Rewritten(NamedTuple):
    """How many rows there are, and how many score differently now."""

    rows: int
    changed: int


def rewrite_scores(
    path: Path,
    methods: dict[str, tuple[Method, str]],
    score: Callable[[Outcome], Score],
    judged: Mapping[str, Filled] | None = None,
) -> Rewritten:
    """Replace the scoring columns of the table at `path`, whole or not at all.

    `methods` gives each task's method and language, which the table does not hold; `judged` what
    judges filled of each task: what they said stands as it is.
    """
    partial = path.with_name(path.name + ".partial")
    rows = changed = 0
    try:
        with (
            pq.ParquetFile(path) as table,
            pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer,
        ):
            check_columns(table.schema_arrow, path)
            for batch in table.iter_batches(batch_size=4096):
                before = batch.to_pylist()
                _check_tasks(path, before, methods)
                after = [
                    _kept(
                        row,
                        _values(score(outcome_of(row, *methods[row["task"]]))),
                        (judged or {}).get(row["task"], Filled()),
                    )
                    for row in before
                ]
                rows += len(before)
                changed += sum(_differs(old, new) for old, new in zip(before, after, strict=True))
                writer.write_batch(_replaced(batch, after))
        partial.replace(path)
    except FileNotFoundError:
        raise InvalidFile(GONE, path=path) from None
    except pa.ArrowException as error:
        raise InvalidFile(f"not a table of samples: {error}", path=path) from error
    except OSError as error:
        raise StoreError(f"{path}: samples cannot be written: {error}") from error
    return Rewritten(rows, changed)


def _check_tasks(path: Path, rows: list[dict[str, Any]], known: Collection[str]) -> None:
    """Raise InvalidFile for a row of a task that the run's spec does not name."""
    for row in rows:
        if row["task"] not in known:
            allowed = ", ".join(sorted(known)) or "none"
            raise InvalidFile("samples of a task that spec.json does not name", path=path,
                              key="task", allowed=allowed, got=str(row["task"]))  # fmt: skip


def _values(score: Score) -> dict[str, Any]:
    return {
        "status": score.status,
        "answer": score.answer,
        "extraction": to_json(score.extraction).decode() if score.extraction else None,
        "scores": list(score.values.items()),
        "confidence": score.confidence,
        "explanation": score.explanation,
    }


def _kept(row: dict[str, Any], new: dict[str, Any], filled: Filled) -> dict[str, Any]:
    """Return the new scores with the stored verdicts', which no program can make again."""
    if new["status"] == "error":
        return new
    old = dict(row["scores"] or ())
    beside = [(name, old[name]) for name in filled.metrics if name != JUDGED and name in old]
    new = {**new, "scores": [*new["scores"], *beside]}
    if JUDGED not in filled.metrics or new["status"] != "ok" or JUDGED in dict(new["scores"]):
        return new
    why = _why_unjudged(row, old, new["answer"])
    if why is None:
        own = [(JUDGED, old[JUDGED])]
        scores = own + new["scores"] if filled.primary else new["scores"] + own
        return {**new, "scores": scores, "explanation": row["explanation"]}
    if filled.primary:
        return {**new, "status": "unjudged", "scores": [], "explanation": why}
    return {**new, "explanation": new["explanation"] or why}


def _why_unjudged(row: dict[str, Any], old: dict[str, float], answer: str | None) -> str | None:
    """Return why a sample has no verdict, or None where the stored one stands.

    A verdict on another answer than the one now extracted says nothing, and an answer that a
    program can no longer decide was never judged.
    """
    if row["verdicts"] and JUDGED not in old:
        return str(row["explanation"] or "no verdict")
    if JUDGED not in old or not row["verdicts"]:
        return "no verdict: a program decided it before, and it was never judged"
    if answer != row["answer"]:
        return "no verdict: the answer was extracted anew since it was judged"
    return None


def _differs(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return any(old[name] != new[name] for name in ("status", "answer")) or dict(
        old["scores"] or ()
    ) != dict(new["scores"])


def _replaced(batch: pa.RecordBatch, after: list[dict[str, Any]]) -> pa.RecordBatch:
    arrays = [
        pa.array([row[field.name] for row in after], field.type)
        if field.name in SCORED
        else batch.column(field.name).cast(field.type)
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
                served_model=turn["served_model"],
                fingerprint=turn.get("fingerprint"),
                token_logprobs=tuple(logprobs) if logprobs else None,
                prompt_tokens=turn["prompt_tokens"],
                completion_tokens=turn["completion_tokens"],
                reasoning_tokens=turn["reasoning_tokens"],
                latency_s=turn["latency_s"],
                attempts=turn["attempts"],
                cached=turn["cached"],
                request_key=turn["request_key"],
            ),
        )
