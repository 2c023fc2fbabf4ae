"""A judge against people: known answers of every number, on every scale."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from auditing_scripts import hearing
from talking import JUDGES

from harness.calibrating import Calibrating, bundled_labels, labels_from
from harness.errors import InvalidFile, UsageError
from harness.judge.calibrate import calibration
from harness.judge.item import Item
from harness.judge.labels import Labelled, read_labels
from harness.judge.modes import Judged
from harness.judge.scale import positive, scale_of, value_of
from harness.judge.spec import find_judge
from harness.records import Verdict

SPECS = {name: find_judge(name, [JUDGES])
         for name in ("correct", "explanation", "pairwise", "translation", "panel")}  # fmt: skip


def calibrated(judge, labelled, script="perfect", limit=None, **arguments):
    """Return the calibration of a scripted judge."""
    one = Calibrating(hearing(judge, script, **arguments), labelled, limit)
    return asyncio.run(one.go())


def compared(judge, pairs, raters=()):
    """Return the calibration of verdicts that were given: (label, verdict) each."""
    spec = SPECS[judge]
    labels = [
        Labelled(Item(f"q{k}", "a"), label, raters[k] if raters else ())
        for k, (label, _) in enumerate(pairs)
    ]
    said = [Judged(verdict, None if verdict is None else value_of(spec, verdict), reason="mute")
            for _, verdict in pairs]  # fmt: skip
    return calibration(spec, labels, said)


# ---- known answers --------------------------------------------------------------------------


def test_kappa_and_alpha_of_cohens_own_table():
    """50 items: both yes 20, both no 15, 5 and 10 apart: kappa 0.4 (Cohen's textbook example)."""
    pairs = ([("correct", "correct")] * 20 + [("correct", "incorrect")] * 5
             + [("incorrect", "correct")] * 10 + [("incorrect", "incorrect")] * 15)  # fmt: skip
    found = compared("correct", pairs)
    assert found.confusion == ((20, 5, 0), (10, 15, 0), (0, 0, 0))
    assert found.numbers["accuracy"].value == pytest.approx(0.7)
    assert found.numbers["kappa"].value == pytest.approx(0.4)
    # Krippendorff: 1 - (n-1) * 2*15 / (2 * 55 * 45), n = 100 ratings
    assert found.numbers["alpha"].value == pytest.approx(1 - 99 * 30 / (2 * 55 * 45))
    assert found.numbers["sensitivity"].value == pytest.approx(0.8)
    assert found.numbers["specificity"].value == pytest.approx(0.6)
    for name in ("accuracy", "kappa", "alpha", "sensitivity", "specificity"):
        one = found.numbers[name]
        assert one.low < one.value < one.high


def test_labels_of_two_grades_know_no_third():
    """A judge that says "not attempted" of a wrong answer is right about right and wrong."""
    pairs = [("correct", "correct")] * 3 + [("incorrect", "not_attempted")] * 2
    found = compared("correct", pairs)
    assert found.numbers["accuracy"].value == pytest.approx(0.6)
    assert found.numbers["accuracy_right_wrong"].value == 1.0


def test_levels_have_ranks_and_a_mean_error():
    """A judge that gives one level too many, always: perfect ranks, a mean error of a quarter."""
    pairs = [(str(1 + k % 4), str(2 + k % 4)) for k in range(40)]
    found = compared("explanation", pairs).numbers
    assert found["spearman"].value == pytest.approx(1.0)
    assert found["kendall"].value == pytest.approx(1.0)
    assert found["mean_error"].value == pytest.approx(0.25)
    assert found["kappa"].value < 0 < found["kappa_linear"].value < found["kappa_quadratic"].value


def test_scores_of_a_checklist_are_compared_as_numbers():
    """A label is a number or yes and no; above a half is yes."""
    spec = SPECS["translation"]
    assert scale_of(spec).kind == "score"
    labels = [Labelled(Item(f"q{k}", "a"), repr(k / 10)) for k in range(11)]
    said = [Judged(f"{k} of 4", k / 10) for k in range(11)]
    found = calibration(spec, labels, said)
    assert found.verdicts == ("no", "yes")
    assert found.confusion == ((6, 0), (0, 5))
    assert found.numbers["pearson"].value == pytest.approx(1.0)
    assert found.numbers["mean_error"].value == 0
    assert found.numbers["alpha"].value == pytest.approx(1.0)
    assert value_of(spec, "yes") == 1.0


def test_ties_count_or_do_not():
    """Agreement over all pairs, and over those that neither side calls a tie."""
    pairs = [("A", "A")] * 6 + [("B", "A")] * 2 + [("tie", "A")] * 2 + [("A", "tie")] * 2
    found = compared("pairwise", pairs).numbers
    assert found["accuracy"].value == pytest.approx(6 / 12)
    assert (found["accuracy_without_ties"].value, found["accuracy_without_ties"].n) == (0.75, 8)


def test_the_first_slot_is_told_with_both_orders():
    """Six pairs decided by the first slot, two the same in both orders."""

    def judged(ab, ba):
        verdicts = tuple(Verdict("p", "m", "A", order=name, score=score)
                         for name, score in (("ab", ab), ("ba", ba)))  # fmt: skip
        return Judged("A" if ab == ba else "tie", ab if ab == ba else 0.5, verdicts)

    labels = [Labelled(Item(f"q{k}", "a", other="b"), "A") for k in range(8)]
    found = calibration(
        SPECS["pairwise"], labels, [judged(1.0, 0.0)] * 6 + [judged(1.0, 1.0)] * 2
    ).numbers
    assert found["consistency"].value == pytest.approx(0.25)
    assert found["first_slot"].value == pytest.approx((12 + 2) / 16)
    assert found["position_bias"].value == pytest.approx(0.75)


def test_a_judge_stands_in_for_each_rater():
    """The ceiling and the judge are compared with the same others."""
    raters = [("A", "A", "B"), ("B", "B", "B"), ("A", None, "A")] * 4
    pairs = [("A", "A"), ("B", "B"), ("A", "B")] * 4
    found = compared("pairwise", pairs, raters).numbers
    # of the first row's raters one meets A and B (a half) twice and A A once, itself B
    assert found["human_ceiling"].value == pytest.approx((0.5 + 0.5 + 0 + 3 + 2) / 8)
    assert found["judge_as_rater"].value == pytest.approx((0.5 + 0.5 + 1 + 3 + 0) / 8)
    for name in ("human_ceiling", "judge_as_rater", "alpha_people", "alpha_with_judge"):
        assert found[name].low is not None, name


def test_labels_on_one_question_are_one_cluster():
    """The same verdicts on 40 questions or on 4: the interval knows."""

    def width(questions):
        labels = [Labelled(Item(f"q{k % questions}", f"a{k}"), "correct") for k in range(40)]
        said = [Judged("correct" if k % questions % 4 else "incorrect", 1.0) for k in range(40)]
        one = calibration(SPECS["correct"], labels, said).numbers["accuracy"]
        return one.high - one.low

    assert width(4) > 1.5 * width(40)


def test_nothing_judged_is_no_number():
    """All missing: bounds 0 to 1, no number, a warning."""
    found = compared("correct", [("correct", None), ("incorrect", None)])
    assert found.numbers == {}
    assert found.bounds == (0.0, 1.0)
    assert found.missing_reasons == {"mute": 2}
    assert any("2 of 2 verdicts are missing" in warning for warning in found.warnings)


# ---- scripted judges ------------------------------------------------------------------------


@pytest.mark.parametrize("judge", ["correct", "correct-short", "panel"])
def test_a_perfect_judge_agrees_with_the_labels_that_ship(judge):
    """208 items, all three grades: scripted judges know the labels."""
    labelled = bundled_labels(hearing(judge, "perfect").assigned)
    assert len(labelled) == 208
    found = calibrated(judge, labelled)
    assert found.numbers["accuracy"].value == 1.0
    assert found.numbers["kappa"].value == 1.0
    assert set(found.groups) == {"en", "zh"}


def test_a_noisy_judge_is_as_good_as_its_noise():
    """Three in ten verdicts turned over: the interval holds 70 %."""
    one = hearing("correct", "noisy", share=0.3)
    found = calibrated("correct", bundled_labels(one.assigned), "noisy", share=0.3)
    accuracy = found.numbers["accuracy_right_wrong"]
    assert accuracy.low < 0.7 < accuracy.high


def test_levels_without_log_likelihoods_are_noted():
    """Twenty replies an item instead of one look at the probabilities: the reader is told."""
    labelled = [Labelled(Item(f"q{k}", "a", key=f"k{k}"), str(1 + k % 5)) for k in range(5)]
    found = calibrated("explanation-expected", labelled)
    assert found.numbers["accuracy"].value == 1.0
    assert any("20 sampled replies" in warning for warning in found.warnings)
    one = Calibrating(hearing("explanation-expected", "perfect"), labelled)
    assert one.estimate().requests == 100


def test_a_limit_draws_labels_at_random():
    """Not the first ones, the same each time, in the order of the file."""
    labelled = bundled_labels(hearing("correct", "perfect").assigned)
    one, again = (Calibrating(hearing("correct", "perfect"), labelled, 20) for _ in range(2))
    assert [x.item.key for x in one.drawn] == [x.item.key for x in again.drawn]
    assert len(one.drawn) == 20
    assert {x.group for x in one.drawn} == {"en", "zh"}
    assert one.estimate().requests == 20


def test_judges_on_other_scales_need_labels_of_their_own():
    """Grades of short answers say nothing of levels; the error names the scale."""
    for judge, scale in (("explanation", "1, 2, 3, 4, 5"), ("translation", "a number from 0 to 1"),
                         ("pairwise", "A, B, tie")):  # fmt: skip
        with pytest.raises(UsageError, match=f"give --labels FILE.*{scale}"):
            bundled_labels(hearing(judge, "perfect").assigned)
    with pytest.raises(UsageError, match="--form and --system describe a file"):
        labels_from(hearing("correct", "perfect").assigned, "bundled", "evouna")


def test_a_panel_reads_labels_on_its_members_scale():
    """Majority of graders: grades; a mean: a number."""
    assert scale_of(SPECS["panel"]).verdicts == ("correct", "incorrect", "not_attempted")
    assert positive(SPECS["panel"], "correct")


# ---- files ----------------------------------------------------------------------------------

PAIR = {"question": "q", "answer": "x", "other": "y", "label": "A"}


@pytest.mark.parametrize(
    ("name", "text", "judge", "form", "message"),
    [
        ("a.csv", "question,answer\nq,a\n", "correct", "own",
         "a.csv:2: label: no such column.*got: question, answer"),
        ("a.csv", 'question,answer,label\n"two\nlines",a,correct\nq,a,corect\n', "correct", "own",
         "a.csv:4: label: not a label.*did you mean 'correct'"),
        ("a.jsonl", '\n{"question": "q", "answer": null, "label": "correct"}', "correct", "own",
         "a.jsonl:2: answer: no text"),
        ("a.json", '[{"question": "q", "answer": "x", "label": "A"}]', "pairwise", "own",
         r"a.json: \[0\].other: no such column"),
        ("a.jsonl", json.dumps({**PAIR, "labels": "A"}), "pairwise", "own", "labels: not a list"),
        ("a.jsonl", '{"question": "q", "answer": "a", "label": 1.5}', "translation", "own",
         "allowed: a number from 0 to 1, yes .1. or no .0.; got: 1.5"),
        ("a.jsonl", '{"question": "q", "answer": "a", "label": "good"}', "translation", "own",
         "not a label"),
        ("a.json", '[{"input": "i", "output_1": "x", "output_2": "y", "label": 3}]', "pairwise",
         "llmbar", r"\[0\].label: not a label of this set; allowed: 1, 2; got: 3"),
        ("a.json", '[{"input": "i", "output_1": "x", "label": 1}]', "pairwise", "llmbar",
         r"\[0\].output_2: no such column"),
        ("a.jsonl", '{"question": "q", "response_A": "x", "response_B": "y", "label": "A"}',
         "pairwise", "judgebench", "a.jsonl:1: label: not a label of this set; allowed: A>B, B>A"),
        ("a.json", '[{"instruction": "i", "response1": "x", "response2": "y", "annotator1": 1}]',
         "pairwise", "pandalm", "annotator2: no such column"),
        ("a.jsonl", '{"prompt": "p", "response 1": "x", "response_2": "y", "label": 0}',
         "pairwise", "auto-j", "a.jsonl:1: response 2: no such column"),
        ("a.json", '[{"question": "q", "golden_answer": "g", "answer_x": "a", "judge_x": "yes"}]',
         "correct", "evouna", "judge_x: not a label of this set; allowed: true, false, null"),
        ("a.json", '[{"question": "q", "golden_answer": "g"}]', "correct", "evouna",
         "judge_gpt4: no such column"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_names_file_line_and_column(
    tmp_path, name, text, judge, form, message
):
    """Nothing is guessed: neither a label nor a column."""
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidFile, match=message):
        read_labels(tmp_path / name, SPECS[judge], form)


@pytest.mark.parametrize(
    ("judge", "form", "system", "message"),
    [
        ("correct", "llmbar", "", "holds pairs of answers and needs a pairwise judge"),
        ("pairwise", "evouna", "", "holds single answers and needs a judge of one answer"),
        ("pairwise", "llmbar", "gpt4", "does not hold the answers of several systems"),
    ],
)
def test_a_form_must_fit_the_judge(tmp_path, judge, form, system, message):
    """Told before any row is read."""
    with pytest.raises(UsageError, match=message):
        read_labels(tmp_path / "none.json", SPECS[judge], form, system)


def test_an_unknown_system_is_told_those_that_are_there(tmp_path):
    """EVOUNA holds five systems' answers."""
    row = {"question": "q", "golden_answer": "g", "answer_fid": "a", "judge_fid": True}
    (tmp_path / "a.json").write_text(json.dumps([row]))
    with pytest.raises(InvalidFile, match="no such system; allowed: fid; got: gpt5"):
        read_labels(tmp_path / "a.json", SPECS["correct"], "evouna", "gpt5")


def test_pandalm_has_instructions_without_input(tmp_path):
    """Its file writes NaN there, which is no part of the question."""
    row = ('[{"instruction": "Say hi.", "input": NaN, "response1": "hi", "response2": "ho", '
           '"annotator1": 2, "annotator2": 2, "annotator3": 0}]')  # fmt: skip
    (tmp_path / "testset-v1.json").write_text(row)
    (found,) = read_labels(tmp_path / "testset-v1.json", SPECS["pairwise"], "pandalm")
    assert found.item.question == "Say hi."
    assert (found.label, found.raters) == ("B", ("B", "B", "tie"))


def test_raters_stand_in_columns_too(tmp_path):
    """label_1, label_2 …; an empty cell is a rater who did not see the item."""
    (tmp_path / "a.csv").write_text(
        "question,answer,label,label_1,label_2,label_ok\nq,a,correct,correct,,?\n"
    )
    (found,) = read_labels(tmp_path / "a.csv", SPECS["correct"])
    assert found.raters == ("correct", None)


def test_numbers_from_tables_are_levels(tmp_path):
    """A spreadsheet writes 4.0."""
    (tmp_path / "a.csv").write_text("question,answer,label\nq,a,4.0\n")
    (found,) = read_labels(tmp_path / "a.csv", SPECS["explanation"])
    assert found.label == "4"


@pytest.mark.parametrize(("name", "data"), [("a.parquet", b"PAR1no"), ("a.json.gz", b"\x1f\x8bno"),
                                            ("a.csv", b"\xff\xfe\x00")])  # fmt: skip
def test_a_broken_file_is_told_in_one_line(tmp_path, name, data):
    """No traceback of a library."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_labels(tmp_path / name, SPECS["correct"])


SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not (SHARED / "llmbar").is_dir(), reason="the public sets are not here")
def test_the_public_sets_are_read_as_they_are_published():
    """LLMBar: 419 pairs; EVOUNA-NQ: 3,020 of GPT-4's answers labelled, 78.8 % of them right."""
    names = ("Natural", "Adversarial/Neighbor", "Adversarial/GPTInst", "Adversarial/GPTOut",
             "Adversarial/Manual")  # fmt: skip
    pairs = 0
    for name in names:
        (path,) = (SHARED / "llmbar" / "LLMBar" / name).glob("dataset.json*")
        pairs += len(read_labels(path, SPECS["pairwise"], "llmbar"))
    assert pairs == 419
    path = SHARED / "qa_eval_evouna" / "NQ.json.gz"
    found = read_labels(path, SPECS["correct"], "evouna", "gpt4")
    assert len(found) == 3020
    assert sum(one.label == "correct" for one in found) / 3020 == pytest.approx(0.788, abs=5e-4)
