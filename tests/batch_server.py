"""Files and batches of an OpenAI-compatible server, for tests: faithful, and failing on purpose.

A job's state moves on each time it is looked at: validating, in_progress, finalizing, and then its
end. Answers come in another order than the requests. What goes wrong is drawn from what is asked
and the number of batches it was in, so that another batch can succeed.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

WALK = ("validating", "in_progress", "finalizing")
MOST_LINES = 50_000
ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/responses")

Answers = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Endpoint and body of a request to the body of its answer."""


@dataclass
class BatchPlan:
    """What goes wrong."""

    ends: list[str] = field(default_factory=list)
    """How the jobs end, in turn; the others are completed. Half of an `expired` or `cancelled`
    job's requests are answered."""
    lines: dict[str, float] = field(default_factory=dict)
    """Status, or `timeout`, to the share of requests that meet it."""
    hold: str = ""
    """Where the first call hangs for ever: upload, create, created, poll, content."""
    queue: int = 10**9
    """Requests that may be under way at once."""
    untold: bool = False
    """Expired requests are not in the error file either."""


@dataclass
class Job:
    """A batch under way."""

    object: dict[str, Any]
    lines: list[dict[str, Any]]
    end: str
    looked: int = 0


class BatchApi:
    """The endpoints; `draw` gives a number in [0, 1) that hangs on its arguments alone."""

    def __init__(self, answers: Answers, draw: Callable[..., float], plan: BatchPlan) -> None:
        self._answers, self._draw = answers, draw
        self.plan = plan
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, Job] = {}
        self.uploads = 0
        self.asked: Counter[str] = Counter()
        """Batches that each body was in."""
        self.answered: Counter[str] = Counter()
        self.held = ""

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.content)
        app.router.add_post("/v1/batches", self.create)
        app.router.add_get("/v1/batches", self.list)
        app.router.add_get("/v1/batches/{id}", self.look)

    def stats(self) -> dict[str, Any]:
        return {
            "uploads": self.uploads,
            "batches": len(self.jobs),
            "batched": sum(self.asked.values()),
            "batch_answered_twice": sum(n > 1 for n in self.answered.values()),
            "held": self.held,
            "states": [job.object["status"] for job in self.jobs.values()],
        }

    async def _hold(self, place: str) -> None:
        if self.plan.hold == place and not self.held:
            self.held = place
            await asyncio.Event().wait()

    # ---- files --------------------------------------------------------------------------

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if form.get("purpose") != "batch" or not isinstance(file, web.FileField):
            return error(400, "file and purpose 'batch' are needed")
        raw = file.file.read()
        self.uploads += 1
        name = self._keep(raw)
        await self._hold("upload")
        return web.json_response(
            {
                "id": name,
                "object": "file",
                "bytes": len(raw),
                "created_at": 1,
                "filename": file.filename,
                "purpose": "batch",
                "status": "processed",
            }
        )

    def _keep(self, raw: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = raw
        return name

    async def content(self, request: web.Request) -> web.StreamResponse:
        raw = self.files.get(request.match_info["id"])
        if raw is None:
            return error(404, "no such file")
        response = web.StreamResponse(headers={"Content-Length": str(len(raw))})
        response.content_type = "application/octet-stream"
        await response.prepare(request)
        await response.write(raw[: len(raw) // 2])
        await self._hold("content")
        await response.write(raw[len(raw) // 2 :])
        return response

    # ---- batches ------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self._hold("create")
        raw = self.files.get(body.get("input_file_id"))
        if raw is None or body.get("endpoint") not in ENDPOINTS:
            return error(400, "no such input file or endpoint")
        if body.get("completion_window") != "24h":
            return error(400, "completion_window must be 24h")
        number = len(self.jobs)
        job = Job(
            {
                "id": f"batch_{number}",
                "object": "batch",
                "endpoint": body["endpoint"],
                "errors": None,
                "input_file_id": body["input_file_id"],
                "completion_window": "24h",
                "status": "validating",
                "output_file_id": None,
                "error_file_id": None,
                "created_at": number,
                "request_counts": {"total": 0, "completed": 0, "failed": 0},
                "metadata": body.get("metadata"),
            },
            [],
            self.plan.ends.pop(0) if self.plan.ends else "completed",
        )
        self.jobs[job.object["id"]] = job
        reply = web.json_response(job.object)
        self._validate(job, raw)
        await self._hold("created")
        return reply

    def _validate(self, job: Job, raw: bytes) -> None:
        seen: set[str] = set()
        errors = []
        for i, text in enumerate(raw.splitlines(), 1):
            line = json.loads(text)
            wrong = (
                ("duplicate_custom_id", line["custom_id"] in seen),
                ("url_mismatch", line["url"] != job.object["endpoint"]),
                ("invalid_method", line["method"] != "POST"),
                ("missing_model", not line["body"].get("model")),
                ("custom_id_too_long", len(line["custom_id"]) > 64),
            )
            errors += [
                {"code": code, "line": i, "message": f"{code}.", "param": None}
                for code, applies in wrong
                if applies
            ]
            seen.add(line["custom_id"])
            job.lines.append(line)
        waiting = sum(len(j.lines) for j in self.jobs.values() if j.object["status"] in WALK)
        if waiting > self.plan.queue:
            message = "Enqueued token limit reached."
            errors = [{"code": "token_limit_exceeded", "line": None, "message": message}]
        if len(job.lines) > MOST_LINES:
            errors = [{"code": "too_many_tasks", "line": None, "message": "too many."}]
        if job.end == "failed" and not errors:
            errors = [{"code": "model_mismatch", "line": 1, "message": "no such model."}]
        if errors:
            job.object |= {"status": "failed", "errors": {"object": "list", "data": errors}}
        else:
            job.object["request_counts"]["total"] = len(job.lines)

    async def list(self, request: web.Request) -> web.Response:
        newest = [job.object for job in self.jobs.values()][::-1]
        return web.json_response({"object": "list", "data": newest, "has_more": False})

    async def look(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return error(404, "no such batch")
        await self._hold("poll")
        if job.object["status"] in WALK:
            job.looked += 1
            if job.looked < len(WALK):
                job.object["status"] = WALK[job.looked]
            else:
                self._finish(job)
        return web.json_response(job.object)

    def _finish(self, job: Job) -> None:
        """Answer the lines, in another order; half of them where the job ends early."""
        early = job.end in ("expired", "cancelled")
        lines = sorted(job.lines, key=lambda line: self._draw("order", line["custom_id"]))
        reached = len(lines) // 2 if early else len(lines)
        output, errors = [], []
        for i, line in enumerate(lines):
            prompt = json.dumps(line["body"], sort_keys=True)
            self.asked[prompt] += 1
            told: dict[str, Any] = {"id": f"r{i}", "custom_id": line["custom_id"]}
            if i >= reached:
                code = {"code": f"batch_{job.end}", "message": "not executed in time."}
                if not self.plan.untold:
                    errors.append(told | {"response": None, "error": code})
                continue
            status = self._fault(prompt)
            if status == "timeout":
                code = {"code": "request_timeout", "message": "the model took too long."}
                errors.append(told | {"response": None, "error": code})
                continue
            if status == "200":
                self.answered[prompt] += 1
                body = self._answers(line["url"], line["body"])
            else:
                body = {"error": {"message": "on purpose", "code": None}}
            answer = {"status_code": int(status), "request_id": f"q{i}", "body": body}
            line_of = output if status == "200" else errors
            line_of.append(told | {"response": answer, "error": None})
        job.object["status"] = job.end
        counts = {"total": len(lines), "completed": len(output), "failed": len(errors)}
        job.object["request_counts"] = counts
        for name, rows in (("output_file_id", output), ("error_file_id", errors)):
            if rows:
                raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
                job.object[name] = self._keep(raw)

    def _fault(self, prompt: str) -> str:
        share = self._draw("batch fault", prompt, self.asked[prompt])
        for status, rate in self.plan.lines.items():
            if share < rate:
                return status
            share -= rate
        return "200"


def error(status: int, message: str) -> web.Response:
    """Return an error as the API spells it."""
    return web.json_response(
        {"error": {"message": message, "type": "invalid_request_error", "code": None}},
        status=status,
    )
