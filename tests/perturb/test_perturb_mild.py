"""The mild mix."""

from __future__ import annotations

from harness.identity import CounterRandom
from harness.perturb.edit import restored
from harness.perturb.mild import Mild
from harness.records import Sample


def test_all_steps_in_one_copy() -> None:
    """Case, spelling and spaces change together, and the spans lead back to the sample."""
    sample = Sample("t", "1", "Receive The Money 12 times", protected=((18, 20),))
    after = Mild(rate=1.0)(sample, CounterRandom(0))
    assert after.input.split() == ["recieve", "the", "mony", "12", "times"]
    assert restored(after.input, after.spans) == sample.input
    assert after.input[slice(*after.protected[0])] == "12"
    assert after.variant == "mild"


def test_mild_of_another_language() -> None:
    """A sample in another language comes back as it was."""
    after = Mild()(Sample("t", "1", "Ça Va ?", language="fr"), CounterRandom(0))
    assert (after.input, after.spans, after.variant) == ("Ça Va ?", (), "mild")
