"""One question, one answer."""

from __future__ import annotations

from typing import cast

from harness.protocols import Ask, Conversation
from harness.records import Response, Sample, Transcript


def single(sample: Sample, ask: Ask) -> Conversation:
    """Ask once and take what comes."""
    response = cast("Response", (yield ask(sample)))
    return Transcript((response,))
