"""harness judge: audit, calibrate, correct and compare by judges."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.judge_audit import audit_command, calibrate_command
from harness.cli.judge_crew import connections_option, progress, root_of, with_crew
from harness.cli.options import json_option, out_option
from harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from harness.correcting import Correction
    from harness.differences import Difference
    from harness.judging import Assigned, Crew


@click.group("judge")
def command() -> None:
    """Measure a judge's errors, and correct the scores that it gave.

    A judge's verdicts are believed once it was audited and calibrated: `audit` looks for its
    biases, `calibrate` compares it with people, `correct` takes its errors out of a run's scores.
    """


command.add_command(audit_command)
command.add_command(calibrate_command)


@command.command("correct")
@click.argument("run", default="@latest")
@click.option("--labels", required=True, metavar="FILE", help="Exported by harness label.")
@click.option("--against", metavar="RUN", help="Correct the difference to this run.")
@click.option("--labels-against", metavar="FILE", help="Labels of that run.")
@out_option
@json_option
def correct_command(**flags: Any) -> int:
    """Take a judge's errors out of RUN's scores, by people's labels of a random subset."""
    from harness.correcting import correct, finished
    from harness.differences import corrected_difference
    from harness.records import to_json
    from harness.store.manifest import find_run

    root = Path(root_of(flags))
    run = finished(find_run(flags["run"], root))
    if flags["against"]:
        if not flags["labels_against"]:
            raise UsageError("--against needs --labels-against: labels of that run")
        other = finished(find_run(flags["against"], root))
        files = (Path(flags["labels"]), Path(flags["labels_against"]))
        gaps = corrected_difference(run, other, files)
        if flags["as_json"]:
            click.echo(to_json(gaps).decode())
        else:
            _print_differences(run, other, gaps)
        return int(ExitCode.OK)
    found = correct(run, Path(flags["labels"]))
    if flags["as_json"]:
        click.echo(to_json({"run": str(run), "corrections": found}).decode())
        return int(ExitCode.OK)
    for one in found:
        _print_correction(one)
    return int(ExitCode.OK)


def _print_correction(one: Correction) -> None:
    place = [one.task, *(name for name in (one.arm, one.variant)
                         if name not in ("default", "original"))]  # fmt: skip
    click.echo(f"{_plain(' · '.join(place))}: {one.n:,} verdicts, {one.labels:,} of them labelled")
    raw = one.raw
    click.echo(f"  {'the judge alone':16} {_span(raw['value'], raw['low'], raw['high'])}")
    for name, values in one.corrected.items():
        text = values["reason"] or _span(values["value"], values["low"], values["high"])
        effective = values["effective_n"]
        worth = f"  as good as {effective:.0f} labels without a judge" if effective else ""
        click.echo(f"  {name:16} {text}{worth}")
    for warning in one.warnings:
        click.echo(f"  warning: {_plain(warning)}")


def _print_differences(run: Path, other: Path, gaps: list[Difference]) -> None:
    click.echo(f"{run.name} minus {other.name}, over the samples that both have judged")
    for gap in gaps:
        click.echo(f"{_plain(gap.task)}: {gap.n:,} pairs, {gap.labels:,} of them labelled in both")
        click.echo(f"  {'the judge alone':16} {_span(gap.raw, gap.raw_low, gap.raw_high, '+')}")
        worth = ""
        if gap.effective_n:
            worth = f"  as good as {gap.effective_n:.0f} labels without a judge"
        click.echo(f"  {'ppi++':16} {_span(gap.value, gap.low, gap.high, '+')}{worth}")
        if gap.missing is not None:
            click.echo(f"  missing: {_plain(str(gap.missing))}")
        for warning in gap.warnings:
            click.echo(f"  warning: {_plain(warning)}")


def _span(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    if value is None or low is None or high is None:
        return "–"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


@command.command("arena")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--judge", "judges", multiple=True, required=True, metavar="NAME=SPEC",
              help="A pairwise judge and its model.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Samples, drawn at random.")
@connections_option
@out_option
@json_option
def arena_command(**flags: Any) -> int:
    """Compare the answers of RUNs pair by pair, and rank their models."""
    from harness import arena, provenance
    from harness.cli.judge_lines import arena_lines
    from harness.records import to_json
    from harness.store.manifest import find_run

    started = time.time()
    root = Path(root_of(flags))
    entrants = [arena.entrant(find_run(name, root)) for name in flags["runs"]]
    played = arena.games(entrants, flags["limit"])
    flags["judge"], flags["models"] = _one_judge(flags["judges"])

    async def work(assigned: Assigned, crew: Crew) -> Any:
        if assigned.judge.mode != "pairwise":
            raise UsageError(f"judge {assigned.judge.name} does not compare: an arena needs a "
                             "judge of mode pairwise")  # fmt: skip
        games = await arena.play(assigned, crew, played, progress)
        return games, arena.judge_record(assigned, crew, entrants)

    found, judge = with_crew(flags, work)
    result = arena.rank(entrants, played, found, flags["judge"])
    record = {"judged_by": judge, **provenance.record(started)}
    result = arena.keep(root, entrants, played, found, result, record)
    if flags["as_json"]:
        click.echo(to_json(result).decode())
        return int(ExitCode.OK)
    for line in arena_lines(result, judge):
        click.echo(_plain(line))
    return int(ExitCode.OK)


def _one_judge(judges: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    names = {text.partition("=")[0] for text in judges}
    if len(judges) != 1 or not all("=" in text for text in judges):
        raise UsageError(f"--judge: allowed: one NAME=SPEC; got: {', '.join(sorted(names))}")
    name, _, spec = judges[0].partition("=")
    return name, (spec,)


def _plain(text: str) -> str:
    """Return a text without control characters: reasons quote what a model said."""
    return "".join(char if char.isprintable() else "?" for char in text)
