"""harness compare --html: the comparison as a page, with the runs behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.compare import Comparison
    from harness.gate.records import Flip
    from harness.report.model import RunData

HEAD, TAIL = 2500, 1500
"""Characters of a flipped sample's texts at either end; the run's page has all of them."""
MOST_FLIPS, FEWEST = 40, 2
"""About so many flipped samples of a run stand on a page in each direction, taken from all its
tasks by turns; of a task at least so many."""
_COLUMNS = ("task", "arm", "variant", "sample_id", "epoch", "input", "target", "output", "error")
Where = tuple[str, str, str]
"""Task, arm, variant."""
Key = tuple[str, str, str, str, int]
"""Task, arm, variant, sample, epoch."""
Outputs = dict[tuple[str, str, str, str, str, int], str]


class _Texts(NamedTuple):
    """What the samples asked, what was wanted, and what every run said."""

    asked: dict[Key, tuple[str, tuple[str, ...]]]
    outputs: Outputs


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
    flips = chosen_flips(found, loaded)
    said = _texts(flips, paths)
    flips = {run: tuple(_told(flip, said) for flip in some) for run, some in flips.items()}
    whole = msgspec.structs.replace(found, flips=flips)
    data.extra["compare"] = msgspec.json.decode(to_json(whole))
    data.extra["outputs"] = said.outputs
    index = write_pages(data, out)
    publish(board, out)
    return index


# ---- which samples --------------------------------------------------------------------------


def chosen_flips(found: Comparison, runs: Sequence[RunData]) -> dict[str, tuple[Flip, ...]]:
    """Return flipped samples of every run, losses first, so that each task has its share.

    Of a task the largest changes come first. Texts are not filled in.
    """
    by_name = {one.name: one for one in runs}
    reference = by_name[found.reference]
    higher = {(cell.task, cell.metric): cell.higher_is_better for cell in reference.cells}
    flips: dict[str, tuple[Flip, ...]] = {}
    for run, _ in found.others:
        metrics: dict[Where, str] = {}
        for row in found.rows:
            if row.run == run:
                place = row.place
                metrics.setdefault((place.task, place.arm, place.variant), row.metric)
        changed = _changed(_scores(reference, metrics), _scores(by_name[run], metrics))
        better = {where: higher.get((where[0], name)) for where, name in metrics.items()}
        flips[run] = _shares(changed, better)
    return flips


def _scores(run: RunData, metrics: Mapping[Where, str]) -> dict[Key, float]:
    """Return the score of every sample that has one, by the metric of its place."""
    assert run.columns is not None, "runs are loaded with their columns"
    columns = run.columns()
    places = zip(columns.task, columns.arm, columns.variant, strict=True)
    found: dict[Key, float] = {}
    for row, where in enumerate(places):
        values = columns.values.get(metrics.get(where, ""))
        if values is None or columns.status[row] in ("error", "unjudged"):
            continue
        if not math.isnan(values[row]):
            key = (*where, columns.sample_id[row], int(columns.epoch[row]))
            found[key] = float(values[row])
    return found


def _changed(
    before: Mapping[Key, float], now: Mapping[Key, float]
) -> list[tuple[Key, float, float]]:
    shared = ((key, before[key], value) for key, value in now.items() if key in before)
    found = [(key, was, value) for key, was, value in shared if was != value]
    return sorted(found, key=lambda one: -abs(one[2] - one[1]))


def _shares(
    changed: Sequence[tuple[Key, float, float]], better: Mapping[Where, bool | None]
) -> tuple[Flip, ...]:
    """Take flips by turns, one of each place, so that a task of few is not crowded out."""
    from harness.gate.records import Flip, Place

    found: dict[bool, dict[Where, list[Flip]]] = {
        lost: {where: [] for where in better} for lost in (True, False)
    }
    for key, was, now in changed:
        task, arm, variant, sample, epoch = key
        if better[task, arm, variant] is not None:
            lost = (now < was) == better[task, arm, variant]
            flip = Flip(Place(task, arm, variant), sample, epoch, was, now, lost=lost)
            found[lost][task, arm, variant].append(flip)
    return tuple(flip for places in found.values() for flip in _by_turns(list(places.values())))


def _by_turns(places: Sequence[Sequence[Flip]]) -> list[Flip]:
    """Return up to MOST_FLIPS, of a place at least FEWEST, in the order of the places."""
    taken, turn, longest = 0, 0, max(map(len, places), default=0)
    while turn < longest and (taken < MOST_FLIPS or turn < FEWEST):
        taken += sum(len(some) > turn for some in places)
        turn += 1
    return [flip for some in places for flip in some[:turn]]


# ---- what they say --------------------------------------------------------------------------


def _texts(flips: Mapping[str, Sequence[Flip]], paths: Sequence[Path]) -> _Texts:
    """Read what the flipped samples asked, and their outputs in every run that has them."""
    from harness.store.reading import read_rows

    wanted = {_key(flip) for some in flips.values() for flip in some}
    said = _Texts({}, {})
    for path in paths if wanted else ():
        for row in read_rows(path, _COLUMNS):
            key = (row["task"], row["arm"], row["variant"], row["sample_id"], row["epoch"])
            if key not in wanted:
                continue
            target = tuple(_cut(text) for text in row["target"] or ())
            said.asked.setdefault(key, (_cut(row["input"] or ""), target))
            said.outputs[path.name, *key] = _cut(row["error"] or row["output"] or "")
    return said


def _key(flip: Flip) -> Key:
    place = flip.place
    return (place.task, place.arm, place.variant, flip.sample_id, flip.epoch)


def _told(flip: Flip, said: _Texts) -> Flip:
    from msgspec.structs import replace

    asked, target = said.asked.get(_key(flip), ("", ()))
    return replace(flip, input=asked, target=target)


def _cut(text: str) -> str:
    """Return the beginning and the end of a long text: where an answer stands, it is told there."""
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]} … {text[-TAIL:]}"
