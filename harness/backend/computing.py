"""Base of the backends that compute answers themselves, in this process.

Knows nothing of models. Computing happens in one thread of its own, off the event loop, one batch
after another.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec.structs import replace

from harness.records import Capability, ModelInfo, Reply, Request, Response


class ComputingBackend(ABC):
    """A `protocols.Backend` whose answers come from `compute`.

    The thread starts with the first batch and ends with `close`.
    """

    capabilities: frozenset[Capability]
    max_batch: int
    info: ModelInfo

    def __init__(
        self, info: ModelInfo, capabilities: frozenset[Capability], max_batch: int
    ) -> None:
        self.info, self.capabilities, self.max_batch = info, capabilities, max_batch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compute")

    @abstractmethod
    def compute(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order. Runs in the thread; never twice at once."""

    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Return all that can change an answer besides the request."""

    async def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request, in order; a response's latency is that of its whole batch."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._timed, tuple(requests))

    async def close(self) -> None:
        """End the thread once the batch in hand is done; batches that wait are dropped."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _timed(self, requests: Sequence[Request]) -> list[Reply]:
        began = time.perf_counter()
        replies = self.compute(requests)
        taken = time.perf_counter() - began
        return [
            replace(reply, latency_s=taken) if isinstance(reply, Response) else reply
            for reply in replies
        ]
