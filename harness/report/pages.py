"""Writes the pages: one self-contained file, or a folder where there are too many samples."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from harness.errors import StoreError
from harness.records import Cell, to_json
from harness.report import board_models, board_view, story
from harness.report.blocks import packed
from harness.report.compare_view import compare_page
from harness.report.cost_view import cost_page
from harness.report.judge_view import judge_page
from harness.report.mark import link
from harness.report.model import ReportData
from harness.report.parts import Part, part, placed
from harness.report.run_view import run_page, sample_options
from harness.report.say import Said, known, say, told, words
from harness.report.survey import RunSurvey, primaries, survey
from harness.report.task_view import task_page
from harness.report.visible import seen, visible

SELF_CONTAINED = 10_000
"""Up to so many samples go into index.html; with more they lie beside it."""
SCRIPTS = (
    "core.js",
    "board.js",
    "compare.js",
    "data.js",
    "list.js",
    "export.js",
    "others.js",
    "detail.js",
    "diff.js",
    "print.js",
    "start.js",
)
CHUNKS = "data"


def write_pages(data: ReportData, out: Path) -> Path:
    """Write a report under `out` and return the path of its index.html.

    Raises StoreError where the folder cannot be written.
    """
    surveys = _surveys(data) if data.samples else {}
    apart = sum(found.packed for found in surveys.values()) > SELF_CONTAINED
    chunks = _chunks(data, surveys)
    page = render(data, surveys, {} if apart else chunks, apart=apart)
    index = out / "index.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        _clear(out / CHUNKS)
        if apart:
            _write_chunks(out / CHUNKS, chunks)
        index.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(f"{out}: the report cannot be written: {error}") from error
    return index


def _surveys(data: ReportData) -> dict[str, RunSurvey]:
    tasks = [task["task"] for task in data.board["tasks"]]
    return {run.name: survey(run, tasks, data.most) for run in data.runs}


def _chunks(data: ReportData, surveys: Mapping[str, RunSurvey]) -> dict[str, str]:
    """Return every packed piece by its name: index and blocks of each run, and its cells."""
    chunks: dict[str, str] = {}
    for position, run in enumerate(data.runs):
        found = surveys.get(run.name)
        if found is None:
            continue
        chunks[f"r{position}-index"] = found.index
        chunks[f"r{position}-cells"] = packed([cell for cell in run.cells if cell.slice])
        for number, block in enumerate(found.blocks):
            chunks[f"r{position}-{number}"] = block
    return chunks


def _clear(folder: Path) -> None:
    """Remove what an earlier report left: the scripts, and their folder where it is then empty."""
    for old in folder.glob("r[0-9]*-*.js"):
        old.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _write_chunks(folder: Path, chunks: Mapping[str, str]) -> None:
    """Write each piece as a script that hands it over: pages on disk may load nothing else."""
    folder.mkdir(exist_ok=True)
    for name, text in chunks.items():
        (folder / f"{name}.js").write_text(f'harnessChunk("{name}","{text}")\n', encoding="ascii")


def render(
    data: ReportData,
    surveys: Mapping[str, RunSurvey],
    chunks: Mapping[str, str],
    *,
    apart: bool,
) -> str:
    """Return index.html. Every text of a run or task is escaped by the templates."""
    env = environment()
    shown = board_view.tables(data.board, pages=surveys)
    tasks = (task_page(data, task["task"], surveys) for task in data.board["tasks"])
    runs = [run_page(run, surveys[run.name]) for run in data.runs if run.name in surveys]
    loader = env.loader
    assert loader is not None, "the environment has the package's templates"
    style = loader.get_source(env, "page.css")[0]
    early = loader.get_source(env, "early.js")[0]
    script = _script(env, data, surveys)
    about: dict[str, Any] = {
        "data": data,
        "runs": runs,
        "compare": compare_page(data),
        "judges": judge_page(data, surveys),
        "costpage": cost_page(data, surveys),
        "story": _story(data),
    }
    panels = placed(_each(env, "panel", "tab", board_view.tabs(shown), about), "p", open_first=True)
    kinds: dict[str, Iterable[object]] = {"task": tasks, "run": runs}
    for name, one in (("judge", about["judges"]), ("cost", about["costpage"])):
        kinds[name] = [one] if one else []
    views = (_each(env, name, "page", some, about) for name, some in kinds.items())
    pages = placed(chain.from_iterable(views), "v")
    page = env.get_template("page.html.j2").render(
        **about,
        policy=page_policy(style, (early, script), apart=apart),
        style=Markup(style),  # noqa: S704 - ours
        early=Markup(early),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours; data in it cannot end the element
        tabs=board_view.tabs(shown),
        panels=panels.elements,
        views=pages.elements,
        packs=bool(pages.pieces),
        filters=board_models.filters(data.board),
        chunks={**chunks, **panels.pieces, **pages.pieces},
        title=f"{data.name} - harness",
    )
    return seen(page)


def _each(
    env: Environment, template: str, name: str, shown: Iterable[object], about: Mapping[str, Any]
) -> Iterator[Part]:
    """Render one template for each of some things, which it knows by `name`, when it is taken."""
    found = env.get_template(f"{template}.html.j2")
    return (part(seen(found.render(**about, **{name: one}))) for one in shown)


def environment() -> Environment:
    """Return the templates' environment: everything is escaped, nothing may be undefined."""
    env = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=select_autoescape(("html.j2",), default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals |= {"t": say, "known": known, "in_both": told, "link": link}
    env.filters["visible"] = visible
    return env


def _script(env: Environment, data: ReportData, surveys: Mapping[str, RunSurvey]) -> str:
    """Return the page's script: its files in order, and what it must know, as JSON."""
    assert env.loader is not None
    parts = [env.loader.get_source(env, name)[0] for name in SCRIPTS]
    spoken = {key[3:]: said for key, said in words().items() if key.startswith("js.")}
    facts = {
        "words": spoken,
        "tasks": [task["task"] for task in data.board["tasks"]],
        "folder": CHUNKS,
        "home": "compare" if data.extra.get("compare") else "board",
        "runs": [
            {
                "name": run.name,
                "model": run.model,
                "options": sample_options(run.spec),
                "primary": primaries(run),
                "rows": surveys[run.name].rows if run.name in surveys else 0,
            }
            for run in data.runs
        ],
    }
    safe = to_json(facts).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return '(() => {\n"use strict";\nconst FACTS = ' + safe + ";\n" + "\n".join(parts) + "\n})();"


def page_policy(style: str, scripts: tuple[str, ...], *, apart: bool = False) -> str:
    """Return a content security policy: nothing but this very style and these very scripts.

    Where samples lie beside the page, these scripts may load them ('strict-dynamic').
    """
    hashes = " ".join(_hash(script) for script in scripts) + " 'strict-dynamic'" * apart
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _story(data: ReportData) -> Said:
    main = next((view for view in data.board["views"] if view["group"] == "accuracy"), None)
    by_model: dict[str, list[Cell]] = {}
    for run in data.runs:
        by_model.setdefault(run.model, []).extend(run.cells)
    return story.board_story(main, by_model)
