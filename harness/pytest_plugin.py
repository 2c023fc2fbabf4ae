"""Evaluations in a project's own tests: a fixture and a marker, nothing loaded unless used.

pytest finds this module where the harness is installed, and imports no other of ours with it.

    @pytest.mark.evaluation
    def test_adds(evaluate):
        evaluate("arithmetic/addition", model="embedded/mini", limit=200).assert_at_least(0.4)

Answers are stored under the results root (`harness_out` in the pytest settings, `results` by
default), so that an unchanged test asks the model nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.gate.policy import Policy
    from harness.gate.records import GateReport


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting."""
    parser.addini("harness_out", "results root of `evaluate`", default="results")


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker, so that `-m 'not evaluation'` leaves evaluations out."""
    config.addinivalue_line("markers", "evaluation: asks a language model through the harness")


@pytest.fixture(scope="session")
def evaluate(request: pytest.FixtureRequest) -> Callable[..., Evaluation]:
    """Return a function that runs tasks and returns what they gave, for assertions."""
    root = Path(request.config.rootpath) / str(request.config.getini("harness_out"))

    def run(*tasks: str, model: str, **settings: Any) -> Evaluation:
        """Run `tasks` with `model`; `settings` are the keys of a run file, such as `limit`."""
        return _evaluate(root, {**settings, "tasks": list(tasks), "model": model})

    return run


def _evaluate(root: Path, settings: dict[str, Any]) -> Evaluation:
    from harness import pipeline  # noqa: PLC0415 - only where it is used
    from harness.config import build  # noqa: PLC0415

    spec, execution = build({"out": str(root), **settings})
    result = pipeline.run(spec, execution)
    return Evaluation(result.directory, root, int(result.exit_code))


@dataclass(frozen=True)
class Evaluation:
    """A finished run. Every assertion raises AssertionError with the figures behind it."""

    directory: Path
    root: Path
    exit_code: int = 0

    def assert_at_least(
        self, floor: float, *, metric: str = "primary", alpha: float = 0.05
    ) -> None:
        """Fail unless the one-sided confidence bound of the metric keeps `floor` in every task.

        A mean above the floor is not enough: few samples prove little, and the message says how
        many would.
        """
        from harness.gate.checks import floors  # noqa: PLC0415 - only where it is used
        from harness.gate.policy import Policy  # noqa: PLC0415
        from harness.gate.say import check_sentence  # noqa: PLC0415
        from harness.gating import load_scores  # noqa: PLC0415

        self._assert_answered()
        policy = Policy(alpha=alpha, floors=(f"{metric} >= {floor!r}",))
        found = list(floors(load_scores(self.directory), policy))
        failing = [check_sentence(check) for check in found if check.verdict != "met"]
        assert not failing, "\n".join(failing)

    def assert_no_regression(
        self, baseline: str = "@baseline", *, margin: float = 0.02, alpha: float = 0.05
    ) -> GateReport:
        """Fail where a task regressed or it cannot be told; return the gate's report."""
        from harness.gate.policy import Policy  # noqa: PLC0415 - only where it is used

        return self.assert_passes(Policy(margin=margin, alpha=alpha), baseline)

    def assert_passes(self, policy: Policy, baseline: str = "@baseline") -> GateReport:
        """Fail unless the gate passes under `policy`."""
        from harness.gate.say import (  # noqa: PLC0415 - only where it is used
            check_sentence,
            headline,
            verdict_sentence,
        )
        from harness.gating import find_baseline, gate_runs, model_of  # noqa: PLC0415

        self._assert_answered()
        path = find_baseline(baseline, self.root, model_of(self.directory))
        report = gate_runs(self.directory, path, policy).report
        lines = [headline(report), *map(verdict_sentence, report.tasks)]
        lines += map(check_sentence, report.checks)
        assert report.exit_code == 0, "\n".join(lines)
        return report

    def _assert_answered(self) -> None:
        assert self.exit_code == 0, f"{self.directory.name} ended with exit code {self.exit_code}"
