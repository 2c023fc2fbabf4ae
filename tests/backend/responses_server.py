"""A server of the Responses API around any backend: as strict about its fields as OpenAI's is.

Plain prompts go to completions, as they do at OpenAI.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from harness.protocols import Backend
from harness.records import Failure, Generation, Message, Request, Response, Tool, ToolCall

FIELDS = {
    "model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "reasoning",
    "text", "tools", "tool_choice", "include", "store", "metadata", "truncation", "user",
    "parallel_tool_calls", "service_tier",
}  # fmt: skip
STATUS = {"rate_limit": 429, "too_long": 400, "unsupported": 400, "server": 500}


class Wrong(Exception):
    """A request that the API refuses."""


def read_item(item: dict[str, Any]) -> Message:
    """Return one item of `input` as a message."""
    kind = item.get("type", "message")
    if kind == "function_call":
        call = ToolCall(item["call_id"], item["name"], item["arguments"])
        return Message("assistant", "", tool_calls=(call,))
    if kind == "function_call_output":
        return Message("tool", item["output"], tool_call_id=item["call_id"])
    if kind != "message" or item.keys() - {"type", "role", "content"}:
        raise Wrong(f"Unknown item: {item}")
    if item["role"] not in ("user", "assistant", "system", "developer"):
        raise Wrong(f"Invalid value: '{item['role']}'.")
    return Message(item["role"], item["content"])


def read_body(body: dict[str, Any]) -> Request:
    """Return what is asked; raises Wrong as the API would refuse it."""
    for name in body:
        if name not in FIELDS:
            raise Wrong(f"Unknown parameter: '{name}'.")
    if body.get("max_output_tokens", 16) < 16:
        raise Wrong("Invalid 'max_output_tokens': integer below minimum value.")
    said = [read_item(item) for item in body["input"]]
    if body.get("instructions") is not None:
        said.insert(0, Message("system", body["instructions"]))
    for tool in body.get("tools", ()):
        if tool.keys() != {"type", "name", "description", "parameters", "strict"}:
            raise Wrong("Invalid tool.")
    form = body.get("text", {}).get("format", {"type": "text"})
    if form["type"] == "json_schema" and not {"name", "schema", "strict"} <= form.keys():
        raise Wrong("Missing required parameter: 'text.format.name'.")
    return Request(
        messages=tuple(said),
        generation=Generation(
            max_tokens=body.get("max_output_tokens", 256),
            temperature=body.get("temperature", 1.0),
        ),
        logprobs="message.output_text.logprobs" in body.get("include", ()),
        tools=tuple(
            Tool(tool["name"], tool["description"], tool["parameters"])
            for tool in body.get("tools", ())
        ),
        schema=form.get("schema"),
    )


def body_of(reply: Response, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a response."""
    text: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
    if reply.token_logprobs is not None:
        text["logprobs"] = [
            {"token": "t", "bytes": [], "logprob": value, "top_logprobs": []}
            for value in reply.token_logprobs
        ]
    output: list[dict[str, Any]] = []
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        output.append({"type": "reasoning", "id": "rs_1", "summary": summary})
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    output.append({**message, "content": [text]})
    used = (reply.prompt_tokens or 0, reply.completion_tokens or 0)
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": body["model"],
        "output": output,
        "usage": {
            "input_tokens": used[0],
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": used[1],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sum(used),
        },
    }


def error(status: int, message: str) -> web.Response:
    """Return an error as the API spells it."""
    body = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": body}, status=status)


@asynccontextmanager
async def responding(backend: Backend) -> AsyncIterator[str]:
    """Serve a backend for a block; yields the base URL."""

    async def respond(request: web.Request) -> web.Response:
        body = await request.json()
        try:
            asked = read_body(body)
        except (Wrong, KeyError) as wrong:
            return error(400, str(wrong))
        (reply,) = await backend.answer([asked])
        if isinstance(reply, Failure):
            return error(STATUS.get(reply.kind, 500), reply.message)
        return web.json_response(body_of(reply, body))

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        (reply,) = await backend.answer([Request(prompt=body["prompt"])])
        if isinstance(reply, Failure):
            return error(STATUS.get(reply.kind, 500), reply.message)
        return web.json_response({"choices": [{"text": reply.text}], "model": body["model"]})

    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/responses", respond)
    app.router.add_post("/v1/completions", complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
