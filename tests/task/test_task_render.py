"""Rendering: rows to samples, examples, arms, hashes."""

from __future__ import annotations

import pytest

from harness.errors import InvalidFile, UnknownName, UsageError
from harness.identity import unique_ids
from harness.records import Choice, Generation, Message, Shot
from harness.task.effective import RenderOverrides, effective, hashes
from harness.task.load import load_task
from harness.task.render import Renderer
from harness.task.rows import Pool, RowSet


def task_of(folder, text):
    """Load a task from text."""
    path = folder / "t.yaml"
    path.write_text("task: t\ndata: {file: x.jsonl}\n" + text)
    return load_task(path)


def rowset(rows, **pools):
    """Make a row set."""
    made = {name: Pool(r, list(unique_ids(r))) for name, r in pools.items()}
    return RowSet(rows, list(unique_ids(rows)), "h", made)


ROWS = [
    {"q": f"q{i}", "a": i, "b": 10 * i, "group": f"g{i // 2}", "opts": ["no", "yes", f"x{i}"]}
    for i in range(8)
]


def first(folder, text, rows=ROWS, **more):
    """Render the first row."""
    return Renderer(task_of(folder, text), rowset(rows), **more).sample(0)


def test_all_parts_of_a_sample(tmp_path):
    """Every key of a task reaches its field of the sample."""
    sample = first(
        tmp_path,
        "prompt: '{{ q }}: {{ b }}?'\ntarget: '{{ a + 1 }}'\nsystem: 'be {{ q }}'\n"
        "cluster: '{{ group }}'\nlanguage: zh\noracle: 'o{{ a }}'\nwrong: 7\n"
        "slices: [a, [a, group]]\ngeneration: {max_tokens: 5, stop: [x]}\n",
        overrides=RenderOverrides(generation={"temperature": 0.5}),
    )
    assert (sample.task, sample.input, sample.target) == ("t", "q0: 0?", ("1",))
    assert (sample.system, sample.cluster, sample.language) == ("be q0", "g0", "zh")
    assert (sample.oracle, sample.wrong) == ("o0", "7")
    assert sample.slices == {"a": "0", "group": "g0"}
    assert sample.generation == Generation(max_tokens=5, temperature=0.5, stop=("x",))
    assert (sample.arm, sample.variant, sample.epoch) == ("default", "original", 0)
    assert sample.fields is ROWS[0]


def test_cluster_defaults_to_the_sample(tmp_path):
    """Without `cluster:` each sample stands alone."""
    renderer = Renderer(task_of(tmp_path, "prompt: x\n"), rowset(ROWS))
    assert renderer.cluster(0) == renderer.sample(0).sample_id
    assert renderer.sample(0).target == ()
    assert len(renderer) == 8


TARGETS = [
    ("target: '{{ opts }}'", ("no", "yes", "x0"), None),
    ("target: ['{{ a }}', zero, 0.5, true]", ("0", "zero", "0.5", "true"), None),
    ("choices: '{{ opts }}'\ntarget: '{{ a + 1 }}'", ("yes",), 1),
    ("choices: '{{ opts }}'\ntarget: 2", ("x0",), 2),
    ("choices: '{{ opts }}'\ntarget: 'yes'", ("yes",), 1),
    ("choices: '{{ opts }}'\ntarget: ['yes', '{{ opts[0] }}']", ("yes", "no"), 1),
    ("choices: ['{{ q }}', 'b']\ntarget: 'q{{ a }}'", ("q0",), 0),
    ("choices: [{text: '{{ q }}', context: 'c{{ a }}'}, b]\ntarget: b", ("b",), 1),
    ("choices: '{{ [7, 8, 9] }}'\ntarget: '{{ 8 }}'", ("8",), 1),
    ('choices: [no, yes]\ntarget: \'{{ "yes" if a == 0 else "no" }}\'', ("yes",), 1),
]


@pytest.mark.parametrize(("text", "target", "gold"), TARGETS)
def test_targets(tmp_path, text, target, gold):
    """With choices a whole number is an index and text is a choice; else all are answers."""
    sample = first(tmp_path, f"prompt: x\n{text}\n")
    assert (sample.target, sample.gold) == (target, gold)


def test_choices_with_contexts(tmp_path):
    """Options may have contexts, from a list of templates or from one that gives mappings."""
    listed = first(tmp_path, "prompt: x\nchoices: [{text: 1, context: 'c{{ a }}'}, b]\n")
    given = first(tmp_path, "prompt: x\nchoices: \"{{ [{'text': 1, 'context': 'c0'}, 'b'] }}\"\n")
    assert listed.choices == given.choices == (Choice("1", "c0"), Choice("b"))


def test_messages(tmp_path):
    """Turns come from a list or from one template; the input is the user's last turn."""
    turns = (Message("system", "s0"), Message("user", "q0"), Message("assistant", "a"))
    text = "messages: [{role: system, content: 's{{ a }}'}, {role: user, content: '{{ q }}'}, "
    listed = first(tmp_path, text + "{role: assistant, content: a}]\n")
    assert (listed.messages, listed.input) == (turns, "q0")
    rows = [{"chat": [{"role": "user", "content": "hi"}]}]
    given = first(tmp_path, "messages: '{{ chat }}'\n", rows)
    assert (given.messages, given.input) == ((Message("user", "hi"),), "hi")


BAD = [
    ("prompt: '{{ z }}'", 3, "prompt", "row 1: 'z' is undefined"),
    ("prompt: |\n  a\n  {{ z", 5, "prompt", "template:"),
    ("prompt: x\ntarget: '{{ a.b }}'", 4, "target", "row 1:"),
    ("prompt: x\ntarget: '{{ [] }}'", 4, "target", "row 1: no accepted answer"),
    ("prompt: x\ntarget: '{{ [[1]] }}'", 4, "target", "text or a number; got: a list of 1"),
    ("prompt: x\nchoices: [a, b]\ntarget: c", 5, "target", "none of the choices"),
    ("prompt: x\nchoices: [a, b]\ntarget: 2", 5, "target", "index from 0 to 1"),
    ("prompt: x\nchoices: [a, b]\ntarget: '1'", 5, "target", "use |int"),
    ("prompt: x\nchoices: [a, a]\ntarget: a", 5, "target", "equals two choices"),
    ("prompt: x\nchoices: [1, 0]\ntarget: 1", 5, "target", "could be an index"),
    ("prompt: x\nchoices: '{{ q }}'", 4, "choices", "allowed: a list"),
    ("prompt: x\nchoices: '{{ [[1]] }}'", 4, "choices", "got: a list of 1"),
    ("prompt: x\nchoices: \"{{ [{'text': 1, 'context': 2}] }}\"", 4, "choices", "{text, context}"),
    ("messages: '{{ q }}'", 3, "messages", "a list of {role, content}"),
    ("messages: '{{ opts }}'", 3, "messages", "turns of {role, content}"),
    ("messages: \"{{ [{'role': 'me', 'content': 'x'}] }}\"", 3, "messages", "a role of system"),
    ("messages: [{role: system, content: x}]", 3, "messages", "no turn of the user"),
    ("prompt: x\nslices: [q, [gruop, a]]", 4, "slices[1]", "did you mean 'group'?"),
    ("prompt: x\nsystem: '{{'", 4, "system", "template:"),
    ("prompt: x\narms:\n  default: {prompt: '{{ z }}'}", 5, "prompt", "row 1: 'z' is undefined"),
    ("prompt: x\nshots: {count: 1}", 4, "shots", "examples need a target"),
]


@pytest.mark.parametrize(("text", "line", "key", "message"), BAD)
def test_bad_rendering_is_one_error(tmp_path, text, line, key, message):
    """What cannot be rendered names file, line, key and row."""
    with pytest.raises(InvalidFile) as caught:
        first(tmp_path, text + "\n")
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.key) == (line, key)
    assert str(caught.value.path).endswith("t.yaml")


SHOTS = "prompt: '{{ q }}'\ntarget: '{{ a }}'\ncluster: '{{ group }}'\nshots: {count: 3, seed: 1}\n"


def test_shots_leave_out_the_item_and_its_cluster(tmp_path):
    """Examples are drawn per item, never itself nor its cluster, the same every time."""
    task = task_of(tmp_path, SHOTS)
    renderer = Renderer(task, rowset(ROWS))
    samples = [renderer.sample(i) for i in range(8)]
    for i, sample in enumerate(samples):
        own = {f"q{i - i % 2}", f"q{i - i % 2 + 1}"}
        asked = [shot.input for shot in sample.shots]
        assert len(set(asked)) == 3
        assert not own & set(asked)
        assert all(shot.target == shot.input[1:] for shot in sample.shots)
    assert len({sample.shots for sample in samples}) > 1
    again = Renderer(task, rowset(ROWS))
    assert [again.sample(i) for i in reversed(range(8))] == samples[::-1]


def test_fewer_shots_are_a_prefix(tmp_path):
    """Two shots are the first two of three, so that arms of different counts nest."""
    task = task_of(tmp_path, SHOTS)
    three = Renderer(task, rowset(ROWS)).sample(0).shots
    two = Renderer(task, rowset(ROWS), overrides=RenderOverrides(shots=2)).sample(0).shots
    assert two == three[:2]


def test_exact_duplicates_are_no_examples(tmp_path):
    """A row equal to the item would give its answer away."""
    rows = [{"q": "same", "a": 1}] * 5 + [{"q": "other", "a": 2}]
    text = "prompt: '{{ q }}'\ntarget: '{{ a }}'\nshots: {count: 1}\n"
    assert first(tmp_path, text, rows).shots == (Shot("other", "2"),)
    with pytest.raises(UsageError, match="2 examples asked for, but only 1"):
        first(tmp_path, text, rows, overrides=RenderOverrides(shots=2))


def test_shots_from_another_pool(tmp_path):
    """`from` draws from other rows; a choice's own context takes the prompt's place."""
    text = (
        "prompt: '{{ q }}'\nchoices: [{text: x, context: 'c {{ q }}'}, y]\ntarget: '{{ a }}'\n"
        "shots: {count: 2, from: p.jsonl}\n"
    )
    pool = [{"q": "p0", "a": 0}, {"q": "p1", "a": 1}]
    rows = [{"q": "q", "a": 0}]
    renderer = Renderer(task_of(tmp_path, text), rowset(rows, **{"p.jsonl": pool}))
    assert set(renderer.sample(0).shots) == {Shot("c p0", "x"), Shot("p1", "y")}


ARMS = """prompt: p {{ q }}
system: s
generation: {max_tokens: 5, temperature: 1}
shots: {count: 2, seed: 4}
target: '{{ a }}'
extract: [number]
arms:
  plain: {}
  bare: {system: null, generation: {temperature: 0}, shots: {count: 0}}
  chat: {messages: [{role: user, content: 'c {{ q }}'}], interaction: other, extract: [text]}
  other: {prompt: 'o {{ q }}'}
"""


def test_arms_change_what_they_name(tmp_path):
    """An arm replaces what it names, keeps the rest, and keeps the sample's id."""
    task = task_of(tmp_path, ARMS)
    made = {arm: Renderer(task, rowset(ROWS), arm).sample(0) for arm in task.arm_names}
    assert len({sample.sample_id for sample in made.values()}) == 1
    assert made["plain"].input == "p q0"
    assert made["bare"].system is None
    assert made["bare"].generation == Generation(max_tokens=5, temperature=0)
    assert (len(made["plain"].shots), len(made["bare"].shots)) == (2, 0)
    assert (made["chat"].input, made["chat"].arm) == ("c q0", "chat")
    assert made["other"].input == "o q0"
    assert effective(task, "chat").interaction_name == "other"
    assert effective(task, "chat").extract == ("text",)
    assert effective(task) is task
    with pytest.raises(UnknownName, match="did you mean 'plain'"):
        effective(task, "plan")


def test_overrides_outweigh_the_arm(tmp_path):
    """The command line has the last word."""
    over = RenderOverrides(shots=1, system="{{ literal }}", generation={"max_tokens": 9})
    sample = Renderer(task_of(tmp_path, ARMS), rowset(ROWS), "bare", over).sample(0)
    assert (len(sample.shots), sample.system) == (1, "{{ literal }}")
    assert sample.generation == Generation(max_tokens=9, temperature=0)


def test_hashes_cover_what_can_change_a_score(tmp_path):
    """Titles and tags move no hash; prompts, arms, extractors and overrides do."""
    base = hashes(task_of(tmp_path, ARMS), "plain")
    assert set(base) == {"task", "prompt", "extractor"}
    assert hashes(task_of(tmp_path, ARMS + "title: x\ntags: [y]\nlicence: z\n"), "plain") == base
    bare = hashes(task_of(tmp_path, ARMS), "bare")
    assert bare["prompt"] != base["prompt"]
    assert bare["extractor"] == base["extractor"]
    text = hashes(task_of(tmp_path, ARMS.replace("[number]", "[text]")), "plain")
    assert text["extractor"] != base["extractor"]
    assert text["task"] != base["task"]
    assert text["prompt"] == base["prompt"]
    task = task_of(tmp_path, ARMS)
    assert hashes(task, "plain", RenderOverrides(system="s"))["prompt"] != base["prompt"]
    assert hashes(task, "plain", RenderOverrides(shots=1))["prompt"] != base["prompt"]


def test_perplexity_needs_no_prompt(tmp_path):
    """A text to be read is the target; the input is empty."""
    sample = first(tmp_path, "method: perplexity\ntarget: '{{ q }}'\n")
    assert (sample.input, sample.target) == ("", ("q0",))
