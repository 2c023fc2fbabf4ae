"""The answerer's rules, and the game that it is asked in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile
from harness.interact.answerer import question_of, reply
from harness.interact.ask import Asker
from harness.interact.question_words import CHINESE, ENGLISH, NEGATED
from harness.interact.twenty_questions import SAYS, thing_of, twenty_questions
from harness.records import Response, Sample
from harness.synth.things import ATTRIBUTES, THINGS, Things
from harness.synth.things import _thing as read_thing

ROWS = {
    language: {row["name"]: row for row in Things()({"language": language}, 0)}
    for language in ("en", "zh")
}
EN_CAT, ZH_CAT = thing_of(ROWS["en"]["cat"]), thing_of(ROWS["zh"]["猫"])

ENGLISH_CASES = [
    ("Is it an animal?", "yes"),
    ("Is it alive?", "yes"),
    ("Is it a living thing?", "yes"),
    ("Does it have four legs?", "yes"),
    ("Does it have 4 legs?", "yes"),
    ("Does it have a tail?", "yes"),
    ("Is it a four-legged animal?", "yes"),
    ("Is it bigger than a person?", "no"),
    ("Is it larger than an average adult human?", "no"),
    ("Is it smaller than a human?", "yes"),
    ("Can it fly?", "no"),
    ("Is it man-made?", "no"),
    ("Is it made by humans?", "no"),
    ("Is it a natural thing?", "yes"),
    ("Is it non-living?", "no"),
    ("Is it an inanimate object?", "no"),
    ("Is it commonly kept as a pet?", "yes"),
    ("Can you eat it?", "no"),
    ("Is it something people eat?", "no"),
    ("Is it edible?", "no"),
    ("Does it use electricity?", "no"),
    ("Is it made of metal?", "no"),
    ("Is it usually made out of wood?", "no"),
    ("Is it found in the kitchen?", "no"),
    ("Is it a type of furniture?", "no"),
    ("Is it a musical instrument?", "no"),
    ("Does it have feathers?", "no"),
    ("Is it a predator?", "yes"),
    ("Does it eat meat?", "yes"),
    ("Do people ride it?", "no"),
    ("Is it used for transportation?", "no"),
    ("Does it lay eggs?", "no"),
    ("Is it an animal or a plant?", "yes"),
    ("Is it a bird or a fish?", "no"),
    ("Is it a mammal and does it have fur?", "yes"),
    ("Is it a mammal that can fly?", "no"),
    ("Is it usually found indoors?", "unknown"),
    ("Is it nocturnal?", "unknown"),
    ("Is it living or non-living?", "unknown"),
    # a word that the rules do not know may change what is asked
    ("Is it an animal that lives in Australia?", "unknown"),
    ("Is it bigger than a car?", "unknown"),
    ("Is it larger than a breadbox?", "unknown"),
    ("Is it a wild animal?", "unknown"),
    ("Does it bark?", "unknown"),
    ("Is it black?", "unknown"),
    ("Is it not a bird?", "unknown"),
    ("Isn't it a bird?", "unknown"),
    ("Is it found in the living room?", "unknown"),
    ("Does it have one leg?", "unknown"),
    ("Does it have 6 legs?", "unknown"),
    ("Does it have more than four legs?", "unknown"),
    ("Is it eaten by animals?", "unknown"),
    ("Is it made of plants?", "unknown"),
    ("Is it used by animals?", "unknown"),
    ("Does it eat plants?", "unknown"),
    ("What animal is it?", "unknown"),
    ("Which animal is it?", "unknown"),
    ("Is it an animal, a plant or an object?", "unknown"),
    ("Is it a plant-based food?", "unknown"),
    ("Is it cold-blooded?", "unknown"),
    ("Is it bigger than a person's hand?", "unknown"),
    ("Is it an animal which has fur?", "yes"),
    ("Is it used as a tool?", "no"),
    ("Is it eaten?", "no"),
    ("Is it dangerous to humans?", "no"),
    ("What is it?", "unknown"),
    ("", "unknown"),
    ("Is it " + "very " * 100 + "big?", "unknown"),
]
CHINESE_CASES = [
    ("它是动物吗？", "yes"),
    ("它是活的吗？", "yes"),
    ("它有生命吗？", "yes"),
    ("它是生物吗？", "yes"),
    ("它有四条腿吗？", "yes"),
    ("它有尾巴吗？", "yes"),
    ("它是不是宠物？", "yes"),
    ("它吃肉吗？", "yes"),
    ("它比成年人小吗？", "yes"),
    ("它比人大吗？", "no"),
    ("它的体型比人大吗？", "no"),
    ("它会飞吗？", "no"),
    ("它是人造的吗？", "no"),
    ("这个东西是人工制造的吗？", "no"),
    ("它可以吃吗？", "no"),
    ("它是一种食物吗？", "no"),
    ("它需要用电吗？", "no"),
    ("它是用金属做的吗？", "no"),
    ("它生活在水里吗？", "no"),
    ("它在厨房里使用吗？", "no"),
    ("它是交通工具吗？", "no"),
    ("它会对人造成危险吗？", "no"),
    ("它是植物还是动物？", "yes"),
    ("它是鸟或者鱼吗？", "no"),
    ("它是自然界的吗？", "yes"),
    ("它可以拿在手里吗？", "unknown"),
    ("它不是动物吗？", "unknown"),
    ("它会叫吗？", "unknown"),
    ("它是黑色的吗？", "unknown"),
    ("它有一只脚吗？", "unknown"),
    ("它有6条腿吗？", "unknown"),
    ("它会吃动物吗？", "unknown"),
    ("它吃鱼吗？", "unknown"),
    ("它是用植物做的吗？", "unknown"),
    ("它是什么动物？", "unknown"),
    ("它是动物还是物体？", "unknown"),
    ("它没有尾巴吗？", "unknown"),
    ("它是人们吃的东西吗？", "no"),
    ("它是一只动物吗？", "yes"),
    ("它可以用一只手拿起来吗？", "unknown"),
    ("它有没有翅膀？", "no"),
    ("它是什么？", "unknown"),
]


@pytest.mark.parametrize(("question", "answer"), ENGLISH_CASES)
def test_english_questions_about_a_cat(question, answer):
    """A question wholly understood gets yes or no, any other "unknown"; none of these guesses."""
    found = reply(question, EN_CAT, "en")
    assert (found.answer, found.guess) == (answer, False)


@pytest.mark.parametrize(("question", "answer"), CHINESE_CASES)
def test_chinese_questions_about_a_cat(question, answer):
    """The same in Chinese."""
    found = reply(question, ZH_CAT, "zh")
    assert (found.answer, found.guess) == (answer, False)


@pytest.mark.parametrize(
    ("text", "won"),
    [
        ("Is it a cat?", True),
        ("Could it be a cat?", True),
        ("Is it the cat?", True),
        ("My guess is a cat.", True),
        ("I think it is a cat!", True),
        ("The answer is: cat", True),
        ("CAT", True),
        ("Are you thinking of a cat?", True),
        ("Is it a dog?", False),
        ("Is it a tortoise?", False),
        ("I guess it is the moon", False),
    ],
)
def test_english_guesses(text, won):
    """Naming a thing of the table is a guess, in whatever words."""
    found = reply(question_of(text), EN_CAT, "en")
    assert (found.guess, found.answer) == (True, "yes" if won else "no")


@pytest.mark.parametrize(
    ("text", "won"),
    [
        ("它是猫吗？", True),
        ("是一只猫吗？", True),
        ("我猜是猫。", True),
        ("答案是：猫", True),
        ("它是小猫吗？", True),
        ("它是狗吗？", False),
        ("是面包吗？", False),
        ("它是一条蛇吗？", False),
    ],
)
def test_chinese_guesses(text, won):
    """The same in Chinese, with and without a measure word."""
    found = reply(question_of(text), ZH_CAT, "zh")
    assert (found.guess, found.answer) == (True, "yes" if won else "no")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_thing_is_known_by_its_question(language):
    """Each row's own guess wins, its wrong guess is a guess that does not."""
    for row in ROWS[language].values():
        thing = thing_of(row)
        right, wrong = (reply(row[key], thing, language) for key in ("guess", "wrong"))
        assert (right.guess, right.answer) == (True, "yes")
        assert (wrong.guess, wrong.answer) == (True, "no")


def test_every_attribute_has_words_in_both_languages():
    """The rules and the table speak of the same attributes."""
    assert set(ENGLISH) == set(CHINESE) == set(ATTRIBUTES)
    assert all(set(patterns) <= set(ATTRIBUTES) for patterns in NEGATED.values())


def test_a_negated_attribute_keeps_what_is_unknown():
    """What is smaller than a person is unknown where what is bigger is."""
    dog = thing_of(ROWS["en"]["dog"])
    assert reply("Is it smaller than a person?", dog, "en").answer == "unknown"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Is it alive?", "Is it alive?"),
        ("Good. Let me think.\n4. Is it alive?", "Is it alive?"),
        ("Question 3: Is it alive?", "Is it alive?"),
        ("**Is it alive?**", "Is it alive?"),
        ("<think>Is it big?</think>Is it alive?", "Is it alive?"),
        ("Is it big? Is it alive?", "Is it alive?"),
        ("Is it alive? I wonder.", "Is it alive?"),
        ("So.\nMy guess is a cat", "My guess is a cat"),
        ("问题2：它是活的吗？", "它是活的吗？"),
        ("", ""),
    ],
)
def test_the_question_is_the_last_one_asked(text, question):
    """Numbers, thinking and talk around it fall away."""
    assert question_of(text) == question


@given(st.text(max_size=400), st.sampled_from(["en", "zh"]))
def test_any_text_gets_an_answer(text, language):
    """Hostile questions are answered like any other, without an error."""
    thing = EN_CAT if language == "en" else ZH_CAT
    assert reply(question_of(text), thing, language).answer in {"yes", "no", "unknown"}


def game(*texts, language="en", **arguments):
    """Play; return what the model heard and the transcript."""
    row = ROWS[language]["cat" if language == "en" else "猫"]
    sample = Sample("t", "s", "Play!", target=("cat",), language=language, fields=row)
    conversation = twenty_questions(sample, Asker(chat=True, tagged=True), **arguments)
    asked = [next(conversation)]
    try:
        for text in texts:
            asked.append(conversation.send(Response(text=text)))
    except StopIteration as stop:
        return asked, stop.value
    raise AssertionError("the game goes on")


def test_a_game_ends_when_the_thing_is_named():
    """Each answer is heard before the next question; facts say how it went."""
    asked, transcript = game("Is it alive?", "Does it bark?", "Is it a dog?", "Is it a cat?")
    heard = [message.content for message in asked[-1].messages]
    assert heard == [
        "Play!", "Is it alive?", "Yes.", "Does it bark?", "I don't know.", "Is it a dog?", "No.",
    ]  # fmt: skip
    assert [request.turn for request in asked] == [0, 1, 2, 3]
    assert transcript.facts == {"won": True, "questions": 4, "guesses": 2, "understood": 3}
    assert len(transcript.responses) == 4


def test_a_game_is_lost_after_the_last_question():
    """The limit counts guesses as well."""
    _, transcript = game("Is it a dog?", "Is it round?", "", limit=3)
    assert transcript.facts == {"won": False, "questions": 3, "guesses": 1, "understood": 2}


def test_a_chinese_game_is_answered_in_chinese():
    """The answerer speaks the row's language."""
    asked, transcript = game("它是动物吗？", "它是狗吗？", "它是猫吗？", language="zh")
    assert [m.content for m in asked[-1].messages[2::2]] == [SAYS["zh"]["yes"], SAYS["zh"]["no"]]
    assert transcript.facts["won"]


def test_rows_without_a_thing_are_refused():
    """The error names the fields that are missing."""
    with pytest.raises(InvalidFile, match="others, values"):
        thing_of({"names": ["cat"]})


def test_the_table_is_large_and_tells_things_apart():
    """94 things by more than 25 attributes; no two are described alike."""
    assert len(THINGS) >= 60
    assert len(ATTRIBUTES) >= 25
    described = {tuple(thing.values.values()) for thing in THINGS}
    assert len(described) == len(THINGS)
    for attribute in ATTRIBUTES:
        assert any(thing.values[attribute] == "yes" for thing in THINGS), attribute


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_are_of_one_thing_each(language):
    """No name stands for two things, and the usual name comes first."""
    names = [name for thing in THINGS for name in thing.names(language)]
    assert len(set(names)) == len(names)
    for row in ROWS[language].values():
        assert row["name"] == row["names"][0]
        assert not set(row["names"]) & set(row["others"])
        assert len(row["all"]) == len(THINGS)


def test_what_is_implied_is_filled_in():
    """A bird is an animal, lives, and lays eggs; what a line calls unknown stays so."""
    by_name = {thing.english[0]: thing.values for thing in THINGS}
    assert by_name["owl"]["living"] == by_name["owl"]["eggs"] == "yes"
    assert by_name["pig"]["fur"] == "unknown"
    assert by_name["piano"]["made"] == "yes"
    assert by_name["mountain"]["living"] == "no"


def test_a_line_with_an_unknown_attribute_is_refused():
    """A slip in the table is found when it is read."""
    with pytest.raises(ValueError, match="no such attribute: furr"):
        read_thing("yeti | 雪人 | mammal furr ?tail")


def questions_needed(thing):
    """Play by the table: halve what is left, then name it; None for a game lost."""
    left, asked = list(THINGS), set()
    for number in range(1, 21):

        def halves(attribute, left=tuple(left)):
            values = [each.values[attribute] for each in left]
            return min(values.count("yes"), values.count("no"))

        best = max((a for a in ATTRIBUTES if a not in asked), key=halves)
        if halves(best) < 2:
            if left.pop(0) is thing:
                return number
            continue
        asked.add(best)
        value = thing.values[best]
        if value != "unknown":
            left = [each for each in left if each.values[best] in (value, "unknown")]
    return None


def test_a_player_who_knows_the_table_nearly_always_wins():
    """The attributes suffice: nine games of ten are won, in about ten questions."""
    needed = [number for thing in THINGS if (number := questions_needed(thing))]
    assert len(needed) > 0.9 * len(THINGS)
    assert sum(needed) / len(needed) < 12
