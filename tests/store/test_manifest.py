"""Run directories: named, locked, continued, found."""

from __future__ import annotations

import json
import re

import pytest

from harness.errors import InvalidFile, StoreError, UnknownName, UsageError
from harness.store.manifest import (
    RUN,
    SPEC,
    find_run,
    open_directory,
    read_json,
    runs,
    slug,
    write_json,
)

CONTENT = {"spec": {"tasks": ["t"]}}


def finish(root, model="a/b", content=CONTENT):
    with open_directory(root, model, content) as directory:
        directory.write(RUN, {"status": "complete"})
    return directory.path


def test_a_directory_is_named_by_time_model_and_chance(tmp_path):
    """`<utc>-<model slug>-<hex>` in [A-Za-z0-9._-], and spec.json is there from the start."""
    with open_directory(tmp_path, "openai/gpt 5 (mini)", CONTENT) as directory:
        assert re.fullmatch(r"\d{8}T\d{6}Z-openai-gpt-5-mini-[0-9a-f]{6}", directory.path.name)
        assert json.loads((directory.path / SPEC).read_bytes()) == CONTENT
        assert directory.samples.parent == directory.path


@pytest.mark.parametrize("text", ["../../etc/passwd", "模型", "", "a" * 200, "a/b\x00c"])
def test_a_slug_is_safe_in_a_path(text):
    """No name of a model leaves the results root."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,59}", slug(text))


def test_an_unfinished_directory_of_equal_spec_is_continued(tmp_path):
    """The same command goes on where it was; a finished one is left alone."""
    with open_directory(tmp_path, "a/b", CONTENT) as first:
        pass
    with open_directory(tmp_path, "a/b", CONTENT) as second:
        assert second.path == first.path
        second.write(RUN, {})
    with open_directory(tmp_path, "a/b", CONTENT) as third:
        assert third.path != first.path


def test_another_spec_gets_another_directory(tmp_path):
    """Only an equal spec is continued, and not with --fresh."""
    with open_directory(tmp_path, "a/b", CONTENT) as first:
        pass
    with open_directory(tmp_path, "a/b", {"spec": 2}) as second:
        assert second.path != first.path
    with open_directory(tmp_path, "a/b", CONTENT, fresh=True) as third:
        assert third.path != first.path


def test_a_fresh_run_is_continued_by_fresh_alone(tmp_path):
    """A killed --fresh goes on where it was; the same command without it does not take it up."""
    with open_directory(tmp_path, "a/b", CONTENT, fresh=True) as first:
        pass
    with open_directory(tmp_path, "a/b", CONTENT) as plain:
        assert plain.path != first.path
    with open_directory(tmp_path, "a/b", CONTENT, fresh=True) as again:
        assert again.path == first.path
        again.write(RUN, {})
    assert sorted(path.name for path in again.path.iterdir()) == [RUN, SPEC]
    with open_directory(tmp_path, "a/b", CONTENT, fresh=True) as third:
        assert third.path != first.path


def test_two_runs_at_once_get_two_directories(tmp_path):
    """A directory that another process is writing is not continued."""
    with (
        open_directory(tmp_path, "a/b", CONTENT) as first,
        open_directory(tmp_path, "a/b", CONTENT) as second,
    ):
        assert second.path != first.path


def test_a_root_that_cannot_be_written_is_one_clear_error(tmp_path):
    """A file in the root's place, or a folder without permission, is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="results root cannot be written"):
        open_directory(tmp_path / "file", "a/b", CONTENT)


def test_a_run_is_found_by_path_prefix_or_latest(tmp_path):
    """A directory, the start of its name, or @latest."""
    first = finish(tmp_path)
    second = finish(tmp_path, "c/d")
    assert find_run(str(first), tmp_path) == first
    assert find_run(second.name, tmp_path) == second
    assert find_run("@latest", tmp_path) in (first, second)
    assert runs(tmp_path) == sorted([first, second])
    assert runs(tmp_path / "none") == []


def test_a_run_that_is_not_there_is_named(tmp_path):
    """An unknown or ambiguous name says what there is."""
    with pytest.raises(UsageError, match="no finished run"):
        find_run("@latest", tmp_path)
    finish(tmp_path)
    finish(tmp_path, "c/d")
    with pytest.raises(UsageError, match="is the start of 2 runs"):
        find_run("2", tmp_path)
    with pytest.raises(UnknownName, match="unknown run"):
        find_run("nope", tmp_path)
    with pytest.raises(UsageError, match="no recorded baseline"):
        find_run("@baseline", tmp_path)
    blessed = finish(tmp_path / "reference")
    assert find_run("@baseline", tmp_path) == blessed


def test_json_is_written_whole_or_not_at_all(tmp_path):
    """No partial file is left under the name; a broken one is named on reading."""
    write_json(tmp_path / "x.json", {"a": 1})
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InvalidFile, match=r"bad\.json: not JSON"):
        read_json(tmp_path / "bad.json")
    with pytest.raises(InvalidFile, match="no such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(StoreError, match="cannot be written"):
        write_json(tmp_path / "no" / "x.json", {})
