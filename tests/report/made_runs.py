"""Run directories made by hand: the real writer and the real cells, scripted answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.identity import CounterRandom, content_key
from harness.plugins import load
from harness.records import (
    Choice,
    ChoiceScore,
    Exchange,
    Extraction,
    Failure,
    Message,
    Outcome,
    Request,
    Response,
    Sample,
    Score,
    Span,
    Transcript,
    Verdict,
)
from harness.store.columns import read_columns
from harness.store.manifest import RUN, SAMPLES, SCORES, SPEC, write_json
from harness.store.table import SampleWriter
from harness.summary import Place, Reading, blank, summarise

ALWAYS = ("ece", "brier", "prompt_tokens", "completion_tokens", "latency_s")
HOSTILE = (
    "<script>window.pwned=1;document.title='pwned'</script>",
    "</script><script>window.pwned=2</script>",
    '<img src=x onerror="window.pwned=3">',
    "\u202egnp.exe\u202c then \u2066isolated\u2069",
    "null \x00 byte, bell \x07, escape \x1b[31m",
    "emoji 👩‍👩‍👧‍👦 🇨🇳 e\u0301 and 汉字",
    "x" * 1_000_000,
    "]]> --> <!-- <svg/onload=window.pwned=4> {{ 7*7 }} ${7*7}",
    "__proto__",
    '=HYPERLINK("http://evil")',
)


@dataclass
class Recipe:
    """What a made run holds."""

    model: str = "embedded/mini"
    skill: float = 0.7
    """Digits over six at which addition fails; share of facts known."""
    stamp: str = "20260101T000000Z"
    tasks: tuple[str, ...] = ("arithmetic/addition", "qa/en", "winograd/en")
    per_cell: int = 12
    seed: int = 0
    status: str = "complete"
    skipped: dict[str, str] = field(default_factory=dict)
    judges: dict[str, dict] = field(default_factory=dict)
    """What run.json says of judges."""


def make_run(root: Path, recipe: Recipe) -> Path:
    """Write a run directory and return its path."""
    slug = recipe.model.replace("/", "-")
    tail = content_key([recipe.model, recipe.stamp])[:6]
    path = root / f"{recipe.stamp}-{slug}-{tail}"
    path.mkdir(parents=True)
    writer = SampleWriter(path / SAMPLES, lambda _: 0.0)
    for task in recipe.tasks:
        for raw, score in MAKERS[task](recipe):
            outcome = _own_cluster(raw)
            values = dict(score.values)
            metrics = [load("metric", name) for name in (*METRICS[task], *ALWAYS)]
            full = Score(
                status=score.status,
                values=values,
                output=score.output,
                answer=score.answer,
                extraction=score.extraction,
                confidence=score.confidence,
                explanation=score.explanation,
                verdicts=score.verdicts,
            )
            for metric in metrics if score.status not in ("error", "unjudged") else ():
                value = metric.score(outcome, full)
                if value is not None:
                    values[metric.name] = value
            writer.add(outcome, full)
    writer.close()
    columns = read_columns(path / SAMPLES)
    cells = summarise(columns, [_reading(task) for task in recipe.tasks])
    for task, reason in recipe.skipped.items():
        metric = load("metric", METRICS[task][0])
        cells.append(blank(Place(task, "default", "original"), metric, reason))
    write_json(path / SCORES, {"cells": cells})
    spec = {
        "tasks": [*recipe.tasks, *recipe.skipped],
        "model": dict(zip(("provider", "name"), recipe.model.split("/", 1), strict=True)),
    }
    hashes = {task: {"version": 1, "data": "d" * 8, "arms": {}} for task in recipe.tasks}
    write_json(path / SPEC, {"spec": spec, "tasks": hashes, "perturbations": {"typos": 1}})
    done = len(columns.task)
    partial = recipe.status == "partial"
    write_json(
        path / RUN,
        {
            "name": path.name,
            "status": recipe.status,
            "reason": "budget reached" if partial else None,
            "planned": done + 40 * partial,
            "scored": done,
            "spec_hash": "ab" * 16,
            "tasks": hashes,
            "model": {
                "name": recipe.model,
                "arguments_hash": "cd" * 16,
                "weights_hash": "ef" * 16,
                "parameters": 2_500_000,
                "licence": "MIT",
            },
            "seeds": {"seed": 0, "data_seed": None},
            "usage": {
                "requests": done,
                "prompt_tokens": 9 * done,
                "completion_tokens": 4 * done,
                "cost_usd": 0.0,
                "cached": 0,
            },
            "evidence": "new",
            **({"judges": recipe.judges} if recipe.judges else {}),
            "harness": "0.1.0",
            "started_at": "2026-01-01T00:00:00+00:00",
            "finished_at": "2026-01-01T00:01:00+00:00",
            "wall_s": 60.0,
            "git_commit": "0" * 40,
            "environment": {"python": "3.11.9", "platform": "Linux", "packages": {"numpy": "2.0"}},
        },
    )
    return path


METRICS = {
    "arithmetic/addition": ("exact_match",),
    "qa/en": ("quasi_exact_match", "f1", "exact_match"),
    "winograd/en": ("accuracy", "pair_accuracy"),
    "hostile/echo": ("exact_match",),
    "hostile/flips": ("exact_match",),
    "free/short": ("judged",),
}
SLICES = {
    "arithmetic/addition": (("digits",), ("carries",), ("digits", "carries")),
    "qa/en": (("domain",), ("level",)),
    "winograd/en": (("domain",),),
    "hostile/echo": (),
    "hostile/flips": (),
    "free/short": (),
}


def _reading(task: str) -> Reading:
    metrics = tuple(load("metric", name) for name in (*METRICS[task], *ALWAYS))
    variants = {"typos": "robustness", "dialect": "fairness"} if task == "qa/en" else None
    return Reading(task, metrics, SLICES[task], variants)


Scored = tuple[Outcome, Score]


def _own_cluster(outcome: Outcome) -> Outcome:
    """A sample without a cluster stands alone, as the task loader has it."""
    sample = outcome.sample
    if sample.cluster:
        return outcome
    alone = msgspec.structs.replace(sample, cluster=sample.sample_id)
    return msgspec.structs.replace(outcome, sample=alone)


def _answered(sample: Sample, text: str, **more: object) -> Outcome:
    request = Request(messages=(Message("user", sample.input),))
    response = Response(
        text=text,
        finish_reason=str(more.get("finish_reason", "stop")),
        reasoning=more.get("reasoning"),  # type: ignore[arg-type]
        prompt_tokens=len(sample.input) // 3,
        completion_tokens=max(1, min(len(text), 400) // 3),
        latency_s=0.041,
        served_model="served-1",
        request_key="9f" * 16,
    )
    return Outcome(sample, (Exchange(request, response),), Transcript((response,)))


def _addition(recipe: Recipe) -> Iterator[Scored]:
    rng = CounterRandom(recipe.seed, "addition")
    luck = CounterRandom(recipe.seed, "luck", recipe.model)
    for digits in range(1, 7):
        for carries in range(digits + 1):
            for _ in range(recipe.per_cell):
                a = rng.between(10 ** (digits - 1), 10**digits - 1)
                b = rng.between(10 ** (digits - 1), 10**digits - 1)
                sample = Sample(
                    task="arithmetic/addition",
                    sample_id=content_key([a, b, digits, carries, rng.bits()])[:16],
                    input=f"What is {a} + {b}?",
                    target=(str(a + b),),
                    slices={"digits": str(digits), "carries": str(carries)},
                    fields={"a": a, "b": b},
                )
                yield _sum(sample, a + b, luck, recipe.skill * 7 - digits - carries / 4)


def _sum(sample: Sample, right: int, luck: CounterRandom, margin: float) -> Scored:
    draw = luck.random()
    if draw < 0.004:
        failure = Failure("timeout", "no answer within 120 s", attempts=3)
        return Outcome(sample, (), failure=failure), Score(status="error")
    if draw < 0.02:
        outcome = _answered(sample, "about that many", finish_reason="length")
        return outcome, Score("unparsed", output="about that many")
    known = luck.random() < 1 / (1 + 2.718 ** (-1.6 * margin))
    value = right if known else right + 10 ** luck.below(len(str(right)))
    text = f" {value}"
    extraction = Extraction(str(value), "last number", 1, len(text), str(value))
    wrong = None if known else ("off by one digit" if draw < 0.6 else "carry lost")
    score = Score("ok", {}, text, str(value), extraction, explanation=wrong)
    return _answered(sample, text), score


def _facts(recipe: Recipe) -> Iterator[Scored]:
    places = [("France", "Paris"), ("Japan", "Tokyo"), ("Kenya", "Nairobi"), ("Peru", "Lima")]
    luck = CounterRandom(recipe.seed, "facts", recipe.model)
    for number in range(5 * recipe.per_cell):
        country, city = places[number % 4]
        question = f"Question {number}: what is the capital of {country}?"
        typo = question.replace("capital", "capitla")
        at = question.index("capital")
        span = Span(at, at + 7, "capital")
        for variant, text, spans, loss in (
            ("original", question, (), 0.0),
            ("typos", typo, (span,), 0.15),
            ("dialect", question.replace("what is", "what's"), (), 0.05),
        ):
            sample = Sample(
                task="qa/en",
                sample_id=content_key([number, country])[:16],
                input=text,
                target=(city, city.upper()),
                variant=variant,
                spans=spans,
                slices={"domain": "geography" if number % 3 else "cities", "level": "easy"},
            )
            answer = city if luck.random() < recipe.skill - loss else "Springfield"
            extraction = Extraction(answer, "text", 0, len(answer), answer)
            more = {"reasoning": "Let me think: it is a city."} if number % 5 == 0 else {}
            yield _answered(sample, answer, **more), Score("ok", {}, answer, answer, extraction)


def _pairs(recipe: Recipe) -> Iterator[Scored]:
    luck = CounterRandom(recipe.seed, "pairs", recipe.model)
    for number in range(4 * recipe.per_cell):
        for twin, word in enumerate(("big", "small")):
            text = f"The trophy {number} does not fit the case because it is too {word}. It is the"
            options = (" trophy.", " case.")
            sample = Sample(
                task="winograd/en",
                sample_id=content_key([number, word])[:16],
                input=text,
                target=(options[twin],),
                choices=tuple(Choice(option) for option in options),
                gold=twin,
                method="rank",
                cluster=f"pair-{number}",
                slices={"domain": "size"},
            )
            gap = 2 * (luck.random() - 1 + recipe.skill)
            scores = [
                ChoiceScore(option, -4.0 + (gap if i == twin else 0.0), None, 2, False)
                for i, option in enumerate(options)
            ]
            best = twin if gap >= 0 else 1 - twin
            exchanges = tuple(
                Exchange(
                    Request(kind="loglikelihood", prompt=text, continuation=item.text),
                    Response(
                        loglikelihood=item.loglikelihood,
                        tokens=2,
                        prompt_tokens=20,
                        completion_tokens=0,
                        latency_s=0.01,
                    ),
                )
                for item in scores
            )
            outcome = Outcome(sample, exchanges, Transcript(choices=tuple(scores)))
            confidence = 1 / (1 + 2.718 ** (-abs(gap)))
            extraction = Extraction(options[best], "likeliest option", value="AB"[best])
            yield (
                outcome,
                Score("ok", {}, "", options[best], extraction, confidence=confidence),
            )


def _hostile(recipe: Recipe) -> Iterator[Scored]:
    for number, text in enumerate(HOSTILE):
        sample = Sample(
            task="hostile/echo",
            sample_id=content_key([number])[:16],
            input=f"Say this: {text[:300]}",
            target=(text[:2000] + "!",),
        )
        extraction = Extraction(text, "text", 0, len(text), text)
        yield _answered(sample, text), Score("ok", {}, text, text, extraction)


def _free(recipe: Recipe) -> Iterator[Scored]:
    """Answers in sentences: a program decides one in four, a judge that errs the others."""
    luck = CounterRandom(recipe.seed, "free", recipe.model)
    for number in range(10 * recipe.per_cell):
        city = ("Paris", "Tokyo", "Nairobi", "Lima")[number % 4]
        right = luck.random() < recipe.skill
        said = city if right else "Springfield"
        sentence = said if number % 4 == 0 else f"It must be {said}, I think."
        sample = Sample(
            task="free/short",
            sample_id=content_key([number, city])[:16],
            input=f"Question {number}: which capital is meant, {HOSTILE[0]}?",
            target=(city,),
            fields={"truth": float(right)},
        )
        outcome = _answered(sample, sentence)
        extraction = Extraction(sentence, "text", 0, len(sentence), sentence)
        if right and number % 4 == 0:
            yield outcome, Score("ok", {"judged": 1.0}, sentence, sentence, extraction)
            continue
        yield outcome, _judged(sentence, extraction, right != (luck.random() < 0.1), luck)


def _judged(answer: str, extraction: Extraction, right: bool, luck: CounterRandom) -> Score:
    if luck.random() < 0.05:
        lost = Verdict(
            "correct", "p/judge", None, reason="no verdict is announced", reply="Hard to say."
        )
        why = f"no verdict: {lost.reason}"
        return Score("unjudged", {}, answer, answer, extraction, verdicts=(lost,), explanation=why)
    word = "correct" if right else "incorrect"
    reply = f"The answer names {'the same' if right else 'another'} city.\nVERDICT: {word}"
    verdict = Verdict("correct", "p/judge", word, score=float(right), reply=reply, cost_usd=1e-4)
    values = {"judged": float(right)}
    return Score(
        "ok", values, answer, answer, extraction, verdicts=(verdict,), explanation=f"judged {word}"
    )


def _flips(recipe: Recipe) -> Iterator[Scored]:
    """The able model says each hostile text as wanted, the other one says it with a word more."""
    for number, text in enumerate(HOSTILE):
        sample = Sample(
            task="hostile/flips",
            sample_id=content_key(["flip", number])[:16],
            input=f"Say this: {text}",
            target=(text,),
        )
        said = text if recipe.skill > 0.5 else f"{text} or so"
        extraction = Extraction(said, "text", 0, len(said), said)
        yield _answered(sample, said), Score("ok", {}, said, said, extraction)


MAKERS = {
    "hostile/flips": _flips,
    "free/short": _free,
    "arithmetic/addition": _addition,
    "qa/en": _facts,
    "winograd/en": _pairs,
    "hostile/echo": _hostile,
}
