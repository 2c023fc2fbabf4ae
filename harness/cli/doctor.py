"""harness doctor: is everything in place that a run needs?"""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import click

from harness.cli.options import out_option
from harness.errors import ExitCode, HarnessError

State = Literal["ok", "note", "fail"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    state: State
    what: str
    detail: str


@click.command("doctor")
@out_option
def command(out: str | None) -> int:
    """Check Python, packages, tasks, embedded models, the results root, keys and extras."""
    findings = list(examine(Path(out or "results")))
    marks = {"ok": "✓", "note": "·", "fail": "✗"}
    for state, what, detail in findings:
        click.echo(f"{marks[state]} {what}: {detail}")
    failed = any(finding.state == "fail" for finding in findings)
    return int(ExitCode.INFRASTRUCTURE if failed else ExitCode.OK)


def examine(root: Path) -> Iterator[Finding]:
    """Yield what is found, one thing after the other."""
    yield Finding("ok", "python", platform.python_version())
    yield from _packages()
    yield _tasks()
    yield _known()
    yield from _models()
    yield _store(root)
    yield _key()


def _packages() -> Iterator[Finding]:
    for name in ("numpy", "scipy", "pyarrow", "aiohttp", "datasets", "altair"):
        found = importlib.util.find_spec(name) is not None
        detail = "installed" if found else "missing: install the harness anew"
        yield Finding("ok" if found else "fail", name, detail)
    for name, extra in (("transformers", "hf"), ("torch", "hf"), ("opencc", "zh")):
        if importlib.util.find_spec(name) is None:
            yield Finding("note", name, f"not installed; the extra '{extra}' brings it")


def _tasks() -> Finding:
    from harness.task.catalogue import Catalogue

    try:
        names = Catalogue().names()
    except HarnessError as error:
        return Finding("fail", "tasks", str(error))
    return Finding("ok" if names else "fail", "tasks", f"{len(names)} found")


def _known() -> Finding:
    from harness.known_models import known_models

    try:
        return Finding("ok", "models.yaml", f"{len(known_models())} models known")
    except HarnessError as error:
        return Finding("fail", "models.yaml", str(error))


def _models() -> Iterator[Finding]:
    from harness.opening import open_backend
    from harness.records import Execution, ModelSpec

    for name in ("nano", "micro", "mini"):
        try:
            info = open_backend(ModelSpec("embedded", name), Execution(), {}).info
        except (HarnessError, OSError) as error:
            yield Finding("fail", f"embedded/{name}", str(error))
        else:
            yield Finding("ok", f"embedded/{name}", f"{info.parameters:,} parameters")


def _store(root: Path) -> Finding:
    from harness.pipeline import STORE
    from harness.store.responses import SqliteResponses

    if not root.exists():
        return Finding("ok", "results root", f"{root} (made by the first run)")
    if not os.access(root, os.W_OK):
        return Finding("fail", "results root", f"{root} cannot be written")
    try:
        with SqliteResponses(root / STORE) as store:
            return Finding("ok", "results root", f"{root}, {len(store):,} stored answers")
    except HarnessError as error:
        return Finding("fail", "results root", str(error))


def _key() -> Finding:
    if os.environ.get("OPENAI_API_KEY"):
        return Finding("ok", "OPENAI_API_KEY", "set")
    return Finding("note", "OPENAI_API_KEY", "not set; only hosted models need it")
