"""Human labels from a file: JSONL, CSV or Parquet, and the original forms of public sets.

A row has `question`, `answer` and `label`, and may have `reference` (a text or a list), `other`
(pairwise), `context`, `language`, and more raters' labels as `labels` (a list) or as columns
`label_1`, `label_2` …. A label is one of the judge's verdicts, or another word for one.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from harness.errors import InvalidFile, UnknownName, UsageError, suggestion
from harness.identity import content_key
from harness.judge.forms import PUBLIC, BadCell, Form, cell, text
from harness.judge.item import Item
from harness.judge.scale import scale_of
from harness.judge.spec import JudgeSpec
from harness.text.verdict import read_verdict

OWN = "own"
"""Labels in the form that is described above."""
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


def read_labels(path: Path, spec: JudgeSpec, form: str = OWN, system: str = "") -> list[Labelled]:
    """Return the labelled items of a file; raises `InvalidFile` naming file, row and column.

    `form` is `own` or the name of a public set in its original form (`forms.PUBLIC`). `system`
    picks whose answers, where a set holds those of several.
    """
    public = PUBLIC.get(form)
    if form != OWN:
        _fits(form, public, spec, system)
    found: list[Labelled] = []
    reader = _Reader(spec)
    for place in placed_rows(path):
        try:
            rows = [place.row] if public is None else public.read(place.row, system)
            found += [reader.labelled(row, len(found) + k) for k, row in enumerate(rows)]
        except BadCell as error:
            raise InvalidFile(
                error.problem, path=path, line=place.line, key=f"{place.prefix}{error.key}",
                allowed=error.allowed, got=error.got,
            ) from None  # fmt: skip
    if not found:
        raise InvalidFile("holds no labels", path=path)
    return found


def _fits(form: str, public: Form | None, spec: JudgeSpec, system: str) -> None:
    if public is None:
        raise UnknownName("form of labels", form, [OWN, *PUBLIC])
    if public.pairs != (scale_of(spec).kind == "pairs"):
        holds, needs = ("pairs of answers", "a pairwise judge") if public.pairs else (
            "single answers", "a judge of one answer")  # fmt: skip
        raise UsageError(
            f"--form {form}: holds {holds} and needs {needs}; got: {spec.name} ({spec.mode})"
        )
    if system and not public.systems:
        raise UsageError(f"--system: form {form} does not hold the answers of several systems")


class Placed(Struct, frozen=True):
    """A row and where it stands."""

    row: dict[str, Any]
    line: int | None
    """In the file; None where a file has no lines."""
    prefix: str = ""
    """Before the name of a column: which row of the list."""


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSONL, JSON, CSV (each also gzipped) or Parquet file."""
    return (placed.row for placed in placed_rows(path))


def placed_rows(path: Path) -> Iterator[Placed]:
    """Yield the rows of a file with their places; raises `InvalidFile`."""
    name = path.name.removesuffix(".gz")
    if not path.is_file():
        raise InvalidFile("no such file", path=path, allowed=", ".join(FORMATS))
    if name.endswith(".parquet"):
        yield from _numbered(_parquet(path), path)
        return
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            if name.endswith(".jsonl"):
                yield from _json_lines(handle, path)
            elif name.endswith(".json"):
                yield from _numbered(json.load(handle), path)
            elif name.endswith(".csv"):
                yield from _csv_rows(handle)
            else:
                raise InvalidFile("unknown kind of file", path=path, allowed=", ".join(FORMATS))
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error, OSError, EOFError) as error:
        raise InvalidFile(f"cannot be read: {error}", path=path) from error


def _parquet(path: Path) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - only where a table is read
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        return pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InvalidFile(f"cannot be read: {error}", path=path) from error


def _csv_rows(handle: Any) -> Iterator[Placed]:
    reader = csv.DictReader(handle)
    line = 2
    for row in reader:
        yield Placed({str(k): v for k, v in row.items() if k is not None}, line)
        line = reader.line_num + 1  # a quoted cell may hold line breaks


def _json_lines(handle: Any, path: Path) -> Iterator[Placed]:
    for number, line in enumerate(handle, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidFile(f"not JSON: {error.msg}", path=path, line=number) from error
        if not isinstance(row, dict):
            raise InvalidFile("a row is a mapping", path=path, line=number, got=type(row).__name__)
        yield Placed(row, number)


def _numbered(data: Any, path: Path) -> Iterator[Placed]:
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise InvalidFile("not a list of mappings", path=path, got=type(data).__name__)
    for number, row in enumerate(data):
        yield Placed(row, None, f"[{number}].")


class _Reader:
    """Reads rows of our own form by the scale of a judge."""

    def __init__(self, spec: JudgeSpec) -> None:
        self.scale = scale_of(spec)

    def labelled(self, row: Mapping[str, Any], number: int) -> Labelled:
        """Return one row as a labelled item; raises BadCell."""
        reference = row.get("reference") or ()
        reference = (reference,) if isinstance(reference, str) else tuple(map(str, reference))
        item = Item(
            question=text(row, "question"),
            answer=text(row, "answer"),
            reference=reference,
            other=text(row, "other") if self.scale.kind == "pairs" else None,
            context=str(row.get("context") or ""),
            language=str(row.get("language") or "en"),
            key=content_key([number, str(row["question"]), str(row["answer"])]),
        )
        label = self.label("label", cell(row, "label"))
        return Labelled(item, label, self.raters(row), str(row.get("group") or ""))

    def raters(self, row: Mapping[str, Any]) -> tuple[str | None, ...]:
        """Return each rater's label, from the list `labels` or from columns label_1, label_2."""
        given = row.get("labels")
        if given is None:
            names = sorted(key for key in row if re.fullmatch(r"label_\d+", str(key)))
            pairs = [(name, row[name]) for name in names]
        elif isinstance(given, list):
            pairs = [("labels", word) for word in given]
        else:
            raise BadCell("labels", "not a list", "a list of labels", str(given)[:60])
        return tuple(
            None if word is None or word == "" or word != word else self.label(key, word)  # noqa: PLR0124 - NaN
            for key, word in pairs
        )

    def label(self, key: str, word: Any) -> str:
        """Return a label as a verdict of the scale; for a score as a number."""
        told = re.sub(r"(?<=\d)\.0+\Z", "", str(word).strip())
        scale = self.scale
        if scale.kind == "score":
            score = {"yes": 1.0, "no": 0.0, "True": 1.0, "False": 0.0}.get(told)
            score = _number(told) if score is None else score
            if score is not None and 0 <= score <= 1:
                return repr(score)
        else:
            found = read_verdict(told, scale.verdicts, scale.words).verdict
            if found is not None:
                return found
        hint = suggestion(told, scale.verdicts)
        raise BadCell(key, f"not a label{hint}", scale.labels, told[:60] or "nothing")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
