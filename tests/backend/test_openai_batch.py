"""Batch jobs over HTTP: what is sent, what comes back, and what each fault means."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from aiohttp import web
from canned import HELLO, backend_at
from multidict import CIMultiDict

from harness.backend.openai.batch import Job, Trouble, version_of
from harness.errors import AuthenticationFailed, ModelNotFound, UsageError
from harness.records import Failure, Generation, Message, Request, Response, Tool

KEY = "0f" * 16
JOB = {"id": "batch_1", "object": "batch", "status": "validating"}
SECRET = "sk-not-to-be-seen"


def on_server(use, *replies: web.Response, **spec):
    """Run `use(batches, seen)` on a server that gives `replies`, the last one for ever."""

    async def main():
        seen: list[tuple[str, str, CIMultiDict, bytes]] = []
        left = list(replies)

        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            seen.append((request.method, request.path_qs, CIMultiDict(request.headers), body))
            reply = left.pop(0) if len(left) > 1 else left[0]
            if reply is None:
                request.transport.abort()
            return web.Response(
                status=reply.status, body=reply.body, content_type=reply.content_type,
                headers={k: v for k, v in reply.headers.items() if k == "Location"},
            )  # fmt: skip

        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        batches = backend_at(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", **spec).batches()
        try:
            return await use(batches), seen
        finally:
            await batches.close()
            await batches.close()
            await runner.cleanup()

    return asyncio.run(main())


def line_of(request: Request, **spec) -> tuple[str, dict]:
    """Return endpoint and line of a request."""
    endpoint, line = backend_at("http://127.0.0.1:1/v1", **spec).batches().line(KEY, request)
    return endpoint, json.loads(line)


def read(line: dict | bytes, request: Request = HELLO, **spec):
    """Return what a line of an output file means."""
    raw = line if isinstance(line, bytes) else json.dumps(line).encode()
    return backend_at("http://127.0.0.1:1/v1", **spec).batches().read(raw, request)


def answered(status: int, body: dict) -> dict:
    """Return a line of an output file."""
    return {"id": "r", "custom_id": KEY, "response": {"status_code": status, "body": body}}


def test_a_line_holds_the_body_that_would_be_sent_directly():
    """Key, method, endpoint, and the body of the direct way."""
    endpoint, line = line_of(HELLO)
    assert endpoint == line["url"] == "/v1/chat/completions"
    assert (line["custom_id"], line["method"]) == (KEY, "POST")
    assert line["body"]["messages"] == [{"role": "user", "content": "hello"}]
    assert line_of(HELLO, arguments={"api": "responses"})[0] == "/v1/responses"
    assert line_of(Request(prompt="p"))[0] == "/v1/completions"
    scored = Request(kind="loglikelihood", prompt="a", continuation=" b")
    assert line_of(scored)[1]["body"]["echo"] is True


@pytest.mark.parametrize(
    ("base", "version"),
    [
        ("https://api.openai.com/v1", "v1"),
        ("https://host.example/api/paas/v4", "v4"),
        ("http://127.0.0.1:8000", "v1"),
        ("http://127.0.0.1:8000/openai", "v1"),
    ],
)
def test_paths_of_lines_begin_with_the_version_of_the_server(base, version):
    """Not with the rest of the base URL, which lines do not name."""
    assert version_of(base) == version


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(messages=(Message("user", "\ud800"),)),
        Request(kind="rolling"),
        Request(prompt="p", tools=(Tool("t", "", {}),)),
        Request(messages=HELLO.messages, generation=Generation(extra={"n": 2})),
    ],
)
def test_what_cannot_be_asked_directly_is_in_no_batch(request_):
    """The failure is that of the direct way."""
    batches = backend_at("http://127.0.0.1:1/v1").batches()
    line = batches.line(KEY, request_)
    assert isinstance(line, Failure)
    assert line.kind == "unsupported"
    reply = batches.read(json.dumps(answered(200, {})).encode(), request_)
    assert reply.kind == "unsupported"


def test_an_answer_is_read_as_one_that_came_directly():
    """Text and usage stand in the response; it took no time that could be told."""
    body = {"choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": 3}}
    reply = read(answered(200, body))
    assert isinstance(reply, Response)
    assert (reply.text, reply.prompt_tokens, reply.latency_s) == ("hi", 3, 0.0)


@pytest.mark.parametrize(
    ("line", "kind", "retryable"),
    [
        (answered(429, {"error": {"message": "slow"}}), "rate_limit", True),
        (answered(500, {}), "server", True),
        (answered(400, {"error": {"message": "no such field"}}), "refused", False),
        (answered(400, {"error": {"code": "context_length_exceeded"}}), "too_long", False),
        (answered(200, {"choices": []}), "malformed", True),
        (answered(200, {"error": {"message": "broke", "code": 502}}), "server", True),
        ({"custom_id": KEY, "error": {"code": "batch_expired"}}, "timeout", True),
        ({"custom_id": KEY, "error": {"code": "request_timeout"}}, "timeout", True),
        ({"custom_id": KEY, "error": {"code": "batch_cancelled"}}, "server", True),
        ({"custom_id": KEY}, "server", True),
        (b"no json", "malformed", True),
        (b'{"custom_id": 7}', "malformed", True),
    ],
)
def test_each_fault_of_a_line_is_a_failure_of_its_kind(line, kind, retryable):
    """As on the direct way; what brought no HTTP answer may be asked again."""
    failure = read(line)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retryable) == (kind, retryable)


def test_a_line_that_speaks_of_the_whole_model_raises():
    """An unknown model and a refused key stop the run, as on the direct way."""
    with pytest.raises(ModelNotFound, match="no model 'm'"):
        read(answered(404, {"error": {"message": "no such model"}}))
    with pytest.raises(AuthenticationFailed):
        read(answered(401, {}))


def test_names_of_lines_are_read_whatever_else_they_hold():
    """A line that names nobody is nobody's."""
    batches = backend_at("http://127.0.0.1:1/v1").batches()
    assert batches.key_of(b'{"custom_id": "a", "more": [1]}') == "a"
    assert batches.key_of(b"{") is None
    assert batches.key_of(b'{"id": "a"}') is None


def test_a_file_goes_up_with_its_purpose_and_a_job_with_its_tag(tmp_path, monkeypatch):
    """The key goes into one header, JSON's content type into none of the file's."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    path = tmp_path / "part.jsonl"
    path.write_bytes(b"one line\n")

    async def use(batches):
        assert SECRET not in f"{vars(batches)!r} {batches!r}"
        file_id = await batches.upload(path)
        return await batches.create(file_id, "/v1/responses", "tag")

    job, (up, made) = on_server(
        use, web.json_response({"id": "file-1"}), web.json_response(JOB), headers={"X-Team": "t"}
    )
    assert (job.id, job.ended, job.progress) == ("batch_1", False, "validating")
    assert up[:2] == ("POST", "/v1/files")
    assert up[2]["Authorization"] == f"Bearer {SECRET}"
    assert up[2]["X-Team"] == "t"
    assert up[2]["Content-Type"].startswith("multipart/form-data")
    assert b'name="purpose"' in up[3]
    assert b"one line\n" in up[3]
    assert made[1] == "/v1/batches"
    assert json.loads(made[3]) == {
        "input_file_id": "file-1",
        "endpoint": "/v1/responses",
        "completion_window": "24h",
        "metadata": {"harness": "tag"},
    }


def test_a_job_is_found_by_its_tag_where_the_server_lists_jobs():
    """Others' jobs are passed over; a server without a list has none."""
    mine = {**JOB, "id": "batch_2", "metadata": {"harness": "tag"}}
    listed = web.json_response({"data": [JOB, {**JOB, "metadata": {"harness": "x"}}, mine]})
    job, _ = on_server(lambda batches: batches.find("tag"), listed)
    assert job.id == "batch_2"
    for other in (web.json_response({"data": []}), web.Response(status=405)):
        assert on_server(lambda batches: batches.find("tag"), other)[0] is None


def test_a_job_tells_how_far_it_is_and_why_it_failed():
    """Counts, reasons with their lines, and whether only the queue was full."""
    counts = {"total": 9, "completed": 3, "failed": 1}
    job = msgspec.convert({**JOB, "status": "in_progress", "request_counts": counts}, Job)
    assert (job.progress, job.ended) == ("in_progress, 4 of 9 done", False)
    errors = {"data": [{"code": "a", "line": 2, "message": "bad"}, {"code": "other"}]}
    failed = msgspec.convert({**JOB, "status": "failed", "errors": errors}, Job)
    assert (failed.why, failed.ended, failed.queue_full) == ("line 2: bad; other", True, False)
    full = {"data": [{"code": "token_limit_exceeded", "message": "later"}]}
    assert msgspec.convert({**JOB, "status": "failed", "errors": full}, Job).queue_full
    assert msgspec.convert({**JOB, "status": "failed"}, Job).why == "the server gave no reason"


@pytest.mark.parametrize(
    ("reply", "retryable", "said"),
    [
        (web.Response(status=429, text="slow"), True, "HTTP 429: slow"),
        (web.Response(status=500, text="broke"), True, "HTTP 500"),
        (web.Response(status=400, text="wrong"), False, "HTTP 400: wrong"),
        (web.Response(status=307, headers={"Location": "http://x.test/"}), False, "redirected"),
        (web.Response(text="<html>login</html>", content_type="text/html"), True, "a web page"),
        (web.Response(text="{}", content_type="application/json"), True, "of another shape"),
        (web.Response(body=b"\xff", content_type="application/json"), True, "not"),
        (None, True, "the connection failed"),
    ],
)
def test_each_fault_of_a_call_is_trouble_that_says_whether_to_try_again(reply, retryable, said):
    """One call is one attempt: the SDK's own retries are off."""

    async def use(batches):
        with pytest.raises(Trouble, match=said) as caught:
            await batches.look("batch_1")
        return caught.value

    trouble, seen = on_server(use, reply)
    assert trouble.retryable is retryable
    assert len(seen) == 1


def test_a_refused_key_and_a_server_without_batches_are_named(monkeypatch):
    """They stop the run; the key is not repeated."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)

    async def use(batches):
        return await batches.look("batch_1")

    with pytest.raises(AuthenticationFailed) as caught:
        on_server(use, web.Response(status=401, text=f"no {SECRET}"))
    assert SECRET not in str(caught.value)
    with pytest.raises(UsageError, match=r"has no batch jobs.*run without --batch"):
        on_server(use, web.Response(status=404, text="nothing here"))


def test_a_file_comes_down_piece_by_piece(tmp_path):
    """It is written as it came; a status other than 200 is trouble, and so is a broken stream."""
    path = tmp_path / "output"
    raw = b"x" * 300_000
    _, seen = on_server(lambda b: b.download("file-1", path), web.Response(body=raw))
    assert path.read_bytes() == raw
    assert seen[0][1] == "/v1/files/file-1/content"

    async def refused(batches):
        with pytest.raises(Trouble, match="HTTP 500"):
            await batches.download("file-1", path)

    on_server(refused, web.Response(status=500))


def on_raw_server(use, reply: bytes):
    """Run `use(batches)` on a server that writes `reply`, or nothing, whatever it is asked."""

    async def main():
        writers: list[asyncio.StreamWriter] = []

        async def handle(reader, writer):
            writers.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
            if reply:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        batches = backend_at(f"http://127.0.0.1:{port}/v1", timeout_s=0.05).batches()
        try:
            with pytest.raises(Trouble) as caught:
                await use(batches)
        finally:
            await batches.close()
            for writer in writers:
                writer.close()
            server.close()
            await server.wait_closed()
        return caught.value

    return asyncio.run(main())


def test_a_file_that_breaks_off_is_trouble(tmp_path):
    """A stream that ends early is not taken for the whole file."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"
    trouble = on_raw_server(lambda batches: batches.download("file-1", tmp_path / "o"), half)
    assert "the connection failed" in str(trouble)
    assert trouble.retryable


def test_a_server_that_does_not_answer_is_trouble(monkeypatch):
    """The message names the limit."""
    monkeypatch.setattr("harness.backend.openai.batch.LEAST_TIMEOUT_S", 0.05)
    trouble = on_raw_server(lambda batches: batches.look("batch_1"), b"")
    assert "no answer within 0.05 s" in str(trouble)
    assert trouble.retryable
