"""Which samples a model gets right at times, from stored runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from harness.gate.records import Place
from harness.gating import load_scores
from harness.identity import content_key
from harness.records import Cell
from harness.store.manifest import RUN, read_json
from harness.store.reading import read_rows


class Flaky(Struct, frozen=True):
    """A sample that one model got right at times."""

    place: Place
    sample_id: str
    model: str
    results: tuple[bool, ...]
    """Oldest first; replayed answers are left out, since they say nothing new."""
    input: str = ""

    @property
    def rate(self) -> float:
        """Share of passes."""
        return sum(self.results) / len(self.results)


class Flakiness(Struct, frozen=True):
    """How steady the samples of some runs are."""

    samples: int
    """Samples with at least two new answers."""
    flaky: tuple[Flaky, ...]
    """Those with different results, the least certain first."""
    runs: int
    replayed: int
    """Answers left out as replayed."""


def flakiness(runs: Sequence[Path], *, threshold: float = 1.0) -> Flakiness:
    """Return which samples pass at times, over all epochs and runs of one model on one question.

    A sample passes where its primary metric is at least `threshold`. Runs of a task whose hashes
    differ are other questions, and are kept apart.
    """
    seen: dict[tuple[str, str, Place, str], list[bool]] = {}
    inputs: dict[str, str] = {}
    replayed = used = 0
    for path in runs:
        if not (path / RUN).exists():
            continue
        used += 1
        record = read_json(path / RUN)
        model = str((record.get("model") or {}).get("name"))
        primary = _primary(load_scores(path).cells)
        asked = {name: _question(hashes) for name, hashes in (record.get("tasks") or {}).items()}
        for row in read_rows(path, [*_FLAKY_COLUMNS]):
            place = Place(row["task"], row["arm"], row["variant"])
            score = dict(row["scores"] or ()).get(primary.get(place, ""))
            if score is None or row["status"] in ("error", "unjudged"):
                continue
            if row["cached"]:
                replayed += 1
                continue
            key = (model, asked.get(place.task, ""), place, row["sample_id"])
            seen.setdefault(key, []).append(score >= threshold)
            inputs[row["sample_id"]] = row["input"] or ""
    repeated = {key: results for key, results in seen.items() if len(results) > 1}
    flaky = [
        Flaky(place, sample_id, model, tuple(results), inputs[sample_id])
        for (model, _, place, sample_id), results in repeated.items()
        if 0 < sum(results) < len(results)
    ]
    flaky.sort(key=lambda item: (abs(item.rate - 0.5), item.place, item.sample_id))
    return Flakiness(len(repeated), tuple(flaky), used, replayed)


_FLAKY_COLUMNS = (
    "task", "arm", "variant", "sample_id", "status", "scores", "cached", "input",
)  # fmt: skip


def _primary(cells: Sequence[Cell]) -> dict[Place, str]:
    """Return the first metric of each place that says what is better."""
    found: dict[Place, str] = {}
    for cell in cells:
        if cell.slice is None and cell.higher_is_better:
            found.setdefault(Place(cell.task, cell.arm, cell.variant), cell.metric)
    return found


def _question(hashes: Mapping[str, object]) -> str:
    return content_key({name: hashes.get(name) for name in ("version", "data", "arms")})
