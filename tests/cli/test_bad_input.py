"""Bad input of every kind: one error with file, line, key, what is allowed and what came; exit 2."""

from __future__ import annotations

import pytest

GOOD = {
    "task": "mine",
    "data": "{file: rows.jsonl}",
    "prompt": '"{{ q }}"',
    "target": '"{{ a }}"',
    "metrics": "[exact_match]",
}
ROWS = '{"q": "1 + 1", "a": "2"}\n'


def write(folder, rows: bytes | str | None = ROWS, **keys: str) -> str:
    """Write a task that is good but for `keys`; return its file's name."""
    lines = [f"{key}: {value}" for key, value in (GOOD | keys).items() if value]
    (folder / "mine.yaml").write_text("\n".join(lines) + "\n")
    if rows is not None:
        (folder / "rows.jsonl").write_bytes(rows.encode() if isinstance(rows, str) else rows)
    return "mine.yaml"


CASES = {
    "wrong key": ({"metrics": "", "metric": "[exact_match]"}, ROWS, ["mine.yaml:5", "metric", "did you mean 'metrics'"]),
    "wrong type": ({"version": "one"}, ROWS, ["mine.yaml:6", "version", "one"]),
    "wrong choice": ({"method": "generat"}, ROWS, ["mine.yaml:6", "method", "generate", "generat"]),
    "template variable": ({"prompt": '"{{ question }}"'}, ROWS, ["mine.yaml:3", "prompt", "question", "q"]),
    "template syntax": ({"prompt": '"{{ q"'}, ROWS, ["mine.yaml:3", "prompt"]),
    "missing file": ({}, None, ["mine.yaml:2", "rows.jsonl"]),
    "empty data": ({}, "", ["mine.yaml:2", "data", "no rows"]),
    "no json": ({}, ROWS + "{oops\n", ["rows.jsonl:2"]),
    "not an object": ({}, ROWS + "[1]\n", ["rows.jsonl:2"]),
    "non-UTF-8 row": ({}, ROWS.encode() + b'{"q": "\xff\xfe", "a": "2"}\n', ["rows.jsonl:2", "UTF-8"]),
    "circular include": ({"include": "mine.yaml"}, ROWS, ["mine.yaml", "include"]),
    "missing include": ({"include": "none.yaml"}, ROWS, ["mine.yaml:6", "include", "none.yaml"]),
    "python internals": ({"prompt": '"{{ q.__class__.__mro__ }}"'}, ROWS, ["mine.yaml:3", "prompt"]),
    "loop for ever": (
        {"prompt": '"{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}"'},
        ROWS,
        ["mine.yaml:3", "prompt"],
    ),
    "huge power": ({"prompt": '"{{ 10 ** (10 ** 10) }}"'}, ROWS, ["mine.yaml:3", "prompt"]),
    "unknown metric": ({"metrics": "[exact_mach]"}, ROWS, ["did you mean 'exact_match'"]),
    "unknown extractor": ({"extract": "[nmber]"}, ROWS, ["did you mean 'number'"]),
    "unknown generator": ({"data": "{generator: arithmetics}"}, ROWS, ["did you mean 'arithmetic'"]),
    "two sources": ({"data": "{file: rows.jsonl, hub: x/y}"}, ROWS, ["mine.yaml:2", "data"]),
    "duplicate key": ({"tags": "[a]\ntags: [b]"}, ROWS, ["mine.yaml:7", "tags"]),
    "no yaml": ({"tags": "[a"}, ROWS, ["mine.yaml"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_error(harness, tmp_path, name):
    """File, line, key, what is allowed, what came; no traceback; exit 2."""
    keys, rows, wanted = CASES[name]
    done = harness("run", write(tmp_path, rows, **keys), "--model", "scripted/oracle")
    assert done.code == 2, done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1, done.err
    for text in wanted:
        assert text in done.err, done.err


def test_a_good_task_runs(harness, tmp_path):
    """The base of all cases is itself good."""
    done = harness("run", write(tmp_path), "--model", "scripted/oracle")
    assert done.code == 0, done.err


def test_a_task_named_twice_names_both_files(harness, tmp_path):
    """Two files of one name in one run are an error."""
    write(tmp_path)
    (tmp_path / "other.yaml").write_text((tmp_path / "mine.yaml").read_text())
    done = harness("run", "mine.yaml", "other.yaml", "--model", "scripted/oracle")
    assert done.code == 2
    assert "mine.yaml" in done.err
    assert "other.yaml" in done.err


def test_a_row_file_of_a_gigabyte_is_refused_before_it_is_read(harness, tmp_path):
    """A sparse file of 1 GB costs neither memory nor time."""
    name = write(tmp_path)
    with (tmp_path / "rows.jsonl").open("wb") as file:
        file.truncate(1 << 30)
    done = harness("run", name, "--model", "scripted/oracle")
    assert done.code == 2
    assert "rows.jsonl" in done.err
    assert "Parquet" in done.err


def test_a_row_of_many_megabytes_is_refused_with_its_line(harness, tmp_path):
    """One endless line is not slurped."""
    row = '{"q": "' + "x" * (20 << 20) + '", "a": "2"}\n'
    done = harness("run", write(tmp_path, ROWS + row), "--model", "scripted/oracle")
    assert done.code == 2
    assert "rows.jsonl:2" in done.err
