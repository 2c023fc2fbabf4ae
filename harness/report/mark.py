"""One number on a page: its text, whisker, tint, tooltip and the way to its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from harness.report.marks import Scale, tint, whisker
from harness.report.numbers import number, span
from harness.report.say import NOTHING, Said, known, say

EMPTY = Markup("")
BLANKS = {
    "not run": "blank.not_run",
    "every request failed": "blank.failed",
    "every sample failed": "blank.failed",
    "every sample failed or got no verdict": "blank.failed",
    "the judge gave no verdict": "blank.unjudged",
    "not measured in this run": "blank.na",
}


def link(view: str, **places: str | None) -> str:
    """Return the address of a page within the report.

    >>> link("task", task="a/b c", slice=None)
    '#view=task&task=a%2Fb+c'
    """
    given = {name: value for name, value in places.items() if value is not None}
    return "#" + urlencode({"view": view, **given})


@dataclass(frozen=True, slots=True)
class Frame:
    """What the numbers of one column share."""

    scale: Scale
    low: float = 0.0
    high: float = 1.0
    better: bool | None = True


@dataclass(frozen=True, slots=True)
class Mark:
    """One number, ready for a template."""

    text: str
    sort: str
    span: str = ""
    n: int = 0
    classes: str = ""
    drawn: Markup = EMPTY
    tip: str = ""
    href: str | None = None
    blank: Said = NOTHING
    why: Said = NOTHING
    flags: tuple[str, ...] = ()


def mark(place: Mapping[str, Any], frame: Frame | None, href: str | None = None) -> Mark:
    """Return how a place of board.json or a cell is shown; without a frame, as text alone."""
    value, low, high = place.get("value"), place.get("low"), place.get("high")
    if value is None:
        reason = place.get("reason") or "not measured in this run"
        unable = "blank.unable" if "log-likelihoods" in reason or "writes no" in reason else None
        word = known(unable or BLANKS.get(reason, "blank.na"), reason)
        return Mark("", "", blank=word, why=known(f"why.{reason}", reason))
    classes = [tint(value, frame.low, frame.high, better=frame.better)] if frame else []
    if place.get("differs"):
        classes = []  # no depth among numbers that it does not compare with
    classes += [name for name in ("best", "differs") if place.get(name)]
    flags = tuple(
        name
        for name, shown in (
            ("differs", place.get("differs")),
            ("partial", place.get("reason") == "partial run"),
            ("failed", place.get("errors", 0) + place.get("unjudged", 0)),
        )
        if shown
    )
    return Mark(
        text=number(value, low, high),
        sort=repr(float(value)),
        span=span(place),
        n=place.get("n", 0),
        classes=" ".join(name for name in classes if name),
        drawn=whisker(place, frame.scale) if frame else EMPTY,
        tip=_tip(place),
        href=href,
        flags=flags,
    )


def _tip(place: Mapping[str, Any]) -> str:
    """Return what the tooltip says, in parts that the script puts into words."""
    missing = place.get("errors", 0) + place.get("unjudged", 0)
    bounds = [
        "" if place.get(name) is None else number(place[name])
        for name in ("bound_low", "bound_high")
    ]
    flags = "".join(
        letter
        for letter, name in (("o", "observed"), ("b", "best"), ("d", "differs"))
        if place.get(name)
    )
    parts = [
        number(place["value"], place.get("low"), place.get("high")),
        span(place),
        place.get("n", 0),
        place.get("unparsed", 0),
        missing,
        *bounds,
        place.get("method", "").replace("|", "/"),
        round(100 * place.get("confidence", 0.95)),
        flags,
    ]
    return "|".join(map(str, parts))


def arrow(better: bool | None) -> tuple[str, Said]:
    """Return the arrow of a direction, and what it means."""
    if better is None:
        return "", NOTHING
    return ("▲", say("higher")) if better else ("▼", say("lower"))
