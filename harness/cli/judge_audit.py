"""harness judge audit and calibrate: what a judge's verdicts are worth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.judge_crew import (
    connections_option,
    hearing,
    limits,
    models_option,
    root_of,
    with_crew,
)
from harness.cli.options import json_option, out_option
from harness.errors import ExitCode

if TYPE_CHECKING:
    from harness.hearing import Estimate, Hearing
    from harness.judge.calibrate import Calibration
    from harness.judge.certificate import Certificate
    from harness.judge.measures import Measure
    from harness.judging import Assigned, Crew
    from harness.run.policy import Usage

FACTS = 120
"""Facts for each language: a judge that errs at random on 3 % passes 19 audits of 20."""

_STOPPED = {"failing": ExitCode.INFRASTRUCTURE, "budget": ExitCode.BUDGET}


@click.command("audit")
@click.argument("judge")
@models_option
@click.option("--n", "count", type=click.IntRange(min=1), default=FACTS,
              help=f"Facts for each language (default: {FACTS}).")  # fmt: skip
@click.option("--probes", metavar="KIND,...", help="qa, sum, translation (default: the judge's).")
@click.option("--rival", metavar="SPEC", help="Another model, to set its words against.")
@click.option("-o", "folder", metavar="DIR", help="Where certificate.json and .html go.")
@limits
@connections_option
@out_option
@json_option
def audit_command(**flags: Any) -> int:
    """Look for the biases of JUDGE, and give or refuse a certificate.

    The exit code is 1 where it is refused. Verdicts are stored: the same command goes on where
    it was stopped.
    """
    from harness.auditing import Audit, bundled_facts, kinds_for
    from harness.config import parse_model
    from harness.records import to_json

    spent: list[Usage] = []

    async def work(assigned: Assigned, crew: Crew) -> Certificate | Estimate:
        kinds = kinds_for(assigned.judge, flags["probes"])
        facts = bundled_facts(flags["count"], kinds)
        rival = parse_model(flags["rival"]) if flags["rival"] else None
        audit = Audit(hearing(flags, assigned, crew), facts, rival)
        if flags["dry_run"]:
            return audit.estimate()
        found = await audit.go()
        spent.append(audit.hearing.spent())
        return found

    found = with_crew(flags, work)
    if flags["dry_run"]:
        return _print_estimate(found, as_json=flags["as_json"])
    page = _write(found, Path(flags["folder"] or Path(root_of(flags)) / "audits" / _slug(found)))
    if flags["as_json"]:
        click.echo(to_json(found).decode())
    else:
        _print_certificate(found)
        _print_spent(spent[0])
        click.echo(str(page))
    if found.granted:
        return int(ExitCode.OK)
    return int(_STOPPED.get((found.stopped or "").partition(":")[0], ExitCode.REGRESSED))


def _write(found: Certificate, folder: Path) -> Path:
    import msgspec

    from harness.errors import StoreError
    from harness.records import to_json
    from harness.report.certificate import certificate_page

    page = folder / "certificate.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "certificate.json").write_bytes(to_json(found) + b"\n")
        page.write_text(certificate_page(msgspec.to_builtins(found)), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder}: the certificate cannot be written: {error}") from error
    return page


def _slug(found: Certificate) -> str:
    models = "-".join(dict.fromkeys(model["name"] for model in found.models.values()))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{found.judge}-{models}")[:80]


def _print_certificate(found: Certificate) -> None:
    models = ", ".join(dict.fromkeys(model["name"] for model in found.models.values()))
    from harness.judge.certificate import outcome

    word = {"granted": "granted", "refused": "REFUSED", "incomplete": "INCOMPLETE"}[outcome(found)]
    click.echo(f"{word}: judge {_plain(found.judge)} by {_plain(models)}, {found.probes:,} probes "
               f"of {sum(found.facts.values())} facts")  # fmt: skip
    if found.stopped is not None:
        click.echo(f"  stopped: {_plain(found.stopped)}")
        if word == "INCOMPLETE":
            click.echo("  the same command goes on from the stored answers")
    click.echo(f"     {'measure':16} {'found':>7}  {'95 % interval':>17}  {'allowed':>7}  "
               f"{'n':>5}  caught from")  # fmt: skip
    for one in found.measures:
        click.echo(_measure_line(one))
    for reason in found.reasons[found.stopped is not None :]:
        click.echo(f"  {'so far' if word == 'INCOMPLETE' else 'refused for'} {_plain(reason)}")
    for note in found.notes:
        click.echo(f"  note: {_plain(note.text)}")


def _measure_line(one: Measure) -> str:
    mark = "ok" if one.passed else "✗" if one.shown else "?"
    sign = "" if one.kind == "rate" else "+"
    value = "–" if one.value is None else f"{one.value:{sign}.1%}"
    ends = one.low is not None and one.high is not None
    span = f"{one.low:{sign}.1%} to {one.high:{sign}.1%}" if ends else ""
    allowed = ("±" if one.kind == "shift" else "") + f"{one.limit:.0%}"
    caught = "" if one.caught_from is None else f"{one.caught_from:.1%}"
    if one.caught_from == 0:
        caught = "too few to pass"
    return f"  {mark:2} {one.name:16} {value:>7}  {span:>17}  {allowed:>7}  {one.n:5,}  {caught}"


def _print_estimate(found: Estimate, *, as_json: bool) -> int:
    from harness.records import to_json

    if as_json:
        click.echo(to_json(found).decode())
        return int(ExitCode.OK)
    cost = "at a price that is not known" if found.cost_usd is None else (
        f"at most ${found.cost_usd:,.2f}")  # fmt: skip
    click.echo(
        f"judge {found.judge}: {found.items:,} verdicts, {found.requests:,} different requests or "
        f"more, about {found.prompt_tokens:,} tokens in, at most {found.completion_tokens:,} out, "
        f"{cost}"
    )
    click.echo("nothing was sent")
    return int(ExitCode.OK)


def _print_spent(usage: Usage) -> None:
    from harness.cli.progress import spent

    if not usage.requests and usage.cached:
        click.echo("0 calls, replayed from the store: not new evidence")
    click.echo(spent(usage, sum(usage.failures.values())), err=True)


@click.command("calibrate")
@click.argument("judge")
@models_option
@click.option(
    "--labels",
    default="bundled",
    metavar="FILE",
    help="JSONL, CSV or Parquet of question, answer and label (default: those that ship).",
)
@click.option("--form", default="own", help="own, llmbar, evouna, judgebench, pandalm or auto-j.")
@click.option("--system", default="", help="Whose answers, where a set holds several systems'.")
@click.option("--limit", type=click.IntRange(min=1), help="N labels, drawn at random.")
@limits
@connections_option
@out_option
@json_option
def calibrate_command(**flags: Any) -> int:
    """Compare JUDGE with people's labels.

    Without --labels with the 208 labelled short answers that ship.
    """
    from harness.calibrating import Calibrating, labels_from
    from harness.records import to_json

    opened: list[Hearing] = []

    async def work(assigned: Assigned, crew: Crew) -> Calibration | Estimate:
        labelled = labels_from(assigned, flags["labels"], flags["form"], flags["system"])
        opened.append(hearing(flags, assigned, crew))
        calibrating = Calibrating(opened[0], labelled, flags["limit"])
        return calibrating.estimate() if flags["dry_run"] else await calibrating.go()

    found = with_crew(flags, work)
    if flags["dry_run"]:
        return _print_estimate(found, as_json=flags["as_json"])
    if flags["as_json"]:
        click.echo(to_json(found).decode())
    else:
        _print_calibration(found)
        _print_spent(opened[0].spent())
    return _stopped(opened[0].stopped)


def _stopped(reason: str | None) -> int:
    if reason is None:
        return int(ExitCode.OK)
    code = _STOPPED.get(reason.partition(":")[0])
    on = "" if code is None else "; the same command goes on from the stored answers"
    click.echo(f"incomplete: {_plain(reason)}{on}", err=True)
    return int(code or ExitCode.OK)


def _print_calibration(found: Calibration) -> None:
    low, high = found.bounds
    whole = f"{low:.1%}" if low == high else f"{low:.1%} to {high:.1%}"
    click.echo(f"{found.judged:,} of {found.labels:,} labels judged; accuracy over all of them is "
               f"{whole}")  # fmt: skip
    for name, one in found.numbers.items():
        value = "–" if one.value is None else f"{one.value:.3f}"
        span = "" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
        click.echo(f"  {name:24} {value:>7}  {span:16} n={one.n:,}")
    if found.groups:
        click.echo("  accuracy by subset:")
    for name, one in found.groups.items():
        click.echo(f"    {_plain(name)[:22]:22} {one.value:>7.3f}  {one.low:.3f} to {one.high:.3f} "
                   f"  n={one.n:,}")  # fmt: skip
    if found.judged:
        width = max(map(len, found.verdicts))
        click.echo("  label \\ verdict: " + "  ".join(f"{n:>{width}}" for n in found.verdicts))
        for name, row in zip(found.verdicts, found.confusion, strict=True):
            click.echo(f"  {name:>15}  " + "  ".join(f"{count:>{width}}" for count in row))
    for reason, count in found.missing_reasons.items():
        click.echo(f"  missing: {count:,} × {_plain(reason)[:160]}")
    for warning in found.warnings:
        click.echo(f"  warning: {_plain(warning)}")


def _plain(text: str) -> str:
    """Return foreign text that cannot steer a terminal: reasons quote what a model said."""
    from harness.cli.printable import printable

    return printable(text)
