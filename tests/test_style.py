"""What a linter does not check: tests say what they show, and nothing tells where it was made."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TESTS = sorted(ROOT.glob("tests/**/test_*.py"))
SOURCES = sorted(ROOT.glob("harness/**/*.py"))
TEXTS = {".py", ".md", ".yaml", ".toml", ".html", ".jsonl", ".js", ".css", ".json", ""}
MACHINE = re.compile(r"/(?:root|work|home/\w+)/")
FILE_LINES, FUNCTION_LINES, PARAMETERS = 450, 60, 8


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_every_test_states_its_fact(path):
    """Every test function has a docstring."""
    bare = [
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


def test_test_modules_have_different_names():
    """Pytest without packages needs a name of its own for every module."""
    names = [path.stem for path in TESTS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path):
    """A file is read in one sitting, a function at one glance."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, node.name
            assert len(node.args.args) + len(node.args.kwonlyargs) <= PARAMETERS or _is_command(
                node
            ), node.name


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A verb of the command line takes its flags as parameters."""
    return node.name == "command"


def test_nothing_tells_where_it_was_made():
    """No machine path stands in a tracked text file."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in TEXTS:
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            found += [f"{name}: {m[0]}" for m in MACHINE.finditer(text)]
    assert [line for line in found if not line.startswith("tests/test_style.py")] == []
