"""Two systems under one judge, compared with the judge's errors taken out.

Beside `correcting.py` a composition: prediction-powered inference on the paired differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from harness.correcting import (
    CORRECTIONS,
    Place,
    Row,
    drawn,
    few_labels,
    judged_rows,
    read_answers,
    write_corrections,
)
from harness.errors import UsageError
from harness.judge.missing import Missing, missing
from harness.stats.paired import paired_difference
from harness.stats.ppi import Judgements, ppi_mean
from harness.store.manifest import RUN, read_json


class Difference(msgspec.Struct, frozen=True):
    """How two runs differ on one task once the judge's errors are taken out.

    All figures are the run's minus the other's, over the samples that both runs have judged.
    """

    task: str
    arm: str
    variant: str
    against: str
    """Name of the other run."""
    labels: int
    """Samples labelled in both runs."""
    n: int
    raw: float
    """Of the verdicts, uncorrected."""
    raw_low: float | None
    raw_high: float | None
    value: float | None
    """PPI++ over the paired differences."""
    low: float | None
    high: float | None
    weight: float | None
    effective_n: float | None
    """Labelled pairs that would tell as much without a judge."""
    missing: Missing | None = None
    """Verdicts that either run lacks, if any."""
    warnings: tuple[str, ...] = ()


def corrected_difference(run: Path, against: Path, labels: Iterable[Path]) -> list[Difference]:
    """Return PPI++ on the paired differences of two runs, task by task; keep them in the run.

    Pairs are samples that both runs have judged; those labelled in both correct the judge.
    `labels` are the files of either run: a sample has the same key in both, so each run has a
    file of its own.
    """
    first, second = ({row.key: row for row in judged_rows(path)} for path in (run, against))
    own, other = (
        read_answers(path, labelled) for path, labelled in zip(labels, (run, against), strict=True)
    )
    notes = tuple(dict.fromkeys([*drawn(run, own), *drawn(against, other)]))
    by_place: dict[Place, list[str]] = {}
    for key, row in first.items():
        if key in second:
            by_place.setdefault(row.place, []).append(key)
    out = []
    for place, keys in by_place.items():
        judged = [k for k in keys if first[k].judged is not None and second[k].judged is not None]
        if not judged:
            continue
        sides = Sides([first[key] for key in judged], [second[key] for key in judged], own, other)
        lost = missing(
            place,
            run.name,
            {key: _status(first[key]) for key in keys},
            {key: _status(second[key]) for key in keys},
        )
        changed = _judges_differ(run, against, place)
        out.append(_difference(place, against.name, sides, lost, (*notes, *changed)))
    if not out:
        raise UsageError("the two runs share no judged sample")
    kept = read_json(run / CORRECTIONS) if (run / CORRECTIONS).is_file() else {}
    others = [one for one in kept.get("differences", ()) if one["against"] != against.name]
    write_corrections(run, differences=[*others, *out])
    return out


def _status(row: Row) -> str:
    return "unjudged" if row.unjudged else row.status


@dataclass(frozen=True, slots=True)
class Sides:
    """The same samples in two runs, and the labels of either."""

    first: Sequence[Row]
    second: Sequence[Row]
    own: Mapping[str, float]
    other: Mapping[str, float]


def _difference(
    place: Place, against: str, sides: Sides, lost: Missing | None, notes: tuple[str, ...]
) -> Difference:
    a = np.array([row.judged for row in sides.first], dtype=float)
    b = np.array([row.judged for row in sides.second], dtype=float)
    keys = [row.key for row in sides.first]
    clusters = [row.cluster for row in sides.first]
    told = np.array([key in sides.own and key in sides.other for key in keys], dtype=bool)
    gaps = [sides.own[key] - sides.other[key] for key, is_told in zip(keys, told, strict=True)
            if is_told]  # fmt: skip
    found = ppi_mean(
        Judgements(
            gaps,
            (a - b)[told],
            (a - b)[~told],
            np.array(clusters, dtype=object)[told],
            np.array(clusters, dtype=object)[~told],
        ),
        bounds=None,
    )
    raw = paired_difference(a, b, clusters=clusters, bounds=(0.0, 1.0))
    warnings = [*notes, *few_labels(len(gaps))]
    if found.reason:
        warnings.append(found.reason)
    return Difference(
        *place, against=against, labels=len(gaps), n=len(keys),
        raw=float(np.mean(a - b)),
        raw_low=raw.low, raw_high=raw.high,
        value=found.value, low=found.low, high=found.high, weight=found.weight,
        effective_n=found.effective_n, missing=lost, warnings=tuple(warnings),
    )  # fmt: skip


def _judges_differ(run: Path, against: Path, place: Place) -> tuple[str, ...]:
    hashes = [
        read_json(path / RUN)["tasks"].get(place[0], {}).get("arms", {}).get(place[1], {})
        for path in (run, against)
    ]
    one, two = (arm.get("judge") for arm in hashes)
    return () if one == two else ("the two runs had different judges",)
