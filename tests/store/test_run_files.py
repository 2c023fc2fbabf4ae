"""Files of a run directory that are not as they must be: one error with file and key, exit 2."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.cli.main import main
from harness.errors import InvalidFile
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, read_json
from harness.store.opening import alike, opened
from harness.store.reading import read_rows
from harness.store.shapes import read_labels
from harness.store.table import SCHEMA


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A run directory as the harness writes it."""
    from click.testing import CliRunner

    from harness.cli.run import command

    root = tmp_path_factory.mktemp("good")
    arguments = ["arithmetic/addition", "--model", "scripted/oracle", "--limit", "3", "--json",
                 "--out", str(root)]  # fmt: skip
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    return Path(json.loads(done.stdout)["run"])


@pytest.fixture
def broken(good, tmp_path) -> Path:
    """A copy of it to break."""
    return Path(shutil.copytree(good, tmp_path / "runs" / good.name))


def change(run: Path, name: str, key: str, value: object) -> None:
    """Write `value` at a dotted key of a JSON file; `...` takes the key away."""
    data = json.loads((run / name).read_text())
    *steps, last = key.split(".") if key else [""]
    place = data
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    if not key:
        data = value
    elif value is ...:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    (run / name).write_text(json.dumps(data))


CASES = {
    "run is a list": (RUN, "", [], "Expected `object`, got `array`", None),
    "run is nothing": (RUN, "", None, "Expected `object`, got `null`", None),
    "no status": (RUN, "status", ..., "missing required field `status`", None),
    "model is text": (RUN, "model", "gpt", "Expected `object`, got `str`", "model"),
    "no model": (RUN, "model", ..., "missing required field `model`", None),
    "usage in words": (RUN, "usage.requests", "many", "got `str`", "usage.requests"),
    "seconds in words": (RUN, "wall_s", "long", "got `str`", "wall_s"),
    "judges is a list": (RUN, "judges", [1], "got `array`", "judges"),
    "tasks is a list": (RUN, "tasks", [], "got `array`", "tasks"),
    "spec is text": (SPEC, "spec", "x", "got `str`", "spec"),
    "no spec": (SPEC, "spec", ..., "missing required field `spec`", None),
    "no provider": (SPEC, "spec.model.provider", ..., "`provider`", "spec.model"),
    "scores without cells": (SCORES, "cells", ..., "missing required field `cells`", None),
    "cells is an object": (SCORES, "cells", {}, "got `object`", "cells"),
    "a cell lacks n": (SCORES, "cells.0.n", ..., "missing required field `n`", "cells[0]"),
    "a cell's value in words": (SCORES, "cells.0.value", "high", "got `str`", "cells[0].value"),
    "a group that is none": (SCORES, "cells.0.group", "speed", "Invalid enum", "cells[0].group"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_the_wrong_shape_names_file_and_key(broken, name):
    """What is wrong, in which file, at which key."""
    file, key, value, problem, told = CASES[name]
    change(broken, file, key, value)
    with pytest.raises(InvalidFile) as caught:
        read_json(broken / file)
    assert caught.value.path == broken / file
    assert caught.value.key == told
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "not JSON"), (b"{oops", "not JSON"), (b'"\xff"', "not JSON"), (b"[" * 9999, "not JSON")],
)
def test_what_is_no_json_is_told(broken, content, problem):
    """Empty, half-written, not UTF-8, nested without end."""
    (broken / RUN).write_bytes(content)
    with pytest.raises(InvalidFile, match=problem):
        read_json(broken / RUN)


def test_more_than_is_needed_is_no_mistake(broken):
    """A file may hold keys that nobody here knows."""
    change(broken, RUN, "theirs", {"a": 1})
    assert read_json(broken / RUN)["theirs"] == {"a": 1}


VERBS = {
    "report": ("report", "{run}", "-o", "pages"),
    "show": ("show", "{run}"),
    "compare": ("compare", "{run}", "{good}"),
    "gate": ("gate", "{run}", "--baseline", "{good}"),
    "rescore": ("rescore", "{run}"),
    "board": ("board", "{root}", "-o", "board"),
    "bless": ("bless", "{run}", "--out", "{root}"),
    "power": ("power", "{run}", "--effect", "0.1"),
}
HARM = {
    "run.json a list": lambda run: change(run, RUN, "", []),
    "run.json without model": lambda run: change(run, RUN, "model", ...),
    "a cell without n": lambda run: change(run, SCORES, "cells.0.n", ...),
    "cells are a number": lambda run: change(run, SCORES, "cells", 7),
    "spec.json without spec": lambda run: change(run, SPEC, "spec", ...),
    "half a table": lambda run: (run / SAMPLES).write_bytes((run / SAMPLES).read_bytes()[:900]),
    "no table": lambda run: (run / SAMPLES).unlink(),
    "a table of something else": lambda run: pq.write_table(pa.table({"x": [1]}), run / SAMPLES),
}
READS = {
    "show": {RUN, SCORES},
    "power": {RUN, SCORES, SPEC, SAMPLES},
}
"""Files that a verb reads, where it does not read all."""


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("harm", HARM)
def test_every_verb_says_it_in_one_line_with_exit_two(
    broken, good, verb, harm, capsys, monkeypatch
):
    """No traceback, no internal error: the file is named, and the exit code is 2."""
    HARM[harm](broken)
    file = {"run.json": RUN, "spec.json": SPEC}.get(harm.split()[0])
    file = file or (SCORES if "cell" in harm else SAMPLES)
    monkeypatch.chdir(broken.parent.parent)
    words = [word.format(run=broken, good=good, root=broken.parent) for word in VERBS[verb]]
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr().err
    if file not in READS.get(verb, {file}):
        assert ended.value.code == 0, said
        return
    assert ended.value.code == 2, said
    assert "internal error" not in said
    assert file in said
    assert len(said.strip().splitlines()) == 1, said


def test_a_column_of_another_type_is_named(broken):
    """With what it should hold and what it holds."""
    table = pq.read_table(broken / SAMPLES)
    place = table.column_names.index("scores")
    table = table.set_column(place, "scores", pa.array(["1.0"] * len(table)))
    pq.write_table(table, broken / SAMPLES)
    with pytest.raises(InvalidFile, match=r"samples\.parquet: scores: a column of another type"):
        list(read_rows(broken))
    with pytest.raises(InvalidFile, match="scores"):
        read_columns(broken / SAMPLES)


def test_a_missing_column_is_named(broken):
    """Not a KeyError somewhere later."""
    table = pq.read_table(broken / SAMPLES).drop_columns(["transcript"])
    pq.write_table(table, broken / SAMPLES)
    with pytest.raises(InvalidFile, match="transcript: the table has no such column"):
        list(read_rows(broken))
    assert list(read_rows(broken, ["task"]))


def test_a_table_that_breaks_off_within_its_pages_is_told(broken):
    """The footer is whole, the data is not: found only while reading."""
    data = bytearray((broken / SAMPLES).read_bytes())
    data[8:400] = bytes(392)
    (broken / SAMPLES).write_bytes(data)
    with pytest.raises(InvalidFile, match="not a table of samples"):
        list(read_rows(broken))


def test_tables_that_other_programs_rewrote_are_read(broken):
    """Large strings and other names of list items hold the same."""
    table = pq.read_table(broken / SAMPLES)
    place = table.column_names.index("input")
    table = table.set_column(place, "input", table["input"].cast(pa.large_string()))
    pq.write_table(table, broken / SAMPLES)
    assert len(list(read_rows(broken))) == 3


@pytest.mark.parametrize("field", list(SCHEMA), ids=lambda field: field.name)
def test_every_column_is_like_itself_and_unlike_a_date(field):
    """The check lets our own types through and stops strange ones."""
    assert alike(field.type, field.type)
    assert alike(pa.null(), field.type)
    assert not alike(pa.date32(), field.type)


def test_a_nested_column_may_be_read_alone(good):
    """A path into a list of structs names its column."""
    with opened(good / SAMPLES, ["transcript.list.element.role"]) as table:
        assert table.metadata.num_rows == 3


def test_labels_of_a_run_are_read_or_told_by_line(tmp_path):
    """No file is no labels; a line that does not fit is named with its number and key."""
    file = tmp_path / "labels.jsonl"
    assert read_labels(file) == {}
    file.write_text('{"key": "a", "label": 1.0}\n{"key": "b", "label": 0}\n')
    assert read_labels(file) == {"a": 1.0, "b": 0.0}
    file.write_text('{"key": "a", "label": 1.0}\n{"key": "b", "label": 2}\n')
    with pytest.raises(InvalidFile, match=r"labels\.jsonl:2: label: does not fit"):
        read_labels(file)
    file.write_text("{oops\n")
    with pytest.raises(InvalidFile, match=r"labels\.jsonl:1: not JSON"):
        read_labels(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_labels(file)
