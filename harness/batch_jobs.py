"""Batch jobs from submission to their last answer; what they ask stands in the ledger.

`batching.py` puts a plan's requests there and reads the answers. Whatever happens here can happen
again: a part whose job's id is not known is looked for by its tag before another is submitted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import BackendError, ExitCode, HarnessError, UsageError
from harness.store.batches import BatchLedger, Part

if TYPE_CHECKING:
    from harness.backend.openai.batch import Job, OpenAIBatches

LEAST_HALVED = 100
"""A job of fewer requests that the server's full queue refuses waits, rather than be halved."""
NAMED = 5
"""Jobs that a message names at most."""

Told = TypeVar("Told")


class LeftRunning(HarnessError):
    """The user interrupted; what was submitted goes on at the server."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self, parts: Sequence[Part]) -> None:
        names = [part.job for part in parts if part.job]
        if not names:
            super().__init__("interrupted before a batch was submitted")
            return
        listed = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
        super().__init__(
            f"interrupted; {len(names)} batch job(s) go on at the server ({listed}): the same "
            "command collects the answers, and asks for none of them again"
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the server is asked how far it is, in seconds, and how much trouble is borne."""

    first_s: float = 0.25
    growth: float = 1.5
    most_s: float = 60.0
    patience: int = 60
    """Calls in a row that may fail in passing, once one has succeeded."""

    def after(self, times: int) -> float:
        """Return the pause after so many attempts."""
        return float(min(self.most_s, self.first_s * self.growth**times))


class JobRunner:
    """Drives the parts of a ledger to their ends. State: how the server has behaved so far."""

    def __init__(
        self,
        jobs: OpenAIBatches,
        ledger: BatchLedger,
        tell: Callable[[str], None],
        max_attempts: int,
        pace: Pace,
    ) -> None:
        """`max_attempts`: of a first call; once one has succeeded the pace's patience holds."""
        self._jobs, self._ledger, self._tell = jobs, ledger, tell
        self._max_attempts, self._pace = max_attempts, pace
        self._needed: set[str] = set()
        self._reached = self._full = False
        self._trouble = self._refusals = 0
        self._said: dict[str, str] = {}

    async def run(self, needed: set[str]) -> None:
        """Submit what is written, and return once the parts named have ended."""
        self._needed, pace = set(needed), self._pace
        pause = pace.first_s
        while parts := [part for part in self._ledger.parts() if part.id in self._needed]:
            moved = False
            for part in parts:
                moved = await self._step(part) or moved
            if moved:
                pause = pace.first_s
            else:
                await asyncio.sleep(pause)
                pause = min(pace.most_s, pause * pace.growth)

    async def _step(self, part: Part) -> bool:
        """Move one part on; False where there is nothing to do but wait."""
        if part.state != "submitted":
            if self._full and any(other.job for other in self._ledger.parts()):
                return False
            await self._submit(part)
            return True
        job = await self._look(part)
        self._say(job.id, job.progress)
        if not job.ended:
            return False
        if job.queue_full:
            await self._refused_as_full(part)
            return True
        await self._collect(part, job)
        return True

    async def _look(self, part: Part) -> Job:
        try:
            return await self._call(lambda: self._jobs.look(part.job or ""))
        except UsageError as error:
            raise BackendError(
                f"batch {part.job}: {error}; if it belongs to another key, use that one; to submit "
                f"its requests anew, remove {self._ledger.folder}"
            ) from None

    async def _submit(self, part: Part) -> None:
        job = None
        if part.state == "submitting":  # a process was killed here: there may be a job
            job = await self._call(lambda: self._jobs.find(part.id))
        if part.file_id is None:
            path = self._ledger.path(part.id)
            file_id = await self._call(lambda: self._jobs.upload(path))
            part = self._ledger.note(part, "uploaded", file_id=file_id)
        if job is None:
            part = self._ledger.note(part, "submitting", file_id=part.file_id)
            job = await self._create(part)
        self._ledger.note(part, "submitted", file_id=part.file_id, job=job.id)
        self._say(job.id, f"{part.lines:,} requests submitted")

    async def _create(self, part: Part) -> Job:
        """Create the job; where the answer is lost, look whether there is one before another."""
        while True:
            try:
                return await self._jobs.create(part.file_id or "", part.endpoint, part.id)
            except BackendError as error:
                await self._bear(error)
            found = await self._call(lambda: self._jobs.find(part.id))
            if found is not None:
                return found

    async def _refused_as_full(self, part: Part) -> None:
        """The server's queue was full: submit again later, in smaller pieces where it is ours."""
        self._full = True
        if any(other.job for other in self._ledger.parts() if other.id != part.id):
            self._ledger.note(part, "uploaded", file_id=part.file_id)
        elif part.lines > LEAST_HALVED:
            self._needed |= {half.id for half in self._ledger.halve(part)}
        else:
            self._ledger.note(part, "uploaded", file_id=part.file_id)
            self._refusals += 1
            self._tell("the server's queue is full; trying again")
            await asyncio.sleep(self._pace.after(self._refusals))

    async def _collect(self, part: Part, job: Job) -> None:
        """Take a job's answers in, whole or partial."""
        paths: list[Path] = []
        # errors first: where a request is in both files, its answer stays
        for kind, file_id in (("errors", job.error_file_id), ("output", job.output_file_id)):
            if file_id:
                path = self._ledger.folder / f"{part.id}.{kind}.part"
                await self._call(partial(self._jobs.download, file_id, path))
                paths.append(path)
        counts = job.request_counts
        if counts is not None and counts.completed and not any(self._lines(paths)):
            raise BackendError(  # not taken in: its answers are paid for, and may be there later
                f"batch {job.id}: its files cannot be read; the same command tries again"
            )
        self._ledger.end(part, self._lines(paths))
        self._full, self._refusals = False, 0
        for path in paths:
            path.unlink()
        if job.status == "failed":
            raise BackendError(f"the server refused batch {job.id}: {job.why}")
        if job.status == "cancelled":
            raise BackendError(
                f"batch {job.id} was cancelled at the server; what it had answered is kept, and "
                "the same command submits the rest anew"
            )

    def _lines(self, paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            with path.open("rb") as lines:
                for line in lines:
                    key = self._jobs.key_of(line)
                    if key is not None:
                        yield key, line

    # ---- trouble ------------------------------------------------------------------------

    async def _call(self, call: Callable[[], Awaitable[Told]]) -> Told:
        """Make a call that may be repeated, and repeat it while it fails in passing."""
        while True:
            try:
                found = await call()
            except BackendError as error:
                await self._bear(error)
            else:
                self._trouble, self._reached = 0, True
                return found

    async def _bear(self, error: BackendError) -> None:
        """Wait before another attempt; raises where it would be pointless."""
        self._trouble += 1
        patience = self._pace.patience if self._reached else self._max_attempts
        if not getattr(error, "retryable", False) or self._trouble >= patience:
            raise error
        self._tell(f"{error}; trying again")
        await asyncio.sleep(self._pace.after(self._trouble))

    def _say(self, job: str, progress: str) -> None:
        if self._said.get(job) != progress:
            self._said[job] = progress
            self._tell(f"batch {job}: {progress}")
