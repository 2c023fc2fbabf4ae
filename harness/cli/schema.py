"""harness schema: JSON Schema of what users write, for editors."""

from __future__ import annotations

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["task", "run"]))
def command(kind: str) -> None:
    """Print the JSON Schema of task or run files."""
    import json

    from harness.config import run_schema
    from harness.task.schema import task_schema

    schema = {"task": task_schema, "run": run_schema}[kind]()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
