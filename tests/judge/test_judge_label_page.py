"""The labelling page: on whose scale people label, and that no text on it can run."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from talking import JUDGES

from harness.errors import InvalidFile
from harness.judge.label_page import label_page
from harness.judge.offer import BETTER_OR_WORSE, RIGHT_OR_WRONG, offer, read_offer
from harness.judge.spec import find_judge

CORRECT = find_judge("correct", [JUDGES])
PAIRWISE = find_judge("pairwise", [JUDGES])
EXPLANATION = find_judge("explanation", [JUDGES])


def test_people_label_on_the_scale_of_the_judge():
    """Grades, levels with their anchors, checks, pairs; a panel of one kind as its members."""
    grades = offer(CORRECT)
    assert [(one.name, one.value) for one in grades.choices] == [
        ("correct", 1.0), ("incorrect", 0.0), ("not attempted", 0.0),
    ]  # fmt: skip
    levels = offer(EXPLANATION).choices
    assert [one.value for one in levels] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert levels[0].about.startswith("Wrong or empty")
    checks = offer(find_judge("summary", [JUDGES])).checks
    assert [one.name for one in checks] == [
        "main_point", "supported", "key_facts", "brief", "contradiction",
    ]  # fmt: skip
    assert offer(PAIRWISE) == BETTER_OR_WORSE
    panel = find_judge("panel", [JUDGES])
    assert offer(panel) == grades
    mixed = msgspec.structs.replace(panel, members=(("a", CORRECT), ("b", EXPLANATION)))
    assert offer(mixed) == RIGHT_OR_WRONG


@pytest.mark.parametrize(
    ("scale", "key", "problem"),
    [
        (7, "", "Expected `object`, got `int`"),
        ({}, "", "either choices or checks; got: neither"),
        ({"choices": 3}, ".choices", "Expected `array`"),
        ({"choices": [{"name": "a", "value": "x"}]}, ".choices[0].value", "Expected `float`"),
        ({"choices": [{"name": "a", "value": 3}]}, ".choices[0].value", "0 to 1; got: 3"),
        ({"choices": [{"name": "a", "value": 1}] * 2}, "", "a name stands twice; got: 'a'"),
        ({"checks": [{"name": "a", "ask": "?", "points": -1}]}, ".checks", "one of them above 0"),
        (
            {
                "choices": [{"name": "a", "value": 1}],
                "checks": [{"name": "a", "ask": "?"}],
            },
            "",
            "either choices or checks; got: both",
        ),
    ],
)
def test_a_scale_that_is_none_is_told_with_file_and_key(scale, key, problem):
    """Runs come from other people too; what label_page would stumble over is told before."""
    with pytest.raises(InvalidFile) as told:
        read_offer(scale, Path("run.json"), "judges.j.scale")
    assert str(told.value).startswith(f"run.json: judges.j.scale{key}: ")
    assert problem in str(told.value)


@pytest.mark.parametrize("known", [RIGHT_OR_WRONG, offer(find_judge("summary", [JUDGES]))])
def test_a_recorded_scale_is_read_back(known):
    """As run.json holds it."""
    assert read_offer(msgspec.to_builtins(known), Path("run.json"), "k") == known


def test_a_hostile_answer_stays_text_on_the_page():
    """No text can end the data or run."""
    hostile = "</script><script>alert(1)</script>\u2028<!--"
    item = {"key": "k", "question": hostile, "reference": "", "answer": "&", "scale": "t"}
    page = label_page("id", [item], {"t": RIGHT_OR_WRONG})
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert "\u2028" not in page
    assert "default-src 'none'" in page
