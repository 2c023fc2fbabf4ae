"""harness serve: a model as an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Any

import click

from harness.cli.options import model_options
from harness.errors import UsageError


@click.command("serve")
@model_options
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
def command(port: int, **flags: Any) -> None:
    """Serve --model on 127.0.0.1 as /v1/chat/completions and /v1/completions."""
    import asyncio

    from harness.backend.serve import serve
    from harness.cli.main import say
    from harness.config import build_model
    from harness.opening import open_backend
    from harness.records import Execution

    model = build_model(flags)
    if model.provider == "scripted":
        raise UsageError("scripted models answer from a run's plan and cannot be served")
    backend = open_backend(model, Execution(), {})

    def ready(address: str) -> None:
        say(f"{model.label} at {address}; Ctrl-C ends it")

    async def go() -> None:
        try:
            await serve(backend, port=port, ready=ready)
        finally:
            await backend.close()

    asyncio.run(go())
