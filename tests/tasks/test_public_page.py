"""docs/public_data.md: its table agrees with the task files, and its commands run."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from public_rows import rows_for
from public_tasks import NAMES, PAGE, converted, prepared, samples_of, spec_of, written

from harness.errors import InvalidFile


def table() -> list[list[str]]:
    """The rows of the page's table, cell by cell."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def expanded(text: str) -> list[str]:
    """Expand braces as a shell does."""
    parts = [part.split(",") for part in re.findall(r"\{([^}]*)\}", text)]
    shape = re.sub(r"\{[^}]*\}", "{}", text)
    return [shape.format(*chosen) for chosen in itertools.product(*parts)]


LISTED = [
    pytest.param(name, cells, id=name)
    for cells in table()
    for name in expanded(cells[0].strip("`"))
]


def test_the_page_lists_every_task_once():
    """Table and folder agree."""
    assert sorted(param.values[0] for param in LISTED) == NAMES


@pytest.mark.parametrize(("name", "cells"), LISTED)
def test_a_line_of_the_table_agrees_with_the_file(name, cells):
    """Hub, definition, fields and metrics in the table are those of the file."""
    spec, (_, definition, hub, fields, scoring, _) = spec_of(name), cells
    assert (spec.data.hub or "none") == hub
    if not name.endswith("-choose"):
        assert re.findall(r"`(\w+)`", scoring) == list(spec.metrics)
    version = re.search(r"LM .* v(\d)", definition)
    if version and name.removesuffix("-choose") != "boolq-contrast":
        assert re.search(rf"version\s+{version[1]}\b", spec.source or "")
    known = set(rows_for(name)[0]) | {"A", "D"}
    first = {field.partition(".")[0] for field in re.findall(r"`(\w[\w.]+|[A-Z])`", fields)}
    assert first <= known | {"subject", "answer", "Question", "Answer", "question", "choices"}


def test_a_json_list_becomes_lines():
    """Command 1 takes a list, and one under `Data`."""
    rows = list(rows_for("svamp"))
    assert converted(1, json.dumps(rows)) == rows
    assert converted(1, json.dumps({"Version": 1.0, "Data": rows})) == rows


def test_examples_of_bbh_become_lines():
    """Command 2 takes what stands under `examples`."""
    rows = list(rows_for("bbh-navigate"))
    assert converted(2, json.dumps({"canary": "made up", "examples": rows})) == rows


def contrast_item(passage: str, question: str, answer: str, *more: tuple[str, str]) -> Any:
    """One entry of the authors' file."""
    changed = [{"perturbed_q": text, "answer": right} for text, right in more]
    own = {"title": "Title", "paragraph": passage, "question": question, "answer": answer}
    return own | {"perturbed_questions": changed}


def test_contrast_sets_become_a_row_for_each_question(tmp_path):
    """Command 3 gives original and changed questions one set, and drops the header and blanks."""
    head = contrast_item("Paragraph", "Question", "Gold Answer", ("Perturbed Q", "New Answer"))
    item = contrast_item(
        "Ferns have no seeds.", "do ferns have seeds", "FALSE",
        ("do ferns lack seeds", "TRUE"), ("", ""),
    )  # fmt: skip
    rows = converted(3, json.dumps({"data": [head, item]}))
    assert rows == list(rows_for("boolq-contrast"))
    task = prepared("boolq-contrast", written(tmp_path, rows))
    assert {sample.cluster for sample in samples_of(task)} == {"1"}


def test_xwinograd_gets_its_blank():
    """Command 4 sets the blank where the pronoun stands, quotation marks or none."""
    line = "\t".join((
        "en", "original", "?", 'Nora said "Hush" to Ivy since she spoke.',
        json.dumps(["Nora", "said", "``", "Hush", "''", "to", "Ivy", "since", "she", "spoke", "."]),
        json.dumps(["she", [8, 9], ["she"]]),
        json.dumps([["Nora", [0, 1], ["Nora"], False], ["Ivy", [6, 7], ["Ivy"], True]]),
    ))  # fmt: skip
    assert converted(4, f"{line}\n", "en") == [
        {"sentence": 'Nora said "Hush" to Ivy since _ spoke.', "option1": "Nora",
         "option2": "Ivy", "answer": "2"}
    ]  # fmt: skip
    assert converted(4, f"{line}\n", "zh") == []


def test_cmmlu_loses_its_nameless_column(tmp_path):
    """Command 5 makes rows of the authors' CSV and names their subject."""
    row = rows_for("cmmlu")[0]
    text = ",Question,A,B,C,D,Answer\n0,豆科作物的根瘤固定什么？,氮,碳,铁,硫,A\n"
    assert converted(5, text, "农学") == [row]
    file = tmp_path / "rows.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidFile, match="a column has no name"):
        prepared("cmmlu", file)
