"""What perturbations cost on a task: from the original to the perturbed, in pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from harness.records import Cell
from harness.report.charts import Palette, series_key
from harness.report.copies import Drop
from harness.report.mark import EMPTY, Mark, link
from harness.report.marks import dumbbell
from harness.report.numbers import number, span
from harness.report.say import NOTHING, Said, known, say
from harness.report.slice_view import Contender, cell_mark
from harness.report.survey import ACROSS

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One model under one perturbation."""

    model: str
    key: Markup
    drawn: Markup
    before: str
    after: Mark
    """Text and link alone."""
    drop: str = ""
    span: str = ""
    n: int = 0
    changed: int = 0
    flips: tuple[int, int] = (0, 0)
    """Samples that scored more before, and more after."""
    verdict: Said = NOTHING
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One perturbation: a line for each model, and what it did to some inputs."""

    name: str
    title: Said
    lines: tuple[VariantLine, ...]
    examples: tuple[list[tuple[str, str | None]], ...] = ()


@dataclass(frozen=True, slots=True)
class AcrossLine:
    """One model over all perturbations of a group."""

    model: str
    key: Markup
    group: Said
    worst: Mark | None
    drop: Mark | None
    n: int


def variants(contenders: Sequence[Contender], palette: Palette) -> list[Variant]:
    """Return every perturbation of a task, in the order in which it was met."""
    lines: dict[str, list[VariantLine]] = {}
    for contender in contenders:
        drops = {drop.variant: drop for drop in contender.survey.drops}
        for cell in _copies(contender):
            drop = drops.get(cell.variant)
            line = _line(contender, cell, drop, palette[contender.model])
            lines.setdefault(cell.variant, []).append(line)
    shown = _examples(contenders)
    return [
        Variant(
            name=name,
            title=known(f"variant.{name}", name.replace("_", " ")),
            lines=tuple(found),
            examples=tuple(shown.get(name, ())),
        )
        for name, found in lines.items()
    ]


def _copies(contender: Contender) -> Iterable[Cell]:
    first = contender.cells[0]
    for cell in contender.cells:
        if cell.metric != first.metric or cell.slice or cell.arm != first.arm:
            continue
        if cell.variant not in ("original", *ACROSS) and cell.value is not None:
            yield cell


def _line(contender: Contender, cell: Cell, drop: Drop | None, place: int) -> VariantLine:
    arm = cell.arm if contender.several else None
    href = link("run", run=contender.run, task=cell.task, arm=arm, variant=cell.variant)
    first, key = contender.cells[0], series_key(place)
    after = replace(cell_mark(cell, href), span="", n=0)
    if drop is None or drop.interval.value is None:
        before = number(first.value, first.low, first.high)
        drawn = EMPTY
        if first.value is not None and cell.value is not None:
            drawn = _drawn(first.value, cell.value, None)
        return VariantLine(contender.model, key, drawn, before, after)
    low, high = drop.interval.low, drop.interval.high
    ends = None if low is None or high is None else (drop.before - high, drop.before - low)
    found = {"value": drop.interval.value, "low": low, "high": high}
    verdict, sign = _verdict(low, high, first.higher_is_better)
    return VariantLine(
        model=contender.model,
        key=key,
        drawn=_drawn(drop.before, drop.after, ends),
        before=number(drop.before, first.low, first.high),
        after=after,
        drop=number(drop.interval.value, low, high),
        span=span(found),
        n=drop.n,
        changed=drop.changed,
        flips=(drop.lost, drop.gained),
        verdict=verdict,
        sign=sign,
    )


def _drawn(before: float, after: float, ends: tuple[float, float] | None) -> Markup:
    if 0 <= before <= 1 and 0 <= after <= 1:
        return dumbbell(before, after, ends)
    return EMPTY


def _verdict(low: float | None, high: float | None, better: bool | None) -> tuple[Said, str]:
    """Say whether the drop is more than chance: with a shape as well as a word."""
    if low is None or high is None or better is None or low <= 0 <= high:
        return say("task.no_drop"), ""
    return (say("task.worse"), "▼") if (low > 0) == better else (say("task.better"), "▲")


def _examples(
    contenders: Sequence[Contender],
) -> dict[str, list[list[tuple[str, str | None]]]]:
    found: dict[str, list[list[tuple[str, str | None]]]] = {}
    for contender in contenders:
        for variant, examples in contender.survey.changed.items():
            if examples:
                found.setdefault(variant, [pieces(example) for example in examples])
    return found


def pieces(example: Json) -> list[tuple[str, str | None]]:
    """Return a perturbed input cut at its spans: (text, what stood there or None)."""
    text, at = example["input"], 0
    cut: list[tuple[str, str | None]] = []
    for span_ in sorted(example["spans"], key=lambda item: item["start"]):
        if span_["start"] < at:
            continue
        cut.append((text[at : span_["start"]], None))
        cut.append((text[span_["start"] : span_["end"]], span_["original"]))
        at = span_["end"]
    cut.append((text[at:], None))
    return [piece for piece in cut if piece[0] or piece[1] is not None]


def across(contenders: Sequence[Contender], palette: Palette) -> list[AcrossLine]:
    """Return worst case and mean drop over the copies, by model and group of perturbations."""
    out = []
    for contender in contenders:
        first = contender.cells[0]
        groups: dict[str, dict[str, Cell]] = {}
        for cell in contender.cells:
            if cell.variant in ACROSS and cell.arm == first.arm and cell.value is not None:
                groups.setdefault(cell.group, {})[cell.variant] = cell
        for group, found in groups.items():
            worst, drop = found.get("worst"), found.get("mean_drop")
            some = worst or drop
            assert some is not None
            out.append(
                AcrossLine(
                    model=contender.model,
                    key=series_key(palette[contender.model]),
                    group=say(f"group.{group}"),
                    worst=cell_mark(worst, None) if worst else None,
                    drop=cell_mark(drop, None) if drop else None,
                    n=some.n,
                )
            )
    return out
