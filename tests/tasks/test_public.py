"""The tasks of tasks/public: rows of the original form become the requests of the definition."""

from __future__ import annotations

import re

import pytest
from public_rows import CASES, GSM8K, MC_QUESTION, rows_for
from public_tasks import (
    CHOOSE,
    NAMES,
    OWN_ROWS,
    PUBLIC,
    TASKS,
    first_requests,
    prepared,
    primary,
    said,
    samples_of,
    scores_of,
    spec_of,
    written,
)

from harness.backend.scripted import open_scripted
from harness.interact.ask import flatten
from harness.prepare import prepare
from harness.records import ModelSpec, RunSpec
from harness.task.rows import read_rows

PAIRS = [
    pytest.param(name, case, id=f"{name}-{number}")
    for number, case in enumerate(CASES)
    for name in case.tasks
]


# ---- the files ------------------------------------------------------------------------------


def test_every_named_set_has_a_task():
    """Every set that the project promises is there."""
    promised = (
        "gsm8k svamp arithmetic-2da wsc273 winogrande xwinograd-en xwinograd-zh cluewsc2020 "
        "triviaqa nq_open truthful_qa-mc1 truthful_qa-mc2 simpleqa chinese_simpleqa lambada "
        "c-eval cmmlu mmlu arc-easy arc-challenge bbh-navigate boolq boolq-contrast"
    )
    assert [name for name in promised.split() if name not in NAMES] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_task_names_its_definition(name):
    """A task says whose set it is, which definition it follows, and under what licence."""
    spec = spec_of(name)
    assert "public" in spec.tags
    assert spec.source is not None
    assert spec.licence is not None
    assert "Definition: " in spec.source
    assert re.search(r"version \d|\d{4}|FewCLUE|paper", spec.source.partition("Definition: ")[2])
    assert spec.about.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_rank_task_has_a_twin_for_chat_models(name):
    """What needs log-likelihoods of options can be asked of a chat model too."""
    if spec_of(name).method == "rank" and name != "truthful_qa-mc2":
        assert spec_of(f"{name}-choose").method == "choose"


def test_no_rows_are_kept():
    """The folder holds task files alone, none of them long enough to hold rows or examples."""
    for path in PUBLIC.rglob("*"):
        assert path.suffix == ".yaml", path
        assert len(path.read_text(encoding="utf-8")) < 2500, path


# ---- requests and scores --------------------------------------------------------------------


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_the_first_row_becomes_the_requests_of_the_definition(tmp_path, name, case):
    """Prompt and continuation are the definition's, letter by letter."""
    task = prepared(name, written(tmp_path, case.rows))
    sample = samples_of(task)[0]
    requests = first_requests(task, sample)
    if isinstance(case.requests, str):
        assert requests[0].prompt == case.requests or not case.requests
        assert flatten(first_requests(task, sample, chat=True)[0].messages) == requests[0].prompt
        assert requests[0].prompt.endswith("A:") or case.requests
    else:
        assert tuple((r.prompt, r.continuation) for r in requests) == case.requests
        assert {r.kind for r in requests} == {"loglikelihood"}


@pytest.mark.parametrize("name", OWN_ROWS)
def test_the_oracle_is_right_and_the_wrong_model_wrong(tmp_path, name):
    """Who knows scores 1, who takes care not to scores 0."""
    task = prepared(name, written(tmp_path, rows_for(name)))
    right = primary(task, scores_of(task, "oracle"))
    wrong = primary(task, scores_of(task, "wrong"))
    if name == "truthful_qa-mc2":
        assert right == pytest.approx([1.0], abs=1e-3)
        assert wrong == pytest.approx([0.0], abs=1e-3)
    else:
        assert (set(right), set(wrong)) == ({1.0}, {0.0})


@pytest.mark.parametrize("name", CHOOSE)
def test_a_twin_asks_for_a_letter(tmp_path, name):
    """In chat, options stand below the question, and their letters are the answers."""
    task = prepared(name, written(tmp_path, rows_for(name)))
    for sample in samples_of(task):
        text = first_requests(task, sample, chat=True)[0].messages[-1].content
        assert "etter" in text or "字母" in text
        assert re.search(r"\nA\. .*\nB\. ", text)
        reply = said(task, sample, f"The answer is {'ABCD'[sample.gold]}.")
        assert reply.values["accuracy"] == 1.0


def test_twins_of_truthfulqa_do_not_give_the_order_away(tmp_path):
    """The set lists the true answer first; the letter asked for is not always A."""
    row = rows_for("truthful_qa-mc1")[0]
    other = {
        "question": "What is ice?",
        "mc1_targets": {"choices": ["Water, frozen.", "A metal."], "labels": [1, 0]},
    }
    task = prepared("truthful_qa-mc1-choose", written(tmp_path, [row, other]))
    assert [sample.gold for sample in samples_of(task)] == [0, 1]


# ---- stops, examples and headings ------------------------------------------------------------


STOPS = {
    "gsm8k": ("Question:", "</s>", "<|im_end|>"),
    "gsm8k-5shot": ("Question:", "</s>", "<|im_end|>"),
    "triviaqa": ("\n", ".", ","),
    "nq_open": ("\n", ".", ","),
    "bbh-navigate": ("</s>", "Q:", "<|im_end|>"),
}


@pytest.mark.parametrize("name", STOPS)
def test_generation_stops_where_the_definition_does(name):
    """Stop texts are the definition's, and nothing is drawn at random."""
    assert tuple(spec_of(name).generation["stop"]) == STOPS[name]
    assert spec_of(name).generation["temperature"] == 0


def test_examples_of_gsm8k_are_whole_solutions(tmp_path):
    """A solved example is question, space, solution and blank line, as in the definition."""
    task = prepared("gsm8k", written(tmp_path, GSM8K), shots=1)
    prompt = first_requests(task, samples_of(task)[0])[0].prompt
    other, own = GSM8K[1], GSM8K[0]
    assert prompt == (
        f"Question: {other['question']}\nAnswer: {other['answer']}\n\n"
        f"Question: {own['question']}\nAnswer:"
    )


def test_the_five_examples_of_gsm8k_come_from_the_train_split(tmp_path, monkeypatch):
    """gsm8k-5shot reads the hub's train split, and puts five of its problems first."""
    import datasets

    def load_dataset(path, config, *, split, revision):
        assert (path, config, revision) == ("openai/gsm8k", "main", None)
        return [{"question": f"{split} {i}?", "answer": f"{i}\n#### {i}"} for i in range(8)]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    rows = read_rows(spec_of("gsm8k-5shot"), generator=lambda name: None)
    assert rows.rows[0]["question"] == "test 0?"
    item = TASKS["public/gsm8k-5shot"][0]
    run = RunSpec(tasks=("public/gsm8k-5shot",), model=ModelSpec("scripted", "oracle"))
    ready, _ = prepare([item], run, open_scripted("oracle", {}, {}.__getitem__))
    prompt = first_requests(ready[0], samples_of(ready[0])[0])[0].prompt
    solved = r"Question: train \d\?\nAnswer: \d\n#### \d\n\n"
    assert re.fullmatch(rf"({solved}){{5}}Question: test 0\?\nAnswer:", prompt)
    assert set(primary(ready[0], scores_of(ready[0], "oracle"))) == {1.0}
    assert set(primary(ready[0], scores_of(ready[0], "wrong"))) == {0.0}


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("arithmetic-2da", "Question: What is (6 * 2) - 5?\nAnswer: 7\n\n"),
        ("winogrande", "The kettle would not fit the shelf since the kettle was too wide.\n\n"),
        ("arc-easy", "Question: What pulls a stone down?\nAnswer: gravity\n\n"),
        ("boolq", "Ferns like shade.\nQuestion: do ferns like shade?\nAnswer: yes\n\n"),
    ],
)
def test_examples_join_question_and_answer_by_one_space(tmp_path, name, answered):
    """With examples, a likelihood task gets the layout of lm-evaluation-harness."""
    task = prepared(name, written(tmp_path, rows_for(name)), shots=1)
    assert first_requests(task, samples_of(task)[0])[0].prompt.startswith(answered)


def test_a_heading_given_by_hand_stands_before_the_question(tmp_path):
    """TruthfulQA's own questions and answers go first where --system gives them."""
    file = written(tmp_path, rows_for("truthful_qa-mc1"))
    task = prepared("truthful_qa-mc1", file, system="Q: Is tea wet?\nA: Yes.")
    request = first_requests(task, samples_of(task)[0])[0]
    assert request.prompt == f"Q: Is tea wet?\nA: Yes.\n\nQ: {MC_QUESTION}\nA:"


def test_a_heading_without_a_subject_names_none(tmp_path):
    """Rows of CMMLU as the hub has them do not name their subject."""
    row = {key: value for key, value in rows_for("cmmlu")[0].items() if key != "subject"}
    task = prepared("cmmlu", written(tmp_path, [row]))
    assert samples_of(task)[0].system == "以下是单项选择题，请直接给出正确答案的选项。"


def test_an_option_that_looks_like_an_index_is_still_found(tmp_path):
    """Options such as "2" and "4" are told from positions, and options of one text by position."""
    first, second = samples_of(prepared("arc-easy", written(tmp_path, rows_for("arc-easy"))))
    assert (first.gold, first.target) == (2, ("6",))
    assert second.gold == 0
    row = {"question": "?", "choices": {"text": ["a", "b", "b"], "label": ["A", "B", "C"]}}
    file = written(tmp_path, [row | {"answerKey": "C"}])
    assert samples_of(prepared("arc-easy", file))[0].gold == 2


# ---- readings of replies ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "values"),
    [
        ("3 * 400 = 1200, and 45 more.\n#### 1,245", (1.0, 1.0, 1.0)),
        ("#### $1245.00", (1.0, 0.0, 0.0)),
        ("She has $1,245.", (1.0, 0.0, 1.0)),
        ("So the answer is 1245 nails, 45 of them new", (1.0, 0.0, 0.0)),
        ("#### 1245\nCheck: 1200 + 45", (1.0, 1.0, 0.0)),
        ("#### 1244", (0.0, 0.0, 0.0)),
        ("I cannot say.", (0.0, 0.0, 0.0)),
    ],
)
def test_three_readings_of_a_gsm8k_reply(tmp_path, reply, values):
    """Our reader, the figure after the hashes, and the last figure can differ."""
    task = prepared("gsm8k", written(tmp_path, GSM8K))
    score = said(task, samples_of(task)[0], reply)
    found = score.values
    assert (found["final_number"], found["gsm8k_strict"], found["gsm8k_flexible"]) == values


@pytest.mark.parametrize(
    ("name", "reply", "value"),
    [
        ("triviaqa", " oak!", 1.0),
        ("triviaqa", "the oaktree", 1.0),
        ("triviaqa", "the oak", 0.0),
        ("triviaqa", "", 0.0),
        ("nq_open", "the Oak.", 1.0),
        ("nq_open", "an oak trees", 1.0),
        ("nq_open", "elm", 0.0),
        ("bbh-boolean_expressions", " the value is False, not True", 1.0),
        ("bbh-boolean_expressions", "false", 0.0),
        ("bbh-formal_fallacies", "it is invalid.", 1.0),
        ("bbh-date_understanding", "I take (A) 05/08/2030", 1.0),
        ("bbh-date_understanding", "(B)", 0.0),
        ("bbh-object_counting", "There are 3 of 4.", 1.0),
        ("simpleqa", "They make barrels.", 1.0),
        ("simpleqa", "I don't know.", 0.0),
        ("chinese_simpleqa", "箍桶匠制作木桶。", 1.0),
        ("svamp", "42 bulbs", 1.0),
    ],
)
def test_replies_are_read_as_the_definition_says(tmp_path, name, reply, value):
    """Case, marks and articles count only where the definition lets them."""
    task = prepared(name, written(tmp_path, rows_for(name)))
    score = said(task, samples_of(task)[0], reply)
    assert score.values[task.metrics[0].name] == value


def test_the_whole_reply_of_a_bbh_task_is_read_too(tmp_path):
    """`bbh_strict` wants nothing but the answer, marks and case aside."""
    task = prepared("bbh-navigate", written(tmp_path, rows_for("bbh-navigate")))
    sample = samples_of(task)[0]
    assert said(task, sample, ' "yes".').values["bbh_strict"] == 1.0
    assert said(task, sample, "Yes, you do").values["bbh_strict"] == 0.0
