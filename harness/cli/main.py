"""The entry point: finds the verb, turns errors into one line and an exit code.

Verbs load when they are called, so that `harness --help` imports no numpy, openai or datasets.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from typing import Any, TextIO

import click

from harness import __version__
from harness.cli.printable import printable
from harness.errors import ExitCode, HarnessError, UsageError, suggestion

VERBS = {
    "demo": ("demo", "Embedded models, core tasks, a report and a board; no key, no network."),
    "run": ("run", "Put tasks to a model and score the answers."),
    "ls": ("ls", "List tasks, models, metrics, perturbations or runs."),
    "show": ("show", "Show a run's results, its failures or one sample."),
    "report": ("report", "Render runs as pages that open from disk."),
    "board": ("board", "Rank the models of a folder of runs."),
    "gate": ("gate", "Did it get worse, and is that certain? For CI."),
    "comment": ("comment", "Keep the gate's comment on a pull request up to date. For CI."),
    "compare": ("compare", "Compare runs sample by sample, with intervals."),
    "bless": ("bless", "Record a run as the baseline."),
    "power": ("power", "Say how many samples an effect takes."),
    "flaky": ("flaky", "Show samples that pass at times."),
    "frontier": ("frontier", "Say up to which level a model masters a task."),
    "rescore": ("rescore", "Score a stored run again, without asking the model."),
    "judge": ("judge", "Audit and calibrate judges; correct their scores; compare runs by them."),
    "label": ("label", "Draw a random subset of a run for people to label."),
    "validate": ("validate", "Check task, run and policy files."),
    "schema": ("schema", "Print the JSON Schema of task, run or policy files."),
    "serve": ("serve", "Serve a model as an OpenAI-compatible endpoint on 127.0.0.1."),
    "init": ("init", "Write a commented task of your own to start from."),
    "doctor": ("doctor", "Check that everything that a run needs is in place."),
}
"""Verb → module of harness.cli and the line of help, kept here so that help loads nothing."""
BROKEN_PIPE = 128 + 13
"""As a shell tells of a program that SIGPIPE ended."""


class _Verbs(click.Group):
    """Loads a verb's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a user's first hour."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb, loaded."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"harness.cli.{VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a misspelt one gets a suggestion."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"no verb '{args[0]}'{suggestion(args[0], VERBS)}; see harness --help")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their lines of help."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="harness %(version)s")
def cli() -> None:
    """Evaluate large language models with numbers that can be trusted.

    Start with `harness demo`, then `harness run arithmetic/addition --model embedded/mini`.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit with the contract's code."""
    given = sys.argv[1:] if arguments is None else arguments
    stdout = sys.stdout
    try:
        _check_text(given)
        code = cli.main(given, prog_name="harness", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort, asyncio.CancelledError):
        say("interrupted; run the same command again to go on")
        code = ExitCode.INTERRUPTED
    except HarnessError as error:
        say(f"error: {error}")
        code = error.exit_code
    except (BrokenPipeError, SystemExit) as error:
        code = _ended(error, stdout)
    except Exception as error:
        if os.environ.get("HARNESS_DEBUG"):
            raise
        known = isinstance(error, OSError)  # such as a full disk behind stdout
        kind = "error" if known else f"internal error: {type(error).__name__}"
        say(f"{kind}: {error}; HARNESS_DEBUG=1 shows where")
        code = ExitCode.INFRASTRUCTURE
    sys.exit(int(code or 0))


def _ended(error: BaseException, stdout: TextIO) -> Any:
    """Return the code of an ending that is none of ours; `stdout` is as it was before.

    Where the reader of a pipe went away (`harness ls | head`) the end is quiet, and the code is
    that of other tools then: not 0, which a gate must not say before it has spoken.
    """
    if isinstance(error, SystemExit) and sys.stdout is stdout:
        return error.code
    # click met the broken pipe, put something in the place of stdout, and left
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # nothing is left to say
    return BROKEN_PIPE


def _check_text(arguments: list[str]) -> None:
    """Refuse arguments that are not UTF-8: they could be neither hashed nor written."""
    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise UsageError(f"an argument is not UTF-8: {argument!r}")


def say(message: str) -> None:
    """Print a line on stderr; what came from files and servers cannot steer the terminal."""
    click.echo(printable(message), err=True)
