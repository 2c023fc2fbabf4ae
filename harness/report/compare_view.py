"""What the compare page shows: verdicts on one axis, flipped samples, what was set otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.report.compare_draw import SHAPES, Reach, axis, axis_reach, drawn, is_share, signed
from harness.report.compare_flips import FlipView, flip_view, place_name, tasks_of
from harness.report.compare_settings import changed_settings
from harness.report.mark import EMPTY, link
from harness.report.model import ReportData, TaskText
from harness.report.numbers import number
from harness.report.say import NOTHING, Said, say
from harness.report.story import listed

Json = Mapping[str, Any]
ORDER = ("regressed", "inconclusive", "improved", "not_worse")
NAMED = 3
"""Runs that the title names; of more it says how many."""
Place = tuple[str, str]
"""A task with arm and variant, and a metric."""


@dataclass(frozen=True, slots=True)
class Line:
    """One task under two runs."""

    task: str
    place: str
    """The task with arm and variant."""
    title: Said
    href: str
    metric: str
    verdict: str
    shape: str
    word: Said
    needed: Said
    drawn: Markup
    difference: str
    interval: str
    reference: str
    other: str
    gained: int
    lost: int
    differs: str
    """Address of the samples that came out otherwise."""
    n: int
    p_value: str
    unpaired: int


@dataclass(frozen=True, slots=True)
class Against:
    """One run against the reference."""

    run: str
    model: str
    href: str
    story: Said
    lines: list[Line]
    counts: list[tuple[str, int]]
    """Lines by verdict."""
    axis: Markup
    flips: list[FlipView]
    tasks: list[tuple[str, int]]
    """Flips shown, by task."""
    flipped: int
    """All that flipped, shown or not."""
    differs: str

    @property
    def lost(self) -> int:
        """Shown samples that got worse."""
        return sum(flip.lost for flip in self.flips)


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The whole page."""

    title: Said
    reference: str
    href: str
    against: list[Against]
    matrix: list[tuple[Line, list[Line | None]]]
    """With several runs: one line of each task, and the line of every run or None."""
    confidence: str
    margin: str
    settings: list[tuple[str, list[str]]]
    """What is set otherwise: its name, and its value in each run."""
    runs: list[str]
    same: int
    """How many settings agree."""
    notes: tuple[str, ...]


def compare_page(data: ReportData) -> ComparePage | None:
    """Return the page of `data.extra["compare"]`, a comparison as JSON; None where there is none.

    `data.extra["outputs"]` may hold whole outputs by run, task, arm, variant, sample and epoch.
    """
    found = data.extra.get("compare")
    if found is None:
        return None
    labels = {run.name: run.model for run in data.runs}
    settings, same = changed_settings(data.runs)
    reach = Reach(axis_reach(found["rows"], found["margin"]), found["margin"])
    against = [
        _against(data, found, (run, labels.get(run, model)), reach)
        for run, model in found["others"]
    ]
    reference = labels.get(found["reference"], found["reference_model"])
    return ComparePage(
        title=_title([one.model for one in against], reference),
        reference=reference,
        href=link("run", run=found["reference"]),
        against=against,
        matrix=_matrix(against) if len(against) > 1 else [],
        confidence=f"{100 * found['confidence']:g}",
        margin=f"{100 * found['margin']:g}",
        settings=settings,
        runs=[run.model for run in data.runs],
        same=same,
        notes=tuple(found["notes"]),
    )


def _title(models: Sequence[str], reference: str) -> Said:
    names = listed(models) if len(models) <= NAMED else say("compare.many", count=len(models))
    return say("compare.title", names=names, reference=reference)


def _against(data: ReportData, found: Json, other: tuple[str, str], reach: Reach) -> Against:
    run, model = other
    runs = (found["reference"], run)
    rows = [row for row in found["rows"] if row["run"] == run]
    rows.sort(key=lambda row: (ORDER.index(row["verdict"]), row["difference"]))
    lines = [_line(data, row, runs, reach) for row in rows]
    outputs = data.extra.get("outputs") or {}
    flips = [flip_view(flip, runs, outputs) for flip in found["flips"].get(run, ())]
    counts = [(kind, sum(line.verdict == kind for line in lines)) for kind in ORDER]
    return Against(
        run=run,
        model=model,
        href=link("run", run=run),
        story=_story(lines, counts, model),
        lines=lines,
        counts=[(kind, count) for kind, count in counts if count],
        axis=axis(reach.far),
        flips=flips,
        tasks=tasks_of(flips),
        flipped=sum(row["gained"] + row["lost"] for row in rows),
        differs=link("run", run=run, diff=found["reference"]),
    )


def _matrix(against: Sequence[Against]) -> list[tuple[Line, list[Line | None]]]:
    """Return every task once, in the order of the first run that has it, with all runs' lines."""
    by_run = [{_key(line): line for line in one.lines} for one in against]
    firsts: dict[Place, Line] = {}
    for lines in by_run:
        for key, line in lines.items():
            firsts.setdefault(key, line)
    return [(line, [lines.get(key) for lines in by_run]) for key, line in sorted(firsts.items())]


def _key(line: Line) -> Place:
    return line.place, line.metric


def _line(data: ReportData, row: Json, runs: tuple[str, str], reach: Reach) -> Line:
    kind = row["verdict"]
    place = row["place"]
    task = place["task"]
    share = is_share(row)
    text = data.tasks.get(task)
    more = row["needed"] or 0
    variant = place["variant"] if place["variant"] != "original" else None
    return Line(
        task=task,
        place=place_name(place),
        title=(text or TaskText(task)).named,
        href=link("task", task=task),
        metric=row["metric"].replace("_", " "),
        verdict=kind,
        shape=SHAPES[kind],
        word=say(f"compare.verdict.{kind}"),
        needed=say("compare.needed", n=f"{more:,}") if more > row["n"] else NOTHING,
        drawn=drawn(row, kind, reach) if share else EMPTY,
        difference=signed(row["difference"], share=share),
        interval=_interval(row, share=share),
        reference=number(row["reference"]),
        other=number(row["other"]),
        gained=row["gained"],
        lost=row["lost"],
        differs=link(
            "run", run=runs[1], task=task, arm=place["arm"], variant=variant, diff=runs[0]
        ),
        n=row["n"],
        p_value=f"{row['p_value']:.2g}",
        unpaired=row["unpaired"],
    )


def _interval(row: Json, *, share: bool) -> str:
    if row["low"] is None or row["high"] is None:
        return ""
    return f"{signed(row['low'], share=share)} … {signed(row['high'], share=share)}"


def _story(lines: Sequence[Line], counts: Sequence[tuple[str, int]], model: str) -> Said:
    if not lines:
        return say("story.no_numbers")
    parts = [say(f"compare.count.{kind}", count=count) for kind, count in counts if count]
    joined = Said(
        ", ".join(part.en for part in parts),
        "，".join(part.zh for part in parts),
    )
    said = say("compare.story", model=model, counts=joined, all=len(lines))
    worst = [line for line in lines if line.verdict == "regressed"][:3]
    if worst:
        names = Said(
            listed([f"{line.title.en} ({line.difference})" for line in worst]).en,
            listed([f"{line.title.zh}（{line.difference}）" for line in worst]).zh,
        )
        said += say("compare.worst", names=names)
    return said
