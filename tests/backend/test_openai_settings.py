"""What arguments, environment and base URL lead to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backend.openai import open_openai
from harness.backend.openai.settings import (
    is_loopback,
    read_base_url,
    read_headers,
    read_key,
    read_settings,
)
from harness.errors import AuthenticationFailed, HarnessError, UnknownName, UsageError
from harness.records import ModelSpec

LOCAL = "http://127.0.0.1:8000/v1"
OFFICIAL = "https://api.openai.com/v1"


def settings(base_url: str | None = LOCAL, **arguments):
    """Return the settings of model `m`, with nothing in the environment."""
    return read_settings(ModelSpec("openai", "m", arguments, base_url=base_url), {})


def test_a_local_server_is_taken_to_score_text_and_openai_is_not():
    """Log-likelihoods are offered where completions with echo can be expected."""
    assert "loglikelihood" in settings().capabilities
    assert "loglikelihood" not in settings(None).capabilities
    assert "loglikelihood" in settings(None, api="completions").capabilities
    assert "loglikelihood" in settings(None, loglikelihood="true").capabilities
    assert "loglikelihood" not in settings(loglikelihood=False).capabilities


def test_completions_offer_no_chat():
    """-M api=completions takes chat, tools and schema away."""
    assert settings(api="completions").capabilities == {"generate", "logprobs", "loglikelihood"}
    assert settings(None).capabilities == {"generate", "chat", "logprobs", "tools", "schema"}


def test_the_token_limit_has_the_name_that_the_server_takes():
    """OpenAI's chats take max_completion_tokens, everything else max_tokens."""
    assert settings(None).max_tokens_field == "max_completion_tokens"
    assert settings(None, api="completions").max_tokens_field == "max_tokens"
    assert settings().max_tokens_field == "max_tokens"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"apii": "chat"}, r"'apii' \(did you mean 'api'\?\)"),
        ({"api": "completion"}, "did you mean 'completions'"),
        ({"loglikelihood": "maybe"}, "value of -M loglikelihood: 'maybe'"),
        ({"max_tokens_field": "max_token"}, "did you mean 'max_tokens'"),
    ],
)
def test_a_wrong_argument_is_named_with_the_nearest(arguments, message):
    """Names and values that nothing answers to are refused before anything is sent."""
    with pytest.raises(UnknownName, match=message):
        settings(**arguments)


def test_omit_takes_a_list_or_commas():
    """Both spellings mean the same, also for identity."""
    first, second = settings(omit="stop,seed"), settings(omit=["seed", "stop"])
    assert first.omit == {"seed", "stop"}
    assert first.arguments == second.arguments == {"omit": ["seed", "stop"]}
    with pytest.raises(UsageError, match="omit"):
        settings(omit=3)


def test_spellings_of_a_flag_have_one_identity():
    """The flag true and the text "true" are the same argument."""
    assert settings(loglikelihood="True").arguments == {"loglikelihood": True}


def test_the_base_url_comes_from_the_flag_then_the_environment_then_openai():
    """The first that is there counts, without its last slash."""
    environ = {"OPENAI_BASE_URL": "http://env.test/v1/"}
    assert read_base_url(ModelSpec("openai", "m", base_url="http://a.test/"), environ) == (
        "http://a.test"
    )
    assert read_base_url(ModelSpec("openai", "m"), environ) == "http://env.test/v1"
    assert read_base_url(ModelSpec("openai", "m"), {}) == OFFICIAL


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://a.test",
        "http://",
        "http://[::1",
        "http://a.test:99999",
        "http://a.test/\x07",
        "http://user:hidden@a.test/v1",
        "http://a.test/v1?key=hidden",
        "http://a.test/v1/chat/completions",
    ],
)
def test_a_base_url_that_cannot_be_is_refused_without_showing_a_secret(url):
    """No secret can enter the run through the base URL, and none is repeated."""
    with pytest.raises(UsageError) as caught:
        settings(url)
    assert "hidden" not in str(caught.value)


@given(st.text(max_size=60) | st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_any_base_url_is_taken_or_refused(url):
    """No text makes the reading of a base URL crash."""
    try:
        open_openai(ModelSpec("openai", "m", base_url=f"http://{url}"), timeout_s=1, connections=1)
    except HarnessError:
        return


def test_loopback_is_told_from_elsewhere():
    """Names and addresses of this machine need no key and no proxy."""
    here = ("http://localhost/v1", "http://127.8.8.8:1", "http://[::1]:80/v1")
    assert all(is_loopback(url) for url in here)
    assert not any(
        is_loopback(url) for url in (OFFICIAL, "http://10.0.0.1", "http://localhost.test")
    )


def test_openai_needs_a_key_and_other_servers_do_not():
    """The message for a missing key is one line that says what to do."""
    with pytest.raises(AuthenticationFailed, match="set OPENAI_API_KEY") as caught:
        read_key(ModelSpec("openai", "m"), OFFICIAL, {})
    assert "\n" not in str(caught.value)
    assert read_key(ModelSpec("openai", "m"), LOCAL, {}) is None
    assert read_key(ModelSpec("openai", "m"), "https://a.test/v1", {}) is None


def test_a_header_can_stand_in_for_the_key():
    """--header Authorization=… is enough, and wins over a key."""
    spec = ModelSpec("openai", "m", headers={"authorization": "Basic x"})
    assert read_key(spec, OFFICIAL, {}) is None
    assert "Authorization" not in read_headers(spec, "sk-1")


def test_the_key_comes_from_the_variable_that_was_named():
    """--api-key-env names a variable; one that is not set is an error, never another key."""
    spec = ModelSpec("openai", "m", api_key_env="MINE")
    assert read_key(spec, LOCAL, {"MINE": " sk-1\n"}) == "sk-1"
    with pytest.raises(AuthenticationFailed, match="MINE, which is not set"):
        read_key(spec, LOCAL, {"OPENAI_API_KEY": "sk-2"})


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-\u20ac", "a\x00b"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    """A key with a line break cannot smuggle in a header."""
    with pytest.raises(AuthenticationFailed, match="OPENAI_API_KEY") as caught:
        read_key(ModelSpec("openai", "m"), LOCAL, {"OPENAI_API_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize("headers", [{"X Y": "1"}, {"": "1"}, {"X-Y": "hidden\r\nZ: 1"}])
def test_a_header_that_http_cannot_carry_is_refused(headers):
    """A value with a line break cannot smuggle in a header, and is not repeated."""
    with pytest.raises(UsageError, match="--header") as caught:
        read_headers(ModelSpec("openai", "m", headers=headers), None)
    assert "hidden" not in str(caught.value)


def test_identity_tells_endpoints_and_arguments_apart_and_holds_no_secret(monkeypatch):
    """What changes an answer is in the identity; keys and headers are not."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")

    def identity(**spec):
        model = ModelSpec("openai", "m", headers={"X-A": "hidden"}, base_url=LOCAL, **spec)
        return open_openai(model, timeout_s=1, connections=1).identity()

    assert identity() == {
        "provider": "openai",
        "base_url": LOCAL,
        "model": "m",
        "arguments": {"api": "chat"},
    }
    assert identity(arguments={"api": "completions"}) != identity()
    assert "hidden" not in json.dumps(identity())


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("gpt-5-mini", True),
        ("gpt-5.1", True),
        ("o3", True),
        ("o4-mini-2025-04-16", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4o-mini", False),
        ("gpt-4.1", False),
        ("ollama-o3", False),
    ],
)
def test_openai_s_reasoning_models_are_known_by_their_names(name, reasons):
    """They are asked without what they refuse, and with room to think; elsewhere -M says so."""
    found = read_settings(ModelSpec("openai", name), {})
    assert found.reasoning is reasons
    assert (found.omit >= {"temperature", "top_p", "stop"}) is reasons
    assert ("logprobs" in found.capabilities) is not reasons
    assert found.thinking == (8192 if reasons else 0)
    assert found.max_tokens_field == "max_completion_tokens"
    assert not read_settings(ModelSpec("openai", name, base_url=LOCAL), {}).reasoning
    assert not read_settings(ModelSpec("openai", name, {"reasoning": False}), {}).reasoning


def test_what_reasoning_changes_is_part_of_the_identity():
    """Two models of one name that are asked differently have different keys."""
    assert settings(reasoning=True).arguments == {"reasoning": True, "thinking": 8192}
    assert settings(reasoning=True, thinking=100).arguments == {"reasoning": True, "thinking": 100}
    assert settings(thinking=100).arguments == {"thinking": 100}
    assert settings(reasoning=True, omit="seed").arguments["omit"] == ["seed"]
    assert read_settings(ModelSpec("openai", "o3"), {}).arguments == {
        "reasoning": True,
        "thinking": 8192,
    }
    assert read_settings(ModelSpec("openai", "gpt-4o"), {}).arguments == {}


def test_the_responses_api_offers_what_a_chat_does():
    """And cuts at stop texts here, as does every model that is not told of them."""
    assert settings(None, api="responses").capabilities == settings(None).capabilities
    assert settings(None, api="responses").cuts
    assert settings(omit="stop").cuts
    assert not settings().cuts
    assert read_settings(ModelSpec("openai", "gpt-4o", {"api": "responses"}), {}).arguments == {
        "api": "responses"
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reasoning_summary": "auto"}, "-M reasoning_summary: allowed with -M api=responses"),
        ({"reasoning_effort": "low", "api": "completions"}, "-M reasoning_effort: allowed with"),
        ({"thinking": 9, "api": "completions"}, "-M thinking: allowed with"),
        ({"thinking": -1}, "-M thinking: a number of tokens, got -1"),
        ({"thinking": True}, "-M thinking: a number"),
        ({"reasoning_effort": 3}, "-M reasoning_effort: a word"),
        ({"reasoning_effort": "very high"}, "-M reasoning_effort: a word"),
        ({"scoring": "both"}, "value of -M scoring: 'both'"),
        ({"reasoning": "perhaps"}, "value of -M reasoning"),
    ],
)
def test_an_argument_of_reasoning_that_cannot_be_is_named(arguments, message):
    """Each says what is allowed."""
    with pytest.raises(UsageError, match=message):
        settings(**arguments)
