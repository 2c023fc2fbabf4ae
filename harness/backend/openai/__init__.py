"""Models behind an OpenAI-compatible HTTP server.

`open_openai` makes the backend from a `ModelSpec`. The hot path is aiohttp and msgspec; the
`openai` SDK is not imported. How a request becomes a body and a body a reply stands in `wire.py`,
log-likelihoods in `echo.py`, what goes wrong in `faults.py`, arguments and keys in `settings.py`.
"""

from harness.backend.openai.client import OpenAIBackend, open_openai

__all__ = ["OpenAIBackend", "open_openai"]
