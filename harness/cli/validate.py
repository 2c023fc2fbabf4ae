"""harness validate: check what users write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from harness.errors import ExitCode, HarnessError


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(files: tuple[str, ...]) -> int:
    """Check task, run, policy and judge files; of tasks also that the first rows render."""
    bad = 0
    for name in files:
        problems = _problems(Path(name))
        for problem in problems:
            click.echo(f"error: {problem}", err=True)
        bad += bool(problems)
        if not problems:
            click.echo(f"{name}: ok")
    return int(ExitCode.USAGE if bad else ExitCode.OK)


def _problems(path: Path) -> list[HarnessError]:
    """Return what is wrong with a file, by what its first key says it is."""
    from harness.config import load_run_file
    from harness.gate.policy import load_policy
    from harness.judge.spec import load_judge
    from harness.judging import judge_roots
    from harness.plugins import load
    from harness.task.validate import validate
    from harness.yamlfile import first_key

    def judge(path: Path) -> object:
        return load_judge(path, judge_roots())

    readers: dict[str | None, Callable[[Path], object]] = {
        "judge": judge,
        "policy": load_policy,
        "run": load_run_file,
    }
    reader = readers.get(first_key(path)) if path.is_file() else None
    if reader is None:
        return validate(path, generator=lambda maker: load("generator", maker)())
    try:
        reader(path)
    except HarnessError as error:
        return [error]
    return []
