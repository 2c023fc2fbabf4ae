"""Finding tasks by name, glob, tag and path."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.errors import InvalidFile, UnknownName
from harness.task.catalogue import Catalogue, default_roots


def put(root: Path, name: str, *, tags: str = "[]", path: str | None = None) -> Path:
    """Write a small task."""
    file = root / f"{path or name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"task: {name}\ndata: {{file: x.jsonl}}\nprompt: x\ntags: {tags}\n")
    return file


@pytest.fixture
def root(tmp_path):
    """A folder of three tasks, a judge and a fragment."""
    folder = tmp_path / "tasks"
    put(folder, "math/add", tags="[core]")
    put(folder, "math/sub")
    put(folder, "qa/en", tags="[core]")
    (folder / "judge.yaml").write_text("judge: x\n")
    (folder / "common.yaml").write_text("title: x\n")
    return folder


def test_names_are_those_of_task_files(root):
    """Only files that begin with `task:` are tasks."""
    assert Catalogue([root]).names() == ["math/add", "math/sub", "qa/en"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["qa/en"], [("qa/en", True)]),
        (["math/*"], [("math/add", False), ("math/sub", False)]),
        (["tag:core"], [("math/add", False), ("qa/en", False)]),
        (["qa/en", "*"], [("qa/en", True), ("math/add", False), ("math/sub", False)]),
        (["math/*", "math/sub"], [("math/add", False), ("math/sub", True)]),
        (["[mq]*"], [("math/add", False), ("math/sub", False), ("qa/en", False)]),
    ],
)
def test_patterns(root, patterns, expected):
    """A name is outright, a glob or tag is not; each task comes once, outright if ever named."""
    found = Catalogue([root]).resolve(patterns)
    assert [(item.name, item.outright) for item in found] == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("math/ad", "did you mean 'math/add'?"),
        ("zz*", "unknown task 'zz\\*'"),
        ("tag:cor", "unknown tag 'cor' \\(did you mean 'core'\\?\\); known: core"),
    ],
)
def test_no_match_suggests(root, pattern, message):
    """What matches nothing is an error with the nearest name."""
    with pytest.raises(UnknownName, match=message):
        Catalogue([root]).resolve([pattern])


def test_a_file_of_ones_own(root, tmp_path):
    """A path names a task file anywhere, under any name; inside the folder its name is checked."""
    own = put(tmp_path, "mine", path="elsewhere/x")
    (selected,) = Catalogue([root]).resolve([str(own)])
    assert (selected.name, selected.outright, selected.root) == ("mine", True, None)
    assert selected.load().task == "mine"
    (inside,) = Catalogue([root]).resolve([str(root / "qa/en.yaml")])
    assert inside.root == root
    with pytest.raises(InvalidFile, match="no such task file"):
        Catalogue([root]).resolve(["none.yaml"])


def test_one_name_from_two_files_is_an_error(root, tmp_path):
    """Two files that name one task cannot be run together; the error names both."""
    own = put(tmp_path, "qa/en", path="x")
    with pytest.raises(InvalidFile) as caught:
        Catalogue([root]).resolve(["qa/en", str(own)])
    assert str(own) in str(caught.value)
    assert str(root / "qa/en.yaml") in str(caught.value)


def test_load_all_gives_each_task(root):
    """Every task comes with its contents, by name."""
    assert [spec.task for _, spec in Catalogue([root]).load_all()] == [
        "math/add", "math/sub", "qa/en",
    ]  # fmt: skip


def test_default_roots(tmp_path, monkeypatch):
    """A checkout has tasks/ beside the package, a wheel _tasks inside it, else there are none."""
    assert default_roots()[0].name == "tasks"
    package = tmp_path / "site" / "harness"
    package.mkdir(parents=True)
    monkeypatch.setattr(harness, "__file__", str(package / "__init__.py"))
    assert default_roots() == []
    (package / "_tasks").mkdir()
    assert default_roots() == [package.resolve() / "_tasks"]
    assert Catalogue().names() == []


def test_all_tasks_of_the_project_load():
    """Every task that ships is valid."""
    catalogue = Catalogue()
    assert [spec.task for _, spec in catalogue.load_all()] == catalogue.names()
