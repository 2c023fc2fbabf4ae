"""Labels: files of every kind, public sets in their original form, and what ships."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from talking import JUDGES

from harness.errors import InvalidFile, UnknownName
from harness.judge.calibrate import calibration, positive
from harness.judge.labels import Labelled, read_labels
from harness.judge.metric import JUDGED, undecided, with_verdict
from harness.judge.modes import Judged
from harness.judge.scripted import by_reference
from harness.judge.spec import find_judge
from harness.judge.style import Style, style, style_difference
from harness.records import Outcome, Sample, Score, Transcript, Verdict

CORRECT = find_judge("correct", [JUDGES])
PAIRWISE = find_judge("pairwise", [JUDGES])
EXPLANATION = find_judge("explanation", [JUDGES])
ROW = {"question": "Q?", "answer": "yes", "label": "correct", "reference": ["yes", "yep"]}


def written(path: Path, rows) -> Path:
    """Write rows in the format that the name asks for."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".gz":
        with gzip.open(path, "wt") as handle:
            json.dump(rows, handle)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.json", "a.json.gz"])
def test_labels_come_in_any_usual_format(tmp_path, name):
    """The same row, however it is stored."""
    row = {**ROW, "reference": "yes"}
    (found,) = read_labels(written(tmp_path / name, [row]), CORRECT)
    assert (found.label, found.item.reference, found.item.answer) == ("correct", ("yes",), "yes")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**ROW, "label": "corect"}, "did you mean 'correct'"),
        ({"question": "Q?", "label": "correct"}, "answer"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, message):
    """File, row and what is allowed."""
    path = written(tmp_path / "a.jsonl", [ROW, row])
    with pytest.raises(InvalidFile, match=message) as caught:
        read_labels(path, CORRECT)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.jsonl", "{"), ("a.jsonl", "[1]"), ("a.json", "{}"), ("a.json", "{"), ("a.jsonl", ""),
     ("a.txt", "x")],
)  # fmt: skip
def test_a_file_that_holds_no_rows_is_refused(tmp_path, name, text):
    """Broken JSON, a wrong shape, an unknown ending, nothing at all."""
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidFile):
        read_labels(tmp_path / name, CORRECT)


def test_an_unknown_form_gets_a_suggestion(tmp_path):
    """As every name does."""
    with pytest.raises(UnknownName, match="did you mean 'llmbar'"):
        read_labels(tmp_path / "a.json", CORRECT, "llmbr")


@pytest.mark.parametrize(
    ("form", "row", "spec", "label", "answer"),
    [
        ("llmbar", {"input": "q", "output_1": "x", "output_2": "y", "label": 2}, PAIRWISE,
         "B", "x"),
        ("judgebench", {"question": "q", "response_A": "x", "response_B": "y", "label": "A>B"},
         PAIRWISE, "A", "x"),
        ("pandalm", {"instruction": "q", "input": "", "response1": "x", "response2": "y",
                     "annotator1": 1, "annotator2": 0, "annotator3": 1}, PAIRWISE, "A", "x"),
        ("pandalm", {"instruction": "q", "input": "i", "response1": "x", "response2": "y",
                     "annotator1": 1, "annotator2": 0, "annotator3": 2}, PAIRWISE, "tie", "x"),
        ("auto-j", {"prompt": "q", "response 1": "x", "response 2": "y", "label": 2}, PAIRWISE,
         "tie", "x"),
        ("evouna", {"question": "q", "golden_answer": "a/b", "answer_gpt4": "x",
                    "judge_gpt4": True, "improper": False}, CORRECT, "correct", "x"),
    ],
)  # fmt: skip
def test_public_sets_are_read_in_their_original_form(tmp_path, form, row, spec, label, answer):
    """Columns as their authors publish them."""
    (found,) = read_labels(written(tmp_path / "set.json", [row]), spec, form)
    assert (found.label, found.item.answer) == (label, answer)
    if form == "evouna":
        assert found.item.reference == ("a", "b")
        assert found.group == "gpt4"


def test_improper_and_unlabelled_rows_of_evouna_are_left_out(tmp_path):
    """Null labels are no labels."""
    base = {"question": "q", "golden_answer": "a", "answer_fid": "x", "improper": False}
    rows = [{**base, "judge_fid": None}, {**base, "judge_fid": True, "improper": True},
            {**base, "judge_fid": False}]  # fmt: skip
    (found,) = read_labels(written(tmp_path / "NQ.json", rows), CORRECT, "evouna", "fid")
    assert found.label == "incorrect"


def test_an_answer_that_evouna_has_as_null_is_an_empty_one(tmp_path):
    """NQ.json has one, which people called wrong."""
    row = {"question": "q", "golden_answer": "a", "answer_fid": None, "judge_fid": False,
           "improper": False}  # fmt: skip
    (found,) = read_labels(written(tmp_path / "NQ.json", [row]), CORRECT, "evouna", "fid")
    assert (found.item.answer, found.label) == ("", "incorrect")


def shipped():
    return [
        one for path in sorted((JUDGES / "labelled").glob("*.jsonl"))
        for one in read_labels(path, CORRECT)
    ]  # fmt: skip


def test_the_labels_that_ship_suffice():
    """At least 200 items in two languages, all three grades, at least 50 negatives."""
    found = shipped()
    assert len(found) >= 200
    assert len({(one.item.question, one.item.answer) for one in found}) == len(found)
    counts = Counter(one.label for one in found)
    assert min(counts[name] for name in ("correct", "incorrect", "not_attempted")) >= 20
    assert counts["incorrect"] >= 50
    assert {one.item.language for one in found} == {"en", "zh"}


def test_the_labels_that_ship_need_a_judge():
    """A substring match is right on well under nine in ten: the items are not trivial."""
    found = shipped()
    right = sum(
        (by_reference(one.item, one.item.answer) == 1) == (one.label == "correct") for one in found
    )
    assert right / len(found) < 0.85


# ---- calibration ----------------------------------------------------------------------------


def judged(verdict):
    return Judged(verdict, None if verdict is None else CORRECT.value(verdict), reason="mute")


def test_calibration_counts_and_bounds():
    """Confusion by label and verdict; a missing verdict stands apart and bounds the accuracy."""
    item = shipped()[0].item
    labels = [Labelled(item, name) for name in ("correct", "correct", "incorrect", "incorrect")]
    found = calibration(
        CORRECT, labels, [judged(v) for v in ("correct", "incorrect", "incorrect", None)]
    )
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 0))
    assert (found.judged, found.missing) == (3, 1)
    assert found.bounds == (0.5, 0.75)
    assert found.numbers["accuracy"].value == pytest.approx(2 / 3)
    assert found.numbers["sensitivity"].value == 0.5
    assert found.numbers["specificity"].value == 1.0
    assert found.missing_reasons == {"mute": 1}
    assert any("missing" in warning for warning in found.warnings)
    assert any("negatives" in warning for warning in found.warnings)


def test_ordinal_labels_get_weighted_kappa_and_rank_correlations():
    """A judge one level off now and then."""
    items = [one.item for one in shipped()]
    levels = [str(1 + k % 5) for k in range(60)]
    said = [str(min(int(level) + (k % 7 == 0), 5)) for k, level in enumerate(levels)]
    found = calibration(
        EXPLANATION, [Labelled(items[k], level) for k, level in enumerate(levels)],
        [Judged(level, EXPLANATION.value(level)) for level in said],
    )  # fmt: skip
    numbers = found.numbers
    assert numbers["kappa_quadratic"].value > numbers["kappa"].value > 0.7
    assert numbers["spearman"].low < numbers["spearman"].value <= 1


def test_several_raters_give_a_ceiling():
    """People agree so far among themselves; alpha with and without the judge."""
    item = shipped()[0].item
    labels = [
        Labelled(item, "correct", ("correct", "correct", None)),
        Labelled(item, "incorrect", ("incorrect", "correct", "incorrect")),
    ]
    found = calibration(CORRECT, labels, [judged("correct"), judged("incorrect")])
    assert found.numbers["human_ceiling"].value == pytest.approx((1 + 1 + 0.5 + 0 + 0.5) / 5)
    assert found.numbers["alpha_people"].value is not None
    assert found.numbers["alpha_with_judge"].value is not None


def test_pairwise_calibration_tells_consistency():
    """Accuracy with and without ties, and what the two orders say."""
    item = shipped()[0].item
    orders = (
        Verdict("p", "m", "A", order="ab", score=1.0),
        Verdict("p", "m", "B", order="ba", score=1.0),
    )
    found = calibration(
        PAIRWISE, [Labelled(item, "A"), Labelled(item, "tie")],
        [Judged("A", 1.0, orders), Judged("A", 1.0, orders)],
    )  # fmt: skip
    assert found.numbers["accuracy"].value == 0.5
    assert found.numbers["accuracy_without_ties"].value == 1.0
    assert found.numbers["consistency"].value == 1.0


def test_what_counts_as_right():
    """A named verdict, the first answer of a pair, yes, or the upper half of a scale."""
    assert positive(CORRECT, "correct")
    assert not positive(CORRECT, "not_attempted")
    assert positive(PAIRWISE, "A")
    assert positive(find_judge("summary", [JUDGES]), "yes")
    assert positive(EXPLANATION, "4")
    assert not positive(EXPLANATION, "3")


# ---- the metric, style ----------------------------------------------------------------------


def outcome(**more):
    sample = Sample("t", "s", "Capital of France?", target=("Paris",), **more)
    return Outcome(sample, (), transcript=Transcript())


@pytest.mark.parametrize(
    ("answer", "value"),
    [("Paris", 1.0), ("the paris.", 1.0), (":", 0.0), ("Capital of France?", 0.0),
     ("It is Paris", None), ("Lyon", None)],
)  # fmt: skip
def test_the_program_decides_what_it_can(answer, value):
    """Equal to a target: right; nothing said: wrong; all else is the judge's."""
    score = Score("ok", answer=answer)
    assert JUDGED.score(outcome(), score) == value


def test_unparsed_and_failed_samples_never_reach_a_judge():
    """Only status ok without a judged value is undecided."""
    assert JUDGED.score(outcome(), Score("unparsed")) == 0.0
    assert JUDGED.score(outcome(), Score("ok", answer=None)) is None
    assert undecided(Score("ok"))
    assert not undecided(Score("error"))
    assert not undecided(Score("ok", values={"judged": 1.0}))


def test_a_missing_verdict_makes_a_sample_unjudged():
    """All its values go; the reason stays."""
    found = with_verdict(
        Score("ok", values={"f1": 0.5}), Judged(None, None, (), "the judge declined")
    )
    assert (found.status, found.values) == ("unjudged", {})
    assert "declined" in found.explanation
    found = with_verdict(Score("ok", values={"f1": 0.5}), Judged("correct", 1.0))
    assert found.values == {"f1": 0.5, "judged": 1.0}


def test_style_leaves_code_out():
    """Length and markup of the prose alone; differences are signed shares."""
    assert style("```\n# no\n- no\n```") == Style(0, 0, 0, 0)
    first, second = style("# A\n- **b**"), style("plain")
    assert style_difference(first, second)[0] > 0
    assert style_difference(first, second)[3] > 0
    assert style_difference(second, second) == (0, 0, 0, 0)
    assert style_difference(style(""), style("")) == (0, 0, 0, 0)
