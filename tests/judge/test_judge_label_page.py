"""The labelling page: on whose scale people label, and that no text on it can run."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent))

from talking import JUDGES

from harness.judge.label_page import label_page
from harness.judge.offer import BETTER_OR_WORSE, RIGHT_OR_WRONG, offer
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


def test_a_hostile_answer_stays_text_on_the_page():
    """No text can end the data or run."""
    hostile = "</script><script>alert(1)</script>\u2028<!--"
    item = {"key": "k", "question": hostile, "reference": "", "answer": "&", "scale": "t"}
    page = label_page("id", [item], {"t": RIGHT_OR_WRONG})
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert "\u2028" not in page
    assert "default-src 'none'" in page
