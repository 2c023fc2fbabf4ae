"""A recorded run as a model: what was answered then is answered now; nothing else is.

The pipeline hands over what looks a response up by request key; this module reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import structs

from harness.identity import request_hasher
from harness.records import Capability, Failure, ModelInfo, Reply, Request, Response

Lookup = Callable[[str], Response | None]

EVERYTHING: frozenset[Capability] = frozenset(
    {"generate", "chat", "loglikelihood", "logprobs", "tools", "schema"}
)


def open_replay(
    lookup: Lookup,
    *,
    identity: Mapping[str, Any],
    info: ModelInfo,
    capabilities: frozenset[Capability] = EVERYTHING,
) -> ReplayBackend:
    """Return the backend that answers from `lookup`, by request key.

    `identity` is the recorded backend's, so that the keys of a request are the same then and now;
    `info` is what is to be said of the model; `capabilities` those of the recorded backend.
    """
    return ReplayBackend(lookup, dict(identity), info, capabilities)


class ReplayBackend:
    """Answers recorded requests; any other is a failure."""

    max_batch = 256
    bypass_store = True
    """Its answers come from a store: copying them into another would record them twice."""

    def __init__(
        self,
        lookup: Lookup,
        identity: dict[str, Any],
        info: ModelInfo,
        capabilities: frozenset[Capability],
    ) -> None:
        self.capabilities = capabilities
        self.info = info
        self._lookup, self._identity = lookup, identity
        self._key = request_hasher(identity)

    def identity(self) -> Mapping[str, Any]:
        """Return the identity of the backend that was recorded."""
        return self._identity

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request with what was recorded."""
        return [self._answer_one(request) for request in requests]

    async def close(self) -> None:
        """Do nothing: nothing is held."""

    def _answer_one(self, request: Request) -> Reply:
        if refused := self._unsupported(request):
            return refused
        key = self._key(request)
        response = self._lookup(key)
        if response is None:
            return Failure("unsupported", f"not recorded (request {key[:12]})")
        return structs.replace(response, cached=True, request_key=key)

    def _unsupported(self, request: Request) -> Failure | None:
        needed: Capability = "generate" if request.kind == "generate" else "loglikelihood"
        if needed in self.capabilities:
            return None
        return Failure("unsupported", f"the recorded model offered no {needed}")
