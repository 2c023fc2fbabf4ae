"""Rows held as bytes come back as they were."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import StoreError
from harness.task import packed
from harness.task.packed import PackedIds, PackedRows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=4), max_size=12)


def types(value):
    """Return the types in a value, which equality does not tell apart (1 and True and 1.0)."""
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [types(item) for item in value]
    return type(value)


@given(ROWS)
def test_rows_come_back_with_their_values_and_types(rows):
    """Tuples, huge integers, NaN, half surrogate pairs: all that a row may hold."""
    found = PackedRows(rows)
    assert repr(list(found)) == repr(rows)
    assert [types(row) for row in found] == [types(row) for row in rows]


def test_what_is_more_than_is_held_goes_to_a_file_and_comes_back(monkeypatch):
    """Rows in the file, on the edge and in memory are read alike, and the file has no name."""
    monkeypatch.setattr(packed, "HELD", 100)
    rows = [{"text": "x" * (i % 60), "i": i} for i in range(500)]
    found = PackedRows(rows)
    assert found._file is not None
    assert list(found) == rows
    assert (found[-1], found[3:5]) == (rows[-1], rows[3:5])
    assert os.fstat(found._file).st_nlink == 0


def test_the_file_is_closed_with_its_rows(monkeypatch):
    """No descriptor is left behind."""
    monkeypatch.setattr(packed, "HELD", 10)
    found = PackedRows([{"a": "x" * 20}])
    descriptor = found._file
    del found
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_full_temporary_folder_is_one_clear_error(monkeypatch):
    """Where rows cannot be kept, the run says so."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packed, "HELD", 10)
    monkeypatch.setattr(packed.os, "pwrite", full)
    with pytest.raises(StoreError, match="temporary folder"):
        PackedRows([{"a": "x" * 20}])


def test_it_is_a_sequence_as_a_list_is():
    """Length, equality, positions beyond the end."""
    rows = PackedRows([{"a": 1}, {"a": (1, 2)}])
    assert len(rows) == 2
    assert rows == [{"a": 1}, {"a": (1, 2)}]
    assert rows != [{"a": 1}]
    assert rows[1] == {"a": (1, 2)}
    with pytest.raises(IndexError):
        rows[2]


@given(
    st.lists(st.from_regex(r"[0-9a-f]{16}(-[0-9]{1,3})?", fullmatch=True) | st.text(max_size=20))
)
def test_ids_come_back_as_they_were(ids):
    """Hex digits, with a counter behind them or not, and whatever else a test may call a row."""
    found = PackedIds(ids)
    assert list(found) == ids
    assert found == ids
    assert [found[-i - 1] for i in range(len(ids))] == ids[::-1]
    assert found[1:3] == ids[1:3]
