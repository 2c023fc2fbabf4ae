"""The ledger of batch jobs: what is under way survives any kill, and is asked for once."""

from __future__ import annotations

import sqlite3

import pytest

from harness.errors import StoreError, UsageError
from harness.store.batches import _SCHEMA, BatchLedger, Draft

KEYS = [f"{i:032x}" for i in range(6)]
CHAT = "/v1/chat/completions"


def write(ledger: BatchLedger, keys: list[str]):
    """Make one part of lines for `keys`."""
    draft = ledger.draft(CHAT)
    for key in keys:
        draft.add(key, f'{{"custom_id": "{key}"}}\n'.encode())
    (part,) = ledger.take([draft])
    return part


def test_a_part_is_listed_until_it_ends_with_its_answers(tmp_path):
    """Its requests are pending while it is under way; then their answers are there."""
    with BatchLedger(tmp_path / "b") as ledger:
        part = write(ledger, KEYS[:2])
        assert ledger.parts() == [part]
        assert (part.lines, part.state, part.endpoint) == (2, "written", CHAT)
        assert ledger.path(part.id).read_bytes().count(b"\n") == 2
        assert ledger.part_of(KEYS[0]) == part.id
        assert ledger.part_of(KEYS[5]) is None
        assert ledger.answer(KEYS[0]) == (None, 0)
        ledger.end(part, [(KEYS[0], b"zero"), (KEYS[5], b"not asked"), ("no key", b"odd")])
        assert ledger.parts() == []
        assert ledger.answer(KEYS[0]) == (b"zero", 1)
        assert ledger.answer(KEYS[1]) == (None, 1)
        assert ledger.answer(KEYS[5]) == (None, 0)
        assert not ledger.path(part.id).exists()


def test_what_was_noted_is_there_for_the_next_process(tmp_path):
    """File, tag and job are read back; tries are the process's own."""
    with BatchLedger(tmp_path / "b") as ledger:
        part = ledger.note(write(ledger, KEYS[:1]), "uploaded", file_id="file-1")
        other = write(ledger, KEYS[1:2])
        ledger.end(other, [(KEYS[1], b"one")])
        ledger.note(part, "submitted", file_id="file-1", job="batch_1")
    with BatchLedger(tmp_path / "b") as ledger:
        (again,) = ledger.parts()
        assert (again.id, again.state, again.file_id, again.job) == (
            part.id, "submitted", "file-1", "batch_1",
        )  # fmt: skip
        assert ledger.answer(KEYS[1]) == (b"one", 0)


def test_lines_of_a_process_that_was_killed_before_it_said_so_are_thrown_away(tmp_path):
    """A draft, a file that no part knows and a half-loaded answer file are removed."""
    with BatchLedger(tmp_path / "b") as ledger:
        kept = write(ledger, KEYS[:1])
        for name in ("feed.jsonl", "feed.part", "feed.output.part"):
            (ledger.folder / name).write_bytes(b"x\n")
    with BatchLedger(tmp_path / "b") as ledger:
        left = {path.name for path in ledger.folder.iterdir()}
        assert left & {"feed.jsonl", "feed.part", "feed.output.part"} == set()
        assert f"{kept.id}.jsonl" in left


def test_a_part_is_halved_in_one_moment(tmp_path):
    """Both halves hold their own lines and keys, and the whole is gone; no try is counted."""
    with BatchLedger(tmp_path / "b") as ledger:
        whole = write(ledger, KEYS[:5])
        first, second = ledger.halve(whole)
        assert (first.lines, second.lines) == (2, 3)
        assert ledger.parts() == [first, second]
        assert ledger.part_of(KEYS[1]) == first.id
        assert ledger.part_of(KEYS[2]) == second.id
        assert KEYS[4].encode() in ledger.path(second.id).read_bytes()
        assert ledger.answer(KEYS[0]) == (None, 0)


def test_answers_that_cannot_be_read_to_the_end_change_nothing(tmp_path):
    """End and answers are one transaction: a process that dies between them has neither."""

    def broken():
        yield KEYS[0], b"zero"
        raise OSError("the disk is gone")

    with BatchLedger(tmp_path / "b") as ledger:
        part = write(ledger, KEYS[:2])
        with pytest.raises(OSError, match="the disk"):
            ledger.end(part, broken())
        assert ledger.parts() == [part]
        assert ledger.answer(KEYS[0]) == (None, 0)


def test_a_folder_with_nothing_left_goes_away(tmp_path):
    """Once all answers are forgotten there is no trace; a neighbour's folder stays."""
    root = tmp_path / "batches"
    with BatchLedger(root / "a") as ledger, BatchLedger(root / "b") as other:
        ledger.end(write(ledger, KEYS[:1]), [(KEYS[0], b"zero")])
        write(other, KEYS[1:2])
        ledger.forget([KEYS[0]])
        assert ledger.empty
        assert not other.empty
    assert [path.name for path in root.iterdir()] == ["b"]
    with BatchLedger(root / "b") as other:
        other.end(other.parts()[0], [])
    assert not root.exists()


def test_one_process_at_a_time(tmp_path):
    """A second one is told to wait."""
    with (
        BatchLedger(tmp_path / "b"),
        pytest.raises(UsageError, match="another run is at work on the batch jobs"),
    ):
        BatchLedger(tmp_path / "b")


def test_a_ledger_that_cannot_be_kept_is_a_store_error(tmp_path):
    """A file in the way, and a database that is none, are named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be kept"):
        BatchLedger(tmp_path / "file" / "b")
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "jobs.sqlite").write_bytes(b"no database at all, and long enough to be read as one")
    with pytest.raises(StoreError, match="cannot be kept"):
        BatchLedger(folder)


def test_lines_that_cannot_be_written_are_a_store_error(tmp_path):
    """A full disk and a folder that went away are said."""
    with BatchLedger(tmp_path / "b") as ledger:
        draft = ledger.draft(CHAT)
        draft._file.close()
        draft._file = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115 - no plain file
        with pytest.raises(StoreError, match="cannot be written"):
            draft.add(KEYS[0], b"x\n")
        draft.drop()
        with pytest.raises(StoreError, match="cannot be written"):
            Draft("0", CHAT, tmp_path / "missing" / "0.part")
        lost = ledger.draft(CHAT)
        with pytest.raises(StoreError, match="cannot be written"):
            lost.close(tmp_path / "missing" / "0.jsonl")


@pytest.mark.parametrize("statement", ["drop table asked", "drop table parts"])
def test_a_commit_that_fails_is_a_store_error_and_changes_nothing(statement, tmp_path):
    """Nothing is taken for written that is not."""
    with BatchLedger(tmp_path / "b") as ledger:
        part = write(ledger, KEYS[:1])
        ledger._db.execute(statement)
        with pytest.raises(StoreError, match="no such table"):
            ledger.end(part, [(KEYS[0], b"zero")])
        assert ledger.answer(KEYS[0]) == (None, 0)
        ledger._db.executescript(_SCHEMA)


def test_a_database_that_another_process_holds_is_a_store_error(tmp_path):
    """The wait has an end."""
    with BatchLedger(tmp_path / "b") as ledger:
        ledger._db.execute("pragma busy_timeout = 1")
        other = sqlite3.connect(ledger.folder / "jobs.sqlite", isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="locked"):
            ledger.forget([])
        other.close()
