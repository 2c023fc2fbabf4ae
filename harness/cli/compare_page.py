"""harness compare --html: the comparison as a page, with the runs behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.compare import Comparison
    from harness.gate.records import Flip
    from harness.report.model import RunData

MOST_CHARS = 4000
"""Of a flipped sample's output; the run's page has all of it."""
_COLUMNS = ("task", "arm", "variant", "sample_id", "epoch", "output", "error")
Key = tuple[str, str, str, str, int]
"""Task, arm, variant, sample, epoch."""
Outputs = dict[tuple[str, str, str, str, str, int], str]
GAINS = 25
"""Gained samples that a page shows where lost ones fill the comparison's list."""


def write_compare(found: Comparison, runs: Sequence[Path], out: Path) -> Path:
    """Write the page of a comparison, with board, tasks and samples of its runs, under `out`.

    Returns the path of index.html; raises StoreError where `out` cannot be written.
    """
    import msgspec

    from harness.board.table import make_board
    from harness.cli.report import entries, facts, load_runs, publish, report_data, task_texts
    from harness.records import to_json
    from harness.report.pages import write_pages

    paths = list(dict.fromkeys(path.resolve() for path in runs))
    loaded = load_runs(paths)
    texts = task_texts(loaded)
    board = make_board(out.name or "compare", entries(loaded), facts(texts))
    line = " ".join(["harness compare", *(path.name for path in paths), "--html", out.name])
    shown = msgspec.json.decode(to_json(board))
    data = report_data(out.name, loaded, texts, shown, line)
    found = _with_gains(found, loaded)
    data.extra["compare"] = msgspec.json.decode(to_json(found))
    data.extra["outputs"] = _outputs(found, paths)
    index = write_pages(data, out)
    publish(board, out)
    return index


def _outputs(found: Comparison, paths: Sequence[Path]) -> Outputs:
    """Return the outputs of the flipped samples, in every run that has them."""
    from harness.store.reading import read_rows

    wanted = {_key(flip) for flips in found.flips.values() for flip in flips}
    outputs: Outputs = {}
    for path in paths if wanted else ():
        for row in read_rows(path, _COLUMNS):
            key = _row_key(row)
            text = row["error"] or row["output"]
            if key in wanted and text:
                cut = text[:MOST_CHARS] + "…" * (len(text) > MOST_CHARS)
                outputs[path.name, *key] = cut
    return outputs


def _key(flip: Flip) -> Key:
    place = flip.place
    return (place.task, place.arm, place.variant, flip.sample_id, flip.epoch)


def _row_key(row: Mapping[str, Any]) -> Key:
    return (row["task"], row["arm"], row["variant"], row["sample_id"], row["epoch"])


def _with_gains(found: Comparison, runs: Sequence[RunData]) -> Comparison:
    """Return the comparison with gained samples too, where its list was full of lost ones."""
    from msgspec.structs import replace

    flips = dict(found.flips)
    for run, listed in flips.items():
        shown = sum(not flip.lost for flip in listed)
        if shown < min(GAINS, sum(row.gained for row in found.rows if row.run == run)):
            held = {_key(flip) for flip in listed}
            more = (flip for flip in _gains(found, runs, run) if _key(flip) not in held)
            flips[run] = (*listed, *islice(more, GAINS - shown))
    return replace(found, flips=flips)


def _gains(found: Comparison, runs: Sequence[RunData], run: str) -> Iterator[Flip]:
    """Yield the samples that score higher in `run` than in the reference, in the table's order."""
    from harness.gate.records import Flip

    by_name = {one.name: one for one in runs}
    reference, other = by_name[found.reference], by_name[run]
    higher = {(cell.task, cell.metric): cell.higher_is_better for cell in reference.cells}
    rows = [row for row in found.rows if row.run == run]
    places = {(row.place.task, row.place.arm, row.place.variant): row.place for row in rows}
    metrics = {key: row.metric for key, row in zip(places, rows, strict=True)}
    before: dict[Key, tuple[float, str]] = {}
    for row in reference.samples():
        score = _score(row, metrics)
        if score is not None:
            before[_row_key(row)] = (score, row["output"] or "")
    for row in other.samples():
        score, then = _score(row, metrics), before.get(_row_key(row))
        if score is None or then is None or score == then[0]:
            continue
        key = _row_key(row)[:3]
        if (score > then[0]) == higher.get((row["task"], metrics[key])):
            target = tuple(row["target"] or ())
            yield Flip(
                places[key], row["sample_id"], row["epoch"], then[0], score,
                row["input"] or "", target,
                row["output"] or "", then[1], lost=False,
            )  # fmt: skip


def _score(row: Mapping[str, Any], metrics: Mapping[tuple[str, str, str], str]) -> float | None:
    metric = metrics.get((row["task"], row["arm"], row["variant"]))
    if metric is None or row["status"] in ("error", "unjudged"):
        return None
    return dict(row["scores"] or ()).get(metric)
