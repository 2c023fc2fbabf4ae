"""The rows and tasks of tasks/hallucination, and those of tasks/qa that ask for confidence."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from harness.plugins import load
from harness.records import Exchange, Outcome, Request, Response, Transcript
from harness.score.hallucination import corrects, grade
from harness.score.scorer import Scorer
from harness.task.load import load_task
from harness.task.render import Renderer
from harness.task.rows import read_rows
from harness.text.denial import mentions
from harness.text.extract import extractor

TASKS = Path(__file__).parents[2] / "tasks"
ROWS = TASKS / "hallucination" / "rows"
LANGUAGES = ("en", "zh")
AT_LEAST = {
    ("en", "false-premise"): 100,
    ("zh", "false-premise"): 60,
    ("en", "unknowable"): 40,
    ("zh", "unknowable"): 40,
}
SCHEMA = {
    "false-premise": {
        "id": str, "question": str, "expects": str, "premise": str, "why": str, "wrong": str,
        "cues": list, "domain": str,
    },
    "unknowable": {
        "id": str, "question": str, "expects": str, "reason": str, "why": str, "wrong": str,
    },
}  # fmt: skip
EXPECTS = {"false-premise": "correction", "unknowable": "abstention"}
KINDS = ("false-premise", "invented", "reference", "unknowable")
NAMES = [f"hallucination/{language}-{kind}" for language in LANGUAGES for kind in KINDS] + [
    f"qa/{language}-{kind}" for language in LANGUAGES for kind in ("confidence", "agreement")
]


def rows(language, kind):
    """The rows of one file."""
    path = ROWS / f"{language}-{kind}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


EACH = [
    pytest.param(language, kind, row, id=f"{kind}-{row['id']}")
    for language, kind in AT_LEAST
    for row in rows(language, kind)
]


def tokens(text, language):
    """What two questions are compared by: words, or in Chinese pairs of characters."""
    parts = re.findall(r"[^\W_]+" if language == "en" else r"[^\W_]", text.lower())
    return frozenset(parts if language == "en" else itertools.pairwise(parts))


@pytest.mark.parametrize(("language", "kind"), AT_LEAST)
def test_there_are_enough_rows(language, kind):
    """Each file has its rows, with ids that say the language and no subgroup below three."""
    found = rows(language, kind)
    assert len(found) >= AT_LEAST[language, kind]
    assert [row["id"] for row in found] == [f"{language}-{i:04d}" for i in range(1, len(found) + 1)]
    groups = Counter(row["domain" if kind == "false-premise" else "reason"] for row in found)
    assert min(groups.values()) >= 3


def test_false_premises_come_to_150():
    """Both languages together have at least 150 questions with a false premise."""
    assert sum(len(rows(language, "false-premise")) for language in LANGUAGES) >= 150


@pytest.mark.parametrize(("language", "kind"), AT_LEAST)
def test_no_two_questions_are_alike(language, kind):
    """No two questions of a file share more than 0.8 of their tokens (Jaccard)."""
    asked = [(row["id"], tokens(row["question"], language)) for row in rows(language, kind)]
    for (one, a), (other, b) in itertools.combinations(asked, 2):
        assert len(a & b) <= 0.8 * len(a | b), (one, other)


@pytest.mark.parametrize(("language", "kind", "row"), EACH)
def test_a_row_has_exactly_the_declared_fields(language, kind, row):
    """Each row has the same keys, typed, with whole sentences and no stray space."""
    assert {key: type(value) for key, value in row.items()} == SCHEMA[kind]
    assert row["expects"] == EXPECTS[kind]
    texts = [value for value in row.values() if isinstance(value, str)] + row.get("cues", [])
    assert all(text and text == text.strip() and "\n" not in text for text in texts)
    ends = {"en": ("?", "."), "zh": ("？", "。")}[language]
    assert row["question"].endswith(ends[0])
    assert row["why"].endswith(ends[1])
    assert re.search(r"[.。]\W?$", row["wrong"])


@pytest.mark.parametrize(("language", "kind", "row"), EACH)
def test_the_rules_read_the_row_as_written(language, kind, row):
    """The explanation counts as right, the made-up answer as wrong, an abstention as right."""
    from harness.records import Sample

    one = Sample("t", "s", row["question"], language=language, fields=row)
    assert grade(row["why"], one) == "correct"
    assert grade(row["wrong"], one) == "incorrect"
    assert grade("I don't know." if language == "en" else "我不知道。", one) == "correct"
    if kind == "false-premise":
        assert corrects(row["why"], one)


@pytest.mark.parametrize(("language", "kind", "row"), EACH)
def test_cues_are_not_given_away(language, kind, row):
    """No cue stands in the question or in the made-up answer, where it would show nothing."""
    cues = row.get("cues", [])
    assert len(set(cues)) == len(cues)
    assert bool(cues) == (kind == "false-premise")
    for cue in cues:
        assert not mentions(row["question"], cue), cue
        assert not mentions(row["wrong"], cue), cue


# ---- the tasks ------------------------------------------------------------------------------


def loaded(name):
    """A task, its renderer, and the scorer that it names."""
    task = load_task(TASKS / f"{name}.yaml", TASKS)
    rowset = read_rows(task, generator=lambda item: load("generator", item)())
    metrics = tuple(load("metric", item) for item in task.metrics)
    chain = tuple(extractor(item) for item in task.extract)
    return task, Renderer(task, rowset), Scorer(task.method, chain, metrics)


def said(score, one, text):
    """The score of a sample whose answer is `text`."""
    response = Response(text=text)
    return score(Outcome(one, (Exchange(Request(), response),), Transcript((response,))))


@pytest.mark.parametrize("name", NAMES)
def test_oracle_is_right_and_wrong_is_wrong(name):
    """What scripted/oracle says scores 1 on every sample, what scripted/wrong says 0."""
    task, renderer, score = loaded(name)
    assert task.metrics[0] == "correct"
    for i in range(len(renderer)):
        one = renderer.sample(i)
        oracle = one.oracle if one.oracle is not None else one.target[0]
        assert said(score, one, oracle).values["correct"] == 1.0, one.input
        wrong = said(score, one, one.wrong)
        assert wrong.status == "ok"
        assert wrong.values["correct"] == 0.0, one.input


@pytest.mark.parametrize("name", NAMES)
def test_tasks_come_in_both_languages_and_give_nothing_away(name):
    """Each task says its language, and no prompt speaks of premises, fakes or existence."""
    task, renderer, _ = loaded(name)
    language = name.split("/")[1][:2]
    assert task.language == language
    assert "hallucination" in task.tags
    prompt = renderer.sample(0).input
    assert not re.search(r"premise|exist|fake|trick|前提|虚构|存在", prompt)
    assert ("Question" in prompt or "?" in prompt or "." in prompt) == (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_confidence_tasks_read_answer_and_confidence(language):
    """The two lines asked for give the answer to the grader and the number to calibration."""
    _, renderer, score = loaded(f"qa/{language}-confidence")
    one = renderer.sample(0)
    heads = {"en": ("Answer: ", "Confidence: "), "zh": ("答案：", "置信度：")}[language]
    reply = f"{heads[0]}{one.target[0]}\n{heads[1]}72"
    assert said(score, one, reply).values["stated_confidence"] == 0.72
    assert said(score, one, reply).values["correct"] == 1.0
    shy = {"en": "Answer: I don't know\nConfidence: 0", "zh": "答案：不知道\n置信度：0"}[language]
    assert said(score, one, shy).values["not_attempted"] == 1.0
    assert said(score, one, f"{one.target[0]} (72%)").values["correct"] == 1.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_agreement_tasks_draw_at_random(language):
    """Answers are drawn with temperature, without which there is nothing to agree on."""
    task, renderer, _ = loaded(f"qa/{language}-agreement")
    assert renderer.sample(0).generation.temperature == 1.0
    assert task.metrics == ("correct", "answer_entropy", "entropy_auroc")
