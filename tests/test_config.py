"""A run as asked for: words, files and flags become records, or one clear error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import (
    build,
    build_model,
    load_run_file,
    parse_headers,
    parse_model,
    parse_pairs,
    run_schema,
)
from harness.errors import InvalidFile, UsageError
from harness.records import Execution, ModelSpec, RunSpec


def test_pairs_are_typed_and_nested():
    """Values are read as YAML reads them; dots nest; `=` may stand in a value."""
    words = [
        "t=0.5", "n=3", "args.per_cell=10", "args.op=add", "s=a=b", "b=true", "z=null",
        "l=[x, 'y', 1]", "m={a: 1}", "q='5'", 'e="\\n"', "w= two words ", "no=no", "empty=",
    ]  # fmt: skip
    assert parse_pairs(words) == {
        "t": 0.5, "n": 3, "args": {"per_cell": 10, "op": "add"}, "s": "a=b", "b": True, "z": None,
        "l": ["x", "y", 1], "m": {"a": 1}, "q": "5", "e": "\n", "w": " two words ", "no": "no",
        "empty": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x"], "-M 'x': allowed: KEY=VALUE"),
        (["=x"], "allowed: KEY=VALUE"),
        (["a..b=x"], "allowed: KEY=VALUE"),
        (["a=1", "a=2"], "-M a: given twice"),
        (["a=1", "a.b=2"], "'a' has a value already"),
        (["a=[1"], "-M a: is not valid YAML"),
    ],
)
def test_bad_pairs(words, message):
    """A word that is no pair says what one looks like."""
    with pytest.raises(UsageError, match=message.replace("'", ".")):
        parse_pairs(words)


@given(st.text(max_size=30))
def test_any_word_is_a_pair_or_a_usage_error(word):
    """No word gives anything but a mapping or `UsageError`."""
    with contextlib.suppress(UsageError):
        assert isinstance(parse_pairs([word]), dict)


def test_model_specs():
    """The provider ends at the first slash; the rest is the name."""
    assert parse_model("hf/org/name") == ModelSpec("hf", "org/name")
    made = parse_model("openai/x", {"a": 1}, "http://127.0.0.1:1/v1", "KEY", {"X": "y"})
    assert made == ModelSpec("openai", "x", {"a": 1}, "http://127.0.0.1:1/v1", "KEY", {"X": "y"})


@pytest.mark.parametrize("spec", ["gpt", "/x", "openai/", ""])
def test_bad_model_spec_gives_examples(spec):
    """A model without provider or name is shown what one looks like."""
    with pytest.raises(UsageError, match="provider/name, such as openai/"):
        parse_model(spec)


def test_secrets_are_not_repeated():
    """A key given where its variable's name belongs, or a broken header, is not echoed."""
    with pytest.raises(UsageError) as caught:
        parse_model("a/b", api_key_env="sk-secret")
    assert "secret" not in str(caught.value)
    for word in ("secret", "se cret=x", "=secret", "X=secret\r\nY: z"):
        with pytest.raises(UsageError) as caught:
            parse_headers([word])
        assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="--base-url"):
        parse_model("a/b", base_url="file:///x")


def test_flags_become_records():
    """Flags as the command line gives them become a run and how to carry it out."""
    spec, execution = build(
        {
            "tasks": ("a/b", "tag:core"), "model": "openai/x", "model_args": ("a=1",),
            "headers": ("X-A=b",), "sample_ids": ("s",), "arms": ("p",), "perturb": ("x,y", "z"),
            "judge": ("j=openai/big",), "generation": ("stop=x", "temperature=0.5"),
            "data": ("args.n=1",), "connections": "auto", "max_failures": "0.2",
            "timeout_s": 3.0, "limit": 5, "system": None, "fresh": True,
        }
    )  # fmt: skip
    assert spec == RunSpec(
        tasks=("a/b", "tag:core"), model=ModelSpec("openai", "x", {"a": 1}, headers={"X-A": "b"}),
        limit=5, sample_ids=("s",), arms=("p",), perturb=("x", "y", "z"),
        judges={"j": ModelSpec("openai", "big")}, data={"args": {"n": 1}},
        generation={"stop": ["x"], "temperature": 0.5},
    )  # fmt: skip
    assert execution == Execution(connections="auto", max_failures=0.2, timeout_s=3.0, fresh=True)


def test_defaults_are_those_of_the_records():
    """With a task and a model alone, everything else is as the records say."""
    spec, execution = build({"tasks": ["t"], "model": "a/b"})
    assert spec == RunSpec(tasks=("t",), model=ModelSpec("a", "b"))
    assert execution == Execution()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"model": None}, "--model is missing"),
        ({"tasks": []}, "no task named"),
        ({"limit": 0}, "--limit: allowed: 1 or more; got: 0"),
        ({"connections": "0"}, "--connections: allowed: 1 or more"),
        ({"connections": "many"}, "settings: "),
        ({"max_failures": "2"}, "--max-failures: allowed: 0 to 1"),
        ({"max_cost": 0.0}, "--max-cost: allowed: more than 0"),
        ({"timeout_s": -1.0}, "--timeout: allowed: more than 0"),
        ({"generation": ("max_token=3",)}, "did you mean 'max_tokens'"),
        ({"generation": ("temperature=hot",)}, "-G: Expected `float"),
        ({"judge": ("j=x",)}, "provider/name"),
        ({"zzz": 1}, "unknown field `zzz`"),
    ],
)
def test_bad_flags(flags, message):
    """A wrong flag says which, what is allowed and what came."""
    with pytest.raises(UsageError, match=message):
        build({"tasks": ["t"], "model": "a/b", **flags})


def test_build_model_takes_the_model_flags():
    """The model of a verb that runs no task is read alike."""
    flags = {"model": "a/b", "model_args": ("x=1",), "headers": (), "port": 3}
    assert build_model(flags) == ModelSpec("a", "b", {"x": 1})
    with pytest.raises(UsageError, match="--model is missing"):
        build_model({"model": None})


RUN = "run: nightly\ntasks: mine.yaml\nmodel: a/b\nmodel_args: {x: 1, y: 2}\nseed: 3\n"


def test_run_file_beneath_the_flags(tmp_path):
    """A run file among the tasks gives what no flag says; its task files are beside it."""
    path = tmp_path / "run.yaml"
    path.write_text(RUN)
    spec, _ = build({"tasks": (str(path),), "model_args": ("y=3",), "seed": 4})
    assert spec.tasks == (str(tmp_path / "mine.yaml"),)
    assert spec.model.arguments == {"x": 1, "y": 3}
    assert spec.seed == 4
    assert build({"tasks": (str(path), "other")})[0].tasks == ("other",)
    with pytest.raises(UsageError, match="one run file at a time"):
        build({"tasks": (str(path), str(path))})
    path.write_text("run: x\nmodel: a/b\n")
    assert "tasks" not in load_run_file(path)


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("tasks: [a]\nrun: x\n", 1, None, "allowed: run: NAME; got: tasks:"),
        ("run: x\nmodle: a/b\n", 2, "modle", "did you mean 'model'?"),
        ("run: x\nlimit: many\n", 2, "limit", "allowed: int | null; got: text 'many'"),
        ("run: x\ntasks: [a, 3]\n", 2, "tasks", "allowed: str"),
        ("run: x\nexecutor: spark\n", 2, "executor", "not one of those known"),
        ("run: x\nseed: 1\nseed: 2\n", 3, "seed", "given twice"),
    ],
)
def test_bad_run_file_is_one_error(tmp_path, text, line, key, message):
    """A wrong run file names itself, the line and the key."""
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_run_file(path)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.key) == (line, key)


def test_schema_lists_the_keys():
    """The JSON Schema names the keys of a run file."""
    assert {"run", "tasks", "model", "data_seed"} <= set(
        run_schema()["$defs"]["Settings"]["properties"]
    )
