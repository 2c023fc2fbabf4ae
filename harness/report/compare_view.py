"""What the compare page shows: differences on one axis, flipped samples, what was set otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from markupsafe import Markup

from harness.report.mark import link
from harness.report.model import ReportData, RunData
from harness.report.numbers import number
from harness.report.say import NOTHING, Said, say
from harness.report.story import listed

Json = Mapping[str, Any]
MOST_TOKENS = 3000
"""Longer texts stand side by side without marks: the comparison is quadratic."""
SHOWN = 60
"""Characters of a setting's value."""
WIDTH, MIDDLE = 240.0, 11.0
ORDER = ("regressed", "inconclusive", "improved", "not_worse")
SHAPES = {"improved": "▲", "not_worse": "●", "regressed": "▼", "inconclusive": "◇"}
TOKEN = re.compile(r"[^\W\u2e80-\u9fff\uac00-\ud7ff]+|\s+|.", re.DOTALL)
"""A word, white space, or one other sign; Chinese, Japanese and Korean go sign by sign."""
SKIPPED = ("started_at", "finished_at", "wall_s", "name", "usage", "scored", "planned", "spec_hash")


class Reach(NamedTuple):
    """The common axis: how far it goes to either side of zero, and the margin drawn on it."""

    far: float
    margin: float


@dataclass(frozen=True, slots=True)
class Line:
    """One task under two runs."""

    task: str
    title: str
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
    n: int
    p_value: str
    unpaired: int


@dataclass(frozen=True, slots=True)
class FlipView:
    """A sample that one run got right and the other did not."""

    lost: bool
    task: str
    sample: str
    input: str
    target: tuple[str, ...]
    was: list[tuple[str, str]]
    """Pieces of the reference's answer: (kind, text), kind "=" or "-"."""
    got: list[tuple[str, str]]
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Against:
    """One run against the reference."""

    run: str
    model: str
    href: str
    story: Said
    lines: list[Line]
    axis: Markup
    flips: list[FlipView]
    flipped: int
    """All that flipped, shown or not."""

    @property
    def lost(self) -> int:
        """Shown samples that got worse."""
        return sum(flip.lost for flip in self.flips)


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The whole page."""

    reference: str
    href: str
    against: list[Against]
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
    return ComparePage(
        reference=labels.get(found["reference"], found["reference_model"]),
        href=link("run", run=found["reference"]),
        against=[_against(data, found, run, model, reach) for run, model in found["others"]],
        confidence=f"{100 * found['confidence']:g}",
        margin=f"{100 * found['margin']:g}",
        settings=settings,
        runs=[run.model for run in data.runs],
        same=same,
        notes=tuple(found["notes"]),
    )


def _against(data: ReportData, found: Json, run: str, model: str, reach: Reach) -> Against:
    rows = [row for row in found["rows"] if row["run"] == run]
    lines = sorted(
        (_line(data, row, reach) for row in rows), key=lambda line: ORDER.index(line.verdict)
    )
    labels = {one.name: one.model for one in data.runs}
    flips = found["flips"].get(run, ())
    shown = [_flip(data, found["reference"], run, flip) for flip in flips]
    return Against(
        run=run,
        model=labels.get(run, model),
        href=link("run", run=run),
        story=_story(lines, labels.get(run, model)),
        lines=lines,
        axis=_axis(reach.far),
        flips=shown,
        flipped=sum(row["gained"] + row["lost"] for row in rows),
    )


def _place(place: Json) -> str:
    """Return a task with its arm and variant, where these are not the usual ones."""
    parts = [place["task"]]
    parts += [place["arm"]] * (place["arm"] != "default")
    parts += [place["variant"]] * (place["variant"] != "original")
    return " · ".join(parts)


# ---- verdicts -------------------------------------------------------------------------------


def _is_share(row: Json) -> bool:
    """Whether both scores lie in 0…1, so that points and the margin have a meaning."""
    return bool(0 <= row["reference"] <= 1 and 0 <= row["other"] <= 1)


def _line(data: ReportData, row: Json, reach: Reach) -> Line:
    kind = row["verdict"]
    task = row["place"]["task"]
    share = _is_share(row)
    text = data.tasks.get(task)
    more = row["needed"] or 0
    return Line(
        task=_place(row["place"]),
        title=(text.title if text else "") or task,
        href=link("task", task=task),
        metric=row["metric"].replace("_", " "),
        verdict=kind,
        shape=SHAPES[kind],
        word=say(f"compare.verdict.{kind}"),
        needed=say("compare.needed", n=f"{more:,}") if more > row["n"] else NOTHING,
        drawn=_drawn(row, kind, reach) if share else Markup(""),
        difference=signed(row["difference"], share=share),
        interval=_interval(row, share=share),
        reference=number(row["reference"]),
        other=number(row["other"]),
        gained=row["gained"],
        lost=row["lost"],
        n=row["n"],
        p_value=f"{row['p_value']:.2g}",
        unpaired=row["unpaired"],
    )


def signed(value: float, *, share: bool) -> str:
    """Write a difference with its sign: in points where scores are shares.

    >>> signed(0.034, share=True), signed(-3.25, share=False) == "\N{MINUS SIGN}3.25"
    ('+3.4', True)
    """
    text = f"{100 * value:+.1f}" if share else f"{value:+.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _interval(row: Json, *, share: bool) -> str:
    if row["low"] is None or row["high"] is None:
        return ""
    return f"{signed(row['low'], share=share)} … {signed(row['high'], share=share)}"


def _story(lines: Sequence[Line], model: str) -> Said:
    if not lines:
        return say("story.no_numbers")
    counts = [(kind, sum(line.verdict == kind for line in lines)) for kind in ORDER]
    parts = [say(f"compare.count.{kind}", count=count) for kind, count in counts if count]
    joined = Said(
        ", ".join(part.en for part in parts),
        "，".join(part.zh for part in parts),
    )
    said = say("compare.story", model=model, counts=joined, all=len(lines))
    worst = [line for line in lines if line.verdict == "regressed"][:3]
    if worst:
        names = listed([f"{line.title} ({line.difference})" for line in worst])
        said += say("compare.worst", names=names)
    return said


# ---- drawing --------------------------------------------------------------------------------


def axis_reach(rows: Iterable[Json], margin: float = 0.02) -> float:
    """Return how far the common axis goes to either side of zero: a round share.

    >>> axis_reach([]), axis_reach([{"low": -0.13, "high": 0.02, "difference": -0.05,
    ...     "reference": 0.5, "other": 0.45}])
    (0.05, 0.2)
    """
    ends = [
        abs(row[name])
        for row in rows
        if _is_share(row)
        for name in ("low", "high", "difference")
        if row[name] is not None
    ]
    far = max([min(2 * margin, 1.0), *ends])
    return next(
        step for step in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, math.inf) if far <= step + 1e-9
    )


def _at(value: float, reach: float) -> float:
    return round(WIDTH / 2 + (WIDTH / 2 - 10) * min(max(value / reach, -1.0), 1.0), 1)


def _axis(reach: float) -> Markup:
    """Return the head of the drawn column: the ends of the axis and zero, in points."""
    marks = "".join(
        f'<text x="{_at(value, reach):g}" y="12" text-anchor="{anchor}">{text}</text>'
        for value, anchor, text in (
            (-reach, "start", signed(-reach, share=True).removesuffix(".0")),
            (0.0, "middle", "0"),
            (reach, "end", signed(reach, share=True).removesuffix(".0")),
        )
    )
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="cx" viewBox="0 0 {WIDTH:g} 16" aria-hidden="true">{marks}</svg>'
    )


def _drawn(row: Json, kind: str, scale: Reach) -> Markup:
    """Return the margin as a band, zero as a line, the interval, and the verdict's shape."""
    reach = scale.far
    left, right = _at(-scale.margin, reach), _at(scale.margin, reach)
    zero, x = _at(0.0, reach), _at(row["difference"], reach)
    parts = [
        f'<rect class="cm" x="{left:g}" y="0" width="{right - left:g}" height="22"/>',
        f'<path class="cz" d="M{zero:g} 0V22"/>',
    ]
    if row["low"] is not None and row["high"] is not None:
        low, high = _at(row["low"], reach), _at(row["high"], reach)
        parts.append(
            f'<path class="ci2" d="M{low:g} {MIDDLE:g}H{high:g}M{low:g} 7V15M{high:g} 7V15"/>'
        )
    shapes = {
        "improved": f"M{x:g} 5L{x + 6:g} 16H{x - 6:g}Z",
        "regressed": f"M{x:g} 17L{x + 6:g} 6H{x - 6:g}Z",
        "inconclusive": f"M{x:g} 5L{x + 6:g} 11L{x:g} 17L{x - 6:g} 11Z",
        "not_worse": f"M{x - 5:g} 11a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
    }
    parts.append(f'<path class="cs {kind}" d="{shapes[kind]}"/>')
    return Markup(  # noqa: S704 - numbers and our own class names only
        f'<svg class="cx" viewBox="0 0 {WIDTH:g} 22" aria-hidden="true">{"".join(parts)}</svg>'
    )


# ---- flipped samples ------------------------------------------------------------------------


def _flip(data: ReportData, reference: str, run: str, flip: Json) -> FlipView:
    place = flip["place"]
    at = {
        "task": place["task"],
        "arm": place["arm"],
        "variant": place["variant"],
        "s": flip["sample_id"],
    }
    outputs = data.extra.get("outputs") or {}
    key = (place["task"], place["arm"], place["variant"], flip["sample_id"], flip["epoch"])
    was = outputs.get((reference, *key)) or flip["was"]
    got = outputs.get((run, *key)) or flip["got"]
    old, new = word_diff(was, got)
    return FlipView(
        lost=flip["lost"],
        task=_place(place),
        sample=flip["sample_id"],
        input=flip["input"],
        target=tuple(flip["target"]),
        was=old,
        got=new,
        before=link("run", run=reference, **at),
        now=link("run", run=run, **at),
    )


def word_diff(was: str, got: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return both texts in pieces: "=" for what they share, "-" and "+" for what they do not.

    >>> word_diff("it is 12", "it is 21")
    ([('=', 'it is '), ('-', '12')], [('=', 'it is '), ('+', '21')])
    """
    old, new = TOKEN.findall(was), TOKEN.findall(got)
    if max(len(old), len(new)) > MOST_TOKENS:
        return [("=", was)], [("=", got)]
    left: list[tuple[str, str]] = []
    right: list[tuple[str, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = kind == "equal"
        left += [("=" if same else "-", "".join(old[a:b]))] * (b > a)
        right += [("=" if same else "+", "".join(new[c:d]))] * (d > c)
    return left, right


# ---- settings -------------------------------------------------------------------------------


def changed_settings(runs: Sequence[RunData]) -> tuple[list[tuple[str, list[str]]], int]:
    """Return what the runs were set to otherwise, and how many settings agree."""
    known = [dict(_flat("", {**run.spec.get("spec", {}), **_kept(run.manifest)})) for run in runs]
    names = list(dict.fromkeys(name for one in known for name in one))
    rows = [(name, [one.get(name, "–") for one in known]) for name in names]
    changed = [(name, values) for name, values in rows if len(set(values)) > 1]
    return changed, len(rows) - len(changed)


def _kept(manifest: Json) -> dict[str, Any]:
    """Return the part of run.json that says how a run was made, not how it went."""
    kept = {name: value for name, value in manifest.items() if name not in SKIPPED}
    if "model" in kept:
        kept["served"] = kept.pop("model")
    return kept | {"hashes": kept.pop("tasks", {})}


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), part)
        return
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    yield name, text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
