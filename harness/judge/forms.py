"""Public sets of human labels, read in the form that their authors publish.

LLMBar (Zeng et al. 2024), EVOUNA (Wang et al. 2023), JudgeBench (Tan et al. 2024), PandaLM (Wang
et al. 2023) and Auto-J (Li et al. 2023). A row that does not fit raises `BadCell`, which
`read_labels` completes with file and line: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

Row = Mapping[str, Any]
Made = dict[str, Any]
"""question, answer, label, and what else labels of our own form may have."""


class BadCell(ValueError):
    """A column is missing, or holds what its set does not allow."""

    def __init__(self, key: str, problem: str, allowed: str, got: str) -> None:
        self.key, self.problem, self.allowed, self.got = key, problem, allowed, got
        super().__init__(f"{key}: {problem}; allowed: {allowed}; got: {got}")


def cell(row: Row, key: str) -> Any:
    """Return what a column holds; raises BadCell where there is no such column."""
    if key not in row:
        columns = ", ".join(str(name) for name in row if name is not None)
        raise BadCell(key, "no such column", "a row with this column", columns[:200] or "none")
    return row[key]


def text(row: Row, key: str) -> str:
    """Return a column as text; raises BadCell for an absent or empty-handed one (null, NaN)."""
    value = cell(row, key)
    if value is None or value != value or isinstance(value, list | dict):  # noqa: PLR0124 - NaN
        raise BadCell(key, "no text", "a text", type(value).__name__)
    return str(value)


def one_of(row: Row, key: str, words: Mapping[str, str]) -> str:
    """Return what a column's word stands for; raises BadCell for a word that is none of these."""
    value = cell(row, key)
    found = words.get(str(value).removesuffix(".0").strip())
    if found is None:
        raise BadCell(key, "not a label of this set", ", ".join(words), str(value)[:60])
    return found


class Form(Struct, frozen=True):
    """How one set writes its labels."""

    read: Callable[[Row, str], Iterator[Made]]
    """From a row and the system that was asked for."""
    pairs: bool
    """Two answers to choose from, or one to grade."""
    systems: bool = False
    """Whether a row holds the answers of several systems."""


def _llmbar(row: Row, system: str) -> Iterator[Made]:
    """`dataset.json`: which of two outputs follows the instruction, 1 or 2."""
    del system
    yield {
        "question": text(row, "input"),
        "answer": text(row, "output_1"),
        "other": text(row, "output_2"),
        "label": one_of(row, "label", {"1": "A", "2": "B"}),
    }


def _evouna(row: Row, system: str) -> Iterator[Made]:
    """`NQ.json`, `TQ.json`: five systems' answers; improper and unlabelled rows are left out."""
    systems = [str(key)[6:] for key in row if str(key).startswith("judge_")]
    if system and system not in systems:
        raise BadCell(f"judge_{system}", "no such system", ", ".join(systems) or "none", system)
    if not systems:
        cell(row, "judge_gpt4")
    for name in [system] if system else systems:
        label = row[f"judge_{name}"]
        if row.get("improper") or label is None:
            continue
        if not isinstance(label, bool):
            raise BadCell(f"judge_{name}", "not a label of this set", "true, false, null",
                          str(label)[:60])  # fmt: skip
        said = cell(row, f"answer_{name}")  # NQ.json has a null that people called wrong
        yield {
            "question": text(row, "question"),
            "answer": "" if said is None else text(row, f"answer_{name}"),
            "reference": text(row, "golden_answer").split("/"),
            "label": "correct" if label else "incorrect",
            "group": name,
        }


def _judgebench(row: Row, system: str) -> Iterator[Made]:
    """`*.jsonl`: objective labels, A>B or B>A; `source` is the subset."""
    del system
    yield {
        "question": text(row, "question"),
        "answer": text(row, "response_A"),
        "other": text(row, "response_B"),
        "label": one_of(row, "label", {"A>B": "A", "B>A": "B", "A=B": "tie"}),
        "group": str(row.get("source") or ""),
    }


def _pandalm(row: Row, system: str) -> Iterator[Made]:
    """`testset-v1.json`: three annotators; the majority is the truth, none makes a tie."""
    del system
    words = {"0": "tie", "1": "A", "2": "B"}
    votes = [one_of(row, f"annotator{k}", words) for k in (1, 2, 3)]
    majority = max(dict.fromkeys(votes), key=votes.count)
    asked = text(row, "instruction")
    given = row.get("input")  # NaN where the instruction needs none
    if isinstance(given, str) and given:
        asked = f"{asked}\n{given}"
    yield {
        "question": asked,
        "answer": text(row, "response1"),
        "other": text(row, "response2"),
        "label": majority if votes.count(majority) > 1 else "tie",
        "labels": votes,
    }


def _auto_j(row: Row, system: str) -> Iterator[Made]:
    """`testdata_pairwise.jsonl`: 0 first, 1 second, 2 tie; `scenario` is the subset."""
    del system
    yield {
        "question": text(row, "prompt"),
        "answer": text(row, "response 1"),
        "other": text(row, "response 2"),
        "label": one_of(row, "label", {"0": "A", "1": "B", "2": "tie"}),
        "group": str(row.get("scenario") or ""),
    }


PUBLIC: dict[str, Form] = {
    "llmbar": Form(_llmbar, pairs=True),
    "evouna": Form(_evouna, pairs=False, systems=True),
    "judgebench": Form(_judgebench, pairs=True),
    "pandalm": Form(_pandalm, pairs=True),
    "auto-j": Form(_auto_j, pairs=True),
}
