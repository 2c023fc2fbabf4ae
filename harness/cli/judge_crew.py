"""What the verbs of `harness judge` share: the judge's models, the store, limits and progress."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.hearing import Hearing
    from harness.judging import Assigned, Crew

Command = Callable[..., Any]

models_option = click.option(
    "--model", "-m", "models", multiple=True, required=True, metavar="[SEAT=]SPEC",
    help="The judge's model; for a panel one for each seat, SEAT=SPEC.",
)  # fmt: skip
connections_option = click.option(
    "--connections", type=click.IntRange(min=1), default=16,
    help="Requests in flight (default: 16).",
)  # fmt: skip


def limits(command: Command) -> Command:
    """Add the options that reach a judge's model and bound what it may cost."""
    for option in reversed(
        [
            click.option("-M", "model_args", multiple=True, metavar="K=V",
                         help="Argument of the judge's model, such as its price."),
            click.option("--base-url", metavar="URL", help="Endpoint of the judge's model."),
            click.option("--api-key-env", metavar="VAR",
                         help="Environment variable that holds its key."),
            click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD",
                         help="Stop once this is spent."),
            click.option("--max-tokens-total", type=click.IntRange(min=1), metavar="N",
                         help="Stop once these are used."),
            click.option("--require-cache", is_flag=True, help="Fail rather than ask."),
            click.option("--dry-run", is_flag=True, help="Say what would be asked; ask nothing."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def with_crew(flags: dict[str, Any], work: Callable[[Assigned, Crew], Any]) -> Any:
    """Open a judge's models and the store of responses, do the work, and close them."""
    from harness.config import parse_model, parse_pairs
    from harness.judge.spec import find_judge
    from harness.judging import Crew, judge_roots, seat_models
    from harness.known_models import known_models
    from harness.opening import open_backend
    from harness.pipeline import STORE
    from harness.pricing import must_be_known, price_for
    from harness.records import Execution
    from harness.run.policy import RetryPolicy
    from harness.run.rate import terms_of
    from harness.run.sender import SendRules
    from harness.run.traffic import Traffic
    from harness.store.responses import SqliteResponses

    spec = find_judge(flags["judge"], judge_roots())
    models, known = {}, known_models()
    arguments = parse_pairs(flags.get("model_args", ()))
    for text in flags["models"]:
        seat, equals, rest = text.partition("=")
        named = bool(equals) and "/" not in seat
        asked = rest if named else text
        models[seat if named else spec.name] = parse_model(
            asked, arguments, flags.get("base_url"), flags.get("api_key_env"), models=known
        )
    assigned = _assigned(seat_models(spec, models), spec.name, models)

    def price(model: Any, backend: Any) -> Any:
        found = price_for(model, backend, known)
        if flags.get("max_cost") is not None:
            must_be_known(found, model, judge=False)
        return found

    execution = Execution(out=root_of(flags), connections=flags["connections"])
    rules = SendRules(
        Traffic(flags["connections"]),
        RetryPolicy(),
        require_cache=bool(flags.get("require_cache")),
        terms=terms_of(next(iter(models.values()))),
    )
    with SqliteResponses(Path(execution.out) / STORE) as store:
        crew = Crew(lambda model: open_backend(model, execution, {}), store, rules, price=price)

        async def run() -> Any:
            try:
                for _, _, model in assigned.seats:
                    crew.executor(model, spec.name)
                return await work(assigned, crew)
            finally:
                await crew.close()

        return asyncio.run(run())


def _assigned(found: Assigned | str, name: str, models: dict[str, Any]) -> Assigned:
    if isinstance(found, str):
        raise UsageError(f"{name} {found.replace('--judge', '--model')}")
    seats = {seat for seat, _, _ in found.seats}
    for given in models:
        if given not in seats | {name}:
            raise UsageError(f"--model {given}=: {name} has no such seat; it has: "
                             f"{', '.join(sorted(seats))}")  # fmt: skip
    return found


def hearing(flags: dict[str, Any], assigned: Assigned, crew: Crew) -> Hearing:
    """Return what puts cases before the judge, within the limits that were given."""
    from harness.hearing import Hearing, width
    from harness.run.policy import Budget

    name = assigned.judge.name
    backends = [crew.executor(model, name)[0] for _, _, model in assigned.seats]
    return Hearing(
        assigned,
        crew,
        Budget(flags["max_cost"], flags["max_tokens_total"]),
        progress,
        width(backends, flags["connections"]),
    )


def root_of(flags: dict[str, Any]) -> str:
    """Return the results root."""
    return str(flags["out"] or "results")


def progress(done: int, planned: int) -> None:
    """Count on a terminal how far a judge has come."""
    if sys.stderr.isatty() and (done % 20 == 0 or done == planned):
        click.echo(f"\r{done:,} of {planned:,}", err=True, nl=done == planned)
