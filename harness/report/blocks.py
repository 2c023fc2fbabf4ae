"""Samples packed for a page: a columnar index for the list, compressed blocks for the details.

A piece is gzip in base64, which the page decodes with DecompressionStream when it is wanted. The
index is one JSON value. A block is one line of JSON a sample, so that a search looks through its
text as it stands and parses only the lines that may fit.
"""

from __future__ import annotations

import base64
import gzip
import os.path
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from harness.records import to_json

BLOCK_ROWS, BLOCK_BYTES = 1000, 1 << 20
"""Most samples and about the most bytes of a block: one is decoded to show one sample, all of them
to search; fewer and larger ones load and search faster."""
LEARNT_FROM = 200
"""Rows from which the frame of a task's inputs is learnt."""
LEVEL = 6
"""Of gzip: level 9 takes twice the time for 1.5 % less."""
LABEL_CHARS = 72
INDEX = ("id", "t", "a", "v", "e", "s", "x", "l", "g", "w", "c", "m")
"""Columns of the list: id, task, arm, variant, epoch, status, score, label, got, wanted, slices,
mistake."""
CLASS_CHARS = 40
"""An explanation this short names a class of mistakes; a longer one is prose."""
STATUSES = ("ok", "unparsed", "error", "unjudged")


def packed(value: object) -> str:
    """Return JSON as base64 of gzip; the same value gives the same text."""
    return _packed(to_json(value))


def _packed(text: bytes) -> str:
    return base64.b64encode(gzip.compress(text, compresslevel=LEVEL, mtime=0)).decode()


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
    """Turns the rows of one run into an index and blocks.

    Of each task, arm, variant and epoch at most `most` rows, the first ones: rows come in an order
    that is random and the same in every run, so that runs keep the same samples.
    """

    def __init__(
        self, tasks: Sequence[str], primary: Mapping[str, str], most: int | None = None
    ) -> None:
        self._most = most
        self._taken: Counter[tuple[str, str, str, int]] = Counter()
        self.left = 0
        """Rows that were not packed, since `most` of their kind were."""
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
        self._lines: list[bytes] = []
        self._bytes = 0
        self._rows = 0
        self.columns: dict[str, list[Any]] = {name: [] for name in INDEX}
        self.starts: list[int] = []
        """The first row of each block."""
        self.blocks: list[str] = []

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        if self._most is not None:
            kind = (row["task"], row["arm"], row["variant"], row["epoch"])
            self._taken[kind] += 1
            if self._taken[kind] > self._most:
                self.left += 1
                return
        self._waiting.append(row)
        if len(self._waiting) >= LEARNT_FROM:
            self._take()

    def _take(self) -> None:
        rows, self._waiting = self._waiting, []
        self._labels.learn(rows)
        columns = list(self.columns.values())
        for row in rows:
            for column, value in zip(columns, self._entry(row), strict=True):
                column.append(value)
            line = to_json(detail(row))
            self._lines.append(line)
            self._bytes += len(line)
            if len(self._lines) >= BLOCK_ROWS or self._bytes >= BLOCK_BYTES:
                self._close_block()

    def _close_block(self) -> None:
        self.starts.append(self._rows)
        self._rows += len(self._lines)
        self.blocks.append(_packed(b"\n".join(self._lines)))
        self._lines, self._bytes = [], 0

    def _entry(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what the list says of a row, in the order of INDEX."""
        score = dict(row["scores"] or ()).get(self._primary.get(row["task"], ""))
        got = row["error"] if row["status"] == "error" else row["answer"] or row["output"]
        slices = "&".join([f"{name}={value}" for name, value in sorted(row["slices"] or ())])
        return (
            row["sample_id"],
            self._tasks.setdefault(row["task"], len(self._tasks)),
            self._word("arm", row["arm"]),
            self._word("variant", row["variant"]),
            row["epoch"],
            STATUSES.index(row["status"]),
            None if score is None else round(score, 4),
            self._labels(row),
            short(got, 48),
            short((row["target"] or [""])[0], 48),
            self._word("slices", slices),
            self._word("mistake", mistake(row)),
        )

    def _word(self, kind: str, text: str) -> int:
        words = self._words[kind]
        return words.setdefault(text, len(words))

    def close(self) -> str:
        """Return the packed index; `blocks` is then whole."""
        self._take()
        if self._lines:
            self._close_block()
        words = {kind: list(found) for kind, found in self._words.items()}
        left = {"left": self.left} if self.left else {}
        return packed({"columns": self.columns, "starts": self.starts, **left, **words})


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
    "attempts": "tries",
    "cached": "cached",
}
PLAIN = {
    "target": "target",
    "answer": "answer",
    "thought": "reasoning",
    "sure": "confidence",
    "choices": "choices",
    "gold": "gold",
    "spans": "spans",
    "verdicts": "verdicts",
    "label": "label",
    "error": "error",
    "finish": "finish_reason",
    "in": "prompt_tokens",
    "out": "completion_tokens",
    "cost": "cost_usd",
    "cached": "cached",
    "why": "explanation",
}
"""What a page calls the columns that it shows as they are."""
USED = frozenset(("prompt_tokens", "completion_tokens", "latency_s"))
"""Metrics that only repeat a column."""


def detail(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of one sample; what is empty or said twice is left out."""
    found = _talk(row)
    for name, column in PLAIN.items():
        value = row.get(column)
        if value is not None and value not in ("", []):
            found[name] = value
    if row["extraction"]:
        found["read"] = _trace(row["extraction"], row["answer"])
    if row.get("options") and not row["choices"]:
        found["options"] = row["options"]
    scores = {name: _short(value) for name, value in row["scores"] or () if name not in USED}
    if scores:
        found["scores"] = scores
    if row["latency_s"] is not None:
        found["s"] = round(row["latency_s"], 4)
    if row["cluster"] and row["cluster"] != row["sample_id"]:
        found["cluster"] = row["cluster"]
    return found


def _talk(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent and what came, and input and output where these do not hold them."""
    sent, came = turns(row)
    found: dict[str, Any] = {"sent": sent} if sent else {}
    if came:
        found["came"] = came
    text, said = row["input"], row["output"]
    if text and (not sent or (row["spans"] and sent[-1]["text"] != text)):
        found["input"] = text
    if said and not (came and said == came[-1]["text"]):
        found["output"] = said
    return found


def _trace(text: str, answer: str | None) -> Any:
    """Return how an answer was found, without the answer; as it stands where it is no record."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    if not isinstance(found, dict):
        return text
    repeated = ("answer", "value")
    return {
        name: value
        for name, value in found.items()
        if value is not None and not (name in repeated and value == answer)
    }


def _short(score: float | None) -> float | None:
    return None if score is None else round(score, 6)


def turns(row: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was sent before the first answer, and all that came after, as short dicts.

    Only a model's own turn has `attempts`; the assistant turns of few-shot examples have none.
    A rank task asks the options one by one: those stand in `choices` and are not repeated here.
    """
    sent: list[dict[str, Any]] = []
    came: list[dict[str, Any]] = []
    into = sent
    for turn in row["transcript"] or ():
        if turn["attempts"] is not None:
            into = came
            if row["choices"]:
                break
        into.append(_turn(turn))
    return sent, came


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    short_form: dict[str, Any] = {"role": turn["role"], "text": turn["content"] or ""}
    for name in ("reasoning", "tool_calls"):
        if turn[name]:
            short_form[name] = turn[name]
    if turn["attempts"] is not None:
        for name, key in TURN.items():
            if turn[name] is not None:
                short_form[key] = turn[name]
        if turn["latency_s"] is not None:
            short_form["s"] = round(turn["latency_s"], 4)
    return short_form
