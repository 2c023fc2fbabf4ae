"""harness judge: audit, calibrate, correct and compare by judges."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, out_option
from harness.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from harness.judge.calibrate import Calibration
    from harness.judge.certificate import Certificate
    from harness.judging import Assigned, Crew

_models = click.option(
    "--model", "-m", "models", multiple=True, required=True, metavar="[SEAT=]SPEC",
    help="The judge's model; for a panel one for each seat, SEAT=SPEC.",
)  # fmt: skip
_connections = click.option("--connections", type=click.IntRange(min=1), default=16,
                            help="Requests in flight (default: 16).")  # fmt: skip


@click.group("judge")
def command() -> None:
    """Measure a judge's errors, and correct the scores that it gave.

    A judge's verdicts are believed once it was audited and calibrated: `audit` looks for its
    biases, `calibrate` compares it with people, `correct` takes its errors out of a run's scores.
    """


@command.command("audit")
@click.argument("judge")
@_models
@click.option("--n", "count", type=click.IntRange(min=1), default=60,
              help="Facts for each language (default: 60).")  # fmt: skip
@click.option("-o", "folder", metavar="DIR", help="Where certificate.json and .html go.")
@_connections
@out_option
@json_option
def audit_command(**flags: Any) -> int:
    """Look for the biases of JUDGE, and give or refuse a certificate.

    The exit code is 1 where it is refused.
    """
    from harness.auditing import audit, bundled_facts
    from harness.judge.certificate import page
    from harness.records import to_json

    facts = bundled_facts(flags["count"])
    found = _with_crew(flags, lambda assigned, crew: audit(assigned, crew, facts, _progress))
    folder = Path(flags["folder"] or Path(_root(flags)) / "audits" / _slug(found))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "certificate.json").write_bytes(to_json(found) + b"\n")
    import msgspec

    (folder / "certificate.html").write_text(page(found, msgspec.to_builtins(found)), "utf-8")
    if flags["as_json"]:
        click.echo(to_json(found).decode())
    else:
        _print_certificate(found)
        click.echo(str(folder / "certificate.html"))
    return int(ExitCode.OK if found.granted else ExitCode.REGRESSED)


def _slug(found: Certificate) -> str:
    models = "-".join(model["name"] for model in found.models.values())
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{found.judge}-{models}")[:80]


def _print_certificate(found: Certificate) -> None:
    click.echo(f"{'granted' if found.granted else 'REFUSED'}: judge {found.judge}, "
               f"{found.probes} probes")  # fmt: skip
    for one in found.measures:
        rate = "–" if one.rate is None else f"{one.rate:6.1%}"
        span = "" if one.low is None or one.high is None else f"{one.low:.1%}–{one.high:.1%}"
        mark = "ok" if one.passed else "✗"
        click.echo(f"  {mark:2} {one.name:16} {one.failures:4} of {one.n:4}  {rate:>7}  {span}")
    for reason in found.reasons:
        click.echo(f"  refused for {_plain(reason)}")
    for note in found.notes:
        click.echo(f"  not measured: {_plain(note)}")


@command.command("calibrate")
@click.argument("judge")
@_models
@click.option(
    "--labels",
    default="bundled",
    metavar="FILE",
    help="JSONL, CSV or Parquet of question, answer and label (default: those that ship).",
)
@click.option("--form", default="own", help="own, llmbar, evouna, judgebench, pandalm or auto-j.")
@click.option("--system", default="", help="Whose answers, where a set holds several systems'.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N labels.")
@_connections
@out_option
@json_option
def calibrate_command(**flags: Any) -> int:
    """Compare JUDGE with people's labels."""
    from harness.calibrating import calibrate, labels_from
    from harness.records import to_json

    async def work(assigned: Assigned, crew: Crew) -> Calibration:
        labelled = labels_from(assigned, flags["labels"], flags["form"], flags["system"])
        found, _ = await calibrate(assigned, crew, labelled[: flags["limit"]], _progress)
        return found

    found = _with_crew(flags, work)
    if flags["as_json"]:
        click.echo(to_json(found).decode())
    else:
        _print_calibration(found)
    return int(ExitCode.OK)


def _print_calibration(found: Calibration) -> None:
    low, high = found.bounds
    click.echo(f"{found.judged} of {found.labels} labels judged; accuracy over all of them is "
               f"{low:.1%} to {high:.1%}")  # fmt: skip
    for name, one in found.numbers.items():
        value = "–" if one.value is None else f"{one.value:.3f}"
        span = "" if one.low is None or one.high is None else f"{one.low:.3f}–{one.high:.3f}"
        click.echo(f"  {name:22} {value:>7}  {span:15} n={one.n}")
    width = max(map(len, found.verdicts))
    click.echo("  label \\ verdict: " + "  ".join(f"{name:>{width}}" for name in found.verdicts))
    for name, row in zip(found.verdicts, found.confusion, strict=True):
        click.echo(f"  {name:>15}  " + "  ".join(f"{count:>{width}}" for count in row))
    for warning in found.warnings:
        click.echo(f"  warning: {_plain(warning)}")


@command.command("correct")
@click.argument("run", default="@latest")
@click.option("--labels", required=True, metavar="FILE", help="Exported by harness label.")
@click.option("--against", metavar="RUN", help="Correct the difference to this run.")
@click.option("--labels-against", metavar="FILE", help="Labels of that run.")
@out_option
@json_option
def correct_command(**flags: Any) -> int:
    """Take a judge's errors out of RUN's scores, by people's labels of a random subset."""
    from harness.correcting import correct, corrected_difference, finished
    from harness.records import to_json
    from harness.store.manifest import find_run

    root = Path(_root(flags))
    run = finished(find_run(flags["run"], root))
    if flags["against"]:
        if not flags["labels_against"]:
            raise UsageError("--against needs --labels-against: labels of that run")
        other = finished(find_run(flags["against"], root))
        files = (Path(flags["labels"]), Path(flags["labels_against"]))
        gaps = corrected_difference(run, other, files)
        if flags["as_json"]:
            click.echo(to_json(gaps).decode())
        for gap in () if flags["as_json"] else gaps:
            click.echo(f"{gap.task}: difference raw {gap.raw:+.3f}, corrected "
                       f"{_span(gap.value, gap.low, gap.high)} ({gap.labels} labels)")  # fmt: skip
        return int(ExitCode.OK)
    found = correct(run, Path(flags["labels"]))
    if flags["as_json"]:
        click.echo(to_json({"run": str(run), "corrections": found}).decode())
        return int(ExitCode.OK)
    for one in found:
        raw = one.raw
        click.echo(f"{one.task} [{one.arm}, {one.variant}] n={one.n}, {one.labels} labels")
        click.echo(f"  raw           {_span(raw['value'], raw['low'], raw['high'])}")
        for name, values in one.corrected.items():
            text = _span(values["value"], values["low"], values["high"])
            effective = values["effective_n"]
            worth = f"  worth {effective:.0f} labels" if effective else ""
            click.echo(f"  {name:13} {values['reason'] or text}{worth}")
        for warning in one.warnings:
            click.echo(f"  warning: {_plain(warning)}")
    return int(ExitCode.OK)


def _span(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "–"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


@command.command("arena")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--judge", "judges", multiple=True, required=True, metavar="NAME=SPEC",
              help="A pairwise judge and its model.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Samples, drawn at random.")
@_connections
@out_option
@json_option
def arena_command(**flags: Any) -> int:
    """Compare the answers of RUNs pair by pair, and rank their models."""
    from harness import arena
    from harness.records import to_json
    from harness.store.manifest import find_run

    started = time.time()
    root = Path(_root(flags))
    entrants = [arena.entrant(find_run(name, root)) for name in flags["runs"]]
    played = arena.games(entrants, flags["limit"])
    flags["judge"], flags["models"] = _one_judge(flags["judges"])

    async def work(assigned: Assigned, crew: Crew) -> Any:
        if assigned.judge.mode != "pairwise":
            raise UsageError(f"judge {assigned.judge.name} does not compare: an arena needs a "
                             "judge of mode pairwise")  # fmt: skip
        return await arena.play(assigned, crew, played, _progress)

    found = _with_crew(flags, work)
    result = arena.rank(entrants, played, found, flags["judge"])
    result = arena.keep(root, entrants, played, found, result, started)
    if flags["as_json"]:
        click.echo(to_json(result).decode())
        return int(ExitCode.OK)
    for row, held in zip(result.ranks, _same_order(result), strict=True):
        ranks = f"{row.rank_low}" if row.rank_low == row.rank_high else (
            f"{row.rank_low}–{row.rank_high}")  # fmt: skip
        span = f"[{row.low:+.2f}, {row.high:+.2f}]"
        click.echo(f"{ranks:>5}  {row.model:32} {row.strength:+.2f} {span}"
                   f"  wins {row.win_rate:.1%}  at equal style {held.strength:+.2f}")  # fmt: skip
    if result.missing:
        click.echo(f"{result.missing} games without a verdict"
                   f"{': the ranks are unreliable' if result.unreliable else ''}")  # fmt: skip
    click.echo(result.directory)
    return int(ExitCode.OK)


def _same_order(result: Any) -> list[Any]:
    held = {row.run: row for row in result.controlled}
    return [held[row.run] for row in result.ranks]


def _one_judge(judges: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    names = {text.partition("=")[0] for text in judges}
    if len(judges) != 1 or not all("=" in text for text in judges):
        raise UsageError(f"--judge: allowed: one NAME=SPEC; got: {', '.join(sorted(names))}")
    name, _, spec = judges[0].partition("=")
    return name, (spec,)


# ---- putting a judge to work ----------------------------------------------------------------


def _with_crew(flags: dict[str, Any], work: Callable[[Assigned, Crew], Any]) -> Any:
    """Open a judge's models and the store of responses, do the work, and close them."""
    from harness.config import parse_model
    from harness.judge.spec import find_judge
    from harness.judging import Crew, judge_roots, seat_models
    from harness.pipeline import STORE, open_backend
    from harness.records import Execution
    from harness.run.policy import RetryPolicy
    from harness.run.sender import SendRules
    from harness.store.responses import SqliteResponses

    spec = find_judge(flags["judge"], judge_roots())
    models = {}
    for text in flags["models"]:
        seat, equals, rest = text.partition("=")
        named = bool(equals) and "/" not in seat
        models[seat if named else spec.name] = parse_model(rest if named else text)
    assigned = seat_models(spec, models)
    if isinstance(assigned, str):
        raise UsageError(f"{spec.name} {assigned.replace('--judge', '--model')}")
    execution = Execution(out=_root(flags), connections=flags["connections"])
    rules = SendRules(connections=flags["connections"], retry=RetryPolicy())
    with SqliteResponses(Path(execution.out) / STORE) as store:
        crew = Crew(lambda model: open_backend(model, execution, {}), store, rules)

        async def run() -> Any:
            try:
                for _, _, model in assigned.seats:
                    crew.executor(model)
                return await work(assigned, crew)
            finally:
                await crew.close()

        return asyncio.run(run())


def _root(flags: dict[str, Any]) -> str:
    return str(flags["out"] or "results")


def _progress(done: int, planned: int) -> None:
    if sys.stderr.isatty() and (done % 20 == 0 or done == planned):
        click.echo(f"\r{done} of {planned}", err=True, nl=done == planned)


def _plain(text: str) -> str:
    """Return a text without control characters: reasons quote what a model said."""
    return "".join(char if char.isprintable() else "?" for char in text)
