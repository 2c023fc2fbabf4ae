"""An OpenAI-compatible server for tests: counts what it is asked, and fails on purpose.

Run as a program: `server.py --port 0 --latency-ms 5 --faults 429=0.05,500=0.05,drop=0.05`. It
prints its port. It adds where a prompt holds "What is A + B?", and otherwise answers "yes".
A fault is drawn from the prompt and the number of times it was asked, so a retry can succeed and
the same run meets the same faults. With `schema=1` every JSON schema is refused, as older servers
do. GET /stats tells counts.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
from collections import Counter
from typing import Any

from aiohttp import web
from batch_server import BatchApi, BatchPlan

QUESTION = re.compile(r"What is (\d+) \+ (\d+)\?")


def draw(*keys: object) -> float:
    """Return a number in [0, 1) that depends on the keys alone."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def answer(prompt: str) -> str:
    """Add, wrongly for one question in five; or say yes."""
    found = QUESTION.search(prompt)
    if not found:
        return "yes"
    total = int(found[1]) + int(found[2])
    return str(total + (draw("wrong", prompt) < 0.2))


def prompt_of(body: dict[str, Any]) -> str:
    """Return what is asked last, in a chat or of the Responses API."""
    return (body.get("messages") or body["input"])[-1]["content"]


def completion(endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an answer, as the endpoint spells it."""
    prompt = prompt_of(body)
    text = answer(prompt)
    if endpoint.endswith("/responses"):
        said = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "role": "assistant", "status": "completed", "content": [said]}
        usage = {"input_tokens": len(prompt), "output_tokens": 3}
        return {"model": body["model"], "status": "completed", "output": [item], "usage": usage}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {
        "prompt_tokens": len(prompt),
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": len(prompt) // 2},
    }
    return {
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
        "system_fingerprint": "fp_test",
    }


class Server:
    """Answers, counts, fails."""

    def __init__(self, latency_s: float, faults: dict[str, float]) -> None:
        self.latency_s = latency_s
        self.takes_schemas = not faults.get("schema")
        self.faults = {name: rate for name, rate in faults.items() if name != "schema"}
        self.seen: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.batches = BatchApi(completion, draw, BatchPlan())

    def fault(self, prompt: str) -> str | None:
        share = draw("fault", prompt, self.seen[prompt])
        for name, rate in self.faults.items():
            if share < rate:
                return name
            share -= rate
        return None

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = prompt_of(body)
        self.seen[prompt] += 1
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if not self.takes_schemas and ("response_format" in body or "text" in body):
            self.by_status["schema"] += 1
            said = {"error": {"message": "json_schema is not supported by this model"}}
            return web.json_response(said, status=400)
        fault = self.fault(prompt)
        self.by_status[fault or "200"] += 1
        if fault == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "json":
            return web.Response(body=b'{"choices": [{"mess', content_type="application/json")
        if fault is not None:
            headers = {"Retry-After": "0"} if fault == "429" else {}
            return web.json_response(
                {"error": {"message": "on purpose"}}, status=int(fault), headers=headers
            )
        self.answered[prompt] += 1
        return web.json_response(completion(request.path, body))

    async def stats(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                **self.batches.stats(),
                "requests": sum(self.seen.values()),
                "distinct": len(self.seen),
                "answered_twice": sum(n > 1 for n in self.answered.values()),
                "by_status": self.by_status,
            }
        )


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--faults", default="")
    parser.add_argument("--batch", default="{}", help="BatchPlan as JSON")
    options = parser.parse_args()
    pairs = (pair.split("=") for pair in options.faults.split(",") if pair)
    server = Server(options.latency_ms / 1000, {name: float(rate) for name, rate in pairs})
    server.batches.plan = BatchPlan(**json.loads(options.batch))
    app = web.Application(client_max_size=2**28)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_post("/v1/responses", server.chat)
    server.batches.routes(app)
    app.router.add_get("/stats", server.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    sys.stdout.write(json.dumps({"port": runner.addresses[0][1]}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
