"""Judged scores corrected by human labels, and the labels asked for: no model is needed.

Beside `judging.py` a composition. `draw` picks a random subset of a run for people to label;
`correct` joins their labels to the verdicts and adds cells whose `estimate` is `ppi++` or
`rogan-gladen`. Calibration is per system: a judge's errors on another model's answers are others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from harness.errors import InvalidFile, UsageError
from harness.identity import content_key, permutation
from harness.judge.labels import rows_of
from harness.judge.metric import NAME
from harness.records import Cell, to_json
from harness.stats.intervals import mean_interval
from harness.stats.ppi import FEW_LABELS, Corrected, Judgements, ppi_mean, rogan_gladen
from harness.store.manifest import RUN, SCORES, read_json, write_json
from harness.store.reading import read_rows

LABELS, PLAN, CORRECTIONS = "labels.jsonl", "label-plan.json", "corrections.json"
CONFIDENCE = 0.95
WORDS = {"correct": 1.0, "yes": 1.0, "right": 1.0, "incorrect": 0.0, "no": 0.0, "wrong": 0.0,
         "not_attempted": 0.0}  # fmt: skip
_PLACE = ("task", "sample_id", "arm", "variant", "epoch")
_COLUMNS = [*_PLACE, "cluster", "status", "input", "target", "output", "answer", "scores"]

Place = tuple[str, str, str]
"""Task, arm, variant."""


class Correction(msgspec.Struct, frozen=True):
    """One cell corrected, with what is needed to believe it."""

    task: str
    arm: str
    variant: str
    labels: int
    n: int
    raw: dict[str, float | None]
    corrected: dict[str, dict[str, Any]]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of a run, as far as corrections look at it."""

    key: str
    place: Place
    item: tuple[str, str, str, str, int]
    cluster: str
    status: str
    judged: float | None
    shown: Mapping[str, Any]


def key_of(place: Sequence[Any]) -> str:
    """Return the opaque name of a sample on a labelling page: no model, no score in it."""
    return content_key(list(place))[:16]


def judged_rows(run: Path) -> list[Row]:
    """Return the samples of a run that carry, or should carry, a judged score."""
    found = []
    for row in read_rows(run, _COLUMNS):
        scores = dict(row["scores"] or ())
        place = tuple(row[name] for name in _PLACE)
        found.append(
            Row(
                key=key_of(place),
                place=(row["task"], row["arm"], row["variant"]),
                item=place,
                cluster=str(row["cluster"]),
                status=row["status"],
                judged=scores.get(NAME),
                shown={name: row[name] for name in ("input", "target", "output", "answer")},
            )
        )
    return found


# ---- drawing --------------------------------------------------------------------------------


def draw(run: Path, count: int, seed: int = 0) -> list[Row]:
    """Return a random subset of a run's answered samples, and write which they are.

    The order depends on the seed and on each sample alone, so that two runs of the same items
    are labelled on the same ones, and a person who stops early leaves a random subset.
    """
    usable = [row for row in judged_rows(run) if row.status != "error"]
    if not usable:
        raise UsageError(f"{run.name}: no answered sample to label")
    order = permutation(seed, [row.key for row in usable])
    chosen = [usable[position] for position in order[:count]]
    write_json(run / PLAN, {"seed": seed, "keys": [row.key for row in chosen]})
    return chosen


# ---- labels ---------------------------------------------------------------------------------


def read_answers(path: Path) -> dict[str, float]:
    """Return labels 0 to 1 by sample key.

    Rows name a sample by `key`, or by task and sample_id (arm, variant and epoch where they are
    not default, original and 0); `label` is a number from 0 to 1 or a verdict.
    """
    found: dict[str, float] = {}
    for number, row in enumerate(rows_of(path), 1):
        key = row.get("key")
        if not key:
            if "task" not in row or "sample_id" not in row:
                raise InvalidFile("a row names no sample", path=path, line=number,
                                  allowed="key, or task and sample_id")  # fmt: skip
            arm, variant = row.get("arm") or "default", row.get("variant") or "original"
            epoch = int(row.get("epoch") or 0)
            key = key_of((row["task"], row["sample_id"], arm, variant, epoch))
        if row.get("label") in (None, ""):
            continue
        found[str(key)] = _label(row["label"], path, number)
    if not found:
        raise InvalidFile("holds no labels", path=path)
    return found


def _label(value: Any, path: Path, line: int) -> float:
    word = str(value).strip().casefold()
    if word in WORDS:
        return WORDS[word]
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        allowed = f"a number from 0 to 1, or one of {', '.join(WORDS)}"
        raise InvalidFile(
            "not a label", path=path, line=line, key="label", allowed=allowed, got=word[:40]
        )
    return number


# ---- correcting -----------------------------------------------------------------------------


def correct(run: Path, labels: Path) -> list[Correction]:
    """Add the corrected cells of a run to its scores.json; return what was corrected.

    The labels are kept in the run directory. Running it again replaces the corrected cells.
    """
    answers = read_answers(labels)
    rows = judged_rows(run)
    known = {row.key for row in rows}
    strange = [key for key in answers if key not in known]
    if strange:
        raise InvalidFile(
            f"{len(strange)} of {len(answers)} labels name no sample of {run.name}",
            path=labels, got=strange[0],
        )  # fmt: skip
    notes = _drawn(run, answers)
    by_place: dict[Place, list[Row]] = {}
    for row in rows:
        by_place.setdefault(row.place, []).append(row)
    found, cells = [], []
    for place, members in by_place.items():
        usable = [row for row in members if row.judged is not None and row.status != "error"]
        if any(row.key in answers for row in usable):
            correction, added = _correct(place, members, usable, answers, notes)
            found.append(correction)
            cells += added
    if not found:
        raise UsageError(f"{run.name}: no labelled sample has a judged score; was it judged?")
    _store(run, answers, found, cells)
    return found


def _drawn(run: Path, answers: Mapping[str, float]) -> tuple[str, ...]:
    """Return warnings where the labels may not be a random subset."""
    if not (run / PLAN).is_file():
        return ("no `harness label` plan: the labels are taken to be a random subset",)
    plan = read_json(run / PLAN)["keys"]
    inside = [key in answers for key in plan]
    if any(key not in set(plan) for key in answers):
        return ("some labels were not drawn by `harness label`: a random subset is assumed",)
    if inside != sorted(inside, reverse=True):
        return ("drawn samples were passed over: what was left out may differ",)
    return ()


def _correct(
    place: Place,
    members: Sequence[Row],
    usable: Sequence[Row],
    answers: Mapping[str, float],
    notes: tuple[str, ...],
) -> tuple[Correction, list[Cell]]:
    data = _judgements(usable, answers)
    judged = np.array([row.judged for row in usable], dtype=float)
    raw = mean_interval(judged, [row.cluster for row in usable], bounds=(0.0, 1.0))
    estimates: dict[Literal["ppi++", "rogan-gladen"], Corrected] = {"ppi++": ppi_mean(data)}
    everything = np.concatenate([np.asarray(data.truth), judged])
    if np.isin(everything, (0.0, 1.0)).all():
        estimates["rogan-gladen"] = rogan_gladen(data)
    labels = len(np.asarray(data.truth))
    warnings = list(notes)
    if labels < FEW_LABELS:
        warnings.append(f"{labels} labels: below {FEW_LABELS} the intervals may cover too little")
    counts = {name: sum(row.status == name for row in members)
              for name in ("error", "unparsed", "unjudged")}  # fmt: skip
    cells = [_cell(place, name, one, len(usable), counts) for name, one in estimates.items()]
    correction = Correction(
        *place,
        labels=labels,
        n=len(usable),
        raw={"value": raw.value, "low": raw.low, "high": raw.high},
        corrected={name: one._asdict() for name, one in estimates.items()},
        warnings=tuple(warnings),
    )
    return correction, cells


def _judgements(usable: Sequence[Row], answers: Mapping[str, float]) -> Judgements:
    labelled = [row for row in usable if row.key in answers]
    others = [row for row in usable if row.key not in answers]
    return Judgements(
        truth=np.array([answers[row.key] for row in labelled], dtype=float),
        judged=np.array([row.judged for row in labelled], dtype=float),
        unlabelled=np.array([row.judged for row in others], dtype=float),
        clusters=[row.cluster for row in labelled],
        unlabelled_clusters=[row.cluster for row in others],
    )


def _cell(
    place: Place,
    estimate: Literal["ppi++", "rogan-gladen"],
    found: Corrected,
    n: int,
    counts: Mapping[str, int],
) -> Cell:
    return Cell(
        task=place[0], metric=NAME, group="accuracy", arm=place[1], variant=place[2], slice=None,
        n=n, value=found.value, stderr=found.stderr, low=found.low, high=found.high,
        bound_low=None, bound_high=None, confidence=CONFIDENCE, method=found.method,
        errors=counts["error"], unparsed=counts["unparsed"], unjudged=counts["unjudged"],
        estimate=estimate, observed=False, reason=found.reason, higher_is_better=True,
    )  # fmt: skip


def _store(
    run: Path, answers: Mapping[str, float], found: Sequence[Correction], cells: Sequence[Cell]
) -> None:
    lines = [to_json({"key": key, "label": label}) for key, label in sorted(answers.items())]
    (run / LABELS).write_bytes(b"\n".join(lines) + b"\n")
    write_json(run / CORRECTIONS, {"corrections": found})
    replaced = {(cell.task, cell.arm, cell.variant) for cell in cells}
    kept = [
        cell
        for cell in read_json(run / SCORES)["cells"]
        if cell["estimate"] == "raw" or (cell["task"], cell["arm"], cell["variant"]) not in replaced
    ]
    write_json(run / SCORES, {"cells": [*kept, *cells]})


# ---- two systems ----------------------------------------------------------------------------


class Difference(msgspec.Struct, frozen=True):
    """How two runs differ on one task once the judge's errors are taken out."""

    task: str
    arm: str
    variant: str
    labels: int
    n: int
    raw: float
    value: float | None
    low: float | None
    high: float | None
    weight: float | None
    effective_n: float | None


def corrected_difference(run: Path, against: Path, labels: Iterable[Path]) -> list[Difference]:
    """Return PPI++ on the paired differences of two runs, task by task.

    Pairs are samples of both runs; those labelled in both correct the judge. `labels` are the
    files of either run: a sample has the same key in both, so each run has a file of its own.
    """
    first, second = (
        {row.key: row for row in judged_rows(path) if row.judged is not None}
        for path in (run, against)
    )
    own, other = (read_answers(path) for path in labels)
    by_place: dict[Place, list[str]] = {}
    for key, row in first.items():
        if key in second:
            by_place.setdefault(row.place, []).append(key)
    out = []
    for place, keys in by_place.items():
        gap = {key: (first[key].judged or 0.0) - (second[key].judged or 0.0) for key in keys}
        both = [key for key in keys if key in own and key in other]
        rest = [key for key in keys if key not in both]
        found = ppi_mean(
            Judgements(
                [own[key] - other[key] for key in both],
                [gap[key] for key in both],
                [gap[key] for key in rest],
                [first[key].cluster for key in both],
                [first[key].cluster for key in rest],
            ),
            bounds=None,
        )
        raw = float(np.mean(list(gap.values())))
        out.append(Difference(*place, len(both), len(keys), raw, found.value, found.low,
                              found.high, found.weight, found.effective_n))  # fmt: skip
    if not out:
        raise UsageError("the two runs share no judged sample")
    return out


def finished(run: Path) -> Path:
    """Return the run, which must be over; raises `InvalidFile`."""
    if not (run / RUN).is_file():
        raise InvalidFile("the run was interrupted; run it again first", path=run / RUN)
    return run
