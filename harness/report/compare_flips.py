"""Samples that one run got right and another did not, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.mark import link
from harness.report.word_diff import Piece, shortened, word_diff

Json = Mapping[str, Any]
ASKED, WANTED = 1200, 200
"""Characters of a question and of an accepted answer; the run's page has all of them."""


@dataclass(frozen=True, slots=True)
class FlipView:
    """A sample that one run got right and the other did not."""

    lost: bool
    task: str
    """The task's name alone, to filter by."""
    place: str
    """The task with arm and variant."""
    sample: str
    input: str
    target: tuple[str, ...]
    was: list[Piece]
    """Pieces of the reference's answer: "=", "-", "…" or "~" alone."""
    got: list[Piece]
    before: str
    now: str

    @property
    def compared(self) -> bool:
        """Whether what differs is marked."""
        return all(kind != "~" for kind, _ in self.was)


def place_name(place: Json) -> str:
    """Return a task with its arm and variant, where these are not the usual ones.

    >>> place_name({"task": "a/x", "arm": "default", "variant": "typos"})
    'a/x · typos'
    """
    parts = [place["task"]]
    parts += [place["arm"]] * (place["arm"] != "default")
    parts += [place["variant"]] * (place["variant"] != "original")
    return " · ".join(parts)


def flip_view(flip: Json, runs: tuple[str, str], outputs: Mapping[Any, str]) -> FlipView:
    """Return a flipped sample of (reference, other); `outputs` may hold whole answers.

    By run, task, arm, variant, sample and epoch.
    """
    place = flip["place"]
    key = (place["task"], place["arm"], place["variant"], flip["sample_id"], flip["epoch"])
    texts = [
        outputs.get((run, *key)) or flip[said]
        for run, said in zip(runs, ("was", "got"), strict=True)
    ]
    old, new = word_diff(*texts)
    before, now = (_address(run, flip) for run in runs)
    return FlipView(
        lost=flip["lost"],
        task=place["task"],
        place=place_name(place),
        sample=flip["sample_id"],
        input=cut(flip["input"], ASKED),
        target=tuple(cut(text, WANTED) for text in flip["target"]),
        was=shortened(old),
        got=shortened(new),
        before=before,
        now=now,
    )


def _address(run: str, flip: Json) -> str:
    place = flip["place"]
    return link(
        "run",
        run=run,
        task=place["task"],
        s=flip["sample_id"],
        sa=place["arm"] if place["arm"] != "default" else None,
        sv=place["variant"] if place["variant"] != "original" else None,
        se=str(flip["epoch"]) if flip["epoch"] else None,
        st=place["task"],
    )


def cut(text: str, most: int) -> str:
    """Return the start of a text.

    >>> cut("abcdef", 4), cut("abcd", 4)
    ('abcd…', 'abcd')
    """
    return text[:most] + "…" * (len(text) > most)


def tasks_of(flips: Sequence[FlipView]) -> list[tuple[str, int]]:
    """Return the tasks of some flips with how many there are of each, in their order."""
    counts: dict[str, int] = {}
    for flip in flips:
        counts[flip.task] = counts.get(flip.task, 0) + 1
    return list(counts.items())
