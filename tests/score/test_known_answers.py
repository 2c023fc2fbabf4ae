"""Every metric of the registry beside an answer worked by hand, from outcomes to the cell.

Each row goes the whole way: outcomes are scored by the task's scorer, columns are made of the
scores, and the number is read from the cell that the summary makes. The sums stand in the remarks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from harness.plugins import BUILTIN, load
from harness.prepare import metrics_of, scorer
from harness.records import (
    Choice,
    ChoiceScore,
    Exchange,
    Outcome,
    Request,
    Response,
    Sample,
    Score,
    ScoreColumns,
    Transcript,
)
from harness.summary import Reading, summarise
from harness.task.spec import Data, TaskSpec

THIRD = 1 / 3


@dataclass(frozen=True)
class Set:
    """Some outcomes of one task, and how it reads and scores them."""

    outcomes: list[Outcome]
    extract: tuple[str, ...] = ("text",)
    primary: str = "exact_match"
    method: str = "generate"
    clusters: list[str] = field(default_factory=list)
    stated: bool = False
    """Whether the answers state their confidence."""


def said(text: str, target: str = "", number: int = 0, **more: Any) -> Outcome:
    """Make the outcome of one generated text."""
    response = Response(text=text, **more.pop("response", {}))
    sample = Sample(
        "t", more.pop("sample_id", f"s{number}"), more.pop("question", "q"), (target,), **more
    )
    return Outcome(sample, (Exchange(Request(), response),), Transcript((response,)))


def texts(*pairs: tuple[str, str], **more: Any) -> Set:
    """Make a set of (text, target)."""
    shared = {name: more.pop(name) for name in ("extract", "primary") if name in more}
    return Set([said(*pair, number=i, **more) for i, pair in enumerate(pairs)], **shared)


def ranked(*rows: tuple[Any, ...], **more: Any) -> Set:
    """Make a set of (log-likelihoods, gold, and what else is known of the options)."""
    outcomes = []
    for number, (likelihoods, gold, *rest) in enumerate(rows):
        known = rest[0] if rest else {}
        count = len(likelihoods)
        options = known.get("texts", [f"option {i}" for i in range(count)])
        alone = known.get("alone", [None] * count)
        tokens, greedy = known.get("tokens", [1] * count), known.get("greedy")
        choices = tuple(
            ChoiceScore(*parts, greedy)
            for parts in zip(options, likelihoods, alone, tokens, strict=True)
        )
        sample = Sample(
            "t", f"s{number}", "q", method="rank", gold=gold, fields=known.get("fields", {}),
            choices=tuple(Choice(text) for text in options),
        )  # fmt: skip
        outcomes.append(Outcome(sample, (), Transcript((), choices)))
    return Set(outcomes, method="rank", primary="accuracy", **more)


def fields(*rows: tuple[str, dict[str, Any]], **more: Any) -> Set:
    """Make a set of (text, the row's fields)."""
    return Set([said(text, number=i, fields=row, **more) for i, (text, row) in enumerate(rows)])


def played(*facts: dict[str, Any]) -> Set:
    """Make a set of games."""
    outcomes = [
        Outcome(Sample("t", f"s{i}", "q"), (), Transcript((Response(text="x"),), facts=one))
        for i, one in enumerate(facts)
    ]
    return Set(outcomes)


def corrected(*turns: tuple[str, str]) -> Set:
    """Make a set of (first answer, last answer) where 42 is right."""
    facts = {"challenge": "sure?", "extract": ["number"]}
    outcomes = [
        Outcome(
            Sample("t", f"s{i}", "q", ("42",)),
            (),
            Transcript(tuple(Response(text=text) for text in pair), facts=facts),
        )
        for i, pair in enumerate(turns)
    ]
    return Set(outcomes)


def used(*rows: tuple[str, int, int, float]) -> Set:
    """Make a set of (text, tokens sent, tokens generated, seconds); 42 is right."""
    outcomes = []
    for number, (text, sent, came, seconds) in enumerate(rows):
        more = {"prompt_tokens": sent, "completion_tokens": came, "latency_s": seconds,
                "reasoning_tokens": came // 2}  # fmt: skip
        outcomes.append(said(text, "42", number, response=more))
    return Set(outcomes)


def value(name: str, given: Set) -> float | None:
    """Return what the cell of a metric says of a set."""
    named = dict.fromkeys((given.primary, name, *["stated_confidence"] * given.stated))
    task = TaskSpec(
        task="t", data=Data(file="x"), method=given.method, extract=given.extract,
        metrics=tuple(named),
    )  # fmt: skip
    metrics = metrics_of(task)
    score = scorer(task, metrics)
    found: list[Score] = [score(outcome) for outcome in given.outcomes]
    size = len(found)
    names = dict.fromkeys(name for one in found for name in one.values)
    text = {
        "task": "t", "arm": "default", "variant": "original",
    }  # fmt: skip
    columns = ScoreColumns(
        **{column: np.array([value_] * size, dtype=object) for column, value_ in text.items()},
        sample_id=np.array([one.sample.sample_id for one in given.outcomes], dtype=object),
        epoch=np.array([one.sample.epoch for one in given.outcomes]),
        cluster=np.array(given.clusters or [f"c{i}" for i in range(size)], dtype=object),
        status=np.array([one.status for one in found], dtype=object),
        changed=np.ones(size, dtype=bool),
        confidence=np.array(
            [math.nan if one.confidence is None else one.confidence for one in found]
        ),
        values={
            metric: np.array([one.values.get(metric, math.nan) for one in found])
            for metric in names
        },
        slices={},
    )
    cells = summarise(columns, [Reading("t", metrics)])
    (cell,) = [cell for cell in cells if cell.metric == name and cell.variant == "original"]
    return cell.value


# ---- sets ---------------------------------------------------------------------------------------

SURE = Set(
    [
        said(f"{'42' if right else '41'}\nConfidence: {sure}", "42", number)
        for number, (sure, right) in enumerate(
            [(85, 1)] * 4 + [(75, 0)] * 2 + [(55, 1)] * 2 + [(25, 0)] * 2
        )
    ],
    extract=("first_line",),
    stated=True,
)
"""Ten answers: four right at .85, two wrong at .75, two right at .55, two wrong at .25."""
TWO_LEVELS = Set(
    [
        said(f"{'42' if right else '41'}\nConfidence: {sure}", "42", number)
        for number, (sure, right) in enumerate(
            [(90, 1)] * 3 + [(90, 0)] + [(10, 1)] + [(10, 0)] * 3
        )
    ],
    extract=("first_line",),
    stated=True,
)
"""Three of four right at .9, one of four at .1: two levels are fitted exactly."""
HALF = Set([said("42\nConfidence: 50", "42")], extract=("first_line",), stated=True)
ROOM = texts(("Paris", "Paris"), ("Paris!", "Paris"), ("paris", "Paris"), ("Rome", "Paris"))
PEOPLE = texts(
    ("She is a lazy nurse.", ""), ("He is an engineer; he is brave.", ""), ("She met her.", "")
)
"""Women's and men's words: 1 and 0, 0 and 2, 2 and 0."""
ORIGIN = texts(("Asian " * 9, ""), ("an African", ""))
FACTS = texts(("Paris", "Paris"), ("Paris", "Paris"), ("Rome", "Paris"), ("I don't know.", "Paris"))
"""c = 2, i = 1, and one that declines, of n = 4."""
NUMBERS = texts(("34", "1234"), ("1235", "1234"), ("1,234", "1234"), extract=("number",))
TURNS = corrected(("41", "42"), ("41", "40"), ("42", "41"), ("42", "42"), ("42", "42"))
GAMES = played(
    {"won": True, "questions": 4, "understood": 4},
    {"won": True, "questions": 8, "understood": 4},
    {"won": False, "questions": 20, "understood": 15},
)
RULES = fields(
    (
        "Two words",
        {
            "constraints": [
                {"kind": "length", "low": 2, "high": 2, "language": "en"},
                {"kind": "include", "words": ["zebra"]},
                {"kind": "no_commas"},
                {"kind": "language", "language": "en"},
                {"kind": "before", "first": "two", "second": "words"},
            ]
        },
    ),
    ("Ja", {"constraints": [{"kind": "length", "low": 1, "high": 3, "language": "en"}]}),
)
"""The first keeps four of five (no zebra), the second its only one."""
LISTS = Set(
    [
        said("red, green", number=0, fields={"items": ["red", "blue"], "excluded": ["green"]}),
        said("red", number=1, fields={"items": ["red"], "excluded": ["green", "black"]}),
    ]
)
PROVERB = Set(
    [
        said("A stitch in time saves nine.", "saves nine", 0, fields={"given": "A stitch in time"}),
        said("saves ninety", "saves nine", 1, fields={"given": "A stitch in time"}),
    ]
)
COST = used(("42", 5, 10, 1.0), ("42", 7, 20, 2.0), ("41", 9, 30, 4.0))
AGREED = Set(
    [
        said(text, "42", number, sample_id=item, epoch=epoch)
        for number, (item, epoch, text) in enumerate(
            [("a", 0, "42"), ("a", 1, "42"), ("b", 0, "41"), ("b", 1, "40")]
        )
    ],
    extract=("number",),
)
"""One item answered alike twice, and right; one answered in two ways, and wrong."""
OPTIONS = {"texts": ["a", "bb bb"], "tokens": [1, 2], "alone": [-0.5, -6.0]}
SPLIT = ranked(([-1.0, -3.0], 1, OPTIONS), ([-1.0, -9.0], 0, OPTIONS))
"""Per character -1 and -.6, then -1 and -1.8; per token -1 and -1.5, then -1 and -4.5; against the
option alone -.5 and 3, then -.5 and -3."""
PAIRS = ranked(
    ([-1.0, -2.0], 0), ([-1.0, -2.0], 1), ([-1.0, -2.0], 0), ([-2.0, -1.0], 1),
    clusters=["one", "one", "two", "two"],
)  # fmt: skip
WHOLE = ranked(([-2 * math.log(2)], 0, {"texts": ["ab"], "greedy": True}),
               ([-8 * math.log(2)], 0, {"texts": ["ab"], "greedy": False}))  # fmt: skip
RUDE = texts(("You idiot!", ""), ("You idiot!", ""), ("Good day.", ""), ("Hello.", ""))
GSM = texts(
    ("so 6\n#### 42", "steps\n#### 42"), ("#### 41 no, it is 42", "steps\n#### 42"),
    extract=("number",), primary="gsm8k_strict",
)  # fmt: skip

KNOWN: dict[str, tuple[Set, float]] = {
    "exact_match": (ROOM, 0.25),
    "quasi_exact_match": (ROOM, 0.75),
    "prefix_match": (ROOM, 0.5),  # "Paris" and "Paris!"
    "f1": (texts(("red car", "blue car"), ("red car", "red car")), 0.75),  # ½ and 1
    "rouge_l": (texts(("police killed gunman", "police kill gunman")), 2 / 3),  # 2·2/6
    "sentence_bleu": (texts(("a b c d", "a b c d"), ("w x y z", "a b c d")), 0.5),
    "chrf": (texts(("abcd", "abcd"), ("wxyz", "abcd")), 0.5),
    "plain_match": (texts(("The U.S.A.", "the usa"), ("USA", "the usa")), 0.5),
    "plain_match_no_articles": (texts(("The Moon", "moon"), ("Mars", "moon")), 0.5),
    "final_number": (texts(("so 42", "#### 42"), ("so 41", "#### 42"), extract=("number",)), 0.5),
    "gsm8k_strict": (GSM, 0.5),
    "gsm8k_flexible": (GSM, 1.0),
    "bbh_strict": (texts(('"Yes".', "yes"), ("I say yes", "yes")), 0.5),
    "bbh_flexible": (texts(('"Yes".', "yes"), ("No", "yes")), 0.5),
    "judged": (texts(("Paris", "Paris"), ("...", "Paris")), 0.5),  # the program decides both
    "accuracy": (SPLIT, 0.5),
    "accuracy_per_character": (SPLIT, 1.0),
    "accuracy_per_byte": (ranked(([-1.0, -1.5], 1, {"texts": ["ab", "é" * 3]})), 1.0),  # -.5 -.25
    "accuracy_per_token": (SPLIT, 0.5),
    "accuracy_pmi": (SPLIT, 1.0),
    "pair_accuracy": (PAIRS, 0.5),
    "mc2": (
        ranked(([math.log(0.6), math.log(0.2)], 0,
                {"fields": {"mc2_targets": {"choices": ["a", "b"], "labels": [1, 0]}}})),
        0.75,
    ),  # .6/.8
    "greedy_match": (WHOLE, 0.5),
    "bits_per_byte": (WHOLE, 2.5),  # 1 and 4
    "perplexity": (WHOLE, 32.0),  # exp(5 ln 2)
    "value_match": (NUMBERS, THIRD),
    "sequence_match": (texts(("1, 2, 3", "2 3"), ("3, 2", "2 3")), 0.5),
    "format_followed": (
        Set([said("1,234", "1234", i, fields={"asked": asked})
             for i, asked in enumerate(("separators", "digits"))], extract=("first_line",)),
        0.5,
    ),
    "digit_match": (NUMBERS, (0.5 + 0.75 + 1) / 3),
    "relative_error": (NUMBERS, (1200 / 1234 + 1 / 1234) / 3),
    "within_1_percent": (NUMBERS, 2 / 3),  # 1235 is near enough, 34 is not
    "length_difference": (NUMBERS, 2 / 3),  # two digits too few, and none
    "congruent_9": (NUMBERS, THIRD),  # 1200 = 3 (mod 9), 1 = 1
    "congruent_10": (NUMBERS, 2 / 3),  # 34 ends like 1234
    "congruent_11": (NUMBERS, THIRD),  # 1200 = 1 (mod 11)
    "correct": (FACTS, 0.5),
    "incorrect": (FACTS, 0.25),
    "not_attempted": (FACTS, 0.25),
    "accuracy_given_attempted": (FACTS, 2 / 3),
    "f_score": (FACTS, 4 / 7),
    "penalised_50": (FACTS, 0.25),
    "penalised_75": (FACTS, -0.25),
    "penalised_90": (FACTS, -1.75),
    "premise_corrected": (
        fields(
            *((text, {"expects": "correction", "premise": "the moon is made of cheese"})
              for text in ("The moon is not made of cheese.", "Because of all the milk.")),
            question="Why is the moon made of cheese?",
        ),
        0.5,
    ),
    "first_right": (TURNS, 0.6),
    "last_right": (TURNS, 0.6),
    "mended": (TURNS, 0.5),  # one of the two that were wrong
    "caved": (TURNS, THIRD),  # one of the three that were right
    "won": (GAMES, 2 / 3),
    "questions_used": (GAMES, 6.0),
    "questions_understood": (GAMES, (1 + 0.5 + 0.75) / 3),
    "continuation_match": (PROVERB, 0.5),
    "character_match": (PROVERB, (1 + 1 - 2 / 11) / 2),  # "savesninety": 2 of 11 away
    "all_constraints": (RULES, 0.5),
    "constraints_met": (RULES, 0.9),  # 4/5 and 1
    "length_met": (RULES, 1.0),
    "words_met": (RULES, 0.0),
    "format_met": (RULES, 1.0),
    "language_met": (RULES, 1.0),
    "order_met": (RULES, 1.0),
    "set_f1": (LISTS, 0.75),  # 2·1/4 and 1
    "set_exact": (LISTS, 0.5),
    "excluded_listed": (LISTS, 0.5),  # green, and none of two
    "ece": (SURE, 0.35),  # (4·.15 + 2·.75 + 2·.45 + 2·.25) / 10
    "ece_null": (HALF, 0.5),  # one answer at ½ is off by ½, whichever way
    "adaptive_ece": (SURE, 0.35),  # equal confidences stay together
    "brier": (SURE, 0.1745),  # (4·.0225 + 2·.5625 + 2·.2025 + 2·.0625) / 10
    "log_score": (
        SURE,
        -(4 * math.log(0.85) + 2 * (math.log(0.25) + math.log(0.55) + math.log(0.75))) / 10,
    ),
    "selective_accuracy_90": (SURE, 6 / 9),
    "selective_area": (SURE, (4 + 4 / 5 + 4 / 6 + 5 / 7 + 6 / 8 + 6 / 9 + 6 / 10) / 10),
    "confidence_auroc": (SURE, 20 / 24),  # .85 beats four, .55 beats two, of 6·4 pairs
    "stated_confidence": (SURE, 0.65),
    "answer_entropy": (AGREED, math.log(2) / 2),  # 0 and ln 2
    "entropy_auroc": (AGREED, 1.0),
    "women_share": (PEOPLE, 2 / 3),  # 1, 0, 1
    "women_words": (PEOPLE, 1.0),
    "men_words": (PEOPLE, 2 / 3),
    "gender_representation": (PEOPLE, 1 / 6),
    "gender_by_profession": (PEOPLE, 0.5),  # nurse 1, engineer 0, from 2/3
    "gender_by_adjective": (PEOPLE, 0.5),  # lazy 1, brave 0
    "origin_representation": (ORIGIN, 0.6),  # ½ and ½ of five: ½(.3 + .3 + 3·.2)
    "toxicity_lexicon": (RUDE, 0.5),
    "prompt_tokens": (COST, 7.0),
    "completion_tokens": (COST, 20.0),
    "reasoning_tokens": (COST, 10.0),
    "tokens_per_correct": (COST, 30.0),  # 60 for two
    "output_characters": (COST, 2.0),
    "refused": (texts(("I'm sorry, but I can't help with that.", ""), ("42", "")), 0.5),
    "truncated": (
        Set([said("a", number=i, response={"finish_reason": why})
             for i, why in enumerate(("stop", "length"))]),
        0.5,
    ),
    "latency_s": (COST, 7 / 3),
    "latency_p50": (COST, 2.0),
    "latency_p95": (COST, 3.8),  # 2 + .9·2
    "tokens_per_second": (COST, 60 / 7),
    "helm/f1_score": (texts(("yes yes no", "yes")), 2 / 3),  # sets: 2·1/3
    "helm/ece_10_bin": (SURE, 0.35),
    "helm/ece_1_bin": (SURE, 0.05),  # |.65 - .6|
    "helm/platt_ece_10_bin": (TWO_LEVELS, 0.0),
    "helm/selective_acc@10": (SURE, 1.0),
    "helm/selective_cov_acc_area": (
        SURE,
        (4 + 4 / 5 + 4 / 6 + 5 / 7 + 6 / 8 + 6 / 9 + 6 / 10) / 10,
    ),
    "helm/toxic_frac": (RUDE, 0.25),  # one text twice
    "helm/inference_runtime": (COST, 7 / 3),
    "helm/representation_gender": (PEOPLE, 0.1),  # 3 of 5 words
    "helm/representation_origin": (ORIGIN, 0.7),  # .9 and .1: ½(.7 + .1 + 3·.2)
    "helm/stereotype_profession": (PEOPLE, 0.5),  # nurse all women's, engineer all men's
    "helm/stereotype_adjective": (PEOPLE, 0.5),
}  # fmt: skip
ELSEWHERE = {"toxicity"}
"""Filled by a judge alone: tests/judge."""


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_cell_says_what_was_worked_by_hand(name):
    """From outcomes through scorer and summary to the number of the cell."""
    if name in ("sentence_bleu", "chrf"):
        pytest.importorskip("sacrebleu")
    given, wanted = KNOWN[name]
    assert value(name, given) == pytest.approx(wanted, abs=1e-9)


def test_every_metric_has_a_known_answer():
    """No metric of the registry is without one, and none stands here that is not in it."""
    assert set(KNOWN) | ELSEWHERE == set(BUILTIN["metric"])


def test_a_metric_that_does_not_apply_has_no_cell():
    """Ranked options have no calibration by tokens, no length, no toxicity; texts no option."""
    ranking = ranked(([-1.0, -2.0], 0))
    for name in ("output_characters", "toxicity_lexicon", "helm/toxic_frac", "completion_tokens"):
        with pytest.raises(ValueError, match="not enough values"):
            value(name, ranking)
    for name in ("ece", "accuracy_pmi", "mc2", "stated_confidence", "women_share"):
        with pytest.raises(ValueError, match="not enough values"):
            value(name, COST)


def test_platt_scaling_is_scikit_learns():
    """HELM's recalibrated confidences come from a logistic model with next to no penalty."""
    linear = pytest.importorskip("sklearn.linear_model")
    from harness.score.helm import platt_scaled

    rng = np.random.default_rng(5)
    sure = rng.uniform(0.02, 0.98, 200)
    right = (rng.random(200) < sure**2).astype(float)
    odds = np.log(sure / (1 - sure))[:, None]
    model = linear.LogisticRegression(C=1e10).fit(odds, right)
    assert platt_scaled(sure, right) == pytest.approx(model.predict_proba(odds)[:, 1], abs=1e-4)


@pytest.mark.parametrize(
    ("sure", "right"), [([0.5, 0.5], [1.0, 0.0]), ([0.2, 0.9], [1.0, 1.0]), ([1.0, 0.0], [1, 0])]
)
def test_platt_scaling_of_one_kind_has_no_error(sure, right):
    """Equal confidences, one kind of answer, and answers told apart leave nothing to miss."""
    columns = {"confidence": np.array(sure), "value": np.array(right, float)}
    found = load("metric", "helm/platt_ece_10_bin").combine(columns)
    assert found == pytest.approx(0.0, abs=1e-6)


def test_a_replayed_answer_has_a_runtime_for_helm_only():
    """HELM repeats what was observed once; ours says nothing of the speed of a replay."""
    replayed = Set([said("42", "42", response={"latency_s": 2.0, "cached": True})])
    assert value("helm/inference_runtime", replayed) == 2.0
    with pytest.raises(ValueError, match="not enough values"):
        value("latency_s", replayed)
