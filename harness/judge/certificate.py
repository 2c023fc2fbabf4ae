"""The certificate that an audit ends with: granted, or refused with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from harness.judge.measures import Measure


class Note(Struct, frozen=True):
    """What a reader of a certificate must know beside its measures."""

    key: str
    text: str
    values: dict[str, Any] = {}
    """What `text` is filled with; the page says it in two languages."""


class Certificate(Struct, frozen=True):
    """Whether a judge's verdicts may be believed, and how that was found."""

    judge: str
    judge_hash: str
    mode: str
    models: dict[str, Any]
    granted: bool
    status: Literal["complete", "partial"]
    stopped: str | None
    """Why it is partial."""
    reasons: tuple[str, ...]
    """Why it was refused; empty where it was granted."""
    measures: tuple[Measure, ...]
    notes: tuple[Note, ...]
    """What could not be measured, and what the probes are not."""
    probes: int
    """Probes that were judged."""
    facts: dict[str, int]
    """By kind and language: what the probes are made of."""
    probe_hash: str
    usage: dict[str, Any]
    harness: str
    date: str


def outcome(certificate: Certificate) -> Literal["granted", "refused", "incomplete"]:
    """Return what a certificate comes to; one that was cut short says nothing of its judge.

    A judge that brought no verdict at all was cut short for that, and is refused.
    """
    if certificate.granted:
        return "granted"
    cut = certificate.stopped is not None and not certificate.stopped.startswith("mute")
    return "incomplete" if cut else "refused"


def reasons(measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return why a certificate is refused: what is shown first, then the gravest."""
    failed = [measure for measure in measures if not measure.passed]
    failed.sort(key=lambda one: (not one.shown, -abs(one.value or 0.0) / one.limit))
    told = [f"{one.name}: {one.reason}" for one in failed if one.n]
    mute = [one.name for one in failed if not one.n]
    return (*told, *([f"{', '.join(mute)}: no probe brought a verdict"] if mute else ()))
