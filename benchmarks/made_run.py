"""Makes a run directory of any size by the project's own writers, without a model.

Three kinds of samples, as boards have them: sums of a few words, short questions in English and
Chinese, and word problems with some hundred words of worked answer. The words are made up of
syllables, so that their text compresses about as natural text does and is nobody's.
"""
# ruff: noqa: PLR2004 - shares of made samples, each said where it stands

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

from harness.plugins import load
from harness.records import (
    Exchange,
    Extraction,
    Failure,
    Message,
    Outcome,
    Request,
    Response,
    Sample,
    Score,
    Transcript,
)
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, write_json
from harness.store.table import SampleWriter
from harness.summary import Reading, summarise

METRICS = ("exact_match", "prompt_tokens", "completion_tokens", "latency_s")
SLICES = {
    "arithmetic/addition": (("digits",), ("carries",), ("digits", "carries")),
    "qa/en": (("domain",),),
    "qa/zh": (("domain",),),
    "reasoning/words": (("steps",),),
}
SHARES = {"arithmetic/addition": 4, "qa/en": 2, "qa/zh": 2, "reasoning/words": 2}
"""Of ten samples, how many are of each task."""
HAN = "山水天地人口日月星风云雨雪花草木鸟鱼马牛羊车船门窗书笔纸墨城市河湖海路桥春夏秋冬东西南北"


def make_run(path: Path, samples: int, *, model: str = "made/one", seed: int = 0) -> Path:
    """Write a finished run of about `samples` samples under `path` and return it."""
    path.mkdir(parents=True)
    writer = SampleWriter(path / SAMPLES, lambda _: 0.0)
    for outcome, score in outcomes(samples, random.Random(f"{model} {seed}")):
        writer.add(outcome, score)
    writer.close()
    metrics = tuple(load("metric", name) for name in METRICS)
    readings = [Reading(task, metrics, slices) for task, slices in SLICES.items()]
    write_json(path / SCORES, {"cells": summarise(read_columns(path / SAMPLES), readings)})
    provider, name = model.split("/", 1)
    spec = {"tasks": [*SLICES], "model": {"provider": provider, "name": name}}
    hashes = {task: {"version": 1, "data": "d" * 32, "arms": {}} for task in SLICES}
    write_json(path / SPEC, {"spec": spec, "tasks": hashes})
    facts = {"name": model, "parameters": 1_000_000, "licence": "MIT", "arguments_hash": "c" * 32}
    write_json(
        path / RUN,
        {
            "name": path.name,
            "status": "complete",
            "scored": samples,
            "tasks": hashes,
            "model": facts,
            "seeds": {"seed": seed},
            "usage": {"requests": samples, "prompt_tokens": 1, "completion_tokens": 1},
            "started_at": "2026-01-01T00:00:00+00:00",
            "wall_s": 60.0,
        },
    )
    return path


def outcomes(samples: int, luck: random.Random) -> Iterator[tuple[Outcome, Score]]:
    """Yield samples with their scores, task by task."""
    bank = _words(luck)
    makers = {
        "arithmetic/addition": lambda: _sum(luck),
        "qa/en": lambda: _question(luck, bank),
        "qa/zh": lambda: _chinese(luck),
        "reasoning/words": lambda: _problem(luck, bank),
    }
    for task, maker in makers.items():
        for number in range(samples * SHARES[task] // 10):
            prompt, target, said, wrong, slices = maker()
            key = hashlib.blake2b(f"{task} {number} {prompt}".encode(), digest_size=16).hexdigest()
            sample = Sample(
                task, key[:16], prompt, (target,), cluster=key[:16], slices=slices,
                fields={"number": number},
            )  # fmt: skip
            yield _answered(sample, said, wrong, key, luck)


def _answered(
    sample: Sample, said: str, answer: str, key: str, luck: random.Random
) -> tuple[Outcome, Score]:
    chance = luck.random()
    if chance < 0.005:
        failure = Failure("timeout", "no answer within 120 s", attempts=3)
        return Outcome(sample, (), failure=failure), Score("error")
    spent = 0.02 + luck.random() * len(said) / 400
    response = Response(
        text=said,
        prompt_tokens=len(sample.input) // 4 + 8,
        completion_tokens=len(said) // 4 + 1,
        latency_s=spent,
        served_model="made-1",
        request_key=key,
    )
    request = Request(messages=(Message("user", sample.input),))
    outcome = Outcome(sample, (Exchange(request, response),), Transcript((response,)))
    right = float(answer == sample.target[0])
    values = {
        "exact_match": right,
        "prompt_tokens": float(response.prompt_tokens or 0),
        "completion_tokens": float(response.completion_tokens or 0),
        "latency_s": spent,
    }
    if chance < 0.02:
        return outcome, Score("unparsed", values | {"exact_match": 0.0}, said)
    at = said.rindex(answer)
    found = Extraction(answer, "last number", at, at + len(answer), answer)
    why = None if right else ("off by one digit" if chance < 0.5 else "carry lost")
    return outcome, Score("ok", values, said, answer, found, explanation=why)


Made = tuple[str, str, str, str, dict[str, str]]
"""Prompt, target, what was said, the answer in it, slices."""


def _sum(luck: random.Random) -> Made:
    digits = luck.randint(1, 8)
    a, b = luck.randrange(10**digits), luck.randrange(10**digits)
    carries = luck.randint(0, digits)
    answer = str(a + b if luck.random() < 0.7 else a + b + luck.choice((1, 10, 100)))
    slices = {"digits": str(digits), "carries": str(carries)}
    prompt = f"What is {a} + {b}? Answer with the number alone."
    return prompt, str(a + b), f" {answer}", answer, slices


def _words(luck: random.Random) -> list[str]:
    """Return words, the common ones far more often than the rare ones (Zipf)."""
    syllables = [c + v for c in "bdfghklmnprstvwz" for v in "aeiou"]
    made = ["".join(luck.choices(syllables, k=luck.randint(1, 4))) for _ in range(4000)]
    return [word for rank, word in enumerate(made, 1) for _ in range(max(1, 4000 // rank))]


def _text(luck: random.Random, bank: list[str], words: int) -> str:
    return " ".join(luck.choices(bank, k=words)).capitalize() + "."


def _question(luck: random.Random, bank: list[str]) -> Made:
    target, other = luck.choice(bank), luck.choice(bank)
    answer = target if luck.random() < 0.6 else other
    slices = {"domain": luck.choice(("history", "science", "places", "people"))}
    prompt = f"Question: {_text(luck, bank, 16)[:-1]}?\nAnswer in a few words."
    return prompt, target, f"It is {answer}", answer, slices


def _chinese(luck: random.Random) -> Made:
    target, other = ("".join(luck.choices(HAN, k=2)) for _ in range(2))
    answer = target if luck.random() < 0.6 else other
    prompt = f"问题：{''.join(luck.choices(HAN, k=24))}是什么？请用几个字回答。"
    slices = {"domain": luck.choice(("历史", "科学", "地理", "人物"))}
    return prompt, target, f"答案是{answer}", answer, slices


def _problem(luck: random.Random, bank: list[str]) -> Made:
    steps = luck.randint(2, 8)
    target = str(luck.randint(1, 999))
    answer = target if luck.random() < 0.5 else str(luck.randint(1, 999))
    worked = "\n".join(
        f"Step {step}: {_text(luck, bank, luck.randint(12, 24))}" for step in range(1, steps + 1)
    )
    prompt = f"{_text(luck, bank, 60)}\nThink step by step and end with the number."
    return prompt, target, f"{worked}\nThe answer is {answer}", answer, {"steps": str(steps)}
