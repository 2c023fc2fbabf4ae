"""Judged scores corrected by human labels, and the labels asked for: no model is needed.

Beside `judging.py` a composition. `draw` picks a random subset of a run for people to label;
`correct` joins their labels to the verdicts and adds cells whose `estimate` is `ppi++` or
`rogan-gladen`. Calibration is per system: a judge's errors on another model's answers are others.

A corrected run holds `labels.jsonl` (the labels: key, label from 0 to 1), `label-plan.json` (what
`harness label` drew) and `corrections.json`: {corrections: [Correction], differences:
[Difference]}. `harness rescore` makes cells and corrections anew from the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from harness.errors import InvalidFile, UsageError
from harness.identity import content_key, permutation
from harness.judge.labels import rows_of
from harness.judge.metric import NAME
from harness.judge.offer import RIGHT_OR_WRONG, Offer, read_offer
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
    """One cell corrected, with what is needed to believe it: `corrections` of corrections.json.

    The corrected values stand in scores.json too, as cells of metric `judged` whose `estimate`
    is `ppi++` or `rogan-gladen`, beside the `raw` one of the same task, arm and variant.
    """

    task: str
    arm: str
    variant: str
    labels: int
    """Labelled samples that have a verdict."""
    n: int
    """Samples that have a verdict, labelled or not."""
    raw: dict[str, float | None]
    """value, low, high of the mean verdict."""
    corrected: dict[str, dict[str, Any]]
    """By estimate: value, stderr, low, high, method, weight (λ; None for Rogan-Gladen),
    effective_n (labels that would tell as much without a judge), reason (why no value)."""
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

    @property
    def unjudged(self) -> bool:
        """Whether its verdict is missing."""
        return self.judged is None and self.status != "error"


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


def run_mark(run: Path) -> str:
    """Return the opaque name of a run on its labelling page."""
    return content_key(["labels", read_json(run / RUN).get("name", run.name)])[:16]


def offers_of(run: Path) -> dict[str, Offer]:
    """Return on what scale each task of a run is labelled: its judge's own.

    Raises `InvalidFile` where run.json holds a scale that is none.
    """
    record = read_json(run / RUN)
    found = dict.fromkeys(record["tasks"], RIGHT_OR_WRONG)
    for name, judge in (record.get("judges") or {}).items():
        if judge.get("metric", NAME) == NAME and judge.get("scale") is not None:
            own = read_offer(judge["scale"], run / RUN, f"judges.{name}.scale")
            found |= dict.fromkeys(judge.get("tasks", ()), own)
    return found


# ---- labels ---------------------------------------------------------------------------------


def read_answers(path: Path, run: Path) -> dict[str, float]:
    """Return labels 0 to 1 by sample key.

    Rows name a sample by `key`, or by task and sample_id (arm, variant and epoch where they are
    not default, original and 0); `label` is a number from 0 to 1 or a verdict. Labels that were
    made on the page of another run are refused.
    """
    found: dict[str, float] = {}
    for number, row in enumerate(rows_of(path), 1):
        if row.get("run") not in (None, "", run_mark(run)):
            problem = f"labels of another run than {run.name}"
            raise InvalidFile(problem, path=path, line=number, key="run",
                              allowed=run_mark(run), got=str(row["run"])[:40])  # fmt: skip
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
    answers = read_answers(labels, run)
    found, cells = _corrections(run, answers, labels)
    if not found:
        raise UsageError(f"{run.name}: no labelled sample has a judged score; was it judged?")
    _store(run, answers, found, cells)
    return found


def corrected_again(run: Path) -> list[Cell]:
    """Correct a rescored run by the labels that it holds; return the cells that were added.

    None where it holds none, or none of them has a judged score any more.
    """
    if not (run / LABELS).is_file():
        return []
    answers = read_answers(run / LABELS, run)
    found, cells = _corrections(run, answers, run / LABELS)
    _store(run, answers, found, cells)
    return cells


def _corrections(
    run: Path, answers: Mapping[str, float], labels: Path
) -> tuple[list[Correction], list[Cell]]:
    rows = judged_rows(run)
    known = {row.key for row in rows}
    strange = [key for key in answers if key not in known]
    if strange:
        raise InvalidFile(
            f"{len(strange)} of {len(answers)} labels name no sample of {run.name}",
            path=labels, got=strange[0],
        )  # fmt: skip
    notes = drawn(run, answers)
    by_place: dict[Place, list[Row]] = {}
    for row in rows:
        by_place.setdefault(row.place, []).append(row)
    found: list[Correction] = []
    cells: list[Cell] = []
    for place, members in by_place.items():
        usable = [row for row in members if row.judged is not None and row.status != "error"]
        if any(row.key in answers for row in usable):
            correction, added = _correct(place, members, usable, answers, notes)
            found.append(correction)
            cells += added
    return found, cells


def drawn(run: Path, answers: Mapping[str, float]) -> tuple[str, ...]:
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
    warnings = [*notes, *few_labels(labels)]
    lost = sum(row.key in answers and row.unjudged for row in members)
    if lost:
        warnings.append(f"{lost} labelled samples have no verdict and are left out")
    counts = {name: sum(row.status == name for row in members) for name in ("error", "unparsed")}
    counts["unjudged"] = sum(row.unjudged for row in members)
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


def few_labels(labels: int) -> tuple[str, ...]:
    """Return the warning that so few labels deserve, if any."""
    if labels >= FEW_LABELS:
        return ()
    return (f"{labels} labels: below {FEW_LABELS} the intervals may cover too little",)


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
    write_corrections(run, corrections=found)
    raw = [cell for cell in read_json(run / SCORES)["cells"] if cell["estimate"] == "raw"]
    write_json(run / SCORES, {"cells": [*raw, *cells]})


def write_corrections(run: Path, **parts: Any) -> None:
    """Write some of the parts of corrections.json; the others stand."""
    before = read_json(run / CORRECTIONS) if (run / CORRECTIONS).is_file() else {}
    write_json(run / CORRECTIONS, {"corrections": [], "differences": [], **before, **parts})


def finished(run: Path) -> Path:
    """Return the run, which must be over; raises `InvalidFile`."""
    if not (run / RUN).is_file():
        raise InvalidFile("the run was interrupted; run it again first", path=run / RUN)
    return run
