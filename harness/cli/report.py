"""harness report: render runs as pages that open from disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import out_option

if TYPE_CHECKING:
    from harness.board.records import Board, Entry, TaskFacts
    from harness.report.model import RunData, TaskText


@click.command("report")
@click.argument("runs", nargs=-1, metavar="RUN...")
@click.option("-o", "target", metavar="DIR", help="Where the pages go (default: reports/<run>).")
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    help="Keep at most so many samples of each task and copy (default: all); numbers are of all.",
)
@out_option
def command(
    runs: tuple[str, ...], target: str | None, samples: int | None, out: str | None
) -> None:
    """Render RUN... as pages: board, tasks, runs, samples.

    RUN is a directory, the start of a name, @latest or @baseline; none means @latest. The pages
    need no server: open index.html.
    """
    from harness.store.manifest import find_run

    paths = [find_run(run, Path(out or "results")) for run in runs or ("@latest",)]
    where = Path(target) if target else Path("reports") / paths[-1].name
    click.echo(str(write_report(paths, where, samples)))


def write_report(runs: Sequence[Path], out: Path, most: int | None = None) -> Path:
    """Write the pages of `runs` under `out` and return the path of index.html.

    `most` bounds the samples of each task and copy that the pages hold; numbers are of all.

    Raises InvalidFile where a directory is no finished run, StoreError where `out` cannot be
    written.
    """
    import shlex
    from dataclasses import replace

    import msgspec

    from harness.board.table import make_board
    from harness.cli.report_shots import shots_of
    from harness.records import to_json
    from harness.report.pages import write_pages
    from harness.score.arithmetic import chance_of_classes

    paths = list(dict.fromkeys(path.resolve() for path in runs))
    found = load_runs(paths)
    texts = task_texts(found)
    board = make_board(out.name or "report", entries(found), facts(texts))
    kept = [] if most is None else ["--samples", str(most)]
    names = (path.name for path in paths)
    where = out.name if out.is_absolute() else str(out)  # no page tells whose machine it was
    command_line = shlex.join(["harness", "report", *names, "-o", where, *kept])
    data = report_data(out.name, found, texts, msgspec.json.decode(to_json(board)), command_line)
    data = replace(data, most=most)
    data.extra.update(shots=shots_of(found), chance=chance_of_classes)
    index = write_pages(data, out)
    publish(board, out)
    return index


def publish(board: Board, out: Path) -> None:
    """Write board.json, board.csv and board.md beside the pages."""
    from harness.board.publish import board_csv, board_json, board_markdown
    from harness.errors import StoreError

    try:
        (out / "board.json").write_bytes(board_json(board))
        (out / "board.csv").write_text(board_csv(board), encoding="utf-8", newline="")
        (out / "board.md").write_text(board_markdown(board), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{out}: the board cannot be written: {error}") from error


def report_data(
    name: str,
    runs: Sequence[RunData],
    texts: dict[str, TaskText],
    board: dict[str, Any],
    command_line: str,
) -> Any:
    """Return what the pages are made of."""
    from harness import __version__
    from harness.report.model import ReportData

    return ReportData(
        name=name,
        runs=runs,
        tasks=texts,
        board=board,
        command=command_line,
        version=__version__,
        extra={"judges": judge_texts(runs)},
    )


def judge_texts(runs: Sequence[RunData]) -> dict[str, str]:
    """Return what judges that came with the harness say of themselves.

    A run names its judges, and a run may be a stranger's: no other file is looked at.
    """
    from harness.report.judge_tally import judges_of

    names = dict.fromkeys(name for run in runs for name in judges_of(run))
    if not names:
        return {}
    from harness.judge.spec import find_judge, judge_names
    from harness.judging import judge_roots

    roots = judge_roots()
    ours = set(judge_names(roots))
    return {name: find_judge(name, roots).file.title for name in names if name in ours}


def load_runs(paths: Sequence[Path], *, merge: bool = False) -> list[RunData]:
    """Read runs; two runs of one model get labels that tell them apart, unless they `merge`."""
    from collections import Counter
    from functools import partial

    from harness.errors import InvalidFile
    from harness.known_models import known_models
    from harness.report.model import RunData
    from harness.store.columns import read_columns
    from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, read_json
    from harness.store.reading import read_rows
    from harness.store.shapes import read_labels

    known = known_models()
    loaded = []
    for path in paths:
        if not (path / RUN).exists():
            raise InvalidFile("the run was interrupted; run it again first", path=path / RUN)
        manifest, spec = read_json(path / RUN), read_json(path / SPEC)
        loaded.append((path, manifest, spec, read_cells(path / SCORES)))
    models = [_model(manifest, spec) for _, manifest, spec, _ in loaded]
    often = Counter(models)
    return [
        RunData(
            name=path.name,
            model=model if merge or often[model] == 1 else f"{model} ({path.name[-6:]})",
            manifest=manifest,
            spec=spec,
            cells=cells,
            samples=partial(read_rows, path),
            columns=partial(read_columns, path / SAMPLES),
            labels=read_labels(path / "labels.jsonl"),
            corrections=_corrections(path),
            price=_price(manifest, spec, known),
        )
        for model, (path, manifest, spec, cells) in zip(models, loaded, strict=True)
    ]


def read_cells(path: Path) -> tuple[Any, ...]:
    """Read scores.json; InvalidFile names what does not fit."""
    import msgspec

    from harness.records import Cell
    from harness.store.manifest import read_json

    return msgspec.convert(read_json(path)["cells"], tuple[Cell, ...])


def _corrections(path: Path) -> Mapping[str, Any]:
    """Read what `harness judge correct` found; empty where it never was at this run."""
    from harness.store.manifest import read_json

    file = path / "corrections.json"
    return read_json(file) if file.is_file() else {}


def _price(
    manifest: dict[str, Any], spec: dict[str, Any], known: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Return what the run's model costs as far as it is known today, per million tokens."""
    import msgspec

    from harness.known_models import price_of
    from harness.records import ModelSpec

    model = msgspec.convert(spec["spec"]["model"], ModelSpec)
    identity = (manifest.get("backend") or {}).get("identity") or {}
    price = price_of(model, known, identity.get("base_url"))
    return None if price is None else (price.prompt, price.out)


def _model(manifest: dict[str, Any], spec: dict[str, Any]) -> str:
    named = (manifest.get("model") or {}).get("name")
    if named:
        return str(named)
    model = (spec.get("spec") or {}).get("model") or {}
    return f"{model.get('provider', '?')}/{model.get('name', '?')}"


def entries(runs: Iterable[RunData]) -> list[Entry]:
    """Return the runs as the board sees them."""
    from harness.board.records import Entry
    from harness.known_models import known_models

    known = known_models()
    return [
        Entry(
            run=run.name,
            model=run.model,
            cells=run.cells,
            complete=run.manifest.get("status") == "complete",
            hashes=dict(run.manifest.get("tasks") or {}),
            facts=_facts(run, known),
            evidence=run.evidence,
            columns=run.columns,
        )
        for run in runs
    ]


_FACTS = ("parameters", "licence", "date", "weights")
"""What a board says of a model beside its numbers."""


def _facts(run: RunData, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a run's model: as the run recorded it, else as it is known today."""
    import msgspec

    from harness.known_models import facts_of
    from harness.records import ModelSpec

    recorded = run.manifest.get("model") or {}
    try:
        model = msgspec.convert((run.spec.get("spec") or {}).get("model"), ModelSpec)
    except msgspec.ValidationError:  # a foreign run may not say how its model was asked
        today = None
    else:
        identity = (run.manifest.get("backend") or {}).get("identity") or {}
        today = facts_of(model, known, identity.get("base_url"))
    found = {name: recorded.get(name, getattr(today, name, None)) for name in _FACTS}
    return {name: value for name, value in found.items() if value is not None}


def task_texts(runs: Sequence[RunData]) -> dict[str, TaskText]:
    """Return what the tasks of some runs say of themselves; bare names where files are gone."""
    from harness.errors import UsageError
    from harness.report.model import TaskText
    from harness.task.catalogue import Catalogue

    catalogue = Catalogue()
    texts: dict[str, TaskText] = {}
    for run in runs:
        recorded = run.manifest.get("tasks") or {}
        for task in dict.fromkeys(cell.task for cell in run.cells):
            if task in texts:
                continue
            hashes = recorded.get(task)
            own = hashes.get("path") if isinstance(hashes, dict) else None
            try:
                spec = catalogue.resolve([own or task])[0].load()
            except UsageError:  # the file is not at hand: the run stands without it
                texts[task] = TaskText(task)
                continue
            texts[task] = TaskText(
                task=task,
                title=spec.title,
                about=" ".join(spec.about.split()),
                language=spec.language,
                method=spec.method,
                tags=tuple(spec.tags),
                chance=spec.chance if isinstance(spec.chance, int | float) else None,
                source=spec.source or "",
                licence=spec.licence or "",
            )
    return texts


def facts(texts: dict[str, TaskText]) -> dict[str, TaskFacts]:
    """Return what the board says of tasks."""
    from harness.board.records import TaskFacts

    return {
        name: TaskFacts(name, text.title, text.language, text.tags, text.chance)
        for name, text in texts.items()
    }
