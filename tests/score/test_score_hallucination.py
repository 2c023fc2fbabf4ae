"""Grades of answers against hand-written ones, and the metrics against hand-worked counts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile
from harness.plugins import load
from harness.records import Exchange, Outcome, Request, Response, Sample, Score, Transcript
from harness.score import agreement, hallucination
from harness.score.hallucination import READERS, SIGN, counts, grade, penalised
from harness.score.scorer import Scorer
from harness.text.extract import extractor

ROOT = Path(__file__).parents[2]
OWN = (
    "correct", "incorrect", "not_attempted", "accuracy_given_attempted", "f_score",
    "penalised_50", "penalised_75", "penalised_90",
)  # fmt: skip


def lines(path):
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


CASES = lines(Path(__file__).parent / "cases" / "hallucination.jsonl")
PREMISES = {
    row["id"]: row
    for language in ("en", "zh")
    for row in lines(ROOT / f"tasks/hallucination/rows/{language}-false-premise.jsonl")
}
FACTS = [
    (language, row)
    for language in ("en", "zh")
    for row in lines(ROOT / f"tasks/qa/rows/{language}.jsonl")
]


def sample(fields, target=(), language="en"):
    """A sample of one row."""
    return Sample(
        "t", "s", fields.get("question", ""), target=tuple(target), language=language, fields=fields
    )


def scored(text, one, metrics=OWN, extract=("text",)):
    """Score one generated text as the pipeline does."""
    response = Response(text=text)
    outcome = Outcome(one, (Exchange(Request(), response),), Transcript((response,)))
    chain = tuple(extractor(name) for name in extract)
    return Scorer("generate", chain, tuple(load("metric", name) for name in metrics))(outcome)


# ---- grades ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case["text"][:40],
            marks=[pytest.mark.xfail(strict=True, reason="beyond rules")] * ("misread" in case),
        )
        for case in CASES
    ],
)
def test_hand_written_answers_are_graded_as_a_reader_would(case):
    """Each answer written by hand, right or fallen for it, gets the grade its writer gave it."""
    fields = PREMISES[case["row"]] if "row" in case else case
    language = case.get("language") or case["row"][:2]
    assert grade(case["text"], sample(fields, language=language)) == case["grade"]


def test_there_are_hand_written_answers_of_every_kind():
    """False premises have 60 answers or more in each language, half of them falling for it."""
    for language in ("en", "zh"):
        mine = [c for c in CASES if c.get("row", "").startswith(language)]
        fell = sum(case["grade"] == "incorrect" for case in mine)
        assert len(mine) >= 60
        assert len(mine) / 3 <= fell <= 2 * len(mine) / 3
    assert {case["expects"] for case in CASES} == set(READERS) - {"answer"}


@pytest.mark.parametrize(("language", "row"), FACTS, ids=lambda value: str(value)[:12])
def test_the_fact_table_grades_as_it_says(language, row):
    """Each accepted answer is correct, the wrong one and the misleading passage are incorrect."""
    one = sample(row, row["answers"], language)
    assert {grade(answer, one) for answer in row["answers"]} == {"correct"}
    assert grade(row["wrong"], one) == "incorrect"
    assert grade(row["misleading"], one) == "incorrect"
    unsure = "I don't know." if language == "en" else "我不知道。"
    assert grade(unsure, one) == "not_attempted"


def test_a_sentence_that_holds_the_answer_is_correct():
    """Of the table's statements at least 99 in 100 are read as giving their answer."""
    right = [grade(row["statement"], sample(row, row["answers"], lang)) for lang, row in FACTS]
    assert right.count("correct") >= 0.99 * len(right)


@pytest.mark.parametrize(
    ("text", "target", "language", "expected"),
    [
        ("It is Paris, of course.", "Paris", "en", "correct"),
        ("Not Paris but Lyon", "Paris", "en", "incorrect"),
        ("Paris or Lyon", "Paris", "en", "incorrect"),
        ("Lyon or Paris", "Paris", "en", "incorrect"),
        ("Parisian", "Paris", "en", "incorrect"),
        ("There are 12 of them", "12", "en", "correct"),
        ("Between 10 and 12", "12", "en", "incorrect"),
        ("The symbol is L.", "L", "en", "correct"),
        ("L is what I would rather not say", "L", "en", "incorrect"),
        ("I'm not sure, but I think it's Paris", "Paris", "en", "correct"),
        ("Answer: Paris (90%)", "Paris", "en", "correct"),
        ("<think>Paris?</think> Lyon", "Paris", "en", "incorrect"),
        ("应该是北京", "北京", "zh", "correct"),
        ("不是北京", "北京", "zh", "incorrect"),
        ("北京或上海", "北京", "zh", "incorrect"),
        ("它的符号代表铁。", "铁", "zh", "correct"),
        ("铁路", "铁", "zh", "incorrect"),
        ("北京，我有九成把握", "北京", "zh", "correct"),
        ("Paris. " + "x" * 500, "Paris", "en", "correct"),
        ("x" * 500 + " Paris", "Paris", "en", "incorrect"),
        ("?!", "Paris", "en", "incorrect"),
    ],
)
def test_longer_answers(text, target, language, expected):
    """An answer within a sentence counts unless it is denied, doubted, or one of several."""
    assert grade(text, sample({}, [target], language)) == expected


def test_a_target_that_the_question_names_must_be_said_to_be_it():
    """Repeating the options of an either-or question is no answer."""
    one = sample({"question": "Is ice hot or cold?"}, ["cold"])
    assert grade("It is cold.", one) == "correct"
    assert grade("Hot, and cold things sink", one) == "incorrect"
    assert grade("anything", sample({}, ["the"])) == "incorrect"


def test_an_unknown_expectation_is_an_error():
    """A row that expects what no reader reads is refused with the names that there are."""
    with pytest.raises(InvalidFile, match="did you mean 'denial'"):
        grade("x", sample({"expects": "denail"}))
    with pytest.raises(InvalidFile, match="abstention"):
        grade("x", sample({"expects": 3}))


@given(st.text(max_size=300), st.sampled_from(sorted(READERS)), st.sampled_from(["en", "zh"]))
def test_any_text_gets_a_grade(text, expects, language):
    """Whatever a model writes is graded, and not attempted only where that is possible."""
    fields = {"expects": expects, "question": "Q?", "premise": "a cat flies", "cues": ["x * y"],
              "name": "Ada"}  # fmt: skip
    found = grade(text, sample(fields, ["Paris"], language))
    assert found in SIGN
    if expects in ("correction", "denial", "abstention"):
        assert found != "not_attempted"


# ---- metrics --------------------------------------------------------------------------------


COUNTED = np.array([1.0] * 5 + [-1.0] * 3 + [0.0] * 2)
"""Five right, three wrong, two not attempted."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy_given_attempted", 5 / 8),
        ("f_score", 10 / 18),
        ("penalised_50", (5 - 1 * 3) / 10),
        ("penalised_75", (5 - 3 * 3) / 10),
        ("penalised_90", (5 - 9 * 3) / 10),
    ],
)
def test_scores_over_the_set_are_those_worked_by_hand(name, value):
    """c=5, i=3, a=2 gives the published formulas their hand-worked values."""
    found = load("metric", name).combine({"value": COUNTED, "confidence": np.full(10, np.nan)})
    assert found == pytest.approx(value, abs=1e-15)


def test_f_score_is_the_harmonic_mean_of_its_two_parts():
    """2c/(c+i+n) is the harmonic mean of c/n and c/(c+i)."""
    overall, attempted = 5 / 10, 5 / 8
    expected = 2 / (1 / overall + 1 / attempted)
    assert hallucination.f_score(COUNTED) == pytest.approx(expected)


@pytest.mark.parametrize("name", OWN[3:])
def test_nothing_gives_no_score(name):
    """Of no samples there is no number; of none attempted, no accuracy given attempted."""
    metric = load("metric", name)
    assert metric.combine({"value": np.array([]), "confidence": np.array([])}) is None
    zeros = {"value": np.zeros(3), "confidence": np.zeros(3)}
    assert metric.combine(zeros) == (None if name == "accuracy_given_attempted" else 0.0)


@given(st.lists(st.sampled_from([1.0, 0.0, -1.0]), min_size=1), st.integers(0, 99))
def test_a_guess_pays_exactly_above_the_threshold(values, percent):
    """Replacing an abstention by a guess right with chance t changes nothing on average."""
    signed = np.array([*values, 0.0])
    hit, miss = signed.copy(), signed.copy()
    hit[-1], miss[-1] = 1.0, -1.0
    t = percent / 100
    guess = t * penalised(hit, percent) + (1 - t) * penalised(miss, percent)
    assert guess == pytest.approx(penalised(signed, percent), abs=1e-9)
    assert sum(counts(signed)) == len(signed)


@pytest.mark.parametrize("percent", [-1, 100])
def test_a_threshold_of_certainty_is_refused(percent):
    """At 100 % a wrong answer would cost without end."""
    with pytest.raises(ValueError, match="below 100"):
        penalised(COUNTED, percent)


@pytest.mark.parametrize(
    ("text", "status", "values"),
    [
        ("Paris", "ok", (1, 0, 0, 1, 1, 1, 1, 1)),
        ("Lyon", "ok", (0, 1, 0, -1, -1, -1, -1, -1)),
        ("I don't know.", "ok", (0, 0, 1, 0, 0, 0, 0, 0)),
        ("我不知道", "ok", (0, 0, 1, 0, 0, 0, 0, 0)),
        ("", "unparsed", (0, 0, 0, 0, 0, 0, 0, 0)),
        ("<think>Paris, I", "unparsed", (0, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_values_of_one_sample(text, status, values):
    """An abstention is an answer of its own, and what cannot be read is none of the three."""
    score = scored(text, sample({}, ["Paris"]))
    assert score.status == status
    assert tuple(score.values[name] for name in OWN) == values
    alone = {name: scored(text, sample({}, ["Paris"]), (name,)).values[name] for name in OWN}
    assert alone == score.values


def test_premise_corrected_counts_no_abstention():
    """Declining a false premise is right, but only pointing it out corrects it."""
    metrics = ("correct", "premise_corrected")
    row = PREMISES["en-0001"]
    noticed = scored(row["why"], sample(row), metrics)
    declined = scored("I don't know.", sample(row), metrics)
    assert noticed.values == {"correct": 1.0, "premise_corrected": 1.0}
    assert declined.values == {"correct": 1.0, "premise_corrected": 0.0}
    for text in (
        "I don't know in which year Marseille became the capital.",
        "抱歉，我不知道。",
        "",
    ):
        assert scored(text, sample(row), metrics).values["premise_corrected"] == 0.0
    assert "premise_corrected" not in scored("Paris", sample({}, ["Paris"]), metrics).values


def test_stated_confidence_is_read_from_the_whole_reply():
    """The second line's confidence is the sample's value; without one it has none."""
    metrics = ("correct", "stated_confidence")
    said = scored("Answer: Paris\nConfidence: 85", sample({}, ["Paris"]), metrics, ("first_line",))
    assert said.values == {"correct": 1.0, "stated_confidence": 0.85}
    silent = scored("Paris", sample({}, ["Paris"]), metrics, ("first_line",))
    assert silent.values == {"correct": 1.0}


# ---- agreement ------------------------------------------------------------------------------


def test_entropy_of_known_answers():
    """One class has none, k equal classes have ln k, and 3:1 has its hand-worked value."""
    assert agreement.answer_entropy([]) is None
    assert agreement.answer_entropy(["a"] * 4) == 0.0
    assert agreement.answer_entropy("abcd") == pytest.approx(math.log(4))
    by_hand = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert agreement.answer_entropy("aaab") == pytest.approx(by_hand)


@given(
    st.lists(st.sampled_from("abcde"), min_size=2, max_size=20), st.randoms(use_true_random=False)
)
def test_entropy_has_bounds_and_no_order(answers, random):
    """Entropy lies in 0…ln n, agreement in 0…1, and neither asks who answered first."""
    found = agreement.answer_entropy(answers)
    assert 0 <= found <= math.log(len(answers)) + 1e-12
    assert 0 <= agreement.agreement(answers) <= 1
    mixed = answers.copy()
    random.shuffle(mixed)
    assert agreement.answer_entropy(mixed) == pytest.approx(found)


def test_agreement_of_one_answer_is_unknown():
    """Below two samples there is nothing to agree with."""
    assert agreement.agreement(["a"]) is None
    assert agreement.agreement(["a", "a", "a"]) == 1.0
    assert agreement.agreement(["a", "b", "c"]) == pytest.approx(0.0)


ITEMS = ["p", "p", "p", "q", "q", "r", "s", "s"]
CLASSES = [1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.0]
RIGHT = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]


def test_samples_are_grouped_by_item():
    """The commonest class says whether an item is right; the first met wins a tie."""
    p, q, s = agreement.by_item(ITEMS, CLASSES, RIGHT)
    assert (p.item, p.n, p.correct, p.majority) == ("p", 3, 1.0, pytest.approx(2 / 3))
    assert (q.item, q.n, q.correct, q.agreement) == ("q", 2, 0.0, 0.0)
    assert (s.entropy, s.agreement, s.correct) == (0.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="8, 8 and 7 rows"):
        agreement.by_item(ITEMS, CLASSES, RIGHT[1:])


def test_auroc_counts_pairs():
    """Of the pairs right-wrong, those where the right item agrees more count, ties half."""
    found = agreement.by_item(ITEMS, CLASSES, RIGHT)
    assert agreement.entropy_auroc(found) == 0.5  # above q, below s
    assert agreement.entropy_auroc(found[:2]) == 1.0
    assert agreement.entropy_auroc(found[1:]) is None


def test_metrics_of_agreement_need_items():
    """Given items, the metrics give mean entropy and AUROC; given samples alone, nothing."""
    entropy, auroc = load("metric", "answer_entropy"), load("metric", "entropy_auroc")
    columns = (ITEMS, np.array(CLASSES), np.array(RIGHT))
    by_hand = agreement.answer_entropy("aab") + math.log(2)
    assert entropy.combine(entropy.per_item(*columns)) == pytest.approx(by_hand / 3)
    assert auroc.combine(auroc.per_item(*columns)) == 0.5
    assert list(auroc.per_item(*columns)["item"]) == ["p", "q", "s"]
    assert entropy.combine({"value": np.array(CLASSES), "confidence": np.zeros(8)}) is None
    assert entropy.combine(entropy.per_item(["p"], np.ones(1), np.ones(1))) is None


def test_equal_answers_share_a_class():
    """Wording, confidence and the form of an accepted answer make no class of their own."""
    one, metrics = sample({}, ["Paris", "City of Paris"]), ("answer_entropy",)

    def value(text):
        return scored(text, one, metrics).values.get("answer_entropy")

    assert value("Paris") == value("It is Paris.") == value("the City of Paris")
    assert value("Lyon") == value("lyon!") == value("Lyon (80%)") != value("Paris")
    assert value("I don't know") == value("不知道") != value("Lyon")
    assert value("") is None
    assert float(int(value("Lyon"))) == value("Lyon") < 2**52
    assert agreement.ANSWER_ENTROPY.score(
        Outcome(one, ()), Score(status="error")
    ) is None  # fmt: skip
