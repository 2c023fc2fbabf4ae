"""A run's answers by request key, read from its table: what `replay/RUN` answers from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.records import Response
from harness.store.reading import read_rows
from harness.store.rewrite import stored_exchanges


def recorded_responses(run: Path) -> dict[str, Response]:
    """Return every answer of the run, marked as cached. Holds them all in memory."""
    found: dict[str, Response] = {}
    for row in read_rows(run):
        responses = [exchange.response for exchange in stored_exchanges(row)]
        for response, choice in _with_choices(responses, row["choices"] or []):
            replayed = msgspec.structs.replace(response, cached=True)
            if choice is not None:
                replayed = msgspec.structs.replace(
                    replayed,
                    loglikelihood=choice["loglikelihood"],
                    greedy=choice["greedy"],
                    tokens=choice["tokens"],
                )
            found[response.request_key] = replayed
    return found


def _with_choices(
    responses: list[Response], choices: list[dict[str, Any]]
) -> list[tuple[Response, dict[str, Any] | None]]:
    """Pair the answers with the options they scored; unconditional ones come after."""
    if not choices:
        return [(response, None) for response in responses]
    alone = [{**choice, "loglikelihood": choice["unconditional"]} for choice in choices]
    return list(zip(responses, [*choices, *alone], strict=False))
