"""harness init: files to start from."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import UsageError

TASK = """\
# A task of your own. `harness validate {name}.yaml` checks it;
# `harness run {name}.yaml --model embedded/mini` runs it.
# `harness schema task` prints all keys as JSON Schema, for your editor.
task: {name}
version: 1                      # raise it when scores stop being comparable
title: {title}
about: What does it show, and who wants to know?
language: en                    # en or zh: decides how answers are normalised
tags: [mine]

# Rows: a .csv, .jsonl or .parquet file, or a data set of the hub:
# data: {{hub: openai/gsm8k, config: main, split: test}}
data: {{file: {name}.csv}}

# Jinja templates over the columns of a row.
prompt: "{{{{ question }}}}\\nAnswer in one word."
target: "{{{{ answer }}}}"          # or a list of accepted answers

method: generate                # generate | choose | rank | perplexity
generation: {{max_tokens: 32, temperature: 0, stop: ["\\n"]}}
extract: [text]                 # number | letter | yes_no | text | ... : how the answer is read
metrics: [quasi_exact_match, f1]  # the first one is primary
slices: [topic]                 # columns to break the results down by
"""
ROWS = """\
question,answer,topic
What is the capital of France?,Paris,geography
How many legs does a spider have?,eight,animals
What colour do you get from blue and yellow?,green,colours
"""
APPLICATION = '''\
"""Your own application as a model: `--model python/{module}:answer`."""


def answer(messages: list[dict[str, str]]) -> str:
    """Get the chat so far, give the reply."""
    question = messages[-1]["content"]
    return "Paris" if "France" in question else "I do not know."
'''


@click.command("init")
@click.argument("what", type=click.Choice(["task"]), expose_value=False)
@click.argument("name", default="my_task")
def command(name: str) -> None:
    """Write NAME.yaml (commented), NAME.csv and NAME_app.py into this folder."""
    if not name.replace("-", "_").isidentifier():
        raise UsageError(f"name: letters, digits, - and _ only; got '{name}'")
    module = name.replace("-", "_") + "_app"
    files = {
        f"{name}.yaml": TASK.format(name=name, title=name.replace("_", " ").capitalize()),
        f"{name}.csv": ROWS,
        f"{module}.py": APPLICATION.format(module=module),
    }
    taken = [path for path in files if Path(path).exists()]
    if taken:
        raise UsageError(f"{', '.join(taken)} exists already; choose another name")
    for path, text in files.items():
        Path(path).write_text(text, encoding="utf-8")
        click.echo(f"wrote {path}")
    click.echo(
        f"\nnext:  harness validate {name}.yaml\n"
        f"       harness run {name}.yaml --model embedded/mini\n"
        f"       harness run {name}.yaml --model python/{module}:answer"
    )
