"""harness gate: did it get worse, and is that certain?"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, model_options, out_option
from harness.errors import ExitCode, HarnessError, StoreError, UsageError, worst_exit

if TYPE_CHECKING:
    from rich.table import Table

    from harness.gate.align import Aligned
    from harness.gate.policy import Policy
    from harness.gate.records import GateReport


EXECUTION = ("connections", "fresh", "require_cache", "max_cost", "max_tokens_total")
"""Flags of --sequential that say how its run is carried out."""


@click.command("gate")
@click.argument("candidate", required=False, metavar="[CANDIDATE]")
@click.option("--baseline", default="@baseline", show_default=True, metavar="RUN")
@click.option("--policy", "policy_file", metavar="FILE", help="Policy in YAML.")
@click.option("--margin", type=float, metavar="X", help="Loss that is accepted (default: 0.02).")
@click.option("--alpha", type=float, metavar="X", help="Chance of a false alarm (default: 0.05).")
@click.option("--inconclusive", type=click.Choice(["fail", "warn"]), help="Exit 3, or 0.")
@click.option("--task", "tasks", multiple=True, metavar="GLOB", help="Gate only these tasks.")
@click.option("--allow-changed", is_flag=True, help="Compare runs that asked differently.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML.")
@click.option("--summary", metavar="FILE", help="Append Markdown ($GITHUB_STEP_SUMMARY).")
@click.option("--comment", metavar="FILE", help="Write Markdown for a comment.")
@click.option("--link", metavar="URL", help="Where the report is, for the Markdown.")
@click.option("--annotations", is_flag=True, help="::error lines (set in GitHub Actions).")
@click.option("--sequential", is_flag=True, help="Run --model, and stop once it is settled.")
@model_options
@click.option("--limit", type=click.IntRange(min=1), help="--sequential: samples per task.")
@click.option("--seed", type=int, help="--sequential: order of the samples.")
@click.option("--connections", type=click.IntRange(min=1), help="--sequential: in flight.")
@click.option("--fresh", is_flag=True, help="--sequential: ask again what is stored.")
@click.option("--require-cache", is_flag=True, help="--sequential: fail rather than ask.")
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="--sequential: stop at this cost.",
)
@click.option("--max-tokens-total", type=click.IntRange(min=1), help="--sequential: stop there.")
@out_option
@json_option
def command(candidate: str | None, **flags: Any) -> int:
    r"""Gate CANDIDATE (a directory, the start of a name, @latest) against a recorded baseline.

    \b
    harness gate @latest --baseline @baseline --margin 0.02 --junit gate.xml
    harness gate --sequential --model openai/NAME --baseline @baseline
    """
    try:
        report, aligned, run, code = _found(candidate, flags)
        _write(report, aligned, run, flags)
    except HarnessError as error:
        _write_broken(str(error), flags)
        raise
    _show(report, run, as_json=flags["as_json"])
    return int(worst_exit([ExitCode(report.exit_code), code]))


Found = tuple["GateReport", "Aligned", Path, ExitCode]


def _found(candidate: str | None, flags: dict[str, Any]) -> Found:
    policy = policy_of(flags)
    root = Path(flags["out"] or "results")
    if not flags["sequential"]:
        if flags["model"]:
            raise UsageError("--model belongs to --sequential; name the run of the candidate")
        return _stored(candidate or "@latest", flags, root, policy)
    if candidate:
        raise UsageError("--sequential makes the candidate: name a --model, and no run")
    return _sequential(flags, root, policy)


def _stored(candidate: str, flags: dict[str, Any], root: Path, policy: Policy) -> Found:
    from harness.gating import find_baseline, gate_runs, model_of
    from harness.store.manifest import find_run

    run = find_run(candidate, root)
    baseline = find_baseline(flags["baseline"], root, model_of(run))
    found = gate_runs(run, baseline, policy, allow_changed=flags["allow_changed"])
    return found.report, found.aligned, run, ExitCode.OK


def _sequential(flags: dict[str, Any], root: Path, policy: Policy) -> Found:
    from harness.cli.progress import LiveProgress
    from harness.config import build_model
    from harness.gating import Sequential, find_baseline, gate_sequentially
    from harness.records import Execution

    model = build_model({name: value for name, value in flags.items() if value is not None})
    taken = {name: flags[name] for name in EXECUTION if flags[name] not in (None, False)}
    asked = Sequential(
        model=model,
        baseline=find_baseline(flags["baseline"], root, model.label),
        policy=policy,
        execution=Execution(out=str(root), **taken),
        allow_changed=flags["allow_changed"],
        limit=flags["limit"],
        seed=flags["seed"],
    )
    with LiveProgress(enabled=sys.stderr.isatty()) as progress:
        found = gate_sequentially(asked, progress)
    return found.report, found.aligned, found.result.directory, found.result.exit_code


def policy_of(flags: dict[str, Any]) -> Policy:
    """Return the policy: the file's, with the flags over it."""
    import msgspec

    from harness.gate.policy import Policy, load_policy

    policy = load_policy(Path(flags["policy_file"])) if flags["policy_file"] else Policy()
    named = ("margin", "alpha", "inconclusive")
    given = {name: flags[name] for name in named if flags[name] is not None}
    if not 0 < given.get("alpha", 0.05) < 0.5:  # noqa: PLR2004 - half is a coin
        raise UsageError(f"--alpha: allowed: more than 0, less than 0.5; got: {given['alpha']}")
    if given.get("margin", 0.0) < 0:
        raise UsageError(f"--margin: allowed: 0 or more; got: {given['margin']}")
    return msgspec.structs.replace(policy, **given).only(flags["tasks"])


def _write(report: GateReport, aligned: Aligned, run: Path, flags: dict[str, Any]) -> None:
    from harness.gate.annotations import commands
    from harness.gate.junit import junit
    from harness.gate.markdown import markdown
    from harness.gating import junit_cases, task_files

    if flags["junit"]:
        _put(Path(flags["junit"]), junit(report, junit_cases(run, aligned)))
    text = markdown(report, flags["link"])
    if flags["comment"]:
        _put(Path(flags["comment"]), text)
    summary = flags["summary"] or os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        _put(Path(summary), text, append=True)
    if _annotates(flags):
        files = task_files([task.place.task for task in report.tasks], run)
        for line in commands(report, files):
            click.echo(line, err=True)


def _write_broken(reason: str, flags: dict[str, Any]) -> None:
    """Say in every output that there is no verdict: none may go on showing the last one."""
    from harness.gate.annotations import broken
    from harness.gate.junit import broken_junit
    from harness.gate.markdown import broken_markdown

    text = broken_markdown(reason, flags["link"])
    summary = flags["summary"] or os.environ.get("GITHUB_STEP_SUMMARY")
    # what cannot be written now either is told by the error itself
    with contextlib.suppress(StoreError):
        if flags["comment"]:
            _put(Path(flags["comment"]), text)
        if flags["junit"]:
            _put(Path(flags["junit"]), broken_junit(reason))
        if summary:
            _put(Path(summary), text, append=True)
    if _annotates(flags):
        click.echo(broken(reason), err=True)


def _annotates(flags: dict[str, Any]) -> bool:
    return bool(flags["annotations"]) or os.environ.get("GITHUB_ACTIONS") == "true"


def _put(path: Path, text: str, *, append: bool = False) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if append else "w", encoding="utf-8") as handle:
            handle.write(text)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error


def _show(report: GateReport, run: Path, *, as_json: bool) -> None:
    from harness.cli.printable import for_log
    from harness.cli.tables import console
    from harness.gate.records import MARKS
    from harness.gate.say import check_sentence, headline, remarks, spent
    from harness.records import to_json

    if as_json:
        click.echo(to_json(report).decode())
        return
    if report.tasks:
        console().print(_table(report))
    for task in report.tasks:
        if more := remarks(task):
            click.echo(for_log(f"{MARKS[task.verdict]} {task.place.label}: {more}"))
    for check in report.checks:
        click.echo(for_log(f"{MARKS[check.verdict]} {check_sentence(check)}"))
    for note in report.notes:
        click.echo(for_log(f"note: {note}"))
    for flip in [flip for flip in report.flips if flip.lost][:5]:
        asked, was, got = (for_log(text, 60) for text in (flip.input, flip.was, flip.got))
        click.echo(f"lost {flip.sample_id}  {asked}  '{was}' → '{got}'")
    click.echo(f"{spent(report)}\n{run}", err=True)
    click.echo(headline(report))


def _table(report: GateReport) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    from harness.cli.printable import for_log
    from harness.gate.records import MARKS
    from harness.gate.say import interval, plain, signed

    title = f"{report.candidate_model} against {report.baseline_model} ({report.baseline})"
    table = Table(box=SIMPLE, title=title, title_justify="left", title_style="bold")
    confidence = max((task.confidence for task in report.tasks if task.n), default=0.9)
    for name in ("", "task", "metric"):
        table.add_column(name, overflow="fold")
    names = ("baseline", "now", "Δ points", f"{100 * confidence:.0f} % interval", "n", "sees")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for task in report.tasks:
        words = f"{MARKS[task.verdict]} {task.verdict.replace('_', ' ')}"
        table.add_row(
            words,
            for_log(task.place.label),
            for_log(task.metric),
            plain(task.baseline),
            plain(task.candidate),
            signed(task.difference),
            interval(task.low, task.high),
            f"{task.n:,}",
            "–" if task.detectable is None else f"{100 * task.detectable:.1f}",
        )
    return table
