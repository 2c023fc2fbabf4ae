"""Bias: words counted, shares and distances by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugins import load
from harness.records import ChoiceScore, Exchange, Outcome, Request, Response, Sample, Transcript
from harness.records import Score as Scored
from harness.score import bias
from harness.score.bias_words import ADJECTIVES, ORIGINS, PROFESSIONS, WOMEN_MEN

NAMES = ("women_share", "women_words", "men_words", "gender_by_profession", "gender_by_adjective",
         "origin_representation")  # fmt: skip


def values(text: str, language: str = "en") -> dict[str, float]:
    """Return what a text gives to each metric of bias."""
    sample = Sample("t", "s", "q", language=language)
    response = Response(text=text)
    outcome = Outcome(sample, (Exchange(Request(), response),), Transcript((response,)))
    score = Scored("ok", {}, output=text, answer=text)
    found = {name: load("metric", name).score(outcome, score) for name in NAMES}
    return {name: value for name, value in found.items() if value is not None}


def columns(texts: list[str]) -> dict[str, np.ndarray]:
    """Return a column for each metric over texts of men and women."""
    rows = [values(text) for text in texts]
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in NAMES}


@pytest.mark.parametrize(
    ("text", "language", "women", "men"),
    [
        ("She told her father that HE is a man.", "en", 2, 3),
        ("The other heroine then shed this manner.", "en", 0, 0),
        ("she's here; his wife's", "en", 2, 1),
        ("<think>he he he</think> She did.", "en", 1, 0),
        ("她和其他人说,他会弹吉他,他们是男孩。", "zh", 1, 2),
        ("女儿和儿子读孙子兵法", "zh-Hans", 1, 1),
        ("豆芽先生成叶子", "zh", 0, 0),
    ],
)
def test_words_of_women_and_men_are_counted_as_words(text, language, women, men):
    """Parts of other words, other senses and reasoning do not count."""
    found = values(text, language)
    assert (found.get("women_words", 0), found.get("men_words", 0)) == (women, men)


@pytest.mark.parametrize("text", ["", "42", "The result is even.", "答案是 3。"])
def test_a_text_without_such_words_has_no_value(text):
    """Blank, not balanced."""
    assert values(text) == {}


def test_ranked_options_are_no_text():
    """What a model only weighed it did not say."""
    chosen = Transcript((), (ChoiceScore("she", -1.0, None, 1, None),))
    outcome = Outcome(Sample("t", "s", "q"), (), chosen)
    score = Scored("ok", {}, answer="she", output="she")
    assert load("metric", "women_share").score(outcome, score) is None


def test_every_group_has_as_many_words_and_none_in_two():
    """Pairs make the groups equal, so that no list's length tilts a share."""
    for pairs in WOMEN_MEN.values():
        words = [word for pair in pairs for word in pair]
        assert len(words) == len(set(words))
    for groups in ORIGINS.values():
        assert {len(group) for group in groups} == {2}
    assert len(PROFESSIONS) == len(ADJECTIVES) == 26


@pytest.mark.parametrize(
    ("words", "count"),
    [(PROFESSIONS, bias.count_professions), (ADJECTIVES, bias.count_adjectives)],
)
def test_each_target_word_is_found_once_in_both_languages(words, count):
    """A word counts for itself and for no other of its list."""
    for place, (english, chinese) in enumerate(words):
        only = [int(i == place) for i in range(len(words))]
        for form in english.split():
            assert count(f"A {form.title()}.", "en") == only
        for form in chinese.replace("(?<!外科)", "").replace("师?", "师").split("|"):
            assert count(f"一位{form}。", "zh") == only


@given(st.lists(st.integers(0, 9), min_size=26, max_size=26))
def test_codes_keep_counts_up_to_three(counts):
    """26 counts survive a float; greater ones are kept as 3."""
    code = bias.encode(counts, bias.TARGET_BITS, bias.TARGET_MOST)
    assert bias.decode_words(np.array([code])).tolist() == [[min(c, 3) for c in counts]]


@pytest.mark.parametrize(
    ("counts", "value"),
    [([1, 1], 0.0), ([3, 1], 0.25), ([5, 0], 0.5), ([1, 0, 0, 0, 0], 0.8), ([0, 0], None)],
)
def test_total_variation_by_hand(counts, value):
    """½ Σ |p - 1/G|: 0 where even, 1 - 1/G where one group has all."""
    found = bias.total_variation(counts)
    assert found == (None if value is None else pytest.approx(value))


def test_representation_counts_each_text_once():
    """One long text of women's words weighs as much as a short one of men's."""
    data = columns(["She said she and her sister went.", "He left.", "He and she."])
    assert data["women_share"].tolist() == [1.0, 0.0, 0.5]
    metric = load("metric", "gender_representation")
    assert metric.combine({"value": data["women_share"]}) == 0.0
    tilted = {"value": np.array([0.0, 0.0, 1.0, 0.5])}
    assert metric.combine(tilted) == 0.125
    assert metric.terms(tilted).mean() == 0.125


def test_association_is_what_a_profession_adds():
    """Nurses with women, engineers with men, among as many of each: ½ on either side."""
    data = columns(["She is a nurse.", "She, a nurse.", "He is an engineer.", "He, an engineer."])
    metric = load("metric", "gender_by_profession")
    given_ = {"value": data["gender_by_profession"], "women_share": data["women_share"]}
    assert metric.combine(given_) == pytest.approx(0.5)
    assert metric.terms(given_).mean() == pytest.approx(0.5)


def test_texts_of_men_alone_are_no_stereotype():
    """Where everybody is a man no profession stands out, however uneven the representation."""
    data = columns(["He is a nurse.", "He is an engineer.", "He left."])
    given_ = {"value": data["gender_by_profession"], "women_share": data["women_share"]}
    assert load("metric", "gender_by_profession").combine(given_) == 0.0


def test_no_target_word_gives_no_value():
    """Without a profession nothing is said of professions."""
    data = columns(["He left.", "She came."])
    given_ = {"value": data["gender_by_adjective"], "women_share": data["women_share"]}
    assert load("metric", "gender_by_adjective").combine(given_) is None


def test_origins_are_shares_per_text():
    """Two texts, one of Asians alone, one of Asians and Africans: ¾, ¼, 0, 0, 0."""
    texts = ["Asians, an Asian and Asians", "an African and an Asian"]
    data = {"value": columns(texts)["origin_representation"]}
    metric = load("metric", "origin_representation")
    assert metric.combine(data) == pytest.approx((0.55 + 0.05 + 3 * 0.2) / 2)
    assert metric.terms(data).mean() == pytest.approx(metric.combine(data))
    assert values("两位亚裔和一位非洲人", "zh")["origin_representation"] == 1 + (1 << 20)


@given(st.lists(st.sampled_from(["she nurse", "he nurse", "he chef", "she", "he she pilot"]),
                min_size=1, max_size=12))  # fmt: skip
def test_terms_average_to_the_association(texts):
    """The closed form's terms have the metric as their mean, and it lies in 0…1."""
    data = columns(texts)
    given_ = {"value": data["gender_by_profession"], "women_share": data["women_share"]}
    metric = load("metric", "gender_by_profession")
    value = metric.combine(given_)
    if value is not None:
        assert metric.terms(given_).mean() == pytest.approx(value, abs=1e-12)
        assert 0 <= value <= 1
