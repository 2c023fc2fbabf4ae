"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]


def model_options(command: Command) -> Command:
    """Add the options that name a model and how to reach it."""
    for option in reversed(
        [
            click.option(
                "--model", "-m", metavar="SPEC", help="provider/name, or an alias of models.yaml."
            ),
            click.option("--models", metavar="FILE", help="A file of models (see docs/backends)."),
            click.option(
                "-M", "model_args", multiple=True, metavar="K=V", help="Argument of the model."
            ),
            click.option("--base-url", metavar="URL", help="OpenAI-compatible endpoint."),
            click.option(
                "--api-key-env", metavar="VAR", help="Environment variable that holds the key."
            ),
            click.option(
                "--header", "headers", multiple=True, metavar="K=V", help="Extra HTTP header."
            ),
        ]
    ):
        command = option(command)
    return command


def out_option(command: Command) -> Command:
    """Add --out, the results root."""
    return click.option(
        "--out",
        default=None,
        metavar="DIR",
        envvar="HARNESS_OUT",
        help="Results root (default: results).",
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
