"""The list of known models, and what a run makes of prices."""

from __future__ import annotations

import json

import pytest

from harness.backend.embedded.backend import WEIGHTS
from harness.backend.embedded.model import load
from harness.errors import InvalidFile, UsageError
from harness.known_models import (
    SHIPPED,
    known_models,
    named_model,
    price_of,
    read_models,
    without_price,
)
from harness.records import ModelSpec

HERE = "https://api.openai.com/v1"


def test_every_shipped_entry_is_believable():
    """Names, aliases and prices are whole; a price that is not zero has a date."""
    models = read_models(SHIPPED)
    aliases = [known.alias for known in models.values() if known.alias]
    assert len(aliases) == len(set(aliases))
    for known in models.values():
        if known.price and known.price.out:
            assert known.price.date
            assert known.price.prompt <= known.price.out
            assert known.base_url


@pytest.mark.parametrize("name", ["nano", "micro", "mini"])
def test_the_embedded_models_are_as_their_weights_say(name):
    """Parameters, context and licence in the list are those of the files."""
    weights = load(WEIGHTS / f"{name}.safetensors")
    known = known_models()[f"embedded/{name}"]
    assert known.parameters == weights.network.parameters
    assert known.context == weights.network.config.context
    assert known.licence == weights.metadata["licence"]


def test_an_unknown_price_is_none_and_not_zero():
    """No entry, an entry without a price, and an entry for another server: unknown."""
    models = known_models()
    assert price_of(ModelSpec("openai", "nobody-knows"), models, HERE) is None
    assert price_of(ModelSpec("hf", "openai-community/gpt2"), models) is None
    mini = ModelSpec("openai", "gpt-4o-mini")
    assert price_of(mini, models, "http://127.0.0.1:1/v1") is None
    assert price_of(mini, models, HERE).out == 0.60


def test_a_price_given_by_the_user_goes_before_the_list():
    """-M price_in and price_out state it, and no backend ever sees them."""
    spec = ModelSpec("openai", "gpt-4o-mini", {"price_in": 1, "price_out": 2.5, "api": "chat"})
    price = price_of(spec, known_models(), HERE)
    assert (price.prompt, price.out, price.cached) == (1, 2.5, None)
    assert without_price(spec).arguments == {"api": "chat"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"price_in": 1},
        {"price_in": -1, "price_out": 1},
        {"price_in": "cheap", "price_out": 1},
        {"price_in": True, "price_out": 1},
        {"price_in": float("nan"), "price_out": 1},
    ],
)
def test_a_price_that_is_none_is_refused(arguments):
    """Half a price, and what is no amount, is a usage error that names the argument."""
    with pytest.raises(UsageError, match="price_"):
        price_of(ModelSpec("openai", "m", arguments), {})


def test_a_users_own_list_goes_first(tmp_path):
    """models.yaml in the working folder adds models and overrides the shipped ones."""
    (tmp_path / "models.yaml").write_text(
        "models:\n"
        "  openai/gpt-4o-mini: {price: {in: 9, out: 9}}\n"
        "  openai/ours: {alias: ours, arguments: {api: completions}, price: {in: 1, out: 2}}\n"
    )
    models = known_models(tmp_path)
    assert price_of(ModelSpec("openai", "gpt-4o-mini"), models).out == 9
    assert named_model("ours", models) == ModelSpec("openai", "ours", {"api": "completions"})
    assert named_model("nano", models) == ModelSpec("embedded", "nano")
    assert named_model("nobody", models) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modles: {}\n", "did you mean 'models'"),
        ("models: [a]\n", "mapping"),
        ("models: {nano: {}}\n", "provider/name"),
        ("models:\n  a/b: {prise: 1}\n", r"models.yaml:2.*prise"),
        ("models:\n  a/b: {price: {in: 1}}\n", "out"),
        ("models:\n  a/b: {price: {in: -1, out: 1}}\n", "no amount"),
    ],
)
def test_a_wrong_list_says_where(tmp_path, text, said):
    """File, line and key of what is wrong."""
    path = tmp_path / "models.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile, match=said):
        read_models(path)


def test_a_cost_cap_works_with_a_known_price_and_is_refused_without(
    harness, start_server, addition
):
    """The run stops at the cap with exit 5 and counts dollars; an unknown price ends in exit 2."""
    url = start_server().url
    asked = ["run", addition, "--model", "openai/m", "--base-url", url, "--max-cost", "0.0005"]
    refused = harness(*asked)
    assert refused.code == 2
    assert "price" in refused.err
    prices = ["-M", "price_in=1000", "-M", "price_out=1000"]
    stopped = harness(*asked, "--connections", "1", *prices, "--json")
    assert stopped.code == 5, stopped.err


def test_ls_models_shows_what_is_known(harness):
    """Price, parameters and licence stand in the list; unknown is said in words."""
    rows = json.loads(harness("ls", "models", "--json").out)
    by_name = {row["model"]: row for row in rows if row.get("model")}
    assert by_name["embedded/mini"]["parameters"] == "1.5 M"
    assert by_name["hf/openai-community/gpt2"]["price"] == "unknown"
    assert by_name["openai/gpt-4o-mini"]["price"] == "0.15 in, 0.6 out (2024-10)"
