"""Drives a judge's conversation with a function of the request: no server, no mock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.judge.modes import Judged, Seat
from harness.records import Request, Response

JUDGES = Path(__file__).parent.parent.parent / "tasks" / "judges"
SEAT = Seat("test/judge")


def drive(talk, reply: Callable[[Request], str | Response]) -> tuple[Judged, list[Request]]:
    """Return what was judged and all that was asked."""
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        said = reply(request)
        return Response(text=said) if isinstance(said, str) else said

    try:
        request = next(talk)
        while True:
            if isinstance(request, Request):
                request = talk.send(answer(request))
            else:
                request = talk.send(tuple(answer(one) for one in request))
    except StopIteration as stop:
        return stop.value, asked


def shown(request: Request) -> str:
    """Return all that a request shows, chat or text."""
    return "\n".join(m.content for m in request.messages) + request.prompt
