"""Human labels from a file: JSONL, CSV or Parquet, and the original forms of public sets.

A row has `question`, `answer` and `label`, and may have `reference` (a text or a list), `other`
(pairwise), `context`, `language`, and more raters' labels as `labels` (a list) or as columns
`label_1`, `label_2` …. A label is one of the judge's verdicts, or another word for one.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from harness.errors import InvalidFile, UnknownName, suggestion
from harness.identity import content_key
from harness.judge.item import Item
from harness.judge.spec import JudgeSpec
from harness.text.verdict import read_verdict

FORMATS = (".jsonl", ".csv", ".parquet", ".json", ".jsonl.gz", ".json.gz", ".csv.gz")


class Labelled(Struct, frozen=True):
    """An item and what people said of it."""

    item: Item
    label: str
    """The truth: a verdict of the judge's set."""
    raters: tuple[str | None, ...] = ()
    """Each rater's label where several are known."""
    group: str = ""
    """Subset, for breakdowns."""


def read_labels(path: Path, spec: JudgeSpec, form: str = "own", system: str = "") -> list[Labelled]:
    """Return the labelled items of a file; raises `InvalidFile` naming file and row.

    `form` is `own` or the name of a public set in its original form (`FORMS`). `system` picks
    whose answers, where a set holds those of several.
    """
    if form not in FORMS:
        raise UnknownName("form of labels", form, list(FORMS))
    found = []
    for number, row in enumerate(rows_of(path), 1):
        try:
            for made in FORMS[form](row, system):
                found.append(_labelled(made, spec, path, number))  # noqa: PERF401 - names the row
        except KeyError as error:
            raise InvalidFile(
                "a column is missing", path=path, line=number, key=str(error.args[0]),
                allowed="question, answer, label", got=", ".join(map(str, row))[:200],
            ) from None  # fmt: skip
    if not found:
        raise InvalidFile("holds no labels", path=path)
    return found


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSONL, JSON, CSV (each also gzipped) or Parquet file."""
    name = path.name.removesuffix(".gz")
    if not path.is_file():
        raise InvalidFile("no such file", path=path, allowed=", ".join(FORMATS))
    if name.endswith(".parquet"):
        import pyarrow.parquet as pq  # noqa: PLC0415 - only where a table is read

        yield from pq.read_table(path).to_pylist()
        return
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            if name.endswith(".jsonl"):
                yield from _json_lines(handle, path)
            elif name.endswith(".json"):
                yield from _objects(json.load(handle), path)
            elif name.endswith(".csv"):
                yield from csv.DictReader(handle)
            else:
                raise InvalidFile("unknown kind of file", path=path, allowed=", ".join(FORMATS))
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise InvalidFile(f"cannot be read: {error}", path=path) from error


def _json_lines(handle: Any, path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(handle, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidFile(f"not JSON: {error.msg}", path=path, line=number) from error
        if not isinstance(row, dict):
            raise InvalidFile("a row is a mapping", path=path, line=number, got=type(row).__name__)
        yield row


def _objects(data: Any, path: Path) -> Iterator[dict[str, Any]]:
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise InvalidFile("not a list of mappings", path=path, got=type(data).__name__)
    yield from data


def _labelled(row: Mapping[str, Any], spec: JudgeSpec, path: Path, number: int) -> Labelled:
    def verdict(word: Any) -> str:
        text = str(word).strip()
        found = read_verdict(text, spec.offered, spec.file.words).verdict
        if found is None:
            raise InvalidFile(
                f"not a label{suggestion(text, spec.offered)}", path=path, line=number,
                key="label", allowed=", ".join(spec.offered), got=text[:60],
            )  # fmt: skip
        return found

    reference = row.get("reference") or ()
    reference = (reference,) if isinstance(reference, str) else tuple(map(str, reference))
    more = row.get("labels") or [row[k] for k in sorted(row) if str(k).startswith("label_")]
    raters = tuple(verdict(word) if word not in (None, "") else None for word in more)
    other = row.get("other")
    item = Item(
        question=str(row["question"]),
        answer=str(row["answer"]),
        reference=reference,
        other=None if other is None else str(other),
        context=str(row.get("context") or ""),
        language=str(row.get("language") or "en"),
        key=content_key([number, str(row["question"]), str(row["answer"])]),
    )
    return Labelled(item, verdict(row["label"]), raters, str(row.get("group") or ""))


# ---- public sets in their original form -----------------------------------------------------

Form = Callable[[Mapping[str, Any], str], Iterator[dict[str, Any]]]


def _own(row: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    del system
    yield dict(row)


def _llmbar(row: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    """LLMBar `dataset.json` (Zeng et al. 2024): which of two outputs follows the instruction."""
    del system
    yield {"question": row["input"], "answer": row["output_1"], "other": row["output_2"],
           "label": "A" if str(row["label"]) == "1" else "B"}  # fmt: skip


def _evouna(row: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    """EVOUNA `NQ.json`, `TQ.json` (Wang et al. 2023); improper and unlabelled rows are left out."""
    names = [system] if system else [key[6:] for key in row if key.startswith("judge_")]
    for name in names:
        label = row[f"judge_{name}"]
        if row.get("improper") or label is None:
            continue
        yield {
            "question": row["question"],
            "answer": row[f"answer_{name}"],
            "reference": str(row["golden_answer"]).split("/"),
            "label": "correct" if label else "incorrect",
            "group": name,
        }


def _judgebench(row: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    """JudgeBench `*.jsonl` (Tan et al. 2024): objective labels A>B or B>A."""
    del system
    label = {"A>B": "A", "B>A": "B"}.get(str(row["label"]).replace(" ", ""), "tie")
    yield {"question": row["question"], "answer": row["response_A"], "other": row["response_B"],
           "label": label, "group": str(row.get("source", ""))}  # fmt: skip


def _pandalm(row: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    """PandaLM `testset-v1.json` (Wang et al. 2023): three annotators; the majority is the truth."""
    del system
    words = {"0": "tie", "1": "A", "2": "B"}
    votes = [words[str(row[f"annotator{k}"])] for k in (1, 2, 3)]
    majority = max(dict.fromkeys(votes), key=votes.count)
    asked = "\n".join(str(row[key]) for key in ("instruction", "input") if row.get(key))
    yield {"question": asked, "answer": row["response1"], "other": row["response2"],
           "label": majority if votes.count(majority) > 1 else "tie", "labels": votes}  # fmt: skip


def _auto_j(row: Mapping[str, Any], system: str) -> Iterator[dict[str, Any]]:
    """Auto-J `testdata_pairwise.jsonl` (Li et al. 2023): 0 first, 1 second, 2 tie."""
    del system
    yield {"question": row["prompt"], "answer": row["response 1"], "other": row["response 2"],
           "label": {"0": "A", "1": "B", "2": "tie"}[str(row["label"])],
           "group": str(row.get("scenario", ""))}  # fmt: skip


FORMS: dict[str, Form] = {
    "own": _own,
    "llmbar": _llmbar,
    "evouna": _evouna,
    "judgebench": _judgebench,
    "pandalm": _pandalm,
    "auto-j": _auto_j,
}
