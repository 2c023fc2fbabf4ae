"""Evaluations in a project's own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.pytest_plugin import Evaluation

ROOT = Path(__file__).parents[2]
TESTS = '''
import pytest

pytestmark = pytest.mark.evaluation


def test_right(evaluate):
    """The oracle keeps a floor."""
    evaluate("sums.yaml", model="scripted/oracle").assert_at_least(0.9)


def test_wrong(evaluate):
    """A wrong model misses it."""
    with pytest.raises(AssertionError, match="missed: 0.000"):
        evaluate("sums.yaml", model="scripted/wrong").assert_at_least(0.9)


def test_baseline(evaluate):
    """The oracle is not worse than itself; a wrong model is."""
    own = evaluate("sums.yaml", model="scripted/oracle")
    assert own.assert_no_regression(str(own.directory), margin=0.05).verdict == "passed"
    other = evaluate("sums.yaml", model="scripted/wrong")
    with pytest.raises(AssertionError, match="Gate regressed"):
        other.assert_no_regression(str(own.directory))


def test_few(evaluate):
    """Ten right answers do not prove 90 %."""
    with pytest.raises(AssertionError, match="inconclusive: 1.000"):
        evaluate("sums.yaml", model="scripted/oracle", limit=10).assert_at_least(0.9)
'''
UNUSED = '''
import sys

HEAVY = ("numpy", "scipy", "pyarrow", "msgspec", "yaml", "jinja2", "click", "aiohttp", "openai")


def test_nothing_is_loaded(pytestconfig):
    """Of the harness the plugin alone, and none of what the harness needs."""
    assert pytestconfig.pluginmanager.has_plugin("harness.pytest_plugin")
    ours = {name for name in sys.modules if name.split(".")[0] == "harness"}
    assert ours == {"harness", "harness.pytest_plugin"}
    assert [name for name in HEAVY if name in sys.modules] == []
'''


@pytest.fixture
def project(tmp_path):
    """Run pytest in a project that has installed the harness, and nothing else that plugs in."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    info = tmp_path / "site" / "installed-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: installed\nVersion: 1\n")
    lines = [f"{name} = {module}" for name, module in declared["pytest11"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]) + "\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider\nharness_out = out\n"
        "filterwarnings = error\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        others = ("hypothesispytest", "pytest_cov", "anyio", "asyncio")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *(f"-pno:{one}" for one in others), *arguments],
            cwd=tmp_path / "own",
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"},
        )

    return run, tmp_path / "own"


def test_a_project_asserts_on_evaluations(addition, project):
    """Fixture, marker and assertions work where the harness is installed, without a line."""
    run, folder = project
    (folder / "sums.yaml").write_text(addition.read_text())
    (folder / "test_model.py").write_text(TESTS)
    done = run("test_model.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert (folder / "out").is_dir()
    left_out = run("-m", "not evaluation", "test_model.py")
    assert "4 deselected" in left_out.stdout


def test_nothing_is_loaded_unless_it_is_used(project):
    """A project whose tests do not evaluate pays for one small module; it can be left out too."""
    run, folder = project
    (folder / "test_other.py").write_text(UNUSED)
    done = run("test_other.py")
    assert done.returncode == 0, done.stdout + done.stderr
    without = run("-pno:harness.pytest_plugin", "-Wignore", "test_other.py")
    assert without.returncode == 1
    assert "has_plugin" in without.stdout


def test_a_line_in_conftest_is_no_second_plugin(project):
    """Projects that named the plugin themselves go on working."""
    run, folder = project
    (folder / "conftest.py").write_text('pytest_plugins = ["harness.pytest_plugin"]\n')
    (folder / "test_other.py").write_text(UNUSED)
    done = run("test_other.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_of_the_documentation_runs(project):
    """docs/ci.md, word for word, with a blessed baseline."""
    run, folder = project
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(# test_model\.py\n.*?)```", page, re.DOTALL)
    (folder / "test_model.py").write_text(example)
    command, ours = [sys.executable, "-m", "harness"], {**os.environ, "PYTHONPATH": str(ROOT)}
    task = ["run", "arithmetic/addition", "--model", "embedded/mini", "--limit", "300"]
    for words in (task, ["bless"]):
        subprocess.run(
            [*command, *words, "--out", "out"],
            cwd=folder,
            check=True,
            capture_output=True,
            env=ours,
        )
    done = run("test_model.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_run_that_failed_is_no_evidence(tmp_path):
    """Where the run itself ended badly, assertions fail with its exit code."""
    with pytest.raises(AssertionError, match="exit code 4"):
        Evaluation(tmp_path / "run", tmp_path, exit_code=4).assert_at_least(0.1)
