"""What few responses say beyond `records`: a prompt partly read from a cache, a schema refused.

Apart from `records`, since only some providers tell it: those with a prompt cache and a price for
it, and servers that take no JSON schema.
"""

from __future__ import annotations

from harness.records import Response


class Billed(Response, frozen=True, omit_defaults=True):
    """A response with what only some providers tell."""

    cached_prompt_tokens: int = 0
    """Of `prompt_tokens`: those that cost the price of cached input."""
    schema_refused: bool = False
    """The server takes no schema, so the request was put without the one that it names."""


def billed(response: Response, cached_prompt_tokens: int | None) -> Response:
    """Return a response that tells its cached tokens; the same one where there are none.

    >>> billed(Response(text="4"), 0)
    Response(text='4')
    """
    if not cached_prompt_tokens:
        return response
    return _with(response, cached_prompt_tokens=cached_prompt_tokens)


def without_schema(response: Response) -> Response:
    """Return a response that tells that the server took no schema.

    >>> schema_refused(without_schema(Response(text="4")))
    True
    """
    return _with(response, schema_refused=True)


def _with(response: Response, **more: int) -> Response:
    fields = {name: getattr(response, name) for name in response.__struct_fields__}
    return Billed(**{**fields, **more})


def schema_refused(response: Response) -> bool:
    """Return whether the request was put without its schema, since the server takes none."""
    return isinstance(response, Billed) and response.schema_refused


def cached_prompt_tokens(response: Response) -> int:
    """Return how many tokens of the prompt came from the provider's cache; 0 where it is silent."""
    return response.cached_prompt_tokens if isinstance(response, Billed) else 0
