"""Reading YAML from strangers: values, lines, and one clear error for each thing that is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile
from harness.yamlfile import (
    MAX_BYTES,
    MAX_NODES,
    first_key,
    kind,
    parse_document,
    read_document,
    scalar,
)

PATH = Path("file.yaml")


def test_values_follow_yaml_1_2():
    """`no`, `yes` and `12:30` are words; numbers, null and true are what they look like."""
    words = "[no, yes, on, 12:30, 2024-01-01, 0o17, 0x1F, 017, +3, .5, 1e-3, ~, Null, TRUE, "
    words += "tRue, '5', \"6\"]"
    data = parse_document(f"x: {words}\ny:\n", PATH).data
    assert data["x"] == [
        "no", "yes", "on", "12:30", "2024-01-01", 15, 31, 17, 3, 0.5, 0.001, None, None, True,
        "tRue", "5", "6",
    ]  # fmt: skip
    assert data["y"] is None


def test_lines_lead_to_each_key():
    """A value is found by its line; a block's text starts below its mark; unknown keys lead up."""
    text = "a: 1\nb:\n  c: [1,\n    2]\n  d: |\n    text\ne:\n- f: 2\n"
    document = parse_document(text, PATH)
    lines = {key: document.line(key) for key in ("a", "b", "b.c", "b.c[1]", "b.d", "e[0].f")}
    assert lines == {"a": 1, "b": 2, "b.c": 3, "b.c[1]": 4, "b.d": 6, "e[0].f": 8}
    assert document.line("b.c[7].z") == 3
    assert document.line("zz") is None


def test_anchors_repeat_a_value():
    """An alias stands for the value that its anchor marked."""
    assert parse_document("a: &x [1, 2]\nb: *x\n", PATH).data == {"a": [1, 2], "b": [1, 2]}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
)
BAD = [
    ("a: 1\nb: 2\na: 3\n", 3, "a", "given twice (first on line 1)"),
    ("a:\n  b: 1\n  b: 2\n", 3, "a.b", "given twice"),
    ("a: [1\n", 2, None, "is not valid YAML"),
    ("a: 1\n b: 2\n", 2, None, "is not valid YAML"),
    ("a: \x00\n", None, None, "is not valid YAML"),
    ("- 1\n", 1, None, "a file of this kind is a mapping"),
    ("", 1, None, "a file of this kind is a mapping"),
    ("just text", 1, None, "a file of this kind is a mapping"),
    ("a: 1\n---\nb: 2\n", 2, None, "more than one document"),
    ("a: !!python/object/apply:os.system ['true']\n", 1, "a", "tags are not allowed"),
    ("a: !function x.y\n", 1, "a", "tags are not allowed"),
    ("a: *x\n", 1, "a", "an anchor not set before"),
    ("a: &x [*x]\n", 1, "a[0]", "an anchor not set before"),
    ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "c.<<", "merge keys"),
    ("? [1]\n: 2\n", 1, None, "a key must be a plain word"),
    ("a: 1e999\n", 1, "a", "number out of range"),
    ("a: " + "[" * 60 + "]" * 60, 1, "a" + "[0]" * 40, "nested too deeply"),
    (BOMB, None, None, "holds too many values"),
]


@pytest.mark.parametrize(("text", "line", "key", "problem"), BAD)
def test_bad_file_is_one_error(text, line, key, problem):
    """What is wrong is one `InvalidFile` that names the place."""
    with pytest.raises(InvalidFile) as caught:
        parse_document(text, PATH)
    error = caught.value
    assert problem in str(error)
    assert str(error.path) == "file.yaml"
    assert line is None or error.line == line
    assert key is None or error.key == key


def test_too_many_values_are_refused():
    """A long flat list is refused as a bomb is."""
    with pytest.raises(InvalidFile, match="too many values"):
        parse_document("a: [" + "1," * MAX_NODES + "]", PATH)


def test_not_utf8_names_the_byte(tmp_path):
    """A file in another encoding names line and byte offset."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(InvalidFile) as caught:
        read_document(path)
    assert caught.value.line == 2
    assert caught.value.got == "byte 0xe9 at offset 11"


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    """Missing, a folder, too large, or refused by the system: each says so."""
    with pytest.raises(InvalidFile, match="nothing there"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(InvalidFile, match="a folder"):
        read_document(tmp_path)
    path = tmp_path / "x.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(InvalidFile, match="too large"):
        read_document(path)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidFile, match="Permission denied"):
        read_document(path)


def test_byte_order_mark_is_skipped(tmp_path):
    """A byte order mark at the start is no part of the first key."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbftask: a\n")
    assert read_document(path).data == {"task": "a"}
    assert first_key(path) == "task"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task: x\n", "task"),
        ("# note\n\n---\nrun: x\n", "run"),
        ("- a\n", None),
        ("", None),
        ("#\n" * 300 + "task: x", None),
    ],
)
def test_first_key_reads_the_head_only(tmp_path, text, expected):
    """The first key is found below comments, within the head of the file."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    assert first_key(path) == expected


def test_kind_says_what_came():
    """Values are described in the words of a YAML file, long ones cut."""
    assert [kind(v) for v in (True, 1.5, {"a": 1}, b"x")] == [
        "boolean true", "number 1.5", "a mapping of 1", "bytes b'x'",
    ]  # fmt: skip
    assert kind("x" * 100).endswith("...")


@given(st.text(max_size=20))
def test_scalar_never_fails(text):
    """Any word means something."""
    assert isinstance(scalar(text), str | int | float | bool | None)


@given(st.text(max_size=80))
def test_any_text_parses_or_is_invalid(text):
    """No text gives anything but a document or `InvalidFile`."""
    with contextlib.suppress(InvalidFile):
        assert isinstance(parse_document(text, PATH).data, dict)
