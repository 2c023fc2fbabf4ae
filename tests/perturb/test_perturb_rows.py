"""Perturbations on rows as the tasks hold them: the answer is still the answer."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.identity import CounterRandom
from harness.perturb import BUILTIN
from harness.perturb.edit import restored
from harness.records import Choice, Sample
from harness.text.normalise import fold_width

ROOT = Path(__file__).parents[2]
NEEDS_OPENCC = {"traditional", "simplified"}


@pytest.fixture(params=sorted(BUILTIN))
def perturb(request: pytest.FixtureRequest) -> Any:
    """Every built-in perturbation in turn."""
    if request.param in NEEDS_OPENCC:
        pytest.importorskip("opencc")
    module, _, attribute = BUILTIN[request.param].partition(":")
    return getattr(importlib.import_module(module), attribute)()


def rng(sample: Sample, name: str) -> CounterRandom:
    """The stream that a sample's variant is drawn from."""
    return CounterRandom(0, sample.sample_id, name)


def rows(path: str, count: int = 25) -> list[dict[str, Any]]:
    """The first rows of a committed task; skips where there is none."""
    file = ROOT / "tasks" / path
    if not file.exists():
        pytest.skip(f"no tasks/{path}")
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()[:count]]


def _question_samples(language: str) -> list[Sample]:
    return [
        Sample(
            task=f"qa/{language}",
            sample_id=row["id"],
            input=f"Passage: {row['statement']}\n\nQuestion: {row['question']}\nAnswer:",
            target=tuple(row["answers"]),
            language=language,
            wrong=row["wrong"],
        )
        for row in rows(f"qa/rows/{language}.jsonl")
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_answers_of_questions_stay(perturb: Any, language: str) -> None:
    """Where a passage gives the answer, each accepted answer in it can still be copied."""
    for sample in _question_samples(language):
        after = perturb(sample, rng(sample, perturb.name))
        assert restored(after.input, after.spans) == sample.input
        if perturb.name in NEEDS_OPENCC:
            continue
        for answer in sample.target:
            assert (answer in after.input) == (answer in sample.input)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_candidates_of_pronouns_stay(perturb: Any, language: str) -> None:
    """Pronoun questions keep both candidates, and no pronoun changes that would tell them apart."""
    for number, row in enumerate(rows(f"winograd/rows/{language}.jsonl")):
        sentence = row["prefix"] + row["pronoun"] + row["suffix"]
        sample = Sample(
            task="winograd",
            sample_id=str(number),
            input=f'"{sentence}" Who or what is "{row["pronoun"]}"?',
            choices=tuple(Choice(text) for text in row["candidates"]),
            gold=row["answer"],
            target=(row["candidates"][row["answer"]],),
            method="choose",
            language=language,
            cluster=row["pair"],
        )
        after = perturb(sample, rng(sample, perturb.name))
        assert restored(after.input, after.spans) == sample.input
        if perturb.name == "gender_pronouns":
            assert after.input == sample.input
        if perturb.name not in NEEDS_OPENCC:
            shown = [text.lower() for text in row["candidates"] if text in sample.input]
            assert all(text in after.input.lower() for text in shown)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_partial_scoring_stays_fair(perturb: Any, language: str) -> None:
    """Contexts of two candidates differ after a perturbation in the candidate alone, as before."""
    for number, row in enumerate(rows(f"winograd/rows/{language}.jsonl")):
        sample = Sample(
            task="winograd",
            sample_id=str(number),
            input=row["prefix"] + row["pronoun"] + row["suffix"],
            choices=tuple(Choice(row["suffix"], row["prefix"] + c) for c in row["candidates"]),
            gold=row["answer"],
            target=(row["suffix"],),
            method="rank",
            language=language,
        )
        after = perturb(sample, rng(sample, perturb.name))
        if perturb.name == "option_order":
            assert after.choices == sample.choices[::-1]
            continue
        for choice, candidate in zip(after.choices, row["candidates"], strict=True):
            assert choice.context is not None
            assert choice.context.endswith(candidate)
        heads = {
            choice.context.removesuffix(candidate)
            for choice, candidate in zip(after.choices, row["candidates"], strict=True)
            if choice.context is not None
        }
        assert len(heads) == 1


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What is {a} + {b}?"),
        ("en", "Tom has {a} books, and he buys {b} more. How many books does he have now?"),
        ("zh", "{a} + {b} 等于多少？"),
        ("zh", "小明有{a}本书，又买了{b}本，现在一共有几本书？"),
    ],
)
def test_operands_stay(perturb: Any, language: str, question: str) -> None:
    """The numbers and signs of a sum come out as they went in, even where nothing is protected."""
    for a, b in [(7, 85), (123456, 4), (90, 1002)]:
        text = question.format(a=a, b=b)
        sample = Sample("arithmetic", f"{a}+{b}", text, (str(a + b),), language=language)
        after = perturb(sample, rng(sample, perturb.name))
        folded = fold_width(after.input)
        assert re.findall(r"\d+", folded) == [str(a), str(b)]
        assert folded.count("+") == text.count("+")
