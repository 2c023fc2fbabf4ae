"""Options and examples in another order."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.identity import CounterRandom
from harness.perturb.order import OptionOrder, ShotOrder, reordered
from harness.records import Choice, Message, Sample, Shot

TEXTS = ("tea", "red rice", "rice")
CHOICES = tuple(Choice(text) for text in TEXTS)


def ask(text: str = "Which?", **more: object) -> Sample:
    """A choice question whose second option is right."""
    given = {"choices": CHOICES, "gold": 1, "target": ("red rice",), **more}
    return Sample("t", "1", text, **given)  # type: ignore[arg-type]


def test_every_other_order_is_as_likely() -> None:
    """The old order never comes; each of the others does, about equally often."""
    rng = CounterRandom(0)
    seen = Counter(tuple(reordered(3, rng)) for _ in range(1000))
    assert len(seen) == 5
    assert (0, 1, 2) not in seen
    assert min(seen.values()) > 150


def test_gold_follows_its_option() -> None:
    """The right option is right wherever it goes."""
    for seed in range(10):
        after = OptionOrder()(ask(), CounterRandom(seed))
        assert after.choices != CHOICES
        assert after.gold is not None
        assert after.choices[after.gold].text == "red rice"
        assert after.target == ("red rice",)
        assert after.input == "Which?"


@pytest.mark.parametrize(
    "listing",
    [
        "Which?\nA. {}\nB. {}\nC. {}",
        "Which? (1) {} (2) {} (3) {}?",
        "哪个？甲、{}；乙、{}；丙、{}。",
    ],
)
def test_listed_options_move(listing: str) -> None:
    """Options that the input lists move there as well; their labels stay."""
    after = OptionOrder()(ask(listing.format(*TEXTS)), CounterRandom(1))
    assert after.input == listing.format(*(choice.text for choice in after.choices))
    assert after.spans


@pytest.mark.parametrize("label", ["B", "(b)", "B.", "乙", "②"])
def test_labels_follow(label: str) -> None:
    """A target that names the option by its label names it afterwards too."""
    after = OptionOrder()(ask(target=(label,), oracle=label, wrong="A"), CounterRandom(1))
    assert after.gold is not None
    for new, old in ((after.target[0], label), (after.oracle, label)):
        assert new == old.translate(
            {ord(a): "ABC"[after.gold] for a in "B"}
            | {ord("b"): "abc"[after.gold], ord("乙"): "甲乙丙"[after.gold]}
            | {ord("②"): "①②③"[after.gold]}
        )
    wrong = "ABC".index(after.wrong or "")
    assert after.choices[wrong].text == "tea"


def test_label_beyond_the_options_stays() -> None:
    """A letter that names no option is no label."""
    assert OptionOrder()(ask(wrong="Z"), CounterRandom(0)).wrong == "Z"


@pytest.mark.parametrize(
    "sample",
    [
        ask(choices=CHOICES[:1], gold=0),
        ask(choices=(*CHOICES, Choice("All of the above"))),
        ask(choices=(*CHOICES, Choice("以上都对"))),
        ask(choices=(*CHOICES, Choice("Both A and B"))),
        ask(choices=(*CHOICES, Choice(" "))),
        ask(choices=tuple(Choice(str(n)) for n in range(11))),
        ask("Which?\nA. tea\nB. red rice"),
        ask("Which?\nA. rice\nB. red rice\nC. tea"),
        ask("Which?\nA. tea\nB. red rice\nC. rice", protected=((10, 13),)),
        ask(oracle="It is B, I think"),
        ask(system="A. tea\nB. red rice\nC. rice"),
        ask(messages=(Message("user", "A. tea\nB. red rice\nC. rice"), Message("user", "Which?"))),
        ask("A. tea\nB. red rice\nC. rice", messages=(Message("user", "elsewhere"),)),
    ],
)
def test_left_alone(sample: Sample) -> None:
    """No option moves where one speaks of others, or where the list cannot be moved as a whole."""
    after = OptionOrder()(sample, CounterRandom(0))
    assert (after.choices, after.gold, after.input) == (sample.choices, sample.gold, sample.input)
    assert (after.variant, after.spans) == ("option_order", ())


def test_shots_in_another_order() -> None:
    """The same examples come in another order; one alone stays."""
    shots = tuple(Shot(str(n), str(n)) for n in range(4))
    after = ShotOrder()(Sample("t", "1", "?", shots=shots), CounterRandom(0))
    assert after.shots != shots
    assert sorted(map(str, after.shots)) == sorted(map(str, shots))
    one = Sample("t", "1", "?", shots=shots[:1])
    assert ShotOrder()(one, CounterRandom(0)).shots == one.shots
