"""Pronouns and given names."""

from __future__ import annotations

import re

import pytest

from harness.identity import CounterRandom
from harness.perturb.names import Names
from harness.perturb.people_list import MEN, NAMES, WOMEN
from harness.perturb.pronouns import GenderPronouns
from harness.records import Choice, Message, Sample


def swap(text: str, language: str = "en", **more: object) -> str:
    """Return a text with its pronouns swapped."""
    sample = Sample("t", "1", text, language=language, **more)  # type: ignore[arg-type]
    return GenderPronouns()(sample, CounterRandom(0)).input


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("he met her and his dog", "she met him and her dog"),
        ("She, he, she", "He, she, he"),
        ("HE left. Hers stayed", "SHE left. His stayed"),
        ("she saw him.", "he saw her."),
        ("Her bag is new", "His bag is new"),
        ("the doctor gave it to her", "the doctor gave it to him"),
        ("we met her there", "we met him there"),
        ("the bag is his, not ours", "the bag is hers, not ours"),
        ("his 3 dogs", "her 3 dogs"),
        ("she hurt herself; he himself", "he hurt himself; she herself"),
        ("the nurse lost her own keys", "the nurse lost his own keys"),
        ("with her dog", "with his dog"),
        ("we washed her car", "we washed his car"),
        ("he's here, she'll come", "she's here, he'll come"),
        ("there, the other, hero", "there, the other, hero"),
    ],
)
def test_swapped_in_one_pass(text: str, new: str) -> None:
    """First, last and adjacent pronouns swap at once, so that none is swapped back."""
    assert swap(text) == new


@pytest.mark.parametrize(
    "text",
    ["we saw her duck", "he gave her money", "he praised her work ethic's rival her lovely",
     "she met him with her quickly", "he met her 3 times"],
)  # fmt: skip
def test_unclear_her_leaves_all(text: str) -> None:
    """Where *her* may be either, no pronoun of the text changes."""
    assert swap(text) == text


def test_swapping_twice_is_nothing() -> None:
    """The swap is its own inverse."""
    text = "Once he had eaten his lunch, the nurse asked him if the coat was his."
    assert swap(swap(text)) == text != swap(text)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("他和她们，她和他们", "她和他们，他和她们"),
        ("其他人弹吉他，他人走了，维他命", "其他人弹吉他，他人走了，维他命"),
        ("医生说他很忙", "医生说她很忙"),
    ],
)
def test_swapped_in_chinese(text: str, new: str) -> None:
    """他 and 她 swap, but not inside other words."""
    assert swap(text, "zh") == new


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Mary met a boy and he waved", {}),
        ("The king said he won", {}),
        ("Who did she see?", {"target": ("her sister",)}),
        ("Who did she see?", {"choices": (Choice("Tom"), Choice("Ann"))}),
        ("The cook thanked the guard, since she helped. Who?", {"choices": (Choice("the guard"),)}),
        ("she and he", {"protected": ((0, 3),)}),
        ("she left", {"oracle": "he did"}),
        ("she left", {"messages": (Message("user", "Hi"), Message("user", "she left"))}),
    ],
)
def test_pronouns_that_bear_on_the_answer_stay(text: str, more: dict[str, object]) -> None:
    """Nothing swaps where a pronoun tells people apart, or where only some could be swapped."""
    assert swap(text, **more) == text


def test_pronouns_chinese_with_people_stay() -> None:
    """A name or a noun that tells a gender keeps the pronouns."""
    for text in ("妈妈说她累了", "小明说他累了"):
        assert swap(text, "zh") == text


def rename(text: str, language: str = "en", seed: int = 0, **more: object) -> str:
    """Return a text with its people renamed."""
    sample = Sample("t", "1", text, language=language, **more)  # type: ignore[arg-type]
    return Names()(sample, CounterRandom(seed)).input


def test_name_lists() -> None:
    """No name is given to both genders, none holds another in Chinese, none is a common noun."""
    for lists in NAMES.values():
        assert not set(lists["f"]) & set(lists["m"])
        assert all(len(set(names)) == len(names) >= 15 for names in lists.values())
    chinese = [*NAMES["zh"]["f"], *NAMES["zh"]["m"]]
    assert not any(a != b and a in b for a in chinese for b in chinese)
    assert not {name.lower() for lists in NAMES["en"].values() for name in lists} & (WOMEN | MEN)


def test_same_person_same_name() -> None:
    """Each name becomes one other of its gender throughout, and two never become one."""
    for seed in range(30):
        after = rename("Alice met Tom. Then Tom's dog saw Alice, and Sarah.", seed=seed)
        match = re.fullmatch(r"(\w+) met (\w+)\. Then (\w+)'s dog saw (\w+), and (\w+)\.", after)
        assert match is not None
        alice, tom, tom_again, alice_again, sarah = match.groups()
        assert alice == alice_again in NAMES["en"]["f"]
        assert tom == tom_again in NAMES["en"]["m"]
        assert len({"Alice", "Tom", "Sarah", alice, tom, sarah}) == 6


@pytest.mark.parametrize(
    "text",
    ["Charles Darwin wrote", "King Henry ruled", "Dr. Thomas came", "Mary-Jane ran",
     "Thomas the Tank", "Alicia came", "Peter is here. Saint Peter is there.", "Mr. Paul ate"],
)  # fmt: skip
def test_known_people_stay(text: str) -> None:
    """A surname, a title or a rank may make it someone known: such a name stays everywhere."""
    assert rename(text) == text


@pytest.mark.parametrize("text", ["When Tom left", "We saw Paris. Tom left", "ate. Tom left"])
def test_sentence_starts_are_no_titles(text: str) -> None:
    """A capital that only begins a sentence, or ends the one before, does not keep a name."""
    assert "Tom" not in rename(text)


@pytest.mark.parametrize(
    "more",
    [
        {"target": ("Tom",)},
        {"choices": (Choice("tom's dog"),)},
        {"wrong": "Tom"},
        {"oracle": "It is Tom"},
        {"system": "You know Tom."},
        {"protected": ((0, 3),)},
        {"messages": (Message("user", "Tom?"), Message("user", "Tom sees Alice"))},
    ],
)
def test_names_that_bear_on_the_answer_stay(more: dict[str, object]) -> None:
    """A name that an answer, another turn or a protected stretch holds stays; others change."""
    after = rename("Tom sees Alice", **more)
    assert after.startswith("Tom sees ")
    assert after != "Tom sees Alice"


def test_no_name_left() -> None:
    """Where every other name is taken, a name stays."""
    text = ", ".join(NAMES["en"]["f"])
    assert rename(text) == text


def test_chinese_names() -> None:
    """Names change in Chinese too, but not as the head of another word."""
    after = rename("小明给小红一本书，小明很高兴", "zh")
    assert "小明" not in after
    assert after[:2] == after[-5:-3] or after.count(after[:2]) == 2
    assert rename("小红帽和小龙虾", "zh") == "小红帽和小龙虾"
