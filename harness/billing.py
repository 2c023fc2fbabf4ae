"""What a response says of money beyond its tokens: the part of the prompt read from a cache.

Apart from `records`, since only providers with a prompt cache and a price for it tell it.
"""

from __future__ import annotations

from harness.records import Response


class Billed(Response, frozen=True, omit_defaults=True):
    """A response whose provider read a part of the prompt from its own cache."""

    cached_prompt_tokens: int = 0
    """Of `prompt_tokens`: those that cost the price of cached input."""


def billed(response: Response, cached_prompt_tokens: int | None) -> Response:
    """Return a response that tells its cached tokens; the same one where there are none.

    >>> billed(Response(text="4"), 0)
    Response(text='4')
    """
    if not cached_prompt_tokens:
        return response
    fields = {name: getattr(response, name) for name in response.__struct_fields__}
    return Billed(**{**fields, "cached_prompt_tokens": cached_prompt_tokens})


def cached_prompt_tokens(response: Response) -> int:
    """Return how many tokens of the prompt came from the provider's cache; 0 where it is silent."""
    return response.cached_prompt_tokens if isinstance(response, Billed) else 0
