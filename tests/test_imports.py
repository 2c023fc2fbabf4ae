"""Heavy libraries are imported late."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "openai", "datasets", "pyarrow", "aiohttp", "torch", "altair", "pandas")


def loaded_after(code: str) -> set[str]:
    """Run `code` in a new interpreter and return the heavy modules it has loaded."""
    program = (
        "import sys\n"
        f"try:\n    {code}\nexcept SystemExit:\n    pass\n"
        f"print('\\n' + ' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    """`harness --help` imports no numpy, no openai, no datasets."""
    assert loaded_after(f"from harness.cli import main; main({arguments!r})") == set()


def test_ls_tasks_loads_nothing_heavy():
    """`harness ls tasks` reads YAML files and nothing else."""
    assert loaded_after("from harness.cli import main; main(['ls', 'tasks'])") == set()


def test_importing_the_package_loads_nothing_heavy():
    """`import harness` is free."""
    assert loaded_after("import harness") == set()


def test_the_check_can_fail():
    """A heavy import is seen."""
    assert loaded_after("import numpy") == {"numpy"}
