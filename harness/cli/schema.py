"""harness schema: JSON Schema of what users write, for editors."""

from __future__ import annotations

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["task", "run"]))
def command(kind: str) -> None:
    """Print the JSON Schema of task or run files."""
    import json

    from harness.task.schema import schema

    click.echo(json.dumps(schema(kind), indent=2, ensure_ascii=False))
