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


NEXT = {
    "task": (
        "\nnext:  harness validate {name}.yaml\n"
        "       harness run {name}.yaml --model embedded/mini\n"
        "       harness run {name}.yaml --model python/{module}:answer"
    ),
    "policy": (
        "\nnext:  harness validate {name}.yaml\n"
        "       harness gate @latest --baseline @baseline --policy {name}.yaml"
    ),
    "ci": "\nnext:  harness bless @latest, commit results/reference/, move {name}.yaml into place",
}
POLICY = """\
# What `harness gate --policy {name}.yaml` holds a candidate to. `harness schema policy` prints all
# keys; `harness validate {name}.yaml` checks this file.
policy: {name}
margin: 0.03                    # a drop of up to 3 points counts as not worse
alpha: 0.05                     # chance of a false alarm over all tasks (Holm)
inconclusive: warn              # or fail: too few samples to tell
floors:
  - "arithmetic/addition primary >= 0.5"  # holds for the lower end of the interval
"""
CI = """\
# Does a change make the model worse? Copy to .github/workflows/; docs/ci.md explains it.
name: evaluation
on: pull_request
permissions: {contents: read, pull-requests: write}
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.11"}
      - run: pip install harness
      # stored answers: what has not changed is not asked again
      - uses: actions/cache/restore@v4
        with:
          path: results/responses.sqlite
          key: harness-responses-${{ github.run_id }}-${{ github.run_attempt }}
          restore-keys: harness-responses-
      # exit codes 4 and 5, many failures and a budget reached, are the gate's to tell
      - run: harness run tag:core --model openai/NAME --limit 500 || [ $? -ge 4 ]
        env: {OPENAI_API_KEY: "${{ secrets.OPENAI_API_KEY }}"}
      - run: >-
          harness gate @latest --baseline @baseline --inconclusive warn
          --junit results/gate.xml --comment results/gate.md
      - uses: actions/cache/save@v4
        if: always()
        with:
          path: results/responses.sqlite
          key: harness-responses-${{ github.run_id }}-${{ github.run_attempt }}
      - run: harness comment results/gate.md || echo "the comment could not be written"
        if: always()
        env: {GITHUB_TOKEN: "${{ github.token }}"}
"""


@click.command("init")
@click.argument("what", type=click.Choice(["task", "policy", "ci"]))
@click.argument("name", required=False)
def command(what: str, name: str | None) -> None:
    """Write files to start from into this folder: a task, a gate policy, or a CI workflow.

    A task comes as NAME.yaml (commented), NAME.csv and NAME_app.py.
    """
    name = name or {"task": "my_task", "policy": "gate", "ci": "evaluation"}[what]
    if not name.replace("-", "_").isidentifier():
        raise UsageError(f"name: letters, digits, - and _ only; got '{name}'")
    module = name.replace("-", "_") + "_app"
    files = {
        "task": {
            f"{name}.yaml": TASK.format(name=name, title=name.replace("_", " ").capitalize()),
            f"{name}.csv": ROWS,
            f"{module}.py": APPLICATION.format(module=module),
        },
        "policy": {f"{name}.yaml": POLICY.format(name=name)},
        "ci": {f"{name}.yaml": CI},
    }[what]
    taken = [path for path in files if Path(path).exists()]
    if taken:
        raise UsageError(f"{', '.join(taken)} exists already; choose another name")
    for path, text in files.items():
        Path(path).write_text(text, encoding="utf-8")
        click.echo(f"wrote {path}")
    click.echo(NEXT[what].format(name=name, module=module))
