"""Every fault of a server leads to the right failure, and never to an answer."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from canned import DROP, HANG, HELLO, ask, ask_seen, backend_at, chat, http, serving
from hypothesis import given
from hypothesis import strategies as st

from harness.backend.openai import client, faults
from harness.errors import AuthenticationFailed, ModelNotFound
from harness.records import Failure, Request, Response

PROMPT = Request(prompt="once upon")


def plain(text: str) -> str:
    """Redact nothing."""
    return text


@pytest.mark.parametrize(
    ("reply", "kind", "retryable"),
    [
        (http(429, "slow"), "rate_limit", True),
        (http(500, "{}"), "server", True),
        (http(502, "<html>bad gateway</html>"), "server", True),
        (http(503, ""), "server", True),
        (http(504, ""), "timeout", True),
        (http(408, ""), "timeout", True),
        (http(501, ""), "server", False),
        (http(400, {"error": {"message": "no such field"}}), "refused", False),
        (http(422, {"detail": [{"msg": "wrong"}]}), "refused", False),
        (http(413, "too big"), "too_long", False),
        (http(200, '{"choices": [{"mess'), "malformed", True),
        (http(200, "busy, come back later"), "malformed", True),
        (http(200, "<!DOCTYPE html><title>login</title>"), "malformed", True),
        (http(200, b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'), "malformed", True),
        (http(200, ""), "malformed", True),
        (http(200, "[]"), "malformed", True),
        (http(200, {"choices": []}), "malformed", True),
        (http(200, {"choices": None}), "malformed", True),
        (http(200, {"choices": [{"index": 0}]}), "malformed", True),
        (http(200, {"choices": [{"message": {"content": 7}}]}), "malformed", True),
        (chat({"content": None}), "malformed", True),
        (chat({"content": None}, "content_filter"), "content_filter", False),
        (chat({"content": ""}, "content_filter"), "content_filter", False),
        (http(200, '{"choices', "X-Close: 1", length=500), "malformed", True),
        (http(200, b"no gzip", "Content-Encoding: gzip"), "malformed", True),
        (b"no http at all\r\n\r\n", "malformed", True),
        (DROP, "connection", True),
    ],
)
def test_each_fault_of_a_chat_is_a_failure_of_its_kind(reply, kind, retryable):
    """A fault becomes a failure that says its kind and whether to try again."""
    failure = ask(reply)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retryable, failure.fatal) == (kind, retryable, False)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http(200, {"choices": []}), "malformed"),
        (http(200, {"choices": [{"text": None}]}), "malformed"),
        (
            http(200, {"choices": [{"text": "", "finish_reason": "content_filter"}]}),
            "content_filter",
        ),
        (http(500, ""), "server"),
    ],
)
def test_each_fault_of_a_completion_is_a_failure_of_its_kind(reply, kind):
    """Completions fail as chats do."""
    failure = ask(reply, request=PROMPT)
    assert isinstance(failure, Failure)
    assert failure.kind == kind


def test_a_failure_names_status_and_the_start_of_the_body_on_one_line():
    """Messages are bounded, on one line and without control characters."""
    failure = ask(http(500, "line one\n\x1b[31mred\x07 " + "x" * 900))
    assert failure.message.startswith("HTTP 500: line one [31mred xxx")
    assert failure.status == 500
    assert len(failure.message) < 230
    assert failure.message.isprintable()


def test_a_server_that_does_not_answer_is_a_timeout():
    """No answer within the time given is a retryable timeout that names the limit."""
    failure = ask(HANG, timeout_s=0.05)
    assert (failure.kind, failure.retryable) == ("timeout", True)
    assert "0.05 s" in failure.message


def test_a_server_that_is_not_there_is_a_connection_failure():
    """A refused connection is retryable."""

    async def once():
        async with serving(DROP) as server:
            url = server.url
        backend = backend_at(url)
        (reply,) = await backend.answer([HELLO])
        await backend.close()
        return reply

    failure = asyncio.run(once())
    assert (failure.kind, failure.retryable) == ("connection", True)


def test_a_dropped_connection_is_not_sent_again_by_the_backend():
    """One attempt is one request: retrying is the executor's business."""
    _, seen = ask_seen(DROP)
    assert len(seen) == 1


def test_an_error_s_own_words_stand_in_the_message():
    """Not the JSON around them; a body without an error is quoted as it is."""
    error = {"error": {"message": "no such field: 'x'", "type": "t", "code": "c"}}
    assert ask(http(400, error)).message == "HTTP 400: no such field: 'x'"
    assert ask(http(400, '{"detail": 1}')).message == 'HTTP 400: {"detail": 1}'


def test_retry_after_is_passed_on():
    """The seconds that a 429 or a 503 names stand in the failure."""
    assert ask(http(429, "", "Retry-After: 7")).retry_after == 7
    assert ask(http(503, "", "Retry-After: 1.5")).retry_after == 1.5
    assert ask(http(429, "")).retry_after is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({}, None),
    ],
)
def test_retry_after_as_a_number(headers, seconds):
    """Numbers are seconds, never negative; what is no number counts for nothing."""
    assert faults.retry_after(headers, datetime.now(UTC)) == seconds


def test_retry_after_as_a_date():
    """A date is the time until then, and zero once it is past."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    later = {"Retry-After": format_datetime(now + timedelta(seconds=90), usegmt=True)}
    assert faults.retry_after(later, now) == 90
    assert faults.retry_after(later, now + timedelta(days=1)) == 0
    assert faults.retry_after({"Retry-After": "Thu, 01 Jan 2026 00:01:00"}, now) == 60


@given(st.text(max_size=50))
def test_retry_after_survives_any_text(text):
    """No header makes the reading of it fail."""
    seconds = faults.retry_after({"Retry-After": text}, datetime.now(UTC))
    assert seconds is None or seconds >= 0


def test_a_spent_quota_is_fatal():
    """insufficient_quota will not pass by waiting: the run stops."""
    failure = ask(http(429, {"error": {"message": "pay", "code": "insufficient_quota"}}))
    assert (failure.kind, failure.retryable, failure.fatal) == ("rate_limit", False, True)
    assert ask(http(402, "pay")).fatal


@pytest.mark.parametrize(
    "error",
    [
        {"message": "x", "code": "context_length_exceeded"},
        {"message": "This model's maximum context length is 4096 tokens"},
        {"message": "prompt is too long: 9 tokens"},
    ],
)
def test_a_prompt_beyond_the_context_is_too_long(error):
    """A 400 for length is told from other refusals."""
    failure = ask(http(400, {"error": error}))
    assert (failure.kind, failure.retryable) == ("too_long", False)


def test_a_400_by_the_content_filter_is_told_apart():
    """Azure answers 400 where its filter refuses the prompt."""
    assert ask(http(400, {"error": {"code": "content_filter"}})).kind == "content_filter"


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("Unsupported parameter: 'max_tokens'", "-M max_tokens_field=max_completion_tokens"),
        ("Unsupported value: 'temperature' does not support 0", "-M omit=temperature"),
        ("Unsupported value: 'temperature' does not support 0", "-M reasoning=true"),
        ("'stop' is not supported with this model", "-M omit=stop"),
    ],
)
def test_a_refused_field_comes_with_advice(message, advice):
    """Where a model refuses a field, the failure says which argument helps."""
    assert advice in ask(http(400, {"error": {"message": message}})).message


def test_other_refusals_come_without_advice():
    """No advice is made up."""
    assert faults.hint("'max_tokens' must be positive") == ""
    assert faults.hint("tools are not supported") == ""


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_refused_key_stops_everything_and_is_not_shown(status, monkeypatch):
    """A refused key raises, and no message repeats the key."""
    monkeypatch.setenv("MY_KEY", "sk-secret-123")
    reply = http(status, {"error": {"message": "Incorrect key sk-secret-123"}})
    with pytest.raises(AuthenticationFailed, match=f"HTTP {status}") as caught:
        ask(reply, api_key_env="MY_KEY")
    assert "sk-secret" not in str(caught.value)
    assert "***" in str(caught.value)


def test_an_unknown_model_stops_everything_and_names_the_nearest():
    """A 404 raises with model, address and what the server offers."""
    missing = http(404, {"error": {"message": "no such model"}})
    models = http(200, {"data": [{"id": "mm"}, {"id": "other"}]})
    with pytest.raises(ModelNotFound, match=r"no model 'm' at http.*it offers: mm, other"):
        ask(missing, models)


@pytest.mark.parametrize("models", [http(404, ""), http(200, "<html>"), http(200, "{}"), DROP])
def test_an_unknown_model_is_named_even_where_no_list_is_to_be_had(models):
    """The list of models is a help, not a need."""
    with pytest.raises(ModelNotFound, match=r"no model 'm' at.*HTTP 404: no such thing"):
        ask(http(404, {"error": {"message": "no such thing"}}), models)


@pytest.mark.parametrize("models", [http(404, ""), http(200, "<html>"), DROP])
def test_an_address_where_nothing_like_the_api_answers_is_named(models):
    """A page of a web server's own says nothing of a model."""
    with pytest.raises(ModelNotFound, match=r"nothing at http.*end in '/v1'; HTTP 404: <html>"):
        ask(http(404, "<html>nginx</html>"), models)


def test_an_address_that_lacks_its_version_is_told_where_the_api_is():
    """The server is looked at one step further, where most have it."""
    here = http(200, {"data": [{"id": "m"}]})
    with pytest.raises(ModelNotFound, match=r"nothing at .*try --base-url http.*/v1/v1; HTTP"):
        ask(http(404, "404: Not Found"), http(404, ""), here)


def test_a_long_list_of_models_is_cut():
    """Ten names are enough."""
    assert "and 5 more" in faults.not_found("m", "u", [f"model-{i}" for i in range(15)], "d")


def test_a_known_model_without_the_endpoint_is_unsupported():
    """A 404 for a listed model is about the endpoint, so the model is not called missing."""
    failure = ask(http(404, "nothing here"), http(200, {"data": [{"id": "m"}]}))
    assert (failure.kind, failure.fatal, failure.status) == ("unsupported", True, 404)


def test_a_chat_model_asked_for_a_completion_is_unsupported():
    """OpenAI answers 404 where a chat model is asked for a completion."""
    text = "This is a chat model and not supported in the v1/completions endpoint."
    failure = ask(http(404, {"error": {"message": text}}), http(404, ""), request=PROMPT)
    assert failure.kind == "unsupported"


def test_a_redirect_is_not_followed():
    """A prompt and a key go to the server that was named, and to no other."""
    failure, seen = ask_seen(http(307, "", "Location: http://elsewhere.test/v1"))
    assert (failure.kind, failure.fatal, len(seen)) == ("refused", True, 1)
    assert "http://elsewhere.test/v1" in failure.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "upstream overloaded", "code": 429}, "rate_limit"),
        ({"message": "upstream broke", "code": 502}, "server"),
        ({"message": "upstream broke", "code": "odd"}, "server"),
        ("something broke", "server"),
    ],
)
def test_an_error_in_a_body_of_status_200_is_an_error(error, kind):
    """Gateways that answer 200 with an error are read as if they had sent its status."""
    failure = ask(http(200, {"error": error}))
    assert (failure.kind, failure.retryable) == (kind, True)


def test_a_huge_body_is_not_read_to_the_end(monkeypatch):
    """Reading stops at the bound, and the failure names it."""
    monkeypatch.setattr(client, "MAX_BODY", 1000)
    body = json.dumps({"choices": [{"message": {"content": "x" * 500_000}}]})
    failure = ask(http(200, body))
    assert (failure.kind, failure.retryable) == ("malformed", False)
    assert "larger than 1000 bytes" in failure.message


def test_a_bomb_of_compressed_zeros_is_bounded(monkeypatch):
    """The bound holds for what a body unpacks to."""
    monkeypatch.setattr(client, "MAX_BODY", 100_000)
    failure = ask(http(200, gzip.compress(b" " * 5_000_000), "Content-Encoding: gzip"))
    assert failure.kind == "malformed"


def test_a_large_body_within_the_bound_is_read_whole():
    """A body that comes in many pieces is one answer."""
    reply = ask(chat({"content": "y" * 900_000}))
    assert isinstance(reply, Response)
    assert len(reply.text) == 900_000


def test_transport_errors_that_will_not_pass_are_fatal():
    """A certificate that does not fit will not fit for the next request either."""
    key = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorSSLError(key, OSError(1, "certificate"))
    failure = faults.transport_failure(error, 1, plain)
    assert (failure.kind, failure.fatal) == ("connection", True)


def test_a_proxy_that_refuses_is_named():
    """The failure says that it was the proxy, not the server."""
    error = aiohttp.ClientHttpProxyError(None, (), status=502, message="no route")
    assert faults.transport_failure(error, 1, plain).message.startswith("the proxy refused")


def test_a_transport_error_without_text_is_named_by_its_class():
    """No message is empty."""
    assert "ClientError" in faults.transport_failure(aiohttp.ClientError(), 1, plain).message


@given(
    st.binary(max_size=300), st.integers(200, 599).filter(lambda s: s not in {401, 403, 404, 407})
)
def test_any_body_with_any_status_has_its_failure(raw, status):
    """No body makes the reading of an error fail, and every message is one printable line."""
    failure = faults.http_failure(status, {}, raw, plain)
    assert failure.status == status
    assert failure.message.isprintable()


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_error_object_is_read(value):
    """No JSON makes the reading of an error object fail."""
    assert isinstance(faults.error_of(json.dumps({"error": value}).encode()), faults.ErrorBody)
    assert isinstance(faults.error_of(json.dumps(value).encode()), faults.ErrorBody)


def test_redaction_takes_the_longest_secret_first():
    """A secret inside another leaves nothing behind; short values are no secrets."""
    redact = faults.redactor(["abcd", "abcdef", "no"])
    assert redact("abcdef no abcd") == "*** no ***"
