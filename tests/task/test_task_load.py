"""Loading task files: each thing that can be wrong is one error with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InvalidFile
from harness.records import Generation
from harness.task.load import _plain_types, generation, load_task
from harness.task.spec import Named, Origin, Shots, TaskSpec, named

HEAD = "task: t\ndata: {file: rows.jsonl}\nprompt: '{{ q }}'\n"


def write(folder: Path, text: str, name: str = "t.yaml") -> Path:
    """Write a task file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_key_of_the_design_is_read(tmp_path):
    """A task with all keys loads, each with its type."""
    task = load_task(
        write(
            tmp_path,
            """task: family/name
version: 2
title: T
about: A
language: zh
tags: [core]
data: {hub: a/b, config: main, split: test, revision: abc}
system: be brief
messages: [{role: user, content: '{{ q }}'}]
choices: [x, 2, {text: '{{ a }}', context: '{{ b }}'}]
target: [x, 2]
cluster: '{{ c }}'
method: choose
generation: {max_tokens: 3, stop: '\\n'}
shots: {count: 2, from: train, seed: 3}
interaction: {name: tool_loop, args: {turns: 2}}
arms:
  direct: {}
  bare:
  other: {system: null, prompt: '{{ z }}', shots: {count: 1}, extract: [number]}
extract: [number, {name: regex, args: {pattern: x}}]
metrics: [accuracy]
judge: {name: j, rubric: r}
chance: 1/choices
oracle: '{{ o }}'
wrong: 3
slices: [a, [a, b]]
perturb: [typo]
source: s
licence: MIT
""",
        )
    )
    assert isinstance(task, TaskSpec)
    assert task.shots == Shots(count=2, source="train", seed=3)
    assert task.extract == ("number", Named(name="regex", args={"pattern": "x"}))
    assert task.arm_names == ("direct", "bare", "other")
    assert task.interaction_name == "tool_loop"
    assert task.origin.place("shots.from")["line"] == 15
    assert named("x") == Named(name="x")


def test_defaults_suit_the_method(tmp_path):
    """Without `interaction:`, rank uses choices, perplexity rolling, the rest single."""
    rank = "method: rank\nchoices: '{{ c }}'\n"
    assert load_task(write(tmp_path, HEAD)).interaction_name == "single"
    assert load_task(write(tmp_path, HEAD + rank)).interaction_name == "choices"
    text = "task: t\ndata: {generator: g}\nmethod: perplexity\ntarget: '{{ q }}'\n"
    task = load_task(write(tmp_path, text))
    assert task.interaction_name == "rolling"
    assert task.arm_names == ("default",)


BAD = [
    ("data: {file: x}\ntask: t\n", 1, None, "allowed: task: NAME; got: data:"),
    ("judge: j\n", 1, None, "got: judge:"),
    (HEAD + "promt: x\n", 4, "promt", "unknown key (did you mean 'prompt'?)"),
    (HEAD + "shots: {cout: 1}\n", 4, "shots.cout", "did you mean 'count'?"),
    (HEAD + "shots: {count: many}\n", 4, "shots.count", "allowed: integer; got: text 'many'"),
    (HEAD + "shots: {count: -1}\n", 4, "shots.count", "allowed: 0 or more; got: -1"),
    (HEAD + "shots: {count: 1.5}\n", 4, "shots.count", "allowed: integer; got: number 1.5"),
    (HEAD + "version: '1'\n", 4, "version", "allowed: integer; got: text '1'"),
    (HEAD + "data_x: 1\n", 4, "data_x", "unknown key"),
    (HEAD + "tags: core\n", 4, "tags", "allowed: list; got: text 'core'"),
    (HEAD + "tags: [a, 3]\n", 4, "tags[1]", "allowed: text; got: integer 3"),
    (HEAD + "method: chose\n", 4, "method", "did you mean 'choose'?"),
    (HEAD + "slices: [[a, 1]]\n", 4, "slices[0][1]", "allowed: text; got: integer 1"),
    (HEAD + "choices: [{txt: a}]\n", 4, "choices[0].txt", "did you mean 'text'?"),
    (HEAD + "choices: [{context: a}]\n", 4, "choices[0].text", "is missing"),
    (
        HEAD + "generation: {max_token: 3}\n",
        4,
        "generation.max_token",
        "did you mean 'max_tokens'?",
    ),
    (HEAD + "generation: {temperature: hot}\n", 4, "generation.temperature", "allowed: number"),
    (HEAD + "arms:\n  a: {sistem: x}\n", 5, "arms.a.sistem", "did you mean 'system'?"),
    (HEAD + "arms:\n  a: {shots: {count: x}}\n", 5, "arms.a.shots.count", "allowed: integer"),
    (HEAD + "arms:\n  a: {generation: {stp: x}}\n", 5, "arms.a.generation.stp", "'stop'?"),
    (HEAD + "arms:\n  a: 3\n", 5, "arms.a", "allowed: mapping; got: integer 3"),
    (HEAD + "arms:\n  a: {prompt: x, messages: y}\n", 5, "arms.a", "not both"),
    (HEAD + "arms: [a]\n", 4, "arms", "allowed: mapping; got: a list of 1"),
    (HEAD + "messages: [{role: user, content: x}]\n", 4, "messages", "not both"),
    (HEAD + "chance: [1]\n", 4, "chance", "number, text or nothing"),
    (HEAD + "method: choose\n", 4, "choices", "method choose needs choices"),
    (HEAD + "method: rank\n", 4, "choices", "method rank needs choices"),
    (HEAD + "method: perplexity\n", 4, "target", "needs a target"),
    (HEAD + "include: 3\n", 4, "include", "a path or a list of paths"),
    (HEAD + "include: [3]\n", 4, "include", "a path or a list of paths"),
    (HEAD + "include: none.yaml\n", 4, "include", "not there; got: none.yaml"),
    (HEAD + "include: ../x.yaml\n", 4, "include", "outside the folder"),
    ("task: t\nprompt: x\n", None, "data", "is missing"),
    ("task: t\ndata: {file: x}\n", 1, "prompt", "allowed: prompt or messages"),
    ("task: t\ndata: {}\nprompt: x\n", 2, "data", "one of generator, file, hub; got: none"),
    ("task: t\ndata: {file: x, hub: y}\nprompt: x\n", 2, "data", "got: file, hub"),
    ("task: t\ndata: {file: x, split: y}\nprompt: x\n", 2, "data.split", "does not go with file"),
    ("task: t\ndata: {file: x, args: {a: [1]}}\nprompt: x\n", 2, "data.args", "does not go"),
    ("task: t\ndata: rows.jsonl\nprompt: x\n", 2, "data", "allowed: mapping; got: text"),
    ("task: t\ndata: {file: 3}\nprompt: x\n", 2, "data.file", "text or nothing; got: integer 3"),
    ("task: 3\ndata: {file: x}\nprompt: x\n", 1, "task", "allowed: text; got: integer 3"),
    ("task: ../x\ndata: {file: x}\nprompt: x\n", 1, "task", "not a task's name"),
]


@pytest.mark.parametrize(("text", "line", "key", "message"), BAD)
def test_bad_task_is_one_error(tmp_path, text, line, key, message):
    """A wrong file names itself, the line, the key, what is allowed and what came."""
    path = write(tmp_path, text)
    with pytest.raises(InvalidFile) as caught:
        load_task(path)
    error = caught.value
    assert message in str(error)
    assert str(error.path) == str(path)
    assert (error.line, error.key) == (line, key)


def test_name_equals_path_under_a_root(tmp_path):
    """Under a folder of tasks the name is the path; elsewhere any name is fine."""
    path = write(tmp_path, HEAD, "family/t.yaml")
    assert load_task(path).task == "t"
    with pytest.raises(InvalidFile, match="allowed: family/t; got: t"):
        load_task(path, tmp_path)


def test_include_is_beneath_the_files_own_keys(tmp_path):
    """Included keys stand in, own keys win whole, the last include wins, places stay true."""
    write(tmp_path, "shots: {count: 3}\ntitle: one\nprompt: a\n", "sub/one.yaml")
    write(tmp_path, "title: two\nsystem: '{{ z'\n", "two.yaml")
    own = "task: t\ninclude: [sub/one.yaml, two.yaml]\ndata: {file: x}\nshots: {seed: 1}\n"
    task = load_task(write(tmp_path, own))
    assert (task.title, task.prompt, task.shots) == ("two", "a", Shots(seed=1))
    assert Path(task.origin.place("title")["path"]).name == "two.yaml"
    assert task.origin.place("shots.count") == {
        "path": str(tmp_path / "t.yaml"), "line": 4, "key": "shots.count",
    }  # fmt: skip


def test_included_file_is_blamed_for_its_own_faults(tmp_path):
    """An error in an included key names the included file."""
    write(tmp_path, "\nversion: x\n", "one.yaml")
    with pytest.raises(InvalidFile) as caught:
        load_task(write(tmp_path, HEAD + "include: one.yaml\n"))
    assert Path(str(caught.value.path)).name == "one.yaml"
    assert caught.value.line == 2


def test_circular_include_shows_the_chain(tmp_path):
    """A file that includes itself by way of another is an error that shows the way."""
    write(tmp_path, "include: b.yaml\n", "a.yaml")
    write(tmp_path, "include: a.yaml\n", "b.yaml")
    with pytest.raises(InvalidFile, match=r"includes itself; got: a.yaml -> b.yaml -> a.yaml"):
        load_task(write(tmp_path, HEAD + "include: a.yaml\n"))


def test_includes_are_bounded_in_depth(tmp_path):
    """A long chain of includes is refused."""
    for i in range(60):
        write(tmp_path, f"include: f{i + 1}.yaml\n", f"f{i}.yaml")
    with pytest.raises(InvalidFile, match="too deep"):
        load_task(write(tmp_path, HEAD + "include: f0.yaml\n"))


def test_include_stays_inside_through_links(tmp_path):
    """A link that leads out of the folder is no way round."""
    outside = write(tmp_path, "title: x\n", "out.yaml")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(outside)
    with pytest.raises(InvalidFile, match="outside"):
        load_task(write(folder, HEAD + "include: link.yaml\n"))


def test_generation_takes_one_stop_without_a_list():
    """A single stop sequence may stand alone."""
    assert generation({"stop": "x"}, Origin(), "generation") == Generation(stop=("x",))


def test_types_are_said_in_words():
    """Names of types are those of a YAML file."""
    assert _plain_types("array | object") == "list or mapping"


def test_origin_without_places_is_silent():
    """A task made in code has no place to name."""
    assert Origin().place("x.y") == {"path": None, "line": None, "key": "x.y"}
    assert Origin().folder_of("data.file") == ""
