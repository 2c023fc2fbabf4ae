"""Evaluations in a project's own tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.pytest_plugin import Evaluation

TESTS = '''
import sys

import pytest

pytestmark = pytest.mark.evaluation


def test_unused():
    """Nothing is loaded before it is used."""
    assert "numpy" not in sys.modules
    assert "harness.pipeline" not in sys.modules


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


def test_a_project_asserts_on_evaluations(addition, tmp_path):
    """Fixture, marker and assertions work in a project that opts in, and load nothing before."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["harness.pytest_plugin"]\n')
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider\nharness_out = out\n"
        "filterwarnings = error\n"
    )
    (tmp_path / "test_model.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", "test_model.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert (tmp_path / "out").is_dir()


def test_a_run_that_failed_is_no_evidence(tmp_path):
    """Where the run itself ended badly, assertions fail with its exit code."""
    with pytest.raises(AssertionError, match="exit code 4"):
        Evaluation(tmp_path / "run", tmp_path, exit_code=4).assert_at_least(0.1)
