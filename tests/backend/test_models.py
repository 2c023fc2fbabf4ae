"""The list of known models, and what a run makes of prices."""

from __future__ import annotations

import json

import pytest
from canned import ask, chat

from harness.backend.embedded.backend import WEIGHTS
from harness.backend.embedded.model import load
from harness.billing import cached_prompt_tokens
from harness.config import build, build_known, build_model
from harness.errors import InvalidFile, UsageError
from harness.known_models import (
    SHIPPED,
    ListPrice,
    facts_of,
    for_backend,
    known_models,
    named_model,
    price_of,
    read_models,
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
    assert for_backend(spec).arguments == {"api": "chat"}


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
        ("models:\n  a/b:\n    alias: x\n    price:\n      in: 1\n      uot: 1\n", r"yaml:6.*uot"),
        ("models:\n  a/b:\n    context: many\n", r"yaml:3: models.a/b.context"),
        ("models:\n  a/b: 7\n", r"yaml:2: models.a/b: Expected `object`"),
        ("models:\n  c: {model: no-slash}\n", r"yaml:2.*provider/name"),
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
    assert by_name["openai/gpt-4o-mini"]["price"] == "0.15 in (0.075 cached), 0.6 out (2024-10)"


@pytest.mark.parametrize(
    ("usage", "cached"),
    [
        ({"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 64}}, 64),
        ({"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": None}}, 0),
        ({"prompt_tokens": 100, "prompt_tokens_details": None}, 0),
        ({"prompt_tokens": 100, "prompt_cache_hit_tokens": 32.0}, 32),
        ({"prompt_tokens": 100}, 0),
        ({}, 0),
    ],
)
def test_cached_tokens_of_a_prompt_are_read(usage, cached):
    """OpenAI's and DeepSeek's ways of telling them; silence is none."""
    reply = ask(chat(usage=usage))
    assert cached_prompt_tokens(reply) == cached
    assert reply.text == "hi"


OWN = """\
models:
  openai/qwen: {alias: big, base_url: "http://gpu:8000/v1", api_key_env: GPU_KEY,
    arguments: {rpm: 60}, price: {in: 1, cached: 0.1, out: 2}, parameters: 32000000000}
  careful: {model: openai/qwen, arguments: {reasoning_effort: high}, price: {in: 5, out: 9}}
"""


@pytest.fixture
def own(tmp_path):
    """A user's own file."""
    path = tmp_path / "our.yaml"
    path.write_text(OWN)
    return path


def test_an_alias_stands_for_model_address_and_arguments(own, tmp_path):
    """`--model big` is all of its entry; what the command line says goes before it."""
    named = build_model({"model": "big", "models": str(own)})
    assert named == ModelSpec(
        "openai", "qwen", {"rpm": 60}, base_url="http://gpu:8000/v1", api_key_env="GPU_KEY"
    )
    given = build_model(
        {"model": "big", "models": str(own), "model_args": ["rpm=5"], "base_url": "http://x/v1"}
    )
    assert (given.arguments, given.base_url) == ({"rpm": 5}, "http://x/v1")
    assert build_model({"model": "mini"}) == ModelSpec("embedded", "mini")


def test_an_alias_of_another_entry_has_what_it_leaves_out(own):
    """`model:` names an entry; arguments are joined, and its own price goes first."""
    models = known_models(more=own)
    spec = named_model("careful", models)
    assert spec.arguments == {"rpm": 60, "reasoning_effort": "high"}
    assert spec.base_url == "http://gpu:8000/v1"
    facts = facts_of(spec, models, spec.base_url)
    assert (facts.entry, facts.price.out, facts.parameters) == ("careful", 9, 32_000_000_000)
    plain = named_model("big", models)
    assert facts_of(plain, models, plain.base_url).price == ListPrice(1, 2, 0.1)


def test_a_judge_may_be_an_alias_with_or_without_an_address(own):
    """The judge's model is looked up as the model under test is."""
    asked = {"tasks": ["t"], "model": "mini", "models": str(own), "judge": ["j=big"]}
    spec, _ = build(asked)
    assert spec.judges["j"].base_url == "http://gpu:8000/v1"
    spec, _ = build(asked | {"judge": ["j=big@http://other/v1"]})
    assert (spec.judges["j"].name, spec.judges["j"].base_url) == ("qwen@http://other/v1", None)


def test_a_run_file_may_name_a_file_of_models(own, tmp_path):
    """`models:` stands relative to the run file; a file that is not there is named."""
    run_file = tmp_path / "run.yaml"
    run_file.write_text("run: mine\ntasks: [t]\nmodel: big\nmodels: our.yaml\n")
    spec, _ = build({"tasks": [str(run_file)]})
    assert spec.model.name == "qwen"
    assert "careful" in build_known({"tasks": [str(run_file)]})
    own.unlink()
    with pytest.raises(InvalidFile, match=r"our\.yaml"):
        build({"tasks": [str(run_file)]})


def test_a_name_that_no_entry_bears_is_told_with_the_nearest(own):
    """A slip in an alias gets a suggestion."""
    with pytest.raises(UsageError, match="did you mean 'careful'"):
        build_model({"model": "carefull", "models": str(own)})


def test_the_same_weights_on_another_server_tell_size_and_licence_but_no_price():
    """openai/ORG/NAME, served by whoever, is hf/ORG/NAME; its price is theirs."""
    facts = facts_of(ModelSpec("openai", "Qwen/Qwen2.5-7B-Instruct"), known_models(), "http://x/v1")
    assert facts.parameters == 7_615_616_512
    assert (facts.weights, facts.licence, facts.price) == ("open", "Apache-2.0", None)
    hosted = ModelSpec("openai", "gpt-4o-mini")
    assert facts_of(hosted, known_models(), HERE).weights == "closed"


def test_run_json_says_what_is_known_of_the_model(harness, start_server, addition, own, tmp_path):
    """Size, weights, licence, entry and price stand under `model`; unknown is null."""
    url = start_server().url
    own.write_text(OWN.replace("http://gpu:8000/v1", url).replace("api_key_env: GPU_KEY,", ""))
    done = harness("run", addition, "--model", "big", "--models", own, "--limit", "5", "--json")
    assert done.code == 0, done.err
    record = json.loads((tmp_path / json.loads(done.out)["run"] / "run.json").read_bytes())
    model = record["model"]
    assert (model["parameters"], model["entry"]) == (32_000_000_000, "openai/qwen")
    assert model["price"] == {"in": 1.0, "cached": 0.1, "out": 2.0, "date": None}
    assert (model["weights"], model.get("licence")) == (None, None)
    assert record["usage"]["cost_usd"] > 0
