"""What a run would ask, without asking: `harness run --dry-run`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from harness.interact.ask import Asker
from harness.pipeline import open_backend
from harness.prepare import Prepared, prepare
from harness.protocols import Conversation
from harness.records import Execution, Request, RunSpec, Sample
from harness.task.catalogue import Catalogue

LOOKED_AT = 200
"""Samples of a task that are rendered to estimate the rest."""
CHARACTERS_PER_TOKEN = 4.0
"""A usual figure for English in the tokenizers of 2024 to 2026; Chinese has about 1.5."""


class Preview(Struct, frozen=True):
    """What one task would cost."""

    task: str
    samples: int
    """Samples × arms × variants × epochs."""
    requests: int
    """First requests; interactions of several turns send more."""
    prompt_tokens: int
    """Estimated from characters."""
    completion_tokens: int
    """The most that the generation settings allow."""


def preview(spec: RunSpec, execution: Execution) -> list[Preview]:
    """Return what each task would ask; nothing is sent."""
    live: dict[str, Sample] = {}
    backend = open_backend(spec.model, execution, live)
    tasks, _ = prepare(Catalogue().resolve(spec.tasks), spec, backend)
    ask = Asker(chat="chat" in backend.capabilities)
    return [_preview(task, spec, ask) for task in tasks]


def _preview(task: Prepared, spec: RunSpec, ask: Asker) -> Preview:
    asked = [
        _first(arm.interaction(sample, ask))
        for arm, sample in islice(task.samples(spec), LOOKED_AT)
    ]
    samples = task.size(spec.epochs)
    scale = samples / max(len(asked), 1)
    requests = [request for turn in asked for request in turn]
    return Preview(
        task=task.task.task,
        samples=samples,
        requests=round(len(requests) * scale),
        prompt_tokens=round(sum(map(_characters, requests)) * scale / CHARACTERS_PER_TOKEN),
        completion_tokens=round(sum(map(_most, requests)) * scale),
    )


def _first(conversation: Conversation) -> Sequence[Request]:
    with contextlib.closing(conversation):
        asked = next(conversation)
    return (asked,) if isinstance(asked, Request) else asked


def _characters(request: Request) -> int:
    chat = sum(len(message.content) for message in request.messages)
    return chat + len(request.prompt) + len(request.continuation)


def _most(request: Request) -> int:
    return request.generation.max_tokens if request.kind == "generate" else 0


def lines(previews: Sequence[Preview]) -> Iterator[str]:
    """Yield the previews as text, the total last."""
    total = Preview(
        "total",
        *(
            sum(getattr(one, name) for one in previews)
            for name in ("samples", "requests", "prompt_tokens", "completion_tokens")
        ),
    )
    for one in (*previews, total):
        yield (
            f"{one.task}: {one.samples:,} samples, {one.requests:,} requests or more, "
            f"about {one.prompt_tokens:,} tokens in, at most {one.completion_tokens:,} out"
        )
