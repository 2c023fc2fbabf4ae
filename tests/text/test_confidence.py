"""Stated confidence: what counts as one, on which scale, and what is left of the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import Sample
from harness.text.confidence import stated_confidence, without_confidence

SAMPLE = Sample("t", "s", "q")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Paris\nConfidence: 85", "0.85"),
        ("Answer: Paris\n**Confidence:** 85%", "0.85"),
        ("Confidence (0-100): 70", "0.7"),
        ("Confidence level is about 60", "0.6"),
        ("Certainty: 85/100", "0.85"),
        ("confidence: 8/10", "0.8"),
        ("confidence: 3 out of 10", "0.3"),
        ("confidence is 80-90%", "0.85"),
        ("Confidence: 0.85", "0.85"),
        ("Confidence: 1", "0.01"),
        ("Confidence: 1.0", "1"),
        ("Confidence: 100", "1"),
        ("Confidence: 0", "0"),
        ("I'm 90% sure it is Paris", "0.9"),
        ("I am 80 percent confident.", "0.8"),
        ("Paris (95%)", "0.95"),
        ("Paris, confidence 90", "0.9"),
        ("Confidence: 20. No wait, confidence: 60", "0.6"),
        ("答案：北京\n置信度：９０", "0.9"),
        ("置信度（0-100）：75", "0.75"),
        ("信心：0.8", "0.8"),
        ("置信度为85分", "0.85"),
        ("我有八成把握", "0.8"),
        ("九成五的信心", "0.95"),
        ("七成半的把握", "0.75"),
        ("百分之九十五的把握", "0.95"),
        ("百分之十二的把握", "0.12"),
        ("百分之五的信心", "0.05"),
        ("百分之百的把握", "1"),
        ("百分之85的把握", "0.85"),
        ("把握：90%", "0.9"),
        ("Confidence: 150", None),
        ("Confidence: high", None),
        ("It was built in 1789", None),
        ("95 people came (1995)", None),
        ("<think>Confidence: 90</think> Paris", None),
        ("", None),
    ],
)
def test_confidences_that_models_state(text, value):
    """The last confidence counts, on the scale it stands on; what is none gives None."""
    found = stated_confidence(text, SAMPLE)
    assert (found and found.value) == value
    if found:
        assert found.rule.startswith("stated_confidence:")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Paris (95%)", "Paris"),
        ("Paris (confidence: 90%)", "Paris"),
        ("Paris\nConfidence: 85", "Paris"),
        ("Answer: 8, Confidence: 95%", "Answer: 8"),
        ("北京，我有90%的把握", "北京"),
        ("北京\n置信度：85", "北京"),
        ("Paris", "Paris"),
        ("Confidence: 85", ""),
    ],
)
def test_the_answer_is_left_alone(text, answer):
    """What is said of confidence goes, and the answer stays as it is."""
    assert without_confidence(text) == answer


@given(
    st.integers(0, 100),
    st.sampled_from(
        ["Confidence: {}", "Confidence: {}%", "置信度：{}", "I am {}% sure", "{}%的把握"]
    ),
)
def test_every_whole_number_is_read_back(number, pattern):
    """Each number of the scale, in each form, is that share of a hundred."""
    found = stated_confidence("Paris\n" + pattern.format(number), SAMPLE)
    assert float(found.value) == number / 100


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    """Any text gives None or a value in 0…1 with its place."""
    found = stated_confidence(text, SAMPLE)
    assert found is None or 0 <= float(found.value) <= 1
    assert isinstance(without_confidence(text), str)
