"""What a policy file may say."""

from __future__ import annotations

import pytest

from harness.errors import InvalidFile, UsageError
from harness.gate.policy import Policy, TaskRule, load_policy, parse_floor, policy_schema

FULL = """\
policy: release
alpha: 0.1
margin: 0.03
inconclusive: warn
variants: [original, typos]
tasks:
  "arithmetic/*": {margin: 0.05}
  arithmetic/addition: {metric: value_match}
  qa/zh: {skip: true}
floors:
  - accuracy >= 0.8
  - qa/* primary <= 0.5
limits: {errors: 0.01, unparsed: null, cost_usd: 2}
"""


def written(tmp_path, text):
    """Write a policy and return its path."""
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_full_policy_is_read(tmp_path):
    """Every key has its place; later task rules outweigh earlier ones key by key."""
    policy = load_policy(written(tmp_path, FULL))
    assert (policy.policy, policy.alpha, policy.inconclusive) == ("release", 0.1, "warn")
    assert policy.rule("arithmetic/addition") == TaskRule(margin=0.05, metric="value_match")
    assert policy.margin_of("arithmetic/addition") == 0.05
    assert policy.margin_of("qa/en") == 0.03
    assert policy.gates("qa/en")
    assert not policy.gates("qa/zh")
    assert policy.limits.cost_usd == 2
    assert policy.metrics_of("arithmetic/addition") == ("value_match",)
    assert policy.metrics_of("qa/en") == (None,)
    several = written(tmp_path, "policy: x\ntasks:\n  a: {metric: [f1, exact_match]}\n")
    assert load_policy(several).metrics_of("a") == ("f1", "exact_match")


def test_only_chosen_tasks_are_gated():
    """--task narrows a policy, and opens what it skipped."""
    policy = Policy(tasks={"qa/zh": TaskRule(skip=True)})
    narrow = policy.only(["qa/*"])
    assert [narrow.gates(task) for task in ("qa/zh", "qa/en", "winograd/en")] == [True, True, False]
    assert policy.only([]) is policy
    assert narrow.only(["qa/*", "winogrande"]).idle(["qa/en", "qa/zh"]) == ["winogrande"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("task: x\n", 1, "allowed: policy: NAME; got: task:"),
        ("{}\n", 1, "got: an empty file"),
        ("policy: x\nalfa: 0.1\n", 2, "alfa: unknown key (did you mean 'alpha'?)"),
        ("policy: x\nalpha: high\n", 2, "got: text 'high'"),
        ("policy: x\nalpha: 0.7\n", 2, "allowed: more than 0, less than 0.5; got: 0.7"),
        ("policy: x\nmargin: -1\n", 2, "margin: out of range; allowed: 0 or more; got: -1"),
        ("policy: x\ntasks:\n  a: {margin: -1}\n", 3, "tasks.a.margin: out of range"),
        ("policy: x\ntasks:\n  a: {margins: 1}\n", 3, "unknown key (did you mean 'margin'?)"),
        ("policy: x\nlimits:\n  error: 1\n", 3, "unknown key (did you mean 'errors'?)"),
        ("policy: x\nlimits:\n  errors: -1\n", 3, "limits.errors: out of range"),
        ("policy: x\nfloors:\n  - accuracy > 0.8\n", 3, "allowed: [TASK] METRIC >= NUMBER"),
        ("policy: x\ninconclusive: maybe\n", 2, "allowed: fail, warn; got: text 'maybe'"),
    ],
)
def test_a_wrong_policy_names_line_and_key(tmp_path, text, line, message):
    """What is wrong, where, and what is allowed."""
    with pytest.raises(InvalidFile) as caught:
        load_policy(written(tmp_path, text))
    assert message in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "task", "metric", "at_least", "limit"),
    [
        ("accuracy >= 0.8", "*", "accuracy", True, 0.8),
        ("arithmetic/* primary>=.5", "arithmetic/*", "primary", True, 0.5),
        ("qa/en ece <= 1e-1", "qa/en", "ece", False, 0.1),
    ],
)
def test_floors_are_read(text, task, metric, at_least, limit):
    """[TASK] METRIC >= NUMBER."""
    found = parse_floor(text)
    assert (found.task, found.metric, found.at_least, found.limit) == (
        task,
        metric,
        at_least,
        limit,
    )


@pytest.mark.parametrize("text", ["", "0.8", "accuracy = 0.8", "a b c >= 1", "x >= 1.2.3"])
def test_other_texts_are_no_floors(text):
    """A floor that cannot be read is an error, never ignored."""
    with pytest.raises(UsageError, match="floor"):
        parse_floor(text)


def test_the_schema_names_every_key():
    """Editors learn all keys from the JSON Schema."""
    schema = policy_schema()
    keys = schema["$defs"]["Policy"]["properties"]
    assert set(keys) == set(Policy.__struct_fields__)
    assert schema["$schema"].endswith("2020-12/schema")
