"""The documentation's commands run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.main import VERBS
from harness.errors import ExitCode
from harness.records import Cell

ROOT = Path(__file__).parent.parent
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands(page: str) -> list[str]:
    """Return the commands of a page, in order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    lines = (line for block in CONSOLE.findall(text) for line in block.splitlines())
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def test_every_command_of_the_first_hour_runs(tmp_path):
    """A newcomer who types the page, line by line, meets no error."""
    found = commands("first_hour.md")
    assert len(found) > 10
    for command in found:
        words = shlex.split(command)
        assert words[0] == "harness"
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_every_verb_is_shown_in_the_help():
    """Verbs and help agree."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--help"], capture_output=True, text=True, check=True
    )
    assert [verb for verb in VERBS if verb not in done.stdout] == []


@pytest.mark.parametrize("field", Cell.__struct_fields__)
def test_every_field_of_a_cell_is_documented(field):
    """docs/results.md names each field."""
    assert field in (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_documented(code):
    """docs/results.md names each exit code."""
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert re.search(rf"(?<!\d){int(code)} [a-z]", text)


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")))
def test_links_between_pages_lead_somewhere(page):
    """A relative link points to a file that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_family_has_a_card():
    """docs/tasks.md has a section for each folder of tasks that ships rows."""
    text = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    families = {path.parent.name for path in (ROOT / "tasks").glob("*/*.yaml")}
    for family in families - {"public", "judges", "judged"}:
        assert f"## {family}\n" in text
