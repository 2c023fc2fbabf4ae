"""Samples packed for a page: a columnar index for the list, compressed blocks for the details.

A block is gzip of JSON in base64; the page decodes it with DecompressionStream when it is wanted.
"""

from __future__ import annotations

import base64
import gzip
import os.path
from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import to_json

BLOCK_ROWS = 200
"""Samples in one block: one is decoded to show one sample."""
LABEL_CHARS = 72
INDEX = ("id", "t", "a", "v", "e", "s", "x", "l", "g", "w", "c", "m")
"""Columns of the list: id, task, arm, variant, epoch, status, score, label, got, wanted, slices,
mistake."""
CLASS_CHARS = 40
"""An explanation this short names a class of mistakes; a longer one is prose."""
STATUSES = ("ok", "unparsed", "error", "unjudged")


def packed(value: object) -> str:
    """Return JSON as base64 of gzip; the same value gives the same text."""
    return base64.b64encode(gzip.compress(to_json(value), compresslevel=9, mtime=0)).decode()


def short(text: str | None, limit: int = LABEL_CHARS) -> str:
    r"""Return the start of a text on one line.

    >>> short("a\nb   c"), short("abcdef", 4)
    ('a b c', 'abc…')
    """
    line = " ".join((text or "")[: 8 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Labels:
    """Names a sample in the list by what tells it from its neighbours."""

    def __init__(self) -> None:
        self._frames: dict[str, tuple[str, str]] = {}
        self._originals: dict[tuple[str, str], str] = {}

    def learn(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Find what all inputs of a task not met before begin and end with."""
        inputs: dict[str, list[str]] = {}
        for row in rows:
            if row["task"] not in self._frames and row["variant"] == "original":
                inputs.setdefault(row["task"], []).append(row["input"] or "")
        for task, texts in inputs.items():
            self._frames[task] = frame(texts)

    def __call__(self, row: Mapping[str, Any]) -> str:
        """Return the label of a row: its input without the frame; a copy has its original's."""
        key = (row["task"], row["sample_id"])
        if row["variant"] == "original":
            self._originals[key] = self._label(row)
        return self._originals.get(key) or self._label(row)

    def _label(self, row: Mapping[str, Any]) -> str:
        text = row["input"] or ""
        start, end = self._frames.get(row["task"], ("", ""))
        if len(text) > len(start) + len(end) and text.startswith(start) and text.endswith(end):
            text = text[len(start) : len(text) - len(end)]
        return short(text)


def frame(texts: Sequence[str]) -> tuple[str, str]:
    """Return what all texts begin and end with, cut at a space.

    >>> frame(["What is 3 + 4?", "What is 9 + 1?"])
    ('What is ', '?')
    >>> frame(["alone"])
    ('', '')
    """
    different = sorted(set(texts))
    if len(different) < 2:  # noqa: PLR2004 - one text has no frame
        return "", ""
    start = _common(different)
    start = start[: max(start.rfind(" "), start.rfind("\n")) + 1]
    rest = [text[len(start) :][::-1] for text in different]
    end = _common(rest)[::-1]
    while end and end[0].isalnum():
        end = end[1:]
    return start, end


def _common(texts: list[str]) -> str:
    return os.path.commonprefix(texts)  # noqa: RUF071 - character by character is meant


class Packer:
    """Turns the rows of one run into an index and blocks."""

    def __init__(self, tasks: Sequence[str], primary: Mapping[str, str]) -> None:
        self._tasks = {task: position for position, task in enumerate(tasks)}
        self._primary = primary
        self._labels = Labels()
        self._waiting: list[dict[str, Any]] = []
        self._words: dict[str, dict[str, int]] = {
            "arm": {},
            "variant": {},
            "slices": {},
            "mistake": {},
        }
        self.columns: dict[str, list[Any]] = {name: [] for name in INDEX}
        self.blocks: list[str] = []

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        self._waiting.append(row)
        if len(self._waiting) >= BLOCK_ROWS:
            self._flush()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        self._labels.learn(rows)
        for row in rows:
            for name, value in self._entry(row).items():
                self.columns[name].append(value)
        self.blocks.append(packed([detail(row) for row in rows]))

    def _entry(self, row: Mapping[str, Any]) -> dict[str, Any]:
        scores = dict(row["scores"] or ())
        score = scores.get(self._primary.get(row["task"], ""))
        got = row["error"] if row["status"] == "error" else row["answer"] or row["output"]
        slices = "&".join(f"{name}={value}" for name, value in sorted(row["slices"] or ()))
        return {
            "id": row["sample_id"],
            "t": self._tasks.setdefault(row["task"], len(self._tasks)),
            "a": self._word("arm", row["arm"]),
            "v": self._word("variant", row["variant"]),
            "e": row["epoch"],
            "s": STATUSES.index(row["status"]),
            "x": None if score is None else round(score, 4),
            "l": self._labels(row),
            "g": short(got, 48),
            "w": short((row["target"] or [""])[0], 48),
            "c": self._word("slices", slices),
            "m": self._word("mistake", mistake(row)),
        }

    def _word(self, kind: str, text: str) -> int:
        words = self._words[kind]
        return words.setdefault(text, len(words))

    def close(self) -> str:
        """Return the packed index; `blocks` is then whole."""
        if self._waiting:
            self._flush()
        words = {kind: list(found) for kind, found in self._words.items()}
        return packed({"columns": self.columns, **words})


def mistake(row: Mapping[str, Any]) -> str:
    """Return the class of mistake that scoring gave a sample; empty where it gave none."""
    text = row["explanation"] or ""
    return text if len(text) <= CLASS_CHARS and "\n" not in text else ""


TURN = {
    "finish_reason": "finish",
    "served_model": "served",
    "prompt_tokens": "in",
    "completion_tokens": "out",
    "reasoning_tokens": "thought",
    "latency_s": "s",
    "attempts": "tries",
    "cached": "cached",
    "request_key": "key",
}


def detail(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of one sample; what is empty or said twice is left out."""
    sent, came = turns(row)
    last = came[-1]["text"] if came else None
    found = {
        "sent": sent,
        "came": came,
        "input": row["input"] if row["spans"] or not sent else None,
        "target": row["target"],
        "output": None if row["output"] == last else row["output"],
        "answer": row["answer"],
        "read": row["extraction"],
        "thought": row["reasoning"],
        "scores": dict(row["scores"] or ()),
        "sure": row["confidence"],
        "choices": row["choices"],
        "options": None if row["choices"] else row.get("options"),
        "gold": row.get("gold"),
        "spans": row["spans"],
        "verdicts": row["verdicts"],
        "error": row["error"],
        "finish": row["finish_reason"],
        "in": row["prompt_tokens"],
        "out": row["completion_tokens"],
        "s": _rounded(row["latency_s"]),
        "cost": row["cost_usd"],
        "cached": row["cached"],
        "why": row["explanation"],
        "cluster": row["cluster"],
    }
    if found["spans"] and sent and sent[-1]["text"] == row["input"]:
        found["input"] = None
    return {name: value for name, value in found.items() if value not in (None, [], {}, "")}


def turns(row: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was sent before the first answer, and all that came after, as short dicts.

    Only a model's own turn has `attempts`; the assistant turns of few-shot examples have none.
    A rank task asks the options one by one: those stand in `choices` and are not repeated here.
    """
    transcript = row["transcript"] or []
    first = next((i for i, turn in enumerate(transcript) if turn["attempts"] is not None), None)
    first = len(transcript) if first is None else first
    sent = [_turn(turn) for turn in transcript[:first]]
    came = [] if row["choices"] else [_turn(turn) for turn in transcript[first:]]
    return sent, came


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    short_form: dict[str, Any] = {"role": turn["role"], "text": turn["content"] or ""}
    for name in ("reasoning", "tool_calls"):
        if turn[name]:
            short_form[name] = turn[name]
    for name, key in TURN.items():
        if turn[name] is not None:
            short_form[key] = _rounded(turn[name]) if name == "latency_s" else turn[name]
    return short_form


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
