"""harness ls: list what there is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, out_option
from harness.cli.printable import printable

if TYPE_CHECKING:
    from harness.known_models import Known
    from harness.task.spec import TaskSpec

WHAT = ("tasks", "models", "metrics", "perturbations", "runs")


@click.command("ls")
@click.argument("what", type=click.Choice(WHAT), default="tasks")
@click.argument("patterns", nargs=-1)
@click.option("--long", "-l", is_flag=True, help="Tasks: count rows, and say what each measures.")
@click.option("-n", "count", type=click.IntRange(min=1), default=None, help="Show at most so many.")
@out_option
@json_option
def command(
    what: str,
    patterns: tuple[str, ...],
    long: bool,
    count: int | None,
    out: str | None,
    as_json: bool,
) -> None:
    """List tasks, models, metrics, perturbations or runs."""
    from harness.records import to_json

    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "tasks": lambda: _tasks(patterns, long=long),
        "models": _models,
        "metrics": _metrics,
        "perturbations": _perturbations,
        "runs": lambda: _runs(Path(out or "results")),
    }
    rows = makers[what]()
    shown = rows[:count]
    if as_json:
        click.echo(to_json(shown).decode())
        return
    _print(shown, what)
    if len(shown) < len(rows):
        click.echo(f"… and {len(rows) - len(shown)} more")


def _print(rows: list[dict[str, Any]], what: str) -> None:
    if not rows:
        click.echo(f"no {what}")
        return
    rows = [{name: printable(str(value)) for name, value in row.items()} for row in rows]
    widths = {name: max(len(name), *(_width(str(row[name])) for row in rows)) for name in rows[0]}
    last = list(rows[0])[-1]
    click.echo("  ".join(_pad(name, 0 if name == last else widths[name]) for name in rows[0]))
    for row in rows:
        cells = (_pad(str(v), 0 if name == last else widths[name]) for name, v in row.items())
        click.echo("  ".join(cells))


def _width(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _tasks(patterns: tuple[str, ...], *, long: bool) -> list[dict[str, Any]]:
    from harness.task.catalogue import Catalogue

    rows = []
    for item in Catalogue().resolve(patterns or ("*",)):
        task = item.load()
        row = {
            "task": task.task,
            "lang": task.language,
            "rows": _size(task, count=long),
            "method": task.method,
            "tags": ",".join(task.tags),
            "title": task.title or "",
        }
        rows.append(row | {"measures": " ".join(task.about.split())} if long else row)
    return rows


def _size(task: TaskSpec, *, count: bool) -> str:
    """Return the number of rows; of generated ones only where they are to be counted."""
    if task.data.hub is not None:
        return "hub"
    if task.data.file is not None:
        path = Path(task.origin.folder_of("data")).parent / task.data.file
        if path.suffix == ".jsonl" and path.is_file():
            with path.open("rb") as lines:
                return f"{sum(1 for line in lines if line.strip()):,}"
        return "file"
    if not count:
        return "made"
    from harness.plugins import load

    maker = load("generator", task.data.generator or "")()
    return f"{sum(1 for _ in maker(task.data.args, task.data.seed)):,}"


def _models() -> list[dict[str, Any]]:
    from harness.known_models import known_models
    from harness.plugins import names

    notes = {
        "anthropic": "anthropic/NAME: the Messages API (ANTHROPIC_API_KEY)",
        "command": "command/PROGRAM -M args=…: any program that speaks JSON lines",
        "hf": "hf/FOLDER or hf/NAME: transformers, on this machine (extra hf)",
        "litellm": "litellm/PROVIDER/NAME: what litellm reaches (extra litellm)",
        "llamacpp": "llamacpp/FILE.gguf: llama.cpp, on this machine (extra llamacpp)",
        "embedded": "embedded/nano, embedded/micro, embedded/mini: ship with the harness",
        "openai": "openai/NAME --base-url URL: any OpenAI-compatible server",
        "python": "python/package.module:function: your own application",
        "replay": "replay/RUN: the answers of a recorded run",
        "scripted": "scripted/oracle, wrong, random, constant: to check tasks",
    }
    backends = [
        {
            "model": f"{name}/…",
            "price": "",
            "parameters": "",
            "context": "",
            "licence": "",
            "note": notes.get(name, "a plug-in"),
        }
        for name in names("backend")
    ]
    return backends + [_known(name, known) for name, known in known_models().items()]


def _known(name: str, known: Known) -> dict[str, Any]:
    """Return a row of what is known; unknown is said, never shown as 0."""
    price, count = known.price, known.parameters
    said = "unknown"
    if price is not None:
        cached = "" if price.cached is None else f" ({price.cached:g} cached)"
        day = f" ({price.date})" if price.date else ""
        said = f"{price.prompt:g} in{cached}, {price.out:g} out{day}"
    return {
        "model": name,
        "price": said,
        "parameters": "unknown" if count is None else _short(count),
        "context": "unknown" if known.context is None else f"{known.context:,}",
        "licence": known.licence or "unknown",
        "note": ", ".join(
            [f"alias {known.alias}"] * bool(known.alias) + [f"of {known.model}"] * bool(known.model)
        ),
    }


def _short(count: int) -> str:
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return str(count)


def _metrics() -> list[dict[str, Any]]:
    from harness.plugins import load, names

    arrows = {True: "higher", False: "lower", None: "–"}
    metrics = [load("metric", name) for name in names("metric")]
    return [
        {"metric": m.name, "group": m.group, "better": arrows[m.higher_is_better], "n": m.unit}
        for m in sorted(metrics, key=lambda m: (m.group, m.name))
    ]


def _perturbations() -> list[dict[str, Any]]:
    from harness.plugins import load, names

    rows = []
    for name in names("perturbation"):
        found = load("perturbation", name)()
        rows.append(
            {
                "perturbation": name,
                "group": found.group,
                "changes": found.changes,
                "languages": ",".join(sorted(found.languages)) or "any",
                "version": found.version,
            }
        )
    return rows


def _runs(root: Path) -> list[dict[str, Any]]:
    from harness.errors import InvalidFile
    from harness.store.manifest import RUN, SPEC, read_json, runs

    rows = []
    for path in reversed(runs(root)):
        row = {"run": path.name, "status": "unreadable", "model": "", "tasks": ""}
        with contextlib.suppress(InvalidFile, KeyError, TypeError):  # one bad run hides no other
            spec = read_json(path / SPEC)["spec"]
            row["tasks"] = " ".join(spec["tasks"])
            row["model"] = f"{spec['model']['provider']}/{spec['model']['name']}"
            done = (path / RUN).exists()
            row["status"] = read_json(path / RUN)["status"] if done else "interrupted"
        rows.append(row)
    return rows
