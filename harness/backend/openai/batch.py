"""Batch jobs at an OpenAI-compatible server: files up, jobs, files down; knows no plan.

Formats: OpenAI's API reference, "Batches" and "Files", and its guide "Batch API". The `openai` SDK
sends; what comes back is decoded here, since a proxy's web page is no answer. The SDK's own retries
are off: a second attempt to create a job could make a second job.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from harness.backend.openai import faults, wire
from harness.backend.openai.settings import is_loopback
from harness.errors import BackendError, UsageError
from harness.records import Failure, Reply, Request

WINDOW = "24h"
"""The one completion window that OpenAI offers."""
TAG = "harness"
"""Key of the metadata by which a job is found again."""
LEAST_TIMEOUT_S = 600.0
"""For one call: files of 200 MB go up and come down."""
LISTED = 100
"""Jobs that are looked at, newest first, to find one by its tag."""
WITHOUT_BATCHES = frozenset({404, 405, 501})
QUEUE_FULL = "token_limit_exceeded"
"""Code of a job that failed because too many tokens were waiting at the server already."""


class Trouble(BackendError):
    """A call failed; `retryable` says whether it may succeed later."""

    def __init__(self, failure: Failure) -> None:
        self.retryable, self.status = failure.retryable, failure.status
        super().__init__(failure.message)


class JobError(Struct):
    """One reason for which a whole job failed."""

    code: str | None = None
    line: int | None = None
    message: str | None = None


class JobErrors(Struct):
    """All of them."""

    data: list[JobError] | None = None


class Counts(Struct):
    """How many of a job's requests are done."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class Job(Struct):
    """A batch as the server tells of it."""

    id: str
    status: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: Counts | None = None
    errors: JobErrors | None = None
    metadata: dict[str, str] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("completed", "failed", "expired", "cancelled")

    @property
    def queue_full(self) -> bool:
        """Whether the job failed only because others were waiting."""
        found = self.errors.data if self.errors else None
        return self.status == "failed" and any(e.code == QUEUE_FULL for e in found or ())

    @property
    def progress(self) -> str:
        """Say how far it is: 'in_progress, 12 of 50 done'."""
        counts = self.request_counts
        if counts is None or not counts.total:
            return faults.one_line(self.status, 40)
        done = counts.completed + counts.failed
        return f"{faults.one_line(self.status, 40)}, {done:,} of {counts.total:,} done"

    @property
    def why(self) -> str:
        """Say why it failed, on one line."""
        found = (self.errors.data if self.errors else None) or []
        parts = [
            f"line {error.line}: {error.message or error.code}"
            if error.line is not None
            else str(error.message or error.code)
            for error in found[:3]
        ]
        return faults.one_line("; ".join(parts) or "the server gave no reason", 400)


class _File(Struct):
    id: str


class _Jobs(Struct):
    data: list[Job] = []


class _LineAnswer(Struct):
    status_code: int
    body: msgspec.Raw = msgspec.Raw(b"null")


class _LineError(Struct):
    code: str | None = None
    message: str | None = None


class _Line(Struct):
    """One line of an output or error file."""

    custom_id: str
    response: _LineAnswer | None = None
    error: _LineError | None = None


_encode = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(_Line).decode

Told = TypeVar("Told")
Reader = Callable[[Request, int, bytes], Reply]
"""Reads the body that came with a status for a request."""


class OpenAIBatches:
    """The batch jobs of one server; opened by the first call, within the loop that runs then."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        timeout_s: float,
        call: Callable[[Request], tuple[str, bytes] | Failure],
        read: Reader,
    ) -> None:
        """`call` says where a request goes (a path) and with which body; `read` reads a reply."""
        self.base_url = base_url
        self._secrets = _Secrets(headers)
        self._timeout_s = max(timeout_s, LEAST_TIMEOUT_S)
        self._call, self._read = call, read
        self.thinking = 0
        """Tokens that each request may use beside its limit."""
        self._redact = self._secrets.redactor()
        self._client: Any = None

    # ---- lines --------------------------------------------------------------------------

    def line(self, key: str, request: Request) -> tuple[str, bytes] | Failure:
        """Return the endpoint and the line of one request; a Failure where it cannot be put."""
        found = self._call(request)
        if isinstance(found, Failure):
            return found
        path, body = found
        endpoint = f"/{version_of(self.base_url)}{path}"
        raw = msgspec.Raw(body)
        return endpoint, _encode(
            {"custom_id": key, "method": "POST", "url": endpoint, "body": raw}
        ) + b"\n"

    def key_of(self, line: bytes) -> str | None:
        """Return whose answer a line of an output file is; None where it is no such line."""
        try:
            return _decode_line(line).custom_id
        except wire.UNREADABLE:
            return None

    def read(self, line: bytes, request: Request) -> Reply:
        """Return the reply that a line holds.

        Raises `AuthenticationFailed` and `ModelNotFound` as the direct way does.
        """
        try:
            found = _decode_line(line)
        except wire.UNREADABLE:
            return wire.malformed("the line of the batch's output cannot be read")
        if found.response is not None:
            return self._read(request, found.response.status_code, bytes(found.response.body))
        return _line_failure(found.error or _LineError())

    # ---- calls --------------------------------------------------------------------------

    async def upload(self, path: Path) -> str:
        """Upload a file of lines; returns its id at the server.

        Raises `UsageError` where the server has no batch jobs.
        """
        files = self._open().files.with_raw_response
        with path.open("rb") as handle:
            raw = await self._send(
                files.create(file=(path.name, handle, "application/jsonl"), purpose="batch")
            )
        return self._decoded(raw, _File).id

    async def create(self, file_id: str, endpoint: str, tag: str) -> Job:
        """Submit a job over an uploaded file, marked by `tag`."""
        jobs = self._open().batches.with_raw_response
        raw = await self._send(
            jobs.create(
                input_file_id=file_id,
                endpoint=endpoint,
                completion_window=WINDOW,
                metadata={TAG: tag},
            )
        )
        return self._decoded(raw, Job)

    async def find(self, tag: str) -> Job | None:
        """Return the job that bears `tag`, where the server lists it; None where it does not."""
        jobs = self._open().batches.with_raw_response
        try:
            raw = await self._send(jobs.list(limit=LISTED))
        except UsageError:
            return None
        listed = self._decoded(raw, _Jobs).data
        return next((job for job in listed if (job.metadata or {}).get(TAG) == tag), None)

    async def look(self, job_id: str) -> Job:
        """Return a job as it is now."""
        jobs = self._open().batches.with_raw_response
        return self._decoded(await self._send(jobs.retrieve(job_id)), Job)

    async def download(self, file_id: str, path: Path) -> None:
        """Write a file of the server's to `path`, piece by piece."""
        with_streaming = self._open().files.with_streaming_response

        async def fetch() -> Any:
            async with with_streaming.content(file_id) as response:
                await response.stream_to_file(path)

        await self._translated(fetch())

    async def close(self) -> None:
        """Close all connections; closing twice is fine."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _open(self) -> Any:
        if self._client is None:
            import openai  # noqa: PLC0415 - takes half a second, and only batch jobs need it

            self._client = openai.AsyncOpenAI(
                base_url=self.base_url,
                timeout=self._timeout_s,
                max_retries=0,
                http_client=openai.DefaultAsyncHttpxClient(
                    trust_env=not is_loopback(self.base_url), follow_redirects=False
                ),
                **self._secrets.arguments(),
            )
        return self._client

    async def _send(self, call: Awaitable[Any]) -> bytes:
        response = (await self._translated(call)).http_response
        if response.status_code != 200:  # noqa: PLR2004 - a redirect is no error to the SDK
            raise self._trouble(response.status_code, response.headers, response.content)
        content: bytes = response.content
        return content

    async def _translated(self, call: Awaitable[Any]) -> Any:
        """Await a call; the SDK's errors become the harness's."""
        import openai  # noqa: PLC0415

        try:
            return await call
        except openai.APIStatusError as error:
            await error.response.aread()
            status, headers = error.status_code, error.response.headers
            raise self._trouble(status, headers, error.response.content) from None
        except openai.APITimeoutError:
            said = f"{self.base_url}: no answer within {self._timeout_s:g} s"
            raise Trouble(Failure("timeout", said, retryable=True)) from None
        except openai.APIConnectionError as error:
            raise self._broken(error.__cause__ or error) from None
        except Exception as error:
            # while a file comes down, the errors of the SDK's HTTP library come as they are
            if not type(error).__module__.startswith("httpx"):
                raise
            raise self._broken(error) from None

    def _broken(self, error: BaseException) -> Trouble:
        cause = faults.one_line(self._redact(str(error))) or type(error).__name__
        said = f"{self.base_url}: the connection failed: {cause}"
        return Trouble(Failure("connection", said, retryable=True))

    def _trouble(self, status: int, headers: Mapping[str, str], raw: bytes) -> Exception:
        """Return the error of a status; raises `AuthenticationFailed` for a refused key."""
        if status in WITHOUT_BATCHES:
            said = faults.snippet(raw, self._redact)
            return UsageError(
                f"{self.base_url} has no batch jobs, or not this one (HTTP {status}: {said}); "
                "run without --batch"
            )
        return Trouble(faults.http_failure(status, headers, raw, self._redact))

    def _decoded(self, raw: bytes, kind: type[Told]) -> Told:
        try:
            return msgspec.json.decode(raw, type=kind)
        except wire.UNREADABLE as error:
            raise Trouble(faults.unreadable(raw, error, self._redact)) from None


class _Secrets:
    """Headers, kept out of `vars()` and of every message."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        own = {"content-type", "accept"}  # the SDK's: files are no JSON
        self._headers = {k: v for k, v in headers.items() if k.lower() not in own}

    def arguments(self) -> dict[str, Any]:
        """Return what the SDK's client is to be made with; the SDK insists on some key."""
        return {"api_key": "none", "default_headers": dict(self._headers)}

    def redactor(self) -> faults.Redact:
        """Return what takes the secrets out of a text."""
        return faults.redactor([v.removeprefix("Bearer ") for v in self._headers.values()])


def version_of(base_url: str) -> str:
    """Return the version that the paths of a server's batch lines begin with.

    >>> version_of("https://api.example/paas/v4")
    'v4'
    """
    last = urlsplit(base_url).path.rsplit("/", 1)[-1]
    return last if last[:1] == "v" and last[1:].isdigit() else "v1"


def _line_failure(error: _LineError) -> Failure:
    """Return the failure of a request that brought no HTTP answer: another batch may bring one."""
    said = faults.one_line(f"{error.code or 'no answer'}: {error.message or ''}".strip(" :"))
    if error.code in ("batch_expired", "request_timeout"):
        return Failure("timeout", said, retryable=True)
    return Failure("server", said, retryable=True)
