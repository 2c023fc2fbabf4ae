"""harness schema: JSON Schema of what users write, for editors."""

from __future__ import annotations

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["task", "run", "policy", "judge"]))
def command(kind: str) -> None:
    """Print the JSON Schema of task, run, policy or judge files."""
    import json

    from harness.config import run_schema
    from harness.gate.policy import policy_schema
    from harness.judge.spec import judge_schema
    from harness.task.schema import task_schema

    schemas = {
        "task": task_schema,
        "run": run_schema,
        "policy": policy_schema,
        "judge": judge_schema,
    }
    schema = schemas[kind]()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
