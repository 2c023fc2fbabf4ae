"""What every perturbation keeps to, built-in or from a plug-in."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import itertools
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness import plugins, protocols
from harness.identity import CounterRandom
from harness.perturb import BUILTIN
from harness.perturb.edit import base_language, restored
from harness.records import Choice, Message, Sample, Shot

ROOT = Path(__file__).parents[2]
PLUGINS = {entry.name: entry.value for entry in entry_points(group="harness.perturbation")}
ALL = {**PLUGINS, **BUILTIN}
NEEDS_OPENCC = {"traditional", "simplified"}
SOME_UNCHANGED = (
    "task", "sample_id", "method", "language", "system", "generation",
    "arm", "epoch", "cluster", "slices", "fields",
)  # fmt: skip


def make(name: str) -> Any:
    """Load a perturbation by its string and make it with its preset."""
    if name in NEEDS_OPENCC:
        pytest.importorskip("opencc")
    module, _, attribute = ALL[name].partition(":")
    return getattr(importlib.import_module(module), attribute)()


@pytest.fixture(params=sorted(ALL))
def perturb(request: pytest.FixtureRequest) -> Any:
    """Every perturbation in turn."""
    return make(request.param)


def rng(sample: Sample, name: str, seed: int = 0) -> CounterRandom:
    """The stream that a sample's variant is drawn from."""
    return CounterRandom(seed, sample.sample_id, name)


EN = Sample(
    task="contract/en",
    sample_id="0123456789abcdef",
    input=(
        "Passage: The doctor said that she saw him and his colour chart, and it's because Alice,"
        " of course, is not going to receive 1,250 letters.\n"
        "Question: How many letters does Alice receive in 3 years, if they arrive every week?\n"
        "A. 12 letters\nB. forty letters\nC. the answer is Definitely 7\nAnswer:"
    ),
    target=("forty letters",),
    choices=(
        Choice("12 letters"),
        Choice("forty letters"),
        Choice("the answer is Definitely 7"),
    ),
    gold=1,
    method="choose",
    shots=(Shot("1 + 1?", "2"), Shot("2 + 2?", "4"), Shot("3 + 3?", "6")),
    cluster="c1",
    slices={"digits": "4"},
    system="Be brief.",
    fields={"a": 1250},
)
START = EN.input.index("1,250")
EN = replace(EN, protected=((START, START + 5), (0, 8)))

ZH = Sample(
    task="contract/zh",
    sample_id="fedcba9876543210",
    input="请看题。\n问题：小明买了12个苹果，他说這價錢很便宜，他每天吃２个iPhone大小的，几天吃完？\n答案：",
    target=("6", "6天"),
    language="zh",
    cluster="c2",
    slices={"level": "1"},
)
AT = ZH.input.index("12个苹果")
ZH = replace(ZH, protected=((AT, AT + 4),))

PARTIAL = Sample(
    task="contract/partial",
    sample_id="00ff00ff00ff00ff",
    input="The large box does not fit in the old bag because it is too wide.",
    choices=(
        Choice(" is too wide.", "The large box does not fit in the old bag because the box"),
        Choice(" is too wide.", "The large box does not fit in the old bag because the bag"),
    ),
    gold=0,
    target=(" is too wide.",),
    method="rank",
)

CHAT = replace(
    EN,
    messages=(Message("user", "Hi."), Message("assistant", "Hello."), Message("user", EN.input)),
)
FIXED = (
    EN,
    ZH,
    PARTIAL,
    CHAT,
    replace(EN, input="", protected=()),
    replace(ZH, input="", protected=()),
)


def check(before: Sample, after: Sample, name: str) -> None:
    """Assert all that must hold of a variant."""
    assert after.variant == name
    assert restored(after.input, after.spans) == before.input
    for a, b in itertools.pairwise(after.spans):
        assert a.end <= b.start
    assert len(before.protected) == len(after.protected)
    for (s, e), (t, f) in zip(before.protected, after.protected, strict=True):
        assert before.input[s:e] == after.input[t:f]
    assert len(after.choices) == len(before.choices)
    if before.gold is not None:
        assert after.gold is not None
        assert after.choices[after.gold].text == before.choices[before.gold].text
    assert after.target == before.target
    assert sorted(c.text for c in after.choices) == sorted(c.text for c in before.choices)
    assert sorted(map(str, after.shots)) == sorted(map(str, before.shots))
    for field in SOME_UNCHANGED:
        assert getattr(after, field) == getattr(before, field)
    if before.messages:
        assert after.messages[:-1] == before.messages[:-1]
        assert after.messages[-1].content == after.input
    if after.input == before.input:
        assert after.spans == ()


@pytest.mark.parametrize(
    "sample", FIXED, ids=lambda s: f"{s.task}-{len(s.input)}-{len(s.messages)}"
)
def test_contract_on_samples(perturb: Any, sample: Sample) -> None:
    """A variant keeps answer, identity, protected text; and its spans lead back."""
    for seed in range(5):
        check(sample, perturb(sample, rng(sample, perturb.name, seed)), perturb.name)


@pytest.mark.parametrize("sample", [EN, ZH, PARTIAL], ids=lambda s: s.task)
def test_pure(perturb: Any, sample: Sample) -> None:
    """The same stream gives the same variant, and the sample that came in is not changed."""
    kept = msgspec.json.encode(sample)
    first = perturb(sample, rng(sample, perturb.name))
    again = make(perturb.name)(sample, rng(sample, perturb.name))
    assert first == again
    assert msgspec.json.encode(sample) == kept


def test_declares_itself(perturb: Any) -> None:
    """Name, version, what it changes, group and languages are declared, in the allowed words."""
    hints = get_type_hints(protocols.Perturbation)
    assert ALL[perturb.name]
    assert perturb.version >= 1
    assert perturb.changes in get_args(hints["changes"])
    assert perturb.group in get_args(hints["group"])
    assert isinstance(perturb.languages, frozenset)
    assert all(re.fullmatch("[a-z]{2,3}", language) for language in perturb.languages)


def test_is_frozen(perturb: Any) -> None:
    """An instance cannot gain state by being used."""
    assert dataclasses.is_dataclass(perturb)
    for field in dataclasses.fields(perturb):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(perturb, field.name, None)


@pytest.mark.parametrize("sample", [EN, ZH, PARTIAL], ids=lambda s: s.task)
def test_changes_only_what_it_says(perturb: Any, sample: Sample) -> None:
    """What is not named in `changes` comes back as it was."""
    after = perturb(sample, rng(sample, perturb.name))
    if perturb.changes == "shots":
        assert after.input == sample.input
    if perturb.changes != "shots":
        assert after.shots == sample.shots
    if perturb.changes != "choices":
        assert [c.text for c in after.choices] == [c.text for c in sample.choices]
        assert after.gold == sample.gold


@pytest.mark.parametrize("language", ["en-GB", "zh-Hant", "fr", ""])
def test_languages_respected(perturb: Any, language: str) -> None:
    """A sample of a language that the perturbation is not made for comes back as it was."""
    for sample in (replace(EN, language=language), replace(ZH, language=language)):
        after = perturb(sample, rng(sample, perturb.name))
        check(sample, after, perturb.name)
        if perturb.languages and base_language(language) not in perturb.languages:
            assert replace(after, variant=sample.variant) == sample


def test_does_something(perturb: Any) -> None:
    """The preset changes at least one of the samples made for it."""
    extra = replace(ZH, input=ZH.input.replace("小明", "王芳"), protected=())
    plain = Sample(
        "t", "1", "They said that she met him, and his colour chart is not going to win."
    )
    samples = (EN, ZH, extra, plain)
    variants = [(s, perturb(s, rng(s, perturb.name, seed))) for s in samples for seed in range(9)]
    assert any(replace(after, variant="original", spans=()) != s for s, after in variants)


def test_all_protected_stays(perturb: Any) -> None:
    """Where the whole input is protected, only its outside may gain text."""
    for sample in (EN, ZH):
        whole = replace(sample, protected=((0, len(sample.input)),))
        after = perturb(whole, rng(whole, perturb.name))
        start, end = after.protected[0]
        assert after.input[start:end] == sample.input


TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            [*"。，?.,!\n12 AaéßİΣ他她其小明一不ｘ", "don't", "she ", "her ", "his ", "Alice ",
             "colour ", "A. ", "B. ", "because ", "is not ", "\u200d", "👩\u200d🔬", "e\u0301"]
        ),
        max_size=30,
    ).map("".join),
)  # fmt: skip


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Arbitrary samples: any text, any stretches, any options."""
    text = draw(TEXTS)
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=6))
    cuts = sorted(cuts[: len(cuts) // 2 * 2])
    protected = tuple(zip(cuts[::2], cuts[1::2], strict=True))
    options = draw(st.lists(TEXTS, max_size=4))
    contexts = draw(st.booleans())
    choices = tuple(Choice(t, text[: len(text) // 2] + t if contexts else None) for t in options)
    gold = draw(st.integers(0, len(options) - 1)) if options else None
    target = (options[gold],) if gold is not None else tuple(draw(st.lists(TEXTS, max_size=2)))
    if not contexts and options and draw(st.booleans()):
        text += "\n" + "\n".join(f"{chr(65 + i)}. {t}" for i, t in enumerate(options))
    return Sample(
        task="t",
        sample_id=draw(st.text("abc", max_size=3)),
        input=text,
        protected=protected,
        choices=choices,
        gold=gold,
        target=target,
        language=draw(st.sampled_from(["en", "zh", "de"])),
        method=draw(st.sampled_from(["generate", "choose", "rank"])),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sample=samples())
def test_contract_on_anything(perturb: Any, sample: Sample) -> None:
    """No text makes a perturbation raise or break the contract."""
    after = perturb(sample, rng(sample, perturb.name))
    check(sample, after, perturb.name)
    for choice, was in zip(after.choices, sample.choices, strict=True):
        assert (choice.context is None) == (was.context is None)


def test_registered_with_the_plugins() -> None:
    """The list of extension points names the same built-in perturbations."""
    assert plugins.BUILTIN["perturbation"] == BUILTIN


def test_names_match() -> None:
    """Each built-in answers to the name it is registered under."""
    for name in BUILTIN.keys() - NEEDS_OPENCC:
        assert make(name).name == name


def test_import_is_light() -> None:
    """Importing the package loads neither its own modules nor a heavy library."""
    code = (
        "import sys, harness.perturb;"
        "print([m for m in sys.modules if m.startswith(('harness.perturb.', 'numpy', 'opencc'))])"
    )
    shown = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert shown.strip() == "[]"


@pytest.mark.parametrize("name", sorted(NEEDS_OPENCC))
def test_missing_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenCC the error says which extra to install."""
    from harness.errors import UsageError
    from harness.perturb.chinese import converter

    converter.cache_clear()
    monkeypatch.setitem(sys.modules, "opencc", None)
    module, _, attribute = BUILTIN[name].partition(":")
    perturbation = getattr(importlib.import_module(module), attribute)()
    with pytest.raises(UsageError, match=r"harness\[zh\]"):
        perturbation(ZH, rng(ZH, name))
